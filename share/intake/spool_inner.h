/*
 * Events on their way to the journal when it is slower than what comes in: files of frames below EXCHANGE_FOLDER.
 *
 *   0     8            12
 *   | done | dictionary | frames ...
 *
 * `done` is the offset up to which the journal acknowledged; so after a crash nothing that was taken is lost, and
 * the last few frames may be sent again, under the ids that they had.  A file of another release, whose numbers of
 * fields differ, is read by its own dictionary, and new frames go into a file of their own.
 */
#pragma once
#include "bus/bus.h"

struct spool;

int spool_open(struct spool **, int directory, struct bus *, uint64_t size_max, struct fault *);
/* Publishes at once when nothing waits and the bus has room, else writes; ERR_FULL, ERR_SYSTEM: not taken. */
int spool_publish(struct spool *, struct event *);
void spool_go_on(struct spool *); /* the bus has room again */
void spool_acknowledged(struct spool *, uint64_t sequence);
uint64_t spool_waiting(const struct spool *); /* bytes */
void spool_close(struct spool *);
