/*
 * Programs packed with UPX, also those whose headers were damaged so that UPX itself refuses them.
 *
 * An ELF file of UPX has, behind its program headers, l_info (with "UPX!"), p_info (sizes) and blocks, each
 * with its own b_info; at the end of the file a pack header repeats what p_info says (UPX's
 * src/stub/src/include/linux.h and src/packhead.cpp).  The stub that unpacks at run time needs only
 * the blocks.  So bots blank the magic or p_info (Mozi zeroes the sizes): here the blocks are believed, the
 * sizes come from the pack header or from the unpacked headers, and a repaired copy is given as a part.
 *
 * Filters, which turn addresses of calls around, are left in: strings and tables are not touched by them.
 */
#include "lab/analyser.h"
#include "lab/elf_inner.h"
#include "lab/upx_inner.h"
#include "base/little.h"

#define LOADER_INFO 12
#define PROGRAM_INFO 12
#define BLOCK_INFO 12
#define PACK_HEADER 32
#define LOOK_MAX 512     /* behind the program headers, for the magic */
#define TAIL_MAX 4096    /* where the pack header is sought, from the end */
#define EXTENTS_MAX 64
#define BLOCKS_MAX 512

struct extent {
	uint64_t at, size;
};

struct upx {
	struct analysis *analysis;
	struct elf elf;
	struct bytes content;
	size_t info;  /* l_info */
	uint64_t size; /* of the original file, 0: not known */
	bool magic_gone, sizes_gone;
	uint8_t *image;
	uint64_t image_size, written;
	struct extent extents[EXTENTS_MAX];
	size_t extent_count, extent_now;
};

static uint64_t number(const struct upx *u, uint64_t at) { return elf_get(&u->elf, at, 4); }

/* A block that can be one: sizes within bounds, a method that exists. */
static bool block_plausible(const struct upx *u, uint64_t at)
{
	struct bytes head = elf_bytes(&u->elf, at, BLOCK_INFO);
	uint64_t unpacked = number(u, at), packed = number(u, at + 4);
	return head.len && unpacked && unpacked <= UPX_UNPACKED_MAX && packed && packed <= unpacked &&
	       (upx_method_known(head.at[8]) || packed == unpacked) && elf_bytes(&u->elf, at + BLOCK_INFO, packed).len;
}

/* The first block holds the original's ELF header and program headers, so its size is known by class. */
static bool first_block_plausible(const struct upx *u, uint64_t at)
{
	uint64_t head = u->elf.wide ? 64 : 52, entry = u->elf.wide ? 56 : 32, unpacked = number(u, at);
	return block_plausible(u, at) && unpacked >= head + entry && unpacked <= head + 64 * entry;
}

static bool info_find(struct upx *u)
{
	uint64_t from = u->elf.segments_at + (uint64_t)u->elf.segment_count * u->elf.segment_size;
	if (!u->elf.segment_count || from >= u->content.len)
		return false;
	uint64_t to = from + LOOK_MAX < u->content.len ? from + LOOK_MAX : u->content.len;
	const uint8_t *magic = memmem(u->content.at + from, to - from, "UPX!", 4);
	if (magic && magic - u->content.at >= 4) {
		u->info = (size_t)(magic - u->content.at) - 4;
		if (first_block_plausible(u, u->info + LOADER_INFO + PROGRAM_INFO))
			return true;
	}
	for (uint64_t at = from; at + 64 < to; at += 4)
		if (first_block_plausible(u, at + LOADER_INFO + PROGRAM_INFO)) {
			u->info = at;
			u->magic_gone = memcmp(u->content.at + at + 4, "UPX!", 4) != 0;
			return true;
		}
	return false;
}

/* The last pack header; its magic may be blanked as well. */
static uint64_t packed_size_find(const struct upx *u)
{
	size_t from = u->content.len > TAIL_MAX ? u->content.len - TAIL_MAX : 0;
	for (size_t at = u->content.len; at-- > from;)
		if (u->content.len - at >= PACK_HEADER && !memcmp(u->content.at + at, "UPX!", 4)) {
			uint64_t size = number(u, at + 24);
			if (size && size <= UPX_UNPACKED_MAX && size >= number(u, u->info + LOADER_INFO + PROGRAM_INFO))
				return size;
		}
	return 0;
}

