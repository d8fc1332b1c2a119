/* The section `sensors` of the configuration. */
#pragma once
#include "base/options.h"
#include "passive/sensors/triage.h"

#define SENSORS_MAX (TRIAGE_SEERS_MAX - TRIAGE_SENSOR)

enum sensor_flows { FLOWS_INWARD, FLOWS_ALL, FLOWS_NONE };

struct followed_options {
	const char *name, *format, *path;
};

struct sensors_options {
	struct option_list follow; /* of struct followed_options */
	struct option_list own;    /* of struct prefix */
	struct option_list benign; /* of struct benign_options */
	int flows;                 /* enum sensor_flows */
	uint64_t agree_ms, quiet_ms, poll_ms, noisy_alerts, noisy_hosts, noisy_days;
	double noisy_benign;
};

struct benign_options {
	const char *name;
	struct option_list prefixes;
};

/* What triage wants of it; checked: names, formats, paths.  triage_settings_done() frees the sets. */
int triage_settings(const struct config *, struct triage_options *, struct fault *);
void triage_settings_done(struct triage_options *);
