/*
 * SMB 1's transactions: pipes, searches, information; and those that exploits are made of.
 *
 * MS17-010: a peek at pipe 0 is answered with STATUS_INSUFF_SERVER_RESOURCES by who is not
 * patched, with STATUS_INVALID_HANDLE by who is.  EternalBlue begins an NT_TRANSACT that is
 * continued by TRANSACTION2_SECONDARY; the last piece gets STATUS_INVALID_PARAMETER.
 * EternalRomance asks for more of a rename than it announced, or writes raw to a pipe whose
 * transaction is still open.
 */
#include "passive/services/smb/smb1.h"

enum pipe_function { PEEK = 0x23, TRANSACT = 0x26, WAIT = 0x53, CALL = 0x54 };
enum subcommand {
	FIND_FIRST = 1,
	FIND_NEXT = 2,
	QUERY_FS = 3,
	QUERY_PATH = 5,
	SET_PATH = 6,
	QUERY_FILE = 7,
	SET_FILE = 8,
	SESSION_SETUP = 0xe,
	GET_DFS = 0x10,
};
enum { NT_RENAME = 5 };
#define PASS_THROUGH 1000 /* levels above are MS-FSCC's own */
#define LISTED_MAX 512    /* entries of one answer */
#define ANSWER_DATA_MAX 16384

struct transaction {
	struct bytes params, content;
	uint32_t total, timeout;
	uint16_t setup[2];
	unsigned setup_count;
	size_t params_max, content_max;
	bool whole;
};

static bool transaction_read(struct smb1 *q, struct transaction *t)
{
	struct reader *r = &q->words;
	uint32_t total_params = read_le16(r);
	bool bad = false;
	t->total = read_le16(r);
	t->params_max = read_le16(r);
	t->content_max = read_le16(r);
	read_bytes(r, 4);
	t->timeout = read_le32(r);
	read_le16(r);
	size_t params = read_le16(r), params_at = read_le16(r), content = read_le16(r),
	       content_at = read_le16(r);
	t->setup_count = read_u8(r);
	read_u8(r);
	for (size_t i = 0; i < 2 && i < t->setup_count; i++)
		t->setup[i] = read_le16(r);
	t->params = params ? bytes_part(q->message, params_at, params, &bad) : (struct bytes){q->message.at, 0};
	t->content = content ? bytes_part(q->message, content_at, content, &bad)
			     : (struct bytes){q->message.at, 0};
	t->whole = t->total <= content && total_params <= params;
	return reader_ok(r) && !bad;
}

/* The answer's frame: ten words, then parameters and data, each at a multiple of four. */
static void answer_transaction(struct smb1 *q, struct bytes params, struct bytes content)
{
	smb1_words(q);
	size_t at = writer_used(q->out);
	write_zero(q->out, 20);
	smb1_bytes(q);
	smb1_pad(q, 4);
	size_t params_at = writer_used(q->out);
	write_span(q->out, params);
	smb1_pad(q, 4);
	size_t content_at = writer_used(q->out);
	write_span(q->out, content);
	smb1_end(q);
	const size_t numbers[] = {params.len, content.len, 0,           params.len, params_at,
				  0,          content.len, content_at, 0,          0};
	for (size_t i = 0; i < 10; i++)
		write_little_at(q->out, at + 2 * i, numbers[i], 2);
}

void smb1_tell_exploit(struct smb1 *q, const char *method, const char *rule)
{
	struct event *e = smb_tell(q->session, q->smb, method, (struct bytes){0});
	if (e)
		event_set_text(e, FIELD_RULE, rule);
}

static void peek(struct smb1 *q, uint16_t file)
{
	struct smb_open *o = smb_open_find(q->smb, file);
	if (o && o->kind == SMB_PIPE) {
		uint8_t room[6] = {0};
		little_put(room, o->said_len - o->said_at, 2);
		little_put(room + 2, o->said_len - o->said_at, 2);
		little_put(room + 4, 3, 2);
		answer_transaction(q, (struct bytes){room, sizeof room}, (struct bytes){room, 0});
		return;
	}
	if (file == 0)
		smb1_tell_exploit(q, "peek-named-pipe", "ms17-010-probe");
	smb1_refuse(q, q->smb->device->unpatched && file == 0 ? STATUS_INSUFF_SERVER_RESOURCES
							      : STATUS_INVALID_HANDLE);
}

