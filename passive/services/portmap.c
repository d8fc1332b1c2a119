/*
 * The port mapper of a Unix machine, as rpcbind answers over UDP and TCP.
 *
 * Versions 2 to 4 are told of the programs that the persona names.  Calls on behalf of others
 * (CALLIT), which would be a way to hit third parties, are never made: they stay unanswered,
 * as they do where the called program is silent.
 */
#include "base/options.h"
#include "passive/service.h"

#define CALL_MAX 4096
#define ANSWER_MAX 4096
#define PROGRAMS_MAX 64
#define LAST_FRAGMENT 0x80000000u /* RFC 5531 11 */
#define PORTMAPPER 100000

enum { CALL = 0, REPLY = 1, ACCEPTED = 0, DENIED = 1, RPC_VERSION = 2 };
enum { SUCCESS, PROGRAM_UNAVAILABLE, PROGRAM_MISMATCH, PROCEDURE_UNAVAILABLE, GARBAGE };
enum { PROC_NULL, PROC_SET, PROC_UNSET, PROC_GET, PROC_DUMP, PROC_CALLIT, PROC_TIME };
enum { PROTOCOL_TCP = 6, PROTOCOL_UDP = 17 };

struct portmap_device {
	const char *programs;
};

struct program {
	uint32_t number, version, protocol, port;
};

struct call {
	uint32_t id, rpc_version, program, version, procedure;
};

static size_t programs_read(const char *text, struct program out[PROGRAMS_MAX])
{
	/* The mapper itself first, as it registers before all others. */
	size_t n = 0;
	for (uint32_t udp = 0; udp < 2; udp++)
		for (uint32_t version = 4; version >= 2; version--)
			out[n++] = (struct program){PORTMAPPER, version, udp ? PROTOCOL_UDP : PROTOCOL_TCP, 111};
	struct bytes left = bytes_of_text(text);
	while (left.len && n < PROGRAMS_MAX) {
		struct bytes word = bytes_word(&left);
		char entry[48], protocol[4];
		struct program *p = &out[n];
		if (!bytes_copy_text(word, entry, sizeof entry) ||
		    sscanf(entry, "%u:%u:%3[a-z]:%u", &p->number, &p->version, protocol, &p->port) != 4)
			continue;
		p->protocol = strcmp(protocol, "udp") ? PROTOCOL_TCP : PROTOCOL_UDP;
		n++;
	}
	return n;
}

static void write_string(struct writer *w, const char *text)
{
	size_t n = strlen(text);
	write_u32(w, (uint32_t)n);
	write_bytes(w, text, n);
	write_zero(w, -n & 3);
}

static struct bytes read_string(struct reader *r)
{
	uint32_t n = read_u32(r);
	struct bytes text = read_bytes(r, n);
	read_bytes(r, -n & 3);
	return text;
}

static void dump(struct writer *w, const struct program *programs, size_t count, bool mapped)
{
	char address[24];
	for (size_t i = 0; i < count; i++) {
		const struct program *p = &programs[i];
		write_u32(w, 1);
		write_u32(w, p->number);
		write_u32(w, p->version);
		if (mapped) {
			write_u32(w, p->protocol);
			write_u32(w, p->port);
			continue;
		}
		snprintf(address, sizeof address, "0.0.0.0.%u.%u", p->port >> 8 & 255, p->port & 255);
		write_string(w, p->protocol == PROTOCOL_TCP ? "tcp" : "udp");
		write_string(w, address);
		write_string(w, "superuser");
	}
	write_u32(w, 0);
}

/* The port of a program; the version need not be there, as in rpcbind. */
static const struct program *find(const struct program *programs, size_t count, uint32_t number, uint32_t version,
                                  uint32_t protocol)
{
	const struct program *close = NULL;
	for (size_t i = 0; i < count; i++) {
		if (programs[i].number != number || programs[i].protocol != protocol)
			continue;
		if (programs[i].version == version)
			return &programs[i];
		close = close ? close : &programs[i];
	}
	return close;
}

static void get_address(struct session *s, struct writer *w, struct reader *r, const struct program *programs,
                        size_t count)
{
	char address[ADDRESS_TEXT_MAX], text[ADDRESS_TEXT_MAX + 8] = "";
	uint32_t number = read_u32(r), version = read_u32(r);
	bool udp = bytes_start_with(read_string(r), "udp");
	const struct program *p = find(programs, count, number, version, udp ? PROTOCOL_UDP : PROTOCOL_TCP);
	if (p)
		snprintf(text, sizeof text, "%s.%u.%u", address_format(session_local(s), address), p->port >> 8 & 255,
		         p->port & 255);
	write_string(w, text);
}

