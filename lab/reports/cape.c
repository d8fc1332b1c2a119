/*
 * The shape of CAPE's report.json (github.com/kevoreilly/CAPEv2), so that what reads CAPE reads this:
 * info, target, CAPE with payloads and configs, network, behavior, dropped, signatures, detections.
 * In a configuration command servers are URLs, `tcp://host:port`, under CNCs; what fits no key of
 * that form stands under raw.
 */
#include "lab/reports/members_inner.h"
#include "lab/story_inner.h"

#define SEVERITY(points) ((points) >= 50 ? 3u : (points) >= 25 ? 2u : 1u)

static void write_file(const struct findings *f, struct members *o)
{
	member_text(o, "name", f->sha256);
	member_number(o, "size", f->size);
	member_text(o, "md5", f->md5);
	member_text(o, "sha1", f->sha1);
	member_text(o, "sha256", f->sha256);
	if (f->tlsh[0])
		member_text(o, "tlsh", f->tlsh);
	member_text(o, "type", f->type);
	struct members yara = member_begin(o, "yara", '[');
	for (size_t i = 0; i < f->yara_count; i++) {
		struct members rule = member_begin(&yara, NULL, '{');
		member_text(&rule, "name", f->yara[i]);
		members_end(&rule);
	}
	members_end(&yara);
}

static void write_info(const struct sample_story *s, struct members *m)
{
	uint64_t ms = 0;
	for (size_t r = 0; r < STORY_RUNS; r++)
		ms += s->runs[r] ? s->runs[r]->box.time_ms : 0;
	struct members o = member_begin(m, "info", '{');
	member_text(&o, "version", "kansoku");
	member_text(&o, "category", "file");
	member_text(&o, "package", s->findings->type);
	member_time(&o, "started", s->time_us - (s->time_us > ms * 1000 ? ms * 1000 : 0));
	member_time(&o, "ended", s->time_us);
	member_number(&o, "duration", ms / 1000);
	struct members machine = member_begin(&o, "machine", '{');
	member_text(&machine, "name", s->sensor ? s->sensor : "local");
	member_text(&machine, "platform", "linux");
	members_end(&machine);
	members_end(&o);
}

static bool is_command(const struct indicator *i)
{
	return i->role == FOR_COMMAND && (i->type == INDICATOR_ENDPOINT || i->type == INDICATOR_URL ||
					  i->type == INDICATOR_DOMAIN || i->type == INDICATOR_ADDRESS);
}

static void write_url(struct members *list, const struct indicator *i)
{
	char text[INDICATOR_VALUE_MAX + 16];
	struct writer w = writer_of(text, sizeof text);
	if (i->type != INDICATOR_URL)
		write_text(&w, "tcp://");
	write_span(&w, i->value);
	if (!w.bad)
		member_bytes(list, NULL, writer_bytes(&w));
}

static void write_values(const struct sample_story *s, struct members *o, const char *name, enum indicator_type type)
{
	struct members list = {0};
	bool open = false;
	for (size_t i = 0; i < s->indicator_count; i++) {
		if (s->indicators[i].type != type)
			continue;
		if (!open)
			list = member_begin(o, name, '[');
		open = true;
		member_bytes(&list, NULL, s->indicators[i].value);
	}
	if (open)
		members_end(&list);
}

static void write_config(const struct sample_story *s, struct members *cape)
{
	const struct family *family = lab_story_family(s);
	struct members configs = member_begin(cape, "configs", '[');
	struct members named = member_begin(&configs, NULL, '{');
	struct members o = member_begin(&named, family ? family->name : "unknown", '{');
	struct members servers = member_begin(&o, "CNCs", '[');
	for (size_t i = 0; i < s->indicator_count; i++)
		if (is_command(&s->indicators[i]))
			write_url(&servers, &s->indicators[i]);
	members_end(&servers);
	if (s->campaign)
		member_text(&o, "campaign", s->campaign);
	write_values(s, &o, "mutex", INDICATOR_MUTEX);
	write_values(s, &o, "user_agent", INDICATOR_AGENT);
	struct members raw = member_begin(&o, "raw", '{');
	write_values(s, &raw, "keys", INDICATOR_KEY);
	write_values(s, &raw, "wallets", INDICATOR_WALLET);
	write_values(s, &raw, "credentials", INDICATOR_CREDENTIAL);
	write_values(s, &raw, "mails", INDICATOR_MAIL);
	write_values(s, &raw, "paths", INDICATOR_PATH);
	write_values(s, &raw, "urls", INDICATOR_URL);
	members_end(&raw);
	members_end(&o);
	members_end(&named);
	members_end(&configs);
}

static void write_payloads(const struct findings *f, struct members *cape)
{
	struct members list = member_begin(cape, "payloads", '[');
	for (size_t i = 1; i < f->part_count; i++) {
		struct members o = member_begin(&list, NULL, '{');
		member_text(&o, "name", f->parts[i].name);
		member_text(&o, "type", f->parts[i].type);
		member_number(&o, "size", f->parts[i].content.len);
		members_end(&o);
	}
	members_end(&list);
}

