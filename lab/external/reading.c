/*
 * CAPE's report.json, as far as others can use it: what it calls the family, its score and
 * signatures, command servers of its configurations, hosts, names and URLs, files.
 *
 * Hosts are what a sample spoke to, the sandbox's own resolver and updates of Windows among them, so
 * they are less sure than what an extracted configuration says.
 */
#include "event/event.h"
#include "lab/external.h"
#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>

#define SURE_CONFIGURATION 90
#define SURE_REQUEST 60
#define SURE_NAME 50
#define SURE_HOST 40
#define DEPTH_MAX 8

struct reading {
	struct arena *arena;
	struct external_report *out;
	enum indicator_role role; /* of what is found in text now */
	bool full;
};

static const char *text_of(struct reading *r, const json_t *j)
{
	const char *s = json_string_value(j);
	size_t n = s ? json_string_length(j) : 0;
	if (n > EXTERNAL_TEXT_MAX) {
		r->out->cut = true;
		n = EXTERNAL_TEXT_MAX;
		while (n && ((uint8_t)s[n] & 0xc0) == 0x80) /* not within a character */
			n--;
	}
	const char *copy = n ? arena_text(r->arena, (struct bytes){(const uint8_t *)s, n}) : NULL;
	r->full = r->full || (n && !copy);
	return copy ? copy : "";
}

static bool copy_digest(const json_t *j, char digest[65])
{
	const char *s = json_string_value(j);
	if (!s || json_string_length(j) != 64 || strspn(s, "0123456789abcdefABCDEF") != 64)
		return false;
	for (size_t i = 0; i <= 64; i++)
		digest[i] = (char)tolower((unsigned char)s[i]);
	return true;
}

static void add_indicator(struct reading *r, const struct indicator *i)
{
	struct external_report *o = r->out;
	if (!i->value.len || i->value.len > INDICATOR_VALUE_MAX)
		return;
	for (size_t k = 0; k < o->indicator_count; k++) {
		struct indicator *is = &o->indicators[k];
		if (is->type != i->type || !bytes_equal(is->value, i->value))
			continue;
		is->confidence = is->confidence > i->confidence ? is->confidence : i->confidence;
		is->role = is->role == FOR_UNKNOWN ? i->role : is->role;
		return;
	}
	if (o->indicator_count == EXTERNAL_INDICATORS_MAX) {
		o->cut = true;
		return;
	}
	struct indicator *to = &o->indicators[o->indicator_count];
	*to = *i;
	to->value = arena_copy(r->arena, i->value);
	to->how = EXTERNAL_HOW;
	to->offset = UINT64_MAX;
	r->full = r->full || !to->value.at;
	o->indicator_count += to->value.at != NULL;
}

static void found(void *arg, const struct indicator *i)
{
	struct reading *r = arg;
	struct indicator it = *i;
	it.role = r->role;
	add_indicator(r, &it);
}

static void search(struct reading *r, const json_t *j, enum indicator_role role, unsigned confidence)
{
	r->role = role;
	if (json_is_string(j))
		indicators_find((struct bytes){(const uint8_t *)json_string_value(j), json_string_length(j)}, UINT64_MAX,
				EXTERNAL_HOW, confidence, found, r);
}

static void add_plain(struct reading *r, enum indicator_type type, const json_t *j, unsigned confidence)
{
	if (json_is_string(j))
		add_indicator(r, &(struct indicator){.type = type, .confidence = confidence,
						     .value = {(const uint8_t *)json_string_value(j), json_string_length(j)}});
}

/* "tcp://host:port", as CAPE writes command servers, is an endpoint; a URL is one. */
static void add_server(struct reading *r, const json_t *j)
{
	const char *s = json_string_value(j);
	const char *host = s ? strstr(s, "://") : NULL;
	if (host && (!strncmp(s, "tcp", 3) || !strncmp(s, "udp", 3))) {
		json_t *rest = json_string(host + 3);
		search(r, rest, FOR_COMMAND, SURE_CONFIGURATION);
		json_decref(rest);
	} else {
		search(r, j, FOR_COMMAND, SURE_CONFIGURATION);
	}
}

static void add_servers(struct reading *r, const json_t *j)
{
	json_t *one;
	size_t i;
	if (json_is_string(j))
		add_server(r, j);
	json_array_foreach((json_t *)j, i, one)
		add_server(r, one);
}

static void add_family(struct reading *r, const char *name)
{
	struct external_report *o = r->out;
	if (!name || !*name)
		return;
	for (size_t i = 0; i < o->family_count; i++)
		if (!strcmp(o->families[i], name))
			return;
	if (o->family_count < EXTERNAL_LIST_MAX)
		o->families[o->family_count++] = name;
	else
		o->cut = true;
}

