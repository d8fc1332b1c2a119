/* Records and findings as events, and what became of the observation itself. */
#include "base/clock.h"
#include "base/log.h"
#include "passive/telescope/live/live_inner.h"

FIELD(FIELD_SCAN_DESTINATIONS, "scan.destinations", NUMBER, 0, "distinct dark addresses that it asked");
FIELD(FIELD_SCAN_PORTS, "scan.ports", NUMBER, 0, "distinct ports, of a scan over ports");
FIELD(FIELD_SCAN_RATE, "scan.rate", NUMBER, 0, "packets a second to what is watched");
FIELD(FIELD_SCAN_INTERNET_RATE, "scan.rate.internet", NUMBER, 0,
      "packets a second to all of IPv4, estimated from what is watched");
FIELD(FIELD_BACKSCATTER_DESTINATIONS, "backscatter.destinations", NUMBER, 0, "dark addresses that it answered");
FIELD(FIELD_BACKSCATTER_RATE, "backscatter.rate", NUMBER, 0, "packets a second in its strongest minute");
FIELD(FIELD_REFLECTION_SOURCES, "reflection.sources", NUMBER, 0, "hosts whose answers nobody asked for");
FIELD(FIELD_REFLECTION_RATE, "reflection.rate", NUMBER, 0, "packets a second");
FIELD(FIELD_FLOOD_SOURCES, "flood.sources", NUMBER, 0, "source addresses, most of them forged");
FIELD(FIELD_FLOOD_TTLS, "flood.ttls", NUMBER, 0, "distinct TTLs of 95 in 100 of these sources");
FIELD(FIELD_FLOOD_RATE, "flood.rate", NUMBER, 0, "packets a second");
FIELD(FIELD_SEEN_TTL, "seen.ttl", NUMBER, 0, "TTL as received: the last one, of a flood the commonest");
FIELD(FIELD_GAP_SINCE, "gap.since", TIME, 0, "from when on packets were missed");
FIELD(FIELD_GAP_UNTIL, "gap.until", TIME, 0, "until when packets were missed");

/* False: it ends before there is room. */
static bool wait_for_room(struct live *l)
{
	while (bus_congested(l->bus)) {
		if (l->stopping && clock_mono_us() > l->stop_by_us)
			return false;
		uv_run(l->loop, UV_RUN_ONCE);
	}
	return true;
}

void live_publish(struct live *l, struct event *e)
{
	int bad = bus_publish(l->bus, e);
	while (bad == ERR_FULL && wait_for_room(l))
		bad = bus_publish(l->bus, e);
	if (bad)
		l->untold++;
}

static void set_text(struct event *e, uint16_t field, const char *text)
{
	if (text && *text)
		event_set_text(e, field, text);
}

static void set_proto(struct event *e, uint8_t proto)
{
	char text[PROTO_TEXT_MAX];
	event_set_text(e, FIELD_PROTO, proto_text(proto, text));
}

static void set_shape(struct live *l, struct event *e, const struct record *r)
{
	const struct shape_text *t = shape_text(l->texts, r->shape, r->ttl_max);
	event_set_bytes(e, FIELD_FLOW_P0F, (struct bytes){(const uint8_t *)t->p0f, t->p0f_len});
	event_set_bytes(e, FIELD_FLOW_JA4T, (struct bytes){(const uint8_t *)t->ja4t, t->ja4t_len});
}

void live_record(void *arg, const struct record *r)
{
	struct live *l = arg;
	struct event *e = &l->event;
	event_begin(e, EVENT_FLOW_COUNTED);
	e->time_us = r->last_us;
	event_set_address(e, FIELD_SRC, &r->source);
	if (r->destination_known)
		event_set_address(e, FIELD_DST, &r->destination);
	set_proto(e, r->proto);
	event_set_number(e, r->answer ? FIELD_SPORT : FIELD_DPORT, r->port);
	event_set_number(e, FIELD_FLOW_FIRST, r->first_us);
	event_set_number(e, FIELD_FLOW_PACKETS, r->packets);
	event_set_number(e, FIELD_FLOW_BYTES, r->bytes);
	event_set_number(e, FIELD_FLOW_DESTINATIONS, r->destinations);
	if (r->proto == 6)
		event_set_number(e, FIELD_FLOW_FLAGS, r->flags);
	event_set_bool(e, FIELD_FLOW_ANSWER, r->answer);
	event_set_number(e, FIELD_FLOW_TTL_MIN, r->ttl_min);
	event_set_number(e, FIELD_FLOW_TTL_MAX, r->ttl_max);
	event_set_number(e, FIELD_FLOW_HOPS, r->hops);
	event_set_text(e, FIELD_FLOW_CLASS, traffic_class_names[r->class]);
	event_set_text(e, FIELD_FLOW_END, record_end_names[r->end]);
	set_text(e, FIELD_TOOL, r->tool);
	set_text(e, FIELD_FLOW_ASKS, r->payload_name);
	if (r->shape)
		set_shape(l, e, r);
	if (r->payload.len)
		event_set_bytes(e, FIELD_FLOW_PAYLOAD, r->payload);
	live_publish(l, e);
	l->records++;
	l->packets_told += r->packets;
}

