/* C's escapes in a line: \n \r \t \0 \xHH and so on; a backslash before anything else stands for itself. */
#pragma once
#include "base/bytes.h"

/* In place: what is read is never shorter than what is written. */
struct bytes escapes_read(char *line, size_t len);
