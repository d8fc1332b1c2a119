#include "store/sessions_inner.h"
#include "base/error.h"
#include <stdlib.h>

#define SERVICES_MAX 255
#define SERVICE_NAME_MAX 31

struct session_entry {
	struct open_session session;
	uint32_t next;           /* in its bucket, or in the free list */
	uint32_t before, after;  /* of the same instance */
};

struct sessions {
	struct session_entry *entries; /* [0] is nobody */
	uint32_t *buckets;
	size_t mask;
	uint32_t max, top, free, count;
	uint32_t first[SESSIONS_INSTANCES_MAX];
	uint64_t key, unkept;
	char services[SERVICES_MAX][SERVICE_NAME_MAX + 1];
	size_t service_count;
};

int sessions_open(struct sessions **out, size_t max, uint64_t key)
{
	struct sessions *s = calloc(1, sizeof *s);
	if (!s)
		return ERR_MEMORY;
	size_t buckets = 16;
	while (buckets < max)
		buckets *= 2;
	s->entries = calloc(max + 1, sizeof *s->entries);
	s->buckets = calloc(buckets, sizeof *s->buckets);
	if (!s->entries || !s->buckets) {
		sessions_close(s);
		return ERR_MEMORY;
	}
	s->mask = buckets - 1;
	s->max = (uint32_t)max;
	s->key = key;
	*out = s;
	return 0;
}

void sessions_close(struct sessions *s)
{
	if (!s)
		return;
	free(s->entries);
	free(s->buckets);
	free(s);
}

size_t sessions_count(const struct sessions *s) { return s->count; }
uint64_t sessions_unkept(const struct sessions *s) { return s->unkept; }

static uint32_t *bucket_of(const struct sessions *s, const struct event_id *id)
{
	struct address as_key;
	memcpy(as_key.b, id->b, sizeof as_key.b);
	return &s->buckets[address_hash(&as_key, s->key) & s->mask];
}

static uint32_t entry_find(const struct sessions *s, const struct event_id *id)
{
	uint32_t i = *bucket_of(s, id);
	while (i && !id_equal(&s->entries[i].session.id, id))
		i = s->entries[i].next;
	return i;
}

/* Beyond the last number all share the last name: only the text of an odd event suffers. */
static uint8_t service_number(struct sessions *s, struct bytes name)
{
	for (size_t i = 0; i < s->service_count; i++)
		if (bytes_equal_text(name, s->services[i]))
			return (uint8_t)i;
	if (s->service_count < SERVICES_MAX &&
	    bytes_copy_text(name, s->services[s->service_count], sizeof s->services[0]))
		s->service_count++;
	return (uint8_t)(s->service_count ? s->service_count - 1 : 0);
}

static struct open_session session_of(struct sessions *s, const struct event *e, unsigned instance)
{
	struct open_session o = {.id = e->id, .root = e->id, .instance = (uint16_t)instance};
	event_id_of(e, FIELD_ROOT, &o.root);
	event_address(e, FIELD_SRC, &o.src);
	event_address(e, FIELD_DST, &o.dst);
	o.depth = event_number(e, FIELD_DEPTH, 0);
	o.sport = (uint16_t)event_number(e, FIELD_SPORT, 0);
	o.dport = (uint16_t)event_number(e, FIELD_DPORT, 0);
	o.proto = bytes_equal_text(event_bytes(e, FIELD_PROTO), "udp");
	o.service = service_number(s, event_bytes(e, FIELD_SERVICE));
	return o;
}

void sessions_add(struct sessions *s, const struct event *e, unsigned instance)
{
	if (instance >= SESSIONS_INSTANCES_MAX || (!s->free && s->top == s->max)) {
		s->unkept++;
		return;
	}
	if (entry_find(s, &e->id))
		return; /* sent again after a restart */
	uint32_t i = s->free;
	if (i)
		s->free = s->entries[i].next;
	else
		i = ++s->top;
	uint32_t *bucket = bucket_of(s, &e->id), first = s->first[instance];
	s->entries[i] = (struct session_entry){session_of(s, e, instance), *bucket, 0, first};
	*bucket = i;
	if (first)
		s->entries[first].before = i;
	s->first[instance] = i;
	s->count++;
}

static void entry_remove(struct sessions *s, uint32_t i)
{
	struct session_entry *e = &s->entries[i];
	if (e->before)
		s->entries[e->before].after = e->after;
	else
		s->first[e->session.instance] = e->after;
	if (e->after)
		s->entries[e->after].before = e->before;
	uint32_t *at = bucket_of(s, &e->session.id);
	while (*at != i)
		at = &s->entries[*at].next;
	*at = e->next;
	*e = (struct session_entry){.next = s->free};
	s->free = i;
	s->count--;
}

void sessions_remove(struct sessions *s, const struct event_id *id)
{
	uint32_t i = entry_find(s, id);
	if (i)
		entry_remove(s, i);
}

bool sessions_take(struct sessions *s, unsigned instance, struct open_session *out)
{
	uint32_t i = instance < SESSIONS_INSTANCES_MAX ? s->first[instance] : 0;
	if (!i)
		return false;
	*out = s->entries[i].session;
	entry_remove(s, i);
	return true;
}

void sessions_write_closed(const struct sessions *s, const struct open_session *o,
			   const char *reason, uint64_t now_us, struct event *e)
{
	uint64_t opened_us = id_time_us(&o->id);
	event_begin(e, EVENT_SESSION_CLOSED);
	e->time_us = now_us;
	event_set_chain(e, &o->id, &o->root, o->depth);
	event_set_id(e, FIELD_SESSION, &o->id);
	event_set_address(e, FIELD_SRC, &o->src);
	event_set_number(e, FIELD_SPORT, o->sport);
	event_set_address(e, FIELD_DST, &o->dst);
	event_set_number(e, FIELD_DPORT, o->dport);
	event_set_text(e, FIELD_PROTO, o->proto ? "udp" : "tcp");
	if (s->service_count)
		event_set_text(e, FIELD_SERVICE, s->services[o->service]);
	event_set_text(e, FIELD_CLOSE_REASON, reason);
	event_set_number(e, FIELD_DURATION, now_us > opened_us ? now_us - opened_us : 0);
}
