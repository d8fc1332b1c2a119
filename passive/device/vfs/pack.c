/*
 * An overlay as bytes and back.
 *
 *   node:  flags u8 | name len u8, name | unless gone: kind u8 | mode u16 | device u16 |
 *          mtime u32 | content | own len u32, own bytes | children u16, nodes
 *   content: u8: nothing; the base's; program u8, offset u32, length u32; text len u16, text
 */
#include "base/error.h"
#include "passive/device/vfs/vfs_inner.h"

enum { PACKED_GONE = 1, PACKED_TAKEN = 2, PACKED_COVERS = 4 };
enum { CONTENT_NOTHING, CONTENT_OF_BASE, CONTENT_OF_PROGRAM, CONTENT_TEXT };

static void pack_content(const struct vfs_change *c, const struct vfs_programs *programs, struct writer *w)
{
	struct bytes shared = c->shared;
	if (c->base && shared.at == c->base->content.at && shared.len == c->base->content.len) {
		write_u8(w, CONTENT_OF_BASE);
		return;
	}
	for (uint8_t i = 0; shared.len && i < 2; i++) {
		struct bytes p = programs->items[i];
		if (shared.at < p.at || shared.at + shared.len > p.at + p.len)
			continue;
		write_u8(w, CONTENT_OF_PROGRAM);
		write_u8(w, i);
		write_u32(w, (uint32_t)(shared.at - p.at));
		write_u32(w, (uint32_t)shared.len);
		return;
	}
	if (shared.len == 0 || shared.len > UINT16_MAX) {
		write_u8(w, CONTENT_NOTHING);
		return;
	}
	write_u8(w, CONTENT_TEXT);
	write_u16(w, (uint16_t)shared.len);
	write_span(w, shared);
}

static void pack_own(const struct vfs_change *c, struct writer *w)
{
	size_t left = c->first ? c->size - c->shared.len : 0;
	write_u32(w, (uint32_t)left);
	for (const struct vfs_chunk *k = c->first; k && left; k = k->next) {
		size_t n = left < CHUNK_ROOM ? left : CHUNK_ROOM;
		write_bytes(w, k->room, n);
		left -= n;
	}
}

/* Still as the base has it: it was only on the way to something that is gone again. */
static bool is_as_base(const struct vfs_change *c)
{
	const struct vfs_entry *b = c->base;
	return b && !c->first && c->kind == b->kind && c->mode == b->mode && c->device == b->device &&
	       c->mtime_s == b->mtime_s && (c->kind == VFS_DIRECTORY || c->shared.at == b->content.at);
}

/* Writes the node and what is below, or nothing; true when it did write. */
static bool pack_node(const struct vfs_change *c, const struct vfs_programs *programs, struct writer *w)
{
	uint8_t *start = w->at;
	bool gone = c->flags & CHANGE_GONE;
	write_u8(w, (uint8_t)((gone ? PACKED_GONE : 0) | (c->flags & CHANGE_TAKEN ? PACKED_TAKEN : 0) |
			      (c->base ? PACKED_COVERS : 0)));
	write_u8(w, c->name_len);
	write_bytes(w, c->name, c->name_len);
	if (gone)
		return true;
	write_u8(w, c->kind);
	write_u16(w, c->mode);
	write_u16(w, c->device);
	write_u32(w, c->mtime_s);
	pack_content(c, programs, w);
	pack_own(c, w);
	uint8_t *count_at = w->at;
	uint16_t count = 0;
	write_u16(w, 0);
	for (const struct vfs_change *child = c->children; child; child = child->next)
		count = (uint16_t)(count + pack_node(child, programs, w));
	if (w->bad)
		return true;
	if (count == 0 && is_as_base(c)) {
		w->at = start;
		return false;
	}
	struct writer back = writer_of(count_at, 2);
	write_u16(&back, count);
	return true;
}

void vfs_pack(const struct vfs_overlay *o, const struct vfs_programs *programs, struct writer *w)
{
	if (o->root)
		pack_node(o->root, programs, w);
}

