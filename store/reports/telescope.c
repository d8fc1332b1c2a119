/*
 * Dark traffic: who asks for what, with which tool, who is attacked elsewhere, and who only surveys.
 *
 * Sources are counted by a sketch that is exact for small numbers and within 1 of 100 for millions,
 * since a report over a month would otherwise keep every address in memory.  A flow's packets are
 * spread evenly from its first to its last over the buckets of `rate`, for which only the last
 * RATE_BUCKETS before its end count.
 */
#include "store/report.h"

#define IN_RANGE "time >= {from} AND time < {to}"
#define SOURCES "uniqCombined(src) AS sources"
#define RATE_BUCKETS "200"
/* A field that is no column of events. */
#define TEXT(field_name) "value[indexOf(field, '" field_name "')]"
#define NUMBER(field_name) "toUInt64OrZero(" TEXT(field_name) ")"
#define JUDGED                                                                                    \
	"SELECT src, argMax(" TEXT("intent.verdict") ", id) AS verdict, argMax(" NUMBER("confidence") ", id) AS confidence, " \
	"argMax(" TEXT("evidence") ", id) AS reasons FROM events WHERE kind = 'source.judged' AND " IN_RANGE \
	" GROUP BY src"
/* What a kind of finding says of itself, by the prefix of its fields. */
#define FINDINGS(prefix, many, kind)                                                               \
	"max(" NUMBER(prefix "." many) ") AS " many ", sum(" NUMBER("flow.packets") ") AS packets, " \
	"max(" NUMBER(prefix ".rate") ") AS rate, count() AS times, min(time) AS first, max(time) AS last " \
	"FROM events WHERE kind = '" kind "' AND " IN_RANGE

