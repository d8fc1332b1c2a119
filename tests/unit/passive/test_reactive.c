#include "passive/telescope/reactive.h"
#include "base/random.h"
#include "tests/test.h"
#include "tests/unit/passive/frames.h"
#include <stdlib.h>

#define NOW 1500000000000000u
#define INTERFACE 3
#define SECOND 1000000u
#define SYN 2
#define RST 4
#define ACK 16
#define SOURCE "9.1.2.3"
#define DARK "198.51.100.7"

static struct reactive *r;
static struct watched *dark, *own;
static uint8_t sent[REACTIVE_ANSWER_MAX];
static size_t sent_length, sent_count;
static struct reactive_proof proof;
static char said[REACTIVE_PAYLOAD_MAX + 1];
static unsigned proofs;
static bool forged;
static uint8_t tool_of_all;

static int take_frame(void *arg, unsigned interface, struct bytes frame)
{
	(void)arg;
	CHECK(interface == INTERFACE);
	memcpy(sent, frame.at, frame.len);
	sent_length = frame.len;
	sent_count++;
	return 0;
}

static void take_proof(void *arg, const struct reactive_proof *p)
{
	(void)arg;
	proof = *p;
	proofs++;
	CHECK(p->payload.len <= REACTIVE_PAYLOAD_MAX);
	memcpy(said, p->payload.at ? (const void *)p->payload.at : "", p->payload.len);
	said[p->payload.len] = '\0';
}

static bool is_forged(void *arg, const struct address *a)
{
	(void)arg;
	(void)a;
	return forged;
}

static void name_tools(void *arg, const struct packet_batch *b, uint8_t tool[PACKET_BATCH])
{
	(void)arg;
	memset(tool, tool_of_all, b->count);
}

static void begin(struct reactive_options o)
{
	struct prefix prefixes[2], ours[3];
	struct fault fault;
	const struct reactive_hooks hooks = {
		.send = take_frame, .proof = take_proof, .spoofed = is_forged, .tools = name_tools};
	CHECK(prefix_parse(BYTES("198.51.100.0/24"), &prefixes[0]) && prefix_parse(BYTES("2620:1::/64"), &prefixes[1]));
	memcpy(ours, prefixes, sizeof prefixes);
	CHECK(prefix_parse(BYTES("11.9.0.0/16"), &ours[2]));
	CHECK(watched_open(&dark, prefixes, 2) == 0 && watched_open(&own, ours, 3) == 0);
	o.prefixes = dark;
	o.own = own;
	o.cookie_key = siphash_draw();
	o.hold_out_key = (struct siphash_key){1, 2};
	sent_count = proofs = tool_of_all = 0;
	forged = false;
	CHECK(reactive_open(&r, &o, &hooks, &fault) == 0);
}

static void end(void)
{
	const struct reactive_counts *c = reactive_counts(r);
	uint64_t refused = 0;
	for (size_t i = 0; i < REACTIVE_REFUSALS; i++)
		refused += c->refused[i];
	CHECK(c->syns == c->answered + refused);
	CHECK(c->sent_packets == c->answered + c->resets && c->sent_bytes <= c->caused_bytes);
	reactive_close(r);
	watched_close(dark);
	watched_close(own);
}

/* True when something was sent for it. */
static bool meet(const struct segment *s, uint64_t now_us)
{
	static struct packet_batch b;
	static struct packet_counts counts;
	uint8_t frame[FRAME_MAX];
	size_t before = sent_count, length = segment_frame(s, frame);
	b.count = 0;
	packet_take(&b, &counts, own, LINK_ETHERNET, (struct bytes){frame, length}, (uint32_t)length, now_us);
	reactive_take(r, &b, INTERFACE);
	CHECK(sent_count <= before + 1 && (sent_count == before || sent_length <= length));
	return sent_count > before;
}

static struct answered last(void) { return answered_read((struct bytes){sent, sent_length}); }

static struct segment syn(const char *source)
{
	return (struct segment){.source = source, .destination = DARK, .source_port = 4000, .port = 23,
				.sequence = 1000, .flags = SYN, .options = linux_options};
}

/* The acknowledgement of the answer that was sent last. */
static struct segment ack_of(struct segment s, struct bytes payload)
{
	s.acknowledged = last().sequence + 1;
	s.sequence++;
	s.flags = ACK;
	s.options = (struct bytes){0};
	s.payload = payload;
	return s;
}

