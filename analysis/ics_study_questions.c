/* The study's questions to the store. */
#include "analysis/ics_study_inner.h"

#define V(name) "value[indexOf(field,'" name "')]"
/* When its source saw it, else when it came in; both as 2015-06-01 12:00:00. */
#define SEEN "replaceOne(substring(if(has(field,'record.time'), " V("record.time") ", toString(time)), 1, 19), 'T', ' ')"

static void write_when(struct writer *w, const char *expression, const struct ics_study_options *o)
{
	char from[TIME_TEXT_MAX], to[TIME_TEXT_MAX];
	time_format(o->from_us, from);
	time_format(o->to_us, to);
	write_fmt(w, "%s >= '%.10s %.8s' AND %s < '%.10s %.8s'", expression, from, from + 11, expression, to, to + 11);
}

static void write_records(struct writer *w, const struct ics_study *s)
{
	write_fmt(w, "kind = 'record.imported' AND " V("record.format") " = '%s' AND " V("record.kind") " = 'host.answered' AND ",
		  s->format);
	write_when(w, SEEN, &s->options);
}

/* By the port, by what its source calls it, or by the tag that it bears. */
static void write_industrial(struct writer *w)
{
	const char *comma = "";
	write_text(w, "(dport IN (");
	for (size_t i = 0; ics_protocol_at(i); i++)
		for (size_t k = 0; k < 4 && ics_protocol_at(i)->ports[k]; k++) {
			write_fmt(w, "%s%u", comma, ics_protocol_at(i)->ports[k]);
			comma = ",";
		}
	write_text(w, ") OR has(splitByChar(' ', " V("record.labels") "), 'ics'))");
}

static void write_flows(struct writer *w, const struct ics_study *s)
{
	write_when(w, "time", &s->options);
	write_text(w, " AND flow_class = 'scan' AND flow_answer = 0");
}

static void claims_sql(const struct ics_study *s, struct writer *w)
{
	write_text(w, "SELECT ip(src) AS host, dport AS port, proto, hex(argMax(banner, seen)) AS banner, "
		      "hex(argMax(class, seen)) AS class, hex(argMax(labels, seen)) AS labels, hex(argMax(country, seen)) AS country, "
		      "lower(hex(argMax(id, seen))) AS id, argMax(pap, seen) AS pap, toUnixTimestamp(toDateTime(max(seen), 'UTC')) AS at "
		      "FROM (SELECT src, dport, proto, id, " "substring(" V("banner") ", 1, 2048) AS banner, "
		      V("record.class") " AS class, " V("record.labels") " AS labels, " V("record.country") " AS country, "
		      V("record.pap") " AS pap, " SEEN " AS seen FROM events WHERE ");
	write_records(w, s);
	write_text(w, " AND src IN (SELECT src FROM flows WHERE ");
	write_flows(w, s);
	write_fmt(w, ")) GROUP BY src, dport, proto ORDER BY host, port, proto LIMIT %d", ICS_ROWS_MAX);
}

static void dark_sql(const struct ics_study *s, struct writer *w)
{
	write_text(w, "SELECT ip(src) AS host, proto, dport AS port, flow_ttl_max AS ttl, sum(flow_packets) AS packets, "
		      "max(flow_destinations) AS destinations, hex(argMax(flow_p0f, flow_packets)) AS p0f, "
		      "hex(argMax(tool, flow_packets)) AS tool, hex(argMax(sensor, flow_packets)) AS sensor, toUnixTimestamp(min(time)) AS first, "
		      "toUnixTimestamp(max(time)) AS last FROM flows WHERE ");
	write_flows(w, s);
	write_text(w, " AND src IN (SELECT src FROM events WHERE ");
	write_records(w, s);
	write_fmt(w, ") GROUP BY src, proto, dport, flow_ttl_max ORDER BY host, packets DESC LIMIT %d", ICS_ROWS_MAX);
}

