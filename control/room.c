/*
 * The process "control": the room tied to the bus.
 *
 * Events come in and are decided at once; at the end of each turn of the loop the state is
 * written and looks whose time has come are given to the prober.  What was read is
 * acknowledged when the journal has what was decided about it: so reaction waits for no disk,
 * and still nothing that a sensor may forget lacks its decision.
 */
#include "base/clock.h"
#include "base/log.h"
#include "base/prefix_pieces.h"
#include "bus/process.h"
#include "control/errand_topics_inner.h"
#include "control/operator_topics_inner.h"
#include "control/room_inner.h"
#include "control/server_topics_inner.h"
#include "event/place.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PEERS_MAX 64
#define TICK_MS 1000
#define OPTOUT_POLL_MS 250
#define STEER_MS 250           /* at most four deltas a second */
#define GIVES_PER_TURN 256     /* then events get their turn */
#define STATE_JSON_MAX 8192
#define DIRECTORY "control"

struct seen { /* what was read of each peer and not acknowledged yet */
	size_t count;
	struct seen_of {
		struct bus_peer *peer;
		uint64_t sequence;
	} peers[PEERS_MAX];
};

struct room {
	struct control control;
	struct process *process;
	uv_timer_t tick, optout, steer, leave;
	uv_check_t turn;
	struct seen seen, decided; /* decided: waits for the journal to reach the fence */
	uint64_t fence, journaled;
	bool prober_linked, state_failed, stopping;
	bool opt_outs_told;
	struct operator_topics operator;
	struct survey_topics surveys;
	struct errand_topics errands;
	struct visit_topics visits;
	struct approval_topics approvals;
	struct server_topics servers;
	int networks_folder;
	struct network_map *networks; /* NULL: no table was imported */
	struct event event; /* as read */
	uint8_t message[STEER_MESSAGE_MAX]; /* or a piece of a set of prefixes */
};

struct given { /* a lease that the prober has not taken or refused yet */
	struct room *room;
	struct event_id id;
};

static int publish(void *arg, struct event *e) { return bus_publish(((struct room *)arg)->process->bus, e); }

static void revoke_lease(void *arg, const struct address *target)
{
	struct room *room = arg;
	uint8_t payload[sizeof target->b + 1];
	memcpy(payload, target->b, sizeof target->b);
	payload[sizeof target->b] = 128;
	bus_tell_each(room->process->bus, "active", "lease.revoke",
		      (struct bytes){payload, sizeof payload});
}

static void tell_approval(void *arg, const struct approval *a) { approval_topics_tell(&((struct room *)arg)->approvals, a); }

static void revoke_visits(void *arg, const struct address *target)
{
	struct room *room = arg;
	uint8_t payload[sizeof target->b + 1];
	memcpy(payload, target->b, sizeof target->b);
	payload[sizeof target->b] = 128;
	bus_tell_each(room->process->bus, "visit", "visit.revoke", (struct bytes){payload, sizeof payload});
}

static void acknowledge_later(struct seen *seen, const struct bus_delivery *d)
{
	size_t i = 0;
	while (i < seen->count && seen->peers[i].peer != d->peer)
		i++;
	if (i == PEERS_MAX)
		return;
	seen->count += i == seen->count;
	seen->peers[i] = (struct seen_of){d->peer, d->sequence};
}

static void seen_forget(struct seen *seen, const struct bus_peer *peer)
{
	for (size_t i = 0; i < seen->count; i++)
		if (seen->peers[i].peer == peer)
			seen->peers[i--] = seen->peers[--seen->count];
}

static void acknowledge(struct room *room)
{
	struct bus *bus = room->process->bus;
	if (room->decided.count && room->journaled >= room->fence) {
		for (size_t i = 0; i < room->decided.count; i++)
			bus_acknowledge(bus, room->decided.peers[i].peer, room->decided.peers[i].sequence);
		room->decided.count = 0;
	}
	if (room->decided.count || !room->seen.count)
		return;
	room->decided = room->seen;
	room->seen.count = 0;
	room->fence = bus_published(bus, "journal");
	if (room->journaled >= room->fence)
		acknowledge(room); /* once: nothing is seen any more */
}

static void on_acknowledged(void *arg, struct bus_peer *peer, uint64_t sequence)
{
	struct room *room = arg;
	if (!strcmp(bus_peer_role(peer), "journal"))
		room->journaled = sequence;
}

