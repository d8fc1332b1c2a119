/*
 * Approvals: what may leave only after the operator has read it, byte by byte, and said yes.
 *
 * Whoever wants to send something of that sort asks control and hears, at once or later, how it
 * stands.  One yes lets one message leave, once, to the address that was shown, within its time.
 *
 *   "approval.ask"     a struct approval_ask.  Answer: a struct approval_standing.  Who asks for the
 *                      same again (kind, target, port, text) gets how that one stands; so a process
 *                      that was started again just asks again.  ERR_FULL: too many wait already
 *   "approval.told"    control tells each process of the role that asked: a struct approval_standing
 *   "approval.take"    an id, right before the message leaves.  Answer: 0 exactly once; ERR_DENIED:
 *                      it is not approved, was taken before, is too old, or who gets it has opted out
 *
 * For the console and the command line, as JSON:
 *
 *   "approval.list"    {"from": n, "state": word, "id": hex}; all may be left out.
 *                      Answer: {"rows": [{"id", "kind", "state", "target", "port", "title", "sample", "asked",
 *                      "decided", "until", "by", "note", "role", "bytes", "sha256", "text"}], "next": n};
 *                      "text" is hexadecimal, times are RFC 3339; no "next" behind the last
 *   "approval.decide"  {"id", "sha256", "decision": "approve" or "decline", "by", "note"}.  The digest
 *                      is that of the text that was read: a yes to something else is refused.
 *                      Answer: {"id", "state"}
 *
 * Each step is an event decision.made with reason "approval"; the first has the approval's own id.
 */
#pragma once
#include "base/address.h"
#include "event/id.h"

#define APPROVAL_KIND_MAX 15
#define APPROVAL_TITLE_MAX 200
#define APPROVAL_TEXT_MAX 4096
#define APPROVAL_WIRE_MAX (APPROVAL_TEXT_MAX + 512)
#define APPROVAL_HOLDS_US (24 * 3600 * 1000000ull)     /* a yes, where the asker says no shorter time */
#define APPROVAL_WAITS_US (7 * 24 * 3600 * 1000000ull) /* a question nobody answers */

enum approval_state {
	APPROVAL_WAITING = 1,
	APPROVAL_APPROVED,
	APPROVAL_DECLINED, /* stands for as long as a question waits: asking again does not help */
	APPROVAL_SPENT,    /* it was taken */
	APPROVAL_EXPIRED,
	APPROVAL_STATES
};
const char *approval_state_name(enum approval_state);

struct approval_ask {
	char kind[APPROVAL_KIND_MAX + 1];   /* "hello", "egress-run", "visit" */
	char title[APPROVAL_TITLE_MAX + 1]; /* one sentence: what leaves, and why it needs a person */
	char sample[65];                    /* SHA-256 of the sample behind it; may be empty */
	struct address target;              /* zero: a name stands in the text */
	uint16_t port;
	uint64_t holds_us;                  /* at most APPROVAL_HOLDS_US; 0: that */
	struct event_id cause, root;        /* what led to it */
	uint64_t depth;                     /* of that cause */
	struct bytes text;                  /* exactly what would leave */
};

struct approval_standing {
	struct event_id id;
	enum approval_state state;
	uint64_t until_us; /* how long it stands so at most */
};
#define APPROVAL_STANDING_WIRE (16 + 1 + 8)

void approval_ask_write(const struct approval_ask *, struct writer *);
/* False when it is cut, or breaks a limit; the text points into what was read. */
bool approval_ask_read(struct reader *, struct approval_ask *);
void approval_standing_write(const struct approval_standing *, struct writer *);
bool approval_standing_read(struct reader *, struct approval_standing *);