static void extent_add(struct upx *u, uint64_t at, uint64_t end)
{
	if (end > at && end <= u->image_size && u->extent_count < EXTENTS_MAX)
		u->extents[u->extent_count++] = (struct extent){at, end - at};
}

/* Where blocks go: what is loaded, in the order of the headers, then the gaps between. */
static void extents_plan(struct upx *u, const struct elf *original, uint64_t headers)
{
	for (unsigned i = 0; i < original->segment_count && i < EXTENTS_MAX / 2; i++) {
		struct elf_segment s = elf_segment(original, i);
		if (s.type == 1 && s.size <= u->image_size && s.offset <= u->image_size)
			extent_add(u, s.offset < headers ? headers : s.offset, s.offset + s.size);
	}
	for (unsigned i = 0; i < original->segment_count && i < EXTENTS_MAX / 2; i++) {
		struct elf_segment s = elf_segment(original, i);
		uint64_t end = s.offset + s.size, next = u->image_size;
		if (s.type != 1)
			continue;
		for (unsigned k = 0; k < original->segment_count; k++) {
			struct elf_segment other = elf_segment(original, k);
			if (other.type == 1 && k != i && other.offset >= end && other.offset < next)
				next = other.offset;
		}
		extent_add(u, end, next);
	}
}

static bool image_make(struct upx *u, struct bytes headers)
{
	struct elf original;
	uint64_t end = headers.len;
	if (!elf_open(&original, headers))
		return false;
	for (unsigned i = 0; i < original.segment_count; i++) {
		struct elf_segment s = elf_segment(&original, i);
		if (s.type == 1 && s.offset <= UPX_UNPACKED_MAX && s.size <= UPX_UNPACKED_MAX && s.offset + s.size > end)
			end = s.offset + s.size;
	}
	u->image_size = u->size > end ? u->size : end;
	if (u->image_size > UPX_UNPACKED_MAX || u->image_size > analysis_room(u->analysis)) {
		analysis_limit(u->analysis, "upx.bytes");
		return false;
	}
	u->image = arena_alloc(analysis_arena(u->analysis), u->image_size);
	if (!u->image) {
		analysis_limit(u->analysis, "memory");
		return false;
	}
	memcpy(u->image, headers.at, headers.len);
	u->written = headers.len;
	extents_plan(u, &original, headers.len);
	return true;
}

/* A block may reach over the end of an extent only when the plan is not that of the packer: then it is cut. */
static void block_place(struct upx *u, struct bytes block)
{
	while (block.len && u->extent_now < u->extent_count) {
		struct extent *e = &u->extents[u->extent_now];
		size_t n = block.len < e->size ? block.len : e->size;
		memcpy(u->image + e->at, block.at, n);
		block = (struct bytes){block.at + n, block.len - n};
		e->at += n;
		e->size -= n;
		u->written += n;
		if (!e->size)
			u->extent_now++;
	}
}

/* Blocks one after the other; how many came out. */
static size_t blocks_unpack(struct upx *u, unsigned *method)
{
	uint64_t at = u->info + LOADER_INFO + PROGRAM_INFO, total = 0;
	size_t count = 0;
	for (; count < BLOCKS_MAX && block_plausible(u, at); count++) {
		size_t unpacked = number(u, at), packed = number(u, at + 4);
		total += unpacked;
		if (total > UPX_UNPACKED_MAX) {
			analysis_limit(u->analysis, "upx.bytes");
			break;
		}
		uint8_t *out = arena_alloc(analysis_arena(u->analysis), unpacked);
		if (!out) {
			analysis_limit(u->analysis, "memory");
			break;
		}
		if (!upx_block_unpack(u->content.at[at + 8], elf_bytes(&u->elf, at + BLOCK_INFO, packed), out, unpacked)) {
			/* Without the magic the first block was a guess. */
			if (count || !u->magic_gone)
				analysis_fact(u->analysis, "upx.damaged", "block %zu at 0x%llx does not unpack", count, (unsigned long long)at);
			break;
		}
		if (count == 0 && !image_make(u, (struct bytes){out, unpacked}))
			break;
		if (count)
			block_place(u, (struct bytes){out, unpacked});
		*method = u->content.at[at + 8];
		at += BLOCK_INFO + packed;
	}
	return count;
}

