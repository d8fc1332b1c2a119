#include "share/notify/notify_inner.h"
#include <stddef.h>

#define AT(member) offsetof(struct notify_options, member)
#define WAY(member) offsetof(struct way_options, member)

static const struct option way_fields[] = {
	{.name = "name", .type = OPTION_TEXT, .offset = WAY(name), .required = true,
	 .summary = "what it is called when it fails (sensor.changed)"},
	{.name = "way", .type = OPTION_TEXT, .offset = WAY(way), .required = true, .summary = "webhook, mail or file"},
	{.name = "to", .type = OPTION_TEXT, .offset = WAY(to), .required = true,
	 .summary = "a URL, a mail address or an absolute path"},
	{.name = "from", .type = OPTION_TEXT, .offset = WAY(from), .summary = "sender of mail"},
	{.name = "server", .type = OPTION_TEXT, .offset = WAY(server),
	 .summary = "mail server, \"smtp://mail.example.org:587\" or smtps://"},
	{.name = "user", .type = OPTION_TEXT, .offset = WAY(user), .summary = "account at the mail server"},
	{.name = "secret", .type = OPTION_TEXT, .offset = WAY(secret), .summary = "its password, or a webhook's bearer token"},
	{0},
};

static const struct option notify_fields[] = {
	{.name = "ways", .type = OPTION_LIST, .element = OPTION_MAP, .fields = way_fields, .size = sizeof(struct way_options),
	 .offset = AT(ways), .summary = "how people are told; each is told of every notice"},
	{.name = "every", .type = OPTION_DURATION, .offset = AT(every_ms), .fallback = "1m", .max = 86400000,
	 .summary = "events of one rule within this time are one notice"},
	{.name = "most", .type = OPTION_NUMBER, .offset = AT(most), .fallback = "20", .min = 1, .max = MOST_MAX,
	 .summary = "notices an hour by each way; the next one says how many events were left out"},
	{0},
};

static const struct section notify_section = {
	.option = {.name = "notify", .type = OPTION_MAP, .fields = notify_fields,
		   .summary = "who is told when a rule says `do: notify`"},
	.size = sizeof(struct notify_options),
};
SECTION(notify_section);

static int check_way(const struct config *c, size_t at, const struct way_options *ways, struct fault *fault)
{
	const struct way_options *o = &ways[at];
	const struct notice_way *way = notice_way_find(o->way);
	struct fault why = {0};
	if (!way)
		return fault_set(fault, ERR_BAD, "%s: notify.ways[%zu].way: there is no way \"%s\"; webhook, mail or file would "
				 "be right", c->file, at, o->way);
	for (size_t i = 0; i < at; i++)
		if (!strcmp(ways[i].name, o->name))
			return fault_set(fault, ERR_BAD, "%s: notify.ways[%zu].name: \"%s\" is the name of another one", c->file, at,
					 o->name);
	if (strlen(o->name) > 40 || !bytes_is_utf8(bytes_of_text(o->name)))
		return fault_set(fault, ERR_BAD, "%s: notify.ways[%zu].name: up to 40 bytes of UTF-8 would be right", c->file, at);
	if (way->check(o, &why))
		return fault_set(fault, ERR_BAD, "%s: notify.ways[%zu]: %s", c->file, at, why.text);
	return 0;
}

int notify_check(const struct config *c, struct fault *fault)
{
	const struct notify_options *o = config_section(c, "notify");
	int bad = 0;
	if (o->ways.count > WAYS_MAX)
		return fault_set(fault, ERR_FULL, "%s: notify.ways: more than %d", c->file, WAYS_MAX);
	for (size_t i = 0; i < o->ways.count && !bad; i++)
		bad = check_way(c, i, o->ways.items, fault);
	return bad;
}
