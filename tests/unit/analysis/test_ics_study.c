/* The study: rules on what others claim, and what becomes of an address from the claim to the row. */
#include "analysis/ics_study.h"
#include "tests/test.h"
#include <stdlib.h>

static void say(void *arg, const char *sentence)
{
	(void)arg;
	print_message("%s\n", sentence);
}

static struct exposure_rules *shipped(void)
{
	struct exposure_rules *rules;
	struct fault fault = {0};
	CHECK(event_start(&fault) == 0);
	CHECK_SAY(claim_rules_load(&rules, NULL, 0, &fault) == 0, "%s", fault.text);
	return rules;
}

TEST(claims_that_are_shipped_find_their_examples)
{
	struct exposure_rules *rules = shipped();
	struct exposure_check check;
	const char *complaint = exposure_rules_complaint(rules, 0);
	CHECK_SAY(!complaint, "%s", complaint);
	exposure_rules_verify(rules, &check, say, NULL);
	CHECK(check.rules >= 15 && check.examples >= 2 * check.rules && check.failed == 0 && check.without_example == 0);
	exposure_rules_close(rules);
}

TEST(claims_that_are_wrong_are_left_out)
{
	static const struct {
		const char *rule, *complaint;
	} cases[] = {
		{"- {id: a, because: b, when: {dport: 1}}\n", "verdict"},
		{"- {id: a, verdict: true, because: b, when: {dport: 1}}\n", "verdict"},
		{"- {id: a, verdict: wrong, when: {dport: 1}}\n", "because"},
		{"- {id: a, verdict: wrong, because: b, when: {}}\n", "would find everything"},
		{"- {id: a, verdict: wrong, because: b, on: host.answered, when: {dport: 1}}\n", "record.imported"},
	};
	struct fault fault = {0};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct exposure_rules *rules = NULL;
		CHECK(event_start(&fault) == 0 && claim_rules_open(&rules) == 0);
		exposure_rules_add(rules, bytes_of_text(cases[i].rule), "own.yaml");
		const char *complaint = exposure_rules_complaint(rules, 0);
		CHECK_SAY(complaint && strstr(complaint, cases[i].complaint), "%s: %s", cases[i].rule, complaint ? complaint : "taken");
		CHECK(exposure_rules_count(rules) == 0);
		exposure_rules_close(rules);
	}
}

static struct ics_study *begin(const struct exposure_rules *rules, bool one_vantage)
{
	const struct ics_study_options options = {.from_us = 1433116800000000u, .to_us = 1433894400000000u, .format = "shodan",
						  .one_vantage = one_vantage};
	struct ics_study *s;
	CHECK(ics_study_open(&s, &options, rules) == 0);
	return s;
}

static void give(struct ics_study *s, enum ics_question q, const char *line)
{
	char text[4096];
	snprintf(text, sizeof text, "%s\n", line);
	CHECK(ics_study_take(s, q, bytes_of_text(text)) == 0);
}

static void claim(struct ics_study *s, const char *host, unsigned port, const char *proto, const char *banner)
{
	char line[4096], hex[2048] = "";
	for (size_t i = 0; banner[i]; i++)
		snprintf(hex + 2 * i, sizeof hex - 2 * i, "%02X", (unsigned char)banner[i]);
	snprintf(line, sizeof line,
		 "{\"host\":\"%s\",\"port\":%u,\"proto\":\"%s\",\"banner\":\"%s\",\"class\":\"\",\"labels\":\"696373\",\"country\":\"5457\","
		 "\"id\":\"00112233445566778899aabbccddeeff\",\"pap\":\"\",\"at\":1433203200}", host, port, proto, hex);
	give(s, ICS_ASK_CLAIMS, line);
}

static void dark(struct ics_study *s, const char *host, unsigned port, unsigned ttl, const char *p0f)
{
	char line[512], hex[256] = "";
	for (size_t i = 0; p0f[i]; i++)
		snprintf(hex + 2 * i, sizeof hex - 2 * i, "%02X", (unsigned char)p0f[i]);
	snprintf(line, sizeof line,
		 "{\"host\":\"%s\",\"proto\":\"tcp\",\"port\":%u,\"ttl\":%u,\"packets\":\"12\",\"destinations\":12,\"p0f\":\"%s\",\"tool\":\"\","
		 "\"sensor\":\"41\",\"first\":1433203200,\"last\":1433203300}", host, port, ttl, hex);
	give(s, ICS_ASK_DARK, line);
}

