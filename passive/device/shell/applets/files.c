/* cp, mv, rm, mkdir, rmdir, ln, touch, chmod, chown, mknod, cat. */
#include "passive/device/shell/call.h"
#include "passive/device/shell/shell_inner.h"

#define REMOVE_DEPTH_MAX 12

static struct bytes base_name(struct bytes path)
{
	while (path.len > 1 && path.at[path.len - 1] == '/')
		path.len--;
	for (size_t i = path.len; i > 0; i--)
		if (path.at[i - 1] == '/' && i < path.len)
			return (struct bytes){path.at + i, path.len - i};
	return path;
}

static struct bytes join(struct call *c, struct bytes directory, struct bytes name)
{
	size_t room = directory.len + name.len + 1;
	uint8_t *at = arena_alloc(c->arena, room);
	if (!at)
		return (struct bytes){0};
	struct writer w = writer_of(at, room);
	write_span(&w, directory);
	if (directory.len && directory.at[directory.len - 1] != '/')
		write_u8(&w, '/');
	write_span(&w, name);
	return writer_bytes(&w);
}

static bool is_directory(struct call *c, struct bytes path)
{
	struct vfs_node n;
	struct vfs_status s;
	if (vfs_find(&c->shell->vfs, path, true, &n))
		return false;
	vfs_stat(n, &s);
	return s.kind == VFS_DIRECTORY;
}

static int cat_run(struct call *c)
{
	uint32_t set;
	struct bytes values[8], content;
	int first = call_options(c, "etvuA", &set, values), status = 0;
	if (first < 0)
		return 1;
	struct stream *in = call_stream(c, 0), *out = call_stream(c, 1);
	if ((size_t)first >= c->argc && in && in->kind == STREAM_TERMINAL &&
	    !c->shell->run->background && out &&
	    (out->kind == STREAM_TERMINAL || out->kind == STREAM_FILE)) {
		shell_wait(c->shell, WAITING_COPY,
		           out->kind == STREAM_FILE ? out->path : BYTES(""));
		return 0;
	}
	if ((size_t)first >= c->argc && call_open(c, BYTES("-"), &content) == 0)
		call_out(c, content);
	for (size_t i = (size_t)first; i < c->argc; i++) {
		int error = call_open(c, c->argv[i], &content);
		if (!error) {
			call_out(c, content);
			continue;
		}
		if (error == -EISDIR)
			call_error(c, "read error: %s", strerror(EISDIR));
		else
			call_error(c, "can't open '%.*s': %s", BYTES_FMT(c->argv[i]),
			           strerror(-error));
		status = 1;
	}
	return status;
}

/* Copies content and mode; a copy of one of the persona's programs shares its bytes. */
static int copy_file(struct call *c, struct bytes from, struct bytes to)
{
	struct vfs_node n;
	struct vfs_status s;
	struct stream in, out;
	int error = vfs_find(&c->shell->vfs, from, true, &n);
	if (error) {
		call_error(c, "can't stat '%.*s': %s", BYTES_FMT(from), strerror(-error));
		return 1;
	}
	vfs_stat(n, &s);
	if (s.kind == VFS_DIRECTORY) {
		call_error(c, "omitting directory '%.*s'", BYTES_FMT(from));
		return 1;
	}
	error = stream_open_read(c->shell, c->arena, from, &in);
	if (!error)
		error = stream_open_write(c->shell, to, false, &out);
	if (error) {
		call_error(c, "can't create '%.*s': %s", BYTES_FMT(to), strerror(-error));
		return 1;
	}
	if (out.file)
		vfs_set_mode(&c->shell->vfs, to, s.mode);
	if (!stream_write(c->shell, &out, in.text)) { /* a device's is empty */
		call_error(c, "write error: %s", strerror(ENOSPC));
		return 1;
	}
	return 0;
}

/* The last operand names a directory, or what the only source becomes. */
static int each_to(struct call *c, int first, int (*one)(struct call *, struct bytes, struct bytes))
{
	int status = 0;
	if (first < 0)
		return 1;
	if ((size_t)first + 2 > c->argc)
		return call_usage(c);
	struct bytes to = c->argv[c->argc - 1];
	bool into = is_directory(c, to);
	if (!into && (size_t)first + 2 < c->argc) {
		call_error(c, "target '%.*s' is not a directory", BYTES_FMT(to));
		return 1;
	}
	for (size_t i = (size_t)first; i + 1 < c->argc; i++)
		status |= one(c, c->argv[i], into ? join(c, to, base_name(c->argv[i])) : to);
	return status;
}

