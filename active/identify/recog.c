/*
 * Reads Recog's XML.
 *
 *   <fingerprints matches="html_title" protocol="http" preference="0.9">
 *     <fingerprint pattern="^Model (\w+)$" flags="REG_ICASE" certainty="0.9">
 *       <description>…</description>
 *       <example hw.product="A1">Model A1</example>
 *       <param pos="1" name="hw.product"/>
 *
 * The files may be somebody else's: no entities, no network, no document type,
 * and a size limit before the parser sees them.  A wrong rule is left out and
 * reported with its line; the rest of the file loads.
 */
#include "active/identify/rules_inner.h"
#include "base/base64.h"
#include <ctype.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <stdlib.h>

/* Where we are: every complaint begins with it. */
struct place {
	struct identify *id;
	struct rule_file *file;
	const char *path;
	unsigned number; /* of the fingerprint within the file, from 1 */
	long line;
};

#define COMPLAIN(p, fmt, ...)                                                                      \
	rules_complain((p)->id, "%s:%ld: fingerprint %u: " fmt, (p)->path, (p)->line, (p)->number, \
		       __VA_ARGS__)

static char *arena_xml(struct arena *a, xmlChar *text)
{
	if (!text)
		return NULL;
	char *copy = arena_text(a, bytes_of_text((const char *)text));
	xmlFree(text);
	return copy;
}

static char *attribute(const struct place *p, xmlNode *node, const char *name)
{
	return arena_xml(&p->id->arena, xmlGetProp(node, (const xmlChar *)name));
}

static bool node_is(const xmlNode *node, const char *name)
{
	return node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, name) == 0;
}

static size_t children_count(const xmlNode *node, const char *name)
{
	size_t n = 0;
	for (const xmlNode *c = node->children; c; c = c->next)
		n += node_is(c, name);
	return n;
}

/* Recog's words for Ruby's two flags; REG_MULTILINE is Ruby's, where the dot takes newlines. */
static bool read_flags(const struct place *p, xmlNode *node, uint32_t *options)
{
	char *text = attribute(p, node, "flags");
	struct bytes rest = bytes_of_text(text ? text : "");
	for (size_t i = 0; i < rest.len; i++)
		if (text[i] == ',' || text[i] == '|')
			text[i] = ' ';
	while ((rest = bytes_trim(rest)).len) {
		struct bytes word = bytes_word(&rest);
		if (bytes_equal_text(word, "REG_ICASE") || bytes_equal_text(word, "IGNORECASE")) {
			*options |= PCRE2_CASELESS;
		} else if (bytes_equal_text(word, "REG_DOT_NEWLINE") ||
			   bytes_equal_text(word, "REG_MULTILINE") ||
			   bytes_equal_text(word, "REG_LINE_ANY_CRLF")) {
			*options |= PCRE2_DOTALL;
		} else {
			COMPLAIN(p, "flag %.*s is unknown, use REG_ICASE, REG_DOT_NEWLINE or REG_MULTILINE",
				 (int)word.len, (const char *)word.at);
			return false;
		}
	}
	return true;
}

/* "0.85" as percent. */
static bool read_share(const struct place *p, const char *name, const char *text, double *out)
{
	char *end;
	double share = strtod(text, &end);
	if (end == text || *end || !(share >= 0 && share <= 1)) {
		COMPLAIN(p, "%s=\"%.40s\" is not a share, use a number from 0 to 1", name, text);
		return false;
	}
	*out = share;
	return true;
}

static bool read_param(const struct place *p, xmlNode *node, const struct rule *rule,
		       struct rule_param *param)
{
	const char *name = attribute(p, node, "name"), *pos = attribute(p, node, "pos");
	const char *value = attribute(p, node, "value");
	uint32_t groups = 0;
	uint64_t group = 0;
	pcre2_pattern_info(rule->code, PCRE2_INFO_CAPTURECOUNT, &groups);
	if (!name || !*name) {
		COMPLAIN(p, "%s", "a param has no name, give it one such as hw.product");
		return false;
	}
	if (!pos || !bytes_number(bytes_of_text(pos), RULE_GROUPS_MAX, &group)) {
		COMPLAIN(p, "param %s has no pos, use 0 for a fixed value or a group's number", name);
		return false;
	}
	if (group > groups) {
		COMPLAIN(p, "param %s takes group %u and the pattern has %u, use a group that exists",
			 name, (unsigned)group, groups);
		return false;
	}
	if (group == 0 && !value) {
		COMPLAIN(p, "param %s has pos 0 and no value, give it one", name);
		return false;
	}
	if (group > 0 && value && *value) {
		COMPLAIN(p, "param %s has both a group and a value, use pos=\"0\" for the value", name);
		return false;
	}
	*param = (struct rule_param){
		.name = name,
		.value = group ? NULL : value,
		.plain_len = group || strchr(value, '{') ? 0 : strlen(value),
		.group = (uint16_t)group,
		.hidden = strncmp(name, "_tmp.", 5) == 0,
		.protocol = strcmp(name, "service.protocol") == 0,
	};
	return true;
}

