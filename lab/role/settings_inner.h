/* The section "lab" of the configuration. */
#pragma once
#include "base/options.h"

struct lab_options {
	bool on, captured, exploits;
	struct option_list rules, exploit_rules; /* of const char * */
	uint64_t again_ms, queue, at_once, confidence_min, indicators;
	struct {
		bool on;
		uint64_t time_ms, memory, processes, disk;
	} run;
	const char *bait; /* server that bait in boxes leads to; NULL: none is planted */
};
