#include "active/servers/check.h"
#include "active/prober/segments_inner.h"
#include "base/clock.h"
#include "base/random.h"
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define STEP_MS_MAX 8000      /* of one connection, however it trickles */
#define VANISHED_MS 3000
#define WINDOW_BYTES 1024     /* what a server may have under way to us */
#define STEP_PACKETS 7        /* SYN and its repetition, ACK, what is said, two ACKs, RST */
#define CLOSING_PACKETS 1

FIELD(SERVER_STEP, "server.step", TEXT, 0, "step of a check: banner, hello, neutral, elsewhere");
FIELD(SERVER_STATE, "server.state", TEXT, 0,
      "what the whole check says: live, likely, service, everything, silent, open, closed, filtered");
FIELD(SERVER_PORT, "server.port", NUMBER, 0, "port that the sample named, where the whole check is told");
FIELD(SERVER_WHY, "server.why", TEXT, 0, "why it says so");
FIELD(SERVER_FINGERPRINT, "server.fingerprint", TEXT, 0, "fingerprint that decided");
FIELD(SERVER_SAID, "server.said", BYTES, FIELD_PRIVATE, "what we said, byte for byte");
FIELD(SERVER_ANSWER, "server.answer", BYTES, FIELD_PRIVATE, "what it answered, up to 512 bytes; never answered by us");

struct check {
	struct checks *all;
	struct check *next;
	struct lease lease;
	struct check_order order;
	uint8_t hello[CHECK_HELLO_MAX], neutral[CHECK_HELLO_MAX], banner[CHECK_ANSWER_MAX];
	struct heard heard[CHECK_STEPS];
	uint8_t said[CHECK_STEPS][CHECK_ANSWER_MAX];
	enum check_at at;
	int fd;
	bool sent, revoked, over;
	uint64_t began_us;
	uint16_t packets, step_packets;
	const char *end;             /* of the connection, as close.reason */
	struct event_id asked, last; /* probe.sent of this step; the last event about it */
	uint64_t last_depth;
	uv_poll_t poll;
	uv_timer_t timer;
	unsigned handles;
};

struct checks {
	uv_loop_t *loop;
	struct checks_options options;
	struct checks_hooks hooks;
	struct check *first;
	size_t count;
	bool closing;
	void (*closed)(void *arg);
	void *closed_arg;
	struct event event;
};

static void step_begin(struct check *);
static void step_end(struct check *, const char *end);

/* Letters without a meaning in any protocol, ended as the hello is, so that a server that reads lines reads it. */
static void make_neutral(struct check *k)
{
	const size_t len = k->order.hello.len;
	for (size_t i = 0; i < len; i++)
		k->neutral[i] = (uint8_t)('a' + random_mix(i + 1) % 26);
	for (size_t i = len; i-- > 0 && (k->hello[i] == '\n' || k->hello[i] == '\r');)
		k->neutral[i] = k->hello[i];
}

static struct bytes to_say(const struct check *k)
{
	if (k->at == AT_BANNER)
		return (struct bytes){0};
	return k->at == AT_NEUTRAL ? (struct bytes){k->neutral, k->order.hello.len} : k->order.hello;
}

static uint16_t port_of(const struct check *k) { return (uint16_t)k->lease.ports[k->at == AT_ELSEWHERE]; }

static void event_of(struct check *k, enum event_kind kind)
{
	struct event *e = &k->all->event;
	event_begin(e, kind);
	event_set_address(e, FIELD_SRC, &k->lease.target);
	event_set_number(e, FIELD_SPORT, port_of(k));
	if (!address_is_zero(&k->lease.from))
		event_set_address(e, FIELD_DST, &k->lease.from);
	event_set_text(e, FIELD_PROTO, "tcp");
	event_set_text(e, FIELD_PROBE, "server");
	event_set_id(e, FIELD_LEASE, &k->lease.id);
	if (k->order.sample[0])
		event_set_text(e, FIELD_FILE_SHA256, k->order.sample);
}

