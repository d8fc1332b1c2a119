/* Opening, reading, writing and closing what lies below a share, and pipes. */
#include "passive/services/smb/smb.h"

enum disposition { SUPERSEDE, OPEN, CREATE, OPEN_IF, OVERWRITE, OVERWRITE_IF };
enum create_option { OPTION_DIRECTORY_FILE = 1, OPTION_NON_DIRECTORY = 0x40, OPTION_DELETE = 0x1000 };
enum action { ACTION_OPENED = 1, ACTION_CREATED = 2, ACTION_OVERWRITTEN = 3 };

#define PIECE 16384
#define PIECES (SMB_UPLOAD_MAX / PIECE)
#define LOOK_ROOM 16384 /* memory of one look through directories */
#define LOOK_MAX (256 * 1024)

bool smb_upload_write(struct session *s, struct smb_upload *u, uint64_t offset, struct bytes b)
{
	if (offset > SMB_UPLOAD_MAX || b.len > SMB_UPLOAD_MAX - offset)
		return false;
	if (!u->pieces)
		u->pieces = arena_alloc(session_arena(s), PIECES * sizeof *u->pieces);
	if (!u->pieces)
		return false;
	for (size_t done = 0; done < b.len;) {
		size_t at = (size_t)offset + done, in_piece = at % PIECE;
		size_t n = PIECE - in_piece < b.len - done ? PIECE - in_piece : b.len - done;
		uint8_t **piece = &u->pieces[at / PIECE];
		if (!*piece)
			*piece = arena_alloc(session_arena(s), PIECE);
		if (!*piece)
			return false;
		memcpy(*piece + in_piece, b.at + done, n);
		done += n;
		if (at + n > u->len)
			u->len = at + n;
	}
	return true;
}

static void upload_read(const struct smb_upload *u, size_t offset, size_t len, struct writer *w)
{
	while (len) {
		const uint8_t *piece = u->pieces[offset / PIECE];
		size_t n = PIECE - offset % PIECE < len ? PIECE - offset % PIECE : len;
		if (piece)
			write_bytes(w, piece + offset % PIECE, n);
		else
			write_zero(w, n);
		offset += n;
		len -= n;
	}
}

void smb_upload_capture(struct session *s, const struct smb_upload *u, struct bytes name,
			const char *how)
{
	uint8_t *whole = arena_alloc(session_arena(s), u->len);
	struct writer w = writer_of(whole, whole ? u->len : 0);
	if (!whole) /* what there is room for: the first piece */
		w = writer_of(u->pieces[0], PIECE);
	else
		upload_read(u, 0, u->len, &w);
	size_t n = whole || u->len < PIECE ? u->len : PIECE;
	session_capture(s, (struct bytes){w.start, u->pieces[0] || whole ? n : 0}, name,
			(struct bytes){0}, how);
}

/* The entry of a directory that Windows would take for that name, in any case. */
static bool child_named(struct smb *smb, struct vfs_node directory, struct bytes name,
			struct arena *scratch, struct vfs_child *out)
{
	struct vfs_child *children;
	size_t count;
	if (vfs_list(&smb->vfs, directory, scratch, &children, &count) < 0)
		return false;
	for (size_t i = 0; i < count; i++)
		if (names_equal(children[i].name, name)) {
			*out = children[i];
			return true;
		}
	return false;
}

static bool name_allowed(struct bytes name)
{
	for (size_t i = 0; i < name.len; i++)
		if (name.at[i] < ' ' || strchr("\"*/:<>?|", name.at[i]))
			return false;
	return name.len <= VFS_NAME_MAX && !bytes_equal_text(name, "..");
}

/*
 * The path in the device's tree: each part with the letters that the tree has.  `*missing`
 * says how many parts at its end are not there.
 */
