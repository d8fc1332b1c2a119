#include "active/visit/crawl_inner.h"
#include <strings.h>

#define LONG_WORD 2000 /* in a script: packed text, not code */

void crawl_limit(struct crawl *c, const char *word)
{
	struct bytes all = bytes_of_text(c->limits);
	const size_t used = strlen(c->limits), at = bytes_find(all, word);
	if (!*word || at < all.len)
		return;
	snprintf(c->limits + used, sizeof c->limits - used, "%s%s", used ? " " : "", word);
}

static void text(struct writer *w, const char *name, const char *value)
{
	if (!value || !*value)
		return;
	write_fmt(w, ",\"%s\":", name);
	write_json_string(w, bytes_of_text(value));
}

static void number(struct writer *w, const char *name, uint64_t value)
{
	write_fmt(w, ",\"%s\":%llu", name, (unsigned long long)value);
}

static void write_summary(const struct html_summary *s, struct writer *w)
{
	write_text(w, ",\"page\":{\"title\":");
	write_json_string(w, bytes_of_text(s->title));
	number(w, "scripts", s->scripts);
	number(w, "inline_scripts", s->inline_scripts);
	number(w, "inline_bytes", s->inline_bytes);
	number(w, "frames", s->frames);
	number(w, "hidden_frames", s->hidden_frames);
	number(w, "forms", s->forms);
	number(w, "passwords", s->passwords);
	number(w, "links", s->links);
	number(w, "evals", s->evals);
	number(w, "decodings", s->unescapes + s->char_codes);
	number(w, "writes", s->writes);
	number(w, "plugins", s->plugins);
	number(w, "longest_word", s->longest_word);
	write_text(w, "}");
}

static void write_step(const struct crawl_step *s, size_t i, struct writer *w)
{
	char address[ADDRESS_TEXT_MAX];
	write_fmt(w, "%s{\"step\":%zu,\"how\":\"%s\",\"url\":", i ? "," : "", i, s->how);
	write_json_string(w, bytes_of_text(s->url));
	if (s->from != i)
		number(w, "from", s->from);
	if (!address_is_zero(&s->address))
		text(w, "address", address_format(&s->address, address));
	if (!address_is_zero(&s->address))
		number(w, "port", s->port);
	if (s->status)
		number(w, "status", s->status);
	text(w, "type", s->type);
	text(w, "server", s->server);
	text(w, "certificate_subject", s->subject);
	text(w, "certificate_issuer", s->issuer);
	number(w, "size", s->size);
	number(w, "wire_bytes", s->wire_bytes);
	text(w, "sha256", s->sha256);
	text(w, "failed", s->failed);
	text(w, "limit", s->limit);
	if (s->crosses)
		write_text(w, ",\"crosses\":true");
	if (s->is_file)
		write_text(w, ",\"file\":true");
	if (s->summary)
		write_summary(s->summary, w);
	write_text(w, "}");
}

static void write_connections(const struct crawl *c, struct writer *w)
{
	size_t count;
	char address[ADDRESS_TEXT_MAX];
	const struct proxy_connection *log = proxy_visit_log(order_proxy(c->order), &count);
	write_text(w, "],\"connections\":[");
	for (size_t i = 0; i < count; i++) {
		write_fmt(w, "%s{\"host\":", i ? "," : "");
		write_json_string(w, bytes_of_text(log[i].host));
		if (!address_is_zero(&log[i].address))
			text(w, "address", address_format(&log[i].address, address));
		number(w, "port", log[i].port);
		text(w, "result", log[i].reason);
		number(w, "bytes_in", log[i].bytes_in);
		number(w, "bytes_out", log[i].bytes_out);
		write_text(w, "}");
	}
}

static void write_links(const struct crawl *c, struct writer *w)
{
	write_text(w, "],\"links\":[");
	for (size_t i = 0; i < c->link_count; i++) {
		const struct crawl_link *l = &c->links[i];
		write_fmt(w, "%s{\"kind\":\"%s\",\"url\":", i ? "," : "", html_kind_name(l->kind));
		write_json_string(w, bytes_of_text(l->url));
		if (l->hidden)
			write_text(w, ",\"hidden\":true");
		if (l->download)
			write_text(w, ",\"download\":true");
		number(w, "from", l->from);
		write_text(w, "}");
	}
}

void crawl_write(const struct crawl *c, struct writer *w)
{
	char reasons[512], id[EVENT_ID_TEXT];
	struct writer r = writer_of(reasons, sizeof reasons - 1);
	const unsigned score = crawl_judge(c, &r);
	*r.at = '\0';
	write_text(w, "{\"way\":\"crawl\",\"url\":");
	write_json_string(w, bytes_of_text(order_plan(c->order)->url));
	if (c->step_count)
		text(w, "final", c->steps[c->final]->url);
	text(w, "lease", id_format(&order_plan(c->order)->lease, id));
	text(w, "agent", order_plan(c->order)->agent);
	number(w, "score", score);
	text(w, "reasons", reasons);
	text(w, "limits", c->limits);
	write_text(w, ",\"steps\":[");
	for (size_t i = 0; i < c->step_count; i++)
		write_step(c->steps[i], i, w);
	write_connections(c, w);
	write_links(c, w);
	write_text(w, "]}");
}

static void reason(struct writer *w, unsigned *score, unsigned points, const char *words)
{
	if (writer_left(w) > strlen(words) + 2)
		write_fmt(w, "%s%s", writer_used(w) ? "; " : "", words);
	*score += points;
}

unsigned crawl_judge(const struct crawl *c, struct writer *w)
{
	unsigned score = 0;
	size_t crossing = 0;
	bool packed = false, plugin = false, password = false;
	for (size_t i = 0; i < c->step_count; i++) {
		const struct crawl_step *s = c->steps[i];
		crossing += s->crosses && strcmp(s->how, "script-file") && strcmp(s->how, "frame");
		if (!s->summary)
			continue;
		packed |= s->summary->longest_word >= LONG_WORD || (s->summary->evals && s->summary->unescapes + s->summary->char_codes);
		plugin |= s->summary->plugins != 0;
		password |= s->summary->passwords != 0;
	}
	if (c->files)
		reason(w, &score, 40, "a file was handed out");
	if (c->hidden_frames)
		reason(w, &score, 30, "a frame that nobody can see");
	if (packed)
		reason(w, &score, 20, "packed script");
	if (crossing > 1)
		reason(w, &score, 20, "redirects over several hosts");
	if (plugin)
		reason(w, &score, 10, "asks for plug-ins");
	if (c->refused)
		reason(w, &score, 20, "led to an address that is not allowed");
	if (password)
		reason(w, &score, 10, "asks for a password");
	return score > 100 ? 100 : score;
}
