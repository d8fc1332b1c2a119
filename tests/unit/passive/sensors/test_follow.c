/* Following files: torn lines, rotations, and going on at a place. */
#include "passive/sensors/follow.h"
#include "passive/sensors/sensor_format.h"
#include "tests/test.h"
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64], path[96], moved[96];
static uint64_t now_us;

static void begin(void)
{
	snprintf(folder, sizeof folder, "/tmp/kansoku-follow.XXXXXX");
	CHECK(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/eve.json", folder);
	snprintf(moved, sizeof moved, "%s/eve.json.1", folder);
	now_us = 1000000;
}

static void put(const char *file, const char *text, int flags)
{
	int fd = open(file, O_WRONLY | O_CREAT | flags, 0600);
	CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static void end(struct follow *f)
{
	follow_close(f);
	unlink(path);
	unlink(moved);
	rmdir(folder);
}

/* All lines there are after a while, joined by commas. */
static const char *lines(struct follow *f)
{
	static char all[256];
	struct follow_line l;
	all[0] = '\0';
	for (int i = 0; i < 4; i++, now_us += 2 * FOLLOW_GRACE_US)
		while (follow_next(f, now_us, &l))
			snprintf(all + strlen(all), sizeof all - strlen(all), "%.*s%s,", (int)l.line.len, l.line.at,
				 l.too_long ? "long" : "");
	return all;
}

#define READS(f, text)                                                                             \
	do {                                                                                       \
		const char *got = lines(f);                                                        \
		CHECK_SAY(!strcmp(got, text), "%s", got);                                          \
	} while (0)

TEST(follow_waits_for_the_end_of_a_line)
{
	struct follow *f;
	begin();
	CHECK(follow_open(&f, path, NULL) == 0 && follow_trouble(f)); /* not there yet */
	READS(f, "");
	put(path, "one\ntw", O_APPEND);
	READS(f, "one,");
	put(path, "o\r\n\nthree\n", O_APPEND);
	READS(f, "two,,three,");
	end(f);
}

TEST(follow_over_a_rename)
{
	struct follow *f;
	begin();
	put(path, "one\n", 0);
	CHECK(follow_open(&f, path, NULL) == 0);
	READS(f, "one,");
	CHECK(rename(path, moved) == 0);
	put(moved, "two\nthr", O_APPEND); /* the writer goes on in the old one */
	put(path, "four\n", 0);
	READS(f, "two,thr,four,");
	CHECK(follow_lost(f) == 0);
	end(f);
}

TEST(follow_over_copy_and_truncate)
{
	struct follow *f;
	begin();
	put(path, "one\n", 0);
	CHECK(follow_open(&f, path, NULL) == 0);
	READS(f, "one,");
	put(moved, "one\ntwo\n", 0);
	put(path, "a longer line than before\n", O_TRUNC); /* longer than where we were */
	READS(f, "two,a longer line than before,");
	CHECK(follow_lost(f) == 0);
	put(path, "x\n", O_TRUNC); /* and without a copy */
	unlink(moved);
	READS(f, "x,");
	CHECK(follow_lost(f) == 1);
	end(f);
}

TEST(follow_goes_on_at_a_place)
{
	struct follow *f;
	struct follow_place p, q;
	struct follow_line l;
	uint8_t bytes[FOLLOW_PLACE_BYTES];
	begin();
	put(path, "one\ntwo\nthree\n", 0);
	CHECK(follow_open(&f, path, NULL) == 0 && follow_next(f, now_us, &l) && follow_next(f, now_us, &l));
	CHECK(l.offset == 4 && !l.begins);
	uint64_t generation = l.generation;
	follow_where(f, &p);
	place_write(&p, bytes);
	CHECK(place_read((struct bytes){bytes, sizeof bytes}, &q) && !memcmp(&p, &q, sizeof p));
	bytes[20] ^= 1;
	CHECK(!place_read((struct bytes){bytes, sizeof bytes}, &q));
	follow_close(f);
	CHECK(rename(path, moved) == 0); /* while nobody looked */
	put(path, "four\n", 0);
	CHECK(follow_open(&f, path, &p) == 0 && follow_next(f, now_us, &l));
	CHECK(bytes_equal_text(l.line, "three") && l.generation == generation && l.offset == 8);
	READS(f, "four,");
	end(f);
}

TEST(follow_skips_what_is_too_long)
{
	struct follow *f;
	begin();
	char *text = malloc(3 * SENSOR_LINE_MAX);
	memset(text, 'x', 3 * SENSOR_LINE_MAX);
	text[3 * SENSOR_LINE_MAX - 3] = '\n';
	text[3 * SENSOR_LINE_MAX - 2] = '\n';
	text[3 * SENSOR_LINE_MAX - 1] = '\0';
	put(path, text, 0);
	put(path, "next\n", O_APPEND);
	CHECK(follow_open(&f, path, NULL) == 0);
	READS(f, "long,,next,");
	free(text);
	end(f);
}

TEST(follow_notices_that_a_torn_line_was_cut)
{
	struct follow *f;
	begin();
	put(path, "to", 0); /* the first line, so no place has a digest */
	CHECK(follow_open(&f, path, NULL) == 0);
	READS(f, "");
	put(path, "another\n", O_TRUNC);
	READS(f, "another,");
	CHECK(follow_lost(f) == 1);
	put(path, "torn", O_APPEND);
	READS(f, "");
	put(moved, "another\ntorn off\n", 0);
	put(path, "a new file, longer than the old one was\n", O_TRUNC);
	READS(f, "torn off,a new file, longer than the old one was,");
	CHECK(follow_lost(f) == 1);
	end(f);
}

TEST(follow_is_cut_between_two_lines_of_a_turn)
{
	struct follow *f;
	struct follow_line l;
	begin();
	put(path, "one\ntwo\n", 0);
	CHECK(follow_open(&f, path, NULL) == 0 && follow_next(f, now_us, &l)); /* "two" is read, not taken */
	put(moved, "one\ntwo\nthree\n", 0);
	put(path, "four\n", O_TRUNC);
	READS(f, "two,three,four,");
	CHECK(follow_lost(f) == 0);
	end(f);
}

TEST(follow_is_not_misled_by_an_inode)
{
	struct follow *f;
	struct follow_place p;
	begin();
	put(path, "one\n", 0);
	CHECK(follow_open(&f, path, NULL) == 0);
	READS(f, "one,");
	follow_where(f, &p);
	follow_close(f);
	put(path, "uno\ndos\n", O_TRUNC); /* the same inode, another log */
	CHECK(follow_open(&f, path, &p) == 0 && follow_lost(f) == 1);
	READS(f, "uno,dos,");
	end(f);
}

/* Not there, or closed to us, while we come back: it is not another file for that. */
TEST(follow_keeps_its_place_while_there_is_no_log)
{
	struct follow *f;
	struct follow_place p, q;
	struct follow_line l;
	begin();
	put(path, "#head\none\n", 0);
	CHECK(follow_open(&f, path, NULL) == 0 && follow_next(f, now_us, &l));
	follow_header(f, l.offset);
	READS(f, "one,");
	follow_where(f, &p);
	follow_close(f);
	char away[96];
	snprintf(away, sizeof away, "%s.away", folder);
	CHECK(rename(folder, away) == 0);
	CHECK(follow_open(&f, path, &p) == 0);
	READS(f, "");
	CHECK_SAY(!strcmp(follow_trouble(f), "the log is not there"), "%s", follow_trouble(f));
	follow_where(f, &q);
	CHECK(!memcmp(&p, &q, sizeof p));
	CHECK(rename(away, folder) == 0);
	put(path, "two\n", O_APPEND);
	now_us += FOLLOW_GRACE_US;
	CHECK(follow_next(f, now_us, &l) && bytes_equal_text(l.line, "two") && l.resumes && !l.begins);
	CHECK(follow_lost(f) == 0 && !follow_trouble(f));
	end(f);
}

TEST(follow_says_why_it_cannot_read)
{
	struct follow *f;
	begin();
	CHECK(mkdir(path, 0700) == 0);
	CHECK(follow_open(&f, path, NULL) == 0);
	READS(f, "");
	CHECK(!strcmp(follow_trouble(f), "the log is no plain file"));
	CHECK(rmdir(path) == 0);
	put(path, "one\n", 0);
	READS(f, "one,");
	follow_close(f);
	if (geteuid() != 0) { /* root may read all */
		CHECK(chmod(path, 0) == 0);
		CHECK(follow_open(&f, path, NULL) == 0);
		READS(f, "");
		CHECK(!strcmp(follow_trouble(f), "the log may not be read by this process"));
		CHECK(chmod(path, 0600) == 0);
		READS(f, "one,");
		follow_close(f);
	}
	unlink(path);
	rmdir(folder);
}

TEST(follow_when_the_clock_is_set_back_at_a_rename)
{
	struct follow *f;
	struct timespec before[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
	begin();
	put(path, "one\n", 0);
	CHECK(follow_open(&f, path, NULL) == 0);
	READS(f, "one,");
	CHECK(rename(path, moved) == 0);
	put(path, "two\n", 0);
	CHECK(utimensat(AT_FDCWD, path, before, 0) == 0);
	READS(f, "two,");
	end(f);
}

TEST(follow_a_link_and_goes_on_after_a_restart)
{
	struct follow *f;
	struct follow_place p;
	begin();
	char target[96];
	snprintf(target, sizeof target, "%s/spool", folder);
	put(target, "one\n", 0);
	CHECK(symlink("spool", path) == 0);
	CHECK(follow_open(&f, path, NULL) == 0);
	READS(f, "one,");
	follow_where(f, &p);
	follow_close(f);
	CHECK(follow_open(&f, path, &p) == 0);
	READS(f, "");
	put(target, "two\n", O_APPEND);
	READS(f, "two,");
	CHECK(follow_lost(f) == 0);
	unlink(target);
	end(f);
}

/* A place within a line that is too long is the line's beginning: its rest is no line. */
TEST(follow_goes_on_within_a_line_that_is_too_long)
{
	struct follow *f;
	struct follow_place p;
	begin();
	char *text = malloc(SENSOR_LINE_MAX * 2);
	memset(text, 'x', SENSOR_LINE_MAX * 2);
	text[SENSOR_LINE_MAX * 2 - 1] = '\0';
	put(path, "one\n", 0);
	put(path, text, O_APPEND);
	CHECK(follow_open(&f, path, NULL) == 0);
	READS(f, "one,");
	follow_where(f, &p);
	CHECK(p.offset == 4);
	follow_close(f);
	put(path, "x\ntwo\n", O_APPEND);
	CHECK(follow_open(&f, path, &p) == 0);
	READS(f, "long,two,");
	free(text);
	end(f);
}
