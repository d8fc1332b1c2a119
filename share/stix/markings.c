#include "share/stix/stix_inner.h"
#include <string.h>

static const char *const tlp_words[] = {"RED", "AMBER+STRICT", "AMBER", "GREEN", "CLEAR", NULL};
static const char *const pap_words[] = {"RED", "AMBER", "GREEN", "CLEAR", NULL};

/* STIX 2.1, 7.2.1.4, and the identifiers that OASIS gave TLP 2.0. */
static const struct { const char *id, *tlp; } known[] = {
	{"marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9", "CLEAR"},
	{"marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da", "GREEN"},
	{"marking-definition--f88d31f6-486f-44da-b317-01333bde0b82", "AMBER"},
	{"marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed", "RED"},
	{"marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487", "CLEAR"},
	{"marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb", "GREEN"},
	{"marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421", "AMBER"},
	{"marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003", "AMBER+STRICT"},
	{"marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1", "RED"},
};
#define TLP_EXTENSION "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"

static const char *word_in(struct bytes b, const char *const *words)
{
	if (bytes_equal_nocase(b, "white"))
		return "CLEAR";
	for (; *words; words++)
		if (bytes_equal_nocase(b, *words))
			return *words;
	return NULL;
}

/* The words stand with the strictest first. */
static void tighten(const char **kept, const char *word, const char *const *words)
{
	for (; word && *words; words++)
		if (!strcmp(*words, word) || (*kept && !strcmp(*words, *kept))) {
			*kept = *words;
			return;
		}
}

/* "tlp:amber", "TLP:AMBER+STRICT", "PAP:RED"; false: it is no marking of these. */
static bool mark_by_word(struct stix_marking *m, struct bytes label)
{
	if (label.len < 5 || label.at[3] != ':')
		return false;
	struct bytes prefix = {label.at, 3}, word = {label.at + 4, label.len - 4};
	const char *tlp = bytes_equal_nocase(prefix, "tlp") ? word_in(word, tlp_words) : NULL;
	const char *pap = bytes_equal_nocase(prefix, "pap") ? word_in(word, pap_words) : NULL;
	tighten(&m->tlp, tlp, tlp_words);
	tighten(&m->pap, pap, pap_words);
	return tlp || pap;
}

static bool mark_by_definition(struct stix_marking *m, const json_t *definition)
{
	const json_t *extension = json_object_get(json_object_get(definition, "extensions"), TLP_EXTENSION);
	struct bytes word = json_text(extension, "tlp_2_0");
	if (!word.len)
		word = json_text(json_object_get(definition, "definition"), "tlp");
	tighten(&m->tlp, word_in(word, tlp_words), tlp_words);
	bool named = mark_by_word(m, json_text(definition, "name"));
	/* A statement, as of copyright, bounds nothing that we do; any other sort might. */
	return word_in(word, tlp_words) || named || bytes_equal_text(json_text(definition, "definition_type"), "statement");
}

static void mark_by_id(const struct stix *s, struct stix_marking *m, struct bytes id)
{
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (bytes_equal_text(id, known[i].id)) {
			tighten(&m->tlp, known[i].tlp, tlp_words);
			return;
		}
	const json_t *definition = stix_find(s, id);
	if (!definition || !mark_by_definition(m, definition))
		tighten(&m->tlp, "RED", tlp_words);
}

void stix_mark(const struct stix *s, const json_t *object, struct stix_marking *m)
{
	size_t i;
	const json_t *it;
	json_array_foreach(json_object_get(object, "object_marking_refs"), i, it)
		mark_by_id(s, m, json_span(it));
	json_array_foreach(json_object_get(object, "granular_markings"), i, it)
		if (json_text(it, "marking_ref").len)
			mark_by_id(s, m, json_text(it, "marking_ref"));
	json_array_foreach(json_object_get(object, "labels"), i, it)
		mark_by_word(m, json_span(it));
}
