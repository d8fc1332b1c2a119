/* SMB 2 and 3: files, directories and pipes of one tree. */
#include "passive/services/smb/smb2.h"

enum ioctl {
	FSCTL_DFS_GET_REFERRALS = 0x00060194,
	FSCTL_PIPE_WAIT = 0x00110018,
	FSCTL_PIPE_TRANSCEIVE = 0x0011c017,
	FSCTL_VALIDATE_NEGOTIATE = 0x00140204,
};
enum { INFO_FILE = 1, INFO_VOLUME = 2 };
#define STATUS_FS_DRIVER_REQUIRED ((uint32_t)0xc000019c)
#define LIST_MAX 65536
#define LIST_ENTRIES_MAX 1024

static void write_file_id(struct smb2 *q, uint64_t id)
{
	write_le64(q->out, id | 0x100000000u);
	write_le64(q->out, id);
}

static struct smb_open *file_read(struct smb2 *q)
{
	uint64_t persistent = read_le64(&q->body), id = read_le64(&q->body);
	(void)persistent;
	if (id == UINT64_MAX)
		id = q->file;
	struct smb_open *o = reader_ok(&q->body) ? smb_open_find(q->smb, id) : NULL;
	if (!o)
		smb2_refuse(q, STATUS_FILE_CLOSED);
	else
		q->file = id;
	return o;
}

static void write_times(struct smb2 *q, const struct smb_open *o)
{
	bool pipe = o->kind == SMB_PIPE;
	for (unsigned i = 0; i < 4; i++)
		write_le64(q->out, pipe ? 0 : smb_filetime(&o->status));
	write_le64(q->out, pipe ? 4096 : (o->status.size + 4095) / 4096 * 4096);
	write_le64(q->out, pipe || o->status.directory ? 0 : o->status.size);
	write_le32(q->out, pipe ? 0x80 : smb_attributes(&o->status));
}

static void create(struct smb2 *q)
{
	char name[SMB_PATH_MAX];
	struct smb_open *o;
	uint32_t action;
	bool bad = false;
	read_bytes(&q->body, 24);
	uint32_t access = read_le32(&q->body);
	read_bytes(&q->body, 8);
	struct smb_wish wish = {.writes = access & 0x40010116};
	wish.disposition = read_le32(&q->body);
	wish.options = read_le32(&q->body);
	size_t at = read_le16(&q->body), len = read_le16(&q->body);
	read_le32(&q->body);
	wish.name = utf16_text(smb2_part(q, at, len, &bad), name, sizeof name);
	uint32_t status = bad || !reader_ok(&q->body)
				  ? (uint32_t)STATUS_INVALID_PARAMETER
				  : smb_open(q->session, q->smb, q->tree, &wish, &o, &action);
	if (status) {
		smb2_refuse(q, status);
		return;
	}
	q->file = o->id;
	write_le16(q->out, 89);
	write_le16(q->out, 0);
	write_le32(q->out, action);
	write_times(q, o);
	write_le32(q->out, 0);
	write_file_id(q, o->id);
	write_le64(q->out, 0);
}

static void close_file(struct smb2 *q)
{
	uint16_t flags = read_le16(&q->body);
	read_le32(&q->body);
	struct smb_open *o = file_read(q);
	if (!o)
		return;
	write_le16(q->out, 60);
	write_le16(q->out, flags & 1);
	write_le32(q->out, 0);
	if (flags & 1)
		write_times(q, o);
	else
		write_zero(q->out, 52);
	smb_close(q->session, q->smb, o);
}

static void read_file(struct smb2 *q)
{
	read_le16(&q->body);
	size_t most = read_le32(&q->body);
	uint64_t offset = read_le64(&q->body);
	struct smb_open *o = file_read(q);
	if (!o)
		return;
	write_le16(q->out, 17);
	write_le16(q->out, SMB2_HEAD + 16);
	size_t at = writer_used(q->out);
	write_zero(q->out, 12);
	uint32_t status = smb_read(q->session, q->smb, o, offset, most, q->out);
	if (status && status != (uint32_t)STATUS_BUFFER_OVERFLOW) {
		smb2_refuse(q, status);
		return;
	}
	q->status = status;
	write_little_at(q->out, at, writer_used(q->out) - at - 12, 4);
}

static void write_file(struct smb2 *q)
{
	bool bad = false;
	size_t at = read_le16(&q->body), len = read_le32(&q->body);
	uint64_t offset = read_le64(&q->body);
	struct smb_open *o = file_read(q);
	if (!o)
		return;
	struct bytes content = smb2_part(q, at, len, &bad);
	uint32_t status = bad ? (uint32_t)STATUS_INVALID_PARAMETER
			      : smb_write(q->session, q->smb, o, offset, content);
	if (status) {
		smb2_refuse(q, status);
		return;
	}
	write_le16(q->out, 17);
	write_le16(q->out, 0);
	write_le32(q->out, len);
	write_le64(q->out, 0);
}