static void on_event(void *arg, const struct bus_delivery *d)
{
	struct room *room = arg;
	acknowledge_later(&room->seen, d);
	if (frame_decode(d->frame, NULL, &room->event))
		return;
	if (room->networks)
		event_set_place(&room->event, room->networks);
	control_event(&room->control, &room->event, bus_peer_worker(d->peer), clock_utc_us());
}

/* False: what is decided cannot be kept, so nothing may leave. */
static bool flush_state(struct room *room)
{
	struct fault fault = {0};
	struct control *c = &room->control;
	if (state_wants_compaction(c->state))
		control_compact(c, &fault);
	bool failed = state_flush(c->state, &fault) != 0;
	if (failed && !room->state_failed)
		log_error("%s; nothing is looked at until it can be", fault.text);
	if (!failed && room->state_failed)
		log_info("the state can be written again");
	room->state_failed = failed;
	return !failed;
}

static void lease_taken(void *arg, int status, struct bytes payload, bool more)
{
	(void)payload;
	struct given *given = arg;
	if (more)
		return;
	struct control *c = &given->room->control;
	struct look *l = looks_find(c->looks, &given->id);
	/* When the prober died first, nobody knows: control_prober_gone() has the word. */
	if (status != 0 && status != ERR_GONE && l && l->state == LOOK_GIVEN)
		control_unsent(c, l, clock_utc_us());
	free(given);
}

static int give(struct room *room, const struct look *l)
{
	struct given *given = malloc(sizeof *given);
	uint8_t wire[LEASE_WIRE_MAX + CHECK_ORDER_WIRE_MAX];
	struct writer w = writer_of(wire, sizeof wire);
	struct check_order order;
	if (!given)
		return ERR_MEMORY;
	*given = (struct given){room, l->lease.id};
	lease_write(&l->lease, &w);
	if (l->check && (control_check_order(&room->control, l, clock_utc_us(), &order) ||
			 control_leak_order(&room->control, l, clock_utc_us(), &order)))
		check_order_write(&order, &w);
	int bad = bus_request(room->process->bus, "active", l->check ? "check.give" : "lease.give", writer_bytes(&w),
			      lease_taken, given);
	if (bad)
		free(given);
	return bad;
}

/* That each was given stands in the file before any of them leaves. */
static uint64_t give_what_may_leave(struct room *room, uint64_t now_us)
{
	struct control *c = &room->control;
	struct look *going[GIVES_PER_TURN], *l;
	size_t count = 0;
	while (count < GIVES_PER_TURN && (l = control_next(c, now_us))) {
		control_given(c, l, now_us);
		going[count++] = l;
	}
	bool kept = count == 0 || flush_state(room);
	for (size_t i = 0; i < count; i++)
		if (!kept || give(room, going[i]))
			control_return(c, going[i], now_us);
	return count == GIVES_PER_TURN ? now_us : control_wake_us(c, now_us);
}

static void leave_due(uv_timer_t *timer)
{
	struct room *room = timer->data;
	uint64_t now_us = clock_utc_us(), wake_us = UINT64_MAX;
	if (room->prober_linked && !room->state_failed && !room->stopping)
		wake_us = give_what_may_leave(room, now_us);
	uint64_t wait_ms = wake_us > now_us ? (wake_us - now_us + 999) / 1000 : 0;
	if (wake_us == UINT64_MAX)
		uv_timer_stop(timer);
	else
		uv_timer_start(timer, leave_due, wait_ms, 0);
}

static void end_turn(uv_check_t *check)
{
	struct room *room = check->data;
	/* On a full disk too: nothing leaves then, and what only waited may be lost. */
	flush_state(room);
	acknowledge(room);
	leave_due(&room->leave);
	errand_topics_give(&room->errands, clock_utc_us());
}

static void on_tick(uv_timer_t *timer)
{
	struct room *room = timer->data;
	control_tick(&room->control, clock_utc_us());
}

static int all_who_get_nothing(const struct control *c, struct prefix_set *out)
{
	const struct prefix everybody = {.bits = 0};
	const struct prefix_set *own = &c->settings.own;
	int bad = c->policy.opt_outs_unknown ? prefix_set_add(out, &everybody) : 0;
	for (size_t i = 0; i < c->optout.set.count && !bad; i++)
		bad = prefix_set_add(out, &c->optout.set.items[i]);
	for (size_t i = 0; i < c->asked_out.set.count && !bad; i++)
		bad = prefix_set_add(out, &c->asked_out.set.items[i]);
	for (size_t i = 0; i < own->count && !bad; i++)
		bad = prefix_set_add(out, &own->items[i]);
	prefix_set_seal(out);
	return bad;
}

