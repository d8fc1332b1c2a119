/*
 * mDNS asked from elsewhere: a machine names its services to whoever queries port 5353 by unicast.
 *
 * A query from any port but 5353 is a legacy one (RFC 6762 6.7): the answer repeats its id and
 * question, and its records live ten seconds at most, as Avahi makes them.
 */
#include "base/options.h"
#include "passive/services/dns/question.h"
#include "passive/service.h"

#define MESSAGE_MAX 1400
#define LEGACY_TTL 10
#define HOST_TTL 120
#define SERVICES_MAX 16
#define LABEL_MAX 63
#define KNOWN_MAX 32
#define CACHE_FLUSH 0x8000 /* RFC 6762 10.2 */
#define MDNS_PORT 5353

struct mdns_device {
	const char *hostname, *services;
};

struct offered {
	char type[48]; /* "_http._tcp" */
	uint16_t port;
};

struct known { /* a name that stands in the message */
	uint16_t at;
	char name[160];
};

struct mdns {
	const struct mdns_device *device;
	struct session *s;
	struct dns_question q;
	bool legacy;
	char host[LABEL_MAX + 1], host_name[LABEL_MAX + 8];
	struct known known[KNOWN_MAX];
	size_t known_count;
	struct offered offered[SERVICES_MAX];
	size_t count;
	struct writer w;
	uint16_t answers, additional;
};

static void offered_read(struct mdns *m)
{
	struct bytes left = bytes_of_text(m->device->services);
	while (left.len && m->count < SERVICES_MAX) {
		struct bytes word = bytes_word(&left);
		struct offered *o = &m->offered[m->count];
		size_t colon = bytes_find(word, ":");
		uint64_t port;
		if (colon + 1 < word.len && bytes_copy_text((struct bytes){word.at, colon}, o->type, sizeof o->type) &&
		    bytes_number((struct bytes){word.at + colon + 1, word.len - colon - 1}, 65535, &port)) {
			o->port = (uint16_t)port;
			m->count++;
		}
	}
}

static void name_know(struct mdns *m, const char *dotted, size_t at)
{
	struct known *k = &m->known[m->known_count];
	if (m->known_count == KNOWN_MAX || at > 0x3fff)
		return;
	snprintf(k->name, sizeof k->name, "%s", dotted);
	k->at = (uint16_t)at;
	m->known_count++;
}

/* A name, dotted; what of its end stands in the message already is pointed to (RFC 1035 4.1.4). */
static void name_write(struct mdns *m, const char *dotted)
{
	for (size_t part; *dotted; dotted += part + (dotted[part] == '.')) {
		for (size_t i = 0; i < m->known_count; i++)
			if (!strcmp(m->known[i].name, dotted)) {
				write_u16(&m->w, 0xc000 | m->known[i].at);
				return;
			}
		name_know(m, dotted, writer_used(&m->w));
		part = strcspn(dotted, ".");
		write_u8(&m->w, (uint8_t)(part > LABEL_MAX ? LABEL_MAX : part));
		write_bytes(&m->w, dotted, part > LABEL_MAX ? LABEL_MAX : part);
	}
	write_u8(&m->w, 0);
}

static void question_write(struct mdns *m)
{
	const char *dotted = m->q.name;
	for (size_t part, at = DNS_HEADER; *dotted; dotted += part + (dotted[part] == '.')) {
		name_know(m, dotted, at);
		part = strcspn(dotted, ".");
		at += part + 1;
	}
	write_span(&m->w, m->q.wire);
}

/* A record's head; the caller writes the data and ends it with record_end(). */
static uint8_t *record(struct mdns *m, const char *name, uint16_t type, bool own)
{
	name_write(m, name);
	write_u16(&m->w, type);
	write_u16(&m->w, (uint16_t)(DNS_IN | (own && !m->legacy ? CACHE_FLUSH : 0)));
	write_u32(&m->w, m->legacy ? LEGACY_TTL : own ? HOST_TTL : 4500);
	write_u16(&m->w, 0);
	return m->w.at;
}

