/* SEARCH (RFC 3501 6.4.4): its criteria are read anew for each mail, so both are bounded. */
#include "passive/services/imap/imap.h"
#include "passive/services/mail/message.h"
#include <time.h>

#define DEPTH_MAX 8
#define TEXTS_MAX 12 /* that are looked for in whole mails */

struct search {
	const struct mailbox *box;
	struct arena *arena;
	const struct mail *mail;
	uint32_t number;
	unsigned texts;
	bool bad;
	struct bytes unknown;
};

static bool one_key(struct search *, struct reader *, int depth);

static bool all_keys(struct search *f, struct reader *in, int depth, bool list)
{
	bool found = true, any = false;
	while (!f->bad && !(list ? imap_is(in, ')') : imap_at_end(in))) {
		found &= one_key(f, in, depth);
		any = true;
	}
	f->bad |= !any;
	return found;
}

static struct bytes field(const struct mail *m, const char *name)
{
	struct bytes value = {0};
	message_field((struct bytes){m->text.at, m->head_len}, name, &value);
	return value;
}

static bool holds(struct search *f, struct bytes text, struct bytes what)
{
	char word[256];
	if (!bytes_copy_text(what, word, sizeof word)) {
		f->bad = true;
		return false;
	}
	return what.len == 0 || bytes_find_nocase(text, word) < text.len;
}

/* SUBJECT, FROM and the like, BODY, TEXT, HEADER. */
static bool text_key(struct search *f, struct reader *in, struct bytes key, bool *known)
{
	static const char *const fields[] = {"SUBJECT", "FROM", "TO", "CC", "BCC"};
	bool header = bytes_equal_nocase(key, "HEADER"), body = bytes_equal_nocase(key, "BODY");
	char name[80];
	struct bytes first = key, what;
	*known = header || body || bytes_equal_nocase(key, "TEXT");
	bool whole = *known && !header;
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
		*known |= bytes_equal_nocase(key, fields[i]);
	if (!*known)
		return false;
	if ((header && !imap_string(in, f->arena, &first)) || !imap_string(in, f->arena, &what) ||
	    !bytes_copy_text(first, name, sizeof name) || (whole && ++f->texts > TEXTS_MAX)) {
		f->bad = true;
		return false;
	}
	size_t from = body ? f->mail->head_len : 0;
	if (whole)
		return holds(f, (struct bytes){f->mail->text.at + from, f->mail->text.len - from}, what);
	struct bytes value = field(f->mail, name);
	return value.at && holds(f, value, what);
}

static bool day_of(struct bytes text, int64_t *day)
{
	char date[32];
	struct tm tm = {0};
	if (!bytes_copy_text(text, date, sizeof date) || !strptime(date, "%d-%b-%Y", &tm))
		return false;
	*day = timegm(&tm) / 86400;
	return true;
}

static bool date_key(struct search *f, struct reader *in, struct bytes key, bool *known)
{
	static const char *const names[] = {"BEFORE", "ON", "SINCE", "SENTBEFORE", "SENTON", "SENTSINCE"};
	struct bytes text;
	int64_t wanted, day = (int64_t)f->mail->received_s / 86400;
	size_t which = 0;
	while (which < 6 && !bytes_equal_nocase(key, names[which]))
		which++;
	*known = which < 6;
	if (!*known)
		return false;
	if (!imap_string(in, f->arena, &text) || !day_of(text, &wanted)) {
		f->bad = true;
		return false;
	}
	which %= 3;
	return which == 0 ? day < wanted : which == 1 ? day == wanted : day >= wanted;
}

