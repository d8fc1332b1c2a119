#include "lab/run/sink/egress.h"
#include "base/clock.h"
#include "base/sandbox.h"
#include "base/special.h"
#include "lab/run/sink/serve.h"
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#define RELAYS_MAX (EGRESS_DECOY_CONNECTIONS_MAX + 16)
#define PIECE 4096
#define QUEUE_MAX 65536

struct relay {
	int near, far;         /* the sample's connection, and ours */
	bool connecting, decoy;
	bool near_ended, far_ended;
	struct buffer out, in; /* to the far end, to the near one */
	uint64_t until_ms;
	struct egress_done done;
};

struct egress {
	int sink;
	const struct egress_plan *plan;
	struct relay relays[RELAYS_MAX];
	size_t count;
	uint64_t sent, received, decoy_sent, decoy_received;
	unsigned connections, decoy_connections;
	uint64_t minute_ms;      /* when the current one began */
	unsigned in_minute;
};

static uint64_t value_or(uint64_t v, uint64_t usual) { return v ? v : usual; }
static uint64_t now_ms(void) { return clock_mono_us() / 1000; }

int egress_check(const struct egress_plan *p, struct fault *fault)
{
	if (p->target_count > EGRESS_TARGETS_MAX || p->decoy_count > EGRESS_DECOYS_MAX)
		return fault_set(fault, ERR_FULL, "egress: at most %d targets and %d decoys", EGRESS_TARGETS_MAX, EGRESS_DECOYS_MAX);
	for (size_t i = 0; i < p->target_count; i++)
		if (!p->targets[i].port || special_no_host(&p->targets[i].address) ||
		    !memchr(p->targets[i].name, 0, sizeof p->targets[i].name))
			return fault_set(fault, ERR_BAD, "egress: target %zu is no address and port of a host", i + 1);
	for (size_t i = 0; i < p->decoy_count; i++)
		if (!p->decoys[i].port || !p->decoys[i].scanned || special_no_host(&p->decoys[i].address))
			return fault_set(fault, ERR_BAD, "egress: decoy %zu is no address and port of a host", i + 1);
	return 0;
}

static void relay_end(struct egress *e, struct relay *r, enum egress_limit limit)
{
	r->done.limit = limit;
	message_send(e->sink, 'Z', &r->done, sizeof r->done, NULL, 0);
	close(r->near);
	if (r->far >= 0)
		close(r->far);
	buffer_done(&r->out);
	buffer_done(&r->in);
	*r = e->relays[--e->count];
}

/* What this connection would exceed; the caps are the whole run's. */
static enum egress_limit admit(struct egress *e, bool decoy)
{
	const struct egress_plan *p = e->plan;
	if (e->count == RELAYS_MAX - 1)
		return EGRESS_CONNECTIONS;
	if (decoy)
		return e->decoy_connections++ < EGRESS_DECOY_CONNECTIONS_MAX ? EGRESS_NO_LIMIT : EGRESS_CONNECTIONS;
	if (e->connections >= value_or(p->connections_max, EGRESS_CONNECTIONS_USUAL))
		return EGRESS_CONNECTIONS;
	if (e->sent >= value_or(p->sent_max, EGRESS_SENT_USUAL))
		return EGRESS_SENT;
	if (now_ms() - e->minute_ms >= 60000) {
		e->minute_ms = now_ms();
		e->in_minute = 0;
	}
	if (e->in_minute >= value_or(p->per_minute_max, EGRESS_PER_MINUTE_USUAL))
		return EGRESS_RATE;
	e->in_minute++;
	e->connections++;
	return EGRESS_NO_LIMIT;
}

static int far_connect(const struct address *a, uint16_t port)
{
	struct sockaddr_storage at;
	socklen_t len = address_to_sockaddr(a, port, false, &at);
	int fd = socket(at.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&at, len) && errno != EINPROGRESS) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static void take_offer(struct egress *e, const struct egress_offer *o, int near)
{
	const struct egress_plan *p = e->plan;
	struct relay *r = &e->relays[e->count++];
	*r = (struct relay){.near = near, .far = -1, .connecting = true, .decoy = o->decoy, .out = BUFFER(QUEUE_MAX),
			    .in = BUFFER(QUEUE_MAX), .until_ms = now_ms() + value_or(p->time_ms, EGRESS_TIME_MS_USUAL),
			    .done = {.flow = o->flow}};
	if (o->number >= (o->decoy ? p->decoy_count : p->target_count)) {
		relay_end(e, r, EGRESS_REFUSED);
		return;
	}
	enum egress_limit limit = admit(e, o->decoy);
	if (limit) {
		relay_end(e, r, limit);
		return;
	}
	r->far = o->decoy ? far_connect(&p->decoys[o->number].address, p->decoys[o->number].port)
			  : far_connect(&p->targets[o->number].address, p->targets[o->number].port);
	if (r->far < 0)
		relay_end(e, r, EGRESS_REFUSED);
}

/* How many bytes may still pass that way. */
static size_t allowance(const struct egress *e, const struct relay *r, bool out)
{
	uint64_t max = r->decoy ? EGRESS_DECOY_BYTES_MAX : out ? value_or(e->plan->sent_max, EGRESS_SENT_USUAL)
							     : value_or(e->plan->received_max, EGRESS_RECEIVED_USUAL);
	uint64_t used = r->decoy ? (out ? e->decoy_sent : e->decoy_received) : out ? e->sent : e->received;
	return used < max ? (size_t)(max - used < PIECE ? max - used : PIECE) : 0;
}

