/*
 * A YAML document as a tree of nodes that know their lines, read by libyaml.
 *
 * Scalars, maps and lists; no anchors, no tags, no merges (each is refused with
 * its line, since none is needed and some expand without bound).  The tree lives
 * in the caller's arena.
 */
#pragma once
#include "base/arena.h"
#include "base/error.h"

enum yaml_type { YAML_SCALAR, YAML_MAP, YAML_LIST };

#define YAML_DEPTH_MAX 32
#define YAML_NODES_MAX 200000

struct yaml_node {
	enum yaml_type type;
	unsigned line;      /* counted from 1 */
	const char *key;    /* within a map, else NULL */
	struct bytes text;  /* of a scalar; NUL follows */
	bool quoted;        /* "yes" in quotes is text, not a bool */
	size_t count;
	struct yaml_node *first, *next; /* children in order; next sibling */
};

/* `name` is what errors call the document: "kansoku.yaml:12: ...". */
int yaml_read(struct bytes document, const char *name, struct arena *, struct yaml_node **root,
	      struct fault *);
const struct yaml_node *yaml_child(const struct yaml_node *map, const char *key); /* NULL: absent */
#define YAML_EACH(parent, it) for (const struct yaml_node *it = (parent)->first; it; it = it->next)
