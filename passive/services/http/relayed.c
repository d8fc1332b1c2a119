/*
 * Requests that a backend answers (docs/high_interaction.md).
 *
 * Heads are read as the emulator reads them, so the same events tell them.  Whom the device lets
 * in is the backend's own user there; whom it does not is nobody there, also with the backend's
 * own password.  All else goes on as it came, byte by byte, and so does the answer.
 */
#include "passive/services/http/form.h"
#include "passive/services/http/http.h"
#include "passive/relay/relay.h"
#include <openssl/evp.h>

#define HEAD_OUT_MAX (HTTP_HEAD_MAX + 2048)
#define FORM_MAX 65536
#define KEEP_LENGTH UINT64_MAX

struct account { /* what goes out in place of what the visitor offered */
	struct bytes user, secret;
	char nobody[17];
};

static void account_of(const struct turn *t, const struct backend *b, struct bytes user, struct bytes secret,
                       struct account *out)
{
	if (auth_accepts(t->persona, t->look.seed, user, secret)) {
		*out = (struct account){.user = bytes_of_text(b->user), .secret = bytes_of_text(b->password)};
		return;
	}
	snprintf(out->nobody, sizeof out->nobody, "%016llx", (unsigned long long)session_random(t->session));
	out->user = user;
	out->secret = bytes_of_text(out->nobody);
}

/* Basic alone can be said in other words; without its field a request is asked for it. */
static void write_authorization(const struct turn *t, const struct backend *b, struct writer *w)
{
	static const char no_nonces[2][AUTH_NONCE_CHARS + 1];
	uint8_t plain[4 * AUTH_TEXT_MAX], coded[6 * AUTH_TEXT_MAX];
	struct writer p = writer_of(plain, sizeof plain);
	struct account account;
	struct auth a;
	if (!auth_read(t->request->authorization, t->request->method, t->persona, no_nonces, &a) || a.kind != AUTH_BASIC)
		return;
	account_of(t, b, a.user, a.secret, &account);
	write_span(&p, account.user);
	write_text(&p, ":");
	write_span(&p, account.secret);
	if (p.bad)
		return;
	EVP_EncodeBlock(coded, plain, (int)writer_used(&p));
	write_fmt(w, "Authorization: Basic %s\r\n", (const char *)coded);
}

static bool is_field(struct bytes line, const char *name)
{
	return bytes_equal_nocase(bytes_trim((struct bytes){line.at, bytes_find(line, ":")}), name);
}

/* `length` of a body that was taken in whole and goes out by length. */
static void write_head(const struct turn *t, const struct backend *b, uint64_t length, struct writer *w)
{
	struct bytes rest = t->head;
	bool first = true, dropped = false;
	if (t->request->version == HTTP_0_9 || t->request->malformed) {
		write_span(w, t->head);
		return;
	}
	while (rest.len) {
		size_t n = bytes_find(rest, "\n");
		struct bytes line = {rest.at, n < rest.len ? n + 1 : n};
		rest = (struct bytes){rest.at + line.len, rest.len - line.len};
		bool ends = bytes_trim(line).len == 0, folded = !ends && (*line.at == ' ' || *line.at == '\t');
		bool login = !first && b->user && is_field(line, "Authorization");
		if (ends && length != KEEP_LENGTH && length)
			write_fmt(w, "Content-Length: %llu\r\n", (unsigned long long)length);
		if (!folded)
			dropped = login || (length != KEEP_LENGTH && !first &&
			                    (is_field(line, "Content-Length") || is_field(line, "Transfer-Encoding") ||
			                     is_field(line, "Expect")));
		if (login)
			write_authorization(t, b, w);
		if (!dropped)
			write_span(w, line);
		first = false;
	}
}

static void say_head(const struct turn *t, const struct backend *b, uint64_t length)
{
	uint8_t room[HEAD_OUT_MAX];
	struct writer w = writer_of(room, sizeof room);
	write_head(t, b, length, &w);
	session_relay_say(t->session, w.bad ? t->head : writer_bytes(&w));
}

/* What a browser's form encodes, no more and no less. */
static void write_encoded(struct bytes b, struct writer *w)
{
	for (size_t i = 0; i < b.len; i++) {
		uint8_t c = b.at[i];
		bool plain = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || memchr("*-._", c, 4);
		if (plain)
			write_u8(w, c);
		else
			write_fmt(w, "%%%02X", c);
	}
}

