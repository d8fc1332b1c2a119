#include "share/reading/rows_inner.h"
#include "base/moment.h"
#include <ctype.h>
#define XXH_STATIC_LINKING_ONLY
#include <xxhash.h>

#define DATE_BYTES 10
#define MOMENT_BYTES 40
#define MILLISECONDS_FROM 100000000000u /* as seconds this is the year 5138 */

static const uint8_t mark[] = {0xef, 0xbb, 0xbf}; /* of UTF-8, as Excel puts it first */

/* The separator that is there most often in what is to be the header. */
static uint8_t separator_of(struct bytes line)
{
	static const char known[] = ",;\t|";
	size_t most = 0;
	uint8_t best = ',';
	for (const char *s = known; *s; s++) {
		size_t count = 0;
		for (size_t i = 0; i < line.len; i++)
			count += line.at[i] == (uint8_t)*s;
		if (count > most) {
			most = count;
			best = (uint8_t)*s;
		}
	}
	return best;
}

/* Where the quoted text ends, at its closing quote; NULL: it does not. */
static const uint8_t *quote_end(const uint8_t *at, const uint8_t *end, bool *doubled)
{
	for (*doubled = false;; at += 2) {
		at = at < end ? memchr(at, '"', (size_t)(end - at)) : NULL;
		if (!at || at + 1 == end || at[1] != '"')
			return at;
		*doubled = true;
	}
}

static struct bytes without_doubled(struct intake *in, struct bytes b)
{
	uint8_t *room = arena_alloc(intake_arena(in), b.len);
	size_t n = 0;
	for (size_t i = 0; room && i < b.len; i++) {
		room[n++] = b.at[i];
		i += b.at[i] == '"'; /* the second of two */
	}
	return (struct bytes){room, n};
}

enum split { SPLIT_WHOLE, SPLIT_OPEN, SPLIT_MANY };

static enum split split(struct intake *in, struct bytes line, uint8_t separator, struct cells *cells)
{
	const uint8_t *at = line.at, *end = line.at + line.len;
	for (cells->count = 0;; at++) {
		if (cells->count == ROWS_COLUMNS_MAX)
			return SPLIT_MANY;
		const uint8_t *start = at;
		while (start < end && *start == ' ' && separator != ' ')
			start++;
		struct bytes cell;
		if (start < end && *start == '"') {
			bool doubled;
			const uint8_t *close = quote_end(start + 1, end, &doubled);
			if (!close)
				return SPLIT_OPEN;
			cell = (struct bytes){start + 1, (size_t)(close - start) - 1};
			cell = doubled ? without_doubled(in, cell) : cell;
			at = memchr(close, separator, (size_t)(end - close));
		} else {
			at = memchr(at, separator, (size_t)(end - at));
			cell = (struct bytes){start, (size_t)((at ? at : end) - start)};
		}
		cells->cell[cells->count++] = bytes_trim(cell);
		if (!at)
			return SPLIT_WHOLE;
	}
}

static void drop_held(struct rows *t) { t->held_lines = t->held_used = 0; }

static bool hold(struct rows *t, struct bytes line)
{
	if (t->held_lines == ROWS_HELD_LINES_MAX || line.len + 1 > sizeof t->held - t->held_used)
		return false;
	if (t->held_lines++)
		t->held[t->held_used++] = '\n';
	memcpy(t->held + t->held_used, line.at, line.len);
	t->held_used += line.len;
	return true;
}

static bool complain_of_held(struct rows *t, struct intake *in)
{
	intake_bad(in, "a quote that opens %zu lines before is not closed", t->held_lines);
	drop_held(t);
	return false;
}

