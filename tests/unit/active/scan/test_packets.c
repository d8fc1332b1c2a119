#include "active/scan/receive_inner.h"
#include "tests/test.h"
#include <netinet/in.h>

static const struct siphash_key key = {1, 2};
static const struct source_ports ports = {61000, 4536};

static struct address address(const char *text)
{
	struct address a;
	CHECK_SAY(address_parse(bytes_of_text(text), &a), "%s", text);
	return a;
}

static uint16_t sum(const uint8_t *at, size_t n, uint32_t s)
{
	for (size_t i = 0; i < n; i++)
		s += i & 1 ? at[i] : (uint32_t)at[i] << 8;
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return (uint16_t)s;
}

/* RFC 1071: with its checksum in it, everything adds up to ones. */
static bool adds_up(const uint8_t *ip, size_t n, uint8_t protocol)
{
	const bool v4 = ip[0] >> 4 == 4;
	const size_t header = v4 ? 20 : 40, addresses = v4 ? 8 : 32;
	uint32_t pseudo = v4 && protocol == IPPROTO_ICMP ? 0
		: (uint32_t)sum(ip + header - addresses, addresses, 0) + protocol + (uint32_t)(n - header);
	return (!v4 || sum(ip, 20, 0) == 0xffff) && sum(ip + header, n - header, pseudo) == 0xffff;
}

struct made {
	uint8_t bytes[FRAME_MAX];
	size_t length;
};

static struct made make(enum scan_protocol protocol, const char *from, const char *to, uint16_t port,
			const struct scan_question *q, const char *uri)
{
	struct template t = {0};
	struct made m = {0};
	const struct address target = address(to);
	CHECK(template_make(&t, &(struct template_wanted){.protocol = protocol, .from = address(from), .question = q,
							  .payload = uri ? bytes_of_text(uri) : q ? q->bytes
								     : (struct bytes){0}}) == 0);
	m.length = template_write(&t, m.bytes, &target, port, cookie_make(&key, protocol, &target, port), ports);
	return m;
}

TEST(scan_packets_add_up)
{
	static const uint16_t asked[] = {53, 123, 161, 1900, 3478, 5683, 11211, 9600, 44818, 47808};
	char to[2][32];
	for (int i = 0; i < 300; i++) {
		snprintf(to[0], sizeof to[0], "203.0.%d.%d", i % 256, i * 7 % 256);
		snprintf(to[1], sizeof to[1], "2001:db8::%x:%x", i * 131, i * 7);
		for (int v6 = 0; v6 < 2; v6++) {
			const char *from = v6 ? "2001:db8::1" : "198.51.100.9";
			const struct scan_question *q = scan_question_of(asked[i % 10]);
			const struct made tcp = make(SCAN_TCP, from, to[v6], (uint16_t)(i + 1), NULL, NULL);
			const struct made udp = make(SCAN_UDP, from, to[v6], q->port, q, NULL);
			const struct made empty = make(SCAN_UDP, from, to[v6], 7, NULL, NULL);
			const struct made echo = make(SCAN_ICMP, from, to[v6], 0, NULL, i & 1 ? "https://a.example/x" : NULL);
			CHECK(adds_up(tcp.bytes, tcp.length, IPPROTO_TCP));
			CHECK_SAY(adds_up(udp.bytes, udp.length, IPPROTO_UDP), "UDP to port %u of %s", q->port, to[v6]);
			CHECK(adds_up(empty.bytes, empty.length, IPPROTO_UDP));
			CHECK(adds_up(echo.bytes, echo.length, v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP));
		}
	}
}

static void put(uint8_t *at, uint32_t v, int bytes)
{
	for (int i = 0; i < bytes; i++)
		at[i] = (uint8_t)(v >> 8 * (bytes - 1 - i));
}

static uint32_t get(const uint8_t *at, int bytes)
{
	uint32_t v = 0;
	for (int i = 0; i < bytes; i++)
		v = v << 8 | at[i];
	return v;
}

/* What the target would say: addresses and ports swapped, the sequence acknowledged. */
static struct made answer(const struct made *m, uint8_t flags)
{
	struct made a = *m;
	const bool v4 = m->bytes[0] >> 4 == 4;
	const size_t ip = v4 ? 20 : 40, at = v4 ? 12 : 8, size = v4 ? 4 : 16;
	memcpy(a.bytes + at, m->bytes + at + size, size);
	memcpy(a.bytes + at + size, m->bytes + at, size);
	memcpy(a.bytes + ip, m->bytes + ip + 2, 2);
	memcpy(a.bytes + ip + 2, m->bytes + ip, 2);
	if (flags) {
		put(a.bytes + ip + 4, 0x01020304, 4);
		put(a.bytes + ip + 8, get(m->bytes + ip + 4, 4) + 1, 4);
		a.bytes[ip + 13] = flags;
	}
	return a;
}