TEST(reactive_answers_a_syn_with_a_right_one)
{
	begin((struct reactive_options){0});
	struct segment s = syn(SOURCE);
	s.vlan = 77;
	CHECK(meet(&s, NOW));
	struct answered a = last();
	struct address source, destination;
	CHECK(address_parse(BYTES(SOURCE), &source) && address_parse(BYTES(DARK), &destination));
	CHECK(a.right && a.flags == (SYN | ACK) && a.acknowledged == 1001 && a.mss_option && a.ip_length == 44);
	CHECK(address_equal(&a.to, &source) && address_equal(&a.from, &destination));
	CHECK(a.from_port == 23 && a.to_port == 4000 && a.vlan == 77 && a.ttl == 64 && a.window > 1000);
	CHECK(a.mac_to[5] == 0x11 && a.mac_from[5] == 0x22);
	s = (struct segment){.source = "2a00::1", .destination = "2620:1::5", .source_port = 5, .port = 22, .flags = SYN};
	CHECK(meet(&s, NOW));
	a = last();
	CHECK(a.right && a.flags == (SYN | ACK) && a.ip_length == 60 && !a.mss_option && a.acknowledged == 1);
	end();
}

TEST(reactive_answers_nothing_but_syns_to_its_own_addresses)
{
	begin((struct reactive_options){0});
	for (unsigned flags = 0; flags < 256; flags++) {
		struct segment s = syn(SOURCE);
		s.flags = (uint8_t)flags;
		s.source_port = (uint16_t)(1 + flags);
		CHECK_SAY(meet(&s, NOW) == ((flags & 63) == SYN), "flags %u", flags);
	}
	struct segment silent = syn(SOURCE);
	silent.destination = "11.9.1.1"; /* ours, and not reactive */
	CHECK(!meet(&silent, NOW));
	CHECK(reactive_counts(r)->syns == 4);
	end();
}

TEST(reactive_takes_the_first_payload_once_and_closes)
{
	begin((struct reactive_options){0});
	struct segment s = syn(SOURCE);
	CHECK(meet(&s, NOW));
	const struct segment hello = ack_of(s, BYTES("GET / HTTP/1.0\r\n\r\n")), bare = ack_of(s, BYTES(""));
	CHECK(!meet(&bare, NOW + 1) && !proofs); /* nothing to answer yet, and nothing to tell */
	CHECK(!meet(&bare, NOW + 2));
	CHECK(meet(&hello, NOW + 3) && proofs == 1);
	struct answered a = last();
	CHECK(a.right && a.flags == (RST | ACK) && a.ip_length == 40);
	CHECK(a.sequence == hello.acknowledged && a.acknowledged == 1001 + 18);
	CHECK(!strcmp(said, "GET / HTTP/1.0\r\n\r\n") && proof.end == REACTIVE_PAYLOAD);
	CHECK(proof.proved_us == NOW + 1 && proof.time_us == NOW + 3 && proof.port == 23 && !proof.irregular);
	for (uint64_t i = 0; i < 5; i++)
		CHECK(!meet(&hello, NOW + 4 + i));
	CHECK(proofs == 1 && reactive_counts(r)->repeated == 7 && reactive_counts(r)->payloads == 1);
	end();
}

TEST(reactive_refuses_cookies_of_others_and_old_ones)
{
	begin((struct reactive_options){0});
	struct segment s = syn(SOURCE);
	CHECK(meet(&s, NOW));
	const struct segment right = ack_of(s, BYTES("x"));
	struct segment wrong[5] = {right, right, right, right, right};
	wrong[0].source = "9.1.3.3";
	wrong[1].destination = "198.51.100.8";
	wrong[2].source_port++;
	wrong[3].port++;
	wrong[4].acknowledged++;
	for (size_t i = 0; i < 5; i++)
		CHECK(!meet(&wrong[i], NOW));
	CHECK(!proofs && reactive_counts(r)->wrong == 5);
	CHECK(meet(&right, NOW + REACTIVE_SLOT_US) && proofs == 1);
	s.source_port++;
	CHECK(meet(&s, NOW + REACTIVE_SLOT_US));
	const struct segment late = ack_of(s, BYTES("x"));
	CHECK(!meet(&late, NOW + 3 * REACTIVE_SLOT_US));
	CHECK(proofs == 1 && reactive_counts(r)->wrong == 6);
	end();
}

TEST(reactive_hears_few_guesses_of_a_network)
{
	begin((struct reactive_options){0});
	struct segment s = syn(SOURCE);
	CHECK(meet(&s, NOW));
	const struct segment right = ack_of(s, BYTES("x"));
	struct segment wrong = right;
	for (uint32_t i = 0; i < 1000; i++) {
		wrong.acknowledged = right.acknowledged + 1 + i;
		CHECK(!meet(&wrong, NOW));
	}
	CHECK(reactive_counts(r)->wrong == 16 && reactive_counts(r)->unheard == 984);
	CHECK(!meet(&right, NOW) && !proofs); /* who guessed is not believed, either */
	CHECK(meet(&right, NOW + 20 * SECOND) && proofs == 1);
	end();
}

