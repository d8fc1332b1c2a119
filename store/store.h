/*
 * The store's room, for everybody else: its options, its topics, and how to ask it.
 *
 * Two roles: "journal" takes every event, acknowledges after its group commit, keeps
 * blobs; "store" inserts the journal's batches into chDB and answers questions.  Ask over
 * the bus, or, from a command line, at the store's door (bus/client.h).  SQL sees the tables events and
 * flows, their views log and flow (store/schema.h says what is in them) and, where it is allowed, private.
 */
#pragma once
#include "base/options.h"
#include "bus/bus.h"
#include "store/embedded/engine.h"
#include "store/erasure.h"

struct store_options {
	const char *library;   /* libchdb.so, when it is not where npm put it */
	struct {
		uint64_t segment, age_ms, keep_ms;
	} journal;
	struct {
		uint64_t size_max, total_max;
	} blobs;
	struct {
		uint64_t time_ms, memory, result, threads;
	} query;
	struct {
		uint64_t default_ms, private_ms, flows_ms;
		struct option_list kinds, fields; /* struct option_pair: name, duration */
	} retention;
	uint64_t linger_ms;
};

/* Folders of the state directory, each 0700 and its role's own. */
#define JOURNAL_FOLDER "journal"
#define BLOBS_FOLDER "blobs"
#define TABLES_FOLDER "store"

/* Topics of the role "store" (guests may ask them) … */
#define TOPIC_QUERY "store.query"   /* struct question */
#define TOPIC_REPORT "store.report" /* from u64, to u64 (microseconds), name: store/report.h */
#define TOPIC_ERASE "store.erase"   /* store/erasure.h */
#define TOPIC_BACKUP "store.backup" /* nothing; the archive comes back */
/* … and of the role "journal". */
#define TOPIC_BLOB_PUT "blob.put"   /* struct blob_part; answered with how much is there, u64 */
#define TOPIC_BLOB_GET "blob.get"   /* sha256, offset u64; answered with total u64 and up to 64 KiB */
#define TOPIC_BLOB_READ "blob.read"  /* sha256; answered with the whole file, in parts */
#define TOPIC_JOURNAL_STATUS "journal.status" /* answered with a line of JSON */

/*
 * Asks the store.  Parts of the answer come to `answer`; the last has more == false and
 * either status 0 and no bytes, or an error and a sentence.
 */
int store_ask(struct bus *, const char *sql, enum answer_format, bool private_too, bus_answer_f *,
	      void *arg);

/* One part of a file on its way to the journal's blobs. */
#define BLOB_PART_MAX (64u << 10)
struct blob_part {
	uint8_t sha256[32];
	uint64_t offset, total;
	struct bytes bytes;
};
void blob_part_write(struct writer *, const struct blob_part *);
int blob_part_read(struct bytes, struct blob_part *); /* 0 or ERR_BAD */

/* The payload of TOPIC_QUERY. */
void question_write(struct writer *, struct bytes sql, enum answer_format, bool private_too);
int question_read(struct bytes, struct bytes *sql, enum answer_format *, bool *private_too);
#define QUESTION_MAX (260u << 10)
