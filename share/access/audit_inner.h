/* A line of the audit, and its place in the chain. */
#pragma once
#include "share/audit.h"

void audit_digest(struct bytes line, uint8_t out[AUDIT_DIGEST]);
/* Number and "before" of a line without its line end; false: it is none. */
bool audit_line_read(struct bytes line, struct audit_head *);
