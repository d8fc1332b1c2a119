/*
 * The parts of the MongoDB emulator: collections of a session, commands, log-in.
 */
#pragma once
#include "passive/accounts.h"
#include "passive/services/mongodb/bson.h"

#define MONGO_COLLECTIONS_MAX 64
#define MONGO_DOCUMENTS_MAX 1024 /* that one session inserts */
#define MONGO_REPLY_MAX (256 * 1024)
#define MONGO_BATCH 101 /* of a find: the server's own default */
#define MONGO_LINE_MAX 4096
#define MONGO_NONCE 24

struct mongo_planted {
	const char *database, *collection;
	uint64_t documents;
};

struct mongo_device {
	const char *version, *git, *distribution;
	bool auth; /* commands need a log-in */
	struct option_list accounts, collections;
};

struct mongo_document {
	struct mongo_document *next;
	struct bytes bson;
};

struct mongo_collection {
	struct mongo_collection *next;
	struct bytes database, name;
	struct mongo_document *documents, **end;
	uint32_t count, made; /* made: documents that are derived, before the others */
};

struct mongo {
	const struct mongo_device *device;
	struct session *session;
	struct mongo_collection *collections;
	uint32_t collection_count, inserted, request;
	uint32_t connection;
	bool planted, let_in, changed;
	/* SCRAM that is going on */
	bool sha256;
	struct bytes user, client_first, server_first;
};

/* passive/services/mongodb/commands.c */
/* A command's answer, within the document that is open.  `documents`: what came behind it. */
void mongo_run(struct mongo *, struct bytes database, struct bytes command, struct bytes documents,
	       struct bson *out);
void mongo_plant(struct mongo *);

/* passive/services/mongodb/memory.c: what the visitor left, or what was planted; and when anything changed. */
void mongo_begin(struct mongo *);
void mongo_remember(struct mongo *);

/* passive/services/mongodb/server.c: what the server says of itself. */
bool mongo_about(struct mongo *, struct bytes name, struct bytes command, struct bson *out);
void mongo_error(struct bson *, int32_t code, const char *code_name, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* passive/services/mongodb/login.c: saslStart and saslContinue. */
void mongo_sasl_start(struct mongo *, struct bytes command, struct bson *out);
void mongo_sasl_continue(struct mongo *, struct bytes command, struct bson *out);
