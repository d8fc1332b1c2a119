/*
 * Pages a minute that real browsers visit: BROWSERS jobs at once, each page in a box of its own, served
 * by a server on this machine.  The proxy allows 127.0.0.0/8 and nothing else.
 *
 *   build/plain/program/bench/visit [--browsers 4] [--pages 40] [--full-looks] [--json] URL
 */
#include "active/visit/job.h"
#include "base/clock.h"
#include "event/event.h"
#include <stdlib.h>

#define BROWSERS_MAX 16

struct slot {
	struct bench *bench;
	struct box_keeper *keeper;
	struct proxy_visit *proxy;
	struct visit_job *job;
	struct visit_plan plan;
};

struct bench {
	uv_loop_t loop;
	struct proxy *proxy;
	struct visit_tools tools;
	struct slot slots[BROWSERS_MAX];
	size_t browsers, pages, begun, ended, failed, running;
	const char *url;
	bool whole, json;
};

static void on_ask(void *arg, uint64_t number, const struct proxy_question *q)
{
	struct bench *b = arg;
	const bool here = address_is_v4(&q->address) && address_to_v4(&q->address) >> 24 == 127;
	proxy_decide(b->proxy, number, here, &(struct address){{0}}, here ? "ok" : "scope");
}

static void slot_begin(struct slot *s);

static void on_done(void *arg, struct visit_job *job)
{
	struct slot *s = arg;
	struct bench *b = s->bench;
	const char *why;
	const struct visit_findings *f = visit_job_findings(job, &why);
	b->ended++;
	b->running--;
	if (!f || !strcmp(f->verdict, "unreachable")) {
		b->failed++;
		fprintf(stderr, "bench: %s\n", f ? f->looks[0]->failed : why);
	} else if (b->json) {
		struct buffer out = BUFFER(64u << 20);
		if (visit_report_write(visit_report_find("json"), f, &out) == 0)
			fwrite(out.store + out.at, 1, buffer_len(&out), stdout);
		buffer_done(&out);
	}
	visit_job_free(job);
	proxy_visit_end(s->proxy);
	slot_begin(s);
}

static void slot_begin(struct slot *s)
{
	struct bench *b = s->bench;
	struct fault fault = {0};
	const struct event_id lease = {0};
	if (b->begun == b->pages) {
		if (!b->running)
			proxy_close(b->proxy, NULL, NULL);
		return;
	}
	b->begun++;
	s->plan = (struct visit_plan){.tools = &b->tools, .url = b->url, .brief = !b->whole};
	if (proxy_visit_begin(&s->proxy, b->proxy, &lease, &(struct proxy_limits){0}, NULL) ||
	    visit_job_start(&s->job, &b->loop, s->proxy, s->keeper, &s->plan, on_done, s, &fault)) {
		fprintf(stderr, "bench: %s\n", fault.text);
		exit(1);
	}
	b->running++;
}

int main(int argc, char **argv)
{
	static struct bench b = {.browsers = 4, .pages = 40};
	struct fault fault = {0};
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "inside"))
			return visit_inside(argc - i - 1, argv + i + 1);
		if (!strcmp(argv[i], "--browsers") && i + 1 < argc)
			b.browsers = strtoul(argv[++i], NULL, 10);
		else if (!strcmp(argv[i], "--pages") && i + 1 < argc)
			b.pages = strtoul(argv[++i], NULL, 10);
		else if (!strcmp(argv[i], "--full-looks"))
			b.whole = true;
		else if (!strcmp(argv[i], "--json"))
			b.json = true;
		else
			b.url = argv[i];
	}
	if (!b.url || !b.browsers || b.browsers > BROWSERS_MAX) {
		fprintf(stderr, "usage: visit [--browsers N] [--pages N] [--full-looks] [--json] URL\n");
		return 2;
	}
	int bad = event_start(&fault) || visit_tools_find(&b.tools, &fault);
	char folder[] = "/tmp/kansoku-bench.XXXXXX";
	for (size_t i = 0; !bad && i < b.browsers; i++) {
		char scratch[64];
		b.slots[i].bench = &b;
		if (i == 0 && !mkdtemp(folder))
			return 1;
		snprintf(scratch, sizeof scratch, "%s/%zu", folder, i);
		bad = box_keeper_open(&b.slots[i].keeper, scratch, &fault);
	}
	uv_loop_init(&b.loop);
	const struct proxy_options options = {.resolvers = {address_v4(0x7f000001)}, .resolver_count = 1, .connect_timeout_ms = 5000,
					      .resolve_timeout_ms = 2000};
	if (bad || proxy_open(&b.proxy, &b.loop, &options, &(struct proxy_hooks){.arg = &b, .ask = on_ask}, &fault)) {
		fprintf(stderr, "bench: %s\n", fault.text);
		return 1;
	}
	const uint64_t begun_us = clock_mono_us();
	for (size_t i = 0; i < b.browsers; i++)
		slot_begin(&b.slots[i]);
	uv_run(&b.loop, UV_RUN_DEFAULT);
	const double seconds = (double)(clock_mono_us() - begun_us) / 1e6;
	for (size_t i = 0; i < b.browsers; i++)
		box_keeper_close(b.slots[i].keeper);
	fprintf(stderr, "%zu pages, %zu browsers at once: %.1f s, %.0f pages a minute, %zu failed\n", b.ended, b.browsers, seconds,
		60.0 * (double)b.ended / seconds, b.failed);
	return b.failed != 0;
}
