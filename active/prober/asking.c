#include "active/prober/asking_inner.h"
#include <stdlib.h>

#define SAY_MAX 2048          /* of one formatted sentence */
#define UNKNOWN_MAX 1024      /* of what nobody recognised is kept */
#define DATAGRAM_HEAD sizeof(uint16_t)
#define DATAGRAM_HEADS_MAX 64 /* questions that may wait at once */

FIELD(PROBE_EXPECTED, "probe.expected", TEXT, 0, "probe that the port's number stands for, where the host spoke another protocol");
FIELD(PROBE_SPOKEN, "probe.spoken", TEXT, 0, "what the host spoke instead of the protocol asked for, or unknown");

static bool asking_is_udp(const struct asking *a) { return a->probe->transport == PROBE_UDP; }

/* TLS wraps what the probe reads, so the bound on unread bytes is the wire's. */
static int asking_take_probe(struct asking *a, const struct probe *probe)
{
	a->probe = probe;
	a->unread.max = probe->answer_max;
	a->unsent.max = probe->question_max + DATAGRAM_HEADS_MAX * DATAGRAM_HEAD;
	a->last.max = probe->question_max;
	a->state = NULL;
	if (probe->state_size && !(a->state = calloc(1, probe->state_size)))
		return ERR_MEMORY;
	return 0;
}

int asking_begin(struct asking *a, const struct probe *probe, const struct probe_settings *settings,
		 struct secure_context *tls, struct signals *signals, struct writer scratch)
{
	*a = (struct asking){
		.tier_max = probe->tier,
		.settings = settings,
		.tls = tls,
		.signals = signals,
		.scratch = scratch,
	};
	return asking_take_probe(a, probe);
}

/* What goes on the wire, under the limit that the policy was told. */
static void asking_write(struct asking *a, struct bytes b, bool count)
{
	if (count && a->asked + b.len > a->asked_max) {
		a->overstated = true;
		return;
	}
	const uint8_t head[DATAGRAM_HEAD] = {(uint8_t)(b.len >> 8), (uint8_t)b.len};
	if ((asking_is_udp(a) && buffer_append(&a->unsent, head, sizeof head) < 0) ||
	    buffer_append(&a->unsent, b.at, b.len) < 0)
		a->failed = true;
	else if (count)
		a->asked += b.len;
}

void asking_say_bytes(struct asking *a, struct bytes b)
{
	if (a->secure) {
		secure_say(a->secure, b);
		return;
	}
	asking_write(a, b, true);
	if (!asking_is_udp(a) || a->rehearsed)
		return;
	buffer_consume(&a->last, buffer_len(&a->last));
	if (buffer_append(&a->last, b.at, b.len) < 0)
		a->failed = true;
	a->repeated = false;
}

void asking_say(struct asking *a, const char *fmt, ...)
{
	char line[SAY_MAX];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof line)
		a->overstated = true;
	else
		asking_say_bytes(a, (struct bytes){(const uint8_t *)line, (size_t)n});
}

static bool asking_is_over(const struct asking *a)
{
	return a->overstated || a->overheard || a->failed;
}

/* Moves what TLS wants to send to the wire. */
static enum probe_next asking_flush(struct asking *a, enum probe_next next)
{
	struct bytes out;
	while (a->secure && (out = secure_unsent(a->secure)).len) {
		asking_write(a, out, true);
		secure_sent(a->secure, out.len);
	}
	return asking_is_over(a) ? PROBE_DONE : next;
}

static enum probe_next asking_start(struct asking *a)
{
	a->opened = true;
	return a->probe->open ? a->probe->open(a, a->state) : PROBE_CONTINUE;
}

enum probe_next asking_certificate(struct asking *a)
{
	if (a->rehearsed)
		return PROBE_DONE;
	if (a->secure || !a->probe->glances || !a->tls || !(a->secure = secure_new(a->tls)))
		return PROBE_DONE;
	a->glance = true;
	secure_step(a->secure);
	return PROBE_CONTINUE;
}

