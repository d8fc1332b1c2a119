/* What relay.c and handover.c share: a connection at a backend, and a channel on its way there. */
#pragma once
#include "passive/relay/entry.h"
#include "passive/relay/relay.h"
#include "passive/relay/watch.h"
#include "passive/services/ssh/connection.h"
#include "passive/services/ssh/peer.h"
#include "passive/services/ssh/relay.h"

#define RELAY_PACKET_MAX 32768
#define HANDOVER_NAME 0x40000000u /* our number, at the backend, of the channel that is handed over */

enum relay_way { RELAY_AT_KEYS, RELAY_AT_LOGIN, RELAY_THROUGH };

struct relayed_channel {
	uint32_t visitor, shown; /* its number at the visitor, and what the visitor calls it */
	uint32_t named, backend; /* what the backend calls it, and its number there */
	uint32_t owed;           /* bytes that the visitor may send and the backend has not granted */
	bool open, confirmed, shell, visitor_closed, backend_closed;
	bool renamed;    /* `shown` is of our making: the emulator's channels have numbers, too */
	const char *how; /* of the file that its input is; NULL: a shell's */
	uint8_t *input;
	size_t input_len, input_room;
	struct watch watch;
};

struct handover {
	struct ssh_channel *channel; /* of the emulator; NULL: none */
	bool exec;
	uint32_t backend, used, granted, came; /* bytes of its window; of what it said */
	struct bytes line, unsaid, rest; /* rest: typed behind the line, in the same piece */
	struct entry entry;
};

struct ssh_relay {
	struct ssh_peer peer;
	uint8_t secret[EXCHANGE_RANDOM];
	char version[256];
	uint8_t way;
	struct buffer came;
	struct relayed_channel channels[SSH_CHANNELS_MAX];
	struct handover handover;
};

/* relay.c */
void relay_say_backend(struct ssh *, struct bytes payload);
void relay_visitor_data(struct ssh *, struct relayed_channel *, struct bytes); /* as if it had just come */

/* handover.c */
void handover_open(struct ssh *); /* the backend has let us in */
/* A message about HANDOVER_NAME; false: it cannot be handed over. */
bool handover_take(struct ssh *, uint8_t message, struct reader *);
enum service_next handover_give_up(struct ssh *);
