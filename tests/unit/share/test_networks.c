/* Tables become one map: the narrower range holds, then the later table; labels are put together. */
#include "base/random.h"
#include "event/place.h"
#include "share/networks/networks_inner.h"
#include "share/networks/ranges_inner.h"
#include "tests/test.h"
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define RANDOM_RANGES 300
#define SPACE 4096

static int make_folder(char path[64])
{
	snprintf(path, 64, "/tmp/kansoku-networks-XXXXXX");
	CHECK(mkdtemp(path));
	int fd = open(path, O_RDONLY | O_DIRECTORY);
	CHECK(fd >= 0);
	return fd;
}

static struct network range_of(const char *first, const char *last, uint32_t as, const char *country, const char *labels)
{
	struct network n = {.as = as, .labels = bytes_of_text(labels)};
	CHECK(address_parse(bytes_of_text(first), &n.first) && address_parse(bytes_of_text(last), &n.last));
	snprintf(n.country, sizeof n.country, "%s", country);
	return n;
}

static struct networks_table *begin(int folder, const char *format, const char *source)
{
	struct networks_table *t;
	struct fault fault = {0};
	CHECK_SAY(networks_table_open(&t, folder, format, source, &fault) == 0, "%s", fault.text);
	return t;
}

/* Tables' order is the order of their files' times. */
static void keep(struct networks_table *t, int folder, const char *name, long age)
{
	struct fault fault = {0};
	const struct timespec times[2] = {{1700000000 - age, 0}, {1700000000 - age, 0}};
	CHECK_SAY(networks_table_keep(t, &fault) == 0, "%s", fault.text);
	CHECK(utimensat(folder, name, times, 0) == 0);
}

static struct network_map *compiled(int folder)
{
	struct network_map *map;
	struct fault fault = {0};
	CHECK_SAY(networks_compile(folder, &fault) == 0, "%s", fault.text);
	CHECK_SAY(network_map_open(&map, folder, NETWORK_MAP_FILE, &fault) == 0, "%s", fault.text);
	return map;
}

static bool says(const struct network_map *map, const char *address, uint32_t as, const char *country, const char *labels)
{
	struct address a;
	struct network_place place;
	CHECK(address_parse(bytes_of_text(address), &a));
	bool found = network_map_find(map, &a, &place);
	bool same = place.as == as && !strcmp(place.country, country) && !strcmp(place.labels, labels) &&
		    found == (as || *country || *labels);
	if (!same)
		fprintf(stderr, "%s: AS %u, \"%s\", \"%s\"\n", address, place.as, place.country, place.labels);
	return same;
}

