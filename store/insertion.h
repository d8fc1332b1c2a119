/* From a batch of the journal to rows of the store, exactly once. */
#pragma once
#include "store/embedded/engine.h"
#include "store/journal.h"
#include "store/row.h"

/* Of one batch as rows: an empty value of 5 bytes becomes a name of up to 66. */
#define ROWS_BYTES_MAX ((size_t)16 * 2 * BATCH_BYTES_MAX)

struct insertion {
	struct rows rows; /* of the batch at hand */
	struct event *event;
	struct row_plan plan;
	uint64_t inserted[TABLES], inserted_private;
	uint64_t refused; /* frames that this version cannot read; they stay in the journal */
};

int insertion_open(struct insertion *); /* 0 or ERR_MEMORY */
/* Inserts the batch under its name; repeating it changes nothing. */
int insertion_run(struct insertion *, struct engine *, const struct batch *, struct bytes head,
		  struct bytes groups, struct fault *);
void insertion_close(struct insertion *);
