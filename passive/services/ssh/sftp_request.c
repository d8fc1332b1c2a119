/* Requests of SFTP version 3, each answered once. */
#include "passive/services/ssh/sftp_inner.h"

#define FLAG_WRITE 2
#define FLAG_CREATE 8
#define FLAG_TRUNCATE 16
#define FLAG_EXCLUSIVE 32
#define HAS_MODE 4
#define NAMES_AT_ONCE 100
#define UMASK 022
#define DOTS 2 /* "." and ".." come before the rest */

static struct sftp_handle *handle_free(const struct sftp_turn *t, uint32_t *number)
{
	for (*number = 0; *number < SFTP_HANDLES_MAX; ++*number)
		if (t->sftp->handles[*number].kind == SFTP_FREE)
			return &t->sftp->handles[*number];
	return NULL;
}

static struct sftp_handle *handle_of(const struct sftp_turn *t, struct reader *r)
{
	struct bytes name = read_string(r);
	struct reader n = reader_of_bytes(name);
	uint32_t number = read_u32(&n);
	if (name.len != 4 || number >= SFTP_HANDLES_MAX || t->sftp->handles[number].kind == SFTP_FREE)
		return NULL;
	return &t->sftp->handles[number];
}

static void answer_handle(const struct sftp_turn *t, uint32_t number)
{
	uint8_t b[8];
	struct writer w = writer_of(b, sizeof b);
	write_u32(&w, 4);
	write_u32(&w, number);
	sftp_answer(t, SFTP_HANDLE, writer_bytes(&w));
}

static uint16_t read_mode(struct reader *r, uint16_t otherwise)
{
	uint32_t flags = read_u32(r);
	if (flags & 1)
		read_u64(r);
	if (flags & 2)
		read_u64(r);
	return flags & HAS_MODE ? (uint16_t)(read_u32(r) & 07777) : otherwise;
}

static int open_to_read(const struct sftp_turn *t, struct sftp_handle *f, struct bytes path)
{
	struct vfs_node n;
	struct vfs_status status;
	int error = vfs_find(t->files, path, true, &n);
	if (error)
		return error;
	vfs_stat(n, &status);
	f->content = (struct bytes){0};
	if (status.kind == VFS_FILE)
		error = session_content(t->ssh->session, n, session_arena(t->ssh->session), &f->content);
	f->kind = SFTP_READS;
	return error < 0 ? error : 0;
}

static void take_open(const struct sftp_turn *t, struct reader *r)
{
	uint32_t number;
	struct bytes path = read_string(r);
	uint32_t flags = read_u32(r);
	uint16_t mode = read_mode(r, 0644) & ~UMASK;
	struct sftp_handle *f = handle_free(t, &number);
	if (!reader_ok(r) || !f || !bytes_copy_text(path, f->path, sizeof f->path)) {
		sftp_status(t, f ? SFTP_BAD_MESSAGE : SFTP_FAILURE);
		return;
	}
	int error;
	if (flags & FLAG_WRITE) {
		unsigned how = (flags & FLAG_TRUNCATE ? VFS_TRUNCATE : 0) | (flags & FLAG_EXCLUSIVE ? VFS_EXCLUSIVE : 0) |
		               (flags & FLAG_CREATE ? 0 : VFS_EXISTING);
		error = upload_begin(t->ssh, &f->upload, path, how, mode);
		if (!error)
			f->kind = SFTP_WRITES;
	} else {
		error = open_to_read(t, f, path);
	}
	if (error)
		sftp_error(t, error);
	else
		answer_handle(t, number);
}

static void take_opendir(const struct sftp_turn *t, struct reader *r)
{
	uint32_t number;
	struct bytes path = read_string(r);
	struct sftp_handle *f = handle_free(t, &number);
	struct vfs_node n;
	if (!f || !bytes_copy_text(path, f->path, sizeof f->path)) {
		sftp_status(t, SFTP_FAILURE);
		return;
	}
	int error = vfs_find(t->files, path, true, &n);
	if (!error)
		error = vfs_list(t->files, n, session_arena(t->ssh->session), &f->list, &f->count);
	if (error) {
		sftp_error(t, error);
		return;
	}
	f->kind = SFTP_LISTS;
	f->at = 0;
	answer_handle(t, number);
}

