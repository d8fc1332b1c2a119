/* ls, df, mount, umount, which, find, readlink, basename, dirname: looking at files. */
#include "passive/device/shell/shell_inner.h"
#include <time.h>

#define FIND_DEPTH_MAX 12
#define LS_WIDTH 80

enum ls_option {
	LS_LONG = 1,
	LS_ALL = 2,
	LS_ALMOST = 4,
	LS_ONE = 8,
	LS_SELF = 16,
	LS_RECURSE = 32,
	LS_HUMAN = 64,
	LS_CLASSIFY = 128
};

static uint8_t kind_letter(enum vfs_kind k)
{
	static const char letters[] = "-dlcb";
	return (uint8_t)letters[k];
}

static void mode_text(const struct vfs_status *s, char out[11])
{
	static const char bits[] = "rwxrwxrwx";
	out[0] = (char)kind_letter(s->kind);
	for (int i = 0; i < 9; i++)
		out[1 + i] = s->mode & 0400 >> i ? bits[i] : '-';
	if (s->mode & 01000)
		out[9] = s->mode & 1 ? 't' : 'T';
	out[10] = 0;
}

static void date_text(struct call *c, uint32_t when_s, char out[16])
{
	time_t when = when_s;
	struct tm tm;
	uint64_t now_s = call_time_us(c) / 1000000;
	bool recent = now_s < (uint64_t)when_s + 180u * 86400u;
	if (!gmtime_r(&when, &tm) || !strftime(out, 16, recent ? "%b %e %H:%M" : "%b %e  %Y", &tm))
		out[0] = 0;
}

static void ls_one_long(struct call *c, struct bytes name, struct vfs_node n, uint32_t set)
{
	struct vfs_status s;
	char mode[11], date[16];
	vfs_stat(n, &s);
	mode_text(&s, mode);
	date_text(c, s.mtime_s, date);
	call_say(c, "%s %4u root     root     ", mode, s.kind == VFS_DIRECTORY ? 2 : 1);
	if (s.kind == VFS_CHARACTER || s.kind == VFS_BLOCK)
		call_say(c, "%4u, %3u ", s.device >> 8, s.device & 255);
	else if (set & LS_HUMAN && s.size >= 1024)
		call_say(c, "%8.1fk ", s.size / 1024.0);
	else
		call_say(c, "%9u ", s.size);
	call_say(c, "%s %.*s", date, BYTES_FMT(name));
	struct bytes target;
	if (s.kind == VFS_LINK && vfs_content(n, c->arena, &target) == 0)
		call_say(c, " -> %.*s", BYTES_FMT(target));
	call_out(c, BYTES("\n"));
}

/* In columns on a terminal, one a line into a pipe, as BusyBox does by isatty(). */
static void ls_names(struct call *c, const struct vfs_child *list, size_t count, bool columns)
{
	size_t widest = 0;
	for (size_t i = 0; i < count; i++)
		if (list[i].name.len > widest)
			widest = list[i].name.len;
	size_t per_line = columns ? LS_WIDTH / (widest + 2) : 1;
	if (per_line == 0)
		per_line = 1;
	size_t rows = (count + per_line - 1) / per_line;
	for (size_t row = 0; row < rows && call_spend(c, 4); row++) {
		for (size_t i = row; i < count; i += rows) {
			bool last = i + rows >= count;
			call_say(c, "%-*.*s", last ? 0 : (int)widest + 2, BYTES_FMT(list[i].name));
		}
		call_out(c, BYTES("\n"));
	}
}

static void ls_directory(struct call *c, struct vfs_node n, uint32_t set)
{
	struct vfs_child *all;
	size_t count, kept = 0;
	if (vfs_list(&c->shell->vfs, n, c->arena, &all, &count))
		return;
	struct stream *out = call_stream(c, 1);
	struct vfs_child *list = arena_alloc(c->arena, (count + 2) * sizeof *list);
	if (!list)
		return;
	if (set & LS_ALL) {
		list[kept++] = (struct vfs_child){BYTES("."), n};
		list[kept++] = (struct vfs_child){BYTES(".."), n};
	}
	for (size_t i = 0; i < count; i++)
		if ((set & (LS_ALL | LS_ALMOST)) || all[i].name.at[0] != '.')
			list[kept++] = all[i];
	if (set & LS_LONG)
		call_say(c, "total %zu\n", kept * 4);
	if (!(set & LS_LONG)) {
		ls_names(c, list, kept, out && out->kind == STREAM_TERMINAL && !(set & LS_ONE));
		return;
	}
	for (size_t i = 0; i < kept && call_spend(c, 16); i++)
		ls_one_long(c, list[i].name, list[i].node, set);
}

