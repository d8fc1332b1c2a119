/* Asking accounts; a user may have several, one password each. */
#include "passive/accounts.h"
#include "passive/device/bait/bait.h"
#include "passive/persona.h"

#define CANDIDATES_MAX 12 /* bait that is tried on a proof; SCRAM takes a millisecond for one */

const struct option account_options[] = {
	{.name = "user",
	 .type = OPTION_TEXT,
	 .offset = offsetof(struct account, user),
	 .summary = "its name",
	 .required = true},
	{.name = "password",
	 .type = OPTION_TEXT,
	 .offset = offsetof(struct account, password),
	 .fallback = "",
	 .summary = "what lets it in"},
	{0},
};

/* The nth account's secret for this user. */
static bool account_nth(struct session *s, const struct option_list *own, struct bytes user,
			size_t n, struct bytes *secret)
{
	const struct persona *p = session_persona(s) ? session_persona(s) : &persona_plain;
	const struct account *accounts = own->items;
	for (size_t i = 0; i < own->count; i++)
		if (bytes_equal_text(user, accounts[i].user) && n-- == 0) {
			*secret = bytes_of_text(accounts[i].password ? accounts[i].password : "");
			return true;
		}
	for (size_t i = 0; own->count == 0 && i < p->credential_count; i++)
		if (bytes_equal(user, p->credentials[i].user) && n-- == 0) {
			*secret = p->credentials[i].secret;
			return true;
		}
	return false;
}

bool accounts_secret(struct session *s, const struct option_list *own, struct bytes user,
		     struct bytes *secret)
{
	return account_nth(s, own, user, 0, secret);
}

bool accounts_accept(struct session *s, const struct option_list *own, struct bytes user,
		     struct bytes secret)
{
	if (own->count == 0)
		return session_login(s, user, secret);
	struct bytes right;
	bool accepted = false;
	for (size_t n = 0; !accepted && account_nth(s, own, user, n, &right); n++)
		accepted = bytes_equal(secret, right);
	accepted = accepted || session_bait_opens(s, user, secret);
	session_login_decided(s, user, secret, (struct bytes){0}, accepted);
	return accepted;
}

bool accounts_find_bait(struct session *s, struct bytes user, bool (*fits)(const void *challenge, struct bytes secret),
			const void *challenge, uint8_t right[ACCOUNTS_FOUND])
{
	_Static_assert(ACCOUNTS_FOUND == BAIT_PASSWORD_CHARS, "a password of bait");
	struct bait_candidate bait[CANDIDATES_MAX];
	size_t count = session_bait_candidates(s, user, bait, CANDIDATES_MAX);
	for (size_t n = 0; n < count; n++)
		if (fits(challenge, (struct bytes){bait[n].password, ACCOUNTS_FOUND})) {
			memcpy(right, bait[n].password, ACCOUNTS_FOUND);
			return true;
		}
	return false;
}

bool accounts_prove(struct session *s, const struct option_list *own, struct bytes user,
		    bool (*fits)(const void *challenge, struct bytes secret), const void *challenge,
		    struct bytes proof)
{
	struct bytes right;
	for (size_t n = 0; account_nth(s, own, user, n, &right); n++)
		if (fits(challenge, right)) {
			session_login_decided(s, user, right, proof, true);
			return true;
		}
	uint8_t found[ACCOUNTS_FOUND];
	if (accounts_find_bait(s, user, fits, challenge, found)) {
		right = (struct bytes){found, sizeof found};
		bool accepted = session_bait_opens(s, user, right);
		session_login_decided(s, user, right, proof, accepted);
		return accepted;
	}
	session_login_decided(s, user, (struct bytes){0}, proof, false);
	return false;
}
