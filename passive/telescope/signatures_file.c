/* The two lists of a signature file, bound by tables and compiled rule by rule. */
#include "passive/telescope/signatures_inner.h"
#include "base/options.h"

#define PATH_ROOM 32

struct tool_fields {
	const char *tool, *when, *note;
	uint64_t evidence;
	bool hostile;
};

#define TOOL(member) offsetof(struct tool_fields, member)

static const struct option tool_fields[] = {
	{"tool", OPTION_TEXT, TOOL(tool), .required = true, .summary = "name of the tool"},
	{"when", OPTION_TEXT, TOOL(when), .required = true, .summary = "condition over a packet"},
	{"evidence", OPTION_NUMBER, TOOL(evidence), "1", .min = 1, .max = EVIDENCE_MAX,
	 .summary = "packets of one source that must match before the tool is believed"},
	{"hostile", OPTION_BOOL, TOOL(hostile), .summary = "only bots use it"},
	{"note", OPTION_TEXT, TOOL(note), .summary = "why the rule is right"},
	{0},
};

struct payload_fields {
	const char *name, *starts, *length, *note;
	struct option_list ports, at, contains;
	int proto;
	bool nocase, amplifies;
};

#define PAYLOAD(member) offsetof(struct payload_fields, member)

static const char *const protocols[] = {"udp", "tcp", NULL};
static const uint8_t protocol_numbers[] = {17, 6};

static const struct option payload_fields[] = {
	{"name", OPTION_TEXT, PAYLOAD(name), .required = true, .summary = "what is asked, ntp.monlist"},
	{"proto", OPTION_CHOICE, PAYLOAD(proto), .choices = protocols, .required = true,
	 .summary = "udp or tcp"},
	{"ports", OPTION_LIST, PAYLOAD(ports), .min = 1, .max = 65535, .element = OPTION_NUMBER,
	 .summary = "destination ports; absent: any"},
	{"starts", OPTION_TEXT, PAYLOAD(starts), .summary = "pattern of the first bytes"},
	{"at", OPTION_PAIRS, PAYLOAD(at), .summary = "offset: pattern"},
	{"contains", OPTION_LIST, PAYLOAD(contains), .element = OPTION_TEXT,
	 .summary = "patterns that stand anywhere"},
	{"nocase", OPTION_BOOL, PAYLOAD(nocase), .summary = "letters of patterns are large or small"},
	{"length", OPTION_TEXT, PAYLOAD(length), .summary = "bytes of the payload: 48, 8..64, 8.."},
	{"amplifies", OPTION_BOOL, PAYLOAD(amplifies), .summary = "asked of reflectors"},
	{"note", OPTION_TEXT, PAYLOAD(note), .summary = "which specification says so"},
	{0},
};

/* The sentence is about the member `key` of the rule, if it is there. */
static void point(struct signature_source *source, const struct yaml_node *rule, const char *key)
{
	const struct yaml_node *member = yaml_child(rule, key);
	source->line = member ? member->line : rule->line;
}

static int find_tool(struct signatures *s, const struct tool_fields *f, const struct yaml_node *n,
		     struct signature_source *source, uint8_t *number)
{
	const struct yaml_node *says = yaml_child(n, "hostile");
	point(source, n, "tool");
	int bad = signature_name(f->tool, TOOL_NAME_MAX, "tool", source);
	if (bad)
		return bad;
	for (unsigned i = 0; i < s->n.tools; i++) {
		if (strcmp(s->tools[i].name, f->tool))
			continue;
		point(source, n, "hostile");
		if (says && s->tools[i].hostile != f->hostile)
			return signature_complain(source, "hostile: another rule of %s says %s, one of them is wrong",
						  f->tool, s->tools[i].hostile ? "true" : "false");
		*number = (uint8_t)(i + 1);
		return 0;
	}
	if (s->n.tools == SIGNATURE_TOOLS_MAX)
		return signature_complain(source, "tool: more than %d tools", SIGNATURE_TOOLS_MAX);
	struct tool *tool = &s->tools[s->n.tools++];
	bytes_copy_text(bytes_of_text(f->tool), tool->name, sizeof tool->name);
	tool->hostile = f->hostile;
	*number = (uint8_t)s->n.tools;
	return 0;
}