static uint32_t path_find(struct smb *smb, uint32_t tree, struct bytes name,
			  char path[SMB_PATH_MAX], unsigned *missing)
{
	const char *share = smb->paths[smb->trees[tree - 1] - 1];
	uint8_t room[LOOK_ROOM];
	struct arena scratch = arena_over(room, sizeof room, LOOK_MAX);
	struct writer w = writer_of(path, SMB_PATH_MAX - 1);
	struct vfs_node at;
	uint32_t status = STATUS_SUCCESS;
	write_text(&w, smb->drive);
	write_text(&w, strcmp(share, "/") == 0 ? "" : share);
	bool there = vfs_find(&smb->vfs, writer_used(&w) ? writer_bytes(&w) : BYTES("/"), true, &at) == 0;
	*missing = 0;
	while (name.len && status == STATUS_SUCCESS) {
		size_t n = 0;
		while (n < name.len && name.at[n] != '\\')
			n++;
		struct bytes part = {name.at, n};
		name = (struct bytes){name.at + n + (n < name.len), name.len - n - (n < name.len)};
		if (!part.len || bytes_equal_text(part, "."))
			continue;
		if (!name_allowed(part))
			status = STATUS_OBJECT_NAME_NOT_FOUND;
		struct vfs_child child;
		there = there && child_named(smb, at, part, &scratch, &child);
		if (there)
			at = child.node;
		*missing += !there;
		write_text(&w, "/");
		write_span(&w, there ? child.name : part);
	}
	arena_done(&scratch);
	if (w.bad || status)
		return STATUS_OBJECT_NAME_NOT_FOUND;
	if (writer_used(&w) == 0)
		write_text(&w, "/");
	*w.at = '\0';
	return *missing > 1 ? STATUS_OBJECT_PATH_NOT_FOUND : STATUS_SUCCESS;
}

static void status_of(struct vfs_node node, struct smb_status_of *out)
{
	struct vfs_status st;
	vfs_stat(node, &st);
	*out = (struct smb_status_of){
		.directory = st.kind == VFS_DIRECTORY, .mtime_s = st.mtime_s, .size = st.size};
}

static uint64_t path_number(const struct session *s, const char *path)
{
	uint64_t h = windows_number(s, 30);
	for (; *path; path++)
		h = (h ^ (uint8_t)*path) * 0x100000001b3u;
	return h >> 16 | 1ull << 48; /* as NTFS: a record, and how often it was used */
}

static bool status_at(struct session *s, struct smb *smb, const char *path,
		      struct smb_status_of *out)
{
	struct vfs_node node;
	if (vfs_find(&smb->vfs, bytes_of_text(path), true, &node) < 0)
		return false;
	status_of(node, out);
	out->id = path_number(s, path);
	for (size_t i = 0; i < SMB_OPENS_MAX; i++) /* what is being written has grown */
		if (smb->opens[i] && smb->opens[i]->kind == SMB_FILE && smb->opens[i]->written &&
		    strcmp(smb->opens[i]->path, path) == 0)
			out->size = smb->opens[i]->upload.len;
	return true;
}

uint32_t smb_look_up(struct session *s, struct smb *smb, uint32_t tree, struct bytes name,
		     struct smb_status_of *out)
{
	char path[SMB_PATH_MAX];
	unsigned missing;
	uint32_t status = path_find(smb, tree, name, path, &missing);
	if (status == STATUS_SUCCESS && (missing || !status_at(s, smb, path, out)))
		return STATUS_OBJECT_NAME_NOT_FOUND;
	return status;
}

static struct smb_open *slot_take(struct session *s, struct smb *smb)
{
	for (size_t i = 0; i < SMB_OPENS_MAX; i++) {
		struct smb_open *o = smb->opens[i];
		if (!o)
			o = smb->opens[i] = arena_alloc(session_arena(s), sizeof *o);
		if (!o || o->kind)
			continue;
		uint8_t *said = o->said;
		uint8_t **pieces = o->upload.pieces;
		size_t used = o->upload.len;
		*o = (struct smb_open){.id = (uint16_t)(i + 1), .said = said};
		for (size_t n = 0; n * PIECE < used; n++) /* its memory serves the next file */
			if (pieces[n])
				memset(pieces[n], 0, PIECE);
		o->upload.pieces = pieces;
		return o;
	}
	return NULL;
}

