/*
 * Programs of ours in the kernel, and their tables.
 *
 * A program is made of a .bpf file by tools/bpf; it names its tables by number, and program_load()
 * puts descriptors there.  All descriptors are the caller's; the kernel keeps a program as long
 * as a link to it is open, and its tables as long as the program.  Errors: negative, with errno.
 */
#pragma once
#include "base/address.h"
#include "passive/room/kernel/shared.h"
#include <linux/bpf.h>
#include <stddef.h>

int kernel_ask(int what, union bpf_attr *);
int kernel_table_open(enum bpf_map_type, size_t key, size_t value, uint32_t entries, uint32_t flags);
int kernel_table_put(int table, const void *key, const void *value);
struct kernel_prefix kernel_prefix_of(const struct prefix *);

struct kernel_program {
	enum bpf_prog_type type;
	enum bpf_attach_type attach; /* 0 where the type needs none */
	const uint64_t *code;
	size_t count; /* of instructions */
	const int *tables;
	size_t table_count;
};

int kernel_program_load(const struct kernel_program *);