/* The output of what is asked: its head of eight bytes, and where its content is. */
static size_t begin_output(struct smb2 *q)
{
	write_le16(q->out, 9);
	write_le16(q->out, SMB2_HEAD + 8);
	write_le32(q->out, 0);
	return writer_used(q->out);
}

static void end_output(struct smb2 *q, size_t from)
{
	write_little_at(q->out, from - 4, writer_used(q->out) - from, 4);
}

static void query_directory(struct smb2 *q)
{
	bool bad = false;
	unsigned level = read_u8(&q->body), flags = read_u8(&q->body);
	read_le32(&q->body);
	struct smb_open *o = file_read(q);
	if (!o)
		return;
	size_t at = read_le16(&q->body), len = read_le16(&q->body), most = read_le32(&q->body);
	struct bytes pattern = smb2_part(q, at, len, &bad);
	if (bad || !reader_ok(&q->body) || o->kind != SMB_DIRECTORY) {
		smb2_refuse(q, STATUS_INVALID_PARAMETER);
		return;
	}
	if (!o->pattern[0] || flags & 0x11) { /* the first of them, begun again, or reopened */
		struct bytes text = utf16_text(pattern, o->pattern, sizeof o->pattern);
		o->listed = 0;
		smb_tell(q->session, q->smb, "list", bytes_of_text(o->path));
		if (!text.len)
			o->pattern[0] = '*';
	}
	size_t count, from = begin_output(q);
	uint32_t status = smb_list(q->session, q->smb, o, level, most < LIST_MAX ? most : LIST_MAX,
				   flags & 2 ? 1 : LIST_ENTRIES_MAX, &count, q->out);
	if (status)
		smb2_refuse(q, status);
	else
		end_output(q, from);
}

static void write_name(struct writer *w, const char *path)
{
	size_t at = writer_used(w);
	write_le32(w, 0);
	for (; *path; path++)
		write_le16(w, *path == '/' ? '\\' : (uint8_t)*path);
	write_little_at(w, at, writer_used(w) - at - 4, 4);
}

static void write_all(struct writer *w, const struct smb_open *o)
{
	smb_write_basic(w, &o->status);
	smb_write_standard(w, &o->status, o->remove);
	write_le64(w, o->status.id);
	write_le32(w, 0);
	write_le32(w, 0x1f01ff);
	write_le64(w, 0);
	write_le32(w, 0);
	write_le32(w, 0);
	write_name(w, o->path);
}

static bool write_file_info(struct writer *w, const struct smb_open *o, unsigned level)
{
	switch (level) {
	case 4:
		smb_write_basic(w, &o->status);
		return true;
	case 5:
		smb_write_standard(w, &o->status, o->remove);
		return true;
	case 6:
		write_le64(w, o->status.id);
		return true;
	case 7:
	case 16:
	case 17:
		write_le32(w, 0);
		return true;
	case 8:
		write_le32(w, 0x1f01ff);
		return true;
	case 14:
		write_le64(w, 0);
		return true;
	case 18:
		write_all(w, o);
		return true;
	case 22:
		if (o->kind == SMB_DIRECTORY)
			return true;
		write_le32(w, 0);
		write_le32(w, 14);
		write_le64(w, o->status.size);
		write_le64(w, (o->status.size + 4095) / 4096 * 4096);
		write_utf16(w, BYTES("::$DATA"));
		return true;
	case 34:
		for (unsigned i = 0; i < 4; i++)
			write_le64(w, smb_filetime(&o->status));
		write_le64(w, (o->status.size + 4095) / 4096 * 4096);
		write_le64(w, o->status.size);
		write_le32(w, smb_attributes(&o->status));
		write_le32(w, 0);
		return true;
	case 35:
		write_le32(w, smb_attributes(&o->status));
		write_le32(w, 0);
		return true;
	}
	return false;
}

static void query_info(struct smb2 *q)
{
	unsigned type = read_u8(&q->body), level = read_u8(&q->body);
	size_t most = read_le32(&q->body);
	read_bytes(&q->body, 16);
	struct smb_open *o = file_read(q);
	if (!o)
		return;
	size_t from = begin_output(q);
	bool known = type == INFO_FILE     ? write_file_info(q->out, o, level)
		     : type == INFO_VOLUME ? smb_write_volume(q->session, level, q->out)
					   : false;
	if (!known) {
		smb2_refuse(q, type <= INFO_VOLUME ? STATUS_INVALID_INFO_CLASS
						   : STATUS_ACCESS_DENIED);
		return;
	}
	if (writer_used(q->out) - from > most)
		q->out->at = q->out->start + from + most;
	end_output(q, from);
}

