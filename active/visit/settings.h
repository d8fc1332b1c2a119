/* The section `visit` of the configuration, with what the proxy and the ways need worked out. */
#pragma once
#include "active/visit/proxy.h"
#include "base/options.h"

struct visit_options {
	bool enabled;
	struct option_list ways;      /* const char * */
	struct option_list resolvers; /* struct address; empty: those of /etc/resolv.conf */
	uint64_t resolver_port;
	const char *agent, *referrer, *language;
	uint64_t connect_timeout_ms, resolve_timeout_ms, time_ms;
	uint64_t connections, bytes_in, bytes_out, page_max, file_max, pages_max;
	uint64_t at_once, queue_max;
};

struct visit_settings {
	const struct visit_options *options;
	struct proxy_options proxy;
	struct proxy_limits limits;
};

/* Reads resolv.conf where no resolver is named, so before the rights are taken away. */
int visit_settings_read(const struct config *, struct visit_settings *, struct fault *);
