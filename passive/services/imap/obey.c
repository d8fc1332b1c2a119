/* The commands of somebody who has logged in, in Dovecot's words. */
#include "passive/services/imap/session.h"

struct command {
	struct session *session;
	struct imap *imap;
	struct reader *in;
	struct bytes name; /* without UID before it */
	bool uid;
};

static struct bytes user_of(const struct imap *imap)
{
	return (struct bytes){imap->user, imap->user_len};
}

static void done(struct command *c, const char *what)
{
	session_say(c->session, "%s OK %s completed" IMAP_TIMES, c->imap->tag, what);
}

static void refuse(struct command *c, const char *why)
{
	session_say(c->session, "%s NO %s" IMAP_TIMES, c->imap->tag, why);
}

static void complain(struct command *c, const char *why)
{
	char name[32];
	if (!bytes_copy_text(c->name, name, sizeof name))
		name[0] = '\0';
	for (char *at = name; *at; at++)
		*at = *at >= 'a' && *at <= 'z' ? (char)(*at - 32) : *at;
	session_say(c->session, "%s BAD Error in IMAP command %s%s: %s" IMAP_TIMES, c->imap->tag, c->uid ? "UID " : "", name, why);
}

static bool word(struct command *c, struct bytes *out)
{
	return imap_string(c->in, session_arena(c->session), out);
}

static bool mailbox_word(struct command *c, struct bytes *name)
{
	if (word(c, name))
		return true;
	complain(c, "Missing arguments");
	return false;
}

static void no_mailbox(struct command *c, const char *code, struct bytes name)
{
	char why[MAILBOX_NAME_MAX + 64];
	snprintf(why, sizeof why, "%sMailbox doesn't exist: %.*s", code, (int)(name.len < MAILBOX_NAME_MAX ? name.len : MAILBOX_NAME_MAX),
		 (const char *)name.at);
	refuse(c, why);
}

static size_t first_unseen(const struct mailbox *box)
{
	for (size_t i = 0; i < box->count; i++)
		if (!(box->mails[i].flags & MAIL_SEEN))
			return i + 1;
	return 0;
}

static void deselect(struct imap *imap)
{
	mailbox_close(&imap->box);
	imap->selected = false;
}

static void select_mailbox(struct command *c, bool read_only)
{
	struct session *s = c->session;
	struct imap *imap = c->imap;
	struct bytes name;
	if (!mailbox_word(c, &name))
		return;
	if (imap->selected)
		session_say(s, "* OK [CLOSED] Previous mailbox closed.\r\n");
	deselect(imap);
	if (!mailbox_open(s, user_of(imap), name, &imap->box)) {
		no_mailbox(c, "", name);
		return;
	}
	imap->selected = true;
	imap->read_only = read_only;
	imap->name_len = (uint8_t)name.len;
	memcpy(imap->name, name.at, name.len);
	session_say(s, "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)\r\n* OK [PERMANENTFLAGS (%s)] %s.\r\n",
		    read_only ? "" : "\\Answered \\Flagged \\Deleted \\Seen \\Draft \\*", read_only ? "Read-only mailbox" : "Flags permitted");
	session_say(s, "* %zu EXISTS\r\n* 0 RECENT\r\n", imap->box.count);
	if (first_unseen(&imap->box))
		session_say(s, "* OK [UNSEEN %zu] First unseen.\r\n", first_unseen(&imap->box));
	session_say(s, "* OK [UIDVALIDITY %u] UIDs valid\r\n* OK [UIDNEXT %u] Predicted next UID\r\n", imap->box.uid_validity, imap->box.uid_next);
	done(c, read_only ? "[READ-ONLY] Examine" : "[READ-WRITE] Select");
}

/* What has come since, by SMTP or APPEND. */
static void look_again(struct session *s, struct imap *imap)
{
	struct mailbox now;
	if (!imap->selected || !mailbox_open(s, user_of(imap), (struct bytes){imap->name, imap->name_len}, &now))
		return;
	if (now.count <= imap->box.count || now.uid_validity != imap->box.uid_validity) {
		mailbox_close(&now);
		return;
	}
	session_say(s, "* %zu EXISTS\r\n* %zu RECENT\r\n", now.count, now.count - imap->box.count);
	mailbox_close(&imap->box);
	imap->box = now;
}

