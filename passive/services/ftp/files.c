/* The device's tree as an FTP client sees it: below its root, in lists as ls -l prints them. */
#include "passive/services/ftp/ftp.h"
#include <time.h>

#define RECENT_S (180u * 86400u)
#define OWNER 1000 /* of whatever a guest may write */

bool ftp_find(struct session *s, const struct ftp *ftp, struct bytes path, struct ftp_files *out)
{
	char room[VFS_PATH_MAX];
	if (path.len >= VFS_PATH_MAX || !session_files(s, &out->files, &out->persona))
		return false;
	out->files.cwd = ftp->cwd;
	struct bytes shown = vfs_absolute(&out->files, path, room);
	out->files.cwd = NULL;
	struct writer w = writer_of(out->shown, sizeof out->shown - 1);
	write_span(&w, shown);
	*w.at = '\0';
	bool all = !ftp->root[0] || !strcmp(ftp->root, "/");
	snprintf(out->path, sizeof out->path, "%s%s", all ? "" : ftp->root, out->shown);
	return !w.bad && strlen(out->path) < VFS_PATH_MAX;
}

static void list_line(struct session *s, const struct vfs_child *child, uint32_t now_s, struct writer *w)
{
	static const char letters[] = "-dlcb", bits[] = "rwxrwxrwx";
	struct vfs_status status;
	char mode[11], date[16] = "";
	struct tm tm;
	session_stat(s, child->node, &status);
	mode[0] = letters[status.kind];
	for (int i = 0; i < 9; i++)
		mode[1 + i] = status.mode & 0400 >> i ? bits[i] : '-';
	if (status.mode & 01000)
		mode[9] = 't';
	mode[10] = '\0';
	time_t when = status.mtime_s;
	bool recent = now_s < (uint64_t)status.mtime_s + RECENT_S;
	if (gmtime_r(&when, &tm))
		strftime(date, sizeof date, recent ? "%b %d %H:%M" : "%b %d  %Y", &tm);
	unsigned links = status.kind == VFS_DIRECTORY ? 2 : 1;
	unsigned long size = status.kind == VFS_DIRECTORY ? 4096 : status.size;
	if (ftp_dialect_of(s)->numbers)
		write_fmt(w, "%s %4u %-8u %-8u %8lu %s ", mode, links, child->node.base ? 0 : OWNER,
			  child->node.base ? 0 : OWNER, size, date);
	else
		write_fmt(w, "%s %4u root     root     %8lu %s ", mode, links, size, date);
	write_span(w, child->name);
	struct bytes target;
	if (status.kind == VFS_LINK && vfs_content(child->node, session_arena(s), &target) == 0) {
		write_text(w, " -> ");
		write_span(w, target);
	}
	write_text(w, "\r\n");
}

static void list_one(struct session *s, const struct vfs_child *child, const char *before, bool names, uint32_t now_s,
		     struct buffer *out)
{
	char line[2 * VFS_PATH_MAX + 128];
	struct writer w = writer_of(line, sizeof line);
	if (names) {
		write_text(&w, before);
		write_span(&w, child->name);
		write_text(&w, "\r\n");
	} else {
		list_line(s, child, now_s, &w);
	}
	if (!w.bad)
		buffer_append(out, line, writer_used(&w));
}

void ftp_list(struct session *s, const struct ftp *ftp, struct bytes path, bool names, bool all, struct buffer *out)
{
	struct ftp_files f;
	struct vfs_node n;
	struct vfs_status status;
	struct arena scratch = ARENA(1u << 20);
	struct vfs_child *list = NULL;
	size_t count = 0;
	char before[VFS_PATH_MAX + 2] = "";
	uint32_t now_s = (uint32_t)(session_time_us(s) / 1000000);
	if (!ftp_find(s, ftp, path, &f) || vfs_find(&f.files, bytes_of_text(f.path), true, &n))
		return;
	vfs_stat(n, &status);
	if (status.kind != VFS_DIRECTORY) {
		list_one(s, &(struct vfs_child){path, n}, "", names, now_s, out);
		return;
	}
	if (path.len)
		snprintf(before, sizeof before, "%.*s/", (int)path.len, (const char *)path.at);
	if (all && !names) {
		list_one(s, &(struct vfs_child){BYTES("."), n}, "", false, now_s, out);
		list_one(s, &(struct vfs_child){BYTES(".."), n}, "", false, now_s, out);
	}
	if (vfs_list(&f.files, n, &scratch, &list, &count) == 0)
		for (size_t i = 0; i < count; i++)
			if (all || list[i].name.at[0] != '.')
				list_one(s, &list[i], before, names, now_s, out);
	arena_done(&scratch);
}

char *ftp_keep(struct session *s, char **at, const char *text)
{
	if (!*at)
		*at = arena_alloc(session_arena(s), VFS_PATH_MAX);
	if (*at)
		snprintf(*at, VFS_PATH_MAX, "%s", text);
	return *at;
}

bool ftp_is_directory(struct session *s, const struct ftp *ftp, const char *path, struct ftp_files *f)
{
	struct vfs_node n;
	struct vfs_status status;
	if (!ftp_find(s, ftp, bytes_of_text(path), f) || vfs_find(&f->files, bytes_of_text(f->path), true, &n))
		return false;
	vfs_stat(n, &status);
	return status.kind == VFS_DIRECTORY;
}

const char *ftp_word(struct bytes b, char *room, size_t size)
{
	snprintf(room, size, "%.*s", (int)(b.len < size ? b.len : size - 1), (const char *)b.at);
	return room;
}
