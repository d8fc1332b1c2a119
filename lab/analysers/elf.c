/*
 * ELF, read as the kernel reads it and no stricter.
 *
 * Makers of bots damage what only tools look at: section headers that point nowhere, a wrong byte
 * order or class, odd sizes of table entries.  The kernel starts such a file all the same, so each
 * lie is told (elf.damaged) and reading goes on with what the rest of the header says.
 */
#include "lab/analyser.h"
#include "lab/elf_inner.h"
#include "lab/entropy.h"

#define SEGMENTS_MAX 32
#define SECTIONS_MAX 512
#define NEEDED_MAX 32
#define PACKED_ENTROPY 7.2
#define TEXT_MAX 200

enum { PT_LOAD = 1, PT_DYNAMIC = 2, PT_INTERP = 3 };
enum { SHT_SYMTAB = 2, SHT_NOBITS = 8, DT_NEEDED = 1, DT_STRTAB = 5, DT_RPATH = 15, DT_RUNPATH = 29 };

static struct bytes text_at(const struct elf *e, uint64_t at)
{
	struct bytes b = elf_bytes(e, at, TEXT_MAX);
	if (!b.len && at < e->content.len)
		b = (struct bytes){e->content.at + at, e->content.len - at};
	const uint8_t *end = b.len ? memchr(b.at, 0, b.len) : NULL;
	return end ? (struct bytes){b.at, (size_t)(end - b.at)} : (struct bytes){0};
}

static void text_fact(struct analysis *a, const char *name, struct bytes text)
{
	if (text.len)
		analysis_fact(a, name, "%.*s", (int)text.len, (const char *)text.at);
}

static void segments_look(struct analysis *a, const struct elf *e)
{
	for (unsigned i = 0; i < e->segment_count && i < SEGMENTS_MAX; i++) {
		struct elf_segment s = elf_segment(e, i);
		if (s.type != PT_LOAD)
			continue;
		struct bytes b = elf_bytes(e, s.offset, s.size);
		bool cut = s.size && !b.len;
		if (cut && s.offset < e->content.len)
			b = (struct bytes){e->content.at + s.offset, e->content.len - s.offset};
		double entropy = bytes_entropy(b);
		analysis_fact(a, "elf.segment", "%c%c%c at 0x%llx, %llu bytes, entropy %.2f", s.flags & 4 ? 'r' : '-',
			      s.flags & 2 ? 'w' : '-', s.flags & 1 ? 'x' : '-', (unsigned long long)s.address,
			      (unsigned long long)s.size, entropy);
		if (cut)
			analysis_fact(a, "elf.damaged", "segment %u lies beyond the end of the file", i);
		if (s.flags & 1 && b.len > 2048 && entropy > PACKED_ENTROPY)
			analysis_fact(a, "elf.packed", "code with entropy %.2f", entropy);
		if ((s.flags & 3) == 3)
			analysis_fact(a, "elf.odd", "a segment can be written and executed");
	}
}

/* Where in the file the byte lies that is loaded to that address. */
static uint64_t offset_of(const struct elf *e, uint64_t address)
{
	for (unsigned i = 0; i < e->segment_count; i++) {
		struct elf_segment s = elf_segment(e, i);
		if (s.type == PT_LOAD && address >= s.address && address - s.address < s.size)
			return s.offset + (address - s.address);
	}
	return UINT64_MAX;
}

static uint64_t dynamic_find(const struct elf *e, const struct elf_segment *d, uint64_t tag)
{
	size_t w = e->wide ? 8 : 4;
	for (uint64_t at = d->offset; at - d->offset < d->size && elf_bytes(e, at, 2 * w).len; at += 2 * w)
		if (elf_get(e, at, w) == tag)
			return elf_get(e, at + w, w);
	return UINT64_MAX;
}

static void dynamic_look(struct analysis *a, const struct elf *e, const struct elf_segment *d)
{
	size_t w = e->wide ? 8 : 4, needed = 0;
	uint64_t strings = offset_of(e, dynamic_find(e, d, DT_STRTAB));
	if (strings == UINT64_MAX) {
		analysis_fact(a, "elf.damaged", "the dynamic segment names no strings");
		return;
	}
	for (uint64_t at = d->offset; at - d->offset < d->size && elf_bytes(e, at, 2 * w).len; at += 2 * w) {
		uint64_t tag = elf_get(e, at, w), value = elf_get(e, at + w, w);
		if (!tag)
			break;
		if (value > e->content.len)
			continue;
		if (tag == DT_NEEDED && needed++ < NEEDED_MAX)
			text_fact(a, "elf.needed", text_at(e, strings + value));
		else if (tag == DT_RPATH || tag == DT_RUNPATH)
			text_fact(a, "elf.runpath", text_at(e, strings + value));
	}
}

/* Static, dynamic, or neither: who has no interpreter but a dynamic segment is a library or static PIE. */
static void linking_look(struct analysis *a, const struct elf *e)
{
	bool interpreter = false, dynamic = false;
	for (unsigned i = 0; i < e->segment_count && i < SEGMENTS_MAX; i++) {
		struct elf_segment s = elf_segment(e, i);
		if (s.type == PT_INTERP) {
			interpreter = true;
			text_fact(a, "elf.interpreter", text_at(e, s.offset));
		} else if (s.type == PT_DYNAMIC) {
			dynamic = true;
			dynamic_look(a, e, &s);
		}
	}
	if (e->type == 2 || e->type == 3)
		analysis_fact(a, "elf.linking", "%s", interpreter ? "dynamic" : dynamic ? "static-pie or library" : "static");
}

