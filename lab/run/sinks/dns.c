/*
 * DNS: every name is there, and each has an address of its own.
 *
 * The address tells which name later packets meant.  A and AAAA are asked by programs that connect;
 * AAAA gets an empty answer, so that they take the other.  TXT is answered with an empty text, since
 * some samples look for their configuration there and end without an answer.
 */
#include "lab/run/sink_protocol.h"

#define NAME_TEXT_MAX 256
#define LABELS_MAX 127
#define DNS_ANSWER_TTL 300

enum { TYPE_A = 1, TYPE_NS = 2, TYPE_PTR = 12, TYPE_MX = 15, TYPE_TXT = 16, TYPE_AAAA = 28, TYPE_SRV = 33, TYPE_ANY = 255 };

struct question {
	char name[NAME_TEXT_MAX];
	size_t name_len;
	struct bytes wire; /* name, type and class */
	uint16_t id, flags, type;
};

static const char *type_name(uint16_t type)
{
	switch (type) {
	case TYPE_A:
		return "A";
	case TYPE_NS:
		return "NS";
	case TYPE_PTR:
		return "PTR";
	case TYPE_MX:
		return "MX";
	case TYPE_TXT:
		return "TXT";
	case TYPE_AAAA:
		return "AAAA";
	case TYPE_SRV:
		return "SRV";
	}
	return "other";
}

/* RFC 1035 4.1.2; a question's name cannot be compressed, nothing stands before it. */
static void read_name(struct reader *r, struct question *q)
{
	struct writer out = writer_of(q->name, sizeof q->name - 1);
	for (unsigned labels = 0; labels < LABELS_MAX; labels++) {
		uint8_t n = read_u8(r);
		if (!n || n > 63) {
			r->bad |= n > 63;
			break;
		}
		if (labels)
			write_u8(&out, '.');
		write_span(&out, read_bytes(r, n));
	}
	r->bad |= out.bad;
	q->name_len = writer_used(&out);
	q->name[q->name_len] = '\0';
}

static bool read_question(struct reader *r, struct question *q)
{
	q->id = read_u16(r);
	q->flags = read_u16(r);
	uint16_t count = read_u16(r);
	read_bytes(r, 6);
	const uint8_t *start = r->at;
	read_name(r, q);
	q->type = read_u16(r);
	read_u16(r);
	if (!reader_ok(r) || count != 1 || q->flags & 0x8000)
		return false;
	q->wire = (struct bytes){start, (size_t)(r->at - start)};
	read_rest(r); /* EDNS (RFC 6891): who answers without it is an old server */
	return true;
}

static bool dns_recognises(struct bytes first, bool on_its_port)
{
	if (!on_its_port || first.len < 17)
		return false;
	struct reader r = reader_of_bytes(first);
	uint16_t length = read_u16(&r);
	struct question q;
	if (length == first.len - 2 && read_question(&r, &q))
		return true;
	r = reader_of_bytes(first);
	return read_question(&r, &q);
}

static void write_record(struct writer *w, uint16_t type, struct bytes content)
{
	write_u16(w, 0xc00c); /* the question's name */
	write_u16(w, type);
	write_u16(w, 1);
	write_u32(w, DNS_ANSWER_TTL);
	write_u16(w, (uint16_t)content.len);
	write_span(w, content);
}

/* "7.2.0.192.in-addr.arpa" */
static struct bytes name_of_reverse(struct talk *t, const struct question *q)
{
	unsigned a, b, c, d;
	int end = 0;
	if (sscanf(q->name, "%3u.%3u.%3u.%3u.in-addr.arpa%n", &d, &c, &b, &a, &end) != 4 || !end ||
	    a > 255 || b > 255 || c > 255 || d > 255)
		return (struct bytes){0};
	const struct address address = address_v4(a << 24 | b << 16 | c << 8 | d);
	return talk_name_of(t, &address);
}

static void write_labels(struct writer *w, struct bytes name)
{
	while (name.len && !w->bad) {
		const uint8_t *dot = memchr(name.at, '.', name.len);
		size_t n = dot ? (size_t)(dot - name.at) : name.len;
		if (n > 63 || !n)
			break;
		write_u8(w, (uint8_t)n);
		write_bytes(w, name.at, n);
		name.at += n;
		name.len -= n;
		if (name.len)
			name.at++, name.len--;
	}
	write_u8(w, 0);
}

