/* What reads others' tables and containers: rows, times, maps, bzip2, snappy, Avro, and what hostile ones do to them. */
#include "event/event.h"
#include "share/reading/avro_inner.h"
#include "share/intake/intake_inner.h"
#include "share/reading/mapping_inner.h"
#include "share/reading/snappy_inner.h"
#include "share/intake/unpack_inner.h"
#include "base/json_scan.h"
#include "tests/test.h"
#include <bzlib.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

TEST(arrays_of_json_are_walked_item_by_item)
{
	struct json_reader j = json_of(BYTES(" [ {\"a\":[1,2]} , [] ,\"x\"]"));
	struct json_value v;
	struct bytes name;
	CHECK(json_enter_array(&j) && json_item(&j) && json_enter(&j) && json_next(&j, &name) && json_enter_array(&j));
	CHECK(json_item(&j) && json_take(&j, &v) && json_item(&j) && json_take(&j, &v) && !json_item(&j));
	CHECK(!json_next(&j, &name) && json_item(&j) && json_enter_array(&j) && !json_item(&j));
	CHECK(json_item(&j) && json_take(&j, &v) && v.type == VALUE_STRING && !json_item(&j) && json_ended(&j));
	static const char *const broken[] = {"[1 2]", "[1,]", "[1", "[,1]", "[1,2}"};
	for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
		j = json_of(bytes_of_text(broken[i]));
		CHECK(json_enter_array(&j));
		while (json_item(&j) && json_take(&j, &v))
			;
		CHECK_SAY(!json_ended(&j), "%s", broken[i]);
	}
}

TEST(times_of_tables_are_read_as_spreadsheets_write_them)
{
	static const struct { const char *text; int zone; uint64_t us; } cases[] = {
		{"2015-06-02 03:04:05", 0, 1433214245000000}, {"2015/6/2 3:04", 0, 1433214240000000},
		{"2015-06-02T03:04:05.25Z", 32400, 1433214245250000}, {"2015/06/02 12:04:05", 32400, 1433214245000000},
		{"2015-06-02", 0, 1433203200000000}, {"2015-06-02T12:04:05+0900", 0, 1433214245000000},
		{"1433214245", 32400, 1433214245000000}, {"1433214245.5", 0, 1433214245500000}, {"1433214245500", 0, 1433214245500000},
		{"2015-13-02", 0, 0}, {"2015/6/2 3", 0, 0}, {"yesterday", 0, 0}, {"", 0, 0}, {"1969-12-31 00:00:00", 0, 0},
		{"1970-01-01 00:00:00", 32400, 0}, {"2015-06-02 03:04:05 or so and many more words of it", 0, 0},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		uint64_t us = 0;
		bool read = cell_time(bytes_of_text(cases[i].text), cases[i].zone, &us);
		CHECK_SAY(read == (cases[i].us > 0) && (!read || us == cases[i].us), "%s: %llu", cases[i].text, (unsigned long long)us);
	}
}

TEST(maps_say_what_is_wrong_with_them)
{
	static const struct { const char *map, *why; } wrong[] = {
		{"src", "has no ="}, {"src=", "empty"}, {"src=#x", "no number"}, {"src=#1000", "no number"}, {"kind:=", NULL},
		{"zone:=9", "zone cannot be"}, {"separator:=\"", "separator cannot be"}, {"header:=perhaps", "header cannot be"},
		{"sensor=a", "nothing that a column can be"}, {"record.tlp=a", "nothing that a column can be"},
		{"src=a, ,dport=b", "has no ="}, {"src = a , dport = b", NULL}, {"", NULL}, {"src=a,", NULL},
	};
	struct mapping *m = calloc(1, sizeof *m);
	CHECK(m && event_start(NULL) == 0);
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct fault fault = {0};
		int bad = mapping_read(m, bytes_of_text(wrong[i].map), &fault);
		CHECK_SAY(wrong[i].why ? bad && strstr(fault.text, wrong[i].why) : !bad, "%s: %s", wrong[i].map, fault.text);
	}
	free(m);
}

