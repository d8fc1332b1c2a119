#include "control/atlas_inner.h"
#include "control/scanners_inner.h"
#include "tests/unit/control/case.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct atlas *a;

static uint32_t as_of(const char *address)
{
	struct address x = address_of(address);
	return atlas_as(a, &x);
}

TEST(atlas_reads_pfx2as_and_finds_the_narrowest)
{
	static const char text[] = "# comment\n8.0.0.0\t8\t3356\n8.8.8.0\t24\t15169\n8.8.0.0\t16\t1_2\n"
				   "8.8.4.0\t24\t7,8\n2001:4860::\t32\t15169\r\nnonsense\n9.0.0.0\t33\t1\n9.0.0.0\t8\tx\n";
	size_t bad_lines = 0;
	CHECK(atlas_new(&a) == 0 && atlas_read_text(a, BYTES(text), &bad_lines) == 0);
	CHECK_SAY(bad_lines == 3, "%zu", bad_lines);
	CHECK(as_of("8.8.8.8") == 15169 && as_of("8.8.9.1") == 1 && as_of("8.8.4.255") == 7 && as_of("8.9.0.1") == 3356);
	CHECK(as_of("7.255.255.255") == 0 && as_of("9.0.0.1") == 0 && as_of("8.255.255.255") == 3356);
	CHECK(as_of("2001:4860:4860::8888") == 15169 && as_of("2001:4861::1") == 0);
	atlas_close(a);
}

/* The smallest database there is: one node, 0.0.0.0/1 with a network and a country, nothing else. */
static const uint8_t smallest[] =
	"\x00\x00\x11\x00\x00\x01" "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
	"\xe2\x58" "autonomous_system_number" "\xc2\xfb\xf4" "\x47" "country" "\xe1\x48" "iso_code" "\x42" "JP"
	"\xab\xcd\xef" "MaxMind.com" "\xe9"
	"\x5b" "binary_format_major_version" "\xa1\x02" "\x5b" "binary_format_minor_version" "\xa0"
	"\x4b" "build_epoch" "\x01\x02\x01" "\x4d" "database_type" "\x44" "Test" "\x4b" "description" "\xe0"
	"\x4a" "ip_version" "\xa1\x04" "\x49" "languages" "\x00\x04" "\x4a" "node_count" "\xc1\x01" "\x4b" "record_size" "\xa1\x18";

TEST(atlas_reads_networks_and_countries_from_an_mmdb)
{
	char path[] = "/tmp/kansoku-atlas-XXXXXX.mmdb";
	struct fault fault = {0};
	int fd = mkstemps(path, 5);
	CHECK(fd >= 0 && write(fd, smallest, sizeof smallest - 1) == sizeof smallest - 1);
	close(fd);
	int bad = atlas_open(&a, path, path, true, &fault);
	unlink(path);
	CHECK_SAY(!bad, "%s", fault.text);
	struct address known = address_of("8.8.8.8"), unknown = address_of("192.0.0.1"), six = address_of("2606:4700::1");
	CHECK(atlas_as(a, &known) == 64500 && atlas_as(a, &unknown) == 0 && atlas_as(a, &six) == 0);
	const struct zone *zone = atlas_zone(a, &known);
	CHECK(zone && zone_offset_s(zone, 1427846400) == 9 * 3600 && !atlas_zone(a, &unknown));
	atlas_close(a);
}

TEST(atlas_refuses_files_that_are_none)
{
	struct fault fault = {0};
	CHECK(atlas_open(&a, "/nowhere/pfx2as", NULL, false, &fault) < 0 && strstr(fault.text, "as_file: /nowhere"));
	CHECK(atlas_open(&a, "/nowhere/as.mmdb", NULL, false, &fault) < 0 && strstr(fault.text, "as_file: /nowhere"));
	CHECK(atlas_open(&a, "/etc/hostname", NULL, false, &fault) < 0 && strstr(fault.text, "no line is of the form"));
}

TEST(scanners_have_names_and_the_narrowest_counts)
{
	static const char text[] = "# name: list\n8.0.0.0/8 Wide survey\n8.8.8.0/24\tNarrow survey\n.survey.example Domain\n2001:db8::/32\n";
	struct scanners s = {0};
	struct fault fault = {0};
	CHECK(scanners_read(&s, BYTES(text), "list", &fault) == 0 && s.count == 3);
	scanners_seal(&s);
	struct address narrow = address_of("8.8.8.8"), wide = address_of("8.9.8.8"), other = address_of("9.9.9.9"),
		       nameless = address_of("2001:db8::1");
	CHECK(!strcmp(scanners_find(&s, &narrow), "Narrow survey") && !strcmp(scanners_find(&s, &wide), "Wide survey"));
	CHECK(!scanners_find(&s, &other) && !*scanners_find(&s, &nameless));
	CHECK(scanners_read(&s, BYTES("\n8.8.8.8/33 x\n"), "list", &fault) == ERR_BAD && strstr(fault.text, "list:2:"));
	scanners_done(&s);
}
