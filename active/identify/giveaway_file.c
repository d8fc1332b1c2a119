/* Reading the rules about decoys: a wrong one is named with its line and left out. */
#include "active/identify/giveaway_inner.h"
#include <stdlib.h>

struct reading {
	struct giveaways *to;
	const char *file;
	size_t skipped;
	struct fault *first;
};

static void complain(struct reading *r, const struct yaml_node *at, const char *what)
{
	if (r->skipped++ == 0 && r->first)
		fault_set(r->first, ERR_BAD, "%s:%u: %s", r->file, at->line, what);
}

static const char *scalar(const struct yaml_node *map, const char *key)
{
	const struct yaml_node *n = yaml_child(map, key);
	return n && n->type == YAML_SCALAR && n->text.len ? (const char *)n->text.at : NULL;
}

static bool words_read(struct giveaway_condition *c, const struct yaml_node *n)
{
	if (n->type == YAML_SCALAR && n->text.len) {
		c->words[c->word_count++] = (const char *)n->text.at;
		return true;
	}
	if (n->type != YAML_LIST || c->how != GIVEAWAY_CONTAINS)
		return false;
	YAML_EACH(n, it) {
		if (it->type != YAML_SCALAR || !it->text.len || c->word_count == GIVEAWAY_WORDS_MAX)
			return false;
		c->words[c->word_count++] = (const char *)it->text.at;
	}
	return c->word_count > 0;
}

static const char *condition_read(const struct yaml_node *n, struct giveaway_condition *c)
{
	static const char *const hows[] = {"equals", "starts", "contains"};
	if (n->type != YAML_MAP || !(c->key = scalar(n, "key")))
		return "a condition is {key: KEY, equals | starts | contains: TEXT}";
	const struct yaml_node *words = NULL;
	for (int how = 0; how < 3; how++) {
		const struct yaml_node *it = yaml_child(n, hows[how]);
		if (it && words)
			return "a condition compares in one way: equals, starts or contains";
		if (it) {
			words = it;
			c->how = (enum giveaway_how)how;
		}
	}
	if (!words || n->count != 2)
		return "a condition has a key and one of equals, starts, contains";
	return words_read(c, words) ? NULL : "what is compared is a text, or after contains up to six";
}

static const char *conditions_read(const struct yaml_node *n, struct giveaway_rule *rule)
{
	if (!n || n->type != YAML_LIST || n->count == 0 || n->count > GIVEAWAY_WHEN_MAX)
		return "`when` is a list of one to four conditions";
	YAML_EACH(n, it) {
		const char *wrong = condition_read(it, &rule->when[rule->when_count++]);
		if (wrong)
			return wrong;
	}
	return NULL;
}

static const char *common_read(const struct yaml_node *n, struct giveaway_rule *rule)
{
	uint64_t weight;
	const struct yaml_node *w = yaml_child(n, "weight");
	rule->name = scalar(n, "name");
	rule->because = scalar(n, "because");
	if (!w || w->type != YAML_SCALAR || !bytes_number(w->text, 99, &weight) || weight == 0)
		return "`weight` is a number from 1 to 99";
	rule->weight = (unsigned)weight;
	if (!rule->because)
		return "`because` says in a few words what gives it away";
	return NULL;
}

static const char *ports_read(const struct yaml_node *n, struct giveaway_rule *rule)
{
	if (!n || n->type != YAML_LIST || n->count == 0 || n->count > GIVEAWAY_PORTS_MAX)
		return "`ports` is a list of up to 16 ports";
	YAML_EACH(n, it) {
		uint64_t port;
		if (it->type != YAML_SCALAR || !bytes_number(it->text, 65535, &port) || port == 0)
			return "a port is a number from 1 to 65535";
		rule->ports[rule->port_count++] = (uint16_t)port;
	}
	return NULL;
}

static const char *structure_read(const struct yaml_node *n, struct giveaway_rule *rule)
{
	static const char *const names[STRUCTURE_COUNT] = {
#define X(structure, word) [STRUCTURE_##structure] = word,
		GIVEAWAY_STRUCTURES(X)
#undef X
	};
	const char *word = scalar(n, "structure");
	const struct yaml_node *least = yaml_child(n, "least");
	for (int s = 1; word && s < STRUCTURE_COUNT; s++)
		if (!strcmp(word, names[s]))
			rule->structure = (enum giveaway_structure)s;
	if (!rule->structure)
		return "no structure has that name, docs/decoys-of-others.md lists them";
	if (least && (least->type != YAML_SCALAR || !bytes_number(least->text, 65535, &rule->least)))
		return "`least` is a number up to 65535";
	return rule->structure == STRUCTURE_PORTS ? ports_read(yaml_child(n, "ports"), rule) : NULL;
}

static void rule_read(struct reading *r, const struct yaml_node *n, bool structure)
{
	if (n->type != YAML_MAP) {
		complain(r, n, "a rule is a map with weight and because");
		return;
	}
	if (r->to->count == GIVEAWAY_RULES_MAX) {
		complain(r, n, "more rules than 512");
		return;
	}
	struct giveaway_rule *rule = arena_alloc(&r->to->arena, sizeof *rule);
	if (!rule) {
		complain(r, n, "the rules need more memory than they may");
		return;
	}
	const char *wrong = common_read(n, rule);
	if (!wrong)
		wrong = structure ? structure_read(n, rule) : conditions_read(yaml_child(n, "when"), rule);
	if (wrong)
		complain(r, n, wrong);
	else
		r->to->rules[r->to->count++] = rule;
}

static void list_read(struct reading *r, const struct yaml_node *root, const char *key, bool structure)
{
	const struct yaml_node *list = yaml_child(root, key);
	if (!list)
		return;
	if (list->type != YAML_LIST) {
		complain(r, list, "is not a list of rules");
		return;
	}
	YAML_EACH(list, it)
		rule_read(r, it, structure);
}

int giveaways_open(struct giveaways **out)
{
	*out = calloc(1, sizeof **out);
	if (!*out)
		return ERR_MEMORY;
	(*out)->arena = ARENA(GIVEAWAY_ARENA_MAX);
	return 0;
}

void giveaways_close(struct giveaways *g)
{
	if (!g)
		return;
	arena_done(&g->arena);
	free(g);
}

size_t giveaways_count(const struct giveaways *g) { return g->count; }

int giveaways_add(struct giveaways *g, struct bytes text, const char *name, size_t *skipped, struct fault *first)
{
	struct reading r = {.to = g, .file = name, .first = first};
	struct yaml_node *root;
	*skipped = 0;
	int bad = yaml_read(text, name, &g->arena, &root, first);
	if (bad)
		return bad;
	if (root->type != YAML_MAP)
		return fault_set(first, ERR_BAD, "%s:%u: a file of giveaways has the lists decoys and structures", name,
				 root->line);
	list_read(&r, root, "decoys", false);
	list_read(&r, root, "structures", true);
	*skipped = r.skipped;
	return 0;
}
