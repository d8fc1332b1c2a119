/*
 * The process "notify": tells people what a rule found worth telling.
 *
 * Each way has a thread of its own while it sends, so that one that hangs delays no other.
 */
#include "share/notify/notify_inner.h"
#include "base/clock.h"
#include "base/log.h"
#include "bus/errand.h"
#include "bus/process.h"
#include "share/intake/network_inner.h"
#include <errno.h>
#include <fcntl.h>

#define TURN_MS 250
#define STOP_S 25 /* longer than one notice may take */

struct outlet { /* one way */
	struct notify_room *room;
	const struct way_options *options;
	const struct notice_way *way;
	int fd;
	struct line line;
	uv_work_t work;
	bool working;
	struct notice notice; /* what the thread sends: its bytes are held by the line */
	struct fault fault;
	int bad;
};

struct notify_room {
	struct process *process;
	struct gather gather;
	struct outlet outlets[WAYS_MAX];
	size_t count;
	bool stopped;
	uv_timer_t timer;
	struct event event;
};

static void tell(struct outlet *o)
{
	struct event *e = &o->room->event;
	char who[64];
	snprintf(who, sizeof who, "notify/%s", o->options->name);
	if (o->line.failing)
		log_warning("%s: %s; notices wait and are tried again", who, o->fault.text);
	event_begin(e, EVENT_SENSOR_CHANGED);
	event_set_text(e, FIELD_SERVICE, who);
	event_set_text(e, FIELD_STATE, o->line.failing ? "down" : "up");
	event_set_text(e, FIELD_DETAIL, o->line.failing ? o->fault.text : "it takes notices again");
	if (bus_publish(o->room->process->bus, e))
		log_error("%s is %s, and that could not be told", who, o->line.failing ? "down" : "up");
}

static void take_turn(struct notify_room *);

static void on_work(uv_work_t *work)
{
	struct outlet *o = work->data;
	o->fault = (struct fault){0};
	o->bad = o->way->send(o->options, o->fd, &o->notice, &o->fault);
}

static void on_sent(uv_work_t *work, int status)
{
	struct outlet *o = work->data;
	const bool once_failed = o->line.sent_count > 0 || o->line.failing;
	o->working = false;
	/* That a way works at its first notice is no news. */
	if (line_sent(&o->line, status == 0 && o->bad == 0, clock_mono_us()) && (o->line.failing || once_failed))
		tell(o);
	take_turn(o->room);
}

static void leave(struct notify_room *room)
{
	uint64_t unsent = 0;
	for (size_t i = 0; i < room->count; i++)
		unsent += room->outlets[i].line.count;
	if (unsent)
		log_warning("notify: %llu notices were not sent before the end", (unsigned long long)unsent);
	uv_timer_stop(&room->timer);
	process_leave(room->process);
}

/* At the end whoever works is told all that waits, and whoever fails is not waited for. */
static bool is_idle(const struct notify_room *room)
{
	for (size_t i = 0; i < room->count; i++) {
		const struct outlet *o = &room->outlets[i];
		if (o->working || (o->line.count && !o->line.failing))
			return false;
	}
	return true;
}

static void take_turn(struct notify_room *room)
{
	const uint64_t now_us = clock_mono_us();
	struct shared_notice *n;
	while ((n = gather_due(&room->gather, room->stopped ? UINT64_MAX : now_us))) {
		for (size_t i = 0; i < room->count; i++)
			line_add(&room->outlets[i].line, n, now_us);
		notice_drop(n);
	}
	for (size_t i = 0; i < room->count; i++) {
		struct outlet *o = &room->outlets[i];
		if (!o->working && !(room->stopped && o->line.failing) && line_next(&o->line, now_us, &o->notice))
			o->working = uv_queue_work(room->process->loop, &o->work, on_work, on_sent) == 0;
	}
	if (room->stopped && uv_is_active((uv_handle_t *)&room->timer) && is_idle(room))
		leave(room);
}

static void on_timer(uv_timer_t *timer) { take_turn(timer->data); }