/* Hosts and names that it asked for; of a scan only how many, since its victims are no finding. */
static void write_network(const struct sample_story *s, struct members *m)
{
	static const struct {
		const char *list, *key;
		enum behaviour_kind kind;
		const char *what; /* of the behaviour; NULL: any */
	} lists[] = {
		{"domains", "domain", DID_RESOLVE, NULL}, {"http", "uri", DID_REQUEST, "http"}, {"tcp", "dst", DID_CONNECT, "tcp"},
		{"udp", "dst", DID_CONNECT, "udp"},
	};
	struct members net = member_begin(m, "network", '{');
	for (size_t l = 0; l < sizeof lists / sizeof *lists; l++) {
		struct members list = member_begin(&net, lists[l].list, '[');
		for (size_t r = 0; r < STORY_RUNS; r++)
			for (size_t i = 0; s->runs[r] && i < s->runs[r]->behaviour_count; i++) {
				const struct behaviour *b = &s->runs[r]->behaviours[i];
				if (b->kind != lists[l].kind || (lists[l].what && strcmp(b->what, lists[l].what)))
					continue;
				struct members o = member_begin(&list, NULL, '{');
				member_text(&o, lists[l].key, b->subject);
				member_number(&o, "count", b->count);
				members_end(&o);
			}
		members_end(&list);
	}
	members_end(&net);
}

static void write_behavior(const struct sample_story *s, struct members *m)
{
	static const struct {
		const char *list;
		enum behaviour_kind kind;
		const char *what;
	} lists[] = {
		{"executed_commands", DID_PROCESS, NULL}, {"write_files", DID_FILE, "created"}, {"changed_files", DID_FILE, "changed"},
		{"read_files", DID_FILE, "read"}, {"delete_files", DID_FILE, "deleted"}, {"persistence", DID_PERSIST, NULL},
	};
	struct members behavior = member_begin(m, "behavior", '{'), o = member_begin(&behavior, "summary", '{');
	for (size_t l = 0; l < sizeof lists / sizeof *lists; l++) {
		struct members list = member_begin(&o, lists[l].list, '[');
		for (size_t r = 0; r < STORY_RUNS; r++)
			for (size_t i = 0; s->runs[r] && i < s->runs[r]->behaviour_count; i++) {
				const struct behaviour *b = &s->runs[r]->behaviours[i];
				if (b->kind == lists[l].kind && (!lists[l].what || !strcmp(b->what, lists[l].what)))
					member_text(&list, NULL, b->subject);
			}
		members_end(&list);
	}
	members_end(&o);
	members_end(&behavior);
}

static void write_dropped(const struct sample_story *s, struct members *m)
{
	struct members list = member_begin(m, "dropped", '[');
	for (size_t r = 0; r < STORY_RUNS; r++)
		for (size_t i = 0; s->runs[r] && i < s->runs[r]->dropped_count; i++) {
			const struct dropped *d = &s->runs[r]->dropped[i];
			struct members o = member_begin(&list, NULL, '{'), paths = member_begin(&o, "guest_paths", '[');
			member_text(&paths, NULL, d->path);
			members_end(&paths);
			member_number(&o, "size", d->content.len);
			member_text(&o, "sha256", d->sha256);
			members_end(&o);
		}
	members_end(&list);
}

static void write_judged(const struct sample_story *s, struct members *m)
{
	const struct family *family = lab_story_family(s);
	struct members list = member_begin(m, "signatures", '[');
	for (size_t i = 0; i < s->family_count; i++) {
		struct members o = member_begin(&list, NULL, '{');
		member_text(&o, "name", s->families[i].name);
		member_text(&o, "description", s->families[i].reasons);
		member_number(&o, "severity", SEVERITY(s->families[i].points));
		member_number(&o, "confidence", s->families[i].points < 100 ? s->families[i].points : 100);
		members_end(&o);
	}
	members_end(&list);
	struct members detections = member_begin(m, "detections", '[');
	if (family) {
		struct members o = member_begin(&detections, NULL, '{');
		member_text(&o, "family", family->name);
		members_end(&o);
	}
	members_end(&detections);
	write_fmt(m->w, ",\"malscore\":%u.%u", s->score / 10, s->score % 10);
}

static void cape_write(const struct sample_story *s, struct writer *w)
{
	struct members m = members_begin(w, '{');
	write_info(s, &m);
	struct members target = member_begin(&m, "target", '{');
	member_text(&target, "category", "file");
	struct members file = member_begin(&target, "file", '{');
	write_file(s->findings, &file);
	members_end(&file);
	members_end(&target);
	struct members cape = member_begin(&m, "CAPE", '{');
	write_payloads(s->findings, &cape);
	write_config(s, &cape);
	members_end(&cape);
	write_network(s, &m);
	write_behavior(s, &m);
	write_dropped(s, &m);
	write_judged(s, &m);
	members_end(&m);
	write_text(w, "\n");
}

static const struct lab_report cape_report = {
	.name = "cape",
	.summary = "JSON in the shape of CAPE's report, with the configuration that was found",
	.type = "application/json",
	.write = cape_write,
};
LAB_REPORT(cape_report);
