/* The store's process: its one struct, shared by its files. */
#pragma once
#include "bus/process.h"
#include "store/erasure.h"
#include "store/insertion.h"
#include "store/store.h"
#include "store/topics_inner.h"
#include "store/workers.h"

#define PREFETCH 2 /* batches that are fetched or inserted at once */

struct store_room;

struct fetch { /* one batch on its way: the answer's parts, then the job */
	struct job job;
	struct store_room *room;
	enum { FETCH_IDLE, FETCH_ASKED, FETCH_INSERTING } state;
	bool failed; /* ended without being inserted */
	struct buffer head, groups;
	struct batch batch;
};

struct store_room {
	struct process *process;
	const struct store_options *options;
	struct fault *fault;
	int ended;
	struct chdb chdb;
	struct engine *engine;
	struct insertion insertion; /* of the writer's thread */
	struct workers *writer, *readers;
	char tables[4096]; /* absolute path */

	bool journal_linked, fresh; /* fresh: the journal must hand out again what was not done */
	struct fetch fetches[PREFETCH];
	uv_timer_t fetch_timer, house_timer;
	uint64_t batches;
};

void room_fetch(struct store_room *);       /* store_role.c: asks for what there is room for */
void store_topics(struct store_room *);     /* store_topics.c */
void retention_start(struct store_room *);  /* retention.c: gives the writer a round of it */

/* erasing.c, in the writer's thread: removes the rows, and says which files nothing refers to. */
struct erasing {
	const struct erasure *what;
	uint64_t rows[TABLES], private_values;
	size_t blobs_count;
	uint8_t (*blobs)[32];
};
#define ERASING_BLOBS_MAX 65536
int engine_erase(struct engine *, struct erasing *, struct fault *);
