/*
 * Who may see what, from the command line: what `kansoku org`, `user`, `token` and `grant` share.
 *
 * Each asks the running exchange (share/access.h, TOPIC_ACCESS) with one JSON object made of its words and flags.
 */
#pragma once
#include "cli/desk.h"

enum rights_flag_type {
	RIGHTS_TEXT,
	RIGHTS_NUMBER,
	RIGHTS_SECONDS,     /* "36h", "30d" */
	RIGHTS_LIST,        /* may be given several times */
	RIGHTS_CERTIFICATE, /* a file in PEM, or 64 hexadecimal digits, of which colons are taken out */
};

struct rights_flag {
	const char *name, *key; /* as on the command line, as in the request */
	enum rights_flag_type type;
};

typedef void rights_row(const json_t *row);

/* An object that asks for that, with who asks. */
json_t *rights_request(const char *word);
/* "organisation/user" into its two parts; false after it was said what is wrong. */
bool rights_member(json_t *request, const char *command, const char *word);
/* Flags into the request; false after it was said which is wrong.  The table ends with a row without name. */
bool rights_flags(json_t *request, const struct arguments *, const char *command, const struct rights_flag *);
/* Asks, takes the request over, and shows the row that comes back: exit status. */
int rights_do(struct desk *, const char *command, json_t *request, rights_row *);
/* Asks for all pages of a list. */
int rights_list(struct desk *, const char *command, json_t *request, rights_row *);
