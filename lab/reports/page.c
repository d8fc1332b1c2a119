/*
 * A page that a person reads: one HTML file without script, picture or link to anywhere, so that it
 * can be mailed and opened offline.  All that comes from the sample is text: markup is escaped, and
 * characters that hide or turn text are spelled out.  Addresses and URLs of attackers are written
 * with [.] so that nobody follows them by a slip.
 */
#include "lab/story_inner.h"
#include <sys/wait.h>

#define ROWS_SHOWN 400
#define CELL_MAX 400
#define HELLO_SHOWN 64

static const char head[] =
	"<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
	"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
	"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	"<style>:root{color-scheme:light dark}body{font:15px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:70rem;"
	"padding:0 1rem}h1{font-size:1.2rem}h2{font-size:1rem;margin:1.6rem 0 .4rem}table{border-collapse:collapse;"
	"width:100%}th{text-align:left;font-weight:600;opacity:.7}th,td{padding:.2rem .7rem .2rem 0;vertical-align:top;"
	"border-bottom:1px solid #8884}td{overflow-wrap:anywhere}code{font-family:ui-monospace,monospace;font-size:.88em}"
	".n{text-align:right}.malicious{color:#b3123a}.suspicious{color:#a35b00}</style>\n";

/* One character of UTF-8: its length, and its number. */
static size_t take_character(struct bytes b, size_t at, uint32_t *number)
{
	uint8_t c = b.at[at];
	size_t n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
	*number = n == 1 ? c : c & (0x7fu >> n);
	for (size_t i = 1; i < n; i++)
		*number = *number << 6 | (b.at[at + i] & 0x3f);
	return n;
}

static bool hides(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c <= 0x9f) || (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2060 && c <= 0x2069) || c == 0xfeff;
}

static void write_character(struct writer *w, uint32_t number, struct bytes as)
{
	if (hides(number))
		write_fmt(w, "\\u%04x", (unsigned)number);
	else if (number == '<' || number == '>' || number == '&' || number == '"' || number == '\'')
		write_fmt(w, "&#%u;", (unsigned)number);
	else
		write_span(w, as);
}

static void write_html(struct writer *w, struct bytes b)
{
	size_t end = b.len < CELL_MAX ? b.len : CELL_MAX;
	bool utf8 = bytes_is_utf8(b);
	for (size_t i = 0; i < end;) {
		uint32_t number = b.at[i];
		size_t n = utf8 ? take_character(b, i, &number) : 1;
		if (!utf8 && number >= 0x80)
			write_fmt(w, "\\x%02x", (unsigned)number);
		else
			write_character(w, number, (struct bytes){b.at + i, n});
		i += n;
	}
	if (end < b.len)
		write_text(w, "…");
}

static void write_words(struct writer *w, const char *text) { write_html(w, bytes_of_text(text ? text : "")); }

/* 192[.]0[.]2[.]7, hxxp://host[.]example: as reports on malware write what must not be followed. */
static void write_defanged(struct writer *w, struct bytes b)
{
	char text[2 * CELL_MAX + 8];
	struct writer out = writer_of(text, sizeof text);
	size_t end = b.len < CELL_MAX ? b.len : CELL_MAX, at = 0;
	if (bytes_start_with(b, "http")) {
		write_text(&out, "hxxp");
		at = 4;
	}
	for (; at < end && writer_left(&out) > 4; at++)
		if (b.at[at] == '.')
			write_text(&out, "[.]");
		else
			write_u8(&out, b.at[at]);
	write_html(w, writer_bytes(&out));
}

static void write_row(struct writer *w, const char *name, const char *value)
{
	if (!value || !value[0])
		return;
	write_text(w, "<tr><th scope=\"row\">");
	write_words(w, name);
	write_text(w, "</th><td>");
	write_words(w, value);
	write_text(w, "</td></tr>\n");
}

