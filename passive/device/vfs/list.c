/* Looking into directories, and finding what was written. */
#include "passive/device/vfs/vfs_inner.h"
#include <stdlib.h>

static int child_order(const void *a, const void *b)
{
	struct bytes x = ((const struct vfs_child *)a)->name,
	             y = ((const struct vfs_child *)b)->name;
	int order = memcmp(x.at, y.at, x.len < y.len ? x.len : y.len);
	return order ? order : (x.len > y.len) - (x.len < y.len);
}

int vfs_list(struct vfs *v, struct vfs_node dir, struct arena *into, struct vfs_child **out,
             size_t *count)
{
	(void)v;
	if (!vfs_is_directory(dir))
		return -ENOTDIR;
	size_t most = dir.base ? dir.base->child_count : 0, n = 0;
	for (struct vfs_change *c = dir.change ? dir.change->children : NULL; c; c = c->next)
		most++;
	struct vfs_child *list = arena_alloc(into, (most + 1) * sizeof *list);
	if (!list)
		return -ENOMEM;
	for (struct vfs_change *c = dir.change ? dir.change->children : NULL; c; c = c->next)
		if (!(c->flags & CHANGE_GONE))
			list[n++] = (struct vfs_child){vfs_name(vfs_node_of(c)), vfs_node_of(c)};
	for (size_t i = 0; dir.base && i < dir.base->child_count; i++) {
		struct bytes name = bytes_of_text(dir.base->children[i].name);
		struct vfs_node child = vfs_child_of(dir, name);
		if (child.base && !child.change)
			list[n++] = (struct vfs_child){name, child};
	}
	qsort(list, n, sizeof *list, child_order);
	*out = list;
	*count = n;
	return 0;
}

/* The next node of the tree after `c`, children first; depth is bounded by VFS_DEPTH_MAX. */
static struct vfs_change *tree_after(struct vfs_change *top, struct vfs_change *c, bool *seen)
{
	for (struct vfs_change *at = top; at; at = at->next) {
		if (*seen)
			return at;
		*seen = at == c;
		struct vfs_change *below = at->children ? tree_after(at->children, c, seen) : NULL;
		if (below)
			return below;
	}
	return NULL;
}

bool vfs_next_written(struct vfs *v, struct vfs_change **at)
{
	bool seen = *at == NULL;
	struct vfs_change *c = *at;
	do {
		struct vfs_change *next = tree_after(v->overlay->root, c, &seen);
		if (!next) {
			next = tree_after(v->overlay->removed, c, &seen);
			if (!next)
				return false;
		}
		c = next;
		seen = false;
	} while (!vfs_is_written(c));
	*at = c;
	return true;
}
