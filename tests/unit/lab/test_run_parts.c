/* Parts of a run that need no box. */
#include "lab/run/architecture.h"
#include "lab/run/found.h"
#include "lab/run/network.h"
#include "lab/run/taken.h"
#include "tests/test.h"
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

TEST(architecture_is_told_by_class_order_and_machine)
{
	uint8_t header[20] = {0x7f, 'E', 'L', 'F', 1, 2};
	header[19] = 8;
	CHECK(strcmp(architecture_of_elf((struct bytes){header, 20})->word, "mips") == 0);
	header[5] = 1, header[19] = 0, header[18] = 8;
	CHECK(strcmp(architecture_of_elf((struct bytes){header, 20})->word, "mipsel") == 0);
	header[4] = 2;
	CHECK(strcmp(architecture_of_elf((struct bytes){header, 20})->word, "mips64el") == 0);
	/* A damaged version or padding changes nothing, a cut header is none. */
	header[6] = 0xff, header[9] = 0x41;
	CHECK(strcmp(architecture_of_elf((struct bytes){header, 20})->word, "mips64el") == 0);
	CHECK(architecture_of_elf((struct bytes){header, 19}) == NULL);
	CHECK(architecture_of_elf((struct bytes){0}) == NULL);
}

TEST(format_line_masks_what_samples_damage)
{
	char line[ARCHITECTURE_LINE_MAX];
	CHECK(architecture_format(architecture_find("mips"), line));
	CHECK(strcmp(line, ":mips:M::\\x7f\\x45\\x4c\\x46\\x01\\x02\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x02\\x00\\x08"
			   ":\\xff\\xff\\xff\\xff\\xff\\xff\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\xff\\xfe\\xff\\xff"
			   ":/usr/bin/qemu-mips-static:POF") == 0);
	CHECK(architecture_format(architecture_find("sh4"), line));
	CHECK(strstr(line, "\\x02\\x00\\x2a\\x00:\\xff") && strstr(line, "\\xfe\\xff\\xff\\xff:/usr/bin/qemu-sh4-static:POF"));
	CHECK(!architecture_format(architecture_find("x86-64"), line));
}

TEST(same_deed_counts_and_text_is_made_visible)
{
	struct arena arena = ARENA(8u << 20);
	struct observed o;
	CHECK(observed_open(&o, &arena) == 0);
	struct behaviour *b = observe_times(&o, DID_FILE, BYTES("/tmp/\xff\n\xc3\xa9"), "created", 1, 50, 50);
	CHECK(b && strcmp(b->subject, "/tmp/\\xff\\x0a\xc3\xa9") == 0);
	CHECK(observe_times(&o, DID_FILE, BYTES("/tmp/\xff\n\xc3\xa9"), "created", 2, 10, 90) == b);
	CHECK(b->count == 3 && b->first_ms == 10 && b->last_ms == 90 && o.count == 1);
	CHECK(observe(&o, DID_FILE, BYTES("/tmp/x"), "deleted", 7) != b && o.count == 2);
	CHECK(observed_has(&o, DID_FILE, "deleted") && !observed_has(&o, DID_FILE, "read"));
	arena_done(&arena);
}

TEST(number_of_deeds_is_bounded_and_told)
{
	struct arena arena = ARENA(8u << 20);
	struct observed o;
	char path[32];
	CHECK(observed_open(&o, &arena) == 0);
	for (unsigned i = 0; i < RUN_BEHAVIOURS_MAX + 10; i++) {
		snprintf(path, sizeof path, "/tmp/%u", i);
		observe(&o, DID_FILE, bytes_of_text(path), "created", 1);
	}
	CHECK(o.count == RUN_BEHAVIOURS_MAX);
	CHECK(o.limit_count == 1 && strcmp(o.limits[0], "run.behaviours") == 0);
	/* What is known already is counted on. */
	CHECK(observe(&o, DID_FILE, BYTES("/tmp/3"), "created", 1)->count == 2);
	arena_done(&arena);
}

TEST(indicator_found_twice_keeps_the_best_of_both)
{
	struct arena arena = ARENA(8u << 20);
	struct observed o;
	struct found f;
	CHECK(observed_open(&o, &arena) == 0 && found_open(&f, &arena, &o) == 0);
	found_add(&f, INDICATOR_DOMAIN, FOR_UNKNOWN, BYTES("cnc.example"), "memory", 60);
	found_add(&f, INDICATOR_DOMAIN, FOR_COMMAND, BYTES("cnc.example"), "run: dns", 95);
	CHECK(f.count == 1 && f.all[0].confidence == 95 && f.all[0].role == FOR_COMMAND);
	CHECK(strcmp(f.all[0].how, "memory, run: dns") == 0);
	arena_done(&arena);
}

