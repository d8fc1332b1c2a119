#include "share/reading/date_inner.h"
#include <ctype.h>
#include <stdio.h>
#include <time.h>

#define DATE_TEXT_MAX 64
#define YEAR_LEAST 1970
#define YEAR_MOST 9999

struct moment {
	int year, month, day, hour, minute, second;
	int offset_s;
	unsigned microsecond;
};

static uint64_t moment_us(const struct moment *m)
{
	struct tm tm = {.tm_year = m->year - 1900, .tm_mon = m->month - 1, .tm_mday = m->day, .tm_hour = m->hour,
			.tm_min = m->minute, .tm_sec = m->second};
	if (m->year < YEAR_LEAST || m->year > YEAR_MOST || m->month < 1 || m->month > 12 || m->day < 1 || m->day > 31 ||
	    m->hour < 0 || m->hour > 23 || m->minute < 0 || m->minute > 59 || m->second < 0 || m->second > 60)
		return 0;
	int64_t seconds = (int64_t)timegm(&tm) - m->offset_s;
	return seconds > 0 ? (uint64_t)seconds * 1000000 + m->microsecond : 0;
}

/* "+0900", "-08:00", "Z", "GMT" or one of RFC 822's American names; anything else is UTC, as RFC 2822 4.3 says. */
static int offset_read(const char *zone)
{
	static const struct { const char *name; int hours; } names[] = {
		{"EST", -5}, {"EDT", -4}, {"CST", -6}, {"CDT", -5}, {"MST", -7}, {"MDT", -6}, {"PST", -8}, {"PDT", -7}};
	int hours, minutes;
	if ((*zone == '+' || *zone == '-') && (sscanf(zone + 1, "%2d:%2d", &hours, &minutes) == 2 ||
					       sscanf(zone + 1, "%2d%2d", &hours, &minutes) == 2))
		return (*zone == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (!strncmp(zone, names[i].name, 3))
			return names[i].hours * 3600;
	return 0;
}

static bool rfc822_read(const char *text, struct moment *m)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	char month[4], zone[8] = "";
	const char *comma = strchr(text, ',');
	int n = sscanf(comma ? comma + 1 : text, " %2d %3[A-Za-z] %4d %2d:%2d:%2d %7s", &m->day, month, &m->year, &m->hour,
		       &m->minute, &m->second, zone);
	if (n < 6) {
		m->second = 0; /* RFC 822 5: seconds may be left out */
		n = sscanf(comma ? comma + 1 : text, " %2d %3[A-Za-z] %4d %2d:%2d %7s", &m->day, month, &m->year, &m->hour,
			   &m->minute, zone);
	}
	const char *at = n >= 5 && strlen(month) == 3 ? strstr(months, month) : NULL;
	if (!at || (at - months) % 3)
		return false;
	m->month = (int)(at - months) / 3 + 1;
	m->year += m->year < 100 ? (m->year < 70 ? 2000 : 1900) : 0;
	m->offset_s = offset_read(zone);
	return true;
}

static bool rfc3339_read(const char *text, struct moment *m)
{
	int used = 0;
	if (sscanf(text, "%4d-%2d-%2d%n", &m->year, &m->month, &m->day, &used) != 3)
		return false;
	text += used;
	if (*text != 'T' && *text != 't' && *text != ' ')
		return *text == '\0';
	if (sscanf(text + 1, "%2d:%2d:%2d%n", &m->hour, &m->minute, &m->second, &used) != 3)
		return false;
	text += 1 + used;
	if (*text == '.') {
		unsigned place = 100000; /* what is finer than a microsecond is dropped */
		for (text++; isdigit((unsigned char)*text); place /= 10)
			m->microsecond += place * (unsigned)(*text++ - '0');
	}
	m->offset_s = offset_read(text);
	return true;
}

uint64_t date_read(struct bytes b)
{
	char text[DATE_TEXT_MAX];
	struct moment m = {0};
	b = bytes_trim(b);
	if (b.len >= sizeof text || !bytes_copy_text(b, text, sizeof text))
		return 0;
	return rfc3339_read(text, &m) || rfc822_read(text, &m) ? moment_us(&m) : 0;
}
