/* Opening a scan: checks of what is wanted, the way to the targets, templates of what is sent. */
#include "active/scan/route_inner.h"
#include "active/scan/scan_inner.h"
#include "base/random.h"
#include <errno.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define ROUTES_TRIED 64 /* targets, spread over all, whose routes are asked for */
#define NEIGHBOUR_WAIT_MS 3000
#define SECOND_US 1000000u

struct way { /* to all targets */
	enum scan_way way;
	unsigned interface;
	bool same_interface, same_router; /* by one router, on one interface of Ethernet */
	struct address router[2];         /* by family: IPv6, IPv4 */
	uint8_t router_mac[2][6], station_mac[6];
};

int scan_check(const struct scan_options *o, struct fault *fault)
{
	const bool ports = o->protocol != SCAN_ICMP;
	if (ports && (o->port_count == 0 || o->port_count > SCAN_PORTS_MAX))
		return fault_set(fault, ERR_BAD, "%zu ports; from 1 to %d would be right", o->port_count, SCAN_PORTS_MAX);
	if (o->passes > SCAN_PASSES_MAX)
		return fault_set(fault, ERR_BAD, "%llu passes; at most %d would be right", (unsigned long long)o->passes,
				 SCAN_PASSES_MAX);
	if (o->shards > SCAN_SHARDS_MAX || o->shard >= (o->shards ? o->shards : 1))
		return fault_set(fault, ERR_BAD, "shard %llu of %llu; they are counted from 0",
				 (unsigned long long)o->shard, (unsigned long long)o->shards);
	if (o->source_low == 0 || o->source_low > o->source_high)
		return fault_set(fault, ERR_BAD, "source ports %u to %u; 61000 to 65535 would be right", o->source_low,
				 o->source_high);
	if (o->payload.len > SCAN_PAYLOAD_MAX || (o->page && strlen(o->page) > SCAN_PAGE_MAX))
		return fault_set(fault, ERR_BAD, "a payload has at most %d bytes, a page %d", SCAN_PAYLOAD_MAX,
				 SCAN_PAGE_MAX);
	for (size_t i = 0; ports && i < o->port_count; i++) {
		const bool foreign = o->protocol == SCAN_UDP && scan_port_is_industrial(o->ports[i]) &&
				     (o->payload.len > 0 || !scan_question_of(o->ports[i]));
		if (o->ports[i] == 0 || foreign)
			return fault_set(fault, ERR_DENIED, "port %u is %s", o->ports[i],
					 foreign ? "an industrial protocol's: nothing but its own question may be sent there, "
						   "and none is known for UDP or another one was given" : "none");
	}
	return 0;
}

static int copy_options(struct scan *s, const struct scan_options *o)
{
	s->options = *o;
	memcpy(s->ports, o->ports, o->protocol == SCAN_ICMP ? 0 : o->port_count * sizeof *o->ports);
	s->options.ports = s->ports;
	memset(s->port_index, 0xff, sizeof s->port_index);
	if (o->protocol == SCAN_ICMP) {
		s->options.port_count = 0;
		s->port_index[0] = 0;
	}
	for (size_t i = 0; i < s->options.port_count; i++) {
		if (s->port_index[s->ports[i]] != NO_PORT)
			return ERR_BAD;
		s->port_index[s->ports[i]] = (uint16_t)i;
	}
	if (o->payload.len)
		memcpy(s->payload, o->payload.at, o->payload.len);
	s->options.payload.at = s->payload;
	snprintf(s->page, sizeof s->page, "%s", o->page ? o->page : "");
	return 0;
}

static bool is_ethernet(unsigned interface, uint8_t mac[6])
{
	struct ifreq q = {0};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool yes = fd >= 0 && if_indextoname(interface, q.ifr_name) && ioctl(fd, SIOCGIFHWADDR, &q) == 0 &&
		   q.ifr_hwaddr.sa_family == ARPHRD_ETHER;
	if (yes)
		memcpy(mac, q.ifr_hwaddr.sa_data, 6);
	if (fd >= 0)
		close(fd);
	return yes;
}

/* Takes one more target's route into account. */
static int way_join(struct scan *s, struct way *w, const struct address *to, bool *seen, struct fault *fault)
{
	char text[ADDRESS_TEXT_MAX];
	const bool v4 = address_is_v4(to);
	struct address *from = v4 ? &s->options.from_v4 : &s->options.from_v6;
	struct route r;
	if (route_find(to, from, w->same_interface ? w->interface : 0, &r))
		return fault_set(fault, ERR_MISSING, "no route leads to %s", address_format(to, text));
	if (address_is_zero(from))
		*from = r.source;
	if (address_is_zero(from))
		return fault_set(fault, ERR_MISSING, "no address to send from to %s", address_format(to, text));
	if (!seen[0] && !seen[1] && !w->same_interface)
		w->interface = r.interface;
	w->same_router &= w->interface == r.interface && !address_is_zero(&r.router) && !r.local &&
			  (!seen[v4] || address_equal(&w->router[v4], &r.router));
	w->router[v4] = r.router;
	seen[v4] = true;
	return 0;
}