static bool flag_key(struct search *f, struct bytes key, bool *known)
{
	static const struct {
		const char *name;
		uint8_t set, clear;
	} flags[] = {
		{"ALL", 0, 0}, {"SEEN", MAIL_SEEN, 0}, {"UNSEEN", 0, MAIL_SEEN}, {"ANSWERED", MAIL_ANSWERED, 0},
		{"UNANSWERED", 0, MAIL_ANSWERED}, {"FLAGGED", MAIL_FLAGGED, 0}, {"UNFLAGGED", 0, MAIL_FLAGGED},
		{"DELETED", MAIL_DELETED, 0}, {"UNDELETED", 0, MAIL_DELETED}, {"DRAFT", MAIL_DRAFT, 0}, {"UNDRAFT", 0, MAIL_DRAFT},
		{"RECENT", MAIL_RECENT, 0}, {"OLD", 0, MAIL_RECENT}, {"NEW", MAIL_RECENT, MAIL_SEEN},
	};
	for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
		if (bytes_equal_nocase(key, flags[i].name)) {
			*known = true;
			return (f->mail->flags & flags[i].set) == flags[i].set && !(f->mail->flags & flags[i].clear);
		}
	*known = false;
	return false;
}

static bool number_key(struct search *f, struct reader *in, struct bytes key, bool *known)
{
	bool uid = bytes_equal_nocase(key, "UID"), larger = bytes_equal_nocase(key, "LARGER");
	struct bytes word = key;
	uint64_t n;
	*known = true;
	if (larger || bytes_equal_nocase(key, "SMALLER")) {
		f->bad |= !imap_atom(in, &word) || !bytes_number(word, UINT32_MAX, &n);
		return !f->bad && (larger ? f->mail->text.len > n : f->mail->text.len < n);
	}
	if (uid && !imap_atom(in, &word))
		f->bad = true;
	*known = uid || imap_is_set(word);
	if (f->bad || !imap_is_set(word))
		return false;
	const struct mailbox *box = f->box;
	return uid ? imap_set_has(word, f->mail->uid, box->count ? box->mails[box->count - 1].uid : 0)
		   : imap_set_has(word, f->number, (uint32_t)box->count);
}

static bool one_key(struct search *f, struct reader *in, int depth)
{
	struct bytes key;
	bool known, found;
	if (depth == 0) {
		f->bad = true;
		return false;
	}
	if (imap_is(in, '('))
		return all_keys(f, in, depth - 1, true);
	if (!imap_atom(in, &key)) {
		f->bad = true;
		return false;
	}
	if (bytes_equal_nocase(key, "NOT"))
		return !one_key(f, in, depth - 1);
	if (bytes_equal_nocase(key, "OR")) {
		bool first = one_key(f, in, depth - 1), second = one_key(f, in, depth - 1);
		return first || second;
	}
	if (bytes_equal_nocase(key, "KEYWORD") || bytes_equal_nocase(key, "UNKEYWORD")) {
		struct bytes word;
		f->bad |= !imap_atom(in, &word);
		return bytes_equal_nocase(key, "UNKEYWORD");
	}
	if ((found = flag_key(f, key, &known)), known)
		return found;
	if ((found = text_key(f, in, key, &known)), known)
		return found;
	if ((found = date_key(f, in, key, &known)), known)
		return found;
	if ((found = number_key(f, in, key, &known)), known)
		return found;
	f->bad = true;
	f->unknown = key;
	return false;
}

bool imap_search(const struct mailbox *box, struct bytes criteria, struct arena *arena, bool *found, struct bytes *unknown)
{
	static const struct mail nothing = {.text = {(const uint8_t *)"\r\n", 2}, .head_len = 2};
	struct search f = {.box = box, .arena = arena, .mail = &nothing};
	struct reader in = reader_of_bytes(criteria), word = in;
	struct bytes first;
	if (imap_atom(&word, &first) && bytes_equal_nocase(first, "CHARSET") && imap_string(&word, arena, &first))
		in = word;
	f.bad = criteria.len > IMAP_SEARCH_MAX;
	for (size_t i = 0; i <= box->count && !f.bad; i++) { /* the first only reads them */
		struct reader again = in;
		f.texts = 0;
		f.mail = i ? &box->mails[i - 1] : &nothing;
		f.number = (uint32_t)i;
		bool is = all_keys(&f, &again, DEPTH_MAX, false);
		if (i)
			found[i - 1] = is;
	}
	*unknown = f.unknown;
	return !f.bad;
}
