/*
 * From what a target said to host.identified.
 *
 * The fingerprints are read when it is opened, before the process gives up its rights.
 */
#pragma once
#include "active/prober/prober.h"

struct identified;

/*
 * Our own fingerprints, then those of the directories named.  ERR_MISSING or ERR_BAD with a
 * sentence when there are none at all; what is skipped of them is said in `complaint`.
 */
int identified_open(struct identified **, const char *const *directories, size_t count,
		    struct fault *complaint);
/*
 * Takes what is compiled of them from the folder; what is missing there is compiled beside this process
 * (active/compiling.h).  Before the process gives up its rights.
 */
void identified_compile(struct identified *, const char *folder, bool sandboxed);
void identified_close(struct identified *);
size_t identified_rules(const struct identified *);
/* Networks that host servers (active/others_decoys.h); the set is the caller's. */
void identified_set_hosting(struct identified *, const struct prefix_set *);

/*
 * Makes the event of a story.  False: nothing is known of that host, and nothing is to be
 * told (its signals stand in host.answered).
 */
bool identified_make(struct identified *, const struct prober_story *, struct event *out);