static enum verdict judge(const struct made *m, enum scan_protocol protocol, const char *uri, struct scan_hit *hit)
{
	const struct validation v = {.key = key, .protocol = protocol, .ports = ports,
				     .uri = bytes_of_text(uri ? uri : "")};
	struct reply r;
	CHECK(reply_read((struct bytes){m->bytes, m->length < REPLY_SNAP ? m->length : REPLY_SNAP}, &r));
	return reply_judge(&r, &v, hit);
}

TEST(scan_believes_only_answers_with_its_cookie)
{
	static const char *const pairs[][2] = {{"198.51.100.9", "203.0.113.5"}, {"2001:db8::1", "2001:db8:1::5"}};
	for (int i = 0; i < 2; i++) {
		const struct made syn = make(SCAN_TCP, pairs[i][0], pairs[i][1], 23, NULL, NULL);
		const struct address target = address(pairs[i][1]);
		const size_t ip = i ? 40 : 20;
		struct scan_hit hit;
		struct made a = answer(&syn, 0x12);
		CHECK(judge(&a, SCAN_TCP, NULL, &hit) == REPLY_OURS && hit.success && hit.answer == SCAN_ANSWER_SYNACK);
		CHECK(address_equal(&hit.target, &target) && hit.port == 23 && hit.sequence == 0x01020304);
		a = answer(&syn, 0x14);
		CHECK(judge(&a, SCAN_TCP, NULL, &hit) == REPLY_OURS && !hit.success && hit.answer == SCAN_ANSWER_RST);
		a = answer(&syn, 0x10);
		CHECK(judge(&a, SCAN_TCP, NULL, &hit) == REPLY_OTHER);
		for (size_t at = 0; at < 12; at++) { /* ports, acknowledgement: one bit of any is enough */
			a = answer(&syn, 0x12);
			a.bytes[ip + at] ^= 1;
			CHECK_SAY((at >= 4 && at < 8) == (judge(&a, SCAN_TCP, NULL, &hit) == REPLY_OURS), "byte %zu", at);
		}
		a = answer(&syn, 0x12);
		a.bytes[i ? 23 : 15] ^= 1; /* from the neighbour */
		CHECK(judge(&a, SCAN_TCP, NULL, &hit) == REPLY_FORGED);
	}
}

static const struct scan_question *question_by_port(void *arg, uint16_t port)
{
	(void)arg;
	return scan_question_of(port);
}

TEST(scan_of_udp_wants_the_transaction_back)
{
	const struct scan_question *q = scan_question_of(53);
	const struct made ask = make(SCAN_UDP, "198.51.100.9", "203.0.113.5", 53, q, NULL);
	struct made a = answer(&ask, 0);
	const struct validation v = {.key = key, .protocol = SCAN_UDP, .ports = ports, .question = question_by_port};
	struct reply r;
	struct scan_hit hit;
	CHECK(reply_read((struct bytes){a.bytes, a.length}, &r) && reply_judge(&r, &v, &hit) == REPLY_OURS);
	CHECK(hit.answer == SCAN_ANSWER_UDP && hit.success && hit.payload_size == q->bytes.len);
	a.bytes[28] ^= 1;
	CHECK(reply_read((struct bytes){a.bytes, a.length}, &r) && reply_judge(&r, &v, &hit) == REPLY_FORGED);
	a = answer(&ask, 0);
	a.bytes[22] ^= 1; /* our port */
	CHECK(reply_read((struct bytes){a.bytes, a.length}, &r) && reply_judge(&r, &v, &hit) == REPLY_FORGED);
	CHECK(!reply_read((struct bytes){a.bytes, 27}, &r));
}

