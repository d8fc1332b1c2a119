/* The DevTools pipe: framing, calls and their answers. */
#include "active/visit/browser/devtools_inner.h"
#include "base/clock.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#define READ_AT_ONCE (256u << 10)

struct call {
	int64_t number; /* 0: free */
	devtools_answer_f *answer;
	size_t index;
};

struct devtools {
	int to, from;
	struct devtools_hooks hooks;
	struct buffer in;
	size_t searched; /* bytes at the front of `in` that hold no NUL */
	int64_t last;
	struct call calls[DEVTOOLS_CALLS_MAX];
	size_t waiting;
	int64_t asked;   /* whose answer devtools_ask() wants */
	json_t *answer;
	bool answered, gone;
};

int devtools_open(struct devtools **out, int to, int from, const struct devtools_hooks *hooks, struct fault *fault)
{
	struct devtools *d = calloc(1, sizeof *d);
	if (!d) {
		close(to);
		close(from);
		return fault_set(fault, ERR_MEMORY, "no memory for the browser's pipe");
	}
	*d = (struct devtools){.to = to, .from = from, .hooks = *hooks, .in = BUFFER(DEVTOOLS_MESSAGE_MAX)};
	fcntl(to, F_SETFL, O_NONBLOCK);
	fcntl(from, F_SETFL, O_NONBLOCK);
	*out = d;
	return 0;
}

void devtools_close(struct devtools *d)
{
	if (!d)
		return;
	close(d->to);
	close(d->from);
	buffer_done(&d->in);
	json_decref(d->answer);
	free(d);
}