TEST(snappy_is_unpacked_and_what_lies_is_refused)
{
	uint8_t out[64];
	size_t n;
	/* "abcd", then the same six times over: a copy that reads what it writes. */
	struct bytes good = BYTES("\x1c\x0c" "abcd\x5e\x04\0");
	CHECK(snappy_size(good, 64, &n) && n == 28 && snappy_decode(good, out, n));
	CHECK(!memcmp(out, "abcdabcdabcdabcdabcdabcdabcd", 28));
	CHECK(!snappy_size(good, 27, &n) && !snappy_decode(good, out, 27));
	static const struct bytes lies[] = {
		{(const uint8_t *)"\x04\x0c" "abc", 5}, {(const uint8_t *)"\x08\x0c" "abcd", 6}, {(const uint8_t *)"\x08\x0c" "abcd\x0e\x05\0", 9},
		{(const uint8_t *)"\x08\x0c" "abcd\x0e\0\0", 9}, {(const uint8_t *)"\xff\xff\xff\xff\xff", 5}, {(const uint8_t *)"", 0},
		{(const uint8_t *)"\x04\xfc\xff\xff\xff\xff" "abcd", 10},
	};
	for (size_t i = 0; i < sizeof lies / sizeof *lies; i++)
		CHECK_SAY(!snappy_decode(lies[i], out, lies[i].at[0] < 64 && lies[i].len ? lies[i].at[0] : 8), "%zu", i);
}

static int take_out(void *arg, struct bytes b, struct fault *fault)
{
	(void)fault;
	return buffer_append(arg, b.at, b.len);
}

TEST(bzip2_is_unpacked_also_stream_after_stream_and_in_pieces)
{
	char packed[1024];
	unsigned n = sizeof packed / 2;
	struct buffer out = BUFFER(1 << 20);
	struct unpack *u;
	struct fault fault = {0};
	CHECK(BZ2_bzBuffToBuffCompress(packed, &n, (char *)(uintptr_t)"one,two\n", 8, 9, 0, 0) == BZ_OK);
	memcpy(packed + n, packed, n);
	for (size_t piece = 1; piece < 3 * n; piece += 13) {
		CHECK(unpack_open(&u) == 0);
		for (size_t i = 0; i < 2 * n; i += piece)
			CHECK(unpack_feed(u, (struct bytes){(uint8_t *)packed + i, 2 * n - i < piece ? 2 * n - i : piece}, take_out, &out,
					  &fault) == 0);
		CHECK(unpack_end(u, take_out, &out, &fault) == 0);
		unpack_close(u);
		CHECK(bytes_equal_text(buffer_bytes(&out), "one,two\none,two\n"));
		buffer_consume(&out, buffer_len(&out));
	}
	CHECK(unpack_open(&u) == 0 && unpack_feed(u, (struct bytes){(uint8_t *)packed, n - 1}, take_out, &out, &fault) == 0);
	CHECK(unpack_end(u, take_out, &out, &fault) == ERR_BAD);
	unpack_close(u);
	packed[n / 2] ^= 1;
	CHECK(unpack_open(&u) == 0 && unpack_feed(u, (struct bytes){(uint8_t *)packed, n}, take_out, &out, &fault) == ERR_BAD);
	unpack_close(u);
	buffer_done(&out);
}

static void put_number(struct writer *w, int64_t number)
{
	uint64_t v = (uint64_t)number << 1 ^ (uint64_t)(number >> 63);
	for (; v > 127; v >>= 7)
		write_u8(w, (uint8_t)(v | 128));
	write_u8(w, (uint8_t)v);
}

