#include "share/anonymise/policy_inner.h"
#include "share/intake/asked_inner.h"
#include "share/exporting/schedule_inner.h"
#include "base/yaml.h"
#include "share/asking/calls_inner.h"
#include "share/exporting/publishing_inner.h"
#include "share/view.h"
#include <stddef.h>
#include <string.h>

#define AT(member) offsetof(struct exchange_options, member)
#define SOURCE(member) offsetof(struct source_options, member)

static const struct option source_fields[] = {
	{.name = "name", .type = OPTION_TEXT, .offset = SOURCE(name), .required = true,
	 .summary = "what it is called in events (record.source)"},
	{.name = "format", .type = OPTION_TEXT, .offset = SOURCE(format),
	 .summary = "as `kansoku describe formats` names them; needed but for clients that bring one of their own"},
	{.name = "url", .type = OPTION_TEXT, .offset = SOURCE(url), .summary = "where it is fetched, by http or https"},
	{.name = "path", .type = OPTION_TEXT, .offset = SOURCE(path),
	 .summary = "or: a file, or a folder whose files are taken; an absolute path"},
	{.name = "client", .type = OPTION_TEXT, .offset = SOURCE(client),
	 .summary = "how the URL is asked, as `kansoku describe clients` names them; without one it is fetched"},
	{.name = "key_file", .type = OPTION_TEXT, .offset = SOURCE(key_file),
	 .summary = "file with the client's key, which only its owner may read; an absolute path"},
	{.name = "options", .type = OPTION_PAIRS, .offset = SOURCE(options), .summary = "what a client is told beside the URL"},
	{.name = "map", .type = OPTION_TEXT, .offset = SOURCE(map),
	 .summary = "what the columns of a table mean, of formats that ask for it: \"src=ip,dport=port,time=seen\""},
	{.name = "every", .type = OPTION_DURATION, .offset = SOURCE(every_ms), .fallback = "1h", .min = 1000,
	 .summary = "how often it is looked at"},
	{.name = "again", .type = OPTION_DURATION, .offset = SOURCE(again_ms), .fallback = "1d",
	 .summary = "of who is asked: how long the same is not asked again"},
	{.name = "asked", .type = OPTION_BOOL, .offset = SOURCE(asked), .fallback = "no",
	 .summary = "ask it about events, by rules `do: import`: {FIELD} in the URL is that event's field; `every` is the pause between two questions"},
	{.name = "confidence", .type = OPTION_NUMBER, .offset = SOURCE(confidence), .fallback = "0", .max = 100,
	 .summary = "the most that anything from there is believed, 0: as it is found"},
	{.name = "tlp", .type = OPTION_TEXT, .offset = SOURCE(tlp), .summary = "to whom it may be shown: red, amber, amber+strict, green, clear"},
	{.name = "pap", .type = OPTION_TEXT, .offset = SOURCE(pap),
	 .summary = "what may be done with it: red, amber, green, clear; only the last two allow a look"},
	{0},
};

#define OWN(member) offsetof(struct own_options, member)

static const struct option own_fields[] = {
	{.name = "prefixes", .type = OPTION_LIST, .element = OPTION_PREFIX, .offset = OWN(prefixes),
	 .summary = "further addresses that are ours, beside decoys, dark prefixes, sensors.own and those that looks leave from"},
	{.name = "names", .type = OPTION_LIST, .element = OPTION_TEXT, .offset = OWN(names),
	 .summary = "names of ours that a text may hold, such as a decoy's in DNS"},
	{0},
};

#define PUBLISH(member) offsetof(struct publish_options, member)

