/*
 * Who is it, and what may they?  Every question takes the same way through all rows, whatever comes out,
 * so that time tells nothing.
 */
#include "share/access/access_inner.h"
#include "base/clock.h"
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#define KEEP_USES_US 60000000 /* last uses are written so often */
#define REFUSALS_AT_ONCE 100
#define REFUSALS_PER_S 2

int access_open(struct access **out, const struct access_about *about, struct fault *fault)
{
	struct access *a = calloc(1, sizeof *a);
	if (!a)
		return fault_set(fault, ERR_MEMORY, "no memory for who may see what");
	a->about = *about;
	a->refusals.allowance = REFUSALS_AT_ONCE;
	int bad = access_load(a, fault);
	if (bad)
		access_close(a);
	else
		*out = a;
	return bad;
}

static void tell_uncounted(struct access *a)
{
	char why[64];
	struct refusals *r = &a->refusals;
	if (!r->uncounted)
		return;
	snprintf(why, sizeof why, "more than are listed one by one");
	const struct audit_entry e = {.action = "refused", .reason = why, .objects = r->uncounted, .from_us = r->uncounted_since_us,
				      .to_us = clock_utc_us()};
	if (!audit_add(a->about.audit, &e))
		r->uncounted = 0;
}

void access_close(struct access *a)
{
	if (!a)
		return;
	if (a->used_unkept)
		access_keep(a, clock_utc_us());
	tell_uncounted(a);
	free(a->organisations);
	free(a->users);
	free(a->tokens);
	free(a->keys);
	free(a->grants);
	free(a);
}

/* Strangers choose how often they are refused: their lines must not fill the disk. */
static void refusal_add(struct access *a, const struct audit_entry *e, uint64_t now_us)
{
	struct refusals *r = &a->refusals;
	const double passed = now_us > r->allowance_us && r->allowance_us ? (double)(now_us - r->allowance_us) / 1e6 : 0;
	r->allowance += passed * REFUSALS_PER_S;
	r->allowance = r->allowance > REFUSALS_AT_ONCE ? REFUSALS_AT_ONCE : r->allowance;
	r->allowance_us = now_us;
	if (r->allowance >= 1) {
		tell_uncounted(a);
		r->allowance -= 1;
		if (!audit_add(a->about.audit, e))
			return;
	}
	if (!r->uncounted++)
		r->uncounted_since_us = now_us;
}

struct presented { /* what was shown, in a form that takes the same time */
	uint8_t digest[DIGEST_BYTES];
	bool is_certificate, anything;
};

static void present(const struct access_claim *claim, struct presented *p)
{
	uint8_t text[TOKEN_TEXT] = {0};
	const size_t n = claim->token.len < TOKEN_TEXT ? claim->token.len : TOKEN_TEXT;
	if (n)
		memcpy(text, claim->token.at, n);
	SHA256(text, sizeof text, p->digest);
	p->is_certificate = !claim->token.len && claim->certificate;
	/* A longer text would have the digest of its beginning. */
	p->anything = p->is_certificate || claim->token.len == TOKEN_TEXT;
	if (p->is_certificate)
		memcpy(p->digest, claim->certificate, DIGEST_BYTES);
	OPENSSL_cleanse(text, sizeof text);
}

static const struct token *token_presented(const struct access *a, const struct presented *p)
{
	static const struct token nobody;
	size_t found = 0;
	for (size_t i = 0; i < a->key_count; i++) {
		const struct token_key *k = &a->keys[i];
		const bool same = !CRYPTO_memcmp(k->digest, p->digest, DIGEST_BYTES) & (k->is_certificate == p->is_certificate) &
				  p->anything;
		found |= (size_t)-(size_t)same & (i + 1);
	}
	return found ? &a->tokens[found - 1] : &nobody;
}

static bool network_allowed(const struct token *t, const struct address *from)
{
	bool in = !t->networks_count;
	for (size_t i = 0; i < TOKEN_NETWORKS_MAX; i++)
		in |= prefix_holds(&t->networks[i], from) & (i < t->networks_count);
	return in;
}

/* The word before the password: whose token that is, said loosely, as clients of many makes fill it in. */
static bool name_fits(struct bytes said, const struct organisation *o, const struct user *u, const struct token *t)
{
	char whole[2 * ACCESS_NAME_MAX + 2];
	snprintf(whole, sizeof whole, "%s/%s", o->name, u->name);
	bool fits = !said.len;
	fits |= bytes_equal_text(said, whole);
	fits |= bytes_equal_text(said, u->name);
	fits |= bytes_equal_text(said, o->name);
	fits |= bytes_equal_text(said, t->id);
	return fits;
}

/* NULL: nothing speaks against it. */
static const char *objection(const struct token *t, const struct organisation *o, const struct user *u,
			     const struct access_claim *claim, const struct presented *p)
{
	static const uint8_t none[DIGEST_BYTES];
	const bool bound = !CRYPTO_memcmp(t->bound, claim->certificate ? claim->certificate : none, DIGEST_BYTES) & !!claim->certificate;
	const bool network = network_allowed(t, &claim->from), name = name_fits(claim->user, o, u, t);
	const struct {
		bool holds;
		const char *why;
	} objections[] = {
		{!p->anything & !claim->token.len, "nothing was shown"},
		{!*t->id, "unknown token"},
		{t->revoked_us != 0, "revoked token"},
		{t->expires_us && t->expires_us <= claim->now_us, "expired token"},
		{!o->number | !*u->name, "the token's user is gone"},
		{o->suspended, "the organisation is suspended"},
		{u->suspended, "the user is suspended"},
		{!network, "a network that the token is not for"},
		{t->is_bound & !bound, "without the certificate that the token is bound to"},
		{!name, "another user's token"},
	};
	const char *why = NULL;
	for (size_t i = sizeof objections / sizeof *objections; i-- > 0;)
		why = objections[i].holds ? objections[i].why : why;
	return why;
}

