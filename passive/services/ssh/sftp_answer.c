/* What an SFTP server says, in the words of OpenSSH's. */
#include "passive/services/ssh/sftp_inner.h"
#include <time.h>

enum attribute { HAS_SIZE = 1, HAS_OWNER = 2, HAS_MODE = 4, HAS_TIMES = 8 };

void sftp_answer(const struct sftp_turn *t, enum sftp_type type, struct bytes after_id)
{
	uint8_t head[9];
	struct writer w = writer_of(head, sizeof head);
	write_u32(&w, (uint32_t)after_id.len + 5);
	write_u8(&w, (uint8_t)type);
	write_u32(&w, t->id);
	channel_say(t->ssh, t->channel, writer_bytes(&w));
	channel_say(t->ssh, t->channel, after_id);
}

void sftp_status(const struct sftp_turn *t, enum sftp_status status)
{
	static const char *const words[] = {"Success",     "End of file",   "No such file",    "Permission denied",
	                                    "Failure",     "Bad message",   "No connection",   "Connection lost",
	                                    "Operation unsupported"};
	uint8_t b[64];
	struct writer w = writer_of(b, sizeof b);
	write_u32(&w, status);
	write_string_text(&w, words[status]);
	write_string_text(&w, "");
	sftp_answer(t, SFTP_STATUS, writer_bytes(&w));
}

void sftp_error(const struct sftp_turn *t, int error)
{
	switch (-error) {
	case 0:
		sftp_status(t, SFTP_OK);
		return;
	case ENOENT:
	case ENOTDIR:
	case ELOOP:
		sftp_status(t, SFTP_NO_SUCH_FILE);
		return;
	case EPERM:
	case EACCES:
		sftp_status(t, SFTP_PERMISSION_DENIED);
		return;
	case ENAMETOOLONG:
	case EINVAL:
		sftp_status(t, SFTP_BAD_MESSAGE);
		return;
	}
	sftp_status(t, SFTP_FAILURE);
}

static uint32_t mode_of(const struct vfs_status *s)
{
	static const uint32_t kinds[] = {[VFS_FILE] = 0100000,
	                                 [VFS_DIRECTORY] = 0040000,
	                                 [VFS_LINK] = 0120000,
	                                 [VFS_CHARACTER] = 0020000,
	                                 [VFS_BLOCK] = 0060000};
	return kinds[s->kind] | s->mode;
}

void sftp_write_attributes(const struct sftp_turn *t, struct vfs_node n, struct writer *w)
{
	struct vfs_status s;
	session_stat(t->ssh->session, n, &s);
	write_u32(w, HAS_SIZE | HAS_OWNER | HAS_MODE | HAS_TIMES);
	write_u64(w, s.kind == VFS_DIRECTORY ? 4096 : s.size);
	write_u32(w, 0);
	write_u32(w, 0);
	write_u32(w, mode_of(&s));
	write_u32(w, s.mtime_s);
	write_u32(w, s.mtime_s);
}

/* As `ls -l` has it: the year in place of the hour when it is more than half a year ago. */
void sftp_write_long_name(const struct sftp_turn *t, struct bytes name, struct vfs_node n, uint64_t now_us, struct writer *w)
{
	static const char letters[] = "rwxrwxrwx";
	static const char kinds[] = {[VFS_FILE] = '-', [VFS_DIRECTORY] = 'd', [VFS_LINK] = 'l',
	                             [VFS_CHARACTER] = 'c', [VFS_BLOCK] = 'b'};
	struct vfs_status s;
	char mode[11] = {0}, date[16];
	session_stat(t->ssh->session, n, &s);
	mode[0] = kinds[s.kind];
	for (unsigned i = 0; i < 9; i++)
		mode[i + 1] = s.mode >> (8 - i) & 1 ? letters[i] : '-';
	time_t changed = (time_t)s.mtime_s;
	struct tm tm;
	bool old = now_us / 1000000 > s.mtime_s + 182u * 86400;
	if (!gmtime_r(&changed, &tm) || !strftime(date, sizeof date, old ? "%b %e  %Y" : "%b %e %H:%M", &tm))
		date[0] = 0;
	write_fmt(w, "%s %4u %-8s %-8s %8u %s %.*s", mode, s.kind == VFS_DIRECTORY ? 2 : 1, "root", "root",
	          s.kind == VFS_DIRECTORY ? 4096 : s.size, date, (int)name.len, (const char *)name.at);
}

void sftp_version(const struct sftp_turn *t)
{
	static const char *const extensions[][2] = {
	        {"posix-rename@openssh.com", "1"}, {"statvfs@openssh.com", "2"},
	        {"fstatvfs@openssh.com", "2"},     {"hardlink@openssh.com", "1"},
	        {"fsync@openssh.com", "1"},        {"lsetstat@openssh.com", "1"},
	        {"limits@openssh.com", "1"},       {"expand-path@openssh.com", "1"},
	        {"copy-data", "1"},                {"home-directory", "1"},
	        {"users-groups-by-id@openssh.com", "1"},
	};
	uint8_t b[512];
	struct writer w = writer_of(b, sizeof b);
	/* Those of the version that is claimed: 8.4 ended with lsetstat, 7.4 with fsync. */
	size_t n = strstr(t->ssh->software->name, "9.2")   ? 11
	           : strstr(t->ssh->software->name, "7.4") ? 5
	                                                   : 6;
	write_u32(&w, 0);
	write_u8(&w, SFTP_VERSION);
	write_u32(&w, 3);
	for (size_t i = 0; i < n; i++) {
		write_string_text(&w, extensions[i][0]);
		write_string_text(&w, extensions[i][1]);
	}
	struct writer length = writer_of(b, 4);
	write_u32(&length, (uint32_t)writer_used(&w) - 4);
	channel_say(t->ssh, t->channel, writer_bytes(&w));
}
