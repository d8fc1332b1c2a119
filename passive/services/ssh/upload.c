/* Gathering a file, and handing it over. */
#include "passive/services/ssh/upload.h"

#define ROOM_FIRST 16384

int upload_begin(struct ssh *h, struct ssh_upload *u, struct bytes path, unsigned how, uint16_t mode)
{
	struct vfs *v = program_files(h);
	struct vfs_change *c;
	v->now_s = (uint32_t)(session_time_us(h->session) / 1000000);
	int error = vfs_open(v, path, how, mode, &c);
	if (error && error != -ENOSPC) /* a full device takes it all the same: it is to be seen */
		return error;
	if (!bytes_copy_text(path, u->path, sizeof u->path))
		return -ENAMETOOLONG;
	u->len = 0;
	u->size = 0;
	u->open = true;
	u->written = false;
	return 0;
}

static bool room_for(struct ssh *h, struct ssh_upload *u, size_t end)
{
	size_t room = u->room ? u->room : ROOM_FIRST;
	if (end <= u->room)
		return true;
	while (room < end)
		room *= 2;
	uint8_t *at = arena_alloc(session_arena(h->session), room);
	if (!at)
		return false;
	if (u->len)
		memcpy(at, u->at, u->len);
	u->at = at;
	u->room = room;
	return true;
}

void upload_write(struct ssh *h, struct ssh_upload *u, uint64_t offset, struct bytes b)
{
	uint64_t end = offset + b.len;
	u->written |= b.len > 0;
	if (end > u->size)
		u->size = end;
	if (offset >= SSH_UPLOAD_MAX)
		return;
	if (end > SSH_UPLOAD_MAX) {
		b.len = SSH_UPLOAD_MAX - (size_t)offset;
		end = SSH_UPLOAD_MAX;
	}
	if (b.len == 0 || !room_for(h, u, (size_t)end))
		return;
	if (offset > u->len)
		memset(u->at + u->len, 0, (size_t)offset - u->len);
	memcpy(u->at + offset, b.at, b.len);
	if (end > u->len)
		u->len = (size_t)end;
}

void upload_end(struct ssh *h, struct ssh_upload *u, const char *how)
{
	struct vfs *v = program_files(h);
	struct vfs_change *c = NULL;
	struct bytes path = bytes_of_text(u->path), content = {u->at, u->len};
	if (!u->open)
		return;
	u->open = false;
	v->now_s = (uint32_t)(session_time_us(h->session) / 1000000);
	if (u->written)
		session_capture(h->session, content, path, (struct bytes){0}, how);
	/* What is captured here need not be handed over by the shell once more. */
	if (u->written && vfs_open(v, path, VFS_EXISTING, 0644, &c) == 0 && c) {
		vfs_write_at(v, c, 0, content);
		vfs_set_taken(v, c);
	}
	vfs_settle(v);
}
