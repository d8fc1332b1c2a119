/* kansoku try: what a new rule would take of everything that hosts ever said. */
#include "cli/fingerprints.h"
#include "cli/stored_banners.h"
#include "event/event.h"
#include <stdlib.h>

#define EXAMPLES_MAX 5
#define TAKEN_FROM_MAX 64
#define RULE_TEXT_MAX 65536
#define RULE_FILE_MAX ((size_t)8 << 20)

struct trial {
	uint64_t banners, hosts, attackers; /* that it takes */
	uint64_t unknown;                   /* of those banners no rule took before */
	struct taken_from {
		const char *rule;
		uint64_t banners, hosts;
	} from[TAKEN_FROM_MAX];
	size_t from_count;
	const struct stored_banner *examples[EXAMPLES_MAX];
	size_t example_count;
};

static void xml_write(const char *text, struct writer *w)
{
	for (; *text; text++) {
		const char *as = *text == '&' ? "&amp;" : *text == '<' ? "&lt;" : *text == '"' ? "&quot;" : NULL;
		if (as)
			write_text(w, as);
		else
			write_u8(w, (uint8_t)*text);
	}
}

/* A file of rules, or one made of --match and --pattern. */
static int rules_under_trial(const struct arguments *a, struct identify **out, struct fault *fault)
{
	const char *file = arguments_flag(a, "file"), *key = arguments_flag(a, "match");
	const char *pattern = arguments_flag(a, "pattern");
	struct buffer text = BUFFER(RULE_FILE_MAX);
	char made[RULE_TEXT_MAX];
	struct writer w = writer_of(made, sizeof made);
	size_t skipped = 0;
	int bad = 0;
	if (file) {
		bad = command_read_file(file, RULE_FILE_MAX, &text, fault);
	} else {
		write_text(&w, "<fingerprints matches=\"");
		xml_write(key, &w);
		write_text(&w, arguments_flag(a, "nocase") ? "\"><fingerprint flags=\"REG_ICASE\" pattern=\""
							   : "\"><fingerprint pattern=\"");
		xml_write(pattern, &w);
		write_text(&w, "\"/></fingerprints>");
	}
	struct identify_file rules = {file ? file : "pattern", file ? buffer_bytes(&text) : writer_bytes(&w)};
	bad = bad ? bad : identify_open_files(out, &rules, 1, fault, &skipped);
	for (size_t i = 0; !bad && i < skipped && identify_complaint(*out, i); i++)
		fprintf(stderr, "kansoku: try: %s\n", identify_complaint(*out, i));
	if (!bad)
		identify_prefilter(*out, NULL, IDENTIFY_BUILD_WHEN_BUSY);
	buffer_done(&text);
	return bad;
}

static void take_from(struct trial *t, const char *rule, const struct stored_banner *b)
{
	size_t i = 0;
	while (i < t->from_count && strcmp(t->from[i].rule, rule) != 0)
		i++;
	if (i == TAKEN_FROM_MAX)
		return;
	if (i == t->from_count)
		t->from[t->from_count++] = (struct taken_from){.rule = rule};
	t->from[i].banners++;
	t->from[i].hosts += b->hosts;
}

static void try_all(const struct identify *fresh, const struct identify *present, const struct stored_banners *b,
		    struct trial *t)
{
	static struct identify_hit hit;
	for (size_t i = 0; i < b->count; i++) {
		const struct stored_banner *s = &b->items[i];
		if (!identify_match(fresh, s->key, s->text, &hit))
			continue;
		t->banners++;
		t->hosts += s->hosts;
		t->attackers += s->attackers;
		if (identify_match(present, s->key, s->text, &hit))
			take_from(t, hit.rule, s);
		else
			t->unknown++;
		if (t->example_count < EXAMPLES_MAX)
			t->examples[t->example_count++] = s;
	}
}

static void print_safe(struct bytes b)
{
	for (size_t i = 0; i < b.len && i < 300; i++)
		if (b.at[i] < 0x20 || b.at[i] >= 0x7f || b.at[i] == '\\')
			printf("\\x%02x", b.at[i]);
		else
			putchar(b.at[i]);
	putchar('\n');
}

