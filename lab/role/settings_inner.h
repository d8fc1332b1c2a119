/* The section "lab" of the configuration. */
#pragma once
#include "base/options.h"
#include "lab/run/egress.h"

struct lab_decoy { /* of lab.egress.decoys */
	uint64_t port, to;
	struct address address;
};

struct lab_options {
	bool on, captured, exploits;
	struct option_list rules, exploit_rules; /* of const char * */
	uint64_t again_ms, queue, at_once, confidence_min, indicators;
	struct {
		bool on;
		uint64_t time_ms, memory, processes, disk;
	} run;
	struct {
		bool on;
		struct option_list decoys; /* of struct lab_decoy */
		uint64_t sent, received, connections;
	} egress;
	const char *bait; /* server that bait in boxes leads to; NULL: none is planted */
};

/* Caps and decoys, without a target; ERR_FULL, ERR_BAD: a decoy is none. */
int egress_plan_of(const struct lab_options *, struct egress_plan *, struct fault *);
