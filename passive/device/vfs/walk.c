/* Following paths through base and overlay at once. */
#include "passive/device/vfs/vfs_inner.h"

static int name_compare(struct bytes a, const char *b)
{
	size_t n = strlen(b);
	int order = memcmp(a.at, b, a.len < n ? a.len : n);
	return order ? order : (a.len > n) - (a.len < n);
}

const struct vfs_entry *vfs_entry_child(const struct vfs_entry *dir, struct bytes name)
{
	size_t low = 0, high = dir->child_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = name_compare(name, dir->children[middle].name);
		if (order == 0)
			return &dir->children[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

struct vfs_node vfs_child_of(struct vfs_node dir, struct bytes name)
{
	for (struct vfs_change *c = dir.change ? dir.change->children : NULL; c; c = c->next)
		if (c->name_len == name.len && !memcmp(c->name, name.at, name.len)) {
			if (c->flags & CHANGE_GONE)
				return (struct vfs_node){0};
			return (struct vfs_node){c->base, c};
		}
	const struct vfs_entry *e = dir.base ? vfs_entry_child(dir.base, name) : NULL;
	return (struct vfs_node){.base = e};
}

static enum vfs_kind node_kind(struct vfs_node n)
{
	return n.change ? n.change->kind : n.base->kind;
}

bool vfs_is_directory(struct vfs_node n)
{
	return node_kind(n) == VFS_DIRECTORY;
}

uint8_t vfs_mount_flags(struct vfs_node n)
{
	return n.change ? n.change->mount : n.base->flags & (VFS_READ_ONLY | VFS_SEALED);
}

static struct bytes link_target(struct vfs_node n)
{
	return n.change ? n.change->shared : n.base->content;
}

/* Puts a link's target before what is left of the path; false when that is too long. */
static bool path_splice(struct vfs_walk *w, unsigned turn, struct bytes target, struct bytes rest)
{
	struct writer out = writer_of(w->text[turn], VFS_PATH_MAX);
	write_span(&out, target);
	write_u8(&out, '/');
	write_span(&out, rest);
	return !out.bad;
}

static void walk_root(struct vfs *v, struct vfs_walk *w)
{
	w->depth = 0;
	w->stack[0] = (struct vfs_node){v->base, v->overlay->root};
}

static struct bytes next_name(struct bytes *rest)
{
	while (rest->len && *rest->at == '/')
		rest->at++, rest->len--;
	const uint8_t *slash = rest->len ? memchr(rest->at, '/', rest->len) : NULL;
	struct bytes name = {rest->at, slash ? (size_t)(slash - rest->at) : rest->len};
	rest->at += name.len;
	rest->len -= name.len;
	return name;
}

static bool only_slashes(struct bytes b)
{
	for (size_t i = 0; i < b.len; i++)
		if (b.at[i] != '/')
			return false;
	return true;
}

/* One name further down.  Returns 1 when a link was met: `rest` then starts at its target. */
static int walk_step(struct vfs *v, struct vfs_walk *w, struct bytes name, bool follow,
                     struct bytes *rest, unsigned *links)
{
	if (!vfs_is_directory(w->stack[w->depth]))
		return -ENOTDIR;
	if (name.len == 1 && name.at[0] == '.')
		return 0;
	if (name.len == 2 && name.at[0] == '.' && name.at[1] == '.') {
		w->depth -= w->depth > 0;
		return 0;
	}
	if (name.len > VFS_NAME_MAX)
		return -ENAMETOOLONG;
	bool last = only_slashes(*rest);
	struct vfs_node child = vfs_child_of(w->stack[w->depth], name);
	if (!child.base && !child.change) {
		w->last = name;
		w->found = false;
		return last ? 0 : -ENOENT;
	}
	if (node_kind(child) == VFS_LINK && (!last || follow)) {
		if (++*links > VFS_LINKS_MAX)
			return -ELOOP;
		struct bytes target = link_target(child);
		if (!path_splice(w, *links % 2, target, *rest))
			return -ENAMETOOLONG;
		*rest = (struct bytes){(const uint8_t *)w->text[*links % 2],
		                       target.len + 1 + rest->len};
		if (target.len && target.at[0] == '/')
			walk_root(v, w);
		return 0;
	}
	if (w->depth == VFS_DEPTH_MAX)
		return -ENAMETOOLONG;
	w->stack[++w->depth] = child;
	return 0;
}

static int walk_rest(struct vfs *v, struct vfs_walk *w, struct bytes rest, bool follow)
{
	unsigned links = 0;
	w->found = true;
	for (;;) {
		struct bytes name = next_name(&rest);
		if (name.len == 0)
			return 0;
		int error = walk_step(v, w, name, follow, &rest, &links);
		if (error || !w->found)
			return error;
	}
}

int walk_path(struct vfs *v, struct bytes path, bool follow_last, struct vfs_walk *w)
{
	if (path.len == 0)
		return -ENOENT;
	if (path.len >= VFS_PATH_MAX)
		return -ENAMETOOLONG;
	walk_root(v, w);
	if (path.at[0] != '/') {
		int error = walk_rest(v, w, vfs_cwd(v), true);
		if (error || !w->found)
			return -ENOENT; /* somebody removed the directory we are in */
	}
	return walk_rest(v, w, path, follow_last);
}

int vfs_find(struct vfs *v, struct bytes path, bool follow_last, struct vfs_node *out)
{
	struct vfs_walk w;
	int error = walk_path(v, path, follow_last, &w);
	if (error)
		return error;
	if (!w.found)
		return -ENOENT;
	*out = w.stack[w.depth];
	return 0;
}

struct bytes vfs_cwd(const struct vfs *v)
{
	return v->cwd ? bytes_of_text(v->cwd) : BYTES("/");
}

struct bytes vfs_absolute(const struct vfs *v, struct bytes path, char room[VFS_PATH_MAX])
{
	struct writer out = writer_of(room, VFS_PATH_MAX);
	struct bytes parts[2] = {vfs_cwd(v), path};
	for (int i = path.len && path.at[0] == '/'; i < 2; i++) {
		struct bytes name;
		while ((name = next_name(&parts[i])).len) {
			if (bytes_equal_text(name, "."))
				continue;
			if (bytes_equal_text(name, "..")) {
				while (out.at > out.start && *--out.at != '/')
					continue;
				continue;
			}
			write_u8(&out, '/');
			write_span(&out, name);
		}
	}
	if (out.at == out.start)
		write_u8(&out, '/');
	return writer_bytes(&out);
}

int vfs_change_directory(struct vfs *v, struct bytes path)
{
	char room[VFS_PATH_MAX];
	struct vfs_node n;
	int error = vfs_find(v, path, true, &n);
	if (error)
		return error;
	if (!vfs_is_directory(n))
		return -ENOTDIR;
	struct bytes full = vfs_absolute(v, path, room);
	if (v->cwd_room < full.len + 1) {
		char *fresh = arena_alloc(v->arena, full.len < 32 ? 32 : 2 * full.len);
		if (!fresh)
			return -ENOMEM;
		v->cwd = fresh;
		v->cwd_room = full.len < 32 ? 32 : 2 * full.len;
	}
	memcpy(v->cwd, full.at, full.len);
	v->cwd[full.len] = 0;
	return 0;
}
