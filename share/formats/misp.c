/*
 * MISP: events as JSON, alone, in an answer of the API, or as a feed's files.
 *
 * Attributes of an event and of its objects become records; what the event says of all of them (TLP and PAP as tags,
 * galaxies' families, who wrote it) holds for each.  Attributes that are not meant for detection (to_ids is false) are
 * told with little confidence: they may be a victim's, or a link to a report.  A feed's manifest and list of hashes hold
 * no indicators, and are passed over, so that a whole folder of a feed can be read.
 */
#include "share/reading/json_inner.h"
#include "share/reading/named_inner.h"
#include "share/reading/words_inner.h"
#include <ctype.h>

#define DETECTION_CONFIDENCE 80
#define CONTEXT_CONFIDENCE 20
#define ATTRIBUTES_MAX 1000000

/* Types of attributes; of "a|b" `first` is what stands before the bar, and `second` what stands behind it. */
static const struct sort { const char *type; enum named first, second; } sorts[] = {
	{"ip-src", NAMED_ADDRESS, 0}, {"ip-dst", NAMED_ADDRESS, 0}, {"ip-src|port", NAMED_ENDPOINT, 0},
	{"ip-dst|port", NAMED_ENDPOINT, 0}, {"hostname|port", NAMED_ENDPOINT, 0}, {"hostname", NAMED_DOMAIN, 0},
	{"domain", NAMED_DOMAIN, 0}, {"domain|ip", NAMED_DOMAIN, NAMED_ADDRESS}, {"url", NAMED_URL, 0}, {"uri", NAMED_URL, 0},
	{"md5", NAMED_HASH, 0}, {"sha1", NAMED_HASH, 0}, {"sha256", NAMED_HASH, 0}, {"sha512", NAMED_HASH, 0},
	{"filename|md5", 0, NAMED_HASH}, {"filename|sha1", 0, NAMED_HASH}, {"filename|sha256", 0, NAMED_HASH},
	{"filename|sha512", 0, NAMED_HASH}, {"malware-sample", 0, NAMED_HASH},
	{"x509-fingerprint-sha1", NAMED_HASH, 0}, {"x509-fingerprint-sha256", NAMED_HASH, 0},
	{"email", NAMED_MAIL, 0}, {"email-src", NAMED_MAIL, 0}, {"email-dst", NAMED_MAIL, 0}, {"target-email", NAMED_MAIL, 0},
	{"user-agent", NAMED_AGENT, 0}, {"btc", NAMED_WALLET, 0}, {"xmr", NAMED_WALLET, 0}, {"mutex", NAMED_MUTEX, 0},
};

struct misp {
	struct intake *intake;
	struct record like;
	struct phrase labels, families; /* of the event, and while it is told of one attribute; in rooms of their own */
	uint8_t labels_room[RECORD_TEXT_MAX], families_room[RECORD_TEXT_MAX];
	const char *tlp, *pap;
	size_t count;
};

static const struct sort *sort_of(struct bytes type)
{
	for (size_t i = 0; i < sizeof sorts / sizeof *sorts; i++)
		if (bytes_equal_text(type, sorts[i].type))
			return &sorts[i];
	return NULL;
}

static const char *stricter(const char *kept, struct bytes word, const char *const *words)
{
	if (bytes_equal_nocase(word, "white") || bytes_equal_nocase(word, "unclear"))
		word = word.len == 5 ? BYTES("clear") : BYTES("amber+strict");
	if (bytes_equal_nocase(word, "ex:chr"))
		word = BYTES("red");
	for (; *words; words++)
		if (bytes_equal_nocase(word, *words) || (kept && !strcmp(kept, *words)))
			return *words;
	return kept;
}

/* misp-galaxy:ransomware="WannaCry" names a family. */
static struct bytes quoted_in(struct bytes tag)
{
	const uint8_t *open = memchr(tag.at, '"', tag.len);
	size_t left = open ? tag.len - (size_t)(open - tag.at) - 1 : 0;
	const uint8_t *close = left ? memrchr(open + 1, '"', left) : NULL;
	return close ? (struct bytes){open + 1, (size_t)(close - open - 1)} : (struct bytes){0};
}

static void take_tag(struct misp *m, struct bytes tag, const char **tlp, const char **pap)
{
	static const char *const tlp_words[] = {"RED", "AMBER+STRICT", "AMBER", "GREEN", "CLEAR", NULL};
	static const char *const pap_words[] = {"RED", "AMBER", "GREEN", "CLEAR", NULL};
	struct bytes word = {tag.at + 4, tag.len > 4 ? tag.len - 4 : 0};
	if (!tag.len)
		return;
	if (tag.len > 4 && !strncasecmp((const char *)tag.at, "tlp:", 4))
		*tlp = stricter(*tlp, word, tlp_words);
	else if (tag.len > 4 && !strncasecmp((const char *)tag.at, "pap:", 4))
		*pap = stricter(*pap, word, pap_words);
	else if (bytes_start_with(tag, "misp-galaxy:") && quoted_in(tag).len)
		phrase_add(&m->families, quoted_in(tag));
	else
		phrase_add(&m->labels, tag);
}

