/*
 * What programs in the kernel and their loaders share.  Numbers are in the machine's order,
 * addresses in the network's, IPv4 mapped into IPv6 as everywhere.
 */
#pragma once
#ifdef __bpf__
typedef unsigned char uint8_t;
typedef unsigned short uint16_t;
typedef unsigned int uint32_t;
typedef int int32_t;
typedef unsigned long long uint64_t;
#else
#include <stdint.h>
#endif

/* A program names its tables by numbers behind this mark in place of descriptors. */
#define KERNEL_TABLE_MARK 0x6b616e73

struct kernel_prefix { /* key of a longest-prefix table */
	uint32_t bits;
	uint8_t address[16];
};
