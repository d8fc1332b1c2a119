#include "base/special.h"
#include "control/control.h"
#include "tests/test.h"
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct config config;

/* Opens the survey "one" of that document; the fault's text stays for the caller. */
static int open_survey(const char *yaml, struct survey_permit **out, struct fault *fault)
{
	*fault = (struct fault){0};
	CHECK_SAY(config_read(bytes_of_text(yaml), "test.yaml", &config, fault) == 0, "%s", fault->text);
	return control_survey_open(out, &config, "one", fault);
}

static bool is_asked(const struct survey_permit *p, const char *text)
{
	struct address a;
	CHECK(address_parse(bytes_of_text(text), &a));
	return prefix_set_holds(control_survey_targets(p), &a) && !prefix_set_holds(control_survey_excluded(p), &a);
}

#define OPERATOR "operator: {contact: abuse@example.org}\n"
#define APPROVED "purpose: a test, approved_by: us, reference: here, ports: [23], rate: 100, packets: 1000"
#define SURVEY "surveys: [{name: one, prefixes: [11.0.0.0/8, 10.1.0.0/16, '2a00:1::/64'], until: 2130-01-01, " APPROVED "}]"

TEST(permit_is_what_the_policy_says_of_each_address)
{
	struct survey_permit *p;
	struct fault fault;
	CHECK_SAY(open_survey(OPERATOR "passive: {decoys: [{prefix: 11.1.2.0/24}]}\n"
			      "active: {scope: [{prefix: 11.0.0.0/10}, {prefix: 10.1.2.0/24, special: allow}, "
			      "{prefix: 10.1.3.0/24}, {prefix: '2a00:1::/32'}], addresses: [11.1.3.9, '2a00:1::9'], "
			      "known_scanners: [11.1.4.0/24], tier: 2, rate: 77, " SURVEY "}\n", &p, &fault) == 0,
		  "%s", fault.text);
	CHECK(is_asked(p, "11.0.0.1") && is_asked(p, "10.1.2.3") && is_asked(p, "2a00:1::1"));
	CHECK(!is_asked(p, "11.64.0.1") && !is_asked(p, "12.0.0.1")); /* outside the scope, the survey */
	CHECK(!is_asked(p, "10.1.3.1") && !is_asked(p, "10.1.4.1"));  /* special, not allowed by name */
	CHECK(!is_asked(p, "11.1.2.7") && !is_asked(p, "11.1.3.9") && !is_asked(p, "2a00:1::9")); /* ours */
	CHECK(!is_asked(p, "11.1.4.4"));
	const struct survey_lease *l = control_survey_lease(p);
	CHECK(l->tier == 1 && l->rate == 77 && address_is_v4(&l->from[0]) && !address_is_v4(&l->from[1]));
	CHECK(l->port_count == 1 && l->ports[0].port == 23 && l->packets_max == 1000);
	CHECK(control_survey_ports_max(p) == 12 && !strcmp(control_survey_contact(p), "abuse@example.org"));
	control_survey_close(p);
	config_done(&config);
}

