/*
 * Sending by AF_XDP in copy mode (Linux 5.4): a ring of descriptors in shared memory, one system
 * call for 32 frames, and no work of the kernel's stack for any.  Nothing is received this way, so no
 * program is attached to the interface.
 */
#include "active/scan/send_inner.h"
#include <errno.h>
#include <linux/if_xdp.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef AF_XDP
#define AF_XDP 44
#endif
#ifndef SOL_XDP
#define SOL_XDP 283
#endif

#define FRAMES 4096u /* a power of two */
#define FRAME_BYTES 2048u
#define SEND_BUFFER (16 << 20)
#define STALLS_MAX 1000 /* of a millisecond each, without a frame taken */

struct ring_memory {
	uint8_t *map;
	size_t bytes;
	uint32_t *producer, *consumer;
	void *entries;
};

struct xdp {
	int fd;
	uint8_t *frames;
	struct ring_memory tx, completion;
	uint64_t free[FRAMES]; /* addresses of frames that are ours */
	unsigned free_count;
	uint32_t put; /* the producer's value, with what is not handed over yet */
	unsigned pending;
};

static int map_ring(struct xdp *x, const struct xdp_ring_offset *o, off_t at, size_t entry, struct ring_memory *out)
{
	out->bytes = (size_t)o->desc + FRAMES * entry;
	out->map = mmap(NULL, out->bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, x->fd, at);
	if (out->map == MAP_FAILED) {
		out->map = NULL;
		return -1;
	}
	out->producer = (void *)(out->map + o->producer);
	out->consumer = (void *)(out->map + o->consumer);
	out->entries = out->map + o->desc;
	return 0;
}

static int set_up(struct xdp *x, unsigned interface)
{
	const struct xdp_umem_reg memory = {.addr = (uintptr_t)x->frames, .len = (uint64_t)FRAMES * FRAME_BYTES,
					    .chunk_size = FRAME_BYTES};
	const unsigned size = FRAMES, least = 64;
	const int room = SEND_BUFFER;
	struct xdp_mmap_offsets offsets;
	socklen_t length = sizeof offsets;
	const struct sockaddr_xdp at = {.sxdp_family = AF_XDP, .sxdp_ifindex = interface, .sxdp_flags = XDP_COPY};
	if (setsockopt(x->fd, SOL_XDP, XDP_UMEM_REG, &memory, sizeof memory) ||
	    setsockopt(x->fd, SOL_XDP, XDP_UMEM_FILL_RING, &least, sizeof least) ||
	    setsockopt(x->fd, SOL_XDP, XDP_UMEM_COMPLETION_RING, &size, sizeof size) ||
	    setsockopt(x->fd, SOL_XDP, XDP_TX_RING, &size, sizeof size) ||
	    getsockopt(x->fd, SOL_XDP, XDP_MMAP_OFFSETS, &offsets, &length) ||
	    map_ring(x, &offsets.tx, XDP_PGOFF_TX_RING, sizeof(struct xdp_desc), &x->tx) ||
	    map_ring(x, &offsets.cr, (off_t)XDP_UMEM_PGOFF_COMPLETION_RING, sizeof(uint64_t), &x->completion))
		return -1;
	setsockopt(x->fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room);
	return bind(x->fd, (const struct sockaddr *)&at, sizeof at);
}

static void xdp_close(struct sender *s)
{
	struct xdp *x = s->state;
	if (x->fd >= 0)
		close(x->fd);
	if (x->tx.map)
		munmap(x->tx.map, x->tx.bytes);
	if (x->completion.map)
		munmap(x->completion.map, x->completion.bytes);
	if (x->frames)
		munmap(x->frames, (size_t)FRAMES * FRAME_BYTES);
	free(x);
}

static int xdp_open(struct sender *s, const struct sender_wanted *w, struct fault *fault)
{
	struct xdp *x = calloc(1, sizeof *x);
	if (!x)
		return fault_set(fault, ERR_MEMORY, "no memory to send with");
	s->state = x;
	x->fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
	x->frames = mmap(NULL, (size_t)FRAMES * FRAME_BYTES, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (x->frames == MAP_FAILED)
		x->frames = NULL;
	if (x->fd < 0 || !x->frames || set_up(x, w->interface)) {
		int why = errno;
		xdp_close(s);
		return fault_set(fault, why == EPERM ? ERR_DENIED : ERR_SYSTEM, "AF_XDP: %s", strerror(why));
	}
	for (unsigned i = 0; i < FRAMES; i++)
		x->free[i] = (uint64_t)i * FRAME_BYTES;
	x->free_count = FRAMES;
	x->put = *x->tx.producer;
	return 0;
}

/* Frames that the kernel is done with come back by the completion ring, in any order. */
static void take_back(struct xdp *x)
{
	const uint64_t *addresses = x->completion.entries;
	const uint32_t end = __atomic_load_n(x->completion.producer, __ATOMIC_ACQUIRE);
	uint32_t at = *x->completion.consumer;
	for (; at != end && x->free_count < FRAMES; at++)
		x->free[x->free_count++] = addresses[at & (FRAMES - 1)] & ~(uint64_t)(FRAME_BYTES - 1);
	__atomic_store_n(x->completion.consumer, at, __ATOMIC_RELEASE);
}

static uint8_t *xdp_room(struct sender *s)
{
	struct xdp *x = s->state;
	if (x->pending == SEND_BATCH)
		return NULL;
	if (x->free_count == 0)
		take_back(x);
	return x->free_count ? x->frames + x->free[x->free_count - 1] : NULL;
}

static void xdp_put(struct sender *s, size_t length, const struct address *to)
{
	struct xdp *x = s->state;
	struct xdp_desc *entries = x->tx.entries;
	(void)to;
	entries[x->put++ & (FRAMES - 1)] = (struct xdp_desc){.addr = x->free[--x->free_count], .len = (uint32_t)length};
	x->pending++;
}

/* Copy mode takes some 32 frames a call; until all are taken, what is in the ring has not left. */
static size_t xdp_flush(struct sender *s)
{
	struct xdp *x = s->state;
	unsigned stalls = 0;
	__atomic_store_n(x->tx.producer, x->put, __ATOMIC_RELEASE);
	for (;;) {
		const uint32_t before = __atomic_load_n(x->tx.consumer, __ATOMIC_ACQUIRE);
		if (before == x->put)
			break;
		ssize_t n = sendto(x->fd, NULL, 0, MSG_DONTWAIT, NULL, 0);
		const uint32_t after = __atomic_load_n(x->tx.consumer, __ATOMIC_ACQUIRE);
		if (n < 0 && errno != EAGAIN && errno != EBUSY && errno != ENOBUFS && errno != EINTR) {
			s->error = errno;
			break;
		}
		if (after != before)
			continue;
		take_back(x);
		if (stalls++ == STALLS_MAX) {
			s->error = ETIMEDOUT;
			break;
		}
		poll(NULL, 0, 1);
	}
	/* What stays in the ring is not ours to take back: it may still leave, so it counts as sent. */
	x->pending = 0;
	take_back(x);
	return 0;
}

const struct sender_kind sender_xdp = {
	.open = xdp_open, .close = xdp_close, .room = xdp_room, .put = xdp_put, .flush = xdp_flush,
};
