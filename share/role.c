/*
 * The process "exchange": looks at its sources by schedule, and takes what command lines hand over.
 *
 * What a source sends is fetched in a thread and read here; one source at a time, so that a slow one
 * delays others and never floods the journal.
 */
#include "share/exchange_inner.h"
#include "base/clock.h"
#include "base/log.h"
#include "bus/errand.h"
#include "share/access/door_inner.h"
#include "share/intake/asked_inner.h"
#include "share/asking/calls_inner.h"
#include "share/intake/door_inner.h"
#include "share/exporting/door_inner.h"
#include "share/exporting/schedule_inner.h"
#include "share/keys.h"
#include "share/intake/network_inner.h"
#include "share/exporting/publishing_inner.h"
#include "share/intake/schedule_inner.h"
#include "share/serve/serve_room_inner.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define SEEN_FILE "seen"

struct room {
	struct exchange exchange;
	struct door door;
	struct schedule schedule;
	struct publishing *publishing;
	struct asked asked;
	struct serve *serve;
};

static void on_stop(void *arg)
{
	struct room *room = arg;
	schedule_stop(&room->schedule);
	publishing_stop(room->publishing);
	serving_room_stop(room->serve);
	export_door_stop(&room->exchange);
	export_schedule_stop(&room->exchange);
	imported_keep(room->exchange.seen);
	process_leave(room->exchange.process);
}

static void on_relief(void *arg)
{
	struct room *room = arg;
	spool_go_on(room->exchange.spool);
	schedule_wake(&room->schedule);
}

static void on_acknowledged(void *arg, struct bus_peer *peer, uint64_t sequence)
{
	if (!strcmp(bus_peer_role(peer), "journal"))
		spool_acknowledged(((struct room *)arg)->exchange.spool, sequence);
}

static void on_errand(void *arg, struct bus_request *request, struct bytes payload)
{
	struct room *room = arg;
	struct exchange *x = &room->exchange;
	struct errand errand;
	int status = ERR_BAD;
	if (room->schedule.stopped) {
		status = ERR_GONE;
	} else if (errand_read(payload, &errand) && errand.depth < EVENT_DEPTH_MAX &&
		   frame_decode(errand.frame, NULL, &x->event) == 0) {
		const struct record_chain chain = {errand.cause, errand.root, errand.depth};
		status = asked_add(&room->asked, x->options, &x->event, &chain, clock_mono_us());
		if (status == ERR_MISSING)
			log_debug("exchange: the rule %s: no source can be asked about that event", errand.rule);
		if (status == ERR_DENIED)
			log_debug("exchange: the rule %s: an event that is marked red is told to nobody", errand.rule);
	}
	bus_answer(request, status, (struct bytes){0}, false);
}

static int check(const struct config *config, struct fault *fault) { return exchange_check(config, fault); }

static int prepare(struct preparation *p, struct fault *fault)
{
	const struct exchange_options *o = config_section(preparation_config(p), "exchange");
	const struct source_options *sources = o->sources.items;
	int bad = exchange_check(preparation_config(p), fault);
	bool fetches = false;
	char path[4096];
	if (!bad)
		bad = preparation_path(p, EXCHANGE_FOLDER, true);
	if (!bad && network_map_folder(preparation_state(p), path, sizeof path))
		bad = fault_set(fault, ERR_SYSTEM, "%s: %s", path, strerror(errno));
	bad = bad ? bad : preparation_path(p, NETWORK_MAP_FOLDER, true);
	for (size_t i = 0; i < o->sources.count && !bad; i++) {
		fetches |= sources[i].url != NULL;
		if (sources[i].path && access(sources[i].path, F_OK))
			bad = fault_set(fault, ERR_MISSING, "exchange.sources[%zu].path: %s: %s", i, sources[i].path,
					strerror(errno));
		else if (sources[i].key_file)
			bad = calls_give_key(p, i, sources[i].key_file, fault);
		else if (sources[i].path)
			bad = preparation_path(p, sources[i].path, false);
	}
	bad = bad ? bad : export_schedule_prepare(p, fault);
	bad = bad ? bad : publishing_prepare(p, fault);
	return bad || !(fetches || o->publish.count) ? bad : network_prepare(p);
}

static int run(struct process *p, struct fault *fault)
{
	static struct room room;
	char path[4096];
	struct exchange *x = &room.exchange;
	x->process = p;
	x->options = config_section(p->config, "exchange");
	snprintf(path, sizeof path, "%s/" EXCHANGE_FOLDER, process_state(p));
	x->directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (x->directory < 0)
		return fault_set(fault, ERR_SYSTEM, "%s: %s", path, strerror(errno));
	int bad = collections_read(&x->collections, p->config, fault);
	bad = bad ? bad : imported_open(&x->seen, x->directory, SEEN_FILE, x->options->remember, fault);
	bad = bad ? bad : spool_open(&x->spool, x->directory, p->bus, x->options->spool_max, fault);
	bad = bad ? bad : networks_open(&x->networks, p, fault);
	bad = bad ? bad : access_door_open(x, fault);
	bad = bad ? bad : keys_open(&x->keys, x->directory, fault);
	bad = bad ? bad : serving_room_open(&room.serve, x, fault);
	bad = bad ? bad : export_door_open(x, fault);
	bad = bad ? bad : export_schedule_open(x, fault);
	bad = bad ? bad : schedule_open(&room.schedule, x, fault);
	bad = bad ? bad : publishing_open(&room.publishing, x, fault);
	if (bad)
		return bad;
	network_load();
	x->asked = &room.asked;
	bus_on_request(p->bus, ERRAND_TOPIC, on_errand, &room);
	import_door_open(&room.door, x);
	const struct bus_hooks hooks = {.arg = &room, .relief = on_relief, .acknowledged = on_acknowledged,
					.stop = on_stop};
	bad = process_enter(p, &hooks, fault);
	if (!bad) {
		spool_go_on(x->spool);
		schedule_start(&room.schedule);
		export_schedule_start(x);
		publishing_start(room.publishing);
		serving_room_start(room.serve);
		uv_run(p->loop, UV_RUN_DEFAULT);
	}
	schedule_close(&room.schedule);
	publishing_close(room.publishing);
	import_door_close(&room.door);
	serving_room_close(room.serve);
	export_schedule_close(x);
	export_door_close(x);
	keys_close(x->keys);
	access_door_close(x);
	imported_close(x->seen);
	spool_close(x->spool);
	networks_close(x->networks);
	close(x->directory);
	return bad;
}

static const char *const talks_to[] = {"control", "journal", "store", NULL};

static const struct role exchange_role = {
	.name = "exchange",
	.summary = "takes in what others observed: feeds, lists and partners' files",
	.rights = SANDBOX_CONNECT | SANDBOX_FILES | SANDBOX_PATHS | SANDBOX_THREADS,
	.sends = KIND_MASK(EVENT_RECORD_IMPORTED) | KIND_MASK(EVENT_RECORD_SHARED) | KIND_MASK(EVENT_SENSOR_CHANGED),
	.talks_to = talks_to,
	.optional = true,
	.door = true,
	.check = check,
	.warn = exchange_warn,
	.prepare = prepare,
	.run = run,
};
ROLE(exchange_role);
