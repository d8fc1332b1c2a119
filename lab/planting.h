/*
 * Bait in a box: credentials that exist nowhere else, in the files where thieves look for them.
 *
 * Each run of a sample has an entry in the ledger of bait, and each place in its box a password of its
 * own, derived by the ledger's secret; so a log-in anywhere with one of them says which sample, which
 * run and which file it was stolen from.  The files name a server of the operator, a decoy, which lets
 * these accounts in.
 */
#pragma once
#include "bait/ledger.h"
#include "event/id.h"
#include "lab/run.h"

#define PLANTED_MAX 12
#define PLANTED_TEXT_MAX 640

struct planting {
	uint32_t entry;                      /* in the ledger */
	char user[LEDGER_USER_MAX + 1];      /* account that all passwords of this run belong to */
	struct run_file files[PLANTED_MAX];  /* for the run's plan; point into this struct */
	struct planted {
		struct bait_token token;
		char path[64], text[PLANTED_TEXT_MAX];
	} places[PLANTED_MAX];
	size_t count;
};

struct planting_plan {
	const char *sha256;                  /* of the sample */
	uint32_t uid;                        /* 0: the run as root */
	const char *server;                  /* address or name of the decoy that the files name */
	struct event_id event, root;         /* the token.planted that will tell it, and its chain's first */
	uint64_t depth;                      /* of that token.planted */
};

/* Makes an entry in the ledger and the files that belong to it. */
int planting_make(struct planting *, struct bait_ledger *, const struct planting_plan *, struct fault *);

/*
 * Tokens of this planting that stand in what a sample said, each once: how many; `found` gets their
 * places' numbers.  A token in Base64 is found, too.
 */
size_t planting_leaked(const struct planting *, const struct bait_ledger *, struct bytes said, size_t found[PLANTED_MAX]);
