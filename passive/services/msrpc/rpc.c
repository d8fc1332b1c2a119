/* PDUs of DCE/RPC: bind, call, fault (C706 12.6; MS-RPCE 2.2.2). */
#include "passive/services/msrpc/rpc.h"

enum packet { REQUEST, RESPONSE = 2, FAULT, BIND = 11, BIND_ACK, BIND_NAK, ALTER, ALTER_ACK, AUTH3 };
enum result { ACCEPTED, REJECTED_BY_PROVIDER = 2, NEGOTIATED };
enum reason { NO_REASON, NO_INTERFACE, NO_SYNTAX };

#define CALLS_AT_ONCE 16

static const struct rpc_interface *const interfaces[] = {
	&rpc_epm,  &rpc_srvsvc, &rpc_svcctl,  &rpc_wkssvc,  &rpc_lsarpc,  &rpc_samr,
	&rpc_winreg, &rpc_atsvc, &rpc_spoolss, &rpc_netlogon, &rpc_eventlog};

static const uint8_t syntax_ndr[20] = {0x04, 0x5d, 0x88, 0x8a, 0xeb, 0x1c, 0xc9, 0x11, 0x9f, 0xe8,
				       0x08, 0x00, 0x2b, 0x10, 0x48, 0x60, 2};
/* Bind time features (MS-RPCE 3.3.1.5.3): the first eight bytes; the rest is a bit mask. */
static const uint8_t syntax_features[8] = {0x2c, 0x1c, 0xb7, 0x6c, 0x12, 0x98, 0x40, 0x45};

void rpc_start(struct rpc *r, const struct rpc_place *place, bool over_tcp, uint64_t association)
{
	*r = (struct rpc){.place = place,
			  .over_tcp = over_tcp,
			  .fragment_max = over_tcp ? RPC_FRAGMENT_MAX : 4280,
			  .association = (uint32_t)(association % 0xffff0 + 0x1000)};
}

size_t rpc_length(struct bytes b)
{
	if (b.len >= 1 && b.at[0] != 5)
		return SIZE_MAX;
	if (b.len < RPC_HEAD)
		return 0;
	size_t len = (size_t)little_get(b.at + 8, 2);
	return len < RPC_HEAD || b.at[4] != 0x10 ? SIZE_MAX : len;
}

static void write_head(struct writer *w, enum packet type, uint8_t flags, uint32_t call)
{
	write_le16(w, 5);
	write_u8(w, (uint8_t)type);
	write_u8(w, flags);
	write_le32(w, 0x10);
	write_le32(w, 0); /* lengths, when they are known */
	write_le32(w, call);
}

static void end_packet(struct writer *w, size_t start, size_t auth_len)
{
	write_little_at(w, start + 8, writer_used(w) - start, 2);
	write_little_at(w, start + 10, auth_len, 2);
}

static const struct rpc_interface *interface_find(const struct rpc *r, struct bytes uuid,
						  uint16_t major)
{
	for (size_t i = 0; i < sizeof interfaces / sizeof *interfaces; i++)
		if (memcmp(interfaces[i]->uuid, uuid.at, 16) == 0 && interfaces[i]->major == major &&
		    interfaces[i]->over_tcp == r->over_tcp)
			return interfaces[i];
	return NULL;
}

static void tell_bind(struct session *s, struct rpc *r, struct bytes uuid, uint16_t major,
		      uint16_t minor, const struct rpc_interface *found)
{
	char line[96];
	if (r->told >= RPC_EVENTS_MAX)
		return;
	r->told++;
	const uint8_t *u = uuid.at;
	int n = snprintf(line, sizeof line,
			 "%08x-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x v%u.%u%s%s",
			 (unsigned)little_get(u, 4), (unsigned)little_get(u + 4, 2),
			 (unsigned)little_get(u + 6, 2), u[8], u[9], u[10], u[11], u[12], u[13], u[14],
			 u[15], major, minor, found ? " " : "", found ? found->name : "");
	struct event *e = session_report(s, EVENT_REQUEST_SEEN);
	event_set_bytes(e, FIELD_METHOD, BYTES("bind"));
	event_set_bytes(e, FIELD_TARGET, (struct bytes){(uint8_t *)line, (size_t)n});
}

