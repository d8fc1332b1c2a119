/* Where a command reads from and writes to. */
#include "passive/device/shell/shell_inner.h"

static bool stream_collect(struct stream *s, struct bytes more)
{
	if (more.len > SHELL_PIPE_MAX - s->len)
		more.len = SHELL_PIPE_MAX - s->len; /* the reader of so much has gone by then */
	if (s->room - s->len < more.len) {
		size_t room = s->room ? s->room * 2 : 128;
		while (room < s->len + more.len)
			room *= 2;
		uint8_t *at = arena_alloc(s->arena, room);
		if (!at)
			return false;
		if (s->len)
			memcpy(at, s->collected, s->len);
		s->collected = at;
		s->room = room;
	}
	if (more.len)
		memcpy(s->collected + s->len, more.at, more.len);
	s->len += more.len;
	return true;
}

static bool stream_show(struct shell *sh, struct bytes b)
{
	struct shell_run *run = sh->run;
	if (b.len > run->output_command)
		b.len = run->output_command;
	if (b.len > run->output)
		b.len = run->output;
	run->output -= b.len;
	run->output_command -= b.len;
	shell_spend(sh, b.len / 16 + 1);
	if (b.len)
		sh->hooks->say(sh->owner, b);
	if (run->output == 0)
		run->flow = FLOW_STOP;
	return true;
}

/* Bytes that lie in the persona's own programs are shared, not copied. */
static bool is_program(const struct shell *sh, struct bytes b)
{
	const struct persona *p = sh->persona;
	return b.len > 256 &&
	       ((b.at >= p->busybox_elf.at &&
	         b.at + b.len <= p->busybox_elf.at + p->busybox_elf.len) ||
	        (b.at >= p->other_elf.at && b.at + b.len <= p->other_elf.at + p->other_elf.len));
}

bool stream_write(struct shell *sh, struct stream *s, struct bytes b)
{
	if (!s || b.len == 0)
		return true;
	struct vfs_status status;
	switch (s->kind) { /* what is paid for is what is copied */
	case STREAM_TERMINAL:
		return stream_show(sh, b);
	case STREAM_PIPE:
		shell_spend(sh, (b.len < SHELL_PIPE_MAX ? b.len : SHELL_PIPE_MAX) / 64 + 1);
		return stream_collect(s, b);
	case STREAM_FULL:
		return false;
	case STREAM_FILE:
		vfs_stat(vfs_node_of(s->file), &status);
		if (status.size == 0 && is_program(sh, b)) {
			vfs_share(&sh->vfs, s->file, b);
			return true;
		}
		shell_spend(sh, b.len / 16 + 1);
		return vfs_append(&sh->vfs, s->file, b) == 0;
	default:
		shell_spend(sh, b.len / 256 + 1);
		return true;
	}
}

static bool stream_device(struct stream *s, const struct vfs_status *status)
{
	switch (status->device) {
	case 1 << 8 | 5:
		s->kind = STREAM_ZERO;
		return true;
	case 1 << 8 | 8:
	case 1 << 8 | 9:
		s->kind = STREAM_NOISE;
		return true;
	case 5 << 8:
	case 5 << 8 | 1:
		s->kind = STREAM_TERMINAL;
		return true;
	default:
		s->kind = STREAM_NOWHERE;
		return true;
	}
}

int stream_open_read(struct shell *sh, struct arena *arena, struct bytes path, struct stream *s)
{
	struct vfs_node n;
	struct vfs_status status;
	int error = vfs_find(&sh->vfs, path, true, &n);
	if (error)
		return error;
	vfs_stat(n, &status);
	*s = (struct stream){.kind = STREAM_TEXT, .path = path};
	if (status.kind == VFS_DIRECTORY)
		return -EISDIR;
	if (status.kind != VFS_FILE)
		return stream_device(s, &status) ? 0 : -ENXIO;
	error = vfs_content(n, arena, &s->text);
	if (error || !(status.flags & VFS_MADE))
		return error;
	struct persona_look look;
	persona_look(sh->persona, sh->seed, sh->local, sh->hooks->time_us(sh->owner), &look);
	size_t room = s->text.len + 1024;
	uint8_t *at = arena_alloc(arena, room);
	if (!at)
		return -ENOMEM;
	struct writer w = writer_of(at, room);
	persona_expand(&look, s->text, &w);
	s->text = writer_bytes(&w);
	return 0;
}

int stream_open_write(struct shell *sh, struct bytes path, bool append, struct stream *s)
{
	*s = (struct stream){.kind = STREAM_FILE, .path = path};
	int error = vfs_open(&sh->vfs, path, append ? 0 : VFS_TRUNCATE, 0644, &s->file);
	if (error || s->file)
		return error;
	struct vfs_node n;
	struct vfs_status status;
	error = vfs_find(&sh->vfs, path, true, &n);
	if (error)
		return error;
	vfs_stat(n, &status);
	stream_device(s, &status);
	if (s->kind == STREAM_ZERO || s->kind == STREAM_NOISE)
		s->kind = STREAM_NOWHERE;
	return 0;
}

struct bytes stream_read_all(struct shell *sh, struct stream *s)
{
	if (!s || s->kind != STREAM_TEXT || !s->text.at)
		return BYTES("");
	struct bytes rest = {s->text.at + s->at, s->text.len - s->at};
	s->at = s->text.len;
	shell_spend(sh, 1);
	return rest;
}
