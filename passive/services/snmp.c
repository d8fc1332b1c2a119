/*
 * SNMP agent of a device, as net-snmp answers: versions 1 and 2c by community, 3 up to discovery.
 *
 * A community is a credential: every one that is tried is recorded, and one that is not the
 * device's gets no answer.  Nothing can be set.  An answer that may not go out in full holds
 * fewer objects (RFC 3416 4.2.3) or says tooBig (4.2.1), as an agent behind a narrow path does.
 */
#include "base/options.h"
#include "base/random.h"
#include "passive/persona.h"
#include "passive/services/snmp/mib.h"

#define ANSWER_MAX 1400
#define BINDINGS_MAX 64       /* of one request */
#define REPETITIONS_MAX 128
#define MESSAGE_SIZE_MAX 65507 /* that an agent without a guard would fill */
#define OBJECT_BYTES 30       /* of a tree larger than ours: a name, a counter and what wraps them */
#define HEAD_BYTES 64         /* what wraps the objects, and a little more */

enum { VERSION_1, VERSION_2C, VERSION_3 = 3 };
enum { GET = 0xa0, GET_NEXT, RESPONSE, SET, TRAP, GET_BULK, REPORT = 0xa8 };
enum { TOO_BIG = 1, NO_SUCH_NAME = 2, NOT_WRITABLE = 17, READ_ONLY = 4, NO_ACCESS = 6 };
enum { NO_SUCH_OBJECT = 0x80, NO_SUCH_INSTANCE = 0x81, END_OF_MIB = 0x82 };
enum { FLAG_REPORTABLE = 4 };
enum { NET_SNMP = 8072 }; /* its enterprise */

struct request {
	int64_t version, id, first, second; /* non-repeaters and max-repetitions of a bulk request */
	struct bytes community, bindings;
	uint8_t type;
};

struct answer { /* bindings in the order they are said */
	struct writer w;
	size_t limit, count, missing;
	uint8_t error, error_index;
};

static void report(struct session *s, const struct request *q, const struct oid *first)
{
	static const char *const names[] = {"get", "getnext", "response", "set", "trap", "getbulk"};
	char text[256];
	struct event *e = session_report(s, EVENT_REQUEST_SEEN);
	event_set_bytes(e, FIELD_METHOD, bytes_of_text(q->type <= GET_BULK ? names[q->type - GET] : "other"));
	event_set_bytes(e, FIELD_LOGIN_SECRET, q->community);
	if (!first->count)
		return;
	oid_format(first, text, sizeof text);
	event_set_bytes(e, FIELD_TARGET, bytes_of_text(text));
}

static bool community_known(const struct snmp_device *d, struct bytes tried)
{
	struct bytes known = bytes_of_text(d->communities);
	while (known.len)
		if (bytes_equal(bytes_word(&known), tried) && tried.len)
			return true;
	return false;
}

static bool binding_add(struct answer *a, const struct ber_writer *w)
{
	struct bytes b = ber_bytes(w);
	if (w->bad || writer_used(&a->w) + b.len > a->limit) {
		a->missing++;
		return false;
	}
	write_span(&a->w, b);
	a->count++;
	return true;
}

/* One binding: an object, or a name with an exception (RFC 3416 4.2.1) or NULL. */
static bool binding_say(struct session *s, struct answer *a, size_t object, const struct oid *name, uint8_t exception)
{
	const struct snmp_device *d = session_device(s);
	uint8_t room[1024];
	struct ber_writer w = ber_writer_of(room, sizeof room);
	struct oid own;
	if (object < mib_count(d)) {
		mib_value(s, d, object, &w);
		mib_name(d, object, &own);
		name = &own;
	} else {
		ber_value(&w, exception, (struct bytes){0});
	}
	oid_write(&w, name);
	ber_close(&w, BER_SEQUENCE, 0);
	return binding_add(a, &w);
}