static bool arguments_answer(struct session *s, const struct call *c, struct reader *r, struct writer *w)
{
	const struct portmap_device *d = session_device(s);
	struct program programs[PROGRAMS_MAX];
	size_t count = programs_read(d->programs, programs);
	bool mapped = c->version == 2;
	switch (c->procedure) {
	case PROC_NULL:
		return true;
	case PROC_SET:
	case PROC_UNSET: /* only for programs of the machine itself */
		write_u32(w, 0);
		return true;
	case PROC_DUMP:
		dump(w, programs, count, mapped);
		return true;
	case PROC_TIME:
		write_u32(w, (uint32_t)(session_time_us(s) / 1000000));
		return true;
	}
	if (mapped) {
		uint32_t number = read_u32(r), version = read_u32(r), protocol = read_u32(r);
		const struct program *p = find(programs, count, number, version, protocol);
		write_u32(w, p ? p->port : 0);
	} else {
		get_address(s, w, r, programs, count);
	}
	return reader_ok(r);
}

static void call_report(struct session *s, const struct call *c)
{
	static const char *const names[] = {"null", "set", "unset", "getport", "dump", "callit", "gettime"};
	char line[80];
	const char *name = c->procedure <= PROC_TIME ? names[c->procedure] : "procedure";
	if (c->program == PORTMAPPER)
		snprintf(line, sizeof line, "%s v%u", name, c->version);
	else
		snprintf(line, sizeof line, "program %u v%u procedure %u", c->program, c->version, c->procedure);
	event_set_bytes(session_report(s, EVENT_COMMAND_SENT), FIELD_COMMAND_LINE, bytes_of_text(line));
}

/* One call and its reply (RFC 5531 9); false: no reply. */
static bool reply(struct session *s, struct reader *r, struct writer *w)
{
	struct call c = {.id = read_u32(r)};
	uint32_t direction = read_u32(r);
	c.rpc_version = read_u32(r);
	c.program = read_u32(r);
	c.version = read_u32(r);
	c.procedure = read_u32(r);
	for (unsigned i = 0; i < 2; i++) { /* credentials and their verifier */
		read_u32(r);
		read_string(r);
	}
	if (!reader_ok(r) || direction != CALL)
		return false;
	call_report(s, &c);
	write_u32(w, c.id);
	write_u32(w, REPLY);
	if (c.rpc_version != RPC_VERSION) {
		write_u32(w, DENIED);
		write_u32(w, 0);
		write_u32(w, RPC_VERSION);
		write_u32(w, RPC_VERSION);
		return true;
	}
	write_u32(w, ACCEPTED);
	write_u64(w, 0); /* no verifier */
	if (c.program != PORTMAPPER) {
		write_u32(w, PROGRAM_UNAVAILABLE);
	} else if (c.version < 2 || c.version > 4) {
		write_u32(w, PROGRAM_MISMATCH);
		write_u32(w, 2);
		write_u32(w, 4);
	} else if (c.procedure == PROC_CALLIT) {
		return false;
	} else if (c.procedure > (c.version == 2 ? PROC_CALLIT : PROC_TIME)) {
		write_u32(w, PROCEDURE_UNAVAILABLE);
	} else {
		write_u32(w, SUCCESS);
		if (!arguments_answer(s, &c, r, w)) {
			w->at = w->start + 20;
			write_u32(w, GARBAGE);
		}
	}
	return !w->bad;
}

static enum service_next portmap_input(struct session *s, void *state, struct reader *in)
{
	(void)state;
	uint8_t room[ANSWER_MAX];
	if (session_transport(s) == TRANSPORT_UDP) {
		struct writer w = writer_of(room, sizeof room);
		if (!reply(s, in, &w))
			return SERVICE_CONTINUE;
		session_would_say(s, writer_used(&w));
		if (writer_used(&w) <= session_answer_max(s))
			session_say_bytes(s, writer_bytes(&w));
		return SERVICE_CONTINUE;
	}
	while (reader_left(in) >= 4) {
		struct reader r = *in;
		uint32_t mark = read_u32(&r), n = mark & ~LAST_FRAGMENT;
		if (!(mark & LAST_FRAGMENT) || n > CALL_MAX)
			return SERVICE_CLOSE; /* no call to a port mapper is so long */
		struct bytes whole = read_bytes(&r, n);
		if (!reader_ok(&r))
			return SERVICE_CONTINUE;
		*in = r;
		struct reader call = reader_of_bytes(whole);
		struct writer w = writer_of(room, sizeof room);
		write_u32(&w, 0);
		w.start = w.at;
		if (!reply(s, &call, &w))
			continue;
		struct writer head = writer_of(room, 4);
		write_u32(&head, LAST_FRAGMENT | (uint32_t)writer_used(&w));
		session_say_bytes(s, (struct bytes){room, writer_used(&w) + 4});
	}
	return SERVICE_CONTINUE;
}