/* One offered context: who it is for, and whether its first syntaxes hold one that we speak. */
static void bind_context(struct session *s, struct rpc *r, struct reader *in, struct writer *w)
{
	uint16_t id = read_le16(in);
	uint8_t syntaxes = read_u8(in);
	read_u8(in);
	struct bytes uuid = read_bytes(in, 16);
	uint16_t major = read_le16(in), minor = read_le16(in);
	bool ndr = false, features = false;
	for (unsigned i = 0; i < syntaxes && reader_ok(in); i++) {
		struct bytes syntax = read_bytes(in, 20);
		if (!reader_ok(in))
			return;
		ndr |= memcmp(syntax.at, syntax_ndr, 20) == 0;
		features |= memcmp(syntax.at, syntax_features, 8) == 0;
	}
	if (!reader_ok(in))
		return;
	const struct rpc_interface *found = interface_find(r, uuid, major);
	if (ndr)
		tell_bind(s, r, uuid, major, minor, found);
	bool accepted = found && ndr;
	if (accepted && id < RPC_CONTEXTS_MAX)
		r->contexts[id] = found;
	enum reason reason = accepted ? NO_REASON : found ? NO_SYNTAX : NO_INTERFACE;
	write_le16(w, features ? NEGOTIATED : accepted ? ACCEPTED : REJECTED_BY_PROVIDER);
	write_le16(w, features ? 3 : (unsigned)reason);
	if (accepted)
		write_bytes(w, syntax_ndr, 20);
	else
		write_zero(w, 20);
}

/* NTLM inside the bind: its challenge goes back behind the results (MS-RPCE 2.2.2.11). */
static size_t bind_auth(struct session *s, struct rpc *r, struct bytes auth, struct writer *w)
{
	struct bytes message;
	if (auth.len < 8 || ntlm_find(auth, &message) != NTLM_NEGOTIATE)
		return 0;
	little_put(r->challenge, session_random(s), 8);
	write_align(w, 0, 4);
	write_bytes(w, auth.at, 8);
	size_t start = writer_used(w);
	ntlm_write_challenge(w, &r->place->host, ntlm_negotiate_flags(message), r->challenge,
			     session_time_us(s));
	return writer_used(w) - start;
}

static void answer_nak(struct writer *w, uint32_t call)
{
	size_t start = writer_used(w);
	write_head(w, BIND_NAK, 3, call);
	write_le16(w, 4); /* protocol version not supported: 5.0 is */
	write_u8(w, 1);
	write_le16(w, 5);
	write_zero(w, 3);
	end_packet(w, start, 0);
}

void rpc_answer_version(struct bytes b, struct writer *out)
{
	answer_nak(out, (uint32_t)little_get(b.at + 12, 4));
}

static void answer_bind(struct session *s, struct rpc *r, struct reader *in, struct bytes auth,
			uint32_t call, bool alter, const char *address, struct writer *w)
{
	size_t start = writer_used(w);
	uint16_t theirs = read_le16(in);
	if (theirs >= 1432 && theirs < r->fragment_max) /* MustRecvFragSize */
		r->fragment_max = theirs;
	read_le16(in);
	read_le32(in);
	uint8_t contexts = read_u8(in);
	read_bytes(in, 3);
	write_head(w, alter ? ALTER_ACK : BIND_ACK, 3, call);
	write_le16(w, r->fragment_max);
	write_le16(w, r->fragment_max);
	write_le32(w, r->association);
	size_t address_len = alter ? 0 : strlen(address) + 1;
	write_le16(w, address_len);
	write_bytes(w, address, address_len);
	write_align(w, start, 4);
	write_le32(w, contexts);
	for (unsigned i = 0; i < contexts && reader_ok(in); i++)
		bind_context(s, r, in, w);
	if (!reader_ok(in)) {
		w->at = w->start + start;
		answer_nak(w, call);
		return;
	}
	end_packet(w, start, bind_auth(s, r, auth, w));
	write_little_at(w, start + 8, writer_used(w) - start, 2);
}

static void answer_fault(struct writer *w, uint32_t call, uint16_t context, uint32_t status)
{
	size_t start = writer_used(w);
	write_head(w, FAULT, status == RPC_FAULT_RANGE || status == RPC_FAULT_DENIED ? 0x23 : 3, call);
	write_le32(w, 32);
	write_le16(w, context);
	write_le16(w, 0);
	write_le32(w, status);
	write_le32(w, 0);
	end_packet(w, start, 0);
}

static void answer_stub(const struct rpc *r, struct writer *w, uint32_t call, uint16_t context,
			struct bytes stub)
{
	size_t most = (r->fragment_max - RPC_HEAD - 8u) & ~7u;
	bool first = true;
	do {
		size_t start = writer_used(w), n = stub.len < most ? stub.len : most;
		write_head(w, RESPONSE, (uint8_t)((first ? 1 : 0) | (n == stub.len ? 2 : 0)), call);
		write_le32(w, stub.len);
		write_le16(w, context);
		write_le16(w, 0);
		write_bytes(w, stub.at, n);
		end_packet(w, start, 0);
		stub = (struct bytes){stub.at + n, stub.len - n};
		first = false;
	} while (stub.len);
}