static bool pipe_allowed(const struct smb *smb, struct bytes name)
{
	static const char *const always[] = {"lsarpc", "samr", "netlogon", "browser", NULL};
	static const char *const known[] = {"srvsvc", "wkssvc", "svcctl", "atsvc",  "spoolss", "winreg",
					    "epmapper", "eventlog", "ntsvcs", "lsass", "W32TIME_ALT", NULL};
	bool open = !smb->anonymous || smb->system->samba;
	for (const char *const *n = always; *n; n++)
		if (names_equal(name, bytes_of_text(*n)))
			return open || smb->system->major < 10;
	for (const char *const *n = known; *n; n++)
		if (names_equal(name, bytes_of_text(*n)))
			return open;
	return false;
}

static uint32_t pipe_open(struct session *s, struct smb *smb, struct bytes name,
			  struct smb_open **out)
{
	while (name.len && name.at[0] == '\\')
		name = (struct bytes){name.at + 1, name.len - 1};
	if (names_equal(name, BYTES("pipe")) || name.len >= 48 || !name.len)
		return STATUS_OBJECT_NAME_NOT_FOUND;
	smb_tell(s, smb, "pipe-open", name);
	if (!pipe_allowed(smb, name))
		return smb->anonymous ? STATUS_ACCESS_DENIED : STATUS_OBJECT_NAME_NOT_FOUND;
	struct smb_open *o = slot_take(s, smb);
	if (!o)
		return STATUS_INSUFF_SERVER_RESOURCES;
	o->kind = SMB_PIPE;
	bytes_copy_text(name, o->path, sizeof o->path);
	rpc_start(&o->rpc, &smb->place, false, session_random(s));
	*out = o;
	return STATUS_SUCCESS;
}

/* Makes what is to be made; afterwards the path is there, or the status says why not. */
static uint32_t path_make(struct smb *smb, const char *path, bool directory)
{
	struct vfs_change *change;
	int bad = directory ? vfs_make_directory(&smb->vfs, bytes_of_text(path), 0755)
			    : vfs_open(&smb->vfs, bytes_of_text(path), VFS_TRUNCATE, 0644, &change);
	return bad ? STATUS_ACCESS_DENIED : STATUS_SUCCESS;
}

static uint32_t wish_check(const struct smb_wish *wish, bool there,
			   const struct smb_status_of *status)
{
	bool directory = wish->options & OPTION_DIRECTORY_FILE;
	if (!there)
		return wish->disposition == OPEN || wish->disposition == OVERWRITE
			       ? STATUS_OBJECT_NAME_NOT_FOUND
			       : STATUS_SUCCESS;
	if (wish->disposition == CREATE)
		return STATUS_OBJECT_NAME_COLLISION;
	if (directory && !status->directory)
		return STATUS_NOT_A_DIRECTORY;
	if (status->directory && (wish->options & OPTION_NON_DIRECTORY))
		return STATUS_FILE_IS_A_DIRECTORY;
	return STATUS_SUCCESS;
}

/* Of a file that is opened: clients read as much as they are told, so %{names} count filled in. */
static void size_as_shown(struct session *s, struct smb *smb, const char *path, struct smb_status_of *status)
{
	struct vfs_node node;
	struct vfs_status st;
	if (vfs_find(&smb->vfs, bytes_of_text(path), true, &node) < 0)
		return;
	session_stat(s, node, &st);
	if (st.flags & VFS_MADE)
		status->size = st.size;
}

