/*
 * The parts of the IMAP service (RFC 3501): its words, what FETCH shows of a mail, what SEARCH
 * finds.
 */
#pragma once
#include "passive/services/mail/mailbox.h"
#include "passive/services/mail/sasl.h"

#define IMAP_SET_MAX 1024    /* bytes of a set of numbers; it is read once for each mail */
#define IMAP_SEARCH_MAX 2048 /* bytes of what is searched for; the same */
#define IMAP_ITEMS_MAX 24
#define IMAP_SECTION_MAX 512

/* Words of a command; each takes the blanks before it.  False: there is no such thing here. */
bool imap_is(struct reader *, char c); /* takes that character when it is the next */
bool imap_atom(struct reader *, struct bytes *);
/* An atom, a quoted string or a literal; what was quoted lies in the arena. */
bool imap_string(struct reader *, struct arena *, struct bytes *);
bool imap_at_end(struct reader *);
/* Whether a number is of a set such as "1:4,7,9:*". */
bool imap_set_has(struct bytes set, uint32_t number, uint32_t last);
bool imap_is_set(struct bytes);
/* "(\Seen \Deleted)", or the same without brackets; what is unknown is left out. */
bool imap_flags(struct reader *, uint8_t *flags);
void imap_write_flags(uint8_t flags, struct writer *);
void imap_say_string(struct session *, struct bytes); /* quoted, or a literal; NIL when `at` is NULL */

enum imap_item_kind {
	IMAP_FLAGS, IMAP_UID, IMAP_SIZE, IMAP_DATE, IMAP_ENVELOPE, IMAP_BODY, IMAP_STRUCTURE, IMAP_SECTION,
};

struct imap_item {
	enum imap_item_kind kind;
	const char *name;     /* of an old one, such as RFC822.HEADER; NULL: BODY[section] */
	struct bytes section; /* as it was written */
	bool peek, partial;
	uint32_t from, length;
};

struct imap_items {
	struct imap_item items[IMAP_ITEMS_MAX];
	size_t count;
	struct bytes unknown; /* what was no item */
};

bool imap_items_read(struct reader *, bool uid, struct imap_items *);
/* "* n FETCH (...)"; true when it changed the mail's flags. */
bool imap_fetch(struct session *, const struct imap_items *, struct mail *, size_t number, bool read_only);

void imap_say_envelope(struct session *, struct bytes head);
/* `extended`: BODYSTRUCTURE, else BODY. */
void imap_say_structure(struct session *, struct bytes text, size_t head_len, bool extended);
/* The bytes of BODY[section] but for HEADER.FIELDS; false: there is no such part. */
bool imap_part(struct bytes text, size_t head_len, struct bytes section, struct bytes *out);

/* Which mails are found; false: `unknown` is what is wrong. */
bool imap_search(const struct mailbox *, struct bytes criteria, struct arena *, bool *found, struct bytes *unknown);
