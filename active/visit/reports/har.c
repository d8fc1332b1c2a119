/*
 * HAR 1.2 (http://www.softwareishard.com/blog/har-12-spec/): a page for each look.  Sizes that the
 * browser does not tell are -1, as the specification wants.
 */
#include "active/visit/reports/words_inner.h"
#include "base/base64.h"

#define TEXT_MAX (1u << 20) /* of one body */

static void write_headers(const char *name, const struct visit_header *all, size_t count, struct writer *w)
{
	said_open(w, name, '[');
	for (size_t i = 0; i < count; i++) {
		item_open(w, '{');
		said_text(w, "name", all[i].name);
		said_text(w, "value", all[i].value);
		said_close(w, '}');
	}
	said_close(w, ']');
}

static const char *header(const struct visit_header *all, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (!strcasecmp(all[i].name, name))
			return all[i].value;
	return "";
}

static void write_query(struct bytes url, struct writer *w)
{
	const size_t at = bytes_find(url, "?");
	said_open(w, "queryString", '[');
	struct bytes rest = at < url.len ? (struct bytes){url.at + at + 1, url.len - at - 1} : (struct bytes){0};
	rest.len = bytes_find(rest, "#");
	while (rest.len) {
		struct bytes pair = {rest.at, bytes_find(rest, "&")};
		const size_t split = bytes_find(pair, "=");
		item_open(w, '{');
		said_bytes(w, "name", (struct bytes){pair.at, split});
		said_bytes(w, "value", split < pair.len ? (struct bytes){pair.at + split + 1, pair.len - split - 1} : (struct bytes){0});
		said_close(w, '}');
		const size_t taken = pair.len < rest.len ? pair.len + 1 : pair.len;
		rest = (struct bytes){rest.at + taken, rest.len - taken};
	}
	said_close(w, ']');
}

static void write_asked(const struct visit_request *r, struct writer *w)
{
	said_open(w, "request", '{');
	said_text(w, "method", r->method);
	said_text(w, "url", r->url);
	said_text(w, "httpVersion", r->protocol);
	said_open(w, "cookies", '[');
	said_close(w, ']');
	write_headers("headers", r->asked, r->asked_count, w);
	write_query(bytes_of_text(r->url), w);
	if (r->sent.len) {
		said_open(w, "postData", '{');
		said_text(w, "mimeType", header(r->asked, r->asked_count, "content-type"));
		said_bytes(w, "text", r->sent);
		said_close(w, '}');
	}
	write_fmt(w, ",\"headersSize\":-1,\"bodySize\":%zu}", r->sent.len);
}

static void write_answered(const struct visit_request *r, struct writer *w)
{
	const struct bytes body = {r->body.at, r->body.len < TEXT_MAX ? r->body.len : TEXT_MAX};
	said_open(w, "response", '{');
	said_number(w, "status", r->status);
	said_text(w, "statusText", r->status_text);
	said_text(w, "httpVersion", r->protocol);
	said_open(w, "cookies", '[');
	said_close(w, ']');
	write_headers("headers", r->answered, r->answered_count, w);
	said_open(w, "content", '{');
	said_number(w, "size", r->size);
	said_text(w, "mimeType", *r->mime ? r->mime : "x-unknown");
	if (body.len && bytes_is_utf8(body)) {
		said_bytes(w, "text", body);
	} else if (body.len) {
		write_text(w, ",\"encoding\":\"base64\",\"text\":\"");
		base64_encode(body, w);
		write_u8(w, '"');
	}
	if (r->sha256[0])
		said_text(w, "_sha256", r->sha256);
	said_close(w, '}');
	said_text(w, "redirectURL", header(r->answered, r->answered_count, "location"));
	write_fmt(w, ",\"headersSize\":-1,\"bodySize\":%lld}", r->wire_bytes ? (long long)r->wire_bytes : -1ll);
}

static void write_entry(const struct visit_look *l, size_t page, const struct visit_request *r, struct writer *w)
{
	char time[TIME_TEXT_MAX], name[32];
	snprintf(name, sizeof name, "page_%zu", page);
	item_open(w, '{');
	said_text(w, "pageref", name);
	said_text(w, "startedDateTime", time_format(l->begin_us + r->begin_ms * 1000, time));
	said_number(w, "time", r->wait_ms + r->receive_ms);
	write_asked(r, w);
	write_answered(r, w);
	said_open(w, "cache", '{');
	said_close(w, '}');
	write_fmt(w, ",\"timings\":{\"send\":0,\"wait\":%llu,\"receive\":%llu}", (unsigned long long)r->wait_ms,
		  (unsigned long long)r->receive_ms);
	/* The address alone: the port stands in the URL. */
	struct bytes address = bytes_of_text(r->address);
	for (size_t i = address.len; i-- > 0;)
		if (address.at[i] == ':') {
			address.len = i;
			break;
		}
	if (address.len && address.at[0] == '[')
		address = (struct bytes){address.at + 1, address.len > 1 ? address.len - 2 : 0};
	if (address.len)
		said_bytes(w, "serverIPAddress", address);
	said_text(w, "_resourceType", r->kind);
	said_text(w, "_initiator", r->initiator);
	if (r->failed)
		said_text(w, "_error", r->failed);
	said_close(w, '}');
}

static void write_har(const struct visit_findings *f, struct writer *w)
{
	char time[TIME_TEXT_MAX], name[32];
	write_text(w, "{\"log\":{\"version\":\"1.2\",\"creator\":{\"name\":\"kansoku\",\"version\":\"1\"},\"pages\":[");
	for (size_t i = 0; i < f->look_count; i++) {
		const struct visit_look *l = f->looks[i];
		snprintf(name, sizeof name, "page_%zu", i);
		item_open(w, '{');
		said_text(w, "startedDateTime", time_format(l->begin_us, time));
		said_text(w, "id", name);
		said_text(w, "title", *l->title ? l->title : l->final);
		write_text(w, ",\"pageTimings\":{}");
		said_text(w, "_personality", l->personality->name);
		said_close(w, '}');
	}
	write_text(w, "],\"entries\":[");
	for (size_t i = 0; i < f->look_count; i++)
		for (size_t r = 0; r < f->looks[i]->request_count; r++)
			write_entry(f->looks[i], i, &f->looks[i]->requests[r], w);
	write_text(w, "]}}\n");
}

static const struct visit_report visit_har = {
	.name = "har", .summary = "requests and answers as HAR 1.2", .type = "application/json", .write = write_har,
};
VISIT_REPORT(visit_har);
