/* Reports that others wrote about hostile bytes. */
#include "lab/external.h"
#include "tests/test.h"
#include <stdlib.h>

static int read_text(const char *text, struct external_report *out, struct arena *arena)
{
	struct fault fault = {0};
	*arena = ARENA(8u << 20);
	return external_read(bytes_of_text(text), arena, out, &fault);
}

TEST(external_report_that_is_none_is_refused)
{
	static const char *const none[] = {"", "[]", "{}", "{\"info\":", "{\"a\":1}", "{\"info\":{},\"info\":{}}", "\"info\""};
	for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
		struct external_report r;
		struct arena arena;
		int bad = read_text(none[i], &r, &arena);
		arena_done(&arena);
		CHECK_SAY(bad == ERR_BAD, "%s: %d", none[i], bad);
	}
}

TEST(external_report_of_other_types_than_said_is_read_as_far_as_it_goes)
{
	struct external_report r;
	struct arena arena;
	int bad = read_text("{\"info\":7,\"malscore\":-3,\"detections\":\"Old\",\"CAPE\":[],\"dropped\":{\"a\":1},"
			    "\"signatures\":\"x\",\"network\":{\"hosts\":[\"203.0.113.5\",{},null],\"http\":[1]},"
			    "\"target\":{\"file\":{\"sha256\":\"short\"}},\"behavior\":null}", &r, &arena);
	bool good = !bad && r.score == 0 && r.family_count == 1 && !strcmp(r.families[0], "Old") && !r.sha256[0] &&
		    r.indicator_count == 1 && bytes_equal_text(r.indicators[0].value, "203.0.113.5");
	arena_done(&arena);
	CHECK(good);
}

TEST(external_report_is_cut_at_its_limits)
{
	const size_t wanted = 3 * EXTERNAL_LIST_MAX;
	char *text = malloc(wanted * 128 + 1024);
	CHECK(text);
	struct writer w = writer_of(text, wanted * 128 + 1024);
	write_text(&w, "{\"info\":{},\"malscore\":1e300,\"signatures\":[");
	for (size_t i = 0; i < wanted; i++)
		write_fmt(&w, "%s{\"name\":\"s%zu\",\"severity\":-9}", i ? "," : "", i);
	write_text(&w, "],\"detections\":\"");
	for (size_t i = 0; i < 400; i++)
		write_text(&w, "\xc3\xa9\xc3\xa9");
	write_text(&w, "\"}");
	write_u8(&w, 0);
	struct external_report r;
	struct arena arena;
	int bad = read_text(text, &r, &arena);
	bool good = !bad && r.cut && r.signature_count == EXTERNAL_LIST_MAX && r.score == 100 && r.signatures[0].severity == 0 &&
		    strlen(r.families[0]) <= EXTERNAL_TEXT_MAX && bytes_is_utf8(bytes_of_text(r.families[0]));
	arena_done(&arena);
	free(text);
	CHECK(good);
}
