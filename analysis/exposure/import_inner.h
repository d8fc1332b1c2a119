/* What an import holds between its files and the new index. */
#pragma once
#include "analysis/exposure/index_inner.h"
#include "analysis/exposure/splitter_inner.h"
#include <stdio.h>

struct list {
	void *items;
	size_t count, room;
};
int list_add(struct list *, size_t size, size_t max, const void *item); /* 0, ERR_FULL, ERR_MEMORY */

struct import_entry {
	cve_key key;
	uint64_t modified_us, at;
	uint32_t len, order; /* later entries of the same age win */
};

struct file_digest {
	uint8_t b[INDEX_FILE_BYTES];
};

struct import {
	char *path;
	int folder;             /* locked: one import at a time */
	struct weaknesses *old; /* NULL: none */
	FILE *fresh;            /* records of what is new */
	uint64_t fresh_used;
	uint8_t *record, *piece;
	struct list entries; /* struct import_entry */
	struct list known;   /* struct index_known */
	struct list digests; /* struct file_digest */
	bool replaces_known;
	struct weaknesses_counts counts;
};
