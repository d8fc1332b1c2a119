/*
 * Hits of a scan as text: ZMap's columns, or one JSON object a line with the same names.
 *
 * A column that the protocol does not have is empty, or absent.  Both spellings of ZMap's names are
 * taken ("timestamp-str" of its version 2, "timestamp_str" of 3); the first is written.
 */
#pragma once
#include "active/scan/scan.h"
#include <stdio.h>

#define SCAN_FIELDS_DEFAULT "saddr,sport,classification,ttl,timestamp-str"

struct scan_output;
/* `path` NULL or "-": standard output.  `all`: also closed ports, errors and repeats. */
int scan_output_open(struct scan_output **, const char *path, const char *fields, bool json, bool all, struct fault *);
void scan_output_write(struct scan_output *, const struct scan_hit *);
/* ERR_GONE: nobody reads any more. */
int scan_output_flush(struct scan_output *);
int scan_output_close(struct scan_output *);
void scan_output_fields(FILE *); /* what there is, a line each */
