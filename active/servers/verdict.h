/*
 * What the answers to a check's four steps mean together.  Pure.
 */
#pragma once
#include "active/servers/fingerprint.h"
#include "bus/check.h"

enum check_at { AT_BANNER, AT_HELLO, AT_NEUTRAL, AT_ELSEWHERE, CHECK_STEPS };
const char *check_at_name(enum check_at); /* "banner", "hello", "neutral", "elsewhere" */

struct heard { /* of one step */
	bool taken;   /* a connection was tried */
	bool opened, refused;
	struct bytes said; /* by the server */
};

struct server_verdict {
	enum server_state state;
	unsigned certainty;
	const struct server_fingerprint *fingerprint; /* that decided; NULL: none */
	char why[256];
};

void server_judge(const struct server_fingerprints *, const struct check_order *, const struct heard heard[CHECK_STEPS],
		  struct server_verdict *);
