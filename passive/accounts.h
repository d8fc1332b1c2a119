/*
 * Accounts that one service of a device keeps by itself, as database servers do.
 *
 * A service's device table holds ACCOUNTS_OPTION(its struct, member); the member is a struct
 * option_list.  Without accounts of its own a service takes those of the device.  Both functions
 * report login.tried, once.
 */
#pragma once
#include "base/options.h"
#include "passive/service.h"

struct account {
	const char *user, *password;
};

extern const struct option account_options[];

#define ACCOUNTS_OPTION(holder, member)                                                            \
	{                                                                                          \
		.name = "accounts", .type = OPTION_LIST, .offset = offsetof(holder, member),        \
		.element = OPTION_MAP, .fields = account_options, .size = sizeof(struct account),  \
		.summary = "accounts of this service; without any those of the device"             \
	}

/* The secret was said. */
bool accounts_accept(struct session *, const struct option_list *, struct bytes user,
		     struct bytes secret);

/*
 * An answer to a challenge came in place of the secret: `fits` tells whether this secret gives
 * it, `proof` is what a cracker reads.
 */
bool accounts_prove(struct session *, const struct option_list *, struct bytes user,
		    bool (*fits)(const void *challenge, struct bytes secret), const void *challenge,
		    struct bytes proof);

/* The secret of a user, for protocols in which the server needs it first; false: no such user. */
bool accounts_secret(struct session *, const struct option_list *, struct bytes user,
		     struct bytes *secret);

/*
 * Bait that was read under that user's name, somewhere, and fits what came in place of a password:
 * for services with a decision of their own.  `right` gets it.
 */
#define ACCOUNTS_FOUND 16
bool accounts_find_bait(struct session *, struct bytes user, bool (*fits)(const void *challenge, struct bytes secret),
			const void *challenge, uint8_t right[ACCOUNTS_FOUND]);