static int ls_run(struct call *c)
{
	static const char letters[] = "laA1dRhFtrSsicnpkLHxXeCuvw:T:g";
	uint32_t set;
	struct bytes values[32];
	int first = call_options(c, letters, &set, values), status = 0;
	if (first < 0)
		return 1;
	struct bytes here = BYTES(".");
	size_t n = c->argc - (size_t)first;
	const struct bytes *paths = n ? c->argv + first : &here;
	n = n ? n : 1;
	for (size_t i = 0; i < n && call_spend(c, 16); i++) {
		struct vfs_node node;
		struct vfs_status s;
		bool follow =
		        !(set & LS_LONG) || (paths[i].len && paths[i].at[paths[i].len - 1] == '/');
		int error = vfs_find(&c->shell->vfs, paths[i], follow, &node);
		if (error) {
			call_error(c, "%.*s: %s", BYTES_FMT(paths[i]), strerror(-error));
			status = 1;
			continue;
		}
		vfs_stat(node, &s);
		if (s.kind == VFS_DIRECTORY && !(set & LS_SELF)) {
			if (n > 1)
				call_say(c, "%s%.*s:\n", i ? "\n" : "", BYTES_FMT(paths[i]));
			ls_directory(c, node, set);
		} else if (set & LS_LONG) {
			ls_one_long(c, paths[i], node, set);
		} else {
			call_say(c, "%.*s\n", BYTES_FMT(paths[i]));
		}
	}
	return status;
}

static int df_run(struct call *c)
{
	const struct persona *p = c->shell->persona;
	bool human = bytes_equal_text(call_operand(c, 1), "-h");
	call_say(c, "Filesystem           %s Used Available Use%% Mounted on\n",
	         human ? "     Size     " : "1K-blocks     ");
	for (size_t i = 0; i < p->mount_count; i++) {
		const struct persona_mount *m = &p->mounts[i];
		if (m->size_kb == 0)
			continue;
		uint32_t left = m->size_kb - m->used_kb;
		if (human)
			call_say(c, "%-20s %8.1fM %8.1fM %8.1fM %3u%% %s\n", m->device,
			         m->size_kb / 1024.0, m->used_kb / 1024.0, left / 1024.0,
			         (unsigned)((uint64_t)m->used_kb * 100 / m->size_kb), m->path);
		else
			call_say(c, "%-20s %9u %9u %9u %3u%% %s\n", m->device, m->size_kb,
			         m->used_kb, left,
			         (unsigned)((uint64_t)m->used_kb * 100 / m->size_kb), m->path);
	}
	return 0;
}

static int mount_run(struct call *c)
{
	const struct persona *p = c->shell->persona;
	for (size_t i = 0; c->argc == 1 && i < p->mount_count; i++)
		call_say(c, "%s on %s type %s (%s)\n", p->mounts[i].device, p->mounts[i].path,
		         p->mounts[i].type, p->mounts[i].options);
	return 0;
}

static int umount_run(struct call *c)
{
	if (c->argc < 2)
		return call_usage(c);
	call_error(c, "can't umount %.*s: Device or resource busy",
	           BYTES_FMT(c->argv[c->argc - 1]));
	return 1;
}

static int which_run(struct call *c)
{
	char room[VFS_PATH_MAX];
	int status = 0;
	if (c->argc < 2)
		return call_usage(c);
	for (size_t i = 1; i < c->argc; i++) {
		struct bytes path;
		if (program_find(c->shell, c->argv[i], room, &path))
			call_say(c, "%.*s\n", BYTES_FMT(path));
		else
			status = 1;
	}
	return status;
}

struct finding {
	struct call *call;
	struct bytes name;
	uint8_t kind;
	uint8_t path[VFS_PATH_MAX];
};

static void find_below(struct finding *f, struct vfs_node n, size_t len, unsigned depth)
{
	struct call *c = f->call;
	struct vfs_status s;
	struct vfs_child *list;
	size_t count;
	struct bytes path = {f->path, len}, last = path;
	for (size_t i = len; i > 0; i--)
		if (f->path[i - 1] == '/' && i < len) {
			last = (struct bytes){f->path + i, len - i};
			break;
		}
	vfs_stat(n, &s);
	bool kind = !f->kind || f->kind == kind_letter(s.kind) ||
	            (f->kind == 'f' && s.kind == VFS_FILE);
	if (kind && (!f->name.at || pattern_matches(c->shell, f->name, last)))
		call_say(c, "%.*s\n", BYTES_FMT(path));
	if (s.kind != VFS_DIRECTORY || depth == FIND_DEPTH_MAX || !call_spend(c, 16) ||
	    vfs_list(&c->shell->vfs, n, c->arena, &list, &count))
		return;
	for (size_t i = 0; i < count && call_spend(c, 4); i++) {
		size_t slash = f->path[len - 1] != '/', next = len + slash + list[i].name.len;
		if (next >= sizeof f->path)
			continue;
		if (slash)
			f->path[len] = '/';
		memcpy(f->path + len + slash, list[i].name.at, list[i].name.len);
		find_below(f, list[i].node, next, depth + 1);
	}
}