static void look(struct ics_study *s, const char *host, unsigned port, const char *proto, unsigned open, unsigned ttl, const char *speaks)
{
	char line[512];
	snprintf(line, sizeof line,
		 "{\"host\":\"%s\",\"port\":%u,\"proto\":\"%s\",\"sensor\":\"41\",\"open\":%u,\"ttl\":%u,\"speaks\":\"%s\",\"at\":1433203400}", host,
		 port, proto, open, ttl, speaks);
	give(s, ICS_ASK_LOOKS, line);
}

static const struct ics_host *find(const struct ics_study *s, const char *host)
{
	struct address a;
	CHECK(address_parse(bytes_of_text(host), &a));
	for (size_t i = 0; i < ics_study_count(s); i++)
		if (address_equal(&ics_study_at(s, i)->address, &a))
			return ics_study_at(s, i);
	return NULL;
}

#define WINDOWS "4:128+17:0:1460:8192,8:mss,nop,ws,nop,nop,sok:df,id+:0"

TEST(study_follows_each_address_from_the_claim_to_the_row)
{
	struct exposure_rules *rules = shipped();
	struct ics_study *s = begin(rules, false);
	claim(s, "192.0.2.1", 47808, "udp", "Instance ID: 7\nObject Name: x"); /* the row A */
	claim(s, "192.0.2.1", 23, "tcp", "login: ");
	claim(s, "192.0.2.2", 502, "tcp", "HTTP/1.0 200 OK");
	claim(s, "192.0.2.3", 102, "tcp", "PLC name: Technodrome");
	claim(s, "192.0.2.4", 502, "tcp", "Unit ID: 0");                       /* not looked at */
	claim(s, "192.0.2.5", 502, "tcp", "Unit ID: 0");                       /* closed now */
	claim(s, "192.0.2.6", 502, "tcp", "Unit ID: 0");                       /* a web server now */
	claim(s, "192.0.2.7", 102, "tcp", "Basic Hardware: 6ES7");             /* a honeypot, as the look found */
	claim(s, "192.0.2.8", 502, "tcp", "\x01\x02");                         /* nobody knows */
	claim(s, "192.0.2.9", 502, "tcp", "Unit ID: 0");                       /* attacks nobody */
	claim(s, "192.0.2.10", 80, "tcp", "HTTP/1.0 200 OK");                  /* attacks, and is no controller */
	claim(s, "192.0.2.11", 1962, "tcp", "PLC Type: ILC 151");              /* of which no probe asks */
	claim(s, "192.0.2.12", 4911, "tcp", "fox a 0 -1 fox hello");           /* not at that port */
	claim(s, "192.0.2.12", 80, "tcp", "HTTP/1.0 200 OK");
	for (unsigned i = 1; i <= 12; i++) {
		char host[32];
		snprintf(host, sizeof host, "192.0.2.%u", i);
		if (i != 9)
			dark(s, host, 445, 104, WINDOWS);
	}
	dark(s, "198.51.100.1", 445, 104, WINDOWS); /* of whom nothing was claimed */
	look(s, "192.0.2.1", 47808, "udp", 1, 111, "bacnet");
	look(s, "192.0.2.1", 23, "tcp", 1, 111, "telnet");
	look(s, "192.0.2.1", 8080, "tcp", 1, 111, "http");
	look(s, "192.0.2.5", 502, "tcp", 0, 0, "");
	look(s, "192.0.2.6", 502, "tcp", 1, 50, "http");
	look(s, "192.0.2.7", 102, "tcp", 1, 50, "s7");
	look(s, "192.0.2.12", 80, "tcp", 1, 50, "http");
	give(s, ICS_ASK_IDENTITIES, "{\"host\":\"192.0.2.7\",\"vendor\":\"\",\"product\":\"\",\"honeypot\":95}");
	give(s, ICS_ASK_TOTALS, "{\"claimed\":\"9\"}");
	give(s, ICS_ASK_DARK, "{\"host\":7}");
	give(s, ICS_ASK_DARK, "no JSON");
	ics_study_conclude(s);
	CHECK(ics_study_sums(s)->claimed == 9 && ics_study_sums(s)->in_dark == 10 && ics_study_sums(s)->bad_rows == 2);
	static const enum ics_stage stages[] = {0, ICS_ROW, ICS_WRONG, ICS_DECOY_CLAIM, ICS_TO_LOOK, ICS_GONE, ICS_OTHER, ICS_DECOY, ICS_UNCLEAR};
	for (unsigned i = 1; i <= 8; i++) {
		char host[32];
		snprintf(host, sizeof host, "192.0.2.%u", i);
		const struct ics_host *h = find(s, host);
		CHECK_SAY(h && h->stage == stages[i], "%s: %s", host, h ? ics_stage_word(h->stage) : "not there");
	}
	CHECK(find(s, "192.0.2.11")->stage == ICS_UNCLEAR && strstr(find(s, "192.0.2.11")->why, "no probe asks for PCWorx"));
	CHECK(find(s, "192.0.2.12")->stage == ICS_UNCLEAR && strstr(find(s, "192.0.2.12")->why, "no probe asks for Tridium"));
	CHECK(!find(s, "192.0.2.9") && !find(s, "192.0.2.10") && !find(s, "198.51.100.1"));
	const struct ics_host *row = ics_study_at(s, 0);
	CHECK(row->stage == ICS_ROW && !strcmp(row->row.country, "TW") && !strcmp(row->row.protocol, "BACnet"));
	CHECK(row->claimed == 2 && row->gone == 0 && row->fresh == 1 && !strcmp(row->fresh_ports, "8080") && row->verdict.machines_least == 1);
	CHECK(row->verdict.controller_initial == 128 && row->verdict.attacker_initial == 128 && row->verdict.same == ICS_UNDECIDED);
	CHECK(!strcmp(row->record, "00112233445566778899aabbccddeeff"));
	const struct ics_host *gone = find(s, "192.0.2.5");
	CHECK(gone->gone == 1 && !strcmp(gone->gone_ports, "502") && row->row.apart_h == 0);
	ics_study_close(s);
	exposure_rules_close(rules);
}

