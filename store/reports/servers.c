/*
 * Command servers that own samples named: what their checks said, now and over time.
 *
 * A check's verdict stands in the answer to its last connection, with the port that the sample named.
 */
#include "store/report.h"

#define IN_RANGE "time >= {from} AND time < {to}"
#define OF(name) "value[indexOf(field, '" name "')]"
#define VERDICTS                                                                                                    \
	"SELECT id, time, ip(src) AS address, " OF("server.port") " AS port, " OF("server.state") " AS said, "       \
	OF("confidence") " AS certainty, " OF("server.fingerprint") " AS fingerprint, " OF("server.why") " AS why, " \
	"file_sha256 AS sample FROM events WHERE kind = 'host.answered' AND probe = 'server' AND "                    \
	"has(field, 'server.state') AND " IN_RANGE

static const struct report servers = {
	.name = "servers",
	.summary = "command servers that own samples named: what checks said of them, now and over time",
	.parts = {
		{"servers", "SELECT address, port, argMax(said, id) AS state, argMax(certainty, id) AS certainty_now, "
			    "argMax(fingerprint, id) AS fingerprint_now, argMax(why, id) AS why_now, argMax(sample, id) AS sample_now, "
			    "count() AS checks, min(time) AS first, max(time) AS last, maxIf(time, said = 'live') AS live "
			    "FROM (" VERDICTS ") GROUP BY address, port ORDER BY last DESC, address, port"},
		{"history", "SELECT time, address, port, said AS state, certainty, fingerprint FROM (" VERDICTS
			    ") ORDER BY time, address, port LIMIT 10000"},
		{"days", "SELECT toDate(time) AS day, said AS state, uniqExact(address, port) AS servers FROM (" VERDICTS
			 ") GROUP BY day, state ORDER BY day, state"},
		{"approvals", "SELECT " OF("approval.kind") " AS what, decision, count() AS times FROM events WHERE "
			      "kind = 'decision.made' AND reason = 'approval' AND " IN_RANGE
			      " GROUP BY what, decision ORDER BY what, decision"},
	},
};
REPORT(servers);
