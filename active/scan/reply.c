#include "active/scan/reply_inner.h"
#include <netinet/in.h>

#define IPV4_HEADER_MIN 20
#define TCP_HEADER_MIN 20
#define EXTENSIONS_MAX 8
#define ECHO_COOKIE 8

enum { TCP_SYN = 2, TCP_RST = 4, TCP_ACK = 16 };

/* One IP header; the reader stands behind it and ends where the packet does. */
struct ip {
	struct address from, to;
	uint8_t ttl, protocol;
	uint16_t id;
	bool v4, first, fragment;
};

static bool ip4_read(struct reader *r, uint8_t first, struct ip *ip)
{
	const size_t header = (first & 15u) * 4;
	read_u8(r);
	size_t total = read_u16(r);
	ip->id = read_u16(r);
	const uint16_t fragment = read_u16(r);
	ip->ttl = read_u8(r);
	ip->protocol = read_u8(r);
	read_u16(r);
	ip->from = address_v4(read_u32(r));
	ip->to = address_v4(read_u32(r));
	if (header < IPV4_HEADER_MIN || total < header)
		return false;
	read_bytes(r, header - IPV4_HEADER_MIN);
	ip->v4 = true;
	ip->first = (fragment & 0x1fff) == 0;
	ip->fragment = (fragment & 0x3fff) != 0;
	total -= header;
	if (reader_ok(r) && reader_left(r) > total)
		r->end = r->at + total; /* what is behind it is the link's padding */
	return reader_ok(r);
}

/* RFC 8200 4: headers between the first one and what is meant. */
static bool extensions_read(struct reader *r, struct ip *ip)
{
	for (int i = 0; i < EXTENSIONS_MAX; i++) {
		if (ip->protocol == IPPROTO_FRAGMENT) {
			ip->protocol = read_u8(r);
			read_u8(r);
			const uint16_t offset = read_u16(r);
			read_u32(r);
			ip->first = (offset & 0xfff8) == 0;
			ip->fragment = (offset & 0xfff9) != 0;
			if (!ip->first)
				return reader_ok(r);
		} else if (ip->protocol == IPPROTO_HOPOPTS || ip->protocol == IPPROTO_ROUTING ||
			   ip->protocol == IPPROTO_DSTOPTS) {
			ip->protocol = read_u8(r);
			const size_t words = read_u8(r);
			read_bytes(r, words * 8 + 6);
		} else {
			return reader_ok(r);
		}
	}
	return false;
}

static bool ip6_read(struct reader *r, struct ip *ip)
{
	read_u8(r);
	ip->id = read_u16(r);
	const size_t length = read_u16(r);
	ip->protocol = read_u8(r);
	ip->ttl = read_u8(r);
	const struct bytes from = read_bytes(r, 16), to = read_bytes(r, 16);
	if (!reader_ok(r))
		return false;
	memcpy(ip->from.b, from.at, 16);
	memcpy(ip->to.b, to.at, 16);
	ip->first = true;
	if (reader_left(r) > length)
		r->end = r->at + length;
	return extensions_read(r, ip);
}

static bool ip_read(struct reader *r, struct ip *ip)
{
	const uint8_t first = read_u8(r);
	*ip = (struct ip){0};
	return first >> 4 == 4 ? ip4_read(r, first, ip) : first >> 4 == 6 && ip6_read(r, ip);
}

static bool tcp_read(struct reader *r, struct reply *out)
{
	out->sport = read_u16(r);
	out->dport = read_u16(r);
	out->sequence = read_u32(r);
	out->acknowledgement = read_u32(r);
	const size_t header = (read_u8(r) >> 4) * 4u;
	out->flags = read_u8(r);
	out->window = read_u16(r);
	return reader_ok(r) && header >= TCP_HEADER_MIN;
}

static bool udp_read(struct reader *r, struct reply *out)
{
	out->sport = read_u16(r);
	out->dport = read_u16(r);
	const uint16_t length = read_u16(r);
	read_u16(r);
	if (!reader_ok(r) || length < 8)
		return false;
	out->payload_size = (uint16_t)(length - 8);
	out->payload = read_rest(r);
	if (out->payload.len > out->payload_size)
		out->payload.len = out->payload_size;
	return true;
}

static bool is_error(bool v4, uint8_t type)
{
	if (!v4)
		return type >= 1 && type <= 4; /* RFC 4443 3 */
	return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
}

