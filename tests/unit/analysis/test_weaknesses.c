#include "base/place.h"
#include "tests/test.h"
#include "tests/unit/analysis/feeds.h"
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

static struct products *products(void)
{
	static uint8_t text[1 << 16];
	char path[PLACE_PATH_MAX], file[PLACE_PATH_MAX + 32];
	struct products *p;
	struct fault fault = {0};
	CHECK(place_find("exposures", path) == 0);
	snprintf(file, sizeof file, "%s/products.yaml", path);
	int fd = open(file, O_RDONLY);
	ssize_t n = read(fd, text, sizeof text);
	close(fd);
	CHECK(n > 0 && n < (ssize_t)sizeof text);
	CHECK_SAY(products_open(&p, (struct bytes){text, (size_t)n}, "products.yaml", &fault) == 0, "%s", fault.text);
	return p;
}

struct found {
	char text[4096];
	struct weakness last;
	char summary[400];
};

static bool note(void *arg, const struct weakness *w)
{
	struct found *f = arg;
	size_t used = strlen(f->text);
	snprintf(f->text + used, sizeof f->text - used, "%s%s%s%s", used ? " " : "", w->cve, w->possibly ? "?" : "",
		 w->distribution ? "~" : "");
	f->last = *w;
	snprintf(f->summary, sizeof f->summary, "%.*s", (int)w->summary.len, (const char *)w->summary.at);
	return true;
}

/* The CVEs of those lines of software; "?" possibly, "~" a distribution's build. */
static const struct found *found(const char *lines)
{
	static struct found f;
	struct software software[SOFTWARE_MAX];
	struct weaknesses *w = feeds_open();
	struct products *p = products();
	memset(&f, 0, sizeof f);
	size_t n = software_read(bytes_of_text(lines), software);
	weaknesses_find(w, p, software, n, note, &f);
	products_close(p);
	weaknesses_close(w);
	return &f;
}

#define FINDS(lines, cves) CHECK_SAY(!strcmp(found(lines)->text, cves), "%s: %s", lines, found(lines)->text)

static const char feed[] = NVD(
	CVE("CVE-2021-41617", "2023-12-26T04:15:07.000", "7.0",
	    "{\"nodes\":[" OR_NODE(MATCH("true", "a:openbsd:openssh:*:*:*:*:*:*:*:*",
	    ",\"versionStartIncluding\":\"6.2\",\"versionEndExcluding\":\"8.8\"")) "]}") ","
	CVE("CVE-2018-15473", "2023-02-23T23:13:00.000", "5.3",
	    "{\"nodes\":[" OR_NODE(MATCH("true", "a:openbsd:openssh:*:*:*:*:*:*:*:*", ",\"versionEndIncluding\":\"7.7\"")) "]}") ","
	CVE("CVE-2016-10708", "2022-09-01T00:00:00.000", "7.5",
	    "{\"nodes\":[" OR_NODE(MATCH("true", "a:openbsd:openssh:7.3:p1:*:*:*:*:*:*", "")) "]}") ","
	CVE("CVE-2021-23017", "2023-11-07T00:00:00.000", "7.7",
	    "{\"nodes\":[" OR_NODE(MATCH("true", "a:f5:nginx:*:*:*:*:*:*:*:*",
	    ",\"versionStartIncluding\":\"0.6.18\",\"versionEndExcluding\":\"1.20.1\"")) "]}") ","
	CVE("CVE-2022-0543", "2024-01-01T00:00:00.000", "10.0",
	    "{\"operator\":\"AND\",\"nodes\":[" OR_NODE(MATCH("true", "a:redis:redis:-:*:*:*:*:*:*:*", "") ","
	    MATCH("true", "a:redis:redis:*:*:*:*:*:*:*:*", "")) ","
	    OR_NODE(MATCH("false", "o:debian:debian_linux:10.0:*:*:*:*:*:*:*", "") ","
	    MATCH("false", "o:canonical:ubuntu_linux:20.04:*:*:*:lts:*:*:*", "")) "]}") ","
	CVE("CVE-2020-0796", "2024-07-01T00:00:00.000", "9.8",
	    "{\"operator\":\"AND\",\"nodes\":[" OR_NODE(MATCH("true", "a:acme:server:*:*:*:*:*:*:*:*",
	    ",\"versionEndExcluding\":\"2.0\"")) "," OR_NODE(MATCH("false", "o:microsoft:windows:-:*:*:*:*:*:*:*", "")) "]}") ","
	CVE("CVE-2019-0001", "2024-07-01T00:00:00.000", "4.0",
	    "{\"nodes\":[" OR_NODE(MATCH("true", "a:ntp:ntp:*:*:*:*:*:*:*:*", ",\"versionEndIncluding\":\"4.2.8\"")) "]}") ","
	CVE("CVE-2019-0002", "2024-07-01T00:00:00.000", "4.0",
	    "{\"nodes\":[" OR_NODE(MATCH("true", "a:acme:plug\\\\-in\\\\!:1.*:*:*:*:*:wordpress:*:*", "")) "]}"));

