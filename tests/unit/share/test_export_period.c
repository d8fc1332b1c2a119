/* Which file of a scheduled export is due, and which were missed. */
#include "event/event.h"
#include "share/exporting/schedule_inner.h"
#include "tests/test.h"
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define DAY_US UINT64_C(86400000000)

static uint64_t at(const char *text)
{
	uint64_t us = 0;
	CHECK(time_parse(bytes_of_text(text), &us));
	return us;
}

static void touch(int folder, const char *file)
{
	int fd = openat(folder, file, O_WRONLY | O_CREAT, 0600);
	CHECK(fd >= 0);
	close(fd);
}

TEST(exports_are_due_when_their_day_is_over_and_are_made_up_for)
{
	const struct export_options daily = {.name = "d", .every_ms = DAY_US / 1000};
	char path[] = "/tmp/kansoku-exports.XXXXXX";
	struct export_period p;
	CHECK(mkdtemp(path));
	int folder = open(path, O_RDONLY | O_DIRECTORY);
	CHECK(export_period_due(&daily, "csv", folder, at("2015-06-09T00:02:00Z"), &p));
	CHECK_SAY(!strcmp(p.file, "d.20150608T000000Z.csv"), "%s", p.file);
	CHECK(p.from_us == at("2015-06-08") && p.to_us == at("2015-06-09"));
	/* What comes late in the last minute of a day is still in its file. */
	CHECK(export_period_due(&daily, "csv", folder, at("2015-06-09T00:00:30Z"), &p) && p.to_us == at("2015-06-08"));
	touch(folder, "d.20150608T000000Z.csv");
	CHECK(!export_period_due(&daily, "csv", folder, at("2015-06-09T23:00:00Z"), &p));
	/* It did not run for three days: the oldest that is missing is made first. */
	CHECK(export_period_due(&daily, "csv", folder, at("2015-06-12T12:00:00Z"), &p) && p.from_us == at("2015-06-09"));
	touch(folder, p.file);
	CHECK(export_period_due(&daily, "csv", folder, at("2015-06-12T12:00:00Z"), &p) && p.from_us == at("2015-06-10"));
	/* Nor for a month: what is further back than eight days is left to `kansoku export`. */
	CHECK(export_period_due(&daily, "csv", folder, at("2015-07-12T12:00:00Z"), &p) && p.from_us == at("2015-07-11"));
	unlinkat(folder, "d.20150608T000000Z.csv", 0);
	unlinkat(folder, "d.20150609T000000Z.csv", 0);
	close(folder);
	CHECK(rmdir(path) == 0);
}

TEST(exports_of_the_last_days_are_one_file)
{
	const struct export_options list = {.name = "drop", .every_ms = 3600000, .last_ms = 7 * DAY_US / 1000};
	struct export_period p;
	CHECK(export_period_due(&list, "nft", -1, at("2015-06-09T10:20:00Z"), &p));
	CHECK(!strcmp(p.file, "drop.nft") && p.to_us == at("2015-06-09T10:00:00Z") && p.to_us - p.from_us == 7 * DAY_US);
}
