#include "passive/telescope/live/ring.h"
#include "passive/telescope/live/filter.h"
#include "passive/telescope/packet.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <net/ethernet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define VLAN_TAG 4
#define FRAME_ROOM 2048 /* the kernel wants a size that divides a block; frames may be larger */
#ifndef PACKET_FANOUT_FLAG_IGNORE_OUTGOING
#define PACKET_FANOUT_FLAG_IGNORE_OUTGOING 0x4000
#endif

struct ring {
	int fd;
	unsigned interface;
	uint16_t link;
	uint8_t *map;
	size_t bytes;
	unsigned blocks, at; /* at: the block that is read next */
	uint32_t left, offset; /* in the acquired block: frames, and where the next begins */
};

static int set(int fd, int option, const void *value, size_t size)
{
	return setsockopt(fd, SOL_PACKET, option, value, (socklen_t)size);
}

static int attach(int fd, int level, int option, const struct filter *f)
{
	const struct sock_fprog program = {f->count, (struct sock_filter *)(uintptr_t)f->code};
	return setsockopt(fd, level, option, &program, sizeof program);
}

static int share(int fd, const struct ring_wanted *w)
{
	const int with_flag = w->group | (PACKET_FANOUT_CBPF | PACKET_FANOUT_FLAG_IGNORE_OUTGOING) << 16;
	const int without = w->group | PACKET_FANOUT_CBPF << 16; /* Linux before 5.19 */
	struct filter spread;
	if (set(fd, PACKET_FANOUT, &with_flag, sizeof with_flag) &&
	    (errno != EINVAL || set(fd, PACKET_FANOUT, &without, sizeof without)))
		return -1;
	filter_spread(&spread);
	return attach(fd, SOL_PACKET, PACKET_FANOUT_DATA, &spread);
}

static int set_up(int fd, unsigned interface, const struct ring_wanted *w)
{
	const int version = TPACKET_V3, on = 1, reserved = VLAN_TAG;
	const unsigned blocks = (unsigned)(w->bytes / RING_BLOCK_BYTES);
	const struct tpacket_req3 request = {.tp_block_size = RING_BLOCK_BYTES, .tp_block_nr = blocks,
					     .tp_frame_size = FRAME_ROOM,
					     .tp_frame_nr = blocks * (RING_BLOCK_BYTES / FRAME_ROOM),
					     .tp_retire_blk_tov = RING_RETIRE_MS};
	const struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL),
				       .sll_ifindex = (int)interface};
	const struct packet_mreq promiscuous = {.mr_ifindex = (int)interface, .mr_type = PACKET_MR_PROMISC};
	struct filter nothing;
	filter_nothing(&nothing);
	set(fd, PACKET_IGNORE_OUTGOING, &on, sizeof on); /* Linux 4.20; the filter does it, too */
	if (set(fd, PACKET_VERSION, &version, sizeof version) ||
	    set(fd, PACKET_RESERVE, &reserved, sizeof reserved) ||
	    set(fd, PACKET_RX_RING, &request, sizeof request) ||
	    attach(fd, SOL_SOCKET, SO_ATTACH_FILTER, &nothing) ||
	    bind(fd, (const struct sockaddr *)&at, sizeof at) || (w->workers > 1 && share(fd, w)))
		return -1;
	return w->promiscuous ? set(fd, PACKET_ADD_MEMBERSHIP, &promiscuous, sizeof promiscuous) : 0;
}

static int no_such_interface(const char *name, struct fault *fault)
{
	char all[256];
	struct writer w = writer_of(all, sizeof all - 1);
	struct if_nameindex *interfaces = if_nameindex();
	for (struct if_nameindex *i = interfaces; i && i->if_index && writer_left(&w) > IF_NAMESIZE; i++)
		write_fmt(&w, " %s", i->if_name);
	if_freenameindex(interfaces);
	*w.at = '\0';
	return fault_set(fault, ERR_MISSING, "telescope.interface: there is no %s, there are:%s", name, all);
}

