/* Directories and what is known of files, in the structures of MS-FSCC that SMB 1 and 2 share. */
#include "passive/services/smb/smb.h"

#define LIST_ROOM 16384
#define LIST_MAX (1u << 20)
#define ENTRY_MAX 512 /* bytes of one entry with its name */
#define CLUSTER 4096u

enum level { /* FileInformationClass */
	     LEVEL_DIRECTORY = 1,
	     LEVEL_FULL = 2,
	     LEVEL_BOTH = 3,
	     LEVEL_NAMES = 12,
	     LEVEL_ID_BOTH = 37,
	     LEVEL_ID_FULL = 38,
};

uint64_t smb_filetime(const struct smb_status_of *st)
{
	return filetime_of_us((uint64_t)st->mtime_s * 1000000);
}

uint32_t smb_attributes(const struct smb_status_of *st)
{
	return st->directory ? 0x10 : 0x20;
}

static uint64_t allocated(const struct smb_status_of *st)
{
	return st->directory ? 0 : (st->size + CLUSTER - 1) / CLUSTER * CLUSTER;
}

void smb_write_basic(struct writer *w, const struct smb_status_of *st)
{
	for (unsigned i = 0; i < 4; i++)
		write_le64(w, smb_filetime(st));
	write_le32(w, smb_attributes(st));
	write_le32(w, 0);
}

void smb_write_standard(struct writer *w, const struct smb_status_of *st, bool remove)
{
	write_le64(w, allocated(st));
	write_le64(w, st->directory ? 0 : st->size);
	write_le32(w, 1);
	write_u8(w, remove);
	write_u8(w, st->directory);
	write_le16(w, 0);
}

/* DOS wildcards as clients send them: * ? and the <, >, " that stand for them at odd places. */
static bool matches(struct bytes pattern, struct bytes name)
{
	size_t p = 0, n = 0, star = SIZE_MAX, from = 0;
	while (n < name.len) {
		uint8_t c = p < pattern.len ? pattern.at[p] : 0;
		if (c == '*' || c == '<') {
			star = p++;
			from = n;
		} else if (c == '?' || c == '>' ||
			   names_equal((struct bytes){&c, 1}, (struct bytes){name.at + n, 1}) ||
			   (c == '"' && name.at[n] == '.')) {
			p++;
			n++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			n = ++from;
		} else {
			return false;
		}
	}
	while (p < pattern.len && strchr("*<\">", pattern.at[p]))
		p++;
	return p == pattern.len;
}

static void write_entry(struct writer *w, unsigned level, struct bytes name,
			const struct smb_status_of *st)
{
	size_t length_at;
	write_le32(w, 0); /* no file index on NTFS */
	if (level == LEVEL_NAMES) {
		length_at = writer_used(w);
		write_le32(w, 0);
	} else {
		for (unsigned i = 0; i < 4; i++)
			write_le64(w, smb_filetime(st));
		write_le64(w, st->directory ? 0 : st->size);
		write_le64(w, allocated(st));
		write_le32(w, smb_attributes(st));
		length_at = writer_used(w);
		write_le32(w, 0);
		if (level != LEVEL_DIRECTORY)
			write_le32(w, 0);
		if (level == LEVEL_BOTH || level == LEVEL_ID_BOTH)
			write_zero(w, 26); /* no short name */
		if (level == LEVEL_ID_BOTH)
			write_le16(w, 0);
		if (level == LEVEL_ID_FULL)
			write_le32(w, 0);
		if (level == LEVEL_ID_BOTH || level == LEVEL_ID_FULL)
			write_le64(w, st->id);
	}
	size_t name_at = writer_used(w);
	write_utf16(w, name);
	write_little_at(w, length_at, writer_used(w) - name_at, 4);
}

struct listing {
	struct writer *w;
	unsigned level;
	size_t start, last, most, count;
	bool full;
};

