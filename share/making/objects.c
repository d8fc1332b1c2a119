/* Which objects an event becomes, kind by kind. */
#include "share/making/maker_inner.h"
#include <stdlib.h>

#define DAY_US (UINT64_C(86400) * 1000000)
/* Ours and the standard's marking definitions do not change. */
#define IDENTITY_SINCE_US (UINT64_C(1420070400) * 1000000) /* 2015-01-01 */

FIELD(field_cve, "exposure.cve", TEXT, 0, "weakness, by its number");
FIELD(field_title, "exposure.title", TEXT, 0, "what is exposed, in a sentence");
FIELD(field_weakness, "exploit.weakness", TEXT, 0, "weaknesses that it needs: CVE, EDB or CWE, with blanks between");
FIELD(field_campaign, "campaign", TEXT, 0, "name of a campaign: the digest of what its first sources shared");
FIELD(field_samples, "sample.campaign", TEXT, 0, "name of the samples that it belongs with");
FIELD(field_kind, "record.kind", TEXT, 0, "of which of our kinds it would be, had we seen it");
FIELD(field_src_country, "src.country", TEXT, 0, "country of the source, ISO 3166-1, by imported tables");
FIELD(field_country, "record.country", BYTES, 0, "ISO 3166-1 code");
FIELD(field_record_time, "record.time", TIME, 0, "when it was observed or published, by its source");

enum { /* what there is to say of a kind beyond its observables */
	ACTED = 1,      /* its source acted against us: an indicator of the address, and a sighting of it */
	SCANNED = 2,    /* it asked where nothing is: the same, and no malice is claimed */
	HOST = 4,       /* what a host is: infrastructure that consists of it */
	WEAK = 8,       /* a weakness that it has */
	INDICATES = 16, /* an indicator by itself */
	SAMPLE = 32,    /* a sample was analysed */
	CAMPAIGN = 64,
	RECORD = 128,   /* what another says */
};

static const struct { enum event_kind kind; unsigned says; } sayings[] = {
	{EVENT_SESSION_OPENED, ACTED}, {EVENT_SESSION_CLOSED, ACTED}, {EVENT_LOGIN_TRIED, ACTED},
	{EVENT_COMMAND_SENT, ACTED}, {EVENT_REQUEST_SEEN, ACTED}, {EVENT_FILE_CAPTURED, ACTED},
	{EVENT_EXPLOIT_SEEN, ACTED}, {EVENT_TOKEN_USED, ACTED}, {EVENT_ALERT_RAISED, ACTED},
	{EVENT_MAIL_RECEIVED, 0}, {EVENT_SCAN_SEEN, SCANNED}, {EVENT_FLOW_COUNTED, 0},
	{EVENT_BACKSCATTER_SEEN, 0}, {EVENT_REFLECTION_SEEN, 0}, {EVENT_CLIENT_SEEN, 0},
	{EVENT_HOST_ANSWERED, 0}, {EVENT_HOST_MATCHED, 0}, {EVENT_HOST_IDENTIFIED, HOST},
	{EVENT_EXPOSURE_FOUND, HOST | WEAK}, {EVENT_INDICATOR_FOUND, INDICATES}, {EVENT_SAMPLE_ANALYSED, SAMPLE},
	{EVENT_CAMPAIGN_FOUND, CAMPAIGN}, {EVENT_RECORD_IMPORTED, RECORD},
};

static unsigned saying_of(enum event_kind kind, bool *known)
{
	for (size_t i = 0; i < sizeof sayings / sizeof *sayings; i++)
		if (sayings[i].kind == kind) {
			*known = true;
			return sayings[i].says;
		}
	*known = false;
	return 0;
}

bool making_says(enum event_kind kind)
{
	bool known;
	saying_of(kind, &known);
	return known;
}

static void own_id(const char *type, const char *what, const char *name, char out[STIX_ID_MAX])
{
	char seed[STIX_ID_MAX + 2 * ADDRESS_TEXT_MAX + 256];
	snprintf(seed, sizeof seed, "%s:%s", what, name);
	making_own_id(type, bytes_of_text(seed), out);
}

