/* What devices keep beside their files: bytes under names. */
#include "passive/room/devices.h"
#include <stdlib.h>
#include <string.h>

static struct device_memory *memory_of(const struct device *v, const char *name)
{
	struct device_memory *m;
	SLIST_FOREACH(m, &v->memories, next)
		if (!strcmp(m->name, name))
			return m;
	return NULL;
}

void device_forget_all(struct device *v)
{
	while (!SLIST_EMPTY(&v->memories)) {
		struct device_memory *m = SLIST_FIRST(&v->memories);
		SLIST_REMOVE_HEAD(&v->memories, next);
		free(m->bytes);
		free(m);
	}
	v->memory_bytes = 0;
}

static struct device_memory *memory_new(struct device *v, const char *name)
{
	struct device_memory *m;
	unsigned count = 0;
	SLIST_FOREACH(m, &v->memories, next)
		count++;
	m = count < DEVICE_MEMORIES_MAX && strlen(name) <= DEVICE_MEMORY_NAME_MAX ? calloc(1, sizeof *m) : NULL;
	if (!m)
		return NULL;
	snprintf(m->name, sizeof m->name, "%s", name);
	SLIST_INSERT_HEAD(&v->memories, m, next);
	v->memory_bytes += sizeof *m;
	return m;
}

static bool memory_set(struct device *v, const char *name, struct bytes b)
{
	struct device_memory *m = memory_of(v, name);
	if (b.len > DEVICE_MEMORY_MAX || (!m && !(m = memory_new(v, name))))
		return false;
	uint8_t *room = b.len > m->room ? realloc(m->bytes, b.len) : m->bytes;
	if (b.len > m->room && !room)
		return false;
	v->memory_bytes += b.len > m->room ? b.len - m->room : 0;
	m->room = b.len > m->room ? b.len : m->room;
	m->bytes = room;
	m->len = b.len;
	if (b.len)
		memcpy(room, b.at, b.len);
	return true;
}

void device_memories_pack(const struct device *v, struct writer *w)
{
	const struct device_memory *m;
	uint8_t *count = w->at;
	write_u8(w, 0);
	SLIST_FOREACH(m, &v->memories, next) {
		write_u8(w, (uint8_t)strlen(m->name));
		write_text(w, m->name);
		write_u32(w, (uint32_t)m->len);
		write_bytes(w, m->bytes, m->len);
		if (!w->bad)
			++*count;
	}
}

/* What is damaged of them is left out; the reader then stands at the files, or is bad. */
void device_memories_unpack(struct device *v, struct reader *r)
{
	for (uint8_t left = read_u8(r); left; left--) {
		char name[DEVICE_MEMORY_NAME_MAX + 1];
		struct bytes text = read_bytes(r, read_u8(r)), b = read_bytes(r, read_u32(r));
		if (!reader_ok(r))
			return;
		if (bytes_copy_text(text, name, sizeof name))
			memory_set(v, name, b);
	}
}

struct bytes device_recall(const struct device *v, const char *name)
{
	const struct device_memory *m = memory_of(v, name);
	return m ? (struct bytes){m->bytes, m->len} : (struct bytes){0};
}

bool devices_remember(struct devices *d, struct device *v, const char *name, struct bytes b)
{
	const struct device_memory *m = memory_of(v, name);
	struct bytes was = device_recall(v, name);
	size_t more = !m ? sizeof *m + b.len : b.len > m->room ? b.len - m->room : 0;
	if (m && bytes_equal(was, b))
		return true;
	if (v->memory_bytes + more > d->options.device_bytes ||
	    (more && d->awake_bytes + more > d->options.memory_bytes) || !memory_set(v, name, b))
		return false;
	v->files.edits++;
	devices_count_memory(d, v);
	return true;
}
