/* Each format's own examples: all records in order, in pieces of any size; and what surrounds every format. */
#include "share/imported_inner.h"
#include "share/date_inner.h"
#include "share/intake_inner.h"
#include "tests/test.h"
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#define ROOM (64u << 10)

struct heard {
	uint8_t room[ROOM];
	struct writer w;
	struct imported *imported;
};

static bool on_record(void *arg, const struct record *r)
{
	struct heard *h = arg;
	write_fmt(&h->w, "%s ", r->type);
	write_span(&h->w, r->value);
	write_text(&h->w, "\n");
	return true;
}

static void on_bad(void *arg, uint64_t line, const char *why)
{
	struct heard *h = arg;
	(void)line;
	write_fmt(&h->w, "bad %s\n", why);
}

static bool on_seen(void *arg, uint64_t digest)
{
	struct heard *h = arg;
	return h->imported && imported_before(h->imported, digest);
}

static struct intake_counts read_in_pieces(const char *format, struct bytes content, size_t piece, struct heard *h, int want)
{
	struct intake *in;
	struct fault fault = {0};
	const struct intake_hooks hooks = {h, on_record, on_bad, on_seen};
	h->w = writer_of(h->room, ROOM);
	CHECK(intake_open(&in, format_find(bytes_of_text(format)), "test", &hooks, &fault) == 0);
	int bad = 0;
	for (size_t i = 0; i < content.len && !bad; i += piece)
		bad = intake_feed(in, (struct bytes){content.at + i, content.len - i < piece ? content.len - i : piece}, &fault);
	int ended = bad ? 0 : intake_end(in, &fault);
	bad = bad ? bad : ended;
	CHECK_SAY(bad == want, "%s: %d %s", format, bad, fault.text);
	struct intake_counts counts = *intake_counts(in);
	intake_close(in);
	return counts;
}

/* Line by line, a "bad" line only has to begin alike. */
static void same_lines(const char *title, struct bytes want, struct bytes have)
{
	struct reader w = reader_of_bytes(want), h = reader_of_bytes(have);
	struct bytes a, b;
	while (read_line(&w, &a)) {
		CHECK_SAY(read_line(&h, &b), "%s: \"%.*s\" is missing", title, (int)a.len, (const char *)a.at);
		bool same = bytes_start_with(a, "bad ") ? b.len >= a.len && !memcmp(a.at, b.at, a.len) : bytes_equal(a, b);
		CHECK_SAY(same, "%s: \"%.*s\", not \"%.*s\"", title, (int)b.len, (const char *)b.at, (int)a.len,
			  (const char *)a.at);
	}
	CHECK_SAY(!reader_left(&h), "%s: too much: %.*s", title, (int)reader_left(&h), (const char *)h.at);
}

TEST(formats_read_their_own_examples)
{
	static const size_t pieces[] = {1, 7, 1u << 20};
	struct heard *h = calloc(1, sizeof *h);
	size_t count = 0;
	CHECK(h != NULL);
	FORMATS_EACH(f)
		for (const struct format_specimen *s = (*f)->specimens; s && s->title; s++, count++)
			for (size_t i = 0; i < 3; i++) {
				read_in_pieces((*f)->name, s->content, pieces[i], h, 0);
				same_lines(s->title, bytes_of_text(s->records), writer_bytes(&h->w));
			}
	CHECK(count >= 9);
	free(h);
}

