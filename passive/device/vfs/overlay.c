/* What one session changed: nodes and chunks on its arena, and their recycling. */
#include "passive/device/vfs/vfs_inner.h"

void vfs_overlay_start(struct vfs_overlay *o, struct arena *arena)
{
	*o = (struct vfs_overlay){.arena = arena, .file_max = VFS_FILE_MAX, .written_max = VFS_WRITTEN_MAX};
}

void vfs_start(struct vfs *v, const struct vfs_entry *base, struct arena *arena)
{
	*v = (struct vfs){.base = base, .arena = arena, .overlay = &v->own};
	vfs_overlay_start(&v->own, arena);
}

void vfs_start_on(struct vfs *v, const struct vfs_entry *base, struct vfs_overlay *overlay, struct arena *arena)
{
	*v = (struct vfs){.base = base, .arena = arena, .overlay = overlay};
}

struct vfs_change *vfs_next_removed(const struct vfs_change *c)
{
	return c->next;
}
struct vfs_node vfs_node_of(struct vfs_change *c)
{
	return (struct vfs_node){c->base, c};
}

struct bytes vfs_name(struct vfs_node n)
{
	if (n.change)
		return (struct bytes){(const uint8_t *)n.change->name, n.change->name_len};
	return bytes_of_text(n.base->name);
}

/* A node from the unused list that has room for the name, or a fresh one. */
static struct vfs_change *change_new(struct vfs *v, size_t name_len)
{
	for (struct vfs_change **at = &v->overlay->unused; *at; at = &(*at)->next)
		if ((*at)->name_room >= name_len) {
			struct vfs_change *c = *at;
			*at = c->next;
			*c = (struct vfs_change){.name = c->name, .name_room = c->name_room};
			return c;
		}
	if (v->overlay->change_count == VFS_CHANGES_MAX)
		return NULL;
	struct vfs_change *c = arena_alloc(v->overlay->arena, sizeof *c + name_len);
	if (!c)
		return NULL;
	v->overlay->change_count++;
	c->name = (char *)(c + 1);
	c->name_room = name_len;
	return c;
}

struct vfs_change *change_add(struct vfs *v, struct vfs_change *parent, struct bytes name)
{
	/* A hidden node of that name is taken again, so that the base's stays hidden. */
	struct vfs_change *c = parent ? parent->children : NULL;
	while (c && !(c->name_len == name.len && !memcmp(c->name, name.at, name.len)))
		c = c->next;
	if (c) {
		c->flags = 0;
		c->base = NULL;
	} else {
		c = change_new(v, name.len);
		if (!c)
			return NULL;
		memcpy(c->name, name.at, name.len);
		c->name_len = (uint8_t)name.len;
		if (parent) {
			c->next = parent->children;
			parent->children = c;
		}
	}
	v->overlay->edits++;
	c->mtime_s = v->now_s;
	c->mount = parent ? parent->mount : 0;
	return c;
}

void change_cover(struct vfs_change *c, const struct vfs_entry *e)
{
	c->base = e;
	c->kind = e->kind;
	c->mode = e->mode;
	c->device = e->device;
	c->mtime_s = e->mtime_s;
	c->size = e->size;
	c->mount = e->flags & (VFS_READ_ONLY | VFS_SEALED);
	if (e->kind != VFS_DIRECTORY)
		c->shared = e->content;
}

struct vfs_change *walk_change(struct vfs *v, struct vfs_walk *w, size_t depth)
{
	struct vfs_node *n = &w->stack[depth];
	if (n->change)
		return n->change;
	struct vfs_change *above = depth ? walk_change(v, w, depth - 1) : NULL;
	if (depth && !above)
		return NULL;
	const struct vfs_entry *base = n->base;
	struct vfs_change *c = change_add(v, above, depth ? vfs_name(*n) : BYTES(""));
	if (!c)
		return NULL;
	change_cover(c, base);
	if (depth == 0)
		v->overlay->root = c;
	n->change = c;
	return c;
}

void change_clear(struct vfs *v, struct vfs_change *c)
{
	v->overlay->edits++;
	if (c->first) {
		v->overlay->written -= c->size - c->shared.len;
		c->last->next = v->overlay->spare;
		v->overlay->spare = c->first;
	}
	c->first = c->last = NULL;
	c->shared = (struct bytes){0};
	c->size = 0;
}

static void change_recycle(struct vfs *v, struct vfs_change *c)
{
	change_clear(v, c);
	c->next = v->overlay->unused;
	v->overlay->unused = c;
}

void vfs_settle(struct vfs *v)
{
	while (v->overlay->removed) {
		struct vfs_change *c = v->overlay->removed;
		v->overlay->removed = c->next;
		change_recycle(v, c);
	}
}