static void build_id_look(struct analysis *a, const struct elf *e, const struct elf_section *s)
{
	/* A note: sizes of name and description, type 3, "GNU". */
	struct bytes id = elf_bytes(e, s->offset + 16, s->size > 16 && s->size <= 64 ? s->size - 16 : 0);
	char text[129] = "";
	for (size_t i = 0; i < id.len && i < 64; i++)
		snprintf(text + 2 * i, 3, "%02x", id.at[i]);
	if (id.len)
		analysis_fact(a, "elf.build-id", "%s", text);
}

/* Names of sections are hints alone, so what they say of the maker's tools is told and nothing else. */
static void sections_look(struct analysis *a, const struct elf *e)
{
	struct elf_section names = elf_section(e, e->names_index);
	bool symbols = false;
	for (unsigned i = 0; i < e->section_count && i < SECTIONS_MAX; i++) {
		struct elf_section s = elf_section(e, i);
		struct bytes name = s.name < names.size ? text_at(e, names.offset + s.name) : (struct bytes){0};
		symbols |= s.type == SHT_SYMTAB && s.size > 0;
		if (bytes_equal_text(name, ".comment"))
			text_fact(a, "elf.compiler", text_at(e, s.offset));
		else if (bytes_equal_text(name, ".note.gnu.build-id"))
			build_id_look(a, e, &s);
		else if (bytes_equal_text(name, ".gopclntab") || bytes_equal_text(name, ".go.buildinfo"))
			analysis_fact(a, "elf.language", "go");
		if (s.type != SHT_NOBITS && s.size && !elf_bytes(e, s.offset, s.size).len)
			analysis_fact(a, "elf.damaged", "section %u lies beyond the end of the file", i);
	}
	if (e->section_count)
		analysis_fact(a, "elf.sections", "%u", e->section_count);
	if (e->type == 2 || e->type == 3)
		analysis_fact(a, "elf.stripped", "%s", symbols ? "no" : "yes");
}

/* What comes after all that the headers know: appended by a packer, an installer or a virus. */
static void overlay_look(struct analysis *a, const struct elf *e)
{
	uint64_t end = e->header_size;
	for (unsigned i = 0; i < e->segment_count; i++) {
		struct elf_segment s = elf_segment(e, i);
		if (elf_bytes(e, s.offset, s.size).len && s.offset + s.size > end)
			end = s.offset + s.size;
	}
	for (unsigned i = 0; i < e->section_count && i < SECTIONS_MAX; i++) {
		struct elf_section s = elf_section(e, i);
		if (s.type != SHT_NOBITS && elf_bytes(e, s.offset, s.size).len && s.offset + s.size > end)
			end = s.offset + s.size;
	}
	uint64_t tables = e->sections_at + (uint64_t)e->section_count * e->section_size;
	if (e->section_count && tables <= e->content.len && tables > end)
		end = tables;
	if (end < e->content.len && e->type != 1)
		analysis_fact(a, "elf.overlay", "%llu bytes at 0x%llx", (unsigned long long)(e->content.len - end),
			      (unsigned long long)end);
}

static void elf_analyse(struct analysis *a, const struct part *part)
{
	static const char *const types[] = {"none", "relocatable", "executable", "shared", "core"};
	struct elf e;
	if (!elf_open(&e, part->content)) {
		analysis_fact(a, "elf.damaged", "the file ends within its header");
		return;
	}
	analysis_architecture(a, e.architecture);
	analysis_fact(a, "elf.class", "%s, %s first", e.wide ? "64 bit" : "32 bit", e.big ? "high byte" : "low byte");
	analysis_fact(a, "elf.type", "%s", e.type < 5 ? types[e.type] : "unknown");
	analysis_fact(a, "elf.entry", "0x%llx", (unsigned long long)e.entry);
	if (!strcmp(e.architecture, "unknown"))
		analysis_fact(a, "elf.machine", "%u", e.machine);
	for (unsigned i = 0; i < ELF_DAMAGES; i++)
		if (e.damaged & 1u << i)
			analysis_fact(a, "elf.damaged", "%s", elf_damage_text(i));
	linking_look(a, &e);
	segments_look(a, &e);
	sections_look(a, &e);
	overlay_look(a, &e);
	if (bytes_find(part->content, "Go build ID: \"") < part->content.len)
		analysis_fact(a, "elf.language", "go");
	else if (bytes_find(part->content, "/rustc/") < part->content.len)
		analysis_fact(a, "elf.language", "rust");
}

static const char *const elf_types[] = {"elf", NULL};
static const struct analyser elf = {
	.name = "elf",
	.summary = "ELF programs and libraries, also damaged ones",
	.reference = "System V ABI, edition 4.1, chapters 4 and 5",
	.phase = 0,
	.types = elf_types,
	.analyse = elf_analyse,
};
ANALYSER(elf);
