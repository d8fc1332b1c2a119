#include "base/zone.h"
#include "tests/test.h"
#include <stdlib.h>
#include <time.h>

static struct zone z;

/* libc's answer for the same zone: another reader of the same files. */
static int32_t libc_offset(const char *name, time_t at)
{
	struct tm tm;
	setenv("TZ", name, 1);
	tzset();
	localtime_r(&at, &tm);
	return (int32_t)tm.tm_gmtoff;
}

TEST(zone_tells_local_time_as_libc_does)
{
	static const char *const names[] = {"Asia/Tokyo", "Europe/Berlin", "America/New_York", "Australia/Sydney", "Asia/Kolkata",
					    "America/Sao_Paulo", "Africa/Casablanca", "Asia/Tehran", "Europe/Dublin", "America/Nuuk"};
	struct fault fault;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (zone_open(names[i], &z, &fault))
			SKIP("there is no tzdata here");
		for (int64_t at = 0; at < 4102444800; at += 86400 * 9 + 3607) { /* until 2100 */
			int32_t got = zone_offset_s(&z, at), right = libc_offset(names[i], (time_t)at);
			CHECK_SAY(got == right, "%s at %lld: %d, libc %d", names[i], (long long)at, got, right);
		}
	}
	unsetenv("TZ");
	tzset();
}

TEST(zone_changes_to_the_second_by_table_and_by_rule)
{
	struct fault fault;
	if (zone_open("Europe/Berlin", &z, &fault))
		SKIP("there is no tzdata here");
	CHECK(zone_offset_s(&z, 1427590799) == 3600 && zone_offset_s(&z, 1427590800) == 7200); /* 2015-03-29 01:00 UTC */
	CHECK(zone_open("UTC", &z, &fault) == 0 && zone_offset_s(&z, 1427590800) == 0);
}

TEST(zone_refuses_what_is_none)
{
	struct fault fault = {0};
	CHECK(zone_open("../../../etc/passwd", &z, &fault) == ERR_MISSING);
	CHECK(zone_open("Mars/Olympus", &z, &fault) == ERR_MISSING && strstr(fault.text, "Mars/Olympus"));
	CHECK(zone_open("", &z, &fault) == ERR_MISSING && zone_open("zone.tab", &z, &fault) == ERR_MISSING);
	CHECK(zone_read(BYTES("TZif2"), &z) == ERR_BAD && zone_read(BYTES(""), &z) == ERR_BAD);
}
