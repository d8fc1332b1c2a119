/*
 * Reading a persona's file: what the readers of its parts share.  All return 0 or an error, and
 * say in the fault which line is wrong and what would be right.
 */
#pragma once
#include "base/yaml.h"
#include "passive/device/persona/persona_inner.h"

#define LIST_MAX 4096 /* items of any list */

struct load {
	struct persona_set *set;
	struct persona *persona;
	struct tree *tree;
	const char *name;
	struct fault *fault;
};

int persona_complain(const struct load *l, const struct yaml_node *n, const char *what);
int persona_read_text(const struct load *l, const struct yaml_node *n, const char **out);
int persona_read_bytes(const struct load *l, const struct yaml_node *n, struct bytes *out);
int persona_read_base64(const struct load *l, const struct yaml_node *n, struct bytes *out);
int persona_read_number(const struct load *l, const struct yaml_node *n, uint64_t max, uint64_t *out);
int persona_read_list(const struct load *l, const struct yaml_node *n, size_t size, void **out, size_t *count);
int persona_unknown(const struct load *l, const struct yaml_node *n);
int persona_read_credentials(struct load *l, const struct yaml_node *n, const struct persona_credential **out, size_t *count);

/* In load_http.c: */
int persona_read_pages(struct load *, const struct yaml_node *);
int persona_read_http(struct load *, const struct yaml_node *);
