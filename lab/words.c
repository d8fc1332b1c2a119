/* Words of the lab's enumerations, as they stand in JSON, events and the store. */
#include "lab/run.h"

static const char *const behaviours[BEHAVIOURS] = {
	[DID_PROCESS] = "process", [DID_FILE] = "file", [DID_CONNECT] = "connect", [DID_RESOLVE] = "resolve",
	[DID_REQUEST] = "request", [DID_SCAN] = "scan", [DID_FLOOD] = "flood", [DID_COMMAND] = "command",
	[DID_PERSIST] = "persist", [DID_HIDE] = "hide", [DID_LISTEN] = "listen", [DID_KILL] = "kill", [DID_OTHER] = "other",
};

const char *behaviour_name(enum behaviour_kind kind)
{
	return kind < BEHAVIOURS ? behaviours[kind] : "other";
}
