/*
 * The process "visit": pages that control ordered, visited one way after the other.
 *
 * Each order is an errand whose event is the decision that allowed it.  Every connection of a way goes
 * through the proxy (proxy.h), which asks control about its address; what was connected to is told as
 * probe.sent, what came of it by the way itself.
 */
#include "active/visit/outbox_inner.h"
#include "active/visit/settings.h"
#include "active/visit/way.h"
#include "base/log.h"
#include "bus/errand.h"
#include <openssl/sha.h>
#include <stdlib.h>
#include <sys/queue.h>

#define WAYS_MAX 8
#define STOP_MS 4000 /* for what is under way, and what waits to be told */

static const char *const usual_ways[] = {"crawl", "browser"};

struct way_room {
	const struct way *way;
	void *room;
	unsigned active;
};

struct order {
	TAILQ_ENTRY(order) link;
	struct room *room;
	struct order_plan plan;
	struct proxy_visit *proxy; /* of the way that is at it; NULL: it waits */
	size_t way;                /* the next, or the one that is at it */
	void *state;
	char basis[32];
	bool done, more;           /* the way said so */
};
TAILQ_HEAD(order_list, order);

struct room {
	struct process *process;
	struct visit_settings settings;
	struct proxy *proxy;
	struct outbox *outbox;
	struct way_room ways[WAYS_MAX];
	size_t way_count;
	struct order_list waiting, active;
	size_t waiting_count, active_count;
	uv_timer_t sweep, stop;
	bool stopping, left;
	uint64_t orders, refused, visits, connections, unresolved;
	struct event event, read;
};

struct asking { /* a connection that control is asked about */
	struct room *room;
	uint64_t number;
};

static void sweep_soon(struct room *room);

const struct way *way_find(struct bytes name)
{
	WAYS_EACH(it)
		if (bytes_equal_text(name, (*it)->name))
			return *it;
	return NULL;
}

const struct order_plan *order_plan(const struct order *o) { return &o->plan; }
struct proxy_visit *order_proxy(const struct order *o) { return o->proxy; }
uv_loop_t *order_loop(const struct order *o) { return o->room->process->loop; }
void *order_state(const struct order *o) { return o->state; }
void order_set_state(struct order *o, void *state) { o->state = state; }

int order_publish(struct order *o, struct event *e)
{
	const struct room *room = o->room;
	event_set_id(e, FIELD_LEASE, &o->plan.lease);
	event_set_text(e, FIELD_BASIS, o->basis);
	event_set_text(e, FIELD_SERVICE, room->ways[o->way].way->name);
	event_set_bytes(e, FIELD_PAGE_URL, bytes_of_text(o->plan.url));
	if (!event_set_chain(e, &o->plan.lease, &o->plan.root, o->plan.depth))
		return ERR_BAD;
	return outbox_put_event(room->outbox, e);
}

int order_keep(struct order *o, struct bytes file, char sha256[65])
{
	uint8_t digest[SHA256_DIGEST_LENGTH];
	if (!file.len)
		return ERR_BAD;
	SHA256(file.at, file.len, digest);
	for (size_t i = 0; i < sizeof digest; i++)
		snprintf(sha256 + 2 * i, 3, "%02x", digest[i]);
	return outbox_put_file(o->room->outbox, digest, file);
}

/* Handled from the loop: who calls is in the middle of its own work. */
void order_done(struct order *o, bool more)
{
	o->done = true;
	o->more = more;
	sweep_soon(o->room);
}

/* An address that was asked something: one event for each connection. */
static void on_ended(void *arg, struct proxy_visit *visit, size_t index)
{
	struct room *room = arg;
	const struct order *o = proxy_visit_arg(visit);
	size_t count;
	const struct proxy_connection *c = &proxy_visit_log(visit, &count)[index];
	const bool sent = c->connected_us || !strcmp(c->reason, "refused") || !strcmp(c->reason, "timeout");
	struct event *e = &room->event;
	if (!sent || address_is_zero(&c->address))
		return;
	room->connections++;
	event_begin(e, EVENT_PROBE_SENT);
	e->time_us = c->begun_us;
	event_set_address(e, FIELD_SRC, &c->address);
	event_set_number(e, FIELD_DPORT, c->port);
	event_set_text(e, FIELD_PROTO, "tcp");
	event_set_text(e, FIELD_PROBE, "visit");
	event_set_id(e, FIELD_LEASE, &o->plan.lease);
	event_set_text(e, FIELD_BASIS, o->basis);
	event_set_bytes(e, FIELD_HOST_NAME, bytes_of_text(c->host));
	event_set_text(e, FIELD_STATE, c->connected_us ? "open" : !strcmp(c->reason, "refused") ? "closed" : "filtered");
	event_set_number(e, FIELD_BYTES_IN, c->bytes_in);
	event_set_number(e, FIELD_BYTES_OUT, c->bytes_out);
	event_set_number(e, FIELD_DURATION, c->ended_us - c->begun_us);
	if (event_set_chain(e, &o->plan.lease, &o->plan.root, o->plan.depth))
		outbox_put_event(room->outbox, e);
}

