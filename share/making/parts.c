/* Observables of an event (STIX 2.1, 6). */
#include "share/making/maker_inner.h"
#include "base/base64.h"

#define CANONICAL_MAX 3072
#define BANNER_MAX 4096

FIELD(field_as, "record.as", NUMBER, 0, "number of the AS, as its source says");
FIELD(field_as_name, "record.as_name", BYTES, 0, "name of that AS or organisation");
FIELD(field_src_as, "src.as", NUMBER, 0, "AS that announces it, by imported tables");
FIELD(field_src_as_name, "src.as_name", BYTES, 0, "who that AS or network belongs to, by imported tables");
FIELD(field_vendor, "record.vendor", BYTES, 0, "maker of the device or software");
FIELD(field_product, "record.product", BYTES, 0, "what it is, as its source says");
FIELD(field_version, "record.version", BYTES, 0, "version of it");

struct bytes making_text(struct making *s, struct bytes b)
{
	if (bytes_is_utf8(b))
		return b;
	uint8_t *room = arena_alloc(s->arena, 2 * b.len);
	struct writer w = writer_of(room, room ? 2 * b.len : 0);
	for (size_t i = 0; i < b.len; i++) {
		if (b.at[i] >= 0x80)
			write_u8(&w, (uint8_t)(0xc0 | b.at[i] >> 6));
		write_u8(&w, b.at[i] < 0x80 ? b.at[i] : (uint8_t)(0x80 | (b.at[i] & 0x3f)));
	}
	s->failed |= w.bad;
	return writer_bytes(&w);
}

bool making_is_there(const struct making *s, const char *id)
{
	for (size_t i = 0; i < s->count; i++)
		if (!strcmp(s->out[i].id, id))
			return true;
	return false;
}

bool making_begin(struct making *s, const char *type, const char *id)
{
	if (s->count == STIX_OBJECTS_MAX || s->failed)
		return false;
	struct made_object *o = &s->out[s->count];
	*o = (struct made_object){0};
	snprintf(o->id, sizeof o->id, "%s", id);
	s->w = writer_of(s->room, STIX_ROOM);
	write_fmt(&s->w, "{\"type\":\"%s\",\"spec_version\":\"2.1\",\"id\":\"%s\"", type, id);
	return true;
}

bool making_begin_made(struct making *s, const char *type, const char *id, uint64_t made_us)
{
	char text[TIME_TEXT_MAX];
	if (!making_begin(s, type, id))
		return false;
	s->out[s->count].version_us = made_us;
	s->out[s->count].is_version = true;
	making_time(made_us, text);
	if (strcmp(id, s->producer_id))
		write_fmt(&s->w, ",\"created_by_ref\":\"%s\"", s->producer_id);
	write_fmt(&s->w, ",\"created\":\"%s\",\"modified\":\"%s\"", text, text);
	return true;
}

const char *making_end(struct making *s)
{
	struct made_object *o = &s->out[s->count];
	write_fmt(&s->w, ",\"object_marking_refs\":[\"%s\"]}", making_marking_id(s->tlp));
	o->json = arena_copy(s->arena, writer_bytes(&s->w));
	if (s->w.bad || !o->json.at) {
		s->failed = true;
		return NULL;
	}
	return s->out[s->count++].id;
}

void making_observed(struct making *s, const char *id)
{
	for (size_t i = 0; id && i < s->ref_count; i++)
		if (!strcmp(s->refs[i], id))
			return;
	if (id && s->ref_count < STIX_REFS_MAX)
		snprintf(s->refs[s->ref_count++], STIX_ID_MAX, "%s", id);
}

/* The one that is there already, or begins it: then `fresh`. */
static const char *begin_part(struct making *s, const char *type, struct bytes canonical, bool *fresh)
{
	char id[STIX_ID_MAX];
	making_observable_id(type, canonical, id);
	*fresh = false;
	for (size_t i = 0; i < s->count; i++)
		if (!strcmp(s->out[i].id, id))
			return s->out[i].id;
	*fresh = making_begin(s, type, id);
	return NULL;
}

