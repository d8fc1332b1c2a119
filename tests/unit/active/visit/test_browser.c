/* What a browser and its box say, read as bytes of an attacker. */
#include "active/visit/browser/browser_inner.h"
#include "active/visit/browser/devtools_inner.h"
#include "active/visit/browser/look_inner.h"
#include "tests/test.h"
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static void check_mended(const char *said, const char *wanted)
{
	char text[256];
	snprintf(text, sizeof text, "%s", said);
	devtools_mend((uint8_t *)text, strlen(text));
	CHECK_SAY(!strcmp(text, wanted), "%s became %s", said, text);
	json_t *read = json_loads(text, JSON_ALLOW_NUL, NULL);
	CHECK_SAY(read != NULL, "%s is no JSON", text);
	json_decref(read);
}

TEST(devtools_mend_takes_halves_of_pairs_away)
{
	check_mended("[\"\\ud800\"]", "[\"\\ufffd\"]");
	check_mended("[\"\\uDC00x\"]", "[\"\\ufffdx\"]");
	check_mended("[\"\\ud83d\\ude00\"]", "[\"\\ud83d\\ude00\"]");
	check_mended("[\"\\ud83d\\ud83d\\ude00\"]", "[\"\\ufffd\\ud83d\\ude00\"]");
	check_mended("[\"\\\\ud800\"]", "[\"\\\\ud800\"]");
	check_mended("[\"\\u0041\\\\\"]", "[\"\\u0041\\\\\"]");
	check_mended("[\"\\ud800\\u0041\"]", "[\"\\ufffd\\u0041\"]");
}

struct heard {
	size_t count;
	char last[64];
};

static void on_event(void *arg, const char *session, const char *method, const json_t *params)
{
	struct heard *h = arg;
	h->count++;
	snprintf(h->last, sizeof h->last, "%s %s %s", session, method, devtools_text(params, "a.b"));
}

static struct devtools *devtools_over(struct heard *h, int *to_us, int *from_us)
{
	int in[2], out[2];
	struct devtools *d = NULL;
	struct fault fault = {0};
	const struct devtools_hooks hooks = {h, on_event};
	CHECK(pipe(in) == 0 && pipe(out) == 0);
	CHECK(devtools_open(&d, out[1], in[0], &hooks, &fault) == 0);
	*to_us = in[1];
	*from_us = out[0];
	return d;
}

static void say(int fd, const char *text, size_t n) { CHECK(write(fd, text, n) == (ssize_t)n); }

TEST(devtools_events_and_answers_come_out_of_order)
{
	struct heard h = {0};
	int to_us, from_us;
	struct devtools *d = devtools_over(&h, &to_us, &from_us);
	static const char said[] = "{\"method\":\"X.y\",\"sessionId\":\"S\",\"params\":{\"a\":{\"b\":\"c\"}}}\0"
				   "{\"id\":1,\"result\":{\"v\":7}}";
	say(to_us, said, sizeof said);
	json_t *answer = devtools_ask(d, "S", "X.z", NULL, UINT64_MAX);
	CHECK(h.count == 1 && !strcmp(h.last, "S X.y c"));
	CHECK(devtools_number(answer, "v") == 7);
	json_decref(answer);
	char asked[128] = "";
	CHECK(read(from_us, asked, sizeof asked) > 0);
	CHECK(strstr(asked, "\"method\":\"X.z\"") && strstr(asked, "\"sessionId\":\"S\""));
	devtools_close(d);
	close(to_us);
	close(from_us);
}

TEST(devtools_end_at_what_is_no_json_and_at_a_closed_pipe)
{
	struct heard h = {0};
	int to_us, from_us;
	struct devtools *d = devtools_over(&h, &to_us, &from_us);
	say(to_us, "[1]", 4);
	CHECK(devtools_step(d, 0) == ERR_BAD);
	say(to_us, "{\"half", 6);
	CHECK(devtools_step(d, 0) == 0);
	close(to_us);
	CHECK(devtools_step(d, 0) == ERR_GONE);
	CHECK(devtools_call(d, "", "A.b", NULL, NULL, 0) == ERR_GONE);
	devtools_close(d);
	close(from_us);
}

TEST(devtools_paths_of_what_is_not_there)
{
	json_t *o = json_pack("{s:{s:s,s:b}}", "a", "b", "text", "yes", 1);
	CHECK(!strcmp(devtools_text(o, "a.b"), "text"));
	CHECK(!strcmp(devtools_text(o, "a.c"), "") && !strcmp(devtools_text(o, "a.b.c"), ""));
	CHECK(devtools_true(o, "a.yes") && !devtools_true(o, "a.b"));
	CHECK(devtools_number(NULL, "x") == 0 && devtools_count(NULL, "x") == 0);
	CHECK(devtools_bounded(-1000) == 0 && devtools_bounded(1e300) == INT32_MAX && devtools_bounded(7.9) == 7);
	CHECK(devtools_bounded(0.0 / 0.0) == 0);
	json_decref(o);
}

struct records {
	size_t count;
	uint8_t last;
	size_t content;
};

static void on_record(void *arg, const struct inside_record *record)
{
	struct records *r = arg;
	r->count++;
	r->last = record->kind;
	r->content = record->content.len;
}

static void add_record(struct writer *w, uint8_t kind, const char *name, uint32_t content)
{
	write_u8(w, kind);
	write_u64(w, content);
	write_u16(w, (uint16_t)strlen(name));
	write_u32(w, content);
	write_text(w, name);
	write_zero(w, content);
}

TEST(inside_records_come_in_pieces)
{
	uint8_t room[512];
	struct writer w = writer_of(room, sizeof room);
	add_record(&w, INSIDE_PROCESS, "1\tinit", 0);
	add_record(&w, INSIDE_FILE, "/tmp/x", 100);
	add_record(&w, INSIDE_END, "", 0);
	const struct bytes all = writer_bytes(&w);
	for (size_t cut = 0; cut <= all.len; cut++) {
		struct records r = {0};
		bool ended;
		const int64_t taken = inside_records_read((struct bytes){all.at, cut}, &ended, on_record, &r);
		CHECK(taken >= 0 && (size_t)taken <= cut);
		CHECK(ended == (cut == all.len));
		CHECK(r.count == (size_t)(cut >= 21) + (size_t)(cut >= 21 + 15 + 6 + 100));
	}
}

TEST(inside_records_are_bounded)
{
	uint8_t room[64];
	struct writer w = writer_of(room, sizeof room);
	struct records r = {0};
	bool ended;
	add_record(&w, 'Z', "", 0);
	CHECK(inside_records_read(writer_bytes(&w), &ended, on_record, &r) == ERR_BAD);
	w = writer_of(room, sizeof room);
	write_u8(&w, INSIDE_FILE);
	write_u64(&w, UINT64_MAX);
	write_u16(&w, 1);
	write_u32(&w, UINT32_MAX);
	CHECK(inside_records_read(writer_bytes(&w), &ended, on_record, &r) == ERR_BAD);
	CHECK(r.count == 0);
}

TEST(entropy_of_decoded_text)
{
	uint8_t all[256];
	for (int i = 0; i < 256; i++)
		all[i] = (uint8_t)i;
	CHECK(look_entropy((struct bytes){all, 256}) > 7.99);
	CHECK(look_entropy(BYTES("aaaaaaaa")) < 0.01);
	CHECK(look_entropy((struct bytes){0}) == 0);
}
