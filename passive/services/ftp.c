/*
 * FTP to the device's files: what is left here is what its web server serves and its shell lists.
 *
 * Words and behaviour are those of a real server (passive/services/ftp/dialect.c).  The peer's data
 * connections are accepted (PASV, EPSV); we make none, so PORT and EPRT are refused, and nobody
 * can be reached through us (RFC 2577 3).  While a transfer waits or goes on no command is read,
 * as in the servers that are played.
 */
#include "base/options.h"
#include "passive/services/ftp/ftp.h"
#include <stdlib.h>
#include <time.h>

#define LINE_MAX 4096
#define TRIES_MAX 3 /* vsftpd's max_login_fails */
#define STATUS_BYTES_MAX (128u << 10)

static const struct ftp_device *device_of(const struct session *s) { return session_device(s); }

static enum service_next ftp_open(struct session *s, void *state)
{
	const struct ftp_device *d = device_of(s);
	struct ftp *ftp = state;
	ftp->mask = 077;
	session_say(s, "220 ");
	session_say_template(s, d->banner ? d->banner : ftp_dialect_of(s)->greeting);
	session_say(s, "\r\n");
	return SERVICE_CONTINUE;
}

static enum service_next log_in(struct session *s, struct ftp *ftp, struct bytes secret)
{
	const struct ftp_device *d = device_of(s);
	struct bytes user = {ftp->user, ftp->user_len};
	struct ftp_files f;
	char name[FTP_USER_MAX + 1];
	ftp->anonymous = bytes_equal_nocase(user, "anonymous") || bytes_equal_nocase(user, "ftp");
	bool in = ftp->anonymous ? d->anonymous : session_login(s, user, secret);
	if (ftp->anonymous)
		session_login_decided(s, user, secret, (struct bytes){0}, in);
	ftp->named = false;
	if (!in) {
		ftp->refused = true;
		session_delay(s, ftp_dialect_of(s)->refusal_delay_ms);
		return SERVICE_CONTINUE;
	}
	ftp->inside = true;
	ftp->guest_writes = d->anonymous_writes;
	ftp->root = ftp->anonymous ? d->anonymous_root : d->root;
	if (!ftp_keep(s, &ftp->cwd, "/"))
		return SERVICE_CLOSE;
	if (!ftp_is_directory(s, ftp, "/", &f))
		ftp->root = "";
	const struct persona *p = session_persona(s);
	const char *home = d->home[0] ? d->home : p && p->root ? p->home : "/";
	if (!ftp->anonymous && ftp_is_directory(s, ftp, home, &f))
		ftp_keep(s, &ftp->cwd, f.shown);
	bytes_copy_text(user, name, sizeof name);
	ftp_say(s, FTP_LOGGED_IN, name);
	return SERVICE_CONTINUE;
}

static enum service_next ftp_tick(struct session *s, void *state)
{
	struct ftp *ftp = state;
	if (!ftp->refused)
		return SERVICE_CONTINUE;
	ftp->refused = false;
	ftp_say(s, FTP_REFUSED, NULL);
	return ++ftp->tries < TRIES_MAX ? SERVICE_CONTINUE : SERVICE_CLOSE;
}

static void change_directory(struct session *s, struct ftp *ftp, struct bytes path)
{
	struct ftp_files f;
	char text[VFS_PATH_MAX];
	ftp_word(path, text, sizeof text);
	if (path.len && ftp_is_directory(s, ftp, text, &f)) {
		ftp_keep(s, &ftp->cwd, f.shown);
		ftp_say(s, FTP_CHANGED, NULL);
	} else {
		ftp_say(s, FTP_NOT_CHANGED, text);
	}
}

/* The commands that change the tree and answer whether they could. */
static void change_tree(struct session *s, struct ftp *ftp, struct bytes path, enum ftp_answer done,
			enum ftp_answer failed)
{
	struct ftp_files f;
	char text[VFS_PATH_MAX];
	int error = -ENOENT;
	ftp_word(path, text, sizeof text);
	if (!ftp_may_write(ftp)) {
		ftp_say(s, FTP_DENIED, NULL);
		return;
	}
	if (path.len && ftp_find(s, ftp, path, &f)) {
		struct bytes real = bytes_of_text(f.path);
		error = done == FTP_DELETED  ? vfs_remove(&f.files, real)
			: done == FTP_UNMADE ? vfs_remove_directory(&f.files, real)
					     : vfs_make_directory(&f.files, real, (uint16_t)(0777 & ~ftp->mask));
		vfs_settle(&f.files);
	}
	ftp_say(s, error ? failed : done, !error && done == FTP_MADE ? f.shown : text);
}

