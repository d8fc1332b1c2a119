/* Credentials in a request: fields, forms, cookies. */
#include "base/random.h"
#include "passive/services/http/form.h"
#include "passive/services/http/turn.h"

#define HOUR_US 3600000000u

FIELD(FIELD_HTTP_LOGIN, "http.login", TEXT, 0, "basic, digest or form");
FIELD(FIELD_HTTP_DIGEST, "http.digest", BYTES, FIELD_PRIVATE,
      "answer to a Digest challenge, password unknown");

static uint64_t mark_of(const struct auth *a)
{
	uint64_t h = a->kind;
	for (size_t i = 0; i < a->user.len; i++)
		h = random_mix(h ^ a->user.at[i]);
	h = random_mix(h ^ 256);
	for (size_t i = 0; i < a->secret.len; i++)
		h = random_mix(h ^ a->secret.at[i]);
	return h | 1;
}

static void report(struct turn *t, const struct auth *a, bool accepted)
{
	static const char *const kinds[] = {"", "basic", "digest", "form"};
	struct event *e = session_report(t->session, EVENT_LOGIN_TRIED);
	event_set_bytes(e, FIELD_LOGIN_USER, a->user);
	if (a->secret_known)
		event_set_bytes(e, FIELD_LOGIN_SECRET, a->secret);
	else
		event_set_bytes(e, FIELD_HTTP_DIGEST, a->secret);
	event_set_bool(e, FIELD_LOGIN_ACCEPTED, accepted);
	event_set_text(e, FIELD_HTTP_LOGIN, kinds[a->kind]);
}

static bool judge(struct turn *t, const struct auth *a)
{
	bool accepted =
		a->secret_known && (auth_accepts(t->persona, t->look.seed, a->user, a->secret) ||
				    session_bait_opens(t->session, a->user, a->secret));
	/* A browser repeats the field with every request: that is one try, not many. */
	uint64_t mark = mark_of(a);
	if (a->kind == AUTH_FORM || mark != *t->login_mark)
		report(t, a, accepted);
	*t->login_mark = mark;
	return accepted;
}

static void try_field(struct turn *t)
{
	char nonces[2][AUTH_NONCE_CHARS + 1];
	uint64_t hour = t->look.time_us / HOUR_US;
	auth_nonce(t->look.seed, hour, nonces[0]);
	auth_nonce(t->look.seed, hour - 1, nonces[1]);
	struct auth a;
	if (auth_read(t->request->authorization, t->request->method, t->persona, nonces, &a))
		t->authorized |= judge(t, &a);
}

static bool read_form(struct bytes form, const char *user, const char *secret, struct auth *a)
{
	struct bytes raw_user = form_value(form, user), raw_secret = form_value(form, secret);
	if (!raw_user.at || !raw_secret.at)
		return false;
	struct writer w = writer_of(a->room, sizeof a->room);
	form_decode((struct bytes){raw_user.at,
				   raw_user.len < AUTH_TEXT_MAX ? raw_user.len : AUTH_TEXT_MAX},
		    &w);
	size_t split = writer_used(&w);
	form_decode((struct bytes){raw_secret.at,
				   raw_secret.len < AUTH_TEXT_MAX ? raw_secret.len : AUTH_TEXT_MAX},
		    &w);
	a->kind = AUTH_FORM;
	a->user = (struct bytes){a->room, split};
	a->secret = (struct bytes){a->room + split, writer_used(&w) - split};
	a->secret_known = true;
	return true;
}

/* Names of fields that devices use; bots try them on any path. */
static bool read_usual_form(struct bytes form, struct auth *a)
{
	static const char *const names[][2] = {
		{"loginuse", "loginpas"},
		{"username", "password"},
		{"user", "pwd"},
		{"user", "password"},
		{"usr", "pwd"},
		{"user", "pass"},
		{"username", "psd"},
		{"login", "password"},
		{"account", "password"},
		{"UserName", "PassWord"},
		{"username", "passwd"},
		{"login_username", "login_pwd"},
		{"userid", "userpw"},
		{"name", "pass"},
		{"http_username", "http_passwd"},
		{"j_username", "j_password"},
		{"log", "pwd"},
		{"pma_username", "pma_password"},
		{"username", "credential"},
		{"login", "passwd"},
	};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (read_form(form, names[i][0], names[i][1], a))
			return true;
	return false;
}

const struct persona_login *turn_login_form(const struct turn *t)
{
	const struct persona_http *http = &t->persona->http;
	const struct persona_login *logins = http->login_count ? http->logins : &http->login;
	size_t count = http->login_count ? http->login_count : http->login.path != NULL;
	for (size_t i = 0; i < count; i++)
		if (bytes_equal_text(t->request->path, logins[i].path))
			return &logins[i];
	return NULL;
}

static void try_forms(struct turn *t)
{
	const struct persona_login *login = turn_login_form(t);
	const struct bytes forms[] = {body_bytes(t->body), t->request->query};
	struct auth a;
	bool form_page = login != NULL;
	for (size_t i = 0; i < 2; i++) {
		bool found = (form_page && read_form(forms[i], login->user, login->secret, &a)) ||
			     read_usual_form(forms[i], &a);
		if (!found)
			continue;
		bool accepted = judge(t, &a);
		t->authorized |= accepted;
		if (form_page) {
			t->logged_in = accepted;
			t->cookie = login->cookie;
			t->page_path = accepted ? login->accepted : login->refused;
		}
		return;
	}
}

/*
 * The cookie follows from the device and the peer's address alone: it stays good on the
 * next connection without anything to remember, and cannot be made for another device.
 */
static void cookie_value(const struct turn *t, char out[17])
{
	uint64_t key = address_hash(session_peer(t->session), t->look.seed);
	snprintf(out, 17, "%016llx", (unsigned long long)random_mix(key ^ t->look.seed));
}

static void try_cookie(struct turn *t)
{
	const struct persona_http *http = &t->persona->http;
	const struct persona_login *logins = http->login_count ? http->logins : &http->login;
	size_t count = http->login_count ? http->login_count : 1;
	char want[17];
	if (!t->request->cookie.len)
		return;
	cookie_value(t, want);
	for (size_t i = 0; i < count; i++)
		if (logins[i].cookie)
			t->authorized |= bytes_equal_text(request_cookie(t->request, logins[i].cookie), want);
}

void turn_log_in(struct turn *t)
{
	try_cookie(t);
	if (t->request->authorization.len)
		try_field(t);
	try_forms(t);
}

void turn_write_challenge(const struct turn *t, struct writer *w)
{
	const struct persona_http *http = &t->persona->http;
	if (!http->realm)
		return;
	if (!http->digest) {
		write_fmt(w, "WWW-Authenticate: Basic realm=\"%s\"\r\n", http->realm);
		return;
	}
	char nonce[AUTH_NONCE_CHARS + 1];
	auth_nonce(t->look.seed, t->look.time_us / HOUR_US, nonce);
	/* GoAhead's opaque is a constant of its source, the same on every device. */
	write_fmt(
		w,
		"WWW-Authenticate: Digest realm=\"%s\", domain=\":%u\",qop=\"auth\", nonce=\"%s\", "
		"opaque=\"5ccc069c403ebaf9f0171e9517f40e41\",algorithm=\"MD5\", "
		"stale=\"FALSE\"\r\n",
		http->realm, session_local_port(t->session), nonce);
}

void turn_write_cookie(const struct turn *t, struct writer *w)
{
	char value[17];
	if (!t->logged_in || !t->cookie)
		return;
	cookie_value(t, value);
	write_fmt(w, "Set-Cookie: %s=%s;path=/\r\n", t->cookie, value);
}
