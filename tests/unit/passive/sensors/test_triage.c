/* What an alert is judged to be. */
#include "passive/sensors/triage.h"
#include "tests/test.h"

#define DAY_US 86400000000u

static struct triage_options options;
static struct triage *t;
static char reason[TRIAGE_REASON_MAX];

static struct prefix prefix_named(const char *text)
{
	struct prefix p;
	CHECK(prefix_parse(bytes_of_text(text), &p));
	return p;
}

static void begin(void)
{
	CHECK(event_start(NULL) == 0);
	options = (struct triage_options){.list_count = 1, .agree_us = 3600000000u, .noisy_alerts = 50,
					  .noisy_hosts = 20, .noisy_days = 5, .noisy_benign = 0.5,
					  .seers = {"a decoy", "the telescope", "suricata", "zeek"}};
	struct prefix own = prefix_named("198.51.100.0/24"), benign = prefix_named("192.0.2.53");
	CHECK(prefix_set_add(&options.own, &own) == 0);
	prefix_set_seal(&options.own);
	options.lists[0].name = "resolvers";
	CHECK(prefix_set_add(&options.lists[0].set, &benign) == 0);
	prefix_set_seal(&options.lists[0].set);
	CHECK(triage_open(&t, &options) == 0);
}

static void end(void)
{
	triage_close(t);
	prefix_set_done(&options.own);
	prefix_set_done(&options.lists[0].set);
}

static enum verdict_of_alert alert(unsigned seer, const char *src, const char *dst, uint64_t signature, uint64_t time_us)
{
	static struct event e;
	struct address a;
	event_begin(&e, EVENT_ALERT_RAISED);
	e.time_us = time_us;
	CHECK(address_parse(bytes_of_text(src), &a));
	event_set_address(&e, FIELD_SRC, &a);
	CHECK(address_parse(bytes_of_text(dst), &a));
	event_set_address(&e, FIELD_DST, &a);
	return triage_alert(t, seer, &e, signature, time_us, reason);
}

TEST(triage_words_for_sources)
{
	begin();
	uint64_t now = 20000 * DAY_US;
	CHECK(alert(2, "198.51.100.9", "203.0.113.1", 2, now) == ALERT_OWN && !strcmp(reason, "own source, outward"));
	CHECK(alert(2, "192.0.2.53", "198.51.100.9", 2, now) == ALERT_BENIGN && !strcmp(reason, "source is in resolvers"));
	CHECK(alert(2, "203.0.113.1", "198.51.100.9", 2, now) == ALERT_SINGLE);
	CHECK(alert(2, "203.0.113.1", "198.51.100.9", 2, now + 1000000) == ALERT_SINGLE); /* itself is no witness */
	CHECK(alert(3, "203.0.113.1", "198.51.100.9", 4, now) == ALERT_AGREED &&
	      !strcmp(reason, "source was also seen by suricata"));
	CHECK(alert(3, "203.0.113.1", "198.51.100.9", 4, now + DAY_US) == ALERT_SINGLE); /* too late */
	struct address a;
	CHECK(address_parse(BYTES("203.0.113.77"), &a));
	triage_saw(t, TRIAGE_DECOY, &a, now);
	CHECK(alert(3, "203.0.113.77", "198.51.100.9", 4, now) == ALERT_AGREED &&
	      !strcmp(reason, "source was also seen by a decoy"));
	end();
}

TEST(triage_learns_which_signatures_are_noisy)
{
	char src[32], dst[32];
	uint64_t now = 20000 * DAY_US;
	begin();
	for (int i = 0; i < 60; i++) /* for a resolver, again and again */
		alert(2, "192.0.2.53", "198.51.100.9", 6, now);
	CHECK(alert(2, "203.0.113.1", "198.51.100.9", 6, now) == ALERT_NOISY);
	CHECK(alert(2, "203.0.113.1", "198.51.100.9", 8, now) == ALERT_SINGLE);
	CHECK(alert(3, "203.0.113.2", "198.51.100.9", 6, now) == ALERT_NOISY);
	CHECK(alert(2, "203.0.113.2", "198.51.100.9", 10, now) == ALERT_SINGLE); /* a noisy one is no witness */
	/* For many own hosts: not on the first day, but when it is a habit; and a habit is lost again. */
	for (int i = 0; i < 600; i++) {
		snprintf(src, sizeof src, "203.0.%d.7", i % 200);
		snprintf(dst, sizeof dst, "198.51.100.%d", i % 60);
		enum verdict_of_alert v = alert(2, src, dst, 12, now + (uint64_t)(i / 100) * DAY_US);
		CHECK(i >= 400 || v != ALERT_NOISY);
		CHECK(i < 400 || v == ALERT_NOISY || v == ALERT_AGREED);
	}
	CHECK(alert(2, "203.0.113.9", "198.51.100.9", 12, now + 30 * DAY_US) == ALERT_SINGLE);
	end();
}