static void record_end(struct mdns *m, const uint8_t *data)
{
	if (m->w.bad)
		return;
	struct writer length = writer_of((uint8_t *)data - 2, 2);
	write_u16(&length, (uint16_t)(m->w.at - data));
}

static void host_record(struct mdns *m)
{
	const struct address *local = session_local(m->s);
	bool v4 = address_is_v4(local);
	uint8_t *data = record(m, m->host_name, v4 ? DNS_A : DNS_AAAA, true);
	write_bytes(&m->w, v4 ? local->b + 12 : local->b, v4 ? 4 : 16);
	record_end(m, data);
}

static void service_records(struct mdns *m, const struct offered *o, bool pointer)
{
	char type[64], instance[144];
	uint8_t *data;
	snprintf(type, sizeof type, "%s.local", o->type);
	snprintf(instance, sizeof instance, "%s.%s", m->host, type);
	if (pointer) {
		data = record(m, type, DNS_PTR, false);
		name_write(m, instance);
		record_end(m, data);
		m->answers++;
	}
	data = record(m, instance, DNS_SRV, true);
	write_u32(&m->w, 0); /* priority, weight */
	write_u16(&m->w, o->port);
	name_write(m, m->host_name);
	record_end(m, data);
	data = record(m, instance, DNS_TXT, true);
	write_u8(&m->w, 0);
	record_end(m, data);
	host_record(m);
	if (pointer) {
		m->additional += 3;
	} else {
		m->answers += 2;
		m->additional++;
	}
}

static void type_record(struct mdns *m, const struct offered *o)
{
	char type[64];
	uint8_t *data = record(m, "_services._dns-sd._udp.local", DNS_PTR, false);
	snprintf(type, sizeof type, "%s.local", o->type);
	name_write(m, type);
	record_end(m, data);
	m->answers++;
}

static void answer_write(struct mdns *m)
{
	struct bytes asked = bytes_of_text(m->q.name);
	char name[160];
	if (bytes_equal_nocase(asked, m->host_name) &&
	    (m->q.type == DNS_ANY || m->q.type == (address_is_v4(session_local(m->s)) ? DNS_A : DNS_AAAA))) {
		host_record(m);
		m->answers++;
		return;
	}
	bool pointers = m->q.type == DNS_PTR || m->q.type == DNS_ANY;
	for (size_t i = 0; i < m->count; i++) {
		const struct offered *o = &m->offered[i];
		if (pointers && bytes_equal_nocase(asked, "_services._dns-sd._udp.local"))
			type_record(m, o);
		snprintf(name, sizeof name, "%s.local", o->type);
		if (pointers && bytes_equal_nocase(asked, name))
			service_records(m, o, true);
		snprintf(name, sizeof name, "%s.%s.local", m->host, o->type);
		if (bytes_equal_nocase(asked, name) &&
		    (m->q.type == DNS_SRV || m->q.type == DNS_TXT || m->q.type == DNS_ANY))
			service_records(m, o, false);
	}
}

