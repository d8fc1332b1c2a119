/* SMB 1 within a tree: files, folders, and what of them is asked. */
#include "passive/services/smb/smb1.h"
#include "passive/services/smb/smb1_commands.h"
#include "passive/services/windows/wide.h"

enum { WRITE_RAW = 4 };

void smb1_empty_answer(struct smb1 *q)
{
	smb1_words(q);
	smb1_bytes(q);
}

static void nt_create(struct smb1 *q)
{
	char name[SMB_PATH_MAX];
	struct smb_open *o;
	uint32_t action;
	read_bytes(&q->words, 7);
	read_bytes(&q->words, 8);
	uint32_t access = read_le32(&q->words);
	read_bytes(&q->words, 16);
	struct smb_wish wish = {.writes = access & 0x40010116};
	wish.disposition = read_le32(&q->words);
	wish.options = read_le32(&q->words);
	wish.name = smb1_text(q, q->bytes.at, q->bytes.at + q->bytes.len, name, sizeof name);
	uint32_t status = reader_ok(&q->words)
				  ? smb_open(q->session, q->smb, q->tree, &wish, &o, &action)
				  : (uint32_t)STATUS_INVALID_PARAMETER;
	if (status) {
		smb1_refuse(q, status);
		return;
	}
	smb1_words(q);
	smb1_write_andx(q);
	write_u8(q->out, 0);
	write_le16(q->out, o->id);
	write_le32(q->out, action);
	for (unsigned i = 0; i < 4; i++)
		write_le64(q->out, o->kind == SMB_PIPE ? 0 : smb_filetime(&o->status));
	write_le32(q->out, o->kind == SMB_PIPE ? 0x80 : smb_attributes(&o->status));
	write_le64(q->out, o->kind == SMB_PIPE ? 4096 : (o->status.size + 4095) / 4096 * 4096);
	write_le64(q->out, o->status.directory ? 0 : o->status.size);
	write_le16(q->out, o->kind == SMB_PIPE ? 2 : 0);
	write_le16(q->out, o->kind == SMB_PIPE ? 0x5ff : 7);
	write_u8(q->out, o->kind == SMB_DIRECTORY);
	smb1_bytes(q);
}

static struct smb_open *file_of(struct smb1 *q)
{
	struct smb_open *o = smb_open_find(q->smb, read_le16(&q->words));
	if (!o || !reader_ok(&q->words)) {
		smb1_refuse(q, STATUS_INVALID_HANDLE);
		return NULL;
	}
	return o;
}

static void read_file(struct smb1 *q)
{
	read_le32(&q->words);
	struct smb_open *o = file_of(q);
	if (!o)
		return;
	uint64_t offset = read_le32(&q->words);
	size_t most = read_le16(&q->words);
	read_bytes(&q->words, 8);
	if (reader_left(&q->words) >= 4)
		offset |= (uint64_t)read_le32(&q->words) << 32;
	smb1_words(q);
	smb1_write_andx(q);
	size_t at = writer_used(q->out);
	write_le16(q->out, o->kind == SMB_PIPE ? 0 : 0xffff);
	write_zero(q->out, 18);
	smb1_bytes(q);
	write_u8(q->out, 0);
	smb1_pad(q, 4);
	size_t from = writer_used(q->out);
	uint32_t status = smb_read(q->session, q->smb, o, offset, most < 61440 ? most : 61440, q->out);
	if (status && status != (uint32_t)STATUS_BUFFER_OVERFLOW &&
	    !(status == (uint32_t)STATUS_END_OF_FILE)) {
		smb1_refuse(q, status);
		return;
	}
	q->status = status == (uint32_t)STATUS_END_OF_FILE ? 0 : status;
	write_little_at(q->out, at + 6, writer_used(q->out) - from, 2);
	write_little_at(q->out, at + 8, from, 2);
	smb1_end(q);
}

