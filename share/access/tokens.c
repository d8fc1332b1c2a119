/* Tokens: made, shown once, renewed, revoked. */
#include "share/access/change_inner.h"
#include "base/base64.h"
#include "base/random.h"
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <string.h>

#define SECRET_BYTES 32
#define LIFE_US (365 * UINT64_C(86400) * 1000000) /* of a token whose end nobody says */
#define OVERLAP_S_MAX (90 * 86400)

static const char prefix[] = "kansoku_"; /* by which scanners of repositories know a leaked one */

static void random_fill(uint8_t *out, size_t len)
{
	for (size_t i = 0; i < len; i += 8) {
		const uint64_t r = random_secret();
		memcpy(out + i, &r, len - i < 8 ? len - i : 8);
	}
}

static void secret_make(struct token *t, char text[TOKEN_TEXT + 2])
{
	uint8_t secret[SECRET_BYTES];
	struct writer w = writer_of(text, TOKEN_TEXT + 1); /* with a "=" that is cut off */
	random_fill(secret, sizeof secret);
	write_text(&w, prefix);
	base64_encode((struct bytes){secret, sizeof secret}, &w);
	text[TOKEN_TEXT] = '\0';
	for (char *c = text; *c; c++)
		*c = *c == '+' ? '-' : *c == '/' ? '_' : *c;
	SHA256((const uint8_t *)text, TOKEN_TEXT, t->digest);
	OPENSSL_cleanse(secret, sizeof secret);
}

static void token_id_make(struct access *a, struct token *t)
{
	uint8_t id[8];
	do {
		random_fill(id, sizeof id);
		access_hex_write(id, sizeof id, t->id);
	} while (access_token(a, t->id));
}

/* A certificate can be one token's only; two secrets are never the same. */
static bool digest_taken(const struct access *a, const struct token *new)
{
	bool taken = false;
	for (size_t i = 0; i < a->token_count; i++)
		taken |= a->tokens[i].is_certificate && !a->tokens[i].revoked_us &&
			 !memcmp(a->tokens[i].digest, new->digest, DIGEST_BYTES);
	return new->is_certificate && taken;
}

/* Tokens that are over for a year make room. */
static void forget_old(struct access *a, uint64_t now_us)
{
	size_t kept = 0;
	for (size_t i = 0; i < a->token_count; i++) {
		const struct token *t = &a->tokens[i];
		const uint64_t over_us = t->revoked_us ? t->revoked_us : t->expires_us;
		if (!over_us || over_us + LIFE_US > now_us)
			a->tokens[kept++] = *t;
	}
	a->token_count = kept;
	access_index(a);
}

static int store(struct change *c, struct token *t, const struct organisation *o)
{
	char secret[TOKEN_TEXT + 2] = "";
	struct access *a = c->access;
	if (a->token_count == TOKENS_MAX)
		forget_old(a, c->now_us);
	int bad = access_room((void **)&a->tokens, a->token_count, TOKENS_MAX, sizeof *t, "tokens", c->fault);
	if (bad)
		return bad;
	token_id_make(a, t);
	if (!t->is_certificate)
		secret_make(t, secret);
	bad = change_note(c, o->name, t->user, t->id, NULL);
	if (bad)
		return bad;
	a->tokens[a->token_count++] = *t;
	access_index(a);
	c->answer = token_json(a, t, true);
	if (*secret)
		json_object_set_new(c->answer, "token", json_string(secret));
	OPENSSL_cleanse(secret, sizeof secret);
	return change_keep(c);
}

static int collections_known(struct change *c, const struct token *t)
{
	const struct access_about *about = &c->access->about;
	for (size_t i = 0; i < TOKEN_COLLECTIONS_MAX && *t->collections[i]; i++)
		if (about->has_collection && !about->has_collection(about->arg, t->collections[i]))
			return fault_set(c->fault, ERR_MISSING, "there is no collection \"%s\"; `kansoku describe collections` lists them",
					 t->collections[i]);
	return 0;
}

