/*
 * What attackers left at the devices that they met.
 *
 * One attacker (source address) meets one machine at one address of ours: all services there
 * share the files that it changed, now and when it comes back after weeks.  Beside the files a
 * device has memories, bytes under a name: what a service keeps that is no file (registers that
 * were written, the keys of a database).  A device is awake while a session looks at it, and then
 * costs what was changed; asleep it is an entry of an index, and its overlay and memories lie
 * packed in a file.  Who changes nothing costs nothing.
 *
 * The file was opened by the parent and handed down; the process cannot open any.  It has two
 * halves, of which one is in use: devices are appended to it whole, and when it is full those
 * that are alive go to the other half, which then has the higher generation:
 *
 *   half:    magic u64 | generation u64 | check u64, then records
 *   record:  length u32 | check u32 (XXH3 over generation and body) | body
 *
 * A process killed at any moment leaves either half whole up to some record.  Every limit
 * drops the device that was quiet for longest.
 */
#pragma once
#include "passive/persona.h"
#include "passive/room/table.h"
#include <sys/queue.h>

#define DEVICE_BODY_MAX (4u << 20) /* of one packed device */
#define DEVICES_SAVE_MS 5000       /* changes of sessions that go on are kept this often */
#define DEVICE_MEMORIES_MAX 8      /* of one device */
#define DEVICE_MEMORY_MAX (64u << 10)
#define DEVICE_MEMORY_NAME_MAX 15

enum device_snapshots { SNAPSHOTS_NONE, SNAPSHOTS_HUMAN, SNAPSHOTS_ALL };

struct devices_options {
	uint64_t count;        /* of devices remembered, one worker */
	uint64_t file_bytes;   /* of the file */
	uint64_t device_bytes; /* written by the attacker in one device */
	uint64_t memory_bytes; /* of all that are awake */
	uint64_t keep_ms;      /* after the last visit */
	int snapshots;         /* of enum device_snapshots */
};

struct device_memory {
	SLIST_ENTRY(device_memory) next;
	char name[DEVICE_MEMORY_NAME_MAX + 1];
	size_t len, room;
	uint8_t *bytes;
};

struct device {
	struct table_node node;
	TAILQ_ENTRY(device) order;
	struct address source, local;
	const struct persona *persona; /* NULL while asleep since the start */
	uint64_t persona_mark;
	struct arena arena;
	struct vfs_overlay files;
	SLIST_HEAD(, device_memory) memories;
	size_t memory_bytes;  /* of them */
	size_t counted;       /* of both, in devices->awake_bytes */
	uint32_t sessions;    /* that look at it; 0: asleep */
	uint32_t saved_edits; /* files.edits, which memories count too, when it was last kept, */
	uint32_t ended_edits; /* and when a session with it last ended */
	uint32_t first_s, seen_s, visits;
	uint8_t human; /* the highest score of its sessions, 0 to 100 */
	uint32_t len; /* of its record in the file; 0: it has none */
	uint64_t at;
};

TAILQ_HEAD(device_queue, device);

struct devices {
	struct devices_options options;
	int fd; /* -1: nothing outlives its sessions */
	struct table table;
	struct device_queue queue; /* latest first */
	uint64_t key;
	uint64_t generation, half, end; /* the half in use: 0 or 1, and where its records end in it */
	uint64_t live_bytes;            /* of the records of all that are alive */
	size_t awake_bytes;
	uint64_t dropped, unsaved; /* for a limit; that the file did not take */
	uint8_t *scratch;
	bool broken; /* the file takes nothing: said once */
};

/* Reads what the file holds; a damaged one is read up to the damage. */
int devices_open(struct devices *, const struct devices_options *, int fd, uint64_t now_us);
void devices_done(struct devices *); /* keeps what is not yet kept */

/* Wakes or makes the device for one more session; NULL: no memory. */
struct device *devices_enter(struct devices *, const struct address *source, const struct address *local,
			     const struct persona *, uint64_t now_us);
/* The one that there is already, awake or asleep; NULL: nothing is known of it. */
struct device *devices_known(const struct devices *, const struct address *source, const struct address *local,
			     const struct persona *);
/* A memory of one that is awake; empty: there is none.  Good until it is written. */
struct bytes device_recall(const struct device *, const char *name);
/* False beyond a limit: it stays as it was. */
bool devices_remember(struct devices *, struct device *, const char *name, struct bytes);
/* For devices.c: as they lie in a record; what is damaged of them is left out. */
void device_memories_pack(const struct device *, struct writer *);
void device_memories_unpack(struct device *, struct reader *);
void device_forget_all(struct device *);
/* After memory of it was taken or given back. */
void devices_count_memory(struct devices *, struct device *);
/* Before a callback uses its files: keeps the limit of memory. */
void devices_touch(struct devices *, struct device *);
/* True when the session or those beside it changed something that was not kept before. */
bool devices_leave(struct devices *, struct device *, uint64_t now_us);
/*
 * Whether what the device holds now is to be kept as it is: a session that changed something ends,
 * and a human has been there.
 */
bool device_wants_snapshot(const struct devices *, const struct device *);
/* That so certain a human was there is kept with the files. */
void device_judge(struct device *, uint8_t human);
/* Keeps what changed in devices whose sessions go on; true when there is any awake. */
bool devices_save(struct devices *);

/*
 * Forgets: what lies in the file is overwritten, and who is there now finds the device as
 * new.  `matches` is asked about each device and the bytes of its record.  Returns how many.
 */
typedef bool device_match_f(void *arg, const struct device *, struct bytes packed);
uint64_t devices_forget(struct devices *, device_match_f *, void *arg);

/*
 * What others may ask.  A reset names a source and a local address, 16 bytes each, zero: any.
 * An erasure is as the journal's topic has it: type u8 (1 an address, 2 a text, 3 a time), a u8,
 * address 16, from u64, to u64, text.  Both answer how many were forgotten.
 */
uint64_t devices_reset(struct devices *, struct bytes payload);
uint64_t devices_erase(struct devices *, struct bytes payload);
