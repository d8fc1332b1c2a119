#include "cli/demo/devices.h"
#include "cli/demo/visit.h"
#include "tests/test.h"

/* Plays a decoy's side byte by byte; gives all that the bot said. */
static enum visit_end play(struct visit *v, struct bytes decoy, struct writer *said)
{
	enum visit_end end = VISIT_GOES_ON;
	visit_begin(v);
	for (size_t at = 0; at < decoy.len && end == VISIT_GOES_ON; at++) {
		end = visit_hear(v, (struct bytes){decoy.at + at, 1});
		write_bytes(said, v->said, v->said_count);
		v->said_count = 0;
	}
	return end;
}

static const char answers[] = "\xff\xfc\x01\xff\xfc\x1f\xff\xfd\x01\xff\xfd\x03";

TEST(demo_visit_logs_in_and_talks)
{
	static const char decoy[] =
		"\xff\xfd\x01\xff\xfd\x1f\xff\xfb\x01\xff\xfb\x03\r\n(none) login: "
		"root\r\nPassword: \r\n# "
		"enable\r\n# sh\r\n# DEMO: applet not found\r\n# mounts\r\n# Connecting\r\n# ";
	struct visit v;
	char room[2048];
	struct writer w = writer_of(room, sizeof room);
	/* Byte by byte: the bot must answer each prompt as it comes, and not before. */
	CHECK(play(&v, BYTES(decoy), &w) == VISIT_DONE);
	struct bytes said = writer_bytes(&w);
	CHECK(v.logged_in);
	CHECK(!strcmp(v.greeting, "(none) login:"));
	CHECK(!strcmp(visit_login(&v), "root/xc3511"));
	CHECK(said.len > sizeof answers && !memcmp(said.at, answers, sizeof answers - 1));
	CHECK(bytes_find(said, "root\r\nxc3511\r\nenable\r\nsh\r\n") < said.len);
	CHECK(bytes_find(said, "wget http://127.20.") < said.len);
}

TEST(demo_visit_tries_three_passwords)
{
	struct visit v;
	char room[2048];
	struct writer w = writer_of(room, sizeof room);
	CHECK(play(&v,
		   BYTES("login: Password: \r\nLogin incorrect\r\nlogin: Password: \r\n"
			 "Login incorrect\r\nlogin: Password: \r\n~ $ "),
		   &w) == VISIT_GOES_ON);
	CHECK(v.logged_in);
	CHECK(!strcmp(visit_login(&v), "admin/admin"));
	w = writer_of(room, sizeof room);
	CHECK(play(&v,
		   BYTES("login: Password: incorrect\r\nlogin: Password: incorrect\r\n"
			 "login: Password: incorrect\r\nlogin: "),
		   &w) == VISIT_REFUSED);
	CHECK(!v.logged_in);
}

TEST(demo_visit_outlasts_noise)
{
	static uint8_t noise[3 * VISIT_HEARD_MAX];
	struct visit v;
	visit_begin(&v);
	for (size_t i = 0; i < sizeof noise; i++)
		noise[i] = (uint8_t)(i * 31 + i / 255);
	CHECK(visit_hear(&v, (struct bytes){noise, sizeof noise}) == VISIT_GOES_ON);
	CHECK(v.said_count <= sizeof v.said);
	v.said_count = 0;
	CHECK(visit_hear(&v, BYTES("\xff\xf1 login: ")) == VISIT_GOES_ON);
	CHECK(v.said_count == 6 && !memcmp(v.said, "root\r\n", 6));
}

TEST(demo_devices_answer_on_both_ports)
{
	for (unsigned i = 0; i < DEMO_DEVICES; i++) {
		const struct demo_device *d = &demo_devices[i];
		CHECK(d->kind && d->name);
		CHECK(d->telnet.len > 6 && d->telnet.at[0] == 0xff);
		CHECK(bytes_start_with(d->web, "HTTP/1.0 "));
		CHECK(bytes_find(d->web, "\r\n\r\n<html>") < d->web.len);
		for (unsigned j = 0; j < i; j++)
			CHECK(strcmp(d->name, demo_devices[j].name));
	}
}
