/*
 * Decoys of others are told by what they say; devices of which we have answers, and our own
 * decoys, are not.
 */
#include "active/identify/giveaway.h"
#include "active/rehearse.h"
#include "passive/service.h"
#include "tests/test.h"
#include <stdlib.h>

static struct giveaways *rules_of(const char *yaml, size_t *skipped, struct fault *fault)
{
	struct giveaways *g;
	CHECK(giveaways_open(&g) == 0);
	CHECK_SAY(giveaways_add(g, bytes_of_text(yaml), "decoys.yaml", skipped, fault) == 0, "%s", fault->text);
	return g;
}

static struct giveaways *own_rules(void)
{
	static char text[1 << 18];
	struct fault fault = {{0}};
	size_t skipped;
	FILE *f = fopen("fingerprints/decoys.yaml", "r");
	CHECK(f != NULL);
	text[fread(text, 1, sizeof text - 1, f)] = '\0';
	fclose(f);
	struct giveaways *g = rules_of(text, &skipped, &fault);
	CHECK_SAY(skipped == 0, "%s", fault.text);
	return g;
}

static void say(struct giveaway_host *h, const char *key, uint16_t port, struct bytes value)
{
	CHECK(h->signal_count < GIVEAWAY_SIGNALS_MAX);
	h->signals[h->signal_count++] = (struct giveaway_signal){bytes_of_text(key), value, port};
}

static struct giveaway_verdict judge(const struct giveaways *g, const struct giveaway_host *h)
{
	struct giveaway_verdict v;
	giveaways_judge(g, h, &v);
	CHECK(v.score <= 100 && !v.score == !*v.reasons);
	return v;
}

TEST(giveaway_defaults_of_known_decoys_are_told)
{
	static const struct {
		const char *name, *key, *value;
	} known[] = {
		{"conpot", "s7.identity", "module=6ES7 315-2EH14-0AB0\nname=Technodrome\nserial=88111222"},
		{"conpot", "modbus.identity", "vendor=Siemens\nproduct=SIMATIC\nrevision=S7-200"},
		{"conpot", "snmp.sys_description", "Siemens, SIMATIC, S7-200"},
		{"dionaea", "x509.subject", "CN=Nepenthes Development Team,OU=anv,O=dionaea.carnivore.it,C=DE"},
		{"dionaea", "smb.negotiation", "dialect=NT LM 0.12\ntarget=HOMEUSER-3AF6FE"},
		{"cowrie", "telnet.banner", "svr04 login: "},
		{"glastopf", "http.body", "<h2>Blog Comments</h2><label>Please post your comments for the blog</label>"},
		{"inetsim", "smtp.banner", "mail.inetsim.org INetSim Mail Service ready."},
		{"mailoney", "smtp.banner", "mailrelay.local ESMTP Exim 4.81 #1 Thu, 29 Jul 2010 05:13:48 -0700"},
		{"heralding", "ftp.banner", "Microsoft FTP Server"},
	};
	struct giveaways *g = own_rules();
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		struct giveaway_host h = {0};
		say(&h, known[i].key, 1, bytes_of_text(known[i].value));
		struct giveaway_verdict v = judge(g, &h);
		CHECK_SAY(v.score >= GIVEAWAY_DECOY && !strcmp(v.name, known[i].name), "%s: %u %s", known[i].value,
			  v.score, v.name);
		CHECK(strstr(v.reasons, known[i].key) != NULL);
	}
	giveaways_close(g);
}

TEST(giveaway_a_greeting_that_real_servers_have_makes_suspected_only)
{
	struct giveaways *g = own_rules();
	struct giveaway_host h = {0};
	say(&h, "ssh.banner", 22, BYTES("OpenSSH_6.0p1 Debian-4+deb7u2"));
	struct giveaway_verdict v = judge(g, &h);
	CHECK(v.score >= GIVEAWAY_SUSPECTED && v.score < GIVEAWAY_DECOY && !strcmp(v.name, "cowrie"));
	say(&h, "ftp.banner", 21, BYTES("DiskStation FTP server ready."));
	struct giveaway_verdict more = judge(g, &h);
	CHECK(more.score > v.score && strstr(more.reasons, "; "));
	giveaways_close(g);
}