/* A line behind one whose quote was open: a part of that row, or, if it is a whole row by itself, the next one. */
static bool go_on(struct rows *t, struct intake *in, struct bytes line, struct cells *cells)
{
	if (split(in, line, t->separator, cells) == SPLIT_WHOLE && t->begun && cells->count == t->count && t->count > 1) {
		complain_of_held(t, in);
		return true;
	}
	if (!hold(t, line))
		return complain_of_held(t, in);
	enum split what = split(in, (struct bytes){t->held, t->held_used}, t->separator, cells);
	if (what == SPLIT_OPEN)
		return false;
	t->held_lines = 0; /* its bytes stay until the next is held */
	t->held_used = 0;
	if (what == SPLIT_MANY)
		intake_bad(in, "it has more than %d columns", ROWS_COLUMNS_MAX);
	return what == SPLIT_WHOLE;
}

bool rows_split(struct rows *t, struct intake *in, struct bytes line, struct cells *cells)
{
	if (!t->begun && line.len >= sizeof mark && !memcmp(line.at, mark, sizeof mark))
		line = (struct bytes){line.at + sizeof mark, line.len - sizeof mark};
	if (!t->separator)
		t->separator = separator_of(line);
	if (t->held_lines)
		return go_on(t, in, line, cells);
	enum split what = split(in, line, t->separator, cells);
	if (what == SPLIT_MANY)
		intake_bad(in, "it has more than %d columns", ROWS_COLUMNS_MAX);
	if (what == SPLIT_OPEN && !hold(t, line))
		intake_bad(in, "a quote is not closed");
	return what == SPLIT_WHOLE;
}

static uint64_t digest_of(const struct cells *cells)
{
	uint64_t digest = cells->count;
	for (size_t i = 0; i < cells->count; i++)
		digest = XXH3_64bits_withSeed(cells->cell[i].at, cells->cell[i].len, digest);
	return digest;
}

bool rows_begin(struct rows *t, struct intake *in, const struct cells *cells)
{
	t->begun = true;
	t->header = digest_of(cells);
	t->count = cells->count;
	t->names_used = 0;
	for (size_t i = 0; i < cells->count; i++) {
		struct bytes name = cells->cell[i];
		if (name.len > sizeof t->names - t->names_used) {
			intake_bad(in, "the names of columns have more than %d bytes", ROWS_NAMES_MAX);
			t->count = 0;
			return false;
		}
		t->name_at[i] = (uint16_t)t->names_used;
		t->name_len[i] = (uint16_t)name.len;
		t->place[i] = -1;
		for (size_t k = 0; k < name.len; k++) {
			uint8_t c = name.at[k];
			t->names[t->names_used++] = c >= 0x80 || isalnum(c) ? (uint8_t)tolower(c) : '_';
		}
	}
	return true;
}

struct bytes rows_name(const struct rows *t, size_t column)
{
	return (struct bytes){t->names + t->name_at[column], t->name_len[column]};
}

bool rows_fit(const struct rows *t, struct intake *in, const struct cells *cells)
{
	if (cells->count == t->count)
		return true;
	if (t->count)
		intake_bad(in, "it has %zu columns, and the header names %zu", cells->count, t->count);
	else
		intake_bad(in, "no header says what its columns are");
	return false;
}

static bool find_places(struct rows *t, const struct rows_word *words)
{
	bool any = false;
	for (size_t i = 0; i < t->count; i++)
		for (const struct rows_word *w = words; w->name; w++)
			if (bytes_equal_text(rows_name(t, i), w->name)) {
				t->place[i] = (int16_t)w->place;
				any = true;
				break;
			}
	return any;
}

bool rows_take(struct rows *t, struct intake *in, struct bytes line, const struct rows_word *words, struct bytes *places,
	       size_t place_count)
{
	struct cells cells;
	if (!t->held_lines && line.at[0] == '#')
		return false;
	if (!rows_split(t, in, line, &cells))
		return false;
	if (!t->begun) {
		if (rows_begin(t, in, &cells) && !find_places(t, words)) {
			intake_bad(in, "the header names no column that this format knows");
			t->count = 0;
		}
		return false;
	}
	if (digest_of(&cells) == t->header || !rows_fit(t, in, &cells))
		return false;
	memset(places, 0, place_count * sizeof *places);
	for (size_t i = 0; i < cells.count; i++)
		if (t->place[i] >= 0 && !places[t->place[i]].len)
			places[t->place[i]] = cells.cell[i];
	return true;
}

