#include "share/serve/page_inner.h"
#include "base/log.h"
#include <stdlib.h>

#define NEXT_TEXT 33

/* Not a secret: it tells a position that was given from one that was made up. */
static uint64_t check_of(const struct serving *s, uint64_t position)
{
	uint8_t room[256];
	struct writer w = writer_of(room, sizeof room);
	write_u64(&w, position);
	write_u64(&w, s->caller.organisation_number);
	write_u64(&w, arrivals_since(serving_arrivals(s)));
	write_text(&w, s->collection->id);
	uint64_t check = UINT64_C(0xcbf29ce484222325);
	for (const uint8_t *at = room; at < w.at; at++)
		check = (check ^ *at) * UINT64_C(0x100000001b3);
	return check;
}

static bool hex_number(struct bytes text, uint64_t *out)
{
	*out = 0;
	for (size_t i = 0; i < text.len; i++) {
		const char *digits = "0123456789abcdef", *at = text.at[i] ? strchr(digits, text.at[i]) : NULL;
		if (!at)
			return false;
		*out = *out << 4 | (uint64_t)(at - digits);
	}
	return text.len == 16;
}

static bool read_next(const struct serving *s, struct bytes text, uint64_t *position)
{
	uint64_t check;
	return text.len == NEXT_TEXT - 1 && hex_number((struct bytes){text.at, 16}, position) &&
	       hex_number((struct bytes){text.at + 16, 16}, &check) && check == check_of(s, *position);
}

/* "a,b,c"; false: too many. */
static bool read_words(struct bytes text, struct page_words *out)
{
	while (text.len) {
		size_t end = bytes_find(text, ",");
		if (out->count == PAGE_WORDS_MAX)
			return false;
		out->words[out->count++] = (struct bytes){text.at, end};
		text = (struct bytes){text.at + end + (end < text.len), text.len - end - (end < text.len)};
	}
	return true;
}

static bool among(const struct page_words *words, struct bytes word)
{
	for (size_t i = 0; i < words->count; i++)
		if (bytes_equal(words->words[i], word))
			return true;
	return false;
}

static bool among_text(const struct page_words *words, const char *word) { return among(words, bytes_of_text(word)); }

static uint64_t key_of(const struct page *p, const char *id)
{
	uint64_t key = UINT64_C(0xcbf29ce484222325) ^ p->serving->caller.organisation_number;
	for (const char *at = p->serving->collection->id; *at; at++)
		key = (key ^ (uint8_t)*at) * UINT64_C(0x100000001b3);
	for (; *id; id++)
		key = (key ^ (uint8_t)*id) * UINT64_C(0x100000001b3);
	return key ? key : 1;
}

static bool is_new_here(struct page *p, uint64_t key)
{
	size_t room = sizeof p->seen / sizeof *p->seen, at = key % room;
	while (p->seen[at] && p->seen[at] != key)
		at = (at + 1) % room;
	if (p->seen[at])
		return false;
	p->seen[at] = key;
	return true;
}

static char *version_of(const struct made_object *o, uint64_t date_us, char text[TIME_TEXT_MAX])
{
	return o->is_version ? making_time(o->version_us, text) : time_format(date_us, text);
}

static bool is_wanted(const struct page *p, const struct made_object *o, const char *version)
{
	const char *end = strstr(o->id, "--");
	struct bytes type = {(const uint8_t *)o->id, end ? (size_t)(end - o->id) : 0};
	if (p->types.count && !among(&p->types, type))
		return false;
	if (p->ids.count && !among_text(&p->ids, o->id))
		return false;
	/* Each object has one version, which is therefore its first and its last. */
	return !p->versions.count || among_text(&p->versions, "all") || among_text(&p->versions, "first") ||
	       among_text(&p->versions, "last") || among_text(&p->versions, version);
}

static void write_item(struct page *p, const struct made_object *o, uint64_t date_us, const char *version)
{
	struct serving *s = p->serving;
	char date[TIME_TEXT_MAX];
	serving_text(s, p->count ? "," : p->shape == PAGE_VERSIONS ? "\"versions\":[" : "\"objects\":[");
	if (p->shape == PAGE_OBJECTS)
		serving_out(s, o->json);
	else if (p->shape == PAGE_VERSIONS)
		serving_text(s, "\"%s\"", version);
	else
		serving_text(s, "{\"id\":\"%s\",\"date_added\":\"%s\",\"version\":\"%s\",\"media_type\":\"application/stix+json;version=2.1\"}",
			     o->id, time_format(date_us, date), version);
}

