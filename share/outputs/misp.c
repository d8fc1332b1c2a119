/*
 * One event of MISP with what was observed as attributes, as MISP's feeds and "add event from file" read it; and the list of
 * digests by which a MISP knows without asking that a feed has a value.
 *
 * A value stands in it once, with the time at which it was seen first.
 */
#include "share/making/misp_making_inner.h"
#include "share/making/stix_making_inner.h"
#include "share/exporting/marks_inner.h"
#include "share/output.h"
#include <openssl/evp.h>
#include <stdlib.h>
#include <xxhash.h>

#define ATTRIBUTE_MAX (6 * EVENT_BYTES_MAX + 4096)
#define SEEN_MAX (1u << 22)

struct misp {
	char id[UUID_TEXT_MAX];
	struct marks seen;
	uint64_t written;
};

static uint64_t mark_of(const char *type, struct bytes value)
{
	return XXH3_64bits_withSeed(value.at, value.len, XXH3_64bits(type, strlen(type)));
}

/* ERR_FULL: more values than a MISP takes in one event. */
static int is_new(struct misp *m, uint64_t mark) { return marks_add(&m->seen, mark, SEEN_MAX); }

static int open_state(struct output_run *run)
{
	const struct output_about *about = output_about(run);
	struct misp *m = calloc(1, sizeof *m);
	if (!m)
		return output_fail(run, ERR_MEMORY, "there was no memory for an event of MISP");
	*output_state(run) = m;
	/* A part of a day is named as that day, so that what a grant narrows keeps the name that the feed gives it. */
	uint64_t day_us = about->from_us / MISP_DAY_US * MISP_DAY_US;
	bool within = about->to_us <= day_us + MISP_DAY_US;
	misp_event_id(about->collection, about->producer, within ? day_us : about->from_us, within ? day_us + MISP_DAY_US : about->to_us,
		      m->id);
	return 0;
}

static int begin(struct output_run *run)
{
	const struct output_about *about = output_about(run);
	char day[TIME_TEXT_MAX];
	enum tlp tlp = TLP_RED;
	int bad = open_state(run);
	if (bad)
		return bad;
	struct misp *m = *output_state(run);
	struct writer w = output_room(run, 8192);
	tlp_read(bytes_of_text(about->marking ? about->marking : ""), &tlp);
	time_format(about->from_us ? about->from_us : about->time_us, day);
	write_fmt(&w, "{\"Event\":{\"uuid\":\"%s\",\"info\":", m->id);
	write_json_string(&w, bytes_of_text(about->title ? about->title : "observations"));
	write_fmt(&w, ",\"date\":\"%.10s\",\"threat_level_id\":\"4\",\"analysis\":\"2\",\"published\":true,\"timestamp\":\"%llu\","
		      "\"Orgc\":", day, (unsigned long long)(about->time_us / 1000000));
	misp_write_maker(&w, about->producer);
	write_text(&w, ",\"Tag\":");
	misp_write_tags(&w, tlp);
	write_text(&w, ",\"Attribute\":[");
	return output_wrote(run, &w);
}

static int write_attribute(struct output_run *run, struct misp *m, const struct event *e, const struct misp_attribute *a)
{
	char id[UUID_TEXT_MAX], seed[64], time[TIME_TEXT_MAX];
	struct writer w = output_room(run, ATTRIBUTE_MAX);
	snprintf(seed, sizeof seed, "%s %016llx", m->id, (unsigned long long)mark_of(a->type, a->value));
	uuid_of_name((const uint8_t *)m->id, bytes_of_text(seed), id);
	write_fmt(&w, "%s\n{\"uuid\":\"%s\",\"type\":\"%s\",\"category\":\"%s\",\"to_ids\":%s,\"value\":", m->written++ ? "," : "", id, a->type,
		  a->category, a->to_ids ? "true" : "false");
	write_json_string(&w, a->value);
	write_fmt(&w, ",\"comment\":\"%s\",\"timestamp\":\"%llu\",\"first_seen\":\"%s\",\"disable_correlation\":false}",
		  event_kind_name(e->kind), (unsigned long long)(e->time_us / 1000000), time_format(e->time_us, time));
	return output_wrote(run, &w);
}

static int event(struct output_run *run, const struct event *e)
{
	struct misp *m = *output_state(run);
	struct misp_attribute attributes[MISP_ATTRIBUTES_MAX];
	size_t count = misp_attributes(e, attributes);
	int bad = count ? 0 : output_skip(run);
	for (size_t i = 0; i < count && !bad; i++) {
		int fresh = is_new(m, mark_of(attributes[i].type, attributes[i].value));
		if (fresh < 0)
			return output_fail(run, fresh, "there are more values than an event of MISP bears; a shorter time would be right");
		if (fresh)
			bad = write_attribute(run, m, e, &attributes[i]);
	}
	return bad;
}

