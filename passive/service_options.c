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
	struct option_list ports;
	_Alignas(max_align_t) uint8_t own[];
};

static void usual_ports(const struct service *service, char *text, size_t size)
{
	struct writer w = writer_of(text, size - 1);
	write_text(&w, "[");
	for (size_t i = 0; i < sizeof service->ports / sizeof *service->ports && service->ports[i]; i++)
		write_fmt(&w, "%s%u", i ? ", " : "", service->ports[i]);
	write_text(&w, "]");
	*w.at = '\0';
}

int service_options_read(const struct service *service, const struct option *own, size_t size,
			 const struct yaml_node *n, const char *file, const char *path, struct arena *arena,
			 struct service_options *out, struct fault *fault)
{
	struct option fields[SERVICE_OPTIONS_MAX + 2] = {0};
	char usual[128];
	usual_ports(service, usual, sizeof usual);
	fields[0] = (struct option){.name = "ports",
				    .type = OPTION_LIST,
				    .element = OPTION_NUMBER,
				    .fallback = usual,
				    .min = 1,
				    .max = 65535,
				    .summary = "where it listens"};
	size_t count = 1;
	for (const struct option *o = own; o && o->name; o++) {
		if (count > SERVICE_OPTIONS_MAX)
			return fault_set(fault, ERR_FULL, "service %s: more than %d options", service->name,
					 SERVICE_OPTIONS_MAX);
		fields[count] = *o;
		fields[count++].offset += offsetof(struct filled, own);
	}
	struct filled *filled = arena_alloc(arena, sizeof *filled + size);
	if (!filled)
		return fault_set(fault, ERR_MEMORY, "%s: too large", path);
	int bad = options_bind(fields, n, file, path, arena, filled, fault);
	*out = (struct service_options){filled->ports, own ? filled->own : NULL};
	return bad;
}
