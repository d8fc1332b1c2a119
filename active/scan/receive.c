#include "active/scan/receive_inner.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define BLOCK_BYTES (1u << 18)
#define RETIRE_MS 10 /* a block that is not full is handed over after so long */

struct receiver {
	int fd;
	uint8_t *map;
	size_t bytes;
	unsigned blocks, at;
};

static int attach(int fd, const struct filter_program *p)
{
	const struct sock_fprog program = {p->count, (struct sock_filter *)(uintptr_t)p->code};
	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

static int set_up(struct receiver *r, const struct receiver_wanted *w)
{
	const int version = TPACKET_V3, on = 1;
	const struct tpacket_req3 request = {.tp_block_size = BLOCK_BYTES, .tp_block_nr = r->blocks,
					     .tp_frame_size = BLOCK_BYTES, .tp_frame_nr = r->blocks,
					     .tp_retire_blk_tov = RETIRE_MS};
	const bool v4 = !address_is_zero(&w->from_v4), v6 = !address_is_zero(&w->from_v6);
	const struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_ifindex = (int)w->interface,
				       .sll_protocol = htons(v4 && v6 ? ETH_P_ALL : v4 ? ETH_P_IP : ETH_P_IPV6)};
	struct filter_program program;
	filter_make(&program, w);
	setsockopt(r->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on); /* Linux 4.20; the filter does it, too */
	if (setsockopt(r->fd, SOL_PACKET, PACKET_VERSION, &version, sizeof version) ||
	    setsockopt(r->fd, SOL_PACKET, PACKET_RX_RING, &request, sizeof request) || attach(r->fd, &program))
		return -1;
	r->map = mmap(NULL, r->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, 0);
	if (r->map == MAP_FAILED) {
		r->map = NULL;
		return -1;
	}
	return bind(r->fd, (const struct sockaddr *)&at, sizeof at);
}

void receiver_close(struct receiver *r)
{
	if (!r)
		return;
	if (r->map)
		munmap(r->map, r->bytes);
	if (r->fd >= 0)
		close(r->fd);
	free(r);
}

int receiver_open(struct receiver **out, const struct receiver_wanted *w, struct fault *fault)
{
	struct receiver *r = calloc(1, sizeof *r);
	if (!r)
		return fault_set(fault, ERR_MEMORY, "no memory to receive with");
	r->blocks = (unsigned)(w->bytes / BLOCK_BYTES);
	r->blocks = r->blocks < 2 ? 2 : r->blocks;
	r->bytes = (size_t)r->blocks * BLOCK_BYTES;
	/* SOCK_DGRAM: packets begin with their IP header, whatever the link and its tags. */
	r->fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (r->fd >= 0 && set_up(r, w) == 0) {
		*out = r;
		return 0;
	}
	const int why = errno;
	receiver_close(r);
	return fault_set(fault, why == EPERM ? ERR_DENIED : ERR_SYSTEM, "a ring to receive with: %s%s", strerror(why),
			 why == EPERM ? "; root or CAP_NET_RAW would be right" : "");
}

int receiver_descriptor(const struct receiver *r) { return r->fd; }

bool receiver_take(struct receiver *r, void (*each)(void *, struct bytes, uint64_t), void *arg)
{
	uint8_t *block = r->map + (size_t)r->at * BLOCK_BYTES;
	struct tpacket_hdr_v1 *h = &((struct tpacket_block_desc *)(void *)block)->hdr.bh1;
	if (!(__atomic_load_n(&h->block_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER))
		return false;
	size_t offset = h->offset_to_first_pkt;
	for (uint32_t left = h->num_pkts; left > 0 && offset + sizeof(struct tpacket3_hdr) <= BLOCK_BYTES; left--) {
		const struct tpacket3_hdr *p = (const void *)(block + offset);
		if (offset + p->tp_net + p->tp_snaplen > BLOCK_BYTES)
			break;
		each(arg, (struct bytes){block + offset + p->tp_net, p->tp_snaplen},
		     (uint64_t)p->tp_sec * 1000000 + p->tp_nsec / 1000);
		offset += p->tp_next_offset;
		if (p->tp_next_offset == 0)
			break;
	}
	__atomic_store_n(&h->block_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
	r->at = (r->at + 1) % r->blocks;
	return true;
}

uint64_t receiver_dropped(struct receiver *r)
{
	struct tpacket_stats_v3 seen = {0};
	socklen_t size = sizeof seen;
	return getsockopt(r->fd, SOL_PACKET, PACKET_STATISTICS, &seen, &size) ? 0 : seen.tp_drops;
}
