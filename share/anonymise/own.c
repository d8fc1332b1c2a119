#include "share/anonymise/own_inner.h"
#include "share/exchange_inner.h"
#include <ctype.h>
#include <stdlib.h>

#define NARROW_V4 (96 + 16)
#define NARROW_V6 32

static bool is_v4(const struct prefix *p) { return p->bits >= 96 && address_is_v4(&p->base); }

int own_add_prefix(struct own *o, const struct prefix *p)
{
	int bad = prefix_set_add(&o->all, p);
	if (!bad && p->bits >= (is_v4(p) ? NARROW_V4 : NARROW_V6))
		bad = prefix_set_add(&o->narrow, p);
	return bad;
}

int own_add_name(struct own *o, const char *name)
{
	if (strlen(name) < OWN_NAME_MIN)
		return ERR_BAD;
	if (o->name_count == OWN_NAMES_MAX)
		return ERR_FULL;
	const char **more = realloc(o->names, (o->name_count + 1) * sizeof *more);
	char *kept = strdup(name);
	if (more)
		o->names = more;
	if (!more || !kept) {
		free(kept);
		return ERR_MEMORY;
	}
	for (char *c = kept; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	o->names[o->name_count++] = kept;
	o->letters[(uint8_t)kept[0]] = o->letters[(uint8_t)toupper((unsigned char)kept[0])] = true;
	return 0;
}

/* Every prefix and address below a node: a scalar, a list, or maps with one of these keys. */
static int add_below(struct own *o, const struct yaml_node *n)
{
	static const char *const keys[] = {"prefix", "address", "listen", "decoys"};
	struct prefix p;
	int bad = 0;
	if (!n)
		return 0;
	if (n->type == YAML_SCALAR)
		return prefix_parse(n->text, &p) ? own_add_prefix(o, &p) : 0;
	for (size_t i = 0; n->type == YAML_MAP && i < sizeof keys / sizeof *keys && !bad; i++)
		bad = add_below(o, yaml_child(n, keys[i]));
	for (const struct yaml_node *it = n->first; n->type == YAML_LIST && it && !bad; it = it->next)
		bad = add_below(o, it);
	return bad;
}

static const struct yaml_node *node_at(const struct config *c, const char *section, const char *key)
{
	const struct yaml_node *n = c->root && c->root->type == YAML_MAP ? yaml_child(c->root, section) : NULL;
	return n && n->type == YAML_MAP ? yaml_child(n, key) : NULL;
}

static int add_names(struct own *o, const struct config *c, const struct own_options *more, struct fault *fault)
{
	const char *const *names = more->names.items;
	for (size_t i = 0; i < more->names.count; i++) {
		int bad = own_add_name(o, names[i]);
		if (bad)
			return fault_set(fault, bad, "%s: exchange.own.names[%zu]: \"%s\": %d letters to %d names would be right",
					 c->file, i, names[i], OWN_NAME_MIN, OWN_NAMES_MAX);
	}
	return 0;
}

/* A machine called "north" would take that word from every text; one with a point or a digit is meant. */
static bool is_host(struct bytes name)
{
	for (size_t i = 0; i < name.len; i++)
		if (name.at[i] == '.' || isdigit(name.at[i]))
			return name.len >= OWN_NAME_MIN;
	return false;
}

/*
 * Other rooms own these options and check them; what is ours has to be known here only to be hidden, so it is
 * read from the document itself.
 */
int own_read(struct own *o, const struct config *c, struct fault *fault)
{
	static const char *const places[][2] = {
		{"passive", "decoys"}, {"telescope", "prefixes"}, {"sensors", "own"}, {"active", "addresses"},
		{"active", "page"},    {"lab", "egress"},
	};
	const struct own_options *more = &((const struct exchange_options *)config_section(c, "exchange"))->own;
	const struct prefix *prefixes = more->prefixes.items;
	const struct yaml_node *sensor = node_at(c, "run", "sensor");
	int bad = 0;
	for (size_t i = 0; i < sizeof places / sizeof *places && !bad; i++)
		bad = add_below(o, node_at(c, places[i][0], places[i][1]));
	for (size_t i = 0; i < more->prefixes.count && !bad; i++)
		bad = own_add_prefix(o, &prefixes[i]);
	if (!bad && sensor && sensor->type == YAML_SCALAR && is_host(sensor->text))
		bad = own_add_name(o, (const char *)sensor->text.at);
	if (bad)
		return fault_set(fault, bad, "%s: no memory for what is ours", c->file);
	return add_names(o, c, more, fault);
}

void own_seal(struct own *o)
{
	prefix_set_seal(&o->all);
	prefix_set_seal(&o->narrow);
	for (size_t i = 0; i < o->narrow.count; i++) {
		const uint8_t *b = o->narrow.items[i].base.b;
		const bool v4 = is_v4(&o->narrow.items[i]);
		const unsigned first = v4 ? b[12] << 8 | b[13] : b[0] << 8 | b[1];
		(v4 ? o->firsts : o->firsts_v6)[first / 64] |= UINT64_C(1) << first % 64;
	}
}

void own_done(struct own *o)
{
	prefix_set_done(&o->all);
	prefix_set_done(&o->narrow);
	for (size_t i = 0; i < o->name_count; i++)
		free((void *)o->names[i]);
	free(o->names);
	*o = (struct own){0};
}
