/* Topics of MQTT: names, filters that match them (MQTT 5, 4.7), and those of the broker itself. */
#pragma once
#include "base/bytes.h"

#define TOPIC_BYTES_MAX 256

bool topic_is_name(struct bytes);   /* not empty, without wildcards */
bool topic_is_filter(struct bytes); /* wildcards stand alone between slashes, # last */
bool topic_matches(struct bytes filter, struct bytes name);

struct topic_moment {
	uint64_t seed, time_us;
	const char *version;
};
/* The i-th of Mosquitto's own topics and what it holds then; false behind the last. */
bool broker_topic(const struct topic_moment *, unsigned i, char topic[TOPIC_BYTES_MAX], char message[512]);
