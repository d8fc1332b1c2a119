/*
 * kansoku telescope: captures of dark traffic, read offline.
 *
 * Files go through the same accounts as live packets do; what comes out is up to the outputs
 * (passive/telescope/output.h), whose flags this command takes over.
 */
#include "cli/command.h"
#include "cli/judge.h"
#include "cli/new_payloads.h"
#include "cli/signature_files.h"
#include "passive/telescope/output.h"
#include "passive/telescope/telescope.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PREFIXES_MAX 4096
#define FLAGS_MAX 64

struct telescope_run {
	const struct arguments *arguments;
	struct reading_options options;
	struct signatures *signatures;
	struct prefix prefixes[PREFIXES_MAX];
	struct judge judge;
	bool progress_shown;
};

static const char *flag_value(void *arg, const char *name)
{
	const struct telescope_run *run = arg;
	return arguments_flag(run->arguments, name);
}

static void progress_clear(struct telescope_run *run)
{
	if (run->progress_shown)
		fputs("\r\033[K", stderr);
	run->progress_shown = false;
}

static void say_note(void *arg, const char *sentence)
{
	progress_clear(arg);
	fprintf(stderr, "kansoku: telescope: %s\n", sentence);
}

static void show_progress(void *arg, const struct reading_progress *p)
{
	struct telescope_run *run = arg;
	run->progress_shown = true;
	if (p->size)
		fprintf(stderr, "\r\033[K%.60s: %.0f %%, %.1f million packets", p->path,
			100.0 * (double)p->read / (double)p->size, (double)p->frames / 1e6);
	else
		fprintf(stderr, "\r\033[K%.60s: %.1f million packets", p->path, (double)p->frames / 1e6);
	fflush(stderr);
}

/* A value as an option of the configuration of that type would read it; leaves `to` when absent. */
static int flag_read(const struct arguments *a, const char *name, struct option option, void *to,
		     struct fault *fault)
{
	const char *text = arguments_flag(a, name);
	if (!text)
		return 0;
	struct option table[] = {option, {0}};
	struct yaml_node value = {.type = YAML_SCALAR, .key = "value", .text = bytes_of_text(text)};
	struct yaml_node map = {.type = YAML_MAP, .count = 1, .first = &value};
	struct arena arena = ARENA(4096);
	table[0].name = "value";
	int bad = options_bind(table, &map, "", "", &arena, to, &(struct fault){0});
	arena_done(&arena);
	if (!bad)
		return 0;
	char right[160];
	struct writer w = writer_of(right, sizeof right - 1);
	option_describe(&table[0], &w);
	*w.at = '\0';
	return fault_set(fault, ERR_BAD, "--%s: \"%s\" is not right, wanted: %s", name, text, right);
}

static int read_limits(struct telescope_run *run, struct fault *fault)
{
	struct telescope_options *o = &run->options.telescope;
	uint64_t timeout_ms = 0, interval_ms = 0;
	int bad = flag_read(run->arguments, "timeout",
			    (struct option){.type = OPTION_DURATION, .min = 1000, .max = 86400000}, &timeout_ms, fault);
	if (!bad)
		bad = flag_read(run->arguments, "interval",
				(struct option){.type = OPTION_DURATION, .min = 1000, .max = 3600000},
				&interval_ms, fault);
	if (!bad)
		bad = flag_read(run->arguments, "memory",
				(struct option){.type = OPTION_SIZE, .min = TELESCOPE_MEMORY_LEAST, .max = 1ull << 40},
				&o->memory, fault);
	o->timeout_us = timeout_ms * 1000;
	o->interval_us = interval_ms * 1000;
	return bad;
}

static int prefix_add(struct telescope_run *run, struct bytes text, const char *where, struct fault *fault)
{
	if (run->options.prefix_count == PREFIXES_MAX)
		return fault_set(fault, ERR_FULL, "%s: more than %d prefixes", where, PREFIXES_MAX);
	if (!prefix_parse(text, &run->prefixes[run->options.prefix_count]))
		return fault_set(fault, ERR_BAD, "%s: \"%.*s\" is not a prefix, 192.0.2.0/24 would be right", where,
				 (int)(text.len < 100 ? text.len : 100), (const char *)text.at);
	run->options.prefix_count++;
	return 0;
}