static uint32_t last_uid(const struct mailbox *box)
{
	return box->count ? box->mails[box->count - 1].uid : 0;
}

static bool is_in(const struct command *c, struct bytes set, size_t i)
{
	const struct mailbox *box = &c->imap->box;
	return c->uid ? imap_set_has(set, box->mails[i].uid, last_uid(box)) : imap_set_has(set, (uint32_t)i + 1, (uint32_t)box->count);
}

/* The set that a command begins with; numbers must be of mails, UIDs need not. */
static bool set_word(struct command *c, struct bytes *set)
{
	bool good = imap_atom(c->in, set) && imap_is_set(*set);
	struct bytes rest = good ? *set : (struct bytes){0};
	while (good && rest.len && !c->uid) {
		size_t n = 0;
		uint64_t number;
		while (n < rest.len && rest.at[n] != ',' && rest.at[n] != ':')
			n++;
		if (rest.at[0] != '*')
			good = bytes_number((struct bytes){rest.at, n}, c->imap->box.count, &number) && number;
		rest = n < rest.len ? (struct bytes){rest.at + n + 1, rest.len - n - 1} : (struct bytes){0};
	}
	if (!good)
		complain(c, "Invalid messageset");
	return good;
}

static void fetch(struct command *c)
{
	struct mailbox *box = &c->imap->box;
	struct imap_items items;
	struct bytes set;
	bool changed = false;
	if (!set_word(c, &set))
		return;
	if (!imap_items_read(c->in, c->uid, &items)) {
		char why[96];
		snprintf(why, sizeof why, "Unknown parameter: %.*s", (int)(items.unknown.len < 60 ? items.unknown.len : 60),
			 items.unknown.len ? (const char *)items.unknown.at : "");
		complain(c, items.unknown.len ? why : "Missing arguments");
		return;
	}
	for (size_t i = 0; i < box->count; i++)
		if (is_in(c, set, i))
			changed |= imap_fetch(c->session, &items, &box->mails[i], i + 1, c->imap->read_only);
	if (changed)
		mailbox_save(c->session, box, false);
	done(c, "Fetch");
}

static void store(struct command *c)
{
	struct mailbox *box = &c->imap->box;
	struct imap_items items = {.items = {{.kind = IMAP_UID}, {.kind = IMAP_FLAGS}}, .count = 2};
	struct bytes set, how;
	uint8_t flags;
	if (!set_word(c, &set))
		return;
	if (!imap_atom(c->in, &how) || !imap_flags(c->in, &flags)) {
		complain(c, "Missing arguments");
		return;
	}
	bool adds = how.at[0] == '+', removes = how.at[0] == '-';
	struct bytes word = {how.at + (adds || removes), how.len - (adds || removes)};
	bool silent = bytes_equal_nocase(word, "FLAGS.SILENT");
	if (!silent && !bytes_equal_nocase(word, "FLAGS")) {
		complain(c, "Invalid arguments");
		return;
	}
	if (c->imap->read_only) {
		session_say(c->session, "%s OK Store ignored with read-only mailbox" IMAP_TIMES, c->imap->tag);
		return;
	}
	if (!c->uid)
		items = (struct imap_items){.items = {{.kind = IMAP_FLAGS}}, .count = 1};
	for (size_t i = 0; i < box->count; i++) {
		if (!is_in(c, set, i))
			continue;
		uint8_t old = box->mails[i].flags;
		box->mails[i].flags = (uint8_t)(adds ? old | flags : removes ? old & ~flags : flags);
		if (!silent)
			imap_fetch(c->session, &items, &box->mails[i], i + 1, true);
	}
	mailbox_save(c->session, box, false);
	done(c, "Store");
}

/* From the last to the first, so that the numbers of those before stay as they are told. */
static void expunge(struct command *c, struct bytes set, bool told)
{
	struct mailbox *box = &c->imap->box;
	bool any = false;
	for (size_t i = box->count; i-- > 0;) {
		if (set.len && !is_in(c, set, i))
			box->mails[i].flags &= (uint8_t)~MAIL_DELETED;
		if (!(box->mails[i].flags & MAIL_DELETED))
			continue;
		any = true;
		if (told)
			session_say(c->session, "* %zu EXPUNGE\r\n", i + 1);
	}
	if (any && !c->imap->read_only)
		mailbox_save(c->session, box, true);
}

