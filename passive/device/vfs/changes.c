/* Changing the tree: the calls that open, make, move and remove. */
#include "passive/device/vfs/vfs_inner.h"

void vfs_stat(struct vfs_node n, struct vfs_status *out)
{
	const struct vfs_change *c = n.change;
	const struct vfs_entry *b = n.base;
	*out = (struct vfs_status){
	        .kind = c ? c->kind : b->kind,
	        .mode = c ? c->mode : b->mode,
	        .device = c ? c->device : b->device,
	        .size = c ? c->size : b->size,
	        .mtime_s = c ? c->mtime_s : b->mtime_s,
	        .flags = (uint8_t)((b ? b->flags & (VFS_OWN_FS | (c ? 0 : VFS_MADE)) : 0) |
	                           vfs_mount_flags(n)),
	        .children = b ? b->child_count : 0,
	};
	if (c && b && (b->flags & VFS_MADE) && c->shared.at == b->content.at)
		out->flags |= VFS_MADE;
}

static int write_refusal(struct vfs_node directory)
{
	uint8_t flags = vfs_mount_flags(directory);
	return flags & VFS_SEALED ? -EACCES : flags & VFS_READ_ONLY ? -EROFS : 0;
}

/* Follows the path to the place where a new name goes; -EEXIST when it is there already. */
static int walk_new(struct vfs *v, struct bytes path, bool follow, struct vfs_walk *w)
{
	int error = walk_path(v, path, follow, w);
	if (error)
		return error;
	if (w->found)
		return -EEXIST;
	return write_refusal(w->stack[w->depth]);
}

static struct vfs_change *change_make(struct vfs *v, struct vfs_walk *w, enum vfs_kind kind,
                                      uint16_t mode)
{
	struct vfs_change *above = walk_change(v, w, w->depth);
	struct vfs_change *c = above ? change_add(v, above, w->last) : NULL;
	if (!c)
		return NULL;
	c->kind = kind;
	c->mode = mode;
	return c;
}

int vfs_open(struct vfs *v, struct bytes path, unsigned how, uint16_t mode, struct vfs_change **out)
{
	struct vfs_walk w;
	int error = walk_new(v, path, true, &w);
	*out = NULL;
	if (error == 0) {
		if (how & VFS_EXISTING)
			return -ENOENT;
		*out = change_make(v, &w, VFS_FILE, mode);
		return *out ? 0 : -ENOSPC;
	}
	if (error != -EEXIST)
		return error;
	if (how & VFS_EXCLUSIVE)
		return -EEXIST;
	struct vfs_node n = w.stack[w.depth];
	enum vfs_kind kind = n.change ? n.change->kind : n.base->kind;
	if (kind == VFS_DIRECTORY)
		return -EISDIR;
	if (kind != VFS_FILE)
		return 0;
	error = write_refusal(n);
	if (error)
		return error;
	struct vfs_change *c = walk_change(v, &w, w.depth);
	if (!c)
		return -ENOSPC;
	if (how & VFS_TRUNCATE) {
		change_clear(v, c);
		c->mtime_s = v->now_s;
	}
	*out = c;
	return 0;
}

int vfs_make_directory(struct vfs *v, struct bytes path, uint16_t mode)
{
	struct vfs_walk w;
	int error = walk_new(v, path, true, &w);
	if (error)
		return error == -EACCES ? -EPERM
		                        : error; /* proc has no mkdir: EPERM, vfs_mkdir() */
	return change_make(v, &w, VFS_DIRECTORY, mode) ? 0 : -ENOSPC;
}

int vfs_make_link(struct vfs *v, struct bytes target, struct bytes path)
{
	struct vfs_walk w;
	int error = target.len ? walk_new(v, path, false, &w) : -ENOENT;
	if (error)
		return error == -EACCES ? -EPERM : error;
	struct bytes kept = arena_copy(v->overlay->arena, target);
	struct vfs_change *c = kept.at ? change_make(v, &w, VFS_LINK, 0777) : NULL;
	if (!c)
		return -ENOSPC;
	c->shared = kept;
	c->size = (uint32_t)kept.len;
	return 0;
}

int vfs_make_device(struct vfs *v, struct bytes path, enum vfs_kind kind, uint16_t mode,
                    uint16_t device)
{
	struct vfs_walk w;
	int error = walk_new(v, path, true, &w);
	if (error)
		return error == -EACCES ? -EPERM : error;
	struct vfs_change *c = change_make(v, &w, kind, mode);
	if (!c)
		return -ENOSPC;
	c->device = device;
	return 0;
}

static bool directory_is_empty(struct vfs *v, struct vfs_node n)
{
	(void)v;
	for (struct vfs_change *c = n.change ? n.change->children : NULL; c; c = c->next)
		if (!(c->flags & CHANGE_GONE))
			return false;
	for (size_t i = 0; n.base && i < n.base->child_count; i++) {
		struct vfs_node child = vfs_child_of(n, bytes_of_text(n.base->children[i].name));
		if (child.base || child.change)
			return false;
	}
	return true;
}

/* Drops a directory's overlay children; all of them are hidden ones. */
static void children_drop(struct vfs *v, struct vfs_change *dir)
{
	while (dir->children) {
		struct vfs_change *c = dir->children;
		dir->children = c->next;
		c->next = v->overlay->removed;
		v->overlay->removed = c;
	}
}

static bool base_has(struct vfs_node dir, struct bytes name)
{
	struct vfs_node in_base = {.base = dir.base};
	return dir.base && vfs_child_of(in_base, name).base;
}

