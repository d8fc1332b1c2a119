/*
 * samr and lsarpc: who has an account here (MS-SAMR, MS-LSAD).  Who has logged in may list the
 * accounts that every Windows has and those of the decoy, which is what is done after a guess.
 */
#include "passive/services/msrpc/rpc.h"
#include "passive/persona.h"

enum { HANDLE_SERVER = 0x30, HANDLE_DOMAIN, HANDLE_BUILTIN, HANDLE_POLICY, HANDLE_USER = 0x10000 };
enum { RID_ADMINISTRATOR = 500, RID_GUEST, RID_KRBTGT, RID_FIRST = 1000 };
enum { LEVEL_PRIMARY_DOMAIN = 3, LEVEL_ACCOUNT_DOMAIN = 5, LEVEL_ALL = 21 };
enum sid_use { SID_USER = 1, SID_GROUP = 2, SID_UNKNOWN = 8 };
enum { ACCOUNT_DISABLED = 1, ACCOUNT_NORMAL = 0x10, ACCOUNT_NEVER_EXPIRES = 0x200 };

#define USERS_MAX 16
#define POINTER 0x20000u
#define NO_SUCH_USER 0xc0000064u
#define NO_SUCH_DOMAIN 0xc00000dfu
#define SOME_NOT_MAPPED 0x107u
#define NONE_MAPPED 0xc0000073u
#define SIDS_MAX 1024 /* of one question */
#define NEVER 0x7fffffffffffffffull

struct user {
	uint32_t rid;
	char name[64];
};

static bool is_controller(const struct rpc_call *c)
{
	return c->place->host.dns_forest[0] && c->place->system->server;
}

static const char *domain_name(const struct rpc_call *c)
{
	return is_controller(c) ? c->place->host.domain : c->place->host.computer;
}

/* Those of setup, then the device's. */
static size_t users_list(const struct rpc_call *c, struct user users[USERS_MAX])
{
	const struct persona *p = session_persona(c->session) ? session_persona(c->session) : &persona_plain;
	size_t count = 0;
	users[count++] = (struct user){RID_ADMINISTRATOR, "Administrator"};
	users[count++] = (struct user){RID_GUEST, "Guest"};
	if (is_controller(c))
		users[count++] = (struct user){RID_KRBTGT, "krbtgt"};
	for (size_t i = 0; i < p->credential_count && count < USERS_MAX; i++) {
		struct user *u = &users[count];
		bool known = !bytes_copy_text(p->credentials[i].user, u->name, sizeof u->name) || !u->name[0];
		for (size_t n = 0; n < count; n++)
			known |= names_equal(bytes_of_text(users[n].name), p->credentials[i].user);
		u->rid = RID_FIRST + (uint32_t)i;
		count += !known;
	}
	return count;
}

static void write_sid(struct writer *w, const struct rpc_call *c, bool builtin)
{
	write_align(w, 0, 4);
	write_le32(w, builtin ? 1 : 4);
	write_u8(w, 1);
	write_u8(w, builtin ? 1 : 4);
	write_span(w, BYTES("\0\0\0\0\0\5"));
	write_le32(w, builtin ? 32 : 21);
	for (unsigned i = 0; i < 3 && !builtin; i++)
		write_le32(w, windows_number(c->session, 200 + i));
}

/* RPC_UNICODE_STRING, and what its pointer points to; empty ones have none. */
static void write_name(struct writer *w, const char *text, uint32_t pointer)
{
	size_t len = 2 * strlen(text);
	write_le16(w, len);
	write_le16(w, len);
	write_le32(w, len ? pointer : 0);
}

static void write_letters(struct writer *w, const char *text)
{
	size_t len = strlen(text);
	if (!len)
		return;
	write_align(w, 0, 4);
	write_le32(w, len);
	write_le32(w, 0);
	write_le32(w, len);
	write_utf16(w, bytes_of_text(text));
	write_align(w, 0, 4);
}

static void write_enumeration(struct writer *w, const struct user *items, size_t count)
{
	write_le32(w, 0);
	write_le32(w, POINTER);
	write_le32(w, count);
	write_le32(w, POINTER + 4);
	write_le32(w, count);
	for (size_t i = 0; i < count; i++) {
		write_le32(w, items[i].rid);
		write_name(w, items[i].name, POINTER + 8 + 4 * (uint32_t)i);
	}
	for (size_t i = 0; i < count; i++)
		write_letters(w, items[i].name);
	write_le32(w, count);
	write_le32(w, 0);
}