/* An object of this event alone. */
static void event_object_id(const struct making *s, const char *type, const char *what, char out[STIX_ID_MAX])
{
	char hex[EVENT_ID_TEXT];
	own_id(type, what, id_format(&s->event->id, hex), out);
}

static void member_time(struct making *s, const char *name, uint64_t time_us)
{
	char text[TIME_TEXT_MAX];
	write_fmt(&s->w, ",\"%s\":\"%s\"", name, making_time(time_us, text));
}

static void member_text(struct making *s, const char *name, struct bytes value)
{
	if (!value.len)
		return;
	write_fmt(&s->w, ",\"%s\":", name);
	write_json_string(&s->w, making_text(s, value));
}

static void relate(struct making *s, const char *from, const char *how, const char *to)
{
	char name[3 * STIX_ID_MAX], id[STIX_ID_MAX];
	if (!from || !to)
		return;
	snprintf(name, sizeof name, "%s %s %s", from, how, to);
	own_id("relationship", "relationship", name, id);
	if (making_is_there(s, id) || !making_begin_made(s, "relationship", id, s->event->time_us))
		return;
	write_fmt(&s->w, ",\"relationship_type\":\"%s\",\"source_ref\":\"%s\",\"target_ref\":\"%s\"", how, from, to);
	making_end(s);
}

/* What our kinds call it, for whoever searches by words. */
static void labels(struct making *s)
{
	write_fmt(&s->w, ",\"labels\":[\"%s\"]", event_kind_name(s->event->kind));
}

static const char *observation(struct making *s, uint64_t first_us, uint64_t last_us)
{
	char id[STIX_ID_MAX];
	uint64_t count = event_number(s->event, FIELD_COUNT, event_number(s->event, FIELD_FLOW_PACKETS, 1));
	event_object_id(s, "observed-data", "observed-data", id);
	if (!s->ref_count || !making_begin_made(s, "observed-data", id, s->event->time_us))
		return NULL;
	member_time(s, "first_observed", first_us < last_us ? first_us : last_us);
	member_time(s, "last_observed", last_us);
	write_fmt(&s->w, ",\"number_observed\":%llu,\"object_refs\":[",
		  (unsigned long long)(count < 1 ? 1 : count > 999999999 ? 999999999 : count));
	for (size_t i = 0; i < s->ref_count; i++)
		write_fmt(&s->w, "%s\"%s\"", i ? "," : "", s->refs[i]);
	write_text(&s->w, "]");
	labels(s);
	return making_end(s);
}

/* A literal of the pattern language (STIX 2.1, 9.3.1). */
static void write_pattern(struct making *s, const char *path, struct bytes value)
{
	uint8_t *room = arena_alloc(s->arena, 2 * value.len + 256);
	struct writer w = writer_of(room, room ? 2 * value.len + 256 : 0);
	write_fmt(&w, "[%s = '", path);
	for (size_t i = 0; i < value.len; i++) {
		if (value.at[i] == '\\' || value.at[i] == '\'')
			write_u8(&w, '\\');
		write_u8(&w, value.at[i]);
	}
	write_text(&w, "']");
	s->failed |= w.bad;
	write_text(&s->w, ",\"pattern\":");
	write_json_string(&s->w, writer_bytes(&w));
	write_text(&s->w, ",\"pattern_type\":\"stix\",\"pattern_version\":\"2.1\"");
}

static const char *path_of_address(const struct address *a)
{
	return address_is_v4(a) ? "ipv4-addr:value" : "ipv6-addr:value";
}

