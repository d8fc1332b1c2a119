/*
 * What is sought: how a seek is learned from hosts that were looked at, and tried on what is stored.
 *
 * A seek is a rule on answers (seek_rules_open(), analysis/exposures.h).  It asks nothing: only what was
 * answered anyway is compared, so a seek is as harmless as the probes that asked.
 *
 * Learning counts, for each value of each field, the hosts that were named and the others which answered
 * with it.  What nearly all named hosts share and few others have is written as a candidate, for a person
 * to judge and to put into a folder; nothing takes it in by itself.
 */
#pragma once
#include "analysis/exposures.h"
#include "base/arena.h"

#define SEEK_VALUES_MAX 2000
#define SEEK_VALUE_BYTES_MAX 300
#define SEEK_SQL_MAX (128u << 10)
#define SEEK_CANDIDATE_MAX (256u << 10)

struct seek_value {
	enum event_kind kind;
	uint16_t field;
	struct bytes probe, text;
	uint64_t named, others; /* hosts that answered with it */
};

struct seek_learning {
	struct arena arena;
	struct seek_value *values;
	size_t count;
	uint64_t named, others; /* hosts that answered anything */
};

int seek_learning_open(struct seek_learning *); /* 0 or ERR_MEMORY */
void seek_learning_close(struct seek_learning *);
/* `hosts` is what stands within IN (...): addresses as text, or a question for them. */
void seek_hosts_sql(struct writer *, struct bytes hosts, uint64_t since_us);
void seek_values_sql(struct writer *, struct bytes hosts, uint64_t since_us);
/* A line of the answer to either; what cannot be written as YAML, or is no field, is left out. */
void seek_learning_take(struct seek_learning *, struct bytes line);

struct seek_wish {
	const char *name, *label;
	const char *learned;                    /* from whom, for people */
	unsigned named_percent, others_percent; /* at least of the named, at most of the others */
};
/* The candidate as YAML; returns how many alternatives its `when` has, 0: nothing is shared and rare. */
size_t seek_candidate_write(const struct seek_learning *, const struct seek_wish *, struct writer *);

/* How many stored hosts each seek would match. */
struct seek_trial;
int seek_trial_open(struct seek_trial **, const struct exposure_rules *); /* 0 or ERR_MEMORY */
void seek_trial_close(struct seek_trial *);
void seek_trial_sql(struct writer *, uint64_t since_us, uint64_t until_us);
void seek_trial_take(struct seek_trial *, struct bytes line);
/* One answer, or identity. */
void seek_trial_judge(struct seek_trial *, const struct event *);
/* Distinct hosts: that answered, and that the seek `i` matches, with some of them. */
#define SEEK_SHOWN_MAX 20
uint64_t seek_trial_answered(struct seek_trial *);
uint64_t seek_trial_matched(struct seek_trial *, size_t i, struct address shown[SEEK_SHOWN_MAX], size_t *shown_count);
