/*
 * CoAP: a constrained device lists its resources and gives their values, as libcoap answers.
 *
 * A list longer than may go to a source that may be forged is given in blocks (RFC 7959), which
 * RFC 7252 11.3 recommends against amplification, so a client that is really there gets it all.
 */
#include "base/options.h"
#include "passive/service.h"

#define ANSWER_MAX 1400
#define PATH_MAX_BYTES 128
#define TEXT_MAX 1024
#define BLOCK_EXPONENT_MAX 6 /* 1024 bytes */
#define HEAD_MAX 32          /* header, token and options of an answer */

enum { CONFIRMABLE, NON_CONFIRMABLE, ACKNOWLEDGEMENT, RESET };
enum { GET = 1, POST, PUT, DELETE };
enum { DELETED = 0x42, CONTENT = 0x45, BAD_OPTION = 0x82, NOT_FOUND = 0x84, NOT_ALLOWED = 0x85 };
enum { URI_HOST = 3, URI_PORT = 7, URI_PATH = 11, CONTENT_FORMAT = 12, URI_QUERY = 15, ACCEPT = 17, BLOCK2 = 23,
       BLOCK1 = 27 };
enum { FORMAT_TEXT = 0, FORMAT_LINKS = 40 };

struct coap_device {
	const char *resources, *root;
};

struct request {
	uint8_t type, code, exponent;
	uint16_t id;
	uint32_t block;
	bool bad, critical, block_asked;
	struct bytes token, payload;
	char path[PATH_MAX_BYTES];
};

static uint32_t extended(struct reader *r, uint8_t nibble)
{
	return nibble < 13 ? nibble : nibble == 13 ? 13u + read_u8(r) : nibble == 14 ? 269u + read_u16(r) : (r->bad = true, 0u);
}

static void option_take(struct request *q, uint32_t number, struct bytes value, struct writer *path)
{
	struct reader r = reader_of_bytes(value);
	uint32_t block;
	switch (number) {
	case URI_PATH:
		write_u8(path, '/');
		write_span(path, value);
		return;
	case BLOCK2:
		block = (uint32_t)read_be(&r, value.len <= 3 ? value.len : 0);
		q->block_asked = true;
		q->block = block >> 4;
		q->exponent = block & 7;
		return;
	case URI_HOST:
	case URI_PORT:
	case URI_QUERY:
	case ACCEPT:
	case BLOCK1:
		return;
	default: /* odd ones must be understood (RFC 7252 5.4.1) */
		q->critical |= number & 1;
	}
}

/* False for what is no CoAP of version 1, to which nothing is said. */
static bool request_read(struct bytes datagram, struct request *q)
{
	struct reader r = reader_of_bytes(datagram);
	struct writer path = writer_of(q->path, sizeof q->path - 1);
	uint8_t first = read_u8(&r);
	q->type = first >> 4 & 3;
	q->code = read_u8(&r);
	q->id = read_u16(&r);
	if (!reader_ok(&r))
		return false;
	q->token = read_bytes(&r, first & 15);
	q->bad = first >> 6 != 1 || (first & 15) > 8;
	uint32_t number = 0;
	while (reader_left(&r) && reader_ok(&r) && !q->bad) {
		uint8_t head = read_u8(&r);
		if (head == 0xff) {
			q->payload = read_rest(&r);
			q->bad |= q->payload.len == 0;
			break;
		}
		number += extended(&r, head >> 4);
		uint32_t length = extended(&r, head & 15);
		option_take(q, number, read_bytes(&r, length), &path);
	}
	q->bad |= !reader_ok(&r) || path.bad;
	*path.at = '\0';
	return true;
}

/* The text of a resource; false when there is none of that path. */
static bool resource_text(struct session *s, const struct coap_device *d, const char *path, char text[TEXT_MAX],
                          uint16_t *format)
{
	char quoted[PATH_MAX_BYTES + 4];
	*format = FORMAT_TEXT;
	if (!strcmp(path, "/.well-known/core")) {
		*format = FORMAT_LINKS;
		session_expand(s, d->resources, text, TEXT_MAX);
		return true;
	}
	if (!*path || !strcmp(path, "/")) {
		session_expand(s, d->root, text, TEXT_MAX);
		return true;
	}
	snprintf(quoted, sizeof quoted, "<%s>", path);
	if (bytes_find(bytes_of_text(d->resources), quoted) == strlen(d->resources))
		return false;
	if (strstr(path, "time"))
		session_expand(s, "%{date}", text, TEXT_MAX);
	else
		snprintf(text, TEXT_MAX, "%u", (unsigned)(session_device_seed(s) % 1000));
	return true;
}