static bool read_params(const struct place *p, xmlNode *node, struct rule *rule)
{
	size_t n = children_count(node, "param");
	if (n > RULE_PARAMS_MAX) {
		COMPLAIN(p, "%zu params are above %d", n, RULE_PARAMS_MAX);
		return false;
	}
	rule->params = n ? arena_alloc(&p->id->arena, n * sizeof *rule->params) : NULL;
	if (n && !rule->params)
		return false;
	for (xmlNode *c = node->children; c; c = c->next) {
		if (!node_is(c, "param"))
			continue;
		if (!read_param(p, c, rule, &rule->params[rule->param_count]))
			return false;
		rule->param_count++;
	}
	return true;
}

/* Attributes are what the fields must be; those that begin with `_` speak of the example itself. */
static bool read_example(const struct place *p, xmlNode *node, struct rule_example *e)
{
	size_t n = 0;
	*e = (struct rule_example){0}; /* the place of one that was not taken is used again */
	for (xmlAttr *a = node->properties; a; a = a->next)
		n++;
	char *text = arena_xml(&p->id->arena, xmlNodeGetContent(node));
	e->expected = arena_alloc(&p->id->arena, (2 * n + 1) * sizeof *e->expected);
	e->line = (unsigned)xmlGetLineNo(node);
	if (!text || !e->expected)
		return false;
	e->text = bytes_of_text(text);
	for (xmlAttr *a = node->properties; a; a = a->next) {
		const char *name = arena_text(&p->id->arena, bytes_of_text((const char *)a->name));
		char *value = attribute(p, node, (const char *)a->name);
		if (!name || !value)
			return false;
		if (strcmp(name, "_encoding") == 0 && strcmp(value, "base64") == 0) {
			struct writer plain = writer_of(text, e->text.len); /* in its place */
			base64_decode(e->text, &plain);
			e->text = writer_bytes(&plain);
		}
		if (strcmp(name, "_filename") == 0)
			return false; /* its text is in a file of its own, which we do not open */
		if (name[0] == '_')
			continue;
		e->expected[2 * e->expected_count] = name;
		e->expected[2 * e->expected_count++ + 1] = value;
	}
	return true;
}

static void read_examples(const struct place *p, xmlNode *node, struct rule *rule)
{
	size_t n = children_count(node, "example");
	if (n > RULE_EXAMPLES_MAX)
		n = RULE_EXAMPLES_MAX;
	rule->examples = n ? arena_alloc(&p->id->arena, n * sizeof *rule->examples) : NULL;
	if (!rule->examples)
		return;
	for (xmlNode *c = node->children; c && rule->example_count < n; c = c->next)
		if (node_is(c, "example") && read_example(p, c, &rule->examples[rule->example_count]))
			rule->example_count++;
}

static char *read_description(const struct place *p, xmlNode *node)
{
	for (xmlNode *c = node->children; c; c = c->next) {
		if (!node_is(c, "description"))
			continue;
		char *text = arena_xml(&p->id->arena, xmlNodeGetContent(c));
		struct bytes trimmed = bytes_trim(bytes_of_text(text ? text : ""));
		return arena_text(&p->id->arena, trimmed);
	}
	return arena_text(&p->id->arena, BYTES(""));
}

static bool read_rule(const struct place *p, xmlNode *node, struct rule *rule)
{
	const char *pattern = attribute(p, node, "pattern");
	const char *certainty = attribute(p, node, "certainty");
	uint32_t options = 0;
	double share = RULE_CERTAINTY_DEFAULT / 100.0;
	struct fault why;
	if (!pattern) {
		COMPLAIN(p, "%s", "it has no pattern, give it a regular expression");
		return false;
	}
	if (!read_flags(p, node, &options) ||
	    (certainty && !read_share(p, "certainty", certainty, &share)))
		return false;
	rule->certainty = (unsigned)(share * 100 + 0.5);
	if (rule_compile(p->id, rule, pattern, options, &why) != 0) {
		COMPLAIN(p, "%s, write it as PCRE2 or Ruby would take it", why.text);
		return false;
	}
	if (!read_params(p, node, rule)) {
		pcre2_code_free(rule->code);
		return false;
	}
	read_examples(p, node, rule);
	return true;
}

static void read_fingerprint(struct place *p, xmlNode *node)
{
	struct identify *id = p->id;
	p->number++;
	p->line = xmlGetLineNo(node);
	if (id->rule_count == RULES_MAX) {
		COMPLAIN(p, "there are more than %d rules, load fewer directories", RULES_MAX);
		return;
	}
	char name[320];
	snprintf(name, sizeof name, "%s:%u", p->file->stem, p->number);
	struct rule *rule = arena_alloc(&id->arena, sizeof *rule);
	if (!rule || !(rule->id = arena_text(&id->arena, bytes_of_text(name)))) {
		COMPLAIN(p, "all rules together are above %zu MiB", RULES_ARENA_MAX >> 20);
		return;
	}
	rule->file = p->file;
	rule->path = p->path;
	rule->line = (unsigned)p->line;
	if (!(rule->description = read_description(p, node)) || !read_rule(p, node, rule))
		return;
	*p->file->last = rule;
	p->file->last = &rule->next;
	id->rule_count++;
}

