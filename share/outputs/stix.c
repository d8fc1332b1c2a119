/*
 * A bundle of STIX 2.1: what MISP, OpenCTI and others take in as a file.
 *
 * An object stands in it once, however many events name it; a reader may keep the whole, so each event still brings all
 * that it refers to.
 */
#include "share/output.h"
#include "share/making/stix_making_inner.h"
#include "share/exporting/marks_inner.h"
#include <stdlib.h>
#include <xxhash.h>

#define SEEN_MAX (1u << 24)

struct bundle {
	struct making *making;
	enum tlp tlp;
	struct marks seen;
	uint64_t written;
};

FIELD(field_tlp, "record.tlp", TEXT, 0, "to whom it may be shown: RED, AMBER, AMBER+STRICT, GREEN, CLEAR");

/* Beyond SEEN_MAX an object may stand in it again: that costs its reader nothing. */
static bool is_new(struct bundle *b, const char *id)
{
	return marks_add(&b->seen, XXH3_64bits(id, strlen(id)), SEEN_MAX) != 0;
}

static int write_objects(struct output_run *run, struct bundle *b, const struct made_object *objects, int count)
{
	int bad = count < 0 ? output_fail(run, ERR_MEMORY, "there was no memory for an event's objects") : 0;
	for (int i = 0; i < count && !bad; i++) {
		if (!is_new(b, objects[i].id))
			continue;
		if (b->written++)
			bad = output_write(run, BYTES(",\n"));
		if (!bad)
			bad = output_write(run, objects[i].json);
	}
	return bad;
}

static int stix_begin(struct output_run *run)
{
	const struct output_about *about = output_about(run);
	struct bundle *b = calloc(1, sizeof *b);
	struct made_object objects[STIX_OBJECTS_MAX];
	char seed[400], id[STIX_ID_MAX];
	if (!b || making_open(&b->making, &(struct making_about){about->producer})) {
		free(b);
		return output_fail(run, ERR_MEMORY, "there was no memory for a bundle");
	}
	*output_state(run) = b;
	if (!about->marking || !tlp_read(bytes_of_text(about->marking), &b->tlp))
		b->tlp = TLP_RED;
	snprintf(seed, sizeof seed, "bundle:%s %llu %llu %llu", about->collection ? about->collection : "",
		 (unsigned long long)about->from_us, (unsigned long long)about->to_us, (unsigned long long)about->time_us);
	making_own_id("bundle", bytes_of_text(seed), id);
	int bad = output_text(run, "{\"type\":\"bundle\",\"id\":\"%s\",\"objects\":[\n", id);
	return bad ? bad : write_objects(run, b, objects, making_common(b->making, b->tlp, output_arena(run), objects));
}

static int stix_event(struct output_run *run, const struct event *e)
{
	struct bundle *b = *output_state(run);
	struct made_object objects[STIX_OBJECTS_MAX];
	enum tlp own, tlp = b->tlp;
	if (tlp_read(event_bytes(e, field_tlp), &own) && own > tlp)
		tlp = own;
	return write_objects(run, b, objects, making_objects(b->making, e, tlp, output_arena(run), objects));
}

static int stix_end(struct output_run *run) { return output_write(run, BYTES("\n]}\n")); }

static void stix_done(void *state)
{
	struct bundle *b = state;
	if (!b)
		return;
	making_close(b->making);
	marks_done(&b->seen);
	free(b);
}

static const struct output_specimen specimens[] = {
	{"a log-in becomes an observation, and its source an indicator that was sighted",
	 "{\"kind\":\"login.tried\",\"id\":\"00050d4b5d3c4000000000010000002a\",\"time\":\"2015-03-05T10:20:30.000004Z\","
	 "\"src\":\"203.0.113.9\",\"dport\":23,\"login.user\":\"ro\\u0022ot\"}\n", NULL, NULL},
	{0},
};

static const struct output stix_output = {
	.name = "stix",
	.summary = "a bundle of STIX 2.1, with markings of TLP 2.0",
	.reference = "OASIS, STIX Version 2.1, 10 June 2021; FIRST, TLP 2.0",
	.media_type = "application/stix+json;version=2.1",
	.extension = "json",
	.kinds = KIND_MASK(EVENT_SESSION_OPENED) | KIND_MASK(EVENT_SESSION_CLOSED) | KIND_MASK(EVENT_LOGIN_TRIED) |
		 KIND_MASK(EVENT_COMMAND_SENT) | KIND_MASK(EVENT_REQUEST_SEEN) | KIND_MASK(EVENT_FILE_CAPTURED) |
		 KIND_MASK(EVENT_EXPLOIT_SEEN) | KIND_MASK(EVENT_TOKEN_USED) | KIND_MASK(EVENT_ALERT_RAISED) |
		 KIND_MASK(EVENT_MAIL_RECEIVED) | KIND_MASK(EVENT_SCAN_SEEN) | KIND_MASK(EVENT_FLOW_COUNTED) |
		 KIND_MASK(EVENT_BACKSCATTER_SEEN) | KIND_MASK(EVENT_REFLECTION_SEEN) | KIND_MASK(EVENT_CLIENT_SEEN) |
		 KIND_MASK(EVENT_HOST_ANSWERED) | KIND_MASK(EVENT_HOST_MATCHED) | KIND_MASK(EVENT_HOST_IDENTIFIED) |
		 KIND_MASK(EVENT_EXPOSURE_FOUND) | KIND_MASK(EVENT_INDICATOR_FOUND) | KIND_MASK(EVENT_SAMPLE_ANALYSED) |
		 KIND_MASK(EVENT_CAMPAIGN_FOUND) | KIND_MASK(EVENT_RECORD_IMPORTED),
	.whole = true,
	.begin = stix_begin,
	.event = stix_event,
	.end = stix_end,
	.done = stix_done,
	.specimens = specimens,
};
OUTPUT(stix_output);