TEST(reactive_tells_silent_and_closing_peers)
{
	begin((struct reactive_options){.patience_us = 5 * SECOND});
	struct segment s = syn(SOURCE);
	CHECK(meet(&s, NOW));
	struct segment bare = ack_of(s, BYTES(""));
	CHECK(!meet(&bare, NOW + SECOND));
	reactive_clock(r, NOW + 5 * SECOND);
	CHECK(!proofs && sent_count == 1);
	reactive_clock(r, NOW + 6 * SECOND);
	CHECK(proofs == 1 && proof.end == REACTIVE_SILENT && sent_count == 2 && last().flags == (RST | ACK));
	CHECK(last().right && last().sequence == bare.acknowledged);
	reactive_clock(r, NOW + 60 * SECOND);
	CHECK(proofs == 1 && sent_count == 2);
	s.source_port = 4001;
	CHECK(meet(&s, NOW + 60 * SECOND));
	bare = ack_of(s, BYTES(""));
	bare.flags = ACK | 1;
	CHECK(meet(&bare, NOW + 61 * SECOND) && proofs == 2 && proof.end == REACTIVE_CLOSED);
	CHECK(last().flags == (RST | ACK) && last().acknowledged == 1002);
	s.source_port = 4002;
	CHECK(meet(&s, NOW + 62 * SECOND));
	bare = ack_of(s, BYTES(""));
	bare.flags = ACK | RST;
	CHECK(!meet(&bare, NOW + 62 * SECOND) && proofs == 3); /* a RST is never answered */
	s.source_port = 4003;
	CHECK(meet(&s, NOW + 63 * SECOND));
	bare = ack_of(s, BYTES(""));
	CHECK(!meet(&bare, NOW + 63 * SECOND));
	size_t before = sent_count;
	reactive_finish(r);
	CHECK(proofs == 4 && sent_count == before);
	end();
}

TEST(reactive_recognises_scanners_of_two_phases)
{
	begin((struct reactive_options){0});
	struct segment irregular = syn(SOURCE), regular = syn(SOURCE);
	irregular.options = (struct bytes){0};
	irregular.ipid = 54321;
	irregular.ttl = 240;
	tool_of_all = 3;
	CHECK(meet(&irregular, NOW));
	tool_of_all = 0;
	regular.source_port = 5000;
	regular.destination = "198.51.100.9";
	CHECK(meet(&regular, NOW + 7 * SECOND));
	struct segment hello = ack_of(regular, BYTES("hello"));
	CHECK(meet(&hello, NOW + 8 * SECOND) && proofs == 1);
	CHECK(proof.two_phase && !proof.irregular && proof.tool == 3 && proof.phase_gap_us == 8 * SECOND);
	CHECK(proof.signs == (SIGN_IPID | SIGN_TTL | SIGN_NO_OPTIONS | SIGN_TOOL));
	regular.port = 80; /* another port: nothing came before */
	CHECK(meet(&regular, NOW + 9 * SECOND));
	hello = ack_of(regular, BYTES("hello"));
	CHECK(meet(&hello, NOW + 9 * SECOND) && proofs == 2 && !proof.two_phase && !proof.signs);
	/* An irregular SYN whose own handshake is completed, as masscan's banners are: one phase. */
	irregular.source_port = 6000;
	CHECK(meet(&irregular, NOW + 10 * SECOND));
	hello = ack_of(irregular, BYTES("hello"));
	CHECK(meet(&hello, NOW + 10 * SECOND) && proofs == 3 && proof.irregular && !proof.two_phase && proof.signs);
	regular.port = 23; /* too late */
	uint64_t late = NOW + REACTIVE_TWO_PHASE_US + 12 * SECOND;
	CHECK(meet(&regular, late));
	hello = ack_of(regular, BYTES("hello"));
	CHECK(meet(&hello, late) && proofs == 4 && !proof.two_phase);
	CHECK(reactive_counts(r)->two_phase == 1);
	end();
}

