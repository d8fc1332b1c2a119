/*
 * Files over the Android Debug Bridge: STAT, LIST, SEND and RECV.  What is sent lands in the
 * device's tree, as far as that takes it, and is kept as a file of the attacker's.
 */
#include "passive/services/adb/adb_inner.h"

#define CHUNK_MAX (64u * 1024) /* of one DATA */
#define HELD_MAX (CHUNK_MAX + 8)
#define FILE_BYTES_MAX (4u << 20)
#define SCRATCH_MAX (512u * 1024)

enum { S_REGULAR = 0100000, S_DIRECTORY = 0040000, S_SYMLINK = 0120000 };

static void say_word(struct session *s, struct adb *a, struct adb_stream *t, const char *word, uint32_t number,
		     struct bytes rest)
{
	uint8_t head[8];
	struct writer w = writer_of(head, sizeof head);
	write_text(&w, word);
	adb_write_u32(&w, number);
	adb_say(s, a, t, writer_bytes(&w));
	adb_say(s, a, t, rest);
}

static void say_failure(struct session *s, struct adb *a, struct adb_stream *t, const char *why)
{
	say_word(s, a, t, "FAIL", (uint32_t)strlen(why), bytes_of_text(why));
}

static uint32_t mode_of(const struct vfs_status *status)
{
	uint32_t kind = status->kind == VFS_DIRECTORY ? S_DIRECTORY : status->kind == VFS_LINK ? S_SYMLINK : S_REGULAR;
	return kind | status->mode;
}

static bool look_up(struct session *s, struct bytes path, struct vfs *files, struct vfs_node *n, struct vfs_status *status)
{
	if (!session_files(s, files, NULL) || vfs_find(files, path, false, n))
		return false;
	session_stat(s, *n, status);
	return true;
}

static void on_stat(struct session *s, struct adb *a, struct adb_stream *t, struct bytes path)
{
	struct vfs files;
	struct vfs_node n;
	struct vfs_status status = {0};
	uint8_t body[16];
	struct writer w = writer_of(body, sizeof body);
	bool there = look_up(s, path, &files, &n, &status);
	write_text(&w, "STAT");
	adb_write_u32(&w, there ? mode_of(&status) : 0);
	adb_write_u32(&w, there ? status.size : 0);
	adb_write_u32(&w, there ? status.mtime_s : 0);
	adb_say(s, a, t, writer_bytes(&w));
}

static void on_list(struct session *s, struct adb *a, struct adb_stream *t, struct bytes path)
{
	struct vfs files;
	struct vfs_node n;
	struct vfs_status status;
	struct vfs_child *list = NULL;
	size_t count = 0;
	struct arena scratch = ARENA(SCRATCH_MAX);
	if (look_up(s, path, &files, &n, &status) && vfs_list(&files, n, &scratch, &list, &count))
		count = 0;
	for (size_t i = 0; i < count; i++) {
		uint8_t body[20 + VFS_NAME_MAX];
		struct writer w = writer_of(body, sizeof body);
		session_stat(s, list[i].node, &status);
		write_text(&w, "DENT");
		adb_write_u32(&w, mode_of(&status));
		adb_write_u32(&w, status.size);
		adb_write_u32(&w, status.mtime_s);
		adb_write_u32(&w, (uint32_t)list[i].name.len);
		write_span(&w, list[i].name);
		if (!w.bad)
			adb_say(s, a, t, writer_bytes(&w));
	}
	adb_say(s, a, t, BYTES("DONE\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"));
	arena_done(&scratch);
}

static void on_receive(struct session *s, struct adb *a, struct adb_stream *t, struct bytes path)
{
	struct vfs files;
	struct vfs_node n;
	struct bytes content;
	struct arena scratch = ARENA(SCRATCH_MAX);
	bool there = session_files(s, &files, NULL) && vfs_find(&files, path, true, &n) == 0 &&
		     session_content(s, n, &scratch, &content) == 0;
	if (!there) {
		say_failure(s, a, t, "No such file or directory");
	} else {
		for (size_t from = 0; from < content.len; from += CHUNK_MAX) {
			size_t left = content.len - from;
			struct bytes part = {content.at + from, left < CHUNK_MAX ? left : CHUNK_MAX};
			say_word(s, a, t, "DATA", (uint32_t)part.len, part);
		}
		say_word(s, a, t, "DONE", 0, (struct bytes){0});
	}
	arena_done(&scratch);
}

