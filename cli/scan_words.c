#include "cli/scan_words.h"
#include "base/random.h"
#include "base/special.h"
#include <stdlib.h>

#define SOURCE_LOW 61000 /* above what Linux gives to connections (ip_local_port_range) */
#define SOURCE_HIGH 65535
#define COOLDOWN_S "8"
#define PASS_DELAY_S "8"
#define NETWORK_RATE "32"
#define TARGETS_BYTES_MAX ((size_t)1 << 30)
#define RATE_MAX 100000000
#define SECOND_US 1000000u
#define TIER_OF_UDP 2

const struct flag scan_flags[] = {
	{"survey", "NAME", "approved survey of the configuration (active.surveys)"},
	{"protocol", "NAME", "tcp, udp or icmp; default tcp"},
	{"ports", "LIST", "of the survey's ports only these, such as 23,80,8000-8010"},
	{"targets", "FILE", "only these of the survey: addresses and prefixes, one a line; how IPv6 is asked"},
	{"rate", "N", "packets a second; at most and by default the survey's"},
	{"packets", "N", "packets in all; default: as many as the survey allows"},
	{"passes", "N", "2: ask those that did not answer once more, and so on, to 4; default 1"},
	{"pass-delay", "SECONDS", "from the end of a pass to the next; default " PASS_DELAY_S},
	{"network-rate", "N", "packets a second to one /24, or /48 of IPv6, at most; 0: no limit; default " NETWORK_RATE},
	{"target-rate", "N", "packets a second to one address, at most; 0: no limit; default 1"},
	{"cooldown", "SECONDS", "how long answers are waited for at the end; default " COOLDOWN_S},
	{"seed", "N", "of the order; the same for all shards and to go on; default: the survey's, or drawn"},
	{"shard", "I/N", "this machine's part of N, counted from 0"},
	{"position", "N", "go on there, as the summary of an interrupted scan says"},
	{"interface", "NAME", "to send from; default: where the route leads"},
	{"source-ports", "LOW-HIGH", "source ports of the scan alone; default 61000-65535"},
	{"router", "MAC", "Ethernet address of the router; default: asked of the kernel"},
	{"send", "WAY", "xdp, packet or raw; default: the first that works"},
	{"payload", "HEX|@FILE", "what UDP ports are asked, instead of a question that fits"},
	{"ring", "MIB", "memory for answers; default 64"},
	{"output", "FILE", "where hits go; default: standard output"},
	{"output-fields", "LIST", "columns, with ZMap's names; * for all"},
	{"list-fields", NULL, "say which columns there are"},
	{"all", NULL, "also tell closed ports, ICMP errors and repeated answers"},
	{"tell", NULL, "what answers becomes host.answered of the running kansoku, and is looked at if the survey says so"},
	{"dry-run", NULL, "say what would be sent and to whom, and send nothing"},
	{"when", "ADDRESS", "say at which position that address has its turn, and send nothing"},
	{"loud", NULL, "let the kernel answer for the scan's ports: no table of nftables"},
	{"no-progress", NULL, "no line a second on standard error"},
	{0},
};

static int number_of(const struct arguments *a, const char *flag, const char *fallback, uint64_t max, uint64_t *out,
		     struct fault *fault)
{
	const char *text = arguments_flag(a, flag);
	if (bytes_number(bytes_of_text(text ? text : fallback), max, out))
		return 0;
	return fault_set(fault, ERR_BAD, "--%s: \"%s\" is not a number from 0 to %llu", flag, text,
			 (unsigned long long)max);
}

/* Seconds with a fraction, as microseconds. */
static int seconds_of(const struct arguments *a, const char *flag, const char *fallback, double max, uint64_t *out,
		      struct fault *fault)
{
	const char *text = arguments_flag(a, flag);
	char *end;
	const double seconds = strtod(text ? text : fallback, &end);
	if (*end || !(seconds >= 0 && seconds <= max))
		return fault_set(fault, ERR_BAD, "--%s: \"%s\" is not a number of seconds from 0 to %.0f", flag, text, max);
	*out = (uint64_t)(seconds * SECOND_US);
	return 0;
}

static int port_add(struct scan_words *w, uint64_t from, uint64_t to)
{
	for (uint64_t port = from; port <= to; port++) {
		if (port == 0 || port > 65535 || w->options.port_count == SCAN_PORTS_MAX)
			return ERR_BAD;
		w->ports[w->options.port_count++] = (uint16_t)port;
	}
	return from <= to ? 0 : ERR_BAD;
}

