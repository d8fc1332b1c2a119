#include "bait/token.h"
#include "base/error.h"
#include <limits.h>

#define CHECK_BITS 39
#define PAYLOAD_BITS 56

typedef unsigned __int128 number;

static const char password_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
static const char key_digits[] = "0123456789abcdef";
static const char name_digits[] = "abcdefghijklmnopqrstuvwxyz234567";

static const struct {
	const char *name, *digits;
	unsigned base, chars;
} shapes[BAIT_SHAPES] = {
	{"password", password_digits, 62, BAIT_PASSWORD_CHARS},
	{"key", key_digits, 16, BAIT_KEY_CHARS},
	{"url", name_digits, 32, BAIT_NAME_CHARS},
};

static uint64_t hash_number(const struct siphash_key *key, uint64_t v)
{
	uint8_t b[8];
	struct writer w = writer_of(b, sizeof b);
	write_u64(&w, v);
	return siphash(key, writer_bytes(&w));
}

struct bait_secret bait_secret_of(const uint8_t bytes[BAIT_SECRET_BYTES])
{
	struct reader r = reader_of(bytes, BAIT_SECRET_BYTES);
	uint64_t n[4];
	for (size_t i = 0; i < 4; i++)
		n[i] = read_u64(&r);
	return (struct bait_secret){{n[0], n[1]}, {n[2], n[3]}};
}

const char *bait_shape_name(enum bait_shape shape)
{
	return shapes[shape].name;
}

int bait_shape_find(struct bytes name)
{
	for (int i = 0; i < BAIT_SHAPES; i++)
		if (bytes_equal_text(name, shapes[i].name))
			return i;
	return ERR_MISSING;
}

uint32_t bait_mark(const struct bait_secret *k, struct bytes name)
{
	return (uint32_t)(siphash(&k->mask, name) & BAIT_MARK_MAX);
}

struct bait_token bait_of_device(const struct bait_secret *k, const struct address *a, struct bytes name)
{
	bool v4 = address_is_v4(a);
	return (struct bait_token){
		.source = v4 ? BAIT_V4 : BAIT_V6,
		.where = v4 ? address_to_v4(a) : (uint32_t)siphash(&k->mask, (struct bytes){a->b, sizeof a->b}),
		.mark = bait_mark(k, name),
	};
}

static uint64_t payload_of(const struct bait_token *t)
{
	return (uint64_t)(t->source & 15) << 52 | (uint64_t)t->where << 20 | (t->mark & BAIT_MARK_MAX);
}

static uint64_t check_of(const struct bait_secret *k, uint64_t payload)
{
	return hash_number(&k->check, payload) >> (64 - CHECK_BITS);
}

static uint64_t mask_of(const struct bait_secret *k, uint64_t check)
{
	return hash_number(&k->mask, check) >> (64 - PAYLOAD_BITS);
}

/* The rest of a key's digits: they are more than a token needs. */
static uint64_t filling_of(const struct bait_secret *k, number sealed)
{
	return hash_number(&k->check, (uint64_t)(sealed ^ sealed >> 64) | UINT64_C(1) << 63) >> (64 - 33);
}

uint64_t bait_id(const struct bait_secret *k, const struct bait_token *t)
{
	uint64_t id = hash_number(&k->check, payload_of(t) | UINT64_C(1) << 62);
	return id ? id : 1;
}

void bait_write(const struct bait_secret *k, const struct bait_token *t, enum bait_shape shape, struct writer *w)
{
	uint64_t payload = payload_of(t), check = check_of(k, payload);
	number v = (number)check << PAYLOAD_BITS | (payload ^ mask_of(k, check));
	char text[BAIT_KEY_CHARS];
	if (shape == BAIT_KEY)
		v |= (number)filling_of(k, v) << (CHECK_BITS + PAYLOAD_BITS);
	for (size_t i = shapes[shape].chars; i--; v /= shapes[shape].base)
		text[i] = shapes[shape].digits[v % shapes[shape].base];
	write_bytes(w, text, shapes[shape].chars);
}

/* The place of a digit among those of the shape; beyond its base: it is none. */
static unsigned digit_of(uint8_t c, enum bait_shape shape)
{
	bool upper = c >= 'A' && c <= 'Z', lower = c >= 'a' && c <= 'z', figure = c >= '0' && c <= '9';
	unsigned letter = (unsigned)((c | 32) - 'a');
	if (shape == BAIT_PASSWORD)
		return upper ? letter : lower ? 26 + letter : figure ? 52u + c - '0' : UINT_MAX;
	if (shape == BAIT_KEY)
		return figure ? (unsigned)(c - '0') : upper || lower ? 10 + letter : UINT_MAX;
	return upper || lower ? letter : c >= '2' && c <= '7' ? 26u + c - '2' : UINT_MAX;
}

static bool number_of(struct bytes word, enum bait_shape shape, number *out)
{
	number v = 0;
	for (size_t i = 0; i < word.len; i++) {
		unsigned digit = digit_of(word.at[i], shape);
		if (digit >= shapes[shape].base)
			return false;
		v = v * shapes[shape].base + digit;
	}
	*out = v;
	return true;
}

bool bait_read(const struct bait_secret *k, struct bytes word, struct bait_token *out, enum bait_shape *out_shape)
{
	unsigned shape = 0;
	number v;
	while (shape < BAIT_SHAPES && word.len != shapes[shape].chars)
		shape++;
	if (shape == BAIT_SHAPES || !number_of(word, (enum bait_shape)shape, &v))
		return false;
	const number whole = ((number)1 << (CHECK_BITS + PAYLOAD_BITS)) - 1;
	number sealed = v & whole;
	if (v >> (CHECK_BITS + PAYLOAD_BITS) != (shape == BAIT_KEY ? filling_of(k, sealed) : 0))
		return false;
	uint64_t check = (uint64_t)(sealed >> PAYLOAD_BITS);
	uint64_t payload = ((uint64_t)sealed & ((UINT64_C(1) << PAYLOAD_BITS) - 1)) ^ mask_of(k, check);
	if (check_of(k, payload) != check)
		return false;
	*out = (struct bait_token){(uint8_t)(payload >> 52), (uint32_t)(payload >> 20), payload & BAIT_MARK_MAX};
	*out_shape = (enum bait_shape)shape;
	return true;
}

static bool is_letter(uint8_t c)
{
	return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z');
}

bool bait_next(const struct bait_secret *k, struct bytes *rest, struct bait_token *out, enum bait_shape *shape)
{
	while (rest->len) {
		size_t n = 0;
		while (n < rest->len && is_letter(rest->at[n]))
			n++;
		struct bytes word = {rest->at, n};
		n += n < rest->len;
		rest->at += n;
		rest->len -= n;
		if (word.len >= BAIT_PASSWORD_CHARS && bait_read(k, word, out, shape))
			return true;
	}
	return false;
}
