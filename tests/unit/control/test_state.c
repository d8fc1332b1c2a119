#include "control/state_inner.h"
#include "tests/unit/control/case.h"
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct {
	uint64_t key;
	unsigned looks, givens, dones, targets, steers, sources, features;
	struct state_look look;
	struct steer steer;
	char persona[32];
} read_back;

static void on_key(void *arg, uint64_t key)
{
	(void)arg;
	read_back.key = key;
}

static void on_look(void *arg, const struct state_look *l)
{
	(void)arg;
	read_back.looks++;
	read_back.look = *l;
}

static void on_given(void *arg, const struct event_id *id, uint64_t expires_us)
{
	(void)arg;
	(void)id;
	read_back.givens += expires_us == 9;
}

static void on_done(void *arg, const struct event_id *id, uint64_t looked_us)
{
	(void)arg;
	(void)id;
	read_back.dones += looked_us == 10;
}

static void on_target(void *arg, const struct address *a, const struct event_id *decision,
		      const struct event_id *root, uint64_t looked_us)
{
	(void)arg;
	(void)root;
	read_back.targets += address_is_v4(a) && decision->b[0] == 4 && looked_us == 11;
}

static void on_steer(void *arg, const struct steer *s)
{
	(void)arg;
	read_back.steers++;
	read_back.steer = *s;
	snprintf(read_back.persona, sizeof read_back.persona, "%s", s->persona);
}

static void on_source(void *arg, struct reader *r)
{
	(void)arg;
	read_back.sources += reader_left(r) > 100;
}

static void on_feature(void *arg, uint64_t feature, uint64_t campaign, uint32_t sources, uint64_t seen_us)
{
	(void)arg;
	read_back.features += feature == 1 && campaign == 2 && sources == 3 && seen_us == 4;
}

static void on_survey(void *arg, const struct state_survey *s)
{
	(void)arg;
	(void)s; /* of their restart see test_survey.c */
}

static void on_follow(void *arg, uint64_t study, const struct followed *f)
{
	(void)arg;
	(void)study;
	(void)f; /* of their restart see test_follow.c */
}

static const struct state_reader reader = {NULL, on_key, on_look, on_given, on_done, on_target, on_steer, on_source, on_feature, on_survey,
					  on_follow, NULL, NULL, NULL};
static char directory[64], file[80];

static struct state *open_state(void)
{
	struct state *s = NULL;
	struct fault fault = {0};
	memset(&read_back, 0, sizeof read_back);
	int bad = state_open(&s, directory, &reader, &fault);
	CHECK_SAY(!bad, "%s", fault.text);
	return s;
}

static void begin(void)
{
	snprintf(directory, sizeof directory, "/tmp/kansoku-state-XXXXXX");
	CHECK(mkdtemp(directory) != NULL);
	snprintf(file, sizeof file, "%s/looks", directory);
}

static void end(void)
{
	unlink(file);
	CHECK(rmdir(directory) == 0);
}

static const struct event_id id = {{4}};

static void put_all(struct state *s)
{
	struct state_look l = {.session = 5, .rule = "intruder"};
	l.look.lease = (struct lease){.id = id, .target = address_v4(0x08080808), .ports = {23},
				      .port_count = 1, .basis = BASIS_HANDSHAKE};
	l.look.basis_until_us = 6;
	l.look.tries = 1;
	l.look.sensor = 2;
	struct address a = address_v4(1);
	const struct steer steer = {.source = a, .cause = id, .expires_us = 77, .persona = "dvr", .arm = ARM_RANDOM, .rule = "r", .unit = "u", .why = "w"};
	state_put_key(s, 42);
	state_put_look(s, &l);
	state_put_given(s, &id, 9);
	state_put_done(s, &id, 10);
	state_put_target(s, &a, &id, &id, 11);
	state_put_steer(s, &steer);
}