static bool range_read(struct bytes word, uint64_t *low, uint64_t *high)
{
	const size_t dash = bytes_find(word, "-");
	if (!bytes_number((struct bytes){word.at, dash}, 65535, low))
		return false;
	*high = *low;
	return dash == word.len || bytes_number((struct bytes){word.at + dash + 1, word.len - dash - 1}, 65535, high);
}

static bool lease_names(const struct survey_lease *l, uint16_t port, uint8_t protocol)
{
	for (uint8_t i = 0; i < l->port_count; i++)
		if (l->ports[i].port == port && l->ports[i].protocol == protocol)
			return true;
	return l->port_count == 0;
}

static int ports_read(const struct arguments *a, const struct scan_permit *permit, struct scan_words *w,
		      struct fault *fault)
{
	const struct survey_lease *l = scan_permit_lease(permit);
	const uint8_t protocol = w->options.protocol == SCAN_UDP ? 17 : 6;
	const char *list = arguments_flag(a, "ports");
	w->options.ports = w->ports;
	for (uint8_t i = 0; !list && i < l->port_count; i++)
		if (l->ports[i].protocol == protocol)
			port_add(w, l->ports[i].port, l->ports[i].port);
	for (struct bytes rest = bytes_of_text(list ? list : ""); rest.len;) {
		size_t end = bytes_find(rest, ",");
		uint64_t low, high;
		if (!range_read((struct bytes){rest.at, end}, &low, &high) || port_add(w, low, high))
			return fault_set(fault, ERR_BAD, "--ports: \"%s\" is not a list of ports, 23,80 would be right", list);
		end += end < rest.len;
		rest = (struct bytes){rest.at + end, rest.len - end};
	}
	if (w->options.protocol != SCAN_ICMP && w->options.port_count == 0)
		return fault_set(fault, ERR_BAD, "--ports names none, and neither does the survey");
	for (size_t i = 0; i < w->options.port_count; i++)
		if (!lease_names(l, w->ports[i], protocol))
			return fault_set(fault, ERR_DENIED, "port %u is not among those of the survey", w->ports[i]);
	if (w->options.port_count > scan_permit_ports_max(permit))
		return fault_set(fault, ERR_DENIED, "target-budget: %zu ports of one address, at most %llu are allowed "
				 "(active.ports_max)", w->options.port_count,
				 (unsigned long long)scan_permit_ports_max(permit));
	return 0;
}

static int choice_read(const struct arguments *a, const char *flag, const char *const *names, size_t count, int *out,
		       struct fault *fault)
{
	const char *text = arguments_flag(a, flag);
	for (size_t i = 0; text && i < count; i++)
		if (names[i] && !strcmp(names[i], text)) {
			*out = (int)i;
			return 0;
		}
	return text ? fault_set(fault, ERR_BAD, "--%s: there is no \"%s\" here", flag, text) : 0;
}

static int protocol_read(const struct arguments *a, const struct scan_permit *permit, struct scan_words *w,
			 struct fault *fault)
{
	static const char *const protocols[] = {"tcp", "udp", "icmp"};
	static const char *const ways[] = {NULL, "xdp", "packet", "raw"};
	int protocol = SCAN_TCP, way = SCAN_WAY_ANY;
	int bad = choice_read(a, "protocol", protocols, 3, &protocol, fault);
	if (!bad)
		bad = choice_read(a, "send", ways, SCAN_WAYS, &way, fault);
	w->options.protocol = (enum scan_protocol)protocol;
	w->options.way = (enum scan_way)way;
	if (!bad && protocol == SCAN_UDP && scan_permit_lease(permit)->tier < TIER_OF_UDP)
		return fault_set(fault, ERR_DENIED, "tier: UDP is asked only where the survey and active.tier are of tier 2");
	return bad;
}

