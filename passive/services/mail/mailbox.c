/* Reading and writing mbox files; what Dovecot keeps in hidden fields is kept there too. */
#include "passive/services/mail/mailbox.h"
#include "passive/services/mail/smtp.h"
#include "passive/persona.h"
#include <time.h>

#define MBOX_DATE "%a %b %e %H:%M:%S %Y"

static const char *const usual_names[] = {"Sent", "Drafts", "Trash"};

static bool is_name(struct bytes b)
{
	if (b.len == 0 || b.len > MAILBOX_NAME_MAX || b.at[0] == '.')
		return false;
	for (size_t i = 0; i < b.len; i++) {
		uint8_t c = b.at[i];
		if (c <= ' ' || c >= 0x7f || strchr("/\\%*\"", c))
			return false;
	}
	return true;
}

static bool path_of(struct bytes user, struct bytes name, struct mailbox *box)
{
	user.len = bytes_find(user, "@");
	if (!is_name(user) || !is_name(name))
		return false;
	if (bytes_equal_nocase(name, "INBOX"))
		snprintf(box->path, sizeof box->path, "/var/mail/%.*s", (int)user.len, (const char *)user.at);
	else
		snprintf(box->path, sizeof box->path, "%s%.*s/mail/%.*s", bytes_equal_text(user, "root") ? "/" : "/home/",
			 (int)user.len, (const char *)user.at, (int)name.len, (const char *)name.at);
	return true;
}

bool mailbox_append(struct mailbox *box, struct bytes text, uint32_t uid, uint8_t flags, uint64_t received_s)
{
	if (!box->mails)
		box->mails = arena_alloc(&box->arena, MAILBOX_MAILS_MAX * sizeof *box->mails);
	uint8_t *room = arena_alloc(&box->arena, 2 * text.len + 4);
	if (!box->mails || !room || box->count == MAILBOX_MAILS_MAX)
		return false;
	struct writer w = writer_of(room, 2 * text.len + 4);
	struct mail *m = &box->mails[box->count];
	*m = (struct mail){.uid = uid, .flags = flags, .received_s = received_s};
	struct reader in = reader_of_bytes(text);
	struct bytes line;
	while (reader_left(&in)) {
		if (!read_line(&in, &line))
			line = read_rest(&in);
		write_span(&w, line);
		write_text(&w, "\r\n");
		if (line.len == 0 && m->head_len == 0)
			m->head_len = writer_used(&w);
	}
	if (m->head_len == 0) {
		write_text(&w, "\r\n");
		m->head_len = writer_used(&w);
	}
	m->text = writer_bytes(&w);
	box->count++;
	if (uid >= box->uid_next)
		box->uid_next = uid + 1;
	return true;
}

static bool field_is(struct bytes line, const char *name, struct bytes *value)
{
	size_t n = strlen(name);
	if (line.len <= n || line.at[n] != ':' || !bytes_equal_nocase((struct bytes){line.at, n}, name))
		return false;
	*value = bytes_trim((struct bytes){line.at + n + 1, line.len - n - 1});
	return true;
}

static uint8_t flags_of(struct bytes letters)
{
	static const char names[] = "RAFDT";
	uint8_t flags = 0;
	for (size_t i = 0; i < letters.len; i++) {
		const char *at = strchr(names, letters.at[i]);
		if (letters.at[i] && at)
			flags |= (uint8_t)(1u << (at - names));
	}
	return flags;
}

struct entry { /* of an mbox, while it is read */
	struct writer text;
	uint64_t received_s;
	uint32_t uid;
	uint8_t flags;
	bool head, open;
};

static void entry_end(struct mailbox *box, struct entry *e)
{
	if (!e->open)
		return;
	size_t n = writer_used(&e->text);
	n -= n && e->text.start[n - 1] == '\n'; /* the empty line behind each */
	mailbox_append(box, (struct bytes){e->text.start, n}, e->uid ? e->uid : box->uid_next, e->flags, e->received_s);
}

static void entry_begin(struct bytes line, struct entry *e)
{
	char date[64];
	struct tm tm = {0};
	bytes_word(&line);
	bytes_word(&line);
	*e = (struct entry){.text = writer_of(e->text.start, (size_t)(e->text.end - e->text.start)), .head = true, .open = true};
	if (bytes_copy_text(bytes_trim(line), date, sizeof date) && strptime(date, "%a %b %d %H:%M:%S %Y", &tm))
		e->received_s = (uint64_t)timegm(&tm);
}

/* What Dovecot hides; true when the line is such a field. */
static bool hidden_field(struct mailbox *box, struct entry *e, struct bytes line)
{
	struct bytes value;
	uint64_t n;
	if (field_is(line, "X-IMAP", &value) || field_is(line, "X-IMAPbase", &value)) {
		if (bytes_number(bytes_word(&value), UINT32_MAX, &n))
			box->uid_validity = (uint32_t)n;
		if (bytes_number(bytes_trim(bytes_word(&value)), UINT32_MAX - 1, &n))
			box->uid_next = (uint32_t)n + 1;
	} else if (field_is(line, "X-UID", &value)) {
		e->uid = bytes_number(value, UINT32_MAX - 1, &n) ? (uint32_t)n : 0;
	} else if (field_is(line, "Status", &value) || field_is(line, "X-Status", &value)) {
		e->flags |= flags_of(value);
	} else {
		return field_is(line, "X-Keywords", &value) || field_is(line, "Content-Length", &value);
	}
	return true;
}

