/*
 * The mails that a decoy's accounts have got: what a small company writes, receives and is told by
 * its own machines.
 *
 * Every two days bring one, which follows from seed, account and day; the last ones are there, so
 * who looks again after a week finds the same mails with the same UIDs, and some newer ones.  One of
 * them names an account of the device, as people do.
 */
#include "base/random.h"
#include "passive/services/mail/mailbox.h"
#include "passive/persona.h"
#include <ctype.h>
#include <time.h>

#define EVERY_S (2 * 86400)
#define INBOX_MIN 12 /* mails, and up to half as many more */
#define SENT_MIN 4
#define TEXT_MAX 4096

enum sender { COLLEAGUE, CRON, SUPPLIER, BANK, CARRIER };

struct letter {
	enum sender from;
	const char *subject, *body;
};

/* $U who gets it, $C a colleague, $N a number, $A an amount, $D the domain, $I our address, $L an account of the device */
static const struct letter letters[] = {
	{COLLEAGUE, "Re: quotation $N", "Hi $U,\n\nthe customer has come back on quotation $N, they want it for $A EUR net.\n"
	 "Can you change it and send it out today?\n\nThanks\n$C\n"},
	{COLLEAGUE, "Meeting moved", "Hi $U,\n\nwe have to move the meeting to 14:30, the room stays the same.\nPlease bring the list of open orders.\n\n$C\n"},
	{COLLEAGUE, "Remote access", "Hello $U,\n\nas discussed, the server is reachable from outside now.\n\nHost: $I (SSH, port 22)\n$L\n\n"
	 "Please do not forward this, and change the password when you are in.\n\n$C\n"},
	{COLLEAGUE, "Holiday plan", "Hi all,\n\nthe plan for the next quarter is on the share under Public/HR.\nPlease enter your days until Friday.\n\n$C\n"},
	{COLLEAGUE, "Salary list", "Hi $U,\n\nthe list for the tax adviser is attached to the ticket, total is $A EUR.\nOnly for you, please.\n\n$C\n"},
	{COLLEAGUE, "Printer second floor", "$U, the printer takes no jobs again, order $N for the toner is out.\nUse the one downstairs until Thursday.\n\n$C\n"},
	{COLLEAGUE, "New bank details", "Hi $U,\n\nfor supplier $N please use the new IBAN from the portal from now on.\nI have called them, it is right.\n\n$C\n"},
	{CRON, "Cron <root@$H> /usr/local/sbin/backup.sh", "Backup of /home /etc /var/mail started\ntar: Removing leading `/' from member names\n"
	 "/srv/backup/daily-$N.tar.gz\nTransfer to backup@nas.$D finished, $N MB\n"},
	{CRON, "apticron: $N package update(s) on $H", "apticron has detected that some packages need upgrading on:\n\n\t$H\n\t[ $I ]\n\n"
	 "The following packages are currently pending an upgrade:\n\n\tlibc6\n\topenssl\n\tlibssl3\n"},
	{CRON, "Logwatch for $H (Linux)", " ################### Logwatch 7.5.6 ####################\n\n --------------------- pam_unix Begin ------------------------\n\n"
	 " sshd:\n    Authentication Failures:\n       root: $N Time(s)\n       unknown: $N Time(s)\n\n ---------------------- pam_unix End -------------------------\n"},
	{SUPPLIER, "Invoice $N", "Dear customer,\n\nplease find our invoice $N over $A EUR in your customer area.\nPayable within 14 days without deduction.\n\n"
	 "Kind regards\nAccounts receivable\n"},
	{SUPPLIER, "Reminder: invoice $N", "Dear Sir or Madam,\n\nour invoice $N over $A EUR is overdue by ten days.\nIf you have paid in the meantime please ignore this message.\n\n"
	 "Accounts receivable\n"},
	{BANK, "Your statement is ready", "Dear customer,\n\na new statement for your business account ending in $N is available in online banking.\n"
	 "For your security this message contains no links.\n"},
	{CARRIER, "Your parcel $N will be delivered tomorrow", "Good morning,\n\nshipment $N will be delivered between 09:00 and 13:00.\n"
	 "Somebody needs to sign for it.\n"},
};

