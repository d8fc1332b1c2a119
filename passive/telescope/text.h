/*
 * Records as text: a fast writer to a descriptor, and the names and numbers that outputs share.
 *
 * Whoever writes a line asks lines_room() for the most that it may take and then uses the plain
 * write_…() of base/bytes.h; nothing is formatted by printf where millions of lines are made.
 */
#pragma once
#include "base/error.h"
#include "passive/telescope/packet.h"

#define LINES_STORE (256u << 10)
#define LINE_ROOM 16384 /* no line is longer */

struct lines {
	int fd;
	const char *name; /* for errors: "standard output" */
	uint8_t *store;
	struct writer w;
	int failed;       /* errno of the first write that failed */
};

int lines_open(struct lines *, int fd, const char *name, struct fault *);
/* A writer with room for one line; what it held before has gone out when there was not enough. */
struct writer *lines_room(struct lines *);
/* 0, or the error of a write before; ERR_GONE when the reader has left. */
int lines_check(const struct lines *, struct fault *);
int lines_flush(struct lines *, struct fault *);
void lines_close(struct lines *); /* does not close the descriptor */

void write_decimal(struct writer *, uint64_t);
void write_grouped(struct writer *, uint64_t); /* 1,234,567 */
void write_address_text(struct writer *, const struct address *);
/* RFC 3339 in UTC with microseconds; the day is kept, since it rarely changes. */
struct moments {
	uint64_t day;
	uint8_t text[11]; /* "2026-03-01T" */
};
void write_moment(struct writer *, struct moments *, uint64_t time_us);

#define PROTO_TEXT_MAX 8
const char *proto_text(uint8_t proto, char text[PROTO_TEXT_MAX]); /* "tcp", "icmp6", "47" */
#define FLAGS_TEXT_MAX 9
const char *flags_text(uint8_t flags, char text[FLAGS_TEXT_MAX]); /* "SA"; in the order FSRPAUEC */
bool proto_is_icmp(uint8_t proto);

/* Signatures of shapes, made once each: the same few thousand come again and again. */
#define SHAPE_TEXTS 1024
struct shape_texts {
	struct shape_text {
		struct tcp_shape shape;
		uint8_t ttl;
		bool used;
		uint16_t p0f_len, ja4t_len;
		char p0f[SHAPE_TEXT_MAX], ja4t[SHAPE_TEXT_MAX];
	} entries[SHAPE_TEXTS];
};
const struct shape_text *shape_text(struct shape_texts *, const struct tcp_shape *, uint8_t ttl);
