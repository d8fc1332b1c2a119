/* The section "exposure" of the configuration. */
#pragma once
#include "analysis/exposures.h"
#include "base/options.h"

struct exposure_options {
	bool on;
	struct option_list nvd, rules, seeks; /* of const char * */
	const char *kev;
	uint64_t every_ms, again_ms, per_host, confidence_min;
};
