/* The shape of urlscan.io's result (its API's /result/UUID/), of the first look: what tools of CSIRTs read. */
#include "active/visit/reports/words_inner.h"
#include "active/visit/site_inner.h"

/* Each distinct text of a property of the requests, once. */
static void write_list(const struct visit_look *l, const char *name, struct bytes (*of)(const struct visit_request *), struct writer *w)
{
	said_open(w, name, '[');
	for (size_t i = 0; i < l->request_count; i++) {
		const struct bytes value = of(&l->requests[i]);
		size_t before = 0;
		while (before < i && !bytes_equal(of(&l->requests[before]), value))
			before++;
		if (!value.len || before < i)
			continue;
		if (w->at[-1] != '[')
			write_u8(w, ',');
		write_json_string(w, value);
	}
	said_close(w, ']');
}

static struct bytes url_of(const struct visit_request *r) { return bytes_of_text(r->url); }
static struct bytes host_of(const struct visit_request *r) { return site_host(bytes_of_text(r->url)); }
static struct bytes hash_of(const struct visit_request *r) { return bytes_of_text(r->sha256); }

static struct bytes ip_of(const struct visit_request *r)
{
	struct bytes a = bytes_of_text(r->address);
	for (size_t i = a.len; i-- > 0;)
		if (a.at[i] == ':')
			return (struct bytes){a.at, i};
	return a;
}

static struct bytes server_of(const struct visit_request *r)
{
	for (size_t i = 0; i < r->answered_count; i++)
		if (!strcasecmp(r->answered[i].name, "server"))
			return bytes_of_text(r->answered[i].value);
	return (struct bytes){0};
}

static const struct visit_request *page_of(const struct visit_look *l)
{
	const struct visit_request *found = NULL;
	for (size_t i = 0; i < l->request_count; i++)
		if (!strcmp(l->requests[i].kind, "document") && l->requests[i].frame == 0 && !l->requests[i].redirected)
			found = &l->requests[i];
	return found;
}

static void write_task(const struct visit_findings *f, const struct visit_look *l, struct writer *w)
{
	char time[TIME_TEXT_MAX];
	said_open(w, "task", '{');
	said_text(w, "time", time_format(l->begin_us, time));
	said_text(w, "method", "automatic");
	said_text(w, "source", "kansoku");
	said_text(w, "visibility", "private");
	said_text(w, "url", f->url);
	said_bytes(w, "domain", site_host(bytes_of_text(f->url)));
	said_text(w, "userAgent", l->agent);
	said_close(w, '}');
}

static void write_page(const struct visit_look *l, struct writer *w)
{
	const struct visit_request *r = page_of(l);
	const struct bytes host = site_host(bytes_of_text(l->final));
	said_open(w, "page", '{');
	said_text(w, "url", l->final);
	said_bytes(w, "domain", host);
	said_bytes(w, "apexDomain", site_registered(host));
	said_text(w, "title", l->title);
	if (r) {
		said_bytes(w, "ip", ip_of(r));
		said_number(w, "status", r->status);
		said_text(w, "mimeType", r->mime);
		said_bytes(w, "server", server_of(r));
	}
	said_true(w, "redirected", l->hop_count > 1);
	said_close(w, '}');
}

static void write_requests(const struct visit_look *l, struct writer *w)
{
	said_open(w, "data", '{');
	said_open(w, "requests", '[');
	for (size_t i = 0; i < l->request_count; i++) {
		const struct visit_request *r = &l->requests[i];
		item_open(w, '{');
		said_open(w, "request", '{');
		said_open(w, "request", '{');
		said_text(w, "url", r->url);
		said_text(w, "method", r->method);
		said_close(w, '}');
		said_text(w, "type", r->kind);
		said_close(w, '}');
		said_open(w, "response", '{');
		said_open(w, "response", '{');
		said_number(w, "status", r->status);
		said_text(w, "mimeType", r->mime);
		said_bytes(w, "remoteIPAddress", ip_of(r));
		said_close(w, '}');
		said_text(w, "hash", r->sha256);
		said_number(w, "size", r->size);
		if (r->failed)
			said_text(w, "failed", r->failed);
		said_close(w, '}');
		said_close(w, '}');
	}
	said_close(w, ']');
	said_close(w, '}');
}

static void write_stats(const struct visit_look *l, struct writer *w)
{
	uint64_t bytes = 0, secure = 0, domains = 0;
	for (size_t i = 0; i < l->request_count; i++) {
		const struct bytes host = site_host(bytes_of_text(l->requests[i].url));
		size_t before = 0;
		while (before < i && !bytes_equal(site_host(bytes_of_text(l->requests[before].url)), host))
			before++;
		domains += host.len && before == i;
		bytes += l->requests[i].size;
		secure += bytes_start_with(bytes_of_text(l->requests[i].url), "https:");
	}
	said_open(w, "stats", '{');
	said_number(w, "totalRequests", l->request_count);
	said_number(w, "secureRequests", secure);
	said_number(w, "uniqDomains", domains);
	said_number(w, "dataLength", bytes);
	said_number(w, "totalFrames", l->frame_count);
	said_number(w, "totalDownloads", l->file_count);
	said_close(w, '}');
}

static void write_verdicts(const struct visit_findings *f, struct writer *w)
{
	said_open(w, "verdicts", '{');
	said_open(w, "overall", '{');
	said_number(w, "score", f->score);
	said_true(w, "malicious", !strcmp(f->verdict, "malicious"));
	said_true(w, "hasVerdicts", true);
	said_open(w, "categories", '[');
	item_text(w, f->verdict);
	said_close(w, ']');
	said_open(w, "tags", '[');
	for (size_t i = 0; i < f->reason_count; i++)
		item_text(w, f->reasons[i].name);
	said_close(w, ']');
	said_close(w, '}');
	said_close(w, '}');
}

static void write_urlscan(const struct visit_findings *f, struct writer *w)
{
	const struct visit_look *l = f->look_count ? f->looks[0] : NULL;
	write_u8(w, '{');
	if (l) {
		write_task(f, l, w);
		write_page(l, w);
		said_open(w, "lists", '{');
		write_list(l, "ips", ip_of, w);
		write_list(l, "domains", host_of, w);
		write_list(l, "urls", url_of, w);
		write_list(l, "hashes", hash_of, w);
		write_list(l, "servers", server_of, w);
		said_close(w, '}');
		write_requests(l, w);
		write_stats(l, w);
	}
	write_verdicts(f, w);
	write_text(w, "}\n");
}

static const struct visit_report visit_urlscan = {
	.name = "urlscan", .summary = "the first look in the shape of urlscan.io's results", .type = "application/json",
	.write = write_urlscan,
};
VISIT_REPORT(visit_urlscan);
