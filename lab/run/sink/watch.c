#include "lab/run/sink/watch.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define BLOCK_SIZE (1u << 18) /* holds the largest packet that offloading makes */
#define BLOCKS 32
#define TURN_BLOCKS 8
#define DATAGRAM_KEPT 600     /* bytes of a frame of UDP */
#define EXTENSIONS_MAX 8
#define LINKTYPE_ETHERNET 1

enum { HOP_OPTIONS = 0, ROUTING = 43, FRAGMENT = 44, DESTINATION_OPTIONS = 60 }; /* RFC 8200 4 */

static void parse_ports(struct reader *r, struct packet_seen *p)
{
	if (p->transport != SINK_TCP && p->transport != SINK_UDP)
		return;
	struct reader all = *r;
	p->source_port = read_u16(r);
	p->port = read_u16(r);
	size_t header = 8;
	if (p->transport == SINK_TCP) {
		read_bytes(r, 8);
		header = (size_t)(read_u8(r) >> 4) * 4;
		uint8_t flags = read_u8(r);
		p->syn = flags & 2;
		p->ack = flags & 16;
	}
	p->payload = reader_left(&all) > header ? reader_left(&all) - header : 0;
}

static bool parse_v4(struct reader *r, struct packet_seen *p)
{
	uint8_t first = read_u8(r);
	read_u8(r);
	p->bytes = read_u16(r);
	read_u16(r);
	uint16_t offset = read_u16(r) & 0x1fff;
	read_u8(r);
	p->transport = read_u8(r);
	read_u16(r);
	p->source = address_v4(read_u32(r));
	p->destination = address_v4(read_u32(r));
	if (first >> 4 != 4 || (first & 15) < 5)
		return false;
	read_bytes(r, (size_t)(first & 15) * 4 - 20);
	p->fragment = offset != 0;
	return reader_ok(r);
}

static bool parse_v6(struct reader *r, struct packet_seen *p)
{
	read_u32(r);
	p->bytes = 40u + read_u16(r);
	uint8_t next = read_u8(r);
	read_u8(r);
	struct bytes source = read_bytes(r, 16), destination = read_bytes(r, 16);
	if (!reader_ok(r))
		return false;
	memcpy(p->source.b, source.at, 16);
	memcpy(p->destination.b, destination.at, 16);
	for (unsigned i = 0; i < EXTENSIONS_MAX; i++) {
		if (next != HOP_OPTIONS && next != ROUTING && next != FRAGMENT && next != DESTINATION_OPTIONS)
			break;
		uint8_t this = next;
		next = read_u8(r);
		uint8_t length = read_u8(r);
		if (this == FRAGMENT)
			p->fragment |= (read_u16(r) & 0xfff8) != 0;
		read_bytes(r, this == FRAGMENT ? 4 : (size_t)length * 8 + 6);
	}
	p->transport = next;
	return reader_ok(r);
}

bool watch_parse(struct bytes frame, size_t length, struct packet_seen *p)
{
	struct reader r = reader_of_bytes(frame);
	read_bytes(&r, 12);
	uint16_t type = read_u16(&r);
	if (!reader_ok(&r))
		return false;
	if (type == ETH_P_IP ? !parse_v4(&r, p) : type == ETH_P_IPV6 ? !parse_v6(&r, p) : true)
		return false;
	p->bytes = length >= ETH_HLEN ? length - ETH_HLEN : 0; /* offloaded segments say more than 16 bits can */
	if (!p->fragment)
		parse_ports(&r, p);
	return true;
}

static void pcap_begin(struct writer *w)
{
	const uint32_t magic = 0xa1b2c3d4, none = 0, snap = 262144, type = LINKTYPE_ETHERNET;
	const uint16_t version[2] = {2, 4};
	write_bytes(w, &magic, 4);
	write_bytes(w, version, 4);
	write_bytes(w, &none, 4);
	write_bytes(w, &none, 4);
	write_bytes(w, &snap, 4);
	write_bytes(w, &type, 4);
}

static void pcap_frame(struct watch *watch, const struct tpacket3_hdr *h, struct bytes frame)
{
	const uint32_t head[4] = {h->tp_sec, h->tp_nsec / 1000, (uint32_t)frame.len, h->tp_len};
	if (writer_left(&watch->pcap) < sizeof head + frame.len) {
		watch->full = true;
		world_limit(watch->world, "sink.capture");
		return;
	}
	write_bytes(&watch->pcap, head, sizeof head);
	write_span(&watch->pcap, frame);
}