TEST(file_is_taken_through_the_root_and_never_out_of_it)
{
	struct arena arena = ARENA(8u << 20);
	struct observed o;
	struct taken t;
	char folder[] = "/tmp/kansoku-taken.XXXXXX", path[64];
	CHECK(mkdtemp(folder) != NULL);
	const int root = open(folder, O_PATH | O_DIRECTORY);
	const int fd = openat(root, "left", O_WRONLY | O_CREAT, 0644);
	CHECK(fd >= 0 && write(fd, "content", 7) == 7 && close(fd) == 0);
	CHECK(symlinkat("/etc/passwd", root, "out") == 0 && symlinkat("../../../left", root, "in") == 0);
	CHECK(observed_open(&o, &arena) == 0 && taken_open(&t, &arena, &o, root, BYTES("the sample")) == 0);
	CHECK(taken_exists(&t, "/left") && !taken_exists(&t, "/out") && !taken_exists(&t, "/etc/passwd"));
	taken_take(&t, "/out");
	CHECK(t.count == 0);
	taken_take(&t, "/in");
	taken_take(&t, "/in");
	CHECK(t.count == 1 && bytes_equal_text(t.files[0].content, "content"));
	CHECK(strcmp(t.files[0].sha256, "ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73") == 0);
	for (const char *const *name = (const char *const[]){"left", "out", "in", NULL}; *name; name++) {
		snprintf(path, sizeof path, "%s/%s", folder, *name);
		unlink(path);
	}
	rmdir(folder);
	close(root);
	arena_done(&arena);
}

TEST(flows_are_judged_by_what_they_are_for)
{
	struct arena arena = ARENA(8u << 20);
	struct observed o;
	struct found f;
	struct hello hellos[RUN_HELLOS_MAX];
	CHECK(observed_open(&o, &arena) == 0 && found_open(&f, &arena, &o) == 0);
	struct network n = {.seen = &o, .found = &f, .hellos = hellos};
	const struct sink_flow flows[] = {
		{.endpoint = "cnc.example:23", .port = 23, .transport = SINK_TCP, .named = true, .connections = 1, .said = 5,
		 .protocol = "mirai", .last_ms = 9000},
		{.endpoint = "192.0.2.7:23", .port = 23, .transport = SINK_TCP, .connections = 1, .protocol = "telnet"},
		{.endpoint = "198.51.100.1:80", .port = 80, .transport = SINK_UDP, .packets = 5000, .protocol = ""},
		{.endpoint = "203.0.113.5:4444", .port = 4444, .transport = SINK_TCP, .connections = 3, .said = 9, .protocol = "",
		 .last_ms = 8000},
	};
	const struct sink_hello greeted[] = {{"cnc.example:23", BYTES("\0\0\0\1"), false, true, "mirai", 1, 0, 0, 9000},
					     {"203.0.113.5:4444", BYTES("IN x86\n"), false, true, "", 3, 0, 0, 5000},
					     {"192.0.2.7:23", BYTES("root\r\n"), true, true, "telnet", 1, 0, 0, 10}};
	const struct sink_scan scan = {.port = 23, .transport = SINK_TCP, .addresses = 400, .packets = 400};
	const struct sink_flood flood = {.endpoint = "198.51.100.1:80", .what = "udp", .packets = 5000};
	const struct run_sink_findings s = {.flows = flows, .flow_count = 4, .hellos = greeted, .hello_count = 3,
					    .scans = &scan, .scan_count = 1, .floods = &flood, .flood_count = 1};
	network_tell(&n, &s);
	unsigned commands = 0, victims = 0;
	for (size_t i = 0; i < o.count; i++)
		commands += o.all[i].kind == DID_COMMAND;
	for (size_t i = 0; i < f.count; i++) {
		victims += f.all[i].role == FOR_VICTIM;
		CHECK(!bytes_equal_text(f.all[i].value, "192.0.2.7:23")); /* who was scanned is nobody's to look at */
	}
	CHECK(commands == 2 && victims == 1 && n.hello_count == 2);
	CHECK(observed_has(&o, DID_SCAN, "tcp") && observed_has(&o, DID_FLOOD, "udp"));
	arena_done(&arena);
}
