/*
 * Fills a state directory with log-ins, and the list of their arrivals, for bench/taxii.sh.
 *
 *    taxii_fill STATE EVENTS
 */
#include "base/clock.h"
#include "share/serve/arrivals_inner.h"
#include "share/collection.h"
#include "store/embedded/engine.h"
#include "base/options.h"
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIRST_US UINT64_C(1767225600000000) /* 2026-01-01 */
#define STEP_US 100000
#define KEPT 1000000

static int fill_tables(struct engine *engine, uint64_t events, struct fault *fault)
{
	char sql[4096];
	snprintf(sql, sizeof sql,
		 "INSERT INTO kansoku.events (id, time, time_us, received_us, kind, process, sensor, src, sport, dst, dport, proto, service, "
		 "login_user, field, value) SELECT toFixedString(unhex(concat(leftPad(hex(toUInt64(t)), 16, '0'), '00000001', "
		 "leftPad(hex(toUInt32(number)), 8, '0'))), 16), toDateTime(intDiv(t, 1000000), 'UTC'), t %% 1000000, t + 100, 'login.tried', "
		 "'passive', 'bench', toFixedString(unhex(concat('00000000000000000000FFFF', hex(toUInt32(184549376 + sipHash64(intDiv(number, 5)) %% "
		 "16777216)))), 16), 1024 + number %% 60000, toFixedString(unhex('00000000000000000000FFFFC0000201'), 16), 23, 'tcp', 'telnet', "
		 "concat('user', toString(number %% 1000)), ['login.accepted'], ['false'] FROM (SELECT number, %llu + number * %d AS t FROM "
		 "numbers(%llu))", (unsigned long long)FIRST_US, STEP_US, (unsigned long long)events);
	return engine_run_text(engine, sql, NULL, fault);
}

static int fill_arrivals(const char *state, const char *collection, uint64_t events, struct fault *fault)
{
	char path[4096];
	struct arrivals *list;
	snprintf(path, sizeof path, "%s/exchange/" ARRIVALS_FOLDER, state);
	int directory = open(path, O_RDONLY | O_DIRECTORY);
	int bad = arrivals_open(&list, directory, collection, FIRST_US - 1000000, fault);
	for (uint64_t n = 0; n < events && !bad; n++) {
		uint64_t time_us = FIRST_US + n * STEP_US;
		struct event_id id;
		struct writer w = writer_of(id.b, sizeof id.b);
		write_u64(&w, time_us);
		write_u32(&w, 1);
		write_u32(&w, (uint32_t)n);
		bad = arrivals_add(list, &id, time_us, time_us + 100);
		if (!bad && (n % KEPT == KEPT - 1 || n + 1 == events))
			bad = arrivals_keep(list, time_us + 100);
	}
	if (!bad)
		arrivals_close(list);
	close(directory);
	return bad;
}

int main(int argc, char **argv)
{
	static struct collections collections;
	struct fault fault = {0};
	static struct chdb chdb;
	struct engine *engine;
	static struct config config;
	char path[4096];
	const struct engine_limits limits = {600000, (uint64_t)4 << 30, 64 << 20, 2};
	if (argc != 3)
		return 2;
	uint64_t events = strtoull(argv[2], NULL, 10);
	static const char *const folders[] = {"", "/store", "/exchange", ("/exchange/" ARRIVALS_FOLDER)};
	for (size_t i = 0; i < 4; i++) {
		snprintf(path, sizeof path, "%s%s", argv[1], folders[i]);
		mkdir(path, 0700);
	}
	snprintf(path, sizeof path, "%s/store", argv[1]);
	if (event_start(&fault) || config_read(BYTES("run: {}\n"), "bench", &config, &fault) ||
	    collections_read(&collections, &config, &fault) || chdb_open(&chdb, NULL, &fault) ||
	    engine_open(&engine, &chdb, path, &limits, &fault) || engine_prepare(engine, &fault) ||
	    fill_tables(engine, events, &fault) ||
	    fill_arrivals(argv[1], collection_find(&collections, "attacks")->id, events, &fault)) {
		fprintf(stderr, "taxii_fill: %s\n", fault.text);
		return 1;
	}
	engine_close(engine);
	return 0;
}
