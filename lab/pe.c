#include "lab/pe_inner.h"
#include "base/little.h"

#define SECTIONS_MAX 96 /* as the loader allows */
#define DIRECTORIES_MAX 16

uint64_t pe_get(const struct pe *p, uint64_t at, size_t width)
{
	struct bytes b = pe_bytes(p, at, width);
	return b.len ? little_get(b.at, width) : 0;
}

struct bytes pe_bytes(const struct pe *p, uint64_t at, uint64_t size)
{
	if (at > p->content.len || size > p->content.len - at || !size)
		return (struct bytes){0};
	return (struct bytes){p->content.at + at, (size_t)size};
}

struct bytes pe_text(const struct pe *p, uint64_t at, size_t max)
{
	if (at >= p->content.len)
		return (struct bytes){0};
	struct bytes b = {p->content.at + at, p->content.len - at};
	size_t n = 0;
	while (n < b.len && n < max && b.at[n] >= 0x20 && b.at[n] < 0x7f)
		n++;
	return (struct bytes){b.at, n};
}

static const char *architecture_of(unsigned machine)
{
	switch (machine) {
	case 0x14c:
		return "i386";
	case 0x8664:
		return "x86-64";
	case 0x1c0:
	case 0x1c2:
	case 0x1c4:
		return "arm";
	case 0xaa64:
		return "aarch64";
	case 0x200:
		return "ia64";
	default:
		return "unknown";
	}
}

bool pe_open(struct pe *p, struct bytes content)
{
	*p = (struct pe){.content = content};
	uint64_t at = pe_get(p, 0x3c, 4);
	if (!pe_bytes(p, at, 24).len || pe_get(p, at, 4) != 0x4550)
		return false;
	p->machine = (unsigned)pe_get(p, at + 4, 2);
	p->section_count = (unsigned)pe_get(p, at + 6, 2);
	p->time = (uint32_t)pe_get(p, at + 8, 4);
	p->symbols = (uint32_t)pe_get(p, at + 12, 4);
	p->flags = (unsigned)pe_get(p, at + 22, 2);
	uint64_t optional = at + 24, optional_size = pe_get(p, at + 20, 2);
	p->wide = pe_get(p, optional, 2) == 0x20b;
	p->entry = (uint32_t)pe_get(p, optional + 16, 4);
	p->subsystem = (unsigned)pe_get(p, optional + 68, 2);
	p->directory_count = (unsigned)pe_get(p, optional + (p->wide ? 108 : 92), 4);
	p->directories_at = optional + (p->wide ? 112 : 96);
	p->sections_at = optional + optional_size;
	p->architecture = architecture_of(p->machine);
	if (p->directory_count > DIRECTORIES_MAX) {
		p->damaged = "more directories than there are";
		p->directory_count = DIRECTORIES_MAX;
	}
	if (p->section_count > SECTIONS_MAX || !pe_bytes(p, p->sections_at, 40ull * p->section_count).len) {
		uint64_t room = p->sections_at < content.len ? (content.len - p->sections_at) / 40 : 0;
		p->damaged = "section headers lie beyond the end of the file, or are too many";
		if (p->section_count > SECTIONS_MAX)
			p->section_count = SECTIONS_MAX;
		if (p->section_count > room)
			p->section_count = (unsigned)room;
	}
	p->headers_end = p->sections_at + 40ull * p->section_count;
	return true;
}

struct pe_section pe_section(const struct pe *p, unsigned i)
{
	uint64_t at = p->sections_at + 40ull * i;
	struct pe_section s = {.memory = (uint32_t)pe_get(p, at + 8, 4), .address = (uint32_t)pe_get(p, at + 12, 4),
			       .size = (uint32_t)pe_get(p, at + 16, 4), .offset = (uint32_t)pe_get(p, at + 20, 4),
			       .flags = (uint32_t)pe_get(p, at + 36, 4)};
	struct bytes name = pe_bytes(p, at, 8);
	for (size_t k = 0; k < name.len && name.at[k]; k++)
		s.name[k] = name.at[k] >= 0x20 && name.at[k] < 0x7f ? (char)name.at[k] : '?';
	return s;
}

struct pe_directory pe_directory(const struct pe *p, enum pe_table which)
{
	uint64_t at = p->directories_at + 8ull * which;
	if (which >= p->directory_count)
		return (struct pe_directory){0};
	return (struct pe_directory){(uint32_t)pe_get(p, at, 4), (uint32_t)pe_get(p, at + 4, 4)};
}

uint64_t pe_offset(const struct pe *p, uint32_t address)
{
	for (unsigned i = 0; i < p->section_count; i++) {
		struct pe_section s = pe_section(p, i);
		if (address >= s.address && address - s.address < s.size)
			return (uint64_t)s.offset + (address - s.address);
	}
	return address < p->headers_end ? address : UINT64_MAX;
}

const char *pe_subsystem(const struct pe *p)
{
	static const char *const names[] = {"unknown", "native", "windows", "console", [7] = "posix", [9] = "windows ce",
					    [10] = "efi", [11] = "efi", [12] = "efi"};
	return p->subsystem < sizeof names / sizeof *names && names[p->subsystem] ? names[p->subsystem] : "unknown";
}
