/*
 * HTTP authentication as devices ask for it: Basic (RFC 7617) and Digest with MD5
 * (RFC 7616 3.4.1, also the older form without qop).
 *
 * Digest does not show the password.  It is found out by trying the persona's own
 * credentials and the passwords that attackers try most; else the answer itself is
 * what there is to record.
 */
#pragma once
#include "passive/persona.h"

#define AUTH_TEXT_MAX 256 /* of a user name or password */
#define AUTH_NONCE_CHARS 32

enum auth_kind { AUTH_NONE, AUTH_BASIC, AUTH_DIGEST, AUTH_FORM };

struct auth {
	enum auth_kind kind;
	struct bytes user, secret;
	bool secret_known; /* false: `secret` is the digest's answer */
	uint8_t room[2 * AUTH_TEXT_MAX];
};

/*
 * Reads an Authorization field.  `nonces` are those that may have been given out lately:
 * an answer to any other is recorded, but its password is not looked for.
 */
bool auth_read(struct bytes field, struct bytes method, const struct persona *,
	       const char nonces[2][AUTH_NONCE_CHARS + 1], struct auth *);

/* The accounts of the device's web server. */
const struct persona_credential *auth_credentials(const struct persona *, size_t *count);
bool auth_accepts(const struct persona *, uint64_t device_seed, struct bytes user,
		  struct bytes secret);

/* The nonce that a device gives out during an hour; only this device can make it. */
void auth_nonce(uint64_t device_seed, uint64_t hour, char out[AUTH_NONCE_CHARS + 1]);

/*
 * Finds the password behind a hash or an answer to a challenge: of the device's accounts of that
 * user, or of those that attackers try most.  `fits` says whether one is it.
 */
bool auth_guess(const struct persona *, struct bytes user, bool (*fits)(const void *of, struct bytes secret), const void *of,
		struct bytes *secret);

/* Whether an answer to a Digest challenge was made with that password. */
bool auth_digest_fits(struct bytes field, struct bytes method, struct bytes secret);
/* Such an answer in the form that password crackers read ($response$..., John's hdaa). */
void auth_write_proof(struct bytes field, struct bytes method, struct writer *);