TEST(study_calibrates_vantages_by_others_than_its_own_hosts)
{
	struct exposure_rules *rules = shipped();
	for (int steady = 0; steady < 2; steady++) {
		struct ics_study *s = begin(rules, false);
		claim(s, "192.0.2.1", 1911, "tcp", "fox a 0 -1 fox hello\nfox.version=s:1.0");
		dark(s, "192.0.2.1", 445, 108, WINDOWS);
		look(s, "192.0.2.1", 1911, "tcp", 1, 111, "fox");
		for (unsigned i = 1; i <= 40; i++) {
			char line[160];
			snprintf(line, sizeof line, "{\"host\":\"203.0.113.%u\",\"dark\":%u,\"answer\":50}", i, steady ? 47 : 47 - i % 12);
			give(s, ICS_ASK_PATHS, line);
		}
		give(s, ICS_ASK_PATHS, "{\"host\":\"192.0.2.1\",\"dark\":30,\"answer\":64}");
		give(s, ICS_ASK_PATHS, "{\"host\":\"203.0.113.99\",\"dark\":104,\"answer\":50}"); /* two systems: no way's length */
		ics_study_conclude(s);
		const struct ics_vantages *v = &ics_study_sums(s)->vantages;
		CHECK(v->calibrated && v->hosts == 40);
		CHECK(steady ? v->offset == 3 && v->spread == 0 : v->spread > ICS_SPREAD_MAX);
		CHECK(ics_study_at(s, 0)->verdict.same == (steady ? ICS_LIKELY : ICS_UNDECIDED));
		ics_study_close(s);
	}
	exposure_rules_close(rules);
}

TEST(study_asks_the_store_in_words_of_its_own)
{
	char sql[16384];
	struct exposure_rules *rules = shipped();
	const struct ics_study_options options = {.from_us = 1433116800000000u, .to_us = 1433894400000000u, .format = "x' OR '1"};
	struct ics_study *s;
	CHECK(ics_study_open(&s, &options, rules) == 0);
	for (int q = 0; q < ICS_QUESTIONS; q++) {
		struct writer w = writer_of(sql, sizeof sql - 1);
		ics_study_sql(s, (enum ics_question)q, &w);
		CHECK(!w.bad);
		*w.at = '\0';
		CHECK(!strstr(sql, "OR '1") && strstr(sql, "2015-06-01 00:00:00"));
	}
	ics_study_close(s);
	exposure_rules_close(rules);
}
