/*
 * DNS of a router (dnsmasq) or of a name server (BIND), over UDP and TCP.
 *
 * An open resolver here resolves nothing, since no packet leaves a decoy: like a captive portal
 * it has its own address for every name, so whoever believes it comes back to the decoy.  What a
 * forged source would have been sent, above all for ANY, is told as such; what may not be sent
 * in full goes out truncated, as long as the question, and real clients ask again over TCP.
 *
 * Codes, flags and what is done with malformed messages are those of dnsmasq 2.90 and BIND
 * 9.18, measured for each.
 */
#include "base/options.h"
#include "passive/services/dns/question.h"
#include "passive/service.h"

#define MESSAGE_MAX 4096
#define EDNS_MAX 1232 /* what both servers offer and use */
/* What ANY has brought for the names that attacks ask for, where the size allowed it. */
#define ANY_ANSWER 3200

enum { NO_ERROR = 0, FORM_ERROR = 1, NOT_IMPLEMENTED = 4, REFUSED = 5, NOT_AUTH = 9 };
enum { OPCODE_NOTIFY = 4 << 11, OPCODE_UPDATE = 5 << 11 };

static const char *const softwares[] = {"dnsmasq", "bind", NULL};
enum software { DNSMASQ, BIND };
static const char *const recursions[] = {"open", "refused", NULL};
enum recursion { RECURSION_OPEN, RECURSION_REFUSED };

struct dns_device {
	int software, recursion;
	const char *version, *hostname;
};

static void question_report(struct session *s, const struct dns_question *q)
{
	char room[16], method[32];
	snprintf(method, sizeof method, "%s%s", q->class == DNS_CHAOS ? "CH " : "",
	         dns_type_name(q->type, room));
	struct event *e = session_report(s, EVENT_REQUEST_SEEN);
	event_set_bytes(e, FIELD_METHOD, bytes_of_text(method));
	event_set_bytes(e, FIELD_TARGET, *q->name ? bytes_of_text(q->name) : BYTES("."));
}

struct answer {
	struct writer w;
	uint16_t flags, answers;
};

/* An answer record about the name of the question; its data follows. */
static void record(struct answer *a, uint16_t type, uint16_t class, uint32_t ttl, uint16_t len)
{
	write_u16(&a->w, 0xc000 | DNS_HEADER);
	write_u16(&a->w, type);
	write_u16(&a->w, class);
	write_u32(&a->w, ttl);
	write_u16(&a->w, len);
	a->answers++;
}

static void record_text(struct answer *a, uint16_t class, uint32_t ttl, const char *text)
{
	size_t n = strlen(text) < 255 ? strlen(text) : 255;
	record(a, DNS_TXT, class, ttl, (uint16_t)(n + 1));
	write_u8(&a->w, (uint8_t)n);
	write_bytes(&a->w, text, n);
}

/* A label in front of the name that was asked. */
static void record_below(struct answer *a, uint16_t type, const char *label)
{
	uint16_t n = (uint16_t)strlen(label);
	record(a, type, DNS_IN, 3600, (uint16_t)(n + 3 + (type == DNS_MX ? 2 : 0)));
	if (type == DNS_MX)
		write_u16(&a->w, 10);
	write_u8(&a->w, (uint8_t)n);
	write_bytes(&a->w, label, n);
	write_u16(&a->w, 0xc000 | DNS_HEADER);
}

static void record_address(struct answer *a, struct session *s, uint16_t type)
{
	const struct address *local = session_local(s);
	bool v4 = address_is_v4(local);
	if (v4 != (type == DNS_A))
		return;
	record(a, type, DNS_IN, 300, v4 ? 4 : 16);
	write_bytes(&a->w, v4 ? local->b + 12 : local->b, v4 ? 4 : 16);
}

/* What every cache holds, and what the oldest amplification asks for: the root's servers. */
static void records_root(struct answer *a)
{
	uint16_t suffix = 0;
	for (char c = 'a'; c <= 'm'; c++) {
		write_u8(&a->w, 0);
		write_u16(&a->w, DNS_NS);
		write_u16(&a->w, DNS_IN);
		write_u32(&a->w, 518400);
		write_u16(&a->w, suffix ? 4 : 20);
		write_u8(&a->w, 1);
		write_u8(&a->w, (uint8_t)c);
		if (suffix) {
			write_u16(&a->w, 0xc000 | suffix);
		} else {
			suffix = (uint16_t)writer_used(&a->w);
			write_bytes(&a->w, "\14root-servers\3net", 18);
		}
		a->answers++;
	}
}

