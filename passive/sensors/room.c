/*
 * The role "sensors": follows the logs of other sensors and makes events of their lines.
 *
 * A line counts once.  The id of its event is made of its own time, the sensor's name and the
 * line's place, so a line that is read twice has the same id and the journal drops the second.
 * The place in each file is written down only when the journal has acknowledged all before it,
 * and reading stops while UNSAVED_MAX events are published beyond the last place written: the
 * journal remembers more ids than that (store/recent.h).
 *
 * Agreement with decoys and the telescope comes over the journal, which relays what it takes in.
 */
#include "base/clock.h"
#include "base/log.h"
#include "bus/process.h"
#include "passive/sensors/fields_inner.h"
#include "passive/sensors/follow.h"
#include "passive/sensors/sensor_format.h"
#include "passive/sensors/settings_inner.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

TRIAGE_FIELDS;
FIELD(field_number, "alert.number", NUMBER, 0, "the signature's number (sid)");
FIELD(field_signature, "alert.signature", BYTES, 0, "what the signature is called");

#define DIRECTORY "sensors"
#define LINES_PER_TURN 512
#define MARKS_MAX 256       /* places that wait for the journal */
#define UNSAVED_MAX 100000u /* events beyond the last place that was written down */
#define REPORT_MS 60000

struct mark {
	uint64_t sequence; /* of the journal's link */
	struct follow_place place;
};

struct follower {
	struct room *room;
	const struct followed_options *options;
	const struct sensor_format *format;
	struct follow *follow;
	void *state;
	unsigned seer;
	struct mark marks[MARKS_MAX];
	size_t first, count;      /* of marks, a ring */
	struct follow_place safe; /* acknowledged */
	bool unsaved, up, in_header;
	uint64_t grown_us, bad, told_bad, bad_at;
	char why[96];
};

struct room {
	struct process *process;
	const struct sensors_options *options;
	struct triage_options triage_options;
	struct triage *triage;
	struct follower followers[SENSORS_MAX];
	size_t count;
	int directory;
	uint64_t acknowledged, saved_sequence;
	bool stopping;
	uv_timer_t turn, report;
	struct event event, heard, change;
};

static void tell_change(struct room *r, const struct follower *f, const char *state, const char *detail)
{
	char who[64];
	struct event *e = &r->change;
	event_begin(e, EVENT_SENSOR_CHANGED);
	snprintf(who, sizeof who, "sensors/%s", f->options->name);
	event_set_text(e, FIELD_SERVICE, who);
	event_set_text(e, FIELD_STATE, state);
	event_set_number(e, FIELD_COUNT, f->bad);
	if (detail)
		event_set_text(e, FIELD_DETAIL, detail);
	if (bus_publish(r->process->bus, e))
		log_error("sensors: %s is %s, and that could not be told", f->options->name, state);
}

