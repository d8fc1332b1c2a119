/* The scp protocol: lines and bytes one way, zero bytes and errors the other. */
#include "passive/services/ssh/scp.h"
#include "passive/services/ssh/upload.h"

#define CONTROL_MAX 1024
#define GIVEN_MAX (128 * 1024) /* of one file */

enum scp_state { SCP_LINE, SCP_BYTES, SCP_BYTES_END, SCP_GIVES };

struct ssh_scp {
	uint8_t state;
	bool into_directory, recursive;
	char target[VFS_PATH_MAX];
	size_t depth; /* of directories below the target */
	char line[CONTROL_MAX];
	size_t line_len;
	uint64_t left, at;
	struct ssh_upload upload;
	struct bytes given; /* what is being sent, and how far it is agreed on */
	uint8_t given_step;
};

/* The words of `scp -v -t -- /tmp`; options are letters in any grouping. */
static bool scp_parse(struct bytes command, char *direction, bool *recursive, bool *into, struct bytes *target)
{
	struct bytes word = bytes_word(&command);
	size_t n = word.len;
	bool options = true;
	*direction = 0;
	*target = (struct bytes){0};
	if (n < 3 || memcmp(word.at + n - 3, "scp", 3) || (n > 3 && word.at[n - 4] != '/'))
		return false;
	while (command.len) {
		if (options && command.at[0] != '-')
			break;
		word = bytes_word(&command);
		options = options && !bytes_equal_text(word, "--");
		for (size_t i = 1; options && i < word.len; i++) {
			if (word.at[i] == 't' || word.at[i] == 'f')
				*direction = (char)word.at[i];
			*recursive |= word.at[i] == 'r';
			*into |= word.at[i] == 'd';
		}
		if (!options)
			break;
	}
	command = bytes_trim(command);
	if (command.len > 1 && (command.at[0] == '\'' || command.at[0] == '"') &&
	    command.at[command.len - 1] == command.at[0]) {
		command.at++;
		command.len -= 2;
	}
	*target = command.len ? command : BYTES(".");
	return *direction != 0;
}

bool scp_claims(struct bytes command)
{
	char direction;
	bool recursive = false, into = false;
	struct bytes target;
	return scp_parse(command, &direction, &recursive, &into, &target);
}

static void say_error(struct ssh *h, struct ssh_channel *c, struct bytes path, const char *why)
{
	channel_say(h, c, BYTES("\1scp: "));
	channel_say(h, c, path);
	channel_say(h, c, BYTES(": "));
	channel_say(h, c, bytes_of_text(why));
	channel_say(h, c, BYTES("\n"));
}

static bool is_directory(struct ssh *h, struct bytes path)
{
	struct vfs_node n;
	struct vfs_status status;
	if (vfs_find(program_files(h), path, true, &n))
		return false;
	vfs_stat(n, &status);
	return status.kind == VFS_DIRECTORY;
}

static void give_begin(struct ssh *h, struct ssh_channel *c)
{
	struct ssh_scp *k = c->scp;
	struct bytes path = bytes_of_text(k->target), name = path;
	struct vfs_node n;
	struct vfs_status status;
	for (size_t i = 0; i < path.len; i++)
		if (path.at[i] == '/' && i + 1 < path.len)
			name = (struct bytes){path.at + i + 1, path.len - i - 1};
	int error = vfs_find(program_files(h), path, true, &n);
	if (!error)
		vfs_stat(n, &status);
	if (error || status.kind != VFS_FILE ||
	    session_content(h->session, n, session_arena(h->session), &k->given) < 0 || k->given.len > GIVEN_MAX) {
		say_error(h, c, path,
		          error                            ? "No such file or directory"
		          : status.kind == VFS_DIRECTORY ? "not a regular file"
		                                         : "Permission denied");
		channel_end(c, 1);
		return;
	}
	char line[CONTROL_MAX];
	int len = snprintf(line, sizeof line, "C%04o %zu %.*s\n", status.mode & 07777, k->given.len,
	                   (int)(name.len < 256 ? name.len : 256), (const char *)name.at);
	channel_say(h, c, (struct bytes){(uint8_t *)line, (size_t)len});
}

bool scp_start(struct ssh *h, struct ssh_channel *c, struct bytes command)
{
	char direction;
	bool recursive = false, into = false;
	struct bytes target;
	if (!c->scp)
		c->scp = arena_alloc(session_arena(h->session), sizeof *c->scp);
	if (!c->scp || !scp_parse(command, &direction, &recursive, &into, &target))
		return false;
	*c->scp = (struct ssh_scp){.upload = {.at = c->scp->upload.at, .room = c->scp->upload.room},
	                           .recursive = recursive,
	                           .into_directory = into};
	if (!bytes_copy_text(target, c->scp->target, sizeof c->scp->target))
		return false;
	if (!h->connection->shell_started)
		program_files(h);
	c->program = SSH_RUNS_SCP;
	c->scp->state = direction == 't' ? SCP_LINE : SCP_GIVES;
	if (direction == 't') { /* ready */
		c->scp->into_directory |= is_directory(h, target);
		channel_say(h, c, BYTES("\0"));
	}
	return true;
}