static int rates_read(const struct arguments *a, const struct scan_permit *permit, struct scan_words *w,
		      struct fault *fault)
{
	const struct survey_lease *l = scan_permit_lease(permit);
	struct scan_options *o = &w->options;
	uint64_t network, target;
	int bad = number_of(a, "rate", "0", RATE_MAX, &o->rate, fault);
	bad = bad ? bad : number_of(a, "packets", "0", UINT64_MAX, &o->packets_max, fault);
	bad = bad ? bad : number_of(a, "network-rate", NETWORK_RATE, SECOND_US, &network, fault);
	bad = bad ? bad : number_of(a, "target-rate", "1", SECOND_US, &target, fault);
	bad = bad ? bad : seconds_of(a, "cooldown", COOLDOWN_S, 3600, &o->cooldown_us, fault);
	bad = bad ? bad : seconds_of(a, "pass-delay", PASS_DELAY_S, 86400, &o->pass_delay_us, fault);
	bad = bad ? bad : number_of(a, "passes", "1", SCAN_PASSES_MAX, &o->passes, fault);
	if (bad)
		return bad;
	if (l->rate && (o->rate == 0 || o->rate > l->rate))
		o->rate = l->rate;
	if (l->packets_max && (o->packets_max == 0 || o->packets_max > l->packets_max))
		o->packets_max = l->packets_max;
	o->network_gap_us = network ? (SECOND_US + network - 1) / network : 0;
	/* One packet to each address needs no account of it. */
	const bool several = o->port_count > 1 || (o->passes > 1 && o->pass_delay_us < SECOND_US);
	o->target_gap_us = target && several ? (SECOND_US + target - 1) / target : 0;
	return 0;
}

static int order_read(const struct arguments *a, const struct scan_permit *permit, struct scan_words *w,
		      struct fault *fault)
{
	struct scan_options *o = &w->options;
	const char *shard = arguments_flag(a, "shard");
	char drawn[32];
	const uint64_t given = scan_permit_lease(permit)->seed;
	snprintf(drawn, sizeof drawn, "%llu", (unsigned long long)(given ? given : random_secret() >> 16));
	int bad = number_of(a, "seed", drawn, UINT64_MAX, &o->seed, fault);
	bad = bad ? bad : number_of(a, "position", "0", UINT64_MAX, &o->position, fault);
	o->shards = 1;
	if (bad || !shard)
		return bad;
	const struct bytes text = bytes_of_text(shard);
	const size_t slash = bytes_find(text, "/");
	if (slash == text.len || !bytes_number((struct bytes){text.at, slash}, SCAN_SHARDS_MAX, &o->shard) ||
	    !bytes_number((struct bytes){text.at + slash + 1, text.len - slash - 1}, SCAN_SHARDS_MAX, &o->shards) ||
	    o->shard >= o->shards)
		return fault_set(fault, ERR_BAD, "--shard: \"%s\" is not I/N with I below N", shard);
	if (!arguments_flag(a, "seed") && !given)
		return fault_set(fault, ERR_BAD, "--shard wants --seed: all machines need the same order");
	return 0;
}

static bool hex_read(const char *text, struct buffer *out)
{
	const size_t n = strlen(text);
	for (size_t i = 0; i + 1 < n; i += 2) {
		unsigned byte;
		char two[3] = {text[i], text[i + 1], 0}, end;
		if (sscanf(two, "%2x%c", &byte, &end) != 1)
			return false;
		const uint8_t b = (uint8_t)byte;
		if (buffer_append(out, &b, 1))
			return false;
	}
	return n % 2 == 0;
}

