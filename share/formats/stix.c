/*
 * STIX 2.1: bundles, what TAXII 2.1 sends of them, and single objects; STIX 2.0's observations as well.
 *
 * Of indicators every value that their pattern names becomes a record; values that a pattern joins by AND count half,
 * since each alone proves nothing.  Observations become records of what was seen, and sightings of what was seen
 * again.  Objects that name no value (malware, campaigns, reports) tell what the others belong to.
 */
#include "share/reading/named_inner.h"
#include "share/stix/observables_inner.h"
#include "share/stix/pattern_inner.h"
#include "share/reading/words_inner.h"

FIELD(stix_until, "stix.until", TIME, 0, "until when an indicator holds, by its source");

#define INDICATOR_CONFIDENCE 70 /* where its source says none */
#define OBSERVABLE_CONFIDENCE 50
#define CONFIDENCE_MOST 100

/* Whose paths name values (STIX 2.1, part 9; the last ones as MISP and OpenCTI write them). */
static const struct { const char *path; enum named as; } paths[] = {
	{"ipv4-addr:value", NAMED_ADDRESS}, {"ipv6-addr:value", NAMED_ADDRESS}, {"domain-name:value", NAMED_DOMAIN},
	{"domain-name:resolves_to_refs.value", NAMED_ADDRESS}, {"url:value", NAMED_URL}, {"email-addr:value", NAMED_MAIL},
	{"email-message:from_ref.value", NAMED_MAIL}, {"email-message:sender_ref.value", NAMED_MAIL},
	{"file:hashes.", NAMED_HASH}, {"artifact:hashes.", NAMED_HASH}, {"process:binary_ref.hashes.", NAMED_HASH},
	{"x509-certificate:hashes.", NAMED_HASH},
	{"network-traffic:src_ref.value", NAMED_ADDRESS}, {"network-traffic:dst_ref.value", NAMED_ADDRESS},
	{"network-traffic:extensions.http-request-ext.request_header.User-Agent", NAMED_AGENT},
	{"network-traffic:extensions.http-request-ext.request_header.Host", NAMED_DOMAIN},
	{"mutex:name", NAMED_MUTEX}, {"hostname:value", NAMED_DOMAIN}, {"x-opencti-hostname:value", NAMED_DOMAIN},
	{"cryptocurrency-wallet:value", NAMED_WALLET}, {"user-agent:value", NAMED_AGENT},
};

static enum named named_by(struct bytes path)
{
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		bool open = paths[i].path[strlen(paths[i].path) - 1] == '.'; /* of each kind of digest */
		if (open ? bytes_start_with(path, paths[i].path) : bytes_equal_text(path, paths[i].path))
			return paths[i].as;
	}
	return NAMED_NOTHING;
}

static void add_labels(struct stix *s, const json_t *object, struct record *r)
{
	static const char *const lists[] = {"indicator_types", "labels", NULL};
	struct phrase phrase = phrase_of(s->intake);
	size_t i;
	const json_t *it;
	for (const char *const *list = lists; *list; list++)
		json_array_foreach(json_object_get(object, *list), i, it)
			phrase_add(&phrase, json_span(it));
	if (json_is_true(json_object_get(object, "revoked")))
		phrase_add(&phrase, BYTES("revoked"));
	r->labels = phrase_bytes(&phrase);
}

static const char *phase_role(const json_t *object)
{
	static const struct { const char *phase, *role; } phases[] = {
		{"command-and-control", "command"}, {"delivery", "download"}, {"exfiltration", "report"}};
	size_t i;
	const json_t *it;
	json_array_foreach(json_object_get(object, "kill_chain_phases"), i, it)
		for (size_t k = 0; k < sizeof phases / sizeof *phases; k++)
			if (bytes_equal_text(json_text(it, "phase_name"), phases[k].phase))
				return phases[k].role;
	return NULL;
}

