/*
 * What YAML says of one service: its ports, and a table of options of its own.
 *
 * The configuration says so where kansoku listens (passive.services), a persona where its device
 * does and what is particular to it there (services).
 */
#pragma once
#include "base/options.h"
#include "passive/service.h"

#define SERVICE_OPTIONS_MAX 64

struct service_options {
	struct option_list ports, secure_ports; /* of uint64_t */
	const struct yaml_node *tls;            /* of a persona: how it speaks TLS there; NULL: as elsewhere */
	const struct yaml_node *backend;        /* of a persona: the machine behind it; NULL: none */
	const void *own;          /* of the table; NULL when there is none */
};

const struct service *service_named(const char *name); /* or NULL */
/* The names of all, for errors. */
void service_names(struct writer *);
#define SERVICE_OPTIONS_COMMON 4

/*
 * `own` is the table, of a struct of `size` bytes.  Without ports and secure_ports in
 * the node the usual ones of the service are meant.  A node that is NULL: all defaults.
 */
int service_options_read(const struct service *, const struct option *own, size_t size,
			 const struct yaml_node *, const char *file, const char *path, struct arena *,
			 struct service_options *, struct fault *);
