/* The section `prober` of the configuration, with what the prober needs worked out. */
#pragma once
#include "active/prober/prober.h"
#include "base/options.h"

#define AGENT_MAX 256
#define DIRECTORIES_NAMED_MAX 32
#define PAUSE_FAIR_MS 1000 /* between two connections to one address: no more than one a second */

struct prober_section {
	uint64_t connect_timeout_ms, idle_ms, pause_ms, concurrency;
	bool favicon, snmp_public, capture;
	struct option_list fingerprints; /* const char * */
	struct option_list port_map, probes; /* struct option_pair */
	struct option_list hosting; /* struct prefix */
};

struct prober_settings {
	const struct prober_section *section;
	char agent[AGENT_MAX];
	struct prober_port ports[PROBER_PORTS_MAX];
	size_t port_count;
};

/* Checks it all, so that the parent refuses a mistake before a process runs. */
int prober_settings_read(const struct config *, struct prober_settings *, struct fault *);
/* Points into the settings. */
struct prober_options prober_settings_options(const struct prober_settings *);
