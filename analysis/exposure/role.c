/*
 * The role "exposure": hears what hosts answered and were identified as, and publishes exposure.found, and
 * host.matched where an answer is what a seek looks for.
 *
 * It sends nothing but events, and reads nothing but the user's files and its index; it has no network.
 * What it hears comes over the journal, once it is there; what was missed, `kansoku exposures --rejudge`
 * has judged again.  A finding is told of a host and port once within exposure.again.
 */
#include "analysis/exposure/stored_inner.h"
#include "analysis/exposure/told_inner.h"
#include "analysis/exposure/updates_inner.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "bus/process.h"
#include "store/store.h"
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#define TICK_MS 5000
#define NVD_PATHS_MAX 16
#define STORED_LINE_MAX (1u << 20) /* of a stored event; its bytes are written as two digits each */

struct room {
	struct process *process;
	const struct exposure_options *options;
	struct exposures exposures;
	struct exposures_limits limits;
	struct updates updates;
	struct told told;
	uv_timer_t tick, update;
	struct buffer line;           /* of the store's answer, as far as it came */
	struct bus_request *request;  /* to judge again, being answered; NULL: none */
	bool remembering, stopped, full;
	uint64_t heard, found, news, lost; /* found and news: of the judging at hand */
	struct event event;
};

#define AT(member) offsetof(struct exposure_options, member)
static const struct option exposure_fields[] = {
	{.name = "on", .type = OPTION_BOOL, .offset = AT(on), .fallback = "true",
	 .summary = "whether answers are judged by what they expose"},
	{.name = "nvd", .type = OPTION_LIST, .element = OPTION_TEXT, .offset = AT(nvd),
	 .summary = "NVD's feeds (JSON 2.0 or 1.1, .json or .json.gz): files, and directories of them"},
	{.name = "kev", .type = OPTION_TEXT, .offset = AT(kev), .summary = "CISA's known_exploited_vulnerabilities.json"},
	{.name = "every", .type = OPTION_DURATION, .offset = AT(every_ms), .fallback = "6h", .min = 1000,
	 .summary = "how often these files are looked at for what is new"},
	{.name = "rules", .type = OPTION_LIST, .element = OPTION_TEXT, .offset = AT(rules),
	 .summary = "directories of further rules, beside our own"},
	{.name = "seeks", .type = OPTION_LIST, .element = OPTION_TEXT, .offset = AT(seeks),
	 .summary = "directories of what else is sought among answers, beside fingerprints/seek"},
	{.name = "again", .type = OPTION_DURATION, .offset = AT(again_ms), .fallback = "7d", .min = 1000,
	 .summary = "a finding is told of a host and port once within this time"},
	{.name = "per_host", .type = OPTION_NUMBER, .offset = AT(per_host), .fallback = "50", .max = 256,
	 .summary = "weaknesses of a host that are told one by one, the gravest first"},
	{.name = "confidence", .type = OPTION_NUMBER, .offset = AT(confidence_min), .fallback = "20", .max = 100,
	 .summary = "percent below which a weakness is not told"},
	{0},
};

static const struct section exposure_section = {
	{.name = "exposure", .type = OPTION_MAP, .fields = exposure_fields,
	 .summary = "weaknesses and settings that answers show, without a packet for that"},
	sizeof(struct exposure_options),
};
SECTION(exposure_section);

static bool publish(void *arg, struct event *e)
{
	struct room *r = arg;
	struct address host;
	r->found++;
	if (bus_congested(r->process->bus)) {
		r->full = true;
		r->lost++;
		return false;
	}
	if (!event_address(e, FIELD_SRC, &host) ||
	    !told_is_news(&r->told, &host, told_place(e->kind, event_number(e, FIELD_SPORT, 0)), event_bytes(e, FIELD_RULE),
			  clock_utc_us(), r->options->again_ms * 1000))
		return true;
	e->time_us = clock_utc_us();
	if (bus_publish(r->process->bus, e)) {
		r->full = true;
		r->lost++;
		return false;
	}
	r->news++;
	return true;
}

static void judge(struct room *r, const struct event *answer)
{
	r->heard++;
	exposures_judge(&r->exposures, &r->limits, answer, publish, r);
}

static void on_heard(void *arg, const struct bus_delivery *d)
{
	struct room *r = arg;
	if (frame_decode(d->frame, NULL, &r->event) == 0)
		judge(r, &r->event);
	if (d->sequence)
		bus_acknowledge(r->process->bus, d->peer, d->sequence);
}

/* Whole lines of the store's answer, however it was cut. */
static void take_lines(struct room *r, struct bytes part, void (*take)(struct room *, struct bytes))
{
	if (buffer_append(&r->line, part.at, part.len)) {
		r->lost++;
		buffer_consume(&r->line, buffer_len(&r->line));
		return;
	}
	struct reader reader = reader_of_bytes(buffer_bytes(&r->line));
	const uint8_t *from = reader.at;
	struct bytes line;
	while (read_line(&reader, &line))
		take(r, line);
	buffer_consume(&r->line, (size_t)(reader.at - from));
}

