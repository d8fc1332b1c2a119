/*
 * A room over real sockets, with a bus whose far end is a journal in the same loop: what the
 * tests of the room share.
 */
#pragma once
#include "passive/room/room_inner.h"
#include "tests/test.h"
#include "base/clock.h"
#include <jansson.h>

#define PATIENCE_MS 20000
#define EVENTS_MAX 20000

struct journal {
	struct bus *bus;
	json_t *events[EVENTS_MAX];
	size_t count;
	struct event event;
	uint8_t blobs[1u << 20]; /* all pieces, as they came */
	size_t blobs_len;
	unsigned pieces, refuse_pieces;
	bool deaf; /* acknowledges nothing */
	struct bus_peer *peer;
	uint64_t sequence;
};

struct stage_set { /* a room and all around it */
	uv_loop_t loop;
	struct room *room;
	struct process process;
	struct process_fd fds[8];
	struct config config;
	struct journal *journal;
	uint16_t port;
	bool left;
};

#define UNTIL(set, condition)                                                                      \
	do {                                                                                       \
		uint64_t start_us = clock_mono_us();                                               \
		while (!(condition)) {                                                             \
			turn(set);                                                                 \
			CHECK_SAY(clock_mono_us() - start_us < PATIENCE_MS * 1000u,                \
			          "waited for %s", #condition);                                    \
		}                                                                                  \
	} while (0)

/* `extra` goes into the section `passive`, each line indented by two spaces. */
struct stage_set *stage_set_open(const char *extra);
void stage_set_close(struct stage_set *set);
void turn(struct stage_set *set); /* of the loop, and a little rest */
void on_left(void *arg);

/* A client's socket: from and to are IPv4 in host order. */
int dial(const struct stage_set *set, uint32_t from, uint32_t to, int type);
int caller(const struct stage_set *set); /* 127.0.0.1 to itself, TCP */
/* Sends, and reads until the answer has come; "" waits for the end of the stream. */
void talk(struct stage_set *set, int fd, const char *say, const char *answer);

const char *text_of(json_t *e, const char *field); /* "" when absent */
long long number_of(json_t *e, const char *field);
json_t *event_of(const struct journal *j, const char *kind, size_t nth); /* NULL: not told */