static const char *operation_name(const struct rpc_interface *i, uint16_t operation)
{
	for (uint16_t n = 0; i->operations[n]; n++)
		if (n == operation)
			return i->operations[n];
	return "";
}

enum fragment { FRAGMENT_FIRST = 1, FRAGMENT_LAST = 2 };

/* Puts the fragments of a call together; false: more are to come, or there is no room. */
static bool join(struct session *s, struct rpc *r, uint8_t flags, struct bytes *stub)
{
	if (flags & FRAGMENT_FIRST)
		r->request_len = 0;
	if ((flags & FRAGMENT_LAST) && !r->request_len)
		return true;
	if (!r->request)
		r->request = arena_alloc(session_arena(s), RPC_REQUEST_MAX);
	if (!r->request || stub->len > RPC_REQUEST_MAX - r->request_len)
		return false;
	if (stub->len)
		memcpy(r->request + r->request_len, stub->at, stub->len);
	r->request_len += stub->len;
	*stub = (struct bytes){r->request, r->request_len};
	return flags & FRAGMENT_LAST;
}

static void answer_request(struct session *s, struct rpc *r, struct reader *in, uint8_t flags,
			   uint32_t call, struct writer *w)
{
	uint8_t room[RPC_STUB_MAX];
	struct writer stub = writer_of(room, sizeof room);
	read_le32(in);
	uint16_t context = read_le16(in), operation = read_le16(in);
	if (flags & 0x80)
		read_bytes(in, 16); /* of an object; ours have none */
	struct bytes stub_in = reader_ok(in) ? read_rest(in) : (struct bytes){0};
	if (in->bad || !join(s, r, flags, &stub_in))
		return; /* the last fragment brings the answer */
	const struct rpc_interface *i = context < RPC_CONTEXTS_MAX ? r->contexts[context] : NULL;
	if (!i) {
		answer_fault(w, call, context, 0x1c010003); /* nca_s_unk_if */
		return;
	}
	struct rpc_call c = {s, r->place, operation, reader_of_bytes(stub_in), &stub, NULL};
	if (r->told < RPC_EVENTS_MAX) {
		char line[64];
		int n = snprintf(line, sizeof line, "%s %u %s", i->name, operation,
				 operation_name(i, operation));
		struct event *e = session_report(s, EVENT_COMMAND_SENT);
		event_set_bytes(e, FIELD_COMMAND_LINE,
				bytes_trim((struct bytes){(uint8_t *)line, (size_t)n}));
		c.told = e;
		r->told++;
	}
	uint32_t status = i->call(&c);
	if (!status && (stub.bad || c.in.bad))
		status = RPC_FAULT_BAD_STUB;
	if (status)
		answer_fault(w, call, context, status);
	else
		answer_stub(r, w, call, context, writer_bytes(&stub));
}

static void take_auth(struct session *s, struct rpc *r, struct bytes auth)
{
	struct ntlm_login l = {0};
	struct bytes message;
	uint8_t key[16];
	if (ntlm_find(auth, &message) != NTLM_AUTHENTICATE || !ntlm_read(message, &l))
		return;
	memcpy(l.challenge, r->challenge, 8);
	ntlm_decide(s, NULL, &l, key);
}

static void answer_one(struct session *s, struct rpc *r, struct bytes pdu, const char *address,
		       struct writer *w)
{
	struct reader in = reader_of_bytes(pdu);
	read_le16(&in);
	uint8_t type = read_u8(&in), flags = read_u8(&in);
	read_le32(&in);
	read_le16(&in);
	size_t auth_len = read_le16(&in);
	uint32_t call = read_le32(&in);
	struct bytes auth = {pdu.at, 0};
	if (auth_len && auth_len + 8 + RPC_HEAD <= pdu.len) {
		auth = (struct bytes){pdu.at + pdu.len - auth_len - 8, auth_len + 8};
		in.end -= auth.len;
	}
	switch (type) {
	case BIND:
	case ALTER:
		answer_bind(s, r, &in, auth, call, type == ALTER, address, w);
		return;
	case REQUEST:
		answer_request(s, r, &in, flags, call, w);
		return;
	case AUTH3:
		take_auth(s, r, auth);
	}
}

void rpc_answer(struct session *s, struct rpc *r, struct bytes pdu, const char *address,
		struct writer *out)
{
	for (unsigned n = 0; n < CALLS_AT_ONCE && pdu.len; n++) {
		size_t len = rpc_length(pdu);
		if (len == 0 || len > pdu.len)
			return;
		answer_one(s, r, (struct bytes){pdu.at, len}, address, out);
		pdu = (struct bytes){pdu.at + len, pdu.len - len};
	}
}
