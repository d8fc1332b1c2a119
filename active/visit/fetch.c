#include "active/visit/fetch_inner.h"
#include "active/visit/html_inner.h"
#include <assert.h>
#include <curl/curl.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#define QUIET_S 20      /* a byte a second on average over so long, or it is given up */
#define BUFFER_FIRST (32u << 10)

struct fetcher {
	uv_loop_t *loop;
	CURLM *multi;
	uv_timer_t timer;
};

struct watched { /* a socket of libcurl's */
	uv_poll_t poll;
	struct fetcher *fetcher;
	curl_socket_t fd;
};

struct fetch_session {
	struct fetcher *fetcher;
	struct proxy_visit *visit;
	CURLSH *share;
	struct fetch *fetch; /* under way */
};

struct fetch {
	struct fetch_session *session;
	struct fetch_plan plan;
	struct fetch_result result;
	fetched_f *done;
	void *arg;
	CURL *easy;
	struct curl_slist *fields, *resolve;
	int fd;                 /* until libcurl takes it */
	struct buffer body;
	uint64_t counted_in, counted_out;
	bool sized;
};

/* Before the session may be closed: libcurl keeps its cookies. */
static void easy_end(struct fetch *f)
{
	if (!f->easy)
		return;
	curl_multi_remove_handle(f->session->fetcher->multi, f->easy);
	curl_easy_cleanup(f->easy);
	f->easy = NULL;
}

static void fetch_free(struct fetch *f)
{
	easy_end(f);
	curl_slist_free_all(f->fields);
	curl_slist_free_all(f->resolve);
	if (f->fd >= 0)
		close(f->fd);
	buffer_done(&f->body);
	free(f);
}

static void fetch_end(struct fetch *f)
{
	struct fetch_session *s = f->session;
	if (!f->result.limit[0] && proxy_visit_limit(s->visit)[0])
		snprintf(f->result.limit, sizeof f->result.limit, "%s", proxy_visit_limit(s->visit));
	if (f->result.index != SIZE_MAX)
		proxy_visit_closed(s->visit, f->result.index);
	s->fetch = NULL;
	easy_end(f);
	f->result.body = buffer_bytes(&f->body);
	f->done(f->arg, &f->result);
	fetch_free(f);
}

static void take_field(struct bytes line, const char *name, char *out, size_t n)
{
	const size_t len = strlen(name);
	if (line.len <= len || line.at[len] != ':' || strncasecmp((const char *)line.at, name, len))
		return;
	bytes_copy_text(bytes_trim((struct bytes){line.at + len + 1, line.len - len - 1}), out, n);
}

static size_t on_header(char *at, size_t size, size_t count, void *arg)
{
	struct fetch *f = arg;
	const struct bytes line = {(const uint8_t *)at, size * count};
	take_field(line, "location", f->result.location, sizeof f->result.location);
	take_field(line, "refresh", f->result.refresh, sizeof f->result.refresh);
	take_field(line, "content-type", f->result.type, sizeof f->result.type);
	take_field(line, "content-disposition", f->result.disposition, sizeof f->result.disposition);
	take_field(line, "server", f->result.server, sizeof f->result.server);
	return proxy_visit_count(f->session->visit, f->result.index, line.len, 0) ? line.len : 0;
}

static bool says_page(const struct fetch *f)
{
	const struct bytes type = bytes_of_text(f->result.type);
	if (!strncasecmp(f->result.disposition, "attachment", 10))
		return false;
	return bytes_find_nocase(type, "html") < type.len;
}

/* The first bytes say whether it is a page, and with it how large it may be. */
static size_t on_body(char *at, size_t size, size_t count, void *arg)
{
	struct fetch *f = arg;
	const size_t n = size * count;
	if (!f->sized) {
		const struct bytes first = {(const uint8_t *)at, n};
		f->result.is_page = says_page(f) || (!f->result.type[0] && html_looks_like(first));
		f->body.max = f->result.is_page ? f->plan.page_max : f->plan.file_max;
		f->sized = true;
	}
	const size_t left = f->body.max - buffer_len(&f->body);
	if (buffer_append(&f->body, at, n < left ? n : left))
		return 0;
	if (n <= left)
		return n;
	snprintf(f->result.limit, sizeof f->result.limit, "%s", f->result.is_page ? "page" : "file");
	return 0;
}

static int on_progress(void *arg, curl_off_t in_all, curl_off_t in, curl_off_t out_all, curl_off_t out)
{
	struct fetch *f = arg;
	(void)in_all, (void)out_all, (void)out;
	const uint64_t more = (uint64_t)in > f->counted_in ? (uint64_t)in - f->counted_in : 0;
	f->counted_in += more;
	return proxy_visit_count(f->session->visit, f->result.index, more, 0) ? 0 : 1;
}

