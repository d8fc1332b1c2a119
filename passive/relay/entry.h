/*
 * The way into a shell of a backend, as text at a terminal: its log-in dialogue, and the place
 * where the emulator's shell has come to, so that the visitor notices no change.
 *
 * The backend's text up to there is swallowed.  With a command to go on with, the shell gets the
 * emulator's prompt and directory first; the visitor sees what the command says and no echo of it,
 * since the emulator has echoed it.
 */
#pragma once
#include "base/bytes.h"

#define ENTRY_HELD_MAX 8192 /* text of the backend before it is known what it is */
#define ENTRY_SAY_MAX 16384

enum entry_state {
	ENTRY_AT_NAME, /* waits to be asked for it */
	ENTRY_AT_SECRET,
	ENTRY_AT_SHELL, /* waits for its prompt */
	ENTRY_AT_MARK,
	ENTRY_AT_PROMPT,
	ENTRY_AT_ECHO,
};

struct entry_plan {
	const char *user, *password;
	struct bytes directory;
	struct bytes prompt;  /* for PS1, as the emulator's */
	struct bytes command; /* at NULL: none, the visitor begins with the backend's own prompt */
	uint64_t mark;        /* a number that nobody can guess */
};

struct entry {
	struct entry_plan plan; /* its bytes outlive the entry */
	uint8_t state;
	uint16_t held_len;
	uint8_t held[ENTRY_HELD_MAX];
};

enum entry_next {
	ENTRY_MORE,
	ENTRY_THROUGH, /* from here on the visitor and the backend speak with each other */
	ENTRY_SHUT,    /* the backend does not let in, or is no shell */
};

/* `at`: ENTRY_AT_NAME, or ENTRY_AT_SHELL of one who is logged in already. */
void entry_start(struct entry *, const struct entry_plan *, enum entry_state at);
/* What the backend said; `show` is for the visitor, `say` (ENTRY_SAY_MAX) for the backend. */
enum entry_next entry_take(struct entry *, struct bytes text, struct bytes *show, struct writer *say);
