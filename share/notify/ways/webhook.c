/* Webhooks: one POST with one JSON object for each notice. */
#include "share/notice.h"
#include <curl/curl.h>
#include <stdlib.h>

#define ANSWER_MAX (64u << 10) /* nothing in it is needed, and nobody may send for ever */

static int check(const struct way_options *o, struct fault *fault)
{
	if (strncmp(o->to, "https://", 8) && strncmp(o->to, "http://", 7))
		return fault_set(fault, ERR_BAD, "\"%s\" is neither http nor https; \"https://chat.example.org/hook\" would be right",
				 o->to);
	if (o->secret && strpbrk(o->secret, "\r\n"))
		return fault_set(fault, ERR_BAD, "the secret has a line end");
	return 0;
}

static size_t on_body(char *at, size_t size, size_t n, void *arg)
{
	size_t *got = arg;
	(void)at;
	*got += size * n;
	return *got > ANSWER_MAX ? 0 : size * n;
}

static struct curl_slist *headers_of(const struct way_options *o)
{
	char line[2048];
	struct curl_slist *list = curl_slist_append(NULL, "Content-Type: application/json"), *longer;
	if (!o->secret || !list)
		return list;
	snprintf(line, sizeof line, "Authorization: Bearer %s", o->secret); /* RFC 6750 2.1 */
	longer = curl_slist_append(list, line);
	return longer ? longer : list;
}

static int post(CURL *curl, const struct way_options *o, struct bytes body, struct fault *fault)
{
	size_t got = 0;
	long status = 0;
	struct curl_slist *headers = headers_of(o);
	curl_easy_setopt(curl, CURLOPT_URL, o->to);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https"); /* no redirects: what is told goes to that host alone */
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "kansoku");
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)body.len);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, (const char *)body.at);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)NOTICE_SEND_S);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L); /* in a thread */
	curl_easy_setopt(curl, CURLOPT_PROXY, "");    /* none from the environment: the configuration says all */
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &got);
	CURLcode code = curl_easy_perform(curl);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	curl_slist_free_all(headers);
	if (code != CURLE_OK && !(code == CURLE_WRITE_ERROR && status / 100 == 2))
		return fault_set(fault, ERR_GONE, "%s", curl_easy_strerror(code));
	return status / 100 == 2 ? 0 : fault_set(fault, ERR_DENIED, "it answered with status %ld", status);
}

static int send_notice(const struct way_options *o, int fd, const struct notice *n, struct fault *fault)
{
	(void)fd;
	const size_t size = n->event.len + 2048;
	char *text = malloc(size);
	CURL *curl = curl_easy_init();
	struct writer w = writer_of(text, text ? size : 0);
	notice_write_json(n, &w);
	int bad = curl && !w.bad ? post(curl, o, writer_bytes(&w), fault) : fault_set(fault, ERR_MEMORY, "no memory");
	curl_easy_cleanup(curl);
	free(text);
	return bad;
}

static const struct notice_way webhook_way = {
	.name = "webhook",
	.summary = "POSTs one JSON object; `secret` is sent as a bearer token; certificates are checked, redirects are not followed",
	.to = "an http or https URL",
	.reference = "RFC 9110, RFC 6750",
	.network = true,
	.check = check,
	.send = send_notice,
};
NOTICE_WAY(webhook_way);