static void list_add(struct listing *l, struct bytes name, const struct smb_status_of *st)
{
	uint8_t room[ENTRY_MAX];
	struct writer entry = writer_of(room, sizeof room);
	write_entry(&entry, l->level, name, st);
	size_t pad = (8 - (writer_used(l->w) - l->start) % 8) % 8;
	if (entry.bad)
		return;
	if (writer_used(l->w) - l->start + pad + 4 + writer_used(&entry) > l->most) {
		l->full = true;
		return;
	}
	write_zero(l->w, l->count ? pad : 0);
	size_t at = writer_used(l->w);
	if (l->count)
		write_little_at(l->w, l->last, at - l->last, 4);
	l->last = at;
	write_le32(l->w, 0);
	write_span(l->w, writer_bytes(&entry));
	l->count++;
}

static void node_status(struct vfs_node node, struct smb_status_of *out)
{
	struct vfs_status st;
	vfs_stat(node, &st);
	*out = (struct smb_status_of){
		.directory = st.kind == VFS_DIRECTORY, .mtime_s = st.mtime_s, .size = st.size};
}

uint32_t smb_list(struct session *s, struct smb *smb, struct smb_open *o, unsigned level,
		  size_t most, size_t count_max, size_t *count, struct writer *w)
{
	uint8_t room[LIST_ROOM];
	struct arena scratch = arena_over(room, sizeof room, LIST_MAX);
	struct listing l = {.w = w, .level = level, .start = writer_used(w), .most = most};
	struct vfs_child *children;
	struct vfs_node node;
	size_t total, at = o->listed;
	struct bytes pattern = bytes_of_text(o->pattern);
	bool known = level == LEVEL_DIRECTORY || level == LEVEL_FULL || level == LEVEL_BOTH ||
		     level == LEVEL_NAMES || level == LEVEL_ID_BOTH || level == LEVEL_ID_FULL;
	if (!known)
		return STATUS_INVALID_INFO_CLASS;
	if (bytes_equal_text(pattern, "*.*"))
		pattern.len = 1;
	uint32_t status = STATUS_NO_MORE_FILES;
	if (vfs_find(&smb->vfs, bytes_of_text(o->path), true, &node) == 0 &&
	    vfs_list(&smb->vfs, node, &scratch, &children, &total) == 0) {
		for (; at < total + 2 && !l.full && l.count < count_max; at++) {
			static const struct bytes dots[2] = {{(const uint8_t *)".", 1},
							     {(const uint8_t *)"..", 2}};
			struct bytes name = at < 2 ? dots[at] : children[at - 2].name;
			struct smb_status_of st = o->status;
			if (at >= 2)
				node_status(children[at - 2].node, &st);
			st.id = windows_number(s, at + (uintptr_t)o->id) >> 16;
			if (matches(pattern, name))
				list_add(&l, name, &st);
			at -= l.full;
		}
		status = l.count ? STATUS_SUCCESS : o->listed ? STATUS_NO_MORE_FILES : STATUS_NO_SUCH_FILE;
		o->listed = at;
	}
	arena_done(&scratch);
	*count = l.count;
	return status;
}

static void volume_sizes(struct session *s, uint64_t *total, uint64_t *unused)
{
	*total = (60 + windows_number(s, 40) % 440) * 262144;
	*unused = *total / 3 + windows_number(s, 41) % (*total / 4);
}

bool smb_write_volume(struct session *s, unsigned level, struct writer *w)
{
	uint64_t total, unused;
	volume_sizes(s, &total, &unused);
	switch (level) {
	case 1: /* FileFsVolumeInformation */
		write_le64(w, filetime_of_us(windows_boot_us(s)) - 900ull * 864000000000);
		write_le32(w, windows_number(s, 42));
		write_le32(w, 0);
		write_le16(w, 0);
		return true;
	case 3: /* FileFsSizeInformation */
	case 7: /* FileFsFullSizeInformation */
		write_le64(w, total);
		write_le64(w, unused);
		if (level == 7)
			write_le64(w, unused);
		write_le32(w, CLUSTER / 512);
		write_le32(w, 512);
		return true;
	case 4: /* FileFsDeviceInformation: a disk */
		write_le32(w, 7);
		write_le32(w, 0x20);
		return true;
	case 5: /* FileFsAttributeInformation */
		write_le32(w, 0xc700ff);
		write_le32(w, 255);
		write_le32(w, 8);
		write_utf16(w, BYTES("NTFS"));
		return true;
	}
	return false;
}
