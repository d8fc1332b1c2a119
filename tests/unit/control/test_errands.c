/* Errands: who gets what, in which order, what is offered again, what is lost and counted. */
#include "control/errands_inner.h"
#include "tests/unit/control/case.h"

#define SECOND UINT64_C(1000000)

static struct errands errands;
static struct event e;
static const struct rule rule = {.name = "samples", .action = ACTION_ANALYSE, .kind = EVENT_FILE_CAPTURED};

static void captured(const char *name)
{
	event_begin(&e, EVENT_FILE_CAPTURED);
	e.time_us = NOW;
	memset(e.id.b, 7, sizeof e.id.b);
	event_set_bytes(&e, FIELD_FILE_NAME, bytes_of_text(name));
	event_set_number(&e, FIELD_DEPTH, 2);
}

static bool names(const struct errand_waiting *item, const char *name)
{
	struct errand errand;
	struct event got;
	CHECK(item && errand_read(errand_payload(item), &errand));
	CHECK(frame_decode(errand.frame, NULL, &got) == 0 && got.kind == EVENT_FILE_CAPTURED);
	CHECK(!strcmp(errand.rule, "samples") && errand.depth == 2);
	CHECK(!memcmp(errand.cause.b, e.id.b, sizeof e.id.b) && !memcmp(errand.root.b, e.id.b, sizeof e.id.b));
	return bytes_equal_text(event_bytes(&got, FIELD_FILE_NAME), name);
}

TEST(errands_wait_in_line_and_come_back_when_nobody_takes_them)
{
	static const char *const files[] = {"a", "b", "c", "d", "e"};
	for (size_t i = 0; i < 5; i++) {
		captured(files[i]);
		CHECK(errands_add(&errands, ACTION_ANALYSE, &rule, &e) == 0);
	}
	struct errand_waiting *a = errands_next(&errands, ACTION_ANALYSE, NOW), *b = errands_next(&errands, ACTION_ANALYSE, NOW);
	CHECK(names(a, "a") && names(b, "b"));
	CHECK(names(errands_next(&errands, ACTION_ANALYSE, NOW), "c"));
	CHECK(names(errands_next(&errands, ACTION_ANALYSE, NOW), "d"));
	CHECK(!errands_next(&errands, ACTION_ANALYSE, NOW)); /* so many at once */
	CHECK(!errands_next(&errands, ACTION_NOTIFY, NOW));
	errand_answered(&errands, b, 0, NOW);
	errand_answered(&errands, a, ERR_FULL, NOW);
	CHECK(!errands_next(&errands, ACTION_ANALYSE, NOW));
	CHECK(names(errands_next(&errands, ACTION_ANALYSE, NOW + SECOND), "a"));
	CHECK(names(errands_next(&errands, ACTION_ANALYSE, NOW + SECOND), "e"));
	CHECK(errands.lines[ACTION_ANALYSE].taken == 1 && errands.lines[ACTION_ANALYSE].count == 4);
	errands_done(&errands);
}

TEST(errands_that_are_refused_go_and_those_beyond_the_line_are_counted)
{
	captured("x");
	for (size_t i = 0; i < ERRANDS_MAX; i++)
		CHECK(errands_add(&errands, ACTION_ANALYSE, &rule, &e) == 0);
	CHECK(errands_add(&errands, ACTION_ANALYSE, &rule, &e) == ERR_FULL);
	CHECK(errands.lines[ACTION_ANALYSE].lost == 1);
	errand_answered(&errands, errands_next(&errands, ACTION_ANALYSE, NOW), ERR_BAD, NOW);
	CHECK(errands.lines[ACTION_ANALYSE].refused == 1 && errands.lines[ACTION_ANALYSE].count == ERRANDS_MAX - 1);
	CHECK(errands_add(&errands, ACTION_ANALYSE, &rule, &e) == 0);
	errands_done(&errands);
}

TEST(errands_cut_anywhere_are_none)
{
	captured("cut");
	CHECK(errands_add(&errands, ACTION_ANALYSE, &rule, &e) == 0);
	struct bytes whole = errand_payload(errands_next(&errands, ACTION_ANALYSE, NOW));
	struct errand errand;
	for (size_t n = 0; n < whole.len; n++)
		CHECK(!errand_read((struct bytes){whole.at, n}, &errand));
	CHECK(errand_read(whole, &errand));
	errands_done(&errands);
}
