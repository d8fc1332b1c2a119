/*
 * An ELF file's headers, whatever they claim: offsets are checked where they are used, so nothing
 * here reads outside the content.
 */
#pragma once
#include "base/bytes.h"

enum elf_damage {
	ELF_CLASS_WRONG, ELF_ORDER_WRONG, ELF_SEGMENT_SIZE, ELF_SECTION_SIZE, ELF_SEGMENTS_BEYOND, ELF_SECTIONS_BEYOND,
	ELF_VERSION_WRONG, ELF_NAMES_WRONG, ELF_DAMAGES
};
const char *elf_damage_text(unsigned which);

struct elf {
	struct bytes content;
	bool wide, big; /* 64 bit, high byte first */
	unsigned type, machine, flags;
	uint64_t entry, segments_at, sections_at;
	unsigned segment_count, section_count, segment_size, section_size, header_size, names_index;
	unsigned damaged; /* bits of enum elf_damage */
	const char *architecture;
};

struct elf_segment {
	unsigned type, flags;
	uint64_t offset, address, size, memory;
};

struct elf_section {
	unsigned name, type;
	uint64_t address, offset, size;
};

/* False when there is not even a header. */
bool elf_open(struct elf *, struct bytes content);
uint64_t elf_get(const struct elf *, uint64_t at, size_t width); /* 0 beyond the end */
struct bytes elf_bytes(const struct elf *, uint64_t at, uint64_t size); /* empty unless it is whole */
struct elf_segment elf_segment(const struct elf *, unsigned i);
struct elf_section elf_section(const struct elf *, unsigned i);
