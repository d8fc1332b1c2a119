#include "active/settings_inner.h"

#define SECTION_AT(member) offsetof(struct prober_section, member)

static const struct option prober_fields[] = {
	/* 1.9 s: below two seconds a silent address gets a SYN and one repetition, not more. */
	{"connect_timeout", OPTION_DURATION, SECTION_AT(connect_timeout_ms), "1800ms", .min = 50, .max = 1900,
	 .summary = "how long a connection may take to stand"},
	{"idle", OPTION_DURATION, SECTION_AT(idle_ms), "3s", .min = 50, .max = PROBE_TIME_MS_MAX,
	 .summary = "silence after which a host has said what it says"},
	{"pause", OPTION_DURATION, SECTION_AT(pause_ms), "1s", .max = 60000,
	 .summary = "between two connections to one address"},
	{"concurrency", OPTION_NUMBER, SECTION_AT(concurrency), "4000", .min = 1,
	 .max = PROBER_CONCURRENCY_MAX,
	 .summary = "addresses looked at at once, as far as there are descriptors"},
	{"favicon", OPTION_BOOL, SECTION_AT(favicon), "true",
	 .summary = "also fetch a page's icon, by which many devices are known"},
	{"snmp_public", OPTION_BOOL, SECTION_AT(snmp_public), "false",
	 .summary = "ask SNMP agents with the community \"public\": a credential, if a guessed one"},
	{"capture", OPTION_BOOL, SECTION_AT(capture), "true",
	 .summary = "record TTL, window and options of answers, where there is the right to capture"},
	{"fingerprints", OPTION_LIST, SECTION_AT(fingerprints), .element = OPTION_TEXT,
	 .summary = "further directories of rules in Recog's format"},
	{"port_map", OPTION_PAIRS, SECTION_AT(port_map),
	 .summary = "port of a look: port to connect to instead; for laboratories"},
	{"probes", OPTION_PAIRS, SECTION_AT(probes),
	 .summary = "port: probe that asks there, where it is not the usual one"},
	{"hosting", OPTION_LIST, SECTION_AT(hosting), .element = OPTION_PREFIX,
	 .summary = "networks that host servers: a controller that answers there is likely a decoy"},
	{0},
};

static const struct section prober_section = {
	{"prober", OPTION_MAP, .fields = prober_fields, .summary = "how looks are taken"},
	sizeof(struct prober_section),
};
SECTION(prober_section);

static int complain(const struct config *c, const struct option_pair *pair, const char *path,
		    struct fault *fault, const char *what)
{
	return fault_set(fault, ERR_BAD, "%s:%u: prober.%s.%s: %s", c->file, pair->line, path, pair->name,
			 what);
}

static struct prober_port *port_entry(struct prober_settings *s, uint32_t port)
{
	for (size_t i = 0; i < s->port_count; i++)
		if (s->ports[i].port == port)
			return &s->ports[i];
	if (s->port_count == PROBER_PORTS_MAX)
		return NULL;
	s->ports[s->port_count] = (struct prober_port){.port = port};
	return &s->ports[s->port_count++];
}

static int pair_read(struct prober_settings *s, const struct config *c, const struct option_pair *pair,
		     bool is_probe, struct fault *fault)
{
	const char *path = is_probe ? "probes" : "port_map";
	uint32_t port;
	uint64_t to = 0;
	if (!port_parse(bytes_of_text(pair->name), &port))
		return complain(c, pair, path, fault, "is not a port, a number from 1 to 65535 or 161/udp would be right");
	struct prober_port *entry = port_entry(s, port);
	if (!entry)
		return complain(c, pair, path, fault, "is one port too many, 64 may be named");
	if (is_probe && !(entry->probe = probe_find(pair->value)))
		return complain(c, pair, path, fault, "no probe has that name, `kansoku describe` lists them");
	if (is_probe && (entry->probe->transport == PROBE_UDP) != port_is_udp(port))
		return complain(c, pair, path, fault, "names a probe of the other transport");
	if (is_probe && port_is_industrial(port) && !entry->probe->industrial)
		return complain(c, pair, path, fault, "is a port of controllers, which another protocol can stop; "
						      "only an industrial probe may ask there");
	if (!is_probe && (!bytes_number(pair->value, 65535, &to) || to == 0))
		return complain(c, pair, path, fault, "does not name a port, a number from 1 to 65535 would be right");
	if (!is_probe)
		entry->to = (uint16_t)to;
	return 0;
}

/* The operator's section belongs to control; what stands in it is the operator's own text. */
static struct bytes operator_text(const struct config *c, const char *key)
{
	const struct yaml_node *o = c->root && c->root->type == YAML_MAP ? yaml_child(c->root, "operator") : NULL;
	const struct yaml_node *n = o && o->type == YAML_MAP ? yaml_child(o, key) : NULL;
	return n && n->type == YAML_SCALAR ? n->text : (struct bytes){0};
}

/* RFC 9511 3: who receives a question can find out from it who asks, and how to be left alone. */
static void agent_write(const struct config *c, char agent[AGENT_MAX])
{
	struct bytes page = operator_text(c, "page");
	bool named = page.len > 0;
	struct bytes who = named ? page : operator_text(c, "contact");
	struct writer w = writer_of(agent, AGENT_MAX - 2);
	write_text(&w, "Mozilla/5.0 (compatible; kansoku");
	if (who.len && who.len < AGENT_MAX / 2)
		write_text(&w, named ? "; +" : "; ");
	for (size_t i = 0; i < who.len && who.len < AGENT_MAX / 2; i++)
		if (who.at[i] > ' ' && who.at[i] <= '~' && !strchr("()\\\"", who.at[i]))
			write_u8(&w, who.at[i]);
	w.end += 2;
	write_u8(&w, ')');
	*w.at = '\0';
}

int prober_settings_read(const struct config *c, struct prober_settings *out, struct fault *fault)
{
	struct prober_settings s = {.section = config_section(c, "prober")};
	const struct option_list *lists[] = {&s.section->port_map, &s.section->probes};
	for (size_t list = 0; list < 2; list++) {
		const struct option_pair *pairs = lists[list]->items;
		for (size_t i = 0; i < lists[list]->count; i++) {
			int bad = pair_read(&s, c, &pairs[i], list == 1, fault);
			if (bad)
				return bad;
		}
	}
	if (s.section->fingerprints.count > DIRECTORIES_NAMED_MAX)
		return fault_set(fault, ERR_BAD, "%s: prober.fingerprints: more than %d directories", c->file,
				 DIRECTORIES_NAMED_MAX);
	agent_write(c, s.agent);
	*out = s;
	return 0;
}

struct prober_options prober_settings_options(const struct prober_settings *s)
{
	return (struct prober_options){
		.settings = {.agent = s->agent, .favicon = s->section->favicon,
			     .snmp_public = s->section->snmp_public,
			     .idle_ms_max = (uint32_t)s->section->idle_ms},
		.connect_timeout_us = s->section->connect_timeout_ms * 1000,
		.pause_us = s->section->pause_ms * 1000,
		.concurrency = s->section->concurrency,
		.ports = s->ports,
		.port_count = s->port_count,
	};
}
