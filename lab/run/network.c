#include "lab/run/network.h"
#include "event/hosts.h"

#define KEPT_MS_LONG 2000 /* whoever keeps a connection that long waits for something */

static const char *transport_name(uint8_t transport)
{
	switch (transport) {
	case SINK_TCP: return "tcp";
	case SINK_UDP: return "udp";
	case SINK_ICMP: return "icmp";
	case SINK_ICMP6: return "icmp6";
	case SINK_GRE: return "gre";
	default: return "ip";
	}
}

/* Protocols in which bots are told what to do, and what such a server is called. */
static const struct { const char *protocol, *why; } orders[] = {
	{"mirai", "says hello as Mirai does"},
	{"gafgyt", "says hello as Gafgyt does"},
	{"irc", "joins a channel"},
	{"stratum", "asks a mining pool for work"},
};

static const char *orders_by(const char *protocol)
{
	for (size_t i = 0; i < sizeof orders / sizeof *orders; i++)
		if (strcmp(orders[i].protocol, protocol) == 0)
			return orders[i].why;
	return NULL;
}

static bool is_one_of(const char *word, const char *const *list)
{
	for (; *list; list++)
		if (strcmp(word, *list) == 0)
			return true;
	return false;
}

/* The host of "host:port" or "[v6]:port". */
static struct bytes endpoint_host(const char *endpoint)
{
	const char *const colon = strrchr(endpoint, ':');
	struct bytes host = {(const uint8_t *)endpoint, colon ? (size_t)(colon - endpoint) : strlen(endpoint)};
	if (host.len > 2 && host.at[0] == '[') {
		host.at++;
		host.len -= 2;
	}
	return host;
}

/* A server that is called by its name or speaks as bots are spoken to is no victim, whatever its port. */
static bool was_scanned(const struct run_sink_findings *s, const struct sink_flow *f)
{
	for (size_t i = 0; i < s->scan_count; i++)
		if (s->scans[i].port == f->port && s->scans[i].transport == f->transport)
			return !f->named && !orders_by(f->protocol);
	return false;
}

/* A server whose name was asked for is flooded with connections only by a bot that has lost it. */
static bool was_flooded(const struct run_sink_findings *s, const struct sink_flow *f)
{
	for (size_t i = 0; i < s->flood_count; i++) {
		const struct bytes host = endpoint_host(s->floods[i].endpoint), mine = endpoint_host(f->endpoint);
		if (bytes_equal(host, mine) || strcmp(s->floods[i].endpoint, f->endpoint) == 0)
			return true;
	}
	return false;
}

static const struct sink_hello *hello_to(const struct run_sink_findings *s, const char *endpoint)
{
	for (size_t i = 0; i < s->hello_count; i++)
		if (strcmp(s->hellos[i].endpoint, endpoint) == 0)
			return &s->hellos[i];
	return NULL;
}

/* What the web is used for says whether it was asked for something or given something. */
static enum indicator_role web_role(const struct run_sink_findings *s, const char *endpoint)
{
	enum indicator_role role = FOR_UNKNOWN;
	for (size_t i = 0; i < s->request_count; i++) {
		const struct sink_request *r = &s->requests[i];
		if (strcmp(r->endpoint, endpoint) != 0 || strcmp(r->kind, "url") != 0)
			continue;
		if (bytes_start_with(r->said, "POST ") || bytes_start_with(r->said, "PUT "))
			return FOR_REPORT;
		role = FOR_DOWNLOAD;
	}
	return role;
}

struct judged {
	enum indicator_role role;
	unsigned confidence;
	char why[160]; /* of a command server */
};

/*
 * What speaks no protocol of the open Internet, is neither scanned nor flooded, and is kept or come
 * back to, is what a bot takes orders from.
 */
