/*
 * All of NVD into an index, and hosts judged by it.
 *
 *   build/plain/program/bench/exposure [CVES] [HOSTS]
 *
 * Feeds of NVD's shape are made by rule (about 3.5 KB a CVE, 1 to 24 names, a fifth of them with "running
 * on"; products as uneven as real ones: of the most common, one CVE in 50), imported file by file,
 * then each host's two to five products are looked up.  Beside it the same hosts by reading every record,
 * for a few hosts.  The last line is JSON.
 */
#include "analysis/exposure/applies_inner.h"
#include "analysis/exposure/index_inner.h"
#include "base/clock.h"
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define FILES 25
#define PRODUCTS 40000u

static uint64_t seed = 2026;

static uint32_t draw(uint32_t below)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((seed >> 33) % below);
}

/* Few are common, most are rare. */
static uint32_t draw_product(void)
{
	uint32_t reach = PRODUCTS >> draw(12);
	return draw(reach ? reach : 1);
}

static double cpu_seconds(void)
{
	struct rusage r;
	getrusage(RUSAGE_SELF, &r);
	return (double)r.ru_utime.tv_sec + (double)r.ru_stime.tv_sec +
	       ((double)r.ru_utime.tv_usec + (double)r.ru_stime.tv_usec) / 1e6;
}

static void put_match(FILE *f, uint32_t product, bool vulnerable, unsigned n)
{
	fprintf(f, "%s{\"vulnerable\":%s,\"criteria\":\"cpe:2.3:a:vendor%u:product%u:", n ? "," : "", vulnerable ? "true" : "false",
		product / 7, product);
	if (draw(3))
		fprintf(f, "*:*:*:*:*:*:*:*\",\"versionStartIncluding\":\"%u.0\",\"versionEndExcluding\":\"%u.%u.%u\"", draw(4),
			4 + draw(6), draw(20), draw(30));
	else
		fprintf(f, "%u.%u.%u:*:*:*:*:*:*:*\"", draw(10), draw(20), draw(30));
	fprintf(f, ",\"matchCriteriaId\":\"8FA7A2A1-0000-4000-8000-%012u\"}", draw(1000000));
}

static void put_cve(FILE *f, unsigned year, unsigned number)
{
	uint32_t product = draw_product();
	bool on = draw(5) == 0;
	fprintf(f, "%s{\"cve\":{\"id\":\"CVE-%u-%04u\",\"sourceIdentifier\":\"cve@mitre.org\",\"published\":\"2020-01-02T03:15:10.133\","
		"\"lastModified\":\"2024-11-21T05:00:00.000\",\"vulnStatus\":\"Modified\",\"descriptions\":[{\"lang\":\"en\",\"value\":\"",
		number ? "," : "", year, number);
	for (unsigned i = 0; i < 20; i++)
		fprintf(f, "A flaw in a part of it lets strangers do what they must not. ");
	fprintf(f, "\"}],\"metrics\":{\"cvssMetricV31\":[{\"type\":\"Primary\",\"cvssData\":{\"version\":\"3.1\",\"baseScore\":%u.%u}}]},"
		"\"configurations\":[{%s\"nodes\":[{\"operator\":\"OR\",\"negate\":false,\"cpeMatch\":[", draw(10), draw(10),
		on ? "\"operator\":\"AND\"," : "");
	for (unsigned i = 0, matches = 1 + draw(1u + draw(24)); i < matches; i++)
		put_match(f, product, true, i);
	if (on) {
		fprintf(f, "]},{\"operator\":\"OR\",\"negate\":false,\"cpeMatch\":[");
		put_match(f, draw_product(), false, 0);
	}
	fprintf(f, "]}]}],\"references\":[");
	for (unsigned i = 0; i < 8; i++)
		fprintf(f, "%s{\"url\":\"https://www.example.org/advisories/%u/%u\",\"source\":\"cve@mitre.org\",\"tags\":[\"Patch\","
			"\"Third Party Advisory\"]}", i ? "," : "", year, draw(1000000));
	fprintf(f, "]}}");
}

static uint64_t put_feed(FILE *f, unsigned year, unsigned cves)
{
	if (ftruncate(fileno(f), 0) || fseek(f, 0, SEEK_SET))
		abort();
	fprintf(f, "{\"format\":\"NVD_CVE\",\"version\":\"2.0\",\"vulnerabilities\":[");
	for (unsigned i = 0; i < cves; i++)
		put_cve(f, year, i);
	fprintf(f, "]}");
	if (fflush(f) || ferror(f))
		abort();
	uint64_t bytes = (uint64_t)ftell(f);
	if (lseek(fileno(f), 0, SEEK_SET))
		abort();
	return bytes;
}