/* Those of the configuration's section, when it is named and no prefix is. */
static int config_prefixes(struct telescope_run *run, struct fault *fault)
{
	static struct config config;
	int bad = command_config(run->arguments, &config, fault);
	const struct yaml_node *section = bad ? NULL : yaml_child(config.root, "telescope");
	const struct yaml_node *list = section ? yaml_child(section, "prefixes") : NULL;
	if (list)
		YAML_EACH(list, it) {
			const struct yaml_node *prefix = it->type == YAML_MAP ? yaml_child(it, "prefix") : it;
			if (!bad && prefix)
				bad = prefix_add(run, prefix->text, config.file, fault);
		}
	return bad;
}

static int read_prefixes(struct telescope_run *run, struct fault *fault)
{
	const char *prefix;
	int bad = 0;
	for (size_t i = 0; !bad && (prefix = arguments_flag_nth(run->arguments, "prefix", i)); i++)
		bad = prefix_add(run, bytes_of_text(prefix), "--prefix", fault);
	if (!bad && !run->options.prefix_count && arguments_flag(run->arguments, "config"))
		bad = config_prefixes(run, fault);
	run->options.prefixes = run->prefixes;
	return bad;
}

/* 0 when all are: nobody covers the whole Internet. */
static double watched_addresses(const struct telescope_run *run)
{
	struct watched *watched;
	if (run->options.prefix_count == 0 || watched_open(&watched, run->prefixes, run->options.prefix_count))
		return 0;
	double size = watched_size(watched);
	watched_close(watched);
	return size;
}

static bool judge_source(void *arg, const struct source_sum *sum, struct judgement *judgement)
{
	struct telescope_run *run = arg;
	judge_ask(&run->judge, sum, judgement);
	return true;
}

/* Before hours go into the first file, the others are looked for. */
static int find_files(const struct arguments *a, struct fault *fault)
{
	unsigned standard = 0;
	for (size_t i = 1; i < arguments_count(a); i++) {
		const char *path = arguments_word(a, i);
		struct stat st;
		if (!strcmp(path, "-")) {
			if (standard++)
				return fault_set(fault, ERR_BAD, "standard input (-) is named twice");
		} else if (stat(path, &st)) {
			return fault_set(fault, ERR_MISSING, "%s: %s", path, strerror(errno));
		} else if (S_ISDIR(st.st_mode)) {
			return fault_set(fault, ERR_MISSING, "%s: is a directory, name the captures in it", path);
		}
	}
	return 0;
}

static int read_files(struct telescope_run *run, struct reading *r)
{
	struct fault fault = {0};
	int status = 0;
	for (size_t i = 1; i < arguments_count(run->arguments) && !reading_stopped(r); i++) {
		const char *path = arguments_word(run->arguments, i);
		bool torn;
		int bad = reading_file(r, path, &torn, &fault);
		progress_clear(run);
		if (bad && !reading_stopped(r))
			status = command_fail(1, "telescope: %s", fault.text);
		if (torn)
			say_note(run, (snprintf(fault.text, sizeof fault.text, "%s: ends within a frame, read up to "
						"there", path), fault.text));
	}
	int bad = reading_finish(r, &fault);
	if (bad && fault.text[0])
		return command_fail(1, "telescope: %s", fault.text);
	return bad ? 1 : status; /* whoever read our output has gone: there is nobody to tell */
}

static int read_all(struct telescope_run *run)
{
	struct fault fault = {0};
	struct reading *r = NULL;
	int bad = read_limits(run, &fault);
	if (!bad)
		bad = read_prefixes(run, &fault);
	if (!bad)
		bad = find_files(run->arguments, &fault);
	if (!bad)
		bad = signature_files_read(&run->signatures, run->arguments, &fault);
	run->options.telescope.signatures = run->signatures;
	if (!bad)
		bad = judge_open(&run->judge, run->arguments, run->signatures, watched_addresses(run), &fault);
	if (!bad)
		bad = reading_open(&r, &run->options, &fault);
	int status = bad ? command_fail(bad == ERR_BAD ? 2 : 1, "telescope: %s", fault.text) : read_files(run, r);
	reading_close(r);
	judge_close(&run->judge);
	if (run->signatures)
		signatures_close(run->signatures);
	return status;
}

