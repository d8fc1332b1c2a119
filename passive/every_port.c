/*
 * Every port of a decoy: connections to those on which nothing listens reach the catch-all.
 *
 * A program in the kernel (BPF_PROG_TYPE_SK_LOOKUP) is asked for each connection that no socket
 * is known for yet; where the address is a decoy's with `every_port` and no service has that port
 * it names the socket of the service `any`.  The connection keeps the address and port that the
 * peer asked for.  The program ends with the parent, who holds it; where it cannot be loaded that
 * is said and everything else goes on.
 */
#include "base/log.h"
#include "passive/room_inner.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PORTS 65536
enum { PORT_FREE, PORT_OFFERED, PORT_HIDDEN }; /* hidden: where the catch-all itself listens */

/* Instructions as <linux/bpf.h> defines them (RFC 9669). */
#define MOVE(to, from) {.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = (to), .src_reg = (from)}
#define SET(to, value) {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = (to), .imm = (value)}
#define ADD(to, value) {.code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = (to), .imm = (value)}
#define LOAD32(to, from, at) {.code = BPF_LDX | BPF_MEM | BPF_W, .dst_reg = (to), .src_reg = (from), .off = (at)}
#define LOAD8(to, from, at) {.code = BPF_LDX | BPF_MEM | BPF_B, .dst_reg = (to), .src_reg = (from), .off = (at)}
#define STORE32(at, from) {.code = BPF_STX | BPF_MEM | BPF_W, .dst_reg = BPF_REG_10, .src_reg = (from), .off = (at)}
#define KEEP32(at, value) {.code = BPF_ST | BPF_MEM | BPF_W, .dst_reg = BPF_REG_10, .off = (at), .imm = (value)}
#define SKIP_UNLESS(reg, value, n) {.code = BPF_JMP | BPF_JNE | BPF_K, .dst_reg = (reg), .imm = (value), .off = (n)}
#define SKIP_IF(reg, value, n) {.code = BPF_JMP | BPF_JEQ | BPF_K, .dst_reg = (reg), .imm = (value), .off = (n)}
#define SKIP(n) {.code = BPF_JMP | BPF_JA, .off = (n)}
#define CALL(helper) {.code = BPF_JMP | BPF_CALL, .imm = (helper)}
#define MAP(to, fd) \
	{.code = BPF_LD | BPF_DW | BPF_IMM, .dst_reg = (to), .src_reg = BPF_PSEUDO_MAP_FD, .imm = (fd)}, {0}
#define END {.code = BPF_JMP | BPF_EXIT}

enum { R0 = BPF_REG_0, R1, R2, R3, R6 = BPF_REG_6, R8 = BPF_REG_8, R10 = BPF_REG_10 };

#define CONTEXT(member) offsetof(struct bpf_sk_lookup, member)
#define AT_PORT (-4)  /* on the program's stack */
#define AT_KEY (-24)  /* length of the prefix and an address, IPv4 mapped as everywhere */
#define AT_WHICH (-28)

struct lookup_key {
	uint32_t bits;
	uint8_t address[16];
};

struct lookup { /* file descriptors */
	int ports, prefixes, sockets, program, link;
};

static int bpf(enum bpf_cmd what, union bpf_attr *a)
{
	return (int)syscall(SYS_bpf, what, a, sizeof *a);
}

static int map_open(enum bpf_map_type type, uint32_t key, uint32_t value, uint32_t entries, uint32_t flags)
{
	union bpf_attr a = {.map_type = type, .key_size = key, .value_size = value, .max_entries = entries,
			    .map_flags = flags};
	return bpf(BPF_MAP_CREATE, &a);
}

static int map_put(int map, const void *key, const void *value)
{
	union bpf_attr a = {.map_fd = (uint32_t)map, .key = (uintptr_t)key, .value = (uintptr_t)value};
	return bpf(BPF_MAP_UPDATE_ELEM, &a);
}

