#include "base/moment.h"

#define SECONDS_MAX 10000000000000u /* in microseconds it still fits, also when they were milliseconds */

static bool two_digits(struct reader *r, unsigned max, unsigned *out)
{
	struct bytes b = read_bytes(r, 2);
	uint64_t v;
	if (!bytes_number(b, max, &v))
		return false;
	*out = (unsigned)v;
	return true;
}

static bool next_is(struct reader *r, uint8_t byte)
{
	if (!reader_left(r) || *r->at != byte)
		return false;
	r->at++;
	return true;
}

/* Days since 1970 of a date of the Gregorian calendar, by eras of 400 years. */
static int64_t days_of(int64_t year, unsigned month, unsigned day)
{
	year -= month <= 2;
	int64_t era = year / 400;
	unsigned of_era = (unsigned)(year - era * 400);
	unsigned of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static uint64_t fraction_us(struct reader *r)
{
	uint64_t us = 0, scale = 100000;
	for (; reader_left(r) && *r->at >= '0' && *r->at <= '9'; r->at++, scale /= 10)
		us += (uint64_t)(*r->at - '0') * scale;
	return us;
}

static bool zone_of(struct reader *r, int64_t *seconds)
{
	unsigned hours, minutes = 0;
	*seconds = 0;
	if (next_is(r, 'Z') || !reader_left(r))
		return true;
	bool west = next_is(r, '-');
	if (!west && !next_is(r, '+'))
		return false;
	if (!two_digits(r, 23, &hours))
		return false;
	next_is(r, ':');
	if (reader_left(r) && !two_digits(r, 59, &minutes))
		return false;
	*seconds = (int64_t)(hours * 60 + minutes) * (west ? -60 : 60);
	return true;
}

bool moment_iso(struct bytes text, uint64_t *time_us)
{
	struct reader r = reader_of_bytes(text);
	unsigned month, day, hour, minute, second;
	uint64_t year, us = 0;
	int64_t zone;
	if (!bytes_number(read_bytes(&r, 4), 9999, &year) || !next_is(&r, '-') ||
	    !two_digits(&r, 12, &month) || !next_is(&r, '-') || !two_digits(&r, 31, &day) ||
	    !(next_is(&r, 'T') || next_is(&r, ' ')) || !two_digits(&r, 23, &hour) || !next_is(&r, ':') ||
	    !two_digits(&r, 59, &minute) || !next_is(&r, ':') || !two_digits(&r, 60, &second))
		return false;
	if (next_is(&r, '.'))
		us = fraction_us(&r);
	if (!month || !day || !zone_of(&r, &zone) || reader_left(&r))
		return false;
	int64_t seconds = days_of((int64_t)year, month, day) * 86400 + hour * 3600 + minute * 60 + second - zone;
	if (seconds < 0)
		return false;
	*time_us = (uint64_t)seconds * 1000000 + us;
	return true;
}

static bool is_below_us(struct reader *r)
{
	uint64_t exponent;
	return next_is(r, 'e') && next_is(r, '-') && bytes_number(read_rest(r), 400, &exponent) && exponent > 6;
}

bool moment_seconds(struct bytes text, uint64_t *us)
{
	const uint8_t *dot = text.len ? memchr(text.at, '.', text.len) : NULL;
	size_t whole = dot ? (size_t)(dot - text.at) : text.len;
	uint64_t seconds, part = 0;
	if (!bytes_number((struct bytes){text.at, whole}, SECONDS_MAX, &seconds))
		return false;
	if (dot) {
		struct reader r = reader_of(dot + 1, text.len - whole - 1);
		part = fraction_us(&r);
		if (reader_left(&r)) {
			if (seconds > 9 || !is_below_us(&r))
				return false;
			seconds = part = 0;
		}
	}
	*us = seconds * 1000000 + part;
	return true;
}
