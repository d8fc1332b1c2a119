#include "lab/elf_inner.h"
#include "base/little.h"

#define HEADER_32 52
#define HEADER_64 64

enum { EM_MIPS = 8, EM_MIPS_RS3 = 10 };

static const struct machine {
	unsigned number;
	const char *little_32, *big_32, *little_64, *big_64;
} machines[] = {
	{2, "sparc", "sparc", "sparc64", "sparc64"},
	{3, "i386", "i386", "i386", "i386"},
	{4, "m68k", "m68k", "m68k", "m68k"},
	{6, "i386", "i386", "i386", "i386"},
	{8, "mipsel", "mips", "mips64el", "mips64"},
	{10, "mipsel", "mips", "mips64el", "mips64"},
	{15, "hppa", "hppa", "hppa64", "hppa64"},
	{18, "sparc", "sparc", "sparc64", "sparc64"},
	{20, "powerpcle", "powerpc", "powerpc64le", "powerpc64"},
	{21, "powerpc64le", "powerpc64", "powerpc64le", "powerpc64"},
	{22, "s390", "s390", "s390x", "s390x"},
	{40, "arm", "armeb", "arm", "armeb"},
	{42, "sh4", "sh4eb", "sh4", "sh4eb"},
	{43, "sparc64", "sparc64", "sparc64", "sparc64"},
	{50, "ia64", "ia64", "ia64", "ia64"},
	{62, "x32", "x86-64", "x86-64", "x86-64"},
	{92, "or1k", "or1k", "or1k", "or1k"},
	{93, "arc", "arceb", "arc", "arceb"},
	{94, "xtensa", "xtensaeb", "xtensa", "xtensaeb"},
	{106, "blackfin", "blackfin", "blackfin", "blackfin"},
	{183, "aarch64", "aarch64_be", "aarch64", "aarch64_be"},
	{189, "microblazeel", "microblaze", "microblazeel", "microblaze"},
	{195, "arc", "arceb", "arc", "arceb"},
	{243, "riscv32", "riscv32", "riscv64", "riscv64"},
	{247, "bpf", "bpf", "bpf", "bpf"},
	{252, "csky", "csky", "csky", "csky"},
	{258, "loongarch32", "loongarch32", "loongarch64", "loongarch64"},
	{0x9026, "alpha", "alpha", "alpha", "alpha"},
};

const char *elf_damage_text(unsigned which)
{
	static const char *const texts[ELF_DAMAGES] = {
		[ELF_CLASS_WRONG] = "its class is neither 32 nor 64 bit, or not what the rest says",
		[ELF_ORDER_WRONG] = "its byte order is not the one that the rest is written in",
		[ELF_SEGMENT_SIZE] = "wrong size of program headers",
		[ELF_SECTION_SIZE] = "wrong size of section headers",
		[ELF_SEGMENTS_BEYOND] = "program headers lie beyond the end of the file",
		[ELF_SECTIONS_BEYOND] = "section headers lie beyond the end of the file",
		[ELF_VERSION_WRONG] = "wrong version",
		[ELF_NAMES_WRONG] = "there is no such table of section names",
	};
	return which < ELF_DAMAGES ? texts[which] : "";
}

struct bytes elf_bytes(const struct elf *e, uint64_t at, uint64_t size)
{
	if (at > e->content.len || size > e->content.len - at || !size)
		return (struct bytes){0};
	return (struct bytes){e->content.at + at, (size_t)size};
}

uint64_t elf_get(const struct elf *e, uint64_t at, size_t width)
{
	struct bytes b = elf_bytes(e, at, width);
	if (!b.len)
		return 0;
	if (!e->big)
		return little_get(b.at, width);
	struct reader r = reader_of_bytes(b);
	return read_be(&r, width);
}

static const struct machine *machine_find(unsigned number)
{
	for (size_t i = 0; i < sizeof machines / sizeof *machines; i++)
		if (machines[i].number == number)
			return &machines[i];
	return NULL;
}

/* The kernel takes the order of its processor for granted, so a lie here costs a bot nothing. */
static void order_settle(struct elf *e)
{
	uint8_t claimed = e->content.at[5];
	e->big = claimed == 2;
	bool fits = elf_get(e, 16, 2) <= 4 && machine_find((unsigned)elf_get(e, 18, 2));
	e->big = !e->big;
	bool other = elf_get(e, 16, 2) <= 4 && elf_get(e, 16, 2) && machine_find((unsigned)elf_get(e, 18, 2));
	e->big = !e->big;
	if (!fits && other)
		e->big = !e->big;
	if ((claimed != 1 && claimed != 2) || (!fits && other))
		e->damaged |= 1u << ELF_ORDER_WRONG;
}

