/*
 * The parts of the MySQL emulator: packets, log-in, and answers to statements.
 *
 * Three products speak this protocol each in its own way: the greeting, the default way to log
 * in and many texts differ, and all of that hangs on `enum mysql_flavour`.
 */
#pragma once
#include "passive/accounts.h"
#include "passive/command.h"
#include "passive/services/sql/sql.h"

#define MYSQL_SALT 20
#define MYSQL_USER_MAX 96
#define MYSQL_FUNCTIONS_MAX 8 /* that a session may create */
#define MYSQL_FILES_MAX 8     /* that it may write and load again */
#define MYSQL_SCRATCH_MAX (2u << 20) /* memory for one statement, gone afterwards */
#define MYSQL_LINE_MAX 4096   /* of a statement as it is recorded */

enum mysql_flavour { MYSQL_MARIADB, MYSQL_5, MYSQL_8 };

struct mysql_device {
	int flavour;
	const char *version, *comment, *data_directory, *plugin_directory, *secure_file_priv;
	struct option_list accounts;  /* of struct account */
	struct option_list databases; /* of const char * */
};

enum mysql_phase { MYSQL_GREETED, MYSQL_SWITCHED, MYSQL_FULL, MYSQL_COMMANDS };

enum mysql_way { MYSQL_NATIVE, MYSQL_SHA2 };

struct mysql {
	const struct mysql_device *device;
	struct session *session; /* while a callback runs: the hooks need it */
	struct sql sql;
	struct command_shell *shell;
	uint32_t capabilities, extended, thread, questions; /* extended: MariaDB's own */
	uint8_t sequence, phase, way, user_len, file_count, function_count;
	bool had_secret, failed; /* failed: an error ends a packet of several statements */
	bool more; /* another answer follows this one */
	uint8_t salt[MYSQL_SALT + 1];
	uint8_t user[MYSQL_USER_MAX];
	struct bytes wanted; /* database named at log-in */
	struct bytes functions[MYSQL_FUNCTIONS_MAX], files[MYSQL_FILES_MAX];
};

/* passive/services/mysql/packets.c */
void mysql_packet(struct mysql *, struct bytes payload);
void mysql_ok(struct mysql *, uint64_t affected);
void mysql_error(struct mysql *, unsigned code, const char *state, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void mysql_rows(struct mysql *, const struct sql_answer *);
void mysql_end(struct mysql *); /* of rows */
uint64_t mysql_read_length(struct reader *);

/* passive/services/mysql/login.c */
void mysql_greet(struct mysql *);
/* One packet before commands; false: hang up. */
bool mysql_log_in(struct mysql *, struct bytes payload);

/* passive/services/mysql/answers.c */
extern const struct sql_hooks mysql_hooks;
/* SHOW and what else is not SQL of all products; false: the statement is none of these. */
bool mysql_show(struct mysql *, struct sql_reader *, struct sql_answer *);
bool mysql_variable(struct mysql *, struct bytes name, struct sql_value *);

/* passive/services/mysql/query.c */
void mysql_query(struct mysql *, struct bytes text);
bool mysql_choose(struct mysql *, struct bytes database);