static void write_head(const struct sample_story *s, struct writer *w)
{
	const struct findings *f = s->findings;
	const struct family *family = lab_story_family(s);
	char size[32], score[32], time[40] = "";
	struct writer t = writer_of(time, sizeof time - 1);
	snprintf(size, sizeof size, "%llu bytes", (unsigned long long)f->size);
	snprintf(score, sizeof score, "%u of 100", s->score);
	if (s->time_us)
		write_time_ms(&t, s->time_us);
	write_text(w, head);
	write_text(w, "<title>Sample ");
	write_words(w, f->sha256);
	write_text(w, "</title></head><body>\n<h1>Sample <code>");
	write_words(w, f->sha256);
	write_fmt(w, "</code></h1>\n<p><strong class=\"%s\">%s</strong>", s->verdict, s->verdict);
	if (family) {
		write_text(w, ", likely ");
		write_words(w, family->name);
	}
	write_text(w, ". ");
	write_words(w, s->reasons && s->reasons[0] ? s->reasons : "No sign of malice was found, which is no proof that there is none.");
	write_text(w, "</p>\n<table>\n");
	write_row(w, "score", score);
	write_row(w, "type", f->type);
	write_row(w, "architecture", f->architecture);
	write_row(w, "size", size);
	write_row(w, "SHA-1", f->sha1);
	write_row(w, "MD5", f->md5);
	write_row(w, "TLSH", f->tlsh);
	write_row(w, "campaign", s->campaign);
	write_row(w, "analysed", time);
	write_row(w, "by", s->sensor);
	write_text(w, "</table>\n");
}

static void write_families(const struct sample_story *s, struct writer *w)
{
	if (!s->family_count)
		return;
	write_text(w, "<h2>Families that it resembles</h2>\n<table><tr><th>family<th class=\"n\">points<th>why</tr>\n");
	for (size_t i = 0; i < s->family_count; i++) {
		write_text(w, "<tr><td>");
		write_words(w, s->families[i].name);
		write_fmt(w, "<td class=\"n\">%u<td>", s->families[i].points);
		write_words(w, s->families[i].reasons);
		write_text(w, "</tr>\n");
	}
	write_text(w, "</table>\n");
}

static void write_indicators(const struct sample_story *s, struct writer *w)
{
	size_t shown = s->indicator_count < ROWS_SHOWN ? s->indicator_count : ROWS_SHOWN;
	write_fmt(w, "<h2>Indicators (%zu)</h2>\n", s->indicator_count);
	if (!shown) {
		write_text(w, "<p>None was found.</p>\n");
		return;
	}
	write_text(w, "<table><tr><th>value<th>type<th>for<th>found by<th class=\"n\">sure</tr>\n");
	for (size_t i = 0; i < shown; i++) {
		const struct indicator *it = &s->indicators[i];
		write_text(w, "<tr><td><code>");
		write_defanged(w, it->value);
		write_fmt(w, "</code><td>%s<td>%s<td>", indicator_type_name(it->type), indicator_role_name(it->role));
		write_words(w, it->how);
		write_fmt(w, "<td class=\"n\">%u %%</tr>\n", it->confidence);
	}
	write_text(w, "</table>\n");
	if (shown < s->indicator_count)
		write_fmt(w, "<p>%zu further ones are in the JSON report.</p>\n", s->indicator_count - shown);
}

static void write_run_head(const struct run_findings *r, struct writer *w)
{
	int status = r->box.status;
	write_fmt(w, "<h2>Run as %s</h2>\n<p>", r->uid ? "a plain user" : "root");
	write_words(w, r->how);
	write_fmt(w, ", %.1f s, %llu processes and %llu KiB at most; ", (double)r->box.time_ms / 1000,
		  (unsigned long long)r->box.processes_peak, (unsigned long long)r->box.memory_peak / 1024);
	if (r->box.limit[0])
		write_fmt(w, "ended by the limit of %s", r->box.limit);
	else if (r->box.killed)
		write_text(w, "ended by us");
	else if (WIFSIGNALED(status))
		write_fmt(w, "it ended by signal %d", WTERMSIG(status));
	else
		write_fmt(w, "it ended with status %d", WEXITSTATUS(status));
	write_text(w, ".</p>\n");
}

