/*
 * Transfers: the peer is told where to come, and comes before or after it says what for.  While
 * one waits or goes on no command is read.
 */
#include "passive/services/ftp/ftp.h"

#define LIST_BYTES_MAX (512u << 10)
#define CONTENT_MAX (4u << 20)

/* The peer is told where to come; a data connection that waited is given up. */
void ftp_call_peer(struct session *s, struct ftp *ftp, bool extended)
{
	char text[64];
	struct address local = *session_local(s);
	uint16_t port = session_expect(s);
	uint32_t v4 = address_is_v4(&local) ? address_to_v4(&local) : 0;
	ftp->connected = false;
	ftp->expected = port != 0;
	if (!port) {
		ftp_say(s, FTP_NOBODY_CAME, NULL);
		return;
	}
	if (extended)
		snprintf(text, sizeof text, "%u", port);
	else
		snprintf(text, sizeof text, "%u,%u,%u,%u,%u,%u", v4 >> 24, v4 >> 16 & 255, v4 >> 8 & 255, v4 & 255,
			 port >> 8, port & 255);
	ftp_say(s, extended ? FTP_EXTENDED : FTP_PASSIVE, text);
}

/* The bytes of a file; what differs from device to device in it is filled in. */
static bool content_of(struct session *s, const struct ftp *ftp, const char *path, struct arena *into,
		       struct bytes *out)
{
	struct ftp_files f;
	struct vfs_node n;
	struct vfs_status status;
	if (!ftp_find(s, ftp, bytes_of_text(path), &f) || vfs_find(&f.files, bytes_of_text(f.path), true, &n))
		return false;
	vfs_stat(n, &status);
	return status.kind == VFS_FILE && session_content(s, n, into, out) == 0;
}

static void send_file(struct session *s, struct ftp *ftp)
{
	struct arena scratch = ARENA(CONTENT_MAX);
	struct bytes content;
	char text[VFS_PATH_MAX + 64];
	if (content_of(s, ftp, ftp->path, &scratch, &content)) {
		snprintf(text, sizeof text, "%s (%zu bytes)", ftp->path, content.len);
		ftp_say(s, FTP_SEND, text);
		size_t skip = ftp->restart < content.len ? ftp->restart : content.len;
		session_data_say(s, (struct bytes){content.at + skip, content.len - skip});
	} else {
		ftp_say(s, FTP_NO_SEND, ftp->path);
		ftp->going = false;
	}
	arena_done(&scratch);
}

static void send_list(struct session *s, struct ftp *ftp)
{
	struct buffer list = BUFFER(LIST_BYTES_MAX);
	struct bytes path = bytes_of_text(ftp->path);
	bool all = false;
	while (path.len > 1 && path.at[0] == '-') { /* as clients that think of ls have it */
		struct bytes flags = bytes_word(&path);
		all |= memchr(flags.at, 'a', flags.len) != NULL;
	}
	ftp_say(s, FTP_LIST, NULL);
	ftp_list(s, ftp, path, ftp->transfer == TRANSFER_NAMES, all, &list);
	session_data_say(s, buffer_bytes(&list));
	buffer_done(&list);
}

/* The peer has asked, and has come: in whichever order. */
static void transfer_begin(struct session *s, struct ftp *ftp)
{
	ftp->going = true;
	if (ftp->transfer == TRANSFER_TAKE || ftp->transfer == TRANSFER_APPEND) {
		ftp_say(s, FTP_TAKE, ftp->path);
		session_data_take(s);
		return;
	}
	if (ftp->transfer == TRANSFER_SEND)
		send_file(s, ftp);
	else
		send_list(s, ftp);
	if (ftp->going) {
		session_data_end(s);
		return;
	}
	session_data_drop(s);
	ftp->transfer = TRANSFER_NONE;
	ftp->connected = ftp->expected = false;
}

/* What was uploaded goes to the device's tree as far as it fits, and to the store whole. */
static void file_arrived(struct session *s, struct ftp *ftp, struct bytes content, bool whole)
{
	struct ftp_files f;
	struct vfs_change *file = NULL;
	bool append = ftp->transfer == TRANSFER_APPEND;
	int error = ftp_find(s, ftp, bytes_of_text(ftp->path), &f)
			    ? vfs_open(&f.files, bytes_of_text(f.path), append ? 0 : VFS_TRUNCATE,
				       (uint16_t)(0666 & ~ftp->mask), &file)
			    : -ENOENT;
	if (!error && file && ftp->restart && !append)
		error = vfs_write_at(&f.files, file, ftp->restart, content);
	else if (!error && file)
		error = vfs_append(&f.files, file, content);
	if (file && !append)
		vfs_set_taken(&f.files, file);
	if (content.len)
		session_capture(s, content, bytes_of_text(ftp->path), (struct bytes){0}, "upload");
	ftp_say(s, error ? FTP_NO_ROOM : whole ? FTP_TAKEN : FTP_BROKEN, ftp->path);
}

enum service_next ftp_data(struct session *s, void *state, enum data_event what, struct bytes came)
{
	struct ftp *ftp = state;
	if (what == DATA_OPENED) {
		ftp->connected = true;
		if (ftp->transfer)
			transfer_begin(s, ftp);
		return SERVICE_CONTINUE;
	}
	bool whole = what == DATA_DONE;
	if (ftp->going && (ftp->transfer == TRANSFER_TAKE || ftp->transfer == TRANSFER_APPEND))
		file_arrived(s, ftp, came, whole);
	else if (ftp->transfer && ftp->going)
		ftp_say(s, !whole ? FTP_BROKEN : ftp->transfer == TRANSFER_SEND ? FTP_SENT : FTP_LISTED, NULL);
	else if (ftp->transfer)
		ftp_say(s, FTP_NOBODY_CAME, NULL);
	ftp->transfer = TRANSFER_NONE;
	ftp->restart = 0;
	ftp->going = ftp->connected = ftp->expected = false;
	return SERVICE_CONTINUE;
}

/* Whether a file may be made there: its directory is one, and it is none itself. */
static bool can_take(struct session *s, struct ftp *ftp, const char *path)
{
	struct ftp_files f;
	char above[VFS_PATH_MAX + 2];
	if (ftp_is_directory(s, ftp, path, &f) || !f.shown[0])
		return false;
	snprintf(above, sizeof above, "%s", f.shown);
	*strrchr(above, '/') = '\0';
	return ftp_is_directory(s, ftp, above[0] ? above : "/", &f);
}

void ftp_transfer(struct session *s, struct ftp *ftp, enum ftp_transfer what, struct bytes path)
{
	struct arena scratch = ARENA(CONTENT_MAX);
	struct bytes content;
	char text[VFS_PATH_MAX];
	bool takes = what == TRANSFER_TAKE || what == TRANSFER_APPEND;
	ftp_word(path, text, sizeof text);
	if (takes && !ftp_may_write(ftp))
		ftp_say(s, FTP_DENIED, NULL);
	else if (!ftp->expected)
		ftp_say(s, FTP_NO_DATA, NULL);
	else if (takes && (!path.len || !can_take(s, ftp, text)))
		ftp_say(s, FTP_NO_TAKE, text);
	else if (what == TRANSFER_SEND && !content_of(s, ftp, text, &scratch, &content))
		ftp_say(s, FTP_NO_SEND, text);
	else if (ftp_keep(s, &ftp->path, text)) {
		ftp->transfer = (uint8_t)what;
		if (ftp->connected)
			transfer_begin(s, ftp);
	}
	arena_done(&scratch);
}
