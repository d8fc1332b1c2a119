/*
 * What an applet is: one command of the BusyBox that a persona runs.
 *
 * A file in passive/device/shell/applets/ holds a group of them and ends with APPLET(it) for
 * each.  An applet reads its arguments and streams, changes the session's file system
 * and returns its exit status; it does no I/O of its own and is bounded by the budget
 * that call_spend() counts down.
 */
#pragma once
#include "base/bytes.h"
#include "base/registry.h"

struct call; /* passive/device/shell/call.h */

struct applet {
	const char *name;
	const char *place; /* directory of its link: "/bin"; NULL: a builtin without one */
	const char *usage; /* after "Usage: NAME", as BusyBox prints it; NULL: takes anything */
	int (*run)(struct call *);
};

#define APPLET(it) REGISTER(applets, struct applet, it)
REGISTRY(applets, struct applet);
#define APPLETS_EACH(it) REGISTRY_EACH(applets, struct applet, it)

const struct applet *applet_named(struct bytes name); /* or NULL */
