#include "share/making/misp_making_inner.h"
#include "share/making/stix_making_inner.h"
#include <strings.h>

FIELD(field_weakness, "exploit.weakness", TEXT, 0, "weaknesses that it needs: CVE, EDB or CWE, with blanks between");
FIELD(field_cve, "exposure.cve", TEXT, 0, "weakness, by its number");

/* A namespace of our own, so that one range of one collection has one name for good. */
static const uint8_t space[16] = {0x6b, 0x61, 0x6e, 0x73, 0x6f, 0x6b, 0x4d, 0x69, 0x90, 0x70, 0x66, 0x65, 0x65, 0x64, 0x01, 0x5c};

void misp_event_id(const char *collection, const char *producer, uint64_t from_us, uint64_t to_us, char out[UUID_TEXT_MAX])
{
	char name[600];
	snprintf(name, sizeof name, "event %s %s %llu %llu", producer ? producer : "", collection ? collection : "",
		 (unsigned long long)from_us, (unsigned long long)to_us);
	uuid_of_name(space, bytes_of_text(name), out);
}

void misp_write_maker(struct writer *w, const char *producer)
{
	char name[400], id[UUID_TEXT_MAX];
	snprintf(name, sizeof name, "organisation %s", producer ? producer : "");
	uuid_of_name(space, bytes_of_text(name), id);
	write_text(w, "{\"name\":");
	write_json_string(w, bytes_of_text(producer && *producer ? producer : "kansoku"));
	write_fmt(w, ",\"uuid\":\"%s\"}", id);
}

void misp_write_tags(struct writer *w, enum tlp tlp)
{
	static const char *const colours[] = {"#ffffff", "#33ff00", "#ffc000", "#ffc000", "#ff2b2b"};
	char word[24];
	snprintf(word, sizeof word, "%s", tlp_name(tlp));
	for (char *c = word; *c; c++)
		*c = *c >= 'A' && *c <= 'Z' ? (char)(*c + 32) : *c;
	write_fmt(w, "[{\"name\":\"tlp:%s\",\"colour\":\"%s\"}]", word, colours[tlp]);
}

static struct misp_attribute *add(struct misp_attribute *out, size_t *count, const char *type, const char *category, struct bytes value,
				  bool to_ids)
{
	if (!value.len || *count == MISP_ATTRIBUTES_MAX)
		return NULL;
	struct misp_attribute *a = &out[(*count)++];
	a->type = type;
	a->category = category;
	a->value = value;
	a->to_ids = to_ids;
	return a;
}

static void add_address(struct misp_attribute *out, size_t *count, const char *type, const struct address *address, uint64_t port,
			bool to_ids)
{
	char text[ADDRESS_TEXT_MAX];
	struct misp_attribute *a = add(out, count, type, "Network activity", BYTES("-"), to_ids);
	if (!a)
		return;
	if (port)
		snprintf(a->room, sizeof a->room, "%s|%llu", address_format(address, text), (unsigned long long)port);
	else
		snprintf(a->room, sizeof a->room, "%s", address_format(address, text));
	a->value = bytes_of_text(a->room);
}

static void add_hash(struct misp_attribute *out, size_t *count, struct bytes hex)
{
	const char *type = hex.len == 32 ? "md5" : hex.len == 40 ? "sha1" : hex.len == 64 ? "sha256" : hex.len == 128 ? "sha512" : NULL;
	if (type)
		add(out, count, type, "Payload delivery", hex, true);
}

/* Who only scans is told and not blocked for it; who tries to get in is both. */
static const struct { enum event_kind kind; bool to_ids; } sources[] = {
	{EVENT_SESSION_OPENED, false}, {EVENT_SCAN_SEEN, false}, {EVENT_LOGIN_TRIED, true}, {EVENT_COMMAND_SENT, true},
	{EVENT_REQUEST_SEEN, false}, {EVENT_FILE_CAPTURED, true}, {EVENT_EXPLOIT_SEEN, true}, {EVENT_ALERT_RAISED, false},
	{EVENT_TOKEN_USED, true},
};

static void add_source(const struct event *e, struct misp_attribute *out, size_t *count)
{
	struct address a;
	for (size_t i = 0; i < sizeof sources / sizeof *sources; i++)
		if (sources[i].kind == e->kind && event_address(e, FIELD_SRC, &a))
			add_address(out, count, "ip-src", &a, 0, sources[i].to_ids);
}

static void add_weaknesses(struct bytes words, struct misp_attribute *out, size_t *count)
{
	for (struct bytes rest = words, word; (word = bytes_word(&rest)).len;)
		if (bytes_start_with(word, "CVE-"))
			add(out, count, "vulnerability", "External analysis", word, false);
}

static void add_indicator(const struct event *e, struct misp_attribute *out, size_t *count)
{
	static const struct { const char *type, *as; } types[] = {
		{"domain", "domain"}, {"url", "url"}, {"mail", "email-dst"}, {"agent", "user-agent"},
	};
	struct bytes type = event_bytes(e, FIELD_INDICATOR_TYPE), value = event_bytes(e, FIELD_INDICATOR_VALUE);
	struct bytes role = event_bytes(e, FIELD_INDICATOR_ROLE);
	bool to_ids = bytes_equal_text(role, "command") || bytes_equal_text(role, "download") || bytes_equal_text(role, "report");
	struct address a;
	bool is_address = bytes_equal_text(type, "address"), is_endpoint = bytes_equal_text(type, "endpoint");
	if ((is_address || is_endpoint) && (event_address(e, FIELD_SRC, &a) || address_parse(value, &a))) {
		uint64_t port = is_endpoint ? event_number(e, FIELD_DPORT, 0) : 0;
		add_address(out, count, port ? "ip-dst|port" : "ip-dst", &a, port, to_ids);
	}
	if (bytes_equal_text(type, "hash"))
		add_hash(out, count, value);
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (bytes_equal_text(type, types[i].type))
			add(out, count, types[i].as, "Network activity", value, to_ids);
}

size_t misp_attributes(const struct event *e, struct misp_attribute out[MISP_ATTRIBUTES_MAX])
{
	size_t count = 0;
	add_source(e, out, &count);
	add_hash(out, &count, event_bytes(e, FIELD_FILE_SHA256));
	if (e->kind == EVENT_FILE_CAPTURED)
		add(out, &count, "url", "Network activity", event_bytes(e, FIELD_FILE_URL), true);
	add_weaknesses(event_bytes(e, e->kind == EVENT_EXPLOIT_SEEN ? field_weakness : field_cve), out, &count);
	if (e->kind == EVENT_INDICATOR_FOUND || e->kind == EVENT_RECORD_IMPORTED)
		add_indicator(e, out, &count);
	return count;
}