static int cp_run(struct call *c)
{
	uint32_t set;
	struct bytes values[16];
	return each_to(c, call_options(c, "pdRfiarPLHsl", &set, values), copy_file);
}

static int move_file(struct call *c, struct bytes from, struct bytes to)
{
	int error = vfs_rename(&c->shell->vfs, from, to);
	if (!error)
		return 0;
	call_error(c, "can't rename '%.*s': %s", BYTES_FMT(from), strerror(-error));
	return 1;
}

static int mv_run(struct call *c)
{
	uint32_t set;
	struct bytes values[8];
	return each_to(c, call_options(c, "fin", &set, values), move_file);
}

static int remove_tree(struct call *c, struct bytes path, bool recursive, bool force,
                       unsigned depth)
{
	struct vfs *v = &c->shell->vfs;
	struct vfs_node n;
	struct vfs_child *children;
	size_t count;
	int status = 0, error = vfs_find(v, path, false, &n);
	call_spend(c, 8);
	if (error == 0 && n.base && n.base->kind == VFS_DIRECTORY && !recursive)
		error = -EISDIR;
	if (error == 0)
		error = vfs_remove(v, path);
	if (error == -EISDIR && recursive && depth < REMOVE_DEPTH_MAX) {
		error = vfs_list(v, n, c->arena, &children, &count);
		for (size_t i = 0; !error && i < count && call_spend(c, 8); i++)
			status |= remove_tree(c, join(c, path, children[i].name), true, force,
			                      depth + 1);
		if (!error)
			error = vfs_remove_directory(v, path);
	}
	if (error == -ENOENT && force)
		return status;
	if (error == -EISDIR)
		call_error(c, "'%.*s' is a directory", BYTES_FMT(path));
	else if (error)
		call_error(c, "can't remove '%.*s': %s", BYTES_FMT(path), strerror(-error));
	return error ? 1 : status;
}

static int rm_run(struct call *c)
{
	uint32_t set;
	struct bytes values[8];
	int first = call_options(c, "fiRr", &set, values), status = 0;
	if (first < 0)
		return 1;
	if ((size_t)first >= c->argc && !(set & 1))
		return call_usage(c);
	for (size_t i = (size_t)first; i < c->argc; i++) {
		struct bytes name = base_name(c->argv[i]);
		if (bytes_equal_text(name, ".") || bytes_equal_text(name, "..")) {
			call_error(c, "can't remove '.' or '..'");
			status = 1;
		} else {
			status |= remove_tree(c, c->argv[i], set & 12, set & 1, 0);
		}
	}
	return status;
}

static int make_parents(struct call *c, struct bytes path)
{
	for (size_t i = 1; i < path.len; i++)
		if (path.at[i] == '/') {
			int error = vfs_make_directory(&c->shell->vfs, (struct bytes){path.at, i},
			                               0755);
			if (error && error != -EEXIST)
				return error;
		}
	int error = vfs_make_directory(&c->shell->vfs, path, 0755);
	return error == -EEXIST && is_directory(c, path) ? 0 : error;
}

static int mkdir_run(struct call *c)
{
	uint32_t set;
	struct bytes values[4];
	int first = call_options(c, "m:p", &set, values), status = 0;
	if (first < 0)
		return 1;
	if ((size_t)first >= c->argc)
		return call_usage(c);
	for (size_t i = (size_t)first; i < c->argc; i++) {
		int error = set & 2 ? make_parents(c, c->argv[i])
		                    : vfs_make_directory(&c->shell->vfs, c->argv[i], 0755);
		if (error)
			call_error(c, "can't create directory '%.*s': %s", BYTES_FMT(c->argv[i]),
			           strerror(-error));
		status |= error != 0;
	}
	return status;
}