/* "detections" is a name in old reports and a list of {family, details} in newer ones. */
static void read_families(struct reading *r, const json_t *root)
{
	json_t *list = json_object_get(root, "detections"), *one;
	size_t i;
	if (json_is_string(list))
		add_family(r, text_of(r, list));
	json_array_foreach(list, i, one)
		add_family(r, text_of(r, json_object_get(one, "family")));
}

static bool names_server(const char *key)
{
	static const char *const keys[] = {"CNCs", "C2", "C2s", "c2", "cnc", "address", "Address", "domains", "urls"};
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (!strcmp(key, keys[i]))
			return true;
	return false;
}

/* Lists and objects of {family: {key: value}}, whatever each family's own keys are. */
static void read_config(struct reading *r, json_t *j, unsigned depth)
{
	const char *key;
	json_t *one;
	size_t i;
	if (depth == DEPTH_MAX)
		return;
	json_array_foreach(j, i, one)
		read_config(r, one, depth + 1);
	json_object_foreach(j, key, one) {
		if (names_server(key))
			add_servers(r, one);
		else if (!strcmp(key, "mutex"))
			add_plain(r, INDICATOR_MUTEX, json_is_array(one) ? json_array_get(one, 0) : one, SURE_CONFIGURATION);
		else if (!strcmp(key, "user_agent"))
			add_plain(r, INDICATOR_AGENT, one, SURE_CONFIGURATION);
		else
			read_config(r, one, depth + 1);
	}
}

static void read_configs(struct reading *r, const json_t *cape)
{
	json_t *list = json_object_get(cape, "configs"), *one;
	const char *family;
	json_t *body;
	size_t i;
	json_array_foreach(list, i, one) {
		json_object_foreach(one, family, body)
			if (family[0] != '_') { /* "_associated_config_hashes" is about the configuration */
				json_t *name = json_string(family);
				add_family(r, text_of(r, name));
				json_decref(name);
				read_config(r, body, 0);
			}
	}
}

static void read_files(struct reading *r, json_t *list, const char *what)
{
	json_t *one;
	size_t i;
	json_array_foreach(list, i, one) {
		struct external_file f = {.what = what};
		const json_t *name = json_object_get(one, "name");
		if (!copy_digest(json_object_get(one, "sha256"), f.sha256))
			continue;
		if (r->out->file_count == EXTERNAL_LIST_MAX) {
			r->out->cut = true;
			return;
		}
		f.name = text_of(r, json_is_array(name) ? json_array_get(name, 0) : name);
		r->out->files[r->out->file_count++] = f;
		add_indicator(r, &(struct indicator){.type = INDICATOR_HASH, .confidence = SURE_REQUEST,
						     .value = bytes_of_text(f.sha256)});
	}
}

static void read_signatures(struct reading *r, json_t *list)
{
	json_t *one;
	size_t i;
	json_array_foreach(list, i, one) {
		const json_t *name = json_object_get(one, "name");
		json_int_t severity = json_integer_value(json_object_get(one, "severity"));
		if (!json_is_string(name))
			continue;
		if (r->out->signature_count == EXTERNAL_LIST_MAX) {
			r->out->cut = true;
			return;
		}
		r->out->signatures[r->out->signature_count++] = (struct external_signature){
			.name = text_of(r, name), .what = text_of(r, json_object_get(one, "description")),
			.severity = severity < 0 ? 0 : severity > 10 ? 10 : (unsigned)severity};
	}
}

static void read_network(struct reading *r, const json_t *network)
{
	json_t *one;
	size_t i;
	json_array_foreach(json_object_get(network, "hosts"), i, one)
		search(r, json_is_object(one) ? json_object_get(one, "ip") : one, FOR_UNKNOWN, SURE_HOST);
	json_array_foreach(json_object_get(network, "domains"), i, one)
		search(r, json_is_object(one) ? json_object_get(one, "domain") : one, FOR_UNKNOWN, SURE_NAME);
	json_array_foreach(json_object_get(network, "dns"), i, one)
		search(r, json_object_get(one, "request"), FOR_UNKNOWN, SURE_NAME);
	json_array_foreach(json_object_get(network, "http"), i, one) {
		search(r, json_object_get(one, "uri"), FOR_UNKNOWN, SURE_REQUEST);
		add_plain(r, INDICATOR_AGENT, json_object_get(one, "user-agent"), SURE_NAME);
	}
}

static void read_behaviour(struct reading *r, const json_t *summary)
{
	json_t *one;
	size_t i;
	json_array_foreach(json_object_get(summary, "mutexes"), i, one)
		add_plain(r, INDICATOR_MUTEX, one, SURE_NAME);
	json_array_foreach(json_object_get(summary, "write_files"), i, one)
		add_plain(r, INDICATOR_PATH, one, SURE_HOST);
}

