/* One request to change rights, or to list them: a word like "org.add" and what goes with it. */
#pragma once
#include "share/access/access_inner.h"

struct change {
	struct access *access;
	const json_t *request;
	struct bytes text; /* the request as it came, for the audit */
	const char *word;
	uint64_t now_us;
	json_t *answer;
	struct fault *fault;
};

typedef int change_f(struct change *);

struct change_word {
	const char *word;
	change_f *apply;
};

/* Ended by a row without a word; each file has its own. */
extern const struct change_word organisation_words[], token_words[], grant_words[];

const char *change_text(const struct change *, const char *name); /* "" when absent */
/* The organisation or user that the request names; NULL and a fault when there is none. */
struct organisation *change_organisation(struct change *);
struct user *change_user(struct change *, const struct organisation *);
int change_name(struct change *, const char *key, char out[ACCESS_NAME_MAX + 1]); /* a fault when it is none */
/* Into the audit: before anything changes.  ERR_SYSTEM and a fault: nothing may change. */
int change_note(struct change *, const char *organisation, const char *user, const char *token, const char *collection);
/* Into the file: after it. */
int change_keep(struct change *);
/* Rows from "from" on, a page of them, and "next" when there are more; takes what row() makes, NULL: left out. */
int change_list(struct change *, size_t count, json_t *(*row)(struct change *, size_t at));
