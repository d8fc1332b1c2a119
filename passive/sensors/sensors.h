/*
 * Logs of other sensors (Suricata's EVE, Zeek), read from files: the room's public header.
 *
 * Files may be packed with gzip; "-" is standard input.  Lines that break the format are told
 * one by one and counted; the rest loads.  What follows growing files is the role "sensors".
 */
#pragma once
#include "event/event.h"
#include "passive/sensors/tally.h"

struct sensors_counts {
	uint64_t lines; /* == alerts + flows + other + headers + empty + bad + too_long */
	uint64_t alerts, flows, other, headers, empty, bad, too_long;
	uint64_t bytes;
	uint64_t first_us, last_us; /* of the events; 0: there was none */
	struct tally others;  /* types of lines that are not taken */
	struct tally reasons; /* why lines were bad */
};

struct sensors_reading {
	const char *format; /* as sensors_formats() names them */
	/* The event is the callee's to change until it returns. */
	void (*event)(void *arg, struct event *);
	void (*bad)(void *arg, const char *path, uint64_t line, struct bytes why); /* may be NULL */
	void *arg;
};

/* One file; may be called for several with the same counts.  ERR_… when it cannot be read. */
int sensors_read(const struct sensors_reading *, const char *path, struct sensors_counts *, struct fault *);
void sensors_counts_done(struct sensors_counts *);
/* The formats by name, NULL beyond the last. */
const char *sensors_format(size_t nth, const char **summary);