static void answer_resolved(struct session *s, const struct dns_question *q, struct answer *a)
{
	bool any = q->type == DNS_ANY;
	if (!*q->name) {
		if (any || q->type == DNS_NS)
			records_root(a);
		return;
	}
	if (any || q->type == DNS_A)
		record_address(a, s, DNS_A);
	if (any || q->type == DNS_AAAA)
		record_address(a, s, DNS_AAAA);
	if (any || q->type == DNS_NS) {
		record_below(a, DNS_NS, "ns1");
		record_below(a, DNS_NS, "ns2");
	}
	if (any || q->type == DNS_MX)
		record_below(a, DNS_MX, "mail");
	if (any || q->type == DNS_TXT)
		record_text(a, DNS_IN, 3600, "v=spf1 a mx ~all");
}

static uint8_t answer_chaos(struct session *s, const struct dns_device *d, const struct dns_question *q,
                            struct answer *a)
{
	struct bytes name = bytes_of_text(q->name);
	char text[256];
	const char *template = NULL;
	if (q->type != DNS_TXT && q->type != DNS_ANY)
		return REFUSED;
	if (bytes_equal_nocase(name, "version.bind"))
		template = d->version;
	else if (d->software == BIND && bytes_equal_nocase(name, "hostname.bind"))
		template = d->hostname;
	else if (d->software == DNSMASQ && bytes_equal_nocase(name, "authors.bind"))
		template = "Simon Kelley";
	if (template) {
		session_expand(s, template, text, sizeof text);
		record_text(a, DNS_CHAOS, 0, text);
		a->flags |= DNS_FLAG_AUTHORITATIVE;
		return NO_ERROR;
	}
	struct bytes last = name;
	for (size_t dot; (dot = bytes_find(last, ".")) < last.len;)
		last = (struct bytes){last.at + dot + 1, last.len - dot - 1};
	bool known = bytes_equal_nocase(last, "bind") || bytes_equal_nocase(last, "server");
	return d->software == DNSMASQ && known ? NOT_IMPLEMENTED : REFUSED;
}

static uint8_t answer_fill(struct session *s, const struct dns_device *d, const struct dns_question *q,
                           struct answer *a)
{
	uint16_t opcode = q->flags & DNS_OPCODE;
	bool bind = d->software == BIND;
	if (bind && (opcode == OPCODE_NOTIFY || opcode == OPCODE_UPDATE))
		return NOT_AUTH;
	if (opcode)
		return bind ? NOT_IMPLEMENTED : REFUSED;
	if (q->questions == 0 || q->malformed)
		return bind ? FORM_ERROR : REFUSED;
	if (q->class == DNS_CHAOS)
		return answer_chaos(s, d, q, a);
	if (q->type == DNS_AXFR)
		return bind ? NOT_AUTH : REFUSED;
	if (q->class != DNS_IN || d->recursion == RECURSION_REFUSED ||
	    !(q->flags & DNS_FLAG_RECURSION_ASKED))
		return REFUSED;
	answer_resolved(s, q, a);
	return NO_ERROR;
}

static void answer_finish(struct answer *a, const struct dns_question *q, uint8_t code)
{
	if (q->edns) { /* RFC 6891 6.1.2 */
		write_u8(&a->w, 0);
		write_u16(&a->w, DNS_OPT);
		write_u16(&a->w, EDNS_MAX);
		write_u32(&a->w, 0);
		write_u16(&a->w, 0);
	}
	struct writer head = writer_of(a->w.start, DNS_HEADER);
	write_u16(&head, q->id);
	write_u16(&head, (uint16_t)(a->flags | code));
	write_u16(&head, q->wire.len ? 1 : 0);
	write_u16(&head, a->answers);
	write_u16(&head, 0);
	write_u16(&head, q->edns);
}