/* Where a name that the client says goes. */
static struct bytes place_of(const struct ssh_scp *k, struct bytes name, char room[VFS_PATH_MAX])
{
	size_t at = 0;
	for (size_t i = 0; i < name.len; i++)
		if (name.at[i] == '/')
			at = i + 1;
	name.at += at;
	name.len -= at;
	int n = k->into_directory
	                ? snprintf(room, VFS_PATH_MAX, "%s/%.*s", k->target, (int)name.len, (const char *)name.at)
	                : snprintf(room, VFS_PATH_MAX, "%s", k->target);
	return (struct bytes){(uint8_t *)room, n < VFS_PATH_MAX ? (size_t)n : VFS_PATH_MAX - 1};
}

static void leave_directory(struct ssh_scp *k)
{
	char *slash = strrchr(k->target, '/');
	if (k->depth && slash)
		*slash = 0;
	k->depth -= k->depth > 0;
}

/* "C0644 123 name" and "D0755 0 name". */
static void take_entry(struct ssh *h, struct ssh_channel *c, struct bytes line)
{
	struct ssh_scp *k = c->scp;
	char room[VFS_PATH_MAX];
	bool directory = line.at[0] == 'D';
	struct bytes mode = bytes_word(&line), size = bytes_word(&line);
	uint64_t bytes = 0;
	uint16_t bits = 0;
	for (size_t i = 1; i < mode.len && i < 6; i++)
		bits = (uint16_t)(bits * 8 + (mode.at[i] & 7));
	if (!bytes_number(size, UINT32_MAX, &bytes) || line.len == 0) {
		channel_say(h, c, BYTES("\1scp: protocol error: unexpected <newline>\n"));
		channel_end(c, 1);
		return;
	}
	struct bytes path = place_of(k, line, room);
	if (directory) {
		int error = vfs_make_directory(program_files(h), path, bits & 07777);
		if (error && error != -EEXIST) {
			say_error(h, c, path, "Permission denied");
			return;
		}
		memcpy(k->target, path.at, path.len);
		k->target[path.len] = 0;
		k->into_directory = true;
		k->depth++;
		channel_say(h, c, BYTES("\0"));
		return;
	}
	int error = upload_begin(h, &k->upload, path, VFS_TRUNCATE, bits & 07777);
	if (error) {
		say_error(h, c, path,
		          error == -ENOENT   ? "No such file or directory"
		          : error == -EISDIR ? "Is a directory"
		          : error == -EROFS  ? "Read-only file system"
		                             : "Permission denied");
		return;
	}
	k->left = bytes;
	k->at = 0;
	k->state = bytes ? SCP_BYTES : SCP_BYTES_END;
	channel_say(h, c, BYTES("\0"));
}

static void take_line(struct ssh *h, struct ssh_channel *c, struct bytes line)
{
	struct ssh_scp *k = c->scp;
	if (line.len == 0)
		return;
	switch (line.at[0]) {
	case 'C':
	case 'D':
		take_entry(h, c, line);
		return;
	case 'E':
		leave_directory(k);
		/* fall through */
	case 'T':
		channel_say(h, c, BYTES("\0"));
		return;
	case 1:
	case 2:
		return;
	}
	channel_say(h, c, BYTES("\1scp: protocol error: expected control record\n"));
	channel_end(c, 1);
}

static void take_bytes(struct ssh *h, struct ssh_channel *c, struct reader *r)
{
	struct ssh_scp *k = c->scp;
	if (k->state == SCP_BYTES) {
		size_t n = reader_left(r) < k->left ? reader_left(r) : (size_t)k->left;
		upload_write(h, &k->upload, k->at, read_bytes(r, n));
		k->at += n;
		k->left -= n;
		if (k->left == 0)
			k->state = SCP_BYTES_END;
		return;
	}
	read_u8(r); /* the client's word that it was all */
	upload_end(h, &k->upload, "scp");
	k->state = SCP_LINE;
	channel_say(h, c, BYTES("\0"));
}

/* The client says go on before the name, before the bytes and behind them. */
static void give(struct ssh *h, struct ssh_channel *c, struct reader *r)
{
	struct ssh_scp *k = c->scp;
	uint8_t go = read_u8(r);
	if (go != 0) {
		channel_end(c, 1);
		return;
	}
	if (k->given_step == 0) {
		give_begin(h, c);
	} else if (k->given_step == 1) {
		channel_say(h, c, k->given);
		channel_say(h, c, BYTES("\0"));
	} else {
		channel_end(c, 0);
	}
	k->given_step++;
}

void scp_input(struct ssh *h, struct ssh_channel *c, struct bytes input)
{
	struct ssh_scp *k = c->scp;
	struct reader r = reader_of_bytes(input);
	while (reader_left(&r) && !c->ending) {
		if (k->state == SCP_GIVES) {
			give(h, c, &r);
		} else if (k->state != SCP_LINE) {
			take_bytes(h, c, &r);
		} else {
			char b = (char)read_u8(&r);
			if (b != '\n' && k->line_len < sizeof k->line) {
				k->line[k->line_len++] = b;
				continue;
			}
			struct bytes line = {(uint8_t *)k->line, k->line_len};
			k->line_len = 0;
			take_line(h, c, line);
		}
	}
}

void scp_gone(struct ssh *h, struct ssh_channel *c)
{
	if (c->scp)
		upload_end(h, &c->scp->upload, "scp");
}