static unsigned confidence_of(const json_t *object, unsigned unsaid)
{
	const json_t *value = json_object_get(object, "confidence");
	json_int_t n = json_is_integer(value) ? json_integer_value(value) : (json_int_t)unsaid;
	if (json_is_true(json_object_get(object, "revoked")))
		return 0;
	return n < 0 ? 0 : n > CONFIDENCE_MOST ? CONFIDENCE_MOST : (unsigned)n;
}

static uint64_t first_time(const json_t *object, const char *const *keys)
{
	uint64_t time_us = 0;
	for (; *keys && !time_us; keys++)
		time_us = json_time(object, *keys);
	return time_us;
}

/* What all records of an object have. */
static struct record record_like(struct stix *s, const json_t *object, unsigned confidence)
{
	static const char *const times[] = {"last_observed", "last_seen", "modified", "created", NULL};
	const char *id = json_word(object, "id");
	struct stix_marking marking = {0};
	stix_mark(s, object, &marking);
	struct record r = {.id = json_text(object, "id"), .tlp = marking.tlp, .pap = marking.pap,
			   .title = json_text(object, "name"), .confidence = confidence_of(object, confidence),
			   .author = json_text(stix_find_of(s, object, "created_by_ref"), "name"),
			   .link = json_text(json_array_get(json_object_get(object, "external_references"), 0), "url"),
			   .time_us = first_time(object, times), .original = json_line(s->intake, object)};
	r.role = id ? json_string_value(json_object_get(s->roles, id)) : NULL;
	if (!r.role)
		r.role = phase_role(object);
	add_labels(s, object, &r);
	if (id)
		record_bytes(&r, word_family, json_text(s->families, id));
	return r;
}

static void bad(struct stix *s, const json_t *object, const char *why)
{
	const char *id = json_word(object, "id");
	intake_bad(s->intake, "%.80s: %s", id ? id : "an object without id", why);
}

/* network-traffic:dst_ref.value and its dst_port in one observation are one endpoint; 0: there is none. */
static uint64_t port_beside(const struct stix_pattern *p, const struct stix_comparison *c)
{
	bool source = bytes_equal_text(c->path, "network-traffic:src_ref.value");
	uint64_t port;
	if (!source && !bytes_equal_text(c->path, "network-traffic:dst_ref.value") && !bytes_start_with(c->path, "ipv"))
		return 0;
	for (size_t i = 0; i < p->count; i++)
		if (p->list[i].observation == c->observation && p->list[i].joined &&
		    bytes_equal_text(p->list[i].path, source ? "network-traffic:src_port" : "network-traffic:dst_port") &&
		    bytes_number(p->list[i].value, UINT16_MAX, &port))
			return port;
	return 0;
}

/* How many values of an observation name something: those that AND joins with a port alone are not weaker for it. */
static size_t named_beside(const struct stix_pattern *p, const struct stix_comparison *c)
{
	size_t n = 0;
	for (size_t i = 0; i < p->count; i++)
		n += p->list[i].observation == c->observation && named_by(p->list[i].path) != NAMED_NOTHING;
	return n;
}

static void take_pattern(struct stix *s, const json_t *indicator, const json_t *teller, const struct record *like)
{
	static const char nothing[] = "its pattern names no value that has a type here";
	struct stix_pattern *p = arena_alloc(intake_arena(s->intake), sizeof *p);
	const char *wrong = p ? stix_pattern_read(json_text(indicator, "pattern"), intake_arena(s->intake), p) : "no memory", *why = nothing;
	size_t count = 0;
	for (size_t i = 0; !wrong && i < p->count; i++) {
		const struct stix_comparison *c = &p->list[i];
		enum named as = named_by(c->path);
		struct record r = *like;
		uint64_t port = port_beside(p, c);
		if (as == NAMED_NOTHING)
			continue;
		if (c->joined && named_beside(p, c) > 1)
			r.confidence /= 2;
		const char *refused = port ? named_set_at(s->intake, &r, c->value, port) : named_set(s->intake, &r, as, c->value);
		if (!refused)
			stix_hand_in(s, teller, &r, count++);
		else if (why == nothing)
			why = refused;
	}
	if (wrong || !count)
		bad(s, teller, wrong ? wrong : why);
	else if (p->cut)
		bad(s, teller, "its pattern has more than 256 comparisons; the rest was not read");
}