static void write_name(const struct sftp_turn *t, struct bytes name, struct vfs_node n, struct writer *w)
{
	char line[VFS_NAME_MAX + 128];
	struct writer l = writer_of(line, sizeof line);
	sftp_write_long_name(t, name, n, session_time_us(t->ssh->session), &l);
	write_string(w, name);
	write_string(w, writer_bytes(&l));
	sftp_write_attributes(t, n, w);
}

/* Entry `at` of a directory; files that have gone since are passed over. */
static bool entry_at(const struct sftp_turn *t, const struct sftp_handle *f, size_t at, struct bytes *name,
                     struct vfs_node *n)
{
	char path[2 * VFS_PATH_MAX];
	*name = at == 0 ? BYTES(".") : at == 1 ? BYTES("..") : f->list[at - DOTS].name;
	int len = snprintf(path, sizeof path, "%s/%.*s", f->path, (int)name->len, (const char *)name->at);
	return vfs_find(t->files, (struct bytes){(uint8_t *)path, (size_t)len}, false, n) == 0;
}

static void take_readdir(const struct sftp_turn *t, struct reader *r)
{
	uint8_t b[SFTP_READ_MAX];
	struct writer w = writer_of(b, sizeof b);
	struct sftp_handle *f = handle_of(t, r);
	uint32_t count = 0;
	if (!f || f->kind != SFTP_LISTS) {
		sftp_status(t, SFTP_FAILURE);
		return;
	}
	write_u32(&w, 0);
	while (f->at < f->count + DOTS && count < NAMES_AT_ONCE && writer_left(&w) > 3 * VFS_NAME_MAX + 256) {
		struct bytes name;
		struct vfs_node n;
		if (entry_at(t, f, f->at++, &name, &n)) {
			write_name(t, name, n, &w);
			count++;
		}
	}
	if (count == 0) {
		sftp_status(t, SFTP_EOF);
		return;
	}
	struct writer head = writer_of(b, 4);
	write_u32(&head, count);
	sftp_answer(t, SFTP_NAME, writer_bytes(&w));
}

static void take_read(const struct sftp_turn *t, struct reader *r)
{
	uint8_t b[SFTP_READ_MAX + 4];
	struct writer w = writer_of(b, sizeof b);
	struct sftp_handle *f = handle_of(t, r);
	uint64_t offset = read_u64(r);
	uint32_t n = read_u32(r);
	if (!f || f->kind != SFTP_READS || !reader_ok(r)) {
		sftp_status(t, SFTP_FAILURE);
		return;
	}
	if (offset >= f->content.len) {
		sftp_status(t, SFTP_EOF);
		return;
	}
	size_t left = f->content.len - (size_t)offset;
	if (n > left)
		n = (uint32_t)left;
	if (n > SFTP_READ_MAX)
		n = SFTP_READ_MAX;
	write_string(&w, (struct bytes){f->content.at + offset, n});
	sftp_answer(t, SFTP_DATA, writer_bytes(&w));
}

static void take_write(const struct sftp_turn *t, struct reader *r)
{
	struct sftp_handle *f = handle_of(t, r);
	uint64_t offset = read_u64(r);
	struct bytes b = read_string(r);
	if (!f || f->kind != SFTP_WRITES || !reader_ok(r) || offset > UINT32_MAX) {
		sftp_status(t, SFTP_FAILURE);
		return;
	}
	upload_write(t->ssh, &f->upload, offset, b);
	sftp_status(t, SFTP_OK);
}

static void take_close(const struct sftp_turn *t, struct reader *r)
{
	struct sftp_handle *f = handle_of(t, r);
	if (!f) {
		sftp_status(t, SFTP_FAILURE);
		return;
	}
	if (f->kind == SFTP_WRITES)
		upload_end(t->ssh, &f->upload, "sftp");
	f->kind = SFTP_FREE;
	sftp_status(t, SFTP_OK);
}

static void answer_attributes(const struct sftp_turn *t, struct vfs_node n)
{
	uint8_t b[64];
	struct writer w = writer_of(b, sizeof b);
	sftp_write_attributes(t, n, &w);
	sftp_answer(t, SFTP_ATTRS, writer_bytes(&w));
}

