/*
 * The role "analysis": judges the sources of the day, again and again, and of yesterday once more.
 *
 * It reads nothing but the store's answers and the lists that the parent opened for it, and publishes
 * source.judged where a verdict is new or has moved.  After each round it measures what steering
 * changes, and publishes effect.measured where that has moved.  One question is on its way at a time.
 */
#include "analysis/gathering_inner.h"
#include "analysis/steering_effect.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "bus/process.h"
#include "store/store.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

FIELD(field_intent_verdict, "intent.verdict", TEXT, 0, "survey, attack, unclear, victim or bystander");
FIELD(field_intent_day, "intent.day", TIME, 0, "the day that was judged, its beginning in UTC");
FIELD(field_intent_score, "intent.score", TEXT, 0, "log-odds of an attack; below 0 a survey is likelier");

#define DAY_US 86400000000u
#define LISTS_MAX 64
#define ANSWER_MAX (256u << 20)
#define NEWS_POINTS 10
#define SOURCES_ROOM 2 /* those of dark traffic, and as many that only met decoys */
#define FIRST_MS 2000 /* the store has just begun, too */

struct analysis_options {
	uint64_t every_ms, sources, packets, trial_ms, follow_ms;
	struct option_list surveys, names; /* of const char * */
};

struct analysis {
	struct process *process;
	const struct analysis_options *options;
	struct surveys *surveys;
	double watched;
	uv_timer_t timer;
	struct gathering gathering;
	struct buffer answer;
	uint64_t day;            /* being judged; days since 1970 */
	bool loaded;             /* what was published for it has been asked */
	bool last;               /* that day is over: this round is its last */
	bool asking;             /* a question is on its way */
	enum question_about about;
	uint64_t slice, slices;  /* of that question */
	size_t publishing;       /* the next source to publish */
	bool publishes, stopped;
	uint64_t published;
	struct steering_effect effect;
	struct event event;
};

#define AT(member) offsetof(struct analysis_options, member)
static const struct option analysis_fields[] = {
	{.name = "every", .type = OPTION_DURATION, .offset = AT(every_ms), .fallback = "1h", .min = 1000,
	 .max = 86400000, .summary = "how often the sources of the day are judged"},
	{.name = "sources", .type = OPTION_NUMBER, .offset = AT(sources), .fallback = "100000", .min = 1,
	 .max = 2000000, .summary = "sources judged a day, those with the most packets first"},
	{.name = "packets", .type = OPTION_NUMBER, .offset = AT(packets), .fallback = "2", .min = 1,
	 .summary = "packets a day below which a source of dark traffic is not judged"},
	{.name = "trial", .type = OPTION_DURATION, .offset = AT(trial_ms), .fallback = "30d", .min = 1000,
	 .summary = "sources that were drawn for the trial of steering so lately are compared"},
	{.name = "follow", .type = OPTION_DURATION, .offset = AT(follow_ms), .fallback = "7d", .min = 1000,
	 .summary = "for so long after it was drawn, what a source does counts"},
	{.name = "surveys", .type = OPTION_LIST, .element = OPTION_TEXT, .offset = AT(surveys),
	 .summary = "files that list acknowledged surveys: MISP warninglists or text"},
	{.name = "names", .type = OPTION_LIST, .element = OPTION_TEXT, .offset = AT(names),
	 .summary = "files of host names by reverse DNS, lines of ADDRESS NAME"},
	{0},
};

static const struct section analysis_section = {
	{.name = "analysis", .type = OPTION_MAP, .fields = analysis_fields,
	 .summary = "verdicts: which sources survey, and which attack"},
	sizeof(struct analysis_options),
};
SECTION(analysis_section);

static void next_question(struct analysis *a);

static void set_moment(struct analysis *a, uint64_t ms);

/* Reasons for and against, one after the other, as far as the event has room. */
static void set_reasons(struct event *e, const struct gathered *s, const struct intent_verdict *v)
{
	char text[4096];
	struct writer w = writer_of(text, sizeof text);
	intent_summary_write(&s->e, v, &w);
	event_set_bytes(e, FIELD_EVIDENCE, writer_bytes(&w));
	w = writer_of(text, sizeof text);
	for (unsigned i = 0; i < v->count; i++) {
		if ((v->reasons[i].weight > 0) == (v->score >= 0))
			continue;
		if (writer_used(&w))
			write_text(&w, "; ");
		intent_reason_write(&s->e, &v->reasons[i], &w);
	}
	if (writer_used(&w))
		event_set_bytes(e, FIELD_DISSENT, writer_bytes(&w));
}

