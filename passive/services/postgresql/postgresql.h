/*
 * The parts of the PostgreSQL emulator: messages (protocol 3.0), log-in, and answers to
 * statements, by the simple and by the extended way.
 */
#pragma once
#include "passive/accounts.h"
#include "passive/command.h"
#include "passive/services/sql/sql.h"

#define POSTGRES_USER_MAX 63 /* NAMEDATALEN - 1 */
#define POSTGRES_NONCE 24    /* letters of SCRAM that are ours */
#define POSTGRES_STATEMENTS_MAX 16
#define POSTGRES_PARAMETERS_MAX 32
#define POSTGRES_FUNCTIONS_MAX 8
#define POSTGRES_SCRATCH_MAX (2u << 20)
#define POSTGRES_LINE_MAX 4096 /* of a statement as it is recorded */

enum postgres_way { POSTGRES_MD5, POSTGRES_SCRAM, POSTGRES_PASSWORD, POSTGRES_TRUST };
enum postgres_phase { POSTGRES_STARTUP, POSTGRES_SECRET, POSTGRES_SCRAM_FIRST, POSTGRES_SCRAM_LAST, POSTGRES_READY };

struct postgres_device {
	const char *version, *package, *compiler;
	int way;
	bool tls;
	uint64_t startup_line;        /* in postmaster.c, which errors name */
	struct option_list accounts;  /* of struct account */
	struct option_list databases; /* of const char * */
};

struct postgres_statement {
	struct bytes name, text;
};

struct postgres {
	const struct postgres_device *device;
	struct session *session; /* while a callback runs: the hooks need it */
	struct sql sql;
	struct command_shell *shell;
	struct postgres_statement statements[POSTGRES_STATEMENTS_MAX];
	struct bytes parameters[POSTGRES_PARAMETERS_MAX]; /* at NULL: NULL */
	struct bytes bound; /* text of the one portal */
	struct bytes functions[POSTGRES_FUNCTIONS_MAX];
	struct bytes database, client_first, server_first;
	uint32_t pid;
	uint8_t phase, user_len, statement_count, parameter_count, function_count;
	bool asked_tls, in_transaction, broken; /* broken: the transaction has failed */
	bool skipping; /* an error of the extended way: until Sync */
	bool copying;  /* rows of COPY FROM STDIN come in */
	bool quiet;    /* RowDescription was asked for by itself */
	uint8_t salt[4];
	char nonce[POSTGRES_NONCE + 1];
	uint8_t user[POSTGRES_USER_MAX];
};

/* passive/services/postgresql/messages.c */
void postgres_message(struct postgres *, char type, struct bytes);
struct postgres_error {
	const char *severity; /* NULL: ERROR */
	const char *state, *detail, *hint, *file, *routine;
	unsigned line, position; /* position 0: none */
};
void postgres_error(struct postgres *, const struct postgres_error *, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void postgres_columns(struct postgres *, const struct sql_answer *);
void postgres_rows(struct postgres *, const struct sql_answer *);
void postgres_complete(struct postgres *, const char *tag);
void postgres_ready(struct postgres *);

/* passive/services/postgresql/login.c; false: hang up. */
bool postgres_startup(struct postgres *, struct bytes packet);
bool postgres_secret(struct postgres *, struct bytes payload);

/* passive/services/postgresql/answers.c */
extern const struct sql_hooks postgres_hooks;
bool postgres_setting(struct postgres *, struct bytes name, struct bytes *out);
void postgres_library(struct postgres *); /* makes pg_largeobject */

/* passive/services/postgresql/query.c */
void postgres_query(struct postgres *, struct bytes text);
/* Runs one statement without ReadyForQuery: the extended way. */
void postgres_execute(struct postgres *, struct bytes text);
void postgres_describe(struct postgres *, struct bytes text);

/* passive/services/postgresql/extended.c: false: it is none of these messages. */
bool postgres_extended(struct postgres *, uint8_t type, struct bytes payload);
