/*
 * The role "lab": analyses what decoys captured, and names what requests tried to exploit.
 *
 * A captured file comes from the journal, is read by analysers in a thread of this process, which has
 * no network and no files but its own folder, and, where lab.run.on allows it, is run by processes
 * that were forked before that process gave up its rights, each with a keeper of boxes of its own
 * (lab/run.h).  What comes of it goes out as events and as files of the journal.
 */
#include "lab/role/room_inner.h"
#include "base/clock.h"
#include "base/log.h"
#include "bus/errand.h"

#define EXPLOIT_AGAIN_US 3600000000u
#define EXPLOITS_TOLD_MAX 3 /* of one request */
#define FILES_OF_RULES_MAX 64

/* Told of a source within the hour, with the same rule or shape: once is enough. */
static bool is_news(struct lab_room *room, const struct event *e, const char *what)
{
	uint8_t text[128];
	struct writer w = writer_of(text, sizeof text);
	write_span(&w, event_bytes(e, FIELD_SRC));
	write_u16(&w, (uint16_t)event_number(e, FIELD_DPORT, 0));
	write_text(&w, what);
	uint64_t key = siphash(&room->secret, writer_bytes(&w)), now = clock_utc_us();
	size_t at = key % TOLD_SLOTS;
	if (room->told[at].key == key && now < room->told[at].time_us + EXPLOIT_AGAIN_US)
		return false;
	room->told[at].key = key;
	room->told[at].time_us = now;
	return true;
}

static void tell_exploit(struct lab_room *room, const struct event *from, const struct exploit *rule, const struct exploit_shape *shape)
{
	if (!is_news(room, from, rule ? rule->id : shape->group))
		return;
	exploit_tell(from, rule, shape, &room->other);
	room->other.time_us = clock_utc_us();
	if (bus_congested(room->process->bus) || bus_publish(room->process->bus, &room->other))
		room->exploits_lost++;
}

void room_exploit(struct lab_room *room, struct event *e)
{
	const struct exploit *found[EXPLOITS_TOLD_MAX + 1];
	struct exploit_shape shape;
	bool harmless;
	exploit_prepare(e);
	size_t n = exploit_find(room->exploits, e, found, EXPLOITS_TOLD_MAX + 1, &harmless);
	for (size_t i = 0; i < n; i++)
		tell_exploit(room, e, found[i], NULL);
	if (!n && !harmless && exploit_shape(e, &shape))
		tell_exploit(room, e, NULL, &shape);
}

static void on_heard(void *arg, const struct bus_delivery *d)
{
	struct lab_room *room = arg;
	if (frame_decode(d->frame, NULL, &room->event) == 0) {
		if (room->event.kind != EVENT_FILE_CAPTURED)
			room_exploit(room, &room->event);
		else if (room_take(room, &room->event) == ERR_FULL)
			log_debug("lab: too many samples wait; one is left for the next start");
	}
	if (d->sequence)
		bus_acknowledge(room->process->bus, d->peer, d->sequence);
}

static void on_errand(void *arg, struct bus_request *request, struct bytes payload)
{
	struct lab_room *room = arg;
	struct errand errand;
	int status = ERR_BAD;
	if (errand_read(payload, &errand) && frame_decode(errand.frame, NULL, &room->event) == 0) {
		struct event *e = &room->event;
		e->id = errand.cause;
		event_set_id(e, FIELD_ROOT, &errand.root);
		event_set_number(e, FIELD_DEPTH, errand.depth);
		status = room->stopped ? ERR_GONE : room_take(room, e);
	}
	bus_answer(request, status, (struct bytes){0}, false);
}

static void relief(void *arg)
{
	struct lab_room *room = arg;
	/* Those that end leave their place to the last: from behind, none is missed. */
	for (size_t i = room->active_count; i-- > 0;)
		if (i < room->active_count && room->active[i]->telling)
			job_tell(room->active[i]);
}

void room_stopped(struct lab_room *room)
{
	for (size_t i = 0; i < room->active_count; i++)
		if (room->active[i]->working)
			return;
	process_leave(room->process);
}

static void stop(void *arg)
{
	struct lab_room *room = arg;
	room->stopped = true;
	for (size_t i = 0; i < room->active_count; i++)
		file_transfer_stop(&room->active[i]->files);
	uv_timer_stop(&room->again);
	runners_close(room);
	room_stopped(room);
}

