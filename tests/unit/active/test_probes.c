#include "active/rehearse.h"
#include "tests/test.h"
#include <jansson.h>

#define ROOM (256u << 10)

struct stage {
	uint8_t asked[ROOM], answered[ROOM], signals[ROOM];
};

static struct stage *stage_new(struct rehearsal *r)
{
	struct stage *s = calloc(1, sizeof *s);
	struct fault fault;
	CHECK(s && event_start(&fault) == 0);
	*r = (struct rehearsal){
		.asked = writer_of(s->asked, ROOM),
		.answered = writer_of(s->answered, ROOM),
		.signals = writer_of(s->signals, ROOM),
	};
	return s;
}

static size_t rounds(const struct specimen *s)
{
	size_t n = SPECIMEN_ROUNDS;
	while (n > 0 && !s->answers[n - 1].at)
		n--;
	return n;
}

/* Each field that the specimen names must be in the answer with that very value. */
static void check_line(const char *title, struct bytes expected, struct bytes got)
{
	json_t *want = json_loadb((const char *)expected.at, expected.len, JSON_ALLOW_NUL, NULL);
	json_t *have = json_loadb((const char *)got.at, got.len, JSON_ALLOW_NUL, NULL);
	CHECK_SAY(want && have, "%s: no JSON: %.*s", title, (int)got.len, got.at);
	const char *key;
	json_t *value;
	json_object_foreach(want, key, value)
		CHECK_SAY(json_equal(value, json_object_get(have, key)), "%s: %s in %.*s", title, key,
			  (int)got.len, got.at);
	json_decref(want);
	json_decref(have);
}

static void check_specimen(const struct probe *p, const struct specimen *s, size_t chunk)
{
	struct rehearsal r;
	struct stage *stage = stage_new(&r);
	probe_rehearse(p, s->answers, rounds(s), s->certificate, chunk, &r);
	CHECK_SAY(!r.overstated, "%s: said more than question_max", s->title);
	CHECK_SAY(bytes_equal(writer_bytes(&r.asked), s->asked), "%s: asked %.*s", s->title,
		  (int)writer_used(&r.asked), (const char *)stage->asked);
	struct reader want = reader_of_bytes(bytes_of_text(s->answered));
	struct reader have = reader_of_bytes(writer_bytes(&r.answered));
	struct bytes line, got;
	while (read_line(&want, &line)) {
		CHECK_SAY(read_line(&have, &got), "%s: too few connections", s->title);
		check_line(s->title, line, got);
	}
	CHECK_SAY(reader_left(&have) == 0, "%s: too many connections", s->title);
	CHECK_SAY(bytes_equal_text(writer_bytes(&r.signals), s->signals ? s->signals : ""),
		  "%s: signals %.*s", s->title, (int)writer_used(&r.signals),
		  (const char *)stage->signals);
	free(stage);
}

TEST(probes_find_in_their_specimens_what_they_say)
{
	size_t probes = 0;
	PROBES_EACH(p) {
		probes++;
		CHECK_SAY((*p)->specimens && (*p)->specimens[0].title, "%s has no specimen", (*p)->name);
		for (const struct specimen *s = (*p)->specimens; s->title; s++)
			for (size_t chunk = 1; chunk < 100000; chunk *= 7)
				check_specimen(*p, s, chunk);
	}
	CHECK(probes >= 4);
}

static bool declared(const struct probe *p, struct bytes key)
{
	for (size_t i = 0; p->signals && p->signals[i]; i++)
		if (bytes_equal_text(key, p->signals[i]))
			return true;
	return false;
}

