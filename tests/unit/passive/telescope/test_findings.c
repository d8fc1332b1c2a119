/* Scans and what is said of them, once; several hosts behind one address. */
#include "tests/unit/passive/telescope/dark.h"
#include "tests/test.h"

#define OURS 0xc0000200u /* 192.0.2.0 */
#define THEIRS 0xc6336407u
#define START DARK_START
#define IPV4_SPACE 4294967296.0

static bool near(double told, double expected) { return told > 0.999 * expected && told < 1.001 * expected; }

TEST(scan_over_addresses_is_told_once)
{
	const struct telescope_options options = {.scan_destinations = 12, .keep_sources = true};
	struct dark *d = dark_open(&options, "192.0.2.0/24");
	for (unsigned i = 0; i < 200; i++) {
		SEND(d, START + i * SECOND / 2, THEIRS, OURS + i, .dport = 22, .ttl = 50);
		SEND(d, START + i * SECOND / 2, THEIRS + 1, OURS + i % 11, .dport = 22); /* too few */
	}
	dark_finish(d);
	const struct finding *f = dark_finding(d, FINDING_SCAN);
	const struct address scanner = address_v4(THEIRS);
	CHECK(d->finding_count == 1 && d->sums.findings[FINDING_SCAN] == 1);
	CHECK(address_equal(&f->address, &scanner) && f->count == 12 && f->packets == 12 && f->ports == 0);
	CHECK(f->first_us == START && f->last_us == START + 11 * SECOND / 2);
	CHECK(f->proto == 6 && f->flags == TCP_SYN && f->port == 22 && f->ttl == 50 && !f->tool);
	CHECK(near(f->rate, 12 / 5.5) && near(f->internet_rate, 12 / 5.5 * IPV4_SPACE / 256));
	CHECK(dark_source(d, THEIRS)->destinations > 150 && dark_source(d, THEIRS + 1)->destinations == 11);
	dark_close(d);
}

TEST(scan_threshold_follows_what_is_watched)
{
	static const struct { const char *prefix; unsigned threshold; } cases[] = {
		{"192.0.2.0/28", 5}, {"192.0.2.0/24", 25}, {"192.0.0.0/16", 100}, {"192.0.2.0/25", 12}};
	for (unsigned i = 0; i < 4; i++)
		for (unsigned less = 0; less < 2; less++) {
			/* Where the threshold is met by a sketch, that may be a few packets early or late. */
			unsigned slack = cases[i].threshold > DESTINATIONS_EXACT ? cases[i].threshold / 4 : 0;
			unsigned n = less ? cases[i].threshold - 1 - slack : cases[i].threshold + slack;
			struct dark *d = dark_open(NULL, cases[i].prefix);
			for (unsigned k = 0; k < n; k++)
				SEND(d, START + k, THEIRS, OURS + k, .proto = 17, .sport = 999, .dport = 5555);
			dark_finish(d);
			CHECK_SAY(dark_found(d, FINDING_SCAN) == !less, "%s: %zu scans of %u", cases[i].prefix,
				  dark_found(d, FINDING_SCAN), n);
			dark_close(d);
		}
}

TEST(scan_over_ports_is_told_once)
{
	struct dark *d = dark_open(NULL, "192.0.2.0/24");
	for (unsigned i = 0; i < 24; i++)
		SEND(d, START + i * SECOND, THEIRS + 1, OURS, .dport = (uint16_t)(100 + i));
	for (unsigned i = 0; i < 300; i++)
		SEND(d, START + i * SECOND, THEIRS, OURS + i % 2, .dport = (uint16_t)(100 + i / 2));
	dark_finish(d);
	const struct finding *f = dark_finding(d, FINDING_SCAN);
	const struct address scanner = address_v4(THEIRS);
	CHECK(d->finding_count == 1 && address_equal(&f->address, &scanner));
	CHECK(f->ports == 25 && f->port == 124 && f->packets >= 49 && f->count >= 1);
	CHECK(f->first_us == START && f->last_us == START + 48 * SECOND);
	CHECK(f->internet_rate > 0 && near(f->internet_rate / f->rate, IPV4_SPACE / 256));
	CHECK(dark_source(d, THEIRS)->records == 150 && dark_source(d, THEIRS + 1)->records == 24);
	dark_close(d);
}

TEST(answers_are_no_scan)
{
	struct dark *d = dark_open(NULL, "192.0.2.0/24");
	for (unsigned i = 0; i < 250; i++) {
		SEND(d, START + i, THEIRS, OURS + i, .sport = 80, .flags = TCP_SYN | TCP_ACK);
		SEND(d, START + i, THEIRS, OURS + i, .sport = (uint16_t)(1000 + i), .flags = TCP_RST);
	}
	dark_finish(d);
	CHECK(d->finding_count == 0 && dark_source(d, THEIRS)->classes == 1u << CLASS_BACKSCATTER);
	dark_close(d);
}

