/*
 * What is behind the pipes srvsvc, wkssvc and svcctl: who the machine is, what it shares, and
 * services that attackers install to have their file run.  Those are told and "run"; nothing is.
 */
#include "passive/services/msrpc/rpc.h"

enum { ERROR_ACCESS_DENIED = 5, ERROR_INVALID_HANDLE = 6, ERROR_INVALID_LEVEL = 124 };
enum { NAME_NOT_FOUND = 2310 };
enum { HANDLE_MANAGER = 0x11, HANDLE_SERVICE = 0x12 };

#define LEVELS_POINTER 0x20000

static uint32_t platform(struct rpc_call *c, struct writer *w, uint32_t level, bool server)
{
	const struct windows_system *o = c->place->system;
	uint32_t type = o->server ? 0x9003 : 0x1003;
	write_le32(w, level);
	write_le32(w, LEVELS_POINTER);
	write_le32(w, 500);
	write_le32(w, LEVELS_POINTER + 4);
	if (!server)
		write_le32(w, LEVELS_POINTER + 8);
	write_le32(w, o->major);
	write_le32(w, o->minor);
	if (server) {
		write_le32(w, type);
		write_le32(w, LEVELS_POINTER + 8);
	}
	rpc_write_string(w, c->place->host.computer);
	rpc_write_string(w, server ? "" : c->place->host.dns_forest[0] ? c->place->host.domain
								       : "WORKGROUP");
	write_le32(w, 0);
	return 0;
}

/* NetrShareEnum at levels 0, 1 and 2 (MS-SRVS 3.1.4.8). */
static uint32_t share_enum(struct rpc_call *c)
{
	const uint8_t *stub = c->in.at;
	char name[128];
	struct writer *w = c->out;
	size_t count = c->place->share_count;
	rpc_read_unique_string(&c->in, stub, name, sizeof name);
	uint32_t level = read_le32(&c->in);
	if (c->in.bad)
		return RPC_FAULT_BAD_STUB;
	bool known = level <= 2, denied = level == 2 && !c->place->signed_in;
	write_le32(w, level);
	write_le32(w, level);
	write_le32(w, LEVELS_POINTER);
	if (!known || denied)
		count = 0;
	write_le32(w, count);
	write_le32(w, count ? LEVELS_POINTER + 4 : 0);
	if (count)
		write_le32(w, count);
	for (size_t i = 0; i < count; i++) {
		const struct rpc_share *share = &c->place->shares[i];
		write_le32(w, LEVELS_POINTER + 8 + 16 * i);
		if (level == 0)
			continue;
		write_le32(w, share->type);
		write_le32(w, LEVELS_POINTER + 12 + 16 * i);
		if (level == 2) {
			write_le32(w, 0);
			write_le32(w, UINT32_MAX);
			write_le32(w, 0);
			write_le32(w, LEVELS_POINTER + 16 + 16 * i);
			write_le32(w, 0);
		}
	}
	for (size_t i = 0; i < count; i++) {
		rpc_write_string(w, c->place->shares[i].name);
		if (level)
			rpc_write_string(w, c->place->shares[i].comment);
		if (level == 2)
			rpc_write_string(w, "");
	}
	write_le32(w, count);
	write_le32(w, 0); /* no resume handle */
	write_le32(w, !known ? ERROR_INVALID_LEVEL : denied ? ERROR_ACCESS_DENIED : 0);
	return 0;
}