/* RFC 792: at least 8 bytes behind the quoted header, which hold ports and the sequence. */
static bool quoted_read(struct reader *r, struct quoted *out)
{
	struct ip ip;
	if (!ip_read(r, &ip) || !ip.first)
		return false;
	*out = (struct quoted){.from = ip.from, .to = ip.to, .protocol = ip.protocol, .ip_id = ip.id};
	out->sport = read_u16(r);
	out->dport = read_u16(r);
	out->sequence = read_u32(r);
	return reader_ok(r);
}

static bool icmp_read(struct reader *r, struct reply *out)
{
	out->icmp_type = read_u8(r);
	out->icmp_code = read_u8(r);
	read_u16(r);
	out->icmp_id = read_u16(r);
	out->icmp_sequence = read_u16(r);
	if (!reader_ok(r))
		return false;
	out->quotes = is_error(out->v4, out->icmp_type);
	if (out->quotes)
		return quoted_read(r, &out->quoted);
	out->payload = read_rest(r);
	return true;
}

bool reply_read(struct bytes packet, struct reply *out)
{
	struct reader r = reader_of_bytes(packet);
	struct ip ip;
	if (!ip_read(&r, &ip) || !ip.first)
		return false;
	struct reply reply = {.from = ip.from, .to = ip.to, .ttl = ip.ttl, .protocol = ip.protocol, .ip_id = ip.id,
			      .v4 = ip.v4, .fragment = ip.fragment};
	bool good = false;
	if (ip.protocol == IPPROTO_TCP)
		good = tcp_read(&r, &reply);
	else if (ip.protocol == IPPROTO_UDP)
		good = udp_read(&r, &reply);
	else if (ip.protocol == (ip.v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6))
		good = icmp_read(&r, &reply);
	if (good)
		*out = reply;
	return good;
}

static enum verdict judge_tcp(const struct reply *r, const struct validation *v, struct scan_hit *hit)
{
	const uint64_t cookie = cookie_make(&v->key, SCAN_TCP, &r->from, r->sport);
	const uint32_t sequence = cookie_sequence(cookie);
	const bool rst = r->flags & TCP_RST;
	if (!rst && (r->flags & (TCP_SYN | TCP_ACK)) != (TCP_SYN | TCP_ACK))
		return REPLY_OTHER;
	/* Some firewalls reset with the sequence itself, which is as hard to guess. */
	if (r->dport != cookie_port(cookie, v->ports) ||
	    !(r->acknowledgement == sequence + 1 || (rst && r->acknowledgement == sequence)))
		return REPLY_FORGED;
	hit->answer = rst ? SCAN_ANSWER_RST : SCAN_ANSWER_SYNACK;
	hit->success = !rst;
	return REPLY_OURS;
}

static enum verdict judge_udp(const struct reply *r, const struct validation *v, struct scan_hit *hit)
{
	const uint64_t cookie = cookie_make(&v->key, SCAN_UDP, &r->from, r->sport);
	const struct scan_question *q = v->question ? v->question(v->arg, r->sport) : NULL;
	uint8_t mark[8];
	if (r->dport != cookie_port(cookie, v->ports))
		return REPLY_FORGED;
	scan_question_mark(cookie, mark);
	if (q && q->mark_length && (r->payload.len < (size_t)q->answer_at + q->mark_length ||
				    memcmp(r->payload.at + q->answer_at, mark, q->mark_length)))
		return REPLY_FORGED;
	hit->answer = SCAN_ANSWER_UDP;
	hit->success = true;
	return REPLY_OURS;
}

static enum verdict judge_echo(const struct reply *r, const struct validation *v, struct scan_hit *hit)
{
	const uint64_t cookie = cookie_make(&v->key, SCAN_ICMP, &r->from, 0);
	uint8_t expected[ECHO_COOKIE];
	struct writer w = writer_of(expected, sizeof expected);
	write_u64(&w, cookie);
	if (r->icmp_type != (r->v4 ? 0 : 129))
		return REPLY_OTHER;
	const size_t at = v->uri.len ? v->uri.len + 1 : 0;
	if (((uint32_t)r->icmp_id << 16 | r->icmp_sequence) != cookie_sequence(cookie) ||
	    r->payload.len < at + ECHO_COOKIE || memcmp(r->payload.at + at, expected, ECHO_COOKIE))
		return REPLY_FORGED;
	hit->answer = SCAN_ANSWER_ECHO;
	hit->success = true;
	return REPLY_OURS;
}

