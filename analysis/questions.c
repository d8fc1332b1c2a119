#include "analysis/questions_inner.h"

#define DAY_S 86400u
#define VALUE(name) "value[indexOf(field,'" name "')]"
/* The same ports as intent_worm_port(). */
#define WORM "proto = 'tcp' AND dport IN (23, 26, 135, 139, 445, 2323, 5555, 7547, 23231, 37215, 52869)"
#define HOURS "toUInt32(groupBitOr(bitShiftLeft(toUInt32(1), toHour(time))))"
#define SCHEDULED "flow_class = 'scan'"

static void write_range(struct writer *w, uint64_t from_s, uint64_t to_s)
{
	write_fmt(w, "time >= toDateTime(%llu,'UTC') AND time < toDateTime(%llu,'UTC')",
		  (unsigned long long)from_s, (unsigned long long)to_s);
}

static void write_limit(struct writer *w, uint64_t n) { write_fmt(w, " LIMIT %llu", (unsigned long long)n); }

static void write_slice(struct writer *w, const struct judge_scope *scope)
{
	if (scope->slices > 1)
		write_fmt(w, " AND cityHash64(src) %% %llu = %llu", (unsigned long long)scope->slices,
			  (unsigned long long)scope->slice);
}

/* `least` is what the last of the sources that are judged has, when there are more than may be. */
static void write_totals(struct writer *w, const struct judge_scope *scope)
{
	const uint64_t day = scope->day;
	write_text(w, "SELECT (SELECT uniqExact(toDate(time)) FROM flows WHERE ");
	write_range(w, (day - EARLIER_DAYS) * DAY_S, day * DAY_S);
	write_text(w, ") AS days, (SELECT uniqExact(src) FROM flows WHERE ");
	write_range(w, day * DAY_S, (day + 1) * DAY_S);
	write_text(w, ") AS sources, (SELECT min(packets) FROM (SELECT sum(flow_packets) AS packets FROM flows WHERE ");
	write_range(w, day * DAY_S, (day + 1) * DAY_S);
	write_text(w, " GROUP BY src ORDER BY packets DESC");
	write_limit(w, scope->sources);
	write_text(w, ")) AS least");
}

/*
 * Packets an hour come as they are, since their evenness is worked out more cheaply here than in
 * SQL.  A record counts in the hour of its last packet, and is an hour long at most.
 */
static void write_flows(struct writer *w, const struct judge_scope *scope)
{
	const uint64_t day = scope->day;
	write_text(w, "SELECT ip(src) AS source, sum(flow_packets) AS packets, max(flow_destinations) AS destinations, "
		      "uniqExactIf(proto, dport, " SCHEDULED ") AS ports, sumIf(flow_packets, " WORM ") AS worm, "
		      "groupUniqArray(8)(tool) AS tools, groupUniqArray(8)(flow_class) AS classes, "
		      "groupUniqArrayIf(8)(flow_asks, proto = 'udp' AND flow_asks != '') AS asks, sumMap([toHour(time)], [flow_packets]).1 AS hours, "
		      "sumMap([toHour(time)], [flow_packets]).2 AS hourly FROM flows WHERE ");
	write_range(w, day * DAY_S, (day + 1) * DAY_S);
	write_slice(w, scope);
	write_fmt(w, " GROUP BY src HAVING packets >= %llu ORDER BY packets DESC, src", (unsigned long long)scope->packets);
	write_limit(w, scope->sources);
}

static void write_events(struct writer *w, const struct judge_scope *scope)
{
	const uint64_t day = scope->day;
	write_text(w, "SELECT ip(src) AS source, countIf(kind = 'session.opened') AS sessions, "
		      "countIf(kind = 'login.tried') AS logins, countIf(kind = 'command.sent') AS commands, "
		      "countIf(kind = 'file.captured') AS files, "
		      "countIf(kind = 'alert.raised' AND " VALUE("alert.verdict") " = 'agreed') AS agreed, "
		      "countIf(kind = 'alert.raised' AND " VALUE("alert.verdict") " IN ('single', '')) AS single, "
		      "countIf(kind = 'backscatter.seen') AS victim FROM events WHERE kind IN ('session.opened', "
		      "'login.tried', 'command.sent', 'file.captured', 'alert.raised', 'backscatter.seen') AND "
		      "src != toFixedString('', 16) AND ");
	write_range(w, day * DAY_S, (day + 1) * DAY_S);
	write_text(w, " GROUP BY src ORDER BY logins + commands + files DESC, sessions DESC, src");
	write_limit(w, scope->sources);
}

/* Titles and certificates that explain: the words that pages of surveys have in common. */
static void write_hosts(struct writer *w, const struct judge_scope *scope)
{
	const uint64_t day = scope->day;
	write_text(w, "SELECT ip(src) AS source, anyIf(device_class, device_class != '') AS device, "
		      "anyIf(page, match(lower(page), 'research|scan|survey|opt.?out|census|measurement')) AS says FROM "
		      "(SELECT src, device_class, concat(" VALUE("http.title") ", ' ', " VALUE("tls.subject") ") AS page "
		      "FROM events WHERE kind IN ('host.answered', 'host.identified') AND ");
	write_range(w, (day - HOSTS_DAYS) * DAY_S, (day + 1) * DAY_S);
	write_text(w, ") GROUP BY src HAVING device != '' OR says != '' ORDER BY src");
	write_limit(w, scope->sources);
}

static void write_earlier(struct writer *w, const struct judge_scope *scope)
{
	const uint64_t day = scope->day;
	write_text(w, "SELECT ip(src) AS source, groupArray(hours) AS days FROM (SELECT src, " HOURS
		      " AS hours FROM flows WHERE " SCHEDULED " AND ");
	write_range(w, (day - EARLIER_DAYS) * DAY_S, day * DAY_S);
	write_slice(w, scope);
	write_text(w, " AND src IN (SELECT src FROM flows WHERE ");
	write_range(w, day * DAY_S, (day + 1) * DAY_S);
	write_slice(w, scope);
	write_text(w, ") GROUP BY src, toDate(time)) GROUP BY src ORDER BY src");
	write_limit(w, scope->sources);
}

static void write_judged(struct writer *w, const struct judge_scope *scope)
{
	const uint64_t day = scope->day;
	write_text(w, "SELECT ip(src) AS source, argMax(" VALUE("intent.verdict") ", id) AS verdict, "
		      "toUInt64OrZero(argMax(" VALUE("confidence") ", id)) AS confidence FROM events WHERE "
		      "kind = 'source.judged' AND ");
	write_fmt(w, "toDateOrZero(substring(" VALUE("intent.day") ", 1, 10)) = toDate(%llu) AND ", (unsigned long long)day);
	write_range(w, day * DAY_S, (day + 3) * DAY_S);
	write_text(w, " GROUP BY src ORDER BY src");
	write_limit(w, scope->sources);
}

bool judge_is_sliced(enum question_about about) { return about == ASK_FLOWS || about == ASK_EARLIER; }

void judge_sql(enum question_about about, const struct judge_scope *scope, struct writer *w)
{
	switch (about) {
	case ASK_TOTALS: write_totals(w, scope); break;
	case ASK_FLOWS: write_flows(w, scope); break;
	case ASK_EVENTS: write_events(w, scope); break;
	case ASK_HOSTS: write_hosts(w, scope); break;
	case ASK_EARLIER: write_earlier(w, scope); break;
	case ASK_JUDGED: write_judged(w, scope); break;
	case QUESTIONS: break;
	}
}