static void print_trial(const struct trial *t, size_t all)
{
	printf("takes %llu of %zu banners, of %llu hosts (%llu attacking); %llu of them no rule takes now\n",
	       (unsigned long long)t->banners, all, (unsigned long long)t->hosts, (unsigned long long)t->attackers,
	       (unsigned long long)t->unknown);
	for (size_t i = 0; i < t->from_count; i++)
		printf("  also taken by %s: %llu banners, %llu hosts\n", t->from[i].rule,
		       (unsigned long long)t->from[i].banners, (unsigned long long)t->from[i].hosts);
	for (size_t i = 0; i < t->example_count; i++) {
		printf("  %s: ", t->examples[i]->key);
		print_safe(t->examples[i]->text);
	}
}

static void print_trial_json(const struct trial *t, size_t all)
{
	static uint8_t room[1 << 20];
	struct writer w = writer_of(room, sizeof room);
	write_fmt(&w, "{\"banners\":%llu,\"of\":%zu,\"hosts\":%llu,\"attackers\":%llu,\"unknown\":%llu,\"also\":[",
		  (unsigned long long)t->banners, all, (unsigned long long)t->hosts,
		  (unsigned long long)t->attackers, (unsigned long long)t->unknown);
	for (size_t i = 0; i < t->from_count; i++) {
		write_text(&w, i ? ",{\"rule\":" : "{\"rule\":");
		write_json_string(&w, bytes_of_text(t->from[i].rule));
		write_fmt(&w, ",\"banners\":%llu,\"hosts\":%llu}", (unsigned long long)t->from[i].banners,
			  (unsigned long long)t->from[i].hosts);
	}
	write_text(&w, "],\"examples\":[");
	for (size_t i = 0; i < t->example_count; i++) {
		write_text(&w, i ? ",{\"key\":" : "{\"key\":");
		write_json_string(&w, bytes_of_text(t->examples[i]->key));
		write_text(&w, ",\"banner\":");
		write_json_string(&w, t->examples[i]->text);
		write_u8(&w, '}');
	}
	write_text(&w, "]}\n");
	struct bytes b = writer_bytes(&w);
	fwrite(b.at, 1, b.len, stdout);
}

static int run(const struct arguments *a)
{
	struct identify *fresh = NULL, *present = NULL;
	struct stored_banners banners;
	struct fault fault = {0};
	struct trial trial = {0};
	bool file = arguments_flag(a, "file"), pattern = arguments_flag(a, "pattern");
	if (file == pattern || pattern != (arguments_flag(a, "match") != NULL))
		return command_fail(2, "try: --file FILE, or --match KEY and --pattern REGEX, are needed");
	if (rules_under_trial(a, &fresh, &fault) != 0)
		return command_fail(1, "try: %s", fault.text);
	int bad = stored_banners_read(a, &banners, &fault);
	bad = bad ? bad : fingerprints_open(a, false, &present, &fault);
	if (!bad) {
		try_all(fresh, present, &banners, &trial);
		(arguments_flag(a, "json") ? print_trial_json : print_trial)(&trial, banners.count);
	}
	identify_close(fresh);
	identify_close(present);
	stored_banners_done(&banners);
	return bad ? command_fail(1, "try: %s", fault.text) : 0;
}

static const struct flag try_flags[] = {
	{"file", "FILE", "rules in Recog's format"},
	{"match", "KEY", "the match key of --pattern"},
	{"pattern", "REGEX", "a pattern alone"},
	{"nocase", NULL, "the pattern's letters match either case"},
	STORED_BANNERS_FLAGS,
	{"rules", "DIR", "the present rules are also those of this directory; may be given several times"},
	{"cache", "DIR", "where compiled rules are kept (else in the user's cache, ~/.cache/kansoku)"},
	{0},
};

static const struct command try_command = {
	.name = "try",
	.synopsis = "--file FILE | --match KEY --pattern REGEX [--read FILE] [--from TIME] [--to TIME] [--json]",
	.summary = "what a new rule would take of everything that hosts said",
	.description = "Tries a rule on every banner of the store: how many banners and hosts it takes, which rules\n"
		       "take them now, and examples.  A rule that takes what others take already is too wide.",
	.flags = try_flags,
	.run = run,
};
COMMAND(try_command);
