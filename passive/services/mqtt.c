/*
 * An MQTT broker as Mosquitto 2 answers, in MQTT 3.1, 3.1.1 and 5.
 *
 * A client sees the broker's own topics, those that the persona names, and what it publishes
 * itself; nothing goes from one client to another.  What Mosquitto takes for a breach of the
 * protocol ends the connection without a word, here too.
 */
#include "base/options.h"
#include "passive/services/mqtt/topics.h"
#include "passive/service.h"

#define PACKET_MAX 65536
#define NAME_MAX_KEPT 64
#define FILTERS_MAX 16
#define FILTER_BYTES_MAX 128
#define RECEIVE_MAXIMUM 20 /* Mosquitto's defaults */
#define ALIAS_MAXIMUM 10

enum packet {
	CONNECT = 1, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBSCRIBE, SUBACK, UNSUBSCRIBE,
	UNSUBACK, PINGREQ, PINGRESP, DISCONNECT, AUTH,
};
enum reason { NO_SUBSCRIBERS = 0x10, NO_SUBSCRIPTION = 0x11, NOT_AUTHORIZED = 0x87 };
enum property { ASSIGNED_CLIENT = 0x12, RECEIVE_MOST = 0x21, ALIAS_MOST = 0x22 };

struct mqtt_device {
	bool anonymous;
	const char *version;
	struct option_list topics; /* of struct option_pair */
};

struct mqtt {
	bool connected;
	uint8_t version; /* 3, 4 or 5 */
	uint8_t filter_count;
	struct bytes filters[FILTERS_MAX]; /* on the session's arena */
};

#define AT(member) offsetof(struct mqtt_device, member)
static const struct option device[] = {
	{.name = "anonymous", .type = OPTION_BOOL, .offset = AT(anonymous), .fallback = "true",
	 .summary = "whether it lets in who names no account"},
	{.name = "version", .type = OPTION_TEXT, .offset = AT(version), .fallback = "mosquitto version 2.0.11",
	 .summary = "what $SYS/broker/version says"},
	{.name = "topics", .type = OPTION_PAIRS, .offset = AT(topics),
	 .fallback = "{home/livingroom/temperature: '21.4', home/livingroom/humidity: '43', home/door/state: closed, "
		     "'tele/%{hostname}/LWT': Online}",
	 .summary = "retained messages: topics and what they hold, texts of the persona"},
	{0},
};

static struct bytes read_text(struct reader *r)
{
	return read_bytes(r, read_u16(r));
}

/* A variable byte integer (MQTT 5, 1.5.5): 1 when whole, 0 when more is to come, -1 when wrong. */
static int read_length(struct reader *r, uint32_t *out)
{
	*out = 0;
	for (unsigned i = 0; i < 4; i++) {
		if (reader_left(r) == 0)
			return 0;
		uint8_t b = read_u8(r);
		*out |= (uint32_t)(b & 0x7f) << 7 * i;
		if (!(b & 0x80))
			return 1;
	}
	return -1;
}

/* Properties are skipped: none of them changes what a client sees here. */
static void read_properties(struct reader *r, const struct mqtt *m)
{
	uint32_t n = 0;
	if (m->version == 5 && read_length(r, &n) != 1)
		r->bad = true;
	read_bytes(r, n);
}

static void say_packet(struct session *s, uint8_t first, struct bytes body)
{
	uint8_t head[5] = {first};
	struct writer w = writer_of(head + 1, sizeof head - 1);
	size_t n = body.len;
	do {
		write_u8(&w, (uint8_t)((n & 0x7f) | (n > 0x7f ? 0x80 : 0)));
		n >>= 7;
	} while (n);
	session_say_bytes(s, (struct bytes){head, 1 + writer_used(&w)});
	session_say_bytes(s, body);
}

