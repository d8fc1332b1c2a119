#include "passive/room/kernel/kernel.h"
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOAD_WIDE (BPF_LD | BPF_DW | BPF_IMM)

int kernel_ask(int what, union bpf_attr *a)
{
	return (int)syscall(SYS_bpf, what, a, sizeof *a);
}

int kernel_table_open(enum bpf_map_type type, size_t key, size_t value, uint32_t entries, uint32_t flags)
{
	union bpf_attr a = {.map_type = type, .key_size = (uint32_t)key, .value_size = (uint32_t)value,
			    .max_entries = entries, .map_flags = flags};
	return kernel_ask(BPF_MAP_CREATE, &a);
}

int kernel_table_put(int table, const void *key, const void *value)
{
	union bpf_attr a = {.map_fd = (uint32_t)table, .key = (uintptr_t)key, .value = (uintptr_t)value};
	return kernel_ask(BPF_MAP_UPDATE_ELEM, &a);
}

struct kernel_prefix kernel_prefix_of(const struct prefix *p)
{
	struct kernel_prefix key = {.bits = p->bits};
	memcpy(key.address, p->base.b, sizeof key.address);
	return key;
}

/* A wide load is two instructions; the second's immediate is the mark, the first's the number. */
static void tables_name(struct bpf_insn *all, const struct kernel_program *p)
{
	for (size_t i = 0; i + 1 < p->count; i++) {
		if (all[i].code != LOAD_WIDE)
			continue;
		if (all[i + 1].imm == KERNEL_TABLE_MARK && (uint32_t)all[i].imm < p->table_count) {
			all[i].src_reg = BPF_PSEUDO_MAP_FD;
			all[i].imm = p->tables[all[i].imm];
			all[i + 1].imm = 0;
		}
		i++;
	}
}

int kernel_program_load(const struct kernel_program *p)
{
	static const char licence[] = "Apache-2.0";
	struct bpf_insn *all = malloc(p->count * sizeof *all);
	if (!all)
		return -1;
	memcpy(all, p->code, p->count * sizeof *all);
	tables_name(all, p);
	union bpf_attr a = {.prog_type = p->type,
			    .expected_attach_type = p->attach,
			    .insns = (uintptr_t)all,
			    .insn_cnt = (uint32_t)p->count,
			    .license = (uintptr_t)licence};
	int program = kernel_ask(BPF_PROG_LOAD, &a);
	free(all);
	return program;
}