TEST(weaknesses_are_found_by_name_and_version)
{
	struct fault fault = {0};
	struct weaknesses_counts counts;
	feeds_begin();
	CHECK_SAY(feeds_import(IMPORT_NVD, feed, &fault, &counts) == 0, "%s", fault.text);
	CHECK(counts.cves == 8 && counts.bad == 0 && counts.newer == 8);
	CHECK(feeds_import(IMPORT_KEV, KEV(KNOWN("CVE-2022-0543", "2022-03-28") "," KNOWN("CVE-2018-15473", "2022-01-01")),
			   &fault, &counts) == 0 && counts.known == 2);
	FINDS("22 90 ssh:1 cpe:/a:openbsd:openssh:8.7p1 OpenSSH_8.7p1", "CVE-2021-41617");
	FINDS("22 90 ssh:1 cpe:/a:openbsd:openssh:8.8p1 OpenSSH_8.8p1", "");
	FINDS("22 90 ssh:1 cpe:/a:openbsd:openssh:6.1p1 OpenSSH_6.1p1", "CVE-2018-15473");
	/* Up to 7.7 includes 7.7's portable release; 7.3p1 is named by itself. */
	FINDS("22 90 ssh:1 cpe:/a:openbsd:openssh:7.7p1 OpenSSH_7.7p1", "CVE-2018-15473 CVE-2021-41617");
	FINDS("22 90 ssh:1 cpe:2.3:a:openbsd:openssh:7.3:p1:*:*:*:*:*:* -", "CVE-2016-10708 CVE-2018-15473 CVE-2021-41617");
	FINDS("22 90 ssh:1 cpe:/a:openbsd:openssh:7.3p2 -", "CVE-2018-15473 CVE-2021-41617");
	/* Debian repairs without another number. */
	FINDS("22 90 ssh:1 cpe:/a:openbsd:openssh:8.4p1 OpenSSH_8.4p1 Debian-5+deb11u1", "CVE-2021-41617~");
	/* No version, no claim. */
	FINDS("22 90 ssh:1 cpe:/a:openbsd:openssh:- OpenSSH", "");
	FINDS("22 90 ssh:1 cpe:/a:openbsd:openssh OpenSSH", "");
	/* Igor Sysoev's nginx is F5's. */
	FINDS("80 85 http:1 cpe:/a:igor_sysoev:nginx:1.18.0 nginx/1.18.0", "CVE-2021-23017");
	FINDS("80 85 http:1 cpe:/a:f5:nginx:1.20.1 nginx/1.20.1", "");
	FINDS("80 85 http:1 cpe:2.3:a:*:nginx:1.18.0:*:*:*:*:*:*:* nginx/1.18.0", "CVE-2021-23017");
	/* 4.2.8p10 may be one that "up to 4.2.8" means. */
	FINDS("123 85 ntp:1 cpe:/a:ntp:ntp:4.2.8p10 ntpd", "CVE-2019-0001?");
	FINDS("123 85 ntp:1 cpe:/a:ntp:ntp:4.2.9 ntpd", "");
	/* A quoted name, a pattern for the version, and a system that is not known. */
	FINDS("80 85 x:1 cpe:2.3:a:acme:plug\\-in\\!:1.7:*:*:*:*:*:*:* x", "CVE-2019-0002?");
	FINDS("80 85 x:1 cpe:2.3:a:acme:plug\\-in\\!:1.7:*:*:*:*:joomla:*:* x", "");
	FINDS("80 85 x:1 cpe:2.3:a:acme:plug\\-in\\!:2.7:*:*:*:*:wordpress:*:* x", "");
	FINDS("no line at all\n99999 1 a cpe:/a:f5:nginx:1.0\n80 101 b cpe:/a:f5:nginx:1.0\n80 1 c nginx", "");
	feeds_end();
}