static uint32_t share_get(struct rpc_call *c)
{
	const uint8_t *stub = c->in.at;
	char server[128], name[96];
	rpc_read_unique_string(&c->in, stub, server, sizeof server);
	struct bytes wanted = rpc_read_string(&c->in, stub, name, sizeof name);
	uint32_t level = read_le32(&c->in);
	const struct rpc_share *found = NULL;
	for (size_t i = 0; i < c->place->share_count; i++)
		if (names_equal(wanted, bytes_of_text(c->place->shares[i].name)))
			found = &c->place->shares[i];
	if (c->in.bad)
		return RPC_FAULT_BAD_STUB;
	write_le32(c->out, level);
	write_le32(c->out, found && level == 1 ? LEVELS_POINTER : 0);
	if (found && level == 1) {
		write_le32(c->out, LEVELS_POINTER + 4);
		write_le32(c->out, found->type);
		write_le32(c->out, LEVELS_POINTER + 8);
		rpc_write_string(c->out, found->name);
		rpc_write_string(c->out, found->comment);
	}
	write_le32(c->out, !found ? NAME_NOT_FOUND : level == 1 ? 0 : ERROR_ACCESS_DENIED);
	return 0;
}

/* NetrRemoteTOD (MS-SRVS 2.2.4.105). */
static uint32_t time_of_day(struct rpc_call *c)
{
	uint64_t s = session_time_us(c->session) / 1000000;
	uint64_t day = s / 86400, z = day + 719468, era = z / 146097, of_era = z % 146097;
	uint64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	uint64_t of_year = of_era - (365 * year + year / 4 - year / 100), m = (5 * of_year + 2) / 153;
	uint64_t month = m < 10 ? m + 3 : m - 9;
	const uint64_t parts[] = {s,
				  (session_time_us(c->session) - windows_boot_us(c->session)) / 1000,
				  s / 3600 % 24,
				  s / 60 % 60,
				  s % 60,
				  0,
				  0,
				  310,
				  of_year - (153 * m + 2) / 5 + 1,
				  month,
				  year + era * 400 + (month <= 2),
				  (day + 4) % 7};
	write_le32(c->out, LEVELS_POINTER);
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		write_le32(c->out, parts[i]);
	write_le32(c->out, 0);
	return 0;
}

static uint32_t srvsvc_call(struct rpc_call *c)
{
	const uint8_t *stub = c->in.at;
	char name[128];
	switch (c->operation) {
	case 15:
	case 36:
		return share_enum(c);
	case 16:
		return share_get(c);
	case 21:
		rpc_read_unique_string(&c->in, stub, name, sizeof name);
		if (read_le32(&c->in) != 101 || c->in.bad)
			return RPC_FAULT_DENIED;
		return platform(c, c->out, 101, true);
	case 28:
		return time_of_day(c);
	case 30:
		return rpc_path_type(c);
	case 31:
		return rpc_path_canonicalize(c);
	case 32:
		return rpc_path_compare(c);
	}
	return c->operation < 58 ? RPC_FAULT_DENIED : RPC_FAULT_RANGE;
}

static uint32_t wkssvc_call(struct rpc_call *c)
{
	const uint8_t *stub = c->in.at;
	char name[128];
	if (c->operation != 0)
		return c->operation < 31 ? RPC_FAULT_DENIED : RPC_FAULT_RANGE;
	rpc_read_unique_string(&c->in, stub, name, sizeof name);
	if (read_le32(&c->in) != 100 || c->in.bad)
		return RPC_FAULT_DENIED;
	return platform(c, c->out, 100, false);
}

/* RCreateServiceW (MS-SCMR 3.1.4.12): the path of the program is what the attacker wants run. */
static uint32_t service_create(struct rpc_call *c)
{
	const uint8_t *stub = c->in.at;
	char name[128], shown[256], program[700];
	rpc_read_handle(&c->in);
	rpc_read_string(&c->in, stub, name, sizeof name);
	rpc_read_unique_string(&c->in, stub, shown, sizeof shown);
	read_bytes(&c->in, 16); /* access, type, start, error control */
	rpc_read_string(&c->in, stub, program, sizeof program);
	if (c->in.bad)
		return RPC_FAULT_BAD_STUB;
	rpc_tell(c, "svcctl: create service \"%s\": %s", name, program);
	write_le32(c->out, 0);
	rpc_write_handle(c->out, c, HANDLE_SERVICE);
	write_le32(c->out, 0);
	return 0;
}