/* Of a look several questions may go to a port; an answer has a TTL, one of them may have been understood. */
static void looks_sql(const struct ics_study *s, struct writer *w)
{
	char from[TIME_TEXT_MAX];
	time_format(s->options.from_us, from);
	write_text(w, "SELECT ip(src) AS host, sport AS port, proto, hex(sensor) AS sensor, "
		      "max(state = 'open') AS open, toUInt32OrZero(argMax(ttl, (ttl != '', time))) AS ttl, "
		      "arrayStringConcat(groupUniqArrayIf(toString(probe), understood), ' ') AS speaks, toUnixTimestamp(max(time)) AS at FROM (SELECT src, sport, proto, sensor, state, "
		      "probe, time, if(" V("tcp.ttl") " != '', " V("tcp.ttl") ", " V("udp.ttl") ") AS ttl, "
		      "arrayExists(x -> startsWith(x, concat(toString(probe), '.')), field) AS understood FROM events WHERE "
		      "kind = 'host.answered' AND probe != 'survey' AND ");
	write_fmt(w, "time >= '%.10s %.8s' AND src IN (SELECT src FROM events WHERE ", from, from + 11);
	write_records(w, s);
	write_fmt(w, ")) GROUP BY src, sport, proto, sensor ORDER BY host, at DESC, port LIMIT %d", ICS_ROWS_MAX);
}

static void identities_sql(const struct ics_study *s, struct writer *w)
{
	char from[TIME_TEXT_MAX];
	time_format(s->options.from_us, from);
	write_text(w, "SELECT ip(src) AS host, hex(argMax(device_vendor, id)) AS vendor, hex(argMax(device_product, id)) AS product, "
		      "hex(argMax(" V("device.os") ", id)) AS system, "
		      "max(toUInt32OrZero(" V("honeypot.score") ")) AS honeypot FROM events WHERE kind = 'host.identified' AND ");
	write_fmt(w, "time >= '%.10s %.8s' AND src IN (SELECT src FROM events WHERE ", from, from + 11);
	write_records(w, s);
	write_fmt(w, ") GROUP BY src ORDER BY host LIMIT %d", ICS_ROWS_MAX);
}

/* Hosts of one TTL on either side whose SYN has a system's own shape: they tell how two vantages differ. */
static void paths_sql(const struct ics_study *s, struct writer *w)
{
	char from[TIME_TEXT_MAX];
	time_format(s->options.from_us, from);
	write_text(w, "SELECT ip(src) AS host, dark, answer FROM (SELECT src, max(flow_ttl_max) AS dark FROM flows WHERE ");
	write_flows(w, s);
	write_text(w, " AND tool = '' AND position(flow_p0f, 'sok') > 0 GROUP BY src HAVING min(flow_ttl_min) = max(flow_ttl_max)) AS d "
		      "INNER JOIN (SELECT src, max(toUInt32OrZero(" V("tcp.ttl") ")) AS answer FROM events WHERE kind = 'host.answered' "
		      "AND has(field, 'tcp.ttl') AND ");
	write_fmt(w, "time >= '%.10s %.8s' GROUP BY src HAVING uniqExact(" V("tcp.ttl") ") = 1) AS a USING src LIMIT %d", from, from + 11,
		  ICS_PATHS_MAX);
}

void ics_study_sql(const struct ics_study *s, enum ics_question question, struct writer *w)
{
	static void (*const writes[ICS_QUESTIONS])(const struct ics_study *, struct writer *) = {
		[ICS_ASK_CLAIMS] = claims_sql, [ICS_ASK_DARK] = dark_sql, [ICS_ASK_LOOKS] = looks_sql,
		[ICS_ASK_IDENTITIES] = identities_sql, [ICS_ASK_PATHS] = paths_sql,
	};
	if (question != ICS_ASK_TOTALS) {
		writes[question](s, w);
		return;
	}
	write_text(w, "SELECT uniqExact(src) AS claimed FROM events WHERE ");
	write_records(w, s);
	write_text(w, " AND ");
	write_industrial(w);
}
