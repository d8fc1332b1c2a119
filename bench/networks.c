/*
 * Tables of networks: read, compiled, and addresses looked up.
 *
 *   build/plain/program/bench/networks [ROWS] [LOOKUPS]
 *
 * A table of CAIDA's pfx2as shape is made by rule: prefixes of 8 to 24 bits in the proportions of the routing table,
 * one in six IPv6, many within wider ones.  It goes through the format as an import does, is compiled into a map,
 * and random addresses are looked up.  Beside it libmaxminddb looks up the same addresses, when an MMDB is named in the
 * environment's MMDB.  Times are of the processor; the last line is JSON.
 */
#include "base/network_map.h"
#include "share/intake/intake_inner.h"
#include "share/networks/networks_inner.h"
#include <fcntl.h>
#include <maxminddb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

static uint64_t seed = 2026;

static uint32_t draw(void)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(seed >> 32);
}

static double cpu_seconds(void)
{
	struct rusage r;
	getrusage(RUSAGE_SELF, &r);
	return (double)r.ru_utime.tv_sec + (double)r.ru_stime.tv_sec +
	       ((double)r.ru_utime.tv_usec + (double)r.ru_stime.tv_usec) / 1e6;
}

static struct bytes make_table(size_t rows)
{
	size_t room = rows * 48;
	char *text = malloc(room);
	struct writer w = writer_of(text, text ? room : 0);
	for (size_t i = 0; i < rows; i++) {
		uint32_t bits = draw() % 10 < 6 ? 24 : 12 + draw() % 12, base = draw() & ~(UINT32_MAX >> bits);
		if (draw() % 6)
			write_fmt(&w, "%u.%u.%u.%u\t%u\t%u\n", base >> 24, base >> 16 & 255, base >> 8 & 255, base & 255, bits,
				  1 + draw() % 70000);
		else
			write_fmt(&w, "2%03x:%x:%x::\t%u\t%u\n", draw() % 0x1000, draw() % 0x10000, draw() % 0x10000, 48u,
				  1 + draw() % 70000);
	}
	return writer_bytes(&w);
}

static bool no_record(void *arg, const struct record *r)
{
	(void)arg;
	return r != NULL;
}

static void on_network(void *arg, const struct network *n) { networks_table_add(arg, n); }

static double import(int folder, struct bytes text, struct fault *fault)
{
	struct networks_table *table;
	struct intake *in;
	double begin = cpu_seconds();
	if (networks_table_open(&table, folder, "pfx2as", "bench", fault))
		return -1;
	const struct intake_hooks hooks = {.arg = table, .record = no_record, .network = on_network};
	int bad = intake_open(&in, format_find(BYTES("pfx2as")), "bench", &hooks, fault);
	for (size_t at = 0; !bad && at < text.len; at += 512u << 10)
		bad = intake_feed(in, (struct bytes){text.at + at, text.len - at < 512u << 10 ? text.len - at : 512u << 10}, fault);
	bad = bad ? bad : intake_end(in, fault);
	intake_close(in);
	bad = bad ? bad : networks_table_keep(table, fault);
	return bad ? -1 : cpu_seconds() - begin;
}

static double look_up(const struct network_map *map, const uint32_t *addresses, size_t count, size_t *found)
{
	struct network_place place;
	double begin = cpu_seconds();
	for (size_t i = 0; i < count; i++) {
		struct address a = address_v4(addresses[i]);
		*found += network_map_find(map, &a, &place);
	}
	return cpu_seconds() - begin;
}

/* The peer decodes nothing but finds the entry. */
static double look_up_peer(const char *path, const uint32_t *addresses, size_t count)
{
	MMDB_s db;
	if (!path || MMDB_open(path, MMDB_MODE_MMAP, &db) != MMDB_SUCCESS)
		return 0;
	double begin = cpu_seconds();
	for (size_t i = 0; i < count; i++) {
		struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(addresses[i])};
		int bad;
		MMDB_lookup_sockaddr(&db, (struct sockaddr *)&to, &bad);
	}
	double seconds = cpu_seconds() - begin;
	MMDB_close(&db);
	return seconds;
}

int main(int argc, char **argv)
{
	size_t rows = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000, lookups = argc > 2 ? strtoul(argv[2], NULL, 10) : 20000000;
	char path[] = "/tmp/kansoku-bench-XXXXXX", command[64];
	struct fault fault = {0};
	struct network_map *map;
	size_t found = 0;
	struct bytes text = make_table(rows);
	uint32_t *addresses = malloc(lookups * sizeof *addresses);
	int folder = mkdtemp(path) ? open(path, O_RDONLY | O_DIRECTORY) : -1;
	for (size_t i = 0; addresses && i < lookups; i++)
		addresses[i] = draw();
	double read = folder < 0 ? -1 : import(folder, text, &fault), begin = cpu_seconds();
	if (read < 0 || !addresses || networks_compile(folder, &fault) || network_map_open(&map, folder, NETWORK_MAP_FILE, &fault)) {
		fprintf(stderr, "networks: %s\n", fault.text);
		return 1;
	}
	double compile = cpu_seconds() - begin, look = look_up(map, addresses, lookups, &found);
	double peer = look_up_peer(getenv("MMDB"), addresses, lookups);
	printf("%zu rows (%.1f MB): read in %.2f s, %.0f rows/s; compiled in %.2f s; together %.0f rows/s\n", rows, (double)text.len / 1e6,
	       read, (double)rows / read, compile, (double)rows / (read + compile));
	printf("%zu addresses looked up in %.2f s, %.1f M/s, %.0f %% found\n", lookups, look, (double)lookups / look / 1e6,
	       100.0 * (double)found / (double)lookups);
	if (peer > 0)
		printf("libmaxminddb: %.1f M/s, ratio %.1f\n", (double)lookups / peer / 1e6, peer / look);
	printf("{\"rows\":%zu,\"rows_per_s\":%.0f,\"rows_per_s_compiled\":%.0f,\"lookups_per_s\":%.0f,\"peer_per_s\":%.0f}\n", rows,
	       (double)rows / read, (double)rows / (read + compile), (double)lookups / look, peer > 0 ? (double)lookups / peer : 0);
	network_map_close(map);
	snprintf(command, sizeof command, "rm -r %s", path);
	return system(command) != 0;
}
