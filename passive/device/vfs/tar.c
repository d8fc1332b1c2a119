/*
 * What was changed, as a tar archive (POSIX.1 ustar): what a person can look into with what is at
 * hand.  What was removed is an empty file .wh.NAME, as in layers of container images.
 */
#include "base/error.h"
#include "passive/device/vfs/vfs_inner.h"

#define BLOCK 512

static void number(uint8_t *at, size_t digits, uint64_t v)
{
	for (size_t i = digits; i-- > 0; v /= 8)
		at[i] = (uint8_t)('0' + v % 8);
}

static void copy(uint8_t *at, size_t room, struct bytes b)
{
	memcpy(at, b.at, b.len < room ? b.len : room);
}

/* A path of up to 255 bytes goes in two fields, cut at a slash; a longer one loses its end. */
static void put_path(uint8_t block[BLOCK], struct bytes path)
{
	size_t cut = 0;
	if (path.len > 100)
		for (size_t i = path.len - 101; i < path.len && i <= 155 && !cut; i++)
			cut = path.at[i] == '/' ? i : 0;
	copy(block + 345, 155, (struct bytes){path.at, cut});
	if (cut)
		cut++;
	copy(block, 100, (struct bytes){path.at + cut, path.len - cut});
}

static int put_head(struct buffer *out, struct bytes path, char type, const struct vfs_status *status, size_t size,
		    struct bytes target)
{
	uint8_t block[BLOCK] = {0};
	unsigned sum = 0;
	put_path(block, path);
	number(block + 100, 7, status->mode & 07777);
	number(block + 108, 7, 0);
	number(block + 116, 7, 0);
	number(block + 124, 11, size);
	number(block + 136, 11, status->mtime_s);
	block[156] = (uint8_t)type;
	copy(block + 157, 100, target);
	memcpy(block + 257, "ustar\00000", 8);
	number(block + 329, 7, status->device >> 8);
	number(block + 337, 7, status->device & 255);
	memset(block + 148, ' ', 8);
	for (size_t i = 0; i < BLOCK; i++)
		sum += block[i];
	number(block + 148, 6, sum);
	block[154] = 0;
	return buffer_append(out, block, BLOCK);
}

static int put_content(struct buffer *out, struct bytes content)
{
	static const uint8_t zero[BLOCK];
	int bad = buffer_append(out, content.at, content.len);
	return bad ? bad : buffer_append(out, zero, (BLOCK - content.len % BLOCK) % BLOCK);
}

static int put_node(struct buffer *out, const struct vfs_change *c, struct writer *path, struct arena *scratch)
{
	const struct vfs_node node = {c->base, (struct vfs_change *)c};
	struct vfs_status status;
	struct bytes content = BYTES("");
	uint8_t *start = path->at;
	bool gone = c->flags & CHANGE_GONE;
	vfs_stat(node, &status);
	write_text(path, gone ? ".wh." : "");
	write_bytes(path, c->name, c->name_len);
	if (c->kind == VFS_DIRECTORY && !gone && c->name_len)
		write_u8(path, '/');
	int bad = path->bad ? ERR_FULL : 0;
	if (!gone && (c->kind == VFS_FILE || c->kind == VFS_LINK) && vfs_content(node, scratch, &content))
		bad = ERR_MEMORY;
	char type = gone ? '0' : c->kind == VFS_DIRECTORY ? '5' : c->kind == VFS_LINK ? '2'
			 : c->kind == VFS_CHARACTER ? '3' : c->kind == VFS_BLOCK ? '4' : '0';
	bool file = type == '0' && !gone;
	if (!bad && writer_used(path))
		bad = put_head(out, writer_bytes(path), type, &status, file ? content.len : 0,
			       type == '2' ? content : BYTES(""));
	if (!bad && file)
		bad = put_content(out, content);
	for (const struct vfs_change *child = gone ? NULL : c->children; child && !bad; child = child->next)
		bad = put_node(out, child, path, scratch);
	path->at = start;
	return bad;
}

int vfs_tar(const struct vfs_overlay *o, struct buffer *out)
{
	static const uint8_t end[2 * BLOCK];
	char room[VFS_PATH_MAX];
	struct writer path = writer_of(room, sizeof room);
	struct arena scratch = ARENA(out->max);
	int bad = o->root ? put_node(out, o->root, &path, &scratch) : 0;
	arena_done(&scratch);
	return bad ? bad : buffer_append(out, end, sizeof end);
}
