/*
 * What a UDP port is asked: the smallest ordinary question of its protocol, and where it carries a
 * number of the asker's that the answer repeats.  None of them writes, and none is one that is
 * known for answers many times its size (no DNS ANY, no NTP monlist, no SNMP bulk, no SSDP ssdp:all).
 *
 * The industrial ones are those of the prober's opt-in tier.
 */
#include "active/scan/packet_inner.h"

#define MARK "\0\0\0\0\0\0\0\0"

static const struct scan_question questions[] = {
	/* RFC 1035 4.1: A of example.com, recursion desired. */
	{53, BYTES("\0\0\1\0\0\1\0\0\0\0\0\0\7example\3com\0\0\1\0\1"), .mark_at = 0, .mark_length = 2},
	/* RFC 5905 7.3: version 4, client; the transmit time comes back as the origin. */
	{123, BYTES("\x23\0\x06\xec\0\0\0\0\0\0\0\0\0\0\0\0" MARK MARK MARK MARK), .mark_at = 40, .mark_length = 8,
	 .answer_at = 24},
	/* RFC 3414 4: discovery of the engine, which needs no community; the message's id. */
	{161, BYTES("\x30\x3e\2\1\3\x30\x11\2\4\0\0\0\0\2\3\0\xff\xe3\4\1\4\2\1\3\4\x10\x30\x0e\4\0\2\1\0\2\1\0\4\0"
		    "\4\0\4\0\x30\x14\4\0\4\0\xa0\x0e\2\4\x13\x37\0\1\2\1\0\2\1\0\x30\0"),
	 .mark_at = 9, .mark_length = 4, .answer_at = 9},
	/* UPnP Device Architecture 1.1, 1.3.2. */
	{1900, BYTES("M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 3\r\n"
		     "ST: upnp:rootdevice\r\n\r\n"), .mark_length = 0},
	/* RFC 8489 5: binding request. */
	{3478, BYTES("\0\1\0\0\x21\x12\xa4\x42\0\0\0\0" MARK), .mark_at = 12, .mark_length = 8, .answer_at = 12},
	/* RFC 7252: confirmable GET /.well-known/core with a token of 8 bytes. */
	{5683, BYTES("\x48\1\x4b\x4f" MARK "\xbb.well-known\4core"), .mark_at = 4, .mark_length = 8, .answer_at = 4},
	/* memcached's protocol.txt, "UDP protocol": request id, then one datagram of one. */
	{11211, BYTES("\0\0\0\0\0\1\0\0version\r\n"), .mark_at = 0, .mark_length = 2, .answer_at = 0},
	/* Omron W342: controller data read, model and version. */
	{9600, BYTES("\x80\0\2\0\0\0\0\x63\0\xef\5\1\0"), .industrial = true},
	/* The EtherNet/IP specification, 2-4.2 ListIdentity; the sender's context. */
	{44818, BYTES("\x63\0\0\0\0\0\0\0\0\0\0\0" MARK "\0\0\0\0"), .mark_at = 12, .mark_length = 8, .answer_at = 12,
	 .industrial = true},
	/* ASHRAE 135, ReadProperty of the wildcard device's object-identifier. */
	{47808, BYTES("\x81\x0a\0\x11\1\4\0\5\1\x0c\x0c\2\x3f\xff\xff\x19\x4b"), .industrial = true},
};

/* Their devices have stopped at protocols that they did not know (docs/scanning.md). */
static const uint16_t industrial_ports[] = {
	102, 502, 789, 1089, 1090, 1091, 1911, 1962, 2222, 2404, 4000, 4840, 4911, 5006, 5007, 5094, 9600, 18245, 18246,
	20000, 20547, 34962, 34963, 34964, 34980, 44818, 47808, 55000, 55003,
};

const struct scan_question *scan_question_of(uint16_t port)
{
	for (size_t i = 0; i < sizeof questions / sizeof *questions; i++)
		if (questions[i].port == port)
			return &questions[i];
	return NULL;
}

struct bytes scan_payload_of(uint16_t port)
{
	const struct scan_question *q = scan_question_of(port);
	return q ? q->bytes : (struct bytes){0};
}

bool scan_port_is_industrial(uint16_t port)
{
	for (size_t i = 0; i < sizeof industrial_ports / sizeof *industrial_ports; i++)
		if (industrial_ports[i] == port)
			return true;
	return false;
}
