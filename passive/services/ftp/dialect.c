/*
 * The words of FTP servers.  vsftpd's are taken from a running 3.0.3 with
 * port_enable=NO, answer by answer.
 */
#include "passive/services/ftp/ftp.h"

static const char *const vsftpd[FTP_ANSWERS] = {
	[FTP_ASK_SECRET] = "331 Please specify the password.",
	[FTP_NAME_FIRST] = "503 Login with USER first.",
	[FTP_LOGGED_IN] = "230 Login successful.",
	[FTP_REFUSED] = "530 Login incorrect.",
	[FTP_LOG_IN_FIRST] = "530 Please login with USER and PASS.",
	[FTP_IS_IN] = "230 Already logged in.",
	[FTP_NO_OTHER] = "530 Can't change to another user.",
	[FTP_GOODBYE] = "221 Goodbye.",
	[FTP_SYSTEM] = "215 UNIX Type: L8",
	[FTP_FEATURES] = "211-Features:\r\n EPSV\r\n MDTM\r\n PASV\r\n REST STREAM\r\n SIZE\r\n TVFS\r\n211 End",
	[FTP_FEATURES_SECURE] = "211-Features:\r\n AUTH TLS\r\n EPSV\r\n MDTM\r\n PASV\r\n PBSZ\r\n PROT\r\n"
				" REST STREAM\r\n SIZE\r\n TVFS\r\n211 End",
	[FTP_HELP] = "214-The following commands are recognized.\r\n"
		     " ABOR ACCT ALLO APPE CDUP CWD  DELE EPRT EPSV FEAT HELP LIST MDTM MKD\r\n"
		     " MODE NLST NOOP OPTS PASS PASV PORT PWD  QUIT REIN REST RETR RMD  RNFR\r\n"
		     " RNTO SITE SIZE SMNT STAT STOR STOU STRU SYST TYPE USER XCUP XCWD XMKD\r\n"
		     " XPWD XRMD\r\n214 Help OK.",
	[FTP_NOOP] = "200 NOOP ok.",
	[FTP_UNKNOWN] = "500 Unknown command.",
	[FTP_NOT_IMPLEMENTED] = "502 \1 not implemented.",
	[FTP_DENIED] = "550 Permission denied.",
	[FTP_DIRECTORY] = "257 \"\1\" is the current directory",
	[FTP_CHANGED] = "250 Directory successfully changed.",
	[FTP_NOT_CHANGED] = "550 Failed to change directory.",
	[FTP_TYPE_ASCII] = "200 Switching to ASCII mode.",
	[FTP_TYPE_BINARY] = "200 Switching to Binary mode.",
	[FTP_TYPE_BAD] = "500 Unrecognised TYPE command.",
	[FTP_MODE] = "200 Mode set to S.",
	[FTP_MODE_BAD] = "504 Bad MODE command.",
	[FTP_STRUCTURE] = "200 Structure set to F.",
	[FTP_STRUCTURE_BAD] = "504 Bad STRU command.",
	[FTP_ALLOCATED] = "202 ALLO command ignored.",
	[FTP_NO_TRANSFER] = "225 No transfer to ABOR.",
	[FTP_RESTART] = "350 Restart position accepted (\1).",
	[FTP_NO_SIZE] = "550 Could not get file size.",
	[FTP_NO_TIME] = "550 Could not get file modification time.",
	[FTP_DELETED] = "250 Delete operation successful.",
	[FTP_NO_DELETE] = "550 Delete operation failed.",
	[FTP_MADE] = "257 \"\1\" created",
	[FTP_NO_MAKE] = "550 Create directory operation failed.",
	[FTP_UNMADE] = "250 Remove directory operation successful.",
	[FTP_NO_UNMAKE] = "550 Remove directory operation failed.",
	[FTP_RENAME_FROM] = "350 Ready for RNTO.",
	[FTP_NO_RENAME_FROM] = "550 RNFR command failed.",
	[FTP_RENAMED] = "250 Rename successful.",
	[FTP_NO_RENAME] = "550 Rename failed.",
	[FTP_RENAME_ORDER] = "503 RNFR required first.",
	[FTP_NO_DATA] = "425 Use PORT or PASV first.",
	[FTP_NOBODY_CAME] = "425 Failed to establish connection.",
	[FTP_BROKEN] = "426 Failure writing network stream.",
	[FTP_PORT_BAD] = "550 Permission denied.",
	[FTP_EPRT_BAD] = "550 Permission denied.",
	[FTP_PASSIVE] = "227 Entering Passive Mode (\1).",
	[FTP_EXTENDED] = "229 Entering Extended Passive Mode (|||\1|)",
	[FTP_EXTENDED_BAD] = "522 Bad network protocol.",
	[FTP_LIST] = "150 Here comes the directory listing.",
	[FTP_LISTED] = "226 Directory send OK.",
	[FTP_SEND] = "150 Opening BINARY mode data connection for \1.",
	[FTP_SENT] = "226 Transfer complete.",
	[FTP_NO_SEND] = "550 Failed to open file.",
	[FTP_TAKE] = "150 Ok to send data.",
	[FTP_TAKEN] = "226 Transfer complete.",
	[FTP_NO_TAKE] = "553 Could not create file.",
	[FTP_NO_ROOM] = "451 Failure writing to local file.",
	[FTP_UTF8] = "200 Always in UTF8 mode.",
	[FTP_OPTION_BAD] = "501 Option not understood.",
	[FTP_SITE_HELP] = "214 CHMOD UMASK HELP",
	[FTP_SITE_BAD] = "500 Unknown SITE command.",
	[FTP_SITE_MODE] = "200 SITE CHMOD command ok.",
	[FTP_NO_SITE_MODE] = "550 SITE CHMOD command failed.",
	[FTP_SITE_MASK] = "200 Your current UMASK is \1",
	[FTP_SITE_MASK_SET] = "200 UMASK set to \1",
	[FTP_STATUS_BEGIN] = "213-Status follows:",
	[FTP_STATUS_END] = "213 End of status",
};