static void take_stored(struct room *r, struct bytes line)
{
	if (!r->full && stored_event(line, &r->event))
		judge(r, &r->event);
}

static void take_found(struct room *r, struct bytes line)
{
	struct address host;
	enum event_kind kind;
	uint64_t port, time_us;
	char rule[STORED_RULE_MAX];
	if (stored_found(line, &host, &kind, &port, rule, &time_us))
		told_is_news(&r->told, &host, told_place(kind, port), bytes_of_text(rule), time_us, r->options->again_ms * 1000);
}

static void answer_request(struct room *r, int status, struct bytes why)
{
	char text[512];
	struct writer w = writer_of(text, sizeof text);
	struct bus_request *request = r->request;
	r->request = NULL;
	if (status)
		write_span(&w, (struct bytes){why.at, why.len < 400 ? why.len : 400});
	else
		write_fmt(&w, "{\"answers\":%llu,\"found\":%llu,\"new\":%llu,\"whole\":%s}\n", (unsigned long long)r->heard,
			  (unsigned long long)r->found, (unsigned long long)r->news, r->full ? "false" : "true");
	bus_answer(request, status, writer_bytes(&w), !status);
	if (!status)
		bus_answer(request, 0, (struct bytes){0}, false);
}

static void stored_answered(void *arg, int status, struct bytes payload, bool more)
{
	struct room *r = arg;
	if (!status && more) {
		take_lines(r, payload, take_stored);
		return;
	}
	if (more)
		return;
	buffer_consume(&r->line, buffer_len(&r->line));
	if (r->request)
		answer_request(r, status, payload);
}

static void on_rejudge(void *arg, struct bus_request *request, struct bytes payload)
{
	struct room *r = arg;
	char sql[STORED_SQL_MAX];
	struct writer w = writer_of(sql, sizeof sql - 1);
	struct reader reader = reader_of_bytes(payload);
	uint64_t since_us = read_u64(&reader);
	if (!reader_ok(&reader) || r->request || r->remembering) {
		bus_answer(request, reader_ok(&reader) ? ERR_FULL : ERR_BAD, BYTES("the store is being asked already"), false);
		return;
	}
	r->heard = r->found = r->news = 0;
	r->full = false;
	r->request = request;
	stored_sql(&w, since_us, clock_utc_us());
	*w.at = '\0';
	if (store_ask(r->process->bus, sql, ANSWER_LINES, false, stored_answered, r))
		answer_request(r, ERR_GONE, BYTES("the store cannot be asked"));
}

static void remembered(void *arg, int status, struct bytes payload, bool more)
{
	struct room *r = arg;
	if (!status && more) {
		take_lines(r, payload, take_found);
		return;
	}
	if (more)
		return;
	buffer_consume(&r->line, buffer_len(&r->line));
	r->remembering = false;
}

/* What was told before this process began is not told again. */
static void remember(struct room *r)
{
	char sql[STORED_SQL_MAX];
	struct writer w = writer_of(sql, sizeof sql - 1);
	uint64_t now_us = clock_utc_us(), again_us = r->options->again_ms * 1000;
	stored_found_sql(&w, now_us > again_us ? now_us - again_us : 0);
	*w.at = '\0';
	r->remembering = store_ask(r->process->bus, sql, ANSWER_LINES, false, remembered, r) == 0;
}

static void on_tick(uv_timer_t *timer)
{
	struct room *r = timer->data;
	struct fault fault;
	if (updates_reopen(&r->updates, &r->exposures.index, &fault)) {
		const struct weaknesses_size size = weaknesses_size(r->exposures.index);
		log_info("exposure: %llu CVEs of %llu products, %llu of them known to be exploited",
			 (unsigned long long)size.cves, (unsigned long long)size.products, (unsigned long long)size.known);
	} else if (fault.text[0]) {
		log_warning("exposure: %s", fault.text);
	}
}

static void on_update(uv_timer_t *timer)
{
	struct room *r = timer->data;
	updates_begin(&r->updates, r->process->loop);
}

static void on_updated(struct updates *u)
{
	struct room *r = u->arg;
	for (size_t i = 0; i < u->fault_count; i++)
		log_warning("exposure: %s", u->faults[i].text);
	if (u->changed)
		log_info("exposure: %llu files, %llu of them as they were; %llu CVEs are new or newer",
			 (unsigned long long)u->counts.files, (unsigned long long)u->counts.unchanged,
			 (unsigned long long)u->counts.newer);
	if (r->stopped)
		process_leave(r->process);
	else
		on_tick(&r->tick);
}

static void stop(void *arg)
{
	struct room *r = arg;
	r->stopped = true;
	uv_timer_stop(&r->tick);
	uv_timer_stop(&r->update);
	/* A thread at its feeds ends by itself or with the process; the index is replaced whole or not at all. */
	if (!r->updates.working || uv_cancel((uv_req_t *)&r->updates.work) == 0)
		process_leave(r->process);
}