static void on_allowed(void *arg, int status, struct bytes payload, bool more)
{
	struct asking *asking = arg;
	struct reader r = reader_of_bytes(payload);
	struct address from = {{0}};
	char reason[PROXY_REASON_MAX + 1] = "no-control";
	if (more)
		return;
	bool allowed = status == 0 && read_u8(&r) == 1;
	struct bytes a = read_bytes(&r, status == 0 ? sizeof from.b : 0);
	if (status == 0 && reader_ok(&r)) {
		memcpy(from.b, a.at, sizeof from.b);
		bytes_copy_text(read_rest(&r), reason, sizeof reason);
	} else {
		allowed = false;
	}
	proxy_decide(asking->room->proxy, asking->number, allowed, &from, reason);
	free(asking);
}

static void on_ask(void *arg, uint64_t number, const struct proxy_question *q)
{
	struct room *room = arg;
	uint8_t wire[PROXY_HOST_MAX + 64];
	struct writer w = writer_of(wire, sizeof wire);
	struct asking *asking = malloc(sizeof *asking);
	write_bytes(&w, q->lease.b, sizeof q->lease.b);
	write_bytes(&w, q->address.b, sizeof q->address.b);
	write_u16(&w, q->port);
	write_text(&w, q->host);
	if (asking)
		*asking = (struct asking){room, number};
	if (asking && bus_request(room->process->bus, "control", "visit.connect", writer_bytes(&w), on_allowed, asking) == 0)
		return;
	free(asking);
	proxy_decide(room->proxy, number, false, NULL, "no-control");
}

static void order_begin(struct order *o)
{
	struct room *room = o->room;
	struct way_room *way = &room->ways[o->way];
	if (proxy_visit_begin(&o->proxy, room->proxy, &o->plan.lease, &room->settings.limits, o)) {
		order_done(o, false);
		return;
	}
	way->active++;
	room->visits++;
	way->way->begin(way->room, o);
}

static void order_forget(struct order *o)
{
	struct room *room = o->room;
	bus_tell_each(room->process->bus, "control", "visit.done", (struct bytes){o->plan.lease.b, sizeof o->plan.lease.b});
	TAILQ_REMOVE(&room->active, o, link);
	room->active_count--;
	free(o);
}

/* What a way is done with goes to the next one, or is over. */
static void end_done(struct room *room)
{
	struct order *next;
	for (struct order *o = TAILQ_FIRST(&room->active); o; o = next) {
		next = TAILQ_NEXT(o, link);
		if (!o->done)
			continue;
		if (o->proxy) {
			proxy_visit_end(o->proxy);
			room->ways[o->way].active--;
			o->proxy = NULL;
		}
		o->way++;
		o->done = false;
		o->state = NULL;
		if (!o->more || o->way == room->way_count || room->stopping)
			order_forget(o);
	}
}

/* An order that went on to its next way comes before those that wait for their first. */
static void begin_what_may(struct room *room)
{
	struct order *next;
	for (struct order *o = TAILQ_FIRST(&room->active); o; o = TAILQ_NEXT(o, link))
		if (!o->proxy && !o->done && room->ways[o->way].active < room->ways[o->way].way->at_once)
			order_begin(o);
	for (struct order *o = TAILQ_FIRST(&room->waiting); o; o = next) {
		next = TAILQ_NEXT(o, link);
		if (room->active_count >= room->settings.options->at_once ||
		    room->ways[0].active >= room->ways[0].way->at_once)
			return;
		TAILQ_REMOVE(&room->waiting, o, link);
		TAILQ_INSERT_TAIL(&room->active, o, link);
		room->waiting_count--;
		room->active_count++;
		order_begin(o);
	}
}

static void leave_if_done(struct room *room)
{
	if (!room->stopping || room->left || room->active_count || !outbox_is_empty(room->outbox))
		return;
	room->left = true;
	process_leave(room->process);
}

