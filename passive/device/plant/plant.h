/*
 * The process behind an industrial decoy: a pumped tank, its heating and its switchgear.
 *
 * What a point reads is a function of the device's seed, the time and what was written, and
 * of nothing else: no state moves by itself, so ten thousand decoys cost no timer.  A write
 * has effect over time as in a real process: a pump that was stopped lets the flow fall
 * within seconds and the level over minutes.  Memory that means nothing to the process
 * (registers, bytes of data blocks) keeps what was written in a small ring of cells; the
 * oldest gives way, so the state is bounded whatever a peer writes.
 *
 * The owner keeps a struct plant in a session's state; times are microseconds of UTC.  Over TCP
 * what was written is there for whoever wrote it (session_remember()): what the process does is one
 * for all protocols of a device, cells are of one.
 */
#pragma once
#include "passive/service.h"

enum plant_point {
	PLANT_LEVEL,       /* % of the tank */
	PLANT_TEMPERATURE, /* degrees Celsius */
	PLANT_FLOW,        /* cubic metres an hour */
	PLANT_PRESSURE,    /* bar */
	PLANT_VOLTAGE,     /* V, phase to phase */
	PLANT_CURRENT,     /* A */
	PLANT_FREQUENCY,   /* Hz */
	PLANT_POWER,       /* kW */
	PLANT_SETPOINT,    /* degrees Celsius, what the heating aims at */
	PLANT_VALVE,       /* % open */
	PLANT_PUMP,        /* 0 or 1 */
	PLANT_BREAKER,     /* 0 or 1 */
	PLANT_ALARM,       /* 0 or 1: level or temperature out of bounds */
	PLANT_POINTS,
};

#define PLANT_CELLS_MAX 128

struct plant {
	uint64_t seed;
	struct plant_command {
		uint64_t at_us; /* 0: never written */
		float from, to;
	} commands[PLANT_POINTS];
	struct plant_cell {
		uint32_t key;
		uint32_t value;
	} cells[PLANT_CELLS_MAX];
	uint16_t cell_count, cell_next;
	uint64_t stopped_us; /* the controller, since then; 0: it runs */
	bool driven, kept;   /* process or cells changed since plant_settle() */
};

void plant_start(struct plant *, uint64_t device_seed);
/*
 * Around a callback that reads or writes: what this attacker wrote, also in sessions beside this
 * one, and what was written now.  `cells`: name of the memory of the cells, the service's.
 */
void plant_refresh(struct session *, struct plant *, const char *cells);
void plant_settle(struct session *, struct plant *, const char *cells);
/* The controller stops, and its pump with it, or runs again. */
void plant_run(struct plant *, bool on, uint64_t time_us);
double plant_read(const struct plant *, enum plant_point, uint64_t time_us);
bool plant_is_on(const struct plant *, enum plant_point, uint64_t time_us);
/* Values beyond what the point can be are brought to its bounds. */
void plant_write(struct plant *, enum plant_point, double value, uint64_t time_us);

/*
 * The process as words of controllers see it: PLANT_WORDS of them, tenths (pressure and
 * frequency hundredths), in the order of the points up to the valve; then a double word of
 * hours and a heartbeat.  false when word `at` means nothing to the process.
 */
#define PLANT_WORDS 13
bool plant_word(const struct plant *, uint32_t at, uint64_t time_us, uint16_t *value);
bool plant_word_write(struct plant *, uint32_t at, uint16_t value, uint64_t time_us);
/* The same of its switches: pump, breaker, alarm. */
#define PLANT_SWITCHES 3
bool plant_switch(const struct plant *, uint32_t at, uint64_t time_us, bool *on);
bool plant_switch_write(struct plant *, uint32_t at, bool on, uint64_t time_us);

/* Memory without meaning: false when that cell was never written, or long ago. */
bool plant_recall(const struct plant *, uint32_t key, uint32_t *value);
void plant_keep(struct plant *, uint32_t key, uint32_t value);

/* The event of a write or another order: command.sent with that line. */
struct event *plant_ordered(struct session *, const char *fmt, ...)
        __attribute__((format(printf, 2, 3)));
/* The event of a read: request.seen with that target. */
struct event *plant_asked(struct session *, const char *fmt, ...)
        __attribute__((format(printf, 2, 3)));

/* A number below `limit` that belongs to this device for ever; `salt` tells its numbers apart. */
uint64_t plant_number(uint64_t device_seed, uint64_t salt, uint64_t limit);

/* A text of a service's device table, `member` of its struct. */
#define PLANT_TEXT(of, option_name, member, otherwise, meaning)                                  \
	{                                                                                          \
		.name = option_name, .type = OPTION_TEXT, .offset = offsetof(of, member),        \
		.fallback = otherwise, .summary = meaning                                          \
	}
#define PLANT_NUMBER(of, option_name, member, otherwise, least, most, meaning)                   \
	{                                                                                          \
		.name = option_name, .type = OPTION_NUMBER, .offset = offsetof(of, member),      \
		.fallback = otherwise, .min = least, .max = most, .summary = meaning               \
	}

/* Events as exchanges expect them. */
#define PLANT_ORDERED(line) "{\"kind\":\"command.sent\",\"command.line\":\"" line "\"}\n"
#define PLANT_ASKED(line) "{\"kind\":\"request.seen\",\"request.target\":\"" line "\"}\n"