static int open_all(struct room *r, struct fault *fault)
{
	const struct exposure_options *o = r->options;
	const char *complaint;
	int bad = exposures_open(&r->exposures, o->rules.items, o->rules.count, fault);
	if (!bad)
		bad = exposures_open_seeks(&r->exposures, o->seeks.items, o->seeks.count, fault);
	if (!bad && told_open(&r->told, random_secret()))
		bad = fault_set(fault, ERR_MEMORY, "exposure: no memory to start with");
	if (!bad)
		bad = updates_open(&r->updates, o, process_state(r->process), fault);
	for (size_t i = 0; !bad && (complaint = exposure_rules_complaint(r->exposures.rules, i)); i++)
		log_warning("exposure: %s; going on without it", complaint);
	for (size_t i = 0; !bad && (complaint = exposure_rules_complaint(r->exposures.seeks, i)); i++)
		log_warning("exposure: %s; going on without it", complaint);
	return bad;
}

static int run(struct process *p, struct fault *fault)
{
	static struct room r;
	r.process = p;
	r.options = config_section(p->config, "exposure");
	r.limits = (struct exposures_limits){(unsigned)r.options->per_host, (unsigned)r.options->confidence_min};
	r.line = BUFFER(STORED_LINE_MAX + (2u << 20));
	r.updates.done = on_updated;
	r.updates.arg = &r;
	int bad = open_all(&r, fault);
	if (bad)
		return bad;
	uv_timer_init(p->loop, &r.tick);
	uv_timer_init(p->loop, &r.update);
	r.tick.data = r.update.data = &r;
	bus_subscribe(p->bus, KIND_MASK(EVENT_HOST_ANSWERED) | KIND_MASK(EVENT_HOST_IDENTIFIED));
	bus_on_request(p->bus, TOPIC_REJUDGE, on_rejudge, &r);
	bus_open_to_guests(p->bus, TOPIC_REJUDGE);
	const struct bus_hooks hooks = {.arg = &r, .event = on_heard, .stop = stop};
	bad = process_enter(p, &hooks, fault);
	if (!bad) {
		on_tick(&r.tick);
		remember(&r);
		uv_timer_start(&r.tick, on_tick, TICK_MS, TICK_MS);
		uv_timer_start(&r.update, on_update, 0, r.options->every_ms);
		uv_run(p->loop, UV_RUN_DEFAULT);
	}
	updates_close(&r.updates);
	exposures_close(&r.exposures);
	told_close(&r.told);
	buffer_done(&r.line);
	return bad;
}

static int prepare_path(struct preparation *p, const char *path, struct fault *fault)
{
	char *absolute = realpath(path, NULL);
	if (!absolute)
		return fault_set(fault, ERR_SYSTEM, "%s: exposure: %s: %s", preparation_config(p)->file, path, strerror(errno));
	int bad = preparation_path(p, absolute, false);
	free(absolute);
	return bad ? fault_set(fault, bad, "%s: exposure: %s: too many paths", preparation_config(p)->file, path) : 0;
}

/* `kansoku import` may have been root's, before this role had its folder. */
static void take_over_index(const struct preparation *p)
{
	char folder[4096], index[4200];
	struct stat st;
	snprintf(folder, sizeof folder, "%s/" EXPOSURE_FOLDER, preparation_state(p));
	snprintf(index, sizeof index, "%s/" EXPOSURE_INDEX, folder);
	if (geteuid() == 0 && stat(folder, &st) == 0 && lchown(index, st.st_uid, st.st_gid) && errno != ENOENT)
		log_warning("exposure: %s: %s", index, strerror(errno));
}

static int check(const struct config *c, struct fault *fault)
{
	const struct exposure_options *o = config_section(c, "exposure");
	if (o->nvd.count > NVD_PATHS_MAX)
		return fault_set(fault, ERR_FULL, "%s: exposure.nvd: more than %d paths; a directory of files is one", c->file,
				 NVD_PATHS_MAX);
	return 0;
}

static int prepare(struct preparation *p, struct fault *fault)
{
	const struct exposure_options *o = config_section(preparation_config(p), "exposure");
	int bad = preparation_path(p, EXPOSURE_FOLDER, true);
	if (!bad)
		take_over_index(p);
	for (size_t i = 0; i < o->nvd.count && !bad; i++)
		bad = prepare_path(p, ((const char *const *)o->nvd.items)[i], fault);
	return !bad && o->kev ? prepare_path(p, o->kev, fault) : bad;
}

static unsigned workers(const struct config *c)
{
	return ((const struct exposure_options *)config_section(c, "exposure"))->on;
}

static const char *const talks_to[] = {"store", "journal", NULL};

static const struct role exposure_role = {
	.name = "exposure",
	.summary = "says what the answers of hosts expose, and which are what is sought; reads the user's NVD and KEV files",
	.rights = SANDBOX_FILES | SANDBOX_PATHS | SANDBOX_THREADS,
	.sends = KIND_MASK(EVENT_EXPOSURE_FOUND) | KIND_MASK(EVENT_HOST_MATCHED),
	.talks_to = talks_to,
	.optional = true,
	.door = true,
	.workers = workers,
	.check = check,
	.prepare = prepare,
	.run = run,
};
ROLE(exposure_role);
