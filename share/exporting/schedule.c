#include "share/exporting/schedule_inner.h"
#include "base/clock.h"
#include "base/log.h"
#include "share/exporting/door_inner.h"
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TURN_MS 1000
#define COPY_MS 2
#define COPY_BYTES (4u << 20) /* a turn, so that a large export holds up nothing else */
#define RETRY_US 10000000

#define AT(member) offsetof(struct export_options, member)

const struct option export_option_fields[] = {
	{.name = "name", .type = OPTION_TEXT, .offset = AT(name), .required = true, .summary = "with which its files begin"},
	{.name = "collection", .type = OPTION_TEXT, .offset = AT(collection), .required = true, .summary = "of which collection"},
	{.name = "format", .type = OPTION_TEXT, .offset = AT(format), .required = true,
	 .summary = "as `kansoku describe outputs` names them"},
	{.name = "organisation", .type = OPTION_TEXT, .offset = AT(organisation), .fallback = "",
	 .summary = "for whom: its grant says what is in it"},
	{.name = "policy", .type = OPTION_TEXT, .offset = AT(policy), .fallback = "",
	 .summary = "without an organisation: the policy of fields; \"default\" when none is named"},
	{.name = "tlp", .type = OPTION_TEXT, .offset = AT(tlp), .fallback = "", .summary = "nothing that is marked above that"},
	{.name = "path", .type = OPTION_TEXT, .offset = AT(path), .required = true, .summary = "the folder; an absolute path"},
	{.name = "every", .type = OPTION_DURATION, .offset = AT(every_ms), .fallback = "1d", .min = 10000,
	 .summary = "how often; without `last` also how long a file's time is"},
	{.name = "last", .type = OPTION_DURATION, .offset = AT(last_ms), .fallback = "0",
	 .summary = "one file with the events of so long, replaced each time; 0: a file for each time"},
	{0},
};

struct export_schedule {
	struct exchange *exchange;
	uv_timer_t timer;
	bool stopped;
	struct scheduled {
		uint64_t done_us;  /* end of what was made last */
		uint64_t retry_us; /* not before, after a failure */
		bool failing;
	} state[EXPORT_OPTIONS_MAX];
	/* The one that is being made. */
	bool busy;
	size_t at;
	struct exporting *exporting;
	struct export_wanted wanted;
	struct export_period period;
	struct export_result result;
	int folder, part;
};

static const struct export_options *options_of(const struct export_schedule *s, size_t i)
{
	return (const struct export_options *)s->exchange->options->exports.items + i;
}

