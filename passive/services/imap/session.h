/* A session of the IMAP service: what it knows, and what it does once somebody is in. */
#pragma once
#include "passive/services/imap/imap.h"

#define IMAP_TAG_MAX 64

struct imap_device {
	const char *greeting, *mechanisms;
	uint64_t refusal_delay_ms;
	struct option_list accounts;
};

struct imap {
	struct sasl sasl;
	struct mailbox box;
	bool authenticating, inside, selected, read_only, idling, refused;
	uint8_t bad;       /* commands in a row that were none */
	uint8_t user_len, tag_len, name_len;
	uint32_t scanned;  /* bytes of the command that are known to be no end of it */
	uint32_t literal;  /* bytes that come next and are a string */
	uint8_t user[SASL_USER_MAX];
	uint8_t name[MAILBOX_NAME_MAX]; /* of the selected mailbox */
	char tag[IMAP_TAG_MAX + 1];
};

#define IMAP_TIMES " (0.001 + 0.000 secs).\r\n"

void imap_say_capabilities(struct session *, bool inside);
/* A command of somebody who has logged in, behind its tag. */
enum service_next imap_obey(struct session *, struct imap *, struct reader *);
void imap_idle_end(struct session *, struct imap *);