static int run(const struct arguments *a)
{
	static struct telescope_run run;
	if (!strcmp(arguments_word(a, 0), "new") && arguments_count(a) == 1)
		return new_payloads_run(a);
	if (strcmp(arguments_word(a, 0), "read") || arguments_count(a) < 2)
		return command_fail(2, "telescope: `kansoku telescope read FILE...` or `kansoku telescope new` would be "
				    "right");
	run.arguments = a;
	run.options = (struct reading_options){
		.quiet = arguments_flag(a, "quiet") != NULL,
		.flag = flag_value,
		.note = say_note,
		.judge = judge_source,
		.progress = isatty(STDERR_FILENO) && !arguments_flag(a, "quiet") ? show_progress : NULL,
		.arg = &run,
	};
	signal(SIGPIPE, SIG_IGN); /* an output that nobody reads must not tear the files of the others */
	return read_all(&run);
}

/* The outputs' flags, but for those that every command has. */
static const struct flag *flags_of_outputs(void)
{
	static struct flag flags[FLAGS_MAX];
	const struct output *all[OUTPUTS_MAX];
	unsigned outputs = outputs_sorted(all);
	size_t n = 0;
	for (unsigned i = 0; i < outputs; i++)
		for (const struct output_flag *f = all[i]->flags; f < all[i]->flags + OUTPUT_FLAGS_MAX && f->name; f++)
			if (strcmp(f->name, "json") && n + 1 < FLAGS_MAX)
				flags[n++] = (struct flag){f->name, f->value, f->what};
	flags[n] = (struct flag){0};
	return flags;
}

static const struct flag telescope_flags[] = {
	{"prefix", "PREFIX", "addresses that are watched, may be given several times; default all"},
	{"timeout", "TIME", "an account that is quiet for so long is over, default 624s"},
	{"interval", "TIME", "an account is cut at this age, default and most 1h"},
	{"memory", "SIZE", "for accounts, default 2G; beyond it the quietest end early, which is counted"},
	{"signatures", "FILE", "further signatures of tools and payloads, may be given several times"},
	{"surveys", "FILE", "list of acknowledged surveys (MISP warninglist or text), may be given several times"},
	{"names", "FILE", "lines ADDRESS NAME as reverse DNS gave them, may be given several times"},
	{"hours", "N", "with new: so far back, default 24"},
	{"quiet", NULL, "no progress, and no summary unless --text"},
	{0},
};

static const struct command telescope = {
	.name = "telescope",
	.synopsis = "read FILE... [--prefix PREFIX]... [--json | --csv | --text] [--flowtuple FILE] "
		    "[--slice ADDRESS --write FILE] | new [--hours N] [--json]",
	.summary = "read captures of dark traffic: who scans, with what, who is attacked elsewhere",
	.description =
		"Reads pcap and pcapng files, also .gz and .zst, and \"-\" for standard input, in the order\n"
		"in which they are named, as if they were one. Without --prefix every address counts as\n"
		"watched; with it, and with the prefixes of a configuration that --config names, frames to\n"
		"others are counted and left alone.\n"
		"\n"
		"An account is what one source sent to one port with one set of flags until it was quiet for\n"
		"the time-out or the interval was over. Distinct destinations are exact up to 16, then a\n"
		"sketch with a standard error of 6.5 %.\n"
		"\n"
		"--json writes one object a line: accounts, findings (scans, victims of floods elsewhere,\n"
		"reflections, spoofed floods), sources, groups of payloads that no signature knows with an\n"
		"entry for a file of --signatures, and at last one with \"summary\": true, whose packets and\n"
		"bytes are those of the frames on the wire. --flowtuple writes CAIDA's FlowTuple 3, whose\n"
		"is_spoofed and is_masscan follow corsaro's rules, IPv4 only. --slice takes frames that are\n"
		"addressed to what is watched.\n"
		"\n"
		"Each source is judged: does it survey or attack, how sure is that, and why. --surveys and\n"
		"--names add what others say of addresses; nothing is asked of anybody.\n"
		"\n"
		"A file that ends within a frame is read up to there, with a note. A file that lies about\n"
		"itself is read up to the lie; what was read is reported, and the exit status is 1.\n"
		"\n"
		"`telescope new` asks the store for payloads that no signature knows, of the live telescope\n"
		"and of alerts of other sensors, groups them by similarity, and prints what can begin a file\n"
		"of signatures.",
	.flags = telescope_flags,
	.flags_of_modules = flags_of_outputs,
	.words_min = 1,
	.words_max = ARGUMENTS_MAX,
	.run = run,
};
COMMAND(telescope);