static int program_open(const struct lookup *l)
{
	/* Long skips lead to the last two instructions, which let the kernel go on as it would. */
	const struct bpf_insn code[] = {
		MOVE(R6, R1),
		LOAD32(R0, R6, CONTEXT(protocol)),
		SKIP_UNLESS(R0, IPPROTO_TCP, 50),
		LOAD32(R0, R6, CONTEXT(local_port)),
		STORE32(AT_PORT, R0),
		MAP(R1, l->ports),
		MOVE(R2, R10),
		ADD(R2, AT_PORT),
		CALL(BPF_FUNC_map_lookup_elem),
		SKIP_IF(R0, 0, 42),
		LOAD8(R8, R0, 0),
		SKIP_IF(R8, PORT_OFFERED, 40),
		KEEP32(AT_KEY, 128),
		KEEP32(AT_KEY + 4, 0),
		KEEP32(AT_KEY + 8, 0),
		LOAD32(R0, R6, CONTEXT(family)),
		SKIP_UNLESS(R0, AF_INET, 4),
		KEEP32(AT_KEY + 12, (int32_t)0xffff0000), /* 00 00 ff ff in memory: the machine is little-endian */
		LOAD32(R0, R6, CONTEXT(local_ip4)),
		STORE32(AT_KEY + 16, R0),
		SKIP(8),
		LOAD32(R0, R6, CONTEXT(local_ip6[0])),
		STORE32(AT_KEY + 4, R0),
		LOAD32(R0, R6, CONTEXT(local_ip6[1])),
		STORE32(AT_KEY + 8, R0),
		LOAD32(R0, R6, CONTEXT(local_ip6[2])),
		STORE32(AT_KEY + 12, R0),
		LOAD32(R0, R6, CONTEXT(local_ip6[3])),
		STORE32(AT_KEY + 16, R0),
		MAP(R1, l->prefixes),
		MOVE(R2, R10),
		ADD(R2, AT_KEY),
		CALL(BPF_FUNC_map_lookup_elem),
		SKIP_UNLESS(R0, 0, 3), /* a decoy's */
		SKIP_UNLESS(R8, PORT_HIDDEN, 16),
		SET(R0, SK_DROP),
		END,
		KEEP32(AT_WHICH, 0),
		MAP(R1, l->sockets),
		MOVE(R2, R10),
		ADD(R2, AT_WHICH),
		CALL(BPF_FUNC_map_lookup_elem),
		SKIP_IF(R0, 0, 7),
		MOVE(R8, R0),
		MOVE(R1, R6),
		MOVE(R2, R8),
		SET(R3, 0),
		CALL(BPF_FUNC_sk_assign),
		MOVE(R1, R8),
		CALL(BPF_FUNC_sk_release),
		SET(R0, SK_PASS),
		END,
	};
	static const char licence[] = "Apache-2.0";
	union bpf_attr a = {.prog_type = BPF_PROG_TYPE_SK_LOOKUP,
			    .expected_attach_type = BPF_SK_LOOKUP,
			    .insns = (uintptr_t)code,
			    .insn_cnt = sizeof code / sizeof *code,
			    .license = (uintptr_t)licence};
	return bpf(BPF_PROG_LOAD, &a);
}

static int maps_fill(const struct lookup *l, const struct settings *s, int socket)
{
	const uint8_t yes = 1, offered = PORT_OFFERED, hidden = PORT_HIDDEN;
	const uint32_t first = 0;
	const uint64_t fd = (uint32_t)socket;
	int bad = map_put(l->sockets, &first, &fd);
	for (size_t i = 0; i < s->port_count && !bad; i++) {
		const uint32_t port = s->ports[i].port;
		if (s->ports[i].transport == TRANSPORT_TCP)
			bad = map_put(l->ports, &port, s->ports[i].service->hands_over ? &hidden : &offered);
	}
	for (size_t i = 0; i < s->decoy_count && !bad; i++) {
		struct lookup_key key = {.bits = s->decoys[i].prefix.bits};
		memcpy(key.address, s->decoys[i].prefix.base.b, sizeof key.address);
		if (s->decoys[i].every_port)
			bad = map_put(l->prefixes, &key, &yes);
	}
	return bad;
}

static int link_open(int program)
{
	int net = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	union bpf_attr a = {.link_create = {.prog_fd = (uint32_t)program,
					    .target_fd = (uint32_t)net,
					    .attach_type = BPF_SK_LOOKUP}};
	int link = net < 0 ? -1 : bpf(BPF_LINK_CREATE, &a);
	if (net >= 0)
		close(net);
	return link;
}

void every_port_open(const struct settings *s, int socket)
{
	struct lookup l = {
		.ports = map_open(BPF_MAP_TYPE_ARRAY, 4, 1, PORTS, 0),
		.prefixes = map_open(BPF_MAP_TYPE_LPM_TRIE, sizeof(struct lookup_key), 1, PASSIVE_DECOYS_MAX,
				     BPF_F_NO_PREALLOC),
		.sockets = map_open(BPF_MAP_TYPE_SOCKMAP, 4, 8, 1, 0),
		.program = -1,
		.link = -1,
	};
	bool open = l.ports >= 0 && l.prefixes >= 0 && l.sockets >= 0 && maps_fill(&l, s, socket) == 0;
	if (open)
		l.program = program_open(&l);
	if (l.program >= 0)
		l.link = link_open(l.program);
	if (l.link < 0)
		log_warning("passive.decoys: every_port: the other ports stay closed, %s; as root it could",
			    strerror(errno));
	/* The link, which stays open as long as the parent lives, keeps the rest. */
	const int rest[] = {l.ports, l.prefixes, l.sockets, l.program};
	for (size_t i = 0; i < sizeof rest / sizeof *rest; i++)
		if (rest[i] >= 0)
			close(rest[i]);
}
