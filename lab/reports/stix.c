/*
 * STIX 2.1 (docs.oasis-open.org/cti/stix/v2.1): a bundle with the file, the malware, a
 * malware-analysis for the static part and for each run, what it talks with as observables, and an
 * indicator for each server of its own.
 *
 * Victims of scans and hosts that it only asked whether there is a network are left out: they are
 * nobody's servers.  Bundles of one sample have the same identifiers whoever makes them here, so a
 * receiver takes them as versions of one object.
 */
#include "lab/reports/identifier_inner.h"
#include "lab/reports/members_inner.h"
#include "lab/story_inner.h"
#include "base/address.h"
#include <stdlib.h>

#define REFS_MAX 4096
#define ABOUT_MAX 256
#define INDICATOR_CONFIDENCE 50 /* below, a value is told as seen and not as a sign of malware */
#define BEGINNING_US 1767225600000000u /* 2026-01-01: when identities of ours began to be told */

struct refs {
	struct stix_id ids[REFS_MAX];
	size_t count;
};

struct bundle {
	const struct sample_story *story;
	struct members objects;
	struct refs *seen;      /* observables that were written */
	struct stix_id author, file, malware;
	bool is_malware;
};

/* False: it stands there already, or there is no room. */
static bool is_new(struct refs *r, const struct stix_id *id)
{
	for (size_t i = 0; i < r->count; i++)
		if (!strcmp(r->ids[i].text, id->text))
			return false;
	if (r->count == REFS_MAX)
		return false;
	r->ids[r->count++] = *id;
	return true;
}

static struct members begin_observable(struct bundle *b, const char *type, const struct stix_id *id)
{
	struct members o = member_begin(&b->objects, NULL, '{');
	member_text(&o, "type", type);
	member_text(&o, "spec_version", "2.1");
	member_text(&o, "id", id->text);
	return o;
}

/* Objects that are told: who says so, and since when. */
static struct members begin_object(struct bundle *b, const char *type, const struct stix_id *id)
{
	struct members o = begin_observable(b, type, id);
	member_text(&o, "created_by_ref", b->author.text);
	member_time(&o, "created", b->story->time_us);
	member_time(&o, "modified", b->story->time_us);
	return o;
}

static struct stix_id object_of(const struct bundle *b, const char *type, const char *kind, const char *more)
{
	char about[ABOUT_MAX + 2 * INDICATOR_VALUE_MAX + 64] = "";
	struct writer w = writer_of(about, sizeof about - 1);
	write_fmt(&w, "%s %s %s", b->story->findings->sha256, kind, more);
	return stix_object(type, about);
}

static void write_author(struct bundle *b)
{
	struct members o = begin_observable(b, "identity", &b->author);
	member_time(&o, "created", BEGINNING_US);
	member_time(&o, "modified", BEGINNING_US);
	member_text(&o, "name", b->story->sensor ? b->story->sensor : "local");
	member_text(&o, "identity_class", "system");
	members_end(&o);
}

/* The identifier takes the first of MD5, SHA-1, SHA-256 that is known (2.9); of our own files all are. */
static struct stix_id file_id(const char *algorithm, const char *digest)
{
	char text[160];
	int n = snprintf(text, sizeof text, "{\"hashes\":{\"%s\":\"%s\"}}", algorithm, digest);
	return stix_observable("file", (struct bytes){(const uint8_t *)text, (size_t)n});
}

static void write_file(struct bundle *b)
{
	const struct findings *f = b->story->findings;
	struct members o = begin_observable(b, "file", &b->file), hashes = member_begin(&o, "hashes", '{');
	member_text(&hashes, "MD5", f->md5);
	member_text(&hashes, "SHA-1", f->sha1);
	member_text(&hashes, "SHA-256", f->sha256);
	if (f->tlsh[0])
		member_text(&hashes, "TLSH", f->tlsh);
	members_end(&hashes);
	member_number(&o, "size", f->size);
	members_end(&o);
	is_new(b->seen, &b->file);
}