#define BUSYBOX_OK(status) status " Operation successful"
#define BUSYBOX_ERROR(status) status " Error"

static const char *const busybox[FTP_ANSWERS] = {
	[FTP_ASK_SECRET] = "331 Please specify password",
	[FTP_NAME_FIRST] = "530 Login with USER+PASS",
	[FTP_LOGGED_IN] = BUSYBOX_OK("230"),
	[FTP_REFUSED] = "530 Login failed",
	[FTP_LOG_IN_FIRST] = "530 Login with USER+PASS",
	[FTP_IS_IN] = BUSYBOX_OK("230"),
	[FTP_NO_OTHER] = BUSYBOX_OK("230"),
	[FTP_GOODBYE] = BUSYBOX_OK("221"),
	[FTP_SYSTEM] = "215 UNIX Type: L8",
	[FTP_FEATURES] = "211-Features:\r\n EPSV\r\n PASV\r\n REST STREAM\r\n MDTM\r\n SIZE\r\n211 Ok",
	[FTP_HELP] = "214-Features:\r\n ALLO CDUP CWD EPSV FEAT HELP LIST\r\n MODE NLST NOOP PASS PASV PORT PWD QUIT\r\n"
		     " REST RETR SIZE STAT STRU SYST TYPE USER\r\n APPE DELE MKD RMD RNFR RNTO STOR STOU\r\n214 Ok",
	[FTP_NOOP] = BUSYBOX_OK("200"),
	[FTP_UNKNOWN] = "500 Unknown command",
	[FTP_NOT_IMPLEMENTED] = "500 Unknown command",
	[FTP_DENIED] = BUSYBOX_ERROR("550"),
	[FTP_DIRECTORY] = "257 \"\1\"",
	[FTP_CHANGED] = BUSYBOX_OK("250"),
	[FTP_NOT_CHANGED] = BUSYBOX_ERROR("550"),
	[FTP_TYPE_ASCII] = BUSYBOX_OK("200"),
	[FTP_TYPE_BINARY] = BUSYBOX_OK("200"),
	[FTP_TYPE_BAD] = BUSYBOX_OK("200"),
	[FTP_MODE] = BUSYBOX_OK("200"),
	[FTP_MODE_BAD] = BUSYBOX_OK("200"),
	[FTP_STRUCTURE] = BUSYBOX_OK("200"),
	[FTP_STRUCTURE_BAD] = BUSYBOX_OK("200"),
	[FTP_ALLOCATED] = BUSYBOX_OK("202"),
	[FTP_NO_TRANSFER] = "500 Unknown command",
	[FTP_RESTART] = BUSYBOX_OK("350"),
	[FTP_NO_SIZE] = BUSYBOX_ERROR("550"),
	[FTP_NO_TIME] = BUSYBOX_ERROR("550"),
	[FTP_DELETED] = BUSYBOX_OK("250"),
	[FTP_NO_DELETE] = BUSYBOX_ERROR("550"),
	[FTP_MADE] = BUSYBOX_OK("257"),
	[FTP_NO_MAKE] = BUSYBOX_ERROR("550"),
	[FTP_UNMADE] = BUSYBOX_OK("250"),
	[FTP_NO_UNMAKE] = BUSYBOX_ERROR("550"),
	[FTP_RENAME_FROM] = BUSYBOX_OK("350"),
	[FTP_NO_RENAME_FROM] = BUSYBOX_ERROR("550"),
	[FTP_RENAMED] = BUSYBOX_OK("250"),
	[FTP_NO_RENAME] = BUSYBOX_ERROR("550"),
	[FTP_RENAME_ORDER] = "503 Use RNFR first",
	[FTP_NO_DATA] = "425 Use PORT/PASV first",
	[FTP_NOBODY_CAME] = BUSYBOX_ERROR("425"),
	[FTP_BROKEN] = BUSYBOX_ERROR("426"),
	[FTP_PORT_BAD] = "501 Error",
	[FTP_EPRT_BAD] = "500 Unknown command",
	[FTP_PASSIVE] = "227 PASV ok (\1)",
	[FTP_EXTENDED] = "229 EPSV ok (|||\1|)",
	[FTP_EXTENDED_BAD] = "229 EPSV ok (|||\1|)",
	[FTP_LIST] = "150 Directory listing",
	[FTP_LISTED] = BUSYBOX_OK("226"),
	[FTP_SEND] = "150 Opening BINARY connection for \1",
	[FTP_SENT] = BUSYBOX_OK("226"),
	[FTP_NO_SEND] = BUSYBOX_ERROR("550"),
	[FTP_TAKE] = "150 Ok to send data",
	[FTP_TAKEN] = BUSYBOX_OK("226"),
	[FTP_NO_TAKE] = BUSYBOX_ERROR("553"),
	[FTP_NO_ROOM] = BUSYBOX_ERROR("451"),
	[FTP_UTF8] = "500 Unknown command",
	[FTP_OPTION_BAD] = "500 Unknown command",
	[FTP_SITE_HELP] = "500 Unknown command",
	[FTP_SITE_BAD] = "500 Unknown command",
	[FTP_SITE_MODE] = "500 Unknown command",
	[FTP_NO_SITE_MODE] = "500 Unknown command",
	[FTP_SITE_MASK] = "500 Unknown command",
	[FTP_SITE_MASK_SET] = "500 Unknown command",
	[FTP_STATUS_BEGIN] = "213-File status:",
	[FTP_STATUS_END] = "213 Ok",
};