static bool read_mbox(struct mailbox *box, struct bytes content)
{
	struct arena room = ARENA(MAILBOX_BYTES_MAX + 4096);
	uint8_t *text = content.len <= MAILBOX_BYTES_MAX ? arena_alloc(&room, content.len + 1) : NULL;
	struct entry e = {.text = writer_of(text, text ? content.len + 1 : 0)};
	struct reader in = reader_of_bytes(content);
	struct bytes line;
	bool empty = true;
	while (text && reader_left(&in)) {
		if (!read_line(&in, &line))
			line = read_rest(&in);
		if (empty && bytes_start_with(line, "From ")) {
			entry_end(box, &e);
			entry_begin(line, &e);
			empty = false;
			continue;
		}
		empty = line.len == 0;
		e.head &= !empty;
		if (e.head && hidden_field(box, &e, line))
			continue;
		write_span(&e.text, line);
		write_u8(&e.text, '\n');
	}
	entry_end(box, &e);
	arena_done(&room);
	return text;
}

static void start(struct session *s, struct mailbox *box, struct bytes user)
{
	uint64_t mix = session_device_seed(s);
	for (size_t i = 0; i < user.len; i++)
		mix = (mix ^ user.at[i]) * 0x100000001b3u;
	box->arena = ARENA(MAILBOX_ARENA_MAX);
	box->uid_validity = 1262304000u + (uint32_t)(mix >> 20) % 100000000u; /* when the account was made */
	box->uid_next = 1;
	box->count = 0;
	box->mails = NULL;
	box->path[0] = '\0';
}

static bool usual(struct bytes name)
{
	for (size_t i = 0; i < sizeof usual_names / sizeof *usual_names; i++)
		if (bytes_equal_text(name, usual_names[i]))
			return true;
	return bytes_equal_nocase(name, "INBOX");
}

/* A mailbox that was removed is an empty link in its place, so that it is not made again. */
static bool find(struct session *s, struct bytes user, struct bytes name, struct mailbox *box, struct vfs *files,
		 struct vfs_node *node, bool *removed)
{
	*removed = false;
	if (!path_of(user, name, box) || !session_files(s, files, NULL))
		return false;
	if (vfs_find(files, bytes_of_text(box->path), true, node) == 0)
		return true;
	*removed = vfs_find(files, bytes_of_text(box->path), false, node) == 0;
	return false;
}

bool mailbox_open(struct session *s, struct bytes user, struct bytes name, struct mailbox *box)
{
	struct vfs files;
	struct vfs_node node;
	struct bytes content;
	bool removed;
	start(s, box, user);
	if (!find(s, user, name, box, &files, &node, &removed)) {
		if (removed || !box->path[0] || !is_name(name) || !usual(name))
			return false;
		mailbox_fill(s, user, name, box);
		return true;
	}
	if (vfs_content(node, &box->arena, &content) < 0 || !read_mbox(box, content)) {
		mailbox_close(box);
		return false;
	}
	return true;
}

void mailbox_close(struct mailbox *box)
{
	arena_done(&box->arena);
	box->count = 0;
	box->mails = NULL;
}

static void write_mail(const struct mailbox *box, const struct mail *m, bool first, struct writer *w)
{
	static const char letters[] = "AFDT";
	char date[32] = "";
	time_t when = (time_t)m->received_s;
	struct tm tm;
	struct reader in = reader_of_bytes(m->text);
	struct bytes line;
	if (gmtime_r(&when, &tm))
		strftime(date, sizeof date, MBOX_DATE, &tm);
	write_fmt(w, "From MAILER-DAEMON %s\n", date);
	for (size_t at = 0; reader_left(&in) && read_line(&in, &line); at = (size_t)(in.at - m->text.at)) {
		if (at < m->head_len && line.len == 0) {
			if (first)
				write_fmt(w, "X-IMAP: %u %010u\n", box->uid_validity, box->uid_next - 1);
			write_fmt(w, "Status: %sO\nX-Status: ", m->flags & MAIL_SEEN ? "R" : "");
			for (size_t i = 0; i < 4; i++)
				if (m->flags & MAIL_ANSWERED << i)
					write_u8(w, (uint8_t)letters[i]);
			write_fmt(w, "\nX-UID: %u\n", m->uid);
		}
		if (at >= m->head_len && bytes_start_with(line, "From "))
			write_u8(w, '>');
		write_span(w, line);
		write_u8(w, '\n');
	}
	write_u8(w, '\n');
}

