#include "base/yaml.h"
#include <yaml.h>

struct reading {
	yaml_parser_t parser;
	struct arena *arena;
	const char *name;
	struct fault *fault;
	size_t nodes;
};

static int next(struct reading *r, yaml_event_t *event)
{
	if (yaml_parser_parse(&r->parser, event))
		return 0;
	const char *what = r->parser.problem ? r->parser.problem : "not YAML";
	return fault_set(r->fault, ERR_BAD, "%s:%zu: %s", r->name, r->parser.problem_mark.line + 1, what);
}

static int refuse(struct reading *r, const yaml_event_t *event, const char *what)
{
	return fault_set(r->fault, ERR_BAD, "%s:%zu: %s", r->name, event->start_mark.line + 1, what);
}

static int node_new(struct reading *r, const yaml_event_t *event, enum yaml_type type,
		    struct yaml_node **out)
{
	struct yaml_node *n = r->nodes++ < YAML_NODES_MAX ? arena_alloc(r->arena, sizeof *n) : NULL;
	if (!n)
		return refuse(r, event, "the document is too large, split it");
	n->type = type;
	n->line = (unsigned)event->start_mark.line + 1;
	*out = n;
	return 0;
}

static int read_node(struct reading *, const yaml_event_t *, unsigned depth, struct yaml_node **);

static int read_scalar(struct reading *r, const yaml_event_t *event, struct yaml_node **out)
{
	int bad = node_new(r, event, YAML_SCALAR, out);
	if (bad)
		return bad;
	struct bytes value = {event->data.scalar.value, event->data.scalar.length};
	const char *text = arena_text(r->arena, value);
	if (!text)
		return refuse(r, event, "the document is too large, split it");
	(*out)->text = (struct bytes){(const uint8_t *)text, value.len};
	(*out)->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	return 0;
}

static int read_key(struct reading *r, const yaml_event_t *event, const struct yaml_node *map,
		    const char **key)
{
	if (event->type != YAML_SCALAR_EVENT)
		return refuse(r, event, "a key must be a word");
	struct bytes word = {event->data.scalar.value, event->data.scalar.length};
	*key = arena_text(r->arena, word);
	if (!*key)
		return refuse(r, event, "the document is too large, split it");
	if (yaml_child(map, *key))
		return fault_set(r->fault, ERR_BAD, "%s:%zu: %s: stands here twice, once would be right",
				 r->name, event->start_mark.line + 1, *key);
	return 0;
}

/* Children of a map or list up to its end event. */
static int read_children(struct reading *r, unsigned depth, struct yaml_node *parent)
{
	struct yaml_node **tail = &parent->first;
	for (;;) {
		yaml_event_t event;
		const char *key = NULL;
		int bad = next(r, &event);
		if (bad)
			return bad;
		bool end = event.type == YAML_MAPPING_END_EVENT || event.type == YAML_SEQUENCE_END_EVENT;
		if (!end && parent->type == YAML_MAP) {
			bad = read_key(r, &event, parent, &key);
			yaml_event_delete(&event);
			if (bad || (bad = next(r, &event)))
				return bad;
		}
		if (!end)
			bad = read_node(r, &event, depth + 1, tail);
		yaml_event_delete(&event);
		if (bad || end)
			return bad;
		(*tail)->key = key;
		tail = &(*tail)->next;
		parent->count++;
	}
}

static int read_node(struct reading *r, const yaml_event_t *event, unsigned depth,
		     struct yaml_node **out)
{
	if (depth > YAML_DEPTH_MAX)
		return refuse(r, event, "nested too deeply");
	int bad;
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		return read_scalar(r, event, out);
	case YAML_MAPPING_START_EVENT:
		bad = node_new(r, event, YAML_MAP, out);
		return bad ? bad : read_children(r, depth, *out);
	case YAML_SEQUENCE_START_EVENT:
		bad = node_new(r, event, YAML_LIST, out);
		return bad ? bad : read_children(r, depth, *out);
	case YAML_ALIAS_EVENT:
		return refuse(r, event, "aliases (*name) are not read, write the value out");
	default:
		return refuse(r, event, "a value was expected");
	}
}

static int read_document(struct reading *r, struct yaml_node **out)
{
	*out = NULL;
	for (;;) {
		yaml_event_t event;
		int bad = next(r, &event);
		if (bad)
			return bad;
		yaml_event_type_t type = event.type;
		bool value = type == YAML_SCALAR_EVENT || type == YAML_MAPPING_START_EVENT ||
			     type == YAML_SEQUENCE_START_EVENT || type == YAML_ALIAS_EVENT;
		if (value && *out)
			bad = refuse(r, &event, "a second document begins, one is read");
		else if (value)
			bad = read_node(r, &event, 0, out);
		yaml_event_delete(&event);
		if (bad || type == YAML_STREAM_END_EVENT)
			return bad;
	}
}

int yaml_read(struct bytes document, const char *name, struct arena *arena, struct yaml_node **root,
	      struct fault *fault)
{
	struct reading r = {.arena = arena, .name = name, .fault = fault};
	if (!yaml_parser_initialize(&r.parser))
		return fault_set(fault, ERR_MEMORY, "%s: no memory to read it", name);
	yaml_parser_set_input_string(&r.parser, document.at ? document.at : (const uint8_t *)"", document.len);
	struct yaml_node *node = NULL;
	int bad = read_document(&r, &node);
	yaml_parser_delete(&r.parser);
	if (bad)
		return bad;
	if (!node) { /* an empty document is an empty map: everything has a default */
		node = arena_alloc(arena, sizeof *node);
		if (!node)
			return ERR_MEMORY;
		node->type = YAML_MAP;
		node->line = 1;
	}
	*root = node;
	return 0;
}

const struct yaml_node *yaml_child(const struct yaml_node *map, const char *key)
{
	YAML_EACH(map, n)
		if (n->key && !strcmp(n->key, key))
			return n;
	return NULL;
}
