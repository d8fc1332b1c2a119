/* A PE file's headers; every offset is checked where it is used. */
#pragma once
#include "base/bytes.h"

enum pe_table { PE_EXPORTS = 0, PE_IMPORTS = 1, PE_RESOURCES = 2, PE_SECURITY = 4, PE_DEBUG = 6, PE_TLS = 9, PE_CLR = 14 };

struct pe {
	struct bytes content;
	bool wide; /* PE32+ */
	unsigned machine, section_count, flags, subsystem, directory_count;
	uint32_t time, entry, symbols;
	uint64_t sections_at, directories_at, headers_end;
	const char *architecture, *damaged; /* NULL: nothing is */
};

struct pe_section {
	char name[9];
	uint32_t address, memory, offset, size, flags;
};

struct pe_directory {
	uint32_t address, size;
};

bool pe_open(struct pe *, struct bytes content);
uint64_t pe_get(const struct pe *, uint64_t at, size_t width); /* low byte first; 0 beyond the end */
struct bytes pe_bytes(const struct pe *, uint64_t at, uint64_t size); /* empty unless it is whole */
struct bytes pe_text(const struct pe *, uint64_t at, size_t max); /* up to its zero; empty when it is not printable */
struct pe_section pe_section(const struct pe *, unsigned i);
struct pe_directory pe_directory(const struct pe *, enum pe_table);
/* Where in the file lies what is loaded to that address relative to the image; UINT64_MAX: nowhere. */
uint64_t pe_offset(const struct pe *, uint32_t address);
const char *pe_subsystem(const struct pe *);