TEST(permit_is_refused_with_its_reason)
{
	static const struct {
		const char *yaml, *begins;
	} cases[] = {
		{"active: {scope: [{prefix: 11.0.0.0/8}], " SURVEY "}\n", "no-contact:"},
		{OPERATOR "active: {" SURVEY "}\n", "inactive:"},
		{OPERATOR "active: {enabled: false, scope: [{prefix: 11.0.0.0/8}], " SURVEY "}\n", "inactive:"},
		{OPERATOR "active: {scope: [{prefix: 12.0.0.0/8}], " SURVEY "}\n", "scope:"},
		{OPERATOR "active: {scope: [{prefix: 11.0.0.0/8}], tier: 0, " SURVEY "}\n", "tier:"},
		{OPERATOR "active: {scope: [{prefix: 11.0.0.0/8}], surveys: [{name: one, prefixes: [11.0.0.0/8], "
			  "until: 2020-01-01, " APPROVED "}]}\n", "stale-basis:"},
		{OPERATOR "active: {scope: [{prefix: 11.0.0.0/8}], surveys: [{name: one, prefixes: [11.0.0.0/8], "
			  "until: 2130-01-01}]}\n", "survey-incomplete:"},
		{OPERATOR "active: {scope: [{prefix: 11.0.0.0/8}], surveys: [{name: one, prefixes: [11.0.0.0/8], "
			  "from: 2129-01-01, until: 2130-01-01, " APPROVED "}]}\n", "stale-basis:"},
		{OPERATOR "active: {scope: [{prefix: 11.0.0.0/8}], surveys: [{name: two, prefixes: [11.0.0.0/8], "
			  "until: 2130-01-01}]}\n", "no-basis:"},
		{OPERATOR "active: {scope: [{prefix: 11.0.0.0/8}], quiet: [{}], " SURVEY "}\n",
		 "window: the survey one is refused: active.windows and active.quiet do not open"},
		{OPERATOR "active: {scope: [{prefix: 11.0.0.0/8}], country_file: here.mmdb, quiet: [{zone: target}], " SURVEY "}\n",
		 "window: the survey one is refused: active.windows or active.quiet is in the zone"},
		{OPERATOR "active: {scope: [{prefix: 11.0.0.0/8}], opt_out: /nowhere/at/all, " SURVEY "}\n", "/nowhere/at/all:"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct survey_permit *p;
		struct fault fault;
		CHECK(open_survey(cases[i].yaml, &p, &fault) < 0);
		CHECK_SAY(!strncmp(fault.text, cases[i].begins, strlen(cases[i].begins)), "%zu: %s", i, fault.text);
		config_done(&config);
	}
}

TEST(permit_takes_opt_outs_in_while_it_is_held)
{
	char file[] = "/tmp/kansoku-permit.XXXXXX", yaml[1024];
	int fd = mkstemp(file);
	struct survey_permit *p;
	struct fault fault;
	CHECK(fd >= 0 && write(fd, "11.5.0.0/16\n", 12) == 12);
	snprintf(yaml, sizeof yaml, OPERATOR "active: {scope: [{prefix: 11.0.0.0/8}], opt_out: %s, " SURVEY "}\n", file);
	CHECK_SAY(open_survey(yaml, &p, &fault) == 0, "%s", fault.text);
	CHECK(!is_asked(p, "11.5.0.1") && is_asked(p, "11.6.0.1"));
	CHECK(write(fd, "11.6.0.0/16\n", 12) == 12);
	CHECK(control_survey_poll(p, &fault) == 1 && !is_asked(p, "11.6.0.1") && !is_asked(p, "11.5.0.1"));
	CHECK(write(fd, "who\n11.7.0.0/16\n", 16) == 16);
	CHECK(control_survey_poll(p, &fault) == 1 || strstr(fault.text, ":3:"));
	CHECK(!is_asked(p, "11.5.0.1") && !is_asked(p, "11.7.0.1") && is_asked(p, "11.8.0.1"));
	unlink(file);
	control_survey_poll(p, &fault);
	CHECK(!is_asked(p, "11.5.0.1") && !is_asked(p, "11.7.0.1"));
	close(fd);
	control_survey_close(p);
	config_done(&config);
}

/* What a kansoku that runs beside it would append to its register. */
static void register_say(const char *state, const char *line)
{
	char path[256];
	snprintf(path, sizeof path, "%s/control/opted-out", state);
	FILE *f = fopen(path, "a");
	CHECK(f && fputs(line, f) >= 0 && fclose(f) == 0);
}

TEST(permit_takes_in_who_asks_by_page_or_link_while_it_is_held)
{
	char state[] = "/tmp/kansoku-permit.XXXXXX", yaml[1024], path[256];
	struct survey_permit *p;
	struct fault fault;
	CHECK(mkdtemp(state));
	snprintf(yaml, sizeof yaml, "run: {state: %s}\n" OPERATOR "active: {scope: [{prefix: 11.0.0.0/8}], " SURVEY "}\n", state);
	CHECK_SAY(open_survey(yaml, &p, &fault) == 0, "%s", fault.text);
	CHECK(control_survey_poll(p, &fault) == 0 && is_asked(p, "11.5.0.1"));
	snprintf(path, sizeof path, "%s/control", state);
	CHECK(mkdir(path, 0700) == 0);
	register_say(state, "11.5.0.1/32 # 2026-11-23T10:00:00.000000Z page not mine\n");
	CHECK(control_survey_poll(p, &fault) == 1 && !is_asked(p, "11.5.0.1") && is_asked(p, "11.6.0.1"));
	CHECK(control_survey_poll(p, &fault) == 0);
	register_say(state, "11.6.0.0/1"); /* cut: it could mean more than was asked for */
	CHECK(control_survey_poll(p, &fault) == 0 && is_asked(p, "11.6.0.1") && is_asked(p, "11.7.0.1"));
	register_say(state, "6 # 2026-11-23T10:00:01.000000Z link\n#? 11.7.0.0/16 # 2026-11-23T10:00:02.000000Z page 11.7.0.1\n");
	CHECK(control_survey_poll(p, &fault) == 1 && !is_asked(p, "11.6.0.1") && is_asked(p, "11.7.0.1"));
	snprintf(path, sizeof path, "%s/control/opted-out", state);
	CHECK(unlink(path) == 0 && control_survey_poll(p, &fault) == 0 && !is_asked(p, "11.5.0.1"));
	register_say(state, "11.8.0.0/16 # 2026-11-23T10:00:03.000000Z api\n");
	CHECK(control_survey_poll(p, &fault) == 1 && !is_asked(p, "11.8.0.1") && !is_asked(p, "11.5.0.1"));
	CHECK(unlink(path) == 0 && mkdir(path, 0700) == 0);
	CHECK(control_survey_poll(p, &fault) == ERR_DENIED && strstr(fault.text, "opted-out:"));
	CHECK(rmdir(path) == 0);
	snprintf(path, sizeof path, "%s/control", state);
	CHECK(rmdir(path) == 0 && rmdir(state) == 0);
	control_survey_close(p);
	config_done(&config);
}

TEST(special_prefixes_are_the_special_ranges)
{
	struct prefix_set set = {0};
	CHECK(special_prefixes(&set) == 0);
	prefix_set_seal(&set);
	static const char *const addresses[] = {
		"0.0.0.1", "9.255.255.255", "10.0.0.0", "11.0.0.0", "100.64.0.0", "100.128.0.0", "192.0.0.11", "192.0.3.0",
		"198.17.255.255", "198.20.0.0", "223.255.255.255", "224.0.0.0", "255.255.255.255", "::1", "::2", "64:ff9b::1",
		"1000::1", "1fff::1", "2000::1", "2001::1", "2001:200::1", "2001:db8::1", "2002::1", "2003::1", "3fff::1",
		"4000::1", "5f00::1", "7fff::1", "8000::1", "fc00::1", "fe80::1", "ff02::1", "::fffe:1.2.3.4", "0:0:1::",
	};
	for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
		struct address a;
		CHECK_SAY(address_parse(bytes_of_text(addresses[i]), &a), "%s", addresses[i]);
		CHECK_SAY(prefix_set_holds(&set, &a) == (special_range(&a) != NULL), "%s", addresses[i]);
	}
	prefix_set_done(&set);
}
