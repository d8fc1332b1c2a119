/*
 * A real machine behind a service of a persona: the map `backend` of the service's entry there.
 *
 * The relay (role.c) is the only process that can connect to it, within a network namespace out
 * of which nothing leads; a decoy's worker speaks with it through the relay (relay.h).
 * docs/high_interaction.md is the operator's manual.
 */
#pragma once
#include "base/options.h"

enum backend_after {
	BACKEND_ALWAYS,  /* from the first byte on */
	BACKEND_LOGIN,   /* from the log-in on, which the emulator decides */
	BACKEND_UNKNOWN, /* from the first command (page) on that the emulator does not know */
};

struct backend {
	struct address address;
	uint64_t port, connections, bytes;
	int after;
	const char *user, *password; /* of the backend; NULL: none is needed */
};

/* `service` says what can be configured there; 0 or ERR_BAD with a sentence. */
int backend_read(const struct yaml_node *, const char *service, const char *file, const char *path,
                 struct arena *, struct backend *, struct fault *);