static const struct option publish_fields[] = {
	{.name = "name", .type = OPTION_TEXT, .offset = PUBLISH(name), .required = true, .summary = "what it is called when it fails (sensor.changed)"},
	{.name = "publisher", .type = OPTION_TEXT, .offset = PUBLISH(publisher), .required = true,
	 .summary = "how it is sent, as `kansoku describe publishers` names them"},
	{.name = "url", .type = OPTION_TEXT, .offset = PUBLISH(url), .required = true, .summary = "where to"},
	{.name = "key_file", .type = OPTION_TEXT, .offset = PUBLISH(key_file), .required = true,
	 .summary = "file with the key, which only its owner may read; an absolute path"},
	{.name = "options", .type = OPTION_PAIRS, .offset = PUBLISH(options), .summary = "what the publisher is told beside the URL"},
	{.name = "collection", .type = OPTION_TEXT, .offset = PUBLISH(collection), .required = true, .summary = "what is sent"},
	{.name = "organisation", .type = OPTION_TEXT, .offset = PUBLISH(organisation), .required = true,
	 .summary = "to whom: its grant to read that collection says what it sees (`kansoku grant`)"},
	{.name = "output", .type = OPTION_TEXT, .offset = PUBLISH(output),
	 .summary = "as what each event is written, where the publisher leaves that open, as `kansoku describe outputs` names them"},
	{.name = "every", .type = OPTION_DURATION, .offset = PUBLISH(every_ms), .fallback = "1h", .min = 1000, .max = 86400000,
	 .summary = "how often what is new is sent"},
	{.name = "delay", .type = OPTION_DURATION, .offset = PUBLISH(delay_ms), .fallback = "2m", .min = 1000, .max = 86400000,
	 .summary = "how old an event is when it is sent, so that none comes too late to be sent"},
	{0},
};

static const struct option exchange_fields[] = {
	{.name = "publish", .type = OPTION_LIST, .element = OPTION_MAP, .fields = publish_fields,
	 .size = sizeof(struct publish_options), .offset = AT(publish), .summary = "what is sent to services of others by schedule"},
	{.name = "sources", .type = OPTION_LIST, .element = OPTION_MAP, .fields = source_fields,
	 .size = sizeof(struct source_options), .offset = AT(sources), .summary = "what is taken in by schedule"},
	{.name = "collections", .type = OPTION_LIST, .element = OPTION_MAP, .fields = collection_options,
	 .size = sizeof(struct collection_option), .offset = AT(collections), .summary = "what partners can be granted, beside the built-in ones"},
	{.name = "exports", .type = OPTION_LIST, .element = OPTION_MAP, .fields = export_option_fields,
	 .size = sizeof(struct export_options), .offset = AT(exports), .summary = "what is written into folders by schedule"},
	{.name = "policies", .type = OPTION_LIST, .element = OPTION_MAP, .fields = policy_fields,
	 .size = sizeof(struct policy_options), .offset = AT(policies), .summary = "what a sort of recipient sees of each field"},
	{.name = "own", .type = OPTION_MAP, .fields = own_fields, .size = sizeof(struct own_options), .offset = AT(own),
	 .summary = "what is ours, and hidden from recipients"},
	{.name = "size_max", .type = OPTION_SIZE, .offset = AT(size_max), .fallback = "64M", .min = 1024, .max = 1u << 30,
	 .summary = "bytes of one answer, as sent"},
	{.name = "time", .type = OPTION_DURATION, .offset = AT(time_ms), .fallback = "2m", .min = 1000, .max = 3600000,
	 .summary = "how long one answer may take"},
	{.name = "remember", .type = OPTION_NUMBER, .offset = AT(remember), .fallback = "4194304", .min = 1024, .max = 1u << 28,
	 .summary = "records of which it is known that they came in, newest first; each takes up to 40 bytes of memory"},
	{.name = "spool_max", .type = OPTION_SIZE, .offset = AT(spool_max), .fallback = "4G", .min = 1u << 20,
	 .summary = "bytes on disk for what came in faster than the store takes it; beyond that records are refused"},
	{.name = "agent", .type = OPTION_TEXT, .offset = AT(agent), .fallback = "kansoku",
	 .summary = "User-Agent towards sources"},
	{0},
};

static const struct section exchange_section = {
	.option = {.name = "exchange", .type = OPTION_MAP, .fields = exchange_fields,
		   .summary = "what others observed, taken in"},
	.size = sizeof(struct exchange_options),
};
SECTION(exchange_section);

static bool one_of(const char *word, const char *const *words)
{
	for (; *words; words++)
		if (!strcasecmp(word, *words))
			return true;
	return false;
}

bool marking_is_tlp(const char *word)
{
	static const char *const words[] = {"red", "amber", "amber+strict", "green", "clear", "white", NULL};
	return one_of(word, words);
}

bool marking_is_pap(const char *word)
{
	static const char *const words[] = {"red", "amber", "green", "clear", "white", NULL};
	return one_of(word, words);
}