static void take_indicator(struct stix *s, const json_t *object)
{
	struct bytes language = json_text(object, "pattern_type"); /* STIX 2.0 has only its own */
	if (language.len && !bytes_equal_text(language, "stix")) {
		bad(s, object, "its pattern is of another language than stix, and names no single value");
		return;
	}
	struct record r = record_like(s, object, INDICATOR_CONFIDENCE);
	if (json_time(object, "valid_from"))
		record_number(&r, word_first, json_time(object, "valid_from"));
	if (json_time(object, "valid_until"))
		record_number(&r, stix_until, json_time(object, "valid_until"));
	take_pattern(s, object, object, &r);
}

static void add_interval(const json_t *object, const char *first, const char *last, const char *count, struct record *r)
{
	if (json_time(object, first))
		record_number(r, word_first, json_time(object, first));
	if (json_time(object, last))
		record_number(r, word_last, json_time(object, last));
	if (json_count(object, count))
		record_number(r, FIELD_COUNT, json_count(object, count));
}

static void take_observation(struct stix *s, const json_t *object)
{
	struct record r = record_like(s, object, OBSERVABLE_CONFIDENCE);
	add_interval(object, "first_observed", "last_observed", "number_observed", &r);
	stix_observation(s, object, &r);
}

static void take_sighting(struct stix *s, const json_t *object)
{
	const json_t *seen = stix_find_of(s, object, "sighting_of_ref");
	const json_t *where = stix_find(s, json_span(json_array_get(json_object_get(object, "where_sighted_refs"), 0)));
	struct record r = record_like(s, object, confidence_of(seen, INDICATOR_CONFIDENCE));
	add_interval(object, "first_seen", "last_seen", "count", &r);
	record_text(&r, word_class, "sighting");
	r.title = json_text(seen, "name");
	r.author = where ? json_text(where, "name") : r.author;
	const char *wrong = "what was sighted is not in the bundle, or names no value";
	if (stix_is(seen, "indicator"))
		take_pattern(s, seen, object, &r);
	else if (seen && !(wrong = stix_name_observable(s, seen, &r)))
		stix_hand_in(s, object, &r, 0);
	/* Malware and the like are sighted by observations, which tell of it themselves. */
	else if (!json_array_size(json_object_get(object, "observed_data_refs")))
		bad(s, object, *wrong ? wrong : "what was sighted names no value");
}

static void take_observable(struct stix *s, const json_t *object)
{
	const char *id = json_word(object, "id");
	/* Parts of observations and of other observables are told with those. */
	if (id && json_object_get(s->inner, id))
		return;
	struct record r = record_like(s, object, OBSERVABLE_CONFIDENCE);
	r.title = (struct bytes){0};
	const char *wrong = stix_name_observable(s, object, &r);
	if (!wrong)
		stix_hand_in(s, object, &r, 0);
	else if (*wrong)
		bad(s, object, wrong);
}

static void take_object(struct stix *s, const json_t *object)
{
	if (!json_is_object(object) || !json_text(object, "type").len)
		bad(s, object, "it has no type");
	else if (stix_is(object, "indicator"))
		take_indicator(s, object);
	else if (stix_is(object, "observed-data"))
		take_observation(s, object);
	else if (stix_is(object, "sighting"))
		take_sighting(s, object);
	else
		take_observable(s, object);
	arena_done(intake_arena(s->intake));
}