/* An Avro file of one block; how many records it gave, or what was wrong. */
static int read_avro(const char *schema, int64_t count, struct bytes block, struct avro_value *last, char why[512])
{
	static uint8_t room[1 << 20];
	struct writer w = writer_of(room, sizeof room);
	struct avro_value values[AVRO_FIELDS_MAX];
	struct fault fault = {0};
	struct avro *a;
	int fd = memfd_create("avro", MFD_CLOEXEC), records = 0, more = 0;
	write_text(&w, "Obj\1\2\x16" "avro.schema");
	put_number(&w, (int64_t)strlen(schema));
	write_text(&w, schema);
	write_u8(&w, 0);
	write_text(&w, "0123456789abcdef");
	put_number(&w, count);
	put_number(&w, (int64_t)block.len);
	write_span(&w, block);
	write_text(&w, "0123456789abcdef");
	CHECK(!w.bad && fd >= 0 && write(fd, room, writer_used(&w)) == (ssize_t)writer_used(&w) && lseek(fd, 0, SEEK_SET) == 0);
	int bad = avro_open(&a, fd, &fault);
	while (!bad && (more = avro_next(a, values, &fault)) > 0) {
		records++;
		*last = values[0];
	}
	if (!bad)
		avro_close(a);
	close(fd);
	snprintf(why, 512, "%s", fault.text);
	return bad || more < 0 ? -1 : records;
}

TEST(avro_is_read_by_its_schema_and_hostile_ones_end)
{
	static const char *const wide = "{\"type\":\"record\",\"name\":\"%c\",\"fields\":[";
	static char bomb[64 << 10];
	struct avro_value v;
	char why[512];
	CHECK(read_avro("{\"type\":\"record\",\"name\":\"r\",\"fields\":[{\"name\":\"a\",\"type\":[\"null\",\"long\"]},{\"name\":\"e\",\"type\":"
			"{\"type\":\"enum\",\"name\":\"x\",\"symbols\":[\"A\"]}},{\"name\":\"m\",\"type\":{\"type\":\"map\",\"values\":\"double\"}}]}",
			2, BYTES("\2\7\0\2\2k12345678\0" "\0\0\0"), &v, why) == 2);
	CHECK(v.is == AVRO_NOTHING);
	CHECK(read_avro("{\"type\":\"record\",\"name\":\"r\",\"fields\":[{\"name\":\"a\",\"type\":{\"type\":\"array\",\"items\":\"int\"}}]}", 1,
			BYTES("\3\4\x0e\1\2\2\0"), &v, why) == 1);
	CHECK(v.is == AVRO_NUMBERS && v.items == 3 && v.number == 7 && v.least == -1 && v.most == 7);
	/* A record that holds itself; one of nothing, very often; a count that lies; sixteen levels of two hundred nulls. */
	CHECK(read_avro("{\"type\":\"record\",\"name\":\"r\",\"fields\":[{\"name\":\"a\",\"type\":\"r\"}]}", 1, BYTES("\0"), &v, why) < 0);
	CHECK(read_avro("{\"type\":\"record\",\"name\":\"r\",\"fields\":[]}", 1000000000, BYTES("\0"), &v, why) < 0);
	CHECK(read_avro("{\"type\":\"record\",\"name\":\"r\",\"fields\":[{\"name\":\"a\",\"type\":\"bytes\"}]}", 1, BYTES("\xff\xff\xff\x7f"), &v,
			why) < 0);
	CHECK(read_avro("{\"type\":\"long\"}", 1, BYTES("\2"), &v, why) < 0 && strstr(why, "no record"));
	CHECK(read_avro("{\"type\":\"record\"", 1, BYTES("\2"), &v, why) < 0 && strstr(why, "no JSON"));
	struct writer w = writer_of(bomb, sizeof bomb - 1);
	write_fmt(&w, wide, 'z');
	for (char level = 'a'; level < 'h'; level++) {
		write_fmt(&w, "%s{\"name\":\"f\",\"type\":", level > 'a' ? "," : "");
		write_fmt(&w, wide, level);
		for (unsigned i = 0; i < 60; i++)
			write_fmt(&w, level > 'a' ? "%s{\"name\":\"n\",\"type\":\"%c\"}" : "%s{\"name\":\"n\",\"type\":\"null\"}", i ? "," : "", level - 1);
		write_text(&w, "]}}");
	}
	write_text(&w, "]}");
	CHECK(!w.bad && read_avro(bomb, 1, BYTES("\0"), &v, why) < 0);
}