/* STIX 10.16: malware-type-ov. */
static const char *malware_type(const struct family *f)
{
	static const struct {
		const char *family, *type;
	} types[] = {{"mirai", "bot"}, {"gafgyt", "bot"}, {"kaiten", "bot"}, {"tsunami", "bot"}, {"mozi", "bot"},
		     {"xorddos", "ddos"}, {"flooder", "ddos"}, {"miner", "resource-exploitation"}, {"xmrig", "resource-exploitation"},
		     {"ransomware", "ransomware"}, {"dropper", "downloader"}};
	for (size_t i = 0; f && i < sizeof types / sizeof *types; i++)
		if (!strcmp(f->name, types[i].family))
			return types[i].type;
	return "unknown";
}

/* STIX 10.22: processor-architecture-ov has only these. */
static const char *execution_environment(const char *architecture)
{
	static const char *const names[][2] = {{"i386", "x86"}, {"x86-64", "x86-64"}, {"arm", "arm"}, {"aarch64", "arm"},
					       {"mips", "mips"}, {"mipsel", "mips"}, {"powerpc", "powerpc"},
					       {"sparc", "sparc"}, {"sparc64", "sparc"}, {"alpha", "alpha"}};
	for (size_t i = 0; architecture && i < sizeof names / sizeof *names; i++)
		if (!strcmp(architecture, names[i][0]))
			return names[i][1];
	return NULL;
}

static void write_malware(struct bundle *b)
{
	const struct sample_story *s = b->story;
	const struct family *family = lab_story_family(s);
	const char *environment = execution_environment(s->findings->architecture);
	struct members o = begin_object(b, "malware", &b->malware);
	member_text(&o, "name", family ? family->name : s->findings->sha256);
	if (s->reasons && s->reasons[0])
		member_text(&o, "description", s->reasons);
	member_bool(&o, "is_family", false);
	struct members types = member_begin(&o, "malware_types", '[');
	member_text(&types, NULL, malware_type(family));
	members_end(&types);
	if (environment) {
		struct members list = member_begin(&o, "architecture_execution_envs", '[');
		member_text(&list, NULL, environment);
		members_end(&list);
	}
	struct members samples = member_begin(&o, "sample_refs", '[');
	member_text(&samples, NULL, b->file.text);
	members_end(&samples);
	members_end(&o);
}

static void relate(struct bundle *b, const char *from, const char *how, const char *to)
{
	char about[ABOUT_MAX];
	snprintf(about, sizeof about, "%s %s %s", from, how, to);
	const struct stix_id id = stix_object("relationship", about);
	struct members o = begin_object(b, "relationship", &id);
	member_text(&o, "relationship_type", how);
	member_text(&o, "source_ref", from);
	member_text(&o, "target_ref", to);
	members_end(&o);
}

/* An observable of one property; its identifier, also when it stands there already. */
static struct stix_id write_value(struct bundle *b, const char *type, const char *property, struct bytes value)
{
	const struct stix_id id = stix_observable_of(type, property, value);
	if (!is_new(b->seen, &id))
		return id;
	struct members o = begin_observable(b, type, &id);
	member_bytes(&o, property, value);
	members_end(&o);
	return id;
}

static struct stix_id write_host(struct bundle *b, struct bytes host)
{
	struct address a;
	const char *type = !address_parse(host, &a) ? "domain-name" : address_is_v4(&a) ? "ipv4-addr" : "ipv6-addr";
	return write_value(b, type, "value", host);
}

static struct stix_id write_endpoint(struct bundle *b, const char *host, uint16_t port)
{
	char text[512];
	const struct stix_id to = write_host(b, bytes_of_text(host));
	int n = snprintf(text, sizeof text, "{\"dst_port\":%u,\"dst_ref\":\"%s\",\"protocols\":[\"tcp\"]}", port, to.text);
	const struct stix_id id = stix_observable("network-traffic", (struct bytes){(const uint8_t *)text, (size_t)n});
	if (is_new(b->seen, &id)) {
		struct members o = begin_observable(b, "network-traffic", &id);
		member_text(&o, "dst_ref", to.text);
		member_number(&o, "dst_port", port);
		struct members protocols = member_begin(&o, "protocols", '[');
		member_text(&protocols, NULL, "tcp");
		members_end(&protocols);
		members_end(&o);
	}
	return to;
}

