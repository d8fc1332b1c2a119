#include "analysis/gathering_inner.h"
#include "tests/test.h"

#define DAY 20000

static struct gathering opened(size_t max)
{
	struct gathering g;
	CHECK(gathering_open(&g, max, 7) == 0);
	return g;
}

/* What was gathered names what stands in the lists, which the caller closes. */
static struct surveys *finish(struct gathering *g, const char *list)
{
	struct surveys *s;
	struct fault fault = {0};
	CHECK(surveys_open(&s) == 0);
	if (list)
		CHECK_SAY(surveys_add(s, bytes_of_text(list), "list", &fault) == 0, "%s", fault.text);
	surveys_seal(s);
	gathering_finish(g, s, 4096, DAY);
	return s;
}

TEST(gathering_makes_evidence_of_rows)
{
	struct gathering g = opened(8);
	gathering_take(&g, ASK_TOTALS, BYTES("{\"days\":7,\"sources\":\"3\",\"least\":29}\n"));
	gathering_take(&g, ASK_FLOWS, BYTES("{\"source\":\"192.0.2.1\",\"packets\":200,\"destinations\":40,\"ports\":2,"
					    "\"worm\":\"100\",\"tools\":[\"\",\"mirai\",\"zmap\"],\"classes\":[\"scan\",\"other\"],"
					    "\"asks\":[\"\",\"ntp.monlist\"],\"hours\":[3,4],\"hourly\":[100,\"100\"]}\n"));
	gathering_take(&g, ASK_EVENTS, BYTES("{\"source\":\"192.0.2.1\",\"sessions\":2,\"logins\":1,\"commands\":0,"
					     "\"files\":0,\"agreed\":1,\"single\":2,\"victim\":1}\n"));
	gathering_take(&g, ASK_HOSTS, BYTES("{\"source\":\"192.0.2.1\",\"device\":\"DVR\",\"says\":\"a\\u0007b scan \"}\n"
					    "{\"source\":\"192.0.2.9\",\"device\":\"DVR\",\"says\":\"\"}\n"));
	/* Hours 3 and 4 of today: within 2 to 5 on two of three days. */
	gathering_take(&g, ASK_EARLIER, BYTES("{\"source\":\"192.0.2.1\",\"days\":[8,52,65536]}\n"));
	struct surveys *s = finish(&g, "# date: 2024-09-24\n192.0.2.0/24 somebody\n");
	CHECK(g.count == 1 && g.sources_in_all == 3 && g.least == 29 && g.bad_rows == 0);
	const struct intent_evidence *e = &g.sources[0].e;
	CHECK(e->dark && e->packets == 200 && e->destinations == 40 && e->ports == 2 && e->worm_share == 0.5);
	CHECK(e->tool == INTENT_TOOL_HOSTILE && !strcmp(e->tool_name, "mirai"));
	CHECK(e->classes == (INTENT_CLASS_SCAN | INTENT_CLASS_OTHER) && e->amplifies && !strcmp(e->asks, "ntp.monlist"));
	CHECK(e->hours == 2 && e->unevenness < 0.01 && e->unevenness >= 0);
	CHECK(e->sessions == 2 && e->logins == 1 && e->alerts_agreed == 1 && e->alerts_other == 2 && e->victim);
	CHECK(!strcmp(e->device, "DVR") && !strcmp(e->page, "a?b scan"));
	CHECK(e->days == 3 && e->days_same_hour == 2 && e->days_asked == 7);
	CHECK(!strcmp(e->listed, "somebody") && e->listed_dated && e->listed_days == 10 && e->watched == 4096);
	gathering_close(&g);
	surveys_close(s);
}

TEST(gathering_only_news_are_news)
{
	struct gathering g = opened(4);
	struct intent_verdict v = {.verdict = INTENT_ATTACK, .confidence = 80};
	gathering_take(&g, ASK_JUDGED, BYTES("{\"source\":\"192.0.2.1\",\"verdict\":\"attack\",\"confidence\":71}\n"
					     "{\"source\":\"192.0.2.2\",\"verdict\":\"survey\",\"confidence\":80}\n"
					     "{\"source\":\"192.0.2.3\",\"verdict\":\"nonsense\",\"confidence\":80}\n"));
	CHECK(g.count == 3 && !g.sources[0].seen);
	CHECK(!gathered_is_news(&g.sources[0], &v, 10) && gathered_is_news(&g.sources[0], &v, 0));
	v.confidence = 82;
	CHECK(gathered_is_news(&g.sources[0], &v, 10));
	CHECK(gathered_is_news(&g.sources[1], &v, 10) && gathered_is_news(&g.sources[2], &v, 10));
	gathering_renew(&g);
	CHECK(g.count == 3 && g.sources[0].judged);
	gathering_clear(&g);
	CHECK(g.count == 0);
	gathering_close(&g);
}

TEST(gathering_is_bounded_and_survives_nonsense)
{
	struct gathering g = opened(2);
	gathering_take(&g, ASK_EVENTS, BYTES("{\"source\":\"192.0.2.1\"}\n{\"source\":\"192.0.2.2\"}\n{\"source\":\"192.0.2.3\"}\n"
					     "{\"source\":\"192.0.2.1\",\"logins\":-4}\n"));
	CHECK(g.count == 2 && g.refused == 1 && g.sources[0].e.logins == 0);
	gathering_take(&g, ASK_FLOWS, BYTES("\n[]\n{\n{\"source\":7}\n{\"source\":\"x\"}\n{\"source\":\"192.0.2.1\",\"tools\":3,"
					    "\"hours\":[\"x\",99],\"hourly\":[{}],\"packets\":\"-1\"}\n"));
	CHECK_SAY(g.bad_rows == 5, "%llu", (unsigned long long)g.bad_rows);
	surveys_close(finish(&g, NULL));
	gathering_close(&g);
}
