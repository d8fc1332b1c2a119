/* Lines, numbers, times and addresses as the outputs of captures write them. */
#include "base/random.h"
#include "event/event.h"
#include "passive/telescope/page.h"
#include "tests/test.h"
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static const char *text_of(struct writer *w)
{
	*w->at = '\0';
	return (const char *)w->start;
}

TEST(numbers_are_what_printf_writes)
{
	struct random random = random_seeded(8);
	char room[64], right[64];
	for (int i = 0; i < 20000; i++) {
		uint64_t v = random_next(&random) >> random_below(&random, 64);
		struct writer w = writer_of(room, sizeof room - 1);
		write_decimal(&w, v);
		snprintf(right, sizeof right, "%" PRIu64, v);
		CHECK(!strcmp(text_of(&w), right));
	}
	struct writer w = writer_of(room, sizeof room - 1);
	write_decimal(&w, 0);
	write_u8(&w, ' ');
	write_decimal(&w, UINT64_MAX);
	CHECK(!strcmp(text_of(&w), "0 18446744073709551615"));
}

TEST(thousands_are_grouped)
{
	const struct {
		uint64_t v;
		const char *text;
	} cases[] = {
		{0, "0"}, {999, "999"}, {1000, "1,000"}, {123456, "123,456"}, {1234567, "1,234,567"},
		{UINT64_MAX, "18,446,744,073,709,551,615"},
	};
	char text[GROUPED_TEXT_MAX];
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		CHECK(!strcmp(grouped_text(cases[i].v, text), cases[i].text));
}

TEST(addresses_are_what_the_base_writes)
{
	struct random random = random_seeded(9);
	char room[64], right[ADDRESS_TEXT_MAX];
	for (int i = 0; i < 20000; i++) {
		struct address a = address_v4((uint32_t)random_next(&random));
		if (i % 3 == 0)
			memcpy(a.b, (uint64_t[]){random_next(&random), random_next(&random)}, sizeof a.b);
		struct writer w = writer_of(room, sizeof room - 1);
		write_address_text(&w, &a);
		CHECK(!strcmp(text_of(&w), address_format(&a, right)));
	}
}

TEST(moments_are_what_events_write)
{
	struct random random = random_seeded(10);
	struct moments moments = {0};
	char room[64], right[TIME_TEXT_MAX];
	for (int i = 0; i < 20000; i++) {
		uint64_t us = i % 2 ? random_below(&random, 4102444800000000) : 1700000000000000 + (uint64_t)i * 7000001;
		struct writer w = writer_of(room, sizeof room - 1);
		write_moment(&w, &moments, us);
		CHECK(!strcmp(text_of(&w), time_format(us, right)));
	}
	struct writer w = writer_of(room, sizeof room - 1);
	write_moment(&w, &(struct moments){0}, UINT64_MAX);
	CHECK(!strcmp(text_of(&w), "9999-12-31T23:59:59.999999Z"));
}

TEST(flags_and_protocols_have_names)
{
	char flags[FLAGS_TEXT_MAX], proto[PROTO_TEXT_MAX];
	CHECK(!strcmp(flags_text(2, flags), "S"));
	CHECK(!strcmp(flags_text(18, flags), "SA"));
	CHECK(!strcmp(flags_text(0, flags), ""));
	CHECK(!strcmp(flags_text(255, flags), "FSRPAUEC"));
	CHECK(!strcmp(proto_text(58, proto), "icmp6"));
	CHECK(!strcmp(proto_text(47, proto), "47"));
}

TEST(a_shape_is_written_once_and_told_apart_by_its_ttl)
{
	static struct shape_texts texts;
	struct tcp_shape shape = {.window = 1024, .wscale = NO_WSCALE, .version = 4, .flags = 2};
	char right[SHAPE_TEXT_MAX];
	for (int round = 0; round < 2; round++)
		for (unsigned ttl = 1; ttl < 256; ttl++) {
			const struct shape_text *t = shape_text(&texts, &shape, (uint8_t)ttl);
			CHECK(!strcmp(t->p0f, shape_p0f(&shape, (uint8_t)ttl, right)));
			CHECK(t->p0f_len == strlen(right));
			CHECK(!strcmp(t->ja4t, shape_ja4t(&shape, right)));
		}
}

/* What went through the lines, read back. */
static size_t lines_through(size_t count, char *got, size_t room)
{
	int ends[2];
	struct lines lines;
	struct fault fault = {0};
	char path[] = "/tmp/kansoku-lines.XXXXXX";
	ends[0] = mkstemp(path);
	ends[1] = open(path, O_RDONLY);
	unlink(path);
	CHECK(lines_open(&lines, ends[0], "a file", &fault) == 0);
	for (size_t i = 0; i < count; i++) {
		struct writer *w = lines_room(&lines);
		write_decimal(w, i);
		write_u8(w, '\n');
	}
	CHECK(lines_flush(&lines, &fault) == 0);
	lines_close(&lines);
	ssize_t n = read(ends[1], got, room);
	close(ends[0]);
	close(ends[1]);
	return n > 0 ? (size_t)n : 0;
}

TEST(lines_come_out_whole_and_in_order)
{
	const size_t count = 200000, room = 4 << 20;
	char *got = malloc(room), *at = got;
	size_t n = lines_through(count, got, room - 1);
	got[n] = '\0';
	for (size_t i = 0; i < count; i++, at++)
		CHECK(strtoull(at, &at, 10) == i && *at == '\n');
	CHECK(at == got + n);
	free(got);
}

TEST(a_full_disk_is_an_error_and_a_reader_that_left_is_told_apart)
{
	struct lines lines;
	struct fault fault = {0};
	int full = open("/dev/full", O_WRONLY), ends[2];
	CHECK(full >= 0 && pipe(ends) == 0);
	CHECK(lines_open(&lines, full, "standard output", &fault) == 0);
	write_text(lines_room(&lines), "x\n");
	CHECK(lines_flush(&lines, &fault) == ERR_SYSTEM);
	CHECK(!strcmp(fault.text, "standard output: No space left on device"));
	lines_close(&lines);
	close(full);
	signal(SIGPIPE, SIG_IGN);
	close(ends[0]);
	fault.text[0] = '\0';
	CHECK(lines_open(&lines, ends[1], "standard output", &fault) == 0);
	write_text(lines_room(&lines), "x\n");
	CHECK(lines_flush(&lines, &fault) == ERR_GONE && !fault.text[0]);
	CHECK(lines_check(&lines, &fault) == ERR_GONE);
	lines_close(&lines);
	close(ends[1]);
	signal(SIGPIPE, SIG_DFL);
}

TEST(durations_are_said_in_two_units)
{
	char text[DURATION_TEXT_MAX];
	CHECK(!strcmp(duration_text(7250000, text), "7.25 s"));
	CHECK(!strcmp(duration_text(61000000, text), "1 min 1 s"));
	CHECK(!strcmp(duration_text(7384000000, text), "2 h 3 min"));
	CHECK(!strcmp(duration_text(90000000000, text), "1 d 1 h"));
}