/* An option of at most three bytes of value, and none where the value is zero. */
static void option_write(struct writer *w, uint32_t delta, uint32_t value)
{
	size_t n = value > 0xffff ? 3 : value > 0xff ? 2 : value ? 1 : 0;
	write_u8(w, (uint8_t)((delta < 13 ? delta : 13) << 4 | n));
	if (delta >= 13)
		write_u8(w, (uint8_t)(delta - 13));
	write_be(w, value, n);
}

static void head_write(struct writer *w, const struct request *q, uint8_t code, uint16_t id)
{
	uint8_t type = q->type == CONFIRMABLE ? ACKNOWLEDGEMENT : NON_CONFIRMABLE;
	write_u8(w, (uint8_t)(1 << 6 | type << 4 | (q->token.len & 15)));
	write_u8(w, code);
	write_u16(w, q->type == CONFIRMABLE ? q->id : id);
	write_span(w, q->token);
}

static void say_content(struct session *s, const struct request *q, struct bytes text, uint16_t format)
{
	uint8_t room[ANSWER_MAX];
	struct writer w = writer_of(room, sizeof room);
	size_t whole = HEAD_MAX / 4 + q->token.len + text.len, max = session_answer_max(s);
	uint8_t exponent = q->block_asked ? q->exponent : BLOCK_EXPONENT_MAX;
	bool blocks = q->block_asked || text.len + 16 > max || text.len > 1024;
	size_t head = 4 + q->token.len + 2 + 3 + 1;
	if (exponent > BLOCK_EXPONENT_MAX)
		exponent = BLOCK_EXPONENT_MAX;
	while (blocks && exponent && (16u << exponent) + head > max)
		exponent--;
	size_t size = blocks ? 16u << exponent : text.len;
	/* A later block of another size would begin elsewhere, so the client's size is kept or nothing said. */
	size_t from = blocks ? (size_t)q->block * (16u << (q->block ? q->exponent : exponent)) : 0;
	if (from > text.len || (q->block && exponent != q->exponent))
		return;
	struct bytes part = {text.at + from, text.len - from < size ? text.len - from : size};
	bool more = from + part.len < text.len;
	head_write(&w, q, CONTENT, (uint16_t)session_random(s));
	option_write(&w, CONTENT_FORMAT, format);
	if (blocks)
		option_write(&w, BLOCK2 - CONTENT_FORMAT, q->block << 4 | (more ? 8u : 0) | exponent);
	if (part.len)
		write_u8(&w, 0xff);
	write_span(&w, part);
	session_would_say(s, whole);
	if (!w.bad && writer_used(&w) <= max)
		session_say_bytes(s, writer_bytes(&w));
}

static void say_code(struct session *s, const struct request *q, uint8_t code, const char *reason)
{
	uint8_t room[64];
	struct writer w = writer_of(room, sizeof room);
	head_write(&w, q, code, (uint16_t)session_random(s));
	size_t bare = writer_used(&w);
	if (*reason) {
		write_u8(&w, 0xff);
		write_text(&w, reason);
	}
	size_t n = writer_used(&w) <= session_answer_max(s) ? writer_used(&w) : bare;
	session_say_bytes(s, (struct bytes){room, n}); /* the reason is for people (RFC 7252 5.5.2) */
}

static void say_reset(struct session *s, uint16_t id)
{
	const uint8_t reset[] = {1 << 6 | RESET << 4, 0, (uint8_t)(id >> 8), (uint8_t)id};
	session_say_bytes(s, (struct bytes){reset, sizeof reset});
}

static void report(struct session *s, const struct request *q)
{
	static const char *const names[] = {"", "GET", "POST", "PUT", "DELETE", "FETCH", "PATCH", "iPATCH"};
	struct event *e = session_report(s, EVENT_REQUEST_SEEN);
	event_set_bytes(e, FIELD_METHOD, bytes_of_text(names[q->code & 7]));
	event_set_bytes(e, FIELD_TARGET, *q->path ? bytes_of_text(q->path) : BYTES("/"));
	if (q->payload.len)
		event_set_bytes(e, FIELD_BODY, q->payload);
}

