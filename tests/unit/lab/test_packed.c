/*
 * Programs packed as UPX does, by a small packer here: an independent writer of NRV2B and NRV2E with
 * literals and matches, and files with their headers whole, blanked and cut.
 */
#include "base/little.h"
#include "lab/lab.h"
#include "lab/nrv.h"
#include "tests/test.h"
#include <stdlib.h>

#define ROOM 65536

struct packer {
	uint8_t out[ROOM];
	size_t used, word; /* where the current word of bits lies */
	unsigned left;
	uint32_t bits;
};

static void put_bit(struct packer *p, unsigned bit)
{
	if (!p->left) {
		p->word = p->used;
		p->used += 4;
		p->left = 32;
		p->bits = 0;
	}
	p->bits |= (uint32_t)bit << --p->left;
	little_put(p->out + p->word, p->bits, 4);
}

static void put_gamma(struct packer *p, uint32_t v)
{
	int top = 31 - __builtin_clz(v);
	for (int i = top - 1; i >= 0; i--) {
		put_bit(p, v >> i & 1);
		put_bit(p, i == 0);
	}
}

/* The inverse of v = 2v + bit, end?, v = 2(v - 1) + bit. */
static void put_stepped(struct packer *p, uint32_t v)
{
	uint32_t steps[64], count = 0;
	for (;;) {
		steps[count++] = v & 1;
		v >>= 1;
		if (v == 1)
			break;
		steps[count++] = v & 1;
		v = (v >> 1) + 1;
	}
	while (count) {
		put_bit(p, steps[--count]);
		if (count % 2 == 0)
			put_bit(p, count == 0);
	}
}

static void put_match(struct packer *p, enum nrv kind, uint32_t offset, uint32_t len)
{
	uint32_t value = offset - 1, rest = len - 1 - (offset > (kind == NRV2B ? 0xd00u : 0x500u));
	put_bit(p, 0);
	if (kind == NRV2B) {
		put_gamma(p, (value >> 8) + 3);
		p->out[p->used++] = (uint8_t)value;
		put_bit(p, rest < 4 ? rest >> 1 : 0);
		put_bit(p, rest < 4 ? rest & 1 : 0);
		if (rest >= 4)
			put_gamma(p, rest - 2);
		return;
	}
	bool brief = rest <= 2; /* 1 + bit */
	value = value << 1 | !brief;
	put_stepped(p, (value >> 8) + 3);
	p->out[p->used++] = (uint8_t)value;
	if (brief) {
		put_bit(p, rest - 1);
	} else if (rest <= 4) {
		put_bit(p, 1);
		put_bit(p, rest - 3);
	} else {
		put_bit(p, 0);
		put_gamma(p, rest - 3);
	}
}

static size_t match_find(struct bytes b, size_t at, uint32_t *offset)
{
	size_t best = 0;
	for (size_t from = at > 6000 ? at - 6000 : 0; from < at; from++) {
		size_t n = 0;
		while (at + n < b.len && n < 500 && b.at[from + n] == b.at[at + n])
			n++;
		if (n > best) {
			best = n;
			*offset = (uint32_t)(at - from);
		}
	}
	return best;
}

static struct bytes pack(struct packer *p, enum nrv kind, struct bytes b)
{
	*p = (struct packer){0};
	for (size_t i = 0; i < b.len;) {
		uint32_t offset = 0;
		size_t n = match_find(b, i, &offset);
		if (n >= 4) {
			put_match(p, kind, offset, (uint32_t)n);
			i += n;
			continue;
		}
		put_bit(p, 1);
		p->out[p->used++] = b.at[i++];
	}
	put_bit(p, 0);
	if (kind == NRV2B)
		put_gamma(p, 0x1000002);
	else
		put_stepped(p, 0x1000002);
	p->out[p->used++] = 0xff;
	return (struct bytes){p->out, p->used};
}