struct sum {
	uint64_t found;
};

static bool count(void *arg, const struct weakness *w)
{
	struct sum *s = arg;
	s->found += w->cve[0] != '\0';
	return true;
}

static size_t draw_host(struct software *s, char texts[5][96])
{
	size_t n = 2 + draw(4);
	for (size_t i = 0; i < n; i++) {
		uint32_t product = draw_product();
		snprintf(texts[i], sizeof texts[i], "cpe:2.3:a:vendor%u:product%u:%u.%u.%u:*:*:*:*:*:*:*", product / 7, product,
			 draw(10), draw(20), draw(30));
		s[i] = (struct software){bytes_of_text(texts[i]), BYTES("banner"), BYTES("rule:1"), 80, 90};
	}
	return n;
}

/* Without an index by product: every record, for every host. */
static double seconds_of_a_walk(const struct weaknesses *w, unsigned hosts)
{
	static struct host h;
	struct software software[5];
	char texts[5][96];
	double began = cpu_seconds();
	for (unsigned i = 0; i < hosts; i++) {
		host_open(&h, NULL, software, draw_host(software, texts));
		for (uint32_t c = 0; c < w->counts[SECTION_CVES]; c++) {
			struct index_cve cve = index_cve(w, c);
			struct reader r = reader_of_bytes(index_record(w, &cve));
			struct record_head head;
			struct applied a;
			if (record_read_head(&r, &head))
				record_applies(&r, &head, &h, &a);
		}
	}
	return (cpu_seconds() - began) / hosts;
}

int main(int argc, char **argv)
{
	unsigned cves = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 250000;
	unsigned hosts = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 20000;
	char folder[] = "/tmp/kansoku-bench.XXXXXX", path[64];
	struct fault fault = {0};
	struct import *import;
	struct rusage usage;
	uint64_t bytes = 0;
	double importing = 0;
	FILE *feed = tmpfile();
	if (!feed || !mkdtemp(folder))
		abort();
	snprintf(path, sizeof path, "%s/weaknesses", folder);
	if (import_open(&import, path, &fault))
		abort();
	for (unsigned f = 0; f < FILES; f++) {
		bytes += put_feed(feed, 2000 + f, cves / FILES);
		double began = cpu_seconds();
		if (import_take(import, IMPORT_NVD, fileno(feed), "feed", &fault))
			abort();
		importing += cpu_seconds() - began;
	}
	double began = cpu_seconds();
	if (import_finish(import, &fault))
		abort();
	importing += cpu_seconds() - began;
	import_close(import);
	getrusage(RUSAGE_SELF, &usage);
	fclose(feed);

	struct weaknesses *w;
	int fd = open(path, O_RDONLY);
	if (fd < 0 || weaknesses_open(&w, fd, path, &fault))
		abort();
	struct sum sum = {0};
	uint64_t candidates = 0;
	began = cpu_seconds();
	for (unsigned i = 0; i < hosts; i++) {
		struct software software[5];
		char texts[5][96];
		size_t n = draw_host(software, texts);
		candidates += weaknesses_find(w, NULL, software, n, count, &sum);
	}
	double judging = cpu_seconds() - began, walk = seconds_of_a_walk(w, 3);
	const struct weaknesses_size size = weaknesses_size(w);
	printf("{\"cves\":%llu,\"feed_mb\":%.0f,\"import_s\":%.1f,\"import_mb_s\":%.0f,\"memory_mb\":%.0f,\"index_mb\":%.0f,"
	       "\"hosts_s\":%.0f,\"candidates_a_host\":%.0f,\"found_a_host\":%.1f,\"walk_hosts_s\":%.2f,\"ratio\":%.0f}\n",
	       (unsigned long long)size.cves, (double)bytes / 1e6, importing, (double)bytes / 1e6 / importing,
	       (double)usage.ru_maxrss / 1024, (double)size.bytes / 1e6, hosts / judging, (double)candidates / hosts,
	       (double)sum.found / hosts, 1 / walk, hosts / judging * walk);
	weaknesses_close(w);
	close(fd);
	unlink(path);
	return rmdir(folder) != 0;
}
