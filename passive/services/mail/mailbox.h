/*
 * The mailboxes of a device's accounts, as Debian's Dovecot has them: /var/mail/USER is the INBOX,
 * others are files in mail/ of the user's home, all in mbox form (RFC 4155).
 *
 * They lie in the device's files, so an attacker finds again what it deleted or sent, in every
 * service.  A mailbox of which there is no file holds mails that follow from the device's seed, the
 * account and the time: always the same ones, and every few days another.  They become a file when
 * something is changed.
 *
 * A mailbox that was opened has memory of its own until mailbox_close().
 */
#pragma once
#include "passive/accounts.h"

#define MAILBOX_MAILS_MAX 1000
#define MAILBOX_BYTES_MAX (2u << 20) /* of all mails in it */
#define MAILBOX_NAME_MAX 64
#define MAILBOX_ARENA_MAX (8u << 20)

enum mail_flag { MAIL_SEEN = 1, MAIL_ANSWERED = 2, MAIL_FLAGGED = 4, MAIL_DELETED = 8, MAIL_DRAFT = 16, MAIL_RECENT = 32 };

struct mail {
	struct bytes text; /* whole, lines end in CRLF */
	size_t head_len;   /* with the empty line */
	uint64_t received_s;
	uint32_t uid;
	uint8_t flags;     /* of enum mail_flag */
};

struct mailbox {
	struct arena arena;
	struct mail *mails;
	size_t count;
	uint32_t uid_validity, uid_next;
	char path[2 * MAILBOX_NAME_MAX + 32];
};

/* False: there is none of that name, or no memory. */
bool mailbox_open(struct session *, struct bytes user, struct bytes name, struct mailbox *);
void mailbox_close(struct mailbox *);
/* Writes its file; with `expunge` without the mails that are flagged as deleted, then gone from it. */
bool mailbox_save(struct session *, struct mailbox *, bool expunge);
/* Adds a mail behind the others and saves; its text may end lines in LF.  False: no room. */
bool mailbox_add(struct session *, struct mailbox *, struct bytes text, uint8_t flags, uint64_t received_s);
bool mailbox_make(struct session *, struct bytes user, struct bytes name); /* false: it is there, or its name is none */
bool mailbox_remove(struct session *, struct bytes user, struct bytes name);
bool mailbox_exists(struct session *, struct bytes user, struct bytes name);

/* The nth mailbox beside the INBOX; false: there are no more. */
bool mailbox_nth(struct session *, struct bytes user, size_t n, char name[MAILBOX_NAME_MAX + 1]);

/* The domain of the device's mail. */
void mailbox_domain(const struct session *, char *out, size_t size);

/* Fills in the mails that nobody has changed (mailbox_made.c); nothing for other names. */
void mailbox_fill(struct session *, struct bytes user, struct bytes name, struct mailbox *);
/* Appends a mail without saving; false: no room. */
bool mailbox_append(struct mailbox *, struct bytes text, uint32_t uid, uint8_t flags, uint64_t received_s);
