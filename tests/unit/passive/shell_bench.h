/* A shell on a persona without a session: what its tests run lines in. */
#pragma once
#include "passive/device/shell/shell.h"
#include "tests/test.h"
#include <stdlib.h>

struct bench {
	struct persona_set personas;
	struct arena arena;
	struct shell shell;
	struct address local;
	char text[256 * 1024]; /* all that was said */
	struct writer said;
	char events[4096]; /* one line for each file fetched or captured */
	struct writer told;
	unsigned captures;
	uint32_t delay_ms;
};

static void bench_say(void *owner, struct bytes b)
{
	write_span(&((struct bench *)owner)->said, b);
}

static void bench_fetched(void *owner, struct bytes url, struct bytes name, const char *how)
{
	write_fmt(&((struct bench *)owner)->told, "%s %.*s %.*s\n", how, (int)url.len,
	          (const char *)url.at, (int)name.len, (const char *)name.at);
}

static void bench_captured(void *owner, struct bytes content, struct bytes name, const char *how)
{
	struct bench *b = owner;
	b->captures++;
	write_fmt(&b->told, "%s %.*s %zu\n", how, (int)name.len, (const char *)name.at,
	          content.len);
}

static void bench_delayed(void *owner, uint32_t delay_ms)
{
	((struct bench *)owner)->delay_ms += delay_ms;
}
static uint64_t bench_time(void *owner)
{
	return owner ? 1700000000000000 : 0;
}
static uint64_t bench_random(void *owner)
{
	return owner ? 4711 : 0;
}

static const struct shell_hooks bench_hooks = {bench_say,     bench_fetched, bench_captured,
                                               bench_delayed, bench_time,    bench_random, NULL};

static inline struct bench *bench_open(const char *persona)
{
	struct bench *b = calloc(1, sizeof *b);
	struct fault fault = {0};
	CHECK(b);
	CHECK_SAY(persona_read_directory(&b->personas, "etc/personas", &fault) == 0, "%s",
	          fault.text);
	b->arena = ARENA(512 * 1024);
	b->local = address_v4(0xc0000201);
	b->said = writer_of(b->text, sizeof b->text);
	b->told = writer_of(b->events, sizeof b->events);
	const struct persona *p = persona_named(&b->personas, persona);
	CHECK(p);
	shell_start(&b->shell, p, &b->local, 42, &b->arena, &bench_hooks, b);
	return b;
}

static inline void bench_close(struct bench *b)
{
	shell_finish(&b->shell);
	arena_done(&b->arena);
	persona_set_done(&b->personas);
	free(b);
}

/* Runs a line and gives what was said to it, with an end. */
static inline const char *bench_line(struct bench *b, const char *line)
{
	b->said.at = b->said.start;
	shell_line(&b->shell, bytes_of_text(line));
	write_u8(&b->said, 0);
	return b->text;
}

#define SAYS(bench, line, want)                                                                    \
	do {                                                                                       \
		const char *got = bench_line(bench, line);                                         \
		CHECK_SAY(!strcmp(got, want), "%s\n  said \"%s\"\n  not  \"%s\"", line, got,       \
		          want);                                                                   \
	} while (0)