/* One call for each operand; the error is "NAME: OPERAND: why". */
static int each(struct call *c, size_t first, int (*one)(struct call *, struct bytes))
{
	int status = 0;
	for (size_t i = first; i < c->argc && call_spend(c, 8); i++) {
		int error = one(c, c->argv[i]);
		if (error)
			call_error(c, "%.*s: %s", BYTES_FMT(c->argv[i]), strerror(-error));
		status |= error != 0;
	}
	return status;
}

static int rmdir_run(struct call *c)
{
	int status = 0;
	if (c->argc < 2)
		return call_usage(c);
	for (size_t i = 1; i < c->argc; i++) {
		int error = vfs_remove_directory(&c->shell->vfs, c->argv[i]);
		if (error)
			call_error(c, "'%.*s': %s", BYTES_FMT(c->argv[i]), strerror(-error));
		status |= error != 0;
	}
	return status;
}

static int link_file(struct call *c, struct bytes from, struct bytes to)
{
	int error = vfs_make_link(&c->shell->vfs, from, to);
	if (error)
		call_error(c, "%.*s: %s", BYTES_FMT(to), strerror(-error));
	return error != 0;
}

static int link_hard(struct call *c, struct bytes from, struct bytes to)
{
	struct vfs_node n;
	int error = vfs_find(&c->shell->vfs, from, true, &n);
	if (error) {
		call_error(c, "%.*s: %s", BYTES_FMT(from), strerror(-error));
		return 1;
	}
	return copy_file(c, from, to);
}

static int ln_run(struct call *c)
{
	uint32_t set;
	struct bytes values[8];
	int first = call_options(c, "sfnbTv", &set, values);
	if (first > 0 && (set & 2) && c->argc >= 2 && !is_directory(c, c->argv[c->argc - 1]))
		vfs_remove(&c->shell->vfs, c->argv[c->argc - 1]);
	return each_to(c, first, set & 1 ? link_file : link_hard);
}

static int touch_one(struct call *c, struct bytes path)
{
	return vfs_touch(&c->shell->vfs, path);
}

static int touch_run(struct call *c)
{
	uint32_t set;
	struct bytes values[8];
	int first = call_options(c, "cr:d:t:am", &set, values);
	if (first < 0)
		return 1;
	return (size_t)first >= c->argc ? call_usage(c) : each(c, (size_t)first, touch_one);
}

static bool mode_octal(struct bytes text, uint16_t *mode)
{
	unsigned v = 0;
	for (size_t i = 0; i < text.len; i++) {
		if (text.at[i] < '0' || text.at[i] > '7')
			return false;
		v = v << 3 | (unsigned)(text.at[i] - '0');
		if (v > 07777)
			return false;
	}
	*mode = (uint16_t)v;
	return text.len > 0;
}

/* u+x, go-w, a=r, +x and lists of them (POSIX.1 chmod). */
static bool mode_symbolic(struct bytes text, uint16_t *mode)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned who = 0, what = 0;
		for (; i < text.len && strchr("ugoa", text.at[i]) && text.at[i]; i++)
			who |= text.at[i] == 'u'   ? 0700
			       : text.at[i] == 'g' ? 0070
			       : text.at[i] == 'o' ? 0007
			                           : 0777;
		if (i == text.len || !strchr("+-=", text.at[i]))
			return false;
		uint8_t how = text.at[i++];
		if (!who)
			who = 0777;
		for (; i < text.len && text.at[i] != ','; i++) {
			switch (text.at[i]) {
			case 'r':
				what |= 0444;
				break;
			case 'w':
				what |= 0222;
				break;
			case 'x':
			case 'X':
				what |= 0111;
				break;
			case 's':
			case 't':
				break;
			default:
				return false;
			}
		}
		what &= who;
		if (how == '=')
			*mode = (uint16_t)((*mode & ~who) | what);
		else
			*mode = (uint16_t)(how == '+' ? *mode | what : *mode & ~what);
	}
	return text.len > 0;
}

static int chmod_one(struct call *c, struct bytes path)
{
	struct vfs_node n;
	struct vfs_status s;
	int error = vfs_find(&c->shell->vfs, path, true, &n);
	if (error)
		return error;
	vfs_stat(n, &s);
	uint16_t mode = s.mode;
	size_t at = 1;
	while (at + 1 < c->argc && bytes_equal_text(c->argv[at], "-R"))
		at++;
	if (!mode_octal(c->argv[at], &mode))
		mode_symbolic(c->argv[at], &mode);
	return vfs_set_mode(&c->shell->vfs, path, mode);
}

