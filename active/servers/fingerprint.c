#include "active/servers/fingerprint.h"
#include <stdlib.h>

static bool ends_with(struct bytes b, struct bytes end)
{
	return !end.len || (b.len >= end.len && !memcmp(b.at + b.len - end.len, end.at, end.len));
}

static bool starts_with(struct bytes b, struct bytes start)
{
	return !start.len || (b.len >= start.len && !memcmp(b.at, start.at, start.len));
}

bool predicate_holds(const struct predicate *p, struct bytes b)
{
	const bool empty = !p->starts.len && !p->ends.len && !p->contains_count && !p->length_min && !p->length_max;
	if (empty || b.len < p->length_min || (p->length_max && b.len > p->length_max))
		return false;
	if ((p->starts.len && !starts_with(b, p->starts)) || (p->ends.len && !ends_with(b, p->ends)))
		return false;
	for (size_t i = 0; i < p->contains_count; i++) {
		const struct bytes token = p->contains[i];
		const uint8_t *found = b.len ? memmem(b.at, b.len, token.at, token.len) : NULL;
		if (!found)
			return false;
		const size_t used = (size_t)(found - b.at) + token.len;
		b = (struct bytes){b.at + used, b.len - used};
	}
	return true;
}

const struct server_fingerprint *server_fingerprints_match(const struct server_fingerprints *f, bool service,
							    enum server_on on, struct bytes hello, struct bytes said)
{
	for (size_t i = 0; i < f->count; i++) {
		const struct server_fingerprint *it = &f->items[i];
		if (it->service == service && it->on == on && (service || starts_with(hello, it->hello)) &&
		    predicate_holds(&it->says, said))
			return it;
	}
	return NULL;
}

static size_t verify_one(const struct server_fingerprint *f, struct fault *first)
{
	size_t wrong = 0;
	for (size_t i = 0; i < f->example_count + f->other_count; i++) {
		const bool example = i < f->example_count;
		const struct bytes b = example ? f->examples[i] : f->others[i - f->example_count];
		if (predicate_holds(&f->says, b) != example && wrong++ == 0 && first && !first->text[0])
			fault_set(first, ERR_BAD, "%s:%u: %s: %s %zu %s", f->file, f->line, f->name,
				  example ? "example" : "counter-example", example ? i + 1 : i + 1 - f->example_count,
				  example ? "does not match" : "matches");
	}
	return wrong;
}

size_t server_fingerprints_verify(const struct server_fingerprints *f, struct fault *first)
{
	size_t wrong = 0;
	for (size_t i = 0; i < f->count; i++)
		wrong += verify_one(&f->items[i], first);
	return wrong;
}

int server_fingerprints_open(struct server_fingerprints **out)
{
	struct server_fingerprints *f = calloc(1, sizeof *f);
	if (!f)
		return ERR_MEMORY;
	f->arena = ARENA(4 * SERVER_FILE_MAX);
	*out = f;
	return 0;
}

void server_fingerprints_close(struct server_fingerprints *f)
{
	if (f)
		arena_done(&f->arena);
	free(f);
}

void write_escaped_bytes(struct writer *w, struct bytes b)
{
	for (size_t i = 0; i < b.len; i++) {
		const uint8_t c = b.at[i];
		if (c == '\n' || c == '\r' || c == '\t')
			write_text(w, c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t");
		else if (c < ' ' || c >= 0x7f || c == '\\' || c == '\'')
			write_fmt(w, "\\x%02x", c);
		else
			write_u8(w, c);
	}
}
