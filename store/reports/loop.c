/* Does the loop close, and how fast: from a decoy's first byte to the next visit. */
#include "store/report.h"

#define IN_RANGE "time >= {from} AND time < {to}"

static const struct report loop = {
	.name = "loop",
	.summary = "events by kind, decisions by reason, probes by state, visits that were steered",
	.parts = {
		{"kinds", "SELECT kind, count() AS events, uniqExact(src) AS sources FROM events WHERE " IN_RANGE
			  " GROUP BY kind ORDER BY events DESC, kind"},
		{"decisions", "SELECT decision, reason, count() AS events, uniqExact(src) AS sources FROM events "
			      "WHERE kind = 'decision.made' AND " IN_RANGE
			      " GROUP BY decision, reason ORDER BY events DESC, decision, reason"},
		{"answers", "SELECT probe, state, count() AS events, uniqExact(src) AS hosts FROM events WHERE "
			    "kind = 'host.answered' AND " IN_RANGE " GROUP BY probe, state ORDER BY probe, state"},
		{"unidentified", "SELECT probe, count() AS answers, uniqExact(src) AS hosts FROM events WHERE "
				 "kind = 'host.answered' AND state = 'open' AND " IN_RANGE
				 " AND src NOT IN (SELECT src FROM events WHERE kind = 'host.identified' AND "
				 "device_class != '' AND " IN_RANGE ") GROUP BY probe ORDER BY probe"},
		{"steered", "SELECT persona, count() AS visits, uniqExact(src) AS sources FROM events WHERE "
			    "kind = 'host.steered' AND " IN_RANGE " GROUP BY persona ORDER BY persona"},
		{"crashes", "SELECT service, count() AS times, max(time) AS last FROM events WHERE "
			    "kind = 'sensor.changed' AND state = 'crash' AND " IN_RANGE
			    " GROUP BY service ORDER BY service"},
	},
};
REPORT(loop);
