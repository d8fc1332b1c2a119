/*
 * A description of what an export holds, in the shape of PREDICT's catalogue and with schema.org's words for a data set, so
 * that people and search engines find it: who has what, from when to when, how much, under which terms.
 *
 * It counts and names no address.  Sources are counted exactly up to a bound, beyond it "at least".
 */
#include "share/output.h"
#include "base/random.h"
#include <stdlib.h>

#define SOURCES_MAX (1u << 20)
#define SLOTS (2 * SOURCES_MAX)
#define KEYWORDS "attacks, decoys, honeypot, darknet, Internet background radiation"

struct predict {
	uint64_t kinds[EVENT_KIND_COUNT];
	bool fields[FIELDS_MAX];
	uint64_t events, first_us, last_us, packets, secret;
	size_t sources;
	struct address *slots; /* zero: free */
};

static void predict_done(void *state)
{
	struct predict *p = state;
	free(p->slots);
	free(p);
}

static int begin(struct output_run *run)
{
	struct predict *p = *output_state(run) = calloc(1, sizeof *p);
	if (p)
		p->slots = calloc(SLOTS, sizeof *p->slots);
	if (!p || !p->slots)
		return output_fail(run, ERR_MEMORY, "no memory to count sources");
	p->secret = random_secret();
	return 0;
}

static void count_source(struct predict *p, const struct address *a)
{
	size_t at = address_hash(a, p->secret) % SLOTS;
	if (p->sources == SOURCES_MAX || address_is_zero(a))
		return;
	for (; !address_is_zero(&p->slots[at]); at = (at + 1) % SLOTS)
		if (address_equal(&p->slots[at], a))
			return;
	p->slots[at] = *a;
	p->sources++;
}

static int event(struct output_run *run, const struct event *e)
{
	struct predict *p = *output_state(run);
	struct address src;
	p->kinds[e->kind]++;
	p->events++;
	p->packets += event_number(e, FIELD_FLOW_PACKETS, 0);
	if (e->time_us && (!p->first_us || e->time_us < p->first_us))
		p->first_us = e->time_us;
	p->last_us = e->time_us > p->last_us ? e->time_us : p->last_us;
	for (uint16_t i = 0; i < e->count; i++)
		p->fields[e->values[i].field] = true;
	if (event_address(e, FIELD_SRC, &src))
		count_source(p, &src);
	return 0;
}

/* What stands behind the name; the last comma is not written. */
static void write_member(struct writer *w, const char *name, const char *text)
{
	write_fmt(w, "%s \"%s\": ", w->at == w->start ? "{\n" : ",\n", name);
	write_json_string(w, bytes_of_text(text ? text : ""));
}

static const char *category(const struct predict *p)
{
	if (p->kinds[EVENT_FLOW_COUNTED] || p->kinds[EVENT_SCAN_SEEN])
		return "Blackhole Address Space Data";
	return p->kinds[EVENT_ALERT_RAISED] ? "IDS and Firewall Data" : "Attack Data";
}

static const char *restriction(const char *marking)
{
	return !marking || strcmp(marking, "CLEAR") == 0 ? "unrestricted" : !strcmp(marking, "GREEN") ? "quasi-restricted" : "restricted";
}

static void write_counts(struct writer *w, const struct predict *p)
{
	const char *before = "";
	write_fmt(w, ",\n \"events\": %llu,\n \"%s\": %zu,\n \"packets\": %llu,\n \"kinds\": {", (unsigned long long)p->events,
		  p->sources == SOURCES_MAX ? "sources_at_least" : "sources", p->sources, (unsigned long long)p->packets);
	for (int k = 0; k < EVENT_KIND_COUNT; k++)
		if (p->kinds[k]) {
			write_fmt(w, "%s\"%s\": %llu", before, event_kind_name((enum event_kind)k), (unsigned long long)p->kinds[k]);
			before = ", ";
		}
	write_text(w, "},\n \"variableMeasured\": [");
	before = "";
	for (uint16_t f = 0; f < field_count(); f++)
		if (p->fields[f]) {
			write_fmt(w, "%s\n  {\"name\": \"%s\", \"description\": ", before, field_definition(f)->name);
			write_json_string(w, bytes_of_text(field_definition(f)->what));
			write_u8(w, '}');
			before = ",";
		}
	write_text(w, "]\n}\n");
}

