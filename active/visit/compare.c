/*
 * What one kind of visitor is shown and another is not.  Pages differ by themselves (advertisements,
 * languages), so only what a hidden attack needs counts: another end, files, hidden frames, refusals.
 */
#include "active/visit/site_inner.h"
#include "active/visit/view_inner.h"
#include "base/siphash.h"
#include <stdlib.h>

#define WORDS_MAX 4096
#define ALIKE_MIN 30 /* of a hundred words in common: below that it is another text */

static unsigned status_of(const struct visit_look *l)
{
	unsigned status = 0;
	for (size_t i = 0; i < l->request_count; i++)
		if (l->requests[i].frame == 0 && !strcmp(l->requests[i].kind, "document"))
			status = l->requests[i].status;
	return status;
}

static size_t hidden_count(const struct visit_look *l)
{
	size_t n = 0;
	for (size_t i = 1; i < l->frame_count; i++)
		n += l->frames[i].hidden && bytes_start_with(bytes_of_text(l->frames[i].url), "http");
	return n;
}

static bool has_file(const struct visit_look *l, const char *sha256)
{
	for (size_t i = 0; i < l->file_count; i++)
		if (!strcmp(l->files[i].sha256, sha256))
			return true;
	return false;
}

static int number_order(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

/* A text as the sorted set of its words' hashes. */
static size_t words_of(struct bytes text, uint64_t out[WORDS_MAX])
{
	const struct siphash_key key = {0};
	size_t n = 0, kept = 0;
	for (size_t i = 0; i < text.len && n < WORDS_MAX;) {
		size_t end = i;
		while (end < text.len && text.at[end] > ' ')
			end++;
		if (end > i)
			out[n++] = siphash(&key, (struct bytes){text.at + i, end - i});
		i = end + 1;
	}
	if (n)
		qsort(out, n, sizeof *out, number_order);
	for (size_t i = 0; i < n; i++)
		if (!i || out[i] != out[i - 1])
			out[kept++] = out[i];
	return kept;
}

/* Words in common of all words, in hundredths; 100 for two empty texts. */
static unsigned likeness(struct bytes one, struct bytes other)
{
	uint64_t *a = calloc(2 * WORDS_MAX, sizeof *a), *b = a + WORDS_MAX;
	if (!a)
		return 100;
	const size_t n = words_of(one, a), m = words_of(other, b);
	size_t common = 0;
	for (size_t i = 0, j = 0; i < n && j < m;) {
		const uint64_t x = a[i], y = b[j];
		common += x == y;
		i += x <= y;
		j += y <= x;
	}
	free(a);
	return n + m ? (unsigned)(100 * common / (n + m - common)) : 100;
}

static void compare_ends(struct view *v, unsigned one, unsigned other)
{
	const struct visit_look *a = &v->looks[one], *b = &v->looks[other];
	if (!site_same(bytes_of_text(a->final), bytes_of_text(b->final))) {
		view_difference(v, "final", one, other, "%s came to %s, %s to %s", a->personality->name, a->final,
				b->personality->name, b->final);
		view_reason(v, other, "cloaking", 30, "%s is led to another site than %s", b->personality->name,
			    a->personality->name);
	} else if (strcmp(a->final, b->final)) {
		view_difference(v, "path", one, other, "%s came to %s, %s to %s", a->personality->name, a->final,
				b->personality->name, b->final);
		view_reason(v, other, "cloaking", 5, "%s is led to another page than %s", b->personality->name,
			    a->personality->name);
	}
	const unsigned first = status_of(a), second = status_of(b);
	if (first / 100 != second / 100 && first && second) {
		view_difference(v, "status", one, other, "%u for %s, %u for %s", first, a->personality->name, second,
				b->personality->name);
		view_reason(v, other, "cloaking", 20, "%s is answered %u, %s %u", a->personality->name, first,
			    b->personality->name, second);
	}
}

static void compare_files(struct view *v, unsigned one, unsigned other)
{
	const struct visit_look *a = &v->looks[one], *b = &v->looks[other];
	for (int turn = 0; turn < 2; turn++) {
		const struct visit_look *has = turn ? a : b, *lacks = turn ? b : a;
		for (size_t i = 0; i < has->file_count; i++)
			if (!has_file(lacks, has->files[i].sha256)) {
				view_difference(v, "files", one, other, "only %s gets %s", has->personality->name,
						has->files[i].name);
				view_reason(v, other, "cloaking", 30, "only %s gets the file %s", has->personality->name,
					    has->files[i].name);
			}
	}
}

void view_compare(struct view *v, unsigned one, unsigned other)
{
	const struct visit_look *a = &v->looks[one], *b = &v->looks[other];
	if (a->failed || b->failed) {
		if (!a->failed != !b->failed) {
			view_difference(v, "failed", one, other, "%s: %s", (a->failed ? a : b)->personality->name,
					a->failed ? a->failed : b->failed);
			view_reason(v, other, "cloaking", 10, "only one of %s and %s is answered", a->personality->name,
				    b->personality->name);
		}
		return;
	}
	compare_ends(v, one, other);
	compare_files(v, one, other);
	const size_t hidden_a = hidden_count(a), hidden_b = hidden_count(b);
	if (hidden_a != hidden_b) {
		view_difference(v, "frames", one, other, "%zu hidden frames for %s, %zu for %s", hidden_a,
				a->personality->name, hidden_b, b->personality->name);
		view_reason(v, other, "cloaking", 25, "%s is shown a hidden frame that %s is not",
			    (hidden_a > hidden_b ? a : b)->personality->name, (hidden_a > hidden_b ? b : a)->personality->name);
	}
	const unsigned alike = likeness(a->text, b->text);
	if (alike < ALIKE_MIN && a->text.len + b->text.len > 64) {
		view_difference(v, "text", one, other, "%u of 100 words are the same", alike);
		view_reason(v, other, "cloaking", 10, "%s reads another text than %s", b->personality->name,
			    a->personality->name);
	}
}