static void on_sweep(uv_timer_t *timer)
{
	struct room *room = timer->data;
	end_done(room);
	if (!room->stopping)
		begin_what_may(room);
	leave_if_done(room);
}

static void sweep_soon(struct room *room) { uv_timer_start(&room->sweep, on_sweep, 0, room->stopping ? 50 : 0); }

static bool is_from_control(struct bus_request *request)
{
	return !strcmp(bus_peer_role(bus_request_peer(request)), "control");
}

static void plan_make(const struct room *room, struct order_plan *plan)
{
	const struct visit_options *o = room->settings.options;
	plan->time_ms = o->time_ms;
	plan->page_max = o->page_max;
	plan->file_max = o->file_max;
	plan->pages_max = o->pages_max;
	plan->agent = o->agent;
	plan->referrer = o->referrer;
	plan->language = o->language;
}

static int take_errand(struct room *room, struct bytes payload)
{
	struct errand errand;
	struct event *e = &room->read;
	if (room->stopping || room->waiting_count >= room->settings.options->queue_max)
		return ERR_FULL;
	if (!errand_read(payload, &errand) || frame_decode(errand.frame, NULL, e))
		return ERR_BAD;
	struct order *o = calloc(1, sizeof *o);
	if (!o)
		return ERR_FULL;
	o->room = room;
	o->plan.cause = errand.cause;
	o->plan.root = errand.root;
	o->plan.depth = errand.depth;
	bytes_copy_text(event_bytes(e, FIELD_BASIS), o->basis, sizeof o->basis);
	plan_make(room, &o->plan);
	if (!event_id_of(e, FIELD_LEASE, &o->plan.lease) ||
	    !bytes_copy_text(event_bytes(e, FIELD_PAGE_URL), o->plan.url, sizeof o->plan.url) || !o->plan.url[0]) {
		free(o);
		return ERR_BAD;
	}
	TAILQ_INSERT_TAIL(&room->waiting, o, link);
	room->waiting_count++;
	room->orders++;
	sweep_soon(room);
	return 0;
}

static void on_errand(void *arg, struct bus_request *request, struct bytes payload)
{
	struct room *room = arg;
	const int bad = is_from_control(request) ? take_errand(room, payload) : ERR_DENIED;
	room->refused += bad != 0;
	bus_answer(request, bad, (struct bytes){0}, false);
}

static void on_revoke(void *arg, struct bus_request *request, struct bytes payload)
{
	struct room *room = arg;
	struct prefix prefix;
	const bool good = payload.len == sizeof prefix.base.b + 1 && payload.at[payload.len - 1] <= 128;
	const int bad = !is_from_control(request) ? ERR_DENIED : good ? 0 : ERR_BAD;
	if (!bad) {
		memcpy(prefix.base.b, payload.at, sizeof prefix.base.b);
		prefix = prefix_of(&prefix.base, payload.at[payload.len - 1]);
		proxy_revoke(room->proxy, &prefix);
	}
	bus_answer(request, bad, (struct bytes){0}, false);
}

static void on_state_asked(void *arg, struct bus_request *request, struct bytes payload)
{
	const struct room *room = arg;
	char json[512];
	struct writer w = writer_of(json, sizeof json);
	(void)payload;
	write_fmt(&w, "{\"waiting\":%zu,\"active\":%zu,\"orders\":%llu,\"visits\":%llu,\"connections\":%llu,\"ways\":[",
		  room->waiting_count, room->active_count, (unsigned long long)room->orders, (unsigned long long)room->visits,
		  (unsigned long long)room->connections);
	for (size_t i = 0; i < room->way_count; i++)
		write_fmt(&w, "%s\"%s\"", i ? "," : "", room->ways[i].way->name);
	write_text(&w, "]}");
	bus_answer(request, w.bad ? ERR_FULL : 0, writer_bytes(&w), false);
}

static void on_stop_time(uv_timer_t *timer)
{
	struct room *room = timer->data;
	if (!room->left)
		process_leave(room->process);
	room->left = true;
}

static void on_stop(void *arg)
{
	struct room *room = arg;
	room->stopping = true;
	for (struct order *o = TAILQ_FIRST(&room->active); o; o = TAILQ_NEXT(o, link)) {
		if (!o->proxy)
			order_done(o, false);
		else
			proxy_visit_exhaust(o->proxy, "stopped");
		if (o->proxy && room->ways[o->way].way->stop)
			room->ways[o->way].way->stop(room->ways[o->way].room, o);
	}
	uv_timer_start(&room->stop, on_stop_time, STOP_MS, 0);
	sweep_soon(room);
}