static const char structures[] =
	"structures:\n"
	"- {structure: every-port, least: 4, weight: 40, because: all open}\n"
	"- {structure: ports, ports: [64295, 64297], weight: 50, because: management}\n"
	"- {structure: controllers, least: 3, weight: 40, because: many controllers}\n"
	"- {structure: server-controller, weight: 35, because: with ssh}\n"
	"- {structure: hosted-controller, weight: 45, because: hosted}\n"
	"- {structure: linux-controller, weight: 20, because: server stack}\n"
	"- {structure: same-answer, least: 2, weight: 50, because: same words}\n"
	"- {structure: small-window, least: 16, weight: 65, because: tarpit}\n";

static bool tells(struct giveaways *g, const struct giveaway_host *h, const char *because)
{
	struct giveaway_verdict v = judge(g, h);
	return strstr(v.reasons, because) != NULL;
}

TEST(giveaway_every_port_open_is_told_and_one_closed_is_enough_against)
{
	struct fault fault = {{0}};
	size_t skipped;
	struct giveaways *g = rules_of(structures, &skipped, &fault);
	struct giveaway_host h = {.port_count = 4, .ports = {{.port = 22, .open = true}, {.port = 23, .open = true},
							     {.port = 80, .open = true}, {.port = 443, .open = true}}};
	CHECK(skipped == 0 && tells(g, &h, "all open (4 of 4 ports, 40)"));
	h.ports[3].open = false;
	CHECK(!tells(g, &h, "all open"));
	h.port_count = 3;
	CHECK(!tells(g, &h, "all open"));
	h.ports[0] = (struct giveaway_port){.port = 64295, .open = true};
	CHECK(!tells(g, &h, "management"));
	h.ports[1] = (struct giveaway_port){.port = 64297, .open = true, .window = 10};
	CHECK(tells(g, &h, "management (64295, 64297, 50)") && tells(g, &h, "tarpit"));
	giveaways_close(g);
}

TEST(giveaway_controllers_that_no_machine_joins_are_told)
{
	struct fault fault = {{0}};
	size_t skipped;
	struct giveaways *g = rules_of(structures, &skipped, &fault);
	struct giveaway_host h = {.hosting = true};
	CHECK(!tells(g, &h, "hosted"));
	say(&h, "s7.identity", 102, BYTES("module=6ES7 315"));
	CHECK(tells(g, &h, "hosted") && !tells(g, &h, "many controllers") && !tells(g, &h, "with ssh"));
	say(&h, "ssh.banner", 22, BYTES("dropbear_2019.78"));
	CHECK(!tells(g, &h, "with ssh"));
	say(&h, "ssh.banner", 2222, BYTES("OpenSSH_9.2p1 Debian-2+deb12u3"));
	CHECK(tells(g, &h, "with ssh"));
	say(&h, "modbus.identity", 502, BYTES("vendor=a"));
	say(&h, "s7.identity", 103, BYTES("module=6ES7 316"));
	CHECK(!tells(g, &h, "many controllers"));
	say(&h, "bacnet.identity", 47808, BYTES("vendor=b"));
	CHECK(tells(g, &h, "many controllers (s7.identity, modbus.identity, bacnet.identity, 40)"));
	h.ports[h.port_count++] =
		(struct giveaway_port){.port = 102, .open = true, .window = 64240, .linux_options = true};
	CHECK(tells(g, &h, "server stack"));
	h.ports[0].window = 8192;
	CHECK(!tells(g, &h, "server stack"));
	giveaways_close(g);
}

TEST(giveaway_one_greeting_of_two_protocols_is_told)
{
	struct fault fault = {{0}};
	size_t skipped;
	struct giveaways *g = rules_of(structures, &skipped, &fault);
	struct giveaway_host h = {0};
	say(&h, "ftp.banner", 21, BYTES("welcome to acme"));
	say(&h, "html_title", 80, BYTES("welcome to acme"));
	say(&h, "ftp.banner", 2121, BYTES("welcome to acme"));
	CHECK(!tells(g, &h, "same words"));
	say(&h, "smtp.banner", 25, BYTES(" welcome to acme\r\n"));
	CHECK(tells(g, &h, "same words"));
	giveaways_close(g);
}