static curl_socket_t on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct fetch *f = arg;
	(void)purpose, (void)address;
	const int fd = f->fd;
	f->fd = -1;
	return fd < 0 ? CURL_SOCKET_BAD : fd; /* a second connection is not ours to make */
}

static int on_opened(void *arg, curl_socket_t fd, curlsocktype purpose)
{
	(void)arg, (void)fd, (void)purpose;
	return CURL_SOCKOPT_ALREADY_CONNECTED;
}

static void add_field(struct fetch *f, const char *name, const char *value)
{
	char line[URL_TEXT_MAX + 64];
	if (!value || !*value || strpbrk(value, "\r\n"))
		return;
	snprintf(line, sizeof line, "%s: %s", name, value);
	struct curl_slist *fields = curl_slist_append(f->fields, line);
	f->fields = fields ? fields : f->fields;
}

static bool set_up(struct fetch *f)
{
	char url[URL_TEXT_MAX], resolve[URL_HOST_MAX + ADDRESS_TEXT_MAX + 16], address[ADDRESS_TEXT_MAX];
	size_t count;
	const struct proxy_connection *c = &proxy_visit_log(f->session->visit, &count)[f->result.index];
	const bool six = !address_is_v4(&c->address);
	CURL *easy = f->easy = curl_easy_init();
	snprintf(resolve, sizeof resolve, "%s:%u:%s%s%s", f->plan.url.host, f->plan.url.port, six ? "[" : "",
		 address_format(&c->address, address), six ? "]" : "");
	f->resolve = f->plan.url.numeric ? NULL : curl_slist_append(NULL, resolve);
	if (!easy || (!f->resolve && !f->plan.url.numeric))
		return false;
	add_field(f, "Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8");
	add_field(f, "Accept-Language", f->plan.language);
	add_field(f, "Upgrade-Insecure-Requests", "1");
	curl_easy_setopt(easy, CURLOPT_URL, url_format(&f->plan.url, url));
	curl_easy_setopt(easy, CURLOPT_PRIVATE, f);
	curl_easy_setopt(easy, CURLOPT_RESOLVE, f->resolve);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, f->fields);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, f->plan.agent);
	curl_easy_setopt(easy, CURLOPT_REFERER, f->plan.referrer);
	curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_HTTP09_ALLOWED, 1L); /* a bare file over a socket: downloaders' servers do that */
	curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
	curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
	curl_easy_setopt(easy, CURLOPT_SSL_CIPHER_LIST, "ALL:@SECLEVEL=0");
	curl_easy_setopt(easy, CURLOPT_CERTINFO, 1L);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)f->plan.time_ms);
	curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, (long)QUIET_S);
	curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(easy, CURLOPT_SHARE, f->session->share);
	curl_easy_setopt(easy, CURLOPT_COOKIEFILE, "");
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, f);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, f);
	curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(easy, CURLOPT_XFERINFODATA, f);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, f);
	curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, on_opened);
	return curl_multi_add_handle(f->session->fetcher->multi, easy) == CURLM_OK;
}

static void on_connected(void *arg, int fd, size_t index)
{
	struct fetch *f = arg;
	size_t count;
	const struct proxy_connection *log = proxy_visit_log(f->session->visit, &count);
	f->fd = fd;
	f->result.index = index;
	if (fd < 0) {
		snprintf(f->result.failed, sizeof f->result.failed, "%s", index == SIZE_MAX ? "budget" : log[index].reason);
		f->result.index = SIZE_MAX;
		fetch_end(f);
	} else if (!set_up(f)) {
		snprintf(f->result.failed, sizeof f->result.failed, "no memory");
		fetch_end(f);
	}
}

/* "Subject:CN = x"; libcurl tells a line each of every certificate. */
static void take_certificate(struct fetch *f)
{
	struct curl_certinfo *info = NULL;
	if (curl_easy_getinfo(f->easy, CURLINFO_CERTINFO, &info) || !info || info->num_of_certs < 1)
		return;
	for (const struct curl_slist *it = info->certinfo[0]; it; it = it->next) {
		const struct bytes line = bytes_of_text(it->data);
		take_field(line, "subject", f->result.subject, sizeof f->result.subject);
		take_field(line, "issuer", f->result.issuer, sizeof f->result.issuer);
	}
}