static int token_add(struct change *c)
{
	const struct organisation *o = change_organisation(c);
	const struct user *u = o ? change_user(c, o) : NULL;
	struct token t = {.scopes = ACCESS_READ, .created_us = c->now_us, .expires_us = c->now_us + LIFE_US};
	int bad = u ? token_fill(c->request, &t, c->now_us, c->fault) : ERR_MISSING;
	bad = bad ? bad : collections_known(c, &t);
	if (!bad && digest_taken(c->access, &t))
		bad = fault_set(c->fault, ERR_BAD, "certificate: it stands for another token already; revoke that one first");
	if (bad)
		return bad;
	t.organisation = o->number;
	snprintf(t.user, sizeof t.user, "%s", u->name);
	return store(c, &t, o);
}

static struct token *token_named(struct change *c)
{
	const char *id = change_text(c, "token");
	struct token *t = access_token(c->access, id);
	if (!t)
		fault_set(c->fault, ERR_MISSING, "there is no token with the id \"%.20s\"; `kansoku token list` has them", id);
	return t;
}

static int token_revoke(struct change *c)
{
	struct token *t = token_named(c);
	const struct organisation *o = t ? access_organisation_numbered(c->access, t->organisation) : NULL;
	int bad = t ? change_note(c, o ? o->name : NULL, t->user, t->id, NULL) : ERR_MISSING;
	if (bad)
		return bad;
	t->revoked_us = t->revoked_us ? t->revoked_us : c->now_us;
	c->answer = token_json(c->access, t, true);
	return change_keep(c);
}

/* A new secret with the same rights; the old one holds a while longer, so that a client can change over. */
static int token_renew(struct change *c)
{
	const json_t *overlap = json_object_get(c->request, "overlap_s");
	const json_int_t overlap_s = json_integer_value(overlap);
	struct token *old = token_named(c);
	const struct organisation *o = old ? access_organisation_numbered(c->access, old->organisation) : NULL;
	if (!old)
		return ERR_MISSING;
	if (!o || old->revoked_us || old->is_certificate)
		return fault_set(c->fault, ERR_BAD, "the token %s is %s, so it cannot be renewed", old->id,
				 old->is_certificate ? "a certificate" : "revoked");
	if (overlap_s < 0 || overlap_s > OVERLAP_S_MAX)
		return fault_set(c->fault, ERR_BAD, "overlap: not a time up to %d days", OVERLAP_S_MAX / 86400);
	struct token new = *old;
	const uint64_t life_us = old->expires_us ? old->expires_us - old->created_us : 0;
	const uint64_t end_us = c->now_us + (uint64_t)overlap_s * 1000000;
	const size_t at = (size_t)(old - c->access->tokens);
	new.created_us = c->now_us;
	new.expires_us = life_us ? c->now_us + life_us : 0;
	new.used_us = 0;
	char id[TOKEN_ID_TEXT];
	memcpy(id, old->id, sizeof id);
	/* Tokens may move while one is added, also when there was no room and old ones went. */
	old = &c->access->tokens[at];
	const uint64_t before_us = old->expires_us;
	old->expires_us = before_us && before_us < end_us ? before_us : end_us;
	int bad = store(c, &new, o);
	if (bad && (old = access_token(c->access, id)) && !c->answer)
		old->expires_us = before_us;
	return bad;
}

static json_t *token_row(struct change *c, size_t at)
{
	const struct token *t = &c->access->tokens[at];
	const struct organisation *o = access_organisation(c->access, change_text(c, "organisation"));
	const bool all = json_is_true(json_object_get(c->request, "all"));
	const bool over = t->revoked_us || (t->expires_us && t->expires_us <= c->now_us);
	const bool named = !*change_text(c, "organisation") || (o && o->number == t->organisation);
	return named && (all || !over) ? token_json(c->access, t, true) : NULL;
}

static int token_list(struct change *c) { return change_list(c, c->access->token_count, token_row); }

const struct change_word token_words[] = {
	{"token.add", token_add}, {"token.revoke", token_revoke}, {"token.renew", token_renew}, {"token.list", token_list}, {0},
};
