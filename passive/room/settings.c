#include "passive/room/settings.h"
#include "base/random.h"
#include "passive/service_options.h"
#include "passive/device/tls/certificate.h"
#include <stdlib.h>
#include <xxhash.h>

/* Where nothing is configured: what needs no rights and reaches nobody but this machine. */
static const char services_usual[] = "{telnet: {ports: [2323]}, http: {ports: [8080]}}";

#define AT(member) offsetof(struct passive_options, member)
#define LIMIT(member) offsetof(struct passive_options, limits.member)

static const struct option decoy_fields[] = {
        {.name = "prefix",
         .type = OPTION_PREFIX,
         .offset = offsetof(struct decoy_options, prefix),
         .required = true,
         .summary = "addresses that are decoys"},
        {.name = "personas",
         .type = OPTION_LIST,
         .element = OPTION_TEXT,
         .offset = offsetof(struct decoy_options, personas),
         .summary = "devices that an address there may play; none: any of personas_dir that offers what is configured"},
        {.name = "steer",
         .type = OPTION_BOOL,
         .offset = offsetof(struct decoy_options, steer),
         .fallback = "true",
         .summary = "whether what is known of a visitor chooses its device"},
        {.name = "react",
         .type = OPTION_BOOL,
         .offset = offsetof(struct decoy_options, react),
         .fallback = "true",
         .summary = "whether its visitors may be looked at; false: held out"},
        {.name = "every_port",
         .type = OPTION_BOOL,
         .offset = offsetof(struct decoy_options, every_port),
         .fallback = "false",
         .summary = "whether ports that no service has reach the service any, which must be among the services"},
        {0},
};

static const struct option limit_fields[] = {
        {.name = "sessions",
         .type = OPTION_NUMBER,
         .offset = LIMIT(sessions),
         .fallback = "18000",
         .min = 1,
         .max = 1000000,
         .summary = "sessions open at once in one worker"},
        {.name = "rate",
         .type = OPTION_NUMBER,
         .offset = LIMIT(rate),
         .fallback = "0",
         .summary = "new sessions a second in one worker; 0: no limit"},
        {.name = "source_sessions",
         .type = OPTION_NUMBER,
         .offset = LIMIT(source_sessions),
         .fallback = "256",
         .summary = "sessions open at once from one /32 or /128; 0: no limit"},
        {.name = "source_rate",
         .type = OPTION_NUMBER,
         .offset = LIMIT(source_rate),
         .fallback = "200",
         .summary = "new sessions a second from it; 0: no limit"},
        {.name = "source_bytes",
         .type = OPTION_SIZE,
         .offset = LIMIT(source_bytes),
         .fallback = "1M",
         .summary = "bytes a second with it, both ways; 0: no limit"},
        {.name = "network_sessions",
         .type = OPTION_NUMBER,
         .offset = LIMIT(network_sessions),
         .fallback = "2048",
         .summary = "sessions open at once from one /24 or /64; 0: no limit"},
        {.name = "network_rate",
         .type = OPTION_NUMBER,
         .offset = LIMIT(network_rate),
         .fallback = "1000",
         .summary = "new sessions a second from it; 0: no limit"},
        {.name = "network_bytes",
         .type = OPTION_SIZE,
         .offset = LIMIT(network_bytes),
         .fallback = "8M",
         .summary = "bytes a second with it, both ways; 0: no limit"},
        {.name = "handshakes",
         .type = OPTION_NUMBER,
         .offset = LIMIT(handshakes),
         .fallback = "300",
         .summary = "of TLS a second in one worker; one costs about as much as twenty dialogues; 0: no limit"},
        {.name = "handshake_bytes",
         .type = OPTION_SIZE,
         .offset = LIMIT(handshake_bytes),
         .fallback = "32K",
         .summary = "what one counts for in source_bytes and network_bytes"},
        {.name = "secure_sessions",
         .type = OPTION_NUMBER,
         .offset = AT(secure_sessions),
         .fallback = "4096",
         .min = 1,
         .max = 1000000,
         .summary = "sessions over TLS at once in one worker"},
        {.name = "udp_sessions",
         .type = OPTION_NUMBER,
         .offset = AT(udp_sessions),
         .fallback = "4096",
         .min = 1,
         .max = 1000000,
         .summary = "peers over UDP at once in one worker"},
        {.name = "memory",
         .type = OPTION_SIZE,
         .offset = AT(memory_bytes),
         .fallback = "512M",
         .min = 1u << 20,
         .summary = "that all sessions of one worker keep for what is unread, unsent or remembered; who wants more "
                    "is hung up on"},
        {.name = "idle",
         .type = OPTION_DURATION,
         .offset = AT(idle_ms),
         .fallback = "5m",
         .min = 100,
         .summary = "without a byte from the peer; a service may allow less"},
        {.name = "session",
         .type = OPTION_DURATION,
         .offset = AT(session_ms),
         .fallback = "1h",
         .min = 100,
         .summary = "length of a session; a service may allow less"},
        {.name = "stalled",
         .type = OPTION_DURATION,
         .offset = AT(stalled_ms),
         .fallback = "30s",
         .min = 100,
         .summary = "without the peer taking what we said"},
        {0},
};