static void search(struct command *c)
{
	struct mailbox *box = &c->imap->box;
	struct arena room = ARENA(4u << 20);
	struct bytes unknown, criteria = {c->in->at, reader_left(c->in)};
	bool *found = arena_alloc(&room, box->count + 1);
	if (!found || !imap_search(box, criteria, &room, found, &unknown)) {
		char why[96];
		snprintf(why, sizeof why, "Unknown argument %.*s", (int)(unknown.len < 60 ? unknown.len : 60), unknown.len ? (const char *)unknown.at : "");
		complain(c, found && unknown.len ? why : "Missing or invalid arguments");
		arena_done(&room);
		return;
	}
	session_say(c->session, "* SEARCH");
	for (size_t i = 0; i < box->count; i++)
		if (found[i])
			session_say(c->session, " %u", c->uid ? box->mails[i].uid : (unsigned)i + 1);
	session_say(c->session, "\r\n");
	arena_done(&room);
	done(c, "Search");
}

/* COPY and MOVE (RFC 6851). */
static void copy(struct command *c, bool moves)
{
	struct mailbox *box = &c->imap->box, to;
	struct bytes set, name;
	size_t count = 0;
	if (!set_word(c, &set) || !mailbox_word(c, &name))
		return;
	if (!mailbox_open(c->session, user_of(c->imap), name, &to)) {
		no_mailbox(c, "[TRYCREATE] ", name);
		return;
	}
	uint32_t first = to.uid_next;
	for (size_t i = 0; i < box->count; i++) {
		if (!is_in(c, set, i))
			continue;
		struct mail *m = &box->mails[i];
		count += mailbox_append(&to, m->text, to.uid_next, m->flags, m->received_s);
	}
	bool kept = count == 0 || mailbox_save(c->session, &to, false);
	uint32_t validity = to.uid_validity;
	mailbox_close(&to);
	if (!kept) {
		refuse(c, "[OVERQUOTA] Not enough disk quota");
		return;
	}
	for (size_t i = 0; moves && i < box->count; i++)
		if (is_in(c, set, i))
			box->mails[i].flags |= MAIL_DELETED;
	if (moves && count)
		expunge(c, set, true);
	if (count && c->uid)
		session_say(c->session, "%s OK [COPYUID %u %.*s %u:%u] %s completed" IMAP_TIMES, c->imap->tag, validity, (int)set.len,
			    (const char *)set.at, first, (unsigned)(first + count - 1), moves ? "Move" : "Copy");
	else
		done(c, moves ? "Move" : "Copy");
}

static void append(struct command *c)
{
	struct mailbox to;
	struct bytes name, text;
	uint8_t flags = 0;
	if (!mailbox_word(c, &name))
		return;
	struct reader at = *c->in;
	if (imap_is(&at, '('))
		imap_flags(c->in, &flags);
	at = *c->in;
	if (imap_is(&at, '"') && !word(c, &text)) { /* when it is to have come */
		complain(c, "Invalid internal date.");
		return;
	}
	if (!word(c, &text) || text.len == 0) {
		complain(c, "Invalid arguments.");
		return;
	}
	if (!mailbox_open(c->session, user_of(c->imap), name, &to)) {
		no_mailbox(c, "[TRYCREATE] ", name);
		return;
	}
	session_capture(c->session, text, BYTES("message.eml"), (struct bytes){0}, "mail");
	bool kept = mailbox_add(c->session, &to, text, flags, session_time_us(c->session) / 1000000);
	if (kept) {
		look_again(c->session, c->imap);
		session_say(c->session, "%s OK [APPENDUID %u %u] Append completed" IMAP_TIMES, c->imap->tag, to.uid_validity, to.uid_next - 1);
	} else {
		refuse(c, "[OVERQUOTA] Quota exceeded (mailbox for user is full)");
	}
	mailbox_close(&to);
}

