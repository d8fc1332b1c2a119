#include "base/log.h"
#include "base/clock.h"
#include <time.h>
#include <unistd.h>

#define LINE_MAX_KEPT 2048

static struct {
	char who[32];
	enum log_level up_to;
} process_log = {"kansoku", LOG_LEVEL_INFO};

void log_open(const char *who, enum log_level up_to)
{
	snprintf(process_log.who, sizeof process_log.who, "%s", who);
	process_log.up_to = up_to;
}

void log_say(enum log_level level, const char *fmt, ...)
{
	static const char *const names[] = {"error: ", "warning: ", "", "debug: "};
	if (level > process_log.up_to)
		return;
	char line[LINE_MAX_KEPT];
	time_t now = (time_t)(clock_utc_us() / 1000000);
	struct tm tm;
	gmtime_r(&now, &tm);
	size_t n = strftime(line, sizeof line, "%Y-%m-%dT%H:%M:%SZ ", &tm);
	n += (size_t)snprintf(line + n, sizeof line - n, "%s[%d] %s", process_log.who, getpid(),
			      names[level]);
	va_list ap;
	va_start(ap, fmt);
	int said = vsnprintf(line + n, sizeof line - n - 1, fmt, ap);
	va_end(ap);
	if (said > 0)
		n += (size_t)said < sizeof line - n - 1 ? (size_t)said : sizeof line - n - 2;
	line[n++] = '\n';
	/* One write, so that lines of several processes do not mix; a full pipe must not stop us. */
	if (write(STDERR_FILENO, line, n) < 0)
		return;
}

char *log_quoted(struct bytes b, char *text, size_t n)
{
	size_t at = 0;
	for (size_t i = 0; i < b.len && at + 5 < n; i++) {
		uint8_t c = b.at[i];
		if (c >= 0x20 && c < 0x7f && c != '\\')
			text[at++] = (char)c;
		else
			at += (size_t)snprintf(text + at, n - at, "\\x%02x", c);
	}
	text[at] = '\0';
	return text;
}
