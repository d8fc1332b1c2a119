/* Each format's own examples: all records in order, in pieces of any size; and what surrounds every format. */
#include "event/event.h"
#include "event/indicator.h"
#include "share/intake/imported_inner.h"
#include "share/reading/date_inner.h"
#include "share/intake/intake_inner.h"
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

static void write_word(struct heard *h, const char *name, struct bytes value)
{
	if (!value.len)
		return;
	write_fmt(&h->w, "  %s ", name);
	for (size_t i = 0; i < value.len; i++) /* a value with line ends still takes one line here */
		if (value.at[i] == '\n' || value.at[i] == '\r')
			write_text(&h->w, value.at[i] == '\n' ? "\\n" : "\\r");
		else
			write_u8(&h->w, value.at[i]);
	write_text(&h->w, "\n");
}

static void write_field(struct heard *h, const struct record_field *f)
{
	const struct field_definition *d = field_definition(f->field);
	char text[ADDRESS_TEXT_MAX];
	if (d->type == FIELD_ADDRESS)
		write_word(h, d->name, bytes_of_text(address_format(&f->address, text)));
	else if (d->type == FIELD_TIME)
		write_word(h, d->name, bytes_of_text(time_format(f->number, text)));
	else if (d->type == FIELD_TEXT || d->type == FIELD_BYTES)
		write_word(h, d->name, f->bytes);
	else
		write_fmt(&h->w, "  %s %llu\n", d->name, (unsigned long long)f->number);
}

/* Words of a record stand for things of ours: one that nobody knows would be searched for in vain. */
static void check_words(const struct record *r)
{
	bool role_known = !r->role;
	for (int role = 0; role < INDICATOR_ROLES; role++)
		role_known |= r->role && !strcmp(r->role, indicator_role_name((enum indicator_role)role));
	CHECK_SAY(!r->kind || event_kind_find(bytes_of_text(r->kind)) >= 0, "there is no kind %s", r->kind);
	CHECK_SAY(role_known, "there is no role %s", r->role);
	CHECK_SAY(r->confidence <= 100, "a confidence of %u", r->confidence);
}

static bool on_record(void *arg, const struct record *r)
{
	struct heard *h = arg;
	check_words(r);
	write_fmt(&h->w, "%s ", r->type);
	write_span(&h->w, r->value);
	write_text(&h->w, "\n");
	write_word(h, "kind", bytes_of_text(r->kind ? r->kind : ""));
	write_word(h, "role", bytes_of_text(r->role ? r->role : ""));
	write_word(h, "id", r->id);
	write_word(h, "tlp", bytes_of_text(r->tlp ? r->tlp : ""));
	write_word(h, "pap", bytes_of_text(r->pap ? r->pap : ""));
	write_word(h, "labels", r->labels);
	write_word(h, "title", r->title);
	write_word(h, "link", r->link);
	write_word(h, "time", r->time_us ? bytes_of_text(time_format(r->time_us, (char[TIME_TEXT_MAX]){0})) : (struct bytes){0});
	write_word(h, "address", r->has_address ? bytes_of_text(address_format(&r->address, (char[ADDRESS_TEXT_MAX]){0})) : (struct bytes){0});
	if (r->port)
		write_fmt(&h->w, "  port %u\n", r->port);
	for (size_t i = 0; i < r->field_count; i++)
		write_field(h, &r->fields[i]);
	return true;
}

static void on_network(void *arg, const struct network *n)
{
	struct heard *h = arg;
	char first[ADDRESS_TEXT_MAX], last[ADDRESS_TEXT_MAX];
	write_fmt(&h->w, "network %s-%s %u %s ", address_format(&n->first, first), address_format(&n->last, last), n->as,
		  n->country);
	write_span(&h->w, n->name);
	write_text(&h->w, "\n");
	write_word(h, "labels", n->labels);
}

static void on_as(void *arg, uint32_t as, struct bytes name, const char *country)
{
	struct heard *h = arg;
	write_fmt(&h->w, "as %u %s ", as, country);
	write_span(&h->w, name);
	write_text(&h->w, "\n");
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
	const struct intake_hooks hooks = {.arg = h, .record = on_record, .bad = on_bad, .seen = on_seen, .network = on_network,
					   .as = on_as};
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

static bool is_field(struct bytes line) { return bytes_start_with(line, "  "); }

/* Takes the fields off that follow a record; `all` is what there was. */
static struct bytes take_fields(struct reader *h)
{
	struct bytes all = {h->at, 0}, line;
	struct reader ahead = *h;
	while (read_line(&ahead, &line) && is_field(line))
		*h = ahead;
	all.len = (size_t)(h->at - all.at);
	return all;
}

static bool has_line(struct bytes all, struct bytes line)
{
	struct reader r = reader_of_bytes(all);
	struct bytes one;
	while (read_line(&r, &one))
		if (bytes_equal(one, line))
			return true;
	return false;
}

/* Line by line; a "bad" line only has to begin alike, and of a record's fields those that are named must be there. */
static void same_lines(const char *title, struct bytes want, struct bytes have)
{
	struct reader w = reader_of_bytes(want), h = reader_of_bytes(have);
	struct bytes a, b, fields = {0};
	while (read_line(&w, &a)) {
		if (is_field(a)) {
			CHECK_SAY(has_line(fields, a), "%s: \"%.*s\" is not among\n%.*s", title, (int)a.len,
				  (const char *)a.at, (int)fields.len, (const char *)fields.at);
			continue;
		}
		CHECK_SAY(read_line(&h, &b), "%s: \"%.*s\" is missing", title, (int)a.len, (const char *)a.at);
		bool same = bytes_start_with(a, "bad ") ? b.len >= a.len && !memcmp(a.at, b.at, a.len) : bytes_equal(a, b);
		CHECK_SAY(same, "%s: \"%.*s\", not \"%.*s\"", title, (int)b.len, (const char *)b.at, (int)a.len,
			  (const char *)a.at);
		fields = take_fields(&h);
	}
	CHECK_SAY(!reader_left(&h), "%s: too much: %.*s", title, (int)reader_left(&h), (const char *)h.at);
}

TEST(formats_read_their_own_examples)
{
	static const size_t pieces[] = {1, 7, 1u << 20};
	struct heard *h = calloc(1, sizeof *h);
	size_t count = 0;
	CHECK(h && event_start(NULL) == 0);
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
		CHECK(imported_open(&h->imported, directory, "seen", 1u << 22, &fault) == 0);
		struct intake_counts c = read_in_pieces("urls", BYTES("203.0.113.9\nbad-name.net\n203.0.113.9\n"), 100, h, 0);
		CHECK(c.records == (round ? 0 : 2) && c.repeated == (round ? 3 : 1) && imported_count(h->imported) == 2);
		imported_close(h->imported);
	}
	int fd = openat(directory, "seen", O_WRONLY | O_APPEND);
	CHECK(write(fd, "cut", 3) == 3);
	close(fd);
	CHECK(imported_open(&h->imported, directory, "seen", 1u << 22, &fault) == 0 && imported_count(h->imported) == 2);
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
	CHECK(date_read(BYTES("2022-11-25T06:12:39.0123459+00:00")) == UINT64_C(1669356759012345));
}