static const char *const proftpd[FTP_ANSWERS] = {
	[FTP_ASK_SECRET] = "331 Password required for \1",
	[FTP_NAME_FIRST] = "503 Login with USER first",
	[FTP_LOGGED_IN] = "230 User \1 logged in",
	[FTP_REFUSED] = "530 Login incorrect.",
	[FTP_LOG_IN_FIRST] = "530 Please login with USER and PASS",
	[FTP_IS_IN] = "503 You are already logged in",
	[FTP_NO_OTHER] = "501 Reauthentication not supported",
	[FTP_GOODBYE] = "221 Goodbye.",
	[FTP_SYSTEM] = "215 UNIX Type: L8",
	[FTP_FEATURES] = "211-Features:\r\n EPRT\r\n EPSV\r\n HOST\r\n MDTM\r\n REST STREAM\r\n SIZE\r\n TVFS\r\n UTF8\r\n211 End",
	[FTP_HELP] = "214-The following commands are recognized (* =>'s unimplemented):\r\n"
		     " CWD     XCWD    CDUP    XCUP    SMNT*   QUIT    PORT    PASV    \r\n"
		     " EPRT    EPSV    ALLO    RNFR    RNTO    DELE    MDTM    RMD     \r\n"
		     " XRMD    MKD     XMKD    PWD     XPWD    SIZE    SYST    HELP    \r\n"
		     " NOOP    FEAT    OPTS    HOST    CLNT    AUTH*   CCC*    CONF*   \r\n"
		     " ENC*    MIC*    PBSZ*   PROT*   TYPE    STRU    MODE    RETR    \r\n"
		     " STOR    STOU    APPE    REST    ABOR    RANG    USER    PASS    \r\n"
		     " ACCT*   REIN*   LIST    NLST    STAT    SITE    MLSD    MLST    \r\n"
		     "214 Direct comments to root@localhost",
	[FTP_NOOP] = "200 NOOP command successful",
	[FTP_UNKNOWN] = "500 \1 not understood",
	[FTP_NOT_IMPLEMENTED] = "502 \1 command not implemented",
	[FTP_DENIED] = "550 Permission denied",
	[FTP_DIRECTORY] = "257 \"\1\" is the current directory",
	[FTP_CHANGED] = "250 CWD command successful",
	[FTP_NOT_CHANGED] = "550 \1: No such file or directory",
	[FTP_TYPE_ASCII] = "200 Type set to A",
	[FTP_TYPE_BINARY] = "200 Type set to I",
	[FTP_TYPE_BAD] = "504 TYPE not implemented for '\1' parameter",
	[FTP_MODE] = "200 Mode set to S",
	[FTP_MODE_BAD] = "504 '\1' unsupported transfer mode",
	[FTP_STRUCTURE] = "200 Structure set to F",
	[FTP_STRUCTURE_BAD] = "504 '\1' unsupported structure type",
	[FTP_ALLOCATED] = "202 No storage allocation necessary",
	[FTP_NO_TRANSFER] = "226 Abort successful",
	[FTP_RESTART] = "350 Restarting at \1. Send STORE or RETRIEVE to initiate transfer",
	[FTP_NO_SIZE] = "550 \1: No such file or directory",
	[FTP_NO_TIME] = "550 \1: No such file or directory",
	[FTP_DELETED] = "250 DELE command successful",
	[FTP_NO_DELETE] = "550 \1: No such file or directory",
	[FTP_MADE] = "257 \"\1\" - Directory successfully created",
	[FTP_NO_MAKE] = "550 \1: File exists",
	[FTP_UNMADE] = "250 RMD command successful",
	[FTP_NO_UNMAKE] = "550 \1: No such file or directory",
	[FTP_RENAME_FROM] = "350 File or directory exists, ready for destination name",
	[FTP_NO_RENAME_FROM] = "550 \1: No such file or directory",
	[FTP_RENAMED] = "250 Rename successful",
	[FTP_NO_RENAME] = "550 Rename \1: No such file or directory",
	[FTP_RENAME_ORDER] = "503 Bad sequence of commands",
	[FTP_NO_DATA] = "425 Unable to build data connection: Connection refused",
	[FTP_NOBODY_CAME] = "425 Unable to build data connection: Connection timed out",
	[FTP_BROKEN] = "426 Transfer aborted. Data connection closed",
	[FTP_PORT_BAD] = "500 Illegal PORT command",
	[FTP_EPRT_BAD] = "500 Illegal EPRT command",
	[FTP_PASSIVE] = "227 Entering Passive Mode (\1).",
	[FTP_EXTENDED] = "229 Entering Extended Passive Mode (|||\1|)",
	[FTP_EXTENDED_BAD] = "522 Network protocol not supported, use (1,2)",
	[FTP_LIST] = "150 Opening ASCII mode data connection for file list",
	[FTP_LISTED] = "226 Transfer complete",
	[FTP_SEND] = "150 Opening BINARY mode data connection for \1",
	[FTP_SENT] = "226 Transfer complete",
	[FTP_NO_SEND] = "550 \1: No such file or directory",
	[FTP_TAKE] = "150 Opening BINARY mode data connection for \1",
	[FTP_TAKEN] = "226 Transfer complete",
	[FTP_NO_TAKE] = "550 \1: Permission denied",
	[FTP_NO_ROOM] = "452 \1: No space left on device",
	[FTP_UTF8] = "200 UTF8 set to on",
	[FTP_OPTION_BAD] = "501 OPTS: \1 not understood",
	[FTP_SITE_HELP] = "214-The following SITE extensions are recognized:\r\n CHGRP <sp> group <sp> pathname\r\n"
			  " CHMOD <sp> mode <sp> pathname\r\n HELP\r\n214 Direct comments to root@localhost",
	[FTP_SITE_BAD] = "500 'SITE \1' not understood",
	[FTP_SITE_MODE] = "200 SITE CHMOD command successful",
	[FTP_NO_SITE_MODE] = "550 \1: No such file or directory",
	[FTP_SITE_MASK] = "500 'SITE UMASK' not understood",
	[FTP_SITE_MASK_SET] = "500 'SITE UMASK' not understood",
	[FTP_STATUS_BEGIN] = "213-Status of /:",
	[FTP_STATUS_END] = "213 End of status",
};

const struct ftp_dialect ftp_dialects[] = {
	{.name = "vsftpd", .greeting = "(vsFTPd 3.0.3)", .answers = vsftpd, .refusal_delay_ms = 1000, .numbers = true},
	{.name = "busybox", .greeting = "Operation successful", .answers = busybox, .refusal_delay_ms = 2000},
	{.name = "proftpd", .greeting = "ProFTPD Server (Debian) [::ffff:%{address}]", .answers = proftpd,
	 .refusal_delay_ms = 500},
	{0},
};

const struct ftp_dialect *ftp_dialect(const char *name)
{
	for (const struct ftp_dialect *d = ftp_dialects; d->name && name; d++)
		if (!strcmp(d->name, name))
			return d;
	return &ftp_dialects[0];
}

void ftp_say(struct session *s, enum ftp_answer which, const char *word)
{
	const char *text = ftp_dialect_of(s)->answers[which];
	const char *gap = strchr(text, '\1');
	if (!gap)
		session_say(s, "%s\r\n", text);
	else
		session_say(s, "%.*s%s%s\r\n", (int)(gap - text), text, word ? word : "", gap + 1);
}