/*
 * The reactive telescope sends by itself, so it must know who opted out, and what is ours.  It
 * answers nobody before this came for the first time; what it has stays until a whole set came.
 */
static void tell_opt_outs(void *arg)
{
	struct room *room = arg;
	struct prefix_set all = {0};
	size_t at = 0;
	room->opt_outs_told = true;
	if (all_who_get_nothing(&room->control, &all)) {
		log_error("no memory to tell the telescope who opted out; tried again");
		room->opt_outs_told = false;
	}
	while (room->opt_outs_told) {
		struct writer w = writer_of(room->message, sizeof room->message);
		if (!prefix_pieces_write(&all, &at, &w))
			break;
		bus_tell_each(room->process->bus, "telescope", "optout.table", writer_bytes(&w));
	}
	prefix_set_done(&all);
}

static void poll_opt_outs(struct room *room)
{
	struct fault fault = {0};
	int changed = optout_poll(&room->control.optout, &fault);
	if (changed < 0)
		log_error("%s", fault.text);
	if (changed)
		control_opt_outs_changed(&room->control, clock_utc_us());
	if (changed || !room->opt_outs_told)
		tell_opt_outs(room);
}

/* A table came in meanwhile, and there is another map. */
static void poll_networks(struct room *room)
{
	struct fault fault = {0};
	struct network_map *map;
	if (room->networks_folder < 0 || !network_map_changed(room->networks, room->networks_folder, NETWORK_MAP_FILE))
		return;
	if (network_map_open(&map, room->networks_folder, NETWORK_MAP_FILE, &fault)) {
		log_warning("control: %s", fault.text);
		return;
	}
	network_map_close(room->networks);
	room->networks = map;
}

static void on_optout(uv_timer_t *timer)
{
	poll_opt_outs(timer->data);
	poll_networks(timer->data);
}

static void tell_steering(struct room *room, bool all)
{
	struct steers *steers = room->control.steers;
	struct bus *bus = room->process->bus;
	size_t at = 0;
	for (;;) {
		struct writer w = writer_of(room->message, sizeof room->message);
		if (!(all ? steers_write_all(steers, &at, &w) : steers_write_changes(steers, &w)))
			return;
		bus_tell_each(bus, "passive", "steer.table", writer_bytes(&w));
	}
}

static void on_steer(uv_timer_t *timer) { tell_steering(timer->data, false); }

static void tell_silence(struct room *room)
{
	uint8_t wire[16];
	uint64_t key, below;
	struct writer w = writer_of(wire, sizeof wire);
	policy_silence(&room->control.policy, &key, &below);
	write_u64(&w, key);
	write_u64(&w, below);
	bus_tell_each(room->process->bus, "passive", "steer.silence", writer_bytes(&w));
}

static void on_linked(void *arg, struct bus_peer *peer)
{
	struct room *room = arg;
	if (!strcmp(bus_peer_role(peer), "passive")) {
		tell_silence(room);
		tell_steering(room, true);
	}
	if (!strcmp(bus_peer_role(peer), "telescope"))
		tell_opt_outs(room);
	if (!strcmp(bus_peer_role(peer), "active")) {
		room->prober_linked = true;
		control_opt_outs_changed(&room->control, clock_utc_us()); /* revokes again */
	}
}

static void on_unlinked(void *arg, struct bus_peer *peer, bool clean)
{
	struct room *room = arg;
	uint64_t now_us = clock_utc_us();
	(void)clean; /* what was given is lost either way */
	seen_forget(&room->seen, peer);
	seen_forget(&room->decided, peer);
	if (!strcmp(bus_peer_role(peer), "active")) {
		room->prober_linked = false;
		if (!room->stopping)
			control_prober_gone(&room->control, now_us);
	}
}

static void on_lease_done(void *arg, struct bus_request *request, struct bytes payload)
{
	struct room *room = arg;
	struct reader r = reader_of_bytes(payload);
	struct bytes id = read_bytes(&r, sizeof(struct event_id));
	uint16_t packets = read_u16(&r);
	struct event_id lease;
	bool ours = !strcmp(bus_peer_role(bus_request_peer(request)), "active");
	if (!reader_ok(&r) || !ours) {
		bus_answer(request, ours ? ERR_BAD : ERR_DENIED, (struct bytes){0}, false);
		return;
	}
	memcpy(lease.b, id.at, sizeof lease.b);
	control_done(&room->control, &lease, packets, clock_utc_us());
	bus_answer(request, 0, (struct bytes){0}, false);
}