static void watch_frame(struct watch *watch, const struct tpacket3_hdr *h)
{
	struct sockaddr_ll from;
	memcpy(&from, (const uint8_t *)h + TPACKET_ALIGN(sizeof *h), sizeof from);
	struct bytes frame = {(const uint8_t *)h + h->tp_mac, h->tp_snaplen};
	uint64_t at_us = (uint64_t)h->tp_sec * 1000000 + h->tp_nsec / 1000;
	watch->world->now_ms = at_us > watch->began_us ? (at_us - watch->began_us) / 1000 : 0;
	struct packet_seen seen = {.from_box = from.sll_pkttype != PACKET_OUTGOING};
	bool telling = !watch_parse(frame, h->tp_len, &seen) || world_packet(watch->world, &seen);
	if (telling && !watch->full)
		pcap_frame(watch, h, frame);
}

bool watch_turn(struct watch *watch)
{
	for (unsigned i = 0; i < TURN_BLOCKS; i++) {
		struct tpacket_block_desc *block = (void *)(watch->ring + (size_t)watch->block * BLOCK_SIZE);
		if (!(__atomic_load_n(&block->hdr.bh1.block_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER))
			return false;
		const uint8_t *at = (const uint8_t *)block + block->hdr.bh1.offset_to_first_pkt;
		for (uint32_t n = 0; n < block->hdr.bh1.num_pkts; n++) {
			const struct tpacket3_hdr *h = (const void *)at;
			watch_frame(watch, h);
			at += h->tp_next_offset;
		}
		__atomic_store_n(&block->hdr.bh1.block_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
		watch->block = (watch->block + 1) % BLOCKS;
	}
	return true;
}

/* Datagrams are cut: a flood would fill the ring with what nobody reads. */
static int filter_frames(int fd)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IP, 0, 3),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 23),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SINK_UDP, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, DATAGRAM_KEPT),
		BPF_STMT(BPF_RET | BPF_K, 262144),
	};
	const struct sock_fprog program = {sizeof code / sizeof *code, code};
	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

int watch_open(struct watch *out, struct world *world, unsigned link, uint64_t began_us, uint8_t *room, size_t size,
	       struct fault *fault)
{
	struct watch w = {.world = world, .began_us = began_us, .pcap = writer_of(room, size), .ring = MAP_FAILED};
	const int version = TPACKET_V3;
	const struct tpacket_req3 ring = {.tp_block_size = BLOCK_SIZE, .tp_block_nr = BLOCKS, .tp_frame_size = 2048,
					  .tp_frame_nr = BLOCK_SIZE / 2048 * BLOCKS, .tp_retire_blk_tov = WATCH_BLOCK_MS};
	const struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = (int)link};
	/* Protocol 0: it hears nothing until it is bound, so no other link comes into it. */
	w.fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool good = w.fd >= 0 && !filter_frames(w.fd) &&
		    !setsockopt(w.fd, SOL_PACKET, PACKET_VERSION, &version, sizeof version) &&
		    !setsockopt(w.fd, SOL_PACKET, PACKET_RX_RING, &ring, sizeof ring);
	if (good)
		w.ring = mmap(NULL, (size_t)BLOCK_SIZE * BLOCKS, PROT_READ | PROT_WRITE, MAP_SHARED, w.fd, 0);
	if (w.ring == MAP_FAILED || bind(w.fd, (const struct sockaddr *)&at, sizeof at)) {
		int error = errno;
		watch_close(&w);
		return fault_set(fault, ERR_SYSTEM, "sink: no capture of its link: %s", strerror(error));
	}
	pcap_begin(&w.pcap);
	*out = w;
	return 0;
}

void watch_close(struct watch *w)
{
	if (w->ring && w->ring != MAP_FAILED)
		munmap(w->ring, (size_t)BLOCK_SIZE * BLOCKS);
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
	w->ring = NULL;
}

void watch_missed(struct watch *w)
{
	struct tpacket_stats_v3 s = {0};
	socklen_t n = sizeof s;
	if (!getsockopt(w->fd, SOL_PACKET, PACKET_STATISTICS, &s, &n))
		w->world->packets_missed += s.tp_drops;
	if (w->world->packets_missed)
		world_limit(w->world, "sink.packets");
}