static void answer_begin(struct answer *a, const struct dns_device *d, const struct dns_question *q)
{
	bool recursive = d->software == DNSMASQ || d->recursion == RECURSION_OPEN;
	a->w.at = a->w.start;
	a->answers = 0;
	a->flags = (uint16_t)(DNS_FLAG_ANSWER | (q->flags & (DNS_OPCODE | DNS_FLAG_RECURSION_ASKED)) |
	                      (recursive ? DNS_FLAG_RECURSION : 0));
	write_zero(&a->w, DNS_HEADER);
	write_span(&a->w, q->wire);
}

/* One message and its answer; over UDP no longer than the asker takes and the room allows. */
static void message(struct session *s, struct bytes asked, bool udp)
{
	const struct dns_device *d = session_device(s);
	uint8_t room[MESSAGE_MAX];
	struct answer a = {.w = writer_of(room, sizeof room)};
	struct dns_question q;
	if (!dns_question_read(asked, &q))
		return;
	if (q.malformed && d->software == DNSMASQ)
		return;
	if (q.wire.len)
		question_report(s, &q);
	answer_begin(&a, d, &q);
	uint8_t code = answer_fill(s, d, &q, &a);
	answer_finish(&a, &q, code);
	size_t whole = writer_used(&a.w), max = q.size < EDNS_MAX ? q.size : EDNS_MAX;
	if (udp) {
		if (q.type == DNS_ANY && code == NO_ERROR && *q.name)
			session_would_say(s, q.size < ANY_ANSWER ? q.size : ANY_ANSWER);
		else
			session_would_say(s, whole);
		max = session_answer_max(s) < max ? session_answer_max(s) : max;
		if (whole > max) {
			answer_begin(&a, d, &q);
			a.flags |= DNS_FLAG_TRUNCATED;
			answer_finish(&a, &q, code);
		}
	} else {
		uint8_t length[2];
		struct writer w = writer_of(length, sizeof length);
		write_u16(&w, (uint16_t)whole);
		session_say_bytes(s, writer_bytes(&w));
	}
	session_say_bytes(s, writer_bytes(&a.w));
}

static enum service_next dns_input(struct session *s, void *state, struct reader *in)
{
	(void)state;
	if (session_transport(s) == TRANSPORT_UDP) {
		message(s, read_rest(in), true);
		return SERVICE_CONTINUE;
	}
	while (reader_left(in) >= 2) { /* RFC 1035 4.2.2 */
		struct reader r = *in;
		struct bytes asked = read_bytes(&r, read_u16(&r));
		if (!reader_ok(&r))
			return SERVICE_CONTINUE;
		*in = r;
		message(s, asked, false);
	}
	return SERVICE_CONTINUE;
}

#define VERSION_BIND "\7version\4bind\0\0\x10\0\3"
#define EXAMPLE "\7example\3com\0"
#define SEEN(method, target)                                                                       \
	"{\"kind\":\"request.seen\",\"request.method\":\"" method "\",\"request.target\":\"" target "\"}"

static bool dns_claims_datagram(struct bytes first)
{
	struct reader r = reader_of_bytes(first);
	read_u16(&r);
	uint16_t flags = read_u16(&r), questions = read_u16(&r), others = read_u16(&r) | read_u16(&r);
	return reader_ok(&r) && !(flags & 0xf840) && questions == 1 && others == 0 && first.len >= 17 && first.at[12] < 64;
}

static const struct exchange dns_exchanges[] = {
        {"the version, over TCP", BYTES("\0\x1e\x12\x34\1\0\0\1\0\0\0\0\0\0" VERSION_BIND),
         BYTES("\0\x37\x12\x34\x85\x80\0\1\0\1\0\0\0\0" VERSION_BIND
               "\xc0\x0c\0\x10\0\3\0\0\0\0\0\x0d\x0c" "dnsmasq-2.80"),
         SEEN("CH TXT", "version.bind")},
        {"two questions in one piece", BYTES("\0\x1d\0\1\1\0\0\1\0\0\0\0\0\0" EXAMPLE "\0\1\0\1"
               "\0\x1d\0\2\1\0\0\1\0\0\0\0\0\0" EXAMPLE "\0\x1c\0\1"),
         BYTES("\0\x2d\0\1\x81\x80\0\1\0\1\0\0\0\0" EXAMPLE "\0\1\0\1\xc0\x0c\0\1\0\1\0\0\1\x2c\0\4\xc0\0\2\x17"
               "\0\x1d\0\2\x81\x80\0\1\0\0\0\0\0\0" EXAMPLE "\0\x1c\0\1"),
         SEEN("A", "example.com") "\n" SEEN("AAAA", "example.com")},
        {0},
};

