/*
 * The first packet of an account of dark traffic, as far as the account knows it: addresses, ports, TTL, flags, and of a
 * SYN its window and options (JA4T).  Payloads are private, so a packet ends behind its headers.
 */
#pragma once
#include "event/event.h"

#define REBUILT_MAX 128

struct rebuilt {
	uint8_t bytes[REBUILT_MAX]; /* from the IP header on */
	size_t len;      /* what is there */
	size_t len_wire; /* what it was, as far as all packets of the account had one length; else `len` */
};

/* False: the event does not say who sent what. */
bool packet_rebuild(const struct event *, struct rebuilt *);
