/* A plan as bytes, and messages that carry descriptors. */
#include "box/box_inner.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define NOTHING UINT32_MAX /* the length of a text that is NULL */

static void write_string(struct writer *w, const char *s)
{
	write_u32(w, s ? (uint32_t)strlen(s) : NOTHING);
	if (s)
		write_bytes(w, s, strlen(s) + 1);
}

static void write_strings(struct writer *w, const char *const *list)
{
	uint32_t n = 0;
	while (list && list[n])
		n++;
	write_u32(w, list ? n : NOTHING);
	for (uint32_t i = 0; list && i < n; i++)
		write_string(w, list[i]);
}

void plan_write(struct writer *w, const struct box_plan *p)
{
	write_bytes(w, p, sizeof *p); /* its numbers; keeper and user are one program */
	const char *const *const lists[] = {p->argv, p->env, p->deny, p->told, p->formats};
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
		write_strings(w, lists[i]);
	write_string(w, p->host_name);
	write_string(w, p->cwd);
	write_string(w, p->written);
	for (size_t i = 0; i < p->mount_count; i++) {
		write_string(w, p->mounts[i].from);
		write_string(w, p->mounts[i].to);
	}
}

static const char *read_string(struct reader *r)
{
	uint32_t n = read_u32(r);
	if (n == NOTHING || r->bad)
		return NULL;
	struct bytes b = read_bytes(r, (size_t)n + 1);
	if (!reader_ok(r) || b.at[n]) {
		r->bad = true;
		return NULL;
	}
	return (const char *)b.at;
}

static const char **read_strings(struct reader *r)
{
	uint32_t n = read_u32(r);
	if (n == NOTHING || r->bad)
		return NULL;
	const char **list = n <= reader_left(r) / 4 ? calloc((size_t)n + 1, sizeof *list) : NULL;
	if (!list)
		r->bad = true;
	for (uint32_t i = 0; list && i < n; i++)
		list[i] = read_string(r);
	return list;
}

int plan_read(struct plan *p, uint8_t *store, size_t len)
{
	struct reader r = reader_of(store, len);
	*p = (struct plan){.store = store};
	struct bytes numbers = read_bytes(&r, sizeof p->box);
	if (numbers.len == sizeof p->box)
		memcpy(&p->box, numbers.at, sizeof p->box);
	if (p->box.mount_count > BOX_MOUNTS_MAX || p->box.fd_count > BOX_FDS_MAX)
		r.bad = true;
	for (size_t i = 0; i < sizeof p->lists / sizeof *p->lists; i++)
		p->lists[i] = read_strings(&r);
	p->box.argv = p->lists[0], p->box.env = p->lists[1], p->box.deny = p->lists[2];
	p->box.told = p->lists[3], p->box.formats = p->lists[4];
	p->box.host_name = read_string(&r);
	p->box.cwd = read_string(&r);
	p->box.written = read_string(&r);
	for (size_t i = 0; i < p->box.mount_count && !r.bad; i++) {
		p->box.mounts[i].from = read_string(&r);
		p->box.mounts[i].to = read_string(&r);
	}
	if (reader_ok(&r) && reader_left(&r) == 0 && p->box.argv && p->box.argv[0])
		return 0;
	plan_done(p);
	return ERR_BAD;
}

void plan_done(struct plan *p)
{
	for (size_t i = 0; i < sizeof p->lists / sizeof *p->lists; i++)
		free(p->lists[i]);
	free(p->store);
	*p = (struct plan){0};
}

#define PASS_FDS_MAX 16

union control_room {
	struct cmsghdr header;
	char room[CMSG_SPACE(PASS_FDS_MAX * sizeof(int))];
};

int pass_send(int fd, const void *message, size_t len, const int *fds, size_t count)
{
	struct iovec v = {(void *)message, len};
	union control_room control = {0};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
	if (count > PASS_FDS_MAX)
		return ERR_FULL;
	if (count) {
		m.msg_control = control.room;
		m.msg_controllen = CMSG_SPACE(count * sizeof(int));
		struct cmsghdr *h = CMSG_FIRSTHDR(&m);
		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(h), fds, count * sizeof(int));
	}
	return sendmsg(fd, &m, MSG_NOSIGNAL) == (ssize_t)len ? 0 : ERR_SYSTEM;
}

ssize_t pass_receive(int fd, void *message, size_t len, int *fds, size_t count)
{
	struct iovec v = {message, len};
	union control_room control = {0};
	struct msghdr m = {
		.msg_iov = &v, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control.room};
	for (size_t i = 0; i < count; i++)
		fds[i] = -1;
	ssize_t n;
	do
		n = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	struct cmsghdr *h = n > 0 ? CMSG_FIRSTHDR(&m) : NULL;
	if (!h || h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
		return n;
	size_t came = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	for (size_t i = 0; i < came; i++) {
		int one;
		memcpy(&one, CMSG_DATA(h) + i * sizeof(int), sizeof one);
		if (i < count)
			fds[i] = one;
		else
			close(one);
	}
	return n;
}