static uint64_t rounded(double rate) { return rate >= 0x1p63 ? INT64_MAX : rate > 0 ? (uint64_t)(rate + 0.5) : 0; }

static void set_scan(struct event *e, const struct finding *f)
{
	event_set_address(e, FIELD_SRC, &f->address);
	event_set_number(e, FIELD_DPORT, f->port);
	event_set_number(e, FIELD_SCAN_DESTINATIONS, f->count);
	if (f->ports)
		event_set_number(e, FIELD_SCAN_PORTS, f->ports);
	event_set_number(e, FIELD_SCAN_RATE, rounded(f->rate));
	event_set_number(e, FIELD_SCAN_INTERNET_RATE, rounded(f->internet_rate));
	set_text(e, FIELD_TOOL, f->tool);
}

static void set_victim(struct event *e, const struct finding *f)
{
	event_set_address(e, FIELD_SRC, &f->address);
	event_set_number(e, FIELD_SPORT, f->port);
	event_set_number(e, FIELD_BACKSCATTER_DESTINATIONS, f->count);
	event_set_number(e, FIELD_BACKSCATTER_RATE, rounded(f->rate));
}

static void set_reflection(struct event *e, const struct finding *f)
{
	event_set_address(e, FIELD_DST, &f->address);
	event_set_number(e, FIELD_SPORT, f->port);
	event_set_number(e, FIELD_REFLECTION_SOURCES, f->count);
	event_set_number(e, FIELD_REFLECTION_RATE, rounded(f->rate));
}

/*
 * A flood of an address of ours is no backscatter (nobody answers), no reflection (nobody was asked)
 * and no scan (one address is met): it has a kind of its own.  Its sources are forged, so none is named.
 */
static void set_flood(struct event *e, const struct finding *f)
{
	event_set_address(e, FIELD_DST, &f->address);
	event_set_number(e, FIELD_DPORT, f->port);
	event_set_number(e, FIELD_FLOOD_SOURCES, f->count);
	event_set_number(e, FIELD_FLOOD_TTLS, f->ttls);
	event_set_number(e, FIELD_FLOOD_RATE, rounded(f->rate));
}

void live_finding(void *arg, const struct finding *f)
{
	static const struct {
		enum event_kind kind;
		void (*set)(struct event *, const struct finding *);
	} tells[] = {
		[FINDING_SCAN] = {EVENT_SCAN_SEEN, set_scan},
		[FINDING_VICTIM] = {EVENT_BACKSCATTER_SEEN, set_victim},
		[FINDING_REFLECTION] = {EVENT_REFLECTION_SEEN, set_reflection},
		[FINDING_FLOOD] = {EVENT_FLOOD_SEEN, set_flood},
	};
	struct live *l = arg;
	struct event *e = &l->event;
	event_begin(e, tells[f->kind].kind);
	e->time_us = f->last_us;
	set_proto(e, f->proto);
	event_set_number(e, FIELD_FLOW_FIRST, f->first_us);
	event_set_number(e, FIELD_FLOW_PACKETS, f->packets);
	if (f->proto == 6)
		event_set_number(e, FIELD_FLOW_FLAGS, f->flags);
	event_set_number(e, FIELD_SEEN_TTL, f->ttl);
	tells[f->kind].set(e, f);
	live_publish(l, e);
	l->findings++;
}

static struct event *condition(struct live *l, const char *state, const char *detail)
{
	char who[PROCESS_NAME_MAX];
	event_begin(&l->event, EVENT_SENSOR_CHANGED);
	snprintf(who, sizeof who, "telescope/%u", l->process->worker);
	event_set_text(&l->event, FIELD_SERVICE, who);
	event_set_text(&l->event, FIELD_STATE, state);
	event_set_text(&l->event, FIELD_DETAIL, detail);
	return &l->event;
}

void live_tell_gap(struct live *l, const char *interface, struct gap *g, const char *why)
{
	char detail[160];
	snprintf(detail, sizeof detail, "%s%s%llu packets were missed: %s", interface, *interface ? ": " : "",
		 (unsigned long long)g->packets, why);
	log_warning("telescope: %s", detail);
	struct event *e = condition(l, "gap", detail);
	event_set_number(e, FIELD_COUNT, g->packets);
	event_set_number(e, FIELD_GAP_SINCE, g->since_us);
	event_set_number(e, FIELD_GAP_UNTIL, g->until_us);
	*g = (struct gap){0};
	live_publish(l, e);
}

void live_tell_interface(struct live_port *p)
{
	char detail[64];
	p->told_down = p->down;
	snprintf(detail, sizeof detail, "%s is %s", p->name, p->down ? "down, nothing can be seen" : "up again");
	log_warning("telescope: %s", detail);
	live_publish(p->live, condition(p->live, p->down ? "down" : "up", detail));
}

void live_tell_blind(struct live *l)
{
	live_publish(l, condition(l, "down", "the right to capture packets is missing (CAP_NET_RAW)"));
}
