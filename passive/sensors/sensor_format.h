/*
 * What a log format of another sensor is: one file in formats/, one struct sensor_format,
 * SENSOR_FORMAT(it).
 *
 * A format is handed one line after the other, without its end, and makes at most one event of
 * each.  It does no I/O, owns no clock and allocates nothing: the room hands it zeroed state of
 * state_size for each file.  Lines are hostile: a line that breaks the format is LINE_BAD with a
 * reason, and the next line is read as if it had not been there.
 *
 * The event has its kind, its time (as the log says it) and what the line tells; sensor's name,
 * verdict and id are the room's.  An alert's `src` is who acted, as far as the line tells.
 */
#pragma once
#include "base/registry.h"
#include "event/event.h"

#define SENSOR_LINE_MAX (256u << 10) /* a longer line is skipped and counted */
#define SENSOR_PAYLOAD_MAX 4096      /* bytes kept of one payload */

enum line_took {
	LINE_EVENT,  /* the event is filled in */
	LINE_OTHER,  /* well-formed, of a kind that is not taken; `why` names it */
	LINE_HEADER, /* says how the lines behind it are to be read; wanted again after a restart */
	LINE_EMPTY,
	LINE_BAD,    /* `why` says what is wrong */
};

struct line_result {
	enum line_took took;
	struct bytes why; /* valid until the next line */
};

struct sensor_format {
	const char *name, *summary;
	const char *reference;
	size_t state_size;
	/* `path`: the file's name may tell which log it is.  Once before a file's first line. */
	void (*begin)(void *state, const char *path);
	struct line_result (*line)(void *state, struct bytes line, struct event *);
};

#define SENSOR_FORMAT(f) REGISTER(sensor_formats, struct sensor_format, f)
REGISTRY(sensor_formats, struct sensor_format);
#define SENSOR_FORMATS_EACH(it) REGISTRY_EACH(sensor_formats, struct sensor_format, it)

const struct sensor_format *sensor_format_find(const char *name); /* NULL: there is none */

/* For formats: what both of them do with what they read. */
struct line_result line_bad(const char *why);
/* A plain word in lower case ("TCP" becomes "tcp"), or as it stands; anything else is left out. */
void event_set_word(struct event *, uint16_t field, struct bytes);
void event_set_token(struct event *, uint16_t field, struct bytes);
