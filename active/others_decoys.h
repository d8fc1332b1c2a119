/*
 * Decoys of others, recognised among the hosts that were looked at (active/identify/giveaway.h).
 *
 * The rules are fingerprints/decoys.yaml, and a file of that name in each directory of
 * prober.fingerprints; they are read when it is opened, before the process gives up its rights.
 */
#pragma once
#include "active/prober/prober.h"

struct others_decoys;

/* A missing file is no fault; what is wrong in one is said in `complaint`.  0 or ERR_MEMORY. */
int others_decoys_open(struct others_decoys **, const char *const *directories, size_t count,
		       struct fault *complaint);
void others_decoys_close(struct others_decoys *);
/* Networks that host servers: a controller does not stand there.  The set is the caller's; NULL: none known. */
void others_decoys_set_hosting(struct others_decoys *, const struct prefix_set *);

/*
 * Takes what the story tells into host.identified, whose verdict is already there: the score with
 * its reasons, and, where the host is or may be a decoy, another class (what it plays is kept).
 * True: there is something to tell even if the verdict is empty.
 */
bool others_decoys_report(const struct others_decoys *, const struct prober_story *, struct event *);