static void write_run(const struct run_findings *r, struct writer *w)
{
	write_run_head(r, w);
	if (r->behaviour_count)
		write_text(w, "<table><tr><th>did<th>what<th>how<th class=\"n\">times<th class=\"n\">after</tr>\n");
	for (size_t i = 0; i < r->behaviour_count && i < ROWS_SHOWN; i++) {
		const struct behaviour *b = &r->behaviours[i];
		write_fmt(w, "<tr><td>%s<td><code>", behaviour_name(b->kind));
		write_defanged(w, bytes_of_text(b->subject ? b->subject : ""));
		write_text(w, "</code><td>");
		write_words(w, b->what);
		write_fmt(w, "<td class=\"n\">%llu<td class=\"n\">%.1f s</tr>\n", (unsigned long long)b->count,
			  (double)b->first_ms / 1000);
	}
	write_text(w, r->behaviour_count ? "</table>\n" : "<p>Nothing that it did was seen.</p>\n");
	for (size_t i = 0; i < r->dropped_count && i < ROWS_SHOWN; i++) {
		write_text(w, "<p>It left <code>");
		write_words(w, r->dropped[i].path);
		write_fmt(w, "</code>, %zu bytes, <code>%s</code></p>\n", r->dropped[i].content.len, r->dropped[i].sha256);
	}
	for (size_t i = 0; i < r->hello_count; i++) {
		struct bytes said = r->hellos[i].said;
		write_text(w, "<p>It greeted <code>");
		write_defanged(w, bytes_of_text(r->hellos[i].endpoint));
		write_text(w, "</code> with <code>");
		write_hex(w, (struct bytes){said.at, said.len < HELLO_SHOWN ? said.len : HELLO_SHOWN});
		write_text(w, r->hellos[i].registers ? "</code>, which may enlist whoever says it</p>\n" : "</code></p>\n");
	}
}

static void write_static(const struct findings *f, struct writer *w)
{
	if (f->fact_count)
		write_text(w, "<h2>Without running it</h2>\n<table>\n");
	for (size_t i = 0; i < f->fact_count && i < ROWS_SHOWN; i++)
		write_row(w, f->facts[i].name, f->facts[i].value);
	if (f->fact_count)
		write_text(w, "</table>\n");
	for (size_t i = 0; i < f->yara_count; i++) {
		write_text(w, "<p>The rule ");
		write_words(w, f->yara[i]);
		write_text(w, " matches.</p>\n");
	}
}

static void write_whence(const struct sample_story *s, struct writer *w)
{
	if (s->place_count)
		write_text(w, "<h2>Where it came from</h2>\n<table><tr><th>when<th>source<th>how<th>URL</tr>\n");
	for (size_t i = 0; i < s->place_count && i < ROWS_SHOWN; i++) {
		const struct sample_place *p = &s->places[i];
		write_text(w, "<tr><td>");
		if (p->time_us)
			write_time_ms(w, p->time_us);
		write_text(w, "<td><code>");
		write_defanged(w, bytes_of_text(p->source ? p->source : ""));
		write_text(w, "</code><td>");
		write_words(w, p->how);
		write_text(w, "<td><code>");
		write_defanged(w, bytes_of_text(p->url ? p->url : ""));
		write_text(w, "</code></tr>\n");
	}
	write_text(w, s->place_count ? "</table>\n" : "");
	if (s->link_count)
		write_text(w, "<h2>Samples that it belongs with</h2>\n<table><tr><th>sample<th>shares<th>what</tr>\n");
	for (size_t i = 0; i < s->link_count && i < ROWS_SHOWN; i++) {
		write_text(w, "<tr><td><code>");
		write_words(w, s->links[i].sha256);
		write_text(w, "</code><td>");
		write_words(w, s->links[i].shares);
		write_text(w, "<td><code>");
		write_defanged(w, bytes_of_text(s->links[i].what ? s->links[i].what : ""));
		write_text(w, "</code></tr>\n");
	}
	write_text(w, s->link_count ? "</table>\n" : "");
}

static void page_write(const struct sample_story *s, struct writer *w)
{
	write_head(s, w);
	write_families(s, w);
	write_indicators(s, w);
	for (size_t r = 0; r < STORY_RUNS; r++)
		if (s->runs[r])
			write_run(s->runs[r], w);
	write_static(s->findings, w);
	write_whence(s, w);
	if (s->limit_count)
		write_text(w, "<h2>Limits of ours that cut something short</h2>\n<p>");
	for (size_t i = 0; i < s->limit_count; i++) {
		write_text(w, i ? ", " : "");
		write_words(w, s->limits[i]);
	}
	write_text(w, s->limit_count ? "</p>\n" : "");
	write_text(w, "</body></html>\n");
}

static const struct lab_report page_report = {
	.name = "page",
	.summary = "a page for people, one HTML file without script",
	.type = "text/html; charset=utf-8",
	.write = page_write,
};
LAB_REPORT(page_report);
