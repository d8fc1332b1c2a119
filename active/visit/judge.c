/*
 * Reasons why a page is no ordinary one: the features of drive-by pages that JSAND (Cova et al., WWW
 * 2010) names, what came after scripts, and what is left in the box.  Each gives points; the sum is the
 * score, and no single weak sign makes a page malicious.
 */
#include "active/visit/site_inner.h"
#include "active/visit/view_inner.h"
#include "base/address.h"

#define MALICIOUS_MIN 60
#define SUSPICIOUS_MIN 25

static bool has_suffix(const char *name, const char *suffix)
{
	const size_t n = strlen(name), m = strlen(suffix);
	return n >= m && !strcasecmp(name + n - m, suffix);
}

const char *view_file_kind(struct bytes content, const char *name)
{
	static const struct { const char *start; size_t len; const char *kind; } starts[] = {
		{"MZ", 2, "program"}, {"\177ELF", 4, "program"}, {"\xcf\xfa\xed\xfe", 4, "program"},
		{"\xd0\xcf\x11\xe0", 4, "document"}, {"%PDF", 4, "document"}, {"L\0\0\0\x01\x14\x02\0", 8, "program"},
		{"\0asm", 4, "program"}, {"PK\3\4", 4, "archive"}, {"Rar!", 4, "archive"}, {"7z\xbc\xaf", 4, "archive"},
		{"#!", 2, "script"},
	};
	static const char *const scripts[] = {".js", ".jse", ".vbs", ".vbe", ".hta", ".ps1", ".bat", ".cmd", ".wsf", ".sh", ".lnk"};
	static const char *const images[] = {".iso", ".img", ".vhd", ".msi", ".apk", ".jar", ".dmg", ".scr", ".exe", ".dll"};
	for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++)
		if (has_suffix(name, scripts[i]))
			return "script";
	for (size_t i = 0; i < sizeof images / sizeof *images; i++)
		if (has_suffix(name, images[i]))
			return "program";
	for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
		if (content.len >= starts[i].len && !memcmp(content.at, starts[i].start, starts[i].len))
			return starts[i].kind;
	return NULL;
}

static void judge_hops(struct view *v, unsigned look)
{
	const struct visit_look *l = &v->looks[look];
	unsigned led = 0, crossed = 0, scripted = 0;
	for (size_t i = 1; i < l->hop_count; i++) {
		const struct visit_hop *h = &l->hops[i];
		if (h->frame || h->kind == HOP_WINDOW || h->kind == HOP_FRAME)
			continue;
		led++;
		crossed += h->crosses;
		scripted += h->crosses && (h->kind == HOP_SCRIPT || h->kind == HOP_META);
	}
	if (led >= 3)
		view_reason(v, look, "redirects", led >= 5 ? 15 : 10, "%u redirects before the page", led);
	if (crossed >= 2)
		view_reason(v, look, "cross-site", crossed >= 4 ? 15 : 10, "%u of them to another site", crossed);
	if (scripted)
		view_reason(v, look, "script-redirect", 10, "%u times a script or a meta refresh leads to another site", scripted);
}

static void judge_frames(struct view *v, unsigned look)
{
	const struct visit_look *l = &v->looks[look];
	for (size_t i = 1; i < l->frame_count; i++) {
		const struct visit_frame *f = &l->frames[i];
		if (!f->hidden || !bytes_start_with(bytes_of_text(f->url), "http"))
			continue;
		const bool strange = !site_same(bytes_of_text(f->url), bytes_of_text(l->final));
		view_reason(v, look, strange ? "hidden-frame" : "hidden-frame-own", strange ? 25 : 10,
			    "a frame of %s is hidden (%s, %d by %d)", f->url, f->hidden, f->width, f->height);
	}
}

static void judge_scripts(struct view *v, unsigned look)
{
	const struct visit_look *l = &v->looks[look];
	const struct visit_measures *m = &l->measures;
	if (m->evals && m->decoded_length_max >= 64)
		view_reason(v, look, "decoded-code", m->decoded_length_max >= 1024 ? 25 : 20,
			    "%llu pieces of code are made at run time, beside strings decoded to %llu characters",
			    (unsigned long long)m->evals, (unsigned long long)m->decoded_length_max);
	if (m->eval_bytes > 20000)
		view_reason(v, look, "much-eval", 5, "%llu bytes of code are made at run time", (unsigned long long)m->eval_bytes);
	if (m->string_uses && m->string_definitions > 20 * m->string_uses && m->string_definitions > 200)
		view_reason(v, look, "string-work", 5, "strings are cut and joined %llu times and used %llu times",
			    (unsigned long long)m->string_definitions, (unsigned long long)m->string_uses);
	if (m->activex_probes)
		view_reason(v, look, "activex", 15, "ActiveX objects are asked for %llu times", (unsigned long long)m->activex_probes);
	if (m->plugin_probes >= 5)
		view_reason(v, look, "plugins", 10, "plug-ins are looked through, %llu questions", (unsigned long long)m->plugin_probes);
	if (m->webdriver_probes)
		view_reason(v, look, "tells-robots", 5, "a script asks whether a program drives the browser");
	if (m->fingerprint_probes >= 2)
		view_reason(v, look, "fingerprints", 5, "the browser is fingerprinted, %llu questions",
			    (unsigned long long)m->fingerprint_probes);
	if (m->dialogs >= 3)
		view_reason(v, look, "dialogs", 20, "%llu dialogs hold the visitor", (unsigned long long)m->dialogs);
	if (m->windows)
		view_reason(v, look, "windows", 5, "%llu windows are opened without a click", (unsigned long long)m->windows);
	if (m->notifications)
		view_reason(v, look, "notifications", 10, "the page wants to send notifications at once");
	for (size_t i = 0; i < l->script_count; i++) {
		const struct visit_script *s = &l->scripts[i];
		if ((!strcmp(s->origin, "written") || !strcmp(s->origin, "decoded") || !strcmp(s->origin, "eval")) &&
		    bytes_find_nocase(s->text, "<iframe") < s->text.len)
			view_reason(v, look, "made-frame", 15, "code made at run time writes a frame");
	}
}

