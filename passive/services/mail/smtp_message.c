/* The message as it comes, by DATA (RFC 5321 4.5.2) or in chunks (RFC 3030), kept up to a limit. */
#include "passive/services/mail/smtp.h"
#include "passive/services/mail/mailbox.h"
#include "passive/services/mail/message.h"
#include <time.h>

FIELD(FIELD_MAIL_FROM, "mail.from", BYTES, 0, "sender of the envelope; empty: a bounce");
FIELD(FIELD_MAIL_TO, "mail.to", BYTES, 0, "recipients of the envelope, with blanks between");
FIELD(FIELD_MAIL_HELO, "mail.helo", BYTES, 0, "name by which the sending host greeted");
FIELD(FIELD_MAIL_SUBJECT, "mail.subject", BYTES, 0, "its subject, decoded");
FIELD(FIELD_MAIL_URLS, "mail.urls", BYTES, 0, "URLs in its text, with blanks between");
FIELD(FIELD_MAIL_FILES, "mail.files", NUMBER, 0, "files attached to it");
FIELD(FIELD_MAIL_RELAY, "mail.relay", BOOL, 0, "it was to be sent on to others; it never is");

#define URLS_TEXT_MAX 4096
#define LINE_PIECE 2048
#define DELIVERIES_MAX 4 /* of one message, to mailboxes of ours */

void smtp_message_begin(struct smtp *smtp)
{
	smtp->keep_len = 0;
	smtp->message_len = 0;
	smtp->mid_line = false;
}

/* Doubles up to the limit, so that growing takes no more than the limit again. */
static bool grow(struct session *s, uint8_t **room, uint32_t *size, size_t used, size_t need)
{
	size_t wanted = *size ? *size : 4096;
	while (wanted < need)
		wanted *= 2;
	if (wanted == *size)
		return true;
	uint8_t *more = arena_alloc(session_arena(s), wanted);
	if (!more)
		return false;
	if (used)
		memcpy(more, *room, used);
	*room = more;
	*size = (uint32_t)wanted;
	return true;
}

static void keep(struct session *s, struct smtp *smtp, struct bytes b)
{
	smtp->message_len += b.len;
	size_t left = SMTP_MESSAGE_KEPT - smtp->keep_len, n = b.len < left ? b.len : left;
	if (n == 0 || !grow(s, &smtp->kept, &smtp->keep_room, smtp->keep_len, smtp->keep_len + n))
		return;
	memcpy(smtp->kept + smtp->keep_len, b.at, n);
	smtp->keep_len += (uint32_t)n;
}

static bool feed_lines(struct session *s, struct smtp *smtp, struct reader *in)
{
	while (reader_left(in)) {
		const uint8_t *end = memchr(in->at, '\n', reader_left(in));
		if (!end && reader_left(in) < LINE_PIECE)
			return false;
		struct bytes line = {in->at, end ? (size_t)(end + 1 - in->at) : reader_left(in)};
		read_bytes(in, line.len);
		if (!smtp->mid_line && line.at[0] == '.') {
			if (bytes_equal_text(line, ".\r\n") || bytes_equal_text(line, ".\n"))
				return true;
			line.at++;
			line.len--;
		}
		smtp->mid_line = !end;
		keep(s, smtp, line);
	}
	return false;
}

bool smtp_message_feed(struct session *s, struct smtp *smtp, struct reader *in)
{
	if (smtp->data)
		return feed_lines(s, smtp, in);
	size_t n = reader_left(in) < smtp->chunk_left ? reader_left(in) : (size_t)smtp->chunk_left;
	struct bytes piece = read_bytes(in, n);
	smtp->chunk_left -= n;
	if (!smtp->chunk_dropped)
		keep(s, smtp, piece);
	return smtp->chunk_left == 0;
}

#define QUEUE_ID_MAX 17

/* The queue's name of the message. */
static void queue_id(const struct session *s, uint64_t id, const struct smtp_device *d, char text[QUEUE_ID_MAX])
{
	static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	if (d->software == SMTP_EXIM) { /* time, process and part of a second in base 62 */
		uint64_t parts[3] = {session_time_us(s) / 1000000, id % 60000 + 400, id >> 32 & 0x7ff};
		static const int ends[3] = {6, 13, 16};
		memset(text, '-', QUEUE_ID_MAX);
		text[16] = '\0';
		for (int i = 0; i < 3; i++)
			for (int at = ends[i] - 1; at >= (i ? ends[i - 1] + 1 : 0); at--, parts[i] /= 62)
				text[at] = digits[parts[i] % 62];
		return;
	}
	snprintf(text, QUEUE_ID_MAX, "%05X%06X", (unsigned)(session_time_us(s) % 1000000), (unsigned)(id & 0xffffff) | 0x40000);
}

static void say_queued(struct session *s, const char *text, const struct smtp *smtp, const struct smtp_device *d)
{
	if (d->software == SMTP_EXIM)
		session_say(s, "250 OK id=%s\r\n", text);
	else if (smtp->chunking)
		session_say(s, "250 2.0.0 Ok: %llu bytes queued as %s\r\n", (unsigned long long)smtp->message_len, text);
	else
		session_say(s, "250 2.0.0 Ok: queued as %s\r\n", text);
}