/* The group is known but not that instance of it, as net-snmp tells them apart. */
static uint8_t exception_of(const struct snmp_device *d, const struct oid *o)
{
	struct oid group = *o;
	if (o->count < 2)
		return NO_SUCH_OBJECT;
	group.part[group.count - 1] = 0;
	return mib_find(d, &group) < mib_count(d) ? NO_SUCH_INSTANCE : NO_SUCH_OBJECT;
}

static void one_binding(struct session *s, const struct request *q, struct answer *a, const struct oid *name, size_t nth)
{
	const struct snmp_device *d = session_device(s);
	size_t object = q->type == GET_NEXT ? mib_next(d, name) : mib_find(d, name);
	if (q->type == SET || (object == mib_count(d) && q->version == VERSION_1)) {
		a->error = q->type != SET                    ? NO_SUCH_NAME
		           : q->version == VERSION_1         ? NO_SUCH_NAME
		           : object < mib_count(d)           ? NOT_WRITABLE
		                                             : NO_ACCESS;
		a->error_index = (uint8_t)nth;
		return;
	}
	uint8_t exception = q->type == GET_NEXT ? END_OF_MIB : exception_of(d, name);
	if (!binding_say(s, a, object, name, exception))
		a->error = TOO_BIG;
}

/* The names asked for, in their order; false when they cannot be read. */
static bool names_read(struct bytes bindings, struct oid *names, size_t *count)
{
	struct reader r = reader_of_bytes(bindings);
	for (*count = 0; reader_left(&r); ++*count) {
		struct reader one = reader_of_bytes(ber_read(&r, BER_SEQUENCE));
		if (*count == BINDINGS_MAX || !reader_ok(&r) || !oid_read(ber_read(&one, BER_OID), &names[*count]))
			return false;
	}
	return true;
}

static void bulk(struct session *s, const struct request *q, struct answer *a, struct oid *names, size_t count)
{
	const struct snmp_device *d = session_device(s);
	size_t single = q->first < 0 ? 0 : q->first > (int64_t)count ? count : (size_t)q->first;
	size_t times = q->second < 0 ? 0 : q->second > REPETITIONS_MAX ? REPETITIONS_MAX : (size_t)q->second;
	bool fits = true;
	for (size_t i = 0; i < single; i++)
		fits = fits && binding_say(s, a, mib_next(d, &names[i]), &names[i], END_OF_MIB);
	for (size_t k = 0; k < times; k++)
		for (size_t i = single; i < count && fits; i++) {
			size_t object = mib_next(d, &names[i]);
			fits = binding_say(s, a, object, &names[i], END_OF_MIB);
			if (fits && object < mib_count(d))
				mib_name(d, object, &names[i]);
		}
	size_t wanted = single + times * (count - single);
	a->missing = wanted > a->count ? wanted - a->count : 0;
}

static size_t answer_wrap(const struct request *q, const struct answer *a, struct ber_writer *w)
{
	struct bytes bindings = writer_bytes(&a->w);
	if (a->error) /* the request's own bindings come back; none of them where all were too much */
		bindings = a->error == TOO_BIG && q->version != VERSION_1 ? (struct bytes){0} : q->bindings;
	ber_value(w, BER_SEQUENCE, bindings);
	ber_integer(w, BER_INTEGER, a->error_index);
	ber_integer(w, BER_INTEGER, a->error);
	ber_integer(w, BER_INTEGER, q->id); /* in as few bytes as it needs, however it came */
	ber_close(w, RESPONSE, 0);
	ber_value(w, BER_STRING, q->community);
	ber_integer(w, BER_INTEGER, q->version);
	ber_close(w, BER_SEQUENCE, 0);
	return ber_mark(w);
}

