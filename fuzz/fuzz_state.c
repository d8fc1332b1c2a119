/* Control's file after any damage: what is whole is read, no more is claimed than was there. */
#include "control/state_inner.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void on_key(void *arg, uint64_t key) { *(uint64_t *)arg += key; }

static void on_look(void *arg, const struct state_look *l)
{
	*(uint64_t *)arg += l->look.lease.port_count + strlen(l->rule);
	if (l->look.lease.port_count > LEASE_PORTS_MAX)
		abort();
}

static void on_id(void *arg, const struct event_id *id, uint64_t n) { *(uint64_t *)arg += id->b[15] + n; }

static void on_target(void *arg, const struct address *a, const struct event_id *decision,
		      const struct event_id *root, uint64_t looked_us)
{
	*(uint64_t *)arg += a->b[15] + decision->b[15] + root->b[15] + looked_us;
}

static void on_steer(void *arg, const struct steer *s) { *(uint64_t *)arg += strlen(s->persona) + s->arm; }

static void on_source(void *arg, struct reader *r)
{
	struct sources *sources = NULL;
	if (sources_open(&sources, 4, 1) == 0)
		*(uint64_t *)arg += source_read(sources, r, 1);
	sources_close(sources);
}

static void on_feature(void *arg, uint64_t feature, uint64_t campaign, uint32_t count, uint64_t seen_us)
{
	*(uint64_t *)arg += feature + campaign + count + seen_us;
}

static void on_survey(void *arg, const struct state_survey *s)
{
	uint64_t *sum = arg;
	*sum += strlen(s->name) + s->round;
}

static void on_follow(void *arg, uint64_t study, const struct followed *f)
{
	*(uint64_t *)arg += study + f->attack.depth + f->relooks;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	uint64_t sum = 0;
	const struct state_reader reader = {&sum, on_key, on_look, on_id, on_id, on_target, on_steer, on_source, on_feature, on_survey,
					    on_follow, NULL, NULL, NULL};
	size_t whole = state_read((struct bytes){bytes, n}, &reader);
	if (whole > n || state_read((struct bytes){bytes, whole}, &reader) != whole)
		abort();
	return 0;
}