TEST(weaknesses_depend_on_what_else_is_there)
{
	struct fault fault = {0};
	feeds_begin();
	CHECK_SAY(feeds_import(IMPORT_NVD, feed, &fault, NULL) == 0, "%s", fault.text);
	CHECK(feeds_import(IMPORT_KEV, KEV(KNOWN("CVE-2022-0543", "2022-03-28")), &fault, NULL) == 0);
	const struct found *f = found("6379 80 redis:1 cpe:/a:redis:redis:6.0 redis");
	CHECK_SAY(!strcmp(f->text, "CVE-2022-0543?"), "%s", f->text);
	CHECK_SAY(!strcmp(f->last.condition, "only with debian:debian_linux or another of 2"), "%s", f->last.condition);
	CHECK(f->last.known && f->last.ransomware && f->last.added_us == 1648425600000000u);
	CHECK(f->last.score == 100 && f->last.cvss == 31 && !strcmp(weakness_severity(&f->last), "critical"));
	CHECK(f->last.port == 6379 && f->last.confidence == 36 && !strcmp(f->summary, "A \"flaw\" in {braces} of CVE-2022-0543"));
	FINDS("6379 80 redis:1 cpe:/a:redis:redis:6.0 redis\n22 90 ssh:1 cpe:/o:debian:debian_linux:10.0 x", "CVE-2022-0543");
	/* Of another version of that system: then it would have to be the other system that NVD names. */
	FINDS("6379 80 redis:1 cpe:/a:redis:redis:6.0 redis\n22 90 ssh:1 cpe:/o:debian:debian_linux:11.0 x", "CVE-2022-0543?");
	FINDS("80 80 x:1 cpe:/a:acme:server:1.0 x", "CVE-2020-0796?");
	FINDS("80 80 x:1 cpe:/a:acme:server:1.0 x\n80 80 x:1 cpe:/o:linux:linux_kernel y", "");
	FINDS("80 80 x:1 cpe:/a:acme:server:1.0 x\n80 80 x:1 cpe:/o:microsoft:windows:- y", "CVE-2020-0796?");
	f = found("80 80 x:1 cpe:/a:acme:server:1.0 x");
	CHECK_SAY(!strcmp(f->last.criteria, "cpe:2.3:a:acme:server before 2.0"), "%s", f->last.criteria);
	CHECK_SAY(!strcmp(f->last.cpe, "cpe:2.3:a:acme:server:1.0:*:*:*:*:*:*:*"), "%s", f->last.cpe);
	feeds_end();
}

/* CVE-2010-0001 as the older feeds wrote it: children below an AND, and a node alone. */
static const char older[] =
	"{\"CVE_data_type\":\"CVE\",\"CVE_data_format\":\"MITRE\",\"CVE_data_version\":\"4.0\",\"CVE_data_numberOfCVEs\":\"2\","
	"\"CVE_data_timestamp\":\"2023-11-20T08:00Z\",\"CVE_Items\":[{\"cve\":{\"data_type\":\"CVE\",\"CVE_data_meta\":{\"ID\":"
	"\"CVE-2010-0001\",\"ASSIGNER\":\"x\"},\"description\":{\"description_data\":[{\"lang\":\"en\",\"value\":\"old\"}]}},"
	"\"configurations\":{\"CVE_data_version\":\"4.0\",\"nodes\":[{\"operator\":\"AND\",\"children\":[{\"operator\":\"OR\","
	"\"children\":[],\"cpe_match\":[{\"vulnerable\":true,\"cpe23Uri\":\"cpe:2.3:o:acme:cam_firmware:*:*:*:*:*:*:*:*\","
	"\"versionEndExcluding\":\"2.1\",\"cpe_name\":[]}]},{\"operator\":\"OR\",\"children\":[],\"cpe_match\":[{\"vulnerable\":"
	"false,\"cpe23Uri\":\"cpe:2.3:h:acme:cam:-:*:*:*:*:*:*:*\",\"cpe_name\":[]}]}],\"cpe_match\":[]}]},\"impact\":{"
	"\"baseMetricV2\":{\"cvssV2\":{\"version\":\"2.0\",\"baseScore\":6.8},\"severity\":\"MEDIUM\"}},\"publishedDate\":"
	"\"2010-01-29T18:30Z\",\"lastModifiedDate\":\"2018-10-10T19:48Z\"},{\"cve\":{\"CVE_data_meta\":{\"ID\":\"CVE-2010-12345\"},"
	"\"description\":{\"description_data\":[]}},\"configurations\":{\"nodes\":[{\"operator\":\"OR\",\"children\":[],"
	"\"cpe_match\":[{\"vulnerable\":true,\"cpe23Uri\":\"cpe:2.3:a:acme:web:1.5:beta2:*:*:*:*:*:*\",\"cpe_name\":[]}]}]},"
	"\"impact\":{\"baseMetricV3\":{\"cvssV3\":{\"version\":\"3.0\",\"baseScore\":9.1}}},\"publishedDate\":\"2010-01-29T18:30Z\","
	"\"lastModifiedDate\":\"2018-10-10T19:48Z\"}]}";