TEST(tables_of_networks_are_put_together)
{
	char path[64];
	int folder = make_folder(path);
	struct network n;
	struct networks_table *t = begin(folder, "geoip", "a b/c");
	n = range_of("0.0.0.0", "0.255.255.255", 0, "US", "");
	networks_table_add(t, &n);
	n = range_of("10.0.0.0", "10.255.255.255", 0, "JP", "");
	networks_table_add(t, &n);
	n = range_of("255.255.255.0", "255.255.255.255", 0, "FR", "");
	networks_table_add(t, &n);
	n = range_of("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", 0, "DE", "");
	networks_table_add(t, &n);
	n = range_of("ffff::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 0, "IT", "");
	networks_table_add(t, &n);
	keep(t, folder, "geoip.a_b_c.table", 100);
	t = begin(folder, "pfx2as", "x");
	n = range_of("10.0.0.0", "10.0.255.255", 64500, "", "");
	networks_table_add(t, &n);
	n = range_of("10.0.1.0", "10.0.1.255", 64501, "", "survey");
	networks_table_add(t, &n);
	networks_table_add_as(t, 64501, BYTES("Example"), "CA");
	networks_table_add_as(t, 64500, BYTES("Sample"), "");
	keep(t, folder, "pfx2as.x.table", 50);
	t = begin(folder, "list", "y");
	n = range_of("10.0.1.128", "10.0.2.10", 0, "BR", "survey malicious");
	networks_table_add(t, &n);
	keep(t, folder, "list.y.table", 10);
	struct network_map *map = compiled(folder);
	CHECK(says(map, "0.0.0.0", 0, "US", "") && says(map, "1.0.0.0", 0, "", ""));
	CHECK(says(map, "10.0.0.255", 64500, "JP", "") && says(map, "10.0.1.0", 64501, "JP", "survey"));
	CHECK(says(map, "10.0.1.128", 64501, "BR", "survey malicious") && says(map, "10.0.2.10", 64500, "BR", "survey malicious"));
	CHECK(says(map, "10.0.2.11", 64500, "JP", "") && says(map, "10.1.0.0", 0, "JP", "") && says(map, "11.0.0.0", 0, "", ""));
	CHECK(says(map, "255.255.255.255", 0, "FR", "") && says(map, "2001:db8::1", 0, "DE", "") && says(map, "2001:db9::", 0, "", ""));
	CHECK(says(map, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 0, "IT", "") && says(map, "::1:0:0:0", 0, "", ""));
	char country[3];
	CHECK(!strcmp(network_map_as(map, 64501, country), "Example") && !strcmp(country, "CA"));
	CHECK(!strcmp(network_map_as(map, 64502, country), ""));
	CHECK(!network_map_changed(map, folder, NETWORK_MAP_FILE));

	static struct event e;
	struct address src;
	CHECK(event_start(NULL) == 0 && address_parse(BYTES("10.0.1.7"), &src));
	event_begin(&e, EVENT_SESSION_OPENED);
	event_set_address(&e, FIELD_SRC, &src);
	event_set_place(&e, map);
	CHECK(event_number(&e, (uint16_t)field_find(BYTES("src.as")), 0) == 64501);
	CHECK(bytes_equal_text(event_bytes(&e, (uint16_t)field_find(BYTES("src.as_name"))), "Example"));
	CHECK(bytes_equal_text(event_bytes(&e, (uint16_t)field_find(BYTES("src.country"))), "JP"));

	/* The same table again takes the place of the one before. */
	t = begin(folder, "list", "y");
	n = range_of("192.0.2.1", "192.0.2.1", 0, "", "tor");
	networks_table_add(t, &n);
	keep(t, folder, "list.y.table", 0);
	struct network_map *again = compiled(folder);
	CHECK(network_map_changed(map, folder, NETWORK_MAP_FILE));
	CHECK(says(again, "10.0.1.128", 64501, "JP", "survey") && says(again, "192.0.2.1", 0, "", "tor"));
	network_map_close(map);
	network_map_close(again);
	close(folder);
}

TEST(any_ranges_give_what_a_search_of_all_of_them_gives)
{
	char path[64];
	int folder = make_folder(path);
	struct random random = random_seeded(7);
	struct network ranges[RANDOM_RANGES];
	struct networks_table *t = begin(folder, "random", "x");
	for (uint32_t i = 0; i < RANDOM_RANGES; i++) {
		uint32_t bits = 2 + (uint32_t)(random_next(&random) % 11), first = (uint32_t)(random_next(&random) % SPACE);
		ranges[i] = (struct network){.as = i + 1, .first = address_v4(0x0a000000u + first)};
		network_of_prefix(&ranges[i], 32 - (bits > 10 ? 10 : bits));
		networks_table_add(t, &ranges[i]);
	}
	keep(t, folder, "random.x.table", 0);
	struct network_map *map = compiled(folder);
	for (uint32_t at = 0; at < SPACE + 1024; at++) {
		struct address a = address_v4(0x0a000000u + at);
		struct network_place place;
		uint32_t size = UINT32_MAX;
		bool held = false;
		network_map_find(map, &a, &place);
		for (uint32_t i = 0; i < RANDOM_RANGES; i++) {
			uint32_t first = address_to_v4(&ranges[i].first), last = address_to_v4(&ranges[i].last);
			if (0x0a000000u + at >= first && 0x0a000000u + at <= last && last - first < size)
				size = last - first;
		}
		for (uint32_t i = 0; i < RANDOM_RANGES; i++) {
			uint32_t first = address_to_v4(&ranges[i].first), last = address_to_v4(&ranges[i].last);
			held |= 0x0a000000u + at >= first && 0x0a000000u + at <= last && last - first == size && place.as == i + 1;
		}
		CHECK_SAY(size == UINT32_MAX ? place.as == 0 : held, "address %u has AS %u", at, place.as);
	}
	network_map_close(map);
	close(folder);
}

TEST(a_damaged_map_of_networks_is_refused)
{
	char path[64], copy[4096];
	int folder = make_folder(path);
	struct networks_table *t = begin(folder, "list", "y");
	struct network n = range_of("192.0.2.0", "192.0.2.255", 64500, "JP", "tor");
	networks_table_add(t, &n);
	networks_table_add_as(t, 64500, BYTES("Example"), "JP");
	keep(t, folder, "list.y.table", 0);
	network_map_close(compiled(folder));
	int fd = openat(folder, NETWORK_MAP_FILE, O_RDWR);
	ssize_t size = pread(fd, copy, sizeof copy, 0);
	CHECK(size > 72);
	for (ssize_t cut = 0; cut < size; cut += 7) {
		struct network_map *map;
		struct fault fault = {0};
		CHECK(ftruncate(fd, cut) == 0 && network_map_open(&map, folder, NETWORK_MAP_FILE, &fault) == ERR_BAD && *fault.text);
	}
	CHECK(ftruncate(fd, 0) == 0 && pwrite(fd, copy, (size_t)size, 0) == size);
	for (ssize_t at = 20; at < size; at++) {
		struct network_map *map;
		struct network_place place;
		struct fault fault = {0};
		uint8_t bad = 0xff;
		CHECK(pwrite(fd, &bad, 1, at) == 1);
		if (network_map_open(&map, folder, NETWORK_MAP_FILE, &fault) == 0) {
			network_map_find(map, &n.first, &place);
			network_map_close(map);
		}
		CHECK(pwrite(fd, copy + at, 1, at) == 1);
	}
	close(fd);
	close(folder);
}