static enum scan_answer error_of(bool v4, uint8_t type)
{
	if (!v4)
		return type == 1 ? SCAN_ANSWER_UNREACH : type == 2 ? SCAN_ANSWER_TOOBIG
			       : type == 3 ? SCAN_ANSWER_TIMEXCEEDED : SCAN_ANSWER_PARAMETER;
	return type == 3 ? SCAN_ANSWER_UNREACH : type == 4 ? SCAN_ANSWER_SOURCEQUENCH
			: type == 5 ? SCAN_ANSWER_REDIRECT : type == 11 ? SCAN_ANSWER_TIMEXCEEDED
			: SCAN_ANSWER_PARAMETER;
}

static bool protocol_fits(enum scan_protocol protocol, uint8_t number, bool v4)
{
	switch (protocol) {
	case SCAN_TCP:
		return number == IPPROTO_TCP;
	case SCAN_UDP:
		return number == IPPROTO_UDP;
	default:
		return number == (v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
	}
}

/* An error is believed when it quotes a packet of ours: its addresses, ports and our numbers in it. */
static enum verdict judge_quoted(const struct reply *r, const struct validation *v, struct scan_hit *hit)
{
	const struct quoted *q = &r->quoted;
	const uint16_t port = v->protocol == SCAN_ICMP ? 0 : q->dport;
	if (!protocol_fits(v->protocol, q->protocol, r->v4) || !address_equal(&q->from, &r->to))
		return REPLY_FORGED;
	const uint64_t cookie = cookie_make(&v->key, v->protocol, &q->to, port);
	bool ours = q->ip_id == cookie_ip_id(cookie);
	if (v->protocol != SCAN_ICMP)
		ours &= q->sport == cookie_port(cookie, v->ports);
	if (v->protocol != SCAN_UDP)
		ours &= q->sequence == cookie_sequence(cookie);
	if (!ours)
		return REPLY_FORGED;
	hit->target = q->to;
	hit->port = port;
	hit->our_port = v->protocol == SCAN_ICMP ? 0 : q->sport;
	hit->answer = error_of(r->v4, r->icmp_type);
	return REPLY_OURS;
}

enum verdict reply_judge(const struct reply *r, const struct validation *v, struct scan_hit *hit)
{
	*hit = (struct scan_hit){
		.target = r->from, .responder = r->from, .to = r->to, .port = r->sport, .our_port = r->dport,
		.ttl = r->ttl, .icmp_type = r->icmp_type, .icmp_code = r->icmp_code, .ip_id = r->v4 ? r->ip_id : 0,
		.window = r->window, .icmp_id = r->icmp_id, .icmp_sequence = r->icmp_sequence,
		.sequence = r->sequence, .acknowledgement = r->acknowledgement, .payload = r->payload,
		.payload_size = r->payload_size, .fragment = r->fragment,
	};
	if (r->quotes)
		return judge_quoted(r, v, hit);
	if (!protocol_fits(v->protocol, r->protocol, r->v4))
		return REPLY_OTHER;
	return v->protocol == SCAN_TCP   ? judge_tcp(r, v, hit)
	       : v->protocol == SCAN_UDP ? judge_udp(r, v, hit)
					 : judge_echo(r, v, hit);
}

const char *scan_answer_name(enum scan_answer answer)
{
	static const char *const names[] = {
#define X(answer, name) name,
		SCAN_ANSWERS(X)
#undef X
	};
	return answer < SCAN_ANSWER_COUNT ? names[answer] : "unknown";
}

const char *scan_unreachable_name(bool v4, uint8_t code)
{
	static const char *const four[] = {
		"network", "host", "protocol", "port", "need-frag", "source-route-failed", "network-unknown",
		"host-unknown", "source-isolated", "network-admin", "host-admin", "network-tos", "host-tos",
		"admin-prohib", "precedence-violation", "precedence-cutoff",
	};
	static const char *const six[] = {"network", "admin-prohib", "scope", "host", "port", "source-policy", "reject"};
	if (v4)
		return code < sizeof four / sizeof *four ? four[code] : "unknown";
	return code < sizeof six / sizeof *six ? six[code] : "unknown";
}