static void take_tags(struct misp *m, const json_t *of, const char **tlp, const char **pap)
{
	size_t i;
	const json_t *it;
	json_array_foreach(json_object_get(of, "Tag"), i, it)
		take_tag(m, json_text(it, "name"), tlp, pap);
}

/* MISP's own words for what a thing is for stand in its category and type. */
static const char *role_of(const json_t *attribute)
{
	struct bytes category = json_text(attribute, "category"), type = json_text(attribute, "type");
	if (bytes_start_with(type, "target-") || bytes_equal_text(category, "Targeting data"))
		return "victim";
	if (bytes_equal_text(category, "Payload delivery") && (bytes_equal_text(type, "url") || bytes_start_with(type, "ip-src")))
		return "download";
	return bytes_equal_text(category, "Network activity") && bytes_start_with(type, "ip-dst") ? "command" : NULL;
}

static void split_bar(struct bytes value, struct bytes *first, struct bytes *second)
{
	const uint8_t *bar = value.len ? memchr(value.at, '|', value.len) : NULL;
	*first = (struct bytes){value.at, bar ? (size_t)(bar - value.at) : value.len};
	*second = bar ? (struct bytes){bar + 1, value.len - first->len - 1} : (struct bytes){0};
}

/* "198.51.100.7|443" */
static const char *set_with_port(struct misp *m, struct record *r, struct bytes value)
{
	struct bytes host, digits;
	uint64_t port;
	split_bar(value, &host, &digits);
	if (!digits.len || !bytes_number(digits, UINT16_MAX, &port))
		return named_set(m->intake, r, NAMED_ENDPOINT, value);
	const char *wrong = named_set_at(m->intake, r, host, port);
	if (!wrong || memchr(host.at, '|', host.len))
		return wrong;
	uint8_t *room = arena_alloc(intake_arena(m->intake), host.len + 8);
	struct writer w = writer_of(room, room ? host.len + 8 : 0);
	write_span(&w, host);
	write_fmt(&w, ":%u", (unsigned)port);
	return named_set(m->intake, r, NAMED_ENDPOINT, writer_bytes(&w));
}

static void hand_in(struct misp *m, struct record *r, const char *wrong, struct bytes value)
{
	if (!wrong)
		intake_record(m->intake, r);
	else
		intake_bad(m->intake, "\"%.*s\" %s", (int)(value.len < 60 ? value.len : 60), value.len ? (const char *)value.at : "", wrong);
}

static void tell(struct misp *m, const json_t *attribute, const struct sort *sort, struct record *r)
{
	struct bytes value = json_text(attribute, "value"), first, second;
	split_bar(value, &first, &second);
	if (sort->first == NAMED_ENDPOINT) {
		hand_in(m, r, set_with_port(m, r, value), value);
		return;
	}
	if (!sort->first) {
		record_bytes(r, FIELD_FILE_NAME, first);
	} else {
		struct record one = *r;
		hand_in(m, &one, named_set(m->intake, &one, sort->first, first), first);
	}
	if (sort->second)
		hand_in(m, r, named_set(m->intake, r, sort->second, second), second);
}

static void take_attribute(struct misp *m, const json_t *attribute, const json_t *object)
{
	const struct sort *sort = sort_of(json_text(attribute, "type"));
	struct record r = m->like;
	const struct phrase labels = m->labels, families = m->families;
	const char *tlp = m->tlp, *pap = m->pap;
	if (m->count++ >= ATTRIBUTES_MAX || !sort || json_is_true(json_object_get(attribute, "deleted")))
		return; /* text, comments, attachments name no value that has a type here */
	/* Words of the attribute itself follow those of the event, and are taken off again. */
	take_tags(m, attribute, &tlp, &pap);
	bool detects = json_is_true(json_object_get(attribute, "to_ids")) || json_count(attribute, "to_ids");
	r.id = json_text(attribute, "uuid");
	r.version = json_line(m->intake, json_object_get(attribute, "timestamp"));
	r.tlp = tlp;
	r.pap = pap;
	r.confidence = detects ? DETECTION_CONFIDENCE : CONTEXT_CONFIDENCE;
	r.role = role_of(attribute);
	r.labels = phrase_bytes(&m->labels);
	r.time_us = json_time(attribute, "timestamp") ? json_time(attribute, "timestamp") : r.time_us;
	r.original = json_line(m->intake, attribute);
	record_bytes(&r, word_family, phrase_bytes(&m->families));
	record_bytes(&r, word_class, json_text(object ? object : attribute, object ? "name" : "category"));
	if (json_time(attribute, "first_seen"))
		record_number(&r, word_first, json_time(attribute, "first_seen"));
	if (json_time(attribute, "last_seen"))
		record_number(&r, word_last, json_time(attribute, "last_seen"));
	tell(m, attribute, sort, &r);
	m->labels = labels;
	m->families = families;
	arena_done(intake_arena(m->intake));
}

