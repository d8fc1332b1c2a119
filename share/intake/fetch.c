#include "share/exchange_inner.h"
#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

#define REDIRECTS_MAX 5
#define CONNECT_TIME_S 20
#define HEADER_LINE_MAX 1024

struct fetching {
	struct fetch_result *result;
	struct fetched *next; /* what this answer says of itself */
};

static size_t on_body(char *at, size_t size, size_t n, void *arg)
{
	struct fetching *f = arg;
	return buffer_append(&f->result->content, at, size * n) ? 0 : size * n;
}

static void take_header(struct bytes line, const char *name, char *to, size_t n)
{
	size_t len = strlen(name);
	if (line.len <= len || !bytes_equal_nocase((struct bytes){line.at, len}, name))
		return;
	if (!bytes_copy_text(bytes_trim((struct bytes){line.at + len, line.len - len}), to, n))
		to[0] = '\0';
}

static size_t on_header(char *at, size_t size, size_t n, void *arg)
{
	struct fetching *f = arg;
	struct bytes line = {(const uint8_t *)at, size * n};
	if (line.len <= HEADER_LINE_MAX) {
		take_header(line, "ETag:", f->next->etag, sizeof f->next->etag);
		take_header(line, "Last-Modified:", f->next->modified, sizeof f->next->modified);
	}
	return size * n;
}

static struct curl_slist *add_condition(struct curl_slist *list, const char *name, const char *value)
{
	char line[HEADER_LINE_MAX];
	if (!*value)
		return list;
	snprintf(line, sizeof line, "%s: %s", name, value);
	struct curl_slist *longer = curl_slist_append(list, line);
	return longer ? longer : list;
}

static void set_options(CURL *curl, const char *url, const char *agent, uint64_t time_ms, struct fetching *f)
{
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, agent);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
	curl_easy_setopt(curl, CURLOPT_MAXREDIRS, (long)REDIRECTS_MAX);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_TIME_S);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)time_ms);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L); /* in a thread */
	curl_easy_setopt(curl, CURLOPT_PROXY, "");    /* none from the environment: the configuration says all */
	curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, f);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, f);
}

void fetch_url(const char *url, const char *agent, uint64_t size_max, uint64_t time_ms, struct fetched *fetched,
	       struct fetch_result *result)
{
	struct fetched next = {0};
	struct fetching f = {result, &next};
	long status = 0;
	CURL *curl = curl_easy_init();
	*result = (struct fetch_result){.status = FETCH_FAILED, .content = BUFFER(size_max)};
	if (!curl) {
		snprintf(result->why, sizeof result->why, "no memory");
		return;
	}
	struct curl_slist *conditions = add_condition(NULL, "If-None-Match", fetched->etag);
	conditions = add_condition(conditions, "If-Modified-Since", fetched->modified);
	set_options(curl, url, agent, time_ms, &f);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, conditions);
	CURLcode code = curl_easy_perform(curl);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	if (code == CURLE_WRITE_ERROR)
		snprintf(result->why, sizeof result->why, "the answer is larger than %llu bytes (exchange.size_max)",
			 (unsigned long long)size_max);
	else if (code != CURLE_OK)
		snprintf(result->why, sizeof result->why, "%s (status %ld)", curl_easy_strerror(code), status);
	else
		result->status = status == 304 ? FETCH_SAME : FETCH_NEW;
	if (result->status == FETCH_NEW)
		*fetched = next;
	curl_slist_free_all(conditions);
	curl_easy_cleanup(curl);
}
