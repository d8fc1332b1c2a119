#include "passive/telescope/reactive/handshakes.h"
#include "base/random.h"
#include <stdlib.h>

#define WAYS 8
#define SETS (REACTIVE_HANDSHAKES_MAX / WAYS)
#define KNOWN_US (2 * REACTIVE_SLOT_US) /* a cookie is not good for longer, either */

int handshakes_open(struct handshakes *h)
{
	*h = (struct handshakes){.items = calloc(REACTIVE_HANDSHAKES_MAX, sizeof *h->items),
				 .key = random_secret()};
	return h->items ? 0 : ERR_MEMORY;
}

void handshakes_close(struct handshakes *h)
{
	free(h->items);
	*h = (struct handshakes){0};
}

static struct handshake *set_of(const struct handshakes *h, const struct address *source,
				uint16_t source_port, const struct address *destination, uint16_t port)
{
	uint64_t hash = address_hash(source, h->key) ^ random_mix(address_hash(destination, ~h->key));
	return &h->items[random_mix(hash ^ (uint64_t)source_port << 16 ^ port) % SETS * WAYS];
}

static bool is_over(const struct handshake *h, uint64_t now_us)
{
	return h->state == HANDSHAKE_TOLD && now_us > h->proof.proved_us + KNOWN_US;
}

struct handshake *handshakes_find(const struct handshakes *h, const struct address *source,
				  uint16_t source_port, const struct address *destination, uint16_t port,
				  uint64_t now_us)
{
	struct handshake *set = set_of(h, source, source_port, destination, port);
	for (size_t i = 0; i < WAYS; i++) {
		const struct reactive_proof *p = &set[i].proof;
		if (set[i].state != HANDSHAKE_FREE && !is_over(&set[i], now_us) && p->port == port &&
		    p->source_port == source_port && address_equal(&p->source, source) &&
		    address_equal(&p->destination, destination))
			return &set[i];
	}
	return NULL;
}

/* What is worth least stands first: free or over, then told, then waiting; the older the less. */
static bool is_worth_less(const struct handshake *a, const struct handshake *b, uint64_t now_us)
{
	bool a_free = a->state == HANDSHAKE_FREE || is_over(a, now_us);
	bool b_free = b->state == HANDSHAKE_FREE || is_over(b, now_us);
	if (a_free != b_free)
		return a_free;
	if (a->state != b->state)
		return a->state == HANDSHAKE_TOLD;
	return a->proof.proved_us < b->proof.proved_us;
}

struct handshake *handshakes_place(const struct handshakes *h, const struct address *source,
				   uint16_t source_port, const struct address *destination, uint16_t port,
				   uint64_t now_us)
{
	struct handshake *set = set_of(h, source, source_port, destination, port), *least = set;
	for (size_t i = 1; i < WAYS; i++)
		if (is_worth_less(&set[i], least, now_us))
			least = &set[i];
	return least;
}
