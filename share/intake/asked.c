#include "share/intake/asked_inner.h"
#include <ctype.h>
#include <xxhash.h>

/* The next {FIELD}: its number, and where it begins and ends; false: there is none. */
static bool next_field(const char *from, const char **begin, const char **end, int *field)
{
	*begin = strchr(from, '{');
	*end = *begin ? strchr(*begin, '}') : NULL;
	if (!*end)
		return false;
	*field = field_find((struct bytes){(const uint8_t *)*begin + 1, (size_t)(*end - *begin) - 1});
	++*end;
	return true;
}

int asked_check(const char *pattern, struct fault *fault)
{
	const char *host = strstr(pattern, "://"), *at = pattern, *begin, *end;
	const char *path = host ? host + 3 + strcspn(host + 3, "/?#") : pattern;
	int field;
	if (!strchr(pattern, '{'))
		return fault_set(fault, ERR_BAD, "asks the same about every event; \"https://example.org/{src}\" would be right");
	for (; next_field(at, &begin, &end, &field); at = end) {
		if (field < 0)
			return fault_set(fault, ERR_BAD, "there is no field %.*s; `kansoku describe fields` lists them",
					 (int)(end - begin), begin);
		if (field_definition((uint16_t)field)->marks & FIELD_PRIVATE)
			return fault_set(fault, ERR_BAD, "%.*s is private and never leaves", (int)(end - begin), begin);
		if (begin < path)
			return fault_set(fault, ERR_BAD, "%.*s would let an attacker choose the host; after it would be right",
					 (int)(end - begin), begin);
	}
	return strchr(at, '{') ? fault_set(fault, ERR_BAD, "a { is not closed") : 0;
}

/* RFC 3986 2.3: all but the unreserved, so that no value can leave its place in the URL. */
static void write_encoded(struct writer *w, struct bytes b)
{
	for (size_t i = 0; i < b.len; i++) {
		const bool plain = (b.at[i] < 0x80 && isalnum(b.at[i])) || (b.at[i] && strchr("-._~", b.at[i]));
		write_fmt(w, plain ? "%c" : "%%%02X", b.at[i]);
	}
}

static void write_value(struct writer *w, const struct event_value *v)
{
	char text[ADDRESS_TEXT_MAX > EVENT_ID_TEXT ? ADDRESS_TEXT_MAX : EVENT_ID_TEXT], time[TIME_TEXT_MAX];
	struct address a;
	struct event_id id;
	if (v->type == FIELD_NUMBER)
		write_fmt(w, "%llu", (unsigned long long)v->number);
	else if (v->type == FIELD_BOOL)
		write_text(w, v->number ? "true" : "false");
	else if (v->type == FIELD_TIME)
		write_encoded(w, bytes_of_text(time_format(v->number, time)));
	else if (v->type == FIELD_ADDRESS)
		write_encoded(w, bytes_of_text(address_format(memcpy(&a, v->bytes.at, sizeof a.b), text)));
	else if (v->type == FIELD_ID)
		write_encoded(w, bytes_of_text(id_format(memcpy(&id, v->bytes.at, sizeof id.b), text)));
	else
		write_encoded(w, v->bytes);
}

int asked_fill(const char *pattern, const struct event *e, char url[ASKED_URL_MAX])
{
	struct writer w = writer_of(url, ASKED_URL_MAX);
	const char *begin, *end;
	int field;
	for (; next_field(pattern, &begin, &end, &field); pattern = end) {
		const struct event_value *v = field < 0 ? NULL : event_get(e, (uint16_t)field);
		if (!v)
			return ERR_MISSING;
		write_bytes(&w, pattern, (size_t)(begin - pattern));
		write_value(&w, v);
	}
	write_text(&w, pattern);
	write_u8(&w, 0);
	return w.bad ? ERR_FULL : 0;
}

/*
 * To look something up is to tell its service.  PAP:RED allows nothing that others notice, and TLP:RED is for its
 * recipients alone; PAP:AMBER is made for just such look-ups.
 */
static bool may_be_told(const struct event *e)
{
	const int tlp = field_find(BYTES("record.tlp"));
	return !bytes_equal_nocase(event_bytes(e, FIELD_PAP), "red") && (tlp < 0 || !bytes_equal_nocase(event_bytes(e, (uint16_t)tlp), "red"));
}

static bool waits(const struct asked *a, const char *url)
{
	for (size_t i = 0; i < a->count; i++)
		if (!strcmp(a->waiting[i].url, url))
			return true;
	return false;
}

static uint64_t digest_of(size_t source, const char *url) { return XXH3_64bits_withSeed(url, strlen(url), source); }

static bool was_asked(const struct asked *a, uint64_t digest, uint64_t again_us, uint64_t now_us)
{
	const size_t n = a->before_count < ASKED_REMEMBERED ? a->before_count : ASKED_REMEMBERED;
	for (size_t i = 0; i < n; i++)
		if (a->before[i].digest == digest && now_us - a->before[i].asked_us < again_us)
			return true;
	return false;
}

void asked_forget(struct asked *a, const struct question_asked *q)
{
	const uint64_t digest = digest_of(q->source, q->url);
	for (size_t i = 0; i < ASKED_REMEMBERED; i++)
		if (a->before[i].digest == digest)
			a->before[i].digest = 0;
}

int asked_add(struct asked *a, const struct exchange_options *o, const struct event *e, const struct record_chain *chain, uint64_t now_us)
{
	const struct source_options *sources = o->sources.items;
	const size_t before = a->count;
	bool any = false;
	if (!may_be_told(e))
		return ERR_DENIED;
	for (size_t i = 0; i < o->sources.count; i++) {
		char url[ASKED_URL_MAX];
		if (!sources[i].asked || asked_fill(sources[i].url, e, url))
			continue;
		any = true;
		if (waits(a, url) || was_asked(a, digest_of(i, url), sources[i].again_ms * 1000, now_us))
			continue;
		if (a->count == ASKED_MAX) {
			a->count = before; /* all or none: it is offered again */
			return ERR_FULL;
		}
		struct question_asked *q = &a->waiting[a->count++];
		q->source = i;
		q->chain = *chain;
		q->tries = 0;
		memcpy(q->url, url, sizeof url);
	}
	for (size_t i = before; i < a->count; i++) {
		const size_t at = a->before_count++ % ASKED_REMEMBERED;
		a->before[at].digest = digest_of(a->waiting[i].source, a->waiting[i].url);
		a->before[at].asked_us = now_us;
	}
	return any ? 0 : ERR_MISSING;
}

void asked_remove(struct asked *a, size_t at)
{
	a->count--;
	memmove(&a->waiting[at], &a->waiting[at + 1], (a->count - at) * sizeof *a->waiting);
}