static void finished(struct fetch *f, CURLcode code)
{
	long status = 0, request = 0;
	curl_off_t wire = 0;
	curl_easy_getinfo(f->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(f->easy, CURLINFO_SIZE_DOWNLOAD_T, &wire);
	curl_easy_getinfo(f->easy, CURLINFO_REQUEST_SIZE, &request);
	proxy_visit_count(f->session->visit, f->result.index, 0, (uint64_t)request);
	f->result.status = (uint32_t)status;
	f->result.wire_bytes = (uint64_t)wire;
	take_certificate(f);
	if (code == CURLE_OPERATION_TIMEDOUT && !f->result.limit[0])
		snprintf(f->result.limit, sizeof f->result.limit, "time");
	if (code != CURLE_OK && !f->result.limit[0])
		snprintf(f->result.failed, sizeof f->result.failed, "%s", curl_easy_strerror(code));
	fetch_end(f);
}

static void take_finished(struct fetcher *fetcher)
{
	CURLMsg *message;
	int left;
	while ((message = curl_multi_info_read(fetcher->multi, &left))) {
		struct fetch *f = NULL;
		const CURLcode code = message->data.result;
		if (message->msg == CURLMSG_DONE && !curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &f) && f)
			finished(f, code);
	}
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	const struct watched *w = poll->data;
	struct fetcher *fetcher = w->fetcher;
	int what = status < 0 ? CURL_CSELECT_ERR : 0, running;
	what |= events & UV_READABLE ? CURL_CSELECT_IN : 0;
	what |= events & UV_WRITABLE ? CURL_CSELECT_OUT : 0;
	curl_multi_socket_action(fetcher->multi, w->fd, what, &running);
	take_finished(fetcher);
}

static void on_watched_closed(uv_handle_t *handle) { free(handle->data); }

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
	struct fetcher *fetcher = arg;
	struct watched *w = socket_arg;
	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (w)
			uv_close((uv_handle_t *)&w->poll, on_watched_closed);
		curl_multi_assign(fetcher->multi, fd, NULL);
		return 0;
	}
	if (!w) {
		w = calloc(1, sizeof *w);
		if (!w || uv_poll_init(fetcher->loop, &w->poll, fd)) {
			free(w);
			return -1;
		}
		w->poll.data = w;
		w->fetcher = fetcher;
		w->fd = fd;
		curl_multi_assign(fetcher->multi, fd, w);
	}
	uv_poll_start(&w->poll, (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0), on_poll);
	return 0;
}

static void on_timeout(uv_timer_t *timer)
{
	struct fetcher *fetcher = timer->data;
	int running;
	curl_multi_socket_action(fetcher->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	take_finished(fetcher);
}

static int on_timer(CURLM *multi, long after_ms, void *arg)
{
	struct fetcher *fetcher = arg;
	(void)multi;
	if (after_ms < 0)
		uv_timer_stop(&fetcher->timer);
	else
		uv_timer_start(&fetcher->timer, on_timeout, (uint64_t)after_ms, 0);
	return 0;
}

int fetcher_open(struct fetcher **out, uv_loop_t *loop, struct fault *fault)
{
	struct fetcher *fetcher = calloc(1, sizeof *fetcher);
	if (!fetcher || curl_global_init(CURL_GLOBAL_DEFAULT) || !(fetcher->multi = curl_multi_init())) {
		free(fetcher);
		return fault_set(fault, ERR_MEMORY, "libcurl cannot be started");
	}
	fetcher->loop = loop;
	uv_timer_init(loop, &fetcher->timer);
	fetcher->timer.data = fetcher;
	curl_multi_setopt(fetcher->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(fetcher->multi, CURLMOPT_SOCKETDATA, fetcher);
	curl_multi_setopt(fetcher->multi, CURLMOPT_TIMERFUNCTION, on_timer);
	curl_multi_setopt(fetcher->multi, CURLMOPT_TIMERDATA, fetcher);
	*out = fetcher;
	return 0;
}

static void on_fetcher_closed(uv_handle_t *handle) { free(handle->data); }

void fetcher_close(struct fetcher *fetcher)
{
	curl_multi_cleanup(fetcher->multi);
	uv_close((uv_handle_t *)&fetcher->timer, on_fetcher_closed);
}

int fetch_session_open(struct fetch_session **out, struct fetcher *fetcher, struct proxy_visit *visit)
{
	struct fetch_session *s = calloc(1, sizeof *s);
	CURLSH *share = s ? curl_share_init() : NULL;
	if (!share) {
		free(s);
		return ERR_MEMORY;
	}
	curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_COOKIE);
	*s = (struct fetch_session){.fetcher = fetcher, .visit = visit, .share = share};
	*out = s;
	return 0;
}

void fetch_session_close(struct fetch_session *s)
{
	assert(!s->fetch);
	curl_share_cleanup(s->share);
	free(s);
}

int fetch_begin(struct fetch_session *s, const struct fetch_plan *plan, fetched_f *done, void *arg)
{
	struct fetch *f = calloc(1, sizeof *f);
	if (!f)
		return ERR_MEMORY;
	*f = (struct fetch){.session = s, .plan = *plan, .done = done, .arg = arg, 
			    .fd = -1, .body = BUFFER(BUFFER_FIRST)};
	f->result.index = SIZE_MAX;
	s->fetch = f;
	int bad = proxy_visit_connect(s->visit, plan->url.host, plan->url.port, on_connected, f);
	if (bad) {
		s->fetch = NULL;
		fetch_free(f);
	}
	return bad;
}
