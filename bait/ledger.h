/*
 * The ledger of bait: the secret of all tokens, and what was announced outside the decoys.
 *
 * One file below the state directory, made by whoever comes first and only ever appended to, so
 * that the decoys' processes read it through a descriptor while a command line writes.  It is text:
 *
 *   kansoku bait 1 SECRET                            (64 hexadecimal digits)
 *   NUMBER TAB TIME TAB KIND TAB BY TAB USER TAB TEXT   (a line for each entry)
 *
 * Who loses it loses the meaning of every token that is out there: it belongs in backups.
 */
#pragma once
#include "base/error.h"
#include "bait/token.h"

#define LEDGER_FOLDER "bait"
#define LEDGER_FILE "ledger"
#define LEDGER_ENTRIES_MAX 65536 /* 400 bytes each in memory; only those there are */
#define LEDGER_USER_MAX 31
#define LEDGER_TEXT_MAX 255
#define LEDGER_BYTES_MAX (LEDGER_ENTRIES_MAX * 512u)

enum bait_kind {
	LEDGER_PLACE,   /* a page, a list, a repository outside where decoys were announced */
	LEDGER_ACCOUNT, /* an account that every decoy lets in */
	LEDGER_SAMPLE,  /* a run of a sample in whose box credentials lay; its text is a bait_run */
	LEDGER_KINDS
};

struct bait_entry {
	uint32_t number; /* from 1 */
	enum bait_kind kind;
	uint64_t time_s;
	char by[LEDGER_USER_MAX + 1], user[LEDGER_USER_MAX + 1], text[LEDGER_TEXT_MAX + 1];
};

/* What the text of a LEDGER_SAMPLE says: "SHA256 RUN EVENT ROOT DEPTH", the events in hexadecimal. */
struct bait_run {
	char sha256[65], run[16];  /* of the sample; "root" or "user" */
	uint8_t event[16], root[16]; /* ids of token.planted and of the first event of its chain */
	uint64_t depth;              /* of token.planted */
};
void bait_run_write(const struct bait_run *, char text[LEDGER_TEXT_MAX + 1]);
bool bait_run_read(const char *text, struct bait_run *); /* false: it is none */

struct bait_ledger {
	int fd; /* -1: none; the caller closes it */
	struct bait_secret secret;
	struct bait_entry *entries;
	size_t count, room;
	uint64_t read; /* bytes of the file that were understood */
};

const char *bait_ledger_kind_name(enum bait_kind);

/* Opens the ledger below a state directory, and makes it with a secret of its own: a descriptor, or ERR_…. */
int bait_ledger_create(const char *state, struct fault *);
/* Reads all of it. */
int bait_ledger_open(struct bait_ledger *, int fd, struct fault *);
/* The same from bytes, for tests and what is appended later; takes whole lines only. */
int bait_ledger_take(struct bait_ledger *, struct bytes text);
/* Reads what was appended since; cheap when nothing was. */
void bait_ledger_refresh(struct bait_ledger *);
void bait_ledger_done(struct bait_ledger *);
const struct bait_entry *bait_ledger_entry(const struct bait_ledger *, uint32_t number); /* or NULL */
/* Appends an entry under a lock; fills in number and time. */
int bait_ledger_add(struct bait_ledger *, struct bait_entry *, struct fault *);
