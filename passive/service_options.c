#include "passive/service_options.h"

const struct service *service_named(const char *name)
{
	SERVICES_EACH(it)
		if (!strcmp((*it)->name, name))
			return *it;
	return NULL;
}

void service_names(struct writer *w)
{
	SERVICES_EACH(it)
		write_fmt(w, " %s", (*it)->name);
}

/* The service's own options stand behind what every service has. */
struct filled {
	struct option_list ports, secure_ports;
	const struct yaml_node *tls, *backend;
	_Alignas(max_align_t) uint8_t own[];
};

static void usual_ports(const uint16_t ports[8], char *text, size_t size)
{
	struct writer w = writer_of(text, size - 1);
	write_text(&w, "[");
	for (size_t i = 0; i < 8 && ports[i]; i++)
		write_fmt(&w, "%s%u", i ? ", " : "", ports[i]);
	write_text(&w, "]");
	*w.at = '\0';
}

static void common_options(struct option *fields, char usual[2][128])
{
	static const char *const summaries[] = {"where it listens", "where it listens for TLS from the first byte"};
	for (size_t i = 0; i < 2; i++)
		fields[i] = (struct option){.name = i ? "secure_ports" : "ports",
		                            .type = OPTION_LIST,
		                            .element = OPTION_NUMBER,
		                            .offset = i ? offsetof(struct filled, secure_ports)
		                                        : offsetof(struct filled, ports),
		                            .fallback = usual[i],
		                            .min = 1,
		                            .max = 65535,
		                            .summary = summaries[i]};
	fields[2] = (struct option){.name = "tls",
	                            .type = OPTION_NODE,
	                            .offset = offsetof(struct filled, tls),
	                            .summary = "of a persona: how it speaks TLS there"};
	fields[3] = (struct option){.name = "backend",
	                            .type = OPTION_NODE,
	                            .offset = offsetof(struct filled, backend),
	                            .summary = "of a persona: a real machine behind it"};
}

int service_options_read(const struct service *service, const struct option *own, size_t size,
			 const struct yaml_node *n, const char *file, const char *path, struct arena *arena,
			 struct service_options *out, struct fault *fault)
{
	struct option fields[SERVICE_OPTIONS_MAX + SERVICE_OPTIONS_COMMON + 1] = {0};
	char usual[2][128];
	/* Who names one kind of port wants no other. */
	bool said = n && n->type == YAML_MAP && (yaml_child(n, "ports") || yaml_child(n, "secure_ports"));
	static const uint16_t none[8];
	usual_ports(said ? none : service->ports, usual[0], sizeof usual[0]);
	usual_ports(said ? none : service->secure_ports, usual[1], sizeof usual[1]);
	common_options(fields, usual);
	size_t count = SERVICE_OPTIONS_COMMON;
	for (const struct option *o = own; o && o->name; o++) {
		if (count >= SERVICE_OPTIONS_MAX + SERVICE_OPTIONS_COMMON)
			return fault_set(fault, ERR_FULL, "service %s: more than %d options", service->name,
					 SERVICE_OPTIONS_MAX);
		fields[count] = *o;
		fields[count++].offset += offsetof(struct filled, own);
	}
	struct filled *filled = arena_alloc(arena, sizeof *filled + size);
	if (!filled)
		return fault_set(fault, ERR_MEMORY, "%s: too large", path);
	int bad = options_bind(fields, n, file, path, arena, filled, fault);
	*out = (struct service_options){filled->ports, filled->secure_ports, filled->tls, filled->backend,
	                               own ? filled->own : NULL};
	return bad;
}
