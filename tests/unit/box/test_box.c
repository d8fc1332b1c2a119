/* Boxes that really start: each runs a program of this machine and is looked at from outside. */
#include "tests/unit/box/trial.h"

TEST(box_runs_a_program_and_says_how_it_ended)
{
	static struct trial t;
	if (!trial_possible())
		SKIP("no boxes here");
	trial_plan(&t, "echo here; id -u; hostname; exit 7");
	trial_run(&t);
	trial_end(&t);
	CHECK_SAY(!strcmp(t.output, "here\n0\nlocalhost\n"), "%s (status %x, limit %s)", t.output, t.result.status, t.result.limit);
	CHECK(WIFEXITED(t.result.status) && WEXITSTATUS(t.result.status) == 7);
	CHECK(!t.result.limit[0] && !t.result.killed && t.result.start_us > 0);
}

TEST(box_shows_no_process_file_or_network_of_the_host)
{
	static struct trial t;
	if (!trial_possible())
		SKIP("no boxes here");
	trial_plan(&t, "set -- /proc/[0-9]*; echo $#; ls / | tr '\\n' ' '; cat /proc/net/dev | grep -c :;"
		       "touch /usr/x 2>/dev/null; echo $?; touch /x; echo $?; cat /proc/1/comm; echo $PPID");
	trial_run(&t);
	trial_end(&t);
	/* Itself and the first process; its loopback, which is down. */
	CHECK_SAY(!strcmp(t.output, "2\nbin dev etc lib lib64 proc tmp usr 1\n1\n0\ninit\n0\n"), "%s", t.output);
}

TEST(box_writes_over_a_folder_and_leaves_it_as_it_was)
{
	static struct trial t;
	char folder[] = "/tmp/kansoku-box-XXXXXX", path[64], text[16] = "";
	if (!trial_possible())
		SKIP("no boxes here");
	CHECK(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/given", folder);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	CHECK(fd >= 0 && write(fd, "as it was", 9) == 9);
	close(fd);
	trial_plan(&t, "cat /home/given; echo changed > /home/given; echo new > /home/new; rm /home/given; ls /home");
	t.plan.mounts[t.plan.mount_count++] = (struct box_mount){.from = folder, .to = "/home", .writable = true};
	trial_run(&t);
	int new = openat(t.started.root, "home/new", O_RDONLY | O_CLOEXEC);
	bool read_new = new >= 0 && read(new, text, sizeof text) == 4 && !memcmp(text, "new\n", 4);
	close(new);
	trial_end(&t);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	bool kept = read(fd, text, sizeof text) == 9 && !memcmp(text, "as it was", 9);
	close(fd);
	unlink(path);
	bool clean = rmdir(folder) == 0;
	CHECK_SAY(!strcmp(t.output, "as it wasnew\n"), "%s", t.output);
	CHECK(read_new);
	CHECK(kept && clean);
}

TEST(box_lets_a_plain_user_reach_what_is_mounted)
{
	static struct trial t;
	if (!trial_possible())
		SKIP("no boxes here");
	trial_plan(&t, "cat /a/b/c/os-release | grep -c ^NAME; id -u; touch /a/x 2>/dev/null || echo not");
	t.plan.uid = 1000;
	t.plan.mounts[t.plan.mount_count++] = (struct box_mount){.from = "/usr/lib", .to = "/a/b/c"};
	trial_run(&t);
	trial_end(&t);
	CHECK_SAY(!strcmp(t.output, "1\n1000\nnot\n"), "%s", t.output);
}

TEST(box_possible_has_tried)
{
	uint8_t room[2048];
	struct writer lacks = writer_of(room, sizeof room);
	if (!trial_possible())
		SKIP("no boxes here");
	CHECK_SAY(box_possible(&lacks), "%.*s", (int)writer_used(&lacks), (char *)room);
	CHECK(!lacks.bad);
}
