/*
 * DCE/RPC as Windows speaks it (MS-RPCE, C706), behind SMB's named pipes and on TCP 135.
 *
 * rpc_answer() takes whole PDUs and writes what is answered.  Interfaces are told apart by their
 * UUIDs; one that is not here is refused as one that no service has registered.
 */
#pragma once
#include "passive/services/windows/wide.h"
#include "passive/services/windows/system.h"

#define RPC_CONTEXTS_MAX 12
#define RPC_FRAGMENT_MAX 5840 /* of Windows over TCP; 4280 over pipes */
#define RPC_STUB_MAX 28672    /* of one answer */
#define RPC_ANSWER_MAX 32768  /* with its heads */
#define RPC_REQUEST_MAX 65536 /* of one request in all its fragments */
#define RPC_HEAD 16
#define RPC_EVENTS_MAX 64 /* calls and binds of one association that are told */

struct rpc_share {
	const char *name, *comment;
	uint32_t type; /* 0 disk, 3 IPC, 0x80000000 hidden */
};

struct rpc_place { /* where it runs; lives as long as the session */
	const struct windows_system *system;
	struct ntlm_host host;
	const struct rpc_share *shares;
	size_t share_count;
	bool signed_in; /* by more than a null session */
};

struct rpc_interface;

struct rpc {
	const struct rpc_place *place;
	const struct rpc_interface *contexts[RPC_CONTEXTS_MAX];
	uint8_t challenge[8];
	uint32_t association;
	uint16_t fragment_max;
	uint8_t *request; /* of a call that came in fragments, as far as it has come */
	size_t request_len;
	uint8_t told;
	bool over_tcp;
};

struct rpc_call {
	struct session *session;
	const struct rpc_place *place;
	uint16_t operation;
	struct reader in;
	struct writer *out;
	const struct event *told; /* NULL: the session has told enough */
};

struct rpc_interface {
	const char *name;
	uint8_t uuid[16];
	uint16_t major, minor;
	bool over_tcp; /* on 135; the others are behind pipes */
	const char *const *operations; /* names, for events; NULL-terminated, "" where there is none */
	uint32_t (*call)(struct rpc_call *); /* 0, or the status of a fault */
};

extern const struct rpc_interface rpc_epm, rpc_srvsvc, rpc_svcctl, rpc_wkssvc, rpc_lsarpc, rpc_samr,
	rpc_winreg, rpc_atsvc, rpc_spoolss, rpc_netlogon, rpc_eventlog;

enum { RPC_FAULT_RANGE = 0x1c010002, RPC_FAULT_DENIED = 5, RPC_FAULT_BAD_STUB = 0x6f7 };

void rpc_start(struct rpc *, const struct rpc_place *, bool over_tcp, uint64_t association);
/* `address` is the secondary one: "135" or "\\PIPE\\srvsvc". */
void rpc_answer(struct session *, struct rpc *, struct bytes pdu, const char *address,
		struct writer *out);
/* Windows' answer to 16 bytes or more that are of no version it knows; it hangs up then. */
void rpc_answer_version(struct bytes, struct writer *out);
/* Length of the PDU that begins here; 0: too short to tell; SIZE_MAX: it is none. */
size_t rpc_length(struct bytes);

/* NDR: a string behind a pointer that is there, and one in place; cut to the size, as UTF-8. */
struct bytes rpc_read_string(struct reader *, const uint8_t *stub, char *out, size_t size);
struct bytes rpc_read_unique_string(struct reader *, const uint8_t *stub, char *out, size_t size);
void rpc_write_string(struct writer *, const char *text);
void rpc_read_align(struct reader *, const uint8_t *stub, size_t unit);
/* A context handle of ours: looks random, and tells `what` again. */
void rpc_write_handle(struct writer *, const struct rpc_call *, uint32_t what);
uint32_t rpc_read_handle(struct reader *);
extern const struct exchange msrpc_exchanges[];

uint32_t rpc_path_type(struct rpc_call *); /* of srvsvc (paths.c) */
uint32_t rpc_path_canonicalize(struct rpc_call *);
uint32_t rpc_path_compare(struct rpc_call *);

/* The event of an instruction that is an exploit or asks for one. */
void rpc_tell_rule(struct rpc_call *, const char *rule, const char *line);
/* The event of an instruction: `line` is shown to people. */
void rpc_tell(struct rpc_call *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
