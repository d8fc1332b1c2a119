/* Whole files of sensors, as `kansoku sensors read` wants them. */
#include "passive/sensors/sensor_format.h"
#include "passive/sensors/sensors.h"
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#define WINDOW (2 * SENSOR_LINE_MAX)

struct reading {
	const struct sensors_reading *options;
	const struct sensor_format *format;
	const char *path;
	struct sensors_counts *counts;
	struct event *event;
	void *state;
	uint64_t line; /* of this file */
	bool skipping; /* within a line that is too long */
};

static void count_event(struct reading *r)
{
	struct sensors_counts *c = r->counts;
	uint64_t us = r->event->time_us;
	if (r->event->kind == EVENT_ALERT_RAISED)
		c->alerts++;
	else
		c->flows++;
	c->first_us = c->first_us && c->first_us < us ? c->first_us : us;
	c->last_us = c->last_us > us ? c->last_us : us;
	r->options->event(r->options->arg, r->event);
}

static void is_bad(struct reading *r, struct bytes why)
{
	tally_add(&r->counts->reasons, why);
	if (r->options->bad)
		r->options->bad(r->options->arg, r->path, r->line, why);
}

static void take_line(struct reading *r, struct bytes line)
{
	struct sensors_counts *c = r->counts;
	c->lines++;
	r->line++;
	if (line.len && line.at[line.len - 1] == '\r')
		line.len--;
	struct line_result result = r->format->line(r->state, line, r->event);
	switch (result.took) {
	case LINE_EVENT:
		count_event(r);
		break;
	case LINE_OTHER:
		c->other++;
		tally_add(&c->others, result.why);
		break;
	case LINE_HEADER:
		c->headers++;
		break;
	case LINE_EMPTY:
		c->empty++;
		break;
	case LINE_BAD:
		c->bad++;
		is_bad(r, result.why);
		break;
	}
}

static void take_too_long(struct reading *r)
{
	r->counts->lines++;
	r->counts->too_long++;
	r->line++;
	is_bad(r, BYTES("longer than 256 KiB"));
}

/* All whole lines of the window; how many bytes of it are used up. */
static size_t take_lines(struct reading *r, struct bytes window)
{
	size_t at = 0;
	const uint8_t *end;
	while (at < window.len && (end = memchr(window.at + at, '\n', window.len - at))) {
		struct bytes line = {window.at + at, (size_t)(end - window.at) - at};
		at += line.len + 1;
		if (r->skipping || line.len > SENSOR_LINE_MAX)
			take_too_long(r);
		else
			take_line(r, line);
		r->skipping = false;
	}
	if (window.len - at <= SENSOR_LINE_MAX)
		return at;
	r->skipping = true; /* what there is of it can go */
	return window.len;
}

static void take_end(struct reading *r, struct bytes rest)
{
	if (r->skipping)
		take_too_long(r);
	else if (rest.len)
		take_line(r, rest);
}

static int read_all(struct reading *r, gzFile file, uint8_t *window, struct fault *fault)
{
	size_t held = 0;
	int n;
	while ((n = gzread(file, window + held, (unsigned)(WINDOW - held))) > 0) {
		held += (size_t)n;
		r->counts->bytes += (uint64_t)n;
		size_t used = take_lines(r, (struct bytes){window, held});
		held -= used;
		if (used && held)
			memmove(window, window + used, held);
	}
	int problem = 0;
	const char *why = n < 0 ? gzerror(file, &problem) : NULL;
	if (problem == Z_BUF_ERROR) /* ends within its packing, as a file that is still being written does */
		why = NULL;
	take_end(r, (struct bytes){window, held});
	if (!why)
		return 0;
	return fault_set(fault, ERR_BAD, "%s: cannot be read on after line %llu: %s", r->path,
			 (unsigned long long)r->line, problem == Z_ERRNO ? strerror(errno) : why);
}

int sensors_read(const struct sensors_reading *options, const char *path, struct sensors_counts *counts,
		 struct fault *fault)
{
	struct reading r = {.options = options, .path = path, .counts = counts};
	r.format = sensor_format_find(options->format);
	if (!r.format)
		return fault_set(fault, ERR_MISSING, "%s: there is no such format", options->format);
	gzFile file = strcmp(path, "-") ? gzopen(path, "rb") : gzdopen(dup(STDIN_FILENO), "rb");
	if (!file)
		return fault_set(fault, ERR_SYSTEM, "%s: %s", path, strerror(errno));
	gzbuffer(file, SENSOR_LINE_MAX);
	r.state = calloc(1, r.format->state_size);
	r.event = malloc(sizeof *r.event);
	uint8_t *window = malloc(WINDOW);
	int bad = r.state && r.event && window ? 0 : fault_set(fault, ERR_MEMORY, "%s: out of memory", path);
	if (!bad) {
		if (r.format->begin)
			r.format->begin(r.state, path);
		bad = read_all(&r, file, window, fault);
	}
	free(window);
	free(r.event);
	free(r.state);
	gzclose(file);
	return bad;
}

void sensors_counts_done(struct sensors_counts *c)
{
	tally_done(&c->others);
	tally_done(&c->reasons);
}

const char *sensors_format(size_t nth, const char **summary)
{
	SENSOR_FORMATS_EACH(f) {
		if (nth--)
			continue;
		*summary = (*f)->summary;
		return (*f)->name;
	}
	return NULL;
}
