/*
 * The demo: a dozen devices on 127.20.0.0/16 attack a running kansoku's decoy, answer when it looks
 * at them, and come again. It needs no rights, sends nothing beyond the loopback interface, and
 * ends by itself.
 */
#pragma once
#include "base/address.h"
#include "base/error.h"
#include <stdbool.h>

#define DEMO_CONNECTIONS_MAX 64 /* of looks at the devices, at a time */

struct demo_options {
	struct address decoy; /* of the first device; each further one visits the next address */
	uint16_t decoy_port, telnet_port, web_port; /* the latter two: where the devices answer */
	uint64_t ms_max;
	const char *state; /* kansoku's state directory, to ask what it makes of the devices */
	bool json;         /* one object a line */
};

struct demo_result {
	unsigned attacked, looked, identified, returned;
};

/* Until every device's loop has closed, or the time is over. */
int demo_run(const struct demo_options *, struct demo_result *, struct fault *);
