#include "share/asking/calls_inner.h"
#include "base/clock.h"
#include "base/log.h"
#include "share/intake/schedule_inner.h"
#include <stdlib.h>
#include <string.h>

#define STAYED_US 60000000u /* who was connected that long is connected again at once */
#define RETRY_FIRST_US 1000000u
#define RETRY_LAST_US 60000000u

struct calls {
	struct schedule *schedule;
	uv_async_t async;
	struct bytes keys[SOURCES_MAX];
	struct turn *running[SOURCES_MAX];
	uint64_t retry_us[SOURCES_MAX]; /* of who stays, how long it is left alone after the next failure */
	size_t busy;                    /* turns of who does not stay */
	bool opened;
};

struct turn {
	struct client_call call;
	const struct client *client;
	size_t at; /* its source */
	uint64_t begun_us, records, repeated, bad, refused;
	struct question_asked question;
	uv_thread_t thread;
};

static const struct source_options *source_at(const struct calls *c, size_t at)
{
	return (const struct source_options *)c->schedule->exchange->options->sources.items + at;
}

const char *source_format(const struct source_options *o)
{
	const struct client *client = o->client ? client_find(o->client) : NULL;
	return o->format ? o->format : client ? client->format : NULL;
}

static bool has_option(const struct client *client, const char *name)
{
	for (const struct client_option *o = client->options; o && o->name; o++)
		if (!strcmp(o->name, name))
			return true;
	return false;
}

int client_check(const struct source_options *s, struct fault *fault)
{
	const struct client *client = client_find(s->client);
	const struct option_pair *pairs = s->options.items;
	struct fault why = {0};
	if (!client)
		return fault_set(fault, ERR_BAD, ".client: there is no client \"%s\"; `kansoku describe clients` lists them", s->client);
	if (!s->url || s->path)
		return fault_set(fault, ERR_BAD, ".url: a client needs one, and no path");
	if (client_check_url(s->url, client->scheme, s->key_file != NULL, &why))
		return fault_set(fault, ERR_BAD, ".url: %s", why.text);
	if (s->key_file && *s->key_file != '/')
		return fault_set(fault, ERR_BAD, ".key_file: \"%s\" is no absolute path", s->key_file);
	if (s->asked && !client->asks)
		return fault_set(fault, ERR_BAD, ".asked: the client %s cannot be asked about an event", client->name);
	for (size_t i = 0; i < s->options.count; i++)
		if (!has_option(client, pairs[i].name))
			return fault_set(fault, ERR_BAD, ".options: the client %s has no \"%s\"; `kansoku describe clients` lists them",
					 client->name, pairs[i].name);
		else if (pairs[i].value.len >= CLIENT_URL_MAX)
			return fault_set(fault, ERR_FULL, ".options: \"%s\" has more than %d bytes", pairs[i].name, CLIENT_URL_MAX);
	return 0;
}

int calls_give_key(struct preparation *p, size_t source, const char *path, struct fault *fault)
{
	char name[PROCESS_NAME_MAX], where[64];
	snprintf(name, sizeof name, "key:%zu", source);
	snprintf(where, sizeof where, "exchange.sources[%zu]", source);
	return client_give_key(p, name, where, path, fault);
}

static int read_key(struct calls *c, size_t at, struct fault *fault)
{
	char name[PROCESS_NAME_MAX], where[64];
	snprintf(name, sizeof name, "key:%zu", at);
	snprintf(where, sizeof where, "exchange.sources[%zu]", at);
	return client_read_key(c->schedule->exchange->process, name, where, &c->keys[at], fault);
}

