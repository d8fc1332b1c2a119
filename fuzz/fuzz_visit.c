/*
 * What a browser and its box can say: DevTools messages, each ended by NUL, to the handlers of a look, and
 * records of the helper in the box.  The first byte tells which.
 */
#include "active/visit/browser/look_inner.h"
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t n);

static void on_event(void *arg, const char *session, const char *method, const json_t *params)
{
	struct looking *l = arg;
	if (!look_take_network(l, session, method, params) && !look_take_frames(l, session, method, params) &&
	    !look_take_scripts(l, session, method, params))
		look_take_downloads(l, session, method, params);
}

static void on_record(void *arg, const struct inside_record *record)
{
	size_t *bytes = arg;
	*bytes += record->name.len + record->content.len;
}

static void take_records(struct bytes all)
{
	size_t bytes = 0;
	bool ended;
	const int64_t taken = inside_records_read(all, &ended, on_record, &bytes);
	if (taken > (int64_t)all.len || bytes > all.len)
		abort();
}

static void look_over(struct looking *l, struct arena *arena, struct visit_look *out)
{
	*l = (struct looking){.arena = arena, .out = out, .bytes_max = 1u << 20, .binding = "told", .session = "S"};
	l->hops = arena_alloc(arena, VISIT_HOPS_MAX * sizeof *l->hops);
	l->requests = arena_alloc(arena, VISIT_REQUESTS_MAX * sizeof *l->requests);
	l->frames = arena_alloc(arena, VISIT_FRAMES_MAX * sizeof *l->frames);
	l->scripts = arena_alloc(arena, VISIT_SCRIPTS_MAX * sizeof *l->scripts);
	l->seen_requests = arena_alloc(arena, VISIT_REQUESTS_MAX * sizeof *l->seen_requests);
	l->seen_frames = arena_alloc(arena, VISIT_FRAMES_MAX * sizeof *l->seen_frames);
}

static void take_messages(struct bytes all)
{
	static struct looking l;
	struct arena arena = ARENA(8u << 20);
	struct visit_look out = {0};
	struct fault fault;
	const int from = memfd_create("said", MFD_CLOEXEC), to = open("/dev/null", O_WRONLY | O_CLOEXEC);
	const struct devtools_hooks hooks = {&l, on_event};
	if (from < 0 || to < 0 || write(from, all.at, all.len) != (ssize_t)all.len || lseek(from, 0, SEEK_SET))
		abort();
	look_over(&l, &arena, &out);
	if (devtools_open(&l.devtools, to, from, &hooks, &fault) == 0)
		while (devtools_step(l.devtools, 0) > 0)
			;
	if (out.request_count > VISIT_REQUESTS_MAX || out.hop_count > VISIT_HOPS_MAX || out.frame_count > VISIT_FRAMES_MAX)
		abort();
	devtools_close(l.devtools);
	arena_done(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t n)
{
	if (!n)
		return 0;
	const struct bytes rest = {at + 1, n - 1};
	if (at[0] & 1)
		take_records(rest);
	else
		take_messages(rest);
	return 0;
}
