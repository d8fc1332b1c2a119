#include "active/asking_inner.h"
#include <stdlib.h>

#define SAY_MAX 2048 /* of one formatted sentence */

const struct probe *probe_find(struct bytes name)
{
	PROBES_EACH(p)
		if (bytes_equal_text(name, (*p)->name))
			return *p;
	return NULL;
}

static bool probe_has_port(const struct probe *p, uint16_t port)
{
	for (size_t i = 0; i < PROBE_PORTS_MAX && p->ports[i]; i++)
		if (p->ports[i] == port)
			return true;
	return false;
}

const struct probe *probe_for_port(uint16_t port)
{
	const struct probe *best = NULL;
	PROBES_EACH(p)
		if (probe_has_port(*p, port) && (!best || strcmp((*p)->name, best->name) < 0))
			best = *p;
	return best;
}

int asking_begin(struct asking *a, const struct probe *probe, const struct probe_settings *settings,
		 struct secure_context *tls, struct signals *signals, struct writer scratch)
{
	*a = (struct asking){
		.probe = probe,
		.settings = settings,
		.tls = tls,
		.signals = signals,
		.scratch = scratch,
		/* TLS wraps what the probe reads, so the bound on unread bytes is the wire's. */
		.unread = BUFFER(probe->answer_max),
		.unsent = BUFFER(probe->question_max),
	};
	if (probe->state_size && !(a->state = calloc(1, probe->state_size)))
		return ERR_MEMORY;
	return 0;
}

/* What goes on the wire, under the limit that the policy was told. */
static void asking_write(struct asking *a, struct bytes b)
{
	if (a->asked + b.len > a->probe->question_max) {
		a->overstated = true;
		return;
	}
	if (buffer_append(&a->unsent, b.at, b.len) < 0)
		a->failed = true;
	else
		a->asked += b.len;
}

void asking_say_bytes(struct asking *a, struct bytes b)
{
	if (a->secure)
		secure_say(a->secure, b);
	else
		asking_write(a, b);
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
		asking_write(a, out);
		secure_sent(a->secure, out.len);
	}
	return asking_is_over(a) ? PROBE_DONE : next;
}

static enum probe_next asking_start(struct asking *a)
{
	a->opened = true;
	return a->probe->open ? a->probe->open(a, a->state) : PROBE_CONTINUE;
}

enum probe_next asking_open(struct asking *a)
{
	a->asked = a->heard = 0;
	a->opened = a->ended = a->again = false;
	a->overheard = false;
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
	if (state < 0)
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

enum probe_next asking_hear(struct asking *a, struct bytes b)
{
	size_t room = a->probe->answer_max - a->heard;
	bool more = b.len > room;
	if (more)
		b.len = room;
	a->heard += b.len;
	enum probe_next next = a->secure ? asking_hear_secure(a, b) : asking_read(a, b);
	if (more && next == PROBE_CONTINUE)
		a->overheard = true;
	return asking_flush(a, next);
}

enum probe_next asking_quiet(struct asking *a)
{
	if (!a->opened || !a->probe->quiet)
		return PROBE_DONE;
	return asking_flush(a, a->probe->quiet(a, a->state));
}

void asking_ended(struct asking *a) { a->ended = true; }

struct bytes asking_unsent(const struct asking *a) { return buffer_bytes(&a->unsent); }
void asking_sent(struct asking *a, size_t n) { buffer_consume(&a->unsent, n); }

bool asking_finish(struct asking *a, struct event *answer)
{
	a->again = false;
	if (a->secure)
		secure_report(a->secure, a, answer);
	else if (a->certificate.len)
		certificate_report(a->certificate, a, answer);
	/* Empty bytes have an address too: reading from nowhere is undefined even for nothing. */
	struct bytes unread = buffer_len(&a->unread) ? buffer_bytes(&a->unread) : BYTES("");
	if (a->opened && a->probe->finish)
		a->probe->finish(a, a->state, unread, answer);
	bool again = a->again && a->round + 1 < a->probe->connections_max && !a->overstated;
	buffer_done(&a->unread);
	buffer_done(&a->unsent);
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