static void request_answer(struct session *s, const struct request *q, struct oid *names, size_t count)
{
	uint8_t bindings[ANSWER_MAX], room[ANSWER_MAX + 64];
	struct answer a = {.w = writer_of(bindings, sizeof bindings), .limit = sizeof bindings - HEAD_BYTES};
	size_t max = session_answer_max(s);
	if (q->type == GET_BULK) { /* in full once, to know how long that would be */
		struct oid again[BINDINGS_MAX];
		memcpy(again, names, count * sizeof *names);
		bulk(s, q, &a, again, count);
		size_t whole = writer_used(&a.w) + HEAD_BYTES + a.missing * OBJECT_BYTES;
		session_would_say(s, whole < MESSAGE_SIZE_MAX ? whole : MESSAGE_SIZE_MAX);
		size_t wrap = HEAD_BYTES + q->community.len;
		if (writer_used(&a.w) + wrap > max) {
			a = (struct answer){.w = writer_of(bindings, sizeof bindings),
			                    .limit = max > wrap ? max - wrap : 0};
			bulk(s, q, &a, names, count);
		}
	} else {
		for (size_t i = 0; i < count && !a.error; i++)
			one_binding(s, q, &a, &names[i], i + 1);
	}
	struct ber_writer w = ber_writer_of(room, sizeof room);
	size_t whole = answer_wrap(q, &a, &w);
	if (q->type != GET_BULK)
		session_would_say(s, whole);
	if (whole > max && q->type != GET_BULK) {
		a = (struct answer){.error = TOO_BIG};
		w = ber_writer_of(room, sizeof room);
		whole = answer_wrap(q, &a, &w);
	}
	if (!w.bad && whole <= max)
		session_say_bytes(s, ber_bytes(&w));
}

static void community_message(struct session *s, struct request *q, struct reader *r)
{
	struct oid names[BINDINGS_MAX];
	size_t count;
	q->community = ber_read(r, BER_STRING);
	struct reader pdu = reader_of_bytes(ber_read_any(r, &q->type));
	q->id = ber_read_integer(&pdu);
	q->first = ber_read_integer(&pdu);
	q->second = ber_read_integer(&pdu);
	q->bindings = ber_read(&pdu, BER_SEQUENCE);
	if (!reader_ok(r) || !reader_ok(&pdu) || q->community.len > 255 ||
	    !names_read(q->bindings, names, &count))
		return;
	if (q->type != GET && q->type != GET_NEXT && q->type != SET &&
	    (q->type != GET_BULK || q->version == VERSION_1))
		return;
	if (count == 0)
		names[0].count = 0;
	report(s, q, &names[0]);
	if (community_known(session_device(s), q->community))
		request_answer(s, q, names, count);
}

/* The maker's number, the sixth part of its object_id behind 1.3.6.1.4.1. */
static uint32_t enterprise(const char *object_id)
{
	unsigned number = 0;
	return sscanf(object_id, "1.3.6.1.4.1.%u", &number) == 1 ? number : NET_SNMP;
}

/*
 * RFC 3411 5.  As net-snmp makes it: its enterprise, text of its own, and when it was made; as
 * others do: the maker's enterprise and the hardware address.
 */
static struct bytes engine_id(struct session *s, uint8_t room[17])
{
	const struct snmp_device *device = session_device(s);
	struct writer w = writer_of(room, 17);
	char mac[18];
	unsigned octets[6] = {0};
	session_expand(s, "%{mac}", mac, sizeof mac);
	if (enterprise(device->object_id) != NET_SNMP &&
	    sscanf(mac, "%x:%x:%x:%x:%x:%x", &octets[0], &octets[1], &octets[2], &octets[3], &octets[4], &octets[5]) == 6) {
		write_u32(&w, 0x80000000u | enterprise(device->object_id));
		write_u8(&w, 3);
		for (unsigned i = 0; i < 6; i++)
			write_u8(&w, (uint8_t)octets[i]);
		return writer_bytes(&w);
	}
	write_bytes(&w, "\x80\0\x1f\x88\x80", 5);
	write_u32(&w, (uint32_t)random_mix(session_device_seed(s)));
	/* The time in host order of a little-endian machine of 64 bits. */
	uint64_t made = 1500000000 + random_mix(session_device_seed(s) + 1) % 100000000;
	for (unsigned i = 0; i < 8; i++)
		write_u8(&w, (uint8_t)(made >> 8 * i));
	return writer_bytes(&w);
}

struct message_3 {
	struct bytes id, engine, user, request_id;
	bool reportable;
};