static void rename_from(struct session *s, struct ftp *ftp, struct bytes path)
{
	struct ftp_files f;
	struct vfs_node n;
	char text[VFS_PATH_MAX];
	ftp_word(path, text, sizeof text);
	bool there = path.len && ftp_find(s, ftp, path, &f) && vfs_find(&f.files, bytes_of_text(f.path), false, &n) == 0;
	if (!ftp_may_write(ftp))
		ftp_say(s, FTP_DENIED, NULL);
	else
		ftp_say(s, there && ftp_keep(s, &ftp->moved, text) ? FTP_RENAME_FROM : FTP_NO_RENAME_FROM, text);
}

static void rename_to(struct session *s, struct ftp *ftp, struct bytes path)
{
	struct ftp_files from, to;
	char text[VFS_PATH_MAX];
	ftp_word(path, text, sizeof text);
	if (!ftp_may_write(ftp) || !ftp->moved || !ftp->moved[0]) {
		ftp_say(s, ftp_may_write(ftp) ? FTP_RENAME_ORDER : FTP_DENIED, NULL);
		return;
	}
	bool found = path.len && ftp_find(s, ftp, bytes_of_text(ftp->moved), &from) && ftp_find(s, ftp, path, &to);
	int error = found ? vfs_rename(&to.files, bytes_of_text(from.path), bytes_of_text(to.path)) : -ENOENT;
	if (found)
		vfs_settle(&to.files);
	ftp->moved[0] = '\0';
	ftp_say(s, error ? FTP_NO_RENAME : FTP_RENAMED, text);
}

static void tell_file(struct session *s, struct ftp *ftp, struct bytes path, bool size)
{
	struct ftp_files f;
	struct vfs_node n;
	struct vfs_status status = {.kind = VFS_DIRECTORY};
	char text[VFS_PATH_MAX];
	struct tm tm;
	if (path.len && ftp_find(s, ftp, path, &f) && vfs_find(&f.files, bytes_of_text(f.path), true, &n) == 0)
		session_stat(s, n, &status);
	time_t when = status.mtime_s;
	if (status.kind != VFS_FILE || !gmtime_r(&when, &tm)) {
		ftp_say(s, size ? FTP_NO_SIZE : FTP_NO_TIME, ftp_word(path, text, sizeof text));
		return;
	}
	strftime(text, sizeof text, "%Y%m%d%H%M%S", &tm);
	if (size)
		session_say(s, "213 %u\r\n", status.size);
	else
		session_say(s, "213 %s\r\n", text);
}

static void site(struct session *s, struct ftp *ftp, struct bytes rest)
{
	char text[VFS_PATH_MAX], mask[8];
	struct bytes what = bytes_word(&rest);
	struct ftp_files f;
	if (ftp->anonymous) {
		ftp_say(s, FTP_DENIED, NULL);
	} else if (bytes_equal_nocase(what, "HELP")) {
		ftp_say(s, FTP_SITE_HELP, NULL);
	} else if (bytes_equal_nocase(what, "CHMOD")) {
		struct bytes bits = bytes_word(&rest);
		unsigned long mode = strtoul(ftp_word(bits, text, sizeof text), NULL, 8);
		bool ok = rest.len && ftp_find(s, ftp, rest, &f) &&
			  vfs_set_mode(&f.files, bytes_of_text(f.path), (uint16_t)(mode & 0777)) == 0;
		ftp_say(s, ok ? FTP_SITE_MODE : FTP_NO_SITE_MODE, ftp_word(rest, text, sizeof text));
	} else if (bytes_equal_nocase(what, "UMASK")) {
		if (rest.len)
			ftp->mask = (uint8_t)(strtoul(ftp_word(rest, text, sizeof text), NULL, 8) & 077);
		snprintf(mask, sizeof mask, "0%02o", ftp->mask);
		ftp_say(s, rest.len ? FTP_SITE_MASK_SET : FTP_SITE_MASK, mask);
	} else {
		ftp_say(s, FTP_SITE_BAD, ftp_word(what, text, sizeof text));
	}
}