static void take_stat(const struct sftp_turn *t, struct bytes path, bool follow)
{
	struct vfs_node n;
	int error = vfs_find(t->files, path, follow, &n);
	if (error)
		sftp_error(t, error);
	else
		answer_attributes(t, n);
}

/* What is still being written has the size that it has by now. */
static void take_fstat(const struct sftp_turn *t, struct reader *r)
{
	uint8_t b[64];
	struct writer w = writer_of(b, sizeof b);
	struct sftp_handle *f = handle_of(t, r);
	struct vfs_node n;
	if (!f || vfs_find(t->files, bytes_of_text(f->path), true, &n)) {
		sftp_status(t, SFTP_FAILURE);
		return;
	}
	sftp_write_attributes(t, n, &w);
	if (f->kind == SFTP_WRITES) {
		struct writer size = writer_of(b + 4, 8);
		write_u64(&size, f->upload.size);
	}
	sftp_answer(t, SFTP_ATTRS, writer_bytes(&w));
}

static void answer_name(const struct sftp_turn *t, struct bytes name)
{
	uint8_t b[2 * VFS_PATH_MAX + 64];
	struct writer w = writer_of(b, sizeof b);
	write_u32(&w, 1);
	write_string(&w, name);
	write_string(&w, name);
	write_u32(&w, 0);
	sftp_answer(t, SFTP_NAME, writer_bytes(&w));
}

static void take_realpath(const struct sftp_turn *t, struct bytes path)
{
	char room[VFS_PATH_MAX];
	struct bytes full = vfs_absolute(t->files, path.len ? path : BYTES("."), room);
	if (full.len)
		answer_name(t, full);
	else
		sftp_status(t, SFTP_NO_SUCH_FILE);
}

static void take_readlink(const struct sftp_turn *t, struct bytes path)
{
	struct vfs_node n;
	struct vfs_status status;
	struct bytes target = {0};
	int error = vfs_find(t->files, path, false, &n);
	if (!error)
		vfs_stat(n, &status);
	if (!error && status.kind != VFS_LINK)
		error = -EINVAL;
	if (!error)
		error = vfs_content(n, session_arena(t->ssh->session), &target);
	if (error < 0)
		sftp_error(t, error);
	else
		answer_name(t, target.len < VFS_PATH_MAX ? target : (struct bytes){target.at, VFS_PATH_MAX});
}

static int set_mode(const struct sftp_turn *t, struct bytes path, struct reader *r)
{
	uint16_t none = 0xffff, mode = read_mode(r, none);
	struct vfs_node n;
	return mode == none ? vfs_find(t->files, path, true, &n) : vfs_set_mode(t->files, path, mode);
}

/* A new name that is there already is refused, unless by posix-rename. */
static int rename_to(const struct sftp_turn *t, struct bytes from, struct bytes to, bool over)
{
	struct vfs_node n;
	if (!over && vfs_find(t->files, to, false, &n) == 0)
		return -EEXIST;
	return vfs_rename(t->files, from, to);
}

/* Names for the owners that we show: all is root's. */
static void write_names(struct bytes ids, struct writer *w)
{
	struct reader r = reader_of_bytes(ids);
	uint8_t b[512];
	struct writer names = writer_of(b, sizeof b);
	while (reader_left(&r) >= 4 && writer_left(&names) >= 8)
		write_string_text(&names, read_u32(&r) == 0 ? "root" : "");
	write_string(w, writer_bytes(&names));
}

/* A file system of the size that such a device has; only how full it is differs. */
static void answer_space(const struct sftp_turn *t)
{
	uint8_t b[96];
	struct writer w = writer_of(b, sizeof b);
	uint64_t blocks = 4096, left = 900 + session_device_seed(t->ssh->session) % 800;
	const uint64_t values[] = {4096, 4096, blocks, left, left, 2048, 1500, 1500, 0x801, 0, 255};
	for (size_t i = 0; i < sizeof values / sizeof *values; i++)
		write_u64(&w, values[i]);
	sftp_answer(t, SFTP_EXTENDED_REPLY, writer_bytes(&w));
}