/* One for an address, a sort, a marking and a day, so that all that it does that day are sightings of one. */
static const char *indicator_of_day(struct making *s, const struct address *a, const char *sort)
{
	char name[2 * ADDRESS_TEXT_MAX + 64], text[ADDRESS_TEXT_MAX], id[STIX_ID_MAX];
	uint64_t day_us = s->event->time_us / DAY_US * DAY_US;
	snprintf(name, sizeof name, "%s %s %llu %s", sort, address_format(a, text), (unsigned long long)(day_us / DAY_US),
		 tlp_name(s->tlp));
	own_id("indicator", "address", name, id);
	if (!making_begin_made(s, "indicator", id, day_us))
		return NULL;
	write_fmt(&s->w, ",\"name\":\"%s\",\"indicator_types\":[\"%s\"]", text, sort);
	write_pattern(s, path_of_address(a), bytes_of_text(text));
	member_time(s, "valid_from", day_us);
	return making_end(s);
}

static const char *sensor(struct making *s)
{
	char name[256], marked[300], id[STIX_ID_MAX];
	if (!bytes_copy_text(event_bytes(s->event, FIELD_SENSOR), name, sizeof name) || !*name)
		return s->producer_id;
	snprintf(marked, sizeof marked, "%s %s", name, tlp_name(s->tlp));
	own_id("identity", "sensor", marked, id);
	if (!making_begin_made(s, "identity", id, IDENTITY_SINCE_US))
		return s->producer_id;
	member_text(s, "name", bytes_of_text(name));
	write_text(&s->w, ",\"identity_class\":\"system\"");
	return making_end(s);
}

static void sighting(struct making *s, const char *of, const char *observed)
{
	char id[STIX_ID_MAX];
	uint64_t count = event_number(s->event, FIELD_COUNT, 1);
	const char *where = of && observed ? sensor(s) : NULL;
	event_object_id(s, "sighting", "sighting", id);
	if (!where || !making_begin_made(s, "sighting", id, s->event->time_us))
		return;
	member_time(s, "first_seen", s->event->time_us);
	member_time(s, "last_seen", s->event->time_us);
	write_fmt(&s->w, ",\"count\":%llu,\"sighting_of_ref\":\"%s\",\"observed_data_refs\":[\"%s\"],\"where_sighted_refs\":[\"%s\"]",
		  (unsigned long long)(count > 999999999 ? 999999999 : count), of, observed, where);
	labels(s);
	making_end(s);
}

static const char *infrastructure(struct making *s, const char *what, const char *sort, struct bytes name)
{
	char id[STIX_ID_MAX];
	event_object_id(s, "infrastructure", what, id);
	if (!making_begin_made(s, "infrastructure", id, s->event->time_us))
		return NULL;
	member_text(s, "name", name.len ? name : BYTES("unnamed"));
	write_fmt(&s->w, ",\"infrastructure_types\":[\"%s\"]", sort);
	labels(s);
	return making_end(s);
}

/* A country is the same object whoever is there. */
static const char *location(struct making *s)
{
	char name[8], id[STIX_ID_MAX];
	struct bytes country = event_bytes(s->event, field_country);
	country = country.len ? country : event_bytes(s->event, field_src_country);
	if (country.len != 2 || !bytes_copy_text(country, name, sizeof name) || name[0] < 'A' || name[0] > 'Z' || name[1] < 'A' || name[1] > 'Z')
		return NULL;
	own_id("location", "country", name, id);
	const enum tlp tlp = s->tlp;
	if (!making_begin_made(s, "location", id, IDENTITY_SINCE_US))
		return NULL;
	member_text(s, "country", country);
	s->tlp = TLP_CLEAR;
	const char *made = making_end(s);
	s->tlp = tlp;
	return made;
}