static int way_find(struct scan *s, struct way *w, struct fault *fault)
{
	const struct scan_targets *t = s->options.targets;
	const uint64_t count = scan_targets_count(t), step = count / ROUTES_TRIED + 1;
	bool seen[2] = {false, false};
	*w = (struct way){.same_router = true};
	if (s->options.interface) {
		w->interface = if_nametoindex(s->options.interface);
		w->same_interface = true;
		if (!w->interface)
			return fault_set(fault, ERR_MISSING, "there is no interface %s", s->options.interface);
	}
	int bad = 0;
	for (uint64_t i = 0; i < count && !bad; i += step) {
		const struct address a = scan_targets_at(t, i);
		bad = way_join(s, w, &a, seen, fault);
	}
	const struct address last = scan_targets_at(t, count - 1);
	if (!bad)
		bad = way_join(s, w, &last, seen, fault);
	w->same_router &= is_ethernet(w->interface, w->station_mac);
	for (int v4 = 0; v4 < 2 && w->same_router && !bad; v4++) {
		if (!seen[v4])
			continue;
		if (s->options.router)
			memcpy(w->router_mac[v4], s->options.router, 6);
		else
			w->same_router &= route_neighbour(w->interface, &w->router[v4], w->router_mac[v4],
							  NEIGHBOUR_WAIT_MS) == 0;
	}
	if (!seen[0])
		s->options.from_v6 = (struct address){0};
	if (!seen[1])
		s->options.from_v4 = (struct address){0};
	return bad;
}

static int sender_choose(struct scan *s, struct way *w, struct fault *fault)
{
	const struct scan_options *o = &s->options;
	struct sender_wanted wanted = {.interface = w->interface, .v4 = !address_is_zero(&o->from_v4),
				       .v6 = !address_is_zero(&o->from_v6)};
	if ((o->way == SCAN_WAY_XDP || o->way == SCAN_WAY_PACKET) && !w->same_router)
		return fault_set(fault, ERR_BAD, "frames can be sent only where one router on Ethernet leads to all targets; "
				 "\"raw\" would be right");
	static const enum scan_way order[] = {SCAN_WAY_XDP, SCAN_WAY_PACKET, SCAN_WAY_RAW};
	int bad = ERR_SYSTEM;
	for (size_t i = 0; i < sizeof order / sizeof *order && bad; i++) {
		wanted.way = order[i];
		if ((o->way != SCAN_WAY_ANY && o->way != wanted.way) || (wanted.way != SCAN_WAY_RAW && !w->same_router))
			continue;
		if (wanted.way == SCAN_WAY_RAW && !w->same_interface)
			wanted.interface = 0;
		bad = sender_open(&s->sender, &wanted, fault);
	}
	w->way = wanted.way;
	for (size_t i = 0; i < sizeof order / sizeof *order && !bad; i++)
		if (s->sender->way == order[i])
			w->way = order[i];
	return bad;
}

static size_t template_index(const struct scan *s, const struct scan_question *q)
{
	size_t i = 0;
	while (i < s->template_count && s->asked[i] != q)
		i++;
	return i;
}

/* UDP: a template for each question; ports that are asked the same share one. */
static int templates_make(struct scan *s, const struct way *w)
{
	const struct scan_options *o = &s->options;
	const bool frames = w->way != SCAN_WAY_RAW;
	const size_t ports = o->port_count ? o->port_count : 1;
	for (size_t i = 0; i < ports; i++) {
		const struct scan_question *q = o->protocol == SCAN_UDP && !o->payload.len ? scan_question_of(s->ports[i]) : NULL;
		const size_t at = template_index(s, q);
		s->template_of[i] = (uint8_t)at;
		if (at < s->template_count)
			continue;
		if (at == TEMPLATES_MAX)
			return ERR_FULL;
		for (int v4 = 0; v4 < 2; v4++) {
			const struct template_wanted wanted = {
				.protocol = o->protocol, .from = v4 ? o->from_v4 : o->from_v6, .question = q,
				.router = frames ? w->router_mac[v4] : NULL, .station = w->station_mac,
				.payload = o->protocol == SCAN_ICMP ? bytes_of_text(s->page) : q ? q->bytes : o->payload,
			};
			int bad = address_is_zero(&wanted.from) ? 0 : template_make(&s->templates[v4][at], &wanted);
			if (bad)
				return bad;
		}
		s->asked[at] = q;
		s->template_count++;
	}
	return 0;
}

