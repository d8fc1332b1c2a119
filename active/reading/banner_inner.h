/* What a host said, as far as an event keeps it. */
#pragma once
#include "active/probe.h"

#define BANNER_MAX 2048

static inline struct bytes bytes_cut(struct bytes b, size_t max)
{
	return (struct bytes){b.at, b.len < max ? b.len : max};
}

/* As it came; nothing is set when nothing came. */
static inline void report_banner(struct event *answer, struct bytes said)
{
	if (said.len)
		event_set_bytes(answer, FIELD_BANNER, bytes_cut(said, BANNER_MAX));
}

/* Whoever speaks another protocol is heard to the end of a line, which often says what it is. */
static inline enum probe_next hear_out(struct bytes said)
{
	return said.len && memchr(said.at, '\n', said.len) ? PROBE_DONE : PROBE_CONTINUE;
}

/* For values that may be absent. */
static inline void report_bytes(struct event *answer, uint16_t field, struct bytes value)
{
	if (value.len)
		event_set_bytes(answer, field, bytes_cut(value, BANNER_MAX));
}
