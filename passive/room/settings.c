#include "passive/room/settings.h"
#include "base/random.h"
#include "passive/service_options.h"
#include "passive/device/tls/certificate.h"
#include <stdlib.h>
#include <xxhash.h>

/* Where nothing is configured: what needs no rights and reaches nobody but this machine. */
static const char services_usual[] = "{telnet: {ports: [2323]}, http: {ports: [8080]}}";

static int complain_unknown(const struct config *c, const struct yaml_node *n, struct fault *fault)
{
	char all[1024];
	struct writer w = writer_of(all, sizeof all - 1);
	service_names(&w);
	*w.at = '\0';
	return fault_set(fault, ERR_BAD,
	                 "%s:%u: passive.services.%s: there is no such service, there are:%s",
	                 c->file, n->line, n->key, all);
}

static int port_add(struct settings *s, uint16_t port, enum transport transport, bool secure,
                    const struct service *service, const void *options, struct fault *fault)
{
	for (size_t i = 0; i < s->port_count; i++)
		if (s->ports[i].port == port && s->ports[i].transport == transport)
			return fault_set(fault, ERR_BAD,
			                 "passive.services.%s.ports: %u is already a port of %s, "
			                 "one service a port would be right",
			                 service->name, port, s->ports[i].service->name);
	if (s->port_count == PASSIVE_PORTS_MAX)
		return fault_set(fault, ERR_FULL, "passive.services: more than %d ports",
		                 PASSIVE_PORTS_MAX);
	s->ports[s->port_count++] =
	        (struct offered_port){port, (uint8_t)transport, secure, false, service, options};
	return 0;
}

static int service_add(struct settings *s, const struct config *c, const struct service *service,
                       const struct yaml_node *n, struct fault *fault)
{
	char path[128];
	struct service_options o;
	snprintf(path, sizeof path, "passive.services.%s", service->name);
	int bad = service_options_read(service, service->options, service->options_size, n, c->file, path,
				       &s->arena, &o, fault);
	if (!bad && o.tls)
		bad = fault_set(fault, ERR_BAD, "%s:%u: %s.tls: belongs to a persona", c->file, o.tls->line, path);
	if (!bad && o.backend)
		bad = fault_set(fault, ERR_BAD, "%s:%u: %s.backend: belongs to a persona", c->file, o.backend->line, path);
	const uint64_t *ports = o.ports.items;
	for (size_t i = 0; !bad && i < o.ports.count; i++) {
		if (service->transports & TRANSPORT_TCP)
			bad = port_add(s, (uint16_t)ports[i], TRANSPORT_TCP, false, service, o.own, fault);
		if (!bad && service->transports & TRANSPORT_UDP)
			bad = port_add(s, (uint16_t)ports[i], TRANSPORT_UDP, false, service, o.own, fault);
	}
	ports = o.secure_ports.items;
	for (size_t i = 0; !bad && i < o.secure_ports.count; i++)
		bad = port_add(s, (uint16_t)ports[i], TRANSPORT_TCP, true, service, o.own, fault);
	return bad;
}

static int services_read(struct settings *s, const struct config *c, struct fault *fault)
{
	const struct yaml_node *services = s->options->services;
	struct yaml_node *usual = NULL;
	if (!services) {
		int bad = yaml_read(BYTES(services_usual), "default", &s->arena, &usual, fault);
		if (bad)
			return bad;
		services = usual;
	}
	if (services->type != YAML_MAP)
		return fault_set(fault, ERR_BAD,
		                 "%s:%u: passive.services: is not a map of services, such as "
		                 "{telnet: {ports: [23]}}",
		                 c->file, services->line);
	YAML_EACH(services, n)
	{
		const struct service *service = service_named(n->key);
		if (!service && usual)
			continue; /* this build lacks it */
		int bad = service ? service_add(s, c, service, n, fault)
		                  : complain_unknown(c, n, fault);
		if (bad)
			return bad;
	}
	return 0;
}

static int decoy_order(const void *a, const void *b)
{
	const struct decoy *x = a, *y = b;
	return y->prefix.bits - x->prefix.bits;
}

static bool is_loopback(const struct prefix *p)
{
	const struct prefix v4 = {address_v4(0x7f000000), 104};
	struct prefix v6 = {.bits = 128};
	v6.base.b[15] = 1;
	return (p->bits >= v4.bits && prefix_holds(&v4, &p->base)) ||
	       (p->bits == v6.bits && prefix_holds(&v6, &p->base));
}

static int decoys_read(struct settings *s, struct fault *fault)
{
	const struct option_list *list = &s->options->decoys;
	const struct decoy_options *o = list->items;
	if (list->count > PASSIVE_DECOYS_MAX)
		return fault_set(fault, ERR_FULL, "passive.decoys: more than %d prefixes",
		                 PASSIVE_DECOYS_MAX);
	s->decoys = arena_alloc(&s->arena, (list->count + 1) * sizeof *s->decoys);
	if (!s->decoys)
		return fault_set(fault, ERR_MEMORY, "passive.decoys: too large");
	s->loopback_only = true;
	for (size_t i = 0; i < list->count; i++) {
		s->decoys[i] = (struct decoy){
		        .prefix = o[i].prefix, .steer = o[i].steer, .react = o[i].react,
		        .every_port = o[i].every_port};
		s->loopback_only &= is_loopback(&o[i].prefix);
	}
	s->decoy_count = list->count;
	if (every_port_wanted(s) && !passive_catch_all(s, TRANSPORT_TCP))
		return fault_set(fault, ERR_MISSING, "passive.decoys: every_port: nothing would take those ports; "
				 "passive.services with any: {} among them would be right");
	return 0;
}