TEST(reactive_refuses_sources_that_cannot_be)
{
	static const struct {
		const char *source;
		enum reactive_refusal why;
	} cases[] = {{"0.0.0.0", REACTIVE_NO_HOST}, {"224.0.0.1", REACTIVE_NO_HOST},
		     {"255.255.255.255", REACTIVE_NO_HOST}, {"250.1.1.1", REACTIVE_NO_HOST},
		     {DARK, REACTIVE_OURS}, {"11.9.8.7", REACTIVE_OURS}, {"127.0.0.1", REACTIVE_SPECIAL},
		     {"10.1.1.1", REACTIVE_SPECIAL}, {"192.0.2.1", REACTIVE_SPECIAL}};
	begin((struct reactive_options){0});
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct segment s = syn(cases[i].source);
		CHECK_SAY(!meet(&s, NOW) && reactive_counts(r)->refused[cases[i].why] > 0, "%s", cases[i].source);
	}
	struct segment s = syn(SOURCE);
	s.source_port = 0;
	CHECK(!meet(&s, NOW));
	struct prefix_set out = {0};
	struct prefix network;
	CHECK(prefix_parse(BYTES("9.1.0.0/16"), &network) && prefix_set_add(&out, &network) == 0);
	prefix_set_seal(&out);
	reactive_opt_outs(r, &out);
	s = syn(SOURCE);
	CHECK(!meet(&s, NOW) && reactive_counts(r)->refused[REACTIVE_OPTED_OUT] == 1);
	reactive_opt_outs(r, NULL);
	CHECK(meet(&s, NOW));
	end();
	prefix_set_done(&out);
	begin((struct reactive_options){.special = true});
	s = syn("127.0.0.1");
	CHECK(meet(&s, NOW));
	s = syn("224.0.0.1");
	CHECK(!meet(&s, NOW));
	end();
}

TEST(reactive_answers_a_forged_source_once)
{
	begin((struct reactive_options){0});
	struct segment s = syn(SOURCE);
	forged = true;
	CHECK(meet(&s, NOW));
	CHECK(!meet(&s, NOW + 1) && !meet(&s, NOW + 100 * SECOND));
	CHECK(reactive_counts(r)->refused[REACTIVE_SPOOFED] == 2);
	forged = false;
	CHECK(meet(&s, NOW + 101 * SECOND)); /* the flood is over */
	forged = true;
	CHECK(!meet(&s, NOW + 102 * SECOND));
	struct segment hello = ack_of(s, BYTES("x"));
	CHECK(meet(&hello, NOW + 103 * SECOND) && proofs == 1);
	s.source_port++;
	CHECK(meet(&s, NOW + 104 * SECOND)); /* it has proved that it is there */
	CHECK(!meet(&s, NOW + 105 * SECOND));
	end();
}

TEST(reactive_bounds_what_a_network_and_all_get)
{
	begin((struct reactive_options){.network_rate = 10, .network_burst = 20, .rate = 100, .burst = 100});
	char text[ADDRESS_TEXT_MAX];
	unsigned answered = 0;
	for (unsigned i = 0; i < 2000; i++) { /* ten seconds, one /24 */
		snprintf(text, sizeof text, "9.1.2.%u", i % 256);
		struct segment s = syn(text);
		answered += meet(&s, NOW + i * 5000u);
	}
	CHECK_SAY(answered >= 115 && answered <= 120, "%u", answered);
	for (unsigned i = answered = 0; i < 2000; i++) { /* one second, many of them */
		snprintf(text, sizeof text, "9.%u.%u.1", 2 + i / 250, i % 250);
		struct segment s = syn(text);
		answered += meet(&s, NOW + 60 * SECOND + i * 500u);
	}
	CHECK_SAY(answered >= 190 && answered <= 200, "%u", answered);
	CHECK(reactive_counts(r)->refused[REACTIVE_NETWORK] && reactive_counts(r)->refused[REACTIVE_RATE]);
	end();
}

TEST(reactive_holds_out_a_share_that_stays)
{
	begin((struct reactive_options){.hold_out = 0.25});
	unsigned held = 0;
	struct address a;
	for (uint32_t i = 0; i < 4096; i++) {
		a = address_v4(0xc6336400 + i);
		held += reactive_held_out(r, &a);
	}
	CHECK_SAY(held > 900 && held < 1150, "%u", held);
	struct segment s = syn(SOURCE);
	char text[ADDRESS_TEXT_MAX];
	for (uint32_t i = 0; i < 256; i++) {
		a = address_v4(0xc6336400 + i);
		s.destination = address_format(&a, text);
		CHECK(meet(&s, NOW + i * SECOND) == !reactive_held_out(r, &a));
	}
	end();
	begin((struct reactive_options){.hold_out = 1});
	CHECK(!meet(&s, NOW));
	end();
}