/* What acknowledges a packet by its identifier; MQTT 5 leaves out a reason that is success. */
static void say_acknowledgement(struct session *s, const struct mqtt *m, enum packet kind, uint16_t id, uint8_t reason)
{
	uint8_t body[3];
	struct writer w = writer_of(body, sizeof body);
	write_u16(&w, id);
	if (m->version == 5 && reason)
		write_u8(&w, reason);
	say_packet(s, (uint8_t)(kind << 4 | (kind == PUBREL ? 2 : 0)), writer_bytes(&w));
}

static void say_message(struct session *s, const struct mqtt *m, struct bytes topic, struct bytes message, bool retained)
{
	struct writer w = writer_of(arena_alloc(session_arena(s), topic.len + message.len + 3), topic.len + message.len + 3);
	write_u16(&w, (uint16_t)topic.len);
	write_span(&w, topic);
	if (m->version == 5)
		write_u8(&w, 0);
	write_span(&w, message);
	if (!w.bad)
		say_packet(s, PUBLISH << 4 | retained, writer_bytes(&w));
}

static void write_client_name(struct session *s, struct writer *w)
{
	uint64_t a = session_random(s), b = session_random(s);
	write_u8(w, ASSIGNED_CLIENT);
	write_u16(w, 41);
	write_fmt(w, "auto-%08X-%04X-%04X-%04X-%04X%08X", (uint32_t)(a >> 32), (uint16_t)(a >> 16), (uint16_t)a,
		  (uint16_t)(b >> 48), (uint16_t)(b >> 32), (uint32_t)b);
}

static enum service_next refuse(struct session *s, const struct mqtt *m)
{
	if (m->version == 5)
		say_packet(s, CONNACK << 4, BYTES("\0\x87\0"));
	else
		say_packet(s, CONNACK << 4, BYTES("\0\5"));
	return SERVICE_CLOSE;
}

static enum service_next welcome(struct session *s, struct mqtt *m, bool nameless)
{
	uint8_t body[64];
	struct writer w = writer_of(body, sizeof body);
	m->connected = true;
	write_u16(&w, 0);
	if (m->version == 5) {
		write_u8(&w, nameless ? 50 : 6);
		write_u8(&w, ALIAS_MOST);
		write_u16(&w, ALIAS_MAXIMUM);
		if (nameless)
			write_client_name(s, &w);
		write_u8(&w, RECEIVE_MOST);
		write_u16(&w, RECEIVE_MAXIMUM);
	}
	say_packet(s, CONNACK << 4, writer_bytes(&w));
	return SERVICE_CONTINUE;
}

static void report(struct session *s, const char *verb, struct bytes topic, struct bytes message)
{
	struct event *e = session_report(s, EVENT_REQUEST_SEEN);
	event_set_text(e, FIELD_METHOD, verb);
	event_set_bytes(e, FIELD_TARGET, topic);
	if (message.len)
		event_set_bytes(e, FIELD_BODY, message);
}

struct greeting {
	struct bytes client, user, secret;
	bool clean, named;
};

/* False: no MQTT that the broker knows. */
static bool greeting_read(struct reader *r, struct mqtt *m, struct greeting *g)
{
	struct bytes protocol = read_text(r);
	m->version = read_u8(r);
	uint8_t flags = read_u8(r);
	read_u16(r); /* keep alive */
	bool known = (bytes_equal_text(protocol, "MQTT") && (m->version == 4 || m->version == 5)) ||
		     (bytes_equal_text(protocol, "MQIsdp") && m->version == 3);
	if (!known || flags & 1)
		return false;
	read_properties(r, m);
	g->client = read_text(r);
	if (flags & 4) { /* a will: kept for nobody */
		read_properties(r, m);
		struct bytes topic = read_text(r);
		read_text(r);
		if (!topic_is_name(topic))
			return false;
	}
	g->named = flags & 0x80;
	g->clean = flags & 2;
	if (flags & 0x80)
		g->user = read_text(r);
	if (flags & 0x40)
		g->secret = read_text(r);
	return reader_ok(r) && reader_left(r) == 0;
}

