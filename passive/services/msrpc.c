/*
 * Endpoint mapper of Windows on TCP 135.
 *
 * Answers which interfaces the machine has and where; every other interface is refused as one
 * that nobody has registered, and told with its UUID, since that names the exploit.
 */
#include "passive/services/msrpc/rpc.h"

#define PDU_MAX 16384 /* Windows reassembles no more before a bind */

struct msrpc {
	struct rpc_place place;
	struct rpc rpc;
};

static enum service_next msrpc_open(struct session *s, void *state)
{
	struct msrpc *m = state;
	m->place.system = windows_host(s, session_device(s), &m->place.host);
	rpc_start(&m->rpc, &m->place, true, session_random(s));
	return SERVICE_CONTINUE;
}

static enum service_next msrpc_input(struct session *s, void *state, struct reader *r)
{
	struct msrpc *m = state;
	uint8_t room[RPC_ANSWER_MAX];
	while (reader_left(r)) {
		struct bytes rest = {r->at, reader_left(r)};
		size_t len = rpc_length(rest);
		struct writer w = writer_of(room, sizeof room);
		if (rest.at[0] != 5 && rest.len < RPC_HEAD)
			break;
		if (len > PDU_MAX) {
			if (rest.len >= RPC_HEAD && rest.at[0] != 5)
				rpc_answer_version(rest, &w);
			session_say_bytes(s, writer_bytes(&w));
			return SERVICE_CLOSE;
		}
		if (len == 0 || len > rest.len)
			break;
		rpc_answer(s, &m->rpc, read_bytes(r, len), "135", &w);
		if (w.bad)
			return SERVICE_CLOSE;
		session_say_bytes(s, writer_bytes(&w));
	}
	return SERVICE_CONTINUE;
}

static bool msrpc_claims(struct bytes first)
{
	return first.len >= RPC_HEAD && first.at[0] == 5 && first.at[1] <= 1 && first.at[2] == 11 &&
	       first.at[4] == 0x10;
}

static const struct option msrpc_device[] = {
	WINDOWS_IDENTITY_OPTIONS,
	{0},
};

static const struct service msrpc = {
	.name = "msrpc",
	.summary = "endpoint mapper of Windows",
	.reference = "C706, MS-RPCE; Windows 7 and later",
	.transports = TRANSPORT_TCP,
	.ports = {135},
	.state_size = sizeof(struct msrpc),
	.input_max = PDU_MAX + 1,
	.output_max = 128 * 1024,
	.arena_max = 16 * 1024,
	.idle_ms_max = 300 * 1000,
	.session_ms_max = 1800 * 1000,
	.device = msrpc_device,
	.device_size = sizeof(struct windows_identity),
	.open = msrpc_open,
	.input = msrpc_input,
	.claims = msrpc_claims,
	.exchanges = msrpc_exchanges,
};
SERVICE(msrpc);