static void judge_unknown(const struct run_sink_findings *s, const struct sink_flow *f, struct judged *j)
{
	const struct sink_hello *h = hello_to(s, f->endpoint);
	struct writer w = writer_of(j->why, sizeof j->why - 1);
	if (f->transport != SINK_TCP || f->connections == 0)
		return;
	const bool kept = h ? h->kept_ms >= KEPT_MS_LONG : f->last_ms - f->first_ms >= KEPT_MS_LONG;
	if (!kept && f->connections < 2 && f->said == 0)
		return;
	write_text(&w, "no known protocol");
	if (h)
		write_fmt(&w, ", %s with %zu bytes", h->after_server ? "answers" : "speaks first", h->said.len);
	else if (f->said == 0)
		write_text(&w, ", says nothing and waits");
	if (kept)
		write_text(&w, ", keeps the connection");
	if (f->connections > 1)
		write_fmt(&w, ", comes back %llu times", (unsigned long long)f->connections - 1);
	*w.at = 0;
	j->role = FOR_COMMAND;
	j->confidence = 50 + (kept ? 20 : 0) + (h ? 10 : 0) + (f->connections > 1 ? 10 : 0);
}

static struct judged judge(const struct run_sink_findings *s, const struct sink_flow *f)
{
	static const char *const web[] = {"http", "https", "tftp", "ftp", NULL}, *const talk[] = {"telnet", "smtp", "dns", "ntp", "ssh", NULL};
	struct judged j = {.role = FOR_UNKNOWN, .confidence = 60};
	const char *const why = orders_by(f->protocol);
	if (why) {
		j.role = FOR_COMMAND;
		j.confidence = 95;
		snprintf(j.why, sizeof j.why, "%s", why);
	} else if (was_scanned(s, f) || was_flooded(s, f)) {
		j.role = FOR_VICTIM;
		j.confidence = 80;
	} else if (host_is_bystander(endpoint_host(f->endpoint))) {
		j.role = FOR_CHECK;
		j.confidence = 80;
	} else if (strcmp(f->protocol, "dht") == 0) {
		j.role = FOR_PEER;
		j.confidence = 80;
	} else if (is_one_of(f->protocol, web)) {
		j.role = web_role(s, f->endpoint);
		j.confidence = 90;
	} else if (!is_one_of(f->protocol, talk)) {
		judge_unknown(s, f, &j);
	}
	return j;
}

/* Its router, and what the kernel says to all of a link (RFC 4861, RFC 3810), are nothing the sample did. */
static bool is_the_links(const struct sink_flow *f)
{
	const bool everybody = !address_is_v4(&f->address) && f->address.b[0] == 0xff && f->transport == SINK_ICMP6;
	return everybody || bytes_equal_text(endpoint_host(f->endpoint), SINK_GATEWAY);
}

static void tell_flow(struct network *n, const struct run_sink_findings *s, const struct sink_flow *f)
{
	const struct judged j = judge(s, f);
	const struct bytes endpoint = bytes_of_text(f->endpoint);
	struct behaviour *b = NULL;
	if (is_the_links(f))
		return;
	if (!was_scanned(s, f) && !was_flooded(s, f))
		b = observe_times(n->seen, DID_CONNECT, endpoint, transport_name(f->transport),
				  f->transport == SINK_TCP && f->connections ? f->connections : f->packets, f->first_ms, f->last_ms);
	if (b && n->trace)
		b->process = trace_who_connected(n->trace, &f->address, f->port);
	if (j.role == FOR_COMMAND) {
		struct behaviour *c = observe_times(n->seen, DID_COMMAND, endpoint, j.why, f->connections, f->first_ms, f->last_ms);
		if (c && b)
			c->process = b->process;
	}
	/* Victims of a scan are thousands, and nobody is to look at them. */
	if (!was_scanned(s, f))
		found_add(n->found, INDICATOR_ENDPOINT, j.role, endpoint,
			  f->transport == SINK_TCP ? "run: connect" : "run: send", j.confidence);
}

/* A name is for what its endpoints are for. */
static enum indicator_role name_role(const struct run_sink_findings *s, const char *name)
{
	enum indicator_role role = host_is_bystander(bytes_of_text(name)) ? FOR_CHECK : FOR_UNKNOWN;
	for (size_t i = 0; i < s->flow_count; i++) {
		if (!bytes_equal_text(endpoint_host(s->flows[i].endpoint), name))
			continue;
		const struct judged j = judge(s, &s->flows[i]);
		if (j.role == FOR_COMMAND || role == FOR_UNKNOWN)
			role = j.role;
	}
	return role;
}

