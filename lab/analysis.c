/*
 * The way of one sample: digests, its type, then part by part every analyser that takes that type.
 *
 * Parts are a queue: what an analyser finds inside is looked at after its parent, so depth and
 * number are bounded by the queue and not by a stack.  Content that was seen before (by its digest)
 * is not looked at twice, which also ends archives that hold themselves.
 */
#include "lab/analysis_inner.h"
#include "lab/tlsh.h"
#include "lab/type.h"
#include <openssl/evp.h>
#include <stdlib.h>

#define ANALYSERS_MAX 64
#define PHASES 4
#define PART_NAME_MAX 512

static void digest_hex(const EVP_MD *how, struct bytes content, char *out)
{
	static const char hex[] = "0123456789abcdef";
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	if (!EVP_Digest(content.at, content.len, digest, &len, how, NULL))
		len = 0;
	for (unsigned i = 0; i < len; i++) {
		out[2 * i] = hex[digest[i] >> 4];
		out[2 * i + 1] = hex[digest[i] & 15];
	}
	out[2 * len] = 0;
}

static bool takes(const struct analyser *it, const char *type)
{
	if (!it->types)
		return true;
	for (const char *const *t = it->types; *t; t++)
		if (!strcmp(*t, type))
			return true;
	return false;
}

/* In the order of phase and name; the linker's own order means nothing. */
static size_t analysers_sort(const struct analyser *sorted[ANALYSERS_MAX])
{
	size_t count = 0;
	ANALYSERS_EACH(it) {
		size_t at = count;
		if (count == ANALYSERS_MAX)
			break;
		while (at && (sorted[at - 1]->phase > (*it)->phase ||
			      (sorted[at - 1]->phase == (*it)->phase && strcmp(sorted[at - 1]->name, (*it)->name) > 0))) {
			sorted[at] = sorted[at - 1];
			at--;
		}
		sorted[at] = *it;
		count++;
	}
	return count;
}

/* Member names come from outside: what is not UTF-8 is spelled out. */
static const char *name_keep(struct arena *arena, const char *name)
{
	char text[PART_NAME_MAX * 4 + 1];
	struct bytes b = bytes_of_text(name);
	if (b.len > PART_NAME_MAX)
		b.len = PART_NAME_MAX;
	bool utf8 = bytes_is_utf8(b);
	size_t n = 0;
	for (size_t i = 0; i < b.len; i++)
		if (b.at[i] < 0x20 || b.at[i] == 0x7f || (b.at[i] >= 0x80 && !utf8))
			n += (size_t)snprintf(text + n, sizeof text - n, "\\x%02x", b.at[i]);
		else
			text[n++] = (char)b.at[i];
	const char *kept = arena_text(arena, (struct bytes){(const uint8_t *)text, n});
	return kept ? kept : "";
}

static bool seen_before(const struct analysis *a, const char *sha256)
{
	for (size_t i = 0; i < a->findings.part_count; i++)
		if (!strcmp(a->parts[i].sha256, sha256))
			return true;
	return false;
}

static void part_add(struct analysis *a, const char *name, struct bytes content, const char *sha256)
{
	unsigned number = (unsigned)a->findings.part_count;
	struct part *p = &a->parts[number];
	*p = (struct part){
		.content = content,
		.name = name_keep(&a->arena, name),
		.type = content_type(content),
		.architecture = "",
		.number = number,
		.depth = a->now ? a->now->depth + 1 : 0,
		.inside = a->now ? a->now->number : 0,
	};
	memcpy(p->sha256, sha256, sizeof p->sha256);
	a->findings.part_count++;
}

size_t analysis_room(const struct analysis *a)
{
	return ANALYSIS_PART_BYTES_MAX - (size_t)a->part_bytes;
}

void analysis_contains(struct analysis *a, const char *name, struct bytes content, bool copied)
{
	char sha256[65];
	if (!content.len)
		return;
	if (a->now->depth >= ANALYSIS_DEPTH_MAX) {
		analysis_limit(a, "parts.depth");
		return;
	}
	if (a->findings.part_count >= ANALYSIS_PARTS_MAX) {
		analysis_limit(a, "parts.count");
		return;
	}
	if (content.len > analysis_room(a)) {
		analysis_limit(a, "parts.bytes");
		return;
	}
	/* Counted before it is known to be new: the same bytes again cost the same to unpack. */
	a->part_bytes += content.len;
	digest_hex(EVP_sha256(), content, sha256);
	if (seen_before(a, sha256))
		return;
	if (copied)
		content = arena_copy(&a->arena, content);
	if (!content.at) {
		analysis_limit(a, "memory");
		return;
	}
	part_add(a, name, content, sha256);
}

