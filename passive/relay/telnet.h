/* A Telnet session that goes on at a backend: both ends' options, the way in, what is typed. */
#pragma once
#include "passive/relay/entry.h"
#include "passive/relay/telnet_end.h"
#include "passive/relay/watch.h"

struct telnet_relay;

enum telnet_relayed {
	TELNET_RELAY_ON,
	TELNET_RELAY_FAILED, /* the visitor is still the emulator's */
	TELNET_RELAY_OVER,
};

/*
 * Asks for the backend; input waits until the visitor is through.  NULL: it cannot be had.  With
 * no plan the visitor speaks with the backend from the first byte on, and logs in there.
 */
struct telnet_relay *telnet_relay_ask(struct session *, const struct entry_plan *);
enum telnet_relayed telnet_relay_hear(struct session *, struct telnet_relay *, enum relay_event, struct bytes came);
void telnet_relay_input(struct session *, struct telnet_relay *, struct bytes);
bool telnet_relay_is_through(const struct telnet_relay *); /* NULL: not */
void telnet_relay_close(struct session *, struct telnet_relay *);