uint32_t smb_open(struct session *s, struct smb *smb, uint32_t tree, const struct smb_wish *wish,
		  struct smb_open **out, uint32_t *action)
{
	char path[SMB_PATH_MAX];
	unsigned missing;
	struct smb_status_of status = {0};
	*action = ACTION_OPENED;
	if (smb_tree_is_pipe(smb, tree))
		return pipe_open(s, smb, wish->name, out);
	uint32_t bad = path_find(smb, tree, wish->name, path, &missing);
	if (bad)
		return bad;
	bool there = !missing && status_at(s, smb, path, &status);
	bad = wish_check(wish, there, &status);
	if (bad)
		return bad;
	bool truncates = wish->disposition != OPEN && wish->disposition != OPEN_IF;
	if ((!there || (truncates && !status.directory)) && (smb->guest && !smb->system->samba))
		return STATUS_ACCESS_DENIED;
	if (!there || (truncates && !status.directory)) {
		smb_tell(s, smb, "create", wish->name);
		bad = path_make(smb, path, wish->options & OPTION_DIRECTORY_FILE);
		if (bad)
			return bad;
		status_at(s, smb, path, &status);
		*action = there ? ACTION_OVERWRITTEN : ACTION_CREATED;
	} else if (!status.directory) {
		smb_tell(s, smb, "open", wish->name);
		size_as_shown(s, smb, path, &status);
	}
	struct smb_open *o = slot_take(s, smb);
	if (!o)
		return STATUS_INSUFF_SERVER_RESOURCES;
	o->kind = status.directory ? SMB_DIRECTORY : SMB_FILE;
	o->tree = (uint8_t)tree;
	o->status = status;
	o->remove = wish->options & OPTION_DELETE;
	memcpy(o->path, path, sizeof path);
	*out = o;
	return STATUS_SUCCESS;
}

struct smb_open *smb_open_find(struct smb *smb, uint64_t id)
{
	struct smb_open *o = id >= 1 && id <= SMB_OPENS_MAX ? smb->opens[id - 1] : NULL;
	return o && o->kind ? o : NULL;
}

/* What was written is handed over, and stays for as long as the session. */
static void file_settle(struct session *s, struct smb *smb, struct smb_open *o)
{
	struct vfs_change *change = NULL;
	size_t kept = o->upload.len < VFS_FILE_MAX ? o->upload.len : VFS_FILE_MAX;
	smb_upload_capture(s, &o->upload, bytes_of_text(o->path), "smb");
	if (vfs_open(&smb->vfs, bytes_of_text(o->path), VFS_TRUNCATE, 0644, &change) < 0 || !change)
		return;
	for (size_t at = 0; at < kept; at += PIECE) {
		size_t n = kept - at < PIECE ? kept - at : PIECE;
		const uint8_t *piece = o->upload.pieces[at / PIECE];
		if (!piece || vfs_append(&smb->vfs, change, (struct bytes){piece, n}) < 0)
			return;
	}
}

void smb_close(struct session *s, struct smb *smb, struct smb_open *o)
{
	if (o->kind == SMB_FILE && o->written)
		file_settle(s, smb, o);
	if (o->remove && o->kind == SMB_FILE)
		vfs_remove(&smb->vfs, bytes_of_text(o->path));
	if (o->remove && o->kind == SMB_DIRECTORY)
		vfs_remove_directory(&smb->vfs, bytes_of_text(o->path));
	if (o->remove)
		smb_tell(s, smb, "delete", bytes_of_text(o->path));
	vfs_settle(&smb->vfs);
	o->kind = SMB_FREE;
}

static uint32_t pipe_write(struct session *s, struct smb_open *o, struct bytes b)
{
	char address[64] = "\\PIPE\\";
	if (!o->said)
		o->said = arena_alloc(session_arena(s), RPC_ANSWER_MAX);
	if (!o->said)
		return STATUS_INSUFF_SERVER_RESOURCES;
	memmove(o->said, o->said + o->said_at, o->said_len - o->said_at);
	o->said_len -= o->said_at;
	o->said_message -= o->said_message > o->said_at ? o->said_at : o->said_message;
	o->said_at = 0;
	struct writer w = writer_of(o->said + o->said_len, RPC_ANSWER_MAX - o->said_len);
	memcpy(address + 6, o->path, strlen(o->path) < 56 ? strlen(o->path) + 1 : 1);
	rpc_answer(s, &o->rpc, b, address, &w);
	if (!w.bad)
		o->said_len += writer_used(&w);
	return STATUS_SUCCESS;
}