static int publish(struct analysis *a, struct gathered *s, const struct intent_verdict *v)
{
	char score[32];
	struct event *e = &a->event;
	event_begin(e, EVENT_SOURCE_JUDGED);
	event_set_address(e, FIELD_SRC, &s->address);
	event_set_text(e, field_intent_verdict, intent_name(v->verdict));
	event_set_number(e, field_intent_day, a->day * DAY_US);
	event_set_number(e, FIELD_CONFIDENCE, v->confidence);
	if (v->count)
		event_set_text(e, FIELD_REASON, intent_signal_word(v->reasons[0].signal));
	snprintf(score, sizeof score, "%+.2f", v->score);
	event_set_text(e, field_intent_score, score);
	set_reasons(e, s, v);
	int bad = bus_publish(a->process->bus, e);
	if (bad)
		return bad;
	s->judged = true;
	s->published = v->verdict;
	s->published_confidence = v->confidence;
	a->published++;
	return 0;
}

static void publish_effects(struct analysis *a)
{
	for (int against = EFFECT_RANDOM; against < EFFECT_ARMS; against++)
		for (int o = 0; o < OUTCOMES; o++) {
			if (!steering_effect_tell(&a->effect, against, o, &a->event))
				continue;
			if (bus_congested(a->process->bus) || bus_publish(a->process->bus, &a->event))
				return; /* the next round tells it */
			steering_effect_told(&a->effect, against, o, &a->event);
		}
}

static void effect_answered(void *arg, int status, struct bytes payload, bool more)
{
	struct analysis *a = arg;
	if (!status && more) {
		buffer_append(&a->answer, payload.at, payload.len);
		return;
	}
	if (more)
		return;
	a->asking = false;
	if (a->stopped)
		return;
	if (status) {
		log_warning("analysis: the store did not say what steering changed: %.*s", (int)payload.len,
			    payload.len ? (const char *)payload.at : "");
	} else {
		steering_effect_take(&a->effect, buffer_bytes(&a->answer));
		publish_effects(a);
	}
	set_moment(a, a->options->every_ms);
}

static void measure_steering(struct analysis *a)
{
	char sql[QUESTION_SQL_MAX];
	struct writer w = writer_of(sql, sizeof sql - 1);
	const uint64_t now_s = clock_utc_us() / 1000000, trial_s = a->options->trial_ms / 1000;
	buffer_consume(&a->answer, buffer_len(&a->answer));
	steering_effect_sql(now_s > trial_s ? now_s - trial_s : 0, now_s + 1, a->options->follow_ms / 1000, &w);
	*w.at = '\0';
	a->asking = true;
	if (store_ask(a->process->bus, sql, ANSWER_LINES, false, effect_answered, a)) {
		a->asking = false;
		set_moment(a, a->options->every_ms);
	}
}

static void round_end(struct analysis *a)
{
	struct gathering *g = &a->gathering;
	a->publishes = false;
	if (g->sources_in_all > a->options->sources || g->refused)
		log_warning("analysis: %llu sources had dark traffic on that day, %llu of them are judged; "
			    "analysis.sources allows more", (unsigned long long)g->sources_in_all,
			    (unsigned long long)a->options->sources);
	log_debug("analysis: %zu sources, %llu verdicts published", g->count, (unsigned long long)a->published);
	if (a->last) {
		gathering_clear(g);
		a->loaded = a->last = false;
		a->day = clock_utc_us() / DAY_US;
	}
	measure_steering(a);
}

/* Publishes what is news until all is, or until the bus is full and relief will come. */
static void publish_on(struct analysis *a)
{
	struct gathering *g = &a->gathering;
	struct intent_verdict v;
	for (; a->publishing < g->count; a->publishing++) {
		struct gathered *s = &g->sources[a->publishing];
		if (!s->seen)
			continue;
		intent_judge(&s->e, &v);
		if (!gathered_is_news(s, &v, a->last ? 0 : NEWS_POINTS))
			continue;
		if (bus_congested(a->process->bus) || publish(a, s, &v) == ERR_FULL)
			return;
	}
	round_end(a);
}

static void relief(void *arg)
{
	struct analysis *a = arg;
	if (a->publishes && !a->stopped)
		publish_on(a);
}

