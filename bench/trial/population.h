/*
 * Who lives in the simulated Internet: the sources of the trial, what each one is, what it does and
 * what it answers. Made from (scenario, scale, seed) alone; this table is the truth that kansoku's
 * report is compared with. Addresses are in host byte order.
 *
 * The table is shared memory: the attacking process writes what happened in the dialogues, the
 * answering one who was looked at; no field has two writers.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "bench/trial/answer.h"
#include "bench/trial/dialogue.h"

enum reach { REACH_OPEN, REACH_CLOSED, REACH_SILENT, REACH_COUNT };

/* What is unkind about a device. */
enum twist {
	TWIST_NONE,
	TWIST_REBRANDED,   /* the maker's name and the title are a reseller's */
	TWIST_PROMPT_ONLY, /* only `login: ` on 23 */
	TWIST_SHARED,      /* an answer that devices of several classes give */
	TWIST_FORWARDED,   /* port 80 is another machine behind the same address */
	TWIST_MOVES_AWAY,  /* half-way its address goes to somebody else */
	TWIST_MOVES_IN,    /* half-way it gets this address */
	TWIST_SLOW,        /* answers in pieces over some seconds */
	TWIST_TRUNCATED,   /* the connection ends within the answer */
	TWIST_TARPIT,      /* a byte a second, without end */
	TWIST_HUGE,        /* megabytes behind the answer */
	TWIST_HOSTILE,     /* control characters, markup, broken UTF-8, a header of 12 KiB */
	TWIST_COUNT,
};

struct source {
	uint32_t address;
	int32_t answer[PORT_COUNT]; /* index into answers, -1 for none */
	int32_t later[PORT_COUNT];  /* the same when half of the visits are over */
	int32_t device;             /* what attacks from here; -1 for no device of Table 1 */
	uint8_t reach[PORT_COUNT];
	uint8_t twist;
	uint8_t bot;
	uint8_t visits;
	bool intruder;
	/* written by the attacking process */
	uint8_t done, logged_in;
	/* written by the answering process */
	uint8_t looked[PORT_COUNT];
};

struct wish {
	const char *folder; /* bench/trial */
	double scale;
	uint64_t seed;
	bool unkind;
	bool each_model; /* one host of every model instead of the trial's numbers */
};

struct population {
	struct wish wish;
	struct answers answers; /* devices first, then others */
	size_t device_model_count;
	struct bots bots;
	size_t count;
	struct source *at;
	uint32_t *index; /* open hash of addresses; see population_find */
	size_t index_mask;
	size_t blocks[REACH_COUNT][REACH_COUNT]; /* /16 networks by what 23 and 80 do */
	volatile uint32_t *half_way; /* set by the attackers when half of the visits are over */
};

void population_make(struct population *population, const struct wish *wish);

/* The source with this address, or NULL. */
struct source *population_find(const struct population *population, uint32_t address);

/* nftables rules that make the closed ports answer RST and the filtered ones nothing. */
void population_print_rules(const struct population *population, const char *path);

/* One line per source: what it is, and what was seen of it; see README.md for the columns. */
void population_print_truth(const struct population *population, const char *path);

extern const char *const twist_names[TWIST_COUNT];
