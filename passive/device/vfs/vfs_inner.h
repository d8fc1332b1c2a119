/* The overlay's own shapes, shared by the files of this folder only. */
#pragma once
#include "passive/device/vfs/vfs.h"

#define CHUNK_ROOM 120 /* with the link a whole 128 bytes: loaders append about a line at a time   \
	                */

struct vfs_chunk {
	struct vfs_chunk *next;
	uint8_t room[CHUNK_ROOM];
};

enum change_flag {
	CHANGE_GONE = 1,    /* hides the base's node of that name */
	CHANGE_TAKEN = 2,   /* its present content was handed to the room */
	CHANGE_RENAMED = 4, /* the name is on the arena, too long for `name` */
};

struct vfs_change {
	struct vfs_change *next, *children;
	const struct vfs_entry *base; /* what it stands before, if anything */
	struct bytes shared;          /* static content, before the chunks' */
	struct vfs_chunk *first, *last;
	uint32_t size, mtime_s;
	uint16_t mode, device;
	uint8_t kind, flags, mount; /* mount: flags of enum vfs_flag, inherited */
	uint8_t name_len;
	char *name;
	size_t name_room;
};

/* A path followed to its end: every directory on the way, and the last name. */
struct vfs_walk {
	struct vfs_node stack[VFS_DEPTH_MAX + 1];
	size_t depth;      /* stack[depth] is the last directory, or the thing itself */
	bool found;        /* the last name exists and is stack[depth] */
	struct bytes last; /* the last name when it does not exist */
	char text[2][VFS_PATH_MAX];
};

int walk_path(struct vfs *, struct bytes path, bool follow_last, struct vfs_walk *);
const struct vfs_entry *vfs_entry_child(const struct vfs_entry *dir, struct bytes name);
struct vfs_node vfs_child_of(struct vfs_node, struct bytes name);
bool vfs_is_directory(struct vfs_node);
uint8_t vfs_mount_flags(struct vfs_node);
/* The overlay node for stack[depth], made with those above it when needed; NULL: no room. */
struct vfs_change *walk_change(struct vfs *, struct vfs_walk *, size_t depth);
struct vfs_change *change_add(struct vfs *, struct vfs_change *parent, struct bytes name);
/* The change stands before that entry of the base, and is as it is. */
void change_cover(struct vfs_change *, const struct vfs_entry *);
void change_clear(struct vfs *, struct vfs_change *); /* gives its chunks back */