static void transact_pipe(struct smb1 *q, const struct transaction *t)
{
	uint8_t room[ANSWER_DATA_MAX];
	struct writer w = writer_of(room, sizeof room);
	struct smb_open *o = smb_open_find(q->smb, t->setup[1]);
	if (!o || o->kind != SMB_PIPE) {
		smb1_refuse(q, STATUS_INVALID_HANDLE);
		return;
	}
	uint32_t status = smb_write(q->session, q->smb, o, 0, t->content);
	size_t most = t->content_max < sizeof room ? t->content_max : sizeof room;
	if (!status)
		status = smb_read(q->session, q->smb, o, 0, most, &w);
	if (status && status != (uint32_t)STATUS_BUFFER_OVERFLOW) {
		smb1_refuse(q, status);
		return;
	}
	q->status = status;
	answer_transaction(q, (struct bytes){room, 0}, writer_bytes(&w));
}

/* The interim answer: the rest is to come in further messages. */
static void open_transaction(struct smb1 *q, uint32_t total, struct bytes content)
{
	q->smb->transaction_total = total ? total : 1;
	q->smb->transaction.len = 0;
	smb_upload_write(q->session, &q->smb->transaction, 0, content);
	smb1_refuse(q, STATUS_SUCCESS);
}

void smb1_transaction(struct smb1 *q)
{
	struct transaction t = {0};
	if (!transaction_read(q, &t)) {
		smb1_refuse(q, STATUS_INVALID_PARAMETER);
		return;
	}
	if (!t.whole) {
		open_transaction(q, t.total, t.content);
		return;
	}
	switch (t.setup[0]) {
	case PEEK:
		peek(q, t.setup[1]);
		return;
	case TRANSACT:
		transact_pipe(q, &t);
		return;
	case 1: /* SetNmPipeState */
	case WAIT:
		answer_transaction(q, (struct bytes){q->message.at, 0}, (struct bytes){q->message.at, 0});
		return;
	}
	smb1_refuse(q, STATUS_NOT_SUPPORTED);
}

static unsigned list_level(unsigned level)
{
	static const uint8_t classes[] = {1, 2, 12, 3, 38, 37};
	return level >= 0x101 && level <= 0x106 ? classes[level - 0x101]
	       : level > PASS_THROUGH           ? level - PASS_THROUGH
						: 0;
}

static void answer_list(struct smb1 *q, struct smb_open *o, const struct transaction *t,
			unsigned level, size_t most, bool first, uint16_t flags)
{
	uint8_t room[ANSWER_DATA_MAX], params[10] = {0};
	struct writer w = writer_of(room, sizeof room);
	size_t count, room_max = t->content_max < sizeof room ? t->content_max : sizeof room;
	uint32_t status = smb_list(q->session, q->smb, o, list_level(level), room_max,
				   most < LISTED_MAX ? most : LISTED_MAX, &count, &w);
	bool end = status == (uint32_t)STATUS_NO_MORE_FILES && !first;
	if (status && !end) {
		o->kind = SMB_FREE;
		smb1_refuse(q, status);
		return;
	}
	/* The end is known when another look finds nothing. */
	uint8_t spare_room[512];
	struct writer spare = writer_of(spare_room, sizeof spare_room);
	size_t more, at = o->listed;
	end = end || smb_list(q->session, q->smb, o, 12, sizeof spare_room, 1, &more, &spare) != 0;
	o->listed = at;
	size_t skip = first ? 2 : 0;
	little_put(params, o->id, 2);
	little_put(params + skip, count, 2);
	little_put(params + skip + 2, end, 2);
	if (end && flags & 2)
		o->kind = SMB_FREE;
	answer_transaction(q, (struct bytes){params, 8 + skip}, writer_bytes(&w));
}