static void status(struct session *s, struct ftp *ftp, struct bytes path)
{
	const struct ftp_device *device = session_device(s); /* who says another name is another server */
	const char *dialect = ftp_dialect(device->server)->name;
	char address[ADDRESS_TEXT_MAX], user[FTP_USER_MAX + 1];
	if (path.len) {
		struct buffer list = BUFFER(STATUS_BYTES_MAX);
		ftp_say(s, FTP_STATUS_BEGIN, NULL);
		ftp_list(s, ftp, path, false, true, &list);
		session_say_bytes(s, buffer_bytes(&list));
		ftp_say(s, FTP_STATUS_END, NULL);
		buffer_done(&list);
		return;
	}
	bytes_copy_text((struct bytes){ftp->user, ftp->user_len}, user, sizeof user);
	address_format(session_peer(s), address);
	if (!strcmp(dialect, "proftpd"))
		session_say(s, "211-Status of 'Debian'\r\n Connected from %s (%s)\r\n Logged in as %s\r\n"
			       " TYPE: %s, STRUcture: File, Mode: Stream\r\n No data connection\r\n211 End of status\r\n",
			    address, address, ftp->anonymous ? "ftp" : user, ftp->binary ? "BINARY" : "ASCII");
	else if (!strcmp(dialect, "busybox"))
		session_say(s, "211-Server status:\r\n TYPE: BINARY\r\n211 Ok\r\n");
	else
		session_say(s, "211-FTP server status:\r\n     Connected to %s\r\n     Logged in as %s\r\n     TYPE: %s\r\n"
			       "     No session bandwidth limit\r\n     Session timeout in seconds is 300\r\n"
			       "     Control connection is plain text\r\n     Data connections will be plain text\r\n"
			       "     At session startup, client count was 1\r\n%s211 End of status\r\n",
			    address, user, ftp->binary ? "BINARY" : "ASCII",
			    device->banner ? "" : "     vsFTPd 3.0.3 - secure, fast, stable\r\n");
}

static void set_type(struct session *s, struct ftp *ftp, struct bytes what)
{
	char text[8];
	uint8_t c = what.len ? what.at[0] | 0x20 : 0;
	bool known = c == 'i' || c == 'a' || c == 'l';
	if (known)
		ftp->binary = c != 'a';
	ftp_say(s, !known ? FTP_TYPE_BAD : ftp->binary ? FTP_TYPE_BINARY : FTP_TYPE_ASCII,
		ftp_word(what, text, sizeof text));
}

static void extended(struct session *s, struct ftp *ftp, struct bytes what)
{
	bool v6 = !address_is_v4(session_local(s));
	if (what.len == 0 || bytes_equal_text(what, v6 ? "2" : "1"))
		ftp_call_peer(s, ftp, true);
	else if (bytes_equal_nocase(what, "ALL"))
		session_say(s, "200 EPSV ALL ok.\r\n");
	else
		ftp_say(s, FTP_EXTENDED_BAD, NULL);
}

enum command {
	ABOR, ACCT, ALLO, APPE, CDUP, CWD, DELE, EPRT, EPSV, FEAT, HELP, LIST, MDTM, MKD, MODE, NLST, NOOP, OPTS,
	PASS, PASV, PORT, PWD, QUIT, REIN, REST, RETR, RMD, RNFR, RNTO, SITE, SIZE, SMNT, STAT, STOR, STOU, STRU,
	SYST, TYPE, USER, UNKNOWN,
};