static void service_status(struct writer *w, bool runs)
{
	write_le32(w, 0x10);
	write_le32(w, runs ? 4 : 1);
	write_le32(w, runs ? 1 : 0);
	write_zero(w, 16);
	write_le32(w, 0);
}

static uint32_t service_open(struct rpc_call *c)
{
	const uint8_t *stub = c->in.at;
	char name[128];
	rpc_read_handle(&c->in);
	rpc_read_string(&c->in, stub, name, sizeof name);
	if (c->in.bad)
		return RPC_FAULT_BAD_STUB;
	rpc_tell(c, "svcctl: open service \"%s\"", name);
	write_zero(c->out, 20);
	write_le32(c->out, 1060); /* ERROR_SERVICE_DOES_NOT_EXIST: then they create theirs */
	return 0;
}

static uint32_t svcctl_call(struct rpc_call *c)
{
	if (!c->place->signed_in)
		return RPC_FAULT_DENIED;
	switch (c->operation) {
	case 0: /* RCloseServiceHandle gives an empty one back */
		write_zero(c->out, 24);
		return 0;
	case 1:
		service_status(c->out, false);
		return 0;
	case 2:
	case 19:
		write_le32(c->out, rpc_read_handle(&c->in) == HANDLE_SERVICE ? 0 : ERROR_INVALID_HANDLE);
		return 0;
	case 6:
		service_status(c->out, true);
		return 0;
	case 12:
		return service_create(c);
	case 15:
		rpc_write_handle(c->out, c, HANDLE_MANAGER);
		write_le32(c->out, 0);
		return 0;
	case 16:
		return service_open(c);
	}
	return c->operation < 65 ? RPC_FAULT_DENIED : RPC_FAULT_RANGE;
}

static const char *const srvsvc_operations[] = {
	"", "", "", "", "", "", "", "", "NetrConnectionEnum", "NetrFileEnum", "", "",
	"NetrSessionEnum", "", "NetrShareAdd", "NetrShareEnum", "NetrShareGetInfo", "NetrShareSetInfo",
	"NetrShareDel", "", "", "NetrServerGetInfo", "NetrServerSetInfo", "", "", "", "", "",
	"NetrRemoteTOD", "", "NetprPathType", "NetprPathCanonicalize", "NetprPathCompare", NULL};
static const char *const wkssvc_operations[] = {"NetrWkstaGetInfo", NULL};
static const char *const svcctl_operations[] = {
	"RCloseServiceHandle", "RControlService", "RDeleteService", "", "", "", "RQueryServiceStatus",
	"", "", "", "", "", "RCreateServiceW", "", "", "ROpenSCManagerW", "ROpenServiceW",
	"RQueryServiceConfigW", "", "RStartServiceW", NULL};

const struct rpc_interface rpc_srvsvc = {
	.name = "srvsvc",
	.uuid = {0xc8, 0x4f, 0x32, 0x4b, 0x70, 0x16, 0xd3, 0x01, 0x12, 0x78, 0x5a, 0x47, 0xbf, 0x6e,
		 0xe1, 0x88},
	.major = 3,
	.operations = srvsvc_operations,
	.call = srvsvc_call,
};
const struct rpc_interface rpc_wkssvc = {
	.name = "wkssvc",
	.uuid = {0x98, 0xd0, 0xff, 0x6b, 0x12, 0xa1, 0x10, 0x36, 0x98, 0x33, 0x46, 0xc3, 0xf8, 0x7e,
		 0x34, 0x5a},
	.major = 1,
	.operations = wkssvc_operations,
	.call = wkssvc_call,
};
const struct rpc_interface rpc_svcctl = {
	.name = "svcctl",
	.uuid = {0x81, 0xbb, 0x7a, 0x36, 0x44, 0x98, 0xf1, 0x35, 0xad, 0x32, 0x98, 0xf0, 0x38, 0x00,
		 0x10, 0x03},
	.major = 2,
	.operations = svcctl_operations,
	.call = svcctl_call,
};
