/*
 * One import: bytes come in pieces, perhaps packed by gzip, zstd or bzip2, go to a format, and records come out.
 *
 * Pure but for memory: the role gives it bytes and a callback that publishes.
 */
#pragma once
#include "base/error.h"
#include "share/format.h"

#define INTAKE_MAP_MAX 2048
#define INTAKE_FILE_MAX 256

struct intake_counts {
	uint64_t bytes, unpacked, lines, records, networks, repeated, bad, refused;
};

struct intake_hooks {
	void *arg;
	/* False: it could not be taken now; it counts as refused. */
	bool (*record)(void *arg, const struct record *);
	/* A complaint, for the first INTAKE_COMPLAINTS_MAX; line 0: of the whole. */
	void (*bad)(void *arg, uint64_t line, const char *why);
	/* Whether that record came before, from the same source: then it is not handed out again. */
	bool (*seen)(void *arg, uint64_t digest);
	/* Entries of tables; NULL: they are only counted. */
	void (*network)(void *arg, const struct network *);
	void (*as)(void *arg, uint32_t as, struct bytes name, const char *country);
	const char *map, *file; /* intake_map(), intake_file(); copied; NULL: nothing is known */
	/* Where the unnamed file of a FORMAT_FILE is made; 0: in memory. */
	int directory;
};

int intake_open(struct intake **, const struct format *, const char *source, const struct intake_hooks *,
		struct fault *);
/* ERR_FULL: a limit (the fault says which); ERR_BAD: it is packed, and damaged.  What came before stands. */
int intake_feed(struct intake *, struct bytes, struct fault *);
int intake_end(struct intake *, struct fault *);
const struct intake_counts *intake_counts(const struct intake *);
void intake_close(struct intake *);