/* A small program for MIPS, high byte first: one segment, and text in it. */
static size_t program_make(uint8_t *out, size_t size)
{
	struct writer w = writer_of(out, size);
	static const char text[] = "\0GET /bins/x HTTP/1.0\0cnc.example.net\0";
	write_bytes(&w, "\x7f" "ELF\1\2\1", 7);
	write_zero(&w, 9);
	write_u16(&w, 2), write_u16(&w, 8), write_u32(&w, 1);
	write_u32(&w, 0x400054), write_u32(&w, 52), write_u32(&w, 0), write_u32(&w, 0x1007);
	write_u16(&w, 52), write_u16(&w, 32), write_u16(&w, 1), write_u16(&w, 0), write_u16(&w, 0), write_u16(&w, 0);
	write_u32(&w, 1), write_u32(&w, 0), write_u32(&w, 0x400000), write_u32(&w, 0x400000);
	write_u32(&w, (uint32_t)size), write_u32(&w, (uint32_t)size), write_u32(&w, 5), write_u32(&w, 0x1000);
	uint32_t draw = 7;
	while (writer_left(&w) >= sizeof text + 4) {
		draw = draw * 1103515245 + 12345;
		write_u32(&w, draw >> 24 < 64 ? draw : 0x24020001);
	}
	write_zero(&w, writer_left(&w) - sizeof text);
	write_bytes(&w, text, sizeof text);
	return writer_used(&w);
}

static void block_add(struct writer *w, enum nrv kind, struct bytes b)
{
	static struct packer p;
	struct bytes packed = pack(&p, kind, b);
	bool stored = packed.len >= b.len;
	write_u32(w, (uint32_t)b.len);
	write_u32(w, (uint32_t)(stored ? b.len : packed.len));
	write_u8(w, kind == NRV2B ? 2 : kind == NRV2D ? 5 : 8);
	write_zero(w, 3);
	write_span(w, stored ? b : packed);
}

enum damage { WHOLE, NO_MAGIC, NO_SIZES };

static struct bytes upx_make(uint8_t *room, size_t size, struct bytes program, enum nrv kind, enum damage damage)
{
	struct writer w = writer_of(room, size);
	write_bytes(&w, program.at, 84);
	write_u32(&w, 0);
	write_bytes(&w, damage == NO_MAGIC ? "\0\0\0\0" : "UPX!", 4);
	write_u32(&w, 0x04d00d16);
	write_u32(&w, 0);
	write_u32(&w, damage == NO_SIZES ? 0 : (uint32_t)program.len);
	write_u32(&w, damage == NO_SIZES ? 0 : (uint32_t)program.len);
	block_add(&w, kind, (struct bytes){program.at, 84});
	block_add(&w, kind, (struct bytes){program.at + 84, program.len - 84});
	write_u32(&w, 0), write_bytes(&w, "UPX!", 4), write_u32(&w, 0);
	write_zero(&w, 400);
	write_bytes(&w, "UPX!\x0d\x16\x02\x08", 8);
	write_zero(&w, 16), write_u32(&w, (uint32_t)program.len), write_u32(&w, 0);
	write_u32(&w, 0x80);
	return writer_bytes(&w);
}

static const struct part *part_named(const struct findings *f, const char *name)
{
	for (size_t i = 1; i < f->part_count; i++)
		if (!strcmp(f->parts[i].name, name))
			return &f->parts[i];
	return NULL;
}

