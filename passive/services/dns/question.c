#include "passive/services/dns/question.h"

static bool name_read(struct reader *r, char out[DNS_NAME_MAX + 1])
{
	struct writer w = writer_of(out, DNS_NAME_MAX);
	for (unsigned n; (n = read_u8(r)) != 0;) {
		if (n > 63 || w.bad || !reader_ok(r))
			return false;
		if (writer_used(&w))
			write_u8(&w, '.');
		write_span(&w, read_bytes(r, n));
	}
	*w.at = '\0';
	return reader_ok(r) && !w.bad;
}

/* The OPT record (RFC 6891) among the additional ones, which is all that askers send there. */
static void edns_read(struct reader *r, struct dns_question *q)
{
	if (read_u8(r) != 0 || read_u16(r) != DNS_OPT)
		return;
	uint16_t size = read_u16(r);
	read_bytes(r, 4);
	read_bytes(r, read_u16(r));
	if (!reader_ok(r))
		return;
	q->edns = true;
	q->size = size < DNS_PLAIN_MAX ? DNS_PLAIN_MAX : size;
}

bool dns_question_read(struct bytes message, struct dns_question *q)
{
	struct reader r = reader_of_bytes(message);
	*q = (struct dns_question){.id = read_u16(&r), .size = DNS_PLAIN_MAX};
	q->flags = read_u16(&r);
	q->questions = read_u16(&r);
	read_bytes(&r, 4);
	uint16_t additional = read_u16(&r);
	if (!reader_ok(&r) || q->flags & DNS_FLAG_ANSWER)
		return false;
	const uint8_t *from = r.at;
	if (q->questions == 0)
		return true;
	q->malformed = q->questions > 1 || !name_read(&r, q->name);
	q->type = read_u16(&r);
	q->class = read_u16(&r);
	q->malformed |= !reader_ok(&r);
	if (q->malformed)
		return true;
	q->wire = (struct bytes){from, (size_t)(r.at - from)};
	if (additional)
		edns_read(&r, q);
	return true;
}

const char *dns_type_name(uint16_t type, char room[16])
{
	static const struct { uint16_t type; const char *name; } names[] = {
		{DNS_A, "A"}, {DNS_NS, "NS"}, {DNS_CNAME, "CNAME"}, {DNS_SOA, "SOA"}, {DNS_PTR, "PTR"},
		{DNS_MX, "MX"}, {DNS_TXT, "TXT"}, {DNS_AAAA, "AAAA"}, {DNS_SRV, "SRV"}, {43, "DS"},
		{46, "RRSIG"}, {48, "DNSKEY"}, {65, "HTTPS"}, {DNS_AXFR, "AXFR"}, {DNS_ANY, "ANY"},
	};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (names[i].type == type)
			return names[i].name;
	snprintf(room, 16, "TYPE%u", type); /* RFC 3597 5 */
	return room;
}
