/*
 * How long it takes to say what hosts are: the prober and the rules over a range of addresses.
 *
 *   build/plain/program/bench/hosts FIRST COUNT PORT...
 *
 * Bench policy: no pause and no limit per network; one connection per address at a time, as
 * always.  One line a host on standard output: its address, class, vendor, product, confidence;
 * the last line is JSON.
 */
#include "active/identified.h"
#include "base/clock.h"
#include <stdlib.h>
#include <sys/resource.h>

#define LEASES_AHEAD 4096

struct bench {
	struct prober *prober;
	struct identified *identified;
	uv_loop_t loop;
	uv_timer_t feed;
	struct id_maker ids;
	struct lease lease; /* what all have in common */
	struct address first;
	uint64_t wanted, given, done, answered, named, classed;
	struct event event;
};

static int on_publish(void *arg, struct event *e)
{
	struct bench *b = arg;
	e->time_us = clock_utc_us();
	e->id = id_make(&b->ids, e->time_us);
	return 0;
}

static void on_told(void *arg, const struct prober_story *story)
{
	struct bench *b = arg;
	char address[ADDRESS_TEXT_MAX];
	b->answered++;
	if (!identified_make(b->identified, story, &b->event))
		return;
	struct bytes class = event_bytes(&b->event, FIELD_DEVICE_CLASS);
	struct bytes vendor = event_bytes(&b->event, FIELD_DEVICE_VENDOR);
	struct bytes product = event_bytes(&b->event, FIELD_DEVICE_PRODUCT);
	b->named++;
	b->classed += class.len > 0;
	printf("%s\t%.*s\t%.*s\t%.*s\t%llu\n", address_format(&story->lease->target, address), (int)class.len,
	       (const char *)class.at, (int)vendor.len, (const char *)vendor.at, (int)product.len,
	       (const char *)product.at, (unsigned long long)event_number(&b->event, FIELD_CONFIDENCE, 0));
}

static void on_done(void *arg, const struct lease *lease, uint16_t packets)
{
	struct bench *b = arg;
	(void)lease;
	(void)packets;
	if (++b->done == b->wanted)
		uv_stop(&b->loop);
}

static void feed(uv_timer_t *timer)
{
	struct bench *b = timer->data;
	while (b->given < b->wanted && prober_held(b->prober) < LEASES_AHEAD) {
		b->lease.target = address_v4(address_to_v4(&b->first) + (uint32_t)b->given);
		b->lease.not_before_us = clock_utc_us();
		b->lease.expires_us = b->lease.not_before_us + 300000000;
		if (prober_give(b->prober, &b->lease))
			abort();
		b->given++;
	}
}

static double cpu_seconds(void)
{
	struct rusage used;
	getrusage(RUSAGE_SELF, &used);
	return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
	       (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static int run(struct bench *b, struct fault *fault)
{
	const struct prober_options options = {
		.settings = {.agent = "Mozilla/5.0 (compatible; kansoku; +https://example.org/probing)"},
		.connect_timeout_us = 1800000,
		.concurrency = 1000,
	};
	const struct prober_hooks hooks = {b, on_publish, NULL, on_told, on_done};
	int bad = event_start(fault);
	if (!bad)
		bad = identified_open(&b->identified, NULL, 0, fault);
	if (bad || uv_loop_init(&b->loop) || (bad = prober_open(&b->prober, &b->loop, &options, &hooks, NULL, fault)))
		return bad ? bad : ERR_SYSTEM;
	b->ids = id_maker_new();
	uv_timer_init(&b->loop, &b->feed);
	b->feed.data = b;
	uv_timer_start(&b->feed, feed, 0, 20);
	double cpu = cpu_seconds();
	uint64_t began_us = clock_mono_us();
	uv_run(&b->loop, UV_RUN_DEFAULT);
	double wall = (double)(clock_mono_us() - began_us) / 1e6;
	const struct prober_counts *c = prober_counts(b->prober);
	printf("{\"hosts\":%llu,\"answered\":%llu,\"named\":%llu,\"classed\":%llu,\"connections\":%llu,"
	       "\"packets\":%llu,\"wall_s\":%.3f,\"cpu_s\":%.3f,\"hosts_per_s\":%.1f}\n",
	       (unsigned long long)b->wanted, (unsigned long long)b->answered, (unsigned long long)b->named,
	       (unsigned long long)b->classed, (unsigned long long)c->connections, (unsigned long long)c->packets,
	       wall, cpu_seconds() - cpu, (double)b->wanted / wall);
	prober_close(b->prober, NULL, NULL);
	return 0;
}

int main(int argc, char **argv)
{
	static struct bench b;
	struct fault fault = {0};
	b.lease = (struct lease){.id = {{1}}, .tier = 2, .packets_max = 480};
	b.wanted = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;
	bool good = b.wanted && argc > 3 && argc <= 3 + LEASE_PORTS_MAX &&
		    address_parse(bytes_of_text(argv[1]), &b.first) && address_is_v4(&b.first);
	for (int i = 3; good && i < argc; i++)
		good = port_parse(bytes_of_text(argv[i]), &b.lease.ports[b.lease.port_count++]);
	if (!good) {
		fprintf(stderr, "usage: hosts FIRST COUNT PORT... (at most %d ports)\n", LEASE_PORTS_MAX);
		return 2;
	}
	int bad = run(&b, &fault);
	if (bad)
		fprintf(stderr, "hosts: %s\n", fault.text);
	return bad ? 1 : 0;
}