/* "path,mode", the mode as a decimal number. */
static void on_send(struct session *s, struct adb_stream *t, struct bytes what)
{
	size_t comma = what.len;
	uint64_t mode = 0644;
	while (comma && what.at[comma - 1] != ',')
		comma--;
	struct bytes path = {what.at, comma ? comma - 1 : what.len};
	if (comma)
		bytes_number((struct bytes){what.at + comma, what.len - comma}, UINT32_MAX, &mode);
	t->path = arena_text(session_arena(s), path);
	t->mode = (uint32_t)mode;
	t->content_len = 0;
	t->failed = !t->path;
}

static void on_data(struct session *s, struct adb_stream *t, struct bytes part)
{
	if (!t->path || t->failed || part.len > FILE_BYTES_MAX - t->content_len) {
		t->failed = true;
		return;
	}
	if (t->content_len + part.len > t->content_room) {
		uint32_t room = (t->content_len + (uint32_t)part.len) * 2;
		uint8_t *larger = arena_alloc(session_arena(s), room);
		if (!larger) {
			t->failed = true;
			return;
		}
		if (t->content_len)
			memcpy(larger, t->content, t->content_len);
		t->content = larger;
		t->content_room = room;
	}
	memcpy(t->content + t->content_len, part.at, part.len);
	t->content_len += (uint32_t)part.len;
}

static void on_done(struct session *s, struct adb *a, struct adb_stream *t)
{
	struct vfs files;
	struct vfs_change *file = NULL;
	if (!t->path) {
		say_failure(s, a, t, "invalid data message");
		return;
	}
	struct bytes content = {t->content, t->content_len};
	session_capture(s, content, bytes_of_text(t->path), (struct bytes){0}, "adb push");
	int error = session_files(s, &files, NULL)
			    ? vfs_open(&files, bytes_of_text(t->path), VFS_TRUNCATE, (uint16_t)(t->mode & 0777), &file)
			    : -ENOMEM;
	if (!error && file) {
		vfs_append(&files, file, content); /* as much of it as a visitor may keep */
		vfs_set_taken(&files, file);
	}
	t->path = NULL;
	if (t->failed)
		say_failure(s, a, t, "write failed: No space left on device");
	else if (error)
		say_failure(s, a, t, error == -ENOENT ? "couldn't create file: No such file or directory"
						      : "couldn't create file: Permission denied");
	else
		say_word(s, a, t, "OKAY", 0, (struct bytes){0});
}

static void request_take(struct session *s, struct adb *a, struct adb_stream *t, const char word[4], struct bytes rest)
{
	if (!memcmp(word, "SEND", 4))
		on_send(s, t, rest);
	else if (!memcmp(word, "DATA", 4))
		on_data(s, t, rest);
	else if (!memcmp(word, "STAT", 4))
		on_stat(s, a, t, rest);
	else if (!memcmp(word, "LIST", 4))
		on_list(s, a, t, rest);
	else if (!memcmp(word, "RECV", 4))
		on_receive(s, a, t, rest);
	else if (!memcmp(word, "QUIT", 4))
		t->ends = true;
	else
		say_failure(s, a, t, "unknown command");
}

void adb_sync(struct session *s, struct adb *a, struct adb_stream *t, struct bytes came)
{
	if (!adb_hold(s, t, came, HELD_MAX + ADB_DATA_MAX)) {
		t->ends = true;
		return;
	}
	size_t at = 0;
	while (t->held_len - at >= 8 && !t->ends) {
		const uint8_t *head = t->held + at;
		uint32_t number = adb_u32(head + 4);
		bool done = !memcmp(head, "DONE", 4); /* its number is a time */
		uint32_t most = memcmp(head, "DATA", 4) ? ADB_PATH_MAX * 2 : CHUNK_MAX;
		if (!done && number > most) {
			say_failure(s, a, t, "oversize data message");
			t->ends = true;
			break;
		}
		if (!done && t->held_len - at - 8 < number)
			break;
		if (done)
			on_done(s, a, t);
		else
			request_take(s, a, t, (const char *)head, (struct bytes){head + 8, number});
		at += 8 + (done ? 0 : number);
	}
	memmove(t->held, t->held + at, t->held_len - at);
	t->held_len -= (uint32_t)at;
}
