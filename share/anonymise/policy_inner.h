/*
 * Policies of fields: what happens to each field for one sort of recipient (share/view.h says in which words).
 */
#pragma once
#include "base/options.h"
#include "event/field.h"

enum view_action { VIEW_PASS, VIEW_DROP, VIEW_TRUNCATE, VIEW_CRYPTO_PAN, VIEW_TOKEN, VIEW_GENERALISE, VIEW_BUCKET, VIEW_K, VIEW_CLEAN };

#define POLICY_NAME_MAX 63
#define POLICY_TIME FIELDS_MAX /* stands for the time of the event itself */
#define POLICY_K_MAX 100
#define TRUNCATE_V4 24
#define TRUNCATE_V6 48

struct view_rule {
	enum view_action action;
	uint64_t argument;  /* bits of IPv4; microseconds; k */
	uint64_t argument6; /* bits of IPv6 */
	bool named;         /* the policy names the field itself */
};

struct policy_options {
	const char *name;
	const struct yaml_node *fields;
	const char *otherwise;
	uint64_t period_ms;
};

struct policy {
	uint64_t period_us;                     /* how long a key lasts; 0: for ever */
	bool counts;                            /* a rule has k */
	struct view_rule otherwise;
	struct view_rule rules[FIELDS_MAX + 1]; /* by field; the last is the time */
};

extern const struct option policy_fields[];

/* All of a configuration; a sentence that names the place. */
int policies_check(const struct config *, struct fault *);
/* One of them by name, "default" even where there is none.  ERR_MISSING. */
int policy_read(struct policy *, const struct config *, const char *name, struct fault *);
/* "src=crypto-pan", "time=bucket:1h", "default=token": one more rule. */
int policy_add(struct policy *, const char *text, struct fault *);
int policy_action(struct bytes text, struct view_rule *, struct fault *); /* "bucket:1h" */
/* What holds for a field: by name, or what its sort has. */
struct view_rule policy_rule(const struct policy *, uint16_t field);
