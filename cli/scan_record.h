/*
 * What a scan has sent, for whoever asks later: one file a scan in STATE/scans.
 *
 * Not a line for each packet: the order follows from the seed, so the file has the seed, the targets
 * and, once a second, how far the scan was.  From that follows for any address whether it was asked,
 * and in which second.
 *
 *    # kansoku-scan 1 SURVEY LEASE PROTOCOL SEED SHARD SHARDS PASSES FROM BEGAN_US
 *    # ports 23 80
 *    192.0.2.0/25                     a target: a prefix a line
 *    # at UTC_US ALL_BEFORE NONE_FROM positions
 *    # end UTC_US ALL_BEFORE NONE_FROM  absent when it was killed
 */
#pragma once
#include "active/scan/scan.h"
#include "control/policy.h"

#define SCAN_RECORD_BYTES_MAX ((size_t)1 << 30)

struct scan_record;
int scan_record_begin(struct scan_record **, const char *state, const struct survey_lease *, const struct scan_options *,
		      struct fault *);
void scan_record_mark(struct scan_record *, const struct scan_counts *);
void scan_record_end(struct scan_record *, const struct scan_counts *);

struct scan_asked {
	const char *survey, *lease, *protocol; /* lease: hexadecimal, or zeros */
	struct address target;
	uint16_t port;
	uint64_t first_us, last_us; /* it left between them, UTC; last 0: not known, the scan was killed */
	bool again;                 /* a later pass: only if it had not answered */
	bool certain;               /* false: perhaps it was not sent */
};
/* Every packet to an address of that prefix of at most 4,096 addresses; 0 or a fault. */
int scan_records_about(const char *state, const struct prefix *, uint64_t since_us,
		       void (*each)(void *arg, const struct scan_asked *), void *arg, struct fault *);