static bool message_3_read(struct reader *r, struct message_3 *m)
{
	struct reader head = reader_of_bytes(ber_read(r, BER_SEQUENCE));
	m->id = ber_read(&head, BER_INTEGER);
	ber_read_integer(&head);
	struct bytes flags = ber_read(&head, BER_STRING);
	struct reader outer = reader_of_bytes(ber_read(r, BER_STRING));
	struct reader security = reader_of_bytes(ber_read(&outer, BER_SEQUENCE));
	m->engine = ber_read(&security, BER_STRING);
	ber_read_integer(&security);
	ber_read_integer(&security);
	m->user = ber_read(&security, BER_STRING);
	m->reportable = flags.len == 1 && flags.at[0] & FLAG_REPORTABLE;
	bool ok = reader_ok(r) && reader_ok(&head) && reader_ok(&security) && m->user.len <= 32 && m->id.len <= 8;
	struct reader scoped = reader_of_bytes(ber_read(r, BER_SEQUENCE)); /* unless it is encrypted */
	ber_read(&scoped, BER_STRING);
	ber_read(&scoped, BER_STRING);
	uint8_t type;
	struct reader pdu = reader_of_bytes(ber_read_any(&scoped, &type));
	m->request_id = ber_read(&pdu, BER_INTEGER);
	if (!reader_ok(r) || !reader_ok(&scoped) || !reader_ok(&pdu) || m->request_id.len == 0 || m->request_id.len > 8)
		m->request_id = BYTES("\0");
	return ok;
}

/* Version 3: who does not know the engine is told it (RFC 3414 4), and no user is known. */
static void message_3(struct session *s, struct reader *r)
{
	struct message_3 m;
	struct persona_look look;
	const struct persona *p = session_persona(s);
	uint8_t engine_room[17], room[512];
	if (!message_3_read(r, &m))
		return;
	struct event *e = session_report(s, EVENT_REQUEST_SEEN);
	event_set_bytes(e, FIELD_METHOD, m.engine.len ? BYTES("v3") : BYTES("v3 discovery"));
	event_set_bytes(e, FIELD_LOGIN_USER, m.user);
	if (!m.reportable)
		return;
	persona_look(p ? p : &persona_plain, session_device_seed(s), session_local(s), session_time_us(s), &look);
	struct bytes engine = engine_id(s, engine_room), none = {0};
	bool known = bytes_equal(m.engine, engine);
	struct oid counter;
	oid_parse(known ? "1.3.6.1.6.3.15.1.1.3.0" : "1.3.6.1.6.3.15.1.1.4.0", &counter);
	struct ber_writer w = ber_writer_of(room, sizeof room);
	ber_integer(&w, BER_COUNTER, 1 + (int64_t)(look.uptime_s / 86400));
	oid_write(&w, &counter);
	ber_close(&w, BER_SEQUENCE, 0);
	ber_close(&w, BER_SEQUENCE, 0);
	ber_integer(&w, BER_INTEGER, 0);
	ber_integer(&w, BER_INTEGER, 0);
	ber_value(&w, BER_INTEGER, m.request_id);
	ber_close(&w, REPORT, 0);
	ber_value(&w, BER_STRING, none);
	ber_value(&w, BER_STRING, engine);
	ber_close(&w, BER_SEQUENCE, 0);
	size_t mark = ber_mark(&w);
	ber_value(&w, BER_STRING, none);
	ber_value(&w, BER_STRING, none);
	ber_value(&w, BER_STRING, known ? m.user : none);
	ber_integer(&w, BER_INTEGER, look.uptime_s);
	ber_integer(&w, BER_INTEGER, 1 + (int64_t)(session_device_seed(s) % 40));
	ber_value(&w, BER_STRING, engine);
	ber_close(&w, BER_SEQUENCE, mark);
	ber_close(&w, BER_STRING, mark);
	mark = ber_mark(&w);
	ber_integer(&w, BER_INTEGER, 3);
	ber_value(&w, BER_STRING, BYTES("\0"));
	ber_integer(&w, BER_INTEGER, MESSAGE_SIZE_MAX);
	ber_value(&w, BER_INTEGER, m.id);
	ber_close(&w, BER_SEQUENCE, mark);
	ber_integer(&w, BER_INTEGER, VERSION_3);
	ber_close(&w, BER_SEQUENCE, 0);
	session_would_say(s, ber_mark(&w));
	if (!w.bad && ber_mark(&w) <= session_answer_max(s))
		session_say_bytes(s, ber_bytes(&w));
}