static void say_host(struct making *s, const char *address, const char *software, unsigned says)
{
	char text[ADDRESS_TEXT_MAX] = "host", id[STIX_ID_MAX];
	struct address src;
	struct bytes label = event_bytes(s->event, FIELD_DEVICE_LABEL), cve = event_bytes(s->event, field_cve);
	if (event_address(s->event, FIELD_SRC, &src))
		address_format(&src, text);
	if (!label.len)
		label = event_bytes(s->event, FIELD_DEVICE_PRODUCT);
	const char *host = infrastructure(s, "host", "undefined", label.len ? label : bytes_of_text(text));
	relate(s, host, "consists-of", address);
	relate(s, host, "consists-of", software);
	relate(s, host, "located-at", location(s));
	if (!(says & WEAK) || !cve.len)
		return;
	event_object_id(s, "vulnerability", "vulnerability", id);
	if (!making_begin_made(s, "vulnerability", id, s->event->time_us))
		return;
	member_text(s, "name", cve);
	member_text(s, "description", event_bytes(s->event, field_title));
	write_text(&s->w, ",\"external_references\":[{\"source_name\":\"cve\"");
	member_text(s, "external_id", cve);
	write_text(&s->w, "}]");
	relate(s, host, "has", making_end(s));
}

/* The same sample on the same day is one object, whichever event speaks of it. */
static const char *malware(struct making *s, const char *file)
{
	char sha256[65], name[128], id[STIX_ID_MAX];
	uint64_t day_us = s->event->time_us / DAY_US * DAY_US;
	if (!file || !bytes_copy_text(event_bytes(s->event, FIELD_FILE_SHA256), sha256, sizeof sha256))
		return NULL;
	snprintf(name, sizeof name, "%s %llu %s", sha256, (unsigned long long)(day_us / DAY_US), tlp_name(s->tlp));
	own_id("malware", "malware", name, id);
	if (!making_begin_made(s, "malware", id, day_us))
		return NULL;
	write_fmt(&s->w, ",\"name\":\"%s\",\"is_family\":false,\"sample_refs\":[\"%s\"]", sha256, file);
	return making_end(s);
}

static void say_sample(struct making *s, const char *file)
{
	char id[STIX_ID_MAX];
	struct bytes family = event_bytes(s->event, FIELD_SAMPLE_FAMILY);
	const char *what = malware(s, file);
	event_object_id(s, "malware-analysis", "malware-analysis", id);
	if (!what || !making_begin_made(s, "malware-analysis", id, s->event->time_us))
		return;
	write_fmt(&s->w, ",\"product\":\"kansoku\",\"result\":\"%s\",\"sample_ref\":\"%s\"", family.len ? "malicious" : "unknown", file);
	member_text(s, "result_name", family);
	member_time(s, "analysis_ended", s->event->time_us);
	making_end(s);
}

/* The observable that an indicator names, and the path of a pattern on it. */
static const char *named(struct making *s, struct bytes value, const char **path, struct bytes *plain)
{
	char type[32] = "";
	struct address a;
	*path = NULL;
	*plain = making_text(s, value);
	bytes_copy_text(event_bytes(s->event, FIELD_INDICATOR_TYPE), type, sizeof type);
	bool has_address = event_address(s->event, FIELD_SRC, &a) || address_parse(value, &a);
	if ((!strcmp(type, "address") || !strcmp(type, "endpoint")) && has_address) {
		char text[ADDRESS_TEXT_MAX];
		*plain = arena_copy(s->arena, bytes_of_text(address_format(&a, text)));
		*path = path_of_address(&a);
		return making_address(s, &a);
	}
	if (!strcmp(type, "hash")) {
		*path = value.len == 32 ? "file:hashes.MD5" : value.len == 40 ? "file:hashes.'SHA-1'" : "file:hashes.'SHA-256'";
		return making_hash(s, value);
	}
	static const struct { const char *type, *observable, *path; } names[] = {
		{"domain", "domain-name", "domain-name:value"}, {"name", "domain-name", "domain-name:value"},
		{"url", "url", "url:value"}, {"mail", "email-addr", "email-addr:value"},
	};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (!strcmp(type, names[i].type)) {
			*path = names[i].path;
			return making_named(s, names[i].observable, value);
		}
	return NULL;
}

static const char *sort_of_role(struct bytes role)
{
	return bytes_equal_text(role, "unknown") || bytes_equal_text(role, "check") || !role.len ? "unknown" : "malicious-activity";
}

