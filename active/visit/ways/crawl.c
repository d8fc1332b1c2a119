/*
 * The crawl: asks for a page as a browser would and reads it without running anything.
 *
 * It follows redirects by HTTP, by <meta>, by the field Refresh and by the plain assignments of scripts to
 * location; then it asks for frames, for scripts and for what a link offers as a download, as many as
 * visit.pages allows.  What is no page is a file and goes to the store.  A page with scripts is worth a
 * browser: then the next way is asked.
 *
 * /robots.txt is not read: these are single requests for pages that an attacker named, not the automatic
 * crawl of a site that RFC 9309 is about.
 */
#include "active/visit/crawl_inner.h"
#include <stdlib.h>
#include <strings.h>

#define AT_ONCE 64

struct crawler {
	struct fetcher *fetcher;
};

static void crawl_next(struct crawl *c);

static void on_finding(void *arg, const struct html_finding *f)
{
	struct crawl *c = arg;
	const struct html_summary *s = c->steps[c->step_count - 1]->summary;
	struct url url, base = c->url;
	if (s->base[0])
		url_parse(bytes_of_text(s->base), &c->url, &base);
	char text[URL_TEXT_MAX];
	c->hidden_frames += f->kind == HTML_FRAME && f->hidden;
	if (url_parse(f->url, &base, &url))
		return;
	url_format(&url, text);
	if ((f->kind == HTML_META || f->kind == HTML_LOCATION) && !c->onward.how) {
		c->onward.how = f->kind == HTML_META ? "meta" : "script";
		snprintf(c->onward.url, sizeof c->onward.url, "%s", text);
	}
	if (c->link_count == CRAWL_LINKS_MAX) {
		crawl_limit(c, "links");
		return;
	}
	for (size_t i = 0; i < c->link_count; i++)
		if (!strcmp(c->links[i].url, text))
			return;
	char *kept = strdup(text);
	if (kept)
		c->links[c->link_count++] = (struct crawl_link){kept, f->kind, f->hidden, f->download, c->step_count - 1};
}

static void read_page(struct crawl *c, struct crawl_step *s, struct bytes body)
{
	c->onward.how = NULL;
	s->summary = calloc(1, sizeof *s->summary);
	if (!s->summary)
		return;
	html_read(body, on_finding, c, s->summary);
}

/* Its name as the server gives it, or the last part of its path. */
static struct bytes file_name(const struct crawl_step *s, const char *disposition, char name[256])
{
	const struct bytes d = bytes_of_text(disposition);
	size_t at = bytes_find_nocase(d, "filename=");
	struct bytes from = {0};
	if (at < d.len) {
		from = bytes_trim((struct bytes){d.at + at + 9, d.len - at - 9});
		const bool quoted = from.len > 1 && from.at[0] == '"';
		from = quoted ? (struct bytes){from.at + 1, from.len - 1} : from;
		const uint8_t *end = from.len ? memchr(from.at, quoted ? '"' : ';', from.len) : NULL;
		from.len = end ? (size_t)(end - from.at) : from.len;
	} else {
		const char *question = strchr(s->url, '?'), *end = question ? question : s->url + strlen(s->url), *start = end;
		while (start > s->url && start[-1] != '/')
			start--;
		from = (struct bytes){(const uint8_t *)start, (size_t)(end - start)};
	}
	from.len = from.len < 255 ? from.len : 255;
	bytes_copy_text(from, name, 256);
	return bytes_of_text(name);
}

static void tell_file(struct crawl *c, const struct crawl_step *s, const struct fetch_result *r)
{
	struct event *e = &c->event;
	char name[256];
	event_begin(e, EVENT_FILE_CAPTURED);
	event_set_text(e, FIELD_FILE_SHA256, s->sha256);
	event_set_number(e, FIELD_FILE_SIZE, s->size);
	event_set_bytes(e, FIELD_FILE_NAME, file_name(s, r->disposition, name));
	event_set_bytes(e, FIELD_FILE_URL, bytes_of_text(s->url));
	event_set_text(e, FIELD_FILE_HOW, "crawl");
	event_set_address(e, FIELD_SRC, &s->address);
	event_set_number(e, FIELD_DPORT, s->port);
	if (s->limit[0])
		event_set_text(e, FIELD_LIMIT, s->limit);
	order_publish(c->order, e);
	c->files++;
}

static bool is_script(const struct crawl_step *s)
{
	const struct bytes type = bytes_of_text(s->type);
	return !strcmp(s->how, "script-file") && (bytes_find_nocase(type, "script") < type.len || !type.len);
}

