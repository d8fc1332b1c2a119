#include "share/stix/stix_inner.h"
#include <string.h>

const json_t *stix_find(const struct stix *s, struct bytes id)
{
	const json_t *local = s->local ? json_object_getn(s->local, (const char *)id.at, id.len) : NULL;
	return local ? local : id.len ? json_object_getn(s->index, (const char *)id.at, id.len) : NULL;
}

const json_t *stix_find_of(const struct stix *s, const json_t *object, const char *key)
{
	return stix_find(s, json_text(object, key));
}

bool stix_is(const json_t *object, const char *type) { return bytes_equal_text(json_text(object, "type"), type); }

/* The first word stays: relationships are read in the bundle's order. */
static void note(json_t *notes, struct bytes id, const char *word)
{
	if (id.len && word && !json_object_getn(notes, (const char *)id.at, id.len))
		json_object_setn_new_nocheck(notes, (const char *)id.at, id.len, json_string_nocheck(word));
}

static const char *noted(const json_t *notes, struct bytes id)
{
	return id.len ? json_string_value(json_object_getn(notes, (const char *)id.at, id.len)) : NULL;
}

/* The infrastructure-type-ov of STIX 2.1, 10.7. */
static const char *role_of_infrastructure(const json_t *object)
{
	static const struct { const char *type, *role; } roles[] = {
		{"command-and-control", "command"}, {"hosting-malware", "download"}, {"exfiltration", "report"},
		{"botnet", "peer"}, {"victim", "victim"}, {"staging", "download"}};
	size_t i;
	const json_t *type;
	json_array_foreach(json_object_get(object, "infrastructure_types"), i, type)
		for (size_t k = 0; k < sizeof roles / sizeof *roles; k++)
			if (bytes_equal_text(json_span(type), roles[k].type))
				return roles[k].role;
	return NULL;
}

static const char *role_of_relationship(struct bytes type)
{
	if (bytes_equal_text(type, "beacons-to") || bytes_equal_text(type, "communicates-with"))
		return "command";
	if (bytes_equal_text(type, "exfiltrates-to"))
		return "report";
	return bytes_equal_text(type, "downloads") ? "download" : NULL;
}

static bool is_family(const json_t *object)
{
	return stix_is(object, "malware") || stix_is(object, "tool") || stix_is(object, "campaign") ||
	       stix_is(object, "intrusion-set") || stix_is(object, "threat-actor");
}

/* A single sample is often named by its digest, which is no family. */
static const char *family_of(const json_t *object)
{
	struct bytes name = json_text(object, "name");
	bool digest = stix_is(object, "malware") && json_is_false(json_object_get(object, "is_family")) &&
		      (name.len == 32 || name.len == 40 || name.len == 64) && !memchr(name.at, ' ', name.len);
	return is_family(object) && !digest ? json_word(object, "name") : NULL;
}

/* What an analysis calls a sample is nearer to it than the name of what holds several. */
static void relate_samples(struct stix *s, const json_t *object)
{
	size_t i;
	const json_t *it;
	if (stix_is(object, "malware-analysis"))
		note(s->families, json_text(object, "sample_ref"), json_word(object, "result_name"));
	if (stix_is(object, "malware"))
		json_array_foreach(json_object_get(object, "sample_refs"), i, it)
			note(s->families, json_span(it), family_of(object));
}

static void relate(struct stix *s, const json_t *r)
{
	struct bytes type = json_text(r, "relationship_type");
	struct bytes from_id = json_text(r, "source_ref"), to_id = json_text(r, "target_ref");
	const json_t *from = stix_find(s, from_id), *to = stix_find(s, to_id);
	if (is_family(to))
		note(s->families, from_id, family_of(to));
	if (stix_is(to, "infrastructure"))
		note(s->roles, from_id, role_of_infrastructure(to));
	if (is_family(from)) {
		note(s->families, to_id, family_of(from));
		note(s->roles, to_id, role_of_relationship(type));
	}
	if (stix_is(from, "infrastructure") && bytes_equal_text(type, "consists-of"))
		note(s->roles, to_id, role_of_infrastructure(from));
	if (bytes_equal_text(type, "located-at"))
		note(s->countries, from_id, json_word(to, "country"));
}

/* What an infrastructure consists of is where it is, and belongs to whom it belongs to. */
static void inherit(struct stix *s, const json_t *r)
{
	struct bytes from = json_text(r, "source_ref"), to = json_text(r, "target_ref");
	if (!bytes_equal_text(json_text(r, "relationship_type"), "consists-of"))
		return;
	note(s->countries, to, noted(s->countries, from));
	note(s->families, to, noted(s->families, from));
	note(s->roles, to, noted(s->roles, from));
}

static void note_parts(struct stix *s, const json_t *value)
{
	size_t i;
	const json_t *it;
	if (json_is_string(value))
		note(s->inner, json_span(value), "part");
	json_array_foreach(value, i, it)
		note(s->inner, json_span(it), "part");
}

/* An object of an observation, and what an observable refers to, is told with it: a destination accuses nobody. */
static void note_inner(struct stix *s, const json_t *object)
{
	const char *key;
	const json_t *value;
	bool observes = stix_is(object, "observed-data");
	if (!observes && json_object_get(object, "created")) /* domain objects and relationships have it, observables not */
		return;
	json_object_foreach((json_t *)(uintptr_t)object, key, value) {
		size_t n = strlen(key);
		bool refers = (n > 4 && !strcmp(key + n - 4, "_ref")) || (n > 5 && !strcmp(key + n - 5, "_refs"));
		if (refers && strcmp(key, "object_marking_refs") && strcmp(key, "created_by_ref"))
			note_parts(s, value);
	}
}

bool stix_open(struct stix *s, struct intake *in, const json_t *objects)
{
	size_t i;
	json_t *it;
	*s = (struct stix){.intake = in, .index = json_object(), .roles = json_object(), .families = json_object(),
			   .countries = json_object(), .inner = json_object()};
	if (!s->index || !s->roles || !s->families || !s->countries || !s->inner)
		return false;
	json_array_foreach(objects, i, it) {
		struct bytes id = json_text(it, "id");
		if (id.len)
			json_object_setn_nocheck(s->index, (const char *)id.at, id.len, it);
		note_inner(s, it);
	}
	json_array_foreach(objects, i, it)
		if (stix_is(it, "malware-analysis"))
			relate_samples(s, it);
	json_array_foreach(objects, i, it)
		if (stix_is(it, "malware"))
			relate_samples(s, it);
		else if (stix_is(it, "relationship"))
			relate(s, it);
	json_array_foreach(objects, i, it)
		if (stix_is(it, "relationship"))
			inherit(s, it);
	return true;
}

void stix_close(struct stix *s)
{
	json_decref(s->index);
	json_decref(s->roles);
	json_decref(s->families);
	json_decref(s->countries);
	json_decref(s->inner);
}