static int chmod_run(struct call *c)
{
	size_t at = 1;
	uint16_t mode = 0;
	while (at < c->argc && bytes_equal_text(c->argv[at], "-R"))
		at++;
	if (at + 2 > c->argc)
		return call_usage(c);
	if (!mode_octal(c->argv[at], &mode) && !mode_symbolic(c->argv[at], &mode)) {
		call_error(c, "invalid mode '%.*s'", BYTES_FMT(c->argv[at]));
		return 1;
	}
	return each(c, at + 1, chmod_one);
}

static int exists_one(struct call *c, struct bytes path)
{
	struct vfs_node n;
	return vfs_find(&c->shell->vfs, path, true, &n);
}

static int chown_run(struct call *c)
{
	uint32_t set;
	struct bytes values[8];
	int first = call_options(c, "Rhcfv", &set, values);
	if (first < 0)
		return 1;
	return (size_t)first + 2 > c->argc ? call_usage(c) : each(c, (size_t)first + 1, exists_one);
}

static int mknod_run(struct call *c)
{
	int64_t major = 0, minor = 0;
	struct bytes kind = call_operand(c, 2);
	bool node =
	        c->argc == 5 && call_number(c->argv[3], &major) && call_number(c->argv[4], &minor);
	if (kind.len != 1 || !strchr("bcup", kind.at[0]) || (!node && kind.at[0] != 'p'))
		return call_usage(c);
	int error = vfs_make_device(&c->shell->vfs, c->argv[1],
	                            kind.at[0] == 'b' ? VFS_BLOCK : VFS_CHARACTER, 0644,
	                            (uint16_t)((major & 255) << 8 | (minor & 255)));
	if (error)
		call_error(c, "%.*s: %s", BYTES_FMT(c->argv[1]), strerror(-error));
	return error != 0;
}

static const struct applet applet_cat = {"cat", "/bin", "[FILE]...", cat_run};
APPLET(applet_cat);
static const struct applet applet_cp = {
        "cp", "/bin", "[OPTIONS] SOURCE... DEST\n\nCopy SOURCE(s) to DEST", cp_run};
APPLET(applet_cp);
static const struct applet applet_mv = {
        "mv", "/bin", "[-fin] SOURCE DEST\nor: mv [-fin] SOURCE... DIRECTORY", mv_run};
APPLET(applet_mv);
static const struct applet applet_rm = {"rm", "/bin", "[-irf] FILE...\n\nRemove (unlink) FILEs",
                                        rm_run};
APPLET(applet_rm);
static const struct applet applet_mkdir = {"mkdir", "/bin",
                                           "[OPTIONS] DIRECTORY...\n\nCreate DIRECTORY", mkdir_run};
APPLET(applet_mkdir);
static const struct applet applet_rmdir = {
        "rmdir", "/bin", "[OPTIONS] DIRECTORY...\n\nRemove DIRECTORY if it is empty", rmdir_run};
APPLET(applet_rmdir);
static const struct applet applet_ln = {"ln", "/bin", "[OPTIONS] TARGET... LINK|DIR", ln_run};
APPLET(applet_ln);
static const struct applet applet_touch = {"touch", "/bin", "[-c] FILE [FILE]...", touch_run};
APPLET(applet_touch);
static const struct applet applet_chmod = {"chmod", "/bin", "[-R] MODE[,MODE]... FILE...",
                                           chmod_run};
APPLET(applet_chmod);
static const struct applet applet_chown = {"chown", "/bin", "[-R] OWNER[<.|:>[GROUP]] FILE...",
                                           chown_run};
APPLET(applet_chown);
static const struct applet applet_mknod = {"mknod", "/bin", "[-m MODE] NAME TYPE MAJOR MINOR",
                                           mknod_run};
APPLET(applet_mknod);
static const struct applet applet_more = {"more", "/bin", "[FILE]...", cat_run};
APPLET(applet_more);