enum probe_next asking_open(struct asking *a)
{
	a->asked = a->heard = 0;
	a->asked_max = a->probe->question_max;
	a->opened = a->ended = a->again = a->glance = false;
	a->overheard = false;
	a->instead = NULL;
	a->waiting = a->waits && a->round == 0;
	if (a->waiting)
		return PROBE_CONTINUE;
	if (!a->probe->secure || a->rehearsed)
		return asking_flush(a, asking_start(a));
	if (!a->tls || !(a->secure = secure_new(a->tls))) {
		a->failed = true;
		return PROBE_DONE;
	}
	secure_step(a->secure);
	return asking_flush(a, PROBE_CONTINUE);
}

/* Lets the probe read, straight from where the bytes are when none wait before them. */
static enum probe_next asking_read(struct asking *a, struct bytes fresh)
{
	if (!a->probe->input)
		return PROBE_CONTINUE;
	bool waiting = buffer_len(&a->unread) > 0;
	if (waiting && buffer_append(&a->unread, fresh.at, fresh.len) < 0) {
		a->overheard = true;
		return PROBE_DONE;
	}
	struct bytes all = waiting ? buffer_bytes(&a->unread) : fresh;
	struct reader r = reader_of_bytes(all);
	enum probe_next next = a->probe->input(a, a->state, &r);
	size_t taken = all.len - reader_left(&r);
	if (waiting)
		buffer_consume(&a->unread, taken);
	else if (taken < all.len && buffer_append(&a->unread, all.at + taken, all.len - taken) < 0)
		a->failed = true;
	return next;
}

static enum probe_next asking_hear_secure(struct asking *a, struct bytes raw)
{
	secure_hear(a->secure, raw);
	enum probe_next next = PROBE_CONTINUE;
	int state = secure_step(a->secure);
	if (state < 0 || (state == SECURE_READY && a->glance))
		return PROBE_DONE;
	if (state == SECURE_READY && !a->opened)
		next = asking_start(a);
	uint8_t plain[4096];
	size_t n;
	while (next == PROBE_CONTINUE && a->opened &&
	       (n = secure_read(a->secure, plain, sizeof plain)) > 0)
		next = asking_read(a, (struct bytes){plain, n});
	return next;
}

/*
 * The host spoke another protocol than was expected.  On this connection when its server
 * speaks first, else in a further one: what we have said cannot be taken back.
 */
static enum probe_next asking_hand_over(struct asking *a, const struct probe *to)
{
	if (!to->server_first || to->secure) {
		a->instead = to;
		a->waiting = false;
		return PROBE_DONE;
	}
	free(a->state);
	a->expected = a->probe;
	a->waits = a->waiting = false;
	a->asked_max = a->asked + to->question_max;
	if (asking_take_probe(a, to) < 0) {
		a->failed = true;
		return PROBE_DONE;
	}
	return asking_start(a);
}

/* By a peer's first bytes: is it what the port's number says? */
static enum probe_next asking_recognise(struct asking *a, struct bytes first)
{
	const struct probe *p = a->probe;
	bool as_expected = !a->waiting && (!p->recognises || p->recognises(first));
	if (as_expected || a->expected || a->round || p->transport != PROBE_TCP)
		return PROBE_CONTINUE;
	const struct probe *spoken = probe_recognising(first, a->tier_max);
	if (!spoken)
		return PROBE_CONTINUE;
	if (spoken == p)
		a->waits = a->waiting = false;
	return spoken == p ? asking_start(a) : asking_hand_over(a, spoken);
}

static enum probe_next asking_hear_plain(struct asking *a, struct bytes b)
{
	/* Nobody knows it yet: what it says is kept, and nothing is said to it. */
	if (a->waiting)
		return buffer_append(&a->unread, b.at, b.len) < 0 ? PROBE_DONE : PROBE_CONTINUE;
	return asking_read(a, b);
}

static enum probe_next asking_hear_datagram(struct asking *a, struct bytes datagram)
{
	buffer_consume(&a->last, buffer_len(&a->last));
	if (datagram.len > a->probe->answer_max - a->heard) {
		a->overheard = true;
		return PROBE_DONE;
	}
	a->heard += datagram.len;
	struct reader r = reader_of_bytes(datagram.len ? datagram : BYTES(""));
	enum probe_next next = a->probe->input ? a->probe->input(a, a->state, &r) : PROBE_CONTINUE;
	return asking_is_over(a) ? PROBE_DONE : next;
}

