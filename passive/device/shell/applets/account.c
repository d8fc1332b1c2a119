/* passwd, chpasswd, crontab: what keeps others out, and what comes back. */
#include "passive/device/shell/shell_inner.h"

static int passwd_run(struct call *c)
{
	struct stream *in = call_stream(c, 0);
	struct bytes user = call_operand(c, 1);
	if (user.len && !bytes_equal_text(user, "root")) {
		call_error(c, "unknown user %.*s", BYTES_FMT(user));
		return 1;
	}
	call_say(c, "Changing password for root\n");
	if (in && in->kind == STREAM_TERMINAL) {
		call_say(c, "New password: ");
		shell_wait(c->shell, WAITING_SECRET, BYTES(""));
	} else {
		call_say(c,
		         "New password: \nRetype password: \nPassword for root changed by root\n");
	}
	return 0;
}

static int chpasswd_run(struct call *c)
{
	struct bytes text;
	if (call_read(c, BYTES("-"), &text))
		return 1;
	while (text.len && call_spend(c, 8)) {
		struct bytes line = {text.at, bytes_find(text, "\n")};
		size_t colon = bytes_find(line, ":");
		text.at += line.len + (line.len < text.len);
		text.len -= line.len + (line.len < text.len);
		if (colon == line.len) {
			call_error(c, "missing new password");
			return 1;
		}
		call_say(c, "Password for '%.*s' changed\n", (int)colon, (const char *)line.at);
	}
	return 0;
}

static int crontab_run(struct call *c)
{
	static const struct bytes table = {(const uint8_t *)"/var/spool/cron/crontabs/root", 29};
	struct bytes content, word = call_operand(c, 1);
	if (bytes_equal_text(word, "-l")) {
		if (call_read(c, table, &content)) {
			call_error(c, "can't open 'root': No such file or directory");
			return 1;
		}
		call_out(c, content);
		return 0;
	}
	if (bytes_equal_text(word, "-r"))
		return vfs_remove(&c->shell->vfs, table) != 0;
	if (bytes_equal_text(word, "-e"))
		return 0;
	int error = call_read(c, word.len ? word : BYTES("-"), &content);
	if (error) {
		call_error(c, "%.*s: %s", BYTES_FMT(word), strerror(-error));
		return 1;
	}
	static const char *const directories[] = {"/var/spool", "/var/spool/cron",
	                                          "/var/spool/cron/crontabs"};
	for (size_t i = 0; i < 3; i++)
		vfs_make_directory(&c->shell->vfs, bytes_of_text(directories[i]), 0755);
	error = call_write(c, table, content);
	if (error)
		call_error(c, "can't create crontab '%.*s': %s", BYTES_FMT(table),
		           strerror(-error));
	return error != 0;
}

static const struct applet applet_passwd = {"passwd", "/usr/bin", "[OPTIONS] [USER]", passwd_run};
APPLET(applet_passwd);
static const struct applet applet_chpasswd = {"chpasswd", "/usr/sbin", NULL, chpasswd_run};
APPLET(applet_chpasswd);
static const struct applet applet_crontab = {"crontab", "/usr/bin",
                                             "[-c DIR] [-u USER] [-ler]|[FILE]", crontab_run};
APPLET(applet_crontab);