static enum command command_of(struct bytes word)
{
	static const char *const names[] = {
		"ABOR", "ACCT", "ALLO", "APPE", "CDUP", "CWD",	"DELE", "EPRT", "EPSV", "FEAT", "HELP", "LIST", "MDTM",
		"MKD",	"MODE", "NLST", "NOOP", "OPTS", "PASS", "PASV", "PORT", "PWD",	"QUIT", "REIN", "REST", "RETR",
		"RMD",	"RNFR", "RNTO", "SITE", "SIZE", "SMNT", "STAT", "STOR", "STOU", "STRU", "SYST", "TYPE", "USER",
	};
	/* XCUP, XCWD, XMKD, XPWD, XRMD (RFC 775) */
	if (word.len == 4 && (word.at[0] | 0x20) == 'x') {
		if (bytes_equal_nocase(word, "XCUP"))
			return CDUP;
		word = (struct bytes){word.at + 1, 3};
	}
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (bytes_equal_nocase(word, names[i]))
			return (enum command)i;
	return UNKNOWN;
}

static void say_simple(struct session *s, struct ftp *ftp, enum command c, struct bytes word, struct bytes rest)
{
	char text[VFS_PATH_MAX];
	bool good = rest.len == 1 && (rest.at[0] | 0x20) == (c == MODE ? 's' : 'f');
	ftp_word(c == MODE || c == STRU || c == OPTS ? rest : word, text, sizeof text);
	switch (c) {
	case ABOR: ftp_say(s, FTP_NO_TRANSFER, NULL); return;
	case ALLO: ftp_say(s, FTP_ALLOCATED, NULL); return;
	case HELP: ftp_say(s, FTP_HELP, NULL); return;
	case NOOP: ftp_say(s, FTP_NOOP, NULL); return;
	case SYST: ftp_say(s, FTP_SYSTEM, NULL); return;
	case PWD: ftp_say(s, FTP_DIRECTORY, ftp->cwd); return;
	case PORT: ftp_say(s, FTP_PORT_BAD, NULL); return;
	case EPRT: ftp_say(s, FTP_EPRT_BAD, NULL); return;
	case MODE: ftp_say(s, good ? FTP_MODE : FTP_MODE_BAD, text); return;
	case STRU: ftp_say(s, good ? FTP_STRUCTURE : FTP_STRUCTURE_BAD, text); return;
	case OPTS: ftp_say(s, bytes_equal_nocase(rest, "UTF8 ON") ? FTP_UTF8 : FTP_OPTION_BAD, text); return;
	case ACCT:
	case REIN:
	case SMNT: ftp_say(s, FTP_NOT_IMPLEMENTED, text); return;
	default: ftp_say(s, FTP_UNKNOWN, text);
	}
}

/* What needs a log-in. */
static void obey(struct session *s, struct ftp *ftp, enum command c, struct bytes word, struct bytes rest)
{
	char text[24];
	switch (c) {
	case PASS: ftp_say(s, FTP_IS_IN, NULL); return;
	case USER: ftp_say(s, FTP_NO_OTHER, NULL); return;
	case CWD: change_directory(s, ftp, rest); return;
	case CDUP: change_directory(s, ftp, BYTES("..")); return;
	case TYPE: set_type(s, ftp, rest); return;
	case PASV:
		if (address_is_v4(session_local(s)))
			ftp_call_peer(s, ftp, false);
		else
			ftp_say(s, FTP_EXTENDED_BAD, NULL);
		return;
	case EPSV: extended(s, ftp, rest); return;
	case LIST: ftp_transfer(s, ftp, TRANSFER_LIST, rest); return;
	case NLST: ftp_transfer(s, ftp, TRANSFER_NAMES, rest); return;
	case RETR: ftp_transfer(s, ftp, TRANSFER_SEND, rest); return;
	case STOR: ftp_transfer(s, ftp, TRANSFER_TAKE, rest); return;
	case STOU: ftp_transfer(s, ftp, TRANSFER_TAKE, rest.len ? rest : BYTES("STOU.1")); return;
	case APPE: ftp_transfer(s, ftp, TRANSFER_APPEND, rest); return;
	case DELE: change_tree(s, ftp, rest, FTP_DELETED, FTP_NO_DELETE); return;
	case RMD: change_tree(s, ftp, rest, FTP_UNMADE, FTP_NO_UNMAKE); return;
	case MKD: change_tree(s, ftp, rest, FTP_MADE, FTP_NO_MAKE); return;
	case RNFR: rename_from(s, ftp, rest); return;
	case RNTO: rename_to(s, ftp, rest); return;
	case SIZE: tell_file(s, ftp, rest, true); return;
	case MDTM: tell_file(s, ftp, rest, false); return;
	case STAT: status(s, ftp, rest); return;
	case SITE: site(s, ftp, rest); return;
	case REST:
		ftp->restart = (uint32_t)strtoul(ftp_word(rest, text, sizeof text), NULL, 10);
		snprintf(text, sizeof text, "%u", ftp->restart);
		ftp_say(s, FTP_RESTART, text);
		return;
	default: say_simple(s, ftp, c, word, rest);
	}
}