const struct offered_port *passive_catch_all(const struct settings *s, enum transport transport)
{
	for (size_t i = 0; i < s->port_count; i++)
		if (s->ports[i].service->hands_over && s->ports[i].transport == transport)
			return &s->ports[i];
	return NULL;
}

bool every_port_wanted(const struct settings *s)
{
	for (size_t i = 0; i < s->decoy_count; i++)
		if (s->decoys[i].every_port)
			return true;
	return false;
}

int passive_settings_read(const struct config *c, struct settings *s, struct fault *fault)
{
	*s = (struct settings){.options = config_section(c, "passive"),
	                       .arena = ARENA(PASSIVE_SETTINGS_BYTES_MAX)};
	int bad = services_read(s, c, fault);
	if (!bad)
		bad = decoys_read(s, fault);
	if (bad)
		arena_done(&s->arena);
	return bad;
}

void passive_settings_done(struct settings *s)
{
	arena_done(&s->arena);
}

/* How many of the services that are configured a persona offers. */
static size_t offers(const struct settings *s, const struct persona *p, size_t *of)
{
	size_t n = 0;
	*of = 0;
	for (size_t i = 0; i < s->port_count; i++) {
		if (s->ports[i].service->hands_over)
			continue;
		(*of)++;
		n += !p->service_count || persona_service(p, s->ports[i].service) != NULL;
	}
	return n;
}

/* Without names: who offers all that is configured, else who offers something, else anybody. */
static void cast_anybody(const struct settings *s, struct decoy *d, const struct persona_set *set)
{
	for (int least = 2; least >= 0 && !d->persona_count; least--)
		for (size_t i = 0; i < set->count; i++) {
			size_t of, n = offers(s, set->items[i], &of);
			if (least == 0 || (least == 1 && n) || (least == 2 && n == of))
				d->personas[d->persona_count++] = set->items[i];
		}
}

static int decoy_cast(struct settings *s, struct decoy *d, const struct option_list *names,
                      const struct persona_set *set, struct fault *fault)
{
	size_t count = names->count ? names->count : set->count;
	d->personas = arena_alloc(&s->arena, (count + 1) * sizeof *d->personas);
	d->persona_count = 0;
	if (!d->personas)
		return fault_set(fault, ERR_MEMORY, "passive.decoys: too large");
	if (!names->count)
		cast_anybody(s, d, set);
	for (size_t i = 0; i < names->count; i++) {
		const char *name = ((const char *const *)names->items)[i];
		const struct persona *p = persona_named(set, name);
		if (!p)
			return fault_set(fault, ERR_MISSING,
					 "passive.decoys.personas: there is no persona \"%s\" among the %zu that were "
					 "read; a file NAME.yaml in personas_dir would be right", name, set->count);
		d->personas[d->persona_count++] = p;
	}
	return 0;
}

int passive_settings_cast(struct settings *s, const struct persona_set *set, struct fault *fault)
{
	const struct decoy_options *o = s->options->decoys.items;
	for (size_t i = 0; i < s->decoy_count; i++) {
		int bad = decoy_cast(s, &s->decoys[i], &o[i].personas, set, fault);
		if (bad)
			return bad;
	}
	for (size_t i = 0; i < s->port_count; i++)
		for (size_t k = 0; k < set->count; k++)
			s->ports[i].of_device |= persona_has_port(set->items[k], s->ports[i].service,
			                                          s->ports[i].port, s->ports[i].secure);
	/* Only now: until here a decoy has the place of its options. */
	if (s->decoy_count)
		qsort(s->decoys, s->decoy_count, sizeof *s->decoys, decoy_order);
	return 0;
}

bool port_played(const struct offered_port *o, const struct persona *p)
{
	if (!p || !p->service_count)
		return true;
	return o->of_device ? persona_has_port(p, o->service, o->port, o->secure) : persona_service(p, o->service) != NULL;
}

const struct decoy *passive_decoy(const struct settings *s, const struct address *local)
{
	for (size_t i = 0; i < s->decoy_count; i++)
		if (prefix_holds(&s->decoys[i].prefix, local))
			return &s->decoys[i];
	return NULL;
}

bool decoy_plays(const struct decoy *d, const struct persona *p)
{
	for (size_t i = 0; i < d->persona_count; i++)
		if (d->personas[i] == p)
			return true;
	return false;
}

const struct persona *decoy_persona(const struct decoy *d, uint64_t device_seed)
{
	return d->persona_count ? d->personas[random_mix(device_seed) % d->persona_count] : NULL;
}

uint64_t passive_device_key(const struct settings *s)
{
	return XXH64(s->options->seed, strlen(s->options->seed), 0);
}