static int turn_away(struct access *a, const struct token *t, const struct organisation *o, const struct access_claim *claim,
		     const char *why)
{
	/* The digest of what is unknown is no secret of ours and would be one of theirs: it is not noted. */
	const struct audit_entry e = {.action = "refused", .organisation = o->name, .user = t->user, .token = t->id,
				      .from = &claim->from, .reason = why};
	refusal_add(a, &e, claim->now_us);
	return ERR_DENIED;
}

int access_authenticate(struct access *a, const struct access_claim *claim, struct caller *out)
{
	static const struct organisation no_organisation;
	static const struct user no_user;
	struct presented p = {0};
	present(claim, &p);
	const struct token *t = token_presented(a, &p);
	const struct organisation *o = access_organisation_numbered(a, t->organisation);
	const struct user *u = access_user(a, t->organisation, t->user);
	const char *why = objection(t, o ? o : &no_organisation, u ? u : &no_user, claim, &p);
	if (why)
		return turn_away(a, t, o ? o : &no_organisation, claim, why);
	struct caller c = {.organisation_number = o->number, .scopes = t->scopes, .from = claim->from, .now_us = claim->now_us};
	snprintf(c.organisation, sizeof c.organisation, "%s", o->name);
	snprintf(c.user, sizeof c.user, "%s", u->name);
	snprintf(c.token, sizeof c.token, "%s", t->id);
	memcpy(c.collections, t->collections, sizeof c.collections);
	struct token *used = &a->tokens[t - a->tokens];
	used->used_us = claim->now_us;
	used->used_from = claim->from;
	a->used_unkept = true;
	if (claim->now_us - a->kept_us > KEEP_USES_US)
		access_keep(a, claim->now_us);
	*out = c;
	return 0;
}

static bool in_scope(const struct caller *c, const char *collection, enum access_right right)
{
	bool named = !*c->collections[0];
	for (size_t i = 0; i < TOKEN_COLLECTIONS_MAX; i++)
		named |= *c->collections[i] && !strcmp(c->collections[i], collection);
	return named & ((c->scopes & right) == right);
}

static const char *want_of_grant(struct access *a, const struct caller *c, const char *collection, enum access_right right,
				 struct held_grant **out)
{
	const bool scope = in_scope(c, collection, right);
	struct held_grant *found = access_grant(a, c->organisation_number, collection);
	*out = found;
	if (!found)
		return "no grant";
	if (found->grant.expires_us && found->grant.expires_us <= c->now_us)
		return "expired grant";
	if ((found->grant.rights & right) != right)
		return right == ACCESS_WRITE ? "no grant to write" : "no grant to read";
	return scope ? NULL : "beyond the token's scope";
}

const struct grant *access_granted(struct access *a, const struct caller *c, const char *collection, enum access_right right)
{
	struct held_grant *held;
	return want_of_grant(a, c, collection, right, &held) ? NULL : &held->grant;
}

const struct grant *access_granted_to(struct access *a, const char *organisation, const char *collection, uint64_t now_us)
{
	const struct organisation *o = access_organisation(a, organisation);
	const struct caller c = {.organisation_number = o ? o->number : 0, .scopes = ACCESS_READ, .now_us = now_us};
	return o && !o->suspended ? access_granted(a, &c, collection, ACCESS_READ) : NULL;
}

bool access_sees(const struct grant *g, enum tlp marking) { return marking <= g->tlp_max; }

bool access_window(const struct grant *g, uint64_t now_us, uint64_t *from_us, uint64_t *to_us)
{
	const uint64_t end_us = now_us > g->delay_us ? now_us - g->delay_us : 0;
	uint64_t from = g->from_us > *from_us ? g->from_us : *from_us;
	uint64_t to = *to_us && (!g->to_us || *to_us < g->to_us) ? *to_us : g->to_us;
	if (g->last_us && now_us > g->last_us && from < now_us - g->last_us)
		from = now_us - g->last_us;
	if (!to || to > end_us)
		to = end_us;
	*from_us = from;
	*to_us = to;
	return from < to;
}

bool access_pace(struct access *a, const struct caller *c, const struct grant *g, uint64_t now_us, unsigned *wait_s)
{
	struct held_grant *held = access_grant(a, c->organisation_number, g->collection);
	if (!held || !held->grant.per_minute)
		return true;
	const double full = (double)held->grant.per_minute, per_s = full / 60;
	const uint64_t passed_us = now_us > held->allowance_us ? now_us - held->allowance_us : 0;
	double allowance = held->allowance_us ? held->allowance + (double)passed_us / 1e6 * per_s : full;
	allowance = allowance > full ? full : allowance;
	const bool goes = allowance >= 1;
	held->allowance = goes ? allowance - 1 : allowance;
	held->allowance_us = now_us;
	if (goes)
		return true;
	*wait_s = (unsigned)((1 - allowance) / per_s) + 1;
	access_refuse(a, c, g->collection, ACCESS_READ, "the rate is used up");
	return false;
}

void access_refuse(struct access *a, const struct caller *c, const char *collection, enum access_right right, const char *why)
{
	struct held_grant *held;
	const char *want = want_of_grant(a, c, collection, right, &held);
	const struct audit_entry e = {.action = "refused", .organisation = c->organisation, .user = c->user, .token = c->token,
				      .from = &c->from, .collection = collection, .reason = why ? why : want ? want : "it is not there",
				      .marking = held ? tlp_name(held->grant.tlp_max) : NULL};
	refusal_add(a, &e, c->now_us);
}