enum probe_next asking_hear(struct asking *a, struct bytes b)
{
	if (asking_is_udp(a))
		return asking_hear_datagram(a, b);
	if (a->heard == 0 && !a->secure) {
		enum probe_next next = asking_recognise(a, b);
		if (next == PROBE_DONE) {
			a->heard = b.len;
			return asking_flush(a, next);
		}
	}
	size_t room = a->probe->answer_max - a->heard;
	bool more = b.len > room;
	if (more)
		b.len = room;
	a->heard += b.len;
	enum probe_next next = a->secure ? asking_hear_secure(a, b) : asking_hear_plain(a, b);
	if (more && next == PROBE_CONTINUE)
		a->overheard = true;
	return asking_flush(a, next);
}

enum probe_next asking_quiet(struct asking *a)
{
	if (a->waiting && !buffer_len(&a->unread)) {
		a->waiting = false;
		return asking_flush(a, asking_start(a));
	}
	if (buffer_len(&a->last) && !a->repeated) {
		a->repeated = true;
		asking_write(a, buffer_bytes(&a->last), false);
		return PROBE_CONTINUE;
	}
	if (!a->opened || !a->probe->quiet)
		return PROBE_DONE;
	return asking_flush(a, a->probe->quiet(a, a->state));
}

void asking_ended(struct asking *a) { a->ended = true; }

struct bytes asking_unsent(const struct asking *a)
{
	struct bytes all = buffer_bytes(&a->unsent);
	if (!asking_is_udp(a) || !all.len)
		return all;
	struct reader r = reader_of_bytes(all);
	return read_bytes(&r, read_u16(&r));
}

void asking_sent(struct asking *a, size_t n)
{
	buffer_consume(&a->unsent, n + (asking_is_udp(a) ? DATAGRAM_HEAD : 0));
}

/* What protocol it was, where it was not the port's own. */
static void asking_report_spoken(const struct asking *a, struct bytes unread, struct event *answer)
{
	if (a->expected)
		event_set_text(answer, PROBE_EXPECTED, a->expected->name);
	if (a->instead)
		event_set_text(answer, PROBE_SPOKEN, a->instead->name);
	if (!a->waiting || !unread.len || a->instead)
		return;
	event_set_text(answer, PROBE_SPOKEN, "unknown");
	unread.len = unread.len < UNKNOWN_MAX ? unread.len : UNKNOWN_MAX;
	event_set_bytes(answer, FIELD_BANNER, unread);
}

bool asking_finish(struct asking *a, struct event *answer)
{
	a->again = false;
	if (a->secure)
		secure_report(a->secure, a, answer);
	else if (a->certificate.len)
		certificate_report(a->certificate, a, answer);
	/* Empty bytes have an address too: reading from nowhere is undefined even for nothing. */
	struct bytes unread = buffer_len(&a->unread) ? buffer_bytes(&a->unread) : BYTES("");
	asking_report_spoken(a, unread, answer);
	if (a->opened && !a->instead && a->probe->finish)
		a->probe->finish(a, a->state, unread, answer);
	bool again = a->again && !a->instead && a->round + 1 < a->probe->connections_max && !a->overstated;
	buffer_done(&a->unread);
	buffer_done(&a->unsent);
	buffer_done(&a->last);
	secure_free(a->secure);
	a->secure = NULL;
	a->opened = false;
	a->round++;
	return again;
}

void asking_done(struct asking *a)
{
	buffer_done(&a->unread);
	buffer_done(&a->unsent);
	buffer_done(&a->last);
	secure_free(a->secure);
	free(a->state);
	a->state = NULL;
	a->secure = NULL;
}

void asking_again(struct asking *a) { a->again = true; }
unsigned asking_round(const struct asking *a) { return a->round; }
const struct probe_settings *asking_settings(const struct asking *a) { return a->settings; }
const struct address *asking_target(const struct asking *a) { return &a->target; }
uint16_t asking_port(const struct asking *a) { return a->port; }
bool asking_is_secure(const struct asking *a) { return a->probe->secure; }
bool asking_is_whole(const struct asking *a) { return a->ended && !asking_is_over(a); }
struct writer asking_scratch(struct asking *a)
{
	return writer_of(a->scratch.start, a->probe->answer_max);
}