static int tables_make(struct analysis *a)
{
	struct arena *arena = &a->arena;
	a->parts = arena_alloc(arena, sizeof *a->parts * ANALYSIS_PARTS_MAX);
	a->facts = arena_alloc(arena, sizeof *a->facts * ANALYSIS_FACTS_MAX);
	a->indicators = arena_alloc(arena, sizeof *a->indicators * ANALYSIS_INDICATORS_MAX);
	a->slots = arena_alloc(arena, sizeof *a->slots * INDICATOR_SLOTS);
	a->families = arena_alloc(arena, sizeof *a->families * ANALYSIS_FAMILIES_MAX);
	a->limits = arena_alloc(arena, sizeof *a->limits * ANALYSIS_LIMITS_MAX);
	a->yara = arena_alloc(arena, sizeof *a->yara * ANALYSIS_YARA_MAX);
	if (!a->parts || !a->facts || !a->indicators || !a->slots || !a->families || !a->limits || !a->yara)
		return ERR_MEMORY;
	a->findings.parts = a->parts;
	a->findings.facts = a->facts;
	a->findings.indicators = a->indicators;
	a->findings.families = a->families;
	a->findings.limits = a->limits;
	a->findings.yara = a->yara;
	return 0;
}

static void parts_analyse(struct analysis *a)
{
	const struct analyser *sorted[ANALYSERS_MAX];
	size_t count = analysers_sort(sorted);
	for (size_t i = 0; i < a->findings.part_count; i++) {
		a->now = &a->parts[i];
		for (size_t k = 0; k < count; k++)
			if (takes(sorted[k], a->now->type))
				sorted[k]->analyse(a, a->now);
		if (a->rules)
			rules_match(a, a->now);
	}
}

/* The surest first; what is equally sure stays in the order in which it was found. */
static int by_confidence(const void *left, const void *right)
{
	const struct indicator *l = left, *r = right;
	if (l->confidence != r->confidence)
		return l->confidence < r->confidence ? 1 : -1;
	if (l->part != r->part)
		return l->part < r->part ? -1 : 1;
	if (l->offset != r->offset)
		return l->offset < r->offset ? -1 : 1;
	return l->type == r->type ? 0 : l->type < r->type ? -1 : 1;
}

static int by_points(const void *left, const void *right)
{
	const struct family *l = left, *r = right;
	return l->points == r->points ? strcmp(l->name, r->name) : l->points < r->points ? 1 : -1;
}

static void findings_conclude(struct analysis *a)
{
	struct findings *f = &a->findings;
	f->type = a->parts[0].type;
	f->architecture = a->parts[0].architecture;
	/* An unpacked program tells what the packed one hid. */
	for (size_t i = 1; i < f->part_count && !f->architecture[0]; i++)
		f->architecture = a->parts[i].architecture;
	qsort(a->indicators, f->indicator_count, sizeof *a->indicators, by_confidence);
	qsort(a->families, f->family_count, sizeof *a->families, by_points);
}

int lab_analyse(struct analysis **out, struct bytes sample, const struct lab_rules *rules, struct fault *fault)
{
	struct analysis *a = calloc(1, sizeof *a);
	if (!a)
		return fault_set(fault, ERR_MEMORY, "no memory for an analysis");
	a->arena = ARENA(ANALYSIS_MEMORY_MAX);
	a->rules = rules;
	if (tables_make(a) < 0) {
		analysis_free(a);
		return fault_set(fault, ERR_MEMORY, "no memory for an analysis");
	}
	struct findings *f = &a->findings;
	f->size = sample.len;
	digest_hex(EVP_sha256(), sample, f->sha256);
	digest_hex(EVP_sha1(), sample, f->sha1);
	digest_hex(EVP_md5(), sample, f->md5);
	part_add(a, "", sample, f->sha256);
	int status = 0;
	if (sample.len > SAMPLE_BYTES_MAX) {
		analysis_limit(a, "sample.bytes");
		status = fault_set(fault, ERR_FULL, "the sample has %zu bytes, of %u at most", sample.len,
				   SAMPLE_BYTES_MAX);
	} else {
		tlsh_write(sample, f->tlsh);
		parts_analyse(a);
	}
	findings_conclude(a);
	*out = a;
	return status;
}

const struct findings *analysis_findings(const struct analysis *a)
{
	return &a->findings;
}

void analysis_free(struct analysis *a)
{
	if (!a)
		return;
	arena_done(&a->arena);
	free(a);
}
