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
#define HISTORY "signatures.history" /* no log has a name with a dot */
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
	bool unsaved, in_header, told;
	const char *told_trouble; /* NULL: that it is up */
	uint64_t grown_us, bad, told_bad, bad_at, told_lost;
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
	uint64_t unkept; /* times that a place could not be written down */
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

/* Whole or not at all: under another name first. */
static bool keep(const struct room *r, const char *name, struct bytes b)
{
	char fresh[64];
	snprintf(fresh, sizeof fresh, "%s.new", name);
	int fd = openat(r->directory, fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	bool kept = fd >= 0 && write(fd, b.at, b.len) == (ssize_t)b.len && fdatasync(fd) == 0;
	if (fd >= 0)
		close(fd);
	return kept && renameat(r->directory, fresh, r->directory, name) == 0;
}

static size_t load(const struct room *r, const char *name, void *to, size_t max)
{
	int fd = openat(r->directory, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, to, max);
	if (fd >= 0)
		close(fd);
	return n > 0 ? (size_t)n : 0;
}

static void place_save(struct room *r, struct follower *f)
{
	uint8_t bytes[FOLLOW_PLACE_BYTES];
	place_write(&f->safe, bytes);
	if (keep(r, f->options->name, (struct bytes){bytes, sizeof bytes}))
		f->unsaved = false;
	else if (!r->unkept++)
		log_error("sensors: the place in %s cannot be kept: %s", f->options->path, strerror(errno));
}

static void history_save(const struct room *r)
{
	uint8_t *bytes = malloc(TRIAGE_HISTORY_MAX);
	struct writer w = writer_of(bytes, bytes ? TRIAGE_HISTORY_MAX : 0);
	if (bytes)
		triage_write(r->triage, &w);
	if (!bytes || w.bad || !keep(r, HISTORY, writer_bytes(&w)))
		log_error("sensors: the history of signatures cannot be kept");
	free(bytes);
}

static void history_load(const struct room *r)
{
	uint8_t *bytes = malloc(TRIAGE_HISTORY_MAX);
	size_t n = bytes ? load(r, HISTORY, bytes, TRIAGE_HISTORY_MAX) : 0;
	if (n && !triage_read(r->triage, (struct bytes){bytes, n}))
		log_error("sensors: the history of signatures is damaged; it begins anew");
	free(bytes);
}

/* What is not written down is read again after a crash: it bounds how far reading may be ahead. */
static void places_settle(struct room *r)
{
	bool all = true;
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
		all &= !f->unsaved;
	}
	if (!all)
		return;
	r->saved_sequence = r->acknowledged;
	r->unkept = 0;
}

static void place_load(struct room *r, const char *name, struct follow_place *out)
{
	uint8_t bytes[FOLLOW_PLACE_BYTES + 1];
	size_t n = load(r, name, bytes, sizeof bytes);
	*out = (struct follow_place){0};
	if (n && !place_read((struct bytes){bytes, n}, out))
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

/* A log's clock may be wrong; what it says of the future would be the newest of all for ever. */
static uint64_t sane_us(uint64_t time_us)
{
	uint64_t now_us = clock_utc_us();
	return time_us < now_us ? time_us : now_us;
}

static void judge(struct room *r, struct follower *f, struct event *e)
{
	char reason[TRIAGE_REASON_MAX];
	struct bytes name = event_bytes(e, field_signature);
	uint64_t number = event_number(e, field_number, 0);
	uint64_t key = number ? number * 2654435761u : XXH3_64bits(name.at ? name.at : (const uint8_t *)"", name.len);
	enum verdict_of_alert v = triage_alert(r->triage, f->seer, e, key, sane_us(e->time_us), reason);
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

static void replay(void *arg, struct bytes line)
{
	struct follower *f = arg;
	f->format->line(f->state, line, &f->room->event);
}

static void take_line(struct room *r, struct follower *f, const struct follow_line *l)
{
	struct event *e = &r->event;
	if ((l->begins || l->resumes) && f->format->begin)
		f->format->begin(f->state, f->options->path);
	if (l->resumes)
		follow_replay(f->follow, replay, f);
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
	uint64_t quiet_us = r->options->quiet_ms * 1000, lost = follow_lost(f->follow);
	const char *trouble = follow_trouble(f->follow);
	if (!trouble && quiet_us && now_us > f->grown_us + quiet_us)
		trouble = "the log does not grow";
	if (lost != f->told_lost) {
		const char *detail = "the log was cut or replaced, and what was left of it was not found";
		log_warning("sensors: %s: %s", f->options->path, detail);
		tell_change(r, f, "gap", detail);
		f->told_lost = lost;
	}
	if (f->told && !trouble == !f->told_trouble && (!trouble || !strcmp(trouble, f->told_trouble)))
		return;
	if (trouble)
		log_warning("sensors: %s: %s", f->options->path, trouble);
	tell_change(r, f, trouble ? "gap" : "up", trouble ? trouble : f->options->path);
	f->told_trouble = trouble;
	f->told = true;
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
	history_save(r);
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
			   sane_us(r->heard.time_us));
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
	if (f->format->begin)
		f->format->begin(f->state, f->options->path);
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
	history_load(r);
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

/*
 * Shortens the path to the nearest folder above that is there.  A folder that is missing may
 * come later, and the process gets no new rights then.
 */
static bool nearest_folder(char *path)
{
	struct stat st;
	for (char *slash; (slash = strrchr(path, '/')) && slash > path;) {
		*slash = '\0';
		if (stat(path, &st) == 0)
			return S_ISDIR(st.st_mode);
	}
	return false;
}

static int give_folder(struct preparation *p, const struct followed_options *f, size_t at, struct fault *fault)
{
	char folder[FOLLOW_PATH_MAX];
	struct stat st;
	size_t own = (size_t)(strrchr(f->path, '/') - f->path);
	snprintf(folder, sizeof folder, "%s", f->path);
	if (!nearest_folder(folder) || stat(folder, &st))
		return fault_set(fault, ERR_MISSING, "sensors.follow[%zu].path: %.*s is no folder, and there is none above "
				 "it but the root", at, (int)own, f->path);
	if (strlen(folder) != own)
		log_warning("sensors: %.*s is not there yet; its log is read when it is, and until the next start the "
			    "process may read all of %s", (int)own, f->path, folder);
	if (geteuid() == 0 && (!(st.st_mode & S_IXOTH) || !(st.st_mode & S_IROTH)))
		log_warning("sensors: %s is closed to other users, and the process may run as its own; see "
			    "docs/sensors.md", folder);
	if (preparation_path(p, folder, false))
		return fault_set(fault, ERR_FULL, "sensors.follow[%zu].path: logs in too many folders", at);
	return 0;
}

/* Is its folder that of a log before it? */
static bool is_given(const struct followed_options *all, size_t at)
{
	size_t n = (size_t)(strrchr(all[at].path, '/') - all[at].path) + 1;
	for (size_t i = 0; i < at; i++)
		if (!strncmp(all[i].path, all[at].path, n) && !strchr(all[i].path + n, '/'))
			return true;
	return false;
}

static int sensors_prepare(struct preparation *p, struct fault *fault)
{
	const struct sensors_options *o = config_section(preparation_config(p), "sensors");
	const struct followed_options *f = o->follow.items;
	int bad = sensors_check(preparation_config(p), fault);
	if (!bad)
		bad = preparation_path(p, DIRECTORY, true);
	for (size_t i = 0; i < o->follow.count && !bad; i++)
		bad = is_given(f, i) ? 0 : give_folder(p, &f[i], i, fault);
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