static enum service_next on_connect(struct session *s, struct mqtt *m, struct reader *r)
{
	const struct mqtt_device *d = session_device(s);
	struct greeting g = {0};
	struct reader again = *r;
	if (!greeting_read(r, m, &g)) {
		/* Only a version that is not known has an answer. */
		if (bytes_equal_text(read_text(&again), "MQTT") && m->version > 5)
			say_packet(s, CONNACK << 4, BYTES("\0\1"));
		return SERVICE_CLOSE;
	}
	if (!g.client.len && !g.clean && m->version != 5) {
		say_packet(s, CONNACK << 4, BYTES("\0\2"));
		return SERVICE_CLOSE;
	}
	report(s, "CONNECT", g.client, (struct bytes){0});
	if (!g.named)
		return d->anonymous ? welcome(s, m, !g.client.len) : refuse(s, m);
	/* An open broker lets in everybody, and looks at no password. */
	if (!session_login(s, g.user, g.secret) && !d->anonymous)
		return refuse(s, m);
	return welcome(s, m, !g.client.len);
}

static void say_retained(struct session *s, const struct mqtt *m, struct bytes filter)
{
	const struct mqtt_device *d = session_device(s);
	const struct option_pair *pairs = d->topics.items;
	char topic[TOPIC_BYTES_MAX], message[512];
	for (size_t i = 0; i < d->topics.count; i++) {
		session_expand(s, pairs[i].name, topic, sizeof topic);
		if (!topic_matches(filter, bytes_of_text(topic)))
			continue;
		bytes_copy_text(pairs[i].value, message, sizeof message);
		char filled[512];
		session_expand(s, message, filled, sizeof filled);
		say_message(s, m, bytes_of_text(topic), bytes_of_text(filled), true);
	}
	struct topic_moment now = {.seed = session_device_seed(s), .time_us = session_time_us(s), .version = d->version};
	for (unsigned i = 0; broker_topic(&now, i, topic, message); i++)
		if (topic_matches(filter, bytes_of_text(topic)))
			say_message(s, m, bytes_of_text(topic), bytes_of_text(message), true);
}

static enum service_next on_subscribe(struct session *s, struct mqtt *m, struct reader *r)
{
	uint16_t id = read_u16(r);
	uint8_t body[2 + 1 + FILTERS_MAX];
	struct bytes filters[FILTERS_MAX];
	struct writer w = writer_of(body, sizeof body);
	unsigned n = 0;
	read_properties(r, m);
	write_u16(&w, id);
	if (m->version == 5)
		write_u8(&w, 0);
	while (reader_ok(r) && reader_left(r) && n < FILTERS_MAX) {
		filters[n] = read_text(r);
		uint8_t quality = read_u8(r) & 3;
		if (quality == 3 || !topic_is_filter(filters[n]))
			return SERVICE_CLOSE;
		write_u8(&w, quality);
		n++;
	}
	if (!reader_ok(r) || reader_left(r) || !n || !id)
		return SERVICE_CLOSE;
	say_packet(s, SUBACK << 4, writer_bytes(&w));
	for (unsigned i = 0; i < n; i++) {
		report(s, "SUBSCRIBE", filters[i], (struct bytes){0});
		say_retained(s, m, filters[i]);
		if (m->filter_count < FILTERS_MAX && filters[i].len <= FILTER_BYTES_MAX)
			m->filters[m->filter_count++] = arena_copy(session_arena(s), filters[i]);
	}
	return SERVICE_CONTINUE;
}

