#include "store/erasure.h"
#include "tests/test.h"
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct event event; /* large */

static void make(const char *src, const char *line)
{
	struct address a;
	CHECK(event_start(NULL) == 0);
	event_begin(&event, EVENT_COMMAND_SENT);
	event.time_us = 1000000;
	CHECK(address_parse(bytes_of_text(src), &a));
	event_set_address(&event, FIELD_SRC, &a);
	event_set_bytes(&event, FIELD_COMMAND_LINE, bytes_of_text(line));
}

static bool matches(const char *word)
{
	struct erasure e, read;
	struct fault fault;
	uint8_t wire[ERASURE_TEXT_MAX + 64];
	struct writer w = writer_of(wire, sizeof wire);
	CHECK_SAY(erasure_from_words(word, &e, &fault) == 0, "%s", fault.text);
	erasure_write(&w, &e);
	CHECK(!w.bad && erasure_read(writer_bytes(&w), &read) == 0);
	return erasure_matches(&read, &event);
}

TEST(erasure_finds_an_address_wherever_it_stands)
{
	make("192.0.2.1", "wget http://198.51.100.7/x; ping 11.2.3.4; ping6 2001:db8::1f");
	CHECK(matches("192.0.2.1"));
	CHECK(matches("198.51.100.7"));
	CHECK(matches("11.2.3.4"));
	CHECK(!matches("1.2.3.4") && !matches("11.2.3.44") && !matches("192.0.2.11"));
	CHECK(matches("2001:db8::1f") && matches("2001:DB8::1F"));
	CHECK(!matches("2001:db8::1") && !matches("::1f"));
	make("2001:db8::1", "");
	CHECK(matches("2001:db8::1") && !matches("2001:db8::10"));
}

TEST(erasure_finds_a_text_within_others)
{
	make("192.0.2.1", "curl -H 'X: Tok-5E1d' http://example.org/");
	CHECK(matches("tok-5e1d") && matches("example.org") && !matches("tok-5e2d"));
}

TEST(erasure_of_a_range_has_two_ends)
{
	make("192.0.2.1", "");
	struct erasure e = {.type = ERASE_RANGE, .from_us = 1000000, .to_us = 1000001};
	CHECK(erasure_matches(&e, &event));
	event.time_us = 1000001;
	CHECK(!erasure_matches(&e, &event));
}

TEST(erasure_refuses_what_is_malformed)
{
	struct erasure e;
	struct fault fault;
	char longer[ERASURE_TEXT_MAX + 1];
	memset(longer, 'x', sizeof longer - 1);
	longer[sizeof longer - 1] = '\0';
	CHECK(erasure_from_words("abc", &e, &fault) == ERR_BAD);
	CHECK(erasure_from_words(longer, &e, &fault) == ERR_BAD);
	CHECK(erasure_read(BYTES(""), &e) == ERR_BAD);
	CHECK(erasure_read(BYTES("\x02\0aaaaaaaaaaaaaaaabbbbbbbbcccccccc"), &e) == ERR_BAD);
}

/* Quotes, backslashes and SQL in a text stay text: the condition holds none of its bytes. */
TEST(erasure_condition_holds_no_foreign_bytes)
{
	static char sql[65536];
	struct erasure e = {.type = ERASE_TEXT, .text = "'); DROP TABLE events; --\\"};
	struct writer w = writer_of(sql, sizeof sql - 1);
	erasure_condition(&w, &e, TABLE_EVENTS);
	*w.at = '\0';
	CHECK(!w.bad && strstr(sql, "\\x27\\x29\\x3b") && !strstr(sql, "DROP"));
}

TEST(erasure_tombstones_drop_late_copies_and_say_nothing)
{
	char path[] = "/tmp/kansoku-tomb-XXXXXX", file[64];
	struct tombstones t;
	struct erasure e;
	struct fault fault;
	CHECK(mkdtemp(path));
	int folder = open(path, O_RDONLY | O_DIRECTORY);
	CHECK(tombstones_open(&t, folder, &fault) == 0 && t.count == 0);
	CHECK(erasure_from_words("192.0.2.1", &e, &fault) == 0);
	CHECK(tombstones_add(&t, folder, &e, 2000000, &fault) == 0);
	CHECK(erasure_from_words("Tok-5e1d", &e, &fault) == 0);
	CHECK(tombstones_add(&t, folder, &e, 2000000, &fault) == 0);
	tombstones_close(&t);
	CHECK(tombstones_open(&t, folder, &fault) == 0 && t.count == 2);
	make("192.0.2.1", "");
	CHECK(tombstones_match(&t, &event));
	event.time_us = 2000001; /* seen after the erasure: a new fact */
	CHECK(!tombstones_match(&t, &event));
	make("192.0.2.2", "echo tok-5e1d done");
	CHECK(tombstones_match(&t, &event));
	make("192.0.2.2", "echo tok-5e1dx done");
	CHECK(!tombstones_match(&t, &event));
	snprintf(file, sizeof file, "%s/tombstones", path);
	FILE *f = fopen(file, "rb");
	uint8_t all[1024];
	size_t n = f ? fread(all, 1, sizeof all, f) : 0;
	struct bytes held = {all, n};
	CHECK(n == 2 * TOMBSTONE_SIZE && bytes_find_nocase(held, "tok-5e1d") == n);
	CHECK(!memmem(all, n, "\xff\xff\xc0\x00\x02\x01", 6));
	fclose(f);
	tombstones_close(&t);
	unlink(file);
	close(folder);
	CHECK(rmdir(path) == 0);
}