/* A pattern's string: quotes and backslashes are escaped (STIX 9.4). */
static void write_pattern_text(struct writer *w, struct bytes value)
{
	for (size_t i = 0; i < value.len; i++) {
		if (value.at[i] == '\'' || value.at[i] == '\\')
			write_u8(w, '\\');
		write_u8(w, value.at[i]);
	}
}

static void write_sign(struct bundle *b, const struct indicator *i, const char *object, struct bytes value)
{
	char pattern[2 * INDICATOR_VALUE_MAX + 64];
	struct writer w = writer_of(pattern, sizeof pattern - 1);
	write_fmt(&w, "[%s:value = '", object);
	write_pattern_text(&w, value);
	write_text(&w, "']");
	*w.at = '\0';
	const struct stix_id id = object_of(b, "indicator", "indicates", pattern);
	if (w.bad || !bytes_is_utf8(value) || !is_new(b->seen, &id))
		return;
	struct members o = begin_object(b, "indicator", &id);
	member_text(&o, "description", i->how);
	struct members types = member_begin(&o, "indicator_types", '[');
	member_text(&types, NULL, "malicious-activity");
	members_end(&types);
	member_text(&o, "pattern", pattern);
	member_text(&o, "pattern_type", "stix");
	member_text(&o, "pattern_version", "2.1");
	member_time(&o, "valid_from", b->story->time_us);
	member_number(&o, "confidence", i->confidence < 100 ? i->confidence : 100);
	members_end(&o);
	relate(b, id.text, "indicates", b->malware.text);
}

/* What it is told as, or false: STIX has no word for it, or nobody must be pointed at. */
static bool write_observable(struct bundle *b, const struct indicator *i, struct stix_id *id)
{
	char host[ENDPOINT_HOST_MAX + 1];
	uint16_t port;
	if (i->role == FOR_VICTIM || i->role == FOR_CHECK || b->seen->count + 4 > REFS_MAX)
		return false;
	switch (i->type) {
	case INDICATOR_ADDRESS:
	case INDICATOR_DOMAIN: *id = write_host(b, i->value); return true;
	case INDICATOR_URL: *id = write_value(b, "url", "value", i->value); return true;
	case INDICATOR_MAIL: *id = write_value(b, "email-addr", "value", i->value); return true;
	case INDICATOR_MUTEX: *id = write_value(b, "mutex", "name", i->value); return true;
	case INDICATOR_ENDPOINT:
		if (!endpoint_split(i->value, host, &port))
			return false;
		*id = write_endpoint(b, host, port);
		return true;
	default: return false;
	}
}

static void write_indicator(struct bundle *b, const struct indicator *i)
{
	struct stix_id id;
	if (!write_observable(b, i, &id) || !b->is_malware)
		return;
	bool own = i->role == FOR_COMMAND || i->role == FOR_DOWNLOAD || i->role == FOR_REPORT;
	if (!own || i->confidence < INDICATOR_CONFIDENCE || i->type == INDICATOR_MAIL || i->type == INDICATOR_MUTEX)
		return;
	char host[ENDPOINT_HOST_MAX + 1], type[32];
	uint16_t port;
	struct bytes value = i->value;
	if (i->type == INDICATOR_ENDPOINT && endpoint_split(i->value, host, &port))
		value = bytes_of_text(host);
	snprintf(type, sizeof type, "%.*s", (int)(strstr(id.text, "--") - id.text), id.text);
	char about[2 * STIX_ID_MAX];
	snprintf(about, sizeof about, "%s communicates-with", id.text);
	const struct stix_id once = stix_object("relationship", about);
	if (is_new(b->seen, &once))
		relate(b, b->malware.text, "communicates-with", id.text);
	write_sign(b, i, type, value);
}