static int open_ways(struct room *room, struct fault *fault)
{
	const struct option_list *named = &room->settings.options->ways;
	const char *const *names = named->count ? named->items : usual_ways;
	const size_t count = named->count ? named->count : sizeof usual_ways / sizeof *usual_ways;
	for (size_t i = 0; i < count && room->way_count < WAYS_MAX; i++) {
		const struct way *way = way_find(bytes_of_text(names[i]));
		struct way_room *w = &room->ways[room->way_count];
		struct fault why = {{0}};
		if (!way && !named->count)
			continue;
		if (!way)
			return fault_set(fault, ERR_BAD, "visit.ways[%zu]: there is no way \"%s\" to visit a page", i, names[i]);
		*w = (struct way_room){.way = way};
		const int bad = way->open ? way->open(room->process, &w->room, &why) : 0;
		if (bad)
			log_warning("pages are not visited by the way \"%s\": %s", way->name, why.text);
		else
			room->way_count++;
	}
	return room->way_count ? 0 : fault_set(fault, ERR_MISSING, "visit.ways: none of them works here");
}

static int run(struct process *p, struct fault *fault)
{
	static struct room room;
	room.process = p;
	TAILQ_INIT(&room.waiting);
	TAILQ_INIT(&room.active);
	int bad = visit_settings_read(p->config, &room.settings, fault);
	bad = bad ? bad : open_ways(&room, fault);
	const struct proxy_hooks proxy_hooks = {.arg = &room, .ask = on_ask, .ended = on_ended};
	bad = bad ? bad : proxy_open(&room.proxy, p->loop, &room.settings.proxy, &proxy_hooks, fault);
	if (!bad && outbox_open(&room.outbox, p->loop, p->bus))
		bad = fault_set(fault, ERR_MEMORY, "no memory for what visits find");
	if (bad)
		return bad;
	if (!room.settings.proxy.resolver_count)
		log_warning("there is no name server (visit.resolvers, /etc/resolv.conf): only pages at addresses are visited");
	uv_timer_init(p->loop, &room.sweep);
	uv_timer_init(p->loop, &room.stop);
	room.sweep.data = room.stop.data = &room;
	bus_on_request(p->bus, ERRAND_TOPIC, on_errand, &room);
	bus_on_request(p->bus, "visit.revoke", on_revoke, &room);
	bus_on_request(p->bus, "visit.state", on_state_asked, &room);
	bus_open_to_guests(p->bus, "visit.state");
	const struct bus_hooks hooks = {.arg = &room, .stop = on_stop};
	bad = process_enter(p, &hooks, fault);
	if (bad)
		return bad;
	uv_run(p->loop, UV_RUN_DEFAULT);
	for (size_t i = 0; i < room.way_count; i++)
		if (room.ways[i].way->close)
			room.ways[i].way->close(room.ways[i].room);
	return 0;
}

static int check(const struct config *config, struct fault *fault)
{
	struct visit_settings settings;
	return visit_settings_read(config, &settings, fault);
}

static bool visits(const struct yaml_node *rule)
{
	const struct yaml_node *action = rule->type == YAML_MAP ? yaml_child(rule, "do") : NULL;
	return action && action->type == YAML_SCALAR && bytes_equal_text(action->text, "visit");
}

/* Only where a rule visits pages is there a process that could. */
static unsigned workers(const struct config *config)
{
	const struct visit_options *o = config_section(config, "visit");
	const struct yaml_node *rules = *(const struct yaml_node *const *)config_section(config, "rules");
	unsigned wanted = 0;
	for (const struct yaml_node *it = rules && rules->type == YAML_LIST ? rules->first : NULL; it; it = it->next)
		wanted |= visits(it);
	return o->enabled ? wanted : 0;
}

static const char *const talks_to[] = {"control", "journal", NULL};

static const struct role visit_role = {
	.name = "visit",
	.summary = "visits pages that control allowed; each of its connections is asked for",
	.rights = SANDBOX_CONNECT | SANDBOX_ACCEPT | SANDBOX_THREADS,
	.sends = KIND_MASK(EVENT_PAGE_VISITED) | KIND_MASK(EVENT_FILE_CAPTURED) | KIND_MASK(EVENT_PROBE_SENT) |
		 KIND_MASK(EVENT_INDICATOR_FOUND) | KIND_MASK(EVENT_SENSOR_CHANGED),
	.talks_to = talks_to,
	.door = true,
	.workers = workers,
	.check = check,
	.run = run,
};
ROLE(visit_role);
