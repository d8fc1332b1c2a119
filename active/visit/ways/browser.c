/*
 * The browser as a way to visit a page: real browsers in boxes, after the crawl found scripts.
 *
 * A keeper of boxes for each visit at a time is forked before the process gives its rights away; the
 * looks are driven on threads (job.h) and every connection passes the order's own proxy_visit.
 */
#include "active/visit/job.h"
#include "active/visit/way.h"
#include "base/log.h"
#include <stdlib.h>

#define AT_ONCE 4
#define REPORT_MAX (16u << 20)
#define LOOK_MS_MAX 20000

struct browsing {
	struct browsers *room;
	struct order *order;
	struct visit_job *job;
	struct visit_plan plan;
	size_t keeper;
	struct fault fault;
	struct event event; /* too large for a stack */
};

struct browsers {
	struct visit_tools tools;
	struct box_keeper *keepers[AT_ONCE];
	bool busy[AT_ONCE];
};

static void set_texts(struct event *e, const struct visit_findings *f)
{
	char text[1024];
	struct writer w = writer_of(text, sizeof text - 1);
	write_text(&w, f->verdict);
	for (size_t i = 0; i < f->reason_count; i++) {
		const struct visit_reason *r = &f->reasons[i];
		if (writer_left(&w) > strlen(r->detail) + strlen(r->name) + 8)
			write_fmt(&w, "; %s: %s", r->name, r->detail);
	}
	if (!f->reason_count && f->looks[0]->failed)
		write_fmt(&w, ": %.200s", f->looks[0]->failed);
	*w.at = '\0';
	event_set_text(e, FIELD_DETAIL, text);
	if (*f->limits)
		event_set_text(e, FIELD_LIMIT, f->limits);
}

/* Where the last page of a look came from, by the log of whoever connected. */
static void set_place(struct event *e, const struct visit_look *l, const char *url)
{
	for (size_t i = l->request_count; i-- > 0;) {
		const struct visit_request *r = &l->requests[i];
		struct address a;
		if (strcmp(r->url, url) || !*r->address)
			continue;
		const char *colon = strrchr(r->address, ':');
		struct bytes host = {(const uint8_t *)r->address, (size_t)(colon - r->address)};
		if (host.len > 2 && host.at[0] == '[')
			host = (struct bytes){host.at + 1, host.len - 2};
		if (!address_parse(host, &a))
			continue;
		event_set_address(e, FIELD_SRC, &a);
		event_set_number(e, FIELD_DPORT, strtoul(colon + 1, NULL, 10));
		return;
	}
}

static unsigned status_of(const struct visit_look *l)
{
	unsigned status = 0;
	for (size_t i = 0; i < l->request_count; i++)
		if (!strcmp(l->requests[i].kind, "document") && l->requests[i].frame == 0)
			status = l->requests[i].status;
	return status;
}

static void keep_report(struct order *o, const struct visit_findings *f, const char *name, char sha256[65])
{
	struct buffer out = BUFFER(REPORT_MAX);
	sha256[0] = '\0';
	if (visit_report_write(visit_report_find(name), f, &out) || order_keep(o, buffer_bytes(&out), sha256))
		sha256[0] = '\0';
	buffer_done(&out);
}

static void tell_page(struct browsing *b, const struct visit_findings *f)
{
	char sha256[65], har[65], picture[65];
	const struct visit_look *first = f->looks[0];
	struct order *o = b->order;
	struct event *e = &b->event;
	keep_report(o, f, "json", sha256);
	keep_report(o, f, "har", har);
	if (first->picture.len && order_keep(o, first->picture, picture))
		log_warning("a page's picture is not kept: too much is on its way to the store");
	event_begin(e, EVENT_PAGE_VISITED);
	event_set_bytes(e, FIELD_PAGE_FINAL, bytes_of_text(f->final));
	event_set_text(e, FIELD_STATE, strcmp(f->verdict, "unreachable") ? "reached" : "unreachable");
	event_set_number(e, FIELD_CONFIDENCE, f->score);
	event_set_number(e, FIELD_COUNT, f->look_count);
	if (status_of(first))
		event_set_number(e, FIELD_STATUS, status_of(first));
	if (sha256[0])
		event_set_text(e, FIELD_REPORT_SHA256, sha256);
	set_place(e, first, f->final);
	set_texts(e, f);
	order_publish(o, e);
}