static bool is_hex(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* 0: no \uXXXX stands there; 1: one that is no surrogate; 'H' and 'L': the first and second half of a pair. */
static int escape_kind(const uint8_t *at, size_t left)
{
	if (left < 6 || at[0] != '\\' || at[1] != 'u')
		return 0;
	for (int i = 2; i < 6; i++)
		if (!is_hex(at[i]))
			return 0;
	if ((at[2] | 0x20) != 'd')
		return 1;
	const uint8_t second = at[3] | 0x20;
	if (second == '8' || second == '9' || second == 'a' || second == 'b')
		return 'H';
	return second >= 'c' && second <= 'f' && at[3] > '9' ? 'L' : 1;
}

void devtools_mend(uint8_t *message, size_t len)
{
	for (size_t i = 0; i + 1 < len;) {
		const int kind = escape_kind(message + i, len - i);
		if (!kind) {
			i += message[i] == '\\' ? 2 : 1;
			continue;
		}
		if (kind == 'H' && escape_kind(message + i + 6, len - i - 6) == 'L') {
			i += 12;
			continue;
		}
		if (kind != 1)
			memcpy(message + i + 2, "fffd", 4);
		i += 6;
	}
}

const json_t *devtools_at(const json_t *o, const char *path)
{
	char name[64];
	while (o && *path) {
		const size_t n = strcspn(path, ".");
		if (n >= sizeof name)
			return NULL;
		memcpy(name, path, n);
		name[n] = '\0';
		o = json_object_get(o, name);
		path += n + (path[n] == '.');
	}
	return o;
}

const char *devtools_text(const json_t *o, const char *path)
{
	const char *s = json_string_value(devtools_at(o, path));
	return s ? s : "";
}

size_t devtools_text_len(const json_t *o, const char *path) { return json_string_length(devtools_at(o, path)); }
double devtools_number(const json_t *o, const char *path) { return json_number_value(devtools_at(o, path)); }
int devtools_bounded(double v) { return v >= 2147483647.0 ? 2147483647 : v > 0 ? (int)v : 0; }
int devtools_count(const json_t *o, const char *path) { return devtools_bounded(devtools_number(o, path)); }
bool devtools_true(const json_t *o, const char *path) { return json_is_true(devtools_at(o, path)); }
size_t devtools_waiting(const struct devtools *d) { return d->waiting; }

static int send_all(struct devtools *d, const char *text, size_t n)
{
	/* The browser reads all the time; one that does not is stopped by whoever waits for it. */
	const uint64_t deadline_us = clock_mono_us() + 5000000;
	while (n) {
		const ssize_t sent = write(d->to, text, n);
		if (sent > 0) {
			text += sent;
			n -= (size_t)sent;
			continue;
		}
		struct pollfd p = {.fd = d->to, .events = POLLOUT};
		if (errno != EAGAIN || clock_mono_us() > deadline_us || poll(&p, 1, 1000) < 0) {
			d->gone = true;
			return ERR_GONE;
		}
	}
	return 0;
}

static struct call *call_free(struct devtools *d)
{
	for (size_t i = 0; i < DEVTOOLS_CALLS_MAX; i++)
		if (!d->calls[i].number)
			return &d->calls[i];
	return NULL;
}

int64_t devtools_call(struct devtools *d, const char *session, const char *method, json_t *params,
		      devtools_answer_f *answer, size_t index)
{
	json_t *o = json_object();
	struct call *c = answer ? call_free(d) : NULL;
	if (d->gone || (answer && !c)) {
		json_decref(o);
		json_decref(params);
		return d->gone ? ERR_GONE : ERR_FULL;
	}
	const int64_t number = ++d->last;
	json_object_set_new(o, "id", json_integer(number));
	json_object_set_new(o, "method", json_string(method));
	json_object_set_new(o, "params", params ? params : json_object());
	if (session && *session)
		json_object_set_new(o, "sessionId", json_string(session));
	char *text = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	if (!text)
		return ERR_MEMORY;
	const int bad = send_all(d, text, strlen(text) + 1); /* the NUL ends the message */
	free(text);
	if (bad)
		return bad;
	if (c) {
		*c = (struct call){number, answer, index};
		d->waiting++;
	}
	return number;
}

static void take_answer(struct devtools *d, json_t *message, int64_t number)
{
	json_t *result = json_object_get(message, "result");
	if (number == d->asked) {
		d->answer = json_incref(result);
		d->answered = true;
		return;
	}
	for (size_t i = 0; i < DEVTOOLS_CALLS_MAX; i++)
		if (d->calls[i].number == number) {
			const struct call c = d->calls[i];
			d->calls[i] = (struct call){0};
			d->waiting--;
			c.answer(d->hooks.arg, c.index, result);
			return;
		}
}

static int take_message(struct devtools *d, uint8_t *at, size_t n)
{
	devtools_mend(at, n);
	json_t *message = json_loadb((const char *)at, n, JSON_ALLOW_NUL | JSON_DISABLE_EOF_CHECK, NULL);
	if (!json_is_object(message)) {
		json_decref(message);
		return ERR_BAD;
	}
	const json_t *number = json_object_get(message, "id");
	if (json_is_integer(number))
		take_answer(d, message, json_integer_value(number));
	else
		d->hooks.event(d->hooks.arg, devtools_text(message, "sessionId"), devtools_text(message, "method"),
			       json_object_get(message, "params"));
	json_decref(message);
	return 0;
}

/* 1: a message was handled; 0: none is whole yet. */
static int take_whole(struct devtools *d)
{
	const struct bytes all = buffer_bytes(&d->in);
	const uint8_t *end = all.len > d->searched
				? memchr(all.at + d->searched, 0, all.len - d->searched) : NULL;
	if (!end) {
		d->searched = all.len;
		return 0;
	}
	const size_t n = (size_t)(end - all.at);
	const int bad = take_message(d, d->in.store + d->in.at, n);
	buffer_consume(&d->in, n + 1);
	d->searched = 0;
	return bad ? bad : 1;
}

int devtools_step(struct devtools *d, uint64_t deadline_us)
{
	for (;;) {
		const int taken = take_whole(d);
		if (taken)
			return taken;
		if (d->gone)
			return ERR_GONE;
		uint8_t *room = buffer_room(&d->in, READ_AT_ONCE);
		if (!room)
			return ERR_BAD;
		const ssize_t n = read(d->from, room, READ_AT_ONCE);
		if (n > 0) {
			buffer_grown(&d->in, (size_t)n);
			continue;
		}
		if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
			d->gone = true;
			return ERR_GONE;
		}
		const uint64_t now_us = clock_mono_us();
		if (now_us >= deadline_us)
			return 0;
		struct pollfd p = {.fd = d->from, .events = POLLIN};
		poll(&p, 1, (int)((deadline_us - now_us) / 1000 + 1));
	}
}

json_t *devtools_ask(struct devtools *d, const char *session, const char *method, json_t *params, uint64_t deadline_us)
{
	const int64_t number = devtools_call(d, session, method, params, NULL, 0);
	if (number < 0)
		return NULL;
	d->asked = number;
	d->answered = false;
	while (!d->answered)
		if (devtools_step(d, deadline_us) <= 0 || clock_mono_us() > deadline_us)
			break;
	json_t *answer = d->answer;
	d->answer = NULL;
	d->asked = 0;
	return answer;
}