static void set_info(struct smb2 *q)
{
	bool bad = false;
	unsigned type = read_u8(&q->body), level = read_u8(&q->body);
	size_t len = read_le32(&q->body), at = read_le16(&q->body);
	read_le16(&q->body);
	read_le32(&q->body);
	struct smb_open *o = file_read(q);
	if (!o)
		return;
	struct bytes content = smb2_part(q, at, len, &bad);
	if (bad || type != INFO_FILE) {
		smb2_refuse(q, bad ? STATUS_INVALID_PARAMETER : STATUS_ACCESS_DENIED);
		return;
	}
	if ((level == 13 || level == 64) && content.len) /* disposition, and its longer form */
		o->remove = content.at[0] & 1;
	write_le16(q->out, 2);
}

static void write_ioctl(struct smb2 *q, uint32_t code, const struct smb_open *o, size_t *count_at)
{
	write_le16(q->out, 49);
	write_le16(q->out, 0);
	write_le32(q->out, code);
	if (o)
		write_file_id(q, o->id);
	else
		write_bytes(q->out, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 16);
	write_le32(q->out, SMB2_HEAD + 48);
	write_le32(q->out, 0);
	write_le32(q->out, SMB2_HEAD + 48);
	*count_at = writer_used(q->out);
	write_zero(q->out, 12);
}

static void transceive(struct smb2 *q, uint32_t code, struct smb_open *o, struct bytes in, size_t most)
{
	size_t count_at;
	write_ioctl(q, code, o, &count_at);
	uint32_t status = o->kind == SMB_PIPE ? smb_write(q->session, q->smb, o, 0, in)
					      : (uint32_t)STATUS_INVALID_DEVICE_REQUEST;
	size_t from = writer_used(q->out);
	if (!status)
		status = smb_read(q->session, q->smb, o, 0, most, q->out);
	if (status && status != (uint32_t)STATUS_BUFFER_OVERFLOW) {
		smb2_refuse(q, status);
		return;
	}
	q->status = status;
	write_little_at(q->out, count_at, writer_used(q->out) - from, 4);
}

/* 3.0 and 3.0.2 ask again, signed, what was negotiated (MS-SMB2 3.3.5.15.12). */
static void validate(struct smb2 *q, uint32_t code)
{
	size_t count_at;
	write_ioctl(q, code, NULL, &count_at);
	write_le32(q->out, q->smb->capabilities);
	write_le64(q->out, smb_guid(q->session, 0));
	write_le64(q->out, smb_guid(q->session, 1));
	write_le16(q->out, q->smb->device->signing_required ? 3 : 1);
	write_le16(q->out, q->smb->dialect);
	write_little_at(q->out, count_at, 24, 4);
}

static void ioctl(struct smb2 *q)
{
	bool bad = false;
	read_le16(&q->body);
	uint32_t code = read_le32(&q->body);
	struct reader file = q->body;
	read_bytes(&q->body, 16);
	size_t at = read_le32(&q->body), len = read_le32(&q->body);
	read_bytes(&q->body, 12);
	size_t most = read_le32(&q->body);
	struct bytes in = smb2_part(q, at, len, &bad);
	if (bad || !reader_ok(&q->body)) {
		smb2_refuse(q, STATUS_INVALID_PARAMETER);
		return;
	}
	switch (code) {
	case FSCTL_VALIDATE_NEGOTIATE:
		validate(q, code);
		return;
	case FSCTL_DFS_GET_REFERRALS:
		smb2_refuse(q, q->smb->place.host.dns_forest[0] ? (uint32_t)STATUS_NOT_FOUND
								: STATUS_FS_DRIVER_REQUIRED);
		return;
	case FSCTL_PIPE_WAIT:
		smb2_refuse(q, STATUS_OBJECT_NAME_NOT_FOUND);
		return;
	case FSCTL_PIPE_TRANSCEIVE:
		q->body = file;
		struct smb_open *o = file_read(q);
		if (o)
			transceive(q, code, o, in, most);
		return;
	}
	smb2_refuse(q, smb_tree_is_pipe(q->smb, q->tree) ? STATUS_NOT_SUPPORTED
							 : STATUS_INVALID_DEVICE_REQUEST);
}

void smb2_file_command(struct smb2 *q)
{
	read_le16(&q->body); /* the structure's size */
	switch (q->command) {
	case SMB2_CREATE:
		q->body = reader_of(q->message.at + SMB2_HEAD, q->message.len - SMB2_HEAD);
		create(q);
		return;
	case SMB2_CLOSE:
		close_file(q);
		return;
	case SMB2_READ:
		read_file(q);
		return;
	case SMB2_WRITE:
		write_file(q);
		return;
	case SMB2_IOCTL:
		ioctl(q);
		return;
	case SMB2_QUERY_DIRECTORY:
		query_directory(q);
		return;
	case SMB2_QUERY_INFO:
		query_info(q);
		return;
	case SMB2_SET_INFO:
		set_info(q);
		return;
	case SMB2_FLUSH:
	case SMB2_LOCK:
		smb2_empty(q);
		return;
	}
	smb2_refuse(q, STATUS_NOT_SUPPORTED);
}
