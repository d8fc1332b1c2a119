/*
 * The section `telescope` of the configuration: what is watched live, and where.
 *
 * The prefixes are ours and dark: control reads them too, so that looks never leave from there
 * nor are aimed at them.  Without an interface nothing is captured and the role has no process.
 */
#pragma once
#include "base/options.h"

#define LIVE_WORKERS_MAX 16
#define LIVE_INTERFACES_MAX 16
#define LIVE_PREFIXES_MAX 4096
#define LIVE_SIGNATURE_FILES_MAX 64

struct live_prefix {
	struct prefix prefix;
	bool reactive; /* SYNs to it are answered */
};

struct live_reactive {         /* how reactive prefixes answer; rates are of all workers together */
	uint64_t rate, burst;  /* SYNs answered a second, and at once */
	uint64_t network_rate, network_burst; /* to a /24 or /64 */
	double hold_out;       /* share of reactive addresses that stays silent */
	int special;           /* 1: sources in special ranges are answered */
	uint64_t patience_ms;
};

struct live_options {
	struct option_list interfaces; /* of const char * */
	struct option_list prefixes;   /* of struct live_prefix */
	uint64_t workers;
	bool promiscuous;
	uint64_t ring;                 /* bytes, for each worker and interface */
	uint64_t timeout_ms, interval_ms;
	uint64_t memory;               /* bytes, of all workers together */
	uint64_t scan_destinations, scan_ports;
	struct live_reactive reactive;
	struct option_list signatures; /* of const char *: further files */
	const char *signatures_dir;    /* of those that come with kansoku; NULL: the usual place */
};

const struct live_options *live_options_of(const struct config *);
/* What no table of options can say: there is something to watch, and not too much of anything. */
int live_options_check(const struct config *, struct fault *);
bool live_options_react(const struct live_options *); /* one of the prefixes is reactive */
/* The longest of the prefixes that holds it, or NULL. */
const struct live_prefix *live_prefix_of(const struct live_options *, const struct address *);
