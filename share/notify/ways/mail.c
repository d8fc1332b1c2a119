/* Mail: one plain text message for each notice, handed to the operator's mail server. */
#include "base/clock.h"
#include "base/random.h"
#include "event/event.h"
#include "share/notice.h"
#include <curl/curl.h>
#include <stdlib.h>
#include <time.h>

#define BODY_MORE 2048 /* besides an event's lines */
#define LINE_COLUMNS 76

/* Goes into a line of SMTP and of a header: printable ASCII with one @ (RFC 5321 4.1.2, without quoted names). */
static bool is_mailbox(const char *text)
{
	const char *at = strchr(text, '@');
	for (const char *c = text; *c; c++)
		if (*c <= ' ' || *c > '~' || strchr("<>(),;:\\\"[]", *c))
			return false;
	return at && at != text && at[1] && !strchr(at + 1, '@') && strlen(text) <= 254;
}

static int check(const struct way_options *o, struct fault *fault)
{
	if (!is_mailbox(o->to))
		return fault_set(fault, ERR_BAD, "\"%s\" is no mail address; duty@example.org would be right", o->to);
	if (!o->from || !is_mailbox(o->from))
		return fault_set(fault, ERR_BAD, "`from` is missing or no mail address; kansoku@example.org would be right");
	if (!o->server || (strncmp(o->server, "smtp://", 7) && strncmp(o->server, "smtps://", 8)))
		return fault_set(fault, ERR_BAD, "`server` is missing or none; \"smtp://mail.example.org:587\" or smtps:// would be right");
	if (!o->user != !o->secret)
		return fault_set(fault, ERR_BAD, "`user` and `secret` belong together");
	return 0;
}

static void write_head(const struct way_options *o, const struct notice *n, struct writer *w)
{
	char title[NOTICE_TEXT_MAX], date[64];
	struct tm tm;
	time_t now = (time_t)(clock_utc_us() / 1000000);
	gmtime_r(&now, &tm);
	strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S +0000", &tm); /* no locale is set: English, as RFC 5322 3.3 asks */
	write_fmt(w, "Date: %s\r\nFrom: %s\r\nTo: %s\r\nSubject: [kansoku] %.200s\r\n", date, o->from, o->to,
		  notice_title(n, title));
	write_fmt(w, "Message-ID: <%llx.%llx@%s>\r\n", (unsigned long long)now, (unsigned long long)random_secret(),
		  strchr(o->from, '@') + 1);
	write_text(w, "Auto-Submitted: auto-generated\r\n" /* RFC 3834: no answering machine answers */
		      "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
		      "Content-Transfer-Encoding: quoted-printable\r\n\r\n");
}

static void write_body(const struct notice *n, struct writer *w)
{
	char title[NOTICE_TEXT_MAX], time[TIME_TEXT_MAX];
	write_fmt(w, "%s\n\n", notice_title(n, title));
	if (n->count > 1)
		write_fmt(w, "The last of them was at %s. The first one:\n\n", time_format(n->last_us, time));
	write_span(w, n->lines);
	if (n->left_out)
		write_fmt(w, "\nBefore this, %llu more events were left out (notify.most, or this way did not work).\n",
			  (unsigned long long)n->left_out);
}

/* RFC 2045 6.7: lines of any length and any bytes, as lines of 76 printable characters. */
static void write_quoted_printable(struct bytes b, struct writer *w)
{
	size_t column = 0;
	for (size_t i = 0; i < b.len; i++) {
		const uint8_t c = b.at[i];
		const bool ends = i + 1 == b.len || b.at[i + 1] == '\n';
		if (c == '\n') {
			write_text(w, "\r\n");
			column = 0;
			continue;
		}
		const bool plain = (c > ' ' && c <= '~' && c != '=') || (c == ' ' && !ends);
		if (column + (plain ? 1 : 3) > LINE_COLUMNS - 1) {
			write_text(w, "=\r\n");
			column = 0;
		}
		write_fmt(w, plain ? "%c" : "=%02X", c);
		column += plain ? 1 : 3;
	}
}

static size_t on_read(char *to, size_t size, size_t n, void *arg)
{
	struct reader *r = arg;
	const size_t left = reader_left(r);
	struct bytes b = read_bytes(r, left < size * n ? left : size * n);
	if (b.len)
		memcpy(to, b.at, b.len);
	return b.len;
}

static int hand_in(CURL *curl, const struct way_options *o, struct bytes message, struct fault *fault)
{
	struct reader r = reader_of_bytes(message);
	struct curl_slist *to = curl_slist_append(NULL, o->to);
	long status = 0;
	curl_easy_setopt(curl, CURLOPT_URL, o->server);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	/* A password leaves only under TLS; without one, as safe as the server can. */
	curl_easy_setopt(curl, CURLOPT_USE_SSL, (long)(o->user ? CURLUSESSL_ALL : CURLUSESSL_TRY));
	if (o->user) {
		curl_easy_setopt(curl, CURLOPT_USERNAME, o->user);
		curl_easy_setopt(curl, CURLOPT_PASSWORD, o->secret);
	}
	curl_easy_setopt(curl, CURLOPT_MAIL_FROM, o->from);
	curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, to);
	curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_read);
	curl_easy_setopt(curl, CURLOPT_READDATA, &r);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)NOTICE_SEND_S);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L); /* in a thread */
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	CURLcode code = to ? curl_easy_perform(curl) : CURLE_OUT_OF_MEMORY;
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	curl_slist_free_all(to);
	return code == CURLE_OK ? 0 : fault_set(fault, ERR_GONE, "%s (status %ld)", curl_easy_strerror(code), status);
}

static int send_notice(const struct way_options *o, int fd, const struct notice *n, struct fault *fault)
{
	(void)fd;
	const size_t size = n->lines.len + BODY_MORE, message_size = size * 4 + BODY_MORE; /* "=41" and line ends */
	char *body = malloc(size), *message = malloc(message_size);
	CURL *curl = curl_easy_init();
	struct writer b = writer_of(body, body ? size : 0), m = writer_of(message, message ? message_size : 0);
	write_body(n, &b);
	write_head(o, n, &m);
	write_quoted_printable(writer_bytes(&b), &m);
	int bad = curl && !b.bad && !m.bad ? hand_in(curl, o, writer_bytes(&m), fault) : fault_set(fault, ERR_MEMORY, "no memory");
	curl_easy_cleanup(curl);
	free(message);
	free(body);
	return bad;
}

static const struct notice_way mail_way = {
	.name = "mail",
	.summary = "sends one plain text message through `server`, as `from`; with `user` and `secret` only under TLS",
	.to = "a mail address",
	.reference = "RFC 5321, RFC 5322",
	.network = true,
	.check = check,
	.send = send_notice,
};
NOTICE_WAY(mail_way);