static const char *indicator_of_event(struct making *s, const char *path, struct bytes plain, uint64_t from_us)
{
	char id[STIX_ID_MAX];
	struct bytes role = event_bytes(s->event, FIELD_INDICATOR_ROLE);
	event_object_id(s, "indicator", "indicator", id);
	if (!making_begin_made(s, "indicator", id, s->event->time_us))
		return NULL;
	member_text(s, "name", plain);
	write_fmt(&s->w, ",\"indicator_types\":[\"%s\"]", sort_of_role(role));
	write_pattern(s, path, plain);
	member_time(s, "valid_from", from_us);
	if (event_get(s->event, FIELD_CONFIDENCE) && event_number(s->event, FIELD_CONFIDENCE, 0) <= 100)
		write_fmt(&s->w, ",\"confidence\":%llu", (unsigned long long)event_number(s->event, FIELD_CONFIDENCE, 0));
	labels(s);
	return making_end(s);
}

static void say_indicator(struct making *s, const char *file)
{
	const char *path;
	struct bytes plain, role = event_bytes(s->event, FIELD_INDICATOR_ROLE);
	const char *what = named(s, event_bytes(s->event, FIELD_INDICATOR_VALUE), &path, &plain);
	if (!what || !path)
		return;
	const char *indicator = indicator_of_event(s, path, plain, s->event->time_us);
	const char *sort = bytes_equal_text(role, "command") ? "command-and-control"
			   : bytes_equal_text(role, "download") ? "hosting-malware" : NULL;
	const char *sample = malware(s, file);
	if (!sort) {
		relate(s, indicator, "indicates", sample);
		return;
	}
	const char *where = infrastructure(s, "server", sort, plain);
	relate(s, where, "consists-of", what);
	relate(s, where, "located-at", location(s));
	relate(s, indicator, "indicates", where);
	relate(s, sample, bytes_equal_text(role, "command") ? "beacons-to" : "communicates-with", where);
}

static void say_campaign(struct making *s, const char *file)
{
	char id[STIX_ID_MAX];
	struct bytes name = event_bytes(s->event, field_campaign);
	if (!name.len)
		name = event_bytes(s->event, field_samples);
	event_object_id(s, "campaign", "campaign", id);
	if (!name.len || !making_begin_made(s, "campaign", id, s->event->time_us))
		return;
	member_text(s, "name", name);
	member_text(s, "description", event_bytes(s->event, FIELD_EVIDENCE));
	labels(s);
	relate(s, making_end(s), "uses", malware(s, file));
}

/* Another's indicator stays one; another's observation is an observation. */
static void say_record(struct making *s)
{
	const char *path;
	struct bytes plain;
	uint64_t when_us = event_number(s->event, field_record_time, s->event->time_us);
	const char *what = named(s, event_bytes(s->event, FIELD_INDICATOR_VALUE), &path, &plain);
	making_observed(s, what);
	making_observed(s, making_as(s));
	if (event_bytes(s->event, field_kind).len)
		observation(s, when_us, when_us);
	else if (what && path)
		indicator_of_event(s, path, plain, when_us);
}

static bool has_meeting(const struct event *e)
{
	return event_get(e, FIELD_SPORT) || event_get(e, FIELD_DPORT) || event_get(e, FIELD_PROTO);
}

static void observables(struct making *s, const char **src, const char **file, const char **software)
{
	const struct event *e = s->event;
	struct address a;
	*src = event_address(e, FIELD_SRC, &a) ? making_address(s, &a) : NULL;
	const char *dst = event_address(e, FIELD_DST, &a) ? making_address(s, &a) : NULL;
	const char *payload = making_artifact(s);
	*file = making_file(s);
	*software = making_software(s);
	making_observed(s, *src);
	making_observed(s, *src ? making_as(s) : NULL);
	making_observed(s, dst);
	making_observed(s, payload);
	if (has_meeting(e))
		making_observed(s, making_traffic(s, *src, dst, payload));
	making_observed(s, making_account(s));
	making_observed(s, making_process(s));
	making_observed(s, *file);
	making_observed(s, making_named(s, "url", event_bytes(e, FIELD_FILE_URL)));
	making_observed(s, *software);
}

