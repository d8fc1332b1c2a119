/*
 * What the exchange knows of those who may see: tables, the file that keeps them, and the words that change them.
 *
 * Users, tokens and grants name their organisation by its number, which is never given again, so that what
 * outlives an organisation belongs to nobody.
 */
#pragma once
#include "share/access.h"
#include <jansson.h>

#define TOKEN_NETWORKS_MAX 8
#define TOKEN_ID_TEXT 17 /* 16 hexadecimal digits */
#define REMARK_MAX 200

struct organisation {
	uint32_t number;
	char name[ACCESS_NAME_MAX + 1], title[REMARK_MAX + 1], contact[REMARK_MAX + 1];
	uint64_t created_us;
	bool suspended;
};

struct user {
	uint32_t organisation;
	char name[ACCESS_NAME_MAX + 1], remark[REMARK_MAX + 1];
	uint64_t created_us;
	bool suspended;
};

struct token {
	uint32_t organisation;
	char user[ACCESS_NAME_MAX + 1], id[TOKEN_ID_TEXT], remark[REMARK_MAX + 1];
	uint8_t digest[DIGEST_BYTES]; /* of the token's text, or a certificate's */
	uint8_t bound[DIGEST_BYTES];  /* the certificate that must be shown with it */
	bool is_certificate, is_bound;
	unsigned scopes;
	char collections[TOKEN_COLLECTIONS_MAX][ACCESS_NAME_MAX + 1];
	struct prefix networks[TOKEN_NETWORKS_MAX];
	size_t networks_count;
	uint64_t created_us, expires_us, revoked_us, used_us;
	struct address used_from;
};

struct held_grant {
	uint32_t organisation;
	struct grant grant;
	/* Requests that may be made at once: it fills at the grant's rate. */
	double allowance;
	uint64_t allowance_us; /* when it was counted; 0: never, it is full */
};

struct refusals { /* a bounded pace of lines; the others are counted */
	double allowance;
	uint64_t allowance_us, uncounted_since_us, uncounted;
};

struct token_key { /* what each caller is compared with: close together, since all are gone through each time */
	uint8_t digest[DIGEST_BYTES];
	bool is_certificate;
};

struct access {
	struct access_about about;
	uint32_t last_number;
	struct organisation *organisations;
	struct user *users;
	struct token *tokens;
	struct token_key *keys; /* of the tokens, in their order */
	size_t key_count;
	struct held_grant *grants;
	size_t organisation_count, user_count, token_count, grant_count;
	uint64_t kept_us;    /* when the file was written */
	bool used_unkept;    /* last uses of tokens are newer than the file */
	struct refusals refusals;
};

/* Room for one more row: 0, ERR_FULL or ERR_MEMORY with a sentence. */
int access_room(void **rows, size_t count, size_t max, size_t row_bytes, const char *what, struct fault *);
struct organisation *access_organisation(struct access *, const char *name);
struct organisation *access_organisation_numbered(struct access *, uint32_t number);
struct user *access_user(struct access *, uint32_t organisation, const char *name);
struct token *access_token(struct access *, const char *id);
struct held_grant *access_grant(struct access *, uint32_t organisation, const char *collection);

/* After tokens came or moved.  Without memory for it nobody is let in. */
void access_index(struct access *);

/* The file: read at the start, written anew whenever something changed. */
int access_load(struct access *, struct fault *);
int access_keep(struct access *, uint64_t now_us);

/* One row as JSON, as the file has it; `shown`: as people see it, without digests of secrets. */
json_t *organisation_json(const struct access *, const struct organisation *);
json_t *user_json(struct access *, const struct user *);
json_t *token_json(struct access *, const struct token *, bool shown);
json_t *grant_json(const struct held_grant *);
/* Fills a row from the words of a request or of the file; ERR_BAD or ERR_MISSING with a sentence. */
int token_fill(const json_t *, struct token *, uint64_t now_us, struct fault *);
int grant_fill(const json_t *, struct grant *, uint64_t now_us, struct fault *);

bool access_hex_read(const char *text, uint8_t *out, size_t len);
void access_hex_write(const uint8_t *, size_t len, char *text); /* 2 * len + 1 letters */
unsigned access_rights_read(const char *word); /* "read", "write", "read,write"; 0: none of them */
const char *access_rights_word(unsigned rights);
