/* What the files of this folder share: building the tree, making programs. */
#pragma once
#include "passive/persona.h"

struct tree; /* a file system under construction */

struct tree *tree_new(struct arena *scratch, uint32_t mtime_s);
/* Adds a node and the directories above it; an existing one of that path is replaced. */
struct vfs_entry *tree_add(struct tree *, const char *path, enum vfs_kind, uint16_t mode,
                           struct bytes content);
/* Copies the finished tree, sorted, to `keep`; NULL without memory. */
const struct vfs_entry *tree_seal(struct tree *, const struct persona *, struct arena *keep);

/* The directories, links and /proc files that every BusyBox device has. */
int tree_add_usual(struct tree *, const struct persona *, struct arena *keep);

/* A program of the architecture: a whole ELF header and code that is only code-like. */
struct bytes elf_make(const struct persona *, size_t size, struct arena *keep);
