#include "lab/run/found.h"

int found_open(struct found *f, struct arena *arena, struct observed *seen)
{
	*f = (struct found){.arena = arena, .seen = seen};
	f->all = arena_alloc(arena, RUN_INDICATORS_MAX * sizeof *f->all);
	return f->all ? 0 : ERR_MEMORY;
}

static struct indicator *find(struct found *f, enum indicator_type type, struct bytes value)
{
	for (size_t i = 0; i < f->count; i++)
		if (f->all[i].type == type && bytes_equal(f->all[i].value, value))
			return &f->all[i];
	return NULL;
}

/* "run: dns, memory" */
static const char *both(struct found *f, const char *one, const char *other)
{
	char text[160];
	if (strstr(one, other))
		return one;
	snprintf(text, sizeof text, "%s, %s", one, other);
	const char *const kept = arena_text(f->arena, bytes_of_text(text));
	return kept ? kept : one;
}

void found_add(struct found *f, enum indicator_type type, enum indicator_role role, struct bytes value, const char *how,
	       unsigned confidence)
{
	char visible[INDICATOR_VALUE_MAX];
	struct writer w = writer_of(visible, sizeof visible);
	write_visible(&w, value);
	value = writer_bytes(&w);
	if (value.len == 0)
		return;
	struct indicator *known = find(f, type, value);
	if (known) {
		known->how = both(f, known->how, how);
		if (known->role == FOR_UNKNOWN)
			known->role = role;
		if (confidence > known->confidence)
			known->confidence = confidence;
		return;
	}
	const struct bytes copy = arena_copy(f->arena, value);
	const char *const kept = arena_text(f->arena, bytes_of_text(how));
	if (f->count == RUN_INDICATORS_MAX || copy.at == NULL || kept == NULL) {
		observe_limit(f->seen, "run.indicators");
		return;
	}
	f->all[f->count++] = (struct indicator){.type = type, .role = role, .value = copy, .how = kept,
						.confidence = confidence, .offset = UINT64_MAX};
}