const char *making_named(struct making *s, const char *type, struct bytes value)
{
	uint8_t room[CANONICAL_MAX];
	struct writer w = writer_of(room, sizeof room);
	struct bytes text = making_text(s, value);
	bool fresh;
	if (!text.len)
		return NULL;
	write_text(&w, "{\"value\":");
	write_canonical_string(&w, text);
	write_text(&w, "}");
	if (w.bad)
		return NULL;
	const char *there = begin_part(s, type, writer_bytes(&w), &fresh);
	if (!fresh)
		return there;
	write_text(&s->w, ",\"value\":");
	write_json_string(&s->w, text);
	return making_end(s);
}

const char *making_address(struct making *s, const struct address *a)
{
	char text[ADDRESS_TEXT_MAX];
	address_format(a, text);
	return making_named(s, address_is_v4(a) ? "ipv4-addr" : "ipv6-addr", bytes_of_text(text));
}

const char *making_as(struct making *s)
{
	char canonical[40];
	const bool said = event_number(s->event, field_as, 0) > 0; /* by the record itself */
	uint64_t number = event_number(s->event, said ? field_as : field_src_as, 0);
	struct bytes name = making_text(s, event_bytes(s->event, said ? field_as_name : field_src_as_name));
	bool fresh;
	if (!number)
		return NULL;
	snprintf(canonical, sizeof canonical, "{\"number\":%llu}", (unsigned long long)number);
	const char *there = begin_part(s, "autonomous-system", bytes_of_text(canonical), &fresh);
	if (!fresh)
		return there;
	write_fmt(&s->w, ",\"number\":%llu", (unsigned long long)number);
	if (name.len) {
		write_text(&s->w, ",\"name\":");
		write_json_string(&s->w, name);
	}
	return making_end(s);
}

static const char *hash_name(size_t digits)
{
	return digits == 32 ? "MD5" : digits == 40 ? "SHA-1" : digits == 64 ? "SHA-256" : digits == 128 ? "SHA-512" : NULL;
}

static bool is_hex(struct bytes b)
{
	for (size_t i = 0; i < b.len; i++)
		if (!strchr("0123456789abcdefABCDEF", b.at[i]) || !b.at[i])
			return false;
	return true;
}

static const char *file_of(struct making *s, struct bytes hex, struct bytes name, uint64_t size)
{
	uint8_t room[CANONICAL_MAX];
	struct writer w = writer_of(room, sizeof room);
	const char *algorithm = hash_name(hex.len);
	bool fresh;
	if (!algorithm || !is_hex(hex))
		return NULL;
	write_fmt(&w, "{\"hashes\":{\"%s\":", algorithm);
	write_canonical_string(&w, hex);
	write_text(&w, "}");
	if (name.len) {
		write_text(&w, ",\"name\":");
		write_canonical_string(&w, name);
	}
	write_text(&w, "}");
	if (w.bad)
		return NULL;
	const char *there = begin_part(s, "file", writer_bytes(&w), &fresh);
	if (!fresh)
		return there;
	write_fmt(&s->w, ",\"hashes\":{\"%s\":", algorithm);
	write_json_string(&s->w, hex);
	write_text(&s->w, "}");
	if (size)
		write_fmt(&s->w, ",\"size\":%llu", (unsigned long long)size);
	if (name.len) {
		write_text(&s->w, ",\"name\":");
		write_json_string(&s->w, name);
	}
	return making_end(s);
}

const char *making_file(struct making *s)
{
	return file_of(s, event_bytes(s->event, FIELD_FILE_SHA256), making_text(s, event_bytes(s->event, FIELD_FILE_NAME)),
		       event_number(s->event, FIELD_FILE_SIZE, 0));
}

const char *making_hash(struct making *s, struct bytes hex) { return file_of(s, hex, (struct bytes){0}, 0); }

/* Timestamps contribute as RFC 3339 without zeros at the end: 05.120Z is 05.12Z. */
static void short_time(uint64_t time_us, char text[TIME_TEXT_MAX])
{
	time_format(time_us, text);
	size_t n = strlen(text) - 1;
	while (n > 20 && text[n - 1] == '0')
		n--;
	if (text[n - 1] == '.')
		n--;
	text[n] = 'Z';
	text[n + 1] = '\0';
}