static void take_attributes(struct misp *m, const json_t *within, const json_t *object)
{
	size_t i;
	const json_t *it;
	json_array_foreach(json_object_get(within, "Attribute"), i, it)
		take_attribute(m, it, object);
}

static void misp_open(struct misp *m, struct intake *in)
{
	*m = (struct misp){.intake = in};
	m->labels.w = writer_of(m->labels_room, sizeof m->labels_room);
	m->families.w = writer_of(m->families_room, sizeof m->families_room);
}

static void take_event(struct intake *in, const json_t *event)
{
	struct misp m;
	misp_open(&m, in);
	size_t i;
	const json_t *it;
	const json_t *creator = json_object_get(event, "Orgc");
	take_tags(&m, event, &m.tlp, &m.pap);
	/* Distribution 0 is "your organisation only": its maker did not mean it to go on. */
	if (json_is_string(json_object_get(event, "distribution")) && bytes_equal_text(json_text(event, "distribution"), "0") && !m.tlp)
		m.tlp = "AMBER+STRICT";
	m.like = (struct record){.title = json_text(event, "info"), .author = json_text(creator, "name"),
				 .link = json_text(event, "uuid"), .time_us = json_time(event, "timestamp")};
	if (!m.like.time_us)
		m.like.time_us = json_time(event, "date");
	take_attributes(&m, event, NULL);
	json_array_foreach(json_object_get(event, "Object"), i, it)
		if (!json_is_true(json_object_get(it, "deleted")))
			take_attributes(&m, it, it);
	if (m.count > ATTRIBUTES_MAX)
		intake_bad(in, "more than %d attributes; the rest was not read", ATTRIBUTES_MAX);
}

static bool is_uuid(const char *text)
{
	size_t n = strlen(text);
	for (size_t i = 0; i < n; i++)
		if (!(i == 8 || i == 13 || i == 18 || i == 23 ? text[i] == '-' : isxdigit((unsigned char)text[i])))
			return false;
	return n == 36;
}

/* Events by their UUID, with what a feed's reader has to know before it fetches one. */
static bool is_manifest(const json_t *value)
{
	const char *key;
	const json_t *it;
	json_object_foreach((json_t *)(uintptr_t)value, key, it)
		if (!is_uuid(key) || !json_is_object(it))
			return false;
	return json_is_object(value);
}

/* What an answer to a search for attributes holds. */
static void take_found(struct intake *in, const json_t *found)
{
	struct misp m;
	misp_open(&m, in);
	take_attributes(&m, found, NULL);
}

static void take_one(struct intake *in, const json_t *value)
{
	if (json_is_object(json_object_get(value, "Event")))
		take_event(in, json_object_get(value, "Event"));
	else if (json_is_object(value) && (json_object_get(value, "Attribute") || json_object_get(value, "info")))
		take_event(in, value);
	else if (!is_manifest(value))
		intake_bad(in, "it is no event of MISP");
}

static void take_value(struct intake *in, const json_t *value)
{
	size_t i;
	const json_t *it, *list = json_is_array(value) ? value : json_object_get(value, "response");
	if (json_is_array(json_object_get(list, "Attribute")))
		take_found(in, list);
	else if (!json_is_array(list))
		take_one(in, value);
	json_array_foreach(list, i, it)
		take_one(in, it);
}

/* hashes.csv of a feed: MD5 of a value, and the event that it stands in. */
static bool is_hash_list(struct bytes whole)
{
	size_t i = 0;
	while (i < whole.len && i < 32 && isxdigit(whole.at[i]))
		i++;
	return i == 32 && whole.len > 33 && whole.at[32] == ',' && isxdigit(whole.at[33]);
}

static void document(struct intake *in, struct bytes whole)
{
	if (!is_hash_list(whole))
		json_each_value(in, whole, take_value);
}