static bool offers_tls(const struct session *s)
{
	return device_of(s)->tls && ftp_dialect_of(s)->answers[FTP_FEATURES_SECURE];
}

/* RFC 4217: the commands go over TLS; data goes in plain, other protection is not offered. */
static bool secure_line(struct session *s, struct bytes word, struct bytes rest)
{
	bool secure = session_is_secure(s);
	uint8_t level = rest.len == 1 ? rest.at[0] & 0xdf : 0;
	if (bytes_equal_nocase(word, "AUTH") && !secure) {
		bool tls = bytes_equal_nocase(rest, "TLS") || bytes_equal_nocase(rest, "TLS-C");
		session_say(s, tls ? "234 Proceed with negotiation.\r\n" : "504 Unknown AUTH type.\r\n");
		if (tls)
			session_secure(s);
	} else if (bytes_equal_nocase(word, "PBSZ")) {
		session_say(s, secure ? "200 PBSZ set to 0.\r\n" : "503 PBSZ needs a secure connection.\r\n");
	} else if (bytes_equal_nocase(word, "PROT")) {
		session_say(s, !secure		 ? "503 PROT needs a secure connection.\r\n"
			       : level == 'C'	 ? "200 PROT now Clear.\r\n"
			       : level && strchr("PES", level) ? "536 PROT not supported.\r\n"
							       : "504 PROT not recognized.\r\n");
	} else {
		return false;
	}
	return true;
}

static enum service_next take_line(struct session *s, struct ftp *ftp, struct bytes line)
{
	struct bytes rest = line, word = bytes_word(&rest);
	enum command c = command_of(word);
	if (line.len == 0)
		return SERVICE_CONTINUE; /* vsftpd says nothing to it */
	if (c != PASS && !(c == USER && !ftp->inside)) {
		struct event *e = session_report(s, EVENT_COMMAND_SENT);
		event_set_bytes(e, FIELD_COMMAND_LINE, line);
		event_set_bool(e, FIELD_COMMAND_FOUND, c != UNKNOWN);
	}
	if (c == QUIT) {
		ftp_say(s, FTP_GOODBYE, NULL);
		return SERVICE_CLOSE;
	}
	if (offers_tls(s) && secure_line(s, word, rest))
		return SERVICE_CONTINUE;
	if (c == FEAT) {
		ftp_say(s, offers_tls(s) ? FTP_FEATURES_SECURE : FTP_FEATURES, NULL);
		return SERVICE_CONTINUE;
	}
	if (ftp->inside) {
		obey(s, ftp, c, word, rest);
	} else if (c == USER) {
		char name[FTP_USER_MAX + 1];
		ftp->user_len = (uint8_t)(rest.len < FTP_USER_MAX ? rest.len : FTP_USER_MAX);
		if (ftp->user_len)
			memcpy(ftp->user, rest.at, ftp->user_len);
		ftp->named = true;
		ftp_say(s, FTP_ASK_SECRET, ftp_word(rest, name, sizeof name));
	} else if (c == PASS && ftp->named) {
		return log_in(s, ftp, rest);
	} else {
		ftp_say(s, c == PASS ? FTP_NAME_FIRST : FTP_LOG_IN_FIRST, NULL);
	}
	return SERVICE_CONTINUE;
}

