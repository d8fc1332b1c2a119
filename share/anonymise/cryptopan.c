/*
 * What costs is the cipher: a block for each bit of an address.  The first 16 bits of IPv4 come from a table
 * that is made once, the others of an address in one call, whose blocks the processor works on side by side;
 * and what was asked lately is remembered whole, for both families, of IPv6 also by its /64.
 */
#include "share/anonymise/cryptopan_inner.h"
#include "base/error.h"
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>

#define BLOCK 16
#define TOP_BITS 16
#define BATCH 4096            /* blocks of one call while the table is made */
#define REMEMBERED_V4 (1u << 14)
#define REMEMBERED_V6 (1u << 12)

struct pair_v4 {
	uint32_t from, to;
};

struct pair_v6 {
	uint64_t from, to; /* halves of addresses */
	uint64_t low_from, low_to;
	bool known;
};

struct cryptopan {
	EVP_CIPHER_CTX *aes;
	uint8_t pad[BLOCK];
	uint32_t pad_word;            /* its first 32 bits */
	uint64_t pad_high, pad_low;
	bool top_made;
	uint16_t top[1u << TOP_BITS]; /* the first 16 bits of IPv4, and what becomes of them */
	struct pair_v4 v4[REMEMBERED_V4];
	struct pair_v6 v6[REMEMBERED_V6], high[REMEMBERED_V6];
	uint8_t in[BATCH * BLOCK], out[BATCH * BLOCK];
};

static void put_u32(uint8_t *at, uint32_t v)
{
	v = __builtin_bswap32(v);
	memcpy(at, &v, sizeof v);
}

static void put_u64(uint8_t *at, uint64_t v)
{
	v = __builtin_bswap64(v);
	memcpy(at, &v, sizeof v);
}

static uint64_t get_u64(const uint8_t *at)
{
	uint64_t v;
	memcpy(&v, at, sizeof v);
	return __builtin_bswap64(v);
}

static void encrypt(struct cryptopan *c, unsigned blocks)
{
	int n;
	/* Whole blocks of a cipher without chaining and padding: there is nothing that could fail. */
	EVP_EncryptUpdate(c->aes, c->out, &n, c->in, (int)(blocks * BLOCK));
}

int cryptopan_open(struct cryptopan **out, const uint8_t key[CRYPTOPAN_KEY])
{
	struct cryptopan *c = calloc(1, sizeof *c);
	if (!c)
		return ERR_MEMORY;
	c->aes = EVP_CIPHER_CTX_new();
	if (!c->aes || EVP_EncryptInit_ex(c->aes, EVP_aes_128_ecb(), NULL, key, NULL) != 1) {
		cryptopan_close(c);
		return ERR_MEMORY;
	}
	EVP_CIPHER_CTX_set_padding(c->aes, 0);
	memcpy(c->in, key + BLOCK, BLOCK);
	encrypt(c, 1);
	memcpy(c->pad, c->out, BLOCK);
	c->pad_word = (uint32_t)(get_u64(c->pad) >> 32);
	c->pad_high = get_u64(c->pad);
	c->pad_low = get_u64(c->pad + 8);
	*out = c;
	return 0;
}

void cryptopan_close(struct cryptopan *c)
{
	if (!c)
		return;
	EVP_CIPHER_CTX_free(c->aes);
	OPENSSL_cleanse(c, sizeof *c);
	free(c);
}

/* The highest bits of a word, and the pad's behind them. */
static uint32_t padded(uint32_t word, unsigned bits, uint32_t pad)
{
	const uint32_t mask = bits ? ~UINT32_C(0) << (32 - bits) : 0;
	return (word & mask) | (pad & ~mask);
}

static uint64_t padded64(uint64_t word, unsigned bits, uint64_t pad)
{
	const uint64_t mask = bits ? ~UINT64_C(0) << (64 - bits) : 0;
	return (word & mask) | (pad & ~mask);
}