static const char *const colleagues[] = {"Anna Keller", "Mark Jensen", "Sophie Laurent", "Tom Becker", "Julia Novak", "Peter Hall",
					 "Maria Costa", "David Brandt", "Laura Fischer", "Jan de Vries", "Emma Wilson", "Paul Moreau"};
static const char *const outside[] = {"", "", "northgate-supplies.example", "commerzbank-business.example", "parcel-express.example"};
static const char *const outside_names[] = {"", "", "Northgate Supplies", "Business Banking", "Parcel Express"};

struct made {
	const struct session *session;
	struct bytes user;
	const char *colleague;
	char domain[128], host[64], address[ADDRESS_TEXT_MAX];
	uint64_t mix;
};

static uint64_t draw(uint64_t *mix)
{
	return *mix = random_mix(*mix + 0x9e3779b97f4a7c15u);
}

static void write_name(struct bytes user, struct writer *w)
{
	for (size_t i = 0; i < user.len; i++)
		write_u8(w, (uint8_t)(i ? user.at[i] : toupper(user.at[i])));
}

/* "Anna Keller" becomes anna.keller. */
static void write_local(const char *name, struct writer *w)
{
	for (; *name; name++)
		write_u8(w, (uint8_t)(*name == ' ' ? '.' : tolower((uint8_t)*name)));
}

/*
 * An account that somebody could use: one that was planted here and nowhere else, so that its use
 * tells that this mail was read, or without bait the last of the device's that is another's.
 */
static void write_account(const struct made *m, struct writer *w)
{
	const struct persona *p = session_persona(m->session);
	char bait[128];
	session_expand(m->session, "%{bait.password:backup}", bait, sizeof bait);
	if (bait[0] && bait[0] != '%') {
		write_fmt(w, "User: backup\nPassword: %s", bait);
		return;
	}
	for (size_t i = p ? p->credential_count : 0; i-- > 0;) {
		const struct persona_credential *c = &p->credentials[i];
		if (i && bytes_equal(c->user, m->user))
			continue;
		write_text(w, "User: ");
		write_span(w, c->user);
		write_text(w, "\nPassword: ");
		write_span(w, c->secret);
		return;
	}
	write_text(w, "User and password as always");
}

static void expand(struct made *m, const char *text, struct writer *w)
{
	uint64_t mix = m->mix;
	for (; *text; text++) {
		if (*text != '$') {
			write_u8(w, (uint8_t)*text);
			continue;
		}
		switch (*++text) {
		case 'U': write_name(m->user, w); break;
		case 'C': write_text(w, m->colleague); break;
		case 'N': write_fmt(w, "%llu", (unsigned long long)(m->mix >> 8) % 9000 + 1000); break;
		case 'A': write_fmt(w, "%llu.%02llu", (unsigned long long)draw(&mix) % 18000 + 120, (unsigned long long)draw(&mix) % 100); break;
		case 'D': write_text(w, m->domain); break;
		case 'H': write_text(w, m->host); break;
		case 'I': write_text(w, m->address); break;
		case 'L': write_account(m, w); break;
		default: return;
		}
	}
}

static void write_sender(struct made *m, enum sender from, bool bare, struct writer *w)
{
	if (from == CRON) {
		write_fmt(w, "%sroot@%s", bare ? "" : "root <", m->host);
	} else if (from != COLLEAGUE) {
		write_fmt(w, "%s%s%s@%s", bare ? "" : outside_names[from], bare ? "" : " <", from == SUPPLIER ? "invoice" : "service",
			  outside[from]);
	} else {
		if (!bare)
			write_fmt(w, "%s <", m->colleague);
		write_local(m->colleague, w);
		write_fmt(w, "@%s", m->domain);
	}
	if (!bare)
		write_u8(w, '>');
}

static void write_date(uint64_t when_s, struct writer *w)
{
	char date[64] = "";
	time_t when = (time_t)when_s;
	struct tm tm;
	if (gmtime_r(&when, &tm))
		strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S +0000", &tm);
	write_text(w, date);
}

