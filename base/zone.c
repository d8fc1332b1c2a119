#include "base/zone.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define HEADER_BYTES 44
#define DAY_S 86400
#define OFFSET_S_MAX (26 * 3600) /* RFC 8536 3.2: -89999 to 93599 */
#define TIME_S_MAX (167 * 3600)

struct zone_counts {
	uint32_t isut, isstd, leap, time, type, chars;
};

static bool read_header(struct reader *r, uint8_t *version, struct zone_counts *c)
{
	struct bytes magic = read_bytes(r, 4);
	*version = read_u8(r);
	read_bytes(r, 15);
	c->isut = read_u32(r);
	c->isstd = read_u32(r);
	c->leap = read_u32(r);
	c->time = read_u32(r);
	c->type = read_u32(r);
	c->chars = read_u32(r);
	return reader_ok(r) && bytes_equal_text(magic, "TZif") && c->time <= ZONE_TRANSITIONS_MAX &&
	       c->type >= 1 && c->type <= ZONE_TYPES_MAX && c->chars <= 4096 && c->leap <= 4096 && c->isut <= ZONE_TYPES_MAX &&
	       c->isstd <= ZONE_TYPES_MAX;
}

static size_t body_bytes(const struct zone_counts *c, size_t time_bytes)
{
	return c->time * (time_bytes + 1) + c->type * 6 + c->chars + c->leap * (time_bytes + 4) + c->isstd + c->isut;
}

static bool read_body(struct reader *r, const struct zone_counts *c, bool wide, struct zone *z)
{
	int32_t offsets[ZONE_TYPES_MAX];
	z->count = c->time;
	for (uint32_t i = 0; i < c->time; i++)
		z->at_s[i] = wide ? (int64_t)read_u64(r) : (int32_t)read_u32(r);
	struct bytes types = read_bytes(r, c->time);
	for (uint32_t i = 0; i < c->type; i++) {
		offsets[i] = (int32_t)read_u32(r);
		read_bytes(r, 2);
	}
	read_bytes(r, c->chars + c->leap * (wide ? 12 : 8) + c->isstd + c->isut);
	if (!reader_ok(r))
		return false;
	for (uint32_t i = 0; i < c->type; i++)
		if (offsets[i] < -OFFSET_S_MAX || offsets[i] > OFFSET_S_MAX)
			return false;
	for (uint32_t i = 0; i < c->time; i++) {
		if (types.at[i] >= c->type || (i && z->at_s[i] <= z->at_s[i - 1]))
			return false;
		z->offset_s[i] = offsets[types.at[i]];
	}
	z->first_s = offsets[0];
	return true;
}

/* What is still to be read, without reading it. */
static struct bytes rest_of(const struct reader *r) { return (struct bytes){r->at, reader_left(r)}; }

static bool read_number(struct reader *r, uint32_t max, uint32_t *out)
{
	uint32_t n = 0;
	size_t digits = 0;
	for (struct bytes rest = rest_of(r); digits < rest.len && digits < 4; digits++) {
		if (rest.at[digits] < '0' || rest.at[digits] > '9')
			break;
		n = n * 10 + (rest.at[digits] - '0');
	}
	read_bytes(r, digits);
	*out = n;
	return digits > 0 && n <= max;
}

static bool next_is(struct reader *r, char c)
{
	struct bytes rest = rest_of(r);
	if (!rest.len || rest.at[0] != (uint8_t)c)
		return false;
	read_u8(r);
	return true;
}

/* [+-]hh[:mm[:ss]] */
static bool read_time(struct reader *r, int32_t *out)
{
	uint32_t hours, minutes = 0, seconds = 0;
	bool minus = next_is(r, '-');
	if (!minus)
		next_is(r, '+');
	if (!read_number(r, 167, &hours))
		return false;
	if (next_is(r, ':') && (!read_number(r, 59, &minutes) || (next_is(r, ':') && !read_number(r, 59, &seconds))))
		return false;
	*out = (int32_t)(hours * 3600 + minutes * 60 + seconds) * (minus ? -1 : 1);
	return true;
}

static bool read_name(struct reader *r)
{
	struct bytes rest = rest_of(r);
	size_t n = 0;
	if (rest.len && rest.at[0] == '<') {
		while (n < rest.len && rest.at[n] != '>')
			n++;
		n++;
	} else {
		while (n < rest.len && ((rest.at[n] | 0x20) >= 'a' && (rest.at[n] | 0x20) <= 'z'))
			n++;
	}
	if (n < 3 || n > rest.len)
		return false;
	read_bytes(r, n);
	return true;
}

static bool read_rule(struct reader *r, struct zone_rule *rule)
{
	uint32_t a, b = 0, c = 0;
	*rule = (struct zone_rule){.form = 'D', .time_s = 2 * 3600};
	if (!next_is(r, ','))
		return false;
	if (next_is(r, 'M')) {
		rule->form = 'M';
		if (!read_number(r, 12, &a) || !next_is(r, '.') || !read_number(r, 5, &b) || !next_is(r, '.') ||
		    !read_number(r, 6, &c) || a == 0 || b == 0)
			return false;
		rule->month = (uint16_t)a;
		rule->week = (uint16_t)b;
		rule->day = (uint16_t)c;
	} else {
		rule->form = next_is(r, 'J') ? 'J' : 'D';
		if (!read_number(r, 365, &a) || (rule->form == 'J' && a == 0))
			return false;
		rule->day = (uint16_t)a;
	}
	return !next_is(r, '/') || read_time(r, &rule->time_s);
}

