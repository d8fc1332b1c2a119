/*
 * Collections as the device remembers them.
 *
 * A session begins with what was there then; of two that go on at once, the later to write has the
 * last word.  Documents beyond the room are left out.
 */
#include "passive/services/mongodb/mongodb.h"

#define MEMORY "mongodb"
#define MEMORY_MAX (60u << 10)

static void long_write(struct writer *w, struct bytes b)
{
	write_u32(w, (uint32_t)b.len);
	write_span(w, b);
}

static struct bytes long_read(struct mongo *m, struct reader *r)
{
	struct bytes b = read_bytes(r, read_u32(r));
	return b.len ? arena_copy(session_arena(m->session), b) : b;
}

static void collection_write(const struct mongo_collection *c, struct writer *w)
{
	struct writer before = *w;
	write_u8(w, 1);
	long_write(w, c->database);
	long_write(w, c->name);
	write_u32(w, c->made);
	for (const struct mongo_document *d = c->documents; d && !w->bad; d = d->next) {
		struct writer document = *w;
		write_u8(w, 1);
		long_write(w, d->bson);
		if (w->bad || writer_left(w) < 4)
			*w = document;
	}
	write_u8(w, 0);
	if (w->bad || writer_left(w) < 2)
		*w = before;
}

static bool document_read(struct mongo *m, struct mongo_collection *c, struct reader *r)
{
	struct arena *arena = session_arena(m->session);
	struct mongo_document *d = m->inserted < MONGO_DOCUMENTS_MAX ? arena_alloc(arena, sizeof *d) : NULL;
	if (!d)
		return false;
	d->bson = long_read(m, r);
	if (!reader_ok(r) || d->bson.len < 5)
		return false;
	*c->end = d;
	c->end = &d->next;
	c->count++;
	m->inserted++;
	return true;
}

static bool collection_read(struct mongo *m, struct reader *r, struct mongo_collection ***end)
{
	struct arena *arena = session_arena(m->session);
	struct mongo_collection *c = m->collection_count < MONGO_COLLECTIONS_MAX ? arena_alloc(arena, sizeof *c) : NULL;
	if (!c)
		return false;
	c->database = long_read(m, r);
	c->name = long_read(m, r);
	c->count = c->made = read_u32(r);
	c->end = &c->documents;
	if (!reader_ok(r))
		return false;
	**end = c;
	*end = &c->next;
	m->collection_count++;
	while (read_u8(r) == 1)
		if (!document_read(m, c, r))
			return false;
	return reader_ok(r);
}

void mongo_begin(struct mongo *m)
{
	struct reader r = reader_of_bytes(session_recall(m->session, MEMORY));
	struct mongo_collection **end = &m->collections;
	if (!reader_left(&r))
		mongo_plant(m);
	while (reader_left(&r) && read_u8(&r) == 1 && collection_read(m, &r, &end))
		;
	m->changed = false;
}

void mongo_remember(struct mongo *m)
{
	uint8_t room[MEMORY_MAX];
	struct writer w = writer_of(room, sizeof room);
	if (!m->changed)
		return;
	m->changed = false;
	for (const struct mongo_collection *c = m->collections; c; c = c->next)
		collection_write(c, &w);
	write_u8(&w, 0);
	if (!w.bad)
		session_remember(m->session, MEMORY, writer_bytes(&w));
}
