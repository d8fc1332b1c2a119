/* Builds a persona's file system from paths, then packs it for binary search. */
#include "bait/token.h"
#include "passive/device/persona/persona_inner.h"
#include <stdlib.h>

#define TREE_NODES_MAX 20000

struct branch {
	struct vfs_entry entry;
	struct branch *first, *next;
	size_t children;
};

struct tree {
	struct arena *scratch;
	struct branch root;
	uint32_t mtime_s;
	size_t count;
};

struct tree *tree_new(struct arena *scratch, uint32_t mtime_s)
{
	struct tree *t = arena_alloc(scratch, sizeof *t);
	if (!t)
		return NULL;
	t->scratch = scratch;
	t->mtime_s = mtime_s;
	t->root.entry = (struct vfs_entry){
	        .name = "", .kind = VFS_DIRECTORY, .mode = 0755, .mtime_s = mtime_s};
	return t;
}

static struct branch *branch_child(struct tree *t, struct branch *dir, struct bytes name)
{
	for (struct branch *b = dir->first; b; b = b->next)
		if (bytes_equal_text(name, b->entry.name))
			return b;
	if (t->count++ == TREE_NODES_MAX || name.len > VFS_NAME_MAX)
		return NULL;
	struct branch *b = arena_alloc(t->scratch, sizeof *b);
	char *text = arena_text(t->scratch, name);
	if (!b || !text)
		return NULL;
	b->entry = (struct vfs_entry){
	        .name = text, .kind = VFS_DIRECTORY, .mode = 0755, .mtime_s = t->mtime_s};
	b->next = dir->first;
	dir->first = b;
	dir->children++;
	return b;
}

/* What a text with bait in it takes when it is shown; what else is filled in differs by device. */
static uint32_t shown_size(struct bytes text)
{
	static const struct {
		const char *mark;
		uint32_t len;
	} shapes[] = {{"%{bait.password:", BAIT_PASSWORD_CHARS}, {"%{bait.key:", BAIT_KEY_CHARS}, {"%{bait.url:", BAIT_NAME_CHARS}};
	uint32_t size = (uint32_t)text.len;
	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
		for (struct bytes rest = text;;) {
			size_t at = bytes_find(rest, shapes[i].mark);
			const uint8_t *end = at < rest.len ? memchr(rest.at + at, '}', rest.len - at) : NULL;
			if (!end)
				break;
			size = size + shapes[i].len - (uint32_t)(end + 1 - (rest.at + at));
			rest = (struct bytes){end + 1, (size_t)(rest.at + rest.len - end - 1)};
		}
	return size;
}

struct vfs_entry *tree_add(struct tree *t, const char *path, enum vfs_kind kind, uint16_t mode,
                           struct bytes content)
{
	struct branch *b = &t->root;
	struct bytes rest = bytes_of_text(path);
	for (size_t depth = 0; rest.len && b; depth++) {
		const uint8_t *slash = memchr(rest.at, '/', rest.len);
		struct bytes name = {rest.at, slash ? (size_t)(slash - rest.at) : rest.len};
		if (name.len)
			b = depth < VFS_DEPTH_MAX ? branch_child(t, b, name) : NULL;
		rest.at += name.len + (slash != NULL);
		rest.len -= name.len + (slash != NULL);
	}
	if (!b)
		return NULL;
	b->entry.kind = (uint8_t)kind;
	b->entry.mode = mode;
	b->entry.content = content;
	b->entry.size = kind == VFS_DIRECTORY ? 0 : (uint32_t)content.len;
	bool text = kind == VFS_FILE && !bytes_start_with(content, "\x7f"
	                                                           "ELF");
	b->entry.flags = text && bytes_find(content, "%{") < content.len ? VFS_MADE : 0;
	if (b->entry.flags)
		b->entry.size = shown_size(content);
	return &b->entry;
}

static int entry_order(const void *a, const void *b)
{
	return strcmp(((const struct vfs_entry *)a)->name, ((const struct vfs_entry *)b)->name);
}

struct sealing {
	const struct persona *persona;
	struct arena *keep;
	bool failed;
	char path[VFS_PATH_MAX];
};

static uint8_t mount_flags(const struct sealing *s, uint8_t inherited)
{
	uint8_t flags = inherited;
	for (size_t i = 0; i < s->persona->mount_count; i++) {
		const struct persona_mount *m = &s->persona->mounts[i];
		if (strcmp(m->path, s->path))
			continue;
		bool read_only = !strncmp(m->options, "ro", 2);
		bool sealed = !strcmp(m->type, "proc") || !strcmp(m->type, "sysfs");
		flags = (uint8_t)(VFS_OWN_FS | (read_only ? VFS_READ_ONLY : 0) |
		                  (sealed ? VFS_SEALED : 0));
	}
	return flags;
}

static struct vfs_entry branch_seal(struct sealing *s, const struct branch *b, size_t path_len,
                                    uint8_t inherited)
{
	struct vfs_entry out = b->entry;
	uint8_t mounted = mount_flags(s, inherited);
	out.flags |= mounted;
	out.name = arena_text(s->keep, bytes_of_text(b->entry.name));
	if (mounted & VFS_SEALED && out.kind == VFS_FILE)
		out.size = 0;
	if (b->children)
		out.children = arena_alloc(s->keep, b->children * sizeof *out.children);
	if (!out.name || (b->children && !out.children))
		s->failed = true;
	for (const struct branch *c = b->first; c && !s->failed; c = c->next) {
		size_t n = strlen(c->entry.name);
		if (path_len + n + 2 > sizeof s->path) {
			s->failed = true;
			break;
		}
		size_t root = path_len == 1; /* "/" needs no second slash */
		memcpy(s->path + path_len - root, "/", 1);
		memcpy(s->path + path_len - root + 1, c->entry.name, n + 1);
		out.children[out.child_count++] =
		        branch_seal(s, c, path_len - root + 1 + n, mounted & ~VFS_OWN_FS);
		s->path[path_len] = 0;
	}
	if (out.child_count)
		qsort(out.children, out.child_count, sizeof *out.children, entry_order);
	return out;
}

const struct vfs_entry *tree_seal(struct tree *t, const struct persona *p, struct arena *keep)
{
	struct sealing s = {.persona = p, .keep = keep, .path = "/"};
	struct vfs_entry *root = arena_alloc(keep, sizeof *root);
	if (!root)
		return NULL;
	*root = branch_seal(&s, &t->root, 1, 0);
	return s.failed ? NULL : root;
}
