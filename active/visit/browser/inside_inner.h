/*
 * What the helper in a box and its user outside say to each other, over a socket pair.
 *
 * The helper first sends one byte with the listening socket (SCM_RIGHTS).  For each INSIDE_TELL it
 * answers with records, the last of them INSIDE_END: kind u8, size u64 (of the file), name length u16,
 * content length u32, name, content.  The box may be in an attacker's hands: what it says is bounded
 * and believed only as evidence, never as a fact about the host.
 */
#pragma once
#include "base/bytes.h"

#define INSIDE_CONTROL_FD 3 /* in the box */
#define INSIDE_READS_FD 4   /* what the browser reads */
#define INSIDE_WRITES_FD 5
#define INSIDE_PORT 1080
#define INSIDE_PROGRAM "/kansoku"
#define INSIDE_HOME "/tmp/user"
#define INSIDE_DOWNLOADS INSIDE_HOME "/Downloads"
#define INSIDE_PROFILE INSIDE_HOME "/.config/profile"

#define INSIDE_HEAD 15
#define INSIDE_NAME_MAX 1024
#define INSIDE_RECORDS_MAX 1024
#define INSIDE_FILE_MAX (32u << 20) /* of a download; of other files 1 MiB */
#define INSIDE_ALL_MAX (64u << 20)  /* contents of one answer */

enum inside_kind {
	INSIDE_HELLO = 'L',
	INSIDE_TELL = 'S',
	INSIDE_PROCESS = 'P', /* "PID NAME PROGRAM COMMAND LINE", separated by tabs */
	INSIDE_SOCKET = 'T',  /* "tcp LOCAL REMOTE STATE" in /proc/net's words, separated by tabs */
	INSIDE_FILE = 'F',
	INSIDE_ENDED = 'X',   /* the browser ended; its name is the wait status */
	INSIDE_END = 'E',
};