static void tell_file(struct browsing *b, const struct visit_look *l, const struct visit_file *file)
{
	char sha256[65] = "";
	struct event *e = &b->event;
	if (order_keep(b->order, file->content, sha256))
		return;
	event_begin(e, EVENT_FILE_CAPTURED);
	event_set_text(e, FIELD_FILE_SHA256, sha256);
	event_set_number(e, FIELD_FILE_SIZE, file->content.len);
	event_set_bytes(e, FIELD_FILE_NAME, bytes_of_text(file->name));
	event_set_bytes(e, FIELD_FILE_URL, bytes_of_text(file->url));
	event_set_text(e, FIELD_FILE_HOW, "browser");
	set_place(e, l, file->url);
	order_publish(b->order, e);
}

/* A file once, whoever of the visitors got it. */
static bool was_told(const struct visit_findings *f, size_t look, size_t file)
{
	for (size_t i = 0; i <= look; i++)
		for (size_t n = 0; n < f->looks[i]->file_count && (i < look || n < file); n++)
			if (!strcmp(f->looks[i]->files[n].sha256, f->looks[look]->files[file].sha256))
				return true;
	return false;
}

static void on_done(void *arg, struct visit_job *job)
{
	struct browsing *b = arg;
	const char *why;
	const struct visit_findings *f = visit_job_findings(job, &why);
	if (f) {
		tell_page(b, f);
		for (size_t i = 0; i < f->look_count; i++)
			for (size_t n = 0; n < f->looks[i]->file_count; n++)
				if (!was_told(f, i, n))
					tell_file(b, f->looks[i], &f->looks[i]->files[n]);
	} else {
		log_warning("a page is not visited by a browser: %s", why);
	}
	b->room->busy[b->keeper] = false;
	visit_job_free(job);
	order_set_state(b->order, NULL);
	order_done(b->order, false);
	free(b);
}

static void browser_begin(void *arg, struct order *order)
{
	struct browsers *room = arg;
	struct browsing *b = calloc(1, sizeof *b);
	const struct order_plan *plan = order_plan(order);
	size_t keeper = 0;
	while (keeper < AT_ONCE && room->busy[keeper])
		keeper++;
	if (!b || keeper == AT_ONCE) {
		free(b);
		order_done(order, false);
		return;
	}
	*b = (struct browsing){.room = room, .order = order, .keeper = keeper};
	b->plan = (struct visit_plan){.tools = &room->tools, .url = plan->url, .referrer = plan->referrer,
				      .limits = {.time_ms = plan->time_ms < LOOK_MS_MAX ? plan->time_ms : LOOK_MS_MAX}};
	if (visit_job_start(&b->job, order_loop(order), order_proxy(order), room->keepers[keeper], &b->plan, on_done, b, &b->fault)) {
		log_warning("a page is not visited by a browser: %s", b->fault.text);
		free(b);
		order_done(order, false);
		return;
	}
	room->busy[keeper] = true;
	order_set_state(order, b);
}

static void browser_stop_order(void *room, struct order *order)
{
	struct browsing *b = order_state(order);
	(void)room;
	if (b)
		visit_job_stop(b->job);
}

static void browser_close(void *arg)
{
	struct browsers *room = arg;
	for (size_t i = 0; i < AT_ONCE; i++)
		if (room->keepers[i])
			box_keeper_close(room->keepers[i]);
	free(room);
}

static int browser_open(struct process *p, void **out, struct fault *fault)
{
	struct browsers *room = calloc(1, sizeof *room);
	int bad = room ? visit_tools_find(&room->tools, fault) : fault_set(fault, ERR_MEMORY, "no memory for browsers");
	for (size_t i = 0; !bad && i < AT_ONCE; i++)
		bad = box_keeper_open(&room->keepers[i], process_state(p), fault);
	if (!bad)
		*out = room;
	else if (room)
		browser_close(room);
	return bad;
}

static const struct way browser_way = {
	.name = "browser",
	.summary = "runs the page in browsers in boxes, as several kinds of visitor",
	.at_once = AT_ONCE,
	.open = browser_open,
	.begin = browser_begin,
	.stop = browser_stop_order,
	.close = browser_close,
};
WAY(browser_way);
