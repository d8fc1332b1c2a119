/* Following files: torn lines, rotations, and going on at a place. */
#include "passive/sensors/follow.h"
#include "passive/sensors/sensor_format.h"
#include "tests/test.h"
#include <fcntl.h>
#include <stdlib.h>
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
	CHECK(follow_open(&f, path, NULL) == 0 && follow_missing(f)); /* not there yet */
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