static void write_dropped(struct bundle *b, const struct run_findings *run)
{
	for (size_t i = 0; i < run->dropped_count; i++) {
		const struct stix_id id = file_id("SHA-256", run->dropped[i].sha256);
		if (!is_new(b->seen, &id))
			continue;
		struct members o = begin_observable(b, "file", &id), hashes = member_begin(&o, "hashes", '{');
		member_text(&hashes, "SHA-256", run->dropped[i].sha256);
		members_end(&hashes);
		member_number(&o, "size", run->dropped[i].content.len);
		members_end(&o);
		if (b->is_malware)
			relate(b, b->malware.text, "drops", id.text);
	}
}

/* Observables only, of what was written before: the list also holds indicators and relationships. */
static void write_refs(const struct bundle *b, struct members *o)
{
	struct members list = member_begin(o, "analysis_sco_refs", '[');
	for (size_t i = 0; i < b->seen->count; i++)
		if (strncmp(b->seen->ids[i].text, "indicator--", 11) && strncmp(b->seen->ids[i].text, "relationship--", 14))
			member_text(&list, NULL, b->seen->ids[i].text);
	members_end(&list);
}

static void write_analysis(struct bundle *b, const char *module, const char *how, uint64_t ms)
{
	const struct sample_story *s = b->story;
	const struct family *family = lab_story_family(s);
	const struct stix_id id = object_of(b, "malware-analysis", module, how);
	struct members o = begin_object(b, "malware-analysis", &id);
	member_text(&o, "product", "kansoku");
	struct members modules = member_begin(&o, "modules", '[');
	member_text(&modules, NULL, module);
	members_end(&modules);
	if (how[0])
		member_text(&o, "configuration_version", how);
	member_time(&o, "analysis_started", s->time_us > ms * 1000 ? s->time_us - ms * 1000 : s->time_us);
	member_time(&o, "analysis_ended", s->time_us);
	member_text(&o, "result", s->verdict);
	if (family)
		member_text(&o, "result_name", family->name);
	write_refs(b, &o);
	member_text(&o, "sample_ref", b->file.text);
	members_end(&o);
	if (b->is_malware)
		relate(b, id.text, ms ? "dynamic-analysis-of" : "static-analysis-of", b->malware.text);
}

static void write_objects(struct bundle *b)
{
	const struct sample_story *s = b->story;
	write_author(b);
	write_file(b);
	if (b->is_malware)
		write_malware(b);
	for (size_t i = 0; i < s->indicator_count; i++)
		write_indicator(b, &s->indicators[i]);
	for (size_t r = 0; r < STORY_RUNS; r++)
		if (s->runs[r])
			write_dropped(b, s->runs[r]);
	write_analysis(b, "static", "", 0);
	for (size_t r = 0; r < STORY_RUNS; r++)
		if (s->runs[r])
			write_analysis(b, s->runs[r]->uid ? "run-as-user" : "run-as-root", s->runs[r]->how ? s->runs[r]->how : "",
				       s->runs[r]->box.time_ms + 1);
}

static void stix_write(const struct sample_story *s, struct writer *w)
{
	struct bundle b = {.story = s, .seen = calloc(1, sizeof *b.seen), .is_malware = strcmp(s->verdict, "unknown") != 0};
	if (!b.seen) {
		w->bad = true;
		return;
	}
	b.author = stix_object("identity", s->sensor ? s->sensor : "local");
	b.file = file_id("MD5", s->findings->md5);
	b.malware = object_of(&b, "malware", "is", "");
	const struct stix_id id = object_of(&b, "bundle", "of", "");
	struct members m = members_begin(w, '{');
	member_text(&m, "type", "bundle");
	member_text(&m, "id", id.text);
	b.objects = member_begin(&m, "objects", '[');
	write_objects(&b);
	members_end(&b.objects);
	members_end(&m);
	write_text(w, "\n");
	free(b.seen);
}

static const struct lab_report stix_report = {
	.name = "stix",
	.summary = "a bundle of STIX 2.1 with malware-analysis, malware, observables and indicators",
	.type = "application/stix+json;version=2.1",
	.write = stix_write,
};
LAB_REPORT(stix_report);
