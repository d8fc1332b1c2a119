/* Lines to a descriptor, and numbers, times, addresses and shapes as text. */
#include "passive/telescope/text.h"
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>

#define DAY_US 86400000000ull

int lines_open(struct lines *l, int fd, const char *name, struct fault *fault)
{
	*l = (struct lines){.fd = fd, .name = name, .store = malloc(LINES_STORE)};
	if (!l->store)
		return fault_set(fault, ERR_MEMORY, "%s: no memory for a buffer", name);
	l->w = writer_of(l->store, LINES_STORE);
	return 0;
}

static void write_out(struct lines *l)
{
	const uint8_t *at = l->store;
	while (!l->failed && at < l->w.at) {
		ssize_t n = write(l->fd, at, (size_t)(l->w.at - at));
		if (n > 0)
			at += n;
		else if (n < 0 && errno == EAGAIN)
			poll(&(struct pollfd){.fd = l->fd, .events = POLLOUT}, 1, -1);
		else if (n < 0 && errno != EINTR)
			l->failed = errno;
	}
	l->w = writer_of(l->store, LINES_STORE);
}

struct writer *lines_room(struct lines *l)
{
	if (writer_left(&l->w) < LINE_ROOM)
		write_out(l);
	return &l->w;
}

int lines_check(const struct lines *l, struct fault *fault)
{
	if (!l->failed)
		return 0;
	if (l->failed == EPIPE)
		return ERR_GONE;
	return fault_set(fault, ERR_SYSTEM, "%s: %s", l->name, strerror(l->failed));
}

int lines_flush(struct lines *l, struct fault *fault)
{
	write_out(l);
	return lines_check(l, fault);
}

void lines_close(struct lines *l)
{
	free(l->store);
	l->store = NULL;
}

/* Writes backwards into the end of a room of 20 digits, which is what 2^64 needs. */
static size_t digits(uint64_t v, uint8_t room[20])
{
	size_t at = 20;
	do
		room[--at] = (uint8_t)('0' + v % 10);
	while (v /= 10);
	return at;
}

void write_decimal(struct writer *w, uint64_t v)
{
	uint8_t room[20];
	size_t at = digits(v, room);
	write_bytes(w, room + at, sizeof room - at);
}

void write_grouped(struct writer *w, uint64_t v)
{
	uint8_t room[20];
	for (size_t at = digits(v, room); at < sizeof room; at++) {
		write_u8(w, room[at]);
		if (at + 1 < sizeof room && (sizeof room - at - 1) % 3 == 0)
			write_u8(w, ',');
	}
}

void write_address_text(struct writer *w, const struct address *a)
{
	if (!address_is_v4(a)) {
		char text[ADDRESS_TEXT_MAX];
		write_text(w, address_format(a, text));
		return;
	}
	uint8_t room[16];
	size_t n = 0;
	for (int i = 12; i < 16; i++) {
		uint8_t b = a->b[i];
		if (b >= 100)
			room[n++] = (uint8_t)('0' + b / 100);
		if (b >= 10)
			room[n++] = (uint8_t)('0' + b / 10 % 10);
		room[n++] = (uint8_t)('0' + b % 10);
		room[n++] = '.';
	}
	write_bytes(w, room, n - 1);
}

static void two_digits(uint8_t *to, unsigned v)
{
	to[0] = (uint8_t)('0' + v / 10);
	to[1] = (uint8_t)('0' + v % 10);
}

void write_moment(struct writer *w, struct moments *m, uint64_t time_us)
{
	uint64_t day = time_us / DAY_US, micros = time_us % 1000000;
	unsigned second = (unsigned)(time_us % DAY_US / 1000000);
	if (day != m->day || !m->text[0]) {
		struct tm tm;
		char text[32];
		gmtime_r(&(time_t){(time_t)(day * 86400)}, &tm);
		if (strftime(text, sizeof text, "%Y-%m-%dT", &tm) != sizeof m->text) {
			write_text(w, "9999-12-31T23:59:59.999999Z"); /* beyond what RFC 3339 can say */
			return;
		}
		memcpy(m->text, text, sizeof m->text);
		m->day = day;
	}
	uint8_t room[16] = "00:00:00.000000Z";
	two_digits(room, second / 3600);
	two_digits(room + 3, second / 60 % 60);
	two_digits(room + 6, second % 60);
	two_digits(room + 9, (unsigned)(micros / 10000));
	two_digits(room + 11, (unsigned)(micros / 100 % 100));
	two_digits(room + 13, (unsigned)(micros % 100));
	write_bytes(w, m->text, sizeof m->text);
	write_bytes(w, room, sizeof room);
}

const char *proto_text(uint8_t proto, char text[PROTO_TEXT_MAX])
{
	switch (proto) {
	case 1:
		return "icmp";
	case 6:
		return "tcp";
	case 17:
		return "udp";
	case 58:
		return "icmp6";
	}
	struct writer w = writer_of(text, PROTO_TEXT_MAX - 1);
	write_decimal(&w, proto);
	*w.at = '\0';
	return text;
}

bool proto_is_icmp(uint8_t proto) { return proto == 1 || proto == 58; }

const char *flags_text(uint8_t flags, char text[FLAGS_TEXT_MAX])
{
	char *at = text;
	for (int i = 0; i < 8; i++)
		if (flags & 1 << i)
			*at++ = "FSRPAUEC"[i];
	*at = '\0';
	return text;
}

const struct shape_text *shape_text(struct shape_texts *texts, const struct tcp_shape *shape, uint8_t ttl)
{
	uint64_t hash = XXH3_64bits(shape, sizeof *shape) + ttl;
	struct shape_text *e = &texts->entries[hash % SHAPE_TEXTS];
	if (!e->used || e->ttl != ttl || memcmp(&e->shape, shape, sizeof *shape)) {
		e->used = true;
		e->ttl = ttl;
		e->shape = *shape;
		shape_p0f(shape, ttl, e->p0f);
		shape_ja4t(shape, e->ja4t);
		e->p0f_len = (uint16_t)strlen(e->p0f);
		e->ja4t_len = (uint16_t)strlen(e->ja4t);
	}
	return e;
}