static enum service_next snmp_input(struct session *s, void *state, struct reader *in)
{
	(void)state;
	struct reader r = reader_of_bytes(ber_read(in, BER_SEQUENCE));
	struct request q = {.version = ber_read_integer(&r)};
	if (!reader_ok(&r))
		return SERVICE_CONTINUE;
	if (q.version == VERSION_3)
		message_3(s, &r);
	else if (q.version == VERSION_1 || q.version == VERSION_2C)
		community_message(s, &q, &r);
	return SERVICE_CONTINUE;
}

#define PUBLIC_2C "\2\1\1\4\6public"
#define ASKED(method, target) "{\"kind\":\"request.seen\",\"request.method\":\"" method "\",\"request.target\":\"" target "\",\"login.secret\":\"public\"}"

static bool snmp_claims_datagram(struct bytes first)
{
	struct reader whole = reader_of_bytes(first);
	struct reader r = reader_of_bytes(ber_read(&whole, BER_SEQUENCE));
	int64_t version = (int64_t)ber_read_integer(&r);
	return reader_ok(&whole) && reader_ok(&r) && reader_left(&r) > 8 &&
	       (version == VERSION_1 || version == VERSION_2C || version == VERSION_3);
}

static const struct exchange snmp_exchanges[] = {
        {"an object that is not there, version 2c",
         BYTES("\x30\x28" PUBLIC_2C "\xa0\x1b\2\3\1\2\3\2\1\0\2\1\0\x30\x0e\x30\x0c\6\x08\x2b\6\1\2\1\1\x63\0\5\0"),
         BYTES("\x30\x28" PUBLIC_2C "\xa2\x1b\2\3\1\2\3\2\1\0\2\1\0\x30\x0e\x30\x0c\6\x08\x2b\6\1\2\1\1\x63\0\x80\0"),
         ASKED("get", "1.3.6.1.2.1.1.99.0")},
        {"an instance that is not there",
         BYTES("\x30\x28" PUBLIC_2C "\xa0\x1b\2\3\1\2\3\2\1\0\2\1\0\x30\x0e\x30\x0c\6\x08\x2b\6\1\2\1\1\1\1\5\0"),
         BYTES("\x30\x28" PUBLIC_2C "\xa2\x1b\2\3\1\2\3\2\1\0\2\1\0\x30\x0e\x30\x0c\6\x08\x2b\6\1\2\1\1\1\1\x81\0"),
         ASKED("get", "1.3.6.1.2.1.1.1.1")},
        {"the same in version 1",
         BYTES("\x30\x28\2\1\0\4\6public\xa0\x1b\2\3\1\2\3\2\1\0\2\1\0\x30\x0e\x30\x0c\6\x08\x2b\6\1\2\1\1\x63\0\5\0"),
         BYTES("\x30\x28\2\1\0\4\6public\xa2\x1b\2\3\1\2\3\2\1\2\2\1\1\x30\x0e\x30\x0c\6\x08\x2b\6\1\2\1\1\x63\0\5\0"),
         NULL},
        {"the end of the tree",
         BYTES("\x30\x24" PUBLIC_2C "\xa1\x17\2\3\1\2\3\2\1\0\2\1\0\x30\x0a\x30\x08\6\4\x2b\6\1\7\5\0"),
         BYTES("\x30\x24" PUBLIC_2C "\xa2\x17\2\3\1\2\3\2\1\0\2\1\0\x30\x0a\x30\x08\6\4\x2b\6\1\7\x82\0"), NULL},
        {"the object after ifNumber",
         BYTES("\x30\x28" PUBLIC_2C "\xa1\x1b\2\3\1\2\3\2\1\0\2\1\0\x30\x0e\x30\x0c\6\x08\x2b\6\1\2\1\2\1\0\5\0"),
         BYTES("\x30\x2b" PUBLIC_2C "\xa2\x1e\2\3\1\2\3\2\1\0\2\1\0\x30\x11\x30\x0f\6\x0a\x2b\6\1\2\1\2\2\1\1\1\2\1\1"),
         ASKED("getnext", "1.3.6.1.2.1.2.1.0")},
        {"nothing can be set",
         BYTES("\x30\x28" PUBLIC_2C "\xa3\x1b\2\3\1\2\3\2\1\0\2\1\0\x30\x0e\x30\x0c\6\x08\x2b\6\1\2\1\1\6\0\4\0"),
         BYTES("\x30\x28" PUBLIC_2C "\xa2\x1b\2\3\1\2\3\2\1\x11\2\1\1\x30\x0e\x30\x0c\6\x08\x2b\6\1\2\1\1\6\0\4\0"),
         ASKED("set", "1.3.6.1.2.1.1.6.0")},
        {"a community that is not the device's is told and not answered",
         BYTES("\x30\x26\2\1\1\4\4test\xa0\x1b\2\3\1\2\3\2\1\0\2\1\0\x30\x0e\x30\x0c\6\x08\x2b\6\1\2\1\1\1\0\5\0"),
         BYTES(""), "{\"kind\":\"request.seen\",\"login.secret\":\"test\"}"},
        {"a length beyond the datagram", BYTES("\x30\x7f\2\1\1\4\6public"), BYTES(""), ""},
        {0},
};