/* The key's list, kept by falling preference and, among equals, in the order of loading. */
static int file_enter(struct identify *id, struct rule_file *file, const char *key_name)
{
	struct rule_key **key = &id->keys;
	while (*key && strcmp((*key)->name, key_name) != 0)
		key = &(*key)->next;
	if (!*key) {
		if (!(*key = arena_alloc(&id->arena, sizeof **key)))
			return ERR_MEMORY;
		(*key)->name = key_name;
	}
	struct rule_file **at = &(*key)->files;
	while (*at && (*at)->preference >= file->preference)
		at = &(*at)->next;
	file->next = *at;
	file->key = *key;
	*at = file;
	id->file_count++;
	return 0;
}

/* "fingerprints/html_title.xml" is "html_title". */
static const char *stem_of(struct arena *a, const char *path)
{
	const char *name = strrchr(path, '/');
	struct bytes stem = bytes_of_text(name ? name + 1 : path);
	if (stem.len > 4 && memcmp(stem.at + stem.len - 4, ".xml", 4) == 0)
		stem.len -= 4;
	if (stem.len > 255)
		stem.len = 255;
	return arena_text(a, stem);
}

static void read_document(struct place *p, xmlDoc *document)
{
	struct identify *id = p->id;
	xmlNode *root = xmlDocGetRootElement(document);
	if (!root || !node_is(root, "fingerprints")) {
		rules_complain(id, "%s:1: the document is not Recog's, its root must be <fingerprints>",
			       p->path);
		return;
	}
	const char *key = attribute(p, root, "matches"), *preference = attribute(p, root, "preference");
	struct rule_file *file = arena_alloc(&id->arena, sizeof *file);
	if (!file)
		return;
	p->file = file;
	p->line = xmlGetLineNo(root);
	*file = (struct rule_file){.path = p->path, .preference = 0.10, .last = &file->first};
	if ((preference && !read_share(p, "preference", preference, &file->preference)) ||
	    !(file->stem = stem_of(&id->arena, p->path)))
		return;
	char *protocol = attribute(p, root, "protocol");
	for (char *c = protocol; c && *c; c++)
		*c = (char)tolower((unsigned char)*c);
	file->protocol = bytes_of_text(protocol ? protocol : "");
	/* A file that names no key is about what its own name says. */
	if (file_enter(id, file, key && *key ? key : file->stem) != 0)
		return;
	for (xmlNode *node = root->children; node; node = node->next)
		if (node_is(node, "fingerprint"))
			read_fingerprint(p, node);
}

/* libxml2 would write some of its errors to standard error; we read the last one from the parser. */
static void say_nothing(void *context, xmlErrorPtr error)
{
	(void)context;
	(void)error;
}

void recog_read(struct identify *id, const char *path, struct bytes text)
{
	struct place p = {.id = id, .path = arena_text(&id->arena, bytes_of_text(path))};
	if (!p.path || id->file_count >= RULE_FILES_MAX || text.len > RULE_FILE_BYTES_MAX) {
		rules_complain(id, "%s:1: the file is above %d MiB or the %dth, load less", path,
			       RULE_FILE_BYTES_MAX >> 20, RULE_FILES_MAX);
		return;
	}
	xmlParserCtxt *parser = xmlNewParserCtxt();
	if (!parser)
		return;
	/* UTF-8 whatever the file claims, so that no converter of the system is loaded for it. */
	xmlSetStructuredErrorFunc(NULL, say_nothing);
	xmlDoc *document = xmlCtxtReadMemory(parser, (const char *)text.at, (int)text.len, NULL, "UTF-8",
					     XML_PARSE_NONET | XML_PARSE_NOERROR |
					     XML_PARSE_NOWARNING | XML_PARSE_BIG_LINES |
					     XML_PARSE_NOCDATA);
	xmlSetStructuredErrorFunc(NULL, NULL);
	const xmlError *error = xmlCtxtGetLastError(parser);
	if (!document)
		rules_complain(id, "%s:%d: not well-formed XML: %.*s", path, error ? error->line : 1,
			       error && error->message ? (int)strcspn(error->message, "\n") : 7,
			       error && error->message ? error->message : "no text");
	else if (document->intSubset || document->extSubset)
		rules_complain(id, "%s:1: a document type is not accepted, remove <!DOCTYPE>", path);
	else
		read_document(&p, document);
	xmlFreeDoc(document);
	xmlFreeParserCtxt(parser);
}