/* Returns how many records it wrote. */
static unsigned write_answer(struct talk *t, const struct question *q, struct writer *w)
{
	struct bytes name = {(const uint8_t *)q->name, q->name_len};
	uint8_t room[NAME_TEXT_MAX + 8];
	struct writer content = writer_of(room, sizeof room);
	if (q->type == TYPE_A || q->type == TYPE_ANY) {
		struct address a = talk_name(t, name, type_name(q->type));
		if (!address_is_v4(&a))
			return 0;
		write_u32(&content, address_to_v4(&a));
		write_record(w, TYPE_A, writer_bytes(&content));
		return 1;
	}
	if (q->type == TYPE_PTR) {
		struct bytes known = name_of_reverse(t, q);
		write_labels(&content, known.len ? known : BYTES("localdomain"));
		write_record(w, TYPE_PTR, writer_bytes(&content));
		return 1;
	}
	talk_name(t, name, type_name(q->type));
	if (q->type == TYPE_MX)
		write_u16(&content, 10);
	if (q->type == TYPE_MX || q->type == TYPE_NS)
		write_labels(&content, name);
	else if (q->type == TYPE_TXT)
		write_u8(&content, 0);
	else
		return 0;
	write_record(w, q->type, writer_bytes(&content));
	return 1;
}

static void answer(struct talk *t, const struct question *q)
{
	uint8_t room[1024];
	struct writer w = writer_of(room, sizeof room), counts;
	write_u16(&w, q->id);
	write_u16(&w, 0x8080 | (q->flags & 0x7900)); /* response, recursion available */
	write_u16(&w, 1);
	counts = w;
	write_zero(&w, 6);
	write_span(&w, q->wire);
	write_u16(&counts, (uint16_t)write_answer(t, q, &w));
	if (w.bad)
		return;
	if (!talk_is_datagram(t))
		talk_say_bytes(t, (struct bytes){(const uint8_t[]){(uint8_t)(writer_used(&w) >> 8),
								  (uint8_t)writer_used(&w)}, 2});
	talk_say_bytes(t, writer_bytes(&w));
}

static enum talk_next dns_datagram(struct talk *t, void *state, struct reader *r)
{
	(void)state;
	struct question q;
	if (read_question(r, &q))
		answer(t, &q);
	return TALK_END;
}

/* RFC 1035 4.2.2: two bytes of length before each message. */
static enum talk_next dns_stream(struct talk *t, void *state, struct reader *r)
{
	(void)state;
	while (reader_left(r) >= 2) {
		struct reader whole = *r;
		struct bytes message = read_bytes(&whole, read_u16(&whole));
		if (!reader_ok(&whole))
			return TALK_ON;
		*r = whole;
		struct reader inner = reader_of_bytes(message);
		struct question q;
		if (!read_question(&inner, &q))
			return TALK_END;
		answer(t, &q);
	}
	return TALK_ON;
}

#define QUESTION_OF_C2 "\x12\x34\x01\0\0\1\0\0\0\0\0\0\2c2\7example\0\0\1\0\1"

static const struct sink_exchange dns_exchanges[] = {
	{.title = "a name has an address of 198.18.0.0/15",
	 .said = BYTES(QUESTION_OF_C2),
	 .heard = BYTES("\x12\x34\x81\x80\0\1\0\1\0\0\0\0\2c2\7example\0\0\1\0\1"
			"\xc0\x0c\0\1\0\1\0\0\1\x2c\0\4\xc6"),
	 .begins = true},
	{.title = "no address of IPv6, and no fault",
	 .said = BYTES("\x12\x34\x01\0\0\1\0\0\0\0\0\0\2c2\7example\0\0\x1c\0\1"),
	 .heard = BYTES("\x12\x34\x81\x80\0\1\0\0\0\0\0\0\2c2\7example\0\0\x1c\0\1")},
	{.title = "a label longer than there are bytes", .said = BYTES("\x12\x34\x01\0\0\1\0\0\0\0\0\0\x3f" "c2"),
	 .heard = BYTES("")},
	{.title = "a pointer in a question", .said = BYTES("\x12\x34\x01\0\0\1\0\0\0\0\0\0\xc0\x0c\0\1\0\1"), .heard = BYTES("")},
	{0},
};

static const struct sink_exchange dns_stream_exchanges[] = {
	{.title = "the same over TCP",
	 .said = BYTES("\0\x1c" QUESTION_OF_C2),
	 .heard = BYTES("\0\x2c\x12\x34\x81\x80\0\1\0\1\0\0\0\0\2c2\7example\0\0\1\0\1\xc0\x0c"),
	 .begins = true},
	{0},
};

static const struct sink_protocol dns = {
	.name = "dns",
	.summary = "gives every name an address of its own",
	.reference = "RFC 1035",
	.datagrams = true,
	.question = true,
	.ports = {53, 5353, 5300},
	.recognises = dns_recognises,
	.input = dns_datagram,
	.exchanges = dns_exchanges,
};
SINK_PROTOCOL(dns);

static const struct sink_protocol dns_tcp = {
	.name = "dns-tcp",
	.summary = "gives every name an address of its own, over TCP",
	.reference = "RFC 1035 4.2.2, RFC 7766",
	.question = true,
	.whole_messages = true,
	.ports = {53},
	.recognises = dns_recognises,
	.input = dns_stream,
	.exchanges = dns_stream_exchanges,
};
SINK_PROTOCOL(dns_tcp);