static void place_save(struct room *r, struct follower *f)
{
	uint8_t bytes[FOLLOW_PLACE_BYTES];
	char fresh[64];
	snprintf(fresh, sizeof fresh, "%s.new", f->options->name);
	place_write(&f->safe, bytes);
	int fd = openat(r->directory, fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	bool kept = fd >= 0 && write(fd, bytes, sizeof bytes) == (ssize_t)sizeof bytes && fdatasync(fd) == 0;
	if (fd >= 0)
		close(fd);
	if (!kept || renameat(r->directory, fresh, r->directory, f->options->name))
		log_error("sensors: the place in %s cannot be kept: %s", f->options->path, strerror(errno));
	else
		f->unsaved = false;
}

static void places_settle(struct room *r)
{
	for (size_t i = 0; i < r->count; i++) {
		struct follower *f = &r->followers[i];
		while (f->count && f->marks[f->first].sequence <= r->acknowledged) {
			f->safe = f->marks[f->first].place;
			f->first = (f->first + 1) % MARKS_MAX;
			f->count--;
			f->unsaved = true;
		}
		if (f->unsaved)
			place_save(r, f);
	}
	r->saved_sequence = r->acknowledged;
}

static void place_load(struct room *r, const char *name, struct follow_place *out)
{
	uint8_t bytes[FOLLOW_PLACE_BYTES + 1];
	int fd = openat(r->directory, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, bytes, sizeof bytes);
	if (fd >= 0)
		close(fd);
	*out = (struct follow_place){0};
	if (n > 0 && !place_read((struct bytes){bytes, (size_t)n}, out))
		log_error("sensors: the place kept for %s is damaged; its log is read from the beginning", name);
}

static struct event_id id_of_line(const struct follower *f, const struct follow_line *l, uint64_t time_us)
{
	struct event_id id;
	uint8_t key[16];
	struct writer k = writer_of(key, sizeof key), w = writer_of(id.b, sizeof id.b);
	write_u64(&k, l->generation);
	write_u64(&k, l->offset);
	uint64_t seed = XXH3_64bits(f->options->name, strlen(f->options->name));
	write_u64(&w, time_us);
	write_u64(&w, XXH3_64bits_withSeed(key, sizeof key, seed));
	return id;
}

static void judge(struct room *r, struct follower *f, struct event *e)
{
	char reason[TRIAGE_REASON_MAX];
	struct bytes name = event_bytes(e, field_signature);
	uint64_t number = event_number(e, field_number, 0);
	uint64_t key = number ? number * 2654435761u : XXH3_64bits(name.at ? name.at : (const uint8_t *)"", name.len);
	enum verdict_of_alert v = triage_alert(r->triage, f->seer, e, key, reason);
	event_set_text(e, field_alert_verdict, triage_words[v]);
	event_set_text(e, field_alert_reason, bytes_is_utf8(bytes_of_text(reason)) ? reason : "list");
}

static bool is_wanted(const struct room *r, const struct event *e)
{
	struct address src;
	if (e->kind != EVENT_FLOW_COUNTED || r->options->flows == FLOWS_ALL)
		return true;
	return r->options->flows == FLOWS_INWARD &&
	       !(event_address(e, FIELD_SRC, &src) && prefix_set_holds(&r->triage_options.own, &src));
}

static void is_bad(struct follower *f, uint64_t offset, struct bytes why)
{
	f->bad++;
	f->bad_at = offset;
	bytes_copy_text(why, f->why, sizeof f->why);
}

static void take_line(struct room *r, struct follower *f, const struct follow_line *l)
{
	struct event *e = &r->event;
	if (l->begins && f->format->begin)
		f->format->begin(f->state, f->options->path);
	if (l->too_long) {
		is_bad(f, l->offset, BYTES("longer than 256 KiB"));
		return;
	}
	struct line_result result = f->format->line(f->state, l->line, e);
	bool header = result.took == LINE_HEADER;
	if (header && !f->in_header)
		follow_header(f->follow, l->offset);
	f->in_header = header;
	if (result.took == LINE_BAD)
		is_bad(f, l->offset, result.why);
	if (result.took != LINE_EVENT || !is_wanted(r, e))
		return;
	event_set_text(e, field_alert_sensor, f->options->name);
	if (e->kind == EVENT_ALERT_RAISED)
		judge(r, f, e);
	e->id = id_of_line(f, l, e->time_us);
	int bad = bus_publish(r->process->bus, e);
	if (bad)
		is_bad(f, l->offset, bytes_of_text(error_name(bad)));
}

static bool may_read(const struct room *r, const struct follower *f)
{
	struct bus *bus = r->process->bus;
	return !r->stopping && f->count < MARKS_MAX && !bus_congested(bus) &&
	       bus_published(bus, "journal") < r->saved_sequence + UNSAVED_MAX;
}

/* True: there may be more at once. */
static bool follower_turn(struct room *r, struct follower *f, uint64_t now_us)
{
	struct follow_line line;
	unsigned n = 0;
	while (n < LINES_PER_TURN && may_read(r, f) && follow_next(f->follow, now_us, &line)) {
		take_line(r, f, &line);
		n++;
	}
	if (!n)
		return false;
	struct mark *m = &f->marks[(f->first + f->count++) % MARKS_MAX];
	m->sequence = bus_published(r->process->bus, "journal");
	follow_where(f->follow, &m->place);
	f->grown_us = now_us;
	return n == LINES_PER_TURN;
}

static void watch(struct room *r, struct follower *f, uint64_t now_us)
{
	bool missing = follow_missing(f->follow);
	uint64_t quiet_us = r->options->quiet_ms * 1000;
	bool quiet = quiet_us && now_us > f->grown_us + quiet_us;
	if (f->up && (missing || quiet)) {
		log_warning("sensors: %s: %s", f->options->path, missing ? "is not there" : "does not grow");
		tell_change(r, f, "gap", missing ? "the log is not there" : "the log does not grow");
		f->up = false;
	} else if (!f->up && !missing && !quiet) {
		tell_change(r, f, "up", f->options->path);
		f->up = true;
	}
}

static void on_turn(uv_timer_t *timer)
{
	struct room *r = timer->data;
	uint64_t now_us = clock_mono_us();
	bool more = false;
	for (size_t i = 0; i < r->count; i++) {
		more |= follower_turn(r, &r->followers[i], now_us);
		watch(r, &r->followers[i], now_us);
	}
	places_settle(r);
	bool idle = bus_congested(r->process->bus) || !more;
	uv_timer_start(&r->turn, on_turn, idle ? r->options->poll_ms : 0, 0);
}

static void on_report(uv_timer_t *timer)
{
	struct room *r = timer->data;
	for (size_t i = 0; i < r->count; i++) {
		struct follower *f = &r->followers[i];
		char detail[256];
		if (f->bad == f->told_bad)
			continue;
		snprintf(detail, sizeof detail, "%llu lines could not be read, the last at byte %llu: %s",
			 (unsigned long long)f->bad, (unsigned long long)f->bad_at, f->why);
		f->told_bad = f->bad;
		log_warning("sensors: %s: %s", f->options->name, detail);
		tell_change(r, f, "unreadable", detail);
	}
}

static void on_acknowledged(void *arg, struct bus_peer *peer, uint64_t sequence)
{
	struct room *r = arg;
	if (!strcmp(bus_peer_role(peer), "journal"))
		r->acknowledged = sequence;
}

static void on_relief(void *arg)
{
	struct room *r = arg;
	if (!r->stopping)
		uv_timer_start(&r->turn, on_turn, 0, 0);
}

/* What decoys and the telescope saw. */
static void on_heard(void *arg, const struct bus_delivery *d)
{
	struct room *r = arg;
	struct address src;
	if (frame_decode(d->frame, NULL, &r->heard) == 0 && event_address(&r->heard, FIELD_SRC, &src))
		triage_saw(r->triage, d->kind == EVENT_SCAN_SEEN ? TRIAGE_TELESCOPE : TRIAGE_DECOY, &src,
			   r->heard.time_us);
	if (d->sequence)
		bus_acknowledge(r->process->bus, d->peer, d->sequence);
}

static void on_stop(void *arg)
{
	struct room *r = arg;
	r->stopping = true;
	uv_timer_stop(&r->turn);
	on_report(&r->report);
	uv_timer_stop(&r->report);
	process_leave(r->process);
}

static void replay(void *arg, struct bytes line)
{
	struct follower *f = arg;
	f->format->line(f->state, line, &f->room->event);
}

static int follower_open(struct room *r, size_t at, struct fault *fault)
{
	struct follower *f = &r->followers[at];
	struct follow_place place;
	f->room = r;
	f->options = (const struct followed_options *)r->options->follow.items + at;
	f->format = sensor_format_find(f->options->format);
	f->seer = TRIAGE_SENSOR + (unsigned)at;
	f->state = calloc(1, f->format->state_size);
	f->grown_us = clock_mono_us();
	place_load(r, f->options->name, &place);
	if (!f->state || follow_open(&f->follow, f->options->path, &place))
		return fault_set(fault, ERR_MEMORY, "sensors: out of memory");
	f->up = true; /* so that a missing file is told */
	if (f->format->begin)
		f->format->begin(f->state, f->options->path);
	follow_replay(f->follow, replay, f);
	if (follow_lost(f->follow))
		tell_change(r, f, "gap", "the file was replaced and what was left of the old one was not found");
	tell_change(r, f, "up", f->options->path);
	return 0;
}

static int room_begin(struct room *r, struct fault *fault)
{
	char path[4096];
	snprintf(path, sizeof path, "%s/" DIRECTORY, process_state(r->process));
	r->directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r->directory < 0)
		return fault_set(fault, ERR_SYSTEM, "%s: %s", path, strerror(errno));
	int bad = 0;
	r->count = r->options->follow.count;
	for (size_t i = 0; i < r->count && !bad; i++)
		bad = follower_open(r, i, fault);
	return bad;
}