TEST(scans_of_ipv6_are_told)
{
	const struct telescope_options options = {.scan_destinations = 10, .keep_sources = true};
	struct dark *d = dark_open(&options, "2001:db8::/32");
	for (unsigned i = 0; i < 40; i++)
		SEND(d, START + i * SECOND, THEIRS, OURS + i, .v6 = true, .dport = 22);
	dark_finish(d);
	const struct finding *f = dark_finding(d, FINDING_SCAN);
	const struct address scanner = dark_address(THEIRS, true, false);
	CHECK(address_equal(&f->address, &scanner) && f->count == 10);
	CHECK(d->records[0].r.destinations > 30 && d->records[0].r.destinations < 50);
	CHECK(address_equal(&d->records[0].r.source, &scanner) && address_equal(&d->sources[0].address, &scanner));
	CHECK(d->records[0].shape.version == 6);
	dark_close(d);
}

/* classes of what is asked */

static unsigned class_of(unsigned packets, const char *prefix, uint8_t proto, uint8_t flags, unsigned spread)
{
	struct dark *d = dark_open(NULL, prefix);
	for (unsigned i = 0; i < packets; i++)
		SEND(d, START + i * SECOND, THEIRS, OURS + i % spread, .proto = proto, .flags = flags,
		     .sport = proto == 1 ? flags : 999, .dport = proto == 1 ? 0 : 1234);
	dark_finish(d);
	unsigned classes = dark_source(d, THEIRS)->classes;
	dark_close(d);
	return classes;
}

TEST(misconfigured_is_who_keeps_asking_one_address)
{
	const unsigned scan = 1u << CLASS_SCAN, wrong = 1u << CLASS_MISCONFIGURED, other = 1u << CLASS_OTHER;
	CHECK(class_of(4, "192.0.2.0/24", 6, TCP_SYN, 1) == scan);
	CHECK(class_of(5, "192.0.2.0/24", 6, TCP_SYN, 1) == wrong);
	CHECK(class_of(50, "192.0.2.0/24", 17, 0, 1) == wrong);
	CHECK(class_of(50, "192.0.2.0/24", 17, 0, 2) == scan);
	CHECK(class_of(50, "192.0.2.0/28", 17, 0, 1) == scan); /* too small to tell */
	CHECK(class_of(50, "192.0.2.0/24", 1, 8, 9) == scan);
	CHECK(class_of(50, "192.0.2.0/24", 1, 9, 9) == other); /* router advertisement */
	CHECK(class_of(3, "192.0.2.0/24", 47, 0, 3) == other);
	CHECK(class_of(1, "192.0.2.0/24", 6, TCP_ACK, 1) == other);
	CHECK(class_of(9, "192.0.2.0/24", 6, TCP_FIN, 9) == scan);
}

/* hosts behind one address */

struct behind {
	uint16_t port;
	uint8_t ttl;
	uint16_t window;
};

static unsigned hosts_of(const struct behind *all, unsigned n)
{
	struct dark *d = dark_open(NULL, NULL);
	for (unsigned i = 0; i < n; i++)
		for (unsigned k = 0; k < 3; k++)
			SEND(d, START + i * SECOND + k, THEIRS, OURS + k, .dport = all[i].port, .ttl = all[i].ttl,
			     .window = all[i].window, .df = true, .ipid = 7, .options = BYTES("\2\4\5\xb4"));
	dark_finish(d);
	unsigned hosts = dark_source(d, THEIRS)->hosts;
	dark_close(d);
	return hosts;
}

#define HOSTS(...) hosts_of((const struct behind[]){__VA_ARGS__}, sizeof((struct behind[]){__VA_ARGS__}) / sizeof(struct behind))

TEST(hosts_are_told_apart_by_ttl_and_shape)
{
	CHECK(HOSTS({22, 50, 64240}) == 1);
	CHECK(HOSTS({22, 50, 64240}, {23, 50, 64240}, {24, 50, 64240}) == 1);
	CHECK(HOSTS({22, 50, 64240}, {23, 49, 64240}) == 1);                 /* a route that changed */
	CHECK(HOSTS({22, 50, 64240}, {23, 51, 64240}, {24, 50, 64240}) == 1);
	CHECK(HOSTS({22, 50, 64240}, {23, 47, 64240}) == 2);                 /* behind other routers */
	CHECK(HOSTS({22, 50, 64240}, {3389, 115, 64240}) == 2);              /* Linux and Windows */
	CHECK(HOSTS({22, 50, 64240}, {3389, 115, 8192}, {23, 50, 64240}, {80, 240, 4128}) == 3);
	CHECK(HOSTS({22, 50, 64240}, {80, 50, 5840}) == 2);                  /* one distance, two systems */
	CHECK(HOSTS({22, 32, 64240}, {23, 32, 64240}, {24, 32, 64240}) == 1);
	CHECK(HOSTS({22, 250, 64240}, {23, 70, 64240}) <= 2);                /* too far to be a system's */
}

TEST(hosts_at_no_distance_are_one_host)
{
	/* Initial TTL 32 at no distance is all zeros, whatever the shape. */
	for (unsigned window = 1000; window < 1600; window += DARK_SHRINK)
		CHECK(HOSTS({22, 32, (uint16_t)window}, {23, 32, (uint16_t)window}, {24, 32, (uint16_t)window}) == 1);
}
