#include "active/reading/favicon_inner.h"
#include <openssl/evp.h>

#define LINE 57 /* bytes that become 76 characters */

struct murmur {
	uint32_t hash, word; /* word: bytes that do not fill one yet */
	size_t len;
};

static uint32_t rotate(uint32_t v, unsigned n) { return v << n | v >> (32 - n); }

static uint32_t murmur_mix(uint32_t word) { return rotate(word * 0xcc9e2d51u, 15) * 0x1b873593u; }

static void murmur_take(struct murmur *m, uint8_t c)
{
	m->word |= (uint32_t)c << 8 * (m->len++ % 4);
	if (m->len % 4)
		return;
	m->hash = rotate(m->hash ^ murmur_mix(m->word), 13) * 5 + 0xe6546b64u;
	m->word = 0;
}

static uint32_t murmur_end(struct murmur *m)
{
	uint32_t h = m->hash ^ murmur_mix(m->word) ^ (uint32_t)m->len;
	h = (h ^ h >> 16) * 0x85ebca6bu;
	h = (h ^ h >> 13) * 0xc2b2ae35u;
	return h ^ h >> 16;
}

int32_t favicon_hash(struct bytes icon)
{
	struct murmur m = {0};
	unsigned char line[80];
	for (size_t i = 0; i < icon.len; i += LINE) {
		size_t left = icon.len - i;
		int n = EVP_EncodeBlock(line, icon.at + i, (int)(left < LINE ? left : LINE));
		for (int c = 0; c < n; c++)
			murmur_take(&m, line[c]);
		murmur_take(&m, '\n');
	}
	return (int32_t)murmur_end(&m);
}
