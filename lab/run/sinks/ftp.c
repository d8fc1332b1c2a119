/* FTP: lets everybody in, tells which account and which files; there is no data connection. */
#include "lab/run/sink_protocol.h"

#define FTP_USER_MAX 64

struct ftp {
	size_t user_len;
	uint8_t user[FTP_USER_MAX];
};

static enum talk_next ftp_open(struct talk *t, void *state)
{
	(void)state;
	talk_say(t, "220 (vsFTPd 2.3.2)\r\n");
	return TALK_ON;
}

static void ftp_file(struct talk *t, const char *kind, struct bytes path)
{
	uint8_t room[600];
	struct writer w = writer_of(room, sizeof room);
	write_fmt(&w, "ftp://%.255s/", talk_endpoint(t));
	if (path.len && path.at[0] == '/')
		path = (struct bytes){path.at + 1, path.len - 1};
	write_span(&w, path.len > 300 ? (struct bytes){path.at, 300} : path);
	talk_tell(t, kind, writer_bytes(&w), path);
}

static enum talk_next ftp_line(struct talk *t, struct ftp *f, struct bytes line)
{
	struct bytes rest = line, verb = bytes_word(&rest);
	if (bytes_equal_nocase(verb, "USER")) {
		f->user_len = rest.len < FTP_USER_MAX ? rest.len : FTP_USER_MAX;
		if (f->user_len)
			memcpy(f->user, rest.at, f->user_len);
		talk_say(t, "331 Please specify the password.\r\n");
	} else if (bytes_equal_nocase(verb, "PASS")) {
		uint8_t room[2 * FTP_USER_MAX + 1];
		struct writer w = writer_of(room, sizeof room);
		write_bytes(&w, f->user, f->user_len);
		write_u8(&w, ':');
		write_span(&w, rest.len > FTP_USER_MAX ? (struct bytes){rest.at, FTP_USER_MAX} : rest);
		talk_tell(t, "credential", writer_bytes(&w), writer_bytes(&w));
		talk_say(t, "230 Login successful.\r\n");
	} else if (bytes_equal_nocase(verb, "RETR") || bytes_equal_nocase(verb, "SIZE")) {
		ftp_file(t, "url", rest);
		talk_say(t, "550 Failed to open file.\r\n");
	} else if (bytes_equal_nocase(verb, "STOR") || bytes_equal_nocase(verb, "APPE")) {
		ftp_file(t, "upload", rest);
		talk_say(t, "553 Could not create file.\r\n");
	} else if (bytes_equal_nocase(verb, "PASV") || bytes_equal_nocase(verb, "EPSV")) {
		talk_say(t, "502 Command not implemented.\r\n");
	} else if (bytes_equal_nocase(verb, "QUIT")) {
		talk_say(t, "221 Goodbye.\r\n");
		return TALK_END;
	} else {
		talk_tell(t, "line", line, line);
		talk_say(t, bytes_equal_nocase(verb, "SYST") ? "215 UNIX Type: L8\r\n" : "200 OK.\r\n");
	}
	return TALK_ON;
}

static enum talk_next ftp_input(struct talk *t, void *state, struct reader *r)
{
	struct bytes line;
	while (read_line(r, &line))
		if (ftp_line(t, state, line) == TALK_END)
			return TALK_END;
	return TALK_ON;
}

static const struct sink_exchange ftp_exchanges[] = {
	{.title = "an account and a file",
	 .said = BYTES("USER ftp\r\nPASS x@y\r\nTYPE I\r\nRETR /bins/arm\r\nQUIT\r\n"),
	 .heard = BYTES("220 (vsFTPd 2.3.2)\r\n331 Please specify the password.\r\n230 Login successful.\r\n200 OK.\r\n"
			"550 Failed to open file.\r\n221 Goodbye.\r\n"),
	 .told = "credential ftp:x@y\nline TYPE I\nurl ftp://203.0.113.7:21/bins/arm\n"},
	{0},
};

static const struct sink_protocol ftp = {
	.name = "ftp",
	.summary = "tells which account and which files are wanted",
	.reference = "RFC 959; replies as vsftpd 2.3.2",
	.greets = true,
	.ports = {21, 2121},
	.state_size = sizeof(struct ftp),
	.open = ftp_open,
	.input = ftp_input,
	.exchanges = ftp_exchanges,
};
SINK_PROTOCOL(ftp);
