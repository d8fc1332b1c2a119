/*
 * A port together with its transport, in one number: TCP ports as they are, UDP ports with
 * PORT_UDP added.  As text "80" or "161/udp" ("80/tcp" is read, too).
 */
#pragma once
#include "base/bytes.h"

#define PORT_UDP 0x10000u
#define PORT_TEXT_MAX sizeof "65535/udp"

static inline uint16_t port_number(uint32_t port) { return (uint16_t)port; }
static inline bool port_is_udp(uint32_t port) { return port & PORT_UDP; }

bool port_is_valid(uint32_t port); /* 1 to 65535, of TCP or UDP */
bool port_parse(struct bytes text, uint32_t *port); /* false, and nothing is changed: not a port */
bool ports_hold_udp(const uint32_t *ports, size_t count);
void port_write(uint32_t port, struct writer *);