int ring_socket(const struct ring_wanted *w, struct fault *fault)
{
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 && (errno == EPERM || errno == EACCES))
		return fault_set(fault, ERR_DENIED, "telescope.interface: %s cannot be captured from: the right "
				 "to (CAP_NET_RAW) is missing; start kansoku as root", w->interface);
	if (fd < 0)
		return fault_set(fault, ERR_SYSTEM, "telescope.interface: %s: %s", w->interface, strerror(errno));
	unsigned interface = if_nametoindex(w->interface);
	if (interface && set_up(fd, interface, w) == 0)
		return fd;
	int why = errno;
	close(fd);
	if (!interface)
		return no_such_interface(w->interface, fault);
	return fault_set(fault, ERR_SYSTEM, "telescope.interface: %s: %s; %s", w->interface, strerror(why),
			 why == ENOMEM   ? "a smaller telescope.ring would be right"
			 : why == EINVAL ? "it must be up when there are several workers"
					 : "doctor may know more");
}

static struct tpacket_hdr_v1 *block_header(const struct ring *r, unsigned block)
{
	return &((struct tpacket_block_desc *)(void *)(r->map + (size_t)block * RING_BLOCK_BYTES))->hdr.bh1;
}

static bool is_ours(const struct ring *r, unsigned block)
{
	return __atomic_load_n(&block_header(r, block)->block_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER;
}

/* The oldest block that nobody read, or else the one that the kernel fills. */
static unsigned first_block(const struct ring *r)
{
	unsigned oldest = r->blocks, newest = 0;
	for (unsigned i = 0; i < r->blocks; i++) {
		uint64_t sequence = block_header(r, i)->seq_num;
		if (is_ours(r, i) && (oldest == r->blocks || sequence < block_header(r, oldest)->seq_num))
			oldest = i;
		if (sequence > block_header(r, newest)->seq_num)
			newest = i;
	}
	return oldest < r->blocks ? oldest : newest;
}

static int link_of(int fd, unsigned *interface, uint16_t *link)
{
	struct sockaddr_ll at = {0};
	socklen_t size = sizeof at;
	if (getsockname(fd, (struct sockaddr *)&at, &size))
		return ERR_SYSTEM;
	*interface = (unsigned)at.sll_ifindex;
	switch (at.sll_hatype) {
	case ARPHRD_ETHER:
	case ARPHRD_LOOPBACK:
		*link = LINK_ETHERNET;
		return 0;
	case ARPHRD_NONE: /* tun, WireGuard */
	case ARPHRD_PPP:
	case ARPHRD_TUNNEL:
	case ARPHRD_TUNNEL6:
	case ARPHRD_SIT:
		*link = LINK_RAW;
		return 0;
	default:
		return ERR_BAD;
	}
}

int ring_open(struct ring **out, int fd, uint64_t bytes, struct fault *fault)
{
	struct ring *r = calloc(1, sizeof *r);
	if (!r)
		return fault_set(fault, ERR_MEMORY, "telescope: no memory for a ring");
	*r = (struct ring){.fd = fd, .blocks = (unsigned)(bytes / RING_BLOCK_BYTES)};
	r->bytes = (size_t)r->blocks * RING_BLOCK_BYTES;
	int bad = link_of(fd, &r->interface, &r->link);
	if (bad) {
		free(r);
		return fault_set(fault, bad, "telescope.interface: frames of that kind of interface are not known; "
				 "Ethernet, loopback or a tun device would be right");
	}
	r->map = mmap(NULL, r->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (r->map == MAP_FAILED) {
		free(r);
		return fault_set(fault, ERR_MEMORY, "telescope.ring: cannot be mapped: %s", strerror(errno));
	}
	r->at = first_block(r);
	*out = r;
	return 0;
}

void ring_close(struct ring *r)
{
	if (!r)
		return;
	munmap(r->map, r->bytes);
	free(r);
}

uint16_t ring_link(const struct ring *r) { return r->link; }
unsigned ring_interface(const struct ring *r) { return r->interface; }

void ring_deafen(struct ring *r)
{
	struct filter nothing;
	filter_nothing(&nothing);
	attach(r->fd, SOL_SOCKET, SO_ATTACH_FILTER, &nothing);
}

int ring_watch(struct ring *r, const struct prefix *prefixes, size_t count, bool others, struct fault *fault)
{
	struct filter watch;
	filter_watch(&watch, prefixes, count, r->link == LINK_ETHERNET ? ETH_HLEN : 0, others);
	if (attach(r->fd, SOL_SOCKET, SO_ATTACH_FILTER, &watch))
		return fault_set(fault, ERR_SYSTEM, "telescope: the kernel did not take the filter: %s",
				 strerror(errno));
	return 0;
}

bool ring_acquire(struct ring *r)
{
	if (!is_ours(r, r->at))
		return false;
	const struct tpacket_hdr_v1 *h = block_header(r, r->at);
	r->left = h->num_pkts;
	r->offset = h->offset_to_first_pkt;
	return true;
}

/*
 * The kernel takes the outer tag (802.1Q, 802.1ad) off a frame and tells it apart.  It goes back to
 * its place, behind the addresses: an answer belongs into the VLAN of what it answers.
 */
static void put_tag_back(struct tpacket3_hdr *h, uint8_t *frame)
{
	const bool known = h->tp_status & TP_STATUS_VLAN_TPID_VALID;
	struct writer w = writer_of(frame - VLAN_TAG + 2 * ETH_ALEN, VLAN_TAG);
	memmove(frame - VLAN_TAG, frame, 2 * ETH_ALEN);
	write_u16(&w, known ? h->hv1.tp_vlan_tpid : ETH_P_8021Q);
	write_u16(&w, (uint16_t)h->hv1.tp_vlan_tci);
	h->tp_status &= ~(uint32_t)TP_STATUS_VLAN_VALID; /* who reads it again finds a whole frame */
	h->tp_mac -= VLAN_TAG;
	h->tp_snaplen += VLAN_TAG;
	h->tp_len += VLAN_TAG;
}

bool ring_next(struct ring *r, struct ring_frame *out)
{
	uint8_t *block = r->map + (size_t)r->at * RING_BLOCK_BYTES;
	if (r->left == 0 || r->offset + sizeof(struct tpacket3_hdr) > RING_BLOCK_BYTES)
		return false;
	struct tpacket3_hdr *h = (void *)(block + r->offset);
	if ((size_t)r->offset + h->tp_mac + h->tp_snaplen > RING_BLOCK_BYTES)
		return false;
	if (h->tp_status & TP_STATUS_VLAN_VALID && r->link == LINK_ETHERNET && h->tp_snaplen >= 2 * ETH_ALEN)
		put_tag_back(h, block + r->offset + h->tp_mac);
	*out = (struct ring_frame){.frame = {block + r->offset + h->tp_mac, h->tp_snaplen},
				   .wire_length = h->tp_len,
				   .time_us = (uint64_t)h->tp_sec * 1000000 + h->tp_nsec / 1000};
	r->offset += h->tp_next_offset;
	r->left = h->tp_next_offset ? r->left - 1 : 0;
	return true;
}

void ring_release(struct ring *r)
{
	__atomic_store_n(&block_header(r, r->at)->block_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
	r->at = (r->at + 1) % r->blocks;
}

uint64_t ring_sequence(const struct ring *r) { return block_header(r, r->at)->seq_num; }
uint32_t ring_packets(const struct ring *r) { return block_header(r, r->at)->num_pkts; }

uint64_t ring_dropped(struct ring *r)
{
	struct tpacket_stats_v3 seen = {0};
	socklen_t size = sizeof seen;
	return getsockopt(r->fd, SOL_PACKET, PACKET_STATISTICS, &seen, &size) ? 0 : seen.tp_drops;
}

int ring_error(struct ring *r)
{
	int why = 0;
	socklen_t size = sizeof why;
	return getsockopt(r->fd, SOL_SOCKET, SO_ERROR, &why, &size) ? errno : why;
}
