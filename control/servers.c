#include "control/servers_inner.h"
#include <stdlib.h>

struct server *servers_find(const struct servers *s, const struct address *a, uint16_t port)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->items[i]->port == port && address_equal(&s->items[i]->address, a))
			return s->items[i];
	return NULL;
}

struct server *servers_by_lease(const struct servers *s, const struct event_id *id)
{
	for (size_t i = 0; i < s->count && !id_is_zero(id); i++)
		if (id_equal(&s->items[i]->lease, id))
			return s->items[i];
	return NULL;
}

struct server *servers_by_approval(const struct servers *s, const struct event_id *id)
{
	for (size_t i = 0; i < s->count && !id_is_zero(id); i++)
		if (id_equal(&s->items[i]->approval, id))
			return s->items[i];
	return NULL;
}

static void remove_at(struct servers *s, size_t i)
{
	free(s->items[i]);
	s->items[i] = s->items[--s->count];
}

static uint64_t worth_us(const struct server *s)
{
	return s->state == SERVER_LIVE ? UINT64_MAX : s->checked_us ? s->checked_us : s->found_us;
}

static struct server *server_new(struct servers *s)
{
	size_t least = 0;
	for (size_t i = 1; i < s->count; i++)
		if (worth_us(s->items[i]) < worth_us(s->items[least]))
			least = i;
	if (s->count == SERVERS_MAX)
		remove_at(s, least);
	struct server *made = calloc(1, sizeof *made);
	if (made)
		s->items[s->count++] = made;
	return made;
}

struct server *servers_take(struct servers *s, const struct address *a, uint16_t port, uint64_t now_us)
{
	struct server *it = servers_find(s, a, port);
	if (it || !(it = server_new(s)))
		return it;
	it->address = *a;
	it->port = port;
	it->found_us = now_us;
	it->next_us = UINT64_MAX;
	return it;
}

size_t servers_forget(struct servers *s, const struct address *a, uint64_t from_us, uint64_t to_us)
{
	const size_t before = s->count;
	for (size_t i = s->count; i-- > 0;) {
		const struct server *it = s->items[i];
		if (a ? address_equal(&it->address, a) : it->found_us >= from_us && it->found_us < to_us)
			remove_at(s, i);
	}
	return before - s->count;
}

void servers_done(struct servers *s)
{
	while (s->count)
		remove_at(s, s->count - 1);
}

static void write_short(struct writer *w, const char *text)
{
	write_u8(w, (uint8_t)strlen(text));
	write_text(w, text);
}

static void read_short(struct reader *r, char *text, size_t n)
{
	if (!bytes_copy_text(read_bytes(r, read_u8(r)), text, n))
		r->bad = true;
}

static void read_sixteen(struct reader *r, uint8_t out[16])
{
	struct bytes b = read_bytes(r, 16);
	if (b.len)
		memcpy(out, b.at, b.len);
}

static uint16_t read_long(struct reader *r, uint8_t *to, size_t max)
{
	struct bytes b = read_bytes(r, read_u16(r));
	if (b.len > max) {
		r->bad = true;
		return 0;
	}
	if (b.len)
		memcpy(to, b.at, b.len);
	return (uint16_t)b.len;
}

void server_write(const struct server *s, struct writer *w)
{
	write_bytes(w, s->address.b, sizeof s->address.b);
	write_u16(w, s->port);
	write_short(w, s->sample);
	write_short(w, s->family);
	write_short(w, s->fingerprint);
	write_short(w, s->rule);
	write_u16(w, s->hello_len);
	write_bytes(w, s->hello, s->hello_len);
	write_u16(w, s->banner_len);
	write_bytes(w, s->banner, s->banner_len);
	write_u8(w, (uint8_t)(s->banner_known | s->withheld << 1 | s->enlists << 2));
	write_u8(w, (uint8_t)s->state);
	write_u8(w, s->certainty);
	write_u8(w, s->steps);
	write_u32(w, s->checks);
	const uint64_t times[] = {s->proof_us, s->found_us, s->checked_us, s->live_us, s->next_us};
	for (size_t i = 0; i < sizeof times / sizeof *times; i++)
		write_u64(w, times[i]);
	const struct event_id *const ids[] = {&s->approval, &s->lease, &s->cause.id, &s->cause.root};
	for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
		write_bytes(w, ids[i]->b, sizeof ids[i]->b);
	write_u8(w, s->cause.depth);
}

static bool server_read(struct reader *r, struct server *s)
{
	read_sixteen(r, s->address.b);
	s->port = read_u16(r);
	read_short(r, s->sample, sizeof s->sample);
	read_short(r, s->family, sizeof s->family);
	read_short(r, s->fingerprint, sizeof s->fingerprint);
	read_short(r, s->rule, sizeof s->rule);
	s->hello_len = read_long(r, s->hello, sizeof s->hello);
	s->banner_len = read_long(r, s->banner, sizeof s->banner);
	const uint8_t marks = read_u8(r), state = read_u8(r);
	s->banner_known = marks & 1;
	s->withheld = marks & 2;
	s->enlists = marks & 4;
	s->state = state < SERVER_STATES ? (enum server_state)state : SERVER_UNKNOWN;
	s->certainty = read_u8(r);
	s->steps = read_u8(r);
	s->checks = read_u32(r);
	uint64_t *const times[] = {&s->proof_us, &s->found_us, &s->checked_us, &s->live_us, &s->next_us};
	for (size_t i = 0; i < sizeof times / sizeof *times; i++)
		*times[i] = read_u64(r);
	struct event_id *const ids[] = {&s->approval, &s->lease, &s->cause.id, &s->cause.root};
	for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
		read_sixteen(r, ids[i]->b);
	s->cause.depth = read_u8(r);
	return reader_ok(r);
}

void servers_read(struct servers *servers, struct reader *r)
{
	struct server kept = {.port = 0};
	if (!server_read(r, &kept))
		return;
	struct server *s = servers_take(servers, &kept.address, kept.port, 0);
	if (s)
		*s = kept;
}