static const struct option recording_fields[] = {
        {.name = "enabled",
         .type = OPTION_BOOL,
         .offset = AT(record),
         .fallback = "true",
         .summary = "whether sessions are recorded, both directions with their times"},
        {.name = "session_bytes",
         .type = OPTION_SIZE,
         .offset = AT(recording_bytes),
         .fallback = "64K",
         .min = 1024,
         .max = 16u << 20,
         .summary = "of one session; the rest is cut"},
        {.name = "answer_bytes",
         .type = OPTION_SIZE,
         .offset = AT(recording_answer_bytes),
         .fallback = "2K",
         .summary = "of one answer of ours; a file that the device shows can be shown again"},
        {.name = "bytes",
         .type = OPTION_SIZE,
         .offset = AT(recordings_bytes),
         .fallback = "64M",
         .summary = "memory of all recordings of one worker"},
        {0},
};

static const struct option file_fields[] = {
        {.name = "file_bytes",
         .type = OPTION_SIZE,
         .offset = AT(file_bytes),
         .fallback = "16M",
         .min = 1,
         .max = 64u << 20,
         .summary = "of one file that a peer leaves; the rest is cut"},
        {.name = "waiting_bytes",
         .type = OPTION_SIZE,
         .offset = AT(files_bytes),
         .fallback = "64M",
         .summary = "of files that wait for the journal, one worker"},
        {0},
};

static const struct option reflection_fields[] = {
        {.name = "sources",
         .type = OPTION_NUMBER,
         .offset = AT(reflection.sources),
         .fallback = "32768",
         .min = 64,
         .max = 4000000,
         .summary = "sources and networks over UDP remembered in one worker; no answer to any other"},
        {.name = "silence",
         .type = OPTION_DURATION,
         .offset = AT(reflection.silence_ms),
         .fallback = "1h",
         .min = 60000,
         .summary = "without any answer over UDP for a source that asked too often for long answers"},
        {.name = "quiet",
         .type = OPTION_DURATION,
         .offset = AT(reflection.quiet_ms),
         .fallback = "10m",
         .min = 1000,
         .summary = "without a request until an attack is taken to have ended"},
        {0},
};

static const struct option steering_fields[] = {
        {.name = "entries",
         .type = OPTION_NUMBER,
         .offset = AT(steer_entries),
         .fallback = "65536",
         .min = 1,
         .max = 4000000,
         .summary = "sources that are steered at once"},
        {.name = "visits",
         .type = OPTION_NUMBER,
         .offset = AT(visits),
         .fallback = "65536",
         .min = 1,
         .max = 4000000,
         .summary = "visits remembered in one worker"},
        {.name = "visit",
         .type = OPTION_DURATION,
         .offset = AT(visit_ms),
         .fallback = "10m",
         .summary = "how long a source must be away before it may meet another device"},
        {0},
};

#define DEVICES(member) offsetof(struct passive_options, devices.member)

static const char *const snapshot_names[] = {"none", "human", "all", NULL};

static const struct option device_fields[] = {
        {.name = "count",
         .type = OPTION_NUMBER,
         .offset = DEVICES(count),
         .fallback = "16384",
         .min = 1,
         .max = 1000000,
         .summary = "pairs of an attacker and a device remembered in one worker"},
        {.name = "keep",
         .type = OPTION_DURATION,
         .offset = DEVICES(keep_ms),
         .fallback = "30d",
         .min = 1000,
         .summary = "how long after its last visit an attacker finds what it left"},
        {.name = "snapshots",
         .type = OPTION_CHOICE,
         .choices = snapshot_names,
         .offset = DEVICES(snapshots),
         .fallback = "human",
         .summary = "whose changes are kept as an archive at the end of each session, file.how snapshot"},
        {.name = "device_bytes",
         .type = OPTION_SIZE,
         .offset = DEVICES(device_bytes),
         .fallback = "1M",
         .min = 16384,
         .max = 3u << 20,
         .summary = "that one attacker may write in one device"},
        {.name = "file_bytes",
         .type = OPTION_SIZE,
         .offset = DEVICES(file_bytes),
         .fallback = "128M",
         .min = 16u << 20,
         .max = UINT64_C(64) << 30,
         .summary = "of the file of one worker, which takes that much when it is full; half of a half is "
                    "used, what was quiet for longest goes; another value begins it anew"},
        {.name = "memory_bytes",
         .type = OPTION_SIZE,
         .offset = DEVICES(memory_bytes),
         .fallback = "128M",
         .min = 1u << 20,
         .summary = "of all devices that are being looked at, one worker; beyond it they are full"},
        {0},
};

