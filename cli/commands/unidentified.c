/* kansoku unidentified: what hosts said that no rule knows, as a list of rules to write. */
#include "analysis/banners.h"
#include "cli/fingerprints.h"
#include "cli/stored_banners.h"
#include "event/event.h"
#include <stdlib.h>

#define SHOWN_BYTES_MAX 300 /* of an example, for people */
#define ROOM_MAX (256 << 10)

static void print_text(struct bytes b)
{
	fwrite(b.at, 1, b.len, stdout);
}

/* On a terminal what is not printable is spelled out, in a way that --match takes back. */
static void example_write(struct bytes b, struct writer *w)
{
	for (size_t i = 0; i < b.len && i < SHOWN_BYTES_MAX; i++) {
		uint8_t c = b.at[i];
		if (c == '\\')
			write_text(w, "\\\\");
		else if (c >= 0x20 && c < 0x7f)
			write_u8(w, c);
		else
			write_fmt(w, c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\x%02x", c);
	}
}

static void group_text(const struct banner_group *g, size_t rank)
{
	static uint8_t room[ROOM_MAX];
	struct writer w = writer_of(room, sizeof room);
	write_fmt(&w, "%zu. %s: %llu attacking hosts, %llu hosts, %zu banners\n", rank, g->key,
		  (unsigned long long)g->attackers, (unsigned long long)g->hosts, g->members);
	for (size_t i = 0; i < g->example_count; i++) {
		write_text(&w, "     ");
		example_write(g->examples[i], &w);
		write_u8(&w, '\n');
	}
	print_text(writer_bytes(&w));
}

/* A file that is read with --rules once its names are filled in. */
static void group_rule(const struct banner_group *g)
{
	static uint8_t room[ROOM_MAX];
	struct writer w = writer_of(room, sizeof room);
	write_fmt(&w, "<!-- %llu attacking hosts, %llu hosts, %zu banners -->\n<fingerprints matches=\"%s\">\n",
		  (unsigned long long)g->attackers, (unsigned long long)g->hosts, g->members, g->key);
	banner_group_rule(g, &w);
	write_text(&w, "</fingerprints>\n");
	print_text(writer_bytes(&w));
}

static void group_json(const struct banner_group *g)
{
	static uint8_t room[ROOM_MAX], part[ROOM_MAX / 4];
	struct writer w = writer_of(room, sizeof room), p = writer_of(part, sizeof part);
	write_text(&w, "{\"key\":");
	write_json_string(&w, bytes_of_text(g->key));
	write_fmt(&w, ",\"attackers\":%llu,\"hosts\":%llu,\"banners\":%zu,\"pattern\":",
		  (unsigned long long)g->attackers, (unsigned long long)g->hosts, g->members);
	banner_group_pattern(g, &p);
	write_json_string(&w, writer_bytes(&p));
	write_text(&w, ",\"examples\":[");
	for (size_t i = 0; i < g->example_count; i++) {
		write_text(&w, i ? "," : "");
		write_json_string(&w, g->examples[i]);
	}
	write_text(&w, "],\"rule\":");
	p = writer_of(part, sizeof part);
	banner_group_rule(g, &p);
	write_json_string(&w, writer_bytes(&p));
	write_text(&w, "}\n");
	print_text(writer_bytes(&w));
}

/* Which banners no rule takes; returns how many could be grouped. */
static size_t group_unknown(const struct identify *id, struct stored_banners *b, const char *key,
			    struct banner_groups *groups)
{
	struct identify_hit hit;
	size_t unknown = 0;
	for (size_t i = 0; i < b->count; i++) {
		const struct stored_banner *s = &b->items[i];
		if ((key && strcmp(key, s->key) != 0) || identify_match(id, s->key, s->text, &hit))
			continue;
		unknown++;
		struct bytes text = arena_copy(&b->arena, identify_banner(id, s->key, s->text));
		banner_groups_add(groups, &(struct banner_seen){s->key, text, s->hosts, s->attackers});
	}
	return unknown;
}

static void show(struct banner_groups *groups, const struct arguments *a, size_t limit)
{
	const struct banner_group *g;
	for (size_t i = 0; i < limit && (g = banner_group_at(groups, i)); i++) {
		if (arguments_flag(a, "json"))
			group_json(g);
		else if (arguments_flag(a, "rule"))
			group_rule(g);
		else
			group_text(g, i + 1);
	}
}

static int run(const struct arguments *a)
{
	struct identify *id = NULL;
	struct banner_groups *groups = NULL;
	struct stored_banners banners;
	struct fault fault = {0};
	const char *limit_text = arguments_flag(a, "limit");
	uint64_t limit = 50;
	if (limit_text && !bytes_number(bytes_of_text(limit_text), BANNER_GROUPS_MAX, &limit))
		return command_fail(2, "unidentified: --limit is a number up to %d", BANNER_GROUPS_MAX);
	int bad = stored_banners_read(a, &banners, &fault);
	bad = bad ? bad : fingerprints_open(a, false, &id, &fault);
	bad = bad ? bad : banner_groups_open(&groups);
	if (!bad) {
		size_t unknown = group_unknown(id, &banners, arguments_flag(a, "key"), groups);
		show(groups, a, (size_t)limit);
		if (!arguments_flag(a, "json"))
			fprintf(stderr, "%zu of %zu banners are known to no rule, in %zu groups\n", unknown,
				banners.count, banner_groups_count(groups));
	}
	banner_groups_close(groups);
	identify_close(id);
	stored_banners_done(&banners);
	return bad ? command_fail(1, "unidentified: %s", fault.text[0] ? fault.text : "no memory") : 0;
}

static const struct flag unidentified_flags[] = {
	{"key", "KEY", "only banners of this match key"},
	{"limit", "N", "so many groups (50)"},
	{"rule", NULL, "as rules to fill in, in the format of fingerprints/"},
	STORED_BANNERS_FLAGS,
	{"rules", "DIR", "also read the *.xml of this directory; may be given several times"},
	{"cache", "DIR", "where compiled rules are kept (else in the user's cache, ~/.cache/kansoku)"},
	{0},
};

static const struct command unidentified_command = {
	.name = "unidentified",
	.synopsis = "[--key KEY] [--rule] [--limit N] [--read FILE] [--from TIME] [--to TIME] [--json]",
	.summary = "what hosts said that no rule knows, by how many of them attacked",
	.description = "Banners that are alike stand together; those of the most attacking hosts come first.\n"
		       "--rule writes each group as a rule whose pattern takes all of its banners, to be filled\n"
		       "in, narrowed, and tried with kansoku try.",
	.flags = unidentified_flags,
	.run = run,
};
COMMAND(unidentified_command);
