/*
 * Programs that are only looked at: loaders read the ELF header of /bin/echo to learn
 * the machine (System V ABI, "ELF Header"), so header, program headers and section
 * table are true to the persona's architecture; the code is noise of its word shape.
 */
#include "base/random.h"
#include "passive/device/persona/persona_inner.h"

#define HEADER 52
#define PROGRAM_HEADER 32
#define SECTION_HEADER 40
#define PROGRAM_HEADERS 3
#define SECTIONS 4

struct machine {
	uint16_t number;
	bool big_endian;
	uint32_t flags, base, align;
	uint32_t words[4]; /* common opcodes; the low 16 bits are replaced by noise */
};

static const struct machine machines[] = {
        [PERSONA_ARM] = {40,
                         false,
                         0x05000002,
                         0x8000,
                         0x8000,
                         {0xe59f0000, 0xe1a00000, 0xeb000000, 0xe92d0000}},
        [PERSONA_MIPS] = {8,
                          true,
                          0x50001007,
                          0x400000,
                          0x10000,
                          {0x8f990000, 0x27bd0000, 0xafbf0000, 0x24420000}},
        [PERSONA_MIPSEL] = {8,
                            false,
                            0x50001007,
                            0x400000,
                            0x10000,
                            {0x8f990000, 0x27bd0000, 0xafbf0000, 0x24420000}},
        [PERSONA_X86] =
                {3, false, 0, 0x8048000, 0x1000, {0x8b450000, 0x89e50000, 0xe8000000, 0x83ec0000}},
};

static void put(struct writer *w, const struct machine *m, uint32_t v, size_t width)
{
	uint8_t b[4];
	for (size_t i = 0; i < width; i++)
		b[m->big_endian ? width - 1 - i : i] = (uint8_t)(v >> 8 * i);
	write_bytes(w, b, width);
}

static void put_header(struct writer *w, const struct machine *m, uint32_t sections_at)
{
	static const uint8_t ident_zero[8];
	write_bytes(w,
	            "\x7f"
	            "ELF\x01",
	            5);
	write_u8(w, m->big_endian ? 2 : 1);
	write_u8(w, 1);
	write_u8(w, m->number == 40 ? 0x61 : 0); /* EI_OSABI: ARM's own before EABI v5 */
	write_bytes(w, ident_zero, 8);
	put(w, m, 2, 2); /* ET_EXEC */
	put(w, m, m->number, 2);
	put(w, m, 1, 4);
	put(w, m, m->base + 0x1f0, 4); /* e_entry */
	put(w, m, HEADER, 4);
	put(w, m, sections_at, 4);
	put(w, m, m->flags, 4);
	put(w, m, HEADER, 2);
	put(w, m, PROGRAM_HEADER, 2);
	put(w, m, PROGRAM_HEADERS, 2);
	put(w, m, SECTION_HEADER, 2);
	put(w, m, SECTIONS, 2);
	put(w, m, SECTIONS - 1, 2);
}

static void put_words(struct writer *w, const struct machine *m, const uint32_t *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		put(w, m, v[i], 4);
}

static void put_program_headers(struct writer *w, const struct machine *m, uint32_t code_size,
                                uint32_t writable_size)
{
	uint32_t second = m->base + code_size + m->align;
	const uint32_t headers[] = {
	        1,
	        0,
	        m->base,
	        m->base,
	        code_size,
	        code_size,
	        5,
	        m->align,
	        1,
	        code_size,
	        second,
	        second,
	        writable_size,
	        writable_size + 0x2000,
	        6,
	        m->align,
	        0x6474e551,
	        0,
	        0,
	        0,
	        0,
	        0,
	        7,
	        4, /* PT_GNU_STACK */
	};
	put_words(w, m, headers, sizeof headers / sizeof *headers);
}

static void put_sections(struct writer *w, const struct machine *m, uint32_t code_size,
                         uint32_t names_at)
{
	const uint32_t sections[SECTIONS * 10] = {
	        0,         0,
	        0,         0,
	        0,         0,
	        0,         0,
	        0,         0,
	        1,         1,
	        6,         m->base + 0x1f0,
	        0x1f0,     code_size - 0x1f0,
	        0,         0,
	        16,        0,
	        7,         1,
	        3,         m->base + code_size + m->align,
	        code_size, names_at - code_size,
	        0,         0,
	        4,         0,
	        13,        3,
	        0,         0,
	        names_at,  24,
	        0,         0,
	        1,         0,
	};
	put_words(w, m, sections, SECTIONS * 10);
}

struct bytes elf_make(const struct persona *p, size_t size, struct arena *keep)
{
	static const char names[24] = "\0.text\0.data\0.shstrtab\0";
	const struct machine *m = &machines[p->arch];
	uint8_t *at = arena_alloc(keep, size);
	if (!at || size < 4096)
		return (struct bytes){0};
	uint32_t sections_at = (uint32_t)((size - SECTIONS * SECTION_HEADER) & ~(size_t)3);
	uint32_t names_at = sections_at - sizeof names;
	uint32_t code_size = (uint32_t)(size * 7 / 8) & ~4095u;
	if (code_size < 2048)
		code_size = 2048;
	struct random noise = random_seeded(size);
	struct writer w = writer_of(at, size);
	put_header(&w, m, sections_at);
	put_program_headers(&w, m, code_size, names_at - code_size);
	write_zero(&w, 0x1f0 - writer_used(&w));
	while (writer_used(&w) + 4 <= code_size * 3 / 4) {
		uint64_t r = random_next(&noise);
		put(&w, m, m->words[r & 3] | (r >> 8 & 0xffff), 4);
	}
	write_fmt(&w, "BusyBox %s (%s)", p->busybox, p->busybox_date);
	write_zero(&w, names_at - writer_used(&w));
	write_bytes(&w, names, sizeof names);
	put_sections(&w, m, code_size, names_at);
	return w.bad ? (struct bytes){0} : (struct bytes){at, size};
}