static void write_file(struct smb1 *q)
{
	read_le32(&q->words);
	struct smb_open *o = file_of(q);
	if (!o)
		return;
	uint64_t offset = read_le32(&q->words);
	read_le32(&q->words);
	uint16_t mode = read_le16(&q->words);
	read_le16(&q->words);
	size_t high = read_le16(&q->words), len = read_le16(&q->words) | high << 16;
	size_t at = read_le16(&q->words);
	if (reader_left(&q->words) >= 4)
		offset |= (uint64_t)read_le32(&q->words) << 32;
	bool bad = false;
	struct bytes content = bytes_part(q->message, at, len, &bad);
	if (mode & WRITE_RAW && o->kind == SMB_PIPE && q->smb->transaction_total && !bad) {
		smb1_tell_exploit(q, "write-raw", "eternalromance");
		smb_upload_write(q->session, &q->smb->transaction, q->smb->transaction.len, content);
	}
	uint32_t status = bad || !reader_ok(&q->words)
				  ? (uint32_t)STATUS_INVALID_PARAMETER
				  : smb_write(q->session, q->smb, o, offset, content);
	if (status) {
		smb1_refuse(q, status);
		return;
	}
	smb1_words(q);
	smb1_write_andx(q);
	write_le16(q->out, len);
	write_le16(q->out, 0xffff);
	write_le16(q->out, len >> 16);
	write_le16(q->out, 0);
	smb1_bytes(q);
}

static void close_file(struct smb1 *q)
{
	struct smb_open *o = file_of(q);
	if (!o)
		return;
	smb_close(q->session, q->smb, o);
	smb1_empty_answer(q);
}

/* Commands that are of one path only: a type byte, then its name. */
static void path_command(struct smb1 *q)
{
	char name[SMB_PATH_MAX];
	struct smb_status_of st;
	struct smb_open *o;
	uint32_t action, status;
	const uint8_t *end = q->bytes.at + q->bytes.len;
	struct bytes path = smb1_text(q, q->bytes.at + (q->bytes.len > 0), end, name, sizeof name);
	struct smb_wish wish = {.name = path, .disposition = 2, .options = 1, .writes = true};
	if (smb_tree_is_pipe(q->smb, q->tree)) {
		smb1_refuse(q, STATUS_ACCESS_DENIED);
		return;
	}
	switch (q->command) {
	case CREATE_DIRECTORY:
		status = smb_open(q->session, q->smb, q->tree, &wish, &o, &action);
		if (!status)
			smb_close(q->session, q->smb, o);
		break;
	case CHECK_DIRECTORY:
		status = smb_look_up(q->session, q->smb, q->tree, path, &st);
		if (!status && !st.directory)
			status = STATUS_NOT_A_DIRECTORY;
		break;
	default:
		status = smb_remove(q->session, q->smb, q->tree, path);
	}
	smb1_refuse(q, status);
}

static void query_disk(struct smb1 *q)
{
	static const uint16_t sizes[5] = {62000, 2048, 512, 31000, 0};
	smb1_words(q);
	for (size_t i = 0; i < 5; i++)
		write_le16(q->out, sizes[i]);
	smb1_bytes(q);
}

void smb1_tree_command(struct smb1 *q)
{
	switch (q->command) {
	case TREE_DISCONNECT:
		q->smb->trees[q->tree - 1] = 0;
		smb1_empty_answer(q);
		return;
	case NT_CREATE:
		nt_create(q);
		return;
	case READ_ANDX:
		read_file(q);
		return;
	case WRITE_ANDX:
		write_file(q);
		return;
	case CLOSE:
	case FIND_CLOSE2:
		close_file(q);
		return;
	case FLUSH:
		smb1_empty_answer(q);
		return;
	case CREATE_DIRECTORY:
	case DELETE_DIRECTORY:
	case CHECK_DIRECTORY:
	case DELETE:
		path_command(q);
		return;
	case QUERY_DISK:
		query_disk(q);
		return;
	case TRANSACTION:
		smb1_transaction(q);
		return;
	case TRANSACTION2:
		smb1_transaction2(q);
		return;
	case NT_TRANSACT:
		smb1_nt_transact(q);
		return;
	case TRANSACTION_SECONDARY:
	case TRANSACTION2_SECONDARY:
	case NT_TRANSACT_SECONDARY:
		smb1_secondary(q);
		return;
	}
	smb1_refuse(q, STATUS_SMB_BAD_COMMAND);
}