static void take_value(struct intake *in, const json_t *value)
{
	struct stix s;
	size_t i;
	json_t *object, *all = json_is_array(value) ? json_incref((json_t *)(uintptr_t)value)
						    : json_incref(json_object_get(value, "objects"));
	/* Neither a bundle nor TAXII's envelope: one object, unless it is a bundle of nothing. */
	if (!json_is_array(all) && json_is_object(value) && !stix_is(value, "bundle") && json_text(value, "type").len) {
		json_decref(all);
		all = json_pack("[O]", value);
	}
	if (!json_is_array(all)) {
		if (!stix_is(value, "bundle") && (!json_is_object(value) || json_object_size(value)))
			intake_bad(in, "it is neither a bundle nor an object of STIX");
		json_decref(all);
		return;
	}
	if (stix_open(&s, in, all))
		json_array_foreach(all, i, object)
			take_object(&s, object);
	else
		intake_bad(in, "no memory for a bundle of %zu objects", json_array_size(all));
	stix_close(&s);
	json_decref(all);
}

static void document(struct intake *in, struct bytes whole) { json_each_value(in, whole, take_value); }

static const struct format_specimen specimens[] = {
	{"an indicator of three values, its family and its role",
	 BYTES("{\"type\":\"bundle\",\"id\":\"bundle--00000001-1111-4111-8111-111111111111\",\"objects\":[{\"type\":\"id"
	       "entity\",\"spec_version\":\"2.1\",\"id\":\"identity--00000001-1111-4111-8111-111111111111\",\"created\":"
	       "\"2022-05-01T00:00:00.000Z\",\"modified\":\"2022-05-01T00:00:00.000Z\",\"name\":\"Partner CSIRT\"},{\"ty"
	       "pe\":\"malware\",\"spec_version\":\"2.1\",\"id\":\"malware--00000001-1111-4111-8111-111111111111\",\"cre"
	       "ated\":\"2022-05-01T00:00:00.000Z\",\"modified\":\"2022-05-01T00:00:00.000Z\",\"name\":\"Mirai\",\"is_fa"
	       "mily\":true},{\"type\":\"infrastructure\",\"spec_version\":\"2.1\",\"id\":\"infrastructure--00000001-111"
	       "1-4111-8111-111111111111\",\"created\":\"2022-05-01T00:00:00.000Z\",\"modified\":\"2022-05-01T00:00:00.0"
	       "00Z\",\"name\":\"c2\",\"infrastructure_types\":[\"command-and-control\"]},{\"type\":\"indicator\",\"spec"
	       "_version\":\"2.1\",\"id\":\"indicator--00000001-1111-4111-8111-111111111111\",\"created\":\"2022-05-01T0"
	       "0:00:00.000Z\",\"modified\":\"2022-05-02T00:00:00.500Z\",\"created_by_ref\":\"identity--00000001-1111-41"
	       "11-8111-111111111111\",\"name\":\"C2 of Mirai\",\"confidence\":85,\"indicator_types\":[\"malicious-activ"
	       "ity\"],\"labels\":[\"botnet\",\"two words\"],\"pattern\":\"[ipv4-addr:value = '198.51.100.3' OR ipv6-add"
	       "r:value IN ('2001:DB8::1')] FOLLOWEDBY [network-traffic:dst_ref.value = '203.0.113.9' AND network-traffi"
	       "c:dst_port = 48101] WITHIN 600 SECONDS\",\"pattern_type\":\"stix\",\"valid_from\":\"2022-05-01T00:00:00Z"
	       "\",\"valid_until\":\"2022-06-01T00:00:00Z\",\"object_marking_refs\":[\"marking-definition--f88d31f6-486f"
	       "-44da-b317-01333bde0b82\"]},{\"type\":\"relationship\",\"spec_version\":\"2.1\",\"id\":\"relationship--0"
	       "0000001-1111-4111-8111-111111111111\",\"created\":\"2022-05-01T00:00:00.000Z\",\"modified\":\"2022-05-01"
	       "T00:00:00.000Z\",\"relationship_type\":\"indicates\",\"source_ref\":\"indicator--00000001-1111-4111-8111"
	       "-111111111111\",\"target_ref\":\"malware--00000001-1111-4111-8111-111111111111\"},{\"type\":\"relationsh"
	       "ip\",\"spec_version\":\"2.1\",\"id\":\"relationship--00000002-1111-4111-8111-111111111111\",\"created\":"
	       "\"2022-05-01T00:00:00.000Z\",\"modified\":\"2022-05-01T00:00:00.000Z\",\"relationship_type\":\"indicates"
	       "\",\"source_ref\":\"indicator--00000001-1111-4111-8111-111111111111\",\"target_ref\":\"infrastructure--0"
	       "0000001-1111-4111-8111-111111111111\"}]}"),
	 "address 198.51.100.3\n"
	 "  role command\n"
	 "  id indicator--00000001-1111-4111-8111-111111111111\n"
	 "  tlp AMBER\n"
	 "  labels malicious-activity botnet two-words\n"
	 "  title C2 of Mirai\n"
	 "  time 2022-05-02T00:00:00.500000Z\n"
	 "  address 198.51.100.3\n"
	 "  record.family Mirai\n"
	 "  record.first 2022-05-01T00:00:00.000000Z\n"
	 "  stix.until 2022-06-01T00:00:00.000000Z\n"
	 "address 2001:db8::1\n"
	 "endpoint 203.0.113.9:48101\n"
	 "  port 48101\n"},
	{"what a decoy saw, told once with all its parts, and a sighting",
	 BYTES("{\"type\":\"bundle\",\"id\":\"bundle--00000002-1111-4111-8111-111111111111\",\"objects\":[{\"type\":\"id"
	       "entity\",\"spec_version\":\"2.1\",\"id\":\"identity--00000002-1111-4111-8111-111111111111\",\"created\":"
	       "\"2022-05-01T00:00:00.000Z\",\"modified\":\"2022-05-01T00:00:00.000Z\",\"name\":\"sensor 7\"},{\"type\":"
	       "\"autonomous-system\",\"spec_version\":\"2.1\",\"id\":\"autonomous-system--00000001-1111-4111-8111-11111"
	       "1111111\",\"number\":64496,\"name\":\"EXAMPLE\"},{\"type\":\"ipv4-addr\",\"spec_version\":\"2.1\",\"id\""
	       ":\"ipv4-addr--00000001-1111-4111-8111-111111111111\",\"value\":\"198.51.100.3\",\"belongs_to_refs\":[\"a"
	       "utonomous-system--00000001-1111-4111-8111-111111111111\"]},{\"type\":\"ipv4-addr\",\"spec_version\":\"2."
	       "1\",\"id\":\"ipv4-addr--00000002-1111-4111-8111-111111111111\",\"value\":\"192.0.2.1\"},{\"type\":\"netw"
	       "ork-traffic\",\"spec_version\":\"2.1\",\"id\":\"network-traffic--00000001-1111-4111-8111-111111111111\","
	       "\"src_ref\":\"ipv4-addr--00000001-1111-4111-8111-111111111111\",\"dst_ref\":\"ipv4-addr--00000002-1111-4"
	       "111-8111-111111111111\",\"src_port\":40000,\"dst_port\":23,\"protocols\":[\"ipv4\",\"tcp\",\"telnet\"]},"
	       "{\"type\":\"user-account\",\"spec_version\":\"2.1\",\"id\":\"user-account--00000001-1111-4111-8111-11111"
	       "1111111\",\"account_login\":\"root\",\"credential\":\"xc3511\"},{\"type\":\"file\",\"spec_version\":\"2."
	       "1\",\"id\":\"file--00000001-1111-4111-8111-111111111111\",\"hashes\":{\"MD5\":\"D41D8CD98F00B204E9800998"
	       "ECF8427E\",\"SHA-256\":\"E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855\"},\"size\":40"
	       "96,\"name\":\"mirai.arm\"},{\"type\":\"url\",\"spec_version\":\"2.1\",\"id\":\"url--00000001-1111-4111-8"
	       "111-111111111111\",\"value\":\"hxxp://203[.]0[.]113[.]9/a.sh\",\"defanged\":true},{\"type\":\"observed-d"
	       "ata\",\"spec_version\":\"2.1\",\"id\":\"observed-data--00000001-1111-4111-8111-111111111111\",\"created"
	       "\":\"2022-05-01T00:00:00.000Z\",\"modified\":\"2022-05-01T00:00:00.000Z\",\"first_observed\":\"2022-05-0"
	       "1T00:00:00Z\",\"last_observed\":\"2022-05-01T00:01:00Z\",\"number_observed\":5,\"created_by_ref\":\"iden"
	       "tity--00000002-1111-4111-8111-111111111111\",\"object_refs\":[\"ipv4-addr--00000001-1111-4111-8111-11111"
	       "1111111\",\"ipv4-addr--00000002-1111-4111-8111-111111111111\",\"network-traffic--00000001-1111-4111-8111"
	       "-111111111111\",\"user-account--00000001-1111-4111-8111-111111111111\",\"file--00000001-1111-4111-8111-1"
	       "11111111111\",\"url--00000001-1111-4111-8111-111111111111\"],\"object_marking_refs\":[\"marking-definiti"
	       "on--939a9414-2ddd-4d32-a0cd-375ea402b003\"]},{\"type\":\"domain-name\",\"spec_version\":\"2.1\",\"id\":"
	       "\"domain-name--00000001-1111-4111-8111-111111111111\",\"value\":\"CNC.Example.NET.\"},{\"type\":\"sighti"
	       "ng\",\"spec_version\":\"2.1\",\"id\":\"sighting--00000001-1111-4111-8111-111111111111\",\"created\":\"20"
	       "22-05-03T00:00:00.000Z\",\"modified\":\"2022-05-03T00:00:00.000Z\",\"first_seen\":\"2022-05-02T00:00:00Z"
	       "\",\"last_seen\":\"2022-05-02T12:00:00Z\",\"count\":50,\"sighting_of_ref\":\"domain-name--00000001-1111-"
	       "4111-8111-111111111111\",\"where_sighted_refs\":[\"identity--00000002-1111-4111-8111-111111111111\"],\"l"
	       "abels\":[\"tlp:green\",\"PAP:AMBER\"]}]}"),
	 "address 198.51.100.3\n"
	 "  kind login.tried\n"
	 "  id observed-data--00000001-1111-4111-8111-111111111111\n"
	 "  tlp AMBER+STRICT\n"
	 "  time 2022-05-01T00:01:00.000000Z\n"
	 "  port 23\n"
	 "  sport 40000\n"
	 "  dst 192.0.2.1\n"
	 "  proto tcp\n"
	 "  record.class telnet\n"
	 "  login.user root\n"
	 "  login.secret xc3511\n"
	 "  count 5\n"
	 "  record.as 64496\n"
	 "  record.as_name EXAMPLE\n"
	 "  record.first 2022-05-01T00:00:00.000000Z\n"
	 "hash e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n"
	 "  file.size 4096\n"
	 "  file.name mirai.arm\n"
	 "  record.digests md5:D41D8CD98F00B204E9800998ECF8427E\n"
	 "url http://203.0.113.9/a.sh\n"
	 "  address 203.0.113.9\n"
	 "domain cnc.example.net\n"
	 "domain cnc.example.net\n"
	 "  tlp GREEN\n"
	 "  pap AMBER\n"
	 "  count 50\n"
	 "  record.class sighting\n"
	 "  record.last 2022-05-02T12:00:00.000000Z\n"},
	{"TAXII's envelope: a hash, patterns that name nothing, a marking that nobody knows",
	 BYTES("{\"more\":false,\"objects\":[{\"type\":\"indicator\",\"spec_version\":\"2.1\",\"id\":\"indicator--000000"
	       "03-1111-4111-8111-111111111111\",\"created\":\"2022-05-01T00:00:00.000Z\",\"modified\":\"2022-05-01T00:0"
	       "0:00.000Z\",\"pattern\":\"[file:hashes.'SHA-256' = 'E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495"
	       "991B7852B855' AND file:name = 'it\\\\'s \\\\\\\\ here']\",\"pattern_type\":\"stix\",\"valid_from\":\"202"
	       "2-05-01T00:00:00Z\",\"revoked\":true,\"object_marking_refs\":[\"marking-definition--00000009-1111-4111-8"
	       "111-111111111111\"]},{\"type\":\"indicator\",\"id\":\"indicator--00000004-1111-4111-8111-111111111111\","
	       "\"modified\":\"2022-05-01T00:00:00.000Z\",\"pattern\":\"[url:value LIKE 'http://%' OR domain-name:value "
	       "!= 'a.example']\",\"pattern_type\":\"stix\"},{\"type\":\"indicator\",\"id\":\"indicator--00000005-1111-4"
	       "111-8111-111111111111\",\"modified\":\"2022-05-01T00:00:00.000Z\",\"pattern\":\"rule x { condition: true"
	       " }\",\"pattern_type\":\"yara\"},{\"type\":\"indicator\",\"id\":\"indicator--00000006-1111-4111-8111-1111"
	       "11111111\",\"modified\":\"2022-05-01T00:00:00.000Z\",\"pattern\":\"[url:value = 'http://x.example/\",\"p"
	       "attern_type\":\"stix\"},{\"type\":\"indicator\",\"id\":\"indicator--00000007-1111-4111-8111-111111111111"
	       "\",\"modified\":\"2022-05-01T00:00:00.000Z\",\"pattern\":\"[ipv4-addr:value ISSUBSET '198.51.100.0/24']"
	       "\",\"pattern_type\":\"stix\"},{\"type\":\"sighting\",\"id\":\"sighting--00000004-1111-4111-8111-11111111"
	       "1111\",\"modified\":\"2022-05-01T00:00:00.000Z\",\"sighting_of_ref\":\"indicator--00000099-1111-4111-811"
	       "1-111111111111\"},{\"id\":\"none\"}]}"),
	 "hash e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n"
	 "  tlp RED\n"
	 "  labels revoked\n"
	 "bad indicator--00000004-1111-4111-8111-111111111111: its pattern names no value\n"
	 "bad indicator--00000005-1111-4111-8111-111111111111: its pattern is of another language\n"
	 "bad indicator--00000006-1111-4111-8111-111111111111: behind an operator a value\n"
	 "network 198.51.100.0/24\n"
	 "bad sighting--00000004-1111-4111-8111-111111111111: what was sighted is not in the bundle\n"
	 "bad none: it has no type\n"},
	{"objects behind each other, one of STIX 2.0",
	 BYTES("{\"type\":\"observed-data\",\"id\":\"observed-data--00000008-1111-4111-8111-111111111111\",\"created\":"
	       "\"2018-05-01T00:00:00.000Z\",\"modified\":\"2018-05-01T00:00:00.000Z\",\"first_observed\":\"2018-05-01T0"
	       "0:00:00Z\",\"last_observed\":\"2018-05-01T00:00:00Z\",\"number_observed\":1,\"objects\":{\"0\":{\"type\""
	       ":\"ipv4-addr\",\"value\":\"198.51.100.3\"},\"1\":{\"type\":\"ipv4-addr\",\"value\":\"192.0.2.9\"},\"2\":"
	       "{\"type\":\"network-traffic\",\"src_ref\":\"0\",\"dst_ref\":\"1\",\"protocols\":[\"tcp\"],\"dst_port\":4"
	       "45},\"3\":{\"type\":\"domain-name\",\"value\":\"other.example\"}}}\n{\"type\":\"indicator\",\"id\":\"ind"
	       "icator--00000008-1111-4111-8111-111111111111\",\"modified\":\"2022-05-01T00:00:00.000Z\",\"pattern\":\"["
	       "domain-name:value = 'bad-name.net']\"}\n"),
	 "address 198.51.100.3\n"
	 "  kind flow.counted\n"
	 "  port 445\n"
	 "  dst 192.0.2.9\n"
	 "domain other.example\n"
	 "domain bad-name.net\n"},
	{"none", BYTES("{\"type\":\"bundle\",\"objects\":[{\"type\""), "bad line 1\n"},
	{"a broken object costs those of other lines nothing, nor does another charset",
	 BYTES("{\"type\":\"indicator\",\n{\"type\":\"url\",\"id\":\"url--1\",\"value\":\"http://a.example/\xe9\"}\n"),
	 "bad it is not UTF-8\nbad line 2, column\nurl http://a.example/?\n"},
	{"a sample and what its analysis calls it",
	 BYTES("[{\"type\":\"file\",\"id\":\"file--1\",\"hashes\":{\"MD5\":\"d41d8cd98f00b204e9800998ecf8427e\"}},"
	       "{\"type\":\"malware\",\"id\":\"malware--1\",\"created\":\"2022-05-01T00:00:00Z\",\"is_family\":false,"
	       "\"name\":\"d41d8cd98f00b204e9800998ecf8427e\",\"sample_refs\":[\"file--1\"]},"
	       "{\"type\":\"malware-analysis\",\"id\":\"malware-analysis--1\",\"created\":\"2022-05-01T00:00:00Z\","
	       "\"product\":\"x\",\"result_name\":\"Mirai\",\"sample_ref\":\"file--1\"}]"),
	 "hash d41d8cd98f00b204e9800998ecf8427e\n  record.family Mirai\n"},
	{"a connection and a mail by themselves",
	 BYTES("[{\"type\":\"ipv4-addr\",\"id\":\"ipv4-addr--1\",\"value\":\"198.51.100.2\"},{\"type\":\"domain-name\","
	       "\"id\":\"domain-name--1\",\"value\":\"c2.example.com\"},{\"type\":\"network-traffic\",\"id\":\"network-traffic--1\","
	       "\"src_ref\":\"ipv4-addr--1\",\"dst_ref\":\"domain-name--1\",\"dst_port\":443,\"protocols\":[\"ipv4\",\"tcp\"]},"
	       "{\"type\":\"network-traffic\",\"id\":\"network-traffic--2\",\"dst_ref\":\"domain-name--1\",\"dst_port\":80,"
	       "\"protocols\":[\"tcp\"]},{\"type\":\"email-addr\",\"id\":\"email-addr--1\",\"value\":\"a@bad.example\"},"
	       "{\"type\":\"email-message\",\"id\":\"email-message--1\",\"is_multipart\":false,\"from_ref\":\"email-addr--1\","
	       "\"subject\":\"Invoice\"},{\"type\":\"mac-addr\",\"id\":\"mac-addr--1\",\"value\":\"d2:fb:49:24:37:18\"}]"),
	 "address 198.51.100.2\n  kind flow.counted\n  port 443\n  proto tcp\ndomain c2.example.com\n  port 80\n"
	 "mail a@bad.example\n  title Invoice\n"},
	{"a bundle of nothing", BYTES("{\"type\":\"bundle\",\"id\":\"bundle--1\"}"), ""},
	{0},
};

static const struct format stix = {
	.name = "stix",
	.summary = "STIX 2.1: indicators, observations and sightings of bundles, of TAXII's envelopes and by themselves",
	.reference = "OASIS STIX 2.1; patterns as its part 9; TLP 1 and 2 markings",
	.shape = FORMAT_DOCUMENT,
	.document = document,
	.specimens = specimens,
};
FORMAT(stix);