/* What UPX itself would unpack again: with its magic and the sizes. */
static void repaired_give(struct upx *u)
{
	struct arena *arena = analysis_arena(u->analysis);
	struct bytes copy = arena_copy(arena, u->content);
	if (!copy.at)
		return;
	uint8_t *at = (uint8_t *)copy.at + u->info;
	memcpy(at + 4, "UPX!", 4);
	for (size_t i = 0; i < 2; i++)
		for (size_t k = 0; k < 4; k++)
			at[LOADER_INFO + 4 + 4 * i + k] = (uint8_t)(u->image_size >> 8 * (u->elf.big ? 3 - k : k));
	analysis_contains(u->analysis, "upx-repaired", copy, false);
}

static void elf_unpack(struct analysis *a, struct bytes content)
{
	struct upx u = {.analysis = a, .content = content};
	unsigned method = 0;
	if (!elf_open(&u.elf, content) || !info_find(&u))
		return;
	uint64_t file = number(&u, u.info + LOADER_INFO + 4), block = number(&u, u.info + LOADER_INFO + 8);
	uint64_t told = packed_size_find(&u);
	u.sizes_gone = !file || !block || file > UPX_UNPACKED_MAX || (told && file != told);
	u.size = u.sizes_gone ? told : file;
	size_t blocks = blocks_unpack(&u, &method);
	if (!u.image)
		return;
	analysis_fact(a, "upx.packed", "%zu blocks, method %u", blocks, method);
	if (u.magic_gone)
		analysis_fact(a, "upx.damaged", "its magic was blanked");
	if (u.sizes_gone)
		analysis_fact(a, "upx.damaged", "its sizes were blanked%s", told ? ", the pack header still has them" : "");
	if (u.written < u.image_size)
		analysis_fact(a, "upx.cut", "%llu of %llu bytes came out", (unsigned long long)u.written, (unsigned long long)u.image_size);
	if (u.magic_gone || u.sizes_gone)
		repaired_give(&u);
	analysis_contains(a, "upx-unpacked", (struct bytes){u.image, u.image_size}, false);
}

/* In a PE file the pack header stands before the packed image, and says its method and sizes. */
static void pe_unpack(struct analysis *a, struct bytes b)
{
	struct bytes rest = b;
	for (size_t at; (at = bytes_find(rest, "UPX!")) < rest.len;) {
		rest = (struct bytes){rest.at + at, rest.len - at};
		uint64_t unpacked = bytes_little(rest, 16, 4), packed = bytes_little(rest, 20, 4);
		unsigned method = (unsigned)bytes_little(rest, 6, 1);
		if (rest.len > PACK_HEADER && packed <= rest.len - PACK_HEADER && unpacked <= UPX_UNPACKED_MAX && packed > 2 &&
		    unpacked > packed && unpacked <= analysis_room(a) && upx_method_known(method)) {
			uint8_t *out = arena_alloc(analysis_arena(a), unpacked);
			bool good = out && upx_block_unpack(method, (struct bytes){rest.at + PACK_HEADER, packed}, out, unpacked);
			analysis_fact(a, "upx.packed", "method %u, %llu bytes%s", method, (unsigned long long)unpacked,
				      good ? "" : ", does not unpack");
			if (good)
				analysis_contains(a, "upx-image", (struct bytes){out, unpacked}, false);
			return;
		}
		rest = (struct bytes){rest.at + 4, rest.len - 4};
	}
}

static void upx_analyse(struct analysis *a, const struct part *part)
{
	if (!strcmp(part->type, "elf"))
		elf_unpack(a, part->content);
	else
		pe_unpack(a, part->content);
}

static const char *const upx_types[] = {"elf", "pe", NULL};
static const struct analyser upx = {
	.name = "upx",
	.summary = "programs packed with UPX, unpacked also when their headers were damaged",
	.reference = "UPX 4, src/stub/src/include/linux.h and src/packhead.cpp",
	.phase = 0,
	.types = upx_types,
	.analyse = upx_analyse,
};
ANALYSER(upx);