static bool matches(struct bytes pattern, const char *name)
{
	char text[MAILBOX_NAME_MAX + 2];
	if (!bytes_copy_text(pattern, text, sizeof text))
		return false;
	size_t star = strcspn(text, "*%");
	if (!text[star])
		return bytes_equal_nocase(bytes_of_text(name), text);
	size_t rest = strlen(text + star + 1), n = strlen(name);
	return strncasecmp(name, text, star) == 0 && n >= star + rest && strcasecmp(name + n - rest, text + star + 1) == 0;
}

/* LIST and LSUB: names lie on one level. */
static void list(struct command *c, const char *as)
{
	struct session *s = c->session;
	char name[MAILBOX_NAME_MAX + 1], *what = as[1] == 'I' ? "List" : "Lsub";
	struct bytes reference, pattern;
	if (!word(c, &reference) || !word(c, &pattern)) {
		complain(c, "Invalid reference.");
		return;
	}
	if (pattern.len == 0)
		session_say(s, "* %s (\\Noselect) \"/\" \"\"\r\n", as);
	for (size_t n = 0; pattern.len && mailbox_nth(s, user_of(c->imap), n, name); n++)
		if (matches(pattern, name))
			session_say(s, "* %s (%s\\NoInferiors) \"/\" %s\r\n", as, strcmp(name, "Sent") ? strcmp(name, "Trash") ? strcmp(name, "Drafts")
				    ? "" : "\\Drafts " : "\\Trash " : "\\Sent ", name);
	if (pattern.len && matches(pattern, "INBOX"))
		session_say(s, "* %s (\\HasNoChildren) \"/\" INBOX\r\n", as);
	done(c, what);
}

static void status(struct command *c)
{
	struct mailbox box;
	struct bytes name, item;
	size_t unseen = 0;
	bool first = true;
	if (!mailbox_word(c, &name))
		return;
	if (!imap_is(c->in, '(')) {
		complain(c, "Invalid arguments.");
		return;
	}
	if (!mailbox_open(c->session, user_of(c->imap), name, &box)) {
		no_mailbox(c, "", name);
		return;
	}
	for (size_t i = 0; i < box.count; i++)
		unseen += !(box.mails[i].flags & MAIL_SEEN);
	const struct {
		const char *name;
		size_t value;
	} items[] = {{"MESSAGES", box.count}, {"RECENT", 0}, {"UIDNEXT", box.uid_next}, {"UIDVALIDITY", box.uid_validity}, {"UNSEEN", unseen}};
	session_say(c->session, "* STATUS %.*s (", (int)name.len, (const char *)name.at);
	while (imap_atom(c->in, &item))
		for (size_t i = 0; i < sizeof items / sizeof *items; i++)
			if (bytes_equal_nocase(item, items[i].name)) {
				session_say(c->session, "%s%s %zu", first ? "" : " ", items[i].name, items[i].value);
				first = false;
			}
	session_say(c->session, ")\r\n");
	mailbox_close(&box);
	done(c, "Status");
}

static void change_mailboxes(struct command *c, bool makes)
{
	struct bytes name;
	if (!mailbox_word(c, &name))
		return;
	bool is = mailbox_exists(c->session, user_of(c->imap), name);
	if (makes && is)
		refuse(c, "[ALREADYEXISTS] Mailbox already exists");
	else if (!makes && bytes_equal_nocase(name, "INBOX"))
		refuse(c, "[CANNOT] INBOX can't be deleted.");
	else if (makes ? mailbox_make(c->session, user_of(c->imap), name) : is && mailbox_remove(c->session, user_of(c->imap), name))
		done(c, makes ? "Create" : "Delete");
	else if (makes)
		refuse(c, "[CANNOT] Invalid mailbox name: Name is invalid");
	else
		no_mailbox(c, "[NONEXISTENT] ", name);
}

void imap_idle_end(struct session *s, struct imap *imap)
{
	imap->idling = false;
	look_again(s, imap);
	session_say(s, "%s OK Idle completed" IMAP_TIMES, imap->tag);
}

