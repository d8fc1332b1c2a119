/*
 * A notice: what a rule `do: notify` tells people, and the ways by which it reaches them.
 *
 * One file of share/notify/ways/ is one way; it says what it needs and sends one notice, blocking, in
 * a thread of the process "notify".  Who calls it gathers, limits and tries again.
 */
#pragma once
#include "base/bytes.h"
#include "base/error.h"
#include "base/registry.h"

#define NOTICE_TEXT_MAX 512

struct notice {
	char rule[64];
	const char *kind;          /* of the first event */
	uint64_t count;            /* events that it stands for */
	uint64_t left_out;         /* events that this way was not told of since its last notice */
	uint64_t first_us, last_us;
	struct bytes event;        /* the first of them as one JSON object, without private fields */
	struct bytes lines;        /* the same as "name: value" lines */
};

struct way_options {
	const char *name, *way, *to;
	const char *from, *server, *user, *secret; /* mail; webhook: secret is a bearer token */
};

struct notice_way {
	const char *name; /* "webhook" */
	const char *summary, *to;  /* what `to` is */
	const char *reference;
	bool network, file; /* resolves names and connects; appends to the file `to` */
	/* 0, or ERR_BAD with what is wrong and what would be right. */
	int (*check)(const struct way_options *, struct fault *);
	/* Blocks for NOTICE_SEND_S at most; `fd` is the file's, -1 for others.  Else a sentence. */
	int (*send)(const struct way_options *, int fd, const struct notice *, struct fault *);
};

#define NOTICE_SEND_S 15
#define NOTICE_WAY(w) REGISTER(notice_ways, struct notice_way, w)
REGISTRY(notice_ways, struct notice_way);
#define NOTICE_WAYS_EACH(it) REGISTRY_EACH(notice_ways, struct notice_way, it)

const struct notice_way *notice_way_find(const char *name); /* NULL: there is none */
/* "scan.seen 12 times since 2015-04-01T00:00:00Z (rule loud)", printable ASCII on one line. */
char *notice_title(const struct notice *, char text[NOTICE_TEXT_MAX]);
/* One JSON object without newline. */
void notice_write_json(const struct notice *, struct writer *);
#define NOTICE_JSON_MAX (256u << 10)
