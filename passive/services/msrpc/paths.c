/*
 * srvsvc's work on paths.  A path that climbs above its root was MS08-067, which Conficker spread
 * by; who has the update refuses every "\..", and so do all editions here.
 */
#include "passive/services/msrpc/rpc.h"

enum { ERROR_INVALID_PARAMETER = 87, ERROR_INVALID_NAME = 123 };
#define CANONICAL_MAX 8192u /* bytes of the answer's buffer, which the client chooses */

struct path {
	struct bytes wide; /* UTF-16LE as it came: shellcode is no text */
	bool climbs, escapes;
};

static struct path path_read(struct rpc_call *c, const uint8_t *stub)
{
	struct path p = {0};
	rpc_read_align(&c->in, stub, 4);
	read_bytes(&c->in, 8);
	size_t units = read_le32(&c->in);
	p.wide = read_bytes(&c->in, 2 * units);
	rpc_read_align(&c->in, stub, 4);
	int depth = 0;
	for (size_t i = 0; i + 6 <= p.wide.len; i += 2) {
		if (p.wide.at[i] != '\\' || p.wide.at[i + 1])
			continue;
		bool up = memcmp(p.wide.at + i, "\\\0.\0.", 6) == 0;
		p.climbs |= up;
		depth += up ? -1 : 1;
		p.escapes |= depth < 0;
	}
	return p;
}

static void tell_path(struct rpc_call *c, const struct path *p)
{
	if (!p->climbs)
		return;
	rpc_tell_rule(c, p->escapes ? "ms08-067" : "ms08-067-probe", "srvsvc: a path with \"\\..\"");
	if (p->escapes)
		session_capture(c->session, p->wide, (struct bytes){0}, (struct bytes){0}, "ms08-067");
}

uint32_t rpc_path_type(struct rpc_call *c)
{
	const uint8_t *stub = c->in.at;
	char server[128];
	rpc_read_unique_string(&c->in, stub, server, sizeof server);
	struct path p = path_read(c, stub);
	tell_path(c, &p);
	write_le32(c->out, p.climbs ? 0 : 0x1002); /* ITYPE_PATH_ABSND */
	write_le32(c->out, p.climbs ? ERROR_INVALID_NAME : 0);
	return 0;
}

uint32_t rpc_path_canonicalize(struct rpc_call *c)
{
	const uint8_t *stub = c->in.at;
	char server[128];
	rpc_read_unique_string(&c->in, stub, server, sizeof server);
	struct path p = path_read(c, stub);
	uint32_t room = read_le32(&c->in);
	struct path prefix = path_read(c, stub);
	if (c->in.bad)
		return RPC_FAULT_BAD_STUB;
	tell_path(c, p.climbs ? &p : &prefix);
	size_t len = prefix.wide.len + p.wide.len;
	bool refused = p.climbs || prefix.climbs, fits = room <= CANONICAL_MAX && len <= room;
	room = refused || !fits ? 0 : room;
	write_le32(c->out, room);
	if (room) {
		write_span(c->out, prefix.wide);
		write_span(c->out, p.wide);
		write_zero(c->out, room - len);
	}
	write_align(c->out, 0, 4);
	write_le32(c->out, refused ? 0 : 0x1002);
	write_le32(c->out, refused ? ERROR_INVALID_NAME : fits ? 0 : ERROR_INVALID_PARAMETER);
	return 0;
}

uint32_t rpc_path_compare(struct rpc_call *c)
{
	const uint8_t *stub = c->in.at;
	char server[128];
	rpc_read_unique_string(&c->in, stub, server, sizeof server);
	struct path one = path_read(c, stub), other = path_read(c, stub);
	if (c->in.bad)
		return RPC_FAULT_BAD_STUB;
	tell_path(c, one.climbs ? &one : &other);
	if (one.climbs || other.climbs)
		write_le32(c->out, ERROR_INVALID_NAME);
	else
		write_le32(c->out, bytes_equal(one.wide, other.wide) ? 0 : UINT32_MAX);
	return 0;
}