static void take_answer(struct crawl *c, struct crawl_step *s, const struct fetch_result *r)
{
	size_t count;
	const struct proxy_connection *log = proxy_visit_log(order_proxy(c->order), &count);
	if (r->index != SIZE_MAX) {
		s->address = log[r->index].address;
		s->port = log[r->index].port;
	}
	s->status = r->status;
	s->size = r->body.len;
	s->wire_bytes = r->wire_bytes;
	s->is_page = r->is_page;
	bytes_copy_text(bytes_of_text(r->type), s->type, sizeof s->type);
	bytes_copy_text(bytes_of_text(r->server), s->server, sizeof s->server);
	bytes_copy_text(bytes_of_text(r->subject), s->subject, sizeof s->subject);
	bytes_copy_text(bytes_of_text(r->issuer), s->issuer, sizeof s->issuer);
	bytes_copy_text(bytes_of_text(r->failed), s->failed, sizeof s->failed);
	bytes_copy_text(bytes_of_text(r->limit), s->limit, sizeof s->limit);
	crawl_limit(c, r->limit);
	const bool redirect = r->status >= 300 && r->status < 400 && r->location[0];
	if (!r->body.len || redirect || r->status >= 400)
		return;
	if (order_keep(c->order, r->body, s->sha256))
		crawl_limit(c, "store");
	s->is_file = !r->is_page && !is_script(s) && s->sha256[0];
	if (s->is_file)
		tell_file(c, s, r);
	if (r->is_page)
		read_page(c, s, r->body);
}

static bool was_asked(const struct crawl *c, const char *url)
{
	for (size_t i = 0; i < c->step_count; i++)
		if (!strcmp(c->steps[i]->url, url))
			return true;
	return false;
}

static bool is_part(const char *how) { return !strcmp(how, "frame") || !strcmp(how, "script-file") || !strcmp(how, "download"); }

static void on_fetched(void *arg, const struct fetch_result *r);

/* Asks for it: a step more.  False: it cannot be, or was already. */
static bool crawl_ask(struct crawl *c, const struct url *url, const char *how, size_t from)
{
	char text[URL_TEXT_MAX];
	if (was_asked(c, url_format(url, text)))
		return false;
	struct crawl_step *s = c->step_count < CRAWL_STEPS_MAX ? calloc(1, sizeof *s) : NULL;
	if (!s)
		return false;
	const struct order_plan *plan = order_plan(c->order);
	struct fetch_plan fetch = {.url = *url, .agent = plan->agent, .language = plan->language, .referrer = plan->referrer,
				   .page_max = plan->page_max, .file_max = plan->file_max, .time_ms = plan->time_ms};
	snprintf(s->url, sizeof s->url, "%s", text);
	s->how = how;
	s->from = from;
	s->of_page = !is_part(how) && (from >= c->step_count || c->steps[from]->of_page);
	if (from < c->step_count) {
		const struct crawl_step *before = c->steps[from];
		struct url earlier;
		if (strcmp(how, "http"))
			fetch.referrer = before->url;
		s->crosses = url_parse(bytes_of_text(before->url), NULL, &earlier) == 0 && strcmp(earlier.host, url->host);
	}
	c->steps[c->step_count++] = s;
	c->url = *url;
	if (fetch_begin(c->session, &fetch, on_fetched, c) == 0)
		return true;
	snprintf(s->failed, sizeof s->failed, "no memory");
	return false;
}

static void crawl_free(struct crawl *c)
{
	for (size_t i = 0; i < c->step_count; i++) {
		free(c->steps[i]->summary);
		free(c->steps[i]);
	}
	for (size_t i = 0; i < c->link_count; i++)
		free(c->links[i].url);
	fetch_session_close(c->session);
	free(c);
}

static bool has_scripts(const struct crawl *c)
{
	for (size_t i = 0; i < c->step_count; i++)
		if (c->steps[i]->summary && (c->steps[i]->summary->scripts || c->steps[i]->summary->frames))
			return true;
	return false;
}

static void tell_page(struct crawl *c)
{
	struct event *e = &c->event;
	const struct crawl_step *s = c->steps[c->final];
	char sha256[65] = "", reasons[512];
	struct writer r = writer_of(reasons, sizeof reasons - 1);
	struct buffer report = BUFFER(CRAWL_REPORT_MAX);
	uint8_t *room = buffer_room(&report, CRAWL_REPORT_MAX);
	struct writer w = writer_of(room, room ? CRAWL_REPORT_MAX : 0);
	crawl_write(c, &w);
	if (!w.bad)
		order_keep(c->order, writer_bytes(&w), sha256);
	buffer_done(&report);
	const unsigned score = crawl_judge(c, &r);
	*r.at = '\0';
	event_begin(e, EVENT_PAGE_VISITED);
	event_set_bytes(e, FIELD_PAGE_FINAL, bytes_of_text(s->url));
	if (!address_is_zero(&s->address)) {
		event_set_address(e, FIELD_SRC, &s->address);
		event_set_number(e, FIELD_DPORT, s->port);
	}
	if (s->status)
		event_set_number(e, FIELD_STATUS, s->status);
	event_set_text(e, FIELD_STATE, s->status ? "reached" : "unreachable");
	if (sha256[0])
		event_set_text(e, FIELD_REPORT_SHA256, sha256);
	if (s->sha256[0])
		event_set_text(e, FIELD_FILE_SHA256, s->sha256);
	event_set_number(e, FIELD_COUNT, c->step_count);
	event_set_number(e, FIELD_CONFIDENCE, score);
	if (reasons[0] || s->failed[0])
		event_set_text(e, FIELD_DETAIL, reasons[0] ? reasons : s->failed);
	if (c->limits[0])
		event_set_text(e, FIELD_LIMIT, c->limits);
	order_publish(c->order, e);
}