static void answered(void *arg, int status, struct bytes payload, bool more)
{
	struct analysis *a = arg;
	if (!status && more) {
		if (buffer_append(&a->answer, payload.at, payload.len))
			a->gathering.bad_rows++;
		return;
	}
	if (more)
		return;
	a->asking = false;
	if (a->stopped)
		return;
	if (status) { /* the store will be there again; what it has stays */
		log_warning("analysis: the store did not answer: %.*s; asking again later", (int)payload.len,
			    payload.len ? (const char *)payload.at : "");
		set_moment(a, a->options->every_ms < 10000 ? a->options->every_ms : 10000);
		return;
	}
	gathering_take(&a->gathering, a->about, buffer_bytes(&a->answer));
	a->loaded |= a->about == ASK_JUDGED;
	if (a->about == ASK_TOTALS)
		a->slices = 1 + a->gathering.sources_in_all / SLICE_SOURCES;
	if (!judge_is_sliced(a->about) || ++a->slice >= a->slices) {
		a->about++;
		a->slice = 0;
	}
	next_question(a);
}

static void next_question(struct analysis *a)
{
	char sql[QUESTION_SQL_MAX];
	struct writer w = writer_of(sql, sizeof sql - 1);
	buffer_consume(&a->answer, buffer_len(&a->answer));
	if (a->about == ASK_JUDGED && a->loaded)
		a->about++;
	if (a->about == QUESTIONS) {
		gathering_finish(&a->gathering, a->surveys, a->watched, a->day);
		a->publishing = 0;
		a->publishes = true;
		publish_on(a);
		return;
	}
	const struct gathering *g = &a->gathering;
	const struct judge_scope scope = {
		.day = a->day,
		.sources = a->options->sources,
		.packets = g->sources_in_all > a->options->sources && g->least > a->options->packets
				   ? g->least : a->options->packets,
		.slice = a->slice,
		.slices = a->slices,
	};
	judge_sql(a->about, &scope, &w);
	*w.at = '\0';
	a->asking = true;
	if (store_ask(a->process->bus, sql, ANSWER_LINES, false, answered, a)) {
		a->asking = false;
		set_moment(a, 10000);
	}
}

static void moment_came(uv_timer_t *timer)
{
	struct analysis *a = timer->data;
	if (a->asking || a->publishes)
		return;
	a->last = clock_utc_us() / DAY_US > a->day;
	a->about = ASK_TOTALS;
	a->slice = 0;
	a->slices = 1;
	gathering_renew(&a->gathering);
	next_question(a);
}

static void set_moment(struct analysis *a, uint64_t ms)
{
	if (!a->stopped)
		uv_timer_start(&a->timer, moment_came, ms, 0);
}

static void stop(void *arg)
{
	struct analysis *a = arg;
	a->stopped = true;
	uv_timer_stop(&a->timer);
	process_leave(a->process);
}

/* A descriptor is shared by every start of the process, so it is read from its beginning. */
static int read_list(int fd, const char *name, struct buffer *out, struct fault *fault)
{
	ssize_t n = 0;
	for (off_t at = 0;; at += n) {
		uint8_t *room = buffer_room(out, 1 << 16);
		if (!room)
			return fault_set(fault, ERR_FULL, "%s: larger than %u bytes", name, SURVEY_TEXT_MAX);
		n = pread(fd, room, 1 << 16, at);
		if (n < 0)
			return fault_set(fault, ERR_SYSTEM, "%s: %s", name, strerror(errno));
		if (n == 0)
			return 0;
		buffer_grown(out, (size_t)n);
	}
}

/* What cannot be used is said and left out: a list with an error must not end the verdicts. */
static void take_lists(struct analysis *a, const struct option_list *files, const char *kind)
{
	for (size_t i = 0; i < files->count; i++) {
		const char *name = ((const char *const *)files->items)[i];
		char handed[PROCESS_NAME_MAX];
		struct buffer text = BUFFER(SURVEY_TEXT_MAX + (1u << 16));
		struct fault fault = {0};
		snprintf(handed, sizeof handed, "%s:%zu", kind, i);
		int fd = process_fd(a->process, handed);
		int bad = fd < 0 ? fault_set(&fault, ERR_MISSING, "%s: it could not be opened", name)
				 : read_list(fd, name, &text, &fault);
		if (!bad && !strcmp(kind, "names"))
			bad = surveys_add_names(a->surveys, buffer_bytes(&text), name, &fault);
		else if (!bad)
			bad = surveys_add(a->surveys, buffer_bytes(&text), name, &fault);
		if (bad)
			log_warning("analysis: %s; going on without it", fault.text);
		buffer_done(&text);
	}
}