/* What a piece holds becomes records; false: it could not all be taken. */
static bool read_piece(struct calls *c, struct turn *t, struct bytes piece)
{
	const struct source_options *o = source_at(c, t->at);
	const struct job_origin origin = {.format = source_format(o), .source = o->name, .tlp = o->tlp ? o->tlp : "",
					  .pap = o->pap ? o->pap : "", .map = o->map, .file = t->call.file ? t->call.file : o->url,
					  .confidence = o->confidence, .chain = o->asked ? &t->question.chain : NULL};
	struct job *job = NULL;
	struct fault *fault = &t->call.refused;
	int bad = job_open(&job, c->schedule->exchange, &origin, fault);
	bad = bad ? bad : job_feed(job, piece, fault);
	bad = bad ? bad : job_end(job, fault);
	if (job) {
		const struct intake_counts *n = job_counts(job);
		t->records += n->records;
		t->repeated += n->repeated;
		t->bad += n->bad;
		t->refused += n->refused;
		if (!bad && n->refused)
			bad = fault_set(fault, ERR_FULL, "%llu records found no room (exchange.spool_max)", (unsigned long long)n->refused);
	}
	job_close(job);
	return !bad;
}

static void serve(struct calls *c, struct turn *t)
{
	struct client_call *call = &t->call;
	uv_mutex_lock(&call->lock);
	const bool waiting = call->waiting, standing = call->standing;
	call->standing = false;
	uv_mutex_unlock(&call->lock);
	if (standing)
		schedule_note(c->schedule, t->at, NULL);
	if (!waiting || c->schedule->stopped)
		return;
	bool wanted = read_piece(c, t, call->piece); /* its thread waits meanwhile */
	uv_mutex_lock(&call->lock);
	call->wanted = wanted;
	call->waiting = false;
	uv_cond_broadcast(&call->changed);
	uv_mutex_unlock(&call->lock);
}

/* When that source may be asked next, which is later when it fails or said so itself. */
static void set_due(struct calls *c, const struct turn *t, bool failed)
{
	const uint64_t now_us = clock_mono_us(), pause_us = t->call.pause_s * 1000000;
	uint64_t *due_us = &c->schedule->states[t->at].due_us, *retry_us = &c->retry_us[t->at];
	if (t->client->stays) {
		if (!failed || now_us - t->begun_us > STAYED_US || !*retry_us)
			*retry_us = RETRY_FIRST_US;
		*due_us = now_us + *retry_us;
		*retry_us = *retry_us * 2 < RETRY_LAST_US ? *retry_us * 2 : RETRY_LAST_US;
	}
	if (pause_us && *due_us < now_us + pause_us)
		*due_us = now_us + pause_us;
}

/* A question that was refused because it came too early is not forgotten. */
static void ask_again(struct calls *c, struct turn *t, bool failed)
{
	struct asked *a = c->schedule->exchange->asked;
	if (source_at(c, t->at)->asked && t->call.pause_s && ++t->question.tries < CALLS_TRIES_MAX && a->count < ASKED_MAX)
		a->waiting[a->count++] = t->question;
	else if (source_at(c, t->at)->asked && failed)
		asked_forget(a, &t->question);
}

static void finish(struct calls *c, struct turn *t)
{
	const struct client_call *call = &t->call;
	const char *why = call->refused.text[0] ? call->refused.text : call->bad ? call->fault.text : NULL;
	uv_thread_join(&t->thread);
	c->running[t->at] = NULL;
	c->busy -= !t->client->stays;
	if (!c->schedule->stopped) {
		if (t->records || t->bad || t->refused)
			log_info("exchange: %s: %llu records, %llu seen before, %llu unreadable, %llu refused", source_at(c, t->at)->name,
				 (unsigned long long)t->records, (unsigned long long)t->repeated, (unsigned long long)t->bad,
				 (unsigned long long)t->refused);
		if (why || !t->client->stays)
			schedule_note(c->schedule, t->at, why);
		set_due(c, t, why != NULL);
		ask_again(c, t, why != NULL);
	}
	client_close(&t->call);
	free(t);
}

static void on_async(uv_async_t *async)
{
	struct calls *c = async->data;
	for (size_t i = 0; i < SOURCES_MAX; i++) {
		struct turn *t = c->running[i];
		if (!t)
			continue;
		serve(c, t);
		uv_mutex_lock(&t->call.lock);
		bool ended = t->call.ended;
		uv_mutex_unlock(&t->call.lock);
		if (ended)
			finish(c, t);
	}
}

