/*
 * The demo's dozen: devices of the kinds that attacked the 2015 trial, with what they answer on
 * telnet and on the web. Each attacks from, and answers at, 127.20.0.N, N counted from 1.
 */
#pragma once
#include "base/bytes.h"

#define DEMO_DEVICES 12

struct demo_device {
	const char *kind, *name;
	struct bytes telnet; /* the greeting, with telnet options */
	struct bytes web;    /* the whole answer to GET; the connection's end is its end */
};

extern const struct demo_device demo_devices[DEMO_DEVICES];