#define CALLED "\x72\xfe\x1d\x13\0\0\0\0\0\0\0\2"
#define MAPPER "\0\1\x86\xa0"
#define NOBODY "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define ANSWERED "\x72\xfe\x1d\x13\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0"
#define COMMAND(line) "{\"kind\":\"command.sent\",\"command.line\":\"" line "\"}"

static bool portmap_claims_datagram(struct bytes first)
{
	static const uint8_t call[] = {0, 0, 0, 0, 0, 0, 0, 2, 0, 1, 0x86, 0xa0}; /* RPC 2, program 100000 */
	return first.len >= 40 && !memcmp(first.at + 4, call, sizeof call);
}

static const struct exchange portmap_exchanges[] = {
        {"a call over TCP", BYTES("\x80\0\0\x28" CALLED MAPPER "\0\0\0\2\0\0\0\0" NOBODY),
         BYTES("\x80\0\0\x18" ANSWERED "\0\0\0\0"), COMMAND("null v2")},
        {"a fragment longer than any call", BYTES("\x80\1\0\0" CALLED), BYTES(""), ""},
        {0},
};

static const struct exchange portmap_exchanges_udp[] = {
        {"a version that is none, as nmap asks", BYTES(CALLED MAPPER "\0\1\x97\x7c\0\0\0\0" NOBODY),
         BYTES(ANSWERED "\0\0\0\2\0\0\0\2\0\0\0\4"), COMMAND("null v104316")},
        {"a port", BYTES(CALLED MAPPER "\0\0\0\2\0\0\0\3" NOBODY "\0\1\x86\xa3\0\0\0\3\0\0\0\6\0\0\0\0"),
         BYTES(ANSWERED "\0\0\0\0\0\0\x08\1"), COMMAND("getport v2")},
        {"a port of a program that is not there", BYTES(CALLED MAPPER "\0\0\0\2\0\0\0\3" NOBODY "\0\1\x86\xff\0\0\0\3\0\0\0\6\0\0\0\0"),
         BYTES(ANSWERED "\0\0\0\0\0\0\0\0"), NULL},
        {"another program", BYTES(CALLED "\0\1\x86\xa3\0\0\0\2\0\0\0\0" NOBODY), BYTES(ANSWERED "\0\0\0\1"),
         COMMAND("program 100003 v2 procedure 0")},
        {"a call for somebody else is not made", BYTES(CALLED MAPPER "\0\0\0\2\0\0\0\5" NOBODY), BYTES(""), COMMAND("callit v2")},
        {"a procedure that is none", BYTES(CALLED MAPPER "\0\0\0\2\0\0\0\x63" NOBODY), BYTES(ANSWERED "\0\0\0\3"), NULL},
        {"arguments that are cut", BYTES(CALLED MAPPER "\0\0\0\2\0\0\0\3" NOBODY "\0\1"), BYTES(ANSWERED "\0\0\0\4"), NULL},
        {"another version of RPC", BYTES("\x72\xfe\x1d\x13\0\0\0\0\0\0\0\3" MAPPER "\0\0\0\2\0\0\0\0" NOBODY),
         BYTES("\x72\xfe\x1d\x13\0\0\0\1\0\0\0\1\0\0\0\0\0\0\0\2\0\0\0\2"), NULL},
        {0},
};

static const struct option portmap_device_options[] = {
        {.name = "programs", .type = OPTION_TEXT, .offset = offsetof(struct portmap_device, programs),
         .fallback = "100024:1:udp:46121 100024:1:tcp:38467 100005:1:udp:20048 100005:1:tcp:20048 "
                     "100005:2:udp:20048 100005:2:tcp:20048 100005:3:udp:20048 100005:3:tcp:20048 "
                     "100003:3:tcp:2049 100003:4:tcp:2049 100227:3:tcp:2049 100003:3:udp:2049 100227:3:udp:2049 "
                     "100021:1:udp:35209 100021:3:udp:35209 100021:4:udp:35209 100021:1:tcp:41925 "
                     "100021:3:tcp:41925 100021:4:tcp:41925",
         .summary = "besides the mapper: PROGRAM:VERSION:tcp|udp:PORT, with spaces between"},
        {0},
};

static const struct service portmap = {
        .name = "portmap",
        .summary = "port mapper that names the programs of a file server",
        .reference = "RFC 1833, RFC 5531; rpcbind 1.2",
        .transports = TRANSPORT_TCP | TRANSPORT_UDP,
        .ports = {111},
        .state_size = 1,
        .input_max = CALL_MAX + 4,
        .output_max = 64 * 1024,
        .arena_max = 4096,
        .idle_ms_max = 30 * 1000,
        .session_ms_max = 300 * 1000,
        .device = portmap_device_options,
        .device_size = sizeof(struct portmap_device),
        .claims_datagram = portmap_claims_datagram,
        .input = portmap_input,
        .exchanges = portmap_exchanges,
        .exchanges_udp = portmap_exchanges_udp,
};
SERVICE(portmap);