static struct vfs_chunk *chunk_new(struct vfs *v)
{
	struct vfs_chunk *c = v->overlay->spare;
	if (c)
		v->overlay->spare = c->next;
	else
		c = arena_alloc(v->overlay->arena, sizeof *c);
	if (c)
		c->next = NULL;
	return c;
}

int vfs_append(struct vfs *v, struct vfs_change *c, struct bytes more)
{
	c->flags &= (uint8_t)~CHANGE_TAKEN;
	c->mtime_s = v->now_s;
	v->overlay->edits++;
	while (more.len) {
		size_t own = c->size - c->shared.len, at = own % CHUNK_ROOM;
		if (own >= v->overlay->file_max || v->overlay->written >= v->overlay->written_max)
			return -ENOSPC;
		if (at == 0) {
			struct vfs_chunk *chunk = chunk_new(v);
			if (!chunk)
				return -ENOSPC;
			if (c->last)
				c->last->next = chunk;
			else
				c->first = chunk;
			c->last = chunk;
		}
		size_t n = more.len < CHUNK_ROOM - at ? more.len : CHUNK_ROOM - at;
		memcpy(c->last->room + at, more.at, n);
		c->size += (uint32_t)n;
		v->overlay->written += n;
		more.at += n;
		more.len -= n;
	}
	return 0;
}

void vfs_share(struct vfs *v, struct vfs_change *c, struct bytes of_base)
{
	change_clear(v, c);
	c->shared = of_base;
	c->size = (uint32_t)of_base.len;
	c->flags &= (uint8_t)~CHANGE_TAKEN;
	c->mtime_s = v->now_s;
}

/* Turns shared bytes into own ones, so that they can be written over. */
static int change_own(struct vfs *v, struct vfs_change *c)
{
	struct bytes shared = c->shared;
	if (shared.len == 0)
		return 0;
	if (c->first || shared.len > v->overlay->file_max)
		return -ENOSPC;
	c->shared = (struct bytes){0};
	c->size = 0;
	return vfs_append(v, c, shared);
}

static int append_zero(struct vfs *v, struct vfs_change *c, uint32_t n)
{
	static const uint8_t zero[CHUNK_ROOM];
	int error = 0;
	while (n && !error) {
		size_t part = n < sizeof zero ? n : sizeof zero;
		error = vfs_append(v, c, (struct bytes){zero, part});
		n -= (uint32_t)part;
	}
	return error;
}

int vfs_write_at(struct vfs *v, struct vfs_change *c, uint32_t offset, struct bytes from)
{
	if (offset > v->overlay->file_max)
		return -EFBIG;
	int error = change_own(v, c);
	if (!error && offset > c->size)
		error = append_zero(v, c, offset - c->size);
	if (error)
		return error;
	struct vfs_chunk *chunk = c->first;
	for (uint32_t skip = offset / CHUNK_ROOM; skip && chunk; skip--)
		chunk = chunk->next;
	size_t at = offset % CHUNK_ROOM;
	while (from.len && chunk && offset < c->size) {
		size_t n = CHUNK_ROOM - at;
		if (n > from.len)
			n = from.len;
		if (n > c->size - offset)
			n = c->size - offset;
		memcpy(chunk->room + at, from.at, n);
		from.at += n;
		from.len -= n;
		offset += (uint32_t)n;
		at = (at + n) % CHUNK_ROOM;
		if (at == 0)
			chunk = chunk->next;
	}
	return vfs_append(v, c, from);
}

int vfs_content(struct vfs_node n, struct arena *into, struct bytes *out)
{
	const struct vfs_change *c = n.change;
	if (!c || !c->first) {
		*out = c ? c->shared : n.base->content;
		if (!out->at)
			*out = BYTES(""); /* an address even for nothing */
		return 0;
	}
	uint8_t *joined = arena_alloc(into, c->size);
	if (!joined)
		return -ENOMEM;
	struct writer w = writer_of(joined, c->size);
	write_span(&w, c->shared);
	for (const struct vfs_chunk *k = c->first; k; k = k->next)
		write_bytes(&w, k->room,
		            writer_left(&w) < CHUNK_ROOM ? writer_left(&w) : CHUNK_ROOM);
	*out = writer_bytes(&w);
	return 0;
}

bool vfs_is_written(const struct vfs_change *c)
{
	return c->kind == VFS_FILE && c->first;
}
bool vfs_was_taken(const struct vfs_change *c)
{
	return c->flags & CHANGE_TAKEN;
}
void vfs_set_taken(struct vfs *v, struct vfs_change *c)
{
	v->overlay->edits++;
	c->flags |= CHANGE_TAKEN;
}