static void count(struct egress *e, struct relay *r, bool out, struct bytes b)
{
	*(r->decoy ? (out ? &e->decoy_sent : &e->decoy_received) : out ? &e->sent : &e->received) += b.len;
	*(out ? &r->done.sent : &r->done.received) += b.len;
	if (!out)
		return;
	size_t room = sizeof r->done.said - r->done.said_len, n = b.len < room ? b.len : room;
	memcpy(r->done.said + r->done.said_len, b.at, n);
	r->done.said_len += (uint32_t)n;
}

static enum egress_limit take(struct egress *e, struct relay *r, bool out)
{
	uint8_t room[PIECE];
	size_t may = allowance(e, r, out);
	ssize_t n = recv(out ? r->near : r->far, room, may ? may : 1, may ? 0 : MSG_PEEK);
	if (n > 0 && !may)
		return out ? EGRESS_SENT : EGRESS_RECEIVED;
	if (n > 0) {
		count(e, r, out, (struct bytes){room, (size_t)n});
		buffer_append(out ? &r->out : &r->in, room, (size_t)n);
	} else if (n == 0 || errno != EAGAIN) {
		*(out ? &r->near_ended : &r->far_ended) = true;
	}
	return EGRESS_NO_LIMIT;
}

static bool give(struct buffer *b, int fd)
{
	struct bytes all = buffer_bytes(b);
	ssize_t n = send(fd, all.at, all.len, MSG_NOSIGNAL);
	if (n > 0)
		buffer_consume(b, (size_t)n);
	return n > 0 || errno == EAGAIN;
}

static short wanted(const struct relay *r, bool near)
{
	const struct buffer *to = near ? &r->in : &r->out, *from = near ? &r->out : &r->in;
	bool ended = near ? r->near_ended : r->far_ended;
	if (r->connecting)
		return near ? 0 : POLLOUT;
	return (short)((buffer_len(to) ? POLLOUT : 0) | (!ended && buffer_len(from) < QUEUE_MAX - PIECE ? POLLIN : 0));
}

/* False: it is over, and `limit` says by what. */
static bool relay_turn(struct egress *e, struct relay *r, short near, short far, enum egress_limit *limit)
{
	int error = 0;
	socklen_t len = sizeof error;
	if (r->connecting && far) {
		if (getsockopt(r->far, SOL_SOCKET, SO_ERROR, &error, &len) || error) {
			*limit = EGRESS_REFUSED;
			return false;
		}
		r->connecting = false;
	}
	if (near & POLLIN)
		*limit = take(e, r, true);
	if (!*limit && far & POLLIN)
		*limit = take(e, r, false);
	bool good = (!buffer_len(&r->out) || give(&r->out, r->far)) && (!buffer_len(&r->in) || give(&r->in, r->near));
	if (!*limit && now_ms() > r->until_ms)
		*limit = EGRESS_TIME;
	bool hung = ((near | far) & (POLLERR | POLLNVAL)) || (near & POLLHUP && r->near_ended);
	bool over = (r->near_ended && !buffer_len(&r->out)) || (r->far_ended && !buffer_len(&r->in));
	return good && !*limit && !hung && !over;
}

static void relay_all(struct egress *e, const struct pollfd *fds)
{
	for (size_t i = e->count; i-- > 0;) {
		enum egress_limit limit = EGRESS_NO_LIMIT;
		if (!relay_turn(e, &e->relays[i], fds[2 * i].revents, fds[2 * i + 1].revents, &limit))
			relay_end(e, &e->relays[i], limit);
	}
}

static void serve_relays(struct egress *e)
{
	for (;;) {
		struct pollfd fds[2 * RELAYS_MAX + 1];
		for (size_t i = 0; i < e->count; i++) {
			fds[2 * i] = (struct pollfd){.fd = e->relays[i].near, .events = wanted(&e->relays[i], true)};
			fds[2 * i + 1] = (struct pollfd){.fd = e->relays[i].far, .events = wanted(&e->relays[i], false)};
		}
		struct pollfd *offers = &fds[2 * e->count];
		*offers = (struct pollfd){.fd = e->sink, .events = POLLIN};
		poll(fds, 2 * e->count + 1, 1000);
		short offered = offers->revents;
		relay_all(e, fds);
		if (!offered)
			continue;
		struct egress_offer o;
		char letter = 0;
		int near = -1;
		ssize_t n = message_receive(e->sink, &letter, &o, sizeof o, &near, 1);
		if (n < 0)
			return;
		if (n == sizeof o && letter == 'X' && near >= 0)
			take_offer(e, &o, near);
		else if (near >= 0)
			close(near);
	}
}

_Noreturn void egress_process(int sink, const struct egress_plan *plan)
{
	struct egress *e = calloc(1, sizeof *e);
	struct fault fault = {0};
	prctl(PR_SET_NAME, "kansoku-egress");
	if (!e || (plan->netns >= 0 && setns(plan->netns, CLONE_NEWNET)) || sandbox_enter(SANDBOX_CONNECT, NULL, 0, &fault))
		_exit(1);
	e->sink = sink;
	e->plan = plan;
	e->minute_ms = now_ms();
	serve_relays(e);
	_exit(0);
}