static bool is_name(const char *word)
{
	return *word && strlen(word) < 64 && !word[strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")];
}

int export_options_check(const struct config *c, struct fault *fault)
{
	const struct exchange_options *x = config_section(c, "exchange");
	const struct export_options *o = x->exports.items;
	static struct collections collections;
	int bad = collections_read(&collections, c, fault);
	if (!bad && x->exports.count > EXPORT_OPTIONS_MAX)
		return fault_set(fault, ERR_FULL, "%s: exchange.exports: more than %d", c->file, EXPORT_OPTIONS_MAX);
	for (size_t i = 0; i < x->exports.count && !bad; i++, o++) {
		enum tlp tlp;
		const char *wrong = !is_name(o->name) ? "name: letters, digits, - and _ would be right"
				    : !output_find(o->format) ? "format: there is none of that name; `kansoku describe outputs` lists them"
				    : !collection_find(&collections, o->collection) ? "collection: there is none of that name"
				    : *o->path != '/' ? "path: an absolute path would be right"
				    : *o->organisation && *o->policy ? "policy: that of the organisation's grant is taken"
				    : *o->tlp && !tlp_read(bytes_of_text(o->tlp), &tlp)
					    ? "tlp: clear, green, amber, amber+strict or red would be right" : NULL;
		for (size_t j = 0; j < i && !wrong; j++)
			if (!strcmp(o[-(ptrdiff_t)i + (ptrdiff_t)j].name, o->name))
				wrong = "name: another export has it, too";
		if (wrong)
			bad = fault_set(fault, ERR_BAD, "%s: exchange.exports[%zu].%s", c->file, i, wrong);
	}
	return bad;
}

int export_schedule_prepare(struct preparation *p, struct fault *fault)
{
	const struct exchange_options *x = config_section(preparation_config(p), "exchange");
	const struct export_options *o = x->exports.items;
	int bad = 0;
	for (size_t i = 0; i < x->exports.count && !bad; i++)
		if (access(o[i].path, F_OK) || preparation_path(p, o[i].path, true))
			bad = fault_set(fault, ERR_MISSING, "exchange.exports[%zu].path: %s: %s", i, o[i].path, strerror(errno));
	return bad;
}

/* Told once when it begins to fail, and once when it goes on. */
static void note(struct export_schedule *s, size_t at, const char *why)
{
	struct event *e = &s->exchange->event;
	struct scheduled *state = &s->state[at];
	char who[160];
	state->retry_us = why ? clock_utc_us() + RETRY_US : 0;
	if ((why != NULL) == state->failing)
		return;
	state->failing = why != NULL;
	snprintf(who, sizeof who, "exchange/%s", options_of(s, at)->name);
	if (why)
		log_warning("%s: %s", who, why);
	event_begin(e, EVENT_SENSOR_CHANGED);
	event_set_text(e, FIELD_SERVICE, who);
	event_set_text(e, FIELD_STATE, why ? "down" : "up");
	if (!why || bytes_is_utf8(bytes_of_text(why)))
		event_set_text(e, FIELD_DETAIL, why ? why : "it is exported again");
	if (bus_publish(s->exchange->process->bus, e))
		log_error("%s: that it %s could not be told", who, why ? "fails" : "goes on");
}

static void part_name(const struct export_schedule *s, char name[200]) { snprintf(name, 200, ".%s.part", s->period.file); }

static void leave(struct export_schedule *s, const char *why)
{
	char part[200];
	part_name(s, part);
	if (s->part >= 0) {
		close(s->part);
		unlinkat(s->folder, part, 0);
	}
	if (s->result.fd >= 0)
		close(s->result.fd);
	if (s->folder >= 0)
		close(s->folder);
	s->part = s->folder = s->result.fd = -1;
	s->busy = false;
	s->exporting = NULL;
	if (!s->stopped)
		note(s, s->at, why);
}

static bool keep_sum(struct export_schedule *s)
{
	char line[256];
	struct writer w = writer_of(line, sizeof line);
	for (size_t i = 0; i < AUDIT_DIGEST; i++)
		write_fmt(&w, "%02x", s->result.digest[i]);
	write_fmt(&w, "  %s\n", s->period.file);
	int fd = openat(s->folder, "SHA256SUMS", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0644);
	bool good = fd >= 0 && write(fd, line, writer_used(&w)) == (ssize_t)writer_used(&w);
	if (fd >= 0)
		close(fd);
	return good;
}

static void complete(struct export_schedule *s)
{
	const struct export_options *o = options_of(s, s->at);
	char part[200], why[256] = "";
	part_name(s, part);
	if (fsync(s->part) || renameat(s->folder, part, s->folder, s->period.file) || (!o->last_ms && !keep_sum(s)))
		snprintf(why, sizeof why, "%.100s: %s", s->period.file, strerror(errno));
	close(s->part);
	s->part = -1;
	s->state[s->at].done_us = *why ? s->state[s->at].done_us : s->period.to_us;
	if (!*why)
		log_info("exchange: %s: %llu events, %llu bytes", s->period.file, (unsigned long long)s->result.objects,
			 (unsigned long long)s->result.bytes);
	leave(s, *why ? why : NULL);
}

/* A piece of the export's file into the folder; the folder may be on another disk. */
static void copy(struct export_schedule *s)
{
	static uint8_t piece[COPY_BYTES];
	ssize_t n = read(s->result.fd, piece, sizeof piece);
	if (n == 0)
		complete(s);
	else if (n < 0 || write(s->part, piece, (size_t)n) != n)
		leave(s, strerror(errno));
}

static void on_whole(void *arg, const struct export_result *result, const char *why)
{
	struct export_schedule *s = arg;
	char part[200];
	s->exporting = NULL;
	if (!result) {
		leave(s, why);
		return;
	}
	s->result = *result;
	part_name(s, part);
	s->part = openat(s->folder, part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (s->part < 0)
		leave(s, strerror(errno));
}

static void write_question(const struct export_options *o, const struct export_period *p, struct writer *w)
{
	char from[TIME_TEXT_MAX], to[TIME_TEXT_MAX];
	const char *const words[][2] = {
		{"format", o->format}, {"collection", o->collection}, {"organisation", o->organisation}, {"policy", o->policy},
		{"tlp", o->tlp}, {"from", time_format(p->from_us, from)}, {"to", time_format(p->to_us, to)}, {"action", "snapshot"},
	};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		write_fmt(w, "%s\"%s\":", i ? "," : "{", words[i][0]);
		write_json_string(w, bytes_of_text(words[i][1]));
	}
	write_text(w, "}");
}

static void begin(struct export_schedule *s, size_t at)
{
	const struct export_options *o = options_of(s, at);
	char text[2048];
	struct writer w = writer_of(text, sizeof text);
	struct fault fault = {0};
	s->at = at;
	s->folder = open(o->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->folder < 0) {
		snprintf(fault.text, sizeof fault.text, "%s: %s", o->path, strerror(errno));
		leave(s, fault.text);
		return;
	}
	if (!export_period_due(o, output_find(o->format)->extension, s->folder, clock_utc_us(), &s->period) ||
	    s->period.to_us == s->state[at].done_us) {
		close(s->folder);
		s->folder = -1;
		return;
	}
	write_question(o, &s->period, &w);
	s->busy = true;
	if (export_question_read(s->exchange, writer_bytes(&w), &s->wanted, &fault) ||
	    exporting_begin(&s->exporting, s->exchange, &s->wanted, on_whole, s, &fault))
		leave(s, fault.text);
}

static void turn(uv_timer_t *timer)
{
	struct export_schedule *s = timer->data;
	uint64_t now_us = clock_utc_us();
	if (s->busy && s->part >= 0)
		copy(s);
	for (size_t i = 0; i < s->exchange->options->exports.count && !s->busy; i++)
		if (s->state[i].retry_us <= now_us)
			begin(s, i);
	uv_timer_set_repeat(timer, s->part >= 0 ? COPY_MS : TURN_MS);
}

int export_schedule_open(struct exchange *x, struct fault *fault)
{
	struct export_schedule *s = x->export_schedule = calloc(1, sizeof *s);
	if (!s)
		return fault_set(fault, ERR_MEMORY, "no memory for exports by schedule");
	s->exchange = x;
	s->folder = s->part = s->result.fd = -1;
	uv_timer_init(x->process->loop, &s->timer);
	s->timer.data = s;
	return 0;
}

void export_schedule_start(struct exchange *x)
{
	struct export_schedule *s = x->export_schedule;
	if (x->options->exports.count)
		uv_timer_start(&s->timer, turn, TURN_MS, TURN_MS);
}

void export_schedule_stop(struct exchange *x)
{
	struct export_schedule *s = x->export_schedule;
	if (!s || s->stopped)
		return;
	s->stopped = true;
	if (s->exporting)
		exporting_forget(s->exporting);
	if (s->busy)
		leave(s, NULL);
	uv_close((uv_handle_t *)&s->timer, NULL);
}

void export_schedule_close(struct exchange *x)
{
	free(x->export_schedule);
	x->export_schedule = NULL;
}