static void run_turn(void *arg)
{
	struct turn *t = arg;
	struct client_call *call = &t->call;
	int bad = t->client->turn(call, &call->fault);
	uv_mutex_lock(&call->lock);
	call->bad = bad;
	call->ended = true;
	uv_async_send(call->wake);
	uv_mutex_unlock(&call->lock);
}

static void begin(struct calls *c, size_t at, const struct question_asked *question)
{
	const struct source_options *o = source_at(c, at);
	const struct exchange *x = c->schedule->exchange;
	struct turn *t = calloc(1, sizeof *t);
	struct fault fault = {0};
	if (!t)
		return;
	if (question)
		t->question = *question;
	t->client = client_find(o->client);
	const struct client_about about = {.source = o->name, .hosts = t->client->hosts, .format = format_find(bytes_of_text(source_format(o))), .url = question ? t->question.url : o->url, .agent = x->options->agent,
					   .options = &o->options, .key = c->keys[at], .size_max = x->options->size_max,
					   .time_ms = x->options->time_ms, .directory = question ? -1 : x->directory};
	t->at = at;
	t->begun_us = clock_mono_us();
	if (client_open(&t->call, &about, &fault)) {
		schedule_note(c->schedule, at, fault.text);
		free(t);
		return;
	}
	t->call.wake = &c->async;
	if (uv_thread_create(&t->thread, run_turn, t)) {
		schedule_note(c->schedule, at, "there is no thread for it");
		client_close(&t->call);
		free(t);
		return;
	}
	c->running[at] = t;
	c->busy += !t->client->stays;
}

/* The first question that waits for that source. */
static bool take_question(struct calls *c, size_t at, struct question_asked *question)
{
	struct asked *a = c->schedule->exchange->asked;
	for (size_t i = 0; i < a->count; i++)
		if (a->waiting[i].source == at) {
			*question = a->waiting[i];
			asked_remove(a, i);
			return true;
		}
	return false;
}

void calls_turn(struct calls *c, uint64_t now_us)
{
	static struct question_asked question;
	const size_t count = c->schedule->exchange->options->sources.count;
	for (size_t i = 0; i < count; i++) {
		const struct source_options *o = source_at(c, i);
		if (!o->client || c->running[i] || c->schedule->states[i].due_us > now_us)
			continue;
		if (c->busy == CALLS_MAX && !client_find(o->client)->stays)
			continue;
		if (o->asked && !take_question(c, i, &question))
			continue;
		c->schedule->states[i].due_us = now_us + o->every_ms * 1000;
		begin(c, i, o->asked ? &question : NULL);
	}
}

int calls_open(struct calls **out, struct schedule *s, struct fault *fault)
{
	struct calls *c = calloc(1, sizeof *c);
	int bad = 0;
	if (!c)
		return fault_set(fault, ERR_MEMORY, "no memory for clients");
	c->schedule = s;
	*out = c;
	for (size_t i = 0; i < s->exchange->options->sources.count && !bad; i++)
		if (source_at(c, i)->key_file)
			bad = read_key(c, i, fault);
	if (bad)
		return bad;
	c->async.data = c;
	c->opened = uv_async_init(s->exchange->process->loop, &c->async, on_async) == 0;
	return c->opened ? 0 : fault_set(fault, ERR_SYSTEM, "clients cannot be woken");
}

void calls_stop(struct calls *c)
{
	for (size_t i = 0; i < SOURCES_MAX; i++)
		if (c->running[i])
			client_stop(&c->running[i]->call);
}

void calls_close(struct calls *c)
{
	if (!c)
		return;
	calls_stop(c);
	for (size_t i = 0; i < SOURCES_MAX; i++) {
		if (c->running[i])
			finish(c, c->running[i]);
		client_drop_key(&c->keys[i]);
	}
	free(c);
}
