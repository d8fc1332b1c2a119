/*
 * What a report is: named questions to the store, asked together.
 *
 * One file in store/reports/, one `struct report`, REPORT(it).  The store runs its parts in
 * order and answers one JSON object {"report":NAME,"from":…,"to":…,"parts":{PART:[rows]}};
 * the command line, the API and the console show the same numbers from it.
 *
 * SQL keeps to the subset that every ClickHouse from 18.16 on answers alike, reads the views
 * `log` and `flow` or the tables `events` and `flows` below them (store/schema.h), and says {from}
 * and {to} where the range of time belongs, {bucket} for the seconds of one bucket of a rate.
 */
#pragma once
#include "base/registry.h"
#include "base/bytes.h"

#define REPORT_PARTS_MAX 16
#define REPORT_SQL_MAX 8192
#define REPORT_BUCKETS 240 /* of a rate, about; more only when there is one a day */

struct report {
	const char *name;    /* "devices" */
	const char *summary;
	struct report_part {
		const char *name;
		const char *sql;
	} parts[REPORT_PARTS_MAX]; /* a NULL name ends them */
};

#define REPORT(r) REGISTER(reports, struct report, r)
REGISTRY(reports, struct report);
#define REPORTS_EACH(it) REGISTRY_EACH(reports, struct report, it)

const struct report *report_find(const char *name); /* NULL: there is none */
/* The part's SQL with the range filled in; the writer turns bad when it does not fit. */
void report_sql(const struct report_part *, uint64_t from_us, uint64_t to_us, struct writer *);