/* Commands that need no mailbox; false: it is none of them. */
static bool obey_anywhere(struct command *c, enum service_next *next)
{
	struct session *s = c->session;
	struct bytes n = c->name;
	if (bytes_equal_nocase(n, "CAPABILITY")) {
		session_say(s, "* CAPABILITY ");
		imap_say_capabilities(s, true);
		session_say(s, "\r\n");
		done(c, "Capability");
	} else if (bytes_equal_nocase(n, "NOOP") || bytes_equal_nocase(n, "CHECK")) {
		look_again(s, c->imap);
		done(c, bytes_equal_nocase(n, "NOOP") ? "NOOP" : "Check");
	} else if (bytes_equal_nocase(n, "LOGOUT")) {
		session_say(s, "* BYE Logging out\r\n");
		done(c, "Logout");
		*next = SERVICE_CLOSE;
	} else if (bytes_equal_nocase(n, "SELECT") || bytes_equal_nocase(n, "EXAMINE")) {
		select_mailbox(c, bytes_equal_nocase(n, "EXAMINE"));
	} else if (bytes_equal_nocase(n, "LIST") || bytes_equal_nocase(n, "XLIST") || bytes_equal_nocase(n, "LSUB")) {
		list(c, bytes_equal_nocase(n, "LSUB") ? "LSUB" : "LIST");
	} else if (bytes_equal_nocase(n, "STATUS")) {
		status(c);
	} else if (bytes_equal_nocase(n, "APPEND")) {
		append(c);
	} else if (bytes_equal_nocase(n, "CREATE") || bytes_equal_nocase(n, "DELETE")) {
		change_mailboxes(c, bytes_equal_nocase(n, "CREATE"));
	} else if (bytes_equal_nocase(n, "SUBSCRIBE") || bytes_equal_nocase(n, "UNSUBSCRIBE")) {
		done(c, bytes_equal_nocase(n, "SUBSCRIBE") ? "Subscribe" : "Unsubscribe");
	} else if (bytes_equal_nocase(n, "NAMESPACE")) {
		session_say(s, "* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n");
		done(c, "Namespace");
	} else if (bytes_equal_nocase(n, "ID")) {
		session_say(s, "* ID (\"name\" \"Dovecot\")\r\n");
		done(c, "ID");
	} else if (bytes_equal_nocase(n, "ENABLE")) {
		session_say(s, "* ENABLED\r\n%s OK Enabled" IMAP_TIMES, c->imap->tag);
	} else if (bytes_equal_nocase(n, "IDLE")) {
		session_say(s, "+ idling\r\n");
		c->imap->idling = true;
	} else {
		return false;
	}
	return true;
}

static bool obey_selected(struct command *c)
{
	static const char *const names[] = {"FETCH", "STORE", "SEARCH", "COPY", "MOVE", "EXPUNGE", "CLOSE", "UNSELECT"};
	struct bytes set = {0};
	size_t which = 0, count = sizeof names / sizeof *names;
	while (which < count && !bytes_equal_nocase(c->name, names[which]))
		which++;
	if (which == count)
		return false;
	if (!c->imap->selected) {
		session_say(c->session, "%s BAD No mailbox selected" IMAP_TIMES, c->imap->tag);
		return true;
	}
	switch (which) {
	case 0: fetch(c); break;
	case 1: store(c); break;
	case 2: search(c); break;
	case 3:
	case 4: copy(c, which == 4); break;
	case 5:
		if (c->uid && !set_word(c, &set))
			break;
		expunge(c, set, true);
		done(c, "Expunge");
		break;
	default:
		if (which == 6)
			expunge(c, set, false);
		deselect(c->imap);
		done(c, which == 6 ? "Close" : "Unselect");
	}
	return true;
}

enum service_next imap_obey(struct session *s, struct imap *imap, struct reader *in)
{
	struct command c = {.session = s, .imap = imap, .in = in};
	enum service_next next = SERVICE_CONTINUE;
	if (!imap_atom(in, &c.name)) {
		session_say(s, "%s BAD Error in IMAP command: Invalid command name" IMAP_TIMES, imap->tag);
		return SERVICE_CONTINUE;
	}
	if (bytes_equal_nocase(c.name, "UID")) {
		c.uid = true;
		imap_atom(in, &c.name);
	}
	if (!(c.uid ? obey_selected(&c) : obey_anywhere(&c, &next) || obey_selected(&c)))
		complain(&c, "Unknown command");
	return next;
}