static void check_all(void)
{
	CHECK(read_back.key == 42 && read_back.looks == 1 && read_back.givens == 1);
	CHECK(read_back.dones == 1 && read_back.targets == 1 && read_back.steers == 1);
	CHECK(read_back.look.session == 5 && !strcmp(read_back.look.rule, "intruder"));
	CHECK(read_back.look.look.basis_until_us == 6 && read_back.look.look.tries == 1);
	CHECK(read_back.look.look.sensor == 2 && id_equal(&read_back.look.look.lease.id, &id));
	CHECK(!strcmp(read_back.persona, "dvr") && read_back.steer.expires_us == 77);
	CHECK(read_back.steer.arm == ARM_RANDOM);
}

TEST(state_reads_what_it_wrote)
{
	begin();
	struct state *s = open_state();
	put_all(s);
	CHECK(state_flush(s, NULL) == 0);
	state_close(s);
	s = open_state();
	check_all();
	CHECK(state_damaged(s) == 0);
	state_close(s);
	end();
}

TEST(state_drops_a_torn_tail_and_goes_on)
{
	begin();
	struct state *s = open_state();
	put_all(s);
	state_close(s);
	struct stat st;
	CHECK(stat(file, &st) == 0);
	for (off_t cut = st.st_size - 1; cut > st.st_size - 40; cut--) {
		CHECK(truncate(file, cut) == 0);
		s = open_state();
		CHECK(read_back.steers == 0 && read_back.targets == 1);
		put_all(s);
		state_close(s);
		s = open_state();
		CHECK(read_back.steers == 1 && read_back.targets == 2 && state_damaged(s) == 0);
		state_close(s);
		CHECK(truncate(file, st.st_size) == 0);
	}
	end();
}

TEST(state_stops_at_a_damaged_record)
{
	begin();
	struct state *s = open_state();
	put_all(s);
	state_close(s);
	int fd = open(file, O_RDWR);
	uint8_t byte = 0;
	CHECK(fd >= 0 && pread(fd, &byte, 1, 60) == 1);
	byte ^= 1;
	CHECK(pwrite(fd, &byte, 1, 60) == 1);
	close(fd);
	s = open_state();
	CHECK(read_back.key == 42 && read_back.looks == 0 && state_damaged(s) > 0);
	state_close(s);
	end();
}

TEST(state_compacts_to_what_is_put_anew)
{
	begin();
	struct state *s = open_state();
	for (int i = 0; i < 1000; i++)
		put_all(s);
	CHECK(state_compact_begin(s, NULL) == 0);
	put_all(s);
	CHECK(state_compact_end(s, NULL) == 0);
	state_put_given(s, &id, 9);
	state_close(s);
	struct stat st;
	CHECK(stat(file, &st) == 0 && st.st_size < 2000);
	s = open_state();
	CHECK(read_back.givens == 2 && read_back.looks == 1);
	state_close(s);
	end();
}

TEST(state_says_when_it_cannot_be_opened)
{
	struct state *s = NULL;
	struct fault fault = {0};
	CHECK(state_open(&s, "/nonexistent/control", &reader, &fault) == ERR_SYSTEM);
	CHECK_SAY(strstr(fault.text, "/nonexistent/control"), "%s", fault.text);
}

TEST(state_on_a_full_disk_says_so_until_it_can_write_again)
{
	begin();
	CHECK(symlink("/dev/full", file) == 0);
	struct state *s = NULL;
	struct fault fault = {0};
	/* A device has no length, so it opens; every write fails as on a full disk. */
	CHECK(state_open(&s, directory, &reader, &fault) == 0);
	state_put_key(s, 1);
	CHECK(state_flush(s, &fault) == ERR_SYSTEM);
	CHECK_SAY(strstr(fault.text, "No space left"), "%s", fault.text);
	CHECK(unlink(file) == 0);
	CHECK(state_compact_begin(s, &fault) == 0);
	state_put_key(s, 2);
	CHECK(state_compact_end(s, &fault) == 0 && state_flush(s, &fault) == 0);
	state_close(s);
	s = open_state();
	CHECK(read_back.key == 2);
	state_close(s);
	end();
}