/* An error of RFC 792 or 4443 about that packet, from a router. */
static struct made error_about(const struct made *m, uint8_t type, uint8_t code)
{
	const bool v4 = m->bytes[0] >> 4 == 4;
	const size_t ip = v4 ? 20 : 40, quoted = ip + 8;
	struct made e = {0};
	memcpy(e.bytes, m->bytes, ip);
	put(e.bytes + (v4 ? 2 : 4), (uint32_t)(v4 ? 2 * ip + 8 + 8 : ip + 8 + 8), 2);
	e.bytes[v4 ? 9 : 6] = v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	memset(e.bytes + (v4 ? 12 : 8), 0x22, v4 ? 4 : 16);
	memcpy(e.bytes + (v4 ? 16 : 24), m->bytes + (v4 ? 12 : 8), v4 ? 4 : 16);
	e.bytes[ip] = type;
	e.bytes[ip + 1] = code;
	memcpy(e.bytes + quoted, m->bytes, ip + 8);
	e.length = quoted + ip + 8;
	return e;
}

TEST(scan_believes_errors_that_quote_its_packet)
{
	static const char *const pairs[][2] = {{"198.51.100.9", "203.0.113.5"}, {"2001:db8::1", "2001:db8:1::5"}};
	static const enum scan_protocol protocols[] = {SCAN_TCP, SCAN_UDP, SCAN_ICMP};
	for (int i = 0; i < 2; i++)
		for (int k = 0; k < 3; k++) {
			const uint16_t port = protocols[k] == SCAN_ICMP ? 0 : 7;
			const struct made m = make(protocols[k], pairs[i][0], pairs[i][1], port, NULL, NULL);
			const struct address target = address(pairs[i][1]);
			struct made e = error_about(&m, i ? 1 : 3, i ? 4 : 3);
			struct scan_hit hit;
			CHECK(judge(&e, protocols[k], NULL, &hit) == REPLY_OURS && hit.answer == SCAN_ANSWER_UNREACH);
			CHECK(address_equal(&hit.target, &target) && !address_equal(&hit.responder, &target));
			CHECK(hit.port == port && !hit.success);
			CHECK(!strcmp(scan_unreachable_name(i == 0, hit.icmp_code), "port"));
			e.bytes[(i ? 48 : 28) + (i ? 3 : 5)] ^= 2; /* IP id, flow label */
			CHECK(judge(&e, protocols[k], NULL, &hit) == REPLY_FORGED);
			e = error_about(&m, i ? 3 : 11, 0);
			CHECK(judge(&e, protocols[k], NULL, &hit) == REPLY_OURS && hit.answer == SCAN_ANSWER_TIMEXCEEDED);
			struct reply r;
			CHECK(!reply_read((struct bytes){e.bytes, e.length - 1}, &r));
		}
}

TEST(scan_of_icmp_wants_all_of_its_data_back)
{
	for (int uri = 0; uri < 2; uri++) {
		const char *text = uri ? "https://example.org/scan" : NULL;
		const struct made m = make(SCAN_ICMP, "198.51.100.9", "203.0.113.5", 0, NULL, text);
		struct made a = answer(&m, 0);
		memcpy(a.bytes + 20, m.bytes + 20, 4);
		a.bytes[20] = 0;
		struct scan_hit hit;
		CHECK(judge(&a, SCAN_ICMP, text, &hit) == REPLY_OURS && hit.answer == SCAN_ANSWER_ECHO && hit.success);
		a.bytes[a.length - 1] ^= 1;
		CHECK(judge(&a, SCAN_ICMP, text, &hit) == REPLY_FORGED);
		CHECK(judge(&m, SCAN_ICMP, text, &hit) == REPLY_OTHER);
		CHECK(!uri || !memcmp(m.bytes + 28, text, strlen(text) + 1));
	}
}

/* RFC 6864 4: the first part of a fragmented answer holds the ports; later ones hold nothing to go by. */
TEST(scan_reads_first_fragments_only)
{
	const struct made syn = make(SCAN_TCP, "198.51.100.9", "203.0.113.5", 23, NULL, NULL);
	struct made a = answer(&syn, 0x12);
	struct scan_hit hit;
	put(a.bytes + 6, 0x2000, 2);
	CHECK(judge(&a, SCAN_TCP, NULL, &hit) == REPLY_OURS && hit.fragment);
	put(a.bytes + 6, 0x0001, 2);
	struct reply r;
	CHECK(!reply_read((struct bytes){a.bytes, a.length}, &r));
}

