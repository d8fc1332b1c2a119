#include "share/exporting/publishing_inner.h"
#include "base/clock.h"
#include "base/log.h"
#include "share/asking/client_inner.h"
#include "share/exporting/exporting_inner.h"
#include "share/exporting/publication_inner.h"
#include <stdlib.h>
#include <string.h>

#define TURN_MS 500
#define SPAN_US_MAX UINT64_C(86400000000) /* of one turn: what was missed comes day by day */

struct outgoing { /* one entry */
	struct publishing *room;
	const struct publish_options *options;
	const struct publisher *publisher;
	struct bytes key;
	uint64_t due_us;
	char failing[160]; /* with what; empty: it works */
	/* While it has its turn. */
	bool busy;
	struct client_call call;
	struct exporting *exporting;
	struct publication publication;
	struct publication_place place;
	uint64_t objects;
	bool sending;
	uv_thread_t thread;
};

struct publishing {
	struct exchange *exchange;
	uv_timer_t timer;
	uv_async_t async;
	bool stopped;
	size_t count;
	struct outgoing entries[PUBLISHING_MAX];
};

static bool has_option(const struct publisher *p, const char *name)
{
	for (const struct client_option *o = p->options; o && o->name; o++)
		if (!strcmp(o->name, name))
			return true;
	return false;
}

static int check_entry(const struct publish_options *e, const struct collections *all, struct fault *fault)
{
	const struct publisher *p = publisher_find(e->publisher);
	const struct option_pair *pairs = e->options.items;
	struct fault why = {0};
	if (!p)
		return fault_set(fault, ERR_BAD, ".publisher: there is no \"%s\"; `kansoku describe publishers` lists them", e->publisher);
	if (client_check_url(e->url, p->scheme, true, &why))
		return fault_set(fault, ERR_BAD, ".url: %s", why.text);
	if (*e->key_file != '/')
		return fault_set(fault, ERR_BAD, ".key_file: \"%s\" is no absolute path", e->key_file);
	if (!collection_find(all, e->collection))
		return fault_set(fault, ERR_BAD, ".collection: there is no collection \"%s\"", e->collection);
	if (e->output && (!p->any_output || !output_find(e->output) || output_find(e->output)->whole))
		return fault_set(fault, ERR_BAD, ".output: the publisher %s sends no \"%s\"", p->name, e->output);
	if (strlen(e->organisation) >= EXPORT_NAME_MAX)
		return fault_set(fault, ERR_BAD, ".organisation: the name is too long");
	for (size_t i = 0; i < e->options.count; i++)
		if (!has_option(p, pairs[i].name))
			return fault_set(fault, ERR_BAD, ".options: the publisher %s has no \"%s\"", p->name, pairs[i].name);
	return 0;
}

int publishing_check(const struct config *c, struct fault *fault)
{
	const struct exchange_options *o = config_section(c, "exchange");
	const struct publish_options *entries = o->publish.items;
	static struct collections all;
	struct fault why = {0};
	int bad = o->publish.count ? collections_read(&all, c, fault) : 0;
	if (o->publish.count > PUBLISHING_MAX)
		return fault_set(fault, ERR_FULL, "%s: exchange.publish: more than %d", c->file, PUBLISHING_MAX);
	for (size_t i = 0; i < o->publish.count && !bad; i++)
		if ((bad = check_entry(&entries[i], &all, &why)))
			fault_set(fault, bad, "%s: exchange.publish[%zu]%s", c->file, i, why.text);
	return bad;
}

static void name_key(size_t at, char name[PROCESS_NAME_MAX], char where[64])
{
	snprintf(name, PROCESS_NAME_MAX, "publish-key:%zu", at);
	snprintf(where, 64, "exchange.publish[%zu]", at);
}

int publishing_prepare(struct preparation *p, struct fault *fault)
{
	const struct exchange_options *o = config_section(preparation_config(p), "exchange");
	const struct publish_options *entries = o->publish.items;
	char name[PROCESS_NAME_MAX], where[64];
	int bad = 0;
	for (size_t i = 0; i < o->publish.count && !bad; i++) {
		name_key(i, name, where);
		bad = client_give_key(p, name, where, entries[i].key_file, fault);
	}
	return bad;
}