/* The form with the account of it swapped; false: it is no log-in. */
static bool write_form(const struct turn *t, const struct backend *b, struct writer *w)
{
	const struct persona_login *login = turn_login_form(t);
	struct bytes form = body_bytes(t->body), name, value;
	uint8_t user[AUTH_TEXT_MAX], secret[AUTH_TEXT_MAX];
	struct writer u = writer_of(user, sizeof user), s = writer_of(secret, sizeof secret);
	struct account account;
	if (!login || !b->user || t->body->cut || !form_value(form, login->user).at || !form_value(form, login->secret).at)
		return false;
	form_decode(form_value(form, login->user), &u);
	form_decode(form_value(form, login->secret), &s);
	account_of(t, b, writer_bytes(&u), u.bad || s.bad ? (struct bytes){0} : writer_bytes(&s), &account);
	for (bool more = false; form_next(&form, &name, &value); more = true) {
		write_text(w, more ? "&" : "");
		write_span(w, name);
		write_text(w, "=");
		if (bytes_equal_text(name, login->user))
			write_encoded(account.user, w);
		else if (bytes_equal_text(name, login->secret))
			write_encoded(account.secret, w);
		else
			write_span(w, value);
	}
	return !w->bad;
}

static void say_whole(const struct turn *t, const struct backend *b)
{
	struct arena room = ARENA(4 * FORM_MAX);
	uint8_t *at = t->body->len <= FORM_MAX ? arena_alloc(&room, 3 * FORM_MAX + 1) : NULL;
	struct writer w = writer_of(at, at ? 3 * FORM_MAX : 0);
	struct bytes body = at && write_form(t, b, &w) ? writer_bytes(&w) : body_bytes(t->body);
	say_head(t, b, body.len);
	session_relay_say(t->session, body);
	arena_done(&room);
}

void http_relay_whole(struct session *s, struct http *http)
{
	struct turn t = http_begin_turn(s, http);
	http->relay = HTTP_RELAYED;
	say_whole(&t, session_backend(s));
}

bool http_relay_ask(struct session *s, struct http *http)
{
	if (!session_relay(s))
		return false;
	session_delay(s, RELAY_WAIT_MS);
	http->relay = HTTP_ASKED;
	return true;
}

/* A head goes on at once, unless a form behind it may have to be written anew. */
static bool take_head(struct session *s, struct http *http, const struct backend *b, struct reader *in)
{
	struct bytes unread = {in->at, reader_left(in)};
	size_t n = request_head_length(unread, &http->scanned);
	if ((n == 0 && unread.len < HTTP_HEAD_MAX) || unread.len == 0)
		return false;
	http->scanned = 0;
	if (n == 0 || n > HTTP_HEAD_MAX || !http_keep_head(s, http, (struct bytes){in->at, n})) {
		http->relay = HTTP_BLIND;
		return false;
	}
	in->at += n;
	body_begin(&http->body, &http->request);
	struct turn t = http_begin_turn(s, http);
	const struct request *r = &http->request;
	http->holds_form = turn_login_form(&t) && b->user && !r->malformed && r->length && r->length <= FORM_MAX && !r->chunked;
	if (http->holds_form && r->expects_continue)
		session_say(s, "HTTP/1.1 100 Continue\r\n\r\n");
	if (!http->holds_form)
		say_head(&t, b, KEEP_LENGTH);
	http->phase = HTTP_AT_BODY;
	return true;
}

static void settle(struct session *s, struct http *http, const struct backend *b)
{
	struct turn t = http_begin_turn(s, http);
	http->phase = HTTP_AT_HEAD;
	if (http->holds_form)
		say_whole(&t, b);
	http->holds_form = false;
	if (http->request.malformed)
		http->relay = HTTP_BLIND;
	else
		turn_log_in(&t);
	turn_record(&t);
}

enum service_next http_relay_input(struct session *s, struct http *http, struct reader *in)
{
	const struct http_options *options = session_options(s);
	const struct backend *b = session_backend(s);
	while (http->relay == HTTP_RELAYED) {
		if (http->phase == HTTP_AT_HEAD && !take_head(s, http, b, in))
			break;
		const uint8_t *from = in->at;
		enum body_next body = http->request.malformed ? BODY_DONE
							      : body_feed(&http->body, session_arena(s), options->upload_max, in);
		if (!http->holds_form)
			session_relay_say(s, (struct bytes){from, (size_t)(in->at - from)});
		if (body == BODY_MORE)
			return SERVICE_CONTINUE;
		if (body == BODY_BAD)
			http->relay = HTTP_BLIND;
		settle(s, http, b);
	}
	if (http->relay == HTTP_BLIND)
		session_relay_say(s, read_rest(in));
	return SERVICE_CONTINUE;
}

/* The device's own cookie goes in behind the first line of the first answer. */
void http_relay_answer(struct session *s, struct http *http, struct bytes came)
{
	size_t line = bytes_find(came, "\n");
	if (http->cookie && line < came.len && bytes_start_with(came, "HTTP/1.")) {
		struct turn t = http_begin_turn(s, http);
		uint8_t room[256];
		struct writer w = writer_of(room, sizeof room);
		t.logged_in = true;
		t.cookie = http->cookie;
		turn_write_cookie(&t, &w);
		session_say_bytes(s, (struct bytes){came.at, line + 1});
		session_say_bytes(s, writer_bytes(&w));
		came = (struct bytes){came.at + line + 1, came.len - line - 1};
	}
	http->cookie = NULL;
	session_say_bytes(s, came);
}
