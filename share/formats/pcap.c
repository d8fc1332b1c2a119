/*
 * Attack traffic as pcap or pcapng, as data sets of the workshop MWS (CCC DATAset, D3M, PRACTICE) and partners' sensors
 * give it: a record for each source, protocol and port that it asked, as the telescope counts them.
 *
 * The capture itself is not kept.  What an attacker said first is, as the private sample of a flow.
 */
#include "share/reading/flows_inner.h"
#include "share/format.h"
#include "passive/telescope/capture.h"
#include <fcntl.h>

FIELD(field_back, "pcap.answered", NUMBER, 0, "packets that went back to it");

#define CONFIDENCE_SEEN 90
#define HOP_GUESSES {32, 64, 128, 255}
#define KEY_BYTES 64
#define DESTINATIONS_NAMED 1

enum { PROTO_ICMP = 1, PROTO_TCP = 6, PROTO_UDP = 17, PROTO_ICMP6 = 58 };

static const char *name_of(uint8_t proto)
{
	return proto == PROTO_TCP ? "tcp" : proto == PROTO_UDP ? "udp" : proto == PROTO_ICMP || proto == PROTO_ICMP6 ? "icmp" : NULL;
}

static uint64_t hops_of(uint8_t ttl)
{
	static const uint8_t initial[] = HOP_GUESSES;
	size_t i = 0;
	while (initial[i] < ttl)
		i++;
	return initial[i] - ttl;
}

static void take(struct intake *in, const struct flow *f, const char *why)
{
	char address[ADDRESS_TEXT_MAX], p0f[SHAPE_TEXT_MAX], ja4t[SHAPE_TEXT_MAX];
	uint8_t key[KEY_BYTES];
	struct writer w = writer_of(key, sizeof key);
	const uint64_t met = flow_destinations(f);
	struct record r = {.type = "address", .kind = "flow.counted", .confidence = CONFIDENCE_SEEN, .has_address = true,
			   .address = f->src, .time_us = f->last_us};
	r.value = bytes_of_text(address_format(&f->src, address));
	write_fmt(&w, "%u:%u:%d:%llu", f->proto, f->port, f->answer, (unsigned long long)f->first_us);
	r.version = writer_bytes(&w);
	record_text(&r, FIELD_PROTO, name_of(f->proto));
	if (f->answer || f->proto == PROTO_ICMP || f->proto == PROTO_ICMP6)
		record_number(&r, FIELD_SPORT, f->port);
	else
		r.port = f->port;
	record_number(&r, FIELD_FLOW_FIRST, f->first_us);
	record_number(&r, FIELD_FLOW_PACKETS, f->packets);
	record_number(&r, FIELD_FLOW_BYTES, f->bytes);
	record_number(&r, FIELD_FLOW_DESTINATIONS, met);
	if (met == DESTINATIONS_NAMED)
		record_address(&r, FIELD_DST, &f->dst);
	if (f->proto == PROTO_TCP)
		record_number(&r, FIELD_FLOW_FLAGS, f->flags);
	record_number(&r, FIELD_FLOW_ANSWER, f->answer);
	record_number(&r, FIELD_FLOW_TTL_MIN, f->ttl_least);
	record_number(&r, FIELD_FLOW_TTL_MAX, f->ttl_most);
	record_number(&r, FIELD_FLOW_HOPS, hops_of(f->ttl_most));
	if (f->shape.version) {
		record_text(&r, FIELD_FLOW_P0F, shape_p0f(&f->shape, f->shape_ttl, p0f));
		record_text(&r, FIELD_FLOW_JA4T, shape_ja4t(&f->shape, ja4t));
	}
	record_bytes(&r, FIELD_FLOW_PAYLOAD, (struct bytes){f->payload, f->payload_len});
	record_text(&r, FIELD_FLOW_END, why);
	if (f->packets_back) {
		record_number(&r, field_back, f->packets_back);
		record_number(&r, FIELD_BYTES_OUT, f->bytes_back);
	}
	intake_record(in, &r);
}

static void take_all(struct intake *in, struct flows *flows, const char *why)
{
	for (size_t i = 0; i < flows_count(flows); i++)
		take(in, flows_at(flows, i), why);
	flows_clear(flows);
}

static void count_frames(struct intake *in, struct flows *flows, const struct watched *all, const struct capture_frame *frames,
			 size_t n, struct packet_counts *counts)
{
	struct packet_batch batch = {0};
	for (size_t i = 0; i < n; i++)
		packet_take(&batch, counts, all, frames[i].link, frames[i].frame, frames[i].wire_length, frames[i].time_us);
	for (unsigned i = 0; i < batch.count; i++) {
		if (batch.column[COLUMN_FRAGMENT][i])
			continue; /* it has no ports; the first one was counted */
		if (flows_take(flows, &batch, i))
			continue;
		take_all(in, flows, "full");
		if (!flows_take(flows, &batch, i))
			intake_bad(in, "no memory for what is in it");
	}
}

static void read_frames(struct intake *in, struct capture *capture, struct flows *flows, const struct watched *all)
{
	struct capture_frame frames[PACKET_BATCH];
	struct packet_counts counts = {0};
	struct fault fault = {0};
	int n;
	while ((n = capture_read(capture, frames, PACKET_BATCH, &fault)) > 0)
		count_frames(in, flows, all, frames, (size_t)n, &counts);
	take_all(in, flows, "end");
	if (n < 0)
		intake_bad(in, "%s", fault.text);
	else if (capture_status(capture).torn)
		intake_bad(in, "it ends within a frame; what came before was read");
	if (counts.malformed)
		intake_bad(in, "%llu frames hold no whole IP header", (unsigned long long)counts.malformed);
}

