/*
 * The endpoint mapper (C706 annex O; MS-RPCE 2.2.1.2): what interfaces the machine has and where.
 * The list is that of every Windows since Vista; ports begin where the edition's dynamic range does.
 */
#include "passive/services/msrpc/rpc.h"

#define NOT_REGISTERED 0x16c9a0d6 /* ept_s_not_registered */
#define TOWER_MAX 160

enum floor_kind { OVER_TCP, OVER_PIPE, OVER_LRPC };

struct endpoint {
	const char *uuid; /* as people write it */
	uint16_t major, minor;
	const char *note;
	enum floor_kind over;
	const char *name; /* pipe or LRPC port; over TCP its place in the dynamic range */
};

static const struct endpoint endpoints[] = {
	{"d95afe70-a6d5-4259-822e-2c84da1ddb0d", 1, 0, "", OVER_TCP, "0"},
	{"d95afe70-a6d5-4259-822e-2c84da1ddb0d", 1, 0, "", OVER_LRPC, "WindowsShutdown"},
	{"d95afe70-a6d5-4259-822e-2c84da1ddb0d", 1, 0, "", OVER_PIPE, "\\PIPE\\InitShutdown"},
	{"76f226c3-ec14-4325-8a99-6a46348418af", 1, 0, "", OVER_LRPC, "WindowsShutdown"},
	{"76f226c3-ec14-4325-8a99-6a46348418af", 1, 0, "", OVER_PIPE, "\\PIPE\\InitShutdown"},
	{"f6beaff7-1e19-4fbb-9f8f-b89e2018337c", 1, 0, "Event log TCPIP", OVER_TCP, "1"},
	{"f6beaff7-1e19-4fbb-9f8f-b89e2018337c", 1, 0, "Event log TCPIP", OVER_PIPE,
	 "\\pipe\\eventlog"},
	{"3c4728c5-f0ab-448b-bda1-6ce01eb0a6d5", 1, 0, "DHCP Client LRPC Endpoint", OVER_LRPC,
	 "dhcpcsvc"},
	{"3c4728c5-f0ab-448b-bda1-6ce01eb0a6d6", 1, 0, "DHCPv6 Client LRPC Endpoint", OVER_LRPC,
	 "dhcpcsvc6"},
	{"30adc50c-5cbc-46ce-9a0e-91914789e23c", 1, 0, "NRP server endpoint", OVER_PIPE,
	 "\\pipe\\eventlog"},
	{"12345778-1234-abcd-ef00-0123456789ac", 1, 0, "", OVER_TCP, "3"},
	{"12345778-1234-abcd-ef00-0123456789ac", 1, 0, "", OVER_PIPE, "\\pipe\\lsass"},
	{"12345778-1234-abcd-ef00-0123456789ac", 1, 0, "", OVER_LRPC, "samss lpc"},
	{"367abb81-9844-35f1-ad32-98f038001003", 2, 0, "", OVER_TCP, "4"},
	{"86d35949-83c9-4044-b424-db363231fd0c", 1, 0, "", OVER_TCP, "2"},
	{"86d35949-83c9-4044-b424-db363231fd0c", 1, 0, "", OVER_PIPE, "\\PIPE\\atsvc"},
	{"378e52b0-c0a9-11cf-822d-00aa0051e40f", 1, 0, "", OVER_PIPE, "\\PIPE\\atsvc"},
	{"1ff70682-0a51-30e8-076d-740be8cee98b", 1, 0, "", OVER_PIPE, "\\PIPE\\atsvc"},
	{"a398e520-d59a-4bdd-aa7a-3c1e0303a511", 1, 0, "IKE/Authip API", OVER_TCP, "2"},
	{"552d076a-cb29-4e44-8b6a-d15e59e2c0af", 1, 0, "IP Transition Configuration endpoint",
	 OVER_PIPE, "\\PIPE\\srvsvc"},
	{"6b5bdd1e-528c-422c-af8c-a4079be4fe48", 1, 0, "Remote Fw APIs", OVER_TCP, "5"},
	{"58e604e8-9adb-4d2e-a464-3b0683fb1480", 1, 0, "AppInfo", OVER_LRPC,
	 "LRPC-1c0e9a1eb24f1ac3d6"},
	{"5f54ce7d-5b79-4175-8584-cb65313a0e98", 1, 0, "AppInfo", OVER_LRPC,
	 "LRPC-1c0e9a1eb24f1ac3d6"},
	{"b58aa02e-2884-4e97-8176-4ee06d794184", 1, 0, "", OVER_LRPC, "trkwks"},
};
enum { ENDPOINTS = sizeof endpoints / sizeof *endpoints };

