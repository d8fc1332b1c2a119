/*
 * Checks of command servers: takes a lease with an order (bus/check.h), makes its connections one after the
 * other, tells what came back.
 *
 * Each connection says one thing or nothing, at once, hears at most CHECK_ANSWER_MAX bytes, and is cut off.
 * So nothing that a server says is ever answered.
 */
#pragma once
#include "active/servers/verdict.h"
#include "base/address.h"
#include "control/policy.h"
#include "event/event.h"
#include <uv.h>

#define CHECKS_MAX 64 /* at once */

struct checks;

struct checks_options {
	const struct server_fingerprints *fingerprints; /* the caller's */
	uint64_t connect_timeout_ms, idle_ms, pause_ms;
};

struct checks_hooks {
	void *arg;
	int (*publish)(void *arg, struct event *); /* gives the event its id */
	/* It is over: the result, and the packets that it cost.  0: nothing was sent. */
	void (*done)(void *arg, const struct lease *, const struct check_result *, uint16_t packets);
};

int checks_open(struct checks **, uv_loop_t *, const struct checks_options *, const struct checks_hooks *); /* 0 or ERR_MEMORY */
/* 0; ERR_FULL: as many run as may; ERR_BAD: the lease is over, or names another number of ports than two. */
int checks_give(struct checks *, const struct lease *, const struct check_order *);
void checks_revoke(struct checks *, const struct prefix *); /* ends them at once */
size_t checks_running(const struct checks *);
void checks_close(struct checks *, void (*closed)(void *arg), void *arg);
