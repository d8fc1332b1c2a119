/* What hosts were found to expose, each finding of a host counted once in the range. */
#include "store/report.h"

#define IN_RANGE "time >= {from} AND time < {to}"
#define VALUE(name) "value[indexOf(field,'" name "')]"
#define FOUND "FROM events WHERE kind = 'exposure.found' AND " IN_RANGE

static const struct report exposures = {
	.name = "exposures",
	.summary = "what hosts expose: findings by rule, exploited weaknesses, hosts with the most",
	.parts = {
		{"hosts", "SELECT uniqExact(src) AS hosts " FOUND},
		{"findings", "SELECT rule, any(" VALUE("exposure.severity") ") AS severity, any(" VALUE("exposure.title")
			     ") AS title, uniqExact(src) AS sources, max(time) AS last " FOUND " AND " VALUE("exposure.cve")
			     " = '' GROUP BY rule ORDER BY sources DESC, rule LIMIT 200"},
		{"exploited", "SELECT rule AS cve, any(" VALUE("exposure.cvss") ") AS cvss, any(substring("
			      VALUE("exposure.kev_added") ", 1, 10)) AS known_since, uniqExact(src) AS sources, countIf("
			      VALUE("exposure.note") " = '') AS sure, max(time) AS last " FOUND " AND " VALUE("exposure.kev")
			      " = 'true' GROUP BY rule ORDER BY sources DESC, cve LIMIT 200"},
		{"weaknesses", "SELECT rule AS cve, any(" VALUE("exposure.cvss") ") AS cvss, any(" VALUE("exposure.severity")
			       ") AS severity, uniqExact(src) AS sources, max(time) AS last " FOUND " AND "
			       VALUE("exposure.cve") " != '' GROUP BY rule ORDER BY sources DESC, cve LIMIT 200"},
		{"exposed", "SELECT ip(src) AS host, uniqExact(sport, rule) AS findings, countIf(" VALUE("exposure.kev")
			    " = 'true') AS exploited, max(time) AS last " FOUND
			    " GROUP BY src ORDER BY exploited DESC, findings DESC, host LIMIT 200"},
	},
};
REPORT(exposures);