static void write_protocols(struct making *s, struct writer *w, bool six)
{
	struct bytes proto = event_bytes(s->event, FIELD_PROTO), service = event_bytes(s->event, FIELD_SERVICE);
	write_fmt(w, "\"protocols\":[\"ipv%c\"", six ? '6' : '4');
	if (proto.len) {
		write_text(w, ",");
		write_canonical_string(w, proto);
	}
	if (service.len && !bytes_equal_text(service, "any")) {
		write_text(w, ",");
		write_canonical_string(w, service);
	}
	write_text(w, "]");
}

static bool has_port(const struct event *e, uint16_t field) { return event_get(e, field) && event_number(e, field, 0) <= 65535; }

/* Contributing properties in the order of RFC 8785, which is also one in which they can be given. */
static void write_traffic(struct making *s, struct writer *w, const char *src, const char *dst)
{
	char text[TIME_TEXT_MAX];
	const struct event *e = s->event;
	const char *some = src ? src : dst;
	if (has_port(e, FIELD_DPORT))
		write_fmt(w, ",\"dst_port\":%llu", (unsigned long long)event_number(e, FIELD_DPORT, 0));
	if (dst)
		write_fmt(w, ",\"dst_ref\":\"%s\"", dst);
	write_text(w, ",");
	write_protocols(s, w, !strncmp(some, "ipv6", 4));
	if (has_port(e, FIELD_SPORT))
		write_fmt(w, ",\"src_port\":%llu", (unsigned long long)event_number(e, FIELD_SPORT, 0));
	if (src)
		write_fmt(w, ",\"src_ref\":\"%s\"", src);
	short_time(event_number(e, FIELD_FLOW_FIRST, e->time_us), text);
	write_fmt(w, ",\"start\":\"%s\"", text);
}

static void write_request(struct making *s)
{
	const struct event *e = s->event;
	struct bytes method = making_text(s, event_bytes(e, FIELD_METHOD)), target = making_text(s, event_bytes(e, FIELD_TARGET));
	struct bytes agent = making_text(s, event_bytes(e, FIELD_AGENT)), host = making_text(s, event_bytes(e, FIELD_HOST_NAME));
	if (e->kind != EVENT_REQUEST_SEEN || !method.len || !target.len)
		return;
	write_text(&s->w, ",\"extensions\":{\"http-request-ext\":{\"request_method\":");
	write_json_string(&s->w, method);
	write_text(&s->w, ",\"request_value\":");
	write_json_string(&s->w, target);
	if (agent.len || host.len)
		write_text(&s->w, ",\"request_header\":{");
	if (agent.len) {
		write_text(&s->w, "\"User-Agent\":[");
		write_json_string(&s->w, agent);
		write_text(&s->w, "]");
	}
	if (host.len) {
		write_text(&s->w, agent.len ? ",\"Host\":[" : "\"Host\":[");
		write_json_string(&s->w, host);
		write_text(&s->w, "]");
	}
	write_text(&s->w, agent.len || host.len ? "}}}" : "}}");
}

const char *making_traffic(struct making *s, const char *src, const char *dst, const char *payload)
{
	uint8_t room[CANONICAL_MAX];
	struct writer w = writer_of(room, sizeof room);
	const struct event *e = s->event;
	bool fresh;
	if (!src && !dst)
		return NULL;
	/* Two sorts of extension would make two objects of one flow; the request's own words are not part of its name. */
	write_traffic(s, &w, src, dst);
	if (w.bad)
		return NULL;
	room[0] = '{';
	write_text(&w, "}");
	const char *there = begin_part(s, "network-traffic", writer_bytes(&w), &fresh);
	if (!fresh)
		return there;
	write_traffic(s, &s->w, src, dst);
	if (event_number(e, FIELD_FLOW_PACKETS, 0))
		write_fmt(&s->w, ",\"src_packets\":%llu", (unsigned long long)event_number(e, FIELD_FLOW_PACKETS, 0));
	uint64_t bytes = event_number(e, FIELD_FLOW_BYTES, event_number(e, FIELD_BYTES_IN, 0));
	if (bytes)
		write_fmt(&s->w, ",\"src_byte_count\":%llu", (unsigned long long)bytes);
	if (payload)
		write_fmt(&s->w, ",\"src_payload_ref\":\"%s\"", payload);
	write_request(s);
	return making_end(s);
}

