/* kill, killall, pidof, sleep, usleep, reboot, poweroff, halt, ulimit, nohup, sync. */
#include "passive/device/shell/shell_inner.h"

static const struct persona_process *process_of(const struct persona *p, int64_t pid)
{
	for (size_t i = 0; i < p->process_count; i++)
		if (p->processes[i].pid == pid)
			return &p->processes[i];
	return NULL;
}

static int kill_run(struct call *c)
{
	size_t i = 1;
	int status = 0;
	if (bytes_equal_text(call_operand(c, 1), "-l")) {
		call_say(c, " 1) HUP\n 2) INT\n 3) QUIT\n 9) KILL\n15) TERM\n");
		return 0;
	}
	if (i < c->argc && c->argv[i].len > 1 && c->argv[i].at[0] == '-')
		i++;
	if (i >= c->argc) {
		call_error(c, "you need to specify whom to kill");
		return 1;
	}
	for (; i < c->argc; i++) {
		int64_t pid;
		if (!call_number(c->argv[i], &pid)) {
			call_error(c, "invalid number '%.*s'", BYTES_FMT(c->argv[i]));
			status = 1;
		} else if (!process_of(c->shell->persona, pid) && pid != c->shell->background_pid) {
			call_error(c, "can't kill pid %lld: No such process", (long long)pid);
			status = 1;
		}
	}
	return status;
}

/* "/usr/sbin/telnetd -l x" is called telnetd. */
static bool is_called(const struct persona_process *x, struct bytes name)
{
	struct bytes rest = bytes_of_text(x->command), program = bytes_word(&rest);
	for (size_t i = program.len; i > 0; i--)
		if (program.at[i - 1] == '/') {
			program = (struct bytes){program.at + i, program.len - i};
			break;
		}
	return bytes_equal(program, name);
}

static int killall_run(struct call *c)
{
	const struct persona *p = c->shell->persona;
	int status = 0;
	bool quiet = false;
	if (c->argc < 2)
		return call_usage(c);
	for (size_t i = 1; i < c->argc && call_spend(c, 16); i++) {
		bool found = false;
		if (c->argv[i].len && c->argv[i].at[0] == '-') {
			quiet |= bytes_equal_text(c->argv[i], "-q");
			continue;
		}
		for (size_t k = 0; k < p->process_count; k++)
			found |= is_called(&p->processes[k], c->argv[i]);
		if (!found && !quiet)
			call_error(c, "%.*s: no process killed", BYTES_FMT(c->argv[i]));
		status |= !found;
	}
	return status;
}

static int pidof_run(struct call *c)
{
	const struct persona *p = c->shell->persona;
	const char *space = "";
	for (size_t i = 1; i < c->argc && call_spend(c, 16); i++)
		for (size_t k = 0; k < p->process_count; k++)
			if (is_called(&p->processes[k], c->argv[i])) {
				call_say(c, "%s%u", space, p->processes[k].pid);
				space = " ";
			}
	if (*space)
		call_say(c, "\n");
	return !*space;
}

static int sleep_run(struct call *c)
{
	int64_t seconds;
	if (c->argc < 2)
		return call_usage(c);
	struct bytes text = {c->argv[1].at, bytes_find(c->argv[1], ".")};
	if (text.len && strchr("smhd", text.at[text.len - 1]))
		text.len--;
	if (!call_number(text, &seconds) && c->argv[1].len == text.len) {
		call_error(c, "invalid number '%.*s'", BYTES_FMT(c->argv[1]));
		return 1;
	}
	call_delay(c,
	           seconds > 0 && seconds < 3600 ? (uint64_t)seconds * 1000 : SHELL_DELAY_MS_MAX);
	return 0;
}

static int usleep_run(struct call *c)
{
	int64_t us;
	if (c->argc < 2 || !call_number(c->argv[1], &us))
		return call_usage(c);
	call_delay(c, us > 0 ? (uint64_t)us / 1000 : 0);
	return 0;
}

static int halt_run(struct call *c)
{
	c->shell->halted = true;
	c->shell->run->flow = FLOW_STOP;
	return 0;
}

static int ulimit_run(struct call *c)
{
	if (bytes_equal_text(call_operand(c, 1), "-n") && c->argc == 2)
		call_say(c, "1024\n");
	else if (c->argc == 1)
		call_say(c, "unlimited\n");
	return 0;
}

static int nohup_run(struct call *c)
{
	if (c->argc < 2)
		return call_usage(c);
	return program_run(c->shell, c->arena, c->argv + 1, c->argc - 1, c->fds);
}

static int nothing_run(struct call *c)
{
	(void)c;
	return 0;
}

static const struct applet applet_kill = {"kill", "/bin", NULL, kill_run};
APPLET(applet_kill);
static const struct applet applet_killall = {"killall", "/usr/bin",
                                             "[-l] [-q] [-SIG] PROCESS_NAME...", killall_run};
APPLET(applet_killall);
static const struct applet applet_pidof = {"pidof", "/bin", NULL, pidof_run};
APPLET(applet_pidof);
static const struct applet applet_sleep = {"sleep", "/bin", "[N]...", sleep_run};
APPLET(applet_sleep);
static const struct applet applet_usleep = {"usleep", "/bin", "N", usleep_run};
APPLET(applet_usleep);
static const struct applet applet_reboot = {"reboot", "/sbin", NULL, halt_run};
APPLET(applet_reboot);
static const struct applet applet_poweroff = {"poweroff", "/sbin", NULL, halt_run};
APPLET(applet_poweroff);
static const struct applet applet_halt = {"halt", "/sbin", NULL, halt_run};
APPLET(applet_halt);
static const struct applet applet_ulimit = {"ulimit", NULL, NULL, ulimit_run};
APPLET(applet_ulimit);
static const struct applet applet_nohup = {"nohup", "/usr/bin", "PROG ARGS", nohup_run};
APPLET(applet_nohup);
static const struct applet applet_sync = {"sync", "/bin", NULL, nothing_run};
APPLET(applet_sync);
static const struct applet applet_insmod = {"insmod", "/sbin", NULL, nothing_run};
APPLET(applet_insmod);
static const struct applet applet_telnetd = {"telnetd", "/usr/sbin", "[OPTIONS]", nothing_run};
APPLET(applet_telnetd);
static const struct applet applet_clear = {"clear", "/usr/bin", NULL, nothing_run};
APPLET(applet_clear);