static const struct scan_question *question_asked(void *arg, uint16_t port)
{
	const struct scan *s = arg;
	return s->options.payload.len || s->port_index[port] == NO_PORT ? NULL : scan_question_of(port);
}

/* As many keys as can be busy within the gap, or as there are. */
static uint64_t busy_max(const struct scan_options *o, uint64_t gap_us)
{
	const uint64_t addresses = scan_targets_count(o->targets), rate = o->rate ? o->rate : 1000000;
	const uint64_t sent = rate * (gap_us / SECOND_US + 1) + WAITING_MAX;
	return addresses < sent ? addresses : sent;
}

static int memory_open(struct scan *s)
{
	const struct scan_options *o = &s->options;
	int bad = seen_open(&s->seen, scan_targets_count(o->targets) * s->plan.ports);
	if (!bad && o->network_gap_us)
		bad = limit_open(&s->network, o->network_gap_us, busy_max(o, o->network_gap_us));
	if (!bad && o->target_gap_us)
		bad = limit_open(&s->target, o->target_gap_us, busy_max(o, o->target_gap_us));
	return bad ? bad : waiting_open(&s->waiting);
}

static int set_up(struct scan *s, struct fault *fault)
{
	const struct scan_options *o = &s->options;
	struct way way;
	int bad = way_find(s, &way, fault);
	if (!bad)
		bad = sender_choose(s, &way, fault);
	if (bad)
		return bad;
	s->interface = way.interface;
	s->plan = plan_make(o);
	s->counts.positions = s->plan.positions;
	s->validation = (struct validation){.key = siphash_draw(), .protocol = o->protocol, .ports = scan_ports(o),
					    .question = question_asked, .arg = s, .uri = bytes_of_text(s->page)};
	const struct receiver_wanted wanted = {
		.interface = way.way == SCAN_WAY_RAW && !way.same_interface ? 0 : way.interface, .protocol = o->protocol,
		.from_v4 = o->from_v4, .from_v6 = o->from_v6, .ports = scan_ports(o),
		.bytes = o->ring_bytes ? o->ring_bytes : SCAN_RING_BYTES,
	};
	bad = receiver_open(&s->receiver, &wanted, fault);
	if (bad)
		return bad;
	bad = templates_make(s, &way);
	if (!bad)
		bad = memory_open(s);
	return bad ? fault_set(fault, bad, bad == ERR_MEMORY ? "no memory for the scan" : "too many different questions")
		   : 0;
}

int scan_open(struct scan **out, const struct scan_options *o, struct fault *fault)
{
	int bad = scan_check(o, fault);
	if (bad)
		return bad;
	struct scan *s = calloc(1, sizeof *s);
	if (!s)
		return fault_set(fault, ERR_MEMORY, "no memory for the scan");
	bad = copy_options(s, o);
	bad = bad ? fault_set(fault, bad, "a port is named twice") : set_up(s, fault);
	if (!bad && o->position > s->plan.positions)
		bad = fault_set(fault, ERR_BAD, "position %llu of %llu", (unsigned long long)o->position,
				(unsigned long long)s->plan.positions);
	if (bad) {
		scan_close(s);
		return bad;
	}
	s->position = s->counts.position = s->began_at = o->position;
	*out = s;
	return 0;
}

void scan_close(struct scan *s)
{
	if (!s)
		return;
	sender_close(s->sender);
	receiver_close(s->receiver);
	seen_close(s->seen);
	limit_close(s->network);
	limit_close(s->target);
	waiting_close(&s->waiting);
	free(s);
}

size_t scan_sources(const struct scan *s, struct address out[2])
{
	size_t n = 0;
	if (!address_is_zero(&s->options.from_v4))
		out[n++] = s->options.from_v4;
	if (!address_is_zero(&s->options.from_v6))
		out[n++] = s->options.from_v6;
	return n;
}

void scan_describe(const struct scan *s, struct writer *w)
{
	static const char *const ways[SCAN_WAYS] = {"any", "xdp", "packet", "raw"};
	char text[ADDRESS_TEXT_MAX], name[IF_NAMESIZE] = "";
	const struct address from[] = {s->options.from_v4, s->options.from_v6};
	write_fmt(w, "%s by %s", if_indextoname(s->interface, name) ? name : "?", ways[s->sender->way]);
	for (size_t i = 0; i < 2; i++)
		if (!address_is_zero(&from[i]))
			write_fmt(w, " from %s", address_format(&from[i], text));
	write_fmt(w, ", ports %u to %u", s->options.source_low, s->options.source_high);
}