/* That it fails is told once for each reason, and once that it is over. */
static void note(struct outgoing *o, const char *why)
{
	struct event *e = &o->room->exchange->event;
	char who[160];
	if (!strncmp(why ? why : "", o->failing, sizeof o->failing - 1))
		return;
	snprintf(o->failing, sizeof o->failing, "%s", why ? why : "");
	snprintf(who, sizeof who, "publish/%s", o->options->name);
	if (why)
		log_warning("exchange: %s: %s", who, why);
	event_begin(e, EVENT_SENSOR_CHANGED);
	event_set_text(e, FIELD_SERVICE, bytes_is_utf8(bytes_of_text(who)) ? who : "publish");
	event_set_text(e, FIELD_STATE, why ? "down" : "up");
	event_set_text(e, FIELD_DETAIL, why ? why : "it is sent again");
	if (bus_publish(o->room->exchange->process->bus, e))
		log_error("%s is %s, and that could not be told", who, why ? "down" : "up");
}

static void keep_place(struct outgoing *o)
{
	char text[PUBLICATION_PLACE_MAX];
	if (client_keep(&o->call, publication_place_write(&o->place, text)))
		log_error("exchange: publish/%s: how far it was sent cannot be kept; after a restart it may be sent again", o->options->name);
}

static void leave(struct outgoing *o, const char *why)
{
	const uint64_t pause_us = o->call.pause_s * 1000000, now_us = clock_mono_us();
	if (!o->room->stopped)
		note(o, why);
	if (o->due_us < now_us + pause_us)
		o->due_us = now_us + pause_us;
	publication_close(&o->publication);
	client_close(&o->call);
	o->exporting = NULL;
	o->busy = false;
}

static void on_thread(void *arg)
{
	struct outgoing *o = arg;
	struct client_call *call = &o->call;
	int bad = o->publisher->publish(call, &o->publication, &call->fault);
	uv_mutex_lock(&call->lock);
	call->bad = bad;
	call->ended = true;
	uv_async_send(call->wake);
	uv_mutex_unlock(&call->lock);
}

static void finish(struct outgoing *o)
{
	uv_thread_join(&o->thread);
	o->sending = false;
	o->place.arrived = o->publication.arrived;
	if (!o->call.bad) {
		log_info("exchange: publish/%s: %llu events were sent", o->options->name, (unsigned long long)o->objects);
		o->place = (struct publication_place){.done_us = o->place.to_us};
	}
	keep_place(o);
	leave(o, o->call.bad ? o->call.fault.text : NULL);
}

static void on_async(uv_async_t *async)
{
	struct publishing *p = async->data;
	for (size_t i = 0; i < p->count; i++) {
		struct outgoing *o = &p->entries[i];
		if (!o->sending)
			continue;
		uv_mutex_lock(&o->call.lock);
		bool ended = o->call.ended;
		uv_mutex_unlock(&o->call.lock);
		if (ended)
			finish(o);
	}
}

static void write_hex(const uint8_t *digest, char text[65])
{
	for (size_t i = 0; i < 32; i++)
		snprintf(text + 2 * i, 3, "%02x", digest[i]);
}

static void on_exported(void *arg, const struct export_result *result, const char *why)
{
	struct outgoing *o = arg;
	char digest[65];
	o->exporting = NULL;
	if (!result) {
		leave(o, why);
		return;
	}
	write_hex(result->digest, digest);
	publication_open(&o->publication, result->fd, strcmp(digest, o->place.digest) ? 0 : o->place.arrived);
	memcpy(o->place.digest, digest, sizeof digest);
	o->objects = result->objects;
	if (!result->objects) {
		o->place = (struct publication_place){.done_us = o->place.to_us};
		keep_place(o);
		leave(o, NULL);
		return;
	}
	o->sending = uv_thread_create(&o->thread, on_thread, o) == 0;
	if (!o->sending)
		leave(o, "there is no thread to send it");
}

/* The time that is next: what was begun, or what has become old enough since; false: nothing yet. */
static bool next_span(struct outgoing *o, uint64_t now_us)
{
	struct publication_place *p = &o->place;
	const uint64_t delay_us = o->options->delay_ms * 1000, every_us = o->options->every_ms * 1000;
	if (p->to_us)
		return true;
	/* At first only what is new: whoever wants the past exports it. */
	p->from_us = p->done_us ? p->done_us : now_us - delay_us - every_us;
	p->to_us = now_us - delay_us;
	if (p->to_us > p->from_us + SPAN_US_MAX)
		p->to_us = p->from_us + SPAN_US_MAX;
	return p->from_us < p->to_us;
}

