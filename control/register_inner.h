/*
 * Who asked to be left alone: by the page, a signed link, the API or the command line.
 *
 * Kept for ever in one file, STATE/control/opted-out, to which lines are only appended, in the
 * format of the operator's own opt-out file, so that any scanner can be given it as its list of
 * exclusions:
 *
 *   192.0.2.7/32 # 2026-11-23T10:00:00.000000Z page not my machine
 *   #? 198.51.100.0/24 # 2026-11-23T10:00:00.000000Z page 198.51.100.9 our network
 *   #! 198.51.100.0/24
 *
 * `#?` is a request for more than the asker's own address, which the operator decides about; `#!`
 * is one that he declined.  A line counts when it is whole, since what was cut could name a wider
 * prefix than was asked for; whoever asked was told that it stands only after it did.
 */
#pragma once
#include "base/address.h"
#include "base/error.h"
#include "base/options.h"

#define REGISTER_FILE "opted-out"
#define REGISTER_MAX (1u << 20)   /* opt-outs */
#define REGISTER_WAITING_MAX 512  /* requests that nobody decided yet */
#define REGISTER_REASON_MAX 200
#define REGISTER_BYTES_MAX (512u << 20)
#define REGISTER_KEY 32           /* bytes of the key that links are signed with */

enum register_how { REGISTER_PAGE, REGISTER_LINK, REGISTER_API, REGISTER_COMMAND, REGISTER_HOWS };
const char *register_how_name(enum register_how);

struct register_entry {
	struct prefix prefix;
	struct address asker; /* of a request */
	uint64_t time_us;
	enum register_how how;
	const char *reason;   /* sanitised, perhaps empty */
};

struct optout_register {
	struct prefix_set set;           /* sealed */
	struct register_entry *entries;
	size_t count, room;
	struct register_entry waiting[REGISTER_WAITING_MAX];
	size_t waiting_count;
	size_t bad_lines;
	int fd;                          /* of the file while `kept` */
	bool kept;
	uint64_t whole;                  /* bytes of the file's whole lines; what follows was cut and goes */
	uint8_t key[REGISTER_KEY];
};

/* Reads DIRECTORY/opted-out, or begins it; the key as well.  A fault means that nobody may be looked at. */
int register_open(struct optout_register *, const char *directory, struct fault *);
void register_close(struct optout_register *);
/* For who runs beside: only reads what the running kansoku of that configuration keeps; none is no error. */
int register_peek(struct optout_register *, const struct config *, struct fault *);
/*
 * What came since that peek or the last call; nothing that was asked before is ever taken back.
 * 1: the set is another one; 0: nothing is new, also where the file is gone; or a fault.
 */
int register_follow(struct optout_register *, const struct config *, struct fault *);
/* The folder that both read from; ERR_FULL: its path is too long. */
int register_folder(const struct config *, char *path, size_t n);
/* Takes in a file's text; lines that cannot be read are counted. */
int register_read(struct optout_register *, struct bytes text);
/*
 * From now on.  0 when it is on the disk; ERR_SYSTEM when it holds, but could not be written and is
 * forgotten with this process; ERR_FULL, ERR_MEMORY: it does not hold.
 */
int register_add(struct optout_register *, const struct register_entry *);
int register_ask(struct optout_register *, const struct register_entry *);       /* a request */
int register_decline(struct optout_register *, const struct prefix *);            /* ERR_MISSING: nobody asks that */
/* The entry that holds the address, the latest; NULL: none. */
const struct register_entry *register_find(const struct optout_register *, const struct address *);
/* Words of anybody as they may be kept: one line of printable UTF-8, cut. */
void register_reason(struct bytes, char out[REGISTER_REASON_MAX + 1]);
/* The signature of a link that opts that prefix out until then. */
bool register_sign(const struct optout_register *, const struct prefix *, uint64_t until_s, char hex[33]);
bool register_is_signed(const struct optout_register *, const struct prefix *, uint64_t until_s, struct bytes hex);
