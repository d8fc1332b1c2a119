/*
 * Channels of one connection (RFC 4254), and what runs behind them.
 *
 * What a program says is kept with its channel until the peer's window takes it, up to
 * SSH_PENDING_MAX bytes; a program whose output does not fit is one that nobody reads.
 */
#pragma once
#include "passive/device/shell/shell.h"
#include "passive/device/shell/terminal.h"
#include "passive/services/ssh/ssh.h"

#define SSH_CHANNELS_MAX 10            /* MaxSessions of sshd */
#define SSH_PENDING_MAX (256 * 1024)   /* bytes said and not yet sent, one channel */
#define SSH_FLUSH_MAX (192 * 1024)     /* bytes sent by one callback, all channels */
#define SSH_SINK_MAX 4096              /* first bytes of a forwarded connection that are kept */

enum ssh_program { SSH_RUNS_NOTHING, SSH_RUNS_SHELL, SSH_RUNS_COMMAND, SSH_RUNS_SFTP, SSH_RUNS_SCP, SSH_SINKS };

struct ssh_sftp; /* sftp.h */
struct ssh_scp;  /* scp.h */

struct ssh_channel {
	uint32_t ours, theirs;
	uint32_t window_out, packet_out; /* what the peer takes */
	uint32_t window_in;              /* what we still take */
	uint8_t program;
	bool open, terminal_asked;
	bool input_ended, ending, eof_sent, close_sent;
	bool tells_status; /* an exit status belongs to its end */
	uint32_t status;
	struct terminal terminal;
	uint8_t *pending;
	size_t pending_at, pending_len, pending_room;
	struct bytes pty; /* what the peer says of its terminal */
	char target[160]; /* of a forwarded connection */
	bool sunk;        /* its first data was told */
	struct ssh_sftp *sftp;
	struct ssh_scp *scp;
};

struct ssh_connection {
	struct ssh *ssh;
	struct shell shell;
	bool shell_started, told_more, delayed;
	bool quiet; /* what is said is not recorded: it may be taken back */
	struct ssh_channel *channels[SSH_CHANNELS_MAX];
	struct ssh_channel *speaking; /* whose program runs now */
	size_t budget;                /* bytes that this callback may still send */
};

/* connection.c */
void channel_say(struct ssh *, struct ssh_channel *, struct bytes);
void channel_end(struct ssh_channel *, uint32_t status); /* after what is pending */
void channel_flush(struct ssh *, struct ssh_channel *);
size_t channel_room(const struct ssh_channel *); /* of what may still be said */

/* Tells of a connection to be forwarded: the host and port that are read. */
void ssh_tell_forward(struct ssh *, const char *what, struct reader *);

/* program.c: false: the request is refused. */
bool program_request(struct ssh *, struct ssh_channel *, struct bytes type, struct reader *);
enum service_next program_input(struct ssh *, struct ssh_channel *, struct bytes);
enum service_next program_input_end(struct ssh *, struct ssh_channel *);
void program_gone(struct ssh *, struct ssh_channel *); /* the channel closes */
struct vfs *program_files(struct ssh *); /* NULL: no memory */