static int read_tool(struct signatures *s, const struct yaml_node *n, const char *path,
		     struct signature_source *source, struct arena *arena)
{
	struct tool_fields f = {0};
	struct rule rule = {0};
	source->line = n->line;
	if (n->type != YAML_MAP)
		return signature_complain(source, "%s: not a map; {tool: …, when: …} would be right", path);
	int bad = options_bind(tool_fields, n, source->name, path, arena, &f, source->fault);
	if (!bad && s->n.rules == SIGNATURE_RULES_MAX)
		bad = signature_complain(source, "%s: more than %d rules of tools", path, SIGNATURE_RULES_MAX);
	bad = bad ? bad : find_tool(s, &f, n, source, &rule.tool);
	if (bad)
		return bad;
	point(source, n, "when");
	bad = signature_condition(s, bytes_of_text(f.when), source, &rule);
	if (bad)
		return bad;
	rule.evidence = (uint32_t)f.evidence;
	s->rules[s->n.rules++] = rule;
	return 0;
}

int signature_read_tools(struct signatures *s, const struct yaml_node *list,
			 struct signature_source *source, struct arena *arena)
{
	char path[PATH_ROOM];
	unsigned i = 0;
	source->line = list->line;
	if (list->type != YAML_LIST)
		return signature_complain(source, "tools: not a list; `- {tool: …, when: …}` would be right");
	YAML_EACH(list, n) {
		snprintf(path, sizeof path, "tools[%u]", i++);
		int bad = read_tool(s, n, path, source, arena);
		if (bad)
			return bad;
	}
	return 0;
}

/* "48", "8..64", "8..", "..64". */
static int read_length(const char *text, const struct signature_source *source, struct payload_rule *rule)
{
	struct bytes all = bytes_of_text(text), from, to;
	size_t dots = bytes_find(all, "..");
	uint64_t min = 0, max = UINT32_MAX;
	bool range = dots < all.len;
	from = (struct bytes){all.at, dots};
	to = range ? (struct bytes){all.at + dots + 2, all.len - dots - 2} : from;
	bool fits = (!from.len && range) || bytes_number(bytes_trim(from), UINT16_MAX, &min);
	fits = fits && ((!to.len && range) || bytes_number(bytes_trim(to), UINT16_MAX, &max));
	if (!fits || min > max)
		return signature_complain(source, "length: \"%.40s\" is no length; 48, 8..64, 8.. or ..64 would be right",
					  text);
	rule->length_min = (uint32_t)min;
	rule->length_max = (uint32_t)max;
	return 0;
}

static int read_ports(const struct payload_fields *f, const struct signature_source *source,
		      struct payload_rule *rule)
{
	const uint64_t *ports = f->ports.items;
	if (f->ports.count > PAYLOAD_PORTS_MAX)
		return signature_complain(source, "ports: more than %d", PAYLOAD_PORTS_MAX);
	for (size_t i = 0; i < f->ports.count; i++)
		rule->ports[rule->port_count++] = (uint16_t)ports[i];
	return 0;
}

/* A sign is rarer in payloads than a letter, and that than 0; what has a mask cannot be looked for. */
static unsigned rarity(uint8_t value, uint8_t mask)
{
	bool letter = (value | 0x20) >= 'a' && (value | 0x20) <= 'z';
	return mask != 0xff ? 0 : value == 0 || value == ' ' ? 1 : letter || value == '/' ? 2 : 3;
}

static uint16_t rarest(const struct signatures *s, const struct part *part)
{
	unsigned best = 0;
	for (unsigned i = 1; i < part->count; i++)
		if (rarity(s->bytes[part->bytes + i], s->masks[part->bytes + i]) >
		    rarity(s->bytes[part->bytes + best], s->masks[part->bytes + best]))
			best = i;
	return (uint16_t)best;
}