static uint32_t domains_list(struct rpc_call *c)
{
	struct user domains[2] = {{0}, {0, "Builtin"}};
	snprintf(domains[0].name, sizeof domains[0].name, "%s", domain_name(c));
	write_enumeration(c->out, domains, 2);
	return 0;
}

static uint32_t domain_look_up(struct rpc_call *c)
{
	char name[64];
	const uint8_t *stub = c->in.at;
	rpc_read_handle(&c->in);
	read_le32(&c->in);
	struct bytes wanted = rpc_read_unique_string(&c->in, stub, name, sizeof name);
	bool builtin = names_equal(wanted, BYTES("Builtin"));
	bool known = builtin || names_equal(wanted, bytes_of_text(domain_name(c)));
	write_le32(c->out, known ? POINTER : 0);
	if (known)
		write_sid(c->out, c, builtin);
	write_le32(c->out, known ? 0 : NO_SUCH_DOMAIN);
	return 0;
}

static uint32_t domain_open(struct rpc_call *c)
{
	rpc_read_handle(&c->in);
	read_le32(&c->in);
	uint32_t authorities = read_le32(&c->in);
	rpc_write_handle(c->out, c, authorities == 1 ? HANDLE_BUILTIN : HANDLE_DOMAIN);
	write_le32(c->out, 0);
	return 0;
}

static uint32_t users_enumerate(struct rpc_call *c)
{
	struct user users[USERS_MAX];
	size_t count = rpc_read_handle(&c->in) == HANDLE_DOMAIN ? users_list(c, users) : 0;
	write_enumeration(c->out, users, count);
	return 0;
}

static uint32_t user_open(struct rpc_call *c)
{
	struct user users[USERS_MAX];
	rpc_read_handle(&c->in);
	read_le32(&c->in);
	uint32_t rid = read_le32(&c->in);
	bool known = false;
	for (size_t i = users_list(c, users); i-- > 0;)
		known |= users[i].rid == rid;
	if (known)
		rpc_write_handle(c->out, c, HANDLE_USER + rid);
	else
		write_zero(c->out, 20);
	write_le32(c->out, known ? 0 : NO_SUCH_USER);
	return 0;
}

/* SAMPR_USER_ALL_INFORMATION (MS-SAMR 2.2.6.6). */
static void write_user(struct writer *w, const struct rpc_call *c, const struct user *u)
{
	uint64_t set = filetime_of_us(windows_boot_us(c->session) - (u->rid % 97 + 3) * 86400000000ull);
	const uint64_t times[] = {u->rid == RID_ADMINISTRATOR ? set + 86400ull * 10000000 : 0, 0, set, NEVER,
				  set + 86400ull * 10000000, NEVER};
	const char *comment = u->rid == RID_ADMINISTRATOR
				      ? "Built-in account for administering the computer/domain"
			      : u->rid == RID_GUEST
				      ? "Built-in account for guest access to the computer/domain"
				      : "";
	const char *const names[] = {u->name, "", "", "", "", "", comment, "", "", ""};
	for (size_t i = 0; i < 6; i++)
		write_le64(w, times[i]);
	for (size_t i = 0; i < 10; i++)
		write_name(w, names[i], POINTER + 8 + 4 * (uint32_t)i);
	write_zero(w, 4 * 8); /* hashes, private data and security descriptor are not said */
	write_le32(w, u->rid);
	write_le32(w, 513);
	write_le32(w, ACCOUNT_NORMAL | ACCOUNT_NEVER_EXPIRES |
			      (u->rid == RID_GUEST || u->rid == RID_KRBTGT ? ACCOUNT_DISABLED : 0));
	write_le32(w, 0x00ffffff);
	write_le16(w, 168);
	write_le16(w, 0);
	write_le32(w, 0); /* hours: all */
	write_le16(w, 0);
	write_le16(w, u->rid == RID_ADMINISTRATOR ? 41 : 0);
	write_zero(w, 8);
	for (size_t i = 0; i < 10; i++)
		write_letters(w, names[i]);
}

