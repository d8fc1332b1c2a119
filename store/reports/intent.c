/* Attack or survey: the latest verdict of each source and day, with the reasons for and against it. */
#include "store/report.h"

#define IN_RANGE "time >= {from} AND time < {to}"
#define VALUE(name) "value[indexOf(field,'" name "')]"
#define LATEST                                                                                    \
	"SELECT src, substring(if(has(field, 'intent.day'), " VALUE("intent.day") ", toString(time)), " \
	"1, 10) AS day, argMax(" VALUE("intent.verdict") ", id) AS verdict, " \
	"toUInt64OrZero(argMax(" VALUE("confidence") ", id)) AS confidence, argMax(" VALUE("intent.score") ", id) AS score, " \
	"argMax(" VALUE("evidence") ", id) AS reasons, argMax(" VALUE("dissent") ", id) AS against "  \
	"FROM events WHERE kind = 'source.judged' AND " IN_RANGE " GROUP BY src, day"

static const struct report intent = {
	.name = "intent",
	.summary = "attack or survey: the verdict on each source and day, with its reasons",
	.parts = {
		{"days", "SELECT day, verdict, count() AS sources, toUInt64(round(avg(confidence))) AS confidence FROM ("
			 LATEST ") GROUP BY day, verdict ORDER BY day DESC, sources DESC, verdict"},
		{"sources", "SELECT day, ip(src) AS source, verdict, confidence, score, reasons, against FROM (" LATEST
			    ") ORDER BY day DESC, confidence DESC, source LIMIT 1000"},
	},
};
REPORT(intent);
