/* What packets amount to, what goes through shared memory, and what a frame is. */
#include "lab/run/sink/egress.h"
#include "lab/run/sink/pack.h"
#include "lab/run/sink/watch.h"
#include "tests/test.h"

static struct packet_seen packet(uint32_t to, uint16_t port, uint8_t transport)
{
	return (struct packet_seen){.from_box = true, .source = address_v4(0xc0a80168), .destination = address_v4(to), .port = port,
				    .source_port = 40000, .transport = transport, .bytes = 60, .syn = transport == SINK_TCP};
}

static void send_many(struct world *w, struct packet_seen p, size_t count, bool spread)
{
	for (size_t i = 0; i < count; i++) {
		if (spread)
			p.destination = address_v4(0x0b070000u + (uint32_t)i);
		w->now_ms = i / 10;
		world_packet(w, &p);
	}
}

TEST(sink_world_tells_scans_from_floods)
{
	struct world w;
	struct run_sink_findings f;
	CHECK(!world_open(&w, WORLD_ADDRESSES_MAX));
	w.box = address_v4(0xc0a80168);
	send_many(&w, packet(0, 23, SINK_TCP), 5000, true);
	send_many(&w, packet(0xcb007132, 7777, SINK_UDP), 2000, false);
	world_conclude(&w, &f);
	CHECK(f.scan_count == 1 && f.scans[0].port == 23 && f.scans[0].addresses == 5000 && !f.scans[0].at_least);
	CHECK(f.flood_count == 1 && !strcmp(f.floods[0].endpoint, "203.0.113.50:7777"));
	CHECK(!strcmp(f.floods[0].what, "udp") && f.floods[0].packets == 2000 && f.floods[0].sources == 0);
	world_done(&w);
}

/* The first few of a scan are flows; the command server that is met after it is one all the same. */
TEST(sink_world_keeps_room_for_flows_during_a_scan)
{
	struct world w;
	struct run_sink_findings f;
	CHECK(!world_open(&w, WORLD_ADDRESSES_MAX));
	w.box = address_v4(0xc0a80168);
	send_many(&w, packet(0, 23, SINK_TCP), 20000, true);
	struct packet_seen spread = packet(0xcb007111, 0, SINK_UDP);
	for (uint32_t i = 0; i < 20000; i++) {
		spread.port = (uint16_t)(1024 + i);
		world_packet(&w, &spread);
	}
	struct address c2 = world_name(&w, BYTES("C2.Example."), "A");
	struct packet_seen p = packet(address_to_v4(&c2), 4444, SINK_TCP);
	world_packet(&w, &p);
	world_conclude(&w, &f);
	CHECK(f.flow_count < 1000);
	CHECK(!strcmp(f.flows[f.flow_count - 1].endpoint, "c2.example:4444") && f.flows[f.flow_count - 1].named);
	bool flooded = false;
	for (size_t i = 0; i < f.flood_count; i++)
		flooded |= !strcmp(f.floods[i].endpoint, "203.0.113.17") && f.floods[i].packets == 20000;
	CHECK(flooded);
	world_done(&w);
}

TEST(sink_world_counts_forged_sources)
{
	struct world w;
	struct run_sink_findings f;
	CHECK(!world_open(&w, WORLD_ADDRESSES_MAX));
	w.box = address_v4(0xc0a80168);
	struct packet_seen p = packet(0xcb007132, 80, SINK_TCP);
	for (uint32_t i = 0; i < 3000; i++) {
		p.source = address_v4(0x0b090000 + i % 700);
		world_packet(&w, &p);
	}
	world_conclude(&w, &f);
	CHECK(f.flood_count == 1 && !strcmp(f.floods[0].what, "syn") && f.floods[0].sources == 700);
	world_done(&w);
}

TEST(sink_world_gives_each_name_an_address_of_its_own)
{
	struct world w;
	CHECK(!world_open(&w, WORLD_ADDRESSES_MAX));
	for (unsigned i = 0; i < SINK_NAMES_MAX; i++) {
		char name[32];
		snprintf(name, sizeof name, "n%u.example", i);
		struct address a = world_name(&w, bytes_of_text(name), "A");
		CHECK(bytes_equal_text(world_name_of(&w, &a), name));
	}
	struct address none = world_name(&w, BYTES("one.too.many"), "A");
	CHECK(address_is_zero(&none) && w.limit_count == 1 && !strcmp(w.limits[0], "sink.names"));
	world_done(&w);
}

