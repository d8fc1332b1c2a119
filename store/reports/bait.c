/* Bait: which was used, where it had been planted, and who had seen it first. */
#include "store/report.h"

#define IN_RANGE "time >= {from} AND time < {to}"
#define VALUE(name) "value[indexOf(field,'" name "')]"

static const struct report bait = {
	.name = "bait",
	.summary = "bait that was used: from which place or decoy it came, who saw it, who used it",
	.parts = {
		{"places", "SELECT " VALUE("bait.entry") " AS entry, any(" VALUE("bait.place") ") AS place, count() AS uses, "
			   "uniqExact(src) AS sources, min(time) AS first, ip(argMin(src, time)) AS first_source "
			   "FROM events WHERE kind = 'token.used' AND has(field,'bait.entry') AND " IN_RANGE
			   " GROUP BY entry ORDER BY first, entry"},
		{"used", "SELECT time, ip(src) AS source, ip(dst) AS decoy, service, " VALUE("bait.name") " AS name, "
			 VALUE("bait.device") " AS planted_at, " VALUE("bait.path") " AS path, " VALUE("bait.source")
			 " AS seen_by, " VALUE("bait.seen") " AS seen, " VALUE("bait.session") " AS seen_session "
			 "FROM events WHERE kind = 'token.used' AND NOT has(field,'bait.entry') AND " IN_RANGE
			 " ORDER BY time, source LIMIT 1000"},
		{"seen", "SELECT " VALUE("bait.device") " AS planted_at, " VALUE("bait.path") " AS path, " VALUE("bait.name")
			 " AS name, count() AS times, uniqExact(src) AS sources, max(time) AS last FROM events WHERE "
			 "kind = 'token.planted' AND " IN_RANGE " GROUP BY planted_at, path, name ORDER BY sources DESC, "
			 "planted_at, path, name LIMIT 1000"},
	},
};
REPORT(bait);