/* For each prefix shorter than 16 bits the bit behind it, turned or not. */
static void make_top(struct cryptopan *c)
{
	memset(c->top, 0, sizeof c->top);
	for (unsigned i = 0; i < BATCH; i++)
		memcpy(c->in + i * BLOCK, c->pad, BLOCK);
	for (unsigned bits = 0; bits < TOP_BITS; bits++) {
		const uint32_t prefixes = 1u << bits, below = 1u << (TOP_BITS - bits);
		for (uint32_t first = 0; first < prefixes; first += BATCH) {
			const uint32_t n = prefixes - first < BATCH ? prefixes - first : BATCH;
			for (uint32_t i = 0; i < n; i++)
				put_u32(c->in + i * BLOCK, padded(bits ? (first + i) << (32 - bits) : 0, bits, c->pad_word));
			encrypt(c, n);
			for (uint32_t i = 0; i < n; i++)
				for (uint32_t k = 0; c->out[i * BLOCK] & 0x80 && k < below; k++)
					c->top[(first + i) * below + k] ^= (uint16_t)(below >> 1);
		}
	}
	for (uint32_t i = 0; i < 1u << TOP_BITS; i++)
		c->top[i] ^= (uint16_t)i;
	c->top_made = true;
}

static uint32_t work_v4(struct cryptopan *c, uint32_t a)
{
	uint32_t flips = 0;
	for (unsigned i = 0; i < TOP_BITS; i++) {
		memcpy(c->in + i * BLOCK, c->pad, BLOCK);
		put_u32(c->in + i * BLOCK, padded(a, TOP_BITS + i, c->pad_word));
	}
	encrypt(c, TOP_BITS);
	for (unsigned i = 0; i < TOP_BITS; i++)
		flips = flips << 1 | c->out[i * BLOCK] >> 7;
	return (uint32_t)c->top[a >> TOP_BITS] << TOP_BITS | ((a ^ flips) & 0xffff);
}

uint32_t cryptopan_v4(struct cryptopan *c, uint32_t a)
{
	if (!c->top_made) {
		make_top(c);
		c->v4[0] = (struct pair_v4){0, work_v4(c, 0)}; /* since an empty pair says 0, too */
	}
	struct pair_v4 *p = &c->v4[(a * UINT32_C(2654435769)) >> (32 - 14)];
	if (p->from != a)
		*p = (struct pair_v4){a, work_v4(c, a)};
	return p->to;
}

static uint64_t work_half(struct cryptopan *c, uint64_t high, uint64_t low, bool lower)
{
	uint64_t flips = 0;
	for (unsigned i = 0; i < 64; i++) {
		put_u64(c->in + i * BLOCK, lower ? high : padded64(high, i, c->pad_high));
		put_u64(c->in + i * BLOCK + 8, lower ? padded64(low, i, c->pad_low) : c->pad_low);
	}
	encrypt(c, 64);
	for (unsigned i = 0; i < 64; i++)
		flips = flips << 1 | c->out[i * BLOCK] >> 7;
	return (lower ? low : high) ^ flips;
}

static uint32_t place(uint64_t v) { return (uint32_t)((v * UINT64_C(0x9e3779b97f4a7c15)) >> (64 - 12)); }

static struct address work_v6(struct cryptopan *c, const struct address *a)
{
	const uint64_t high = get_u64(a->b), low = get_u64(a->b + 8);
	struct pair_v6 *h = &c->high[place(high)], *p = &c->v6[place(high ^ (low << 1 | low >> 63))];
	struct address out;
	if (!h->known || h->from != high)
		*h = (struct pair_v6){.from = high, .to = work_half(c, high, 0, false), .known = true};
	if (!p->known || p->from != high || p->low_from != low)
		*p = (struct pair_v6){high, h->to, low, work_half(c, high, low, true), true};
	put_u64(out.b, p->to);
	put_u64(out.b + 8, p->low_to);
	return out;
}

struct address cryptopan_address(struct cryptopan *c, const struct address *a)
{
	if (address_is_v4(a))
		return address_v4(cryptopan_v4(c, address_to_v4(a)));
	return work_v6(c, a);
}
