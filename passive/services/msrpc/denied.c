/*
 * Interfaces that every Windows has and that tell nothing here: who calls them is told that
 * access is denied, as an ordinary user is on a machine that has been locked down.
 */
#include "passive/services/msrpc/rpc.h"

static uint32_t denied_call(struct rpc_call *c)
{
	return c->operation < 80 ? RPC_FAULT_DENIED : RPC_FAULT_RANGE;
}

static const char *const winreg_operations[] = {
	"OpenClassesRoot", "OpenCurrentUser", "OpenLocalMachine", "OpenPerformanceData", "OpenUsers",
	"BaseRegCloseKey", "BaseRegCreateKey", "BaseRegDeleteKey", NULL};
static const char *const atsvc_operations[] = {"NetrJobAdd", "NetrJobDel", "NetrJobEnum",
					       "NetrJobGetInfo", NULL};
static const char *const spoolss_operations[] = {"RpcEnumPrinters", "RpcOpenPrinter", NULL};
static const char *const netlogon_operations[] = {"NetrLogonUasLogon", "NetrLogonUasLogoff",
						  "NetrLogonSamLogon", "NetrLogonSamLogoff",
						  "NetrServerReqChallenge", "NetrServerAuthenticate",
						  "NetrServerPasswordSet", NULL};
static const char *const eventlog_operations[] = {"ElfrClearELFW", NULL};

#define DENIED(interface, version, ...)                                                            \
	const struct rpc_interface rpc_##interface = {.name = #interface,                          \
						      .uuid = {__VA_ARGS__},                       \
						      .major = version,                            \
						      .operations = interface##_operations,        \
						      .call = denied_call}

DENIED(winreg, 1, 0x01, 0xd0, 0x8c, 0x33, 0x44, 0x22, 0xf1, 0x31, 0xaa, 0xaa, 0x90, 0x00, 0x38, 0x00,
       0x10, 0x03);
DENIED(atsvc, 1, 0x82, 0x06, 0xf7, 0x1f, 0x51, 0x0a, 0xe8, 0x30, 0x07, 0x6d, 0x74, 0x0b, 0xe8, 0xce,
       0xe9, 0x8b);
DENIED(spoolss, 1, 0x78, 0x56, 0x34, 0x12, 0x34, 0x12, 0xcd, 0xab, 0xef, 0x00, 0x01, 0x23, 0x45,
       0x67, 0x89, 0xab);
DENIED(netlogon, 1, 0x78, 0x56, 0x34, 0x12, 0x34, 0x12, 0xcd, 0xab, 0xef, 0x00, 0x01, 0x23, 0x45,
       0x67, 0xcf, 0xfb);
DENIED(eventlog, 0, 0xdc, 0x3f, 0x27, 0x82, 0x2a, 0xe3, 0xc3, 0x18, 0x3f, 0x78, 0x82, 0x79, 0x29,
       0xdc, 0x23, 0xea);
