#include "active/visit/settings.h"
#include <stddef.h>
#include <stdlib.h>

#define RESOLV_CONF "/etc/resolv.conf"
#define RESOLV_CONF_MAX 16384
#define VISIT(member) offsetof(struct visit_options, member)

/* What most people's browser says: a visit must not announce itself to who is watched. */
#define USUAL_AGENT                                                                                                            \
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"

static const struct option visit_fields[] = {
	{"enabled", OPTION_BOOL, VISIT(enabled), "true", .summary = "false: no process that visits pages"},
	{"ways", OPTION_LIST, VISIT(ways), .element = OPTION_TEXT,
	 .summary = "ways of visiting, in this order; a later one where the one before says that it is worth it; empty: crawl, browser"},
	{"resolvers", OPTION_LIST, VISIT(resolvers), .element = OPTION_ADDRESS,
	 .summary = "name servers that are asked; empty: those of /etc/resolv.conf at the start"},
	{"resolver_port", OPTION_NUMBER, VISIT(resolver_port), "53", .min = 1, .max = 65535, .summary = "their port"},
	{"agent", OPTION_TEXT, VISIT(agent), USUAL_AGENT,
	 .summary = "User-Agent of the crawl; name yourself here where your rules demand it, at the price that attackers read it"},
	{"referrer", OPTION_TEXT, VISIT(referrer), .summary = "Referer of a visit's first request; absent: none"},
	{"language", OPTION_TEXT, VISIT(language), "en-US,en;q=0.9", .summary = "Accept-Language"},
	{"connect_timeout", OPTION_DURATION, VISIT(connect_timeout_ms), "10s", .min = 100, .max = 60000,
	 .summary = "for a connection to stand"},
	{"resolve_timeout", OPTION_DURATION, VISIT(resolve_timeout_ms), "6s", .min = 100, .max = 60000,
	 .summary = "for a name, over three tries"},
	{"time", OPTION_DURATION, VISIT(time_ms), "60s", .min = 1000, .max = 600000, .summary = "of one visit by one way"},
	{"connections", OPTION_NUMBER, VISIT(connections), "200", .min = 1, .max = PROXY_CONNECTIONS_MAX,
	 .summary = "connections of one visit by one way"},
	{"bytes_in", OPTION_SIZE, VISIT(bytes_in), "96M", .min = 1024, .summary = "that one visit may be sent"},
	{"bytes_out", OPTION_SIZE, VISIT(bytes_out), "1M", .min = 1024, .summary = "that one visit may send"},
	{"page", OPTION_SIZE, VISIT(page_max), "4M", .min = 1024, .max = 67108864, .summary = "of one page, unpacked"},
	{"file", OPTION_SIZE, VISIT(file_max), "32M", .min = 1024, .max = 268435456,
	 .summary = "of one download, unpacked; more is cut, and the report says so"},
	{"pages", OPTION_NUMBER, VISIT(pages_max), "8", .min = 1, .max = 100,
	 .summary = "requests of one crawl: redirects, frames, scripts and downloads"},
	{"at_once", OPTION_NUMBER, VISIT(at_once), "16", .min = 1, .max = 256, .summary = "visits under way"},
	{"queue", OPTION_NUMBER, VISIT(queue_max), "256", .min = 1, .max = 4096, .summary = "visits that wait here; more wait at control"},
	{0},
};

static const struct section visit_section = {
	{"visit", OPTION_MAP, .fields = visit_fields, .summary = "how pages are visited"},
	sizeof(struct visit_options),
};
SECTION(visit_section);

/* Lines `nameserver ADDRESS`; what the system's own resolver is told (resolv.conf(5)). */
static void read_resolv_conf(struct proxy_options *out)
{
	static char text[RESOLV_CONF_MAX];
	FILE *f = fopen(RESOLV_CONF, "re");
	const size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;
	struct reader r = reader_of(text, n);
	struct bytes line;
	if (f)
		fclose(f);
	while (out->resolver_count < PROXY_RESOLVERS_MAX && read_line(&r, &line)) {
		struct bytes rest = bytes_trim(line), word = bytes_word(&rest);
		struct address a;
		if (bytes_equal_text(word, "nameserver") && address_parse(bytes_trim(rest), &a))
			out->resolvers[out->resolver_count++] = a;
	}
}

int visit_settings_read(const struct config *config, struct visit_settings *out, struct fault *fault)
{
	struct visit_settings s = {.options = config_section(config, "visit")};
	const struct visit_options *o = s.options;
	const struct address *named = o->resolvers.items;
	if (o->resolvers.count > PROXY_RESOLVERS_MAX)
		return fault_set(fault, ERR_BAD, "%s: visit.resolvers: more than %d", config->file, PROXY_RESOLVERS_MAX);
	s.proxy.resolver_port = (uint16_t)o->resolver_port;
	s.proxy.connect_timeout_ms = o->connect_timeout_ms;
	s.proxy.resolve_timeout_ms = o->resolve_timeout_ms;
	for (size_t i = 0; i < o->resolvers.count; i++)
		s.proxy.resolvers[s.proxy.resolver_count++] = named[i];
	if (!s.proxy.resolver_count)
		read_resolv_conf(&s.proxy);
	s.limits = (struct proxy_limits){.connections = o->connections, .bytes_in = o->bytes_in, .bytes_out = o->bytes_out,
					 .time_ms = o->time_ms};
	*out = s;
	return 0;
}
