/*
 * The parts of the SMTP service: what a device says of it, its words, and the message that comes.
 */
#pragma once
#include "passive/services/mail/sasl.h"

#define SMTP_RECIPIENTS_MAX 100
#define SMTP_PATH_MAX 256           /* RFC 5321 4.5.3.1.3 */
#define SMTP_MESSAGE_KEPT (4u << 20) /* of one message; the rest is read and counted */
#define SMTP_TO_MAX 2048            /* of the recipients as one line */

#define SMTP_OWN_MAX 512

enum smtp_software { SMTP_POSTFIX, SMTP_EXIM };
enum smtp_relay { SMTP_RELAY_DENIED, SMTP_RELAY_DEFERRED, SMTP_RELAY_OPEN };

struct smtp_device {
	int software, relay;
	const char *banner, *version, *name, *mechanisms;
	uint64_t size_max, refusal_delay_ms;
	struct option_list domains, mailboxes, accounts;
	bool starttls;
};

struct smtp {
	struct sasl sasl;
	bool authenticating, inside, greeted, extended, has_sender, refused;
	bool relayed; /* a recipient is not ours */
	bool data, chunking, chunk_last, chunk_dropped, mid_line;
	uint8_t errors;
	uint16_t recipient_count, sender_len;
	uint16_t to_len;
	uint32_t messages, keep_len, keep_room, decode_room;
	uint64_t message_len, chunk_left, chunk_len;
	uint8_t *kept, *decoded;
	uint8_t helo[64];
	uint8_t helo_len;
	uint8_t sender[SMTP_PATH_MAX];
	uint8_t to[SMTP_TO_MAX];
	uint8_t own[SMTP_OWN_MAX]; /* names of our own among them, with blanks between */
	uint16_t own_len;
};

enum smtp_word {
	SMTP_UNKNOWN, SMTP_HELO_SYNTAX, SMTP_EHLO_SYNTAX, SMTP_MAIL_SYNTAX, SMTP_RCPT_SYNTAX, SMTP_SENDER_OK,
	SMTP_RECIPIENT_OK, SMTP_NESTED, SMTP_NEED_MAIL, SMTP_NEED_RCPT, SMTP_NO_RECIPIENTS, SMTP_SIZE,
	SMTP_DATA, SMTP_RESET, SMTP_NOOP, SMTP_BYE, SMTP_AUTH_SYNTAX, SMTP_AUTH_UNKNOWN, SMTP_AUTH_FAILED,
	SMTP_AUTH_BROKEN, SMTP_AUTH_ABORTED, SMTP_AUTH_TWICE, SMTP_AUTH_OK, SMTP_TLS, SMTP_TLS_TWICE, SMTP_TLS_SYNTAX,
	SMTP_VRFY_SYNTAX, SMTP_BDAT_SYNTAX, SMTP_DATA_AFTER_BDAT, SMTP_TOO_MANY, SMTP_TOO_MANY_ERRORS, SMTP_BAD_ADDRESS,
	SMTP_HELP, SMTP_RSET_SYNTAX, SMTP_AUTH_OFF, SMTP_NON_SMTP, SMTP_TOO_LONG,
	SMTP_WORDS
};

void smtp_say(struct session *, enum smtp_word); /* with its line end */
void smtp_banner(struct session *);
void smtp_greet(struct session *, const struct smtp *, struct bytes name); /* HELO, EHLO */
void smtp_relay_denied(struct session *, struct bytes address);
void smtp_user_unknown(struct session *, struct bytes address);

void smtp_message_begin(struct smtp *);
/* Reads DATA, or a chunk of BDAT; true when the message is whole. */
bool smtp_message_feed(struct session *, struct smtp *, struct reader *);
/* Reports the message and says that it was taken. */
void smtp_message_done(struct session *, struct smtp *);