static void on_errand(void *arg, struct bus_request *request, struct bytes payload)
{
	struct notify_room *room = arg;
	struct errand errand;
	int status = ERR_BAD;
	if (room->stopped) {
		status = ERR_GONE;
	} else if (errand_read(payload, &errand) && frame_decode(errand.frame, NULL, &room->event) == 0) {
		room->event.id = errand.cause;
		status = gather_add(&room->gather, errand.rule, &room->event, clock_utc_us(), clock_mono_us());
	}
	bus_answer(request, status, (struct bytes){0}, false);
}

static void on_stop(void *arg)
{
	struct notify_room *room = arg;
	room->stopped = true;
	take_turn(room);
}

static int open_outlets(struct notify_room *room, const struct notify_options *o, struct fault *fault)
{
	const struct way_options *ways = o->ways.items;
	char name[PROCESS_NAME_MAX];
	for (size_t i = 0; i < o->ways.count; i++) {
		struct outlet *out = &room->outlets[room->count++];
		*out = (struct outlet){.room = room, .options = &ways[i], .way = notice_way_find(ways[i].way), .fd = -1,
				       .line.most = o->most};
		out->work.data = out;
		snprintf(name, sizeof name, "file:%zu", i);
		if (out->way->file && (out->fd = process_fd(room->process, name)) < 0)
			return fault_set(fault, ERR_MISSING, "notify: %s was not handed down", ways[i].to);
	}
	return 0;
}

static int run(struct process *p, struct fault *fault)
{
	static struct notify_room room;
	const struct notify_options *o = config_section(p->config, "notify");
	room.process = p;
	room.gather.every_us = o->every_ms * 1000;
	int bad = open_outlets(&room, o, fault);
	if (bad)
		return bad;
	network_load();
	bus_on_request(p->bus, ERRAND_TOPIC, on_errand, &room);
	uv_timer_init(p->loop, &room.timer);
	room.timer.data = &room;
	const struct bus_hooks hooks = {.arg = &room, .stop = on_stop};
	bad = process_enter(p, &hooks, fault);
	if (!bad) {
		uv_timer_start(&room.timer, on_timer, 0, TURN_MS);
		uv_run(p->loop, UV_RUN_DEFAULT);
	}
	for (size_t i = 0; i < room.count; i++)
		line_done(&room.outlets[i].line);
	return bad;
}

static int prepare(struct preparation *p, struct fault *fault)
{
	const struct notify_options *o = config_section(preparation_config(p), "notify");
	const struct way_options *ways = o->ways.items;
	char name[PROCESS_NAME_MAX];
	bool network = false;
	int bad = notify_check(preparation_config(p), fault);
	for (size_t i = 0; i < o->ways.count && !bad; i++) {
		const struct notice_way *way = notice_way_find(ways[i].way);
		network |= way->network;
		if (!way->file)
			continue;
		int fd = open(ways[i].to, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
		snprintf(name, sizeof name, "file:%zu", i);
		if (fd < 0)
			bad = fault_set(fault, ERR_SYSTEM, "notify.ways[%zu].to: %s: %s", i, ways[i].to, strerror(errno));
		else
			bad = preparation_give(p, name, fd);
	}
	return bad || !network ? bad : network_prepare(p);
}

static unsigned workers(const struct config *c)
{
	return ((const struct notify_options *)config_section(c, "notify"))->ways.count > 0;
}

static const char *const talks_to[] = {"control", "journal", NULL};

static const struct role notify_role = {
	.name = "notify",
	.summary = "tells people what rules found worth telling: webhooks, mail, files",
	.rights = SANDBOX_CONNECT | SANDBOX_FILES | SANDBOX_THREADS,
	.sends = KIND_MASK(EVENT_SENSOR_CHANGED),
	.talks_to = talks_to,
	.optional = true,
	.stop_s = STOP_S,
	.workers = workers,
	.check = notify_check,
	.prepare = prepare,
	.run = run,
};
ROLE(notify_role);
