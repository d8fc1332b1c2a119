/*
 * Known scanners with their names, from files of lines `PREFIX NAME` (# begins a comment): lists of
 * acknowledged surveys as plain text, the same that analysis.surveys takes.
 */
#pragma once
#include "base/address.h"
#include "base/error.h"

#define SCANNERS_MAX (1u << 18)
#define SCANNERS_BYTES_MAX (32u << 20) /* of one file */
#define SCANNER_NAME_MAX 63

struct scanners {
	struct scanner {
		struct prefix prefix;
		char name[SCANNER_NAME_MAX + 1];
	} *items; /* sorted by base, the wider first */
	size_t count, room;
};

/* Lines that begin with a dot (domains) are passed over; any other that is no prefix is a fault. */
int scanners_read(struct scanners *, struct bytes text, const char *file, struct fault *);
int scanners_open(struct scanners *, const char *file, struct fault *);
void scanners_seal(struct scanners *);
void scanners_done(struct scanners *);
/* The name of the narrowest that holds it; NULL: none does. */
const char *scanners_find(const struct scanners *, const struct address *);