/* One object in its turn: false when the page is full, and it is the first of the next. */
static bool take_object(struct page *p, const struct made_object *o, uint64_t position, uint64_t date_us)
{
	char version[TIME_TEXT_MAX];
	uint64_t key = key_of(p, o->id);
	struct object_hint *hint = serving_hint(p->serving, key);
	if (position < p->position || date_us <= p->after_us || !is_wanted(p, o, version_of(o, date_us, version)))
		return true;
	*hint = (struct object_hint){key, position};
	if (!is_new_here(p, key))
		return true;
	if (p->count == p->limit || buffer_len(&p->serving->out) > PAGE_BYTES_MAX) {
		p->full = true;
		p->position = position;
		return false;
	}
	write_item(p, o, date_us, version);
	p->first_us = p->count ? p->first_us : date_us;
	p->last_us = date_us;
	p->count++;
	return true;
}

static void take_objects(struct page *p, int count, uint64_t entry, uint64_t date_us)
{
	for (int i = 0; i < count; i++)
		if (!take_object(p, &p->objects[i], entry * ARRIVAL_STEP_US + (uint64_t)i, date_us + (uint64_t)i))
			return;
}

/* What no grant shows is no object: neither its time nor its marking may say that it is there. */
static bool is_granted(const struct page *p, const struct event *e, enum tlp marking)
{
	const struct serving *s = p->serving;
	return e->time_us >= s->from_us && e->time_us < s->to_us && access_sees(&s->grant, marking);
}

static bool on_event(void *arg, const struct event *e)
{
	struct page *p = arg;
	enum tlp marking = collection_marking(p->serving->collection, e);
	while (p->entry_at < p->entry_count && !id_equal(&p->entries[p->entry_at].id, &e->id))
		p->entry_at++;
	if (p->entry_at == p->entry_count)
		return false;
	if (!is_granted(p, e, marking))
		return true;
	if (p->counting) {
		view_count(p->serving->view, e);
		return true;
	}
	view_event(p->serving->view, e, &p->shown);
	int count = making_objects(p->making, &p->shown, marking, &p->event_arena, p->objects);
	take_objects(p, count, p->first_entry + p->entry_at + 1, p->entries[p->entry_at].date_us);
	arena_done(&p->event_arena);
	return !p->full;
}

static void go_on(struct page *p);

static void end_page(struct serving *s)
{
	struct page *p = s->state;
	making_close(p->making);
	arena_done(&p->event_arena);
	free(p);
}

static void finish(struct page *p)
{
	struct serving *s = p->serving;
	char text[TIME_TEXT_MAX];
	if (p->one && !p->count && !p->more) {
		/* Which of them it is was not looked for: what the grant hides takes no time of its own. */
		serving_hide(s, "no such object within the grant: neither its marking nor its time");
		return;
	}
	if (p->count)
		serving_text(s, "]");
	if (p->more)
		serving_text(s, "%s\"more\":true,\"next\":\"%016llx%016llx\"", p->count ? "," : "", (unsigned long long)p->position,
			     (unsigned long long)check_of(s, p->position));
	serving_text(s, "}\n");
	if (p->count) {
		serving_header(s, "X-TAXII-Date-Added-First", time_format(p->first_us, text));
		serving_header(s, "X-TAXII-Date-Added-Last", time_format(p->last_us, text));
	}
	s->objects = p->count;
	serving_send(s, 200, TAXII_MEDIA);
}

static void on_done(void *arg, int status, struct bytes why)
{
	struct page *p = arg;
	if (status) {
		log_error("exchange: a page cannot be read: %.*s", (int)(why.len < 300 ? why.len : 300), (const char *)why.at);
		serving_fail(p->serving, 503, "the store does not answer now; try again later");
		return;
	}
	if (p->counting) {
		p->counting = false;
		p->entry_at = 0;
		go_on(p);
		return;
	}
	if (!p->full)
		p->position = (p->first_entry + p->entry_count + 1) * ARRIVAL_STEP_US;
	p->entry_count = 0;
	go_on(p);
}

static bool ask_store(struct page *p)
{
	const struct select_hooks hooks = {.arg = p, .event = on_event, .done = on_done};
	struct fault fault = {0};
	p->entry_at = 0;
	p->selection = (struct selection){.collection = p->serving->collection, .keys = p->keys, .keys_count = p->entry_count};
	if (!select_begin(serving_exchange(p->serving)->process->bus, &p->selection, &hooks, &fault))
		return true;
	log_error("exchange: a page cannot be read: %s", fault.text);
	return false;
}

/* Twice as many objects as events is less than events become, so one question is mostly enough. */
static size_t entries_wanted(const struct page *p)
{
	uint64_t want = (p->limit - p->count) / 2 + 8;
	if (p->ids.count || p->types.count || want > PAGE_ENTRIES)
		want = PAGE_ENTRIES;
	return (size_t)want;
}