static bool unpack_content(struct vfs *v, struct vfs_change *c, const struct vfs_programs *programs,
			   struct reader *r)
{
	uint8_t how = read_u8(r);
	if (how == CONTENT_OF_BASE) {
		c->shared = c->base && c->kind != VFS_DIRECTORY ? c->base->content : (struct bytes){0};
	} else if (how == CONTENT_OF_PROGRAM) {
		uint8_t which = read_u8(r);
		uint32_t offset = read_u32(r), len = read_u32(r);
		struct bytes p = which < 2 ? programs->items[which] : (struct bytes){0};
		c->shared = offset <= p.len && len <= p.len - offset ? (struct bytes){p.at + offset, len}
								      : (struct bytes){0};
	} else if (how == CONTENT_TEXT) {
		struct bytes text = read_bytes(r, read_u16(r));
		c->shared = reader_ok(r) ? arena_copy(v->overlay->arena, text) : (struct bytes){0};
		if (!c->shared.at)
			return false;
	} else {
		c->shared = (struct bytes){0};
	}
	c->size = (uint32_t)c->shared.len;
	return how <= CONTENT_TEXT && reader_ok(r);
}

static struct vfs_change *unpack_head(struct vfs *v, struct vfs_change *above, struct reader *r)
{
	uint8_t flags = read_u8(r);
	struct bytes name = read_bytes(r, read_u8(r));
	bool named = above ? name.len > 0 && name.len <= VFS_NAME_MAX && !memchr(name.at, '/', name.len) : name.len == 0;
	if (!reader_ok(r) || !named)
		return NULL;
	const struct vfs_entry *base = NULL;
	if (flags & PACKED_COVERS)
		base = !above ? v->base : above->base ? vfs_entry_child(above->base, name) : NULL;
	struct vfs_change *c = change_add(v, above, name);
	if (!c)
		return NULL;
	if (base)
		change_cover(c, base);
	c->flags = (uint8_t)((flags & PACKED_GONE ? CHANGE_GONE : 0) | (flags & PACKED_TAKEN ? CHANGE_TAKEN : 0));
	return c;
}

/* False: damaged from here on, or more than fits. */
static bool unpack_node(struct vfs *v, struct vfs_change *above, unsigned depth,
			const struct vfs_programs *programs, struct reader *r)
{
	struct vfs_change *c = unpack_head(v, above, r);
	if (!c)
		return false;
	if (!above)
		v->overlay->root = c;
	if (c->flags & CHANGE_GONE)
		return above != NULL;
	uint8_t kind = read_u8(r), taken = c->flags & CHANGE_TAKEN;
	if (kind > VFS_BLOCK || (!above && kind != VFS_DIRECTORY))
		return false;
	c->kind = kind;
	c->mode = read_u16(r) & 07777;
	c->device = read_u16(r);
	uint32_t mtime_s = read_u32(r);
	if (!unpack_content(v, c, programs, r))
		return false;
	struct bytes own = read_bytes(r, read_u32(r));
	if (!reader_ok(r) || (own.len && (kind != VFS_FILE || vfs_append(v, c, own))))
		return false;
	c->flags |= taken;
	c->mtime_s = mtime_s;
	uint16_t count = read_u16(r);
	if (count && (kind != VFS_DIRECTORY || depth == VFS_DEPTH_MAX))
		return false;
	for (uint16_t i = 0; i < count; i++)
		if (!unpack_node(v, c, depth + 1, programs, r))
			return false;
	return reader_ok(r);
}

int vfs_unpack(struct vfs_overlay *o, const struct vfs_entry *base, const struct vfs_programs *programs,
	       struct bytes packed)
{
	struct vfs v;
	struct reader r = reader_of_bytes(packed);
	if (packed.len == 0)
		return 0;
	vfs_start_on(&v, base, o, o->arena);
	bool whole = unpack_node(&v, NULL, 0, programs, &r);
	if (o->root && (o->root->flags & CHANGE_GONE || o->root->kind != VFS_DIRECTORY))
		o->root = NULL;
	return whole && reader_left(&r) == 0 ? 0 : ERR_BAD;
}