TEST(upx_blocks_unpack_to_what_was_packed)
{
	static struct packer p;
	static uint8_t program[9000], out[9000];
	size_t n = program_make(program, sizeof program);
	for (enum nrv kind = NRV2B; kind <= NRV2E; kind += 2) {
		struct bytes packed = pack(&p, kind, (struct bytes){program, n});
		CHECK(packed.len < n / 2);
		CHECK(nrv_unpack(kind, 32, packed, out, sizeof out) == (long)n && !memcmp(out, program, n));
		/* Cut or in too small a room it is an error, and never reads or writes beyond. */
		for (size_t cut = 0; cut < packed.len; cut += 37) {
			uint8_t *piece = malloc(cut ? cut : 1);
			CHECK(piece);
			memcpy(piece, packed.at, cut);
			CHECK(nrv_unpack(kind, 32, (struct bytes){piece, cut}, out, sizeof out) < 0);
			free(piece);
		}
		CHECK(nrv_unpack(kind, 32, packed, out, n - 1) < 0);
	}
}

TEST(upx_programs_unpack_also_with_blanked_headers)
{
	static uint8_t program[9000], room[ROOM];
	size_t n = program_make(program, sizeof program);
	for (enum damage damage = WHOLE; damage <= NO_SIZES; damage++)
		for (enum nrv kind = NRV2B; kind <= NRV2E; kind += 2) {
			struct analysis *a;
			struct fault fault;
			struct bytes file = upx_make(room, sizeof room, (struct bytes){program, n}, kind, damage);
			CHECK(lab_analyse(&a, file, NULL, &fault) == 0);
			const struct findings *f = analysis_findings(a);
			const struct part *p = part_named(f, "upx-unpacked"), *repaired = part_named(f, "upx-repaired");
			CHECK(p && p->content.len == n && !memcmp(p->content.at, program, n));
			CHECK(!strcmp(p->architecture, "mips"));
			CHECK((damage != WHOLE) == (repaired != NULL));
			struct bytes whole = upx_make(room, sizeof room, (struct bytes){program, n}, kind, WHOLE);
			CHECK(!repaired || bytes_equal(repaired->content, whole));
			bool told = false;
			for (size_t i = 0; i < f->indicator_count; i++)
				told |= bytes_equal_text(f->indicators[i].value, "cnc.example.net");
			CHECK(told);
			analysis_free(a);
		}
}

static void mozi_check(const uint8_t key[16], bool known)
{
	uint8_t content[1200] = "\x7f" "text of a program, 198.51.100.30";
	static const char config[] = "[ss]botv2[/ss][dip]198.51.100.9:8080[/dip][hp]88888888[/hp]"
				     "[count]http://count.example/go[/count]";
	const size_t at = 333;
	for (size_t i = 0; i < 428; i++)
		content[at + i] = (uint8_t)((i < sizeof config ? (uint8_t)config[i] : 0) ^ key[i % 16]);
	struct analysis *a;
	struct fault fault;
	CHECK(lab_analyse(&a, (struct bytes){content, sizeof content}, NULL, &fault) == 0);
	const struct findings *f = analysis_findings(a);
	unsigned found = 0;
	for (size_t i = 0; i < f->indicator_count; i++)
		if (!strcmp(f->indicators[i].how, "mozi-config"))
			found += bytes_equal_text(f->indicators[i].value, "198.51.100.9:8080") ||
				 bytes_equal_text(f->indicators[i].value, "http://count.example/go");
	CHECK_SAY(found == 2, "%u found", found);
	CHECK(f->family_count && !strcmp(f->families[0].name, "mozi"));
	CHECK(known == (strstr(f->families[0].reasons, "its key") != NULL));
	analysis_free(a);
}

TEST(mozi_configurations_are_read_under_known_and_new_keys)
{
	static const uint8_t known[16] = {0x4e, 0x66, 0x5a, 0x8f, 0x80, 0xc8, 0xac, 0x23,
					  0x8d, 0xac, 0x47, 0x06, 0xd5, 0x4f, 0x6f, 0x7e};
	static const uint8_t other[16] = {0x91, 0x02, 0xe3, 0x44, 0xb5, 0x16, 0x87, 0xf8,
					  0x29, 0xca, 0x3b, 0x5c, 0xed, 0x7e, 0x0f, 0xa0};
	mozi_check(known, true);
	mozi_check(other, false);
}