static int check_asked(const struct config *c, size_t at, const struct source_options *s, struct fault *fault)
{
	struct fault why = {0};
	if (!s->url)
		return fault_set(fault, ERR_BAD, "%s: exchange.sources[%zu].asked: only a url can be asked", c->file, at);
	return asked_check(s->url, &why) ? fault_set(fault, ERR_BAD, "%s: exchange.sources[%zu].url: %s", c->file, at, why.text) : 0;
}

static int check_source(const struct config *c, size_t at, const struct source_options *s, struct fault *fault)
{
	struct fault why = {0};
	const bool web = s->url && (!strncmp(s->url, "http://", 7) || !strncmp(s->url, "https://", 8));
	if (s->client ? client_check(s, &why) : s->key_file || s->options.count)
		return fault_set(fault, ERR_BAD, "%s: exchange.sources[%zu]%s", c->file, at, s->client ? why.text : ".client: "
				 "key_file and options are for a client, and there is none");
	if (!source_format(s))
		return fault_set(fault, ERR_BAD, "%s: exchange.sources[%zu].format: it says none, and needs one", c->file, at);
	if (!format_find(bytes_of_text(source_format(s))))
		return fault_set(fault, ERR_BAD, "%s: exchange.sources[%zu].format: there is no format \"%s\"; "
				 "`kansoku describe formats` lists them", c->file, at, source_format(s));
	if (!s->url == !s->path)
		return fault_set(fault, ERR_BAD, "%s: exchange.sources[%zu]: one of url and path would be right", c->file, at);
	if (s->url && !web && !s->client)
		return fault_set(fault, ERR_BAD, "%s: exchange.sources[%zu].url: \"%s\" is neither http nor https", c->file, at,
				 s->url);
	if (s->path && *s->path != '/')
		return fault_set(fault, ERR_BAD, "%s: exchange.sources[%zu].path: \"%s\" is no absolute path", c->file, at,
				 s->path);
	if (s->tlp && !marking_is_tlp(s->tlp))
		return fault_set(fault, ERR_BAD, "%s: exchange.sources[%zu].tlp: \"%s\" is none; red, amber, amber+strict, green "
				 "or clear would be right", c->file, at, s->tlp);
	if (s->pap && !marking_is_pap(s->pap))
		return fault_set(fault, ERR_BAD, "%s: exchange.sources[%zu].pap: \"%s\" is none; red, amber, green or clear would "
				 "be right", c->file, at, s->pap);
	if (s->map && strlen(s->map) >= INTAKE_MAP_MAX)
		return fault_set(fault, ERR_FULL, "%s: exchange.sources[%zu].map: more than %d bytes", c->file, at, INTAKE_MAP_MAX);
	return s->asked ? check_asked(c, at, s, fault) : 0;
}

int exchange_check(const struct config *c, struct fault *fault)
{
	const struct exchange_options *o = config_section(c, "exchange");
	const struct source_options *sources = o->sources.items;
	size_t stay = 0;
	if (o->sources.count > SOURCES_MAX)
		return fault_set(fault, ERR_FULL, "%s: exchange.sources: more than %d", c->file, SOURCES_MAX);
	for (size_t i = 0; i < o->sources.count; i++) {
		int bad = check_source(c, i, &sources[i], fault);
		if (bad)
			return bad;
		stay += sources[i].client && client_find(sources[i].client)->stays;
	}
	if (stay > CALLS_STAYING_MAX)
		return fault_set(fault, ERR_FULL, "%s: exchange.sources: more than %d clients that stay connected", c->file,
				 CALLS_STAYING_MAX);
	int bad = publishing_check(c, fault);
	bad = bad ? bad : view_check(c, fault);
	return bad ? bad : export_options_check(c, fault);
}

void exchange_warn(const struct config *c, struct writer *w)
{
	const struct exchange_options *o = config_section(c, "exchange");
	const struct source_options *sources = o->sources.items;
	/* The rules are another room's, but what they ask for is answered here. */
	const struct yaml_node *rules = *(const struct yaml_node *const *)config_section(c, "rules");
	for (size_t i = 0; i < o->sources.count; i++)
		if (sources[i].asked)
			return;
	if (!rules || rules->type != YAML_LIST)
		return;
	YAML_EACH(rules, rule) {
		const struct yaml_node *what = rule->type == YAML_MAP ? yaml_child(rule, "do") : NULL;
		if (what && bytes_equal_text(what->text, "import"))
			write_fmt(w, "!!! %s:%u: do: import asks nobody: no source of exchange.sources has asked: true\n",
				  c->file, what->line);
	}
}
