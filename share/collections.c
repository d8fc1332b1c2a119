#include "share/collection.h"
#include "share/exchange_inner.h"
#include <openssl/sha.h>
#include <stddef.h>
#include <stdlib.h>

static const char *const tlp_names[] = {"CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED"};

const char *tlp_name(enum tlp t) { return tlp_names[t]; }

bool tlp_read(struct bytes text, enum tlp *out)
{
	char word[16];
	if (!bytes_copy_text(text, word, sizeof word))
		return false;
	if (!strcasecmp(word, "white")) {
		*out = TLP_CLEAR;
		return true;
	}
	for (int t = TLP_CLEAR; t <= TLP_RED; t++)
		if (!strcasecmp(word, tlp_names[t])) {
			*out = (enum tlp)t;
			return true;
		}
	return false;
}

#define KIND(k) KIND_MASK(EVENT_##k)

/* What a partner most likely asks for; an operator's of the same name replaces it. */
static const struct collection built_in[] = {
	{.name = "attacks", .title = "Attacks on decoys", .summary = "log-ins, instructions, requests, files and exploits that decoys met",
	 .kinds = KIND(LOGIN_TRIED) | KIND(COMMAND_SENT) | KIND(REQUEST_SEEN) | KIND(FILE_CAPTURED) | KIND(EXPLOIT_SEEN) |
		  KIND(SESSION_OPENED) | KIND(SESSION_CLOSED) | KIND(CLIENT_SEEN), .tlp = TLP_AMBER},
	{.name = "scans", .title = "Scans of dark addresses", .summary = "sources that asked many dark addresses, and floods' victims",
	 .kinds = KIND(SCAN_SEEN) | KIND(BACKSCATTER_SEEN) | KIND(REFLECTION_SEEN) | KIND(FLOOD_SEEN), .tlp = TLP_AMBER},
	{.name = "flows", .title = "Traffic of dark addresses", .summary = "packets of one source to one port, counted",
	 .kinds = KIND(FLOW_COUNTED), .tlp = TLP_AMBER},
	{.name = "hosts", .title = "Hosts that attack", .summary = "what attackers' hosts answered, what they are, and what they expose",
	 .kinds = KIND(HOST_ANSWERED) | KIND(HOST_IDENTIFIED) | KIND(EXPOSURE_FOUND) | KIND(SOURCE_JUDGED), .tlp = TLP_AMBER},
	{.name = "indicators", .title = "Indicators", .summary = "addresses, names and URLs of attackers, from samples, pages and campaigns",
	 .kinds = KIND(INDICATOR_FOUND) | KIND(CAMPAIGN_FOUND), .tlp = TLP_AMBER},
	{.name = "attackers", .title = "Attackers", .summary = "what lists to block by are made of: attacks, verdicts on sources, servers of malware, and victims to spare",
	 .kinds = KIND(LOGIN_TRIED) | KIND(COMMAND_SENT) | KIND(FILE_CAPTURED) | KIND(EXPLOIT_SEEN) | KIND(TOKEN_USED) |
		  KIND(SOURCE_JUDGED) | KIND(BACKSCATTER_SEEN) | KIND(REFLECTION_SEEN) | KIND(INDICATOR_FOUND), .tlp = TLP_AMBER},
	{.name = "samples", .title = "Samples", .summary = "files that attackers left, and what analysis said of them",
	 .kinds = KIND(SAMPLE_ANALYSED) | KIND(FILE_CAPTURED), .tlp = TLP_AMBER},
	{.name = "pages", .title = "Pages", .summary = "pages that were visited, and what they did", .kinds = KIND(PAGE_VISITED),
	 .tlp = TLP_AMBER},
	{.name = "records", .title = "Records of others", .summary = "what partners and feeds said, under their own markings",
	 .kinds = KIND(RECORD_IMPORTED), .tlp = TLP_RED},
};

#define AT(member) offsetof(struct collection_option, member)

const struct option collection_options[] = {
	{.name = "name", .type = OPTION_TEXT, .offset = AT(name), .required = true, .summary = "by which grants name it"},
	{.name = "title", .type = OPTION_TEXT, .offset = AT(title), .summary = "as partners read it"},
	{.name = "summary", .type = OPTION_TEXT, .offset = AT(summary), .summary = "what is in it, in a sentence"},
	{.name = "kinds", .type = OPTION_LIST, .offset = AT(kinds), .element = OPTION_TEXT, .required = true,
	 .summary = "kinds of events; flow.counted stands alone"},
	{.name = "when", .type = OPTION_NODE, .offset = AT(when), .summary = "conditions on their fields"},
	{.name = "tlp", .type = OPTION_TEXT, .offset = AT(tlp), .fallback = "amber", .summary = "marking of what has none of its own"},
	{0},
};