void rows_end(struct rows *t, struct intake *in)
{
	if (t->held_lines)
		complain_of_held(t, in);
}

static bool epoch_time(struct bytes cell, uint64_t *time_us)
{
	if (!moment_seconds(cell, time_us))
		return false;
	if (*time_us / 1000000 >= MILLISECONDS_FROM)
		*time_us /= 1000;
	return true;
}

/* One or two digits (four, of a year), and then one of the marks, or the end where that is one. */
static bool next_part(struct reader *r, size_t digits_max, const char *marks, unsigned *out)
{
	size_t digits = 0;
	for (*out = 0; digits < digits_max && reader_left(r) && isdigit(*r->at); digits++)
		*out = *out * 10 + (unsigned)(*r->at++ - '0');
	return digits && (!reader_left(r) || (*r->at && strchr(marks, *r->at)));
}

static void pass_mark(struct reader *r)
{
	if (reader_left(r))
		r->at++;
}

/* Spreadsheets write "2015/6/2 3:04": the same with all its digits. */
static bool padded(struct bytes cell, struct writer *w)
{
	struct reader r = reader_of_bytes(cell);
	unsigned year, month, day, hour = 0, minute = 0, second = 0;
	if (!next_part(&r, 4, "-/", &year))
		return false;
	pass_mark(&r);
	if (!next_part(&r, 2, "-/", &month))
		return false;
	pass_mark(&r);
	if (!next_part(&r, 2, "T ", &day))
		return false;
	pass_mark(&r);
	if (reader_left(&r)) {
		if (!next_part(&r, 2, ":", &hour))
			return false;
		pass_mark(&r);
		if (!next_part(&r, 2, ":Z+-", &minute))
			return false;
		if (reader_left(&r) && *r.at == ':') {
			pass_mark(&r);
			if (!next_part(&r, 2, ".Z+-", &second))
				return false;
		}
	}
	write_fmt(w, "%04u-%02u-%02uT%02u:%02u:%02u", year, month, day, hour, minute, second);
	write_span(w, read_rest(&r));
	return !w->bad;
}

bool cell_time(struct bytes cell, int zone_s, uint64_t *time_us)
{
	uint8_t text[MOMENT_BYTES];
	struct writer w = writer_of(text, sizeof text);
	if (cell.len < 5 || (cell.at[4] != '-' && cell.at[4] != '/'))
		return cell.len && isdigit(cell.at[0]) && epoch_time(cell, time_us);
	if (!padded(cell, &w) || !moment_iso(writer_bytes(&w), time_us))
		return false;
	struct bytes rest = {text + DATE_BYTES, writer_used(&w) - DATE_BYTES};
	bool zoned = memchr(rest.at, 'Z', rest.len) || memchr(rest.at, '+', rest.len) || memchr(rest.at, '-', rest.len);
	if (!zoned && zone_s > 0 && *time_us < (uint64_t)zone_s * 1000000)
		return false;
	*time_us -= zoned ? 0 : (uint64_t)((int64_t)zone_s * 1000000);
	return true;
}

const char *cell_proto(struct bytes b)
{
	if (bytes_equal_nocase(b, "tcp") || bytes_equal_text(b, "6"))
		return "tcp";
	if (bytes_equal_nocase(b, "udp") || bytes_equal_text(b, "17"))
		return "udp";
	bool icmp = bytes_equal_nocase(b, "icmp") || bytes_equal_nocase(b, "icmp6") || bytes_equal_nocase(b, "icmpv6") ||
		    bytes_equal_text(b, "1") || bytes_equal_text(b, "58");
	return icmp ? "icmp" : NULL;
}
