/* Words of the lab's enumerations, as they stand in JSON, events and the store. */
#include "lab/run.h"

static const char *const indicator_types[INDICATOR_TYPES] = {
	[INDICATOR_ADDRESS] = "address", [INDICATOR_ENDPOINT] = "endpoint", [INDICATOR_DOMAIN] = "domain",
	[INDICATOR_URL] = "url", [INDICATOR_MAIL] = "mail", [INDICATOR_AGENT] = "agent", [INDICATOR_KEY] = "key",
	[INDICATOR_WALLET] = "wallet", [INDICATOR_CREDENTIAL] = "credential", [INDICATOR_MUTEX] = "mutex",
	[INDICATOR_PATH] = "path", [INDICATOR_HASH] = "hash",
};

static const char *const indicator_roles[INDICATOR_ROLES] = {
	[FOR_UNKNOWN] = "unknown", [FOR_COMMAND] = "command", [FOR_DOWNLOAD] = "download", [FOR_REPORT] = "report",
	[FOR_VICTIM] = "victim", [FOR_PEER] = "peer", [FOR_CHECK] = "check",
};

static const char *const behaviours[BEHAVIOURS] = {
	[DID_PROCESS] = "process", [DID_FILE] = "file", [DID_CONNECT] = "connect", [DID_RESOLVE] = "resolve",
	[DID_REQUEST] = "request", [DID_SCAN] = "scan", [DID_FLOOD] = "flood", [DID_COMMAND] = "command",
	[DID_PERSIST] = "persist", [DID_HIDE] = "hide", [DID_LISTEN] = "listen", [DID_KILL] = "kill", [DID_OTHER] = "other",
};

const char *indicator_type_name(enum indicator_type type)
{
	return type < INDICATOR_TYPES ? indicator_types[type] : "unknown";
}

const char *indicator_role_name(enum indicator_role role)
{
	return role < INDICATOR_ROLES ? indicator_roles[role] : "unknown";
}

const char *behaviour_name(enum behaviour_kind kind)
{
	return kind < BEHAVIOURS ? behaviours[kind] : "other";
}
