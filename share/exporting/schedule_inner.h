/*
 * Exports by schedule, into folders of the operator's:
 *
 *   exchange:
 *     exports:
 *       - {name: csirt-daily, collection: attacks, format: parquet, organisation: csirt, every: 1d, path: /srv/csirt}
 *       - {name: drop, collection: attackers, format: nftables, policy: open, every: 1h, last: 7d, path: /srv/lists}
 *
 * One without `last` has a file for each period, NAME.FROM.EXTENSION, and a line in SHA256SUMS; the periods are those of
 * UTC, so the file of a day is the same whoever makes it when.  Periods that were missed are made up for, as far back as
 * EXPORTS_BACK.  One with `last` has one file, NAME.EXTENSION, that is replaced.  Files appear whole.  A period's file
 * is made a little later than it ends (a tenth of it, a minute at most), so that what comes late is in it.
 */
#pragma once
#include "share/exchange_inner.h"

#define EXPORT_OPTIONS_MAX 64
#define EXPORTS_BACK 8

struct export_options {
	const char *name, *collection, *format, *organisation, *policy, *tlp, *path;
	uint64_t every_ms, last_ms;
};
extern const struct option export_option_fields[];

int export_options_check(const struct config *, struct fault *);
int export_schedule_prepare(struct preparation *, struct fault *); /* the folders */

int export_schedule_open(struct exchange *, struct fault *);
void export_schedule_start(struct exchange *);
void export_schedule_stop(struct exchange *);
void export_schedule_close(struct exchange *);

/* Of the period that is due now: false when its file is there.  For tests. */
struct export_period {
	uint64_t from_us, to_us;
	char file[160];
};
bool export_period_due(const struct export_options *, const char *extension, int folder, uint64_t now_us, struct export_period *);
