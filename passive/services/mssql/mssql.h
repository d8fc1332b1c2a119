/*
 * The parts of the SQL Server emulator: TDS tokens (MS-TDS), log-in, statements, and what
 * xp_cmdshell says on a Windows server.
 */
#pragma once
#include "passive/accounts.h"
#include "passive/services/sql/sql.h"
#include "passive/services/windows/system.h"

#define MSSQL_PACKET 4096
#define MSSQL_ANSWER_MAX (256 * 1024)
#define MSSQL_SCRATCH_MAX (2u << 20)
#define MSSQL_LINE_MAX 4096 /* of a statement as it is recorded */
#define MSSQL_USER_MAX 64

struct mssql_device {
	struct windows_identity identity;
	const char *version; /* 14.0.1000.169 */
	const char *service_account;
	bool xp_cmdshell;
	struct option_list accounts, databases;
};

enum mssql_phase { MSSQL_GREETING, MSSQL_LOGIN, MSSQL_TICKET, MSSQL_READY };

struct mssql {
	const struct mssql_device *device;
	struct session *session; /* while a callback runs */
	struct sql sql;
	struct writer out; /* tokens of the answer that is being made */
	struct ntlm_host host;
	const struct windows_system *windows;
	uint8_t challenge[8];
	uint32_t tds; /* as the client asked: 0x74000004 */
	uint8_t phase, user_len;
	bool narrow;  /* TDS 4.2: eight bits a letter, and no rows */
	bool cmdshell;
	uint8_t user[MSSQL_USER_MAX];
};

/* passive/services/mssql/tokens.c */
void mssql_flush(struct mssql *); /* says what is in `out` as packets of one message */
void mssql_done(struct mssql *, uint8_t token, uint16_t status, uint64_t rows);
void mssql_say(struct mssql *, bool error, int32_t number, uint8_t class, uint8_t state, const char *fmt, ...)
	__attribute__((format(printf, 6, 7)));
void mssql_change(struct mssql *, uint8_t kind, const char *to, const char *from);
void mssql_rows(struct mssql *, const struct sql_answer *);
void mssql_write_wide(struct writer *, struct bytes utf8); /* as UTF-16LE */
struct bytes mssql_narrow(struct arena *, struct bytes utf16);
uint16_t mssql_read_u16(struct reader *);
uint32_t mssql_read_u32(struct reader *);

/* passive/services/mssql/login.c; false: hang up. */
void mssql_greet(struct mssql *, struct bytes prelogin, bool *secure);
bool mssql_log_in(struct mssql *, struct bytes message);
bool mssql_log_in_old(struct mssql *, struct bytes message);
bool mssql_ticket(struct mssql *, struct bytes message);

/* passive/services/mssql/query.c */
extern const struct sql_hooks mssql_hooks;
void mssql_query(struct mssql *, struct bytes text, uint8_t last); /* last: token that ends it */
void mssql_call(struct mssql *, struct bytes message); /* an RPC */

/* passive/services/mssql/commands.c: lines that a command shell answers, parted by LF. */
void mssql_command(struct mssql *, struct bytes line, struct writer *out);