static void on_look_ask(void *arg, struct bus_request *request, struct bytes payload)
{
	struct room *room = arg;
	struct fault fault = {0};
	struct look_ask ask;
	struct look_answer answer;
	char json[1024];
	struct writer w = writer_of(json, sizeof json);
	int bad = look_ask_read(payload, &ask, &fault);
	if (bad) {
		bus_answer(request, bad, bytes_of_text(fault.text), false);
		return;
	}
	control_ask(&room->control, &ask, clock_utc_us(), &answer);
	look_answer_write(&answer, &w);
	bus_answer(request, 0, writer_bytes(&w), false);
}

static void on_state_asked(void *arg, struct bus_request *request, struct bytes payload)
{
	(void)payload;
	struct room *room = arg;
	char json[STATE_JSON_MAX];
	struct writer w = writer_of(json, sizeof json);
	control_write_state(&room->control, &w);
	bus_answer(request, w.bad ? ERR_FULL : 0, writer_bytes(&w), false);
}

static void on_stop(void *arg)
{
	struct room *room = arg;
	room->stopping = true;
	uv_timer_stop(&room->tick);
	uv_timer_stop(&room->optout);
	uv_timer_stop(&room->steer);
	control_tell_all(&room->control, clock_utc_us());
	process_leave(room->process);
}

static void start_timer(struct room *room, uv_timer_t *timer, uv_timer_cb run, uint64_t every_ms)
{
	uv_timer_init(room->process->loop, timer);
	timer->data = room;
	if (every_ms)
		uv_timer_start(timer, run, every_ms, every_ms);
}

static void on_devices_reset(void *arg, int status, uint64_t count)
{
	uint8_t wire[8];
	struct writer w = writer_of(wire, sizeof wire);
	write_u64(&w, count);
	if (status)
		bus_answer(arg, status, BYTES("a process of the decoys does not answer; run it again"), false);
	else
		bus_answer(arg, 0, writer_bytes(&w), false);
}

/* The command line has no door to processes that face the network; ours passes it on. */
static void on_device_reset(void *arg, struct bus_request *request, struct bytes payload)
{
	struct room *room = arg;
	bus_sum_each(room->process->bus, "passive", "device.reset", payload, on_devices_reset, request);
}

static void on_erase(void *arg, struct bus_request *request, struct bytes payload)
{
	struct room *room = arg;
	uint8_t wire[8];
	struct writer w = writer_of(wire, sizeof wire);
	const uint64_t known = control_forget(&room->control, payload, clock_utc_us());
	write_u64(&w, known);
	bus_answer(request, flush_state(room) ? 0 : ERR_SYSTEM, writer_bytes(&w), false);
}

static void start(struct room *room)
{
	struct bus *bus = room->process->bus;
	bus_subscribe(bus, room->control.rules.kinds | control_learns_from(&room->control) |
			   control_follow_kinds(&room->control));
	bus_ignore(bus, "journal"); /* it relays what the sensors told us themselves */
	bus_on_request(bus, "lease.done", on_lease_done, room);
	bus_on_request(bus, "look.ask", on_look_ask, room);
	bus_on_request(bus, "control.state", on_state_asked, room);
	bus_on_request(bus, "device.reset", on_device_reset, room);
	bus_on_request(bus, "source.erase", on_erase, room);
	room->surveys = (struct survey_topics){&room->control, bus};
	survey_topics_open(&room->surveys);
	room->errands = (struct errand_topics){.errands = &room->control.errands, .bus = bus};
	approval_topics_open(&room->approvals);
	room->visits = (struct visit_topics){&room->control, bus};
	visit_topics_open(&room->visits);
	room->servers = (struct server_topics){&room->control, bus};
	server_topics_open(&room->servers);
	bus_open_to_guests(bus, "device.reset");
	bus_open_to_guests(bus, "look.ask");
	bus_open_to_guests(bus, "control.state");
	start_timer(room, &room->tick, on_tick, TICK_MS);
	start_timer(room, &room->optout, on_optout, OPTOUT_POLL_MS);
	start_timer(room, &room->steer, on_steer, STEER_MS);
	start_timer(room, &room->leave, leave_due, 0);
	uv_check_init(room->process->loop, &room->turn);
	room->turn.data = room;
	uv_check_start(&room->turn, end_turn);
}