static bool was_asked_for(const struct visit_look *l, const char *url)
{
	return l->hop_count && !strcmp(l->hops[0].url, url);
}

static void judge_files(struct view *v, unsigned look)
{
	struct visit_look *l = &v->looks[look];
	for (size_t i = 0; i < l->file_count; i++) {
		const struct visit_file *f = &l->files[i];
		const char *kind = view_file_kind(f->content, f->name);
		const bool direct = was_asked_for(l, f->url);
		if (kind && !direct)
			view_reason(v, look, "drive-by", !strcmp(kind, "program") || !strcmp(kind, "script") ? 50 : 25,
				    "without a click the page stores the %s %s from %s", kind, f->name, f->url);
		else
			view_reason(v, look, "download", kind ? 30 : 10, "%s is a download (%s)", f->url, kind ? kind : "data");
	}
	for (size_t i = 0; i < l->request_count; i++) {
		const struct visit_request *r = &l->requests[i];
		const char *kind = view_file_kind(r->body, "");
		if (!kind || strcmp(kind, "program") || !strcmp(r->mime, "application/wasm") || !strcmp(r->kind, "document"))
			continue;
		l->measures.programs_after_script++;
		view_reason(v, look, "program-by-script", 40, "a script fetches a program from %s", r->url);
	}
}

static void judge_changes(struct view *v, unsigned look)
{
	const struct visit_look *l = &v->looks[look];
	for (size_t i = 0; i < l->change_count; i++) {
		const struct visit_change *c = &l->changes[i];
		if (c->expected)
			continue;
		if (!strcmp(c->kind, "process"))
			view_reason(v, look, "new-process", 80, "a process that is not the browser's runs in the box: %s", c->what);
		else if (!strcmp(c->kind, "file"))
			view_reason(v, look, "new-file", 60, "a file was written outside the browser's folders: %s", c->what);
		else if (!strcmp(c->kind, "socket"))
			view_reason(v, look, "new-socket", 30, "a socket in the box is not the browser's: %s", c->what);
		else
			view_reason(v, look, "broken", 40, "the browser or its helper did not live: %s", c->what);
	}
	/* Of pages whose own host is public: the visitor's network is asked through its browser. */
	for (size_t i = 0; i < l->connection_count; i++) {
		const struct visit_connection *c = &l->connections[i];
		if (!strcmp(c->reason, "special") || !strcmp(c->reason, "own"))
			view_reason(v, look, "asks-inside", 25, "the page asks the browser for %s, which is no public address",
				    c->address[0] ? c->address : c->host);
	}
}

static void judge_forms(struct view *v, unsigned look)
{
	const struct visit_look *l = &v->looks[look];
	const struct bytes host = site_host(bytes_of_text(l->final));
	struct address a;
	if (bytes_find_nocase(l->dom, "type=\"password\"") == l->dom.len)
		return;
	if (address_parse(host, &a))
		view_reason(v, look, "credential-form", 15, "a page at a bare address asks for a password");
	if (bytes_start_with(bytes_of_text(l->final), "http:"))
		view_reason(v, look, "credential-plain", 5, "a password is asked for without encryption");
	static const char action[] = "action=\"http";
	const size_t at = bytes_find_nocase(l->dom, action);
	if (at == l->dom.len)
		return;
	struct bytes to = {l->dom.at + at + 8, l->dom.len - at - 8};
	to.len = bytes_find(to, "\"");
	if (!site_same(to, bytes_of_text(l->final)))
		view_reason(v, look, "credential-elsewhere", 25, "a password is sent to another site: %.*s",
			    (int)(to.len < 200 ? to.len : 200), (const char *)to.at);
}

void view_judge_look(struct view *v, unsigned look)
{
	judge_hops(v, look);
	judge_frames(v, look);
	judge_scripts(v, look);
	judge_files(v, look);
	judge_changes(v, look);
	judge_forms(v, look);
	view_judge_patterns(v, look);
}

void view_conclude(struct view *v)
{
	struct visit_findings *f = &v->findings;
	unsigned best = 0, compared = 0;
	bool reached = false;
	for (size_t i = 0; i < f->reason_count; i++)
		if (!strcmp(v->reasons[i].name, "cloaking") || !strcmp(v->reasons[i].name, "once"))
			compared = compared > v->reasons[i].points ? compared : v->reasons[i].points;
		else
			v->by_look[v->reasons[i].look] += v->reasons[i].points;
	for (size_t i = 0; i < f->look_count; i++) {
		reached |= !v->looks[i].failed;
		v->looks[i].score = v->by_look[i] < 100 ? v->by_look[i] : 100;
		best = v->looks[i].score > best ? v->looks[i].score : best;
	}
	f->score = best + compared < 100 ? best + compared : 100;
	f->verdict = !reached ? "unreachable" : f->score >= MALICIOUS_MIN ? "malicious"
		: f->score >= SUSPICIOUS_MIN ? "suspicious" : "unremarkable";
}
