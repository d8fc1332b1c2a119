/*
 * The command line's way to a running kansoku: through a role's door, blocking.
 */
#pragma once
#include "base/bytes.h"
#include "base/error.h"

/* One part of the answer; false: enough, hang up. */
typedef bool client_part_f(void *arg, struct bytes payload);

/*
 * Asks `topic` of the role whose door is STATE/run/ROLE.sock.  0 when the last part came with
 * status 0; ERR_GONE when nobody listens there (kansoku is not running); else the answer's
 * status, with its text in the fault.
 */
int client_request(const char *state, const char *role, const char *topic, struct bytes payload,
		   client_part_f *, void *arg, unsigned wait_ms_max, struct fault *);