static enum service_next ftp_input(struct session *s, void *state, struct reader *in)
{
	struct ftp *ftp = state;
	enum service_next next = SERVICE_CONTINUE;
	struct bytes line;
	if (!ftp->transfer && reader_left(in))
		session_typed(s, (struct bytes){in->at, reader_left(in)});
	bool secure = session_is_secure(s);
	while (next == SERVICE_CONTINUE && !ftp->transfer && !ftp->refused && secure == session_is_secure(s) &&
	       read_line(in, &line)) {
		while (line.len && line.at[0] >= 0xf0) /* Telnet's interrupt and data mark before ABOR */
			line.at++, line.len--;
		next = take_line(s, ftp, line);
	}
	if (secure == session_is_secure(s) && !ftp->transfer && !ftp->refused && reader_left(in) >= LINE_MAX) {
		session_say(s, "500 Input line too long.\r\n");
		return SERVICE_CLOSE;
	}
	return next;
}

/* clang-format off */
#define GREETING "220 (vsFTPd 3.0.3)\r\n"
#define INSIDE GREETING "331 Please specify the password.\r\n230 Login successful.\r\n"
#define IN "USER root\r\nPASS xc3511\r\n"
#define LOGGED_IN "{\"kind\":\"login.tried\",\"login.user\":\"root\",\"login.secret\":\"xc3511\",\"login.accepted\":true}\n"

static const struct exchange ftp_exchanges[] = {
	{"before the log-in nothing is told",
	 BYTES("SYST\r\nPASS x\r\n\r\nLIST\nFEAT\r\nQUIT\r\n"),
	 BYTES(GREETING "530 Please login with USER and PASS.\r\n503 Login with USER first.\r\n"
	       "530 Please login with USER and PASS.\r\n211-Features:\r\n EPSV\r\n MDTM\r\n PASV\r\n"
	       " REST STREAM\r\n SIZE\r\n TVFS\r\n211 End\r\n221 Goodbye.\r\n"), NULL},
	{"a wrong password is recorded, three end it",
	 BYTES("USER root\r\nPASS a\r\nUSER b\r\nPASS c\r\nUSER d\r\nPASS e\r\nUSER never read\r\n"),
	 BYTES(GREETING "331 Please specify the password.\r\n530 Login incorrect.\r\n"
	       "331 Please specify the password.\r\n530 Login incorrect.\r\n"
	       "331 Please specify the password.\r\n530 Login incorrect.\r\n"),
	 "{\"login.user\":\"root\",\"login.secret\":\"a\",\"login.accepted\":false}\n"
	 "{\"login.user\":\"b\",\"login.secret\":\"c\"}\n{\"login.user\":\"d\",\"login.secret\":\"e\"}\n"},
	{"directories are made, renamed and removed",
	 BYTES(IN "CWD /tmp\r\nMKD d\r\nMKD d\r\nRNTO e\r\nRNFR d\r\nRNTO e\r\nXPWD\r\nCWD e\r\nPWD\r\nCDUP\r\nRMD e\r\nRMD e\r\n"),
	 BYTES(INSIDE "250 Directory successfully changed.\r\n257 \"/tmp/d\" created\r\n"
	       "550 Create directory operation failed.\r\n503 RNFR required first.\r\n350 Ready for RNTO.\r\n"
	       "250 Rename successful.\r\n257 \"/tmp\" is the current directory\r\n250 Directory successfully changed.\r\n"
	       "257 \"/tmp/e\" is the current directory\r\n250 Directory successfully changed.\r\n"
	       "250 Remove directory operation successful.\r\n550 Remove directory operation failed.\r\n"), NULL},
	{"we connect to nobody",
	 BYTES(IN "PORT 198,51,100,9,0,80\r\nEPRT |1|198.51.100.9|80|\r\nLIST\r\nRETR /etc/passwd\r\nSTOR x\r\n"),
	 BYTES(INSIDE "550 Permission denied.\r\n550 Permission denied.\r\n425 Use PORT or PASV first.\r\n"
	       "425 Use PORT or PASV first.\r\n425 Use PORT or PASV first.\r\n"),
	 LOGGED_IN "{\"command.line\":\"PORT 198,51,100,9,0,80\",\"command.found\":true}\n"
	 "{\"command.line\":\"EPRT |1|198.51.100.9|80|\"}\n{\"command.line\":\"LIST\"}\n"
	 "{\"command.line\":\"RETR /etc/passwd\"}\n{\"command.line\":\"STOR x\"}\n"},
	{"types, modes, sizes and what is unknown",
	 BYTES(IN "TYPE I\r\nTYPE X\r\nMODE S\r\nSTRU R\r\nSIZE /nothing\r\nSITE FOO\r\nSITE UMASK\r\nREST 10\r\n"
	       "NOOP\r\n\xff\xf4\xff\xf2""ABOR\r\nFOO bar\r\nREIN\r\nOPTS UTF8 ON\r\n"),
	 BYTES(INSIDE "200 Switching to Binary mode.\r\n500 Unrecognised TYPE command.\r\n200 Mode set to S.\r\n"
	       "504 Bad STRU command.\r\n550 Could not get file size.\r\n500 Unknown SITE command.\r\n"
	       "200 Your current UMASK is 077\r\n350 Restart position accepted (10).\r\n200 NOOP ok.\r\n"
	       "225 No transfer to ABOR.\r\n500 Unknown command.\r\n502 REIN not implemented.\r\n200 Always in UTF8 mode.\r\n"),
	 NULL},
	{"a guest reads and does not write",
	 BYTES("USER anonymous\r\nPASS a@b\r\nMKD x\r\nDELE /etc/passwd\r\nPWD\r\n"),
	 BYTES(INSIDE "550 Permission denied.\r\n550 Permission denied.\r\n257 \"/\" is the current directory\r\n"),
	 "{\"login.user\":\"anonymous\",\"login.secret\":\"a@b\",\"login.accepted\":true}\n{}\n{}\n{}\n"},
	{0},
};
/* clang-format on */

