/*
 * The section `passive` of the configuration, and what it means for the room.
 */
#pragma once
#include "base/options.h"
#include "passive/room/devices.h"
#include "passive/room/limits.h"
#include "passive/persona.h"
#include "passive/room/reflection.h"
#include "passive/service.h"
#include "passive/room/stack/stack.h"

#define PASSIVE_WORKERS_MAX 64
#define PASSIVE_PORTS_MAX 256 /* of all services together */
#define PASSIVE_DECOYS_MAX 1024
#define PASSIVE_SETTINGS_BYTES_MAX (16u << 20)

struct decoy_options {
	struct prefix prefix;
	struct option_list personas; /* of const char *; empty: all */
	bool steer, react, every_port;
};

struct passive_options {
	struct option_list decoys; /* of struct decoy_options */
	const struct yaml_node *services;
	uint64_t workers;
	const char *personas_dir, *seed;
	bool lure;
	struct limits_options limits;
	struct reflection_options reflection;
	uint64_t udp_sessions, secure_sessions, rsa_keys;
	uint64_t idle_ms, session_ms, stalled_ms, memory_bytes;
	bool record;
	uint64_t recording_bytes, recordings_bytes, recording_answer_bytes;
	uint64_t file_bytes, files_bytes;
	uint64_t steer_entries, visits, visit_ms;
	struct devices_options devices;
	uint64_t data_port;
	struct stack_options stack;
};

struct offered_port {
	uint16_t port;
	uint8_t transport; /* of enum transport */
	bool secure;       /* TLS begins at once */
	bool of_device;    /* some persona has that service on that port: only those that do offer it */
	const struct service *service;
	const void *options; /* the service's own */
};

struct decoy {
	struct prefix prefix;
	bool steer, react, every_port;
	size_t persona_count;
	const struct persona **personas;
};

struct settings {
	const struct passive_options *options;
	struct arena arena;
	size_t port_count, decoy_count;
	struct offered_port ports[PASSIVE_PORTS_MAX];
	struct decoy *decoys; /* longest prefix first */
	bool loopback_only;   /* no decoy outside 127.0.0.0/8 and ::1 */
};

/* Services with their ports and options, and decoys without personas: what the parent needs. */
int passive_settings_read(const struct config *, struct settings *, struct fault *);
/* Gives each decoy its personas, by the names in its options. */
int passive_settings_cast(struct settings *, const struct persona_set *, struct fault *);
void passive_settings_done(struct settings *);

const struct decoy *passive_decoy(const struct settings *,
                                  const struct address *local); /* or NULL */
/* Where the service that hands over listens, or NULL. */
const struct offered_port *passive_catch_all(const struct settings *, enum transport);
bool every_port_wanted(const struct settings *);
/* Whether that device has it; a port that no device has is one for trials: there the service decides. */
bool port_played(const struct offered_port *, const struct persona *);
bool decoy_plays(const struct decoy *, const struct persona *);
/* The persona of an address: the same for ever, as long as the decoy's list is. */
const struct persona *decoy_persona(const struct decoy *, uint64_t device_seed);
uint64_t passive_device_key(const struct settings *);