/* The size of the header tells the class when the byte for it does not. */
static void class_settle(struct elf *e)
{
	uint8_t claimed = e->content.at[4];
	bool says_64 = elf_get(e, 52, 2) == HEADER_64, says_32 = elf_get(e, 40, 2) == HEADER_32;
	e->wide = claimed == 2;
	if (claimed == 1 || claimed == 2) {
		if (e->wide ? says_64 || !says_32 : says_32 || !says_64)
			return;
		e->wide = !e->wide;
	} else {
		e->wide = says_64 && !says_32;
	}
	e->damaged |= 1u << ELF_CLASS_WRONG;
}

static void tables_check(struct elf *e)
{
	unsigned segment = e->wide ? 56 : 32, section = e->wide ? 64 : 40;
	if (e->segment_count && e->segment_size != segment)
		e->damaged |= 1u << ELF_SEGMENT_SIZE;
	if (e->section_count && e->section_size != section)
		e->damaged |= 1u << ELF_SECTION_SIZE;
	e->segment_size = segment;
	e->section_size = section;
	if (e->segment_count && !elf_bytes(e, e->segments_at, (uint64_t)e->segment_count * segment).len) {
		e->damaged |= 1u << ELF_SEGMENTS_BEYOND;
		e->segment_count = 0;
	}
	if (e->section_count && !elf_bytes(e, e->sections_at, (uint64_t)e->section_count * section).len) {
		e->damaged |= 1u << ELF_SECTIONS_BEYOND;
		e->section_count = 0;
	}
	if (e->section_count && e->names_index >= e->section_count)
		e->damaged |= 1u << ELF_NAMES_WRONG;
}

static const char *architecture_of(const struct elf *e)
{
	const struct machine *m = machine_find(e->machine);
	if (!m)
		return "unknown";
	if ((e->machine == EM_MIPS || e->machine == EM_MIPS_RS3) && !e->wide && e->flags & 0x20) /* EF_MIPS_ABI2 */
		return e->big ? "mipsn32" : "mipsn32el";
	return e->wide ? (e->big ? m->big_64 : m->little_64) : e->big ? m->big_32 : m->little_32;
}

bool elf_open(struct elf *e, struct bytes content)
{
	*e = (struct elf){.content = content};
	if (content.len < HEADER_32)
		return false;
	order_settle(e);
	class_settle(e);
	if (e->wide && content.len < HEADER_64)
		return false;
	size_t w = e->wide ? 8 : 4, at = 24;
	e->header_size = e->wide ? HEADER_64 : HEADER_32;
	e->type = (unsigned)elf_get(e, 16, 2);
	e->machine = (unsigned)elf_get(e, 18, 2);
	if (elf_get(e, 20, 4) != 1)
		e->damaged |= 1u << ELF_VERSION_WRONG;
	e->entry = elf_get(e, at, w);
	e->segments_at = elf_get(e, at + w, w);
	e->sections_at = elf_get(e, at + 2 * w, w);
	at += 3 * w;
	e->flags = (unsigned)elf_get(e, at, 4);
	e->segment_size = (unsigned)elf_get(e, at + 6, 2);
	e->segment_count = (unsigned)elf_get(e, at + 8, 2);
	e->section_size = (unsigned)elf_get(e, at + 10, 2);
	e->section_count = (unsigned)elf_get(e, at + 12, 2);
	e->names_index = (unsigned)elf_get(e, at + 14, 2);
	tables_check(e);
	e->architecture = architecture_of(e);
	return true;
}

struct elf_segment elf_segment(const struct elf *e, unsigned i)
{
	uint64_t at = e->segments_at + (uint64_t)i * e->segment_size;
	if (i >= e->segment_count)
		return (struct elf_segment){0};
	if (!e->wide)
		return (struct elf_segment){
			.type = (unsigned)elf_get(e, at, 4), .offset = elf_get(e, at + 4, 4),
			.address = elf_get(e, at + 8, 4), .size = elf_get(e, at + 16, 4),
			.memory = elf_get(e, at + 20, 4), .flags = (unsigned)elf_get(e, at + 24, 4)};
	return (struct elf_segment){
		.type = (unsigned)elf_get(e, at, 4), .flags = (unsigned)elf_get(e, at + 4, 4),
		.offset = elf_get(e, at + 8, 8), .address = elf_get(e, at + 16, 8),
		.size = elf_get(e, at + 32, 8), .memory = elf_get(e, at + 40, 8)};
}

struct elf_section elf_section(const struct elf *e, unsigned i)
{
	uint64_t at = e->sections_at + (uint64_t)i * e->section_size;
	size_t w = e->wide ? 8 : 4;
	if (i >= e->section_count)
		return (struct elf_section){0};
	return (struct elf_section){
		.name = (unsigned)elf_get(e, at, 4), .type = (unsigned)elf_get(e, at + 4, 4),
		.address = elf_get(e, at + 8 + w, w), .offset = elf_get(e, at + 8 + 2 * w, w),
		.size = elf_get(e, at + 8 + 3 * w, w)};
}