/* RFC 9562 5.5, of the name in a namespace of our own. */
static void make_id(struct collection *c)
{
	static const uint8_t space[16] = {0x6b, 0x61, 0x6e, 0x73, 0x6f, 0x6b, 0x55, 0x75, 0x91, 0x63, 0x6f, 0x6c, 0x6c, 0x65, 0x63, 0x74};
	uint8_t digest[SHA_DIGEST_LENGTH], text[sizeof space + 256];
	size_t n = strnlen(c->name, 256);
	memcpy(text, space, sizeof space);
	memcpy(text + sizeof space, c->name, n);
	SHA1(text, sizeof space + n, digest);
	digest[6] = (uint8_t)((digest[6] & 0x0f) | 0x50);
	digest[8] = (uint8_t)((digest[8] & 0x3f) | 0x80);
	snprintf(c->id, sizeof c->id, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", digest[0], digest[1],
		 digest[2], digest[3], digest[4], digest[5], digest[6], digest[7], digest[8], digest[9], digest[10], digest[11],
		 digest[12], digest[13], digest[14], digest[15]);
}

static bool is_name(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_");
	return n && n < 64 && !name[n];
}

static int read_kinds(struct collection *c, const struct collection_option *o, const char *file, size_t index, struct fault *fault)
{
	const char *const *names = o->kinds.items;
	for (size_t i = 0; i < o->kinds.count; i++) {
		int kind = event_kind_find(bytes_of_text(names[i]));
		if (kind < 0)
			return fault_set(fault, ERR_BAD, "%s: exchange.collections[%zu].kinds: there is no kind of event \"%s\", `kansoku "
					 "describe kinds` lists them", file, index, names[i]);
		c->kinds |= KIND_MASK(kind);
	}
	if (!c->kinds || (c->kinds & KIND(FLOW_COUNTED) && c->kinds != KIND(FLOW_COUNTED)))
		return fault_set(fault, ERR_BAD, "%s: exchange.collections[%zu].kinds: one kind or more would be right, and "
				 "flow.counted alone", file, index);
	return 0;
}

static int read_one(struct collection *c, const struct collection_option *o, const struct config *config, size_t index,
		    struct fault *fault)
{
	char path[64];
	/* The conditions' values live as long as the configuration. */
	const struct condition_reading reading = {config->file, (struct arena *)(uintptr_t)&config->arena, fault};
	snprintf(path, sizeof path, "exchange.collections[%zu].when", index);
	*c = (struct collection){.name = o->name, .title = o->title ? o->title : o->name, .summary = o->summary ? o->summary : ""};
	if (!is_name(o->name))
		return fault_set(fault, ERR_BAD, "%s: exchange.collections[%zu].name: up to 63 of a-z, 0-9, - and _ would be right",
				 config->file, index);
	if (!tlp_read(bytes_of_text(o->tlp), &c->tlp))
		return fault_set(fault, ERR_BAD, "%s: exchange.collections[%zu].tlp: clear, green, amber, amber+strict or red would be "
				 "right", config->file, index);
	int bad = read_kinds(c, o, config->file, index, fault);
	return bad || !o->when ? bad : conditions_read(&reading, o->when, path, c->when, COLLECTION_CONDITIONS_MAX, &c->when_count);
}

static int add(struct collections *list, const struct collection *c, const char *file, struct fault *fault)
{
	size_t at = 0;
	while (at < list->count && strcmp(list->list[at].name, c->name))
		at++;
	if (at == COLLECTIONS_MAX)
		return fault_set(fault, ERR_FULL, "%s: exchange.collections: there may be %d with those that are built in", file,
				 COLLECTIONS_MAX);
	list->list[at] = *c;
	make_id(&list->list[at]);
	list->count += at == list->count;
	return 0;
}

int collections_read(struct collections *out, const struct config *config, struct fault *fault)
{
	const struct exchange_options *o = config_section(config, "exchange");
	const struct collection_option *given = o->collections.items;
	int bad = 0;
	out->count = 0;
	for (size_t i = 0; i < sizeof built_in / sizeof *built_in && !bad; i++)
		bad = add(out, &built_in[i], config->file, fault);
	for (size_t i = 0; i < o->collections.count && !bad; i++) {
		struct collection c;
		bad = read_one(&c, &given[i], config, i, fault);
		bad = bad ? bad : add(out, &c, config->file, fault);
	}
	return bad;
}

const struct collection *collection_find(const struct collections *list, const char *name_or_id)
{
	for (size_t i = 0; i < list->count; i++)
		if (!strcmp(list->list[i].name, name_or_id) || !strcmp(list->list[i].id, name_or_id))
			return &list->list[i];
	return NULL;
}

bool collection_has(const struct collection *c, const struct event *e)
{
	if (!(c->kinds & KIND_MASK(e->kind)))
		return false;
	for (size_t i = 0; i < c->when_count; i++)
		if (!condition_holds(&c->when[i], e))
			return false;
	return true;
}

/* What its giver marked with a word that we do not know is for nobody. */
enum tlp collection_marking(const struct collection *c, const struct event *e)
{
	int field = field_find(BYTES("record.tlp"));
	struct bytes word = field < 0 ? (struct bytes){0} : event_bytes(e, (uint16_t)field);
	enum tlp own = TLP_RED;
	if (!word.len)
		return c->tlp;
	if (!tlp_read(word, &own))
		return TLP_RED;
	/* Records of others are under their own marking; a collection's is for what has none. */
	return e->kind == EVENT_RECORD_IMPORTED ? own : own > c->tlp ? own : c->tlp;
}