static int add_part(struct signatures *s, const char *text, uint64_t at, bool searched, bool nocase,
		    const struct signature_source *source, struct payload_rule *rule)
{
	struct part part;
	if (rule->part_count == PAYLOAD_PARTS_MAX)
		return signature_complain(source, "more than %d patterns in one rule", PAYLOAD_PARTS_MAX);
	int bad = signature_pattern(s, bytes_of_text(text), nocase, source, &part);
	if (bad)
		return bad;
	if (s->n.parts == PARTS_MAX)
		return signature_complain(source, "more than %d patterns in all rules", PARTS_MAX);
	part.at = searched ? rarest(s, &part) : (uint16_t)at;
	part.searched = searched;
	if (at == 0 && !searched) {
		rule->value = s->bytes[part.bytes];
		rule->mask = s->masks[part.bytes];
	}
	s->parts[s->n.parts++] = part;
	rule->part_count++;
	return 0;
}

static int read_patterns(struct signatures *s, const struct payload_fields *f, const struct yaml_node *n,
			 struct signature_source *source, struct arena *arena, struct payload_rule *rule)
{
	point(source, n, "starts");
	int bad = f->starts ? add_part(s, f->starts, 0, false, f->nocase, source, rule) : 0;
	for (size_t i = 0; i < f->at.count && !bad; i++) {
		const struct option_pair *pair = &((const struct option_pair *)f->at.items)[i];
		const char *text = arena_text(arena, pair->value);
		uint64_t at;
		source->line = pair->line;
		if (!text || strlen(text) != pair->value.len)
			return signature_complain(source, "at: a NUL byte, |00| would be right");
		if (!bytes_number(bytes_of_text(pair->name), PAYLOAD_OFFSET_MAX, &at))
			return signature_complain(source, "at: \"%.40s\" is no offset from 0 to %d", pair->name,
						  PAYLOAD_OFFSET_MAX);
		bad = add_part(s, text, at, false, f->nocase, source, rule);
	}
	point(source, n, "contains");
	for (size_t i = 0; i < f->contains.count && !bad; i++)
		bad = add_part(s, ((const char *const *)f->contains.items)[i], 0, true, f->nocase, source, rule);
	return bad;
}

static int read_payload(struct signatures *s, const struct yaml_node *n, const char *path,
			struct signature_source *source, struct arena *arena)
{
	struct payload_fields f = {0};
	struct payload_rule rule = {.length_max = UINT32_MAX, .part = (uint16_t)s->n.parts};
	source->line = n->line;
	if (n->type != YAML_MAP)
		return signature_complain(source, "%s: not a map; {name: …, proto: udp, starts: …} would be right",
					  path);
	int bad = options_bind(payload_fields, n, source->name, path, arena, &f, source->fault);
	if (!bad && s->n.payloads == SIGNATURE_PAYLOADS_MAX)
		bad = signature_complain(source, "%s: more than %d rules of payloads", path, SIGNATURE_PAYLOADS_MAX);
	bad = bad ? bad : signature_name(f.name, PAYLOAD_NAME_MAX, "name", source);
	point(source, n, "ports");
	bad = bad ? bad : read_ports(&f, source, &rule);
	point(source, n, "length");
	bad = bad || !f.length ? bad : read_length(f.length, source, &rule);
	bad = bad ? bad : read_patterns(s, &f, n, source, arena, &rule);
	source->line = n->line;
	if (!bad && rule.part_count == 0 && rule.port_count == 0)
		bad = signature_complain(source, "%s: takes every payload; a pattern or ports would be right", path);
	if (bad)
		return bad;
	bytes_copy_text(bytes_of_text(f.name), rule.name, sizeof rule.name);
	rule.proto = protocol_numbers[f.proto];
	rule.amplifies = f.amplifies;
	s->payloads[s->n.payloads++] = rule;
	return 0;
}

int signature_read_payloads(struct signatures *s, const struct yaml_node *list,
			    struct signature_source *source, struct arena *arena)
{
	char path[PATH_ROOM];
	unsigned i = 0;
	source->line = list->line;
	if (list->type != YAML_LIST)
		return signature_complain(source, "payloads: not a list; `- {name: …, proto: udp, starts: …}` would "
						  "be right");
	YAML_EACH(list, n) {
		snprintf(path, sizeof path, "payloads[%u]", i++);
		int bad = read_payload(s, n, path, source, arena);
		if (bad)
			return bad;
	}
	return 0;
}