static void find_first(struct smb1 *q, const struct transaction *t)
{
	char name[SMB_PATH_MAX];
	struct reader r = reader_of_bytes(t->params);
	struct smb_open *o;
	uint32_t action;
	read_le16(&r);
	size_t most = read_le16(&r);
	uint16_t flags = read_le16(&r);
	unsigned level = read_le16(&r);
	read_le32(&r);
	if (!reader_ok(&r)) {
		smb1_refuse(q, STATUS_INVALID_PARAMETER);
		return;
	}
	struct bytes path = smb1_text(q, r.at, r.end, name, sizeof name);
	size_t n = path.len;
	while (n && path.at[n - 1] != '\\')
		n--;
	struct bytes pattern = {path.at + n, path.len - n};
	struct smb_wish wish = {.name = {path.at, n}, .disposition = 1, .options = 1};
	uint32_t status = smb_open(q->session, q->smb, q->tree, &wish, &o, &action);
	if (status) {
		smb1_refuse(q, status == (uint32_t)STATUS_OBJECT_NAME_NOT_FOUND ? (uint32_t)STATUS_OBJECT_PATH_NOT_FOUND
									: status);
		return;
	}
	smb_tell(q->session, q->smb, "list", path);
	bytes_copy_text(pattern, o->pattern, sizeof o->pattern);
	answer_list(q, o, t, level, most, true, flags);
}

static void find_next(struct smb1 *q, const struct transaction *t)
{
	struct reader r = reader_of_bytes(t->params);
	struct smb_open *o = smb_open_find(q->smb, read_le16(&r));
	size_t most = read_le16(&r);
	unsigned level = read_le16(&r);
	read_le32(&r);
	uint16_t flags = read_le16(&r);
	if (!reader_ok(&r) || !o || o->kind != SMB_DIRECTORY) {
		smb1_refuse(q, STATUS_INVALID_HANDLE);
		return;
	}
	answer_list(q, o, t, level, most, false, flags);
}

static void write_all(struct writer *w, const struct smb_status_of *st)
{
	smb_write_basic(w, st);
	smb_write_standard(w, st, false);
	write_le32(w, 0); /* no extended attributes */
	write_le32(w, 0); /* and the name is not said */
}

static void answer_status(struct smb1 *q, const struct smb_status_of *st, unsigned level)
{
	uint8_t room[128], params[2] = {0};
	struct writer w = writer_of(room, sizeof room);
	switch (level) {
	case 0x101:
	case PASS_THROUGH + 4:
		smb_write_basic(&w, st);
		break;
	case 0x102:
	case PASS_THROUGH + 5:
		smb_write_standard(&w, st, false);
		break;
	case 0x103:
	case PASS_THROUGH + 7:
		write_le32(&w, 0);
		break;
	case 0x107:
		write_all(&w, st);
		break;
	case PASS_THROUGH + 6:
		write_le64(&w, st->id);
		break;
	case PASS_THROUGH + 22: /* streams: a file has one */
		write_le32(&w, 0);
		write_le32(&w, 14);
		write_le64(&w, st->size);
		write_le64(&w, st->size);
		write_utf16(&w, BYTES("::$DATA"));
		break;
	default:
		smb1_refuse(q, STATUS_INVALID_INFO_CLASS);
		return;
	}
	answer_transaction(q, (struct bytes){params, 2}, writer_bytes(&w));
}

static void query_path(struct smb1 *q, const struct transaction *t)
{
	char name[SMB_PATH_MAX];
	struct smb_status_of st;
	struct reader r = reader_of_bytes(t->params);
	unsigned level = read_le16(&r);
	read_le32(&r);
	if (!reader_ok(&r)) {
		smb1_refuse(q, STATUS_INVALID_PARAMETER);
		return;
	}
	struct bytes path = smb1_text(q, r.at, r.end, name, sizeof name);
	uint32_t status = smb_look_up(q->session, q->smb, q->tree, path, &st);
	if (status)
		smb1_refuse(q, status);
	else
		answer_status(q, &st, level);
}

static void query_volume(struct smb1 *q, const struct transaction *t)
{
	uint8_t room[128];
	struct writer w = writer_of(room, sizeof room);
	struct reader r = reader_of_bytes(t->params);
	unsigned level = read_le16(&r);
	static const uint8_t classes[] = {1, 3, 4, 5};
	level = level >= 0x102 && level <= 0x105 ? classes[level - 0x102]
		: level > PASS_THROUGH           ? level - PASS_THROUGH
						 : 0;
	if (smb_write_volume(q->session, level, &w))
		answer_transaction(q, (struct bytes){room, 0}, writer_bytes(&w));
	else
		smb1_refuse(q, STATUS_INVALID_INFO_CLASS);
}