TEST(giveaway_a_wrong_rule_names_its_line_and_costs_only_itself)
{
	static const char *const wrong[] = {
		"- {name: a, when: [{key: k, equals: x}], because: no weight}",
		"- {name: a, when: [{key: k, equals: x}], weight: 100, because: too sure}",
		"- {name: a, when: [{key: k, equals: x}], weight: 5}",
		"- {name: a, when: [], weight: 5, because: b}",
		"- {name: a, when: [{key: k, equals: x, starts: y}], weight: 5, because: b}",
		"- {name: a, when: [{key: k, matches: x}], weight: 5, because: b}",
		"- {name: a, when: [{key: k, starts: [x, y]}], weight: 5, because: b}",
		"- {name: a, when: [{key: k, contains: ''}], weight: 5, because: b}",
		"- just a text",
	};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		char yaml[512];
		struct fault fault = {{0}};
		size_t skipped;
		snprintf(yaml, sizeof yaml, "decoys:\n%s\n- {name: good, when: [{key: k, equals: x}], weight: 80, because: b}\n",
			 wrong[i]);
		struct giveaways *g = rules_of(yaml, &skipped, &fault);
		CHECK_SAY(skipped == 1 && giveaways_count(g) == 1, "%s", wrong[i]);
		CHECK_SAY(!strncmp(fault.text, "decoys.yaml:2: ", 15), "%s", fault.text);
		giveaways_close(g);
	}
	struct giveaways *g;
	struct fault fault = {{0}};
	size_t skipped;
	CHECK(giveaways_open(&g) == 0);
	CHECK(giveaways_add(g, BYTES("decoys: ["), "decoys.yaml", &skipped, &fault) < 0);
	CHECK(giveaways_add(g, BYTES("structures:\n- {structure: odd, weight: 5, because: b}"), "decoys.yaml", &skipped,
			    &fault) == 0 && skipped == 1);
	giveaways_close(g);
}

/* What a probe of that name hears from an answer, taken into the host. */
static void hear(struct giveaway_host *h, const struct probe *probe, struct bytes answer, char *room, size_t n)
{
	static uint8_t asked[65536], answered[1 << 20];
	struct rehearsal r = {
		.asked = writer_of(asked, sizeof asked),
		.answered = writer_of(answered, sizeof answered),
		.signals = writer_of(room, n),
	};
	probe_rehearse(probe, &answer, 1, (struct bytes){0}, 4096, &r);
	struct reader lines = reader_of_bytes(writer_bytes(&r.signals));
	struct bytes line;
	while (h->signal_count < GIVEAWAY_SIGNALS_MAX && read_line(&lines, &line)) {
		size_t colon = bytes_find(line, ": ");
		if (colon < line.len)
			h->signals[h->signal_count++] = (struct giveaway_signal){
				{line.at, colon}, {line.at + colon + 2, line.len - colon - 2}, probe->ports[0]};
	}
}

static const struct probe *probe_of(const char *service)
{
	return probe_find(bytes_of_text(!strcmp(service, "cwmp") ? "http" : service));
}

TEST(giveaway_our_own_decoys_are_not_told)
{
	static char room[1 << 18];
	struct giveaways *g = own_rules();
	size_t heard = 0;
	CHECK(event_start(NULL) == 0);
	SERVICES_EACH(it) {
		const struct service *s = *it;
		const struct probe *probe = probe_of(s->name);
		for (const struct exchange *e = s->exchanges; probe && e && e->title; e++) {
			struct giveaway_host h = {0};
			hear(&h, probe, e->we_answer, room, sizeof room);
			struct giveaway_verdict v = judge(g, &h);
			CHECK_SAY(v.score < GIVEAWAY_SUSPECTED, "%s: %s: %s", s->name, e->title, v.reasons);
			heard += h.signal_count;
		}
	}
	CHECK_SAY(heard > 20, "%zu", heard);
	giveaways_close(g);
}

/* Answers of real devices as captured, one by one. */
TEST(giveaway_specimens_of_devices_are_not_told)
{
	static char room[1 << 18];
	struct giveaways *g = own_rules();
	size_t heard = 0;
	CHECK(event_start(NULL) == 0);
	PROBES_EACH(it) {
		const struct probe *p = *it;
		for (const struct specimen *s = p->specimens; s && s->title; s++) {
			struct giveaway_host h = {0};
			hear(&h, p, s->answers[0], room, sizeof room);
			struct giveaway_verdict v = judge(g, &h);
			CHECK_SAY(v.score < GIVEAWAY_SUSPECTED, "%s: %s: %s", p->name, s->title, v.reasons);
			heard += h.signal_count;
		}
	}
	CHECK_SAY(heard > 5, "%zu", heard);
	giveaways_close(g);
}