static void go_on(struct page *p)
{
	uint64_t entry = p->position / ARRIVAL_STEP_US;
	if (!p->full && !p->entry_count && entry <= arrivals_count(p->arrivals) && p->scanned < PAGE_ENTRIES_SCANNED) {
		p->first_entry = entry ? entry - 1 : 0;
		p->entry_count = arrivals_read(p->arrivals, p->first_entry, p->entries, entries_wanted(p));
		for (size_t i = 0; i < p->entry_count; i++)
			p->keys[i] = (struct selection_key){p->entries[i].id, p->entries[i].time_us};
		p->scanned += p->entry_count;
		p->counting = p->entry_count && view_counts(p->serving->view);
	}
	bool found = p->one && p->count;
	if (p->full || !p->entry_count || found) {
		p->more = !found && (p->full || p->position / ARRIVAL_STEP_US <= arrivals_count(p->arrivals));
		finish(p);
	} else if (!ask_store(p)) {
		serving_fail(p->serving, 503, "the store does not answer now; try again later");
	}
}

/* Who we are and the markings: before all events, and what they refer to. */
static void take_common(struct page *p)
{
	int count = making_common(p->making, p->serving->grant.tlp_max, &p->event_arena, p->objects);
	if (p->position < ARRIVAL_STEP_US)
		take_objects(p, count, 0, arrivals_since(p->arrivals));
	if (!p->full && p->position < ARRIVAL_STEP_US)
		p->position = ARRIVAL_STEP_US;
	arena_done(&p->event_arena);
}

static bool read_filters(struct serving *s, struct page *p)
{
	static const char *const names[] = {"match[id]", "match[type]", "match[version]", "match[spec_version]"};
	struct page_words *const words[] = {&p->ids, &p->types, &p->versions, &p->spec_versions};
	for (size_t i = 0; i < 4; i++)
		if (!read_words(serving_argument(s, names[i]), words[i])) {
			serving_fail(s, 400, "%s may have %d words", names[i], PAGE_WORDS_MAX);
			return false;
		}
	return true;
}

static bool read_place(struct serving *s, struct page *p)
{
	struct bytes next = serving_argument(s, "next"), after = serving_argument(s, "added_after");
	if (after.at && !time_parse(after, &p->after_us)) {
		serving_fail(s, 400, "added_after must be a time as RFC 3339 has it, in UTC");
		return false;
	}
	if (next.at && !read_next(s, next, &p->position)) {
		serving_fail(s, 400, "next is none that was given for this collection");
		return false;
	}
	if (!next.at && after.at && p->after_us >= arrivals_since(p->arrivals) + ARRIVAL_STEP_US)
		p->position = (arrivals_after(p->arrivals, p->after_us) + 1) * ARRIVAL_STEP_US;
	return serving_number(s, "limit", PAGE_OBJECTS_MAX, 1, PAGE_OBJECTS_MAX, &p->limit);
}

/* An object that was given to this organisation before is found without a search. */
static void use_hint(struct page *p)
{
	char id[STIX_ID_MAX];
	if (!p->one || p->position || p->after_us || !bytes_copy_text(p->ids.words[0], id, sizeof id))
		return;
	uint64_t key = key_of(p, id);
	const struct object_hint *hint = serving_hint(p->serving, key);
	if (hint->key == key)
		p->position = hint->position;
}

static bool open_page(struct serving *s, struct page *p, struct bytes object_id)
{
	if (!read_filters(s, p) || !read_place(s, p))
		return false;
	if (object_id.at) {
		p->one = true;
		p->ids = (struct page_words){.words = {object_id}, .count = 1};
		use_hint(p);
	}
	return true;
}

void page_serve(struct serving *s, enum page_shape shape, struct bytes object_id)
{
	struct page *p = calloc(1, sizeof *p);
	if (!p || making_open(&p->making, &(struct making_about){serving_producer(s)})) {
		free(p);
		serving_fail(s, 503, "there is no memory for a page now");
		return;
	}
	p->serving = s;
	p->shape = shape;
	p->arrivals = serving_arrivals(s);
	p->event_arena = ARENA(8u << 20);
	s->state = p;
	s->done = end_page;
	s->action = NULL;
	if (!open_page(s, p, object_id) || !serving_view(s))
		return;
	s->action = "read";
	s->format = shape == PAGE_OBJECTS ? "taxii" : "taxii manifest";
	s->from_us = 0;
	s->to_us = UINT64_MAX;
	bool open = access_window(&s->grant, s->now_us, &s->from_us, &s->to_us);
	bool spoken = !p->spec_versions.count || among_text(&p->spec_versions, "2.1");
	serving_text(s, "{");
	if (open && spoken) {
		take_common(p);
		go_on(p);
	} else {
		finish(p);
	}
}