static int sensors_run(struct process *p, struct fault *fault)
{
	struct room *r = calloc(1, sizeof *r);
	if (!r)
		return ERR_MEMORY;
	r->process = p;
	r->options = config_section(p->config, "sensors");
	int bad = triage_settings(p->config, &r->triage_options, fault);
	if (!bad && triage_open(&r->triage, &r->triage_options))
		bad = fault_set(fault, ERR_MEMORY, "sensors: out of memory");
	uv_timer_init(p->loop, &r->turn);
	uv_timer_init(p->loop, &r->report);
	r->turn.data = r->report.data = r;
	bus_subscribe(p->bus, KIND_MASK(EVENT_SESSION_OPENED) | KIND_MASK(EVENT_LOGIN_TRIED) | KIND_MASK(EVENT_SCAN_SEEN));
	const struct bus_hooks hooks = {.arg = r, .event = on_heard, .acknowledged = on_acknowledged,
					.relief = on_relief, .stop = on_stop};
	bad = bad ? bad : process_enter(p, &hooks, fault);
	bad = bad ? bad : room_begin(r, fault);
	if (bad)
		return bad;
	uv_timer_start(&r->turn, on_turn, 0, 0);
	uv_timer_start(&r->report, on_report, REPORT_MS, REPORT_MS);
	uv_run(p->loop, UV_RUN_DEFAULT);
	places_settle(r);
	return 0;
}

