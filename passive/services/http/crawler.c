#include "passive/services/http/crawler.h"

/* Words of their User-Agent, as their makers document them. */
static const char *const agents[] = {
	"Googlebot",   "Storebot-Google", "GoogleOther", "AdsBot-Google", "bingbot",    "YandexBot",  "Baiduspider",
	"DuckDuckBot", "Applebot",        "PetalBot",    "SeznamBot",     "Sogou web",  "Yahoo! Slurp", "360Spider",
	"archive.org_bot", "MojeekBot",   "Qwantify",    "coccocbot",     "Yeti/",      "Amazonbot",  "Exabot",
};

const struct option crawler_options[] = {
	{.name = "agent",
	 .type = OPTION_TEXT,
	 .offset = offsetof(struct crawler, agent),
	 .required = true,
	 .summary = "a word of its User-Agent, such as Googlebot"},
	{.name = "prefixes",
	 .type = OPTION_LIST,
	 .element = OPTION_PREFIX,
	 .offset = offsetof(struct crawler, prefixes),
	 .summary = "addresses that it comes from, as its maker publishes them"},
	{0},
};

enum crawler_kind crawler_of(const struct option_list *known, struct bytes agent, const struct address *peer)
{
	enum crawler_kind kind = CRAWLER_NONE;
	if (!agent.len)
		return kind;
	for (size_t i = 0; kind == CRAWLER_NONE && i < sizeof agents / sizeof *agents; i++)
		if (bytes_find_nocase(agent, agents[i]) < agent.len)
			kind = CRAWLER_CLAIMED;
	for (size_t i = 0; known && i < known->count; i++) {
		const struct crawler *c = (const struct crawler *)known->items + i;
		const struct prefix *prefixes = c->prefixes.items;
		if (bytes_find_nocase(agent, c->agent) == agent.len)
			continue;
		kind = CRAWLER_CLAIMED;
		for (size_t k = 0; k < c->prefixes.count; k++)
			if (prefix_holds(&prefixes[k], peer))
				return CRAWLER_VERIFIED;
	}
	return kind;
}