TEST(probes_declare_limits_and_signals)
{
	PROBES_EACH(each) {
		const struct probe *p = *each;
		CHECK_SAY(p->question_max <= PROBE_QUESTION_MAX && p->answer_max &&
			  p->answer_max <= PROBE_ANSWER_MAX && p->time_ms_max &&
			  p->time_ms_max <= PROBE_TIME_MS_MAX && p->idle_ms <= p->time_ms_max &&
			  p->connections_max && p->connections_max <= PROBE_CONNECTIONS_MAX,
			  "%s: a limit is missing or too large", p->name);
		CHECK_SAY(p->name && p->summary && p->reference && p->ports[0] &&
			  (p->transport == PROBE_TCP || p->transport == PROBE_UDP) && p->tier >= PROBE_DEFAULT,
			  "%s: incomplete", p->name);
		bool udp = p->transport == PROBE_UDP;
		CHECK_SAY(!udp || (p->tier >= PROBE_OPT_IN && p->connections_max == 1 && !p->secure),
			  "%s: over UDP only at tier 2 and in one exchange", p->name);
		CHECK_SAY(!p->industrial || p->tier == PROBE_OPT_IN, "%s: tier", p->name);
		CHECK(probe_find(bytes_of_text(p->name)) == p);
		CHECK(probe_for_port(p->ports[0] | (udp ? PORT_UDP : 0)));
		for (const struct specimen *s = p->specimens; s->title; s++) {
			struct reader r = reader_of_bytes(bytes_of_text(s->signals ? s->signals : ""));
			struct bytes line;
			while (read_line(&r, &line)) {
				size_t colon = bytes_find(line, ": ");
				/* A value may span lines; only those that start with a key count. */
				if (colon < line.len && bytes_find(line, ".") < colon &&
				    bytes_find(line, " ") > colon)
					CHECK_SAY(declared(p, (struct bytes){line.at, colon}),
						  "%s: %s: undeclared signal", p->name, s->title);
			}
		}
	}
	CHECK(!probe_find(BYTES("no such probe")) && !probe_for_port(1));
	CHECK(probe_fallback() && probe_fallback()->tier == PROBE_DEFAULT);
}

TEST(probes_know_a_protocol_by_its_first_bytes)
{
	static const struct {
		struct bytes said;
		const char *probe;
	} cases[] = {
		{BYTES("\xff\xfd\x01\xff\xfb\x03"), "telnet"},
		{BYTES("BusyBox\r\nrouter login: "), "telnet"},
		{BYTES("HTTP/1.1 400 Bad Request\r\n"), "http"},
		{BYTES("\x15\x03\x01\x00\x02\x02\x46"), "tls"},
		{BYTES("\x15\x03"), NULL},
		{BYTES("SSH-2.0-dropbear_2012.55\r\n"), "ssh"},
		{BYTES("220 (vsFTPd 3.0.3)\r\n"), "ftp"},
		{BYTES("220 mail.example.net ESMTP Postfix\r\n"), "smtp"},
		{BYTES("+OK Dovecot (Debian) ready.\r\n"), "pop3"},
		{BYTES("* OK [CAPABILITY IMAP4rev1] Dovecot ready.\r\n"), "imap"},
		{BYTES("RFB 003.008\n"), "vnc"},
		{BYTES("-DENIED Redis is running in protected mode"), "redis"},
		{BYTES("d\0\0\0\n5.5.5-10.11.19-MariaDB\0"), "mysql"},
		{BYTES("RTSP/1.0 400 Bad Request\r\n"), "rtsp"},
		{BYTES("SIP/2.0 400 Bad Request\r\n"), "sip"},
		{BYTES("\0\0\0\x54\xfeSMB@\0"), "smb"},
		{BYTES("\x03\0\0\x0b\x06\xd0\0\0\x12\x34\0"), "rdp"},
		{BYTES("22"), NULL},
		{BYTES("2200 "), NULL},
		{BYTES("hello"), NULL},
		{BYTES(""), NULL},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct probe *p = probe_recognising(cases[i].said, PROBE_DEFAULT);
		CHECK_SAY(cases[i].probe ? p && !strcmp(p->name, cases[i].probe) : !p, "%zu: %s", i,
			  p ? p->name : "nobody");
	}
}

TEST(probes_leave_ports_of_controllers_to_their_own_kind)
{
	CHECK(port_is_industrial(4840) && port_is_industrial(20547));
	CHECK(!port_is_industrial(23) && !port_is_industrial(8080));
	PROBES_EACH(p)
		for (size_t i = 0; i < PROBE_PORTS_MAX && (*p)->ports[i]; i++)
			CHECK_SAY(!port_is_industrial((*p)->ports[i]) || (*p)->industrial,
				  "%s asks at port %u", (*p)->name, (*p)->ports[i]);
}

/* A peer that says all it may of the worst: every byte value, for longer than allowed. */
TEST(probes_never_say_more_than_they_declare)
{
	static uint8_t flood[3 * PROBE_ANSWER_MAX];
	for (size_t i = 0; i < sizeof flood; i++)
		flood[i] = (uint8_t)(i % 3 == 0 ? 255 : i % 3 == 1 ? 251 + i / 3 % 4 : i / 12);
	PROBES_EACH(p) {
		struct rehearsal r;
		struct stage *stage = stage_new(&r);
		struct bytes answers[] = {{flood, sizeof flood}, {flood, sizeof flood}};
		probe_rehearse(*p, answers, 2, (struct bytes){flood, 900}, 1460, &r);
		CHECK(!r.overstated && !r.asked.bad);
		CHECK(writer_used(&r.asked) <= (*p)->question_max * r.connections);
		free(stage);
	}
}
