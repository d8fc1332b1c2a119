/* What decoys captured and what requests tried: samples, families, servers, campaigns, weaknesses, novel payloads. */
#include "store/report.h"

#define IN_RANGE "time >= {from} AND time < {to}"
#define VALUE(name) "value[indexOf(field,'" name "')]"
#define ANALYSED "FROM events WHERE kind = 'sample.analysed' AND " IN_RANGE
#define EXPLOIT "FROM events WHERE kind = 'exploit.seen' AND " IN_RANGE

static const struct report samples = {
	.name = "samples",
	.summary = "captured files: families, servers, campaigns, where they came from; weaknesses that requests tried",
	.parts = {
		{"totals", "SELECT uniqExact(file_sha256) AS samples, countIf(verdict = 'malicious') AS malicious, "
			   "countIf(verdict = 'suspicious') AS suspicious, countIf(runs != '') AS run FROM (SELECT file_sha256, "
			   "argMax(" VALUE("sample.verdict") ", id) AS verdict, argMax(" VALUE("sample.runs") ", id) AS runs " ANALYSED
			   " GROUP BY file_sha256)"},
		{"samples", "SELECT file_sha256 AS sample, argMax(" VALUE("sample.family") ", id) AS family, argMax("
			    VALUE("sample.verdict") ", id) AS verdict, argMax(" VALUE("sample.type") ", id) AS type, argMax("
			    VALUE("sample.architecture") ", id) AS architecture, argMax(" VALUE("sample.campaign") ", id) AS campaign, "
			    "max(time) AS last " ANALYSED " GROUP BY file_sha256 ORDER BY last DESC, sample LIMIT 200"},
		{"families", "SELECT if(family = '', 'not known', family) AS family, count() AS samples, uniqExact(architecture) AS "
			     "architectures, max(last) AS last FROM (SELECT file_sha256, argMax(" VALUE("sample.family")
			     ", id) AS family, argMax(" VALUE("sample.architecture") ", id) AS architecture, max(time) AS last " ANALYSED
			     " GROUP BY file_sha256) GROUP BY family ORDER BY samples DESC, family"},
		{"captured", "SELECT file_sha256 AS sample, count() AS times, uniqExact(src) AS sources, arrayStringConcat(arraySort("
			     "groupUniqArray(" VALUE("file.how") ")), ' ') AS how, min(time) AS first, max(time) AS last FROM events "
			     "WHERE kind = 'file.captured' AND file_sha256 != '' AND " IN_RANGE
			     " GROUP BY file_sha256 ORDER BY times DESC, sample LIMIT 100"},
		{"servers", "SELECT " VALUE("indicator.value") " AS server, " VALUE("indicator.role") " AS role, "
			    "uniqExact(file_sha256) AS samples, max(toUInt64OrZero(" VALUE("confidence") ")) AS confidence, max(time) AS last "
			    "FROM events WHERE kind = 'indicator.found' AND file_sha256 != '' AND role IN ('command', 'download', 'report') "
			    "AND " IN_RANGE " GROUP BY server, role ORDER BY samples DESC, server LIMIT 200"},
		{"campaigns", "SELECT campaign, count() AS samples, arrayStringConcat(arraySort(groupUniqArray(family)), ' ') AS families, "
			      "min(first) AS first, max(last) AS last FROM (SELECT file_sha256, argMax(" VALUE("sample.campaign")
			      ", id) AS campaign, argMax(" VALUE("sample.family") ", id) AS family, min(time) AS first, max(time) AS last "
			      ANALYSED " GROUP BY file_sha256) WHERE campaign != '' GROUP BY campaign ORDER BY samples DESC, campaign "
			      "LIMIT 100"},
		{"weaknesses", "SELECT rule, any(" VALUE("exploit.weakness") ") AS weakness, any(" VALUE("exploit.product") ") AS product, "
			       "uniqExact(src) AS sources, count() AS times, max(time) AS last " EXPLOIT " AND rule != 'unknown' "
			       "GROUP BY rule ORDER BY sources DESC, rule LIMIT 200"},
		{"novel", "SELECT " VALUE("exploit.group") " AS group, uniqExact(src) AS sources, count() AS times, min(time) AS first, "
			  "max(time) AS last, any(service) AS service, any(substring(" VALUE("exploit.shape") ", 1, 160)) AS shape " EXPLOIT
			  " AND rule = 'unknown' GROUP BY group ORDER BY sources DESC, last DESC, group LIMIT 200"},
	},
};
REPORT(samples);