static enum service_next coap_input(struct session *s, void *state, struct reader *in)
{
	(void)state;
	struct request q = {0};
	char text[TEXT_MAX];
	uint16_t format;
	if (!request_read(read_rest(in), &q) || q.type == RESET || q.type == ACKNOWLEDGEMENT)
		return SERVICE_CONTINUE;
	if (q.bad || q.code == 0) { /* an empty confirmable message is a ping (RFC 7252 4.3) */
		if (q.type == CONFIRMABLE)
			say_reset(s, q.id);
		return SERVICE_CONTINUE;
	}
	if (q.code >> 5)
		return SERVICE_CONTINUE;
	report(s, &q);
	bool found = resource_text(s, session_device(s), q.path, text, &format);
	if (q.critical)
		say_code(s, &q, BAD_OPTION, "Bad Option");
	else if (q.code == DELETE && !found)
		say_code(s, &q, DELETED, "");
	else if (!found)
		say_code(s, &q, NOT_FOUND, "Not Found");
	else if (q.code != GET)
		say_code(s, &q, NOT_ALLOWED, "Method Not Allowed");
	else
		say_content(s, &q, bytes_of_text(text), format);
	return SERVICE_CONTINUE;
}

#define LINKS                                                                                      \
	"</>;title=\"General Info\";ct=0,</time>;if=\"clock\";rt=\"ticks\";title=\"Internal Clock\";ct=0;obs," \
	"</sensors/temp>;if=\"sensor\";rt=\"temperature-c\";ct=0;obs,</sensors/hum>;if=\"sensor\";rt=\"humidity\";ct=0;obs," \
	"</actuators/relay>;if=\"actuator\";ct=0"
#define ASKED(method, target) "{\"kind\":\"request.seen\",\"request.method\":\"" method "\",\"request.target\":\"" target "\"}"

static bool coap_claims_datagram(struct bytes first)
{
	struct request q = {0};
	return request_read(first, &q) && !q.bad && q.type != RESET && q.type != ACKNOWLEDGEMENT && q.code >= 1 && q.code <= 4;
}

static const struct exchange coap_exchanges[] = {
        {"the list of resources, as nmap asks", BYTES("@\1\1\xce\xbb.well-known\4core"),
         BYTES("\x60\x45\1\xce\xc1\x28\xff" LINKS), ASKED("GET", "/.well-known/core")},
        {"in blocks of 32, the second", BYTES("\x42\1\0\2\xaa\xbb\xbb.well-known\4core\xc1\x11"),
         BYTES("\x62\x45\0\2\xaa\xbb\xc1\x28\xb1\x19\xfftime>;if=\"clock\";rt=\"ticks\";titl"), NULL},
        {"a resource that is not there", BYTES("@\1\0\3\xb4nope"), BYTES("\x60\x84\0\3\xffNot Found"), ASKED("GET", "/nope")},
        {"one that cannot be changed", BYTES("@\2\0\7\xb4time\xffx"), BYTES("\x60\x85\0\7\xffMethod Not Allowed"),
         ASKED("POST", "/time")},
        {"a ping", BYTES("@\0\0\4"), BYTES("p\0\0\4"), ""},
        {"another version is reset", BYTES("\x80\1\0\1"), BYTES("p\0\0\1"), ""},
        {"an option longer than the datagram is reset", BYTES("@\1\0\x09\xbf"), BYTES("p\0\0\x09"), ""},
        {"a reset is not answered", BYTES("\x70\0\0\1"), BYTES(""), ""},
        {0},
};

static const struct option coap_device_options[] = {
        {.name = "resources", .type = OPTION_TEXT, .offset = offsetof(struct coap_device, resources), .fallback = LINKS,
         .summary = "what /.well-known/core says, in the format of RFC 6690; a template"},
        {.name = "root", .type = OPTION_TEXT, .offset = offsetof(struct coap_device, root),
         .fallback = "%{hostname} sensor node\n", .summary = "what / says; a template"},
        {0},
};

static const struct service coap = {
        .name = "coap",
        .summary = "resources of a constrained device",
        .reference = "RFC 7252, 6690, 7959; libcoap 4.3",
        .transports = TRANSPORT_UDP,
        .ports = {5683},
        .state_size = 1,
        .input_max = 2048,
        .output_max = 2048,
        .arena_max = 4096,
        .idle_ms_max = 30 * 1000,
        .session_ms_max = 300 * 1000,
        .device = coap_device_options,
        .device_size = sizeof(struct coap_device),
        .claims_datagram = coap_claims_datagram,
        .input = coap_input,
        .exchanges = coap_exchanges,
};
SERVICE(coap);