static void write_letter(struct made *m, const struct letter *l, bool sent, uint64_t when_s, struct writer *w)
{
	if (!sent) {
		write_text(w, "Return-Path: <");
		write_sender(m, l->from, true, w);
		write_text(w, ">\nX-Original-To: ");
		write_span(w, m->user);
		write_fmt(w, "@%s\nDelivered-To: ", m->domain);
		write_span(w, m->user);
		write_fmt(w, "@%s\nReceived: by %s (Postfix%s)\n\tid %05X%06X; ", m->domain, m->host,
			  l->from == CRON ? ", from userid 0" : "", (unsigned)(m->mix & 0xfffff), (unsigned)(m->mix >> 24 & 0xffffff));
		write_date(when_s + 1, w);
		write_u8(w, '\n');
	}
	write_text(w, "Date: ");
	write_date(when_s, w);
	write_text(w, "\nFrom: ");
	if (sent) {
		write_span(w, m->user);
		write_fmt(w, "@%s\nTo: ", m->domain);
		write_sender(m, COLLEAGUE, false, w);
	} else {
		write_sender(m, l->from, false, w);
		write_text(w, "\nTo: ");
		write_span(w, m->user);
		write_fmt(w, "@%s", m->domain);
	}
	write_text(w, "\nSubject: ");
	expand(m, l->subject, w);
	write_fmt(w, "\nMessage-ID: <%08x.%llx@%s>\nMIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\n"
		     "Content-Transfer-Encoding: 7bit\n\n", (unsigned)(m->mix >> 16), (unsigned long long)(when_s ^ m->mix % 4096),
		  l->from == COLLEAGUE ? m->domain : l->from == CRON ? m->host : outside[l->from]);
	expand(m, l->body, w);
}

static void make_one(struct made *m, struct mailbox *box, bool sent, uint64_t period, uint64_t now_s)
{
	uint8_t text[TEXT_MAX];
	struct writer w = writer_of(text, sizeof text);
	uint64_t mix = random_mix(m->mix + period * 0x2545f4914f6cdd1du + sent), first = box->uid_validity / EVERY_S;
	uint64_t when_s = period * EVERY_S + draw(&mix) % 2 * 86400 + 7 * 3600 + draw(&mix) % (10 * 3600);
	const struct letter *l = &letters[sent ? draw(&mix) % 7 : draw(&mix) % (sizeof letters / sizeof *letters)];
	struct made one = *m;
	if (when_s > now_s || period < first)
		return;
	/* One in six names an account; where it stands differs from box to box. */
	if (!sent && (period + m->mix) % 6 == 0)
		l = &letters[2];
	one.colleague = colleagues[draw(&mix) % (sizeof colleagues / sizeof *colleagues)];
	one.mix = mix;
	write_letter(&one, l, sent, when_s, &w);
	bool seen = sent || now_s - when_s > 4 * 86400 || mix % 3;
	if (!w.bad)
		mailbox_append(box, writer_bytes(&w), (uint32_t)(period - first + 1), seen ? MAIL_SEEN : 0, when_s);
}

void mailbox_fill(struct session *s, struct bytes user, struct bytes name, struct mailbox *box)
{
	struct made m = {.session = s, .user = user, .mix = session_device_seed(s)};
	bool sent = bytes_equal_text(name, "Sent");
	uint64_t now_s = session_time_us(s) / 1000000, last = now_s / EVERY_S;
	m.user.len = bytes_find(user, "@");
	if (!sent && !bytes_equal_nocase(name, "INBOX"))
		return;
	for (size_t i = 0; i < m.user.len; i++)
		m.mix = random_mix(m.mix ^ m.user.at[i]);
	mailbox_domain(s, m.domain, sizeof m.domain);
	session_expand(s, "%{hostname}", m.host, sizeof m.host);
	address_format(session_local(s), m.address);
	uint64_t count = sent ? SENT_MIN + m.mix % SENT_MIN : INBOX_MIN + m.mix % (INBOX_MIN / 2);
	for (uint64_t i = count; i-- > 0;)
		make_one(&m, box, sent, last - i, now_s);
}