static const struct exchange dns_exchanges_udp[] = {
        {"the version, as nmap asks", BYTES("\0\x06\1\0\0\1\0\0\0\0\0\0" VERSION_BIND),
         BYTES("\0\x06\x85\x80\0\1\0\1\0\0\0\0" VERSION_BIND "\xc0\x0c\0\x10\0\3\0\0\0\0\0\x0d\x0c" "dnsmasq-2.80"),
         SEEN("CH TXT", "version.bind")},
        {"a status request is refused", BYTES("\0\0\x10\0\0\0\0\0\0\0\0\0"),
         BYTES("\0\0\x90\x85\0\0\0\0\0\0\0\0"), ""},
        {"a transfer is refused", BYTES("\0\1\1\0\0\1\0\0\0\0\0\0" EXAMPLE "\0\xfc\0\1"),
         BYTES("\0\1\x81\x85\0\1\0\0\0\0\0\0" EXAMPLE "\0\xfc\0\1"), SEEN("AXFR", "example.com")},
        {"an answer is not answered", BYTES("\0\1\x81\x80\0\1\0\0\0\0\0\0" EXAMPLE "\0\1\0\1"), BYTES(""), ""},
        {"a name that points to itself", BYTES("\0\1\1\0\0\1\0\0\0\0\0\0\xc0\x0c\0\1\0\1"), BYTES(""), ""},
        {"EDNS is answered with EDNS", BYTES("\0\1\1\0\0\1\0\0\0\0\0\1" EXAMPLE "\0\1\0\1\0\0\x29\x10\0\0\0\0\0\0\0"),
         BYTES("\0\1\x81\x80\0\1\0\1\0\0\0\1" EXAMPLE "\0\1\0\1\xc0\x0c\0\1\0\1\0\0\1\x2c\0\4\xc0\0\2\x17"
               "\0\0\x29\4\xd0\0\0\0\0\0\0"),
         SEEN("A", "example.com")},
        {0},
};

static const struct option dns_device_options[] = {
        {.name = "software", .type = OPTION_CHOICE, .offset = offsetof(struct dns_device, software),
         .choices = softwares, .fallback = "dnsmasq",
         .summary = "whose codes and flags its answers have: dnsmasq or bind"},
        {.name = "recursion", .type = OPTION_CHOICE, .offset = offsetof(struct dns_device, recursion),
         .choices = recursions, .fallback = "open",
         .summary = "open: every name has the decoy's address; refused"},
        {.name = "version", .type = OPTION_TEXT, .offset = offsetof(struct dns_device, version),
         .fallback = "dnsmasq-2.80", .summary = "what version.bind says, such as 9.18.24-1-Debian"},
        {.name = "hostname", .type = OPTION_TEXT, .offset = offsetof(struct dns_device, hostname),
         .fallback = "%{hostname}", .summary = "what hostname.bind says"},
        {0},
};

static const struct service dns = {
        .name = "dns",
        .summary = "name server of a router or a provider, open or not",
        .reference = "RFC 1035, 6891; dnsmasq 2.80 to 2.90, BIND 9.18",
        .transports = TRANSPORT_UDP | TRANSPORT_TCP,
        .ports = {53},
        .state_size = 1,
        .input_max = MESSAGE_MAX + 2,
        .output_max = 64 * 1024,
        .arena_max = 4096,
        .idle_ms_max = 10 * 1000,
        .session_ms_max = 300 * 1000,
        .device = dns_device_options,
        .device_size = sizeof(struct dns_device),
        .claims_datagram = dns_claims_datagram,
        .input = dns_input,
        .exchanges = dns_exchanges,
        .exchanges_udp = dns_exchanges_udp,
};
SERVICE(dns);
