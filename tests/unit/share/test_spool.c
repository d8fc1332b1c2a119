/* What comes in faster than the journal takes it waits on disk, in order, also over a restart. */
#include "share/intake/spool_inner.h"
#include "tests/test.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS 4000
#define BYTES_EACH 8000

struct side {
	struct bus *bus;
	struct spool *spool;
	uint64_t heard;
	bool in_order;
};

static void on_event(void *arg, const struct bus_delivery *d)
{
	struct side *journal = arg;
	static struct event e;
	CHECK(frame_decode(d->frame, NULL, &e) == 0);
	journal->in_order &= event_number(&e, FIELD_COUNT, EVENTS) == journal->heard;
	journal->heard++;
	bus_acknowledge(journal->bus, d->peer, d->sequence);
}

static void on_relief(void *arg)
{
	struct side *exchange = arg;
	if (exchange->spool)
		spool_go_on(exchange->spool);
}

static void on_acknowledged(void *arg, struct bus_peer *peer, uint64_t sequence)
{
	struct side *exchange = arg;
	(void)peer;
	if (exchange->spool)
		spool_acknowledged(exchange->spool, sequence);
}

static void publish(struct spool *spool, uint64_t first, uint64_t count)
{
	static struct event e;
	static uint8_t body[BYTES_EACH];
	for (uint64_t i = first; i < first + count; i++) {
		event_begin(&e, EVENT_RECORD_IMPORTED);
		e.time_us = 1700000000000000u + i;
		e.id = (struct event_id){0};
		event_set_number(&e, FIELD_COUNT, i);
		event_set_bytes(&e, FIELD_AGENT, (struct bytes){body, sizeof body});
		CHECK(spool_publish(spool, &e) == 0);
	}
}

static size_t files_in(int directory)
{
	char command[64];
	snprintf(command, sizeof command, "ls /proc/self/fd/%d/ | wc -l", directory);
	FILE *f = popen(command, "r");
	unsigned n = 0;
	CHECK(f && fscanf(f, "%u", &n) == 1);
	pclose(f);
	return n;
}

static void folder_remove(const char *path, int directory)
{
	DIR *d = fdopendir(directory);
	for (struct dirent *e; d && (e = readdir(d));)
		unlinkat(directory, e->d_name, 0);
	closedir(d);
	CHECK(rmdir(path) == 0);
}

static void sides_end(uv_loop_t *loop, struct side *a, struct side *b)
{
	bus_free(a->bus);
	bus_free(b->bus);
	for (int i = 0; i < 1000 && uv_loop_alive(loop); i++)
		uv_run(loop, UV_RUN_NOWAIT);
	CHECK(uv_loop_close(loop) == 0);
}

TEST(what_comes_in_too_fast_waits_on_disk_in_order_also_over_a_restart)
{
	char path[] = "/tmp/kansoku-spool-XXXXXX";
	struct side exchange = {0}, journal = {.in_order = true};
	struct fault fault = {0};
	uv_loop_t loop;
	int fds[2];
	CHECK(mkdtemp(path) && uv_loop_init(&loop) == 0 && event_start(&fault) == 0);
	int directory = open(path, O_RDONLY | O_DIRECTORY);
	CHECK(bus_open(&exchange.bus, &loop, "exchange", 0, "here") == 0 && bus_open(&journal.bus, &loop, "journal", 0, "here") == 0);
	const struct bus_hooks ours = {.arg = &exchange, .relief = on_relief, .acknowledged = on_acknowledged};
	const struct bus_hooks theirs = {.arg = &journal, .event = on_event};
	const struct bus_rights all = {.sends = KIND_MASK_ALL};
	bus_set_hooks(exchange.bus, &ours);
	bus_set_hooks(journal.bus, &theirs);
	bus_subscribe(journal.bus, KIND_MASK_ALL);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
	CHECK(bus_link(exchange.bus, fds[0], "journal", 0, &all) == 0 && bus_link(journal.bus, fds[1], "exchange", 0, &all) == 0);
	for (int i = 0; i < 200; i++)
		uv_run(&loop, UV_RUN_NOWAIT);

	CHECK_SAY(spool_open(&exchange.spool, directory, exchange.bus, UINT64_C(1) << 30, &fault) == 0, "%s", fault.text);
	publish(exchange.spool, 0, EVENTS / 2);
	CHECK(spool_waiting(exchange.spool) > 4u << 20);
	/* It ends before anything was taken: what waited is there again. */
	spool_close(exchange.spool);
	exchange.spool = NULL;
	for (int i = 0; i < 20000 && bus_unacknowledged(exchange.bus); i++)
		uv_run(&loop, UV_RUN_NOWAIT);
	uint64_t direct = journal.heard;
	CHECK(direct > 0 && direct < EVENTS / 2);
	CHECK(spool_open(&exchange.spool, directory, exchange.bus, UINT64_C(1) << 30, &fault) == 0);
	publish(exchange.spool, EVENTS / 2, EVENTS / 2);
	for (int i = 0; i < 200000 && journal.heard < EVENTS; i++)
		uv_run(&loop, UV_RUN_NOWAIT);
	for (int i = 0; i < 20000 && bus_unacknowledged(exchange.bus); i++)
		uv_run(&loop, UV_RUN_NOWAIT);
	CHECK_SAY(journal.heard == EVENTS && journal.in_order, "%llu came", (unsigned long long)journal.heard);
	CHECK(spool_waiting(exchange.spool) == 0);
	spool_close(exchange.spool);
	exchange.spool = NULL;
	CHECK_SAY(files_in(directory) == 0, "%zu files are left", files_in(directory));

	/* There is an end to what may wait. */
	CHECK(spool_open(&exchange.spool, directory, exchange.bus, 1u << 20, &fault) == 0);
	static struct event e;
	int bad = 0;
	for (int i = 0; i < EVENTS && !bad; i++) {
		event_begin(&e, EVENT_RECORD_IMPORTED);
		e.id = (struct event_id){0};
		event_set_bytes(&e, FIELD_AGENT, (struct bytes){(const uint8_t *)path, sizeof path});
		event_set_bytes(&e, FIELD_BODY, (struct bytes){(const uint8_t *)&fault, sizeof fault});
		bad = spool_publish(exchange.spool, &e);
	}
	for (int i = 0; i < EVENTS * 10 && !bad; i++)
		bad = spool_publish(exchange.spool, &e);
	CHECK(bad == ERR_FULL);
	spool_close(exchange.spool);
	exchange.spool = NULL;
	sides_end(&loop, &exchange, &journal);
	folder_remove(path, directory);
}
