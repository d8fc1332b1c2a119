/*
 * What a worker leaves for its successor: a page of memory that the parent holds.
 *
 * Accounts die with the process that keeps them.  The ledger says how many packets it had taken
 * and how many of these are safe in acknowledged records, so that a successor can tell how much
 * is missing and since when.  It also names the block that was being read: a frame that can end
 * the process must not end its successors too, so they skip that block, and count it.
 */
#pragma once
#include "base/error.h"
#include <stdbool.h>
#include <stdint.h>

#define LEDGER_PORTS_MAX 16

struct ledger { /* lies in the shared page */
	uint64_t running; /* 1: its worker has not ended in order */
	uint64_t started_us, alive_us;
	uint64_t taken, safe; /* packets */
	uint64_t reading[LEDGER_PORTS_MAX]; /* sequence of the block in work; 0: none */
};

/* In the parent: the descriptor. */
int ledger_make(struct fault *);
/* In the process: the page as its predecessor left it, all zero when there was none. */
int ledger_open(struct ledger **, int fd, struct fault *);
/* Begins a new one on the same page. */
void ledger_begin(struct ledger *, uint64_t now_us);
void ledger_close(struct ledger *); /* in order: nothing is missing */