static int find_run(struct call *c)
{
	struct finding f = {.call = c};
	struct bytes root = BYTES(".");
	struct vfs_node n;
	for (size_t i = 1; i < c->argc; i++) {
		if (c->argv[i].len && c->argv[i].at[0] != '-' && i == 1)
			root = c->argv[i];
		else if (bytes_equal_text(c->argv[i], "-name") && i + 1 < c->argc)
			f.name = c->argv[++i];
		else if (bytes_equal_text(c->argv[i], "-type") && i + 1 < c->argc &&
		         c->argv[i + 1].len)
			f.kind = c->argv[++i].at[0];
	}
	int error = root.len && root.len < VFS_PATH_MAX ? vfs_find(&c->shell->vfs, root, false, &n)
	                                                : -ENOENT;
	if (error) {
		call_error(c, "%.*s: %s", BYTES_FMT(root), strerror(-error));
		return 1;
	}
	memcpy(f.path, root.at, root.len);
	find_below(&f, n, root.len, 0);
	return 0;
}

static int readlink_run(struct call *c)
{
	struct vfs_node n;
	struct vfs_status s;
	struct bytes target, path = call_operand(c, c->argc - 1);
	if (c->argc < 2)
		return call_usage(c);
	if (vfs_find(&c->shell->vfs, path, false, &n))
		return 1;
	vfs_stat(n, &s);
	if (s.kind != VFS_LINK || vfs_content(n, c->arena, &target))
		return 1;
	call_say(c, "%.*s\n", BYTES_FMT(target));
	return 0;
}

static struct bytes last_part(struct bytes path, struct bytes *before)
{
	while (path.len > 1 && path.at[path.len - 1] == '/')
		path.len--;
	size_t i = path.len;
	while (i > 0 && path.at[i - 1] != '/')
		i--;
	*before = (struct bytes){path.at, i > 1 ? i - 1 : i};
	return i == path.len ? path : (struct bytes){path.at + i, path.len - i};
}

static int basename_run(struct call *c)
{
	struct bytes before;
	if (c->argc < 2)
		return call_usage(c);
	struct bytes last = last_part(c->argv[1], &before), suffix = call_operand(c, 2);
	if (suffix.len && suffix.len < last.len &&
	    !memcmp(last.at + last.len - suffix.len, suffix.at, suffix.len))
		last.len -= suffix.len;
	call_say(c, "%.*s\n", BYTES_FMT(last));
	return 0;
}

static int dirname_run(struct call *c)
{
	struct bytes before;
	if (c->argc < 2)
		return call_usage(c);
	last_part(c->argv[1], &before);
	call_say(c, "%.*s\n", before.len ? (int)before.len : 1,
	         before.len ? (const char *)before.at : ".");
	return 0;
}

static const struct applet applet_ls = {"ls", "/bin", "[-1AacCdeFilnpLRrSsTtuvwxXhk] [FILE]...",
                                        ls_run};
APPLET(applet_ls);
static const struct applet applet_df = {"df", "/bin", "[-Pkmhai] [-B SIZE] [FILESYSTEM]...",
                                        df_run};
APPLET(applet_df);
static const struct applet applet_mount = {"mount", "/bin", NULL, mount_run};
APPLET(applet_mount);
static const struct applet applet_umount = {"umount", "/bin", "[OPTIONS] FILESYSTEM|DIRECTORY",
                                            umount_run};
APPLET(applet_umount);
static const struct applet applet_which = {"which", "/usr/bin", "[COMMAND]...", which_run};
APPLET(applet_which);
static const struct applet applet_find = {"find", "/usr/bin", "[PATH]... [OPTIONS] [ACTIONS]",
                                          find_run};
APPLET(applet_find);
static const struct applet applet_readlink = {"readlink", "/usr/bin", "[-fnv] FILE", readlink_run};
APPLET(applet_readlink);
static const struct applet applet_basename = {"basename", "/usr/bin", "FILE [SUFFIX]",
                                              basename_run};
APPLET(applet_basename);
static const struct applet applet_dirname = {"dirname", "/usr/bin", "FILENAME", dirname_run};
APPLET(applet_dirname);