static uint32_t user_query(struct rpc_call *c)
{
	struct user users[USERS_MAX];
	uint32_t rid = rpc_read_handle(&c->in) - HANDLE_USER;
	if (read_le16(&c->in) != LEVEL_ALL || c->in.bad)
		return RPC_FAULT_DENIED;
	for (size_t i = users_list(c, users); i-- > 0;)
		if (users[i].rid == rid) {
			write_le32(c->out, POINTER);
			write_le32(c->out, LEVEL_ALL);
			write_user(c->out, c, &users[i]);
			write_align(c->out, 0, 4);
			write_le32(c->out, 0);
			return 0;
		}
	return RPC_FAULT_DENIED;
}

static uint32_t handle_give(struct rpc_call *c, uint32_t what)
{
	rpc_write_handle(c->out, c, what);
	write_le32(c->out, 0);
	return 0;
}

static uint32_t handle_close(struct rpc_call *c)
{
	write_zero(c->out, 24);
	return 0;
}

static uint32_t samr_call(struct rpc_call *c)
{
	if (!c->place->signed_in)
		return RPC_FAULT_DENIED;
	switch (c->operation) {
	case 0:
	case 57:
	case 62:
		return handle_give(c, HANDLE_SERVER);
	case 64: /* SamrConnect5 tells its revision first */
		write_le32(c->out, 1);
		write_le32(c->out, 1);
		write_le32(c->out, 3);
		write_le32(c->out, 0);
		return handle_give(c, HANDLE_SERVER);
	case 1:
		return handle_close(c);
	case 5:
		return domain_look_up(c);
	case 6:
		return domains_list(c);
	case 7:
		return domain_open(c);
	case 13:
		return users_enumerate(c);
	case 34:
		return user_open(c);
	case 36:
	case 47:
		return user_query(c);
	}
	return c->operation < 74 ? RPC_FAULT_DENIED : RPC_FAULT_RANGE;
}

/* LsarQueryInformationPolicy: the name and the SID of the domain, or of the machine's own. */
static uint32_t policy_query(struct rpc_call *c)
{
	rpc_read_handle(&c->in);
	unsigned level = read_le16(&c->in);
	bool own = level == LEVEL_ACCOUNT_DOMAIN;
	if ((!own && level != LEVEL_PRIMARY_DOMAIN) || c->in.bad)
		return RPC_FAULT_DENIED;
	bool of_domain = c->place->host.dns_forest[0];
	const char *name = own ? domain_name(c) : of_domain ? c->place->host.domain : "WORKGROUP";
	bool sid = own || is_controller(c);
	write_le32(c->out, POINTER);
	write_le32(c->out, level);
	write_name(c->out, name, POINTER + 4);
	write_le32(c->out, sid ? POINTER + 8 : 0);
	write_letters(c->out, name);
	if (sid)
		write_sid(c->out, c, false);
	write_le32(c->out, 0);
	return 0;
}

/* What a SID of this domain is called; 0: nobody has it. */
static enum sid_use name_of_rid(const struct rpc_call *c, uint32_t rid, const struct user *users,
				size_t count, const char **name)
{
	static const struct {
		uint32_t rid;
		const char *name;
	} groups[] = {{512, "Domain Admins"},   {513, "Domain Users"},       {514, "Domain Guests"},
		      {515, "Domain Computers"}, {516, "Domain Controllers"}, {518, "Schema Admins"},
		      {519, "Enterprise Admins"}, {520, "Group Policy Creator Owners"}};
	for (size_t i = 0; i < count; i++)
		if (users[i].rid == rid) {
			*name = users[i].name;
			return SID_USER;
		}
	for (size_t i = 0; i < sizeof groups / sizeof *groups && is_controller(c); i++)
		if (groups[i].rid == rid) {
			*name = groups[i].name;
			return SID_GROUP;
		}
	*name = rid == 513 ? "None" : "";
	return rid == 513 ? SID_GROUP : SID_UNKNOWN;
}