static int ask(struct outgoing *o, uint64_t now_us, struct fault *fault)
{
	struct exchange *x = o->room->exchange;
	const struct publish_options *e = o->options;
	const struct grant *grant = access_granted_to(x->access, e->organisation, e->collection, now_us);
	struct export_wanted w = {.output = output_find(e->output ? e->output : o->publisher->output),
				  .collection = collection_find(&x->collections, e->collection),
				  .from_us = o->place.from_us, .to_us = o->place.to_us, .action = "publish"};
	if (!grant)
		return fault_set(fault, ERR_DENIED, "%s has no grant to read %s; see `kansoku grant`", e->organisation, e->collection);
	if (!w.output)
		return fault_set(fault, ERR_MISSING, "there is no output \"%s\"", e->output ? e->output : o->publisher->output);
	if (!access_window(grant, now_us, &w.from_us, &w.to_us)) {
		if (grant->delay_us && o->place.to_us + grant->delay_us > now_us)
			return ERR_FULL; /* it may be seen later */
		o->place = (struct publication_place){.done_us = o->place.to_us};
		keep_place(o);
		return ERR_FULL;
	}
	o->place.to_us = w.to_us;
	w.made_us = w.to_us;
	w.tlp_max = grant->tlp_max;
	snprintf(w.organisation, sizeof w.organisation, "%s", e->organisation);
	snprintf(w.policy, sizeof w.policy, "%s", grant->policy);
	keep_place(o); /* after a failure it is this time that is sent, and not a later one */
	return exporting_begin(&o->exporting, x, &w, on_exported, o, fault);
}

static void begin(struct outgoing *o)
{
	const struct exchange *x = o->room->exchange;
	const struct client_about about = {.source = o->options->name, .url = o->options->url, .agent = x->options->agent,
					   .options = &o->options->options, .key = o->key, .size_max = x->options->size_max,
					   .time_ms = x->options->time_ms, .directory = x->directory};
	const uint64_t now_us = clock_utc_us();
	struct fault fault = {0};
	if (client_open(&o->call, &about, &fault)) {
		note(o, fault.text);
		return;
	}
	o->call.wake = &o->room->async;
	o->busy = true;
	o->publication = (struct publication){.fd = -1};
	publication_place_read(client_state(&o->call), &o->place);
	int bad = next_span(o, now_us) ? ask(o, now_us, &fault) : ERR_FULL;
	if (bad)
		leave(o, fault.text[0] ? fault.text : NULL);
}

static void on_turn(uv_timer_t *timer)
{
	struct publishing *p = timer->data;
	const uint64_t now_us = clock_mono_us();
	for (size_t i = 0; i < p->count; i++) {
		struct outgoing *o = &p->entries[i];
		if (o->busy || o->due_us > now_us)
			continue;
		o->due_us = now_us + o->options->every_ms * 1000;
		begin(o);
	}
}

int publishing_open(struct publishing **out, struct exchange *x, struct fault *fault)
{
	const struct publish_options *entries = x->options->publish.items;
	struct publishing *p = calloc(1, sizeof *p);
	char name[PROCESS_NAME_MAX], where[64];
	int bad = 0;
	if (!p)
		return fault_set(fault, ERR_MEMORY, "no memory to publish");
	p->exchange = x;
	*out = p;
	for (size_t i = 0; i < x->options->publish.count && !bad; i++) {
		struct outgoing *o = &p->entries[p->count++];
		o->room = p;
		o->options = &entries[i];
		o->publisher = publisher_find(entries[i].publisher);
		name_key(i, name, where);
		bad = client_read_key(x->process, name, where, &o->key, fault);
	}
	uv_timer_init(x->process->loop, &p->timer);
	p->timer.data = p->async.data = p;
	if (!bad && uv_async_init(x->process->loop, &p->async, on_async))
		bad = fault_set(fault, ERR_SYSTEM, "publishers cannot be woken");
	p->async.data = p;
	return bad;
}

void publishing_start(struct publishing *p)
{
	if (p->count)
		uv_timer_start(&p->timer, on_turn, TURN_MS, TURN_MS);
}

void publishing_stop(struct publishing *p)
{
	p->stopped = true;
	uv_timer_stop(&p->timer);
	for (size_t i = 0; i < p->count; i++) {
		if (p->entries[i].exporting)
			exporting_forget(p->entries[i].exporting);
		if (p->entries[i].sending)
			client_stop(&p->entries[i].call);
	}
}

void publishing_close(struct publishing *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->count; i++) {
		struct outgoing *o = &p->entries[i];
		if (o->sending) {
			client_stop(&o->call);
			finish(o);
		} else if (o->busy) {
			leave(o, NULL);
		}
		client_drop_key(&o->key);
	}
	free(p);
}