static int end(struct output_run *run) { return output_write(run, BYTES("\n]}}\n")); }

static void done(void *state)
{
	struct misp *m = state;
	if (m)
		marks_done(&m->seen);
	free(m);
}

/* MISP's own list: MD5 of each value, and the event that has it; composed values by their parts. */
static int write_digest(struct output_run *run, struct misp *m, struct bytes value, const char *id)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	struct writer w = output_room(run, 128);
	if (is_new(m, mark_of(id, value)) <= 0 || !EVP_Digest(value.at, value.len, digest, &n, EVP_md5(), NULL))
		return 0;
	for (unsigned i = 0; i < n; i++)
		write_fmt(&w, "%02x", digest[i]);
	write_fmt(&w, ",%s\n", id);
	return output_wrote(run, &w);
}

static int digest_event(struct output_run *run, const struct event *e)
{
	const struct output_about *about = output_about(run);
	struct misp_attribute attributes[MISP_ATTRIBUTES_MAX];
	char id[UUID_TEXT_MAX];
	size_t count = misp_attributes(e, attributes);
	uint64_t day_us = e->time_us / MISP_DAY_US * MISP_DAY_US;
	int bad = count ? 0 : output_skip(run);
	misp_event_id(about->collection, about->producer, day_us, day_us + MISP_DAY_US, id);
	for (size_t i = 0; i < count && !bad; i++) {
		size_t bar = strchr(attributes[i].type, '|') ? bytes_find(attributes[i].value, "|") : attributes[i].value.len;
		struct bytes rest = {attributes[i].value.at + bar + 1, bar < attributes[i].value.len ? attributes[i].value.len - bar - 1 : 0};
		bad = write_digest(run, *output_state(run), (struct bytes){attributes[i].value.at, bar}, id);
		if (!bad && rest.len)
			bad = write_digest(run, *output_state(run), rest, id);
	}
	return bad;
}

#define MISP_KINDS                                                                                                      \
	(KIND_MASK(EVENT_SESSION_OPENED) | KIND_MASK(EVENT_SCAN_SEEN) | KIND_MASK(EVENT_LOGIN_TRIED) |                        \
	 KIND_MASK(EVENT_COMMAND_SENT) | KIND_MASK(EVENT_REQUEST_SEEN) | KIND_MASK(EVENT_FILE_CAPTURED) |                     \
	 KIND_MASK(EVENT_EXPLOIT_SEEN) | KIND_MASK(EVENT_ALERT_RAISED) | KIND_MASK(EVENT_TOKEN_USED) |                        \
	 KIND_MASK(EVENT_EXPOSURE_FOUND) | KIND_MASK(EVENT_INDICATOR_FOUND) | KIND_MASK(EVENT_SAMPLE_ANALYSED) |              \
	 KIND_MASK(EVENT_CAMPAIGN_FOUND) | KIND_MASK(EVENT_RECORD_IMPORTED))

#define LOGIN                                                                                                          \
	"{\"kind\":\"login.tried\",\"id\":\"00050d4b5d3c4000000000010000002a\",\"time\":\"2015-03-05T10:20:30.000004Z\","   \
	"\"src\":\"203.0.113.9\",\"login.user\":\"root\"}\n"

static const struct output_specimen specimens[] = {
	{"who tried to log in, once, however often", LOGIN LOGIN, NULL, NULL},
	{0},
};

static const struct output misp_output = {
	.name = "misp",
	.summary = "an event of MISP, with attributes",
	.reference = "MISP core format (draft-dulaunoy-misp-core-format)",
	.media_type = "application/json",
	.extension = "json",
	.kinds = MISP_KINDS,
	.whole = true,
	.begin = begin,
	.event = event,
	.end = end,
	.done = done,
	.specimens = specimens,
};
OUTPUT(misp_output);

static const struct output_specimen digest_specimens[] = {
	{"an address that tried to log in, under the event of its day", LOGIN LOGIN, NULL, NULL},
	{0},
};

static const struct output misp_digests = {
	.name = "misp-hashes",
	.summary = "MD5 of each value and the event of MISP that has it, as a feed's hashes.csv",
	.reference = "MISP feeds: hashes.csv",
	.media_type = "text/csv; charset=utf-8",
	.extension = "csv",
	.kinds = MISP_KINDS,
	.begin = open_state,
	.event = digest_event,
	.done = done,
	.specimens = digest_specimens,
};
OUTPUT(misp_digests);