/* The path as the process will see it, whatever its working directory. */
static int optout_path(const struct settings *s, char *path, size_t n)
{
	const char *file = s->active->opt_out;
	char here[2048];
	int len = 0;
	path[0] = '\0';
	if (file && *file == '/')
		len = snprintf(path, n, "%s", file);
	else if (file && *file)
		len = getcwd(here, sizeof here) ? snprintf(path, n, "%s/%s", here, file) : -1;
	return len < 0 || (size_t)len >= n ? ERR_BAD : 0;
}

static int prepare(struct preparation *p, struct fault *fault)
{
	char path[2048], networks[2048];
	struct settings settings;
	struct rules rules;
	int bad = settings_read(preparation_config(p), &settings, fault);
	if (bad)
		return bad;
	bad = rules_read(&settings, &rules, fault);
	if (!bad)
		rules_done(&rules);
	if (!bad && optout_path(&settings, path, sizeof path))
		bad = fault_set(fault, ERR_BAD, "active.opt_out: the path is too long");
	settings_done(&settings);
	if (!bad)
		bad = preparation_path(p, DIRECTORY, true);
	if (!bad && network_map_folder(preparation_state(p), networks, sizeof networks))
		bad = fault_set(fault, ERR_SYSTEM, "%s: %s", networks, strerror(errno));
	if (!bad)
		bad = preparation_path(p, networks, false);
	/* The folder, not the file: editors replace a file by another. */
	char *slash = strrchr(path, '/');
	if (!bad && slash) {
		slash[slash == path] = '\0';
		bad = preparation_path(p, path, false);
	}
	return bad;
}

static int run(struct process *p, struct fault *fault)
{
	static struct room room;
	static char optout[2048];
	char directory[1024];
	room.process = p;
	room.control.publish = publish;
	room.control.revoke = revoke_lease;
	room.control.revoke_visits = revoke_visits;
	room.control.approval_changed = tell_approval;
	room.approvals = (struct approval_topics){&room.control, p->bus};
	room.control.arg = &room;
	snprintf(directory, sizeof directory, "%s/%s", process_state(p), DIRECTORY);
	int bad = settings_read(p->config, &room.control.settings, fault);
	if (!bad && optout_path(&room.control.settings, optout, sizeof optout))
		bad = ERR_BAD;
	if (bad)
		return bad;
	room.control.optout.file = *optout ? optout : NULL;
	bad = control_open(&room.control, directory, clock_utc_us(), fault);
	if (bad)
		return bad;
	room.operator = (struct operator_topics){&room.control, p->bus, tell_opt_outs, &room, NULL};
	if (operator_topics_open(&room.operator)) {
		control_close(&room.control);
		return fault_set(fault, ERR_MEMORY, "no memory for what the operator may ask");
	}
	if (state_damaged(room.control.state))
		log_warning("%s: the last %llu bytes were cut when it was written; they were dropped",
			    directory, (unsigned long long)state_damaged(room.control.state));
	snprintf(directory, sizeof directory, "%s/" NETWORK_MAP_FOLDER, process_state(p));
	room.networks_folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	poll_opt_outs(&room);
	poll_networks(&room);
	start(&room);
	const struct bus_hooks hooks = {.arg = &room, .event = on_event, .linked = on_linked,
					.unlinked = on_unlinked, .acknowledged = on_acknowledged,
					.stop = on_stop};
	bad = process_enter(p, &hooks, fault);
	if (!bad)
		control_retell(&room.control, clock_utc_us());
	if (!bad)
		uv_run(p->loop, UV_RUN_DEFAULT);
	control_close(&room.control);
	network_map_close(room.networks);
	operator_topics_close(&room.operator);
	settings_done(&room.control.settings);
	return bad;
}

static const char *const talks_to[] = {"journal", NULL}; /* passive and active talk to it */

static const struct role control_role = {
	.name = "control",
	.summary = "decides who is looked at and what a visitor meets; owns all budgets",
	.rights = SANDBOX_FILES | SANDBOX_PATHS,
	.sends = KIND_MASK(EVENT_DECISION_MADE) | KIND_MASK(EVENT_HOST_ANSWERED) | KIND_MASK(EVENT_CAMPAIGN_FOUND) |
		 KIND_MASK(EVENT_SENSOR_CHANGED),
	.talks_to = talks_to,
	.door = true,
	.prepare = prepare,
	.run = run,
};
ROLE(control_role);