static const struct format_specimen specimens[] = {
	{"an event with tags, pairs of values, and an object",
	 BYTES("{\"Event\":{\"uuid\":\"5f3b0001-1111-4111-8111-111111111111\",\"info\":\"Mirai wave\",\"date\":\"2024-07"
	       "-05\",\"timestamp\":\"1720170000\",\"distribution\":\"3\",\"Orgc\":{\"name\":\"CERT X\",\"uuid\":\"5f3b0"
	       "009-1111-4111-8111-111111111111\"},\"Tag\":[{\"name\":\"tlp:amber\"},{\"name\":\"PAP:GREEN\"},{\"name\":"
	       "\"misp-galaxy:botnet=\\\"Mirai\\\"\"},{\"name\":\"type:OSINT\"}],\"Attribute\":[{\"uuid\":\"5f3b0002-111"
	       "1-4111-8111-111111111111\",\"type\":\"ip-dst|port\",\"category\":\"Network activity\",\"value\":\"198.51"
	       ".100.9|48101\",\"to_ids\":true,\"timestamp\":\"1720170001\"},{\"uuid\":\"5f3b0003-1111-4111-8111-1111111"
	       "11111\",\"type\":\"domain|ip\",\"category\":\"Network activity\",\"value\":\"cnc.example.net|198.51.100."
	       "9\",\"to_ids\":true,\"timestamp\":\"1720170001\",\"Tag\":[{\"name\":\"tlp:red\"}]},{\"uuid\":\"5f3b0004-"
	       "1111-4111-8111-111111111111\",\"type\":\"filename|sha256\",\"category\":\"Payload delivery\",\"value\":"
	       "\"mirai.arm|E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855\",\"to_ids\":false,\"timest"
	       "amp\":1720170001},{\"uuid\":\"5f3b0005-1111-4111-8111-111111111111\",\"type\":\"comment\",\"category\":"
	       "\"Other\",\"value\":\"see above\"},{\"uuid\":\"5f3b0006-1111-4111-8111-111111111111\",\"type\":\"sha256"
	       "\",\"category\":\"Payload delivery\",\"value\":\"abc\",\"to_ids\":true},{\"uuid\":\"5f3b0007-1111-4111-8"
	       "111-111111111111\",\"type\":\"url\",\"category\":\"Payload delivery\",\"value\":\"http://203.0.113.5/a\""
	       ",\"deleted\":true}],\"Object\":[{\"name\":\"file\",\"Attribute\":[{\"uuid\":\"5f3b0008-1111-4111-8111-11"
	       "1111111111\",\"type\":\"md5\",\"object_relation\":\"md5\",\"value\":\"d41d8cd98f00b204e9800998ecf8427e\""
	       ",\"to_ids\":true,\"first_seen\":\"2024-07-01T00:00:00.000000+00:00\"}]}]}}\n"),
	 "endpoint 198.51.100.9:48101\n"
	 "  role command\n"
	 "  tlp AMBER\n"
	 "  pap GREEN\n"
	 "  labels type:OSINT\n"
	 "  title Mirai wave\n"
	 "  record.family Mirai\n"
	 "  record.class Network activity\n"
	 "  time 2024-07-05T09:00:01.000000Z\n"
	 "domain cnc.example.net\n"
	 "  tlp RED\n"
	 "address 198.51.100.9\n"
	 "  tlp RED\n"
	 "hash e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n"
	 "  tlp AMBER\n"
	 "  file.name mirai.arm\n"
	 "bad \"abc\" is no MD5\n"
	 "hash d41d8cd98f00b204e9800998ecf8427e\n"
	 "  record.class file\n"
	 "  record.first 2024-07-01T00:00:00.000000Z\n"},
	{"an answer of the API, an event without a marking for one organisation",
	 BYTES("{\"response\":[{\"Event\":{\"info\":\"x\",\"distribution\":\"0\",\"Attribute\":[{\"type\":\"ip-src\",\"v"
	       "alue\":\"198.51.100.0/24\",\"to_ids\":true}]}}]}\n"),
	 "network 198.51.100.0/24\n"
	 "  tlp AMBER+STRICT\n"},
	{"a feed's manifest, and what is none",
	 BYTES("{\"5f3b0001-1111-4111-8111-111111111111\":{\"info\":\"x\",\"Orgc\":{\"name\":\"y\"},\"timestamp\":\"1\"}"
	       "}\n{\"a\":\"b\"}\n"),
	 "bad it is no event of MISP\n"},
	{"a feed's hashes",
	 BYTES("d41d8cd98f00b204e9800998ecf8427e,5f3b0001-1111-4111-8111-111111111111\n"), ""},
	{0},
};

static const struct format misp = {
	.name = "misp",
	.summary = "events of MISP: indicators with tags, families and markings; also a feed's files",
	.reference = "MISP core format (draft-dulaunoy-misp-core-format); MISP feeds",
	.shape = FORMAT_DOCUMENT,
	.document = document,
	.specimens = specimens,
};
FORMAT(misp);