/* The kernel's machine, as linux/filter.h describes it. */
static uint32_t run_filter(const struct filter_program *p, const uint8_t *at, size_t n)
{
	uint32_t a = 0, x = 0;
	for (unsigned pc = 0; pc < p->count; pc++) {
		const struct sock_filter *c = &p->code[pc];
		const uint32_t k = c->k + (BPF_MODE(c->code) == BPF_IND && BPF_CLASS(c->code) == BPF_LD ? x : 0);
		const int size = BPF_SIZE(c->code) == BPF_W ? 4 : BPF_SIZE(c->code) == BPF_H ? 2 : 1;
		switch (BPF_CLASS(c->code)) {
		case BPF_LD:
			if (k + (size_t)size > n)
				return 0;
			a = get(at + k, size);
			break;
		case BPF_LDX:
			x = BPF_MODE(c->code) == BPF_MSH ? 4u * (at[c->k] & 15) : c->k;
			break;
		case BPF_ALU:
			a &= c->k;
			break;
		case BPF_JMP: {
			const bool yes = BPF_OP(c->code) == BPF_JEQ ? a == c->k : BPF_OP(c->code) == BPF_JGT ? a > c->k
				: BPF_OP(c->code) == BPF_JGE ? a >= c->k : (a & c->k) != 0;
			pc += yes ? c->jt : c->jf;
			break;
		}
		default:
			return c->k;
		}
	}
	return UINT32_MAX;
}

TEST(scan_filter_lets_through_what_it_waits_for_and_nothing_else)
{
	struct receiver_wanted w = {.protocol = SCAN_TCP, .from_v4 = address("198.51.100.9"),
				    .from_v6 = address("2001:db8::1"), .ports = ports};
	static const char *const pairs[][2] = {{"198.51.100.9", "203.0.113.5"}, {"2001:db8::1", "2001:db8:1::5"}};
	struct filter_program p;
	for (int both = 0; both < 2; both++)
		for (int i = 0; i < 2; i++) {
			struct receiver_wanted one = w;
			if (!both && i)
				one.from_v4 = (struct address){0};
			else if (!both)
				one.from_v6 = (struct address){0};
			filter_make(&p, &one);
			CHECK(p.count < FILTER_MAX);
			const size_t ip = i ? 40 : 20;
			const struct made syn = make(SCAN_TCP, pairs[i][0], pairs[i][1], 23, NULL, NULL);
			struct made a = answer(&syn, 0x12);
			CHECK(run_filter(&p, a.bytes, a.length) == REPLY_SNAP);
			CHECK(run_filter(&p, syn.bytes, syn.length) == 0);
			a.bytes[ip + 13] = 0x10;
			CHECK(run_filter(&p, a.bytes, a.length) == 0);
			a.bytes[ip + 13] = 0x04;
			CHECK(run_filter(&p, a.bytes, a.length) == REPLY_SNAP);
			put(a.bytes + ip + 2, 60999, 2);
			CHECK(run_filter(&p, a.bytes, a.length) == 0);
			put(a.bytes + ip + 2, 61000, 2);
			CHECK(run_filter(&p, a.bytes, a.length) == REPLY_SNAP);
			a.bytes[i ? 39 : 19] ^= 1; /* to another of our addresses */
			CHECK(run_filter(&p, a.bytes, a.length) == 0);
			const struct made e = error_about(&syn, i ? 1 : 3, 0), udp = make(SCAN_UDP, pairs[i][0], pairs[i][1], 7,
											   NULL, NULL);
			CHECK(run_filter(&p, e.bytes, e.length) == REPLY_SNAP);
			a = answer(&udp, 0);
			CHECK(run_filter(&p, a.bytes, a.length) == 0);
			one.protocol = SCAN_UDP;
			filter_make(&p, &one);
			CHECK(run_filter(&p, a.bytes, a.length) == REPLY_SNAP && run_filter(&p, e.bytes, e.length) == REPLY_SNAP);
			one.protocol = SCAN_ICMP;
			filter_make(&p, &one);
			CHECK(run_filter(&p, a.bytes, a.length) == 0 && run_filter(&p, e.bytes, e.length) == REPLY_SNAP);
		}
}

TEST(scan_questions_are_small_and_industrial_ports_have_their_own)
{
	for (uint32_t port = 1; port < 65536; port++) {
		const struct scan_question *q = scan_question_of((uint16_t)port);
		if (!q)
			continue;
		CHECK(q->bytes.len <= 128 && q->mark_at + q->mark_length <= q->bytes.len && q->mark_length <= 8);
		CHECK(q->industrial == scan_port_is_industrial((uint16_t)port));
	}
	CHECK(scan_port_is_industrial(502) && scan_payload_of(502).len == 0);
}
