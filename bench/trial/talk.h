/*
 * One dialogue of one bot: takes what the decoy says, gives what the bot says next. Knows no
 * socket and no clock.
 */
#pragma once

#include "bench/trial/chance.h"
#include "bench/trial/dialogue.h"

enum { HEARD_MAX = 8192, HEARD_KEPT = 512, SAID_MAX = 8192, TRIES_MAX = 3 };

struct credential {
	const char *user;
	const char *password;
};

struct dictionary {
	struct credential *right, *wrong;
	size_t right_count, wrong_count;
};

enum talk_end { TALK_GOES_ON, TALK_DONE, TALK_FAILED };

/* Why a dialogue failed, for the tally at the end. */
enum talk_fault {
	FAULT_NONE,
	FAULT_CONNECT, /* refused or not answered */
	FAULT_CLOSED,  /* the decoy closed in the middle */
	FAULT_QUIET,   /* what the bot waits for did not come */
	FAULT_NEVER,   /* the decoy said what no device of that kind says */
	FAULT_LOGIN,   /* a right password was refused */
	FAULT_COUNT,
};

struct talk {
	const struct bot *bot;
	uint32_t source; /* the bot's address, which also draws its names */
	size_t step;
	uint32_t seen; /* one bit per "seen" line of the await that runs */
	uint8_t phase, tries, tries_wanted, rounds;
	bool negotiated, logged_in;
	enum talk_fault fault;
	struct credential login[TRIES_MAX];
	char token[8], name[8];
	uint8_t pending[3]; /* a telnet option cut in two by the network */
	uint8_t pending_count;
	size_t heard_size, said_size;
	char heard[HEARD_MAX], said[SAID_MAX];
};

/* Reads "user password" lines; `accepted` names those that the decoys let in. */
void dictionary_read(struct dictionary *dictionary, const char *path, const char *accepted);

void talk_begin(struct talk *talk, const struct bot *bot, uint32_t source,
                const struct dictionary *dictionary, struct chance *chance);

/* Takes bytes of the decoy; talk->said holds what to send now, the caller empties it. */
enum talk_end talk_hear(struct talk *talk, const uint8_t *bytes, size_t size);

/* The decoy closed: was that the bot's wish? */
enum talk_end talk_closed(struct talk *talk);