TEST(weaknesses_of_the_older_feeds)
{
	struct fault fault = {0};
	struct weaknesses_counts counts;
	feeds_begin();
	CHECK_SAY(feeds_import(IMPORT_NVD, older, &fault, &counts) == 0 && counts.cves == 2, "%s", fault.text);
	FINDS("80 80 x:1 cpe:/o:acme:cam_firmware:2.0 x", "CVE-2010-0001?");
	FINDS("80 80 x:1 cpe:/o:acme:cam_firmware:2.0 x\n80 80 x:1 cpe:/h:acme:cam:- x", "CVE-2010-0001?");
	FINDS("80 80 x:1 cpe:/o:acme:cam_firmware:2.10 x", "");
	CHECK(found("80 80 x:1 cpe:/o:acme:cam_firmware:2.0 x")->last.cvss == 20);
	FINDS("80 80 x:1 cpe:/a:acme:web:1.5-beta2 x", "CVE-2010-12345");
	FINDS("80 80 x:1 cpe:/a:acme:web:1.5-beta3 x", "");
	FINDS("80 80 x:1 cpe:/a:acme:web:1.5 x", "CVE-2010-12345?");
	CHECK(found("80 80 x:1 cpe:/a:acme:web:1.5-beta2 x")->last.cvss == 30);
	feeds_end();
}

#define ONE(modified, bound) \
	NVD(CVE("CVE-2024-0001", modified, "5.0", "{\"nodes\":[" OR_NODE(MATCH("true", "a:acme:web:*:*:*:*:*:*:*:*", \
	",\"versionEndExcluding\":\"" bound "\"")) "]}"))

TEST(weaknesses_are_updated_by_what_is_newer)
{
	struct fault fault = {0};
	struct weaknesses_counts counts;
	feeds_begin();
	CHECK(feeds_import(IMPORT_NVD, ONE("2024-02-01T00:00:00.000", "2.0"), &fault, &counts) == 0 && counts.newer == 1);
	FINDS("80 80 x:1 cpe:/a:acme:web:3 x", "");
	CHECK(feeds_import(IMPORT_NVD, ONE("2024-03-01T00:00:00.000", "4.0"), &fault, &counts) == 0 && counts.newer == 1);
	FINDS("80 80 x:1 cpe:/a:acme:web:3 x", "CVE-2024-0001");
	/* The same file again is not read; an older one changes nothing. */
	CHECK(feeds_import(IMPORT_NVD, ONE("2024-03-01T00:00:00.000", "4.0"), &fault, &counts) == 0);
	CHECK(counts.unchanged == 1 && counts.cves == 0);
	CHECK(feeds_import(IMPORT_NVD, ONE("2024-01-01T00:00:00.000", "9.0"), &fault, &counts) == 0 && counts.older == 1);
	FINDS("80 80 x:1 cpe:/a:acme:web:3 x", "CVE-2024-0001");
	FINDS("80 80 x:1 cpe:/a:acme:web:5 x", "");
	/* Others stay when a new one comes, and a rejected one goes. */
	CHECK(feeds_import(IMPORT_NVD, feed, &fault, NULL) == 0);
	FINDS("80 80 x:1 cpe:/a:acme:web:3 x", "CVE-2024-0001");
	FINDS("22 90 ssh:1 cpe:/a:openbsd:openssh:8.7p1 -", "CVE-2021-41617");
	CHECK(feeds_import(IMPORT_NVD, NVD("{\"cve\":{\"id\":\"CVE-2024-0001\",\"vulnStatus\":\"Rejected\",\"lastModified\":"
					   "\"2025-01-01T00:00:00.000\",\"descriptions\":[]}}"), &fault, NULL) == 0);
	FINDS("80 80 x:1 cpe:/a:acme:web:3 x", "");
	/* KEV is replaced as a whole. */
	CHECK(feeds_import(IMPORT_KEV, KEV(KNOWN("CVE-2021-41617", "2022-03-28")), &fault, &counts) == 0 && counts.known == 1);
	CHECK(found("22 90 ssh:1 cpe:/a:openbsd:openssh:8.7p1 -")->last.known);
	CHECK(feeds_import(IMPORT_KEV, KEV(KNOWN("CVE-2022-0543", "2022-03-28")), &fault, &counts) == 0 && counts.known == 1);
	CHECK(!found("22 90 ssh:1 cpe:/a:openbsd:openssh:8.7p1 -")->last.known);
	feeds_end();
}