static const struct report telescope = {
	.name = "telescope",
	.summary = "dark traffic: rate, classes, tools, ports, sources with their verdicts, victims, alerts",
	.parts = {
		{"totals", "SELECT sum(flow_packets) AS packets, sum(flow_bytes) AS bytes, count() AS flows, " SOURCES
			   ", uniqExactIf(proto, dport, flow_answer = 0) AS ports, min(time) AS first, max(time) AS last "
			   "FROM flows WHERE " IN_RANGE},
		{"rate", "SELECT toDateTime(bucket * {bucket}, 'UTC') AS time, {bucket} AS seconds, "
			 "toUInt64(round(sum(share))) AS packets, toUInt64(round(sumIf(share, class = 'scan'))) AS scan, "
			 "toUInt64(round(sumIf(share, class = 'backscatter'))) AS backscatter FROM (SELECT "
			 "flow_class AS class, intDiv(toUInt64(time), {bucket}) AS newest, "
			 "intDiv(if(flow_first = 0, toUInt64(time), intDiv(flow_first, 1000000)), {bucket}) AS oldest, "
			 "toUInt64(least(" RATE_BUCKETS ", greatest(1, toInt64(newest) - toInt64(oldest) + 1))) AS buckets, "
			 "arrayJoin(arrayMap(i -> newest - i, range(buckets))) AS bucket, flow_packets / buckets AS share "
			 "FROM flows WHERE " IN_RANGE ") WHERE bucket >= intDiv(toUInt64({from}), {bucket}) "
			 "GROUP BY bucket ORDER BY bucket"},
		{"classes", "SELECT flow_class AS class, sum(flow_packets) AS packets, " SOURCES ", count() AS flows "
			    "FROM flows WHERE " IN_RANGE " GROUP BY class ORDER BY packets DESC, class"},
		{"tools", "SELECT tool, sum(flow_packets) AS packets, " SOURCES ", uniqExactIf(proto, dport, flow_answer = 0) AS ports FROM "
			  "flows WHERE tool != '' AND " IN_RANGE " GROUP BY tool ORDER BY packets DESC, tool LIMIT 50"},
		{"ports", "SELECT proto, dport AS port, sum(flow_packets) AS packets, " SOURCES ", "
			  "max(flow_destinations) AS destinations FROM flows WHERE flow_answer = 0 AND " IN_RANGE
			  " GROUP BY proto, port ORDER BY packets DESC, proto, port LIMIT 50"},
		{"sources", "SELECT ip(f.src) AS src, packets, destinations, ports, class, tools, verdict, confidence, "
			    "first, last, reasons FROM (SELECT src, sum(flow_packets) AS packets, "
			    "max(flow_destinations) AS destinations, uniqExactIf(proto, dport, flow_answer = 0) AS ports, "
			    "arrayStringConcat(arraySort(groupUniqArray(tool)), ' ') AS tools, "
			    "argMax(flow_class, flow_packets) AS class, min(time) AS first, max(time) AS last "
			    "FROM flows WHERE " IN_RANGE " AND src IN (SELECT src FROM flows WHERE " IN_RANGE
			    " GROUP BY src ORDER BY sum(flow_packets) DESC, src LIMIT 100) GROUP BY src) AS f "
			    "ALL LEFT JOIN (" JUDGED ") AS j ON f.src = j.src ORDER BY packets DESC, src"},
		{"verdicts", "SELECT verdict, count() AS sources, toUInt64(round(avg(confidence))) AS confidence FROM ("
			     JUDGED ") GROUP BY verdict ORDER BY sources DESC, verdict"},
		{"scans", "SELECT ip(src) AS source, proto, dport AS port, max(" NUMBER("scan.ports") ") AS ports, "
			  "any(" TEXT("tool") ") AS tool, " FINDINGS("scan", "destinations", "scan.seen")
			  " AND state = '' GROUP BY src, proto, port ORDER BY packets DESC, source LIMIT 50"},
		{"handshakes", "SELECT ip(src) AS source, proto, dport AS port, count() AS times, "
			       "countIf(" TEXT("reactive.end") " = 'payload') AS payloads, "
			       "countIf(" TEXT("reactive.phases") " = '2') AS two_phase, any(" TEXT("tool") ") AS tool, "
			       "any(" TEXT("flow.asks") ") AS asks, max(time) AS last FROM events WHERE kind = 'scan.seen' "
			       "AND state = 'answered' AND " IN_RANGE " GROUP BY src, proto, port "
			       "ORDER BY times DESC, source, port LIMIT 50"},
		{"victims", "SELECT ip(src) AS victim, proto, sport AS port, "
			    FINDINGS("backscatter", "destinations", "backscatter.seen")
			    " GROUP BY src, proto, port ORDER BY packets DESC, victim LIMIT 50"},
		{"reflections", "SELECT ip(dst) AS target, proto, sport AS port, "
				FINDINGS("reflection", "sources", "reflection.seen")
				" AND state = '' GROUP BY dst, proto, port ORDER BY packets DESC, target LIMIT 50"},
		{"floods", "SELECT ip(dst) AS target, proto, dport AS port, max(" NUMBER("flood.ttls") ") AS ttls, "
			   FINDINGS("flood", "sources", "flood.seen")
			   " GROUP BY dst, proto, port ORDER BY packets DESC, target LIMIT 50"},
		{"alerts", "SELECT " TEXT("alert.verdict") " AS verdict, " TEXT("alert.signature") " AS signature, "
			   "count() AS alerts, " SOURCES ", max(time) AS last FROM events WHERE kind = 'alert.raised' "
			   "AND " IN_RANGE " GROUP BY verdict, signature ORDER BY alerts DESC, verdict, signature "
			   "LIMIT 50"},
		{"asks", "SELECT flow_asks AS asks, proto, sum(flow_packets) AS packets, " SOURCES " FROM flows WHERE "
			 "flow_asks != '' AND " IN_RANGE " GROUP BY asks, proto ORDER BY packets DESC, asks LIMIT 50"},
		{"coverage", "SELECT service, state, count() AS times, min(time) AS first, max(time) AS last "
			     "FROM events WHERE kind = 'sensor.changed' AND " IN_RANGE
			     " GROUP BY service, state ORDER BY service, state"},
	},
};
REPORT(telescope);
