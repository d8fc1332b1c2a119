/* How a client asks over http: redirects are looked at before they are followed, answers end at a size and a time. */
#include "share/asking/client_inner.h"
#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define CONNECT_TIME_S 20
#define HEADER_LINE_MAX 1024

static size_t on_body(char *at, size_t size, size_t n, void *arg)
{
	struct client_call *call = arg;
	return buffer_append(&call->body, at, size * n) ? 0 : size * n;
}

static void take_header(struct bytes line, const char *name, char to[CLIENT_HEADER_MAX])
{
	size_t len = strlen(name);
	if (line.len <= len || !bytes_equal_nocase((struct bytes){line.at, len}, name))
		return;
	if (!bytes_copy_text(bytes_trim((struct bytes){line.at + len, line.len - len}), to, CLIENT_HEADER_MAX))
		to[0] = '\0';
}

static size_t on_header(char *at, size_t size, size_t n, void *arg)
{
	struct client_call *call = arg;
	struct bytes line = {(const uint8_t *)at, size * n};
	if (line.len <= HEADER_LINE_MAX) {
		take_header(line, "X-TAXII-Date-Added-First:", call->date_first);
		take_header(line, "X-TAXII-Date-Added-Last:", call->date_last);
		take_header(line, "Retry-After:", call->retry_after);
	}
	return size * n;
}

static int on_progress(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	(void)a, (void)b, (void)c, (void)d;
	return client_stopped(arg);
}

static void set_options(struct client_call *call, CURL *curl)
{
	curl_easy_setopt(curl, CURLOPT_USERAGENT, call->about.agent);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, ""); /* the limit of the size is one of unpacked bytes */
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_TIME_S);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)call->about.time_ms);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L); /* in a thread */
	curl_easy_setopt(curl, CURLOPT_PROXY, "");    /* none from the environment: the configuration says all */
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, call);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, call);
	curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(curl, CURLOPT_XFERINFODATA, call);
	curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
}

static void set_method(CURL *curl, const struct client_request *r)
{
	curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, NULL);
	if (r->body.at) {
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.len);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, (const char *)r->body.at);
	}
	if (r->method && strcmp(r->method, r->body.at ? "POST" : "GET"))
		curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, r->method);
}

static int headers_of(const struct client_request *r, struct curl_slist **out)
{
	struct curl_slist *list = NULL, *longer;
	/* Without it libcurl asks first whether a body may come, and many servers never answer that. */
	const char *const first[] = {"Expect:", NULL};
	for (int round = 0; round < 2; round++)
		for (const char *const *line = round ? r->headers : first; line && *line; line++) {
			if (strpbrk(*line, "\r\n") || !(longer = curl_slist_append(list, *line))) {
				curl_slist_free_all(list);
				return ERR_BAD;
			}
			list = longer;
		}
	*out = list;
	return 0;
}

uint64_t client_pause(const char *retry_after, uint64_t now_s)
{
	uint64_t s = 0;
	if (!bytes_number(bytes_of_text(retry_after), UINT32_MAX, &s)) {
		time_t then = *retry_after ? curl_getdate(retry_after, NULL) : -1;
		s = then > 0 && (uint64_t)then > now_s ? (uint64_t)then - now_s : 0;
	}
	return s < CLIENT_PAUSE_S_MAX ? s : CLIENT_PAUSE_S_MAX;
}

static void heed_pause(struct client_call *call, long status)
{
	if (status != 429 && status != 503)
		return;
	uint64_t s = client_pause(call->retry_after, (uint64_t)time(NULL));
	call->pause_s = s ? s : CLIENT_PAUSE_S;
}

static int perform(struct client_call *call, const char *url, const struct client_request *r, long *status, struct fault *fault)
{
	CURL *curl = call->curl;
	struct curl_slist *headers = NULL;
	if (headers_of(r, &headers))
		return fault_set(fault, ERR_BAD, "a header that would be sent has a line end; is one in the key?");
	buffer_consume(&call->body, buffer_len(&call->body));
	call->date_first[0] = call->date_last[0] = call->retry_after[0] = '\0';
	set_method(curl, r);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	CURLcode code = curl_easy_perform(curl);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, status);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, NULL);
	curl_slist_free_all(headers);
	if (code == CURLE_WRITE_ERROR)
		return fault_set(fault, ERR_FULL, "the answer is larger than %llu bytes (exchange.size_max)",
				 (unsigned long long)call->about.size_max);
	if (code != CURLE_OK)
		return fault_set(fault, client_stopped(call) ? ERR_GONE : ERR_SYSTEM, "%s (status %ld)", curl_easy_strerror(code), *status);
	return 0;
}

/* Where it redirects to, as another request; 0: nowhere. */
static int follow(struct client_call *call, const struct client_request *r, long status, char url[CLIENT_URL_MAX], struct fault *fault)
{
	char *to = NULL;
	curl_easy_getinfo(call->curl, CURLINFO_REDIRECT_URL, &to);
	if (status / 100 != 3 || !to)
		return 0;
	/* RFC 9110 15.4: only 307 and 308 say that a body may be sent again. */
	if (r->body.at && status != 307 && status != 308)
		return fault_set(fault, ERR_DENIED, "it redirects what is sent to it (status %ld)", status);
	struct fault why = {0};
	int bad = client_resolve(&call->about, to, url, &why);
	return bad ? fault_set(fault, bad, "it redirects: %s", why.text) : 1;
}

int client_http(struct client_call *call, const struct client_request *r, struct client_answer *answer, struct fault *fault)
{
	char url[CLIENT_URL_MAX];
	long status = 0;
	int more = client_resolve(&call->about, r->path, url, fault);
	if (more)
		return more;
	if (!call->curl) {
		if (!(call->curl = curl_easy_init()))
			return fault_set(fault, ERR_MEMORY, "no memory");
		set_options(call, call->curl);
	}
	for (int hops = 0; hops <= CLIENT_REDIRECTS_MAX; hops++) {
		int bad = perform(call, url, r, &status, fault);
		more = bad ? bad : follow(call, r, status, url, fault);
		if (more < 0)
			return more;
		if (!more)
			break;
	}
	if (more)
		return fault_set(fault, ERR_BAD, "it redirects more than %d times", CLIENT_REDIRECTS_MAX);
	heed_pause(call, status);
	*answer = (struct client_answer){.status = status, .body = buffer_bytes(&call->body),
					 .date_first = bytes_of_text(call->date_first), .date_last = bytes_of_text(call->date_last)};
	return 0;
}

int client_refused(const struct client_answer *a, struct fault *fault)
{
	if (a->status / 100 == 2)
		return 0;
	if (a->status == 401 || a->status == 403)
		return fault_set(fault, ERR_DENIED, "it does not let us in (status %ld): key_file is missing, wrong or no longer right", a->status);
	if (a->status == 404)
		return fault_set(fault, ERR_MISSING, "there is nothing at that URL (status 404)");
	if (a->status == 429)
		return fault_set(fault, ERR_FULL, "it was asked too often (status 429), and is left alone for a while");
	return fault_set(fault, ERR_BAD, "it answered with status %ld", a->status);
}