static int link_read(const struct arguments *a, const struct scan_permit *permit, struct scan_words *w,
		     struct fault *fault)
{
	struct scan_options *o = &w->options;
	const char *router = arguments_flag(a, "router"), *ports = arguments_flag(a, "source-ports");
	const char *payload = arguments_flag(a, "payload");
	uint64_t low = SOURCE_LOW, high = SOURCE_HIGH, ring;
	char end;
	o->interface = arguments_flag(a, "interface");
	o->from_v4 = scan_permit_lease(permit)->from[0];
	o->from_v6 = scan_permit_lease(permit)->from[1];
	o->page = scan_permit_page(permit);
	if (o->page && strlen(o->page) > SCAN_PAGE_MAX)
		o->page = NULL;
	if (number_of(a, "ring", "64", 4096, &ring, fault))
		return ERR_BAD;
	o->ring_bytes = (size_t)ring << 20;
	uint8_t *m = w->router;
	if (router && sscanf(router, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%c", m, m + 1, m + 2, m + 3, m + 4, m + 5, &end) != 6)
		return fault_set(fault, ERR_BAD, "--router: \"%s\" is not a MAC, 02:00:00:00:00:01 would be right", router);
	o->router = router ? w->router : NULL;
	if (ports && (!range_read(bytes_of_text(ports), &low, &high) || low == 0 || low > high))
		return fault_set(fault, ERR_BAD, "--source-ports: \"%s\" is not LOW-HIGH", ports);
	o->source_low = (uint16_t)low;
	o->source_high = (uint16_t)high;
	w->payload = BUFFER(SCAN_PAYLOAD_MAX + 1);
	int bad = 0;
	if (payload && *payload == '@')
		bad = command_read_file(payload + 1, SCAN_PAYLOAD_MAX, &w->payload, fault);
	else if (payload && !hex_read(payload, &w->payload))
		bad = fault_set(fault, ERR_BAD, "--payload: neither hexadecimal digits of at most %d bytes nor @FILE",
				SCAN_PAYLOAD_MAX);
	o->payload = buffer_bytes(&w->payload);
	return bad;
}

/* What IPv6 addresses carry of IPv4 is refused as that is: the opt-out of an owner holds for both. */
static bool carries_excluded(const struct prefix *p, const struct prefix_set *excluded)
{
	struct address inner[SPECIAL_EMBEDDED_MAX];
	size_t n = p->bits == 128 ? special_embedded(&p->base, inner) : 0;
	while (n > 0)
		if (prefix_set_holds(excluded, &inner[--n]))
			return true;
	return false;
}

/* Whether one prefix of a sealed set holds all of p. */
static bool is_within(const struct prefix *p, const struct prefix_set *set)
{
	size_t low = 0, high = set->count;
	while (low < high) {
		const size_t middle = (low + high) / 2;
		if (memcmp(set->items[middle].base.b, p->base.b, sizeof p->base.b) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	const struct prefix *before = low ? &set->items[low - 1] : NULL;
	return before && before->bits <= p->bits && prefix_holds(before, &p->base);
}

/* Of two prefixes that share an address one lies within the other: that one is what they share. */
static int common_part(const struct prefix_set *listed, const struct prefix_set *allowed,
		       const struct prefix_set *excluded, struct prefix_set *out)
{
	int bad = 0;
	for (size_t i = 0; i < listed->count && !bad; i++)
		if (is_within(&listed->items[i], allowed) && !carries_excluded(&listed->items[i], excluded))
			bad = prefix_set_add(out, &listed->items[i]);
	for (size_t i = 0; i < allowed->count && !bad; i++)
		if (is_within(&allowed->items[i], listed))
			bad = prefix_set_add(out, &allowed->items[i]);
	prefix_set_seal(out);
	return bad;
}

static int targets_read(const struct arguments *a, const struct scan_permit *permit, struct scan_words *w,
			struct fault *fault)
{
	const struct prefix_set *allowed = scan_permit_targets(permit), *excluded = scan_permit_excluded(permit);
	const char *file = arguments_flag(a, "targets");
	if (!file)
		return scan_targets_make(&w->targets, allowed, excluded, fault);
	struct buffer text = {0};
	struct prefix_set listed = {0}, both = {0};
	int bad = command_read_file(file, TARGETS_BYTES_MAX, &text, fault);
	if (!bad)
		bad = scan_targets_read(buffer_bytes(&text), file, &listed, fault);
	buffer_done(&text);
	prefix_set_seal(&listed);
	if (!bad && common_part(&listed, allowed, excluded, &both))
		bad = fault_set(fault, ERR_MEMORY, "no memory for the targets");
	if (!bad)
		bad = scan_targets_make(&w->targets, &both, excluded, fault);
	prefix_set_done(&listed);
	prefix_set_done(&both);
	return bad;
}

int scan_words_read(const struct arguments *a, const struct scan_permit *permit, struct scan_words *w,
		    struct fault *fault)
{
	*w = (struct scan_words){0};
	int bad = protocol_read(a, permit, w, fault);
	bad = bad ? bad : ports_read(a, permit, w, fault);
	bad = bad ? bad : rates_read(a, permit, w, fault);
	bad = bad ? bad : order_read(a, permit, w, fault);
	bad = bad ? bad : link_read(a, permit, w, fault);
	bad = bad ? bad : scan_check(&w->options, fault);
	bad = bad ? bad : targets_read(a, permit, w, fault);
	w->options.targets = w->targets;
	if (bad)
		scan_words_done(w);
	return bad;
}

void scan_words_done(struct scan_words *w)
{
	scan_targets_done(w->targets);
	buffer_done(&w->payload);
	w->targets = NULL;
}
