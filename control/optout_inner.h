/*
 * Who asked not to be looked at: a file of prefixes, one a line, `#` begins a comment.
 *
 * A line that cannot be read fails safe: what was opted out before stays so, and the other
 * lines count; it is reported as file:line.  The same when the file is gone: nothing that
 * was opted out comes back by an accident.  And as long as the file could not be read whole
 * even once, nobody is known to have agreed: the policy takes it as inactive.
 */
#pragma once
#include "base/address.h"
#include "base/error.h"

#define OPTOUT_BYTES_MAX (16u << 20)

struct optout {
	const char *file;     /* NULL: none is configured */
	struct prefix_set set;
	uint64_t stamp[4];    /* device and inode, size, times: what was read last */
	size_t bad_lines;
	bool missing;
	bool known;           /* it could be read whole once; until then nobody may be looked at */
};

/*
 * Takes in the text of the file.  0; ERR_BAD with a fault for the first line that is none,
 * after all others were taken in; ERR_MEMORY, and nothing changed.
 */
int optout_read(struct optout *, struct bytes text, struct fault *);
/* Reads the file if it changed since.  1: it did and the set is new; 0: no; or a fault. */
int optout_poll(struct optout *, struct fault *);
void optout_done(struct optout *);