TEST(weaknesses_from_packed_files)
{
	static uint8_t packed[1 << 16];
	struct fault fault = {0};
	struct weaknesses_counts counts;
	z_stream z = {.next_in = (uint8_t *)(uintptr_t)feed, .avail_in = sizeof feed - 1, .next_out = packed,
		      .avail_out = sizeof packed};
	CHECK(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK && deflate(&z, Z_FINISH) == Z_STREAM_END);
	struct bytes all = {packed, z.total_out};
	deflateEnd(&z);
	feeds_begin();
	CHECK(feeds_import_bytes(IMPORT_NVD, (struct bytes){all.at, all.len - 20}, &fault, &counts) == ERR_BAD);
	CHECK_SAY(strstr(fault.text, "no whole JSON or gzip file"), "%s", fault.text);
	CHECK(feeds_import_bytes(IMPORT_NVD, all, &fault, &counts) == 0 && counts.cves == 8 && counts.unchanged == 0);
	FINDS("22 90 ssh:1 cpe:/a:openbsd:openssh:8.7p1 -", "CVE-2021-41617");
	feeds_end();
}

TEST(weaknesses_of_files_that_are_none)
{
	static const struct {
		int kind;
		const char *text, *complaint;
	} cases[] = {
		{IMPORT_NVD, "", "no whole JSON"},
		{IMPORT_NVD, "[1,2]", "no whole JSON"},
		{IMPORT_NVD, "{\"vulnerabilities\":[{\"cve\":", "no whole JSON"},
		{IMPORT_NVD, KEV(KNOWN("CVE-2022-0543", "2022-03-28")), "not an NVD feed"},
		{IMPORT_KEV, NVD(CVE("CVE-2022-0543", "2024-01-01T00:00:00.000", "1.0", "")), "not CISA's KEV"},
		{IMPORT_NVD, "{\"vulnerabilities\":[{\"cve\":{\"id\":\"CVE-x\"}}]}", "not an NVD feed"},
		{IMPORT_KEV, "{\"a\":[{\"cveID\":\"CVE-2020-1234\"}]} trailing", "no whole JSON"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct fault fault = {0};
		feeds_begin();
		CHECK_SAY(feeds_import(cases[i].kind, cases[i].text, &fault, NULL) == ERR_BAD, "%s", cases[i].text);
		CHECK_SAY(strstr(fault.text, cases[i].complaint), "%s: %s", cases[i].text, fault.text);
		feeds_end();
	}
}

/* A damaged index is refused, or gives less; it is never believed. */
TEST(weaknesses_of_a_damaged_index)
{
	struct fault fault = {0};
	const char *path = feeds_begin();
	CHECK(feeds_import(IMPORT_NVD, feed, &fault, NULL) == 0);
	FILE *file = fopen(path, "r+");
	static uint8_t all[1 << 16], damaged[1 << 16];
	size_t len = fread(all, 1, sizeof all, file);
	CHECK(len > 500 && len < sizeof all);
	uint64_t seed = 1, opened = 0;
	struct software software[SOFTWARE_MAX];
	size_t n = software_read(BYTES("22 90 s:1 cpe:/a:openbsd:openssh:7.3p1 x\n6379 9 r:1 cpe:/a:redis:redis:6 x"), software);
	for (int round = 0; round < 2000; round++) {
		static struct found f;
		struct weaknesses *w;
		memcpy(damaged, all, len);
		for (int k = 0; k < 4; k++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			damaged[(seed >> 33) % len] ^= (uint8_t)(1u << (seed >> 29 & 7));
		}
		CHECK(fseek(file, 0, SEEK_SET) == 0 && fwrite(damaged, 1, len, file) == len && fflush(file) == 0);
		if (weaknesses_open(&w, fileno(file), path, &fault))
			continue;
		opened++;
		f.text[0] = '\0';
		weaknesses_find(w, NULL, software, n, note, &f);
		weaknesses_close(w);
	}
	CHECK(opened > 0);
	CHECK(ftruncate(fileno(file), 40) == 0);
	struct weaknesses *w;
	CHECK(weaknesses_open(&w, fileno(file), path, &fault) == ERR_BAD && strstr(fault.text, "import nvd"));
	fclose(file);
	feeds_end();
}