static void crawl_end(struct crawl *c)
{
	struct order *order = c->order;
	const bool more = has_scripts(c);
	if (c->step_count)
		tell_page(c);
	crawl_free(c);
	order_set_state(order, NULL);
	order_done(order, more);
}

static bool is_worth_asking(const struct crawl_link *l)
{
	return l->kind == HTML_FRAME || l->kind == HTML_SCRIPT || (l->kind == HTML_LINK && l->download);
}

/* What the pages so far hold, in their order. */
static void crawl_next(struct crawl *c)
{
	while (c->next_link < c->link_count) {
		const struct crawl_link *l = &c->links[c->next_link++];
		struct url url;
		if (!is_worth_asking(l) || url_parse(bytes_of_text(l->url), NULL, &url))
			continue;
		if (c->step_count >= c->pages_max || proxy_visit_limit(order_proxy(c->order))[0]) {
			crawl_limit(c, proxy_visit_limit(order_proxy(c->order))[0] ? proxy_visit_limit(order_proxy(c->order)) : "pages");
			break;
		}
		const char *how = l->kind == HTML_FRAME ? "frame" : l->kind == HTML_SCRIPT ? "script-file" : "download";
		if (crawl_ask(c, &url, how, l->from))
			return;
	}
	crawl_end(c);
}

/* Words of the policy, of which a page has no business to hear. */
static bool is_refusal(const char *reason)
{
	static const char *const words[] = {"special", "own", "scope", "opted-out", "known-scanner", "held-out", "port"};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (!strcmp(reason, words[i]))
			return true;
	return false;
}

/* Where a step of the page itself leads on; false: nowhere. */
static bool follow(struct crawl *c, const struct fetch_result *r, size_t at)
{
	struct url url;
	const char *target = NULL, *how = "http";
	if (r->status >= 300 && r->status < 400 && r->location[0]) {
		target = r->location;
	} else if (r->refresh[0] && strcasestr(r->refresh, "url=")) {
		target = strcasestr(r->refresh, "url=") + 4;
		how = "refresh";
	} else if (r->is_page && c->onward.how) {
		target = c->onward.url;
		how = c->onward.how;
	}
	if (!target || url_parse(bytes_of_text(target), &c->url, &url))
		return false;
	if (at + 1 >= CRAWL_HOPS_MAX) {
		crawl_limit(c, "redirects");
		return false;
	}
	return crawl_ask(c, &url, how, at);
}

static void on_fetched(void *arg, const struct fetch_result *r)
{
	struct crawl *c = arg;
	const size_t at = c->step_count - 1;
	struct crawl_step *s = c->steps[at];
	c->onward.how = NULL;
	take_answer(c, s, r);
	c->refused += is_refusal(r->failed);
	if (s->of_page)
		c->final = at;
	/* A frame's own redirects are followed, too: exploit kits stand behind them. */
	if (!follow(c, r, at))
		crawl_next(c);
}

static void crawl_begin(void *room, struct order *order)
{
	const struct crawler *crawler = room;
	struct crawl *c = calloc(1, sizeof *c);
	struct url url;
	if (!c || url_parse(bytes_of_text(order_plan(order)->url), NULL, &url) ||
	    fetch_session_open(&c->session, crawler->fetcher, order_proxy(order))) {
		free(c);
		order_done(order, false);
		return;
	}
	c->order = order;
	c->pages_max = order_plan(order)->pages_max < CRAWL_STEPS_MAX ? (size_t)order_plan(order)->pages_max : CRAWL_STEPS_MAX;
	order_set_state(order, c);
	if (!crawl_ask(c, &url, "start", 0))
		crawl_end(c);
}

static int crawl_open(struct process *p, void **room, struct fault *fault)
{
	struct crawler *crawler = calloc(1, sizeof *crawler);
	int bad = crawler ? fetcher_open(&crawler->fetcher, p->loop, fault) : ERR_MEMORY;
	if (bad)
		free(crawler);
	else
		*room = crawler;
	return bad;
}

static const struct way crawl = {
	.name = "crawl",
	.summary = "asks for the page and what it leads to, without running anything",
	.at_once = AT_ONCE,
	.open = crawl_open,
	.begin = crawl_begin,
};
WAY(crawl);