static void say(struct making *s, unsigned says)
{
	const struct event *e = s->event;
	const char *src, *file, *software;
	struct address a;
	observables(s, &src, &file, &software);
	if (says & RECORD) {
		say_record(s);
		return;
	}
	const char *observed = observation(s, event_number(e, FIELD_FLOW_FIRST, e->time_us), e->time_us);
	if (says & (ACTED | SCANNED) && event_address(e, FIELD_SRC, &a))
		sighting(s, indicator_of_day(s, &a, says & ACTED ? "malicious-activity" : "anomalous-activity"), observed);
	if (says & HOST)
		say_host(s, src, software, says);
	if (says & INDICATES)
		say_indicator(s, file);
	if (says & SAMPLE)
		say_sample(s, file);
	if (says & CAMPAIGN)
		say_campaign(s, file);
}

static void begin_event(struct making *s, const struct event *e, enum tlp tlp, struct arena *arena, struct made_object *out)
{
	s->event = e;
	s->tlp = tlp;
	s->arena = arena;
	s->out = out;
	s->count = s->ref_count = 0;
	s->failed = false;
}

int making_objects(struct making *s, const struct event *e, enum tlp tlp, struct arena *arena, struct made_object out[STIX_OBJECTS_MAX])
{
	bool known;
	unsigned says = saying_of(e->kind, &known);
	begin_event(s, e, tlp, arena, out);
	if (known)
		say(s, says);
	return s->failed ? ERR_MEMORY : (int)s->count;
}

static void marking(struct making *s, enum tlp tlp)
{
	struct made_object *o = &s->out[s->count];
	*o = (struct made_object){.is_version = true, .version_us = UINT64_C(1664582400) * 1000000};
	snprintf(o->id, sizeof o->id, "%s", making_marking_id(tlp));
	s->w = writer_of(s->room, STIX_ROOM);
	char word[24];
	snprintf(word, sizeof word, "%s", tlp_name(tlp));
	for (char *c = word; *c; c++)
		*c = *c >= 'A' && *c <= 'Z' ? (char)(*c + 32) : *c;
	write_fmt(&s->w,
		  "{\"type\":\"marking-definition\",\"spec_version\":\"2.1\",\"id\":\"%s\",\"created\":\"2022-10-01T00:00:00.000Z\","
		  "\"name\":\"TLP:%s\",\"extensions\":{\"extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d\":"
		  "{\"extension_type\":\"property-extension\",\"tlp_2_0\":\"%s\"}}}", o->id, tlp_name(tlp), word);
	o->json = arena_copy(s->arena, writer_bytes(&s->w));
	s->failed |= !o->json.at;
	s->count += o->json.at != NULL;
}

int making_common(struct making *s, enum tlp tlp, struct arena *arena, struct made_object out[STIX_OBJECTS_MAX])
{
	begin_event(s, NULL, TLP_CLEAR, arena, out);
	for (enum tlp t = TLP_CLEAR; t <= tlp; t++)
		marking(s, t);
	if (making_begin_made(s, "identity", s->producer_id, IDENTITY_SINCE_US)) {
		write_text(&s->w, ",\"name\":");
		write_json_string(&s->w, bytes_of_text(s->producer));
		write_text(&s->w, ",\"identity_class\":\"organization\"");
		making_end(s);
	}
	return s->failed ? ERR_MEMORY : (int)s->count;
}

int making_open(struct making **out, const struct making_about *about)
{
	struct making *s = calloc(1, sizeof *s);
	if (!s || !(s->room = malloc(STIX_ROOM))) {
		free(s);
		return ERR_MEMORY;
	}
	snprintf(s->producer, sizeof s->producer, "%s", about->producer && *about->producer ? about->producer : "kansoku");
	own_id("identity", "producer", s->producer, s->producer_id);
	*out = s;
	return 0;
}

void making_close(struct making *s)
{
	if (s)
		free(s->room);
	free(s);
}
