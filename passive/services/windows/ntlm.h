/*
 * NTLM's three messages (MS-NLMP): what SMB, RDP, RPC, LDAP and HTTP log in with.
 *
 * The client proves a password by an answer to our challenge; it is kept in the form that
 * crackers read and compared with the passwords of the decoy's accounts.
 */
#pragma once
#include "base/options.h"
#include "passive/service.h"

#define NTLM_NAME_MAX 256
#define NTLM_RESPONSE_MAX 2048
#define NTLM_CHALLENGE_MAX 1024 /* bytes of the message that we send */

enum ntlm_type { NTLM_NONE, NTLM_NEGOTIATE, NTLM_CHALLENGE, NTLM_AUTHENTICATE };

struct ntlm_host { /* who we say we are */
	char computer[16], domain[16];          /* NetBIOS names, upper case */
	char dns_computer[96], dns_domain[96];  /* without a domain both are the computer's */
	char dns_forest[96];                    /* empty: of no domain */
	uint8_t major, minor;
	uint16_t build;
};

struct ntlm_login {
	uint8_t challenge[8];
	uint32_t flags;
	struct bytes lm, nt, session_key; /* in the message */
	char user_text[NTLM_NAME_MAX], domain_text[NTLM_NAME_MAX], workstation_text[NTLM_NAME_MAX];
	struct bytes user, domain, workstation;
};

enum ntlm_outcome { NTLM_REFUSED, NTLM_ACCEPTED, NTLM_ANONYMOUS };

/* The message that begins here, and its kind; in SPNEGO or anything else it is found by its mark. */
enum ntlm_type ntlm_find(struct bytes in, struct bytes *message);
uint32_t ntlm_negotiate_flags(struct bytes message);
void ntlm_write_challenge(struct writer *, const struct ntlm_host *, uint32_t client_flags,
			  const uint8_t challenge[8], uint64_t utc_us);
/* Reads an AUTHENTICATE message; false: it is malformed.  The challenge is the caller's to set. */
bool ntlm_read(struct bytes message, struct ntlm_login *out);

/*
 * Decides and reports the log-in by the accounts of a service (passive/accounts.h), else of the
 * device; names of users are of any case.  On success `key` is the session's key.
 */
enum ntlm_outcome ntlm_decide(struct session *, const struct option_list *own,
			      const struct ntlm_login *, uint8_t key[16]);
/* Whether that password gave the answer, and the key that comes with it. */
bool ntlm_fits(const struct ntlm_login *, struct bytes secret, uint8_t key[16]);
void ntlm_write_proof(const struct ntlm_login *, struct writer *);

/* Signs one message of the given direction with sequence number 0 (MS-NLMP 3.4.4.2). */
void ntlm_sign_first(const uint8_t key[16], uint32_t flags, bool by_server, struct bytes message,
		     uint8_t signature[16]);

/*
 * Seals and opens whole messages of a fresh session, in order (MS-NLMP 3.4.3): 16 bytes of
 * signature, then the message under RC4.  `sealed` has room for both.
 */
struct ntlm_seal {
	uint8_t sign_key[16], seal_key[16];
	uint32_t flags;
};
void ntlm_seal_keys(const uint8_t key[16], uint32_t flags, bool by_server, struct ntlm_seal *);
void ntlm_seal_first(const struct ntlm_seal *, struct bytes message, uint8_t *sealed);

/* GSS-API's SPNEGO (RFC 4178, MS-SPNG): what the server says. */
enum spnego_state { SPNEGO_COMPLETED, SPNEGO_INCOMPLETE, SPNEGO_REJECT };
void spnego_write_offer(struct writer *, bool of_domain, bool hint); /* NegTokenInit2 */
/* NegTokenResp; token and signature may be empty; the mechanism is told when `name` is set. */
void spnego_write_answer(struct writer *, enum spnego_state, bool name, struct bytes token,
			 struct bytes signature);
/* The client's list of mechanisms as it was encoded: what its signature is about; empty: none. */
struct bytes spnego_mechanisms(struct bytes init);
/* Whether the client signed its list, so that ours is expected. */
bool spnego_has_signature(struct bytes answer);
