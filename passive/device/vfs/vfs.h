/*
 * A device's file system as a visitor sees it: one read-only base per persona,
 * built at start and shared by every session, and a small overlay that holds
 * only what the visitor changed, shared by all of his sessions with the device.
 *
 * The overlay has an arena and takes memory when something is written, not
 * before.  A copy of a base file shares its bytes.  What is removed is recycled
 * at the next vfs_settle(), so that an open file stays valid for as long as one
 * command line runs, but no longer: by then another session may have removed it.
 *
 * Functions return 0 or a negative errno, because errno's words are what the
 * persona's programs print.  Paths are bytes: absolute, or relative to `cwd`.
 */
#pragma once
#include "base/arena.h"
#include <errno.h>

#define VFS_PATH_MAX 512             /* longest path that is followed */
#define VFS_NAME_MAX 127             /* longest name of one file */
#define VFS_DEPTH_MAX 24             /* directories below each other */
#define VFS_LINKS_MAX 8              /* symbolic links followed in one path */
#define VFS_CHANGES_MAX 192          /* nodes of one overlay */
#define VFS_FILE_MAX (128 * 1024)    /* bytes a visitor may keep in one file, */
#define VFS_WRITTEN_MAX (192 * 1024) /* and in all files together, unless an overlay allows more */

enum vfs_kind { VFS_FILE, VFS_DIRECTORY, VFS_LINK, VFS_CHARACTER, VFS_BLOCK };

enum vfs_flag {
	VFS_READ_ONLY = 1, /* on a read-only mount: EROFS */
	VFS_SEALED = 2,    /* below /proc or /sys: EACCES */
	VFS_MADE = 4,      /* content is made at each look; `content` tells the maker what */
	VFS_OWN_FS = 8,    /* a mount point of its own */
};

/* A node of the base.  Children are sorted by name. */
struct vfs_entry {
	const char *name;
	struct bytes content; /* a file's bytes or a link's target */
	struct vfs_entry *children;
	size_t child_count;
	uint32_t size, mtime_s;
	uint16_t mode; /* permission bits */
	uint16_t device;
	uint8_t kind, flags;
};

struct vfs_change;

struct vfs_node { /* a thing in the tree; at least one of the two is set */
	const struct vfs_entry *base;
	struct vfs_change *change;
};

struct vfs_status {
	enum vfs_kind kind;
	uint16_t mode, device;
	uint8_t flags;
	uint32_t size, mtime_s;
	size_t children;
};

/* What was changed. */
struct vfs_overlay {
	struct arena *arena;
	struct vfs_change *root, *unused, *removed;
	struct vfs_chunk *spare;
	size_t change_count, written;
	uint32_t file_max, written_max;
	uint32_t edits; /* grows with each change, so that one can tell whether there was any */
};

/* One session's look at it. */
struct vfs {
	const struct vfs_entry *base; /* the root directory */
	struct vfs_overlay *overlay, own;
	struct arena *arena; /* of `cwd` */
	uint32_t now_s;      /* the time stamped on changes */
	char *cwd;           /* absolute and canonical; NULL is "/" */
	size_t cwd_room;
};

struct vfs_child {
	struct bytes name;
	struct vfs_node node;
};

void vfs_overlay_start(struct vfs_overlay *, struct arena *);
/* With an overlay of its own in the arena; the struct must stay where it is. */
void vfs_start(struct vfs *, const struct vfs_entry *base, struct arena *);
/* With one that others share. */
void vfs_start_on(struct vfs *, const struct vfs_entry *base, struct vfs_overlay *, struct arena *);
void vfs_settle(struct vfs *); /* between command lines: recycles what was removed */
struct bytes vfs_cwd(const struct vfs *);
int vfs_change_directory(struct vfs *, struct bytes path);
/* Writes the canonical absolute form of path (symbolic links untouched) and returns it. */
struct bytes vfs_absolute(const struct vfs *, struct bytes path, char room[VFS_PATH_MAX]);

int vfs_find(struct vfs *, struct bytes path, bool follow_last, struct vfs_node *out);
void vfs_stat(struct vfs_node, struct vfs_status *out);
/* The bytes of a file or link: shared where possible, else joined in `into`. */
int vfs_content(struct vfs_node, struct arena *into, struct bytes *out);
/* What a directory holds, sorted by name, in `into`. */
int vfs_list(struct vfs *, struct vfs_node, struct arena *into, struct vfs_child **out,
             size_t *count);

enum vfs_open { VFS_TRUNCATE = 1, VFS_EXCLUSIVE = 2, VFS_EXISTING = 4 };
/* Opens a file for writing; devices open and have no change: *out is NULL. */
int vfs_open(struct vfs *, struct bytes path, unsigned how, uint16_t mode, struct vfs_change **out);
int vfs_append(struct vfs *, struct vfs_change *, struct bytes);
int vfs_write_at(struct vfs *, struct vfs_change *, uint32_t offset, struct bytes);
/* Takes static bytes (of the base) as the content, without a copy. */
void vfs_share(struct vfs *, struct vfs_change *, struct bytes of_base);

int vfs_make_directory(struct vfs *, struct bytes path, uint16_t mode);
int vfs_make_link(struct vfs *, struct bytes target, struct bytes path);
int vfs_make_device(struct vfs *, struct bytes path, enum vfs_kind, uint16_t mode, uint16_t device);
int vfs_remove(struct vfs *, struct bytes path);           /* not a directory */
int vfs_remove_directory(struct vfs *, struct bytes path); /* an empty one */
int vfs_rename(struct vfs *, struct bytes from, struct bytes to);
int vfs_set_mode(struct vfs *, struct bytes path, uint16_t mode);
int vfs_touch(struct vfs *, struct bytes path);

/*
 * Files that hold bytes the visitor wrote, one after the other; `removed` ones
 * too until they are recycled.  Start with *at NULL; false at the end.
 */
bool vfs_next_written(struct vfs *, struct vfs_change **at);
bool vfs_is_written(const struct vfs_change *); /* holds bytes of the visitor's own */
bool vfs_was_taken(const struct vfs_change *);  /* taken since its last write */
void vfs_set_taken(struct vfs *, struct vfs_change *);
struct vfs_change *vfs_next_removed(const struct vfs_change *); /* along removed ones */
struct vfs_node vfs_node_of(struct vfs_change *);
struct bytes vfs_name(struct vfs_node);

/*
 * An overlay as bytes, for as long as nobody is there to look at it.  Bytes of the base and of
 * `programs` are named and not copied; what no longer differs from the base is left out, so that
 * nothing is written when there is nothing.  Unpacking what was damaged, or was made with another
 * base, gives what still makes sense: 0, or ERR_BAD when there was more that did not.
 */
struct vfs_programs {
	struct bytes items[2];
};
void vfs_pack(const struct vfs_overlay *, const struct vfs_programs *, struct writer *);
int vfs_unpack(struct vfs_overlay *, const struct vfs_entry *base, const struct vfs_programs *, struct bytes);
/* The same for people: a tar archive of what was changed.  0, or ERR_FULL beyond the buffer's limit. */
int vfs_tar(const struct vfs_overlay *, struct buffer *out);
