/*
 * Where the reactive mode meets the live telescope.  Without a reactive prefix the parent hands no
 * descriptor down that could send, and nothing here does anything.
 */
#include "passive/telescope/live/live_inner.h"
#include <errno.h>

int live_send(struct live_port *p, struct bytes frame)
{
	if (p->send_fd < 0)
		return ERR_DENIED;
	ssize_t n = send(p->send_fd, frame.at, frame.len, MSG_DONTWAIT);
	return n == (ssize_t)frame.len ? 0 : errno == EAGAIN || errno == ENOBUFS ? ERR_FULL : ERR_SYSTEM;
}

int live_answer_open(struct live *l, struct fault *fault)
{
	(void)l;
	(void)fault;
	return 0;
}

void live_answer_batch(struct live *l, struct live_port *p, const struct packet_batch *b)
{
	(void)l;
	(void)p;
	(void)b;
}

void live_answer_clock(struct live *l, uint64_t now_us)
{
	(void)l;
	(void)now_us;
}

void live_answer_finish(struct live *l) { (void)l; }
void live_answer_close(struct live *l) { (void)l; }
