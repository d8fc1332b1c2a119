#include "base/siphash.h"
#include "base/random.h"
#include <endian.h>

struct state {
	uint64_t a, b, c, d;
};

static uint64_t rotate(uint64_t x, int k) { return x << k | x >> (64 - k); }

static void mix(struct state *s)
{
	s->a += s->b;
	s->c += s->d;
	s->b = rotate(s->b, 13) ^ s->a;
	s->d = rotate(s->d, 16) ^ s->c;
	s->a = rotate(s->a, 32);
	s->c += s->b;
	s->a += s->d;
	s->b = rotate(s->b, 17) ^ s->c;
	s->d = rotate(s->d, 21) ^ s->a;
	s->c = rotate(s->c, 32);
}

static void absorb(struct state *s, uint64_t word)
{
	s->d ^= word;
	mix(s);
	mix(s);
	s->a ^= word;
}

struct siphash_key siphash_draw(void)
{
	return (struct siphash_key){random_secret(), random_secret()};
}

uint64_t siphash(const struct siphash_key *key, struct bytes in)
{
	struct state s = {key->low ^ 0x736f6d6570736575u, key->high ^ 0x646f72616e646f6du,
			  key->low ^ 0x6c7967656e657261u, key->high ^ 0x7465646279746573u};
	size_t at = 0;
	uint64_t word;
	for (; at + sizeof word <= in.len; at += sizeof word) {
		memcpy(&word, in.at + at, sizeof word);
		absorb(&s, le64toh(word));
	}
	word = (uint64_t)(in.len & 0xff) << 56;
	for (size_t i = 0; at + i < in.len; i++)
		word |= (uint64_t)in.at[at + i] << 8 * i;
	absorb(&s, word);
	s.c ^= 0xff;
	for (int i = 0; i < 4; i++)
		mix(&s);
	return s.a ^ s.b ^ s.c ^ s.d;
}
