#include "cli/conversations.h"
#include "base/address.h"
#include "passive/telescope/capture.h"
#include <stdlib.h>

#define FRAMES 64

enum link { /* of the registry of LINKTYPE_ values */
	LINK_NULL = 0,
	LINK_ETHERNET = 1,
	LINK_RAW_OLD = 12,
	LINK_RAW = 101,
	LINK_LOOP = 108,
	LINK_LINUX_COOKED = 113,
	LINK_IPV4 = 228,
	LINK_IPV6 = 229,
	LINK_LINUX_COOKED2 = 276,
};

#define ETHERTYPE_VLAN 0x8100
#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_IPV6 0x86dd
#define TCP 6
#define FLAG_SYN 2
#define FLAG_ACK 16

struct direction {
	uint32_t next; /* sequence number that is waited for */
	bool known;
	size_t len;
	uint8_t bytes[CONVERSATION_BYTES_MAX];
};

struct talk {
	struct address client, server;
	uint16_t client_port, server_port;
	uint32_t following; /* in its bucket, one more */
	struct direction asked, answered;
};

struct segment {
	struct address from, to;
	uint16_t from_port, to_port;
	uint32_t sequence;
	uint8_t flags;
	struct bytes payload;
};

struct talks {
	struct talk *items;
	size_t count, room;
	uint32_t buckets[CONVERSATIONS_MAX];
};

/* How long the link's header is and what it carries; 0: neither IPv4 nor IPv6. */
static unsigned link_read(struct reader *r, uint16_t link)
{
	unsigned type;
	switch (link) {
	case LINK_ETHERNET:
		read_bytes(r, 12);
		type = read_u16(r);
		if (type == ETHERTYPE_VLAN) {
			read_u16(r);
			type = read_u16(r);
		}
		break;
	case LINK_LINUX_COOKED:
		read_bytes(r, 14);
		type = read_u16(r);
		break;
	case LINK_LINUX_COOKED2:
		type = read_u16(r);
		read_bytes(r, 18);
		break;
	case LINK_NULL:
	case LINK_LOOP:
		read_bytes(r, 4);
		return 1;
	default:
		return link == LINK_RAW || link == LINK_RAW_OLD || link == LINK_IPV4 || link == LINK_IPV6;
	}
	return type == ETHERTYPE_IPV4 || type == ETHERTYPE_IPV6;
}

static bool read_ipv4(struct reader *r, uint8_t first, struct segment *s, size_t *left)
{
	read_u8(r);
	const unsigned total = read_u16(r), header = (first & 15u) * 4;
	read_u16(r);
	const unsigned fragment = read_u16(r) & 0x3fff; /* offset, or more to come */
	read_u8(r);
	const uint8_t protocol = read_u8(r);
	read_u16(r);
	s->from = address_v4(read_u32(r));
	s->to = address_v4(read_u32(r));
	if (header < 20 || total < header || fragment || protocol != TCP)
		return false;
	read_bytes(r, header - 20);
	*left = total - header;
	return reader_ok(r);
}

static bool read_ipv6(struct reader *r, struct segment *s, size_t *left)
{
	read_bytes(r, 3);
	*left = read_u16(r);
	const uint8_t next = read_u8(r);
	read_u8(r);
	const struct bytes from = read_bytes(r, 16), to = read_bytes(r, 16);
	if (!reader_ok(r) || next != TCP)
		return false;
	memcpy(s->from.b, from.at, 16);
	memcpy(s->to.b, to.at, 16);
	return true;
}

static bool segment_read(const struct capture_frame *f, struct segment *s)
{
	struct reader r = reader_of_bytes(f->frame);
	size_t left = 0;
	if (!link_read(&r, f->link))
		return false;
	const uint8_t first = read_u8(&r);
	const bool taken = first >> 4 == 4 ? read_ipv4(&r, first, s, &left) : first >> 4 == 6 && read_ipv6(&r, s, &left);
	if (!taken)
		return false;
	s->from_port = read_u16(&r);
	s->to_port = read_u16(&r);
	s->sequence = read_u32(&r);
	read_u32(&r);
	const unsigned header = (read_u8(&r) >> 4) * 4u;
	s->flags = read_u8(&r);
	read_bytes(&r, 6);
	if (header < 20 || left < header)
		return false;
	read_bytes(&r, header - 20);
	const size_t said = left - header, captured = reader_left(&r);
	s->payload = read_bytes(&r, said < captured ? said : captured); /* without the link's padding */
	return reader_ok(&r);
}