/* The telescope's prefixes stand in another room's section; what is there is the operator's text. */
static double watched_size(const struct config *c)
{
	const struct yaml_node *telescope = c->root && c->root->type == YAML_MAP ? yaml_child(c->root, "telescope") : NULL;
	const struct yaml_node *list = telescope && telescope->type == YAML_MAP ? yaml_child(telescope, "prefixes") : NULL;
	double size = 0;
	if (!list || list->type != YAML_LIST)
		return 0;
	YAML_EACH(list, item) {
		const struct yaml_node *node = item->type == YAML_MAP ? yaml_child(item, "prefix") : item;
		struct prefix p;
		if (node && node->type == YAML_SCALAR && prefix_parse(node->text, &p) && address_is_v4(&p.base))
			size += (double)(1ull << (128 - p.bits));
	}
	return size;
}

static int run(struct process *p, struct fault *fault)
{
	static struct analysis a;
	a.process = p;
	a.options = config_section(p->config, "analysis");
	a.answer = BUFFER(ANSWER_MAX);
	a.watched = watched_size(p->config);
	if (surveys_open(&a.surveys) || gathering_open(&a.gathering, SOURCES_ROOM * a.options->sources, random_secret()))
		return fault_set(fault, ERR_MEMORY, "analysis: no memory for %llu sources",
				 (unsigned long long)a.options->sources);
	take_lists(&a, &a.options->surveys, "surveys");
	take_lists(&a, &a.options->names, "names");
	surveys_seal(a.surveys);
	uv_timer_init(p->loop, &a.timer);
	a.timer.data = &a;
	const struct bus_hooks hooks = {.arg = &a, .relief = relief, .stop = stop};
	int bad = process_enter(p, &hooks, fault);
	if (!bad) {
		a.day = clock_utc_us() / DAY_US;
		set_moment(&a, FIRST_MS < a.options->every_ms ? FIRST_MS : a.options->every_ms);
		uv_run(p->loop, UV_RUN_DEFAULT);
	}
	gathering_close(&a.gathering);
	surveys_close(a.surveys);
	steering_effect_done(&a.effect);
	buffer_done(&a.answer);
	return bad;
}

static int prepare_lists(struct preparation *p, const struct option_list *files, const char *kind, struct fault *fault)
{
	for (size_t i = 0; i < files->count; i++) {
		const char *name = ((const char *const *)files->items)[i];
		char handed[PROCESS_NAME_MAX];
		snprintf(handed, sizeof handed, "%s:%zu", kind, i);
		int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
		if (fd < 0)
			return fault_set(fault, ERR_SYSTEM, "%s: analysis.%s: %s: %s", preparation_config(p)->file, kind,
					 name, strerror(errno));
		if (preparation_give(p, handed, fd))
			return fault_set(fault, ERR_FULL, "analysis.%s: too many files", kind);
	}
	return 0;
}

static int prepare(struct preparation *p, struct fault *fault)
{
	const struct analysis_options *o = config_section(preparation_config(p), "analysis");
	int bad = prepare_lists(p, &o->surveys, "surveys", fault);
	return bad ? bad : prepare_lists(p, &o->names, "names", fault);
}

static int check(const struct config *c, struct fault *fault)
{
	const struct analysis_options *o = config_section(c, "analysis");
	if (o->surveys.count > LISTS_MAX || o->names.count > LISTS_MAX)
		return fault_set(fault, ERR_FULL, "%s: analysis: more than %d lists of a kind", c->file, LISTS_MAX);
	return 0;
}

static const char *const talks_to[] = {"store", "journal", NULL};

static const struct role analysis_role = {
	.name = "analysis",
	.summary = "judges which sources survey and which attack, and measures what steering changes",
	.rights = 0,
	.sends = KIND_MASK(EVENT_SOURCE_JUDGED) | KIND_MASK(EVENT_EFFECT_MEASURED),
	.talks_to = talks_to,
	.optional = true,
	.check = check,
	.prepare = prepare,
	.run = run,
};
ROLE(analysis_role);