/* POSIX writes offsets west of Greenwich as positive ones. */
static bool read_footer(struct bytes text, struct zone *z)
{
	struct reader r = reader_of_bytes(text);
	int32_t west;
	if (!read_name(&r) || !read_time(&r, &west) || west > OFFSET_S_MAX || west < -OFFSET_S_MAX)
		return false;
	z->ruled = true;
	z->standard_s = -west;
	if (rest_of(&r).len == 0)
		return true;
	z->summer_s = z->standard_s + 3600;
	if (!read_name(&r))
		return false;
	struct bytes rest = rest_of(&r);
	if (rest.len && rest.at[0] != ',') {
		if (!read_time(&r, &west) || west > OFFSET_S_MAX || west < -OFFSET_S_MAX)
			return false;
		z->summer_s = -west;
	}
	z->has_summer = read_rule(&r, &z->begin) && read_rule(&r, &z->end) && rest_of(&r).len == 0;
	return z->has_summer;
}

int zone_read(struct bytes tzif, struct zone *out)
{
	struct reader r = reader_of_bytes(tzif);
	struct zone_counts c;
	uint8_t version;
	*out = (struct zone){0};
	if (!read_header(&r, &version, &c))
		return ERR_BAD;
	if (version == 0)
		return read_body(&r, &c, false, out) ? 0 : ERR_BAD;
	read_bytes(&r, body_bytes(&c, 4));
	if (!read_header(&r, &version, &c) || !read_body(&r, &c, true, out) || read_u8(&r) != '\n')
		return ERR_BAD;
	struct bytes footer = rest_of(&r);
	size_t end = bytes_find(footer, "\n");
	if (end == footer.len || (end && !read_footer((struct bytes){footer.at, end}, out)))
		return ERR_BAD;
	return 0;
}

static bool is_plain(const char *name)
{
	for (const char *c = name; *c; c++)
		if (!((*c | 0x20) >= 'a' && (*c | 0x20) <= 'z') && !strchr("0123456789_+-/", *c))
			return false;
	return *name && *name != '/';
}

int zone_open(const char *name, struct zone *out, struct fault *fault)
{
	static uint8_t text[ZONE_BYTES_MAX];
	char path[256];
	*out = (struct zone){.ruled = true};
	if (!strcmp(name, "UTC"))
		return 0;
	snprintf(path, sizeof path, ZONE_FOLDER "/%.128s", name);
	int fd = is_plain(name) ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text);
	if (fd >= 0)
		close(fd);
	if (n > 0 && zone_read((struct bytes){text, (size_t)n}, out) == 0)
		return 0;
	return fault_set(fault, ERR_MISSING, "\"%s\" is no time zone that is known in " ZONE_FOLDER
			 ", Asia/Tokyo would be right", name);
}

/* Days since 1970 of the first of January; Gregorian. */
static int64_t year_begins(int64_t year)
{
	int64_t y = year - 1;
	return y * 365 + y / 4 - y / 100 + y / 400 - 719162;
}

static bool is_leap(int64_t year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }

/* When the rule holds in that year, in local seconds since 1970. */
static int64_t rule_at(const struct zone_rule *rule, int64_t year)
{
	static const uint16_t before[2][13] = {{0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365},
					       {0, 31, 60, 91, 121, 152, 182, 213, 244, 274, 305, 335, 366}};
	const uint16_t *months = before[is_leap(year)];
	int64_t day = year_begins(year);
	if (rule->form == 'M') {
		int64_t first = day + months[rule->month - 1], next = day + months[rule->month];
		int64_t weekday = ((first + 4) % 7 + 7) % 7; /* 1970 began on a Thursday */
		day = first + (rule->day - weekday + 7) % 7 + (rule->week - 1) * 7;
		if (day >= next)
			day -= 7;
	} else {
		day += rule->form == 'J' ? rule->day - 1 + (is_leap(year) && rule->day >= 60) : rule->day;
	}
	return day * DAY_S + rule->time_s;
}

static int32_t ruled_offset(const struct zone *z, int64_t utc_s)
{
	if (!z->has_summer)
		return z->standard_s;
	int64_t days = (utc_s + z->standard_s) / DAY_S, year = 1970 + days / 366;
	while (year_begins(year + 1) <= days)
		year++;
	int64_t begins = rule_at(&z->begin, year) - z->standard_s, ends = rule_at(&z->end, year) - z->summer_s;
	bool summer = begins < ends ? utc_s >= begins && utc_s < ends : utc_s >= begins || utc_s < ends;
	return summer ? z->summer_s : z->standard_s;
}

int32_t zone_offset_s(const struct zone *z, int64_t utc_s)
{
	if (utc_s < 0)
		utc_s = 0;
	if (z->count == 0)
		return z->ruled ? ruled_offset(z, utc_s) : z->first_s;
	if (utc_s >= z->at_s[z->count - 1])
		return z->ruled ? ruled_offset(z, utc_s) : z->offset_s[z->count - 1];
	if (utc_s < z->at_s[0])
		return z->first_s;
	uint32_t low = 0, high = z->count - 1; /* at_s[low] <= utc_s < at_s[high] */
	while (high - low > 1) {
		uint32_t middle = low + (high - low) / 2;
		if (z->at_s[middle] <= utc_s)
			low = middle;
		else
			high = middle;
	}
	return z->offset_s[low];
}
