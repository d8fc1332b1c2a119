/* uname, ps, free, uptime, date, id, whoami, hostname, nproc, dmesg, top's first page. */
#include "passive/device/shell/shell_inner.h"
#include <time.h>

static int uname_run(struct call *c)
{
	const struct persona *p = c->shell->persona;
	struct persona_look look = call_look(c);
	uint32_t set;
	struct bytes values[10];
	int first = call_options(c, "snrvmpao", &set, values);
	if (first < 0)
		return 1;
	const char *parts[] = {"Linux", look.hostname, p->kernel, p->kernel_build, p->machine};
	if (!set)
		set = 1;
	if (set & 64)
		set = 31 | 128;
	const char *space = "";
	for (int i = 0; i < 5; i++)
		if (set & 1u << i) {
			call_say(c, "%s%s", space, parts[i]);
			space = " ";
		}
	if (set & 32)
		call_say(c, "%sunknown", space);
	if (set & 128)
		call_say(c, "%sGNU/Linux", set == 128 ? "" : " ");
	call_say(c, "\n");
	return 0;
}

/* The columns of BusyBox's ps without desktop features: PID USER VSZ STAT COMMAND. */
static int ps_run(struct call *c)
{
	const struct persona *p = c->shell->persona;
	call_say(c, "  PID USER       VSZ STAT COMMAND\n");
	for (size_t i = 0; i < p->process_count; i++) {
		const struct persona_process *x = &p->processes[i];
		if (x->memory_kb)
			call_say(c, "%5u %-8s %5u %-4s %s\n", x->pid, x->user, x->memory_kb,
			         x->state, x->command);
		else
			call_say(c, "%5u %-8s     0 %-4s %s\n", x->pid, x->user, x->state,
			         x->command);
	}
	call_say(c, "%5u root      1508 S    -sh\n%5u root      1504 R    ps\n",
	         1207 + (unsigned)(c->shell->seed % 977), 1310 + (unsigned)(c->shell->seed % 977));
	return 0;
}

static int free_run(struct call *c)
{
	uint32_t all = c->shell->persona->memory_kb, used = all / 8 * 5, buffers = all / 40;
	uint32_t cached = all / 5;
	call_say(c, "             total         used         free       shared      buffers\n");
	call_say(c, "%6s%13u%13u%13u%13u%13u\n", "Mem:", all, used, all - used, 0, buffers);
	call_say(c, "-/+ buffers:%18u%13u\n", used - buffers - cached,
	         all - used + buffers + cached);
	call_say(c, "%6s%13u%13u%13u\n", "Swap:", 0, 0, 0);
	return 0;
}

static int uptime_run(struct call *c)
{
	struct persona_look look = call_look(c);
	uint64_t now_s = look.time_us / 1000000 % 86400;
	uint32_t days = look.uptime_s / 86400, minutes = look.uptime_s / 60 % 1440;
	call_say(c, " %02u:%02u:%02u up ", (unsigned)(now_s / 3600), (unsigned)(now_s / 60 % 60),
	         (unsigned)(now_s % 60));
	if (days)
		call_say(c, "%u day%s, ", days, days > 1 ? "s" : "");
	if (minutes / 60)
		call_say(c, "%2u:%02u, ", minutes / 60, minutes % 60);
	else
		call_say(c, "%u min, ", minutes % 60);
	call_say(c, " load average: 0.31, 0.28, 0.26\n");
	return 0;
}

static int date_run(struct call *c)
{
	char form[128] = "%a %b %e %H:%M:%S UTC %Y", text[256];
	time_t now = (time_t)(call_time_us(c) / 1000000);
	struct tm tm;
	struct bytes word = call_operand(c, c->argc - 1);
	if (word.len > 1 && word.at[0] == '+' && c->argc > 1)
		bytes_copy_text((struct bytes){word.at + 1, word.len - 1}, form, sizeof form);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	if (gmtime_r(&now, &tm) && strftime(text, sizeof text, form, &tm))
		call_say(c, "%s\n", text);
#pragma GCC diagnostic pop
	return 0;
}

static int id_run(struct call *c)
{
	struct bytes word = call_operand(c, 1);
	if (bytes_equal_text(word, "-u") || bytes_equal_text(word, "-g"))
		call_say(c, "0\n");
	else if (bytes_equal_text(word, "-un") || bytes_equal_text(word, "-nu"))
		call_say(c, "root\n");
	else
		call_say(c, "uid=0(root) gid=0(root)\n");
	return 0;
}

static int whoami_run(struct call *c)
{
	call_say(c, "root\n");
	return 0;
}

static int hostname_run(struct call *c)
{
	struct persona_look look = call_look(c);
	if (c->argc == 1)
		call_say(c, "%s\n", look.hostname);
	return 0;
}

static int nproc_run(struct call *c)
{
	call_say(c, "1\n");
	return 0;
}

static int dmesg_run(struct call *c)
{
	const struct persona *p = c->shell->persona;
	call_say(c, "Linux version %s (root@build) (gcc version 4.4.1) %s\n", p->kernel,
	         p->kernel_build);
	call_say(c, "Memory: %uk/%uk available, 4096k kernel code\n", p->memory_kb,
	         p->memory_kb + 4096);
	call_say(c,
	         "VFS: Mounted root (%s filesystem) on device 31:1.\nFreeing init memory: 120K\n",
	         p->mount_count > 1 ? p->mounts[1].type : "squashfs");
	return 0;
}

static int top_run(struct call *c)
{
	uint32_t all = c->shell->persona->memory_kb;
	call_say(c, "Mem: %uK used, %uK free, 0K shrd, %uK buff, %uK cached\n", all / 8 * 5,
	         all - all / 8 * 5, all / 40, all / 5);
	call_say(c,
	         "CPU:   3%% usr   4%% sys   0%% nic  92%% idle   0%% io   0%% irq   0%% sirq\n");
	return ps_run(c);
}

static int lsmod_run(struct call *c)
{
	call_say(c, "Module                  Size  Used by    Not tainted\n");
	return 0;
}

static const struct applet applet_uname = {"uname", "/bin", "[-amnrspv]", uname_run};
APPLET(applet_uname);
static const struct applet applet_ps = {"ps", "/bin", NULL, ps_run};
APPLET(applet_ps);
static const struct applet applet_free = {"free", "/usr/bin", NULL, free_run};
APPLET(applet_free);
static const struct applet applet_uptime = {"uptime", "/usr/bin", NULL, uptime_run};
APPLET(applet_uptime);
static const struct applet applet_date = {"date", "/bin", "[OPTIONS] [+FMT] [TIME]", date_run};
APPLET(applet_date);
static const struct applet applet_id = {"id", "/usr/bin", "[OPTIONS] [USER]", id_run};
APPLET(applet_id);
static const struct applet applet_whoami = {"whoami", "/usr/bin", NULL, whoami_run};
APPLET(applet_whoami);
static const struct applet applet_hostname = {"hostname", "/bin", "[OPTIONS] [HOSTNAME | -F FILE]",
                                              hostname_run};
APPLET(applet_hostname);
static const struct applet applet_nproc = {"nproc", "/usr/bin", NULL, nproc_run};
APPLET(applet_nproc);
static const struct applet applet_dmesg = {"dmesg", "/bin", "[-c] [-n LEVEL] [-s SIZE]", dmesg_run};
APPLET(applet_dmesg);
static const struct applet applet_top = {"top", "/usr/bin", "[-b] [-nCOUNT] [-dSECONDS]", top_run};
APPLET(applet_top);
static const struct applet applet_lsmod = {"lsmod", "/sbin", NULL, lsmod_run};
APPLET(applet_lsmod);