/* One SID of the request; the last number of it when it is of our domain, else 0. */
static uint32_t read_rid(struct rpc_call *c)
{
	uint32_t numbers[5] = {0}, count = read_le32(&c->in);
	read_bytes(&c->in, 8);
	for (uint32_t i = 0; i < count && reader_ok(&c->in); i++) {
		uint32_t number = read_le32(&c->in);
		if (i < 5)
			numbers[i] = number;
	}
	bool ours = count == 5 && numbers[0] == 21;
	for (unsigned i = 0; i < 3; i++)
		ours &= numbers[1 + i] == (uint32_t)windows_number(c->session, 200 + i);
	return ours ? numbers[4] : 0;
}

/* LsarLookupSids (MS-LSAT 3.1.4.11): by thousands, from who wants to know all accounts. */
static uint32_t sids_look_up(struct rpc_call *c)
{
	struct user users[USERS_MAX];
	size_t count = users_list(c, users);
	const char *names[SIDS_MAX];
	struct writer *w = c->out;
	uint32_t mapped = 0;
	rpc_read_handle(&c->in);
	uint32_t asked = read_le32(&c->in);
	read_le32(&c->in);
	read_le32(&c->in);
	if (asked > SIDS_MAX || !read_bytes(&c->in, 4ull * asked).at)
		return RPC_FAULT_BAD_STUB;
	write_le32(w, POINTER);
	write_le32(w, 1);
	write_le32(w, POINTER + 4);
	write_le32(w, 32);
	write_le32(w, 1);
	write_name(w, domain_name(c), POINTER + 8);
	write_le32(w, POINTER + 12);
	write_letters(w, domain_name(c));
	write_sid(w, c, false);
	write_le32(w, asked);
	write_le32(w, POINTER + 16);
	write_le32(w, asked);
	for (uint32_t i = 0; i < asked; i++) {
		enum sid_use use = name_of_rid(c, read_rid(c), users, count, &names[i]);
		mapped += use != SID_UNKNOWN;
		write_le32(w, use);
		write_name(w, names[i], POINTER + 20 + 4 * i);
		write_le32(w, use == SID_UNKNOWN ? UINT32_MAX : 0);
	}
	for (uint32_t i = 0; i < asked; i++)
		write_letters(w, names[i]);
	write_le32(w, mapped);
	write_le32(w, mapped == asked ? 0 : mapped ? SOME_NOT_MAPPED : NONE_MAPPED);
	return 0;
}

static uint32_t lsarpc_call(struct rpc_call *c)
{
	if (!c->place->signed_in)
		return RPC_FAULT_DENIED;
	switch (c->operation) {
	case 0:
		return handle_close(c);
	case 6:
	case 44:
		return handle_give(c, HANDLE_POLICY);
	case 7:
	case 46:
		return policy_query(c);
	case 15:
		return sids_look_up(c);
	}
	return c->operation < 80 ? RPC_FAULT_DENIED : RPC_FAULT_RANGE;
}

static const char *const samr_operations[] = {
	"SamrConnect", "SamrCloseHandle", "", "", "", "SamrLookupDomainInSamServer",
	"SamrEnumerateDomainsInSamServer", "SamrOpenDomain", "SamrQueryInformationDomain", "", "",
	"SamrEnumerateGroupsInDomain", "", "SamrEnumerateUsersInDomain", "", "SamrEnumerateAliasesInDomain",
	"", "SamrLookupNamesInDomain", "SamrLookupIdsInDomain", NULL};
static const char *const lsarpc_operations[] = {
	"LsarClose", "", "LsarEnumeratePrivileges", "LsarQuerySecurityObject", "", "", "LsarOpenPolicy",
	"LsarQueryInformationPolicy", "", "", "", "LsarEnumerateAccounts", "", "", "LsarLookupNames",
	"LsarLookupSids", NULL};

const struct rpc_interface rpc_samr = {
	.name = "samr",
	.uuid = {0x78, 0x57, 0x34, 0x12, 0x34, 0x12, 0xcd, 0xab, 0xef, 0x00, 0x01, 0x23, 0x45, 0x67, 0x89,
		 0xac},
	.major = 1,
	.operations = samr_operations,
	.call = samr_call,
};
const struct rpc_interface rpc_lsarpc = {
	.name = "lsarpc",
	.uuid = {0x78, 0x57, 0x34, 0x12, 0x34, 0x12, 0xcd, 0xab, 0xef, 0x00, 0x01, 0x23, 0x45, 0x67, 0x89,
		 0xab},
	.major = 0,
	.operations = lsarpc_operations,
	.call = lsarpc_call,
};
