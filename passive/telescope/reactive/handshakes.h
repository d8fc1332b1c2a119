/*
 * Completed handshakes: a table of fixed size, so that each is told once.
 *
 * A handshake waits for the first payload, is told, and stays a while so that what is sent again
 * is known.  When its set of places is full, the one that was told longest ago makes room; if all
 * of them still wait, the oldest is told without a payload.
 */
#pragma once
#include "passive/telescope/reactive.h"
#include "passive/telescope/reactive/answer.h"

enum handshake_state { HANDSHAKE_FREE, HANDSHAKE_WAITS, HANDSHAKE_TOLD };

struct handshake {
	enum handshake_state state;
	struct reactive_proof proof;
	struct turned turned;
	uint32_t sequence; /* ours, with which a RST goes out */
	uint32_t theirs;   /* what they would send next */
};

struct handshakes {
	struct handshake *items;
	uint64_t key;
	size_t waiting;
	uint64_t looked_us; /* when the silent ones were last looked for */
};

int handshakes_open(struct handshakes *);
void handshakes_close(struct handshakes *);
struct handshake *handshakes_find(const struct handshakes *, const struct address *source, uint16_t source_port,
				  const struct address *destination, uint16_t port, uint64_t now_us);
/* The place that a new one with these ends takes; what still waits there must be told first. */
struct handshake *handshakes_place(const struct handshakes *, const struct address *source,
				   uint16_t source_port, const struct address *destination, uint16_t port,
				   uint64_t now_us);
