/* The whole configuration: the document's root is the set of registered sections. */
#include "base/options.h"
#include <assert.h>
#include <stdlib.h>
#include <xxhash.h>

#define CONFIG_MEMORY_MAX (64u << 20)
#define SECTIONS_MAX 32

static int section_order(const void *a, const void *b)
{
	const struct section *const *x = a, *const *y = b;
	return strcmp((*x)->option.name, (*y)->option.name);
}

/* A struct per section lies in the arena; the root's table points there with its offsets. */
static int bind_sections(struct config *c, const struct section **sections, size_t count,
			 struct fault *fault)
{
	struct option root[SECTIONS_MAX + 1] = {0};
	size_t total = 0;
	for (size_t i = 0; i < count; i++) {
		root[i] = sections[i]->option;
		root[i].offset = total;
		total += (sections[i]->size + 15) & ~(size_t)15;
	}
	uint8_t *filled = arena_alloc(&c->arena, total ? total : 1);
	if (!filled)
		return fault_set(fault, ERR_MEMORY, "%s: too large for the configuration's memory", c->file);
	for (size_t i = 0; i < count; i++)
		c->entries[c->count++] = (struct config_entry){sections[i], filled + root[i].offset};
	return options_bind(root, c->root, c->file, "", &c->arena, filled, fault);
}

int config_read(struct bytes text, const char *file, struct config *out, struct fault *fault)
{
	if (text.len > CONFIG_BYTES_MAX)
		return fault_set(fault, ERR_FULL, "%s: larger than %u bytes", file, CONFIG_BYTES_MAX);
	const struct section *sections[SECTIONS_MAX];
	size_t count = 0;
	SECTIONS_EACH(s) {
		assert(count < SECTIONS_MAX);
		sections[count++] = *s;
	}
	if (count)
		qsort(sections, count, sizeof *sections, section_order);

	struct config c = {.arena = ARENA(CONFIG_MEMORY_MAX)};
	c.file = arena_text(&c.arena, bytes_of_text(file));
	snprintf(c.version, sizeof c.version, "%016llx", (unsigned long long)XXH3_64bits(text.at, text.len));
	int bad = yaml_read(text, file, &c.arena, &c.root, fault);
	if (!bad && c.root->type != YAML_MAP)
		bad = fault_set(fault, ERR_BAD, "%s:%u: not a map of sections", file, c.root->line);
	if (!bad)
		bad = bind_sections(&c, sections, count, fault);
	if (bad)
		arena_done(&c.arena);
	else
		*out = c;
	return bad;
}

const void *config_section(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->count; i++)
		if (!strcmp(c->entries[i].section->option.name, name))
			return c->entries[i].filled;
	assert(!"no such section");
	return NULL;
}

void config_done(struct config *c)
{
	arena_done(&c->arena);
	*c = (struct config){0};
}