#define DEVICE(member) offsetof(struct snmp_device, member)

static const struct option snmp_device_options[] = {
        {.name = "communities", .type = OPTION_TEXT, .offset = DEVICE(communities), .fallback = "public private",
         .summary = "that may read, with spaces between"},
        {.name = "description", .type = OPTION_TEXT, .offset = DEVICE(description),
         .fallback = "Linux %{hostname} %{kernel} %{kernel_build} %{machine}", .summary = "sysDescr, a template"},
        {.name = "object_id", .type = OPTION_TEXT, .offset = DEVICE(object_id),
         .fallback = "1.3.6.1.4.1.8072.3.2.10", .summary = "sysObjectID"},
        {.name = "contact", .type = OPTION_TEXT, .offset = DEVICE(contact), .fallback = "root@localhost",
         .summary = "sysContact"},
        {.name = "name", .type = OPTION_TEXT, .offset = DEVICE(name), .fallback = "%{hostname}",
         .summary = "sysName, a template"},
        {.name = "location", .type = OPTION_TEXT, .offset = DEVICE(location), .fallback = "Unknown",
         .summary = "sysLocation"},
        {.name = "services", .type = OPTION_NUMBER, .offset = DEVICE(services), .fallback = "72", .max = 127,
         .summary = "sysServices: a sum of 2^(layer-1)"},
        {.name = "interfaces", .type = OPTION_NUMBER, .offset = DEVICE(interfaces), .fallback = "3", .min = 1,
         .max = MIB_INTERFACES_MAX, .summary = "how many it has, the loopback one among them"},
        {.name = "interface_name", .type = OPTION_TEXT, .offset = DEVICE(interface_name), .fallback = "eth",
         .summary = "of the others, followed by a number from 0"},
        {0},
};

static const struct service snmp = {
        .name = "snmp",
        .summary = "agent of a device, readable with usual communities",
        .reference = "RFC 1157, 3416, 3414, 1213; net-snmp 5.9",
        .transports = TRANSPORT_UDP,
        .ports = {161},
        .state_size = 1,
        .input_max = 2048,
        .output_max = 2048,
        .arena_max = 4096,
        .idle_ms_max = 30 * 1000,
        .session_ms_max = 300 * 1000,
        .device = snmp_device_options,
        .device_size = sizeof(struct snmp_device),
        .claims_datagram = snmp_claims_datagram,
        .input = snmp_input,
        .exchanges = snmp_exchanges,
};
SERVICE(snmp);