static uint32_t bucket_of(const struct address *client, uint16_t port) { return (uint32_t)((address_hash(client, port)) % CONVERSATIONS_MAX); }

static struct talk *talk_find(struct talks *t, const struct address *client, uint16_t client_port,
			      const struct address *server, uint16_t server_port)
{
	for (uint32_t i = t->buckets[bucket_of(client, client_port)]; i; i = t->items[i - 1].following) {
		struct talk *it = &t->items[i - 1];
		if (it->client_port == client_port && it->server_port == server_port &&
		    address_equal(&it->client, client) && address_equal(&it->server, server))
			return it;
	}
	return NULL;
}

static int talk_begin(struct talks *t, const struct segment *s)
{
	struct talk *known = talk_find(t, &s->from, s->from_port, &s->to, s->to_port);
	if (known || t->count == CONVERSATIONS_MAX)
		return 0; /* its SYN again; or as many as may be */
	if (t->count == t->room) {
		const size_t room = t->room ? 2 * t->room : 64;
		struct talk *larger = realloc(t->items, room * sizeof *larger);
		if (!larger)
			return ERR_MEMORY;
		t->items = larger;
		t->room = room;
	}
	struct talk *it = &t->items[t->count++];
	uint32_t *bucket = &t->buckets[bucket_of(&s->from, s->from_port)];
	*it = (struct talk){.client = s->from, .server = s->to, .client_port = s->from_port, .server_port = s->to_port,
			    .following = *bucket, .asked = {.next = s->sequence + 1, .known = true}};
	*bucket = (uint32_t)t->count;
	return 0;
}

/* In order only: what was sent again is known already, and behind a gap nothing is taken. */
static void direction_take(struct direction *d, const struct segment *s)
{
	struct bytes b = s->payload;
	const uint32_t before = d->next - s->sequence;
	if (!d->known || before > b.len)
		return;
	b = (struct bytes){b.at + before, b.len - before};
	d->next += (uint32_t)b.len;
	const size_t room = sizeof d->bytes - d->len, n = b.len < room ? b.len : room;
	if (n)
		memcpy(d->bytes + d->len, b.at, n);
	d->len += n;
}

static int segment_take(struct talks *t, const struct segment *s)
{
	if ((s->flags & (FLAG_SYN | FLAG_ACK)) == FLAG_SYN)
		return talk_begin(t, s);
	struct talk *talk = talk_find(t, &s->to, s->to_port, &s->from, s->from_port);
	if (talk && s->flags & FLAG_SYN) {
		talk->answered = (struct direction){.next = s->sequence + 1, .known = true};
	} else if (talk) {
		direction_take(&talk->answered, s);
	} else if ((talk = talk_find(t, &s->from, s->from_port, &s->to, s->to_port))) {
		/* What is said after the first answer is no hello. */
		if (!talk->answered.len)
			direction_take(&talk->asked, s);
	}
	return 0;
}

static int read_all(struct capture *capture, struct talks *t, struct fault *fault)
{
	struct capture_frame frames[FRAMES];
	int n;
	while ((n = capture_read(capture, frames, FRAMES, fault)) > 0)
		for (int i = 0; i < n; i++) {
			struct segment s;
			if (segment_read(&frames[i], &s) && segment_take(t, &s))
				return fault_set(fault, ERR_MEMORY, "no memory");
		}
	return n;
}

int conversations_read(const char *file, bool (*each)(void *arg, const struct conversation *), void *arg, struct fault *fault)
{
	struct capture *capture;
	int bad = capture_open(&capture, file, fault);
	if (bad)
		return bad;
	struct talks *t = calloc(1, sizeof *t);
	bad = t ? read_all(capture, t, fault) : fault_set(fault, ERR_MEMORY, "no memory");
	for (size_t i = 0; !bad && i < t->count; i++) {
		const struct talk *it = &t->items[i];
		const struct conversation c = {it->server_port, {it->asked.bytes, it->asked.len},
					       {it->answered.bytes, it->answered.len}};
		if (!each(arg, &c))
			break;
	}
	if (t)
		free(t->items);
	free(t);
	capture_close(capture);
	return bad;
}