static void take_extended(const struct sftp_turn *t, struct reader *r)
{
	uint8_t b[1100];
	struct writer w = writer_of(b, sizeof b);
	struct bytes name = read_string(r);
	if (bytes_equal_text(name, "posix-rename@openssh.com")) {
		struct bytes from = read_string(r);
		sftp_error(t, rename_to(t, from, read_string(r), true));
	} else if (bytes_equal_text(name, "fsync@openssh.com")) {
		sftp_status(t, SFTP_OK);
	} else if (bytes_equal_text(name, "expand-path@openssh.com")) {
		take_realpath(t, read_string(r));
	} else if (bytes_equal_text(name, "home-directory")) {
		take_realpath(t, BYTES("."));
	} else if (bytes_equal_text(name, "limits@openssh.com")) {
		write_u64(&w, SFTP_MESSAGE_MAX);
		write_u64(&w, SFTP_MESSAGE_MAX - 1024);
		write_u64(&w, SFTP_MESSAGE_MAX - 1024);
		write_u64(&w, 1019); /* its file limit of 1024, less what is open */
		sftp_answer(t, SFTP_EXTENDED_REPLY, writer_bytes(&w));
	} else if (bytes_equal_text(name, "users-groups-by-id@openssh.com")) {
		struct bytes users = read_string(r);
		write_names(users, &w);
		write_names(read_string(r), &w);
		sftp_answer(t, SFTP_EXTENDED_REPLY, writer_bytes(&w));
	} else if (bytes_equal_text(name, "statvfs@openssh.com") || bytes_equal_text(name, "fstatvfs@openssh.com")) {
		answer_space(t);
	} else {
		sftp_status(t, SFTP_UNSUPPORTED);
	}
}

static void take_path(const struct sftp_turn *t, enum sftp_type type, struct reader *r)
{
	struct bytes path = read_string(r), to;
	if (!reader_ok(r)) {
		sftp_status(t, SFTP_BAD_MESSAGE);
		return;
	}
	switch (type) {
	case SFTP_STAT:
	case SFTP_LSTAT:
		take_stat(t, path, type == SFTP_STAT);
		return;
	case SFTP_SETSTAT:
		sftp_error(t, set_mode(t, path, r));
		return;
	case SFTP_REMOVE:
		sftp_error(t, vfs_remove(t->files, path));
		return;
	case SFTP_MKDIR:
		sftp_error(t, vfs_make_directory(t->files, path, read_mode(r, 0777) & ~UMASK));
		return;
	case SFTP_RMDIR:
		sftp_error(t, vfs_remove_directory(t->files, path));
		return;
	case SFTP_REALPATH:
		take_realpath(t, path);
		return;
	case SFTP_RENAME:
		sftp_error(t, rename_to(t, path, read_string(r), false));
		return;
	case SFTP_READLINK:
		take_readlink(t, path);
		return;
	case SFTP_SYMLINK: /* OpenSSH has its arguments the other way round: target, then link */
		to = read_string(r);
		sftp_error(t, vfs_make_link(t->files, path, to));
		return;
	default:
		sftp_status(t, SFTP_UNSUPPORTED);
	}
}

void sftp_request(const struct sftp_turn *t, enum sftp_type type, struct reader *r)
{
	struct sftp_handle *f;
	switch (type) {
	case SFTP_OPEN:
		take_open(t, r);
		break;
	case SFTP_CLOSE:
		take_close(t, r);
		break;
	case SFTP_READ:
		take_read(t, r);
		break;
	case SFTP_WRITE:
		take_write(t, r);
		break;
	case SFTP_FSTAT:
		take_fstat(t, r);
		break;
	case SFTP_FSETSTAT:
		f = handle_of(t, r);
		sftp_error(t, f ? set_mode(t, bytes_of_text(f->path), r) : -EBADF);
		break;
	case SFTP_OPENDIR:
		take_opendir(t, r);
		break;
	case SFTP_READDIR:
		take_readdir(t, r);
		break;
	case SFTP_EXTENDED:
		take_extended(t, r);
		break;
	default:
		take_path(t, type, r);
	}
}