static enum service_next on_unsubscribe(struct session *s, struct mqtt *m, struct reader *r)
{
	uint16_t id = read_u16(r);
	uint8_t body[2 + 1 + FILTERS_MAX];
	struct writer w = writer_of(body, sizeof body);
	read_properties(r, m);
	write_u16(&w, id);
	if (m->version == 5)
		write_u8(&w, 0);
	while (reader_ok(r) && reader_left(r)) {
		struct bytes filter = read_text(r);
		uint8_t reason = NO_SUBSCRIPTION;
		for (unsigned i = 0; i < m->filter_count; i++)
			if (bytes_equal(m->filters[i], filter)) {
				m->filters[i] = m->filters[--m->filter_count];
				reason = 0;
			}
		if (m->version == 5)
			write_u8(&w, reason);
	}
	if (!reader_ok(r) || w.bad || !id)
		return SERVICE_CLOSE;
	say_packet(s, UNSUBACK << 4, writer_bytes(&w));
	return SERVICE_CONTINUE;
}

static enum service_next on_publish(struct session *s, struct mqtt *m, uint8_t first, struct reader *r)
{
	unsigned quality = first >> 1 & 3;
	struct bytes topic = read_text(r);
	uint16_t id = quality ? read_u16(r) : 0;
	read_properties(r, m);
	struct bytes message = read_rest(r);
	if (!reader_ok(r) || quality == 3 || !topic_is_name(topic))
		return SERVICE_CLOSE;
	report(s, "PUBLISH", topic, message);
	unsigned heard = 0;
	for (unsigned i = 0; i < m->filter_count; i++)
		heard += topic_matches(m->filters[i], topic);
	if (quality == 1)
		say_acknowledgement(s, m, PUBACK, id, heard ? 0 : NO_SUBSCRIBERS);
	else if (quality == 2)
		say_acknowledgement(s, m, PUBREC, id, heard ? 0 : NO_SUBSCRIBERS);
	if (heard)
		say_message(s, m, topic, message, false);
	return SERVICE_CONTINUE;
}

static enum service_next packet_take(struct session *s, struct mqtt *m, uint8_t first, struct reader *r)
{
	uint8_t kind = first >> 4, flags = first & 15;
	if (m->connected == (kind == CONNECT))
		return SERVICE_CLOSE;
	/* Flags of all but PUBLISH are fixed (MQTT 3.1.1, table 2.2). */
	if (kind != PUBLISH && flags != (kind == SUBSCRIBE || kind == UNSUBSCRIBE || kind == PUBREL ? 2 : 0))
		return SERVICE_CLOSE;
	switch (kind) {
	case CONNECT:
		return on_connect(s, m, r);
	case SUBSCRIBE:
		return on_subscribe(s, m, r);
	case UNSUBSCRIBE:
		return on_unsubscribe(s, m, r);
	case PUBLISH:
		return on_publish(s, m, first, r);
	case PUBREL:
		say_acknowledgement(s, m, PUBCOMP, read_u16(r), 0);
		return SERVICE_CONTINUE;
	case PUBACK:
	case PUBREC:
	case PUBCOMP:
		return SERVICE_CONTINUE;
	case PINGREQ:
		say_packet(s, PINGRESP << 4, (struct bytes){0});
		return SERVICE_CONTINUE;
	default:
		return SERVICE_CLOSE;
	}
}

static enum service_next mqtt_input(struct session *s, void *state, struct reader *r)
{
	struct mqtt *m = state;
	for (;;) {
		struct reader ahead = *r;
		uint32_t n;
		if (reader_left(r) == 0)
			return SERVICE_CONTINUE;
		uint8_t first = read_u8(&ahead);
		int whole = read_length(&ahead, &n);
		/* Who begins with anything else speaks another protocol. */
		if (whole < 0 || n > PACKET_MAX || (!m->connected && first != CONNECT << 4))
			return SERVICE_CLOSE;
		if (!whole || reader_left(&ahead) < n)
			return SERVICE_CONTINUE;
		struct reader body = reader_of_bytes(read_bytes(&ahead, n));
		*r = ahead;
		enum service_next next = packet_take(s, m, first, &body);
		if (next != SERVICE_CONTINUE)
			return next;
	}
}

static bool mqtt_claims(struct bytes first)
{
	return first.len >= 8 && first.at[0] == CONNECT << 4 && (memmem(first.at, 12 < first.len ? 12 : first.len, "MQTT", 4) ||
								 memmem(first.at, 12 < first.len ? 12 : first.len, "MQIs", 4));
}