TEST(formats_are_unpacked_and_bombs_are_not)
{
	struct heard *h = calloc(1, sizeof *h);
	size_t bomb = 200u << 20, room = compressBound(1u << 20) + 64;
	uint8_t *packed = malloc(room), *zeros = calloc(1, bomb);
	CHECK(h && packed && zeros);
	const char *list = "203.0.113.9\nhttp://198.51.100.7/x\n";
	size_t n = ZSTD_compress(packed, room, list, strlen(list), 3);
	CHECK(read_in_pieces("urls", (struct bytes){packed, n}, 5, h, 0).records == 3);
	CHECK(read_in_pieces("urls", (struct bytes){packed, n - 4}, 5, h, ERR_BAD).records <= 3);
	z_stream z = {0};
	CHECK(deflateInit2(&z, 9, Z_DEFLATED, 31, 9, Z_DEFAULT_STRATEGY) == Z_OK);
	z.next_in = (uint8_t *)(uintptr_t)list;
	z.avail_in = (unsigned)strlen(list);
	z.next_out = packed;
	z.avail_out = (unsigned)room;
	CHECK(deflate(&z, Z_FINISH) == Z_STREAM_END);
	n = z.total_out;
	deflateEnd(&z);
	memcpy(packed + n, packed, n); /* two members are one file */
	CHECK(read_in_pieces("urls", (struct bytes){packed, 2 * n}, 3, h, 0).lines == 4);
	n = ZSTD_compress(packed, room, zeros, bomb, 3);
	CHECK(!ZSTD_isError(n) && n < 100000);
	read_in_pieces("urls", (struct bytes){packed, n}, 4096, h, ERR_FULL);
	free(zeros);
	free(packed);
	free(h);
}

TEST(formats_say_which_line_is_too_long_and_read_on)
{
	struct heard *h = calloc(1, sizeof *h);
	size_t n = FORMAT_LINE_MAX + 100;
	uint8_t *text = malloc(n + 64);
	CHECK(h && text);
	memset(text, 'x', n);
	memcpy(text + n, "\n203.0.113.9\n", 13);
	struct intake_counts counts = read_in_pieces("urls", (struct bytes){text, n + 13}, 65536, h, 0);
	CHECK(counts.lines == 2 && counts.bad == 1 && counts.records == 1);
	free(text);
	free(h);
}

TEST(records_that_came_before_do_not_come_again_also_after_a_restart)
{
	char folder[] = "/tmp/kansoku-imported.XXXXXX";
	struct heard *h = calloc(1, sizeof *h);
	struct fault fault = {0};
	CHECK(h && mkdtemp(folder));
	int directory = open(folder, O_RDONLY | O_DIRECTORY);
	for (int round = 0; round < 2; round++) {
		CHECK(imported_open(&h->imported, directory, "seen", &fault) == 0);
		struct intake_counts c = read_in_pieces("urls", BYTES("203.0.113.9\nbad-name.net\n203.0.113.9\n"), 100, h, 0);
		CHECK(c.records == (round ? 0 : 2) && c.repeated == (round ? 3 : 1) && imported_count(h->imported) == 2);
		imported_close(h->imported);
	}
	int fd = openat(directory, "seen", O_WRONLY | O_APPEND);
	CHECK(write(fd, "cut", 3) == 3);
	close(fd);
	CHECK(imported_open(&h->imported, directory, "seen", &fault) == 0 && imported_count(h->imported) == 2);
	imported_close(h->imported);
	unlinkat(directory, "seen", 0);
	close(directory);
	rmdir(folder);
	free(h);
}

TEST(dates_of_feeds_are_read_with_their_zones)
{
	static const struct { const char *text; uint64_t s; } cases[] = {
		{"Tue, 10 Jun 2003 04:00:00 GMT", 1055217600}, {"Tue, 10 Jun 2003 04:00:00 +0900", 1055185200},
		{"10 Jun 03 04:00 EST", 1055235600}, {"2015-06-09T10:00:00+09:00", 1433811600},
		{"2022-11-25T06:12:39.000Z", 1669356759}, {"2015-06-09", 1433808000},
		{"yesterday", 0}, {"Tue, 10 Jux 2003 04:00:00 GMT", 0}, {"2003-13-01", 0}, {"", 0},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		CHECK_SAY(date_read(bytes_of_text(cases[i].text)) == cases[i].s * 1000000, "%s", cases[i].text);
}