static void fill(struct world *w, struct run_sink_findings *f)
{
	w->box = address_v4(0xc0a80168);
	send_many(w, packet(0, 23, SINK_TCP), 100, true);
	world_request(w, "http", "c2.example:80", "url", BYTES("http://c2.example/\x1b[31m\xff"), BYTES("GET / \0x"));
	const struct sink_hello h = {.endpoint = "c2.example:23", .said = BYTES("\0\0\0\1"), .registers = true, .protocol = "mirai"};
	world_hello(w, &h);
	world_limit(w, "sink.time");
	world_conclude(w, f);
}

TEST(sink_findings_pass_through_shared_memory)
{
	static uint8_t room[1 << 20];
	struct world w;
	struct run_sink_findings f, back;
	struct arena arena = ARENA(16u << 20);
	struct writer out = writer_of(room, sizeof room);
	CHECK(!world_open(&w, WORLD_ADDRESSES_MAX));
	fill(&w, &f);
	pack_write(&out, &f);
	CHECK(!out.bad && !pack_read(writer_bytes(&out), &arena, &back));
	CHECK(back.flow_count == 100 && back.scan_count == 1 && back.scans[0].addresses == 100);
	CHECK(back.hello_count == 1 && back.hellos[0].registers && bytes_equal(back.hellos[0].said, BYTES("\0\0\0\1")));
	/* What a terminal would obey, and what is no UTF-8, is neither in a subject. */
	CHECK(!strcmp(back.requests[0].subject, "http://c2.example/?[31m?"));
	CHECK(back.limit_count == 1 && !strcmp(back.limits[0], "sink.time"));
	for (size_t cut = 0; cut < writer_used(&out); cut += 61) {
		struct arena other = ARENA(16u << 20);
		CHECK(pack_read((struct bytes){room, cut}, &other, &back) == ERR_BAD);
		arena_done(&other);
	}
	arena_done(&arena);
	world_done(&w);
}

TEST(sink_watch_reads_frames_of_both_families)
{
	static const uint8_t v4[] = "\x02\0\0\0\0\1\x02\0\0\0\0\2\x08\0" "\x45\0\0\x28\0\0\0\0\x40\6\0\0\xc0\xa8\1\x68\xcb\0\x71\7"
				    "\x9c\x40\0\x17\0\0\0\0\0\0\0\0\x50\2\0\0\0\0\0\0";
	static const uint8_t v6[] = "\x02\0\0\0\0\1\x02\0\0\0\0\2\x86\xdd" "\x60\0\0\0\0\x10\x2c\x40"
				    "\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1" "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\7"
				    "\x11\0\0\0\0\0\0\1" "\x9c\x40\0\x35\0\x08\0\0";
	struct packet_seen p = {0};
	char text[ADDRESS_TEXT_MAX];
	CHECK(watch_parse((struct bytes){v4, sizeof v4 - 1}, sizeof v4 - 1, &p));
	CHECK(p.port == 23 && p.syn && !p.ack && p.transport == SINK_TCP && !strcmp(address_format(&p.destination, text), "203.0.113.7"));
	p = (struct packet_seen){0};
	CHECK(watch_parse((struct bytes){v6, sizeof v6 - 1}, sizeof v6 - 1, &p));
	CHECK(p.port == 53 && p.transport == SINK_UDP && !p.fragment && !strcmp(address_format(&p.destination, text), "2001:db8::7"));
	for (size_t cut = 0; cut < 30; cut++)
		CHECK(!watch_parse((struct bytes){v4, cut}, cut, &p));
}

TEST(egress_refuses_what_is_no_host)
{
	struct fault fault;
	struct egress_plan p = {.target_count = 1, .netns = -1};
	p.targets[0].address = address_v4(0xcb007142);
	p.targets[0].port = 4444;
	CHECK(!egress_check(&p, &fault));
	p.targets[0].port = 0;
	CHECK(egress_check(&p, &fault) == ERR_BAD);
	p.targets[0] = (struct egress_target){.address = address_v4(0xe0000001), .port = 80};
	CHECK(egress_check(&p, &fault) == ERR_BAD && strstr(fault.text, "target 1"));
	p = (struct egress_plan){.target_count = EGRESS_TARGETS_MAX + 1};
	CHECK(egress_check(&p, &fault) == ERR_FULL);
}