#define HELLO "\x10\x0e\0\4MQTT\4\2\0\x3c\0\2c1"
static const struct exchange exchanges[] = {
	{
		.title = "the broker's version, a topic of one's own, and the end",
		.peer_sends = BYTES(HELLO "\x82\x18\0\1\0\x13$SYS/broker/version\0"
				    "\x82\x08\0\2\0\3a/+\0" "\x30\x0a\0\3a/xhello" "\xc0\0" "\xe0\0"),
		.we_answer = BYTES("\x20\2\0\0" "\x90\3\0\1\0" "\x31\x2d\0\x13$SYS/broker/versionmosquitto version 2.0.11"
				   "\x90\3\0\2\0" "\x30\x0a\0\3a/xhello" "\xd0\0"),
		.events = "{\"kind\":\"request.seen\",\"request.method\":\"CONNECT\",\"request.target\":\"c1\"}\n"
			  "{\"kind\":\"request.seen\",\"request.method\":\"SUBSCRIBE\"}\n"
			  "{\"kind\":\"request.seen\",\"request.method\":\"SUBSCRIBE\",\"request.target\":\"a/+\"}\n"
			  "{\"kind\":\"request.seen\",\"request.method\":\"PUBLISH\",\"request.target\":\"a/x\"}",
	},
	{
		.title = "version 5 with an account, quality 1 and 2",
		.peer_sends = BYTES("\x10\x15\0\4MQTT\5\xc2\0\x3c\0\0\2c1\0\1u\0\1p" "\x32\x0a\0\3a/x\0\7\0hi"
				    "\x34\x0a\0\3a/x\0\x8\0hi" "\x62\2\0\x8"),
		.we_answer = BYTES("\x20\x09\0\0\6\x22\0\x0a\x21\0\x14" "\x40\3\0\7\x10" "\x50\3\0\x8\x10" "\x70\2\0\x8"),
		.events = "{\"kind\":\"request.seen\",\"request.method\":\"CONNECT\"}\n"
			  "{\"kind\":\"login.tried\",\"login.user\":\"u\",\"login.secret\":\"p\"}\n"
			  "{\"kind\":\"request.seen\",\"request.method\":\"PUBLISH\"}\n"
			  "{\"kind\":\"request.seen\",\"request.method\":\"PUBLISH\"}",
	},
	{
		.title = "a version that is not known",
		.peer_sends = BYTES("\x10\x0e\0\4MQTT\6\2\0\x3c\0\2c1"),
		.we_answer = BYTES("\x20\2\0\1"),
		.events = "",
	},
	{
		.title = "no MQTT",
		.peer_sends = BYTES("GET / HTTP/1.0\r\n\r\n"),
		.we_answer = BYTES(""),
		.events = "",
	},
	{
		.title = "a filter that is none",
		.peer_sends = BYTES(HELLO "\x82\x0a\0\1\0\5a/#/b\0"),
		.we_answer = BYTES("\x20\2\0\0"),
		.events = "{\"kind\":\"request.seen\",\"request.method\":\"CONNECT\"}",
	},
	{0},
};

static const struct service mqtt = {
	.name = "mqtt",
	.summary = "MQTT broker, 3.1 to 5",
	.reference = "MQTT 3.1.1 and 5.0 (OASIS); Mosquitto 2.0.11",
	.transports = TRANSPORT_TCP,
	.ports = {1883},
	.state_size = sizeof(struct mqtt),
	.input_max = PACKET_MAX + 5,
	.output_max = 1u << 18,
	.arena_max = 1u << 20,
	.idle_ms_max = 90000, /* one and a half times the usual keep alive */
	.session_ms_max = 3600000,
	.device = device,
	.device_size = sizeof(struct mqtt_device),
	.input = mqtt_input,
	.claims = mqtt_claims,
	.exchanges = exchanges,
};
SERVICE(mqtt);