#define DEVICE(member) offsetof(struct ftp_device, member)

static const struct option ftp_device_options[] = {
	{.name = "server", .type = OPTION_TEXT, .offset = DEVICE(server), .fallback = "vsftpd",
	 .summary = "whose words it has: vsftpd, busybox, proftpd"},
	{.name = "banner", .type = OPTION_TEXT, .offset = DEVICE(banner),
	 .summary = "behind 220; absent: the server's own"},
	{.name = "home", .type = OPTION_TEXT, .offset = DEVICE(home), .fallback = "",
	 .summary = "where a session begins; empty: as the shell's"},
	{.name = "root", .type = OPTION_TEXT, .offset = DEVICE(root), .fallback = "",
	 .summary = "directory that accounts cannot leave; empty: they see all"},
	{.name = "anonymous", .type = OPTION_BOOL, .offset = DEVICE(anonymous), .fallback = "yes",
	 .summary = "whether guests are let in"},
	{.name = "anonymous_root", .type = OPTION_TEXT, .offset = DEVICE(anonymous_root), .fallback = "/srv/ftp",
	 .summary = "directory that they cannot leave; the whole tree when it is not there"},
	{.name = "auth_tls", .type = OPTION_BOOL, .offset = DEVICE(tls), .fallback = "no",
	 .summary = "whether commands may go over TLS (AUTH TLS); data never does"},
	{.name = "anonymous_writes", .type = OPTION_BOOL, .offset = DEVICE(anonymous_writes), .fallback = "no",
	 .summary = "whether they may leave files"},
	{0},
};

static const struct service ftp = {
	.name = "ftp",
	.summary = "FTP to the device's files, with uploads kept and shown again",
	.reference = "RFC 959, 2428, 2577, 3659; vsftpd 3.0.3 compared answer by answer, busybox and ProFTPD by their sources",
	.transports = TRANSPORT_TCP,
	.ports = {21, 2121},
	.state_size = sizeof(struct ftp),
	.input_max = LINE_MAX + 512,
	.output_max = 256 << 10,
	.arena_max = 32 << 10,
	.idle_ms_max = 300 * 1000,
	.session_ms_max = 3600 * 1000,
	.device = ftp_device_options,
	.device_size = sizeof(struct ftp_device),
	.open = ftp_open,
	.input = ftp_input,
	.tick = ftp_tick,
	.data = ftp_data,
	.exchanges = ftp_exchanges,
};
SERVICE(ftp);