static const struct option stack_fields[] = {
        {.name = "interfaces",
         .type = OPTION_LIST,
         .element = OPTION_TEXT,
         .offset = AT(stack.interfaces),
         .summary = "on which packets of decoys get the TCP/IP look of their device; none: all look like this machine"},
        {.name = "attach",
         .type = OPTION_CHOICE,
         .choices = (const char *const[]){"auto", "link", "filter", NULL},
         .fallback = "auto",
         .offset = AT(stack.attach),
         .summary = "how to interfaces: by link, from Linux 6.6 on, or as filter of tc"},
        {0},
};

static const struct option passive_fields[] = {
        {.name = "decoys",
         .type = OPTION_LIST,
         .element = OPTION_MAP,
         .fields = decoy_fields,
         .size = sizeof(struct decoy_options),
         .offset = AT(decoys),
         .fallback = "[{prefix: 127.0.0.1}, {prefix: '::1'}]",
         .summary = "addresses that play devices; the longest prefix decides"},
        {.name = "services",
         .type = OPTION_NODE,
         .offset = AT(services),
         .summary = "by name: ports and the service's own options; telnet and http when absent"},
        {.name = "workers",
         .type = OPTION_NUMBER,
         .offset = AT(workers),
         .fallback = "0",
         .max = PASSIVE_WORKERS_MAX,
         .summary = "processes; 0: one for each processor"},
        {.name = "personas_dir",
         .type = OPTION_TEXT,
         .offset = AT(personas_dir),
         .summary = "directory of the devices' descriptions; the one installed when absent"},
        {.name = "lure",
         .type = OPTION_BOOL,
         .offset = AT(lure),
         .fallback = "false",
         .summary = "whether devices show the files and pages that their descriptions have for attackers who search"},
        {.name = "seed",
         .type = OPTION_TEXT,
         .offset = AT(seed),
         .fallback = "kansoku",
         .summary = "a secret of yours, from which names, serials and the like of decoys are made"},
        {.name = "rsa_keys",
         .type = OPTION_NUMBER,
         .offset = AT(rsa_keys),
         .fallback = "16",
         .min = 1,
         .max = TLS_POOL_MAX,
         .summary = "keys of each length that all decoys' certificates share; each is found when it is first "
                    "needed, which takes a worker a tenth of a second"},
        {.name = "limits",
         .type = OPTION_MAP,
         .fields = limit_fields,
         .summary = "what is too much"},
        {.name = "reflection",
         .type = OPTION_MAP,
         .fields = reflection_fields,
         .summary = "harmlessness of services over UDP, whose sources may be forged"},
        {.name = "recording",
         .type = OPTION_MAP,
         .fields = recording_fields,
         .summary = "recordings of sessions"},
        {.name = "files",
         .type = OPTION_MAP,
         .fields = file_fields,
         .summary = "files that peers leave"},
        {.name = "data_port",
         .type = OPTION_NUMBER,
         .offset = AT(data_port),
         .fallback = "61000",
         .max = 65000,
         .summary = "first of the ports to which a peer is called for data (FTP), eight for each worker, "
                    "closed while nobody is expected; 0: none"},
        {.name = "devices",
         .type = OPTION_MAP,
         .fields = device_fields,
         .summary = "what attackers leave at devices, and find when they come back"},
        {.name = "stack",
         .type = OPTION_MAP,
         .fields = stack_fields,
         .summary = "what a scanner takes the operating system from"},
        {.name = "steering",
         .type = OPTION_MAP,
         .fields = steering_fields,
         .summary = "the choice of the device by what is known of the visitor"},
        {0},
};

static const struct section passive_section = {
        .option = {.name = "passive",
                   .type = OPTION_MAP,
                   .fields = passive_fields,
                   .summary = "decoys and what they offer"},
        .size = sizeof(struct passive_options),
};
SECTION(passive_section);

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