static void report(struct session *s, const struct smtp *smtp, const struct message *m, bool relay)
{
	uint8_t text[URLS_TEXT_MAX];
	struct writer urls = writer_of(text, sizeof text);
	for (size_t i = 0; i < m->url_count && writer_left(&urls) > m->urls[i].len; i++) {
		if (i)
			write_u8(&urls, ' ');
		write_span(&urls, m->urls[i]);
	}
	struct event *e = session_report(s, EVENT_MAIL_RECEIVED);
	event_set_bytes(e, FIELD_MAIL_FROM, (struct bytes){smtp->sender, smtp->sender_len});
	event_set_bytes(e, FIELD_MAIL_TO, (struct bytes){smtp->to, smtp->to_len});
	event_set_bytes(e, FIELD_MAIL_HELO, (struct bytes){smtp->helo, smtp->helo_len});
	event_set_bytes(e, FIELD_MAIL_SUBJECT, m->subject);
	if (m->agent.len)
		event_set_bytes(e, FIELD_AGENT, (struct bytes){m->agent.at, m->agent.len < 256 ? m->agent.len : 256});
	event_set_bytes(e, FIELD_MAIL_URLS, writer_bytes(&urls));
	event_set_number(e, FIELD_MAIL_FILES, m->file_count);
	event_set_bool(e, FIELD_MAIL_RELAY, relay);
	event_set_number(e, FIELD_FILE_SIZE, smtp->message_len);
}

static void write_date(const struct session *s, struct writer *w)
{
	char date[64] = "";
	time_t now = (time_t)(session_time_us(s) / 1000000);
	struct tm tm;
	if (gmtime_r(&now, &tm))
		strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S +0000 (UTC)", &tm);
	write_text(w, date);
}

/* As Postfix's local delivery does it: what the envelope said stands before the message. */
static void deliver_to(struct session *s, const struct smtp *smtp, struct bytes user, const char *id, struct bytes raw)
{
	struct mailbox box;
	char domain[128], host[128], peer[ADDRESS_TEXT_MAX];
	struct arena room = ARENA(SMTP_MESSAGE_KEPT + 65536);
	uint8_t *text = arena_alloc(&room, raw.len + 4096);
	struct writer w = writer_of(text, text ? raw.len + 4096 : 0);
	mailbox_domain(s, domain, sizeof domain);
	session_expand(s, ((const struct smtp_device *)session_device(s))->name, host, sizeof host);
	address_format(session_peer(s), peer);
	write_text(&w, "Return-Path: <");
	write_span(&w, (struct bytes){smtp->sender, smtp->sender_len});
	write_fmt(&w, ">\r\nX-Original-To: %.*s@%s\r\nDelivered-To: %.*s@%s\r\nReceived: from ", (int)user.len, (const char *)user.at,
		  domain, (int)user.len, (const char *)user.at, domain);
	write_span(&w, (struct bytes){smtp->helo, smtp->helo_len});
	write_fmt(&w, " (unknown [%s])\r\n\tby %s (Postfix) with %s id %s\r\n\tfor <%.*s@%s>; ", peer, host,
		  smtp->extended ? "ESMTP" : "SMTP", id, (int)user.len, (const char *)user.at, domain);
	write_date(s, &w);
	write_text(&w, "\r\n");
	write_span(&w, raw);
	if (!w.bad && mailbox_open(s, user, BYTES("INBOX"), &box)) {
		mailbox_add(s, &box, writer_bytes(&w), 0, session_time_us(s) / 1000000);
		mailbox_close(&box);
	}
	arena_done(&room);
}

static void deliver(struct session *s, const struct smtp *smtp, const char *id, struct bytes raw)
{
	struct bytes rest = {smtp->own, smtp->own_len};
	for (int i = 0; i < DELIVERIES_MAX && rest.len; i++)
		deliver_to(s, smtp, bytes_word(&rest), id, raw);
}

void smtp_message_done(struct session *s, struct smtp *smtp)
{
	const struct smtp_device *d = session_device(s);
	struct bytes raw = {smtp->kept, smtp->keep_len};
	struct message m;
	if (smtp->message_len > d->size_max) {
		smtp_say(s, SMTP_SIZE);
		return;
	}
	if (!grow(s, &smtp->decoded, &smtp->decode_room, 0, raw.len))
		smtp->decode_room = 0;
	message_read(&m, raw, smtp->decoded, smtp->decode_room);
	report(s, smtp, &m, smtp->relayed);
	session_capture(s, raw, BYTES("message.eml"), (struct bytes){0}, "mail");
	for (size_t i = 0; i < m.file_count; i++)
		session_capture(s, m.files[i].content, m.files[i].name, (struct bytes){0}, "attachment");
	char id[QUEUE_ID_MAX];
	queue_id(s, session_random(s), d, id);
	deliver(s, smtp, id, raw);
	say_queued(s, id, smtp, d);
}