/* A file that is changed in the middle keeps what it had. */
static bool upload_begin(struct session *s, struct smb *smb, struct smb_open *o)
{
	struct vfs_node node;
	struct bytes had = {0};
	o->written = true;
	if (!o->status.size || vfs_find(&smb->vfs, bytes_of_text(o->path), true, &node) < 0 ||
	    vfs_content(node, session_arena(s), &had) < 0)
		return true;
	return smb_upload_write(s, &o->upload, 0, had);
}

uint32_t smb_write(struct session *s, struct smb *smb, struct smb_open *o, uint64_t offset,
		   struct bytes b)
{
	if (o->kind == SMB_PIPE)
		return pipe_write(s, o, b);
	if (o->kind != SMB_FILE)
		return STATUS_INVALID_DEVICE_REQUEST;
	if (smb->guest && !smb->system->samba)
		return STATUS_ACCESS_DENIED;
	if (!o->written && !upload_begin(s, smb, o))
		return STATUS_INSUFF_SERVER_RESOURCES;
	if (!smb_upload_write(s, &o->upload, offset, b))
		return (uint32_t)0xc000007f; /* STATUS_DISK_FULL */
	o->status.size = o->upload.len;
	return STATUS_SUCCESS;
}

/* Pipes of RPC carry messages: a read gives one of them, or as much of it as was asked for. */
static uint32_t pipe_read(struct smb_open *o, size_t most, struct writer *w)
{
	size_t left = o->said_len - o->said_at;
	if (!left)
		return STATUS_PIPE_EMPTY;
	if (o->said_message <= o->said_at) {
		size_t len = rpc_length((struct bytes){o->said + o->said_at, left});
		o->said_message = o->said_at + (len && len < left ? len : left);
	}
	left = o->said_message - o->said_at;
	size_t n = left < most ? left : most;
	write_bytes(w, o->said + o->said_at, n);
	o->said_at += n;
	return n < left ? STATUS_BUFFER_OVERFLOW : STATUS_SUCCESS;
}

uint32_t smb_read(struct session *s, struct smb *smb, struct smb_open *o, uint64_t offset,
		  size_t most, struct writer *w)
{
	struct vfs_node node;
	struct bytes content;
	if (o->kind == SMB_PIPE)
		return pipe_read(o, most, w);
	if (o->kind != SMB_FILE)
		return STATUS_INVALID_DEVICE_REQUEST;
	most = most < SMB_READ_MAX ? most : SMB_READ_MAX;
	if (o->written) {
		if (offset >= o->upload.len)
			return STATUS_END_OF_FILE;
		size_t left = o->upload.len - (size_t)offset;
		upload_read(&o->upload, (size_t)offset, left < most ? left : most, w);
		return STATUS_SUCCESS;
	}
	uint8_t room[LOOK_ROOM];
	struct arena scratch = arena_over(room, sizeof room, LOOK_MAX);
	uint32_t status = STATUS_END_OF_FILE;
	if (vfs_find(&smb->vfs, bytes_of_text(o->path), true, &node) == 0 &&
	    session_content(s, node, &scratch, &content) == 0 && offset < content.len) {
		size_t left = content.len - (size_t)offset;
		write_bytes(w, content.at + offset, left < most ? left : most);
		status = STATUS_SUCCESS;
	}
	arena_done(&scratch);
	return status;
}

uint32_t smb_remove(struct session *s, struct smb *smb, uint32_t tree, struct bytes name)
{
	char path[SMB_PATH_MAX];
	unsigned missing;
	uint32_t status = path_find(smb, tree, name, path, &missing);
	if (status)
		return status;
	smb_tell(s, smb, "delete", name);
	if (missing || vfs_remove(&smb->vfs, bytes_of_text(path)) < 0)
		return STATUS_OBJECT_NAME_NOT_FOUND;
	vfs_settle(&smb->vfs);
	return STATUS_SUCCESS;
}