static unsigned sensors_workers(const struct config *c)
{
	const struct sensors_options *o = config_section(c, "sensors");
	return o->follow.count ? 1 : 0;
}

static int sensors_check(const struct config *c, struct fault *fault)
{
	struct triage_options t;
	int bad = triage_settings(c, &t, fault);
	if (!bad)
		triage_settings_done(&t);
	return bad;
}

static int sensors_prepare(struct preparation *p, struct fault *fault)
{
	const struct sensors_options *o = config_section(preparation_config(p), "sensors");
	const struct followed_options *f = o->follow.items;
	int bad = sensors_check(preparation_config(p), fault);
	if (!bad)
		bad = preparation_path(p, DIRECTORY, true);
	for (size_t i = 0; i < o->follow.count && !bad; i++) {
		char folder[FOLLOW_PATH_MAX];
		struct stat st;
		const char *slash = strrchr(f[i].path, '/');
		snprintf(folder, sizeof folder, "%.*s", slash > f[i].path ? (int)(slash - f[i].path) : 1, f[i].path);
		if (stat(folder, &st) || !S_ISDIR(st.st_mode))
			return fault_set(fault, ERR_MISSING, "sensors.follow[%zu].path: %s is no folder", i, folder);
		if (geteuid() == 0 && (!(st.st_mode & S_IXOTH) || !(st.st_mode & S_IROTH)))
			log_warning("sensors: %s is closed to other users, and the process may run as its own; "
				    "see docs/sensors.md", folder);
		bad = preparation_path(p, folder, false);
	}
	return bad;
}

static const char *const talks_to[] = {"control", "journal", NULL};

static const struct role sensors_role = {
	.name = "sensors",
	.summary = "follows the logs of other sensors (Suricata, Zeek)",
	.rights = SANDBOX_FILES | SANDBOX_PATHS,
	.sends = KIND_MASK(EVENT_ALERT_RAISED) | KIND_MASK(EVENT_FLOW_COUNTED) | KIND_MASK(EVENT_SENSOR_CHANGED),
	.talks_to = talks_to,
	.workers = sensors_workers,
	.check = sensors_check,
	.prepare = sensors_prepare,
	.run = sensors_run,
};
ROLE(sensors_role);