static enum service_next mdns_input(struct session *s, void *state, struct reader *in)
{
	(void)state;
	struct mdns m = {.s = s, .device = session_device(s), .legacy = session_peer_port(s) != MDNS_PORT};
	uint8_t room[MESSAGE_MAX];
	char type[16];
	m.w = writer_of(room, sizeof room);
	if (!dns_question_read(read_rest(in), &m.q) || m.q.malformed || !m.q.wire.len || m.q.flags & DNS_OPCODE ||
	    (m.q.class & 0x7fff) != DNS_IN) /* its highest bit asks for unicast */
		return SERVICE_CONTINUE;
	struct event *e = session_report(s, EVENT_REQUEST_SEEN);
	event_set_bytes(e, FIELD_METHOD, bytes_of_text(dns_type_name(m.q.type, type)));
	event_set_bytes(e, FIELD_TARGET, bytes_of_text(m.q.name));
	session_expand(s, m.device->hostname, m.host, sizeof m.host);
	snprintf(m.host_name, sizeof m.host_name, "%s.local", m.host);
	offered_read(&m);
	write_u16(&m.w, m.legacy ? m.q.id : 0);
	write_u16(&m.w, DNS_FLAG_ANSWER | DNS_FLAG_AUTHORITATIVE);
	write_u16(&m.w, m.legacy);
	write_zero(&m.w, 6);
	if (m.legacy)
		question_write(&m);
	answer_write(&m);
	if (m.w.bad || !m.answers)
		return SERVICE_CONTINUE; /* nobody here has that name */
	struct writer counts = writer_of(room + 6, 6);
	write_u16(&counts, m.answers);
	write_u16(&counts, 0);
	write_u16(&counts, m.additional);
	session_would_say(s, writer_used(&m.w));
	if (writer_used(&m.w) <= session_answer_max(s))
		session_say_bytes(s, writer_bytes(&m.w));
	return SERVICE_CONTINUE;
}

#define SERVICES "\x09_services\7_dns-sd\4_udp\5local\0"
#define TYPE_RECORD(data) "\xc0\x0c\0\x0c\0\1\0\0\0\x0a" data
#define SEEN(method, target) "{\"kind\":\"request.seen\",\"request.method\":\"" method "\",\"request.target\":\"" target "\"}"

static const struct exchange mdns_exchanges[] = {
        {"which services there are, as nmap asks", BYTES("\0\0\0\0\0\1\0\0\0\0\0\0" SERVICES "\0\x0c\0\1"),
         BYTES("\0\0\x84\0\0\1\0\3\0\0\0\0" SERVICES "\0\x0c\0\1"
               TYPE_RECORD("\0\x14\x0c_workstation\4_tcp\xc0\x23") TYPE_RECORD("\0\x08\5_http\xc0\x47")
               TYPE_RECORD("\0\7\4_smb\xc0\x47")),
         SEEN("PTR", "_services._dns-sd._udp.local")},
        {"a machine's address", BYTES("\0\7\0\0\0\1\0\0\0\0\0\0\x09localhost\5local\0\0\1\0\1"),
         BYTES("\0\7\x84\0\0\1\0\1\0\0\0\0\x09localhost\5local\0\0\1\0\1\xc0\x0c\0\1\0\1\0\0\0\x0a\0\4\xc0\0\2\x17"),
         SEEN("A", "localhost.local")},
        {"a name that nobody has", BYTES("\0\7\0\0\0\1\0\0\0\0\0\0\4nope\5local\0\0\1\0\1"), BYTES(""), SEEN("A", "nope.local")},
        {"an answer", BYTES("\0\0\x84\0\0\0\0\1\0\0\0\0"), BYTES(""), ""},
        {0},
};

static const struct option mdns_device_options[] = {
        {.name = "hostname", .type = OPTION_TEXT, .offset = offsetof(struct mdns_device, hostname),
         .fallback = "%{hostname}", .summary = "its name below .local, a template"},
        {.name = "services", .type = OPTION_TEXT, .offset = offsetof(struct mdns_device, services),
         .fallback = "_workstation._tcp:9 _http._tcp:80 _smb._tcp:445",
         .summary = "what it announces: TYPE:PORT, with spaces between"},
        {0},
};

static const struct service mdns = {
        .name = "mdns",
        .summary = "machine that names its services",
        .reference = "RFC 6762, RFC 6763; Avahi 0.8",
        .transports = TRANSPORT_UDP,
        .ports = {MDNS_PORT},
        .state_size = 1,
        .input_max = 2048,
        .output_max = 2048,
        .arena_max = 4096,
        .idle_ms_max = 10 * 1000,
        .session_ms_max = 60 * 1000,
        .device = mdns_device_options,
        .device_size = sizeof(struct mdns_device),
        .input = mdns_input,
        .exchanges = mdns_exchanges,
};
SERVICE(mdns);