static void set_file(struct smb1 *q, const struct transaction *t)
{
	static const uint8_t nothing[2] = {0};
	struct reader r = reader_of_bytes(t->params);
	struct smb_open *o = smb_open_find(q->smb, read_le16(&r));
	unsigned level = read_le16(&r);
	if (!o) {
		smb1_refuse(q, STATUS_INVALID_HANDLE);
		return;
	}
	if ((level == 0x102 || level == PASS_THROUGH + 13) && t->content.len)
		o->remove = t->content.at[0];
	answer_transaction(q, (struct bytes){nothing, 2}, (struct bytes){nothing, 0});
}

static void ask_implant(struct smb1 *q, const struct transaction *t)
{
	/* Its parameters are twelve bytes; the data is all that stands behind them. */
	struct bytes content = t->content;
	q->multiplex_add = smb_implant_ask(q->session, q->smb, t->timeout, t->params, content,
					   &q->signature);
	smb1_refuse(q, STATUS_NOT_IMPLEMENTED);
}

static void query_file(struct smb1 *q, const struct transaction *t)
{
	struct reader r = reader_of_bytes(t->params);
	struct smb_open *o = smb_open_find(q->smb, read_le16(&r));
	if (o)
		answer_status(q, &o->status, read_le16(&r));
	else
		smb1_refuse(q, STATUS_INVALID_HANDLE);
}

void smb1_transaction2(struct smb1 *q)
{
	struct transaction t = {0};
	bool ipc = smb_tree_is_pipe(q->smb, q->tree);
	if (!transaction_read(q, &t)) {
		smb1_refuse(q, STATUS_INVALID_PARAMETER);
		return;
	}
	if (t.setup[0] == SESSION_SETUP) {
		ask_implant(q, &t);
		return;
	}
	if (!t.whole) { /* the interim answer: go on */
		smb1_refuse(q, STATUS_SUCCESS);
		return;
	}
	switch (ipc && t.setup[0] != GET_DFS ? 0xff : t.setup[0]) {
	case FIND_FIRST:
		find_first(q, &t);
		return;
	case FIND_NEXT:
		find_next(q, &t);
		return;
	case QUERY_FS:
		query_volume(q, &t);
		return;
	case QUERY_PATH:
		query_path(q, &t);
		return;
	case QUERY_FILE:
		query_file(q, &t);
		return;
	case SET_FILE:
		set_file(q, &t);
		return;
	case GET_DFS:
		smb1_refuse(q, STATUS_NOT_FOUND);
		return;
	case 0xff:
		smb1_refuse(q, STATUS_INVALID_DEVICE_REQUEST);
		return;
	}
	smb1_refuse(q, STATUS_NOT_IMPLEMENTED);
}

void smb1_nt_transact(struct smb1 *q)
{
	struct reader *r = &q->words;
	bool bad = false;
	read_bytes(r, 3);
	read_le32(r);
	uint32_t total = read_le32(r);
	read_bytes(r, 16);
	size_t count = read_le32(r), at = read_le32(r);
	read_u8(r);
	uint16_t function = read_le16(r);
	if (!reader_ok(r)) {
		smb1_refuse(q, STATUS_INVALID_PARAMETER);
		return;
	}
	struct bytes content = bytes_part(q->message, at, count, &bad);
	/* A rename, which no client ever asks for this way, and then more than was announced. */
	if (function == NT_RENAME && !bad) {
		smb1_tell_exploit(q, "nt-transact", "eternalromance");
		session_capture(q->session, content, (struct bytes){0}, (struct bytes){0},
				"eternalromance");
	}
	if (total <= count || bad) {
		smb1_refuse(q, bad ? STATUS_INVALID_PARAMETER : STATUS_NOT_SUPPORTED);
		return;
	}
	if (total > 0xffff) /* more than 16 bits hold, which is the point of it */
		smb1_tell_exploit(q, "nt-transact", "eternalblue");
	open_transaction(q, total, content);
}

/* Both kinds of continuation have their counts at other places; the bytes are what counts. */
void smb1_secondary(struct smb1 *q)
{
	struct smb *smb = q->smb;
	if (!smb->transaction_total) {
		smb1_refuse(q, STATUS_INVALID_PARAMETER);
		return;
	}
	smb_upload_write(q->session, &smb->transaction, smb->transaction.len, q->bytes);
	if (smb->transaction.len < smb->transaction_total) {
		q->silent = true;
		q->out->at = q->out->start;
		return;
	}
	smb_upload_capture(q->session, &smb->transaction, (struct bytes){0}, "smb-transaction");
	smb->transaction_total = 0;
	smb1_refuse(q, STATUS_INVALID_PARAMETER);
}
