/*
 * What a reader's SQL may not name.
 *
 * ClickHouse's read-only mode refuses writing, but some functions still look at files or
 * at other machines while a query is analysed (file(), s3(), url() in DESCRIBE).  The
 * guard reads the statement's words, whatever way they are quoted, and refuses each name
 * on a list that stands before a parenthesis, and the names of tables that are not for
 * this reader wherever they stand.
 */
#pragma once
#include "base/bytes.h"
#include "base/error.h"

#define GUARD_NAMES_MAX 512
#define GUARD_SQL_MAX (256u << 10)

struct guard {
	size_t count;
	char names[GUARD_NAMES_MAX][48]; /* lower case, sorted */
};

/* Takes in a name; names longer than fit are refused by nobody: ERR_FULL. */
int guard_add(struct guard *, struct bytes name);
void guard_seal(struct guard *);
/* 0, or ERR_DENIED and a sentence that names what is not allowed. */
int guard_check(const struct guard *, struct bytes sql, bool private_too, struct fault *);