static void make_directories(struct vfs *files, const char *path)
{
	for (const char *mark = strchr(path + 1, '/'); mark; mark = strchr(mark + 1, '/'))
		vfs_make_directory(files, (struct bytes){(const uint8_t *)path, (size_t)(mark - path)}, 0755);
}

static bool write_file(struct session *s, const char *path, struct bytes content)
{
	struct vfs files;
	struct vfs_change *file = NULL;
	if (!session_files(s, &files, NULL) || content.len > files.overlay->file_max / 2)
		return false; /* what does not fit must not cost what is there */
	make_directories(&files, path);
	return vfs_open(&files, bytes_of_text(path), VFS_TRUNCATE, 0600, &file) == 0 && file &&
	       vfs_append(&files, file, content) == 0;
}

bool mailbox_save(struct session *s, struct mailbox *box, bool expunge)
{
	struct arena room = ARENA(MAILBOX_ARENA_MAX);
	size_t size = 4096, left = 0;
	if (expunge) {
		for (size_t i = 0; i < box->count; i++)
			if (!(box->mails[i].flags & MAIL_DELETED))
				box->mails[left++] = box->mails[i];
		box->count = left;
	}
	for (size_t i = 0; i < box->count; i++)
		size += 2 * box->mails[i].text.len + 256;
	uint8_t *text = arena_alloc(&room, size);
	struct writer w = writer_of(text, text ? size : 0);
	for (size_t i = 0; i < box->count; i++)
		write_mail(box, &box->mails[i], i == 0, &w);
	bool good = text && !w.bad && write_file(s, box->path, writer_bytes(&w));
	arena_done(&room);
	return good;
}

bool mailbox_add(struct session *s, struct mailbox *box, struct bytes text, uint8_t flags, uint64_t received_s)
{
	size_t all = text.len;
	for (size_t i = 0; i < box->count; i++)
		all += box->mails[i].text.len;
	return all <= MAILBOX_BYTES_MAX / 2 && mailbox_append(box, text, box->uid_next, flags, received_s) &&
	       mailbox_save(s, box, false);
}

bool mailbox_exists(struct session *s, struct bytes user, struct bytes name)
{
	struct mailbox box = {0};
	struct vfs files;
	struct vfs_node node;
	bool removed;
	return find(s, user, name, &box, &files, &node, &removed) || (!removed && is_name(name) && usual(name));
}

bool mailbox_make(struct session *s, struct bytes user, struct bytes name)
{
	struct mailbox box = {0};
	if (mailbox_exists(s, user, name) || !path_of(user, name, &box))
		return false;
	struct vfs files;
	if (session_files(s, &files, NULL))
		vfs_remove(&files, bytes_of_text(box.path)); /* the mark of one that was removed */
	return write_file(s, box.path, (struct bytes){0});
}

bool mailbox_remove(struct session *s, struct bytes user, struct bytes name)
{
	struct mailbox box = {0};
	struct vfs files;
	if (!mailbox_exists(s, user, name) || !path_of(user, name, &box) || !session_files(s, &files, NULL))
		return false;
	make_directories(&files, box.path);
	vfs_remove(&files, bytes_of_text(box.path));
	return !usual(name) || vfs_make_link(&files, BYTES("/nonexistent"), bytes_of_text(box.path)) == 0;
}

bool mailbox_nth(struct session *s, struct bytes user, size_t n, char name[MAILBOX_NAME_MAX + 1])
{
	struct mailbox box = {0};
	struct vfs files;
	struct vfs_node node;
	struct vfs_child *children = NULL;
	struct arena room = ARENA(65536);
	size_t count = 0, at = 0;
	name[0] = '\0';
	if (!path_of(user, BYTES("x"), &box) || !session_files(s, &files, NULL))
		return false;
	for (size_t i = 0; i < sizeof usual_names / sizeof *usual_names && !name[0]; i++)
		if (mailbox_exists(s, user, bytes_of_text(usual_names[i])) && at++ == n)
			snprintf(name, MAILBOX_NAME_MAX + 1, "%s", usual_names[i]);
	struct bytes directory = {(const uint8_t *)box.path, strlen(box.path) - 2};
	if (!name[0] && vfs_find(&files, directory, true, &node) == 0 &&
	    vfs_list(&files, node, &room, &children, &count) == 0)
		for (size_t i = 0; i < count && !name[0]; i++)
			if (is_name(children[i].name) && !usual(children[i].name) && at++ == n)
				bytes_copy_text(children[i].name, name, MAILBOX_NAME_MAX + 1);
	arena_done(&room);
	return name[0];
}

void mailbox_domain(const struct session *s, char *out, size_t size)
{
	const struct persona *p = session_persona(s);
	for (size_t i = 0; p && i < p->service_count; i++) {
		const struct persona_service *of = &p->services[i];
		if (strcmp(of->service->name, "smtp") || !of->device)
			continue;
		const struct smtp_device *d = of->device;
		const char *const *domains = d->domains.items;
		session_expand(s, d->domains.count ? domains[0] : d->name, out, size);
		return;
	}
	session_expand(s, "%{hostname}.localdomain", out, size);
}
