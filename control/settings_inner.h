/*
 * What the operator configured of control: the sections operator, active, control and rules,
 * with everything resolved that the policy asks in the hot path.
 *
 * settings_read() checks all of it, also the rules, so that `kansoku check-config` and the
 * parent find every mistake before a process runs.  The settings point into the config.
 */
#pragma once
#include "base/options.h"
#include "control/control.h"
#include "control/policy.h"
#include "control/scanners_inner.h"
#include "control/windows_inner.h"

#define SURVEYS_MAX 64
#define TRIAL_PERSONAS_MAX 64
#define RELOOKS_MAX 52 /* at one host under a study */
#define STUDY_TIER 1   /* of all its looks */
#define TIER_MAX 2
#define SCOPE_TIER_NONE 9
#define PACKETS_PER_PORT_MAX 1000

struct operator_options {
	const char *name, *contact, *page;
};

struct scope_option {
	struct prefix prefix;
	int special;   /* 1: allow */
	uint64_t tier; /* SCOPE_TIER_NONE: active.tier */
};

struct delay_option {
	uint64_t min_ms, max_ms;
};

struct survey_option {
	const char *name, *purpose, *approved_by, *reference, *from, *until, *window;
	struct option_list prefixes; /* struct prefix */
	struct option_list ports;    /* const char *: "23", "161/udp" */
	uint64_t tier, rate, packets, seed, repeat_ms;
	bool look;
};

struct relook_option {
	uint64_t after_ms, times;
};

struct back_option {
	uint64_t quiet_ms, within_ms;
};

struct follow_option {
	const char *name, *purpose, *approved_by, *reference, *until;
	struct option_list ports; /* const char *: "23" */
	struct relook_option relook;
	struct back_option back;
	uint64_t hosts_max;
};

struct visits_option { /* of pages: control/visits_inner.h */
	struct option_list ports; /* uint64_t; empty: see visit_port_is_allowed() */
	uint64_t per_day, per_host, per_address, connections, lease_ms;
	bool again;
};

/* Which first words of samples a person must read before they are said. */
enum hellos { HELLOS_APPROVE, HELLOS_HARMLESS };

struct active_options {
	bool enabled;
	struct option_list scope;     /* struct scope_option */
	struct option_list surveys;   /* struct survey_option */
	struct follow_option follow;
	struct visits_option visits;
	struct option_list addresses; /* struct address: what looks leave from */
	struct option_list known_scanners; /* struct prefix */
	const char *opt_out;
	struct page_options page;
	struct option_list windows, quiet;       /* struct window_option */
	struct option_list known_scanner_files;  /* const char * */
	const char *as_file, *country_file;
	uint64_t as_rate;
	uint64_t tier;
	double hold_out;
	struct delay_option delay;
	uint64_t rate, burst, round_ms, ports_max, packets_per_port, packets_max, network_looks;
	uint64_t looks_at_once, looks_per_sensor, queue_max, handshake_age_ms, cookie_age_ms,
		indicator_age_ms, lease_ms, recheck_ms, recheck_for_ms;
	int hellos; /* of enum hellos */
};

struct class_option {
	const char *device_class, *persona;
};

enum trial_unit { TRIAL_SOURCE, TRIAL_PREFIX, TRIAL_CAMPAIGN };

struct trial_options {
	int unit; /* of enum trial_unit */
	double hold_out, random;
	uint64_t seed;
};

struct control_options {
	double silent_decoys;
	uint64_t targets_max, repeat_window_ms, refusals_per_second;
	uint64_t steering_max, steering_ms;
	struct option_list steering; /* struct class_option */
	struct trial_options trial;
	bool campaigns;
	uint64_t sources_max, features_max, campaign_sources, campaign_window_ms;
	struct option_list credential_lists; /* struct credential_option */
};

struct settings {
	const struct config *config;
	const struct operator_options *operator;
	const struct active_options *active;
	const struct control_options *control;
	const struct yaml_node *rules; /* NULL: the default ones */
	struct delay_option delay;     /* where a rule names none */
	double silent_share, steering_hold_out;
	const char *pool[TRIAL_PERSONAS_MAX]; /* that the decoys play: what the random arm draws from */
	size_t pool_count;
	bool pool_is_whole; /* each decoy names its personas: no other is played */
	struct prefix_set scope, special, own, probers, known_scanners;
	struct windows windows;
	struct scanners scanners;
	struct prefix_set silent; /* decoys that never react: `react: false` */
	size_t decoy_addresses;   /* at most; UINT32_MAX when more */
	struct survey {
		const struct survey_option *option;
		struct prefix_set prefixes;
		uint64_t from_us, until_us;
		unsigned window_from, window_until; /* minutes of a day in UTC; equal: the whole day */
		struct survey_port ports[SURVEY_PORTS_MAX];
		uint8_t port_count;
	} surveys[SURVEYS_MAX];
	size_t survey_count;
	struct follow { /* active.follow */
		const struct follow_option *option;
		bool on; /* there is one, and it is complete */
		uint64_t until_us;
		uint32_t ports[LEASE_PORTS_MAX]; /* base/port.h */
		uint8_t port_count;
	} follow;
};

extern const struct option delay_fields[]; /* of a struct delay_option */

extern const struct option visits_fields[]; /* of a struct visits_option; in visits_settings.c */

/* In survey_settings.c: */

extern const struct option survey_fields[]; /* of a struct survey_option */
/* Fills the i-th survey from its option; `out` has the option already. */
int survey_settings_read(const char *file, size_t i, struct survey *out, struct fault *);
/* What a survey needs before it may be scanned; writes the names of what is missing, false if any is. */
bool survey_is_complete(const struct survey *, struct writer *missing);
/* Whether its time is now: after `from`, before `until`, within its window. */
bool survey_is_on(const struct survey *, uint64_t now_us);
/* When the time that is on now ends: that of the window, or of the survey. */
uint64_t survey_on_until(const struct survey *, uint64_t now_us);

/* In follow_settings.c: */

extern const struct option follow_fields[]; /* of a struct follow_option */
/* Fills it from active.follow, which is there; refuses one that is not wholly approved. */
int follow_settings_read(const char *file, const struct active_options *, struct follow *out, struct fault *);

int settings_read(const struct config *, struct settings *, struct fault *);
void settings_done(struct settings *);
/* The persona that a visitor of that class meets, or NULL. */
const char *settings_persona_for(const struct settings *, struct bytes device_class);
/* False: no decoy has it in its list, so steering to it changes nothing. */
bool settings_persona_is_played(const struct settings *, const char *persona);
/* Every persona that some class meets, perhaps more than once. */
void settings_class_personas(struct settings *, void (*each)(struct settings *, const char *persona));
