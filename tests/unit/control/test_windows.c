#include "control/windows_inner.h"
#include "event/event.h"
#include "tests/unit/control/case.h"
#include <stdio.h>

static struct policy_case c;

static uint64_t at(const char *time)
{
	uint64_t us;
	CHECK_SAY(time_parse(bytes_of_text(time), &us), "%s", time);
	return us;
}

static void begin(const char *windows)
{
	char yaml[1024];
	snprintf(yaml, sizeof yaml, "operator: {contact: a@b.c}\nactive: {scope: [0.0.0.0/0], hold_out: 0, %s}\n", windows);
	policy_case_open(&c, yaml);
}

/* Nothing is known of where the target is: its zone is UTC. */
static void opens(const char *from, const char *right)
{
	struct address target = address_of("8.8.8.8");
	char got[TIME_TEXT_MAX];
	uint64_t us = policy_opens_us(&c.policy, &target, at(from));
	CHECK_SAY(us == at(right), "from %s: %s, %s would be right", from, us == UINT64_MAX ? "never" : time_format(us, got), right);
}

TEST(windows_open_at_their_hours_in_their_zone)
{
	begin("windows: [{days: mon-fri, from: '09:00', to: '17:00', zone: Asia/Tokyo}]");
	opens("2015-04-01T00:00:00Z", "2015-04-01T00:00:00Z"); /* Wednesday, 09:00 in Tokyo */
	opens("2015-04-01T07:59:59Z", "2015-04-01T07:59:59Z");
	opens("2015-04-01T08:00:00Z", "2015-04-02T00:00:00Z");
	opens("2015-04-03T08:00:00Z", "2015-04-06T00:00:00Z"); /* over the weekend */
	policy_case_close(&c);
	begin("windows: [{from: '09:00', to: '10:00', zone: Europe/Berlin}]");
	opens("2015-03-28T12:00:00Z", "2015-03-29T07:00:00Z"); /* summer time began that night */
	opens("2015-03-27T12:00:00Z", "2015-03-28T08:00:00Z");
	policy_case_close(&c);
}

TEST(windows_go_on_over_midnight_and_quiet_hours_close_them)
{
	begin("windows: [{days: fri, from: '22:00', to: '06:00'}]");
	opens("2015-04-03T21:00:00Z", "2015-04-03T22:00:00Z");
	opens("2015-04-04T05:59:00Z", "2015-04-04T05:59:00Z");
	opens("2015-04-04T06:00:00Z", "2015-04-10T22:00:00Z");
	opens("2015-04-03T03:00:00Z", "2015-04-03T22:00:00Z"); /* Thursday's night has none */
	policy_case_close(&c);
	begin("quiet: [{from: '22:00', to: '07:00'}, {days: sat-sun}]");
	opens("2015-04-01T12:00:00Z", "2015-04-01T12:00:00Z");
	opens("2015-04-01T23:00:00Z", "2015-04-02T07:00:00Z");
	opens("2015-04-03T22:30:00Z", "2015-04-06T07:00:00Z");
	policy_case_close(&c);
	begin("quiet: [{}]");
	struct address target = address_of("8.8.8.8");
	CHECK(policy_opens_us(&c.policy, &target, NOW) == UINT64_MAX);
	policy_case_close(&c);
}

TEST(policy_refuses_what_cannot_wait_for_its_window)
{
	begin("windows: [{from: '09:00', to: '17:00'}]"); /* NOW is midnight */
	struct question q = question_of("8.8.8.8");
	CHECK(ask(&c, &q) == REASON_WINDOW);
	q.evidence = (struct evidence){.basis = BASIS_OPERATOR, .time_us = NOW};
	CHECK(ask(&c, &q) == REASON_OK);
	q.evidence = (struct evidence){.basis = BASIS_SAMPLE, .time_us = NOW}; /* holds for days */
	CHECK(ask(&c, &q) == REASON_OK);
	q = question_of("8.8.8.8");
	q.evidence.time_us = NOW + 540ull * MINUTE;
	CHECK(policy_check_again(&c.policy, &q, NOW + 540ull * MINUTE) == REASON_OK);
	policy_case_close(&c);
}

static void is_refused(const char *windows, const char *sentence)
{
	struct config config;
	struct settings settings;
	struct fault fault = {0};
	char yaml[512];
	snprintf(yaml, sizeof yaml, "active: {%s}\n", windows);
	config_of("", yaml, &config);
	CHECK(settings_read(&config, &settings, &fault) < 0);
	CHECK_SAY(strstr(fault.text, sentence), "%s", fault.text);
	config_done(&config);
}

TEST(windows_say_what_is_wrong_with_them)
{
	is_refused("windows: [{days: someday}]", "active.windows[0].days: \"someday\"");
	is_refused("windows: [{}, {from: '9'}]", "active.windows[1]: from \"9\"");
	is_refused("quiet: [{to: '24:01'}]", "active.quiet[0]");
	is_refused("quiet: [{zone: Asia/Atlantis}]", "active.quiet[0].zone: \"Asia/Atlantis\" is no time zone");
	is_refused("quiet: [{zone: target}]", "needs country_file");
}