TEST(triage_forgets_hosts_of_weeks_ago)
{
	char dst[32];
	uint64_t now = 20000 * DAY_US;
	begin();
	for (int i = 0; i < 240; i++) { /* one own host a day and no more: in time it has fired for all */
		snprintf(dst, sizeof dst, "198.51.100.%d", i / 4);
		enum verdict_of_alert v = alert(2, "203.0.113.1", dst, 14, now + (uint64_t)(i / 4) * DAY_US);
		CHECK_SAY(v == ALERT_SINGLE, "day %d: %s", i / 4, reason);
	}
	end();
}

TEST(triage_recovers_from_a_clock_that_was_ahead)
{
	struct address a;
	uint64_t now = 20000 * DAY_US;
	begin();
	CHECK(address_parse(BYTES("203.0.113.77"), &a));
	triage_saw(t, TRIAGE_DECOY, &a, now + 1000 * DAY_US);
	CHECK(alert(3, "203.0.113.77", "198.51.100.9", 4, now) == ALERT_SINGLE);
	triage_saw(t, TRIAGE_DECOY, &a, now);
	CHECK(alert(3, "203.0.113.77", "198.51.100.9", 4, now) == ALERT_AGREED);
	for (int i = 0; i < 60; i++)
		alert(2, "192.0.2.53", "198.51.100.9", 6, now + 1000 * DAY_US);
	CHECK(alert(2, "203.0.113.1", "198.51.100.9", 6, now) == ALERT_NOISY);
	CHECK(alert(2, "203.0.113.1", "198.51.100.9", 6, now + 70 * DAY_US) == ALERT_SINGLE); /* decays again */
	end();
}

TEST(triage_is_not_forgetful_of_sources_because_of_noise)
{
	char src[32];
	struct address a;
	uint64_t now = 20000 * DAY_US;
	begin();
	CHECK(address_parse(BYTES("203.0.113.77"), &a));
	triage_saw(t, TRIAGE_DECOY, &a, now);
	for (int i = 0; i < 60; i++)
		alert(2, "192.0.2.53", "198.51.100.9", 6, now);
	for (int i = 0; i < 200000; i++) { /* more than the table has places */
		snprintf(src, sizeof src, "11.%d.%d.%d", i >> 16, i >> 8 & 255, i & 255);
		alert(2, src, "198.51.100.9", 6, now + 1000000);
		alert(2, "192.0.2.53", "198.51.100.9", 6, now + 1000000);
	}
	CHECK(alert(3, "203.0.113.77", "198.51.100.9", 4, now) == ALERT_AGREED);
	end();
}

TEST(triage_history_outlives_the_process)
{
	static uint8_t room[TRIAGE_HISTORY_MAX];
	uint64_t now = 20000 * DAY_US;
	begin();
	for (uint64_t i = 0; i < 5000; i++) /* a full table fits, too */
		alert(2, "203.0.113.1", "198.51.100.9", 1000 + i * 2, now);
	for (int i = 0; i < 60; i++)
		alert(2, "192.0.2.53", "198.51.100.9", 6, now + 1);
	struct writer w = writer_of(room, sizeof room);
	triage_write(t, &w);
	CHECK(!w.bad);
	end();
	begin();
	struct bytes kept = writer_bytes(&w);
	room[kept.len / 2] ^= 1;
	CHECK(!triage_read(t, kept) && !triage_read(t, (struct bytes){room, 100}) && !triage_read(t, (struct bytes){0}));
	room[kept.len / 2] ^= 1;
	CHECK(triage_read(t, kept));
	CHECK(alert(2, "203.0.113.1", "198.51.100.9", 6, now + 2) == ALERT_NOISY);
	CHECK(alert(2, "203.0.113.1", "198.51.100.9", 8, now + 2) == ALERT_SINGLE);
	end();
}