static int end(struct output_run *run)
{
	const struct predict *p = *output_state(run);
	const struct output_about *a = output_about(run);
	char from[TIME_TEXT_MAX], to[TIME_TEXT_MAX], id[128], about[512], covers[2 * TIME_TEXT_MAX + 2];
	struct writer w = output_room(run, OUTPUT_ROOM_MAX);
	time_format(a->from_us ? a->from_us : p->first_us, from);
	time_format(a->to_us ? a->to_us : p->last_us, to);
	snprintf(id, sizeof id, "%s-%.10s-%.10s", a->collection, from, to);
	snprintf(covers, sizeof covers, "%s/%s", from, to);
	snprintf(about, sizeof about, "%s, as observed by %s: %llu events of %zu sources%s. Our own addresses are not in it; TLP:%s.",
		 a->title ? a->title : a->collection, a->producer ? a->producer : "us", (unsigned long long)p->events, p->sources,
		 p->sources == SOURCES_MAX ? " or more" : "", a->marking ? a->marking : "AMBER");
	write_member(&w, "@context", "https://schema.org/");
	write_member(&w, "@type", "Dataset");
	write_member(&w, "id", id);
	write_member(&w, "title", a->title ? a->title : a->collection);
	write_member(&w, "name", a->title ? a->title : a->collection);
	write_member(&w, "provider", a->producer);
	write_member(&w, "host", a->producer);
	write_member(&w, "start", from);
	write_member(&w, "end", to);
	write_member(&w, "temporalCoverage", covers);
	write_member(&w, "category", category(p));
	write_member(&w, "restriction", restriction(a->marking));
	write_member(&w, "tlp", a->marking);
	write_member(&w, "description", about);
	write_member(&w, "keywords", KEYWORDS);
	write_counts(&w, p);
	return output_wrote(run, &w);
}

static const struct output_specimen specimens[] = {
	{"two events of one source",
	 "{\"kind\":\"flow.counted\",\"time\":\"2015-03-05T10:21:30Z\",\"src\":\"203.0.113.9\",\"flow.packets\":3}\n"
	 "{\"kind\":\"flow.counted\",\"time\":\"2015-03-05T10:22:30Z\",\"src\":\"203.0.113.9\",\"flow.packets\":4}\n",
	 "{\n \"@context\": \"https://schema.org/\",\n \"@type\": \"Dataset\",\n \"id\": \"test-2015-03-05-2015-03-06\",\n"
	 " \"title\": \"A test\",\n \"name\": \"A test\",\n \"provider\": \"Example CERT\",\n \"host\": \"Example CERT\",\n"
	 " \"start\": \"2015-03-05T00:00:00.000000Z\",\n \"end\": \"2015-03-06T00:00:00.000000Z\",\n"
	 " \"temporalCoverage\": \"2015-03-05T00:00:00.000000Z/2015-03-06T00:00:00.000000Z\",\n"
	 " \"category\": \"Blackhole Address Space Data\",\n \"restriction\": \"quasi-restricted\",\n \"tlp\": \"GREEN\",\n"
	 " \"description\": \"A test, as observed by Example CERT: 2 events of 1 sources. Our own addresses are not in it; TLP:GREEN.\",\n"
	 " \"keywords\": \"" KEYWORDS "\",\n \"events\": 2,\n \"sources\": 1,\n \"packets\": 7,\n"
	 " \"kinds\": {\"flow.counted\": 2},\n \"variableMeasured\": [\n"
	 "  {\"name\": \"src\", \"description\": \"address that acted, or was observed\"},\n"
	 "  {\"name\": \"flow.packets\", \"description\": \"packets\"}]\n}\n", NULL},
	{0},
};

static const struct output predict = {
	.name = "predict",
	.summary = "a description of the data set: who has what, from when to when, how much, under which terms",
	.reference = "PREDICT/IMPACT's catalogue; schema.org Dataset",
	.media_type = "application/ld+json",
	.extension = "json",
	.kinds = KIND_MASK_ALL,
	.whole = true,
	.begin = begin,
	.event = event,
	.end = end,
	.done = predict_done,
	.specimens = specimens,
};
OUTPUT(predict);
