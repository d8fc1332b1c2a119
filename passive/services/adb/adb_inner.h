/*
 * Between the files of the Android Debug Bridge: messages, streams and the sync protocol
 * (Android's adb/protocol.txt and SYNC.TXT).  Numbers are little-endian.
 */
#pragma once
#include "passive/command.h"
#include "passive/service.h"

#define ADB_HEADER 24
#define ADB_DATA_MAX (256u * 1024) /* of one message */
#define ADB_DATA_LEAST 4096        /* what the oldest client takes */
#define ADB_STREAMS 8
#define ADB_PATH_MAX 512
#define ADB_OUTPUT_MAX (96u * 1024)

struct adb_device {
	const char *banner; /* after "device::" */
	const char *root;   /* user name in the prompt of the shell: "shell" or "root" */
};

enum adb_kind { ADB_FREE, ADB_COMMAND, ADB_TERMINAL, ADB_SYNC, ADB_SINK };

struct adb_stream {
	uint8_t kind;   /* of enum adb_kind */
	bool waits;     /* for the peer's OKAY before it may say more */
	bool ends;      /* once all is said */
	uint32_t remote;
	struct bytes unsent;  /* on the session's arena */
	/* A terminal's line; the sync protocol's bytes that are no whole request yet. */
	uint8_t *held;
	uint32_t held_len, held_room;
	/* A file that is being sent. */
	char *path;
	uint8_t *content;
	uint32_t content_len, content_room, mode;
	bool failed;
};

struct adb {
	bool connected;
	uint32_t data_max;
	struct command_shell *shell;
	struct adb_stream streams[ADB_STREAMS];
};

/* Queues bytes for the peer; they go as it says OKAY. */
void adb_say(struct session *, struct adb *, struct adb_stream *, struct bytes);
/* What came for a stream of the sync protocol. */
void adb_sync(struct session *, struct adb *, struct adb_stream *, struct bytes);
/* Adds to what the stream holds; false: no room. */
bool adb_hold(struct session *, struct adb_stream *, struct bytes, uint32_t most);

static inline uint32_t adb_u32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline void adb_write_u32(struct writer *w, uint32_t v)
{
	const uint8_t b[4] = {(uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24)};
	write_bytes(w, b, sizeof b);
}