static void read_score(struct reading *r, const json_t *root)
{
	const json_t *score = json_object_get(root, "malscore");
	if (!json_is_number(score))
		score = json_object_get(json_object_get(root, "info"), "score");
	double points = json_number_value(score) * 10;
	r->out->score = !(points > 0) ? 0 : points > 100 ? 100 : (unsigned)points;
}

static void read_all(struct reading *r, const json_t *root)
{
	const json_t *cape = json_object_get(root, "CAPE");
	r->out->version = text_of(r, json_object_get(json_object_get(root, "info"), "version"));
	copy_digest(json_object_get(json_object_get(json_object_get(root, "target"), "file"), "sha256"), r->out->sha256);
	read_score(r, root);
	read_families(r, root);
	read_configs(r, cape);
	read_files(r, json_object_get(cape, "payloads"), "payload");
	read_files(r, json_object_get(root, "dropped"), "dropped");
	read_signatures(r, json_object_get(root, "signatures"));
	read_network(r, json_object_get(root, "network"));
	read_behaviour(r, json_object_get(json_object_get(root, "behavior"), "summary"));
}

int external_read(struct bytes report, struct arena *arena, struct external_report *out, struct fault *fault)
{
	struct external_report o = {.version = ""};
	struct reading r = {.arena = arena, .out = &o};
	json_error_t where;
	if (report.len > EXTERNAL_REPORT_MAX)
		return fault_set(fault, ERR_FULL, "sandbox: its report has more than %u bytes", EXTERNAL_REPORT_MAX);
	o.families = arena_alloc(arena, EXTERNAL_LIST_MAX * sizeof *o.families);
	o.signatures = arena_alloc(arena, EXTERNAL_LIST_MAX * sizeof *o.signatures);
	o.files = arena_alloc(arena, EXTERNAL_LIST_MAX * sizeof *o.files);
	o.indicators = arena_alloc(arena, EXTERNAL_INDICATORS_MAX * sizeof *o.indicators);
	if (!o.families || !o.signatures || !o.files || !o.indicators)
		return fault_set(fault, ERR_MEMORY, "sandbox: no memory for its report");
	json_t *root = json_loadb(report.len ? (const char *)report.at : "", report.len, JSON_REJECT_DUPLICATES, &where);
	if (!json_is_object(root) || !(json_object_get(root, "info") || json_object_get(root, "target"))) {
		json_decref(root);
		return fault_set(fault, ERR_BAD, "sandbox: that is no report: %.200s",
				 root ? "it has neither info nor target" : where.text);
	}
	read_all(&r, root);
	json_decref(root);
	if (r.full)
		return fault_set(fault, ERR_MEMORY, "sandbox: no memory for its report");
	*out = o;
	return 0;
}

static void write_member(struct writer *w, const char *before, const char *name, const char *value)
{
	write_fmt(w, "%s\"%s\":", before, name);
	write_json_string(w, bytes_of_text(value));
}

static void write_indicators(struct writer *w, const struct external_report *o)
{
	write_text(w, ",\"indicators\":[");
	for (size_t i = 0; i < o->indicator_count; i++) {
		const struct indicator *it = &o->indicators[i];
		write_fmt(w, "%s{\"type\":\"%s\",\"value\":", i ? "," : "", indicator_type_name(it->type));
		write_json_string(w, it->value);
		write_fmt(w, ",\"role\":\"%s\",\"how\":\"%s\",\"confidence\":%u}", indicator_role_name(it->role), it->how,
			  it->confidence);
	}
	write_text(w, "]");
}

void external_write(struct writer *w, const struct external_report *o)
{
	write_member(w, "", "sha256", o->sha256);
	write_member(w, ",", "version", o->version);
	write_fmt(w, ",\"score\":%u,\"families\":[", o->score);
	for (size_t i = 0; i < o->family_count; i++) {
		write_text(w, i ? "," : "");
		write_json_string(w, bytes_of_text(o->families[i]));
	}
	write_text(w, "],\"signatures\":[");
	for (size_t i = 0; i < o->signature_count; i++) {
		write_member(w, i ? ",{" : "{", "name", o->signatures[i].name);
		write_member(w, ",", "what", o->signatures[i].what);
		write_fmt(w, ",\"severity\":%u}", o->signatures[i].severity);
	}
	write_text(w, "],\"files\":[");
	for (size_t i = 0; i < o->file_count; i++) {
		write_member(w, i ? ",{" : "{", "sha256", o->files[i].sha256);
		write_member(w, ",", "name", o->files[i].name);
		write_fmt(w, ",\"what\":\"%s\"}", o->files[i].what);
	}
	write_text(w, "]");
	write_indicators(w, o);
	write_fmt(w, ",\"cut\":%s", o->cut ? "true" : "false");
}