const char *making_account(struct making *s)
{
	uint8_t room[CANONICAL_MAX];
	struct writer w = writer_of(room, sizeof room);
	struct bytes user = making_text(s, event_bytes(s->event, FIELD_LOGIN_USER));
	bool fresh;
	if (!user.len)
		return NULL;
	write_text(&w, "{\"account_login\":");
	write_canonical_string(&w, user);
	write_text(&w, "}");
	if (w.bad)
		return NULL;
	const char *there = begin_part(s, "user-account", writer_bytes(&w), &fresh);
	if (!fresh)
		return there;
	write_text(&s->w, ",\"account_login\":");
	write_json_string(&s->w, user);
	return making_end(s);
}

/* A process has no contributing properties; the standard lets any UUID name it, and ours is of its event. */
const char *making_process(struct making *s)
{
	char id[STIX_ID_MAX], seed[16 + EVENT_ID_TEXT], hex[EVENT_ID_TEXT];
	struct bytes line = making_text(s, event_bytes(s->event, FIELD_COMMAND_LINE));
	snprintf(seed, sizeof seed, "process:%s", id_format(&s->event->id, hex));
	making_own_id("process", bytes_of_text(seed), id);
	if (!line.len || !making_begin(s, "process", id))
		return NULL;
	write_text(&s->w, ",\"command_line\":");
	write_json_string(&s->w, line);
	return making_end(s);
}

static struct bytes first_of(struct making *s, uint16_t a, uint16_t b)
{
	struct bytes text = event_bytes(s->event, a);
	return making_text(s, text.len ? text : event_bytes(s->event, b));
}

const char *making_software(struct making *s)
{
	uint8_t room[CANONICAL_MAX];
	struct writer w = writer_of(room, sizeof room);
	struct bytes name = first_of(s, FIELD_DEVICE_PRODUCT, field_product);
	struct bytes vendor = first_of(s, FIELD_DEVICE_VENDOR, field_vendor);
	struct bytes version = first_of(s, FIELD_DEVICE_VERSION, field_version);
	const struct { const char *key; struct bytes value; } members[] = {{"name", name}, {"vendor", vendor}, {"version", version}};
	bool fresh;
	if (!name.len)
		return NULL;
	for (size_t i = 0; i < 3; i++) {
		if (!members[i].value.len)
			continue;
		write_fmt(&w, ",\"%s\":", members[i].key);
		write_canonical_string(&w, members[i].value);
	}
	if (w.bad)
		return NULL;
	struct bytes inside = writer_bytes(&w);
	struct bytes copy = arena_copy(s->arena, inside);
	room[0] = '{';
	write_text(&w, "}");
	const char *there = copy.at ? begin_part(s, "software", writer_bytes(&w), &fresh) : NULL;
	if (!copy.at || !fresh)
		return there;
	write_span(&s->w, copy);
	return making_end(s);
}

/* What was said, byte for byte: text of a hostile host is no text. */
const char *making_artifact(struct making *s)
{
	uint8_t room[64 + BASE64_ROOM(BANNER_MAX)];
	struct writer w = writer_of(room, sizeof room);
	struct bytes banner = event_bytes(s->event, FIELD_BANNER);
	bool fresh;
	if (!banner.len)
		return NULL;
	if (banner.len > BANNER_MAX)
		banner.len = BANNER_MAX;
	write_text(&w, "{\"payload_bin\":\"");
	size_t begin = writer_used(&w);
	base64_encode(banner, &w);
	struct bytes letters = arena_copy(s->arena, (struct bytes){room + begin, writer_used(&w) - begin});
	write_text(&w, "\"}");
	const char *there = letters.at ? begin_part(s, "artifact", writer_bytes(&w), &fresh) : NULL;
	if (!letters.at || !fresh)
		return there;
	write_text(&s->w, ",\"payload_bin\":\"");
	write_span(&s->w, letters);
	write_text(&s->w, "\"");
	return making_end(s);
}
