/* The whole of a visit as one JSON object; bodies and pictures by their digests. */
#include "active/visit/reports/words_inner.h"
#include <math.h>
#include <openssl/evp.h>

static void digest_of(struct writer *w, const char *name, struct bytes b)
{
	uint8_t digest[32];
	char hex[65] = "";
	if (!b.len || !EVP_Digest(b.at, b.len, digest, NULL, EVP_sha256(), NULL))
		return;
	for (int i = 0; i < 32; i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	said_text(w, name, hex);
}

static void write_hops(const struct visit_look *l, struct writer *w)
{
	said_open(w, "redirects", '[');
	for (size_t i = 0; i < l->hop_count; i++) {
		const struct visit_hop *h = &l->hops[i];
		item_open(w, '{');
		said_number(w, "number", i);
		said_text(w, "kind", visit_hop_kind_name(h->kind));
		if (h->kind != HOP_START)
			said_number(w, "from", h->from);
		said_number(w, "frame", h->frame);
		if (h->status)
			said_number(w, "status", h->status);
		said_text(w, "url", h->url);
		said_number(w, "at_ms", h->at_ms);
		said_true(w, "crosses", h->crosses);
		said_close(w, '}');
	}
	said_close(w, ']');
}

static void write_frames(const struct visit_look *l, struct writer *w)
{
	said_open(w, "frames", '[');
	for (size_t i = 1; i < l->frame_count; i++) {
		const struct visit_frame *f = &l->frames[i];
		item_open(w, '{');
		said_text(w, "url", f->url);
		said_number(w, "parent", f->parent);
		said_number(w, "width", f->width > 0 ? (uint64_t)f->width : 0);
		said_number(w, "height", f->height > 0 ? (uint64_t)f->height : 0);
		if (f->hidden)
			said_text(w, "hidden", f->hidden);
		said_true(w, "by_script", f->by_script);
		said_close(w, '}');
	}
	said_close(w, ']');
}

static void write_requests(const struct visit_look *l, struct writer *w)
{
	said_open(w, "requests", '[');
	for (size_t i = 0; i < l->request_count; i++) {
		const struct visit_request *r = &l->requests[i];
		item_open(w, '{');
		said_text(w, "method", r->method);
		said_text(w, "url", r->url);
		said_text(w, "kind", r->kind);
		said_text(w, "initiator", r->initiator);
		said_number(w, "frame", r->frame);
		said_number(w, "status", r->status);
		said_text(w, "mime", r->mime);
		said_text(w, "address", r->address);
		said_number(w, "begin_ms", r->begin_ms);
		said_number(w, "size", r->size);
		if (r->sha256[0])
			said_text(w, "sha256", r->sha256);
		if (r->failed)
			said_text(w, "failed", r->failed);
		said_close(w, '}');
	}
	said_close(w, ']');
}

static void write_measures(const struct visit_measures *m, struct writer *w)
{
	const struct { const char *name; uint64_t value; } all[] = {
		{"scripts", m->scripts}, {"script_bytes", m->script_bytes}, {"inline_scripts", m->inline_scripts},
		{"evals", m->evals}, {"eval_bytes", m->eval_bytes}, {"writes", m->writes}, {"write_bytes", m->write_bytes},
		{"timers", m->timers}, {"decoded", m->decoded}, {"decoded_bytes", m->decoded_bytes},
		{"decoded_length_max", m->decoded_length_max},
		{"decoded_entropy_max_millibits", (uint64_t)lround(m->decoded_entropy_max * 1000)},
		{"string_definitions", m->string_definitions}, {"string_uses", m->string_uses},
		{"plugin_probes", m->plugin_probes}, {"activex_probes", m->activex_probes},
		{"webdriver_probes", m->webdriver_probes}, {"fingerprint_probes", m->fingerprint_probes},
		{"wasm_modules", m->wasm_modules}, {"workers", m->workers}, {"clipboard_writes", m->clipboard_writes},
		{"dialogs", m->dialogs}, {"windows", m->windows}, {"notifications", m->notifications},
		{"programs_after_script", m->programs_after_script},
	};
	said_open(w, "measures", '{');
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		said_number(w, all[i].name, all[i].value);
	said_close(w, '}');
}

static void write_scripts(const struct visit_look *l, struct writer *w)
{
	said_open(w, "scripts", '[');
	for (size_t i = 0; i < l->script_count; i++) {
		const struct visit_script *s = &l->scripts[i];
		item_open(w, '{');
		said_text(w, "origin", s->origin);
		said_text(w, "url", s->url);
		said_number(w, "size", s->size);
		said_text(w, "sha256", s->sha256);
		/* What was not in the page's own text would be lost otherwise. */
		if (strcmp(s->origin, "source") && strcmp(s->origin, "inline") && strcmp(s->origin, "wasm"))
			said_bytes(w, "text", (struct bytes){s->text.at, s->text.len < 4096 ? s->text.len : 4096});
		said_close(w, '}');
	}
	said_close(w, ']');
}

static void write_box(const struct visit_look *l, struct writer *w)
{
	said_open(w, "files", '[');
	for (size_t i = 0; i < l->file_count; i++) {
		const struct visit_file *f = &l->files[i];
		item_open(w, '{');
		said_text(w, "url", f->url);
		said_text(w, "name", f->name);
		said_text(w, "sha256", f->sha256);
		said_number(w, "size", f->content.len);
		said_true(w, "cut", f->cut);
		said_true(w, "gesture", f->gesture);
		said_close(w, '}');
	}
	said_close(w, ']');
	said_open(w, "changes", '[');
	for (size_t i = 0; i < l->change_count; i++) {
		if (l->changes[i].expected)
			continue;
		item_open(w, '{');
		said_text(w, "kind", l->changes[i].kind);
		said_text(w, "what", l->changes[i].what);
		said_close(w, '}');
	}
	said_close(w, ']');
	said_open(w, "connections", '[');
	for (size_t i = 0; i < l->connection_count; i++) {
		const struct visit_connection *c = &l->connections[i];
		item_open(w, '{');
		said_text(w, "host", c->host);
		said_text(w, "address", c->address);
		said_number(w, "port", c->port);
		said_text(w, "reason", c->reason);
		said_number(w, "bytes_in", c->bytes_in);
		said_number(w, "bytes_out", c->bytes_out);
		said_close(w, '}');
	}
	said_close(w, ']');
}

static void write_look(const struct visit_look *l, struct writer *w)
{
	char time[TIME_TEXT_MAX];
	item_open(w, '{');
	said_text(w, "personality", l->personality->name);
	said_text(w, "agent", l->agent);
	said_text(w, "browser", l->personality->browser == VISIT_FULL ? "chromium" : "chromium-headless-shell");
	said_text(w, "time", time_format(l->begin_us, time));
	said_text(w, "final", l->final);
	said_text(w, "title", l->title);
	if (l->failed)
		said_text(w, "failed", l->failed);
	said_number(w, "score", l->score);
	write_hops(l, w);
	write_frames(l, w);
	write_requests(l, w);
	write_scripts(l, w);
	write_measures(&l->measures, w);
	write_box(l, w);
	digest_of(w, "dom_sha256", l->dom);
	digest_of(w, "picture_sha256", l->picture);
	said_text(w, "limits", l->limits);
	said_number(w, "time_ms", l->time_ms);
	said_number(w, "cpu_ms", l->cpu_ms);
	said_number(w, "memory_peak", l->memory_peak);
	said_close(w, '}');
}

static void write_whole(const struct visit_findings *f, struct writer *w)
{
	write_u8(w, '{');
	said_text(w, "url", f->url);
	said_text(w, "final", f->final);
	said_text(w, "title", f->title);
	said_text(w, "verdict", f->verdict);
	said_number(w, "score", f->score);
	said_open(w, "reasons", '[');
	for (size_t i = 0; i < f->reason_count; i++) {
		item_open(w, '{');
		said_text(w, "name", f->reasons[i].name);
		said_number(w, "points", f->reasons[i].points);
		said_number(w, "look", f->reasons[i].look);
		said_text(w, "detail", f->reasons[i].detail);
		said_close(w, '}');
	}
	said_close(w, ']');
	said_open(w, "differences", '[');
	for (size_t i = 0; i < f->difference_count; i++) {
		item_open(w, '{');
		said_text(w, "what", f->differences[i].what);
		said_number(w, "one", f->differences[i].one);
		said_number(w, "other", f->differences[i].other);
		said_text(w, "detail", f->differences[i].detail);
		said_close(w, '}');
	}
	said_close(w, ']');
	said_text(w, "limits", f->limits);
	said_open(w, "looks", '[');
	for (size_t i = 0; i < f->look_count; i++)
		write_look(f->looks[i], w);
	said_close(w, ']');
	write_text(w, "}\n");
}

static const struct visit_report visit_json = {
	.name = "json", .summary = "all that a visit found", .type = "application/json", .write = write_whole,
};
VISIT_REPORT(visit_json);