static int open_all(struct lab_room *room, struct fault *fault)
{
	const struct lab_options *o = room->options;
	const char *complaint;
	int bad = known_samples_open(&room->known) ? fault_set(fault, ERR_MEMORY, "lab: no memory to start with") : 0;
	if (!bad && o->rules.count)
		bad = lab_rules_open(&room->rules, o->rules.items, o->rules.count, fault);
	if (!bad && o->exploits) {
		bad = exploit_rules_open(&room->exploits) ? fault_set(fault, ERR_MEMORY, "lab: no memory for rules") : 0;
		if (!bad)
			bad = exploit_rules_read(room->exploits, o->exploit_rules.items, o->exploit_rules.count, fault);
		for (size_t i = 0; !bad && (complaint = exploit_rules_complaint(room->exploits, i)); i++)
			log_warning("lab: %s; going on without it", complaint);
	}
	bad = bad ? bad : room_bait_open(room, fault);
	return bad ? bad : runners_open(room, fault);
}

static int run(struct process *p, struct fault *fault)
{
	static struct lab_room room;
	room.process = p;
	room.options = config_section(p->config, "lab");
	room.last_waiting = &room.waiting;
	room.line = BUFFER(4u << 20);
	room.secret = siphash_draw();
	int bad = open_all(&room, fault);
	if (bad)
		return bad;
	kind_mask kinds = room.options->captured ? KIND_MASK(EVENT_FILE_CAPTURED) : 0;
	if (room.exploits)
		kinds |= KIND_MASK(EVENT_REQUEST_SEEN) | KIND_MASK(EVENT_COMMAND_SENT) | KIND_MASK(EVENT_LOGIN_TRIED);
	bus_subscribe(p->bus, kinds);
	bus_on_request(p->bus, ERRAND_TOPIC, on_errand, &room);
	bus_on_request(p->bus, "approval.told", room_approval, &room);
	const struct bus_hooks hooks = {.arg = &room, .event = on_heard, .relief = relief, .stop = stop};
	bad = process_enter(p, &hooks, fault);
	if (!bad) {
		runners_watch(&room);
		room_remember(&room);
		uv_run(p->loop, UV_RUN_DEFAULT);
	}
	if (room.exploits_lost)
		log_warning("lab: %llu exploits were not told, the journal was busy", (unsigned long long)room.exploits_lost);
	exploit_rules_close(room.exploits);
	lab_rules_close(room.rules);
	known_samples_close(room.known);
	return bad;
}

static int check(const struct config *c, struct fault *fault)
{
	const struct lab_options *o = config_section(c, "lab");
	if (o->rules.count > FILES_OF_RULES_MAX || o->exploit_rules.count > FILES_OF_RULES_MAX)
		return fault_set(fault, ERR_FULL, "%s: lab: more than %d files or directories of rules", c->file, FILES_OF_RULES_MAX);
	struct egress_plan plan;
	return egress_plan_of(o, &plan, fault);
}

static void warn(const struct config *c, struct writer *w)
{
	const struct lab_options *o = config_section(c, "lab");
	if (o->egress.on)
		write_fmt(w, "!!! lab.egress.on: a sample may talk with its command server when a person approves that endpoint: "
			  "%llu bytes out, %llu in, %llu connections a run; scans end at %zu decoys or in the sink\n",
			  (unsigned long long)o->egress.sent, (unsigned long long)o->egress.received,
			  (unsigned long long)o->egress.connections, o->egress.decoys.count);
	if (o->egress.on && !o->run.on)
		write_text(w, "!!! lab.egress.on: it does nothing in the lab without lab.run.on; `kansoku analyse --run --egress` has it\n");
}

static int prepare(struct preparation *p, struct fault *fault)
{
	if (preparation_path(p, "lab", true))
		return fault_set(fault, ERR_SYSTEM, "lab: its folder in %s cannot be made", preparation_state(p));
	return room_bait_prepare(p, fault);
}

static unsigned workers(const struct config *c)
{
	return ((const struct lab_options *)config_section(c, "lab"))->on;
}

static const char *const talks_to[] = {"control", "store", "journal", NULL};

static const struct role lab_role = {
	.name = "lab",
	.summary = "analyses captured files, runs them in boxes where that is allowed, names what requests exploit",
	.rights = SANDBOX_FILES | SANDBOX_PATHS | SANDBOX_THREADS,
	.sends = KIND_MASK(EVENT_SAMPLE_ANALYSED) | KIND_MASK(EVENT_INDICATOR_FOUND) | KIND_MASK(EVENT_FILE_CAPTURED) |
		 KIND_MASK(EVENT_CAMPAIGN_FOUND) | KIND_MASK(EVENT_EXPLOIT_SEEN) | KIND_MASK(EVENT_TOKEN_PLANTED) | KIND_MASK(EVENT_TOKEN_LEAKED),
	.talks_to = talks_to,
	.optional = true,
	.workers = workers,
	.check = check,
	.warn = warn,
	.prepare = prepare,
	.run = run,
};
ROLE(lab_role);