static bool publish(struct check *k) { return k->all->hooks.publish(k->all->hooks.arg, &k->all->event) == 0; }

static void tell_sent(struct check *k)
{
	struct event *e = &k->all->event;
	event_of(k, EVENT_PROBE_SENT);
	event_set_text(e, SERVER_STEP, check_at_name(k->at));
	event_set_number(e, FIELD_TIER, 1);
	event_set_chain(e, &k->lease.id, &k->lease.root, k->lease.depth);
	if (to_say(k).len)
		event_set_bytes(e, SERVER_SAID, to_say(k));
	k->asked = publish(k) ? e->id : (struct event_id){{0}};
}

static const char *state_of(const struct heard *h)
{
	return h->opened ? "open" : h->refused ? "closed" : "filtered";
}

/* The last connection's answer also says what the whole check says. */
static void tell_answered(struct check *k, const struct server_verdict *v)
{
	struct event *e = &k->all->event;
	const struct heard *h = &k->heard[k->at];
	const bool sent = !id_is_zero(&k->asked);
	event_of(k, EVENT_HOST_ANSWERED);
	event_set_chain(e, sent ? &k->asked : &k->lease.id, &k->lease.root, k->lease.depth + sent);
	event_set_text(e, SERVER_STEP, check_at_name(k->at));
	event_set_text(e, FIELD_STATE, k->revoked ? "aborted" : state_of(h));
	event_set_text(e, FIELD_CLOSE_REASON, k->end);
	event_set_number(e, FIELD_PACKETS_OUT, k->step_packets);
	event_set_number(e, FIELD_DURATION, clock_mono_us() - k->began_us);
	if (h->opened) {
		event_set_number(e, FIELD_BYTES_IN, h->said.len);
		event_set_number(e, FIELD_BYTES_OUT, k->sent ? to_say(k).len : 0);
	}
	if (h->said.len && k->at == AT_BANNER && !k->revoked)
		event_set_bytes(e, FIELD_BANNER, h->said);
	else if (h->said.len && !k->revoked)
		event_set_bytes(e, SERVER_ANSWER, h->said);
	if (v) {
		event_set_text(e, SERVER_STATE, server_state_name(v->state));
		event_set_number(e, SERVER_PORT, k->lease.ports[0]);
		event_set_number(e, FIELD_CONFIDENCE, v->certainty);
		event_set_text(e, SERVER_WHY, v->why);
		if (v->fingerprint)
			event_set_text(e, SERVER_FINGERPRINT, v->fingerprint->name);
	}
	if (publish(k)) {
		k->last = e->id;
		k->last_depth = k->lease.depth + sent + 1;
	}
}

/* That the sample's server was met is an indicator of its own, surer than what the sample alone said. */
static void tell_found(struct check *k, const struct server_verdict *v)
{
	char value[ADDRESS_TEXT_MAX + 16], address[ADDRESS_TEXT_MAX], how[128];
	struct event *e = &k->all->event;
	const uint16_t port = (uint16_t)k->lease.ports[0];
	if ((v->state != SERVER_LIVE && v->state != SERVER_LIKELY) || id_is_zero(&k->last))
		return;
	address_format(&k->lease.target, address);
	snprintf(value, sizeof value, address_is_v4(&k->lease.target) ? "%s:%u" : "[%s]:%u", address, port);
	snprintf(how, sizeof how, "check: %s", v->fingerprint ? v->fingerprint->name : "answers the hello alone");
	event_begin(e, EVENT_INDICATOR_FOUND);
	event_set_chain(e, &k->last, &k->lease.root, k->last_depth);
	event_set_address(e, FIELD_SRC, &k->lease.target);
	event_set_number(e, FIELD_DPORT, port);
	event_set_text(e, FIELD_PROTO, "tcp");
	event_set_text(e, FIELD_INDICATOR_TYPE, "endpoint");
	event_set_text(e, FIELD_INDICATOR_VALUE, value);
	event_set_text(e, FIELD_INDICATOR_ROLE, "command");
	event_set_text(e, FIELD_INDICATOR_HOW, how);
	event_set_number(e, FIELD_CONFIDENCE, v->certainty);
	event_set_text(e, SERVER_STATE, server_state_name(v->state));
	if (k->order.sample[0])
		event_set_text(e, FIELD_FILE_SHA256, k->order.sample);
	if (v->fingerprint && v->fingerprint->family)
		event_set_text(e, FIELD_SAMPLE_FAMILY, v->fingerprint->family);
	publish(k);
}

