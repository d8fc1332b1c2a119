#include "passive/telescope/signatures_inner.h"
#include "base/options.h"
#include <stdlib.h>

#define READING_MEMORY_MAX (32u << 20) /* the tree of one file, freed when it is compiled */

struct sections {
	const struct yaml_node *tools, *payloads;
};

static const struct option section_fields[] = {
	{"tools", OPTION_NODE, offsetof(struct sections, tools), .summary = "rules of tools"},
	{"payloads", OPTION_NODE, offsetof(struct sections, payloads), .summary = "rules of payloads"},
	{0},
};

int signatures_open(struct signatures **out)
{
	struct signatures *s = calloc(1, sizeof *s);
	if (!s)
		return ERR_MEMORY;
	*out = s;
	return 0;
}

void signatures_close(struct signatures *s)
{
	free(s);
}

int signature_complain(const struct signature_source *source, const char *fmt, ...)
{
	char what[400];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(what, sizeof what, fmt, ap);
	va_end(ap);
	return fault_set(source->fault, ERR_BAD, "%s:%u: %s", source->name, source->line, what);
}

int signature_name(const char *name, size_t max, const char *what, const struct signature_source *source)
{
	size_t length = strlen(name);
	if (length == 0 || length >= max)
		return signature_complain(source, "%s: a name of %zu letters, 1 to %zu would be right", what,
					  length, max - 1);
	for (const char *c = name; *c; c++)
		if (!((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || memchr(".-_", *c, 3)))
			return signature_complain(source, "%s: \"%s\" is not of small letters, digits, dots and "
							  "dashes", what, name);
	return 0;
}

static int read_sections(struct signatures *s, struct bytes text, struct signature_source *source,
			 struct arena *arena)
{
	struct yaml_node *root = NULL;
	struct sections sections = {0};
	int bad = yaml_read(text, source->name, arena, &root, source->fault);
	if (bad)
		return bad;
	if (!root || root->type != YAML_MAP)
		return signature_complain(source, "not a map; `tools:` or `payloads:` and a list would be right");
	bad = options_bind(section_fields, root, source->name, "", arena, &sections, source->fault);
	if (!bad && !sections.tools && !sections.payloads)
		bad = signature_complain(source, "empty; `tools:` or `payloads:` and a list would be right");
	if (!bad && sections.tools)
		bad = signature_read_tools(s, sections.tools, source, arena);
	if (!bad && sections.payloads)
		bad = signature_read_payloads(s, sections.payloads, source, arena);
	return bad;
}

int signatures_add(struct signatures *s, struct bytes text, const char *name, struct fault *fault)
{
	struct signature_source source = {.name = name, .line = 1, .fault = fault};
	if (text.len > SIGNATURE_FILE_MAX)
		return signature_complain(&source, "the file is larger than %u bytes, split it", SIGNATURE_FILE_MAX);
	const struct signature_counts before = s->n;
	struct arena arena = ARENA(READING_MEMORY_MAX);
	int bad = read_sections(s, text, &source, &arena);
	arena_done(&arena);
	if (!bad && signature_index(s))
		bad = signature_complain(&source, "the payloads of all files make more than %d entries of the index; "
						  "patterns that begin with a known byte need fewest", PLACES_MAX);
	if (bad) {
		s->n = before;
		signature_index(s);
	}
	return bad;
}

unsigned signatures_rules(const struct signatures *s)
{
	return s->n.rules;
}

unsigned signatures_rule_tool(const struct signatures *s, uint8_t rule)
{
	return rule && rule <= s->n.rules ? s->rules[rule - 1].tool : 0;
}

unsigned signatures_rule_evidence(const struct signatures *s, uint8_t rule)
{
	return rule && rule <= s->n.rules ? s->rules[rule - 1].evidence : 1;
}

unsigned signatures_tools(const struct signatures *s)
{
	return s->n.tools;
}

const char *signatures_tool(const struct signatures *s, unsigned tool)
{
	return tool && tool <= s->n.tools ? s->tools[tool - 1].name : NULL;
}

bool signatures_tool_hostile(const struct signatures *s, unsigned tool)
{
	return tool && tool <= s->n.tools && s->tools[tool - 1].hostile;
}

const char *signatures_payload_name(const struct signatures *s, unsigned payload)
{
	return payload && payload <= s->n.payloads ? s->payloads[payload - 1].name : NULL;
}

bool signatures_payload_amplifies(const struct signatures *s, unsigned payload)
{
	return payload && payload <= s->n.payloads && s->payloads[payload - 1].amplifies;
}