static void file(struct intake *in, int fd)
{
	struct capture *capture = NULL;
	struct flows *flows = NULL;
	struct watched *all = NULL;
	struct fault fault = {0};
	int own = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	int bad = own < 0 ? fault_set(&fault, ERR_SYSTEM, "it cannot be read") : capture_open_fd(&capture, own, "the capture", &fault);
	if (!bad && (flows_open(&flows) || watched_open(&all, NULL, 0)))
		bad = fault_set(&fault, ERR_MEMORY, "no memory to read a capture");
	if (bad)
		intake_bad(in, "%s", fault.text);
	else
		read_frames(in, capture, flows, all);
	watched_close(all);
	flows_close(flows);
	capture_close(capture);
}

/* Made by hand: an attack on port 445 of two addresses with its answer, SIP, a SYN-ACK that nobody asked for, a ping. */
#define CAPTURE \
	"\324\303\262\241\002\000\004\000\000\000\000\000\000\000\000\000\377\377\000\000\145\000\000\000\225\177" \
	"\155\125\000\000\000\000\054\000\000\000\054\000\000\000\105\000\000\054\000\001\100\000\157\006\015\164" \
	"\313\000\161\011\300\000\002\115\022\147\001\275\000\000\003\350\000\000\000\000\140\002\040\000\000\000" \
	"\000\000\002\004\005\264\225\177\155\125\001\000\000\000\050\000\000\000\050\000\000\000\105\000\000\050" \
	"\000\001\100\000\100\006\074\170\300\000\002\115\313\000\161\011\001\275\022\147\000\000\003\350\000\000" \
	"\000\000\120\022\040\000\000\000\000\000\225\177\155\125\002\000\000\000\054\000\000\000\054\000\000\000" \
	"\105\000\000\054\000\001\100\000\156\006\016\163\313\000\161\011\300\000\002\116\022\150\001\275\000\000" \
	"\003\350\000\000\000\000\140\002\040\000\000\000\000\000\002\004\005\264\225\177\155\125\003\000\000\000" \
	"\052\000\000\000\052\000\000\000\105\000\000\052\000\001\100\000\157\006\015\166\313\000\161\011\300\000" \
	"\002\115\022\147\001\275\000\000\003\350\000\000\000\000\120\030\040\000\000\000\000\000\150\151\225\177" \
	"\155\125\004\000\000\000\043\000\000\000\043\000\000\000\105\000\000\043\000\001\100\000\062\021\134\103" \
	"\306\063\144\005\300\000\002\115\023\317\023\304\000\017\000\000\117\120\124\111\117\116\123\225\177\155" \
	"\125\005\000\000\000\050\000\000\000\050\000\000\000\105\000\000\050\000\001\100\000\062\006\133\376\306" \
	"\063\144\120\300\000\002\115\000\120\004\001\000\000\003\350\000\000\000\000\120\022\040\000\000\000\000" \
	"\000\225\177\155\125\006\000\000\000\034\000\000\000\034\000\000\000\105\000\000\034\000\001\100\000\062" \
	"\001\134\131\306\063\144\006\300\000\002\115\010\000\000\000\000\001\000\001\225\177\155\125\007\000\000" \
	"\000\034\000\000\000\034\000\000\000\105\000\000\034\000\001\100\000\100\001\116\131\300\000\002\115\306" \
	"\063\144\006\000\000\000\000\000\001\000\001"

static const struct format_specimen specimens[] = {
	{"both sides of a honeypot", BYTES(CAPTURE),
	 "address 203.0.113.9\n  kind flow.counted\n  time 2015-06-02T10:04:05.000003Z\n  port 445\n  proto tcp\n"
	 "  flow.first 2015-06-02T10:04:05.000000Z\n  flow.packets 3\n  flow.destinations 2\n  flow.flags 26\n  flow.answer 0\n"
	 "  flow.ttl.min 110\n  flow.ttl.max 111\n  flow.hops 17\n  flow.payload hi\n  pcap.answered 1\n  flow.end end\n"
	 "address 198.51.100.5\n  port 5060\n  proto udp\n  flow.payload OPTIONS\n  dst 192.0.2.77\n"
	 "address 198.51.100.80\n  sport 80\n  proto tcp\n  flow.answer 1\naddress 198.51.100.6\n  sport 8\n  proto icmp\n"
	 "  pcap.answered 1\n"},
	{"one that is cut", BYTES(CAPTURE "\1\2"),
	 "address 203.0.113.9\naddress 198.51.100.5\naddress 198.51.100.80\naddress 198.51.100.6\nbad it ends within a frame\n"},
	{"none", BYTES("hello, world"), "bad the capture: begins with\n"},
	{0},
};

static const struct format pcap_format = {
	.name = "pcap",
	.summary = "attack traffic as pcap or pcapng: who asked which port, how often, with which TTL",
	.reference = "libpcap's pcap and pcapng files; data sets of MWS",
	.shape = FORMAT_FILE,
	.file = file,
	.specimens = specimens,
};
FORMAT(pcap_format);
