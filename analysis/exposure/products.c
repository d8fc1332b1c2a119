/*
 * exposures/products.yaml:
 *
 *   same: [[f5:nginx, nginx:nginx, igor_sysoev:nginx], …]    names of one product, VENDOR:PRODUCT
 *   port_updates: [openbsd:openssh]
 *   distributions: {words: [Debian, .el7], vendors: [debian, canonical]}
 */
#include "analysis/exposure/products_inner.h"
#include "base/options.h"
#include <stddef.h>
#include <stdlib.h>

#define PRODUCTS_MEMORY_MAX (4u << 20)

struct group {
	size_t count;
	struct product_name names[PRODUCTS_NAMES_MAX];
};

struct products {
	struct arena arena;
	struct group *groups;
	size_t group_count;
	struct option_list ports, words, vendors;
};

struct products_option {
	const struct yaml_node *same;
	struct option_list ports;
	struct {
		struct option_list words, vendors;
	} distributions;
};

static const struct option distribution_fields[] = {
	{"words", OPTION_LIST, 0, .element = OPTION_TEXT, .summary = "in a banner or version of theirs"},
	{"vendors", OPTION_LIST, sizeof(struct option_list), .element = OPTION_TEXT, .summary = "of the system's CPE"},
	{0},
};

static const struct option products_fields[] = {
	{"same", OPTION_NODE, offsetof(struct products_option, same), .summary = "lists of names of one product"},
	{"port_updates", OPTION_LIST, offsetof(struct products_option, ports), .element = OPTION_TEXT,
	 .summary = "products whose p1 is no repair"},
	{"distributions", OPTION_MAP, offsetof(struct products_option, distributions), .fields = distribution_fields,
	 .summary = "who repairs without a new number"},
	{0},
};

static bool split_name(struct bytes text, struct product_name *out)
{
	size_t colon = bytes_find(text, ":");
	if (colon == 0 || colon + 1 >= text.len)
		return false;
	*out = (struct product_name){{text.at, colon}, {text.at + colon + 1, text.len - colon - 1}};
	return true;
}

static int read_groups(struct products *p, const struct yaml_node *same, const char *name, struct fault *fault)
{
	if (!same)
		return 0;
	if (same->type != YAML_LIST || same->count > PRODUCTS_GROUPS_MAX)
		return fault_set(fault, ERR_BAD, "%s:%u: same: a list of at most %d lists is expected", name, same->line,
				 PRODUCTS_GROUPS_MAX);
	p->groups = arena_alloc(&p->arena, (same->count + 1) * sizeof *p->groups);
	if (!p->groups)
		return fault_set(fault, ERR_FULL, "%s: too large", name);
	YAML_EACH(same, list) {
		struct group *g = &p->groups[p->group_count];
		if (list->type != YAML_LIST || list->count < 2 || list->count > PRODUCTS_NAMES_MAX)
			return fault_set(fault, ERR_BAD, "%s:%u: same: 2 to %d names are expected", name, list->line,
					 PRODUCTS_NAMES_MAX);
		YAML_EACH(list, n)
			if (n->type != YAML_SCALAR || !split_name(n->text, &g->names[g->count++]))
				return fault_set(fault, ERR_BAD, "%s:%u: same: VENDOR:PRODUCT is expected", name, n->line);
		p->group_count++;
	}
	return 0;
}

int products_open(struct products **out, struct bytes yaml, const char *name, struct fault *fault)
{
	struct products *p = calloc(1, sizeof *p);
	struct products_option o = {0};
	struct yaml_node *root;
	if (!p)
		return fault_set(fault, ERR_MEMORY, "%s: no memory", name);
	p->arena = ARENA(PRODUCTS_MEMORY_MAX);
	int bad = yaml_read(yaml, name, &p->arena, &root, fault);
	if (!bad)
		bad = options_bind(products_fields, root, name, "products", &p->arena, &o, fault);
	if (!bad)
		bad = read_groups(p, o.same, name, fault);
	if (bad) {
		products_close(p);
		return bad;
	}
	p->ports = o.ports;
	p->words = o.distributions.words;
	p->vendors = o.distributions.vendors;
	*out = p;
	return 0;
}

void products_close(struct products *p)
{
	if (!p)
		return;
	arena_done(&p->arena);
	free(p);
}

size_t products_names(const struct products *p, const struct cpe *c, struct product_name out[PRODUCTS_NAMES_MAX])
{
	struct bytes vendor = cpe_value(c, CPE_VENDOR), product = cpe_value(c, CPE_PRODUCT);
	bool any_vendor = c->attributes[CPE_VENDOR].kind != CPE_VALUE;
	for (size_t g = 0; p && g < p->group_count; g++)
		for (size_t n = 0; n < p->groups[g].count; n++) {
			const struct product_name *it = &p->groups[g].names[n];
			if ((!any_vendor && !bytes_equal(it->vendor, vendor)) || !bytes_equal(it->product, product))
				continue;
			memcpy(out, p->groups[g].names, p->groups[g].count * sizeof *out);
			return p->groups[g].count;
		}
	out[0] = (struct product_name){vendor, product};
	return 1;
}

bool products_update_is_port(const struct products *p, const struct cpe *c)
{
	struct bytes vendor = cpe_value(c, CPE_VENDOR), product = cpe_value(c, CPE_PRODUCT);
	for (size_t i = 0; p && i < p->ports.count; i++) {
		struct product_name it;
		if (split_name(bytes_of_text(((const char *const *)p->ports.items)[i]), &it) && bytes_equal(it.vendor, vendor) &&
		    bytes_equal(it.product, product))
			return true;
	}
	return false;
}

bool products_word_of_distribution(const struct products *p, struct bytes text)
{
	for (size_t i = 0; p && text.len && i < p->words.count; i++)
		if (bytes_find_nocase(text, ((const char *const *)p->words.items)[i]) < text.len)
			return true;
	return false;
}

bool products_vendor_is_distribution(const struct products *p, struct bytes vendor)
{
	for (size_t i = 0; p && i < p->vendors.count; i++)
		if (bytes_equal_text(vendor, ((const char *const *)p->vendors.items)[i]))
			return true;
	return false;
}