static void tell_request(struct network *n, const struct sink_request *r)
{
	static const struct { const char *kind; enum indicator_type type; enum indicator_role role; } kinds[] = {
		{"url", INDICATOR_URL, FOR_DOWNLOAD}, {"agent", INDICATOR_AGENT, FOR_UNKNOWN},
		{"credential", INDICATOR_CREDENTIAL, FOR_UNKNOWN}, {"wallet", INDICATOR_WALLET, FOR_UNKNOWN},
		{"mail", INDICATOR_MAIL, FOR_UNKNOWN},
	};
	const struct bytes subject = bytes_of_text(r->subject);
	char how[64];
	observe_times(n->seen, DID_REQUEST, subject, r->protocol, r->count, r->first_ms, r->last_ms);
	snprintf(how, sizeof how, "run: %s", r->protocol);
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		if (strcmp(kinds[i].kind, r->kind) != 0)
			continue;
		const bool given = bytes_start_with(r->said, "POST ") || bytes_start_with(r->said, "PUT ");
		const bool check = kinds[i].type == INDICATOR_URL && host_is_bystander(endpoint_host(r->endpoint));
		found_add(n->found, kinds[i].type, check ? FOR_CHECK : given ? FOR_REPORT : kinds[i].role, subject, how, 95);
	}
}

static void tell_hello(struct network *n, const struct run_sink_findings *s, const struct sink_hello *h)
{
	for (size_t i = 0; i < s->flow_count; i++)
		if (strcmp(s->flows[i].endpoint, h->endpoint) == 0 && s->flows[i].transport == SINK_TCP &&
		    judge(s, &s->flows[i]).role != FOR_COMMAND)
			return;
	struct arena *arena = n->seen->arena;
	const struct hello kept = {arena_text(arena, bytes_of_text(h->endpoint)), arena_copy(arena, h->said), h->registers};
	if (n->hello_count == RUN_HELLOS_MAX || kept.endpoint == NULL || kept.said.at == NULL)
		observe_limit(n->seen, "run.hellos");
	else
		n->hellos[n->hello_count++] = kept;
}

void network_tell(struct network *n, const struct run_sink_findings *s)
{
	for (size_t i = 0; i < s->flow_count; i++)
		tell_flow(n, s, &s->flows[i]);
	for (size_t i = 0; i < s->name_count; i++) {
		const struct sink_name *name = &s->names[i];
		observe_times(n->seen, DID_RESOLVE, bytes_of_text(name->name), name->type, name->count, name->first_ms, name->last_ms);
		found_add(n->found, INDICATOR_DOMAIN, name_role(s, name->name), bytes_of_text(name->name), "run: dns", 95);
	}
	for (size_t i = 0; i < s->request_count; i++)
		tell_request(n, &s->requests[i]);
	for (size_t i = 0; i < s->scan_count; i++) {
		char port[16];
		snprintf(port, sizeof port, "%u", s->scans[i].port);
		observe_times(n->seen, DID_SCAN, bytes_of_text(port), transport_name(s->scans[i].transport), s->scans[i].addresses,
			      s->scans[i].first_ms, s->scans[i].last_ms);
	}
	for (size_t i = 0; i < s->flood_count; i++) {
		const struct sink_flood *f = &s->floods[i];
		observe_times(n->seen, DID_FLOOD, bytes_of_text(f->endpoint), f->what, f->packets, f->first_ms, f->last_ms);
		found_add(n->found, INDICATOR_ENDPOINT, FOR_VICTIM, bytes_of_text(f->endpoint), "run: flood", 90);
		if (f->sources)
			observe(n->seen, DID_OTHER, bytes_of_text(f->endpoint), "forges source addresses", 0);
	}
	for (size_t i = 0; i < s->hello_count; i++)
		tell_hello(n, s, &s->hellos[i]);
	for (size_t i = 0; i < s->limit_count; i++)
		observe_limit(n->seen, s->limits[i]);
}