/* Random SYNs, many of them lying about their length: never more bytes out than in. */
TEST(reactive_never_amplifies)
{
	begin((struct reactive_options){.special = true, .network_rate = 1000000, .network_burst = 1000000,
					.rate = 1000000, .burst = 1000000});
	struct random random = random_seeded(7);
	struct watched *all;
	struct packet_batch b;
	CHECK(watched_open(&all, NULL, 0) == 0);
	struct packet_counts counts = {0};
	for (unsigned i = 0; i < 100000; i++) {
		uint8_t frame[FRAME_MAX];
		struct segment s = syn(SOURCE);
		uint64_t dice = random_next(&random);
		if (dice & 1) {
			s.source = "2a00::1";
			s.destination = "2620:1::5";
		}
		s.options = dice & 2 ? mss_option : dice & 4 ? linux_options : (struct bytes){0};
		s.vlan = dice & 8 ? 5 : 0;
		s.source_port = (uint16_t)(dice >> 48 | 1);
		size_t length = segment_frame(&s, frame), ip = 14 + (s.vlan ? 4u : 0);
		if (dice & 16) /* a length that lies, up or down */
			frame[ip + ((dice & 1) ? 5 : 3)] = (uint8_t)(dice >> 32);
		if (dice & 32)
			length -= (dice >> 40) % 30;
		if (dice & 64)
			frame[random_below(&random, length)] ^= (uint8_t)(dice >> 24);
		size_t before = sent_count;
		b.count = 0;
		packet_take(&b, &counts, all, LINK_ETHERNET, (struct bytes){frame, length}, (uint32_t)length, NOW + i);
		reactive_take(r, &b, INTERFACE);
		CHECK(sent_count <= before + 1);
		CHECK_SAY(sent_count == before || sent_length <= length, "%zu for %zu", sent_length, length);
		CHECK(sent_count == before || last().right);
	}
	CHECK_SAY(sent_count > 40000, "%zu", sent_count);
	watched_close(all);
	end();
}

TEST(reactive_remembers_a_bounded_number_of_handshakes)
{
	begin((struct reactive_options){.special = true, .network_rate = 1000000, .network_burst = 1000000,
					.rate = 1000000, .burst = 1000000});
	for (unsigned i = 0; i < 3 * REACTIVE_HANDSHAKES_MAX; i++) {
		struct segment s = syn(SOURCE);
		s.source_port = (uint16_t)(1 + i);
		CHECK(meet(&s, NOW + i));
		struct segment bare = ack_of(s, BYTES(""));
		CHECK(!meet(&bare, NOW + i));
	}
	CHECK(proofs >= 2 * REACTIVE_HANDSHAKES_MAX && proof.end == REACTIVE_NO_ROOM);
	reactive_finish(r);
	CHECK(proofs == 3 * REACTIVE_HANDSHAKES_MAX); /* each told once */
	end();
}

TEST(reactive_without_prefixes_answers_nobody)
{
	const struct reactive_options none = {.special = true};
	const struct reactive_hooks hooks = {.send = take_frame, .proof = take_proof};
	struct fault fault;
	begin(none);
	reactive_close(r);
	CHECK(reactive_open(&r, &none, &hooks, &fault) == 0);
	struct segment s = syn(SOURCE);
	CHECK(!meet(&s, NOW));
	end();
}

TEST(reactive_event_is_what_control_takes_as_a_basis)
{
	static struct event e;
	struct reactive_proof p = {.source = address_v4(0x09010203), .destination = address_v4(0xc6336407),
				   .source_port = 4000, .port = 23, .proved_us = NOW, .time_us = NOW + 5,
				   .two_phase = true, .signs = SIGN_IPID | SIGN_TTL, .end = REACTIVE_PAYLOAD,
				   .payload = BYTES("\1\2")};
	CHECK(event_start(NULL) == 0);
	reactive_event(&p, "zmap", "http.get", &e);
	CHECK(e.kind == EVENT_SCAN_SEEN && e.time_us == NOW + 5);
	CHECK(bytes_equal_text(event_bytes(&e, FIELD_STATE), "answered"));
	CHECK(bytes_equal_text(event_bytes(&e, FIELD_TOOL), "zmap"));
	CHECK(bytes_equal_text(event_bytes(&e, FIELD_FLOW_ASKS), "http.get"));
	CHECK(bytes_equal(event_bytes(&e, FIELD_FLOW_PAYLOAD), BYTES("\1\2")));
	CHECK(event_number(&e, FIELD_DPORT, 0) == 23 && event_number(&e, FIELD_DURATION, 0) == 5);
	CHECK(bytes_equal_text(event_bytes(&e, (uint16_t)field_find(BYTES("reactive.signs"))), "ipid ttl"));
	CHECK(event_number(&e, (uint16_t)field_find(BYTES("reactive.phases")), 0) == 2);
}
