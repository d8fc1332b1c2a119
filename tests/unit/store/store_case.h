/*
 * A store in a directory of its own, with the real library, in a process of its own: chDB knows
 * one path a process.
 */
#pragma once
#include "store/insertion.h"
#include "store/store_room_inner.h"
#include "tests/test.h"
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

struct store_case {
	char path[64];
	struct chdb chdb;
	struct engine *engine;
	struct engine_reader *reader;
	struct insertion insertion;
	struct fault fault;
};

/* In the child a failed check must end the process, not jump into cmocka's copy. */
#define MUST(cond)                                                                                \
	do {                                                                                      \
		if (!(cond)) {                                                                    \
			fprintf(stderr, "%s:%d: %s (%s)\n", __FILE__, __LINE__, #cond, c->fault.text); \
			_exit(1);                                                                 \
		}                                                                                 \
	} while (0)

static inline void store_open(struct store_case *c)
{
	const struct engine_limits limits = {3000, 60u << 20, 4u << 20, 1};
	MUST(event_start(&c->fault) == 0);
	MUST(chdb_open(&c->chdb, NULL, &c->fault) == 0);
	MUST(engine_open(&c->engine, &c->chdb, c->path, &limits, &c->fault) == 0);
	MUST(engine_prepare(c->engine, &c->fault) == 0);
	MUST(engine_reader_open(&c->reader, c->engine, &c->fault) == 0);
	MUST(insertion_open(&c->insertion) == 0);
}

static inline void in_process(void (*run)(struct store_case *))
{
	if (SANITIZED)
		SKIP("an executable with ASan cannot open libchdb.so");
	if (!chdb_find(NULL, NULL))
		SKIP("libchdb.so is not installed: npm ci --ignore-scripts");
	struct store_case c = {.path = "/tmp/kansoku-store-XXXXXX"};
	CHECK(mkdtemp(c.path));
	pid_t child = fork();
	if (child == 0) {
		store_open(&c);
		run(&c);
		_exit(0);
	}
	int status = 0;
	CHECK(child > 0 && waitpid(child, &status, 0) == child);
	char command[128];
	snprintf(command, sizeof command, "/bin/rm -rf %s", c.path);
	pid_t remover = fork();
	if (remover == 0)
		execl("/bin/sh", "sh", "-c", command, (char *)NULL), _exit(1);
	waitpid(remover, NULL, 0);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static inline int collect(void *arg, struct bytes part) { return buffer_append(arg, part.at, part.len); }

/* The answer as text in a static place; the fault's sentence when there is none. */
static inline const char *ask_as(struct store_case *c, const char *sql, enum answer_format f, bool private_too)
{
	static char text[1 << 20];
	struct buffer b = BUFFER(sizeof text - 1);
	int bad = engine_ask(c->reader, bytes_of_text(sql), f, private_too, collect, &b, &c->fault);
	size_t n = bad ? strlen(c->fault.text) : buffer_len(&b);
	if (n)
		memcpy(text, bad ? (const void *)c->fault.text : b.store, n);
	text[n] = '\0';
	buffer_done(&b);
	return text;
}

static inline const char *ask(struct store_case *c, const char *sql) { return ask_as(c, sql, ANSWER_TSV, true); }

/* A batch made by hand: a segment with one group of these frames. */
struct hand_batch {
	uint8_t head[SEGMENT_HEAD_MAX], group[1 << 18];
	struct segment_head read;
	struct writer w;
	uint32_t frames;
	struct batch batch;
};

static inline void hand_begin(struct hand_batch *h)
{
	uint8_t names[DICTIONARY_MAX];
	struct writer d = writer_of(names, sizeof names), w = writer_of(h->head, sizeof h->head);
	dictionary_write(&d);
	segment_head_write(&w, 1, 99, writer_bytes(&d));
	segment_head_read(writer_bytes(&w), &h->read);
	h->w = writer_of(h->group, sizeof h->group);
	write_zero(&h->w, GROUP_HEADER);
	h->frames = 0;
}

static inline void hand_add(struct hand_batch *h, const struct event *e)
{
	frame_encode(e, &h->w);
	h->frames++;
}

static inline int hand_insert(struct store_case *c, struct hand_batch *h, uint64_t at)
{
	size_t n = writer_used(&h->w);
	group_seal(&h->read, at, h->group, n - GROUP_HEADER, h->frames);
	h->batch = (struct batch){1, at, at + n, h->frames};
	return insertion_run(&c->insertion, c->engine, &h->batch,
			     (struct bytes){h->head, h->read.length}, writer_bytes(&h->w), &c->fault);
}