/* Takes stack[depth] out of its directory; a base node of that name is hidden. */
static int walk_detach(struct vfs *v, struct vfs_walk *w)
{
	struct vfs_change *above = walk_change(v, w, w->depth - 1);
	if (!above)
		return -ENOSPC;
	v->overlay->edits++;
	struct bytes name = vfs_name(w->stack[w->depth]);
	struct vfs_change *c = w->stack[w->depth].change;
	struct vfs_change **at = &above->children;
	while (*at && *at != c)
		at = &(*at)->next;
	if (*at)
		*at = c->next;
	if (base_has(w->stack[w->depth - 1], name)) {
		struct vfs_change *hidden = change_add(v, above, name);
		if (!hidden) {
			if (c) {
				c->next = above->children;
				above->children = c;
			}
			return -ENOSPC;
		}
		hidden->flags = CHANGE_GONE;
	}
	return 0;
}

static int walk_remove(struct vfs *v, struct vfs_walk *w)
{
	if (w->depth == 0)
		return -EBUSY;
	int error = write_refusal(w->stack[w->depth - 1]);
	if (error)
		return error == -EACCES ? -EPERM : error;
	struct vfs_node n = w->stack[w->depth];
	if (n.base && (n.base->flags & VFS_OWN_FS))
		return -EBUSY;
	error = walk_detach(v, w);
	if (error || !n.change)
		return error;
	children_drop(v, n.change);
	n.change->next = v->overlay->removed;
	v->overlay->removed = n.change;
	return 0;
}

int vfs_remove(struct vfs *v, struct bytes path)
{
	struct vfs_walk w;
	int error = walk_path(v, path, false, &w);
	if (error || !w.found)
		return error ? error : -ENOENT;
	return vfs_is_directory(w.stack[w.depth]) ? -EISDIR : walk_remove(v, &w);
}

int vfs_remove_directory(struct vfs *v, struct bytes path)
{
	struct vfs_walk w;
	int error = walk_path(v, path, false, &w);
	if (error || !w.found)
		return error ? error : -ENOENT;
	if (!vfs_is_directory(w.stack[w.depth]))
		return -ENOTDIR;
	return directory_is_empty(v, w.stack[w.depth]) ? walk_remove(v, &w) : -ENOTEMPTY;
}

/* Overlay children and bytes move along; a base directory's do not, so it stays (EXDEV). */
int vfs_rename(struct vfs *v, struct bytes from, struct bytes to)
{
	struct vfs_walk source, target;
	int error = walk_path(v, from, false, &source);
	if (error || !source.found)
		return error ? error : -ENOENT;
	struct vfs_node n = source.stack[source.depth];
	if (source.depth == 0 || (vfs_is_directory(n) && n.base && n.base->child_count))
		return -EBUSY;
	error = write_refusal(source.stack[source.depth - 1]);
	if (error)
		return error;
	struct vfs_change *moved = walk_change(v, &source, source.depth);
	if (!moved)
		return -ENOSPC;
	error = walk_path(v, to, false, &target);
	if (error)
		return error;
	for (size_t i = 0; i <= target.depth; i++) /* into itself, or onto itself */
		if (target.stack[i].change == moved)
			return target.found && i == target.depth ? 0 : -EINVAL;
	if (target.found) {
		if (vfs_is_directory(target.stack[target.depth]))
			return -EISDIR;
		target.last = vfs_name(target.stack[target.depth]);
		error = walk_remove(v, &target);
		target.depth--;
	} else {
		error = write_refusal(target.stack[target.depth]);
	}
	struct vfs_change *fresh = error ? NULL : change_make(v, &target, moved->kind, moved->mode);
	if (error || !fresh)
		return error ? error : -ENOSPC;
	fresh->device = moved->device;
	fresh->shared = moved->shared;
	fresh->first = moved->first;
	fresh->last = moved->last;
	fresh->size = moved->size;
	fresh->mtime_s = moved->mtime_s;
	fresh->flags = moved->flags & CHANGE_TAKEN;
	fresh->children = moved->children;
	moved->first = moved->last = NULL;
	moved->children = NULL;
	moved->shared = (struct bytes){0};
	moved->size = 0;
	error = walk_path(v, from, false, &source);
	return error ? error : walk_remove(v, &source);
}

int vfs_set_mode(struct vfs *v, struct bytes path, uint16_t mode)
{
	struct vfs_walk w;
	int error = walk_path(v, path, true, &w);
	if (error || !w.found)
		return error ? error : -ENOENT;
	error = write_refusal(w.stack[w.depth]);
	if (error)
		return error == -EACCES ? -EPERM : error;
	struct vfs_change *c = walk_change(v, &w, w.depth);
	if (!c)
		return -ENOSPC;
	c->mode = mode & 07777;
	v->overlay->edits++;
	return 0;
}

int vfs_touch(struct vfs *v, struct bytes path)
{
	struct vfs_walk w;
	int error = walk_path(v, path, true, &w);
	if (error)
		return error;
	if (!w.found) {
		struct vfs_change *c;
		return vfs_open(v, path, 0, 0644, &c);
	}
	error = write_refusal(w.stack[w.depth]);
	struct vfs_change *c = error ? NULL : walk_change(v, &w, w.depth);
	if (!c)
		return error ? error : -ENOSPC;
	c->mtime_s = v->now_s;
	v->overlay->edits++;
	return 0;
}