static unsigned hex_digit(char c) { return c <= '9' ? (unsigned)(c - '0') : (unsigned)(c - 'a') + 10; }

static void uuid_bytes(const char *text, uint8_t out[16])
{
	static const uint8_t order[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
	for (size_t i = 0; i < 16; i++, text += 2) {
		if (*text == '-')
			text++;
		out[order[i]] = (uint8_t)(hex_digit(text[0]) << 4 | hex_digit(text[1]));
	}
}

static void write_floor(struct writer *w, struct bytes left, struct bytes right)
{
	write_le16(w, left.len);
	write_span(w, left);
	write_le16(w, right.len);
	write_span(w, right);
}

static void write_interface_floor(struct writer *w, const uint8_t uuid[16], uint16_t major,
				  uint16_t minor)
{
	uint8_t left[19] = {0x0d}, right[2];
	memcpy(left + 1, uuid, 16);
	little_put(left + 17, major, 2);
	little_put(right, minor, 2);
	write_floor(w, (struct bytes){left, 19}, (struct bytes){right, 2});
}

static uint16_t dynamic_port(const struct rpc_call *c, const char *place)
{
	return (uint16_t)((c->place->system->major >= 10 ? 49664 : 49152) + (place[0] - '0'));
}

static void write_tower(struct rpc_call *c, const struct endpoint *e, struct writer *w)
{
	static const uint8_t ndr[16] = {0x04, 0x5d, 0x88, 0x8a, 0xeb, 0x1c, 0xc9, 0x11,
					0x9f, 0xe8, 0x08, 0x00, 0x2b, 0x10, 0x48, 0x60};
	static const uint8_t nothing[2] = {0};
	uint8_t uuid[16], port[2], host[24] = "\\\\";
	struct bytes name = {(const uint8_t *)e->name, strlen(e->name) + 1};
	uuid_bytes(e->uuid, uuid);
	write_le16(w, e->over == OVER_LRPC ? 4 : 5);
	write_interface_floor(w, uuid, e->major, e->minor);
	write_interface_floor(w, ndr, 2, 0);
	if (e->over == OVER_LRPC) {
		write_floor(w, BYTES("\x0c"), (struct bytes){nothing, 2});
		write_floor(w, BYTES("\x10"), name);
		return;
	}
	write_floor(w, BYTES("\x0b"), (struct bytes){nothing, 2});
	if (e->over == OVER_PIPE) {
		memcpy(host + 2, c->place->host.computer, 16);
		write_floor(w, BYTES("\x0f"), name);
		write_floor(w, BYTES("\x11"),
			    (struct bytes){host, strlen((const char *)host) + 1});
		return;
	}
	uint16_t number = dynamic_port(c, e->name);
	port[0] = (uint8_t)(number >> 8);
	port[1] = (uint8_t)number;
	const struct address *local = session_local(c->session);
	write_floor(w, BYTES("\x07"), (struct bytes){port, 2});
	write_floor(w, BYTES("\x09"), (struct bytes){local->b + 12, 4});
}

static void write_towers(struct rpc_call *c, const struct endpoint *e, struct writer *w)
{
	uint8_t room[TOWER_MAX];
	struct writer tower = writer_of(room, sizeof room);
	write_tower(c, e, &tower);
	write_align(w, 0, 4);
	write_le32(w, writer_used(&tower));
	write_le32(w, writer_used(&tower));
	write_span(w, writer_bytes(&tower));
}

/* ept_lookup: so many entries from where the handle stands; the last answer has an empty one. */
static uint32_t lookup(struct rpc_call *c)
{
	struct writer *w = c->out;
	const uint8_t *stub = c->in.at;
	read_le32(&c->in);
	if (read_le32(&c->in))
		read_bytes(&c->in, 16);
	if (read_le32(&c->in))
		read_bytes(&c->in, 20);
	rpc_read_align(&c->in, stub, 4);
	read_le32(&c->in);
	size_t from = rpc_read_handle(&c->in) & 0xff, most = read_le32(&c->in);
	if (c->in.bad)
		return RPC_FAULT_BAD_STUB;
	size_t count = from < ENDPOINTS ? ENDPOINTS - from : 0;
	count = count < most ? count : most;
	if (from + count < ENDPOINTS)
		rpc_write_handle(w, c, (uint32_t)(0xe00 + from + count));
	else
		write_zero(w, 20);
	write_le32(w, count);
	write_le32(w, most < 500 ? most : 500);
	write_le32(w, 0);
	write_le32(w, count);
	for (size_t i = from; i < from + count; i++) {
		write_align(w, 0, 4);
		write_zero(w, 16);
		write_le32(w, i - from + 3);
		write_le32(w, 0);
		write_le32(w, strlen(endpoints[i].note) + 1);
		write_bytes(w, endpoints[i].note, strlen(endpoints[i].note) + 1);
	}
	for (size_t i = from; i < from + count; i++)
		write_towers(c, &endpoints[i], w);
	write_align(w, 0, 4);
	write_le32(w, count ? 0 : NOT_REGISTERED);
	return 0;
}

/* ept_map: one tower in, the towers of that interface over that transport out. */
static uint32_t map(struct rpc_call *c)
{
	struct writer *w = c->out;
	const uint8_t *stub = c->in.at;
	if (read_le32(&c->in))
		read_bytes(&c->in, 16);
	uint32_t has_tower = read_le32(&c->in);
	read_le32(&c->in);
	size_t len = has_tower ? read_le32(&c->in) : 0;
	struct bytes tower = read_bytes(&c->in, len);
	rpc_read_align(&c->in, stub, 4);
	rpc_read_handle(&c->in);
	size_t most = read_le32(&c->in);
	if (c->in.bad)
		return RPC_FAULT_BAD_STUB;
	const struct endpoint *found = NULL;
	for (size_t i = 0; i < ENDPOINTS && tower.len >= 24 && !found; i++) {
		uint8_t uuid[16];
		uuid_bytes(endpoints[i].uuid, uuid);
		if (endpoints[i].over == OVER_TCP && memcmp(uuid, tower.at + 5, 16) == 0)
			found = &endpoints[i];
	}
	write_zero(w, 20);
	write_le32(w, found ? 1 : 0);
	write_le32(w, most < 500 ? most : 500);
	write_le32(w, 0);
	write_le32(w, found ? 1 : 0);
	if (found) {
		write_le32(w, 3);
		write_towers(c, found, w);
	}
	write_align(w, 0, 4);
	write_le32(w, found ? 0 : NOT_REGISTERED);
	return 0;
}

static uint32_t epm_call(struct rpc_call *c)
{
	switch (c->operation) {
	case 2:
		return lookup(c);
	case 3:
		return map(c);
	case 4: /* ept_lookup_handle_free */
		write_zero(c->out, 24);
		return 0;
	}
	return c->operation < 9 ? RPC_FAULT_DENIED : RPC_FAULT_RANGE;
}

static const char *const epm_operations[] = {"ept_insert", "ept_delete", "ept_lookup",
					     "ept_map", "ept_lookup_handle_free", NULL};

const struct rpc_interface rpc_epm = {
	.name = "epmapper",
	.uuid = {0x08, 0x83, 0xaf, 0xe1, 0x1f, 0x5d, 0xc9, 0x11, 0x91, 0xa4, 0x08, 0x00, 0x2b, 0x14,
		 0xa0, 0xfa},
	.major = 3,
	.over_tcp = true,
	.operations = epm_operations,
	.call = epm_call,
};