static void set_number(int fd, int level, int name, int value)
{
	/* None of these is worth failing for: an old kernel may not know one. */
	(void)setsockopt(fd, level, name, &value, sizeof value);
}

/* 0; 1: refused at once, as loopback does; -1: nothing could leave. */
static int connect_step(struct check *k)
{
	struct sockaddr_storage ours, theirs;
	const bool v4 = address_is_v4(&k->lease.target);
	k->fd = socket(v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (k->fd < 0)
		return -1;
	set_number(k->fd, IPPROTO_TCP, TCP_SYNCNT, 1);
	set_number(k->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, VANISHED_MS);
	set_number(k->fd, SOL_SOCKET, SO_RCVBUF, WINDOW_BYTES);
	set_number(k->fd, IPPROTO_TCP, TCP_WINDOW_CLAMP, WINDOW_BYTES);
	if (!address_is_zero(&k->lease.from)) {
		const socklen_t len = address_to_sockaddr(&k->lease.from, 0, false, &ours);
		if (bind(k->fd, (struct sockaddr *)&ours, len))
			return -1;
	}
	const socklen_t len = address_to_sockaddr(&k->lease.target, port_of(k), false, &theirs);
	const int bad = connect(k->fd, (struct sockaddr *)&theirs, len);
	if (bad && errno == ECONNREFUSED)
		return 1;
	return bad && errno != EINPROGRESS ? -1 : 0;
}

static uint64_t lease_left_ms(const struct lease *l)
{
	const uint64_t now_us = clock_utc_us();
	return l->expires_us > now_us ? (l->expires_us - now_us) / 1000 : 0;
}

static void on_timer(uv_timer_t *timer)
{
	struct check *k = timer->data;
	if (k->fd < 0)
		step_begin(k);
	else
		step_end(k, k->heard[k->at].opened ? "idle" : "silent");
}

/* The next wait, within the connection's time and the lease's. */
static void wait_for(struct check *k, uint64_t ms)
{
	const uint64_t gone_ms = (clock_mono_us() - k->began_us) / 1000, lease_ms = lease_left_ms(&k->lease);
	const uint64_t left = gone_ms < STEP_MS_MAX ? STEP_MS_MAX - gone_ms : 0;
	ms = ms < left ? ms : left;
	uv_timer_start(&k->timer, on_timer, ms < lease_ms ? ms : lease_ms, 0);
}

/* Each packet of a trickle is acknowledged by our kernel: the lease's share bounds that too. */
static bool is_over_budget(const struct check *k)
{
	return k->packets + segments_sent(k->fd) + CLOSING_PACKETS >= k->lease.packets_max;
}

static void hear(struct check *k)
{
	struct heard *h = &k->heard[k->at];
	for (;;) {
		uint8_t *to = k->said[k->at];
		const ssize_t n = recv(k->fd, to + h->said.len, CHECK_ANSWER_MAX - h->said.len, 0);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (n <= 0) {
			step_end(k, n == 0 ? "peer" : "reset");
			return;
		}
		h->said = (struct bytes){to, h->said.len + (size_t)n};
		if (h->said.len == CHECK_ANSWER_MAX || is_over_budget(k)) {
			step_end(k, "limit");
			return;
		}
	}
	wait_for(k, k->all->options.idle_ms);
}

/* All of it in one call, or the connection is not worth keeping. */
static void say(struct check *k)
{
	const struct bytes out = to_say(k);
	k->sent = true;
	if (out.len && send(k->fd, out.at, out.len, MSG_NOSIGNAL) != (ssize_t)out.len)
		step_end(k, "reset");
	else
		wait_for(k, k->all->options.idle_ms);
}

static void opened(struct check *k)
{
	struct heard *h = &k->heard[k->at];
	int error = 0;
	socklen_t len = sizeof error;
	getsockopt(k->fd, SOL_SOCKET, SO_ERROR, &error, &len);
	if (error) {
		h->refused = error == ECONNREFUSED || error == ECONNRESET;
		step_end(k, h->refused ? "refused" : error == ETIMEDOUT ? "silent" : "unreachable");
		return;
	}
	h->opened = true;
	uv_poll_stop(&k->poll);
	say(k);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct check *k = poll->data;
	if (k->fd < 0)
		return;
	if (!k->heard[k->at].opened)
		opened(k);
	else if (status < 0 || events & UV_READABLE)
		hear(k);
	if (k->fd >= 0 && k->heard[k->at].opened)
		uv_poll_start(&k->poll, UV_READABLE, on_poll);
}

static void check_free(struct check *k)
{
	struct checks *all = k->all;
	struct check **at = &all->first;
	while (*at != k)
		at = &(*at)->next;
	*at = k->next;
	all->count--;
	free(k);
	if (all->closing && all->count == 0) {
		all->closed(all->closed_arg);
		free(all);
	}
}

static void on_closed(uv_handle_t *handle)
{
	struct check *k = handle->data;
	if (--k->handles == 0 && k->over)
		check_free(k);
}

static void result_of(const struct check *k, const struct server_verdict *v, struct check_result *out)
{
	*out = (struct check_result){.lease = k->lease.id, .state = v->state, .certainty = (uint8_t)v->certainty,
				     .banner = k->heard[AT_BANNER].said};
	for (int at = 0; at < CHECK_STEPS; at++)
		out->steps |= (uint8_t)(k->heard[at].taken << at);
	if (v->fingerprint)
		snprintf(out->fingerprint, sizeof out->fingerprint, "%s", v->fingerprint->name);
}

static void check_end(struct check *k, const struct server_verdict *v)
{
	struct check_result result;
	result_of(k, v, &result);
	if (k->revoked)
		result.state = SERVER_UNKNOWN;
	if (!k->revoked && result.steps)
		tell_found(k, v);
	k->all->hooks.done(k->all->hooks.arg, &k->lease, &result, k->packets);
	k->over = true;
	uv_close((uv_handle_t *)&k->timer, on_closed);
}

/* A server that is not there needs no further question. */
static bool has_more(const struct check *k)
{
	const bool gone = k->at < AT_ELSEWHERE && !k->heard[k->at].opened;
	return !k->revoked && !gone && k->order.steps >> (k->at + 1) &&
	       k->packets + STEP_PACKETS <= k->lease.packets_max && lease_left_ms(&k->lease) > 0;
}

static void on_poll_closed(uv_handle_t *handle)
{
	struct check *k = handle->data;
	if (!k->over) {
		while (!(k->order.steps & 1 << ++k->at))
			continue;
		uv_timer_start(&k->timer, on_timer, k->all->options.pause_ms, 0);
	}
	on_closed(handle);
}

static void on_last_poll_closed(uv_handle_t *handle) { on_closed(handle); }

/* Cut off rather than taken leave of: one RST, whatever is still under way to us. */
static void hang_up(struct check *k)
{
	const struct linger hard = {.l_onoff = 1};
	const unsigned sent = segments_sent(k->fd);
	const bool rst = k->heard[k->at].opened && strcmp(k->end, "reset") != 0;
	k->step_packets = (uint16_t)((sent ? sent : 1) + (rst ? CLOSING_PACKETS : 0));
	k->packets = (uint16_t)(k->packets + k->step_packets);
	(void)setsockopt(k->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
	close(k->fd);
	k->fd = -1;
}

static void step_end(struct check *k, const char *end)
{
	struct server_verdict verdict;
	if (k->fd < 0)
		return;
	k->end = end;
	uv_timer_stop(&k->timer);
	uv_poll_stop(&k->poll);
	const bool more_if = has_more(k);
	hang_up(k);
	const bool more = more_if && has_more(k);
	server_judge(k->all->options.fingerprints, &k->order, k->heard, &verdict);
	tell_answered(k, more || k->revoked ? NULL : &verdict);
	if (!more)
		check_end(k, &verdict);
	uv_close((uv_handle_t *)&k->poll, more ? on_poll_closed : on_last_poll_closed);
}

/* No descriptor, or no way there: nothing left us. */
static void step_failed(struct check *k)
{
	struct server_verdict verdict;
	if (k->fd >= 0)
		close(k->fd);
	k->fd = -1;
	server_judge(k->all->options.fingerprints, &k->order, k->heard, &verdict);
	check_end(k, &verdict);
}

static void step_begin(struct check *k)
{
	k->began_us = clock_mono_us();
	k->sent = false;
	k->step_packets = 0;
	const int how = k->revoked ? -1 : connect_step(k);
	if (how < 0 || uv_poll_init_socket(k->all->loop, &k->poll, k->fd)) {
		step_failed(k);
		return;
	}
	k->heard[k->at] = (struct heard){.taken = true, .refused = how == 1};
	k->poll.data = k;
	k->handles++;
	tell_sent(k);
	if (how == 1) {
		step_end(k, "refused");
		return;
	}
	uv_poll_start(&k->poll, UV_WRITABLE | UV_READABLE, on_poll);
	wait_for(k, k->all->options.connect_timeout_ms);
}

int checks_open(struct checks **out, uv_loop_t *loop, const struct checks_options *options,
		const struct checks_hooks *hooks)
{
	struct checks *all = calloc(1, sizeof *all);
	if (!all)
		return ERR_MEMORY;
	all->loop = loop;
	all->options = *options;
	all->hooks = *hooks;
	*out = all;
	return 0;
}

static void keep_order(struct check *k, const struct check_order *order)
{
	k->order = *order;
	if (order->hello.len)
		memcpy(k->hello, order->hello.at, order->hello.len);
	if (order->banner.len)
		memcpy(k->banner, order->banner.at, order->banner.len);
	k->order.hello.at = k->hello;
	k->order.banner.at = k->banner;
	make_neutral(k);
}

int checks_give(struct checks *all, const struct lease *lease, const struct check_order *order)
{
	if (all->closing || all->count == CHECKS_MAX)
		return ERR_FULL;
	if (lease->port_count != 2 || lease_left_ms(lease) == 0 || lease->packets_max < STEP_PACKETS)
		return ERR_BAD;
	struct check *k = calloc(1, sizeof *k);
	if (!k)
		return ERR_MEMORY;
	k->all = all;
	k->lease = *lease;
	k->fd = -1;
	keep_order(k, order);
	while (!(order->steps & 1 << k->at))
		k->at++;
	k->next = all->first;
	all->first = k;
	all->count++;
	uv_timer_init(all->loop, &k->timer);
	k->timer.data = k;
	k->handles = 1;
	uv_timer_start(&k->timer, on_timer, 0, 0);
	return 0;
}

static void revoke_check(struct check *k)
{
	k->revoked = true;
	if (k->fd >= 0)
		step_end(k, "revoked");
	else if (!k->over)
		uv_timer_start(&k->timer, on_timer, 0, 0);
}

void checks_revoke(struct checks *all, const struct prefix *prefix)
{
	for (struct check *k = all->first, *next; k; k = next) {
		next = k->next;
		if (prefix_holds(prefix, &k->lease.target))
			revoke_check(k);
	}
}

size_t checks_running(const struct checks *all) { return all->count; }

void checks_close(struct checks *all, void (*closed)(void *arg), void *arg)
{
	all->closing = true;
	all->closed = closed;
	all->closed_arg = arg;
	if (all->count == 0) {
		free(all);
		closed(arg);
		return;
	}
	for (struct check *k = all->first; k; k = k->next)
		revoke_check(k);
}
