/* kansoku anonymise: captures and tables as a recipient may have them, without a running kansoku. */
#include "cli/command.h"
#include "event/field.h"
#include "share/view.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define RULES_MAX 64
#define KEY_TEXT (2 * VIEW_KEY_BYTES)

struct anonymise {
	const struct arguments *arguments;
	struct config config;
	bool configured;
	struct view_about about;
	const char *rules[RULES_MAX], *columns[RULES_MAX], *names[RULES_MAX];
	struct prefix own[RULES_MAX];
	size_t column_count;
	unsigned k;
};

static int digit_of(char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1; }

static bool key_read(struct bytes text, uint8_t key[VIEW_KEY_BYTES])
{
	text = bytes_trim(text);
	if (text.len != KEY_TEXT)
		return false;
	for (size_t i = 0; i < VIEW_KEY_BYTES; i++) {
		const int high = digit_of((char)text.at[2 * i]), low = digit_of((char)text.at[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		key[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static int find_key(struct anonymise *a)
{
	const char *key = arguments_flag(a->arguments, "key"), *file = arguments_flag(a->arguments, "key-file");
	struct fault fault = {0};
	struct buffer text = BUFFER(4096);
	if (!key == !file)
		return command_fail(2, "anonymise: one of --key HEX and --key-file FILE would be right; "
				    "`openssl rand -hex 32` draws one");
	if (file && command_read_file(file, 4096, &text, &fault))
		return command_fail(1, "anonymise: %s", fault.text);
	const bool good = key_read(key ? bytes_of_text(key) : buffer_bytes(&text), a->about.key);
	buffer_done(&text);
	return good ? 0 : command_fail(2, "anonymise: the key is not %d hexadecimal digits", KEY_TEXT);
}

/* Without a policy both addresses of a packet keep their prefixes: the usual wish for a capture. */
static int gather(struct anonymise *a)
{
	const struct arguments *g = a->arguments;
	const char *text;
	if (!a->about.policy) {
		a->about.policy = "default";
		a->rules[a->about.rule_count++] = "src=crypto-pan";
		a->rules[a->about.rule_count++] = "dst=crypto-pan";
	}
	for (size_t i = 0; (text = arguments_flag_nth(g, "field", i)) && a->about.rule_count < RULES_MAX; i++)
		a->rules[a->about.rule_count++] = text;
	for (size_t i = 0; (text = arguments_flag_nth(g, "column", i)) && a->column_count < RULES_MAX; i++)
		a->columns[a->column_count++] = text;
	for (size_t i = 0; (text = arguments_flag_nth(g, "name", i)) && a->about.name_count < RULES_MAX; i++)
		a->names[a->about.name_count++] = text;
	for (size_t i = 0; (text = arguments_flag_nth(g, "own", i)) && a->about.own_count < RULES_MAX; i++)
		if (!prefix_parse(bytes_of_text(text), &a->own[a->about.own_count++]))
			return command_fail(2, "anonymise: --own %s: is no prefix; 192.0.2.0/24 would be right", text);
	return 0;
}

static int open_view(struct anonymise *a, struct view **view)
{
	struct fault fault = {0};
	int status = find_key(a);
	if (status)
		return status;
	a->about.lasting = true;
	a->about.policy = arguments_flag(a->arguments, "policy");
	a->configured = a->about.policy || arguments_flag(a->arguments, "config");
	if (event_start(&fault) || (a->configured && command_config(a->arguments, &a->config, &fault))) {
		a->configured = false;
		return command_fail(1, "anonymise: %s", fault.text);
	}
	a->about.config = a->configured ? &a->config : NULL;
	status = gather(a);
	a->about.rules = a->rules;
	a->about.names = a->names;
	a->about.own = a->own;
	if (!status && view_open(view, &a->about, &fault))
		status = command_fail(2, "anonymise: %s", fault.text);
	return status;
}

static int show_addresses(const struct arguments *g, struct view *view)
{
	const char *word;
	char text[ADDRESS_TEXT_MAX];
	for (size_t i = 0; (word = arguments_flag_nth(g, "address", i)); i++) {
		struct address a;
		if (!address_parse(bytes_of_text(word), &a))
			return command_fail(2, "anonymise: --address %s: is no address", word);
		a = view_address(view, &a, FIELD_SRC);
		puts(address_format(&a, text));
	}
	for (size_t i = 0; i < arguments_count(g); i++) {
		struct address a;
		if (!address_parse(bytes_of_text(arguments_word(g, i)), &a))
			return command_fail(2, "anonymise: %s: is no address", arguments_word(g, i));
		a = view_address(view, &a, FIELD_SRC);
		puts(address_format(&a, text));
	}
	return 0;
}

/* Beside its place until it is whole: half a file must not be taken for one that is clean. */
static int open_output(const char *path, char part[4096])
{
	if (!path || !strcmp(path, "-"))
		return isatty(STDOUT_FILENO) ? -1 : STDOUT_FILENO;
	snprintf(part, 4096, "%s.part", path);
	return open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
}

static int finish_output(const char *path, const char *part, int out, int status)
{
	if (out == STDOUT_FILENO)
		return status;
	const bool good = fsync(out) == 0 && close(out) == 0;
	if (!status && good && rename(part, path) == 0)
		return 0;
	const int why = errno;
	unlink(part);
	return status ? status : command_fail(1, "anonymise: %s: %s", path, strerror(why));
}

static int change_file(struct anonymise *a, struct view *view)
{
	const char *in = arguments_word(a->arguments, 0), *path = arguments_flag(a->arguments, "output");
	char part[4096] = "";
	struct fault fault = {0};
	struct view_file_counts counts;
	struct view_file f = {.in = STDIN_FILENO, .name = in, .columns = a->columns, .column_count = a->column_count,
			      .text = arguments_flag(a->arguments, "text") != NULL};
	if (strcmp(in, "-") && (f.in = open(in, O_RDONLY | O_CLOEXEC)) < 0)
		return command_fail(1, "anonymise: %s: %s", in, strerror(errno));
	f.out = open_output(path, part);
	if (f.out < 0) {
		close(f.in);
		return path ? command_fail(1, "anonymise: %s: %s", part, strerror(errno))
			    : command_fail(2, "anonymise: not to a terminal; --output FILE would be right");
	}
	const int bad = view ? view_file(view, &f, &counts, &fault) : view_cells(&f, a->k, &counts, &fault);
	int status = bad ? command_fail(1, "anonymise: %s", fault.text) : 0;
	close(f.in);
	status = finish_output(path, part, f.out, status);
	if (!status)
		fprintf(stderr, "%llu %s%s\n", (unsigned long long)(counts.packets + counts.rows), counts.packets ? "packets" : f.text ? "lines" : "rows",
			counts.torn ? "; the file ended within one, which was left out" : "");
	if (!status && counts.left_out && !view)
		fprintf(stderr, "%llu cells were hidden\n", (unsigned long long)counts.left_out);
	else if (!status && counts.left_out)
		fprintf(stderr, "%llu blocks that hold no packet were left out\n", (unsigned long long)counts.left_out);
	return status;
}

static int read_k(struct anonymise *a, const char *text)
{
	uint64_t k;
	if (!bytes_number(bytes_of_text(text), 1000000, &k) || k < 2)
		return command_fail(2, "anonymise: --cells %s: a number of sources from 2 on would be right", text);
	if (arguments_flag(a->arguments, "address"))
		return command_fail(2, "anonymise: --cells and --address have nothing in common");
	a->k = (unsigned)k;
	return 0;
}

static int run(const struct arguments *g)
{
	struct anonymise *a = calloc(1, sizeof *a);
	struct view *view = NULL;
	if (!a)
		return command_fail(1, "anonymise: out of memory");
	a->arguments = g;
	int status = 0;
	if (!arguments_flag(g, "address") && arguments_count(g) != 1)
		status = command_fail(2, "anonymise: one FILE, or --address A... would be right");
	if (!status && arguments_flag(g, "cells"))
		status = read_k(a, arguments_flag(g, "cells"));
	else if (!status)
		status = open_view(a, &view);
	if (!status)
		status = arguments_flag(g, "address") ? show_addresses(g, view) : change_file(a, view);
	view_close(view);
	if (a->configured)
		config_done(&a->config);
	free(a);
	return status;
}

static const struct flag anonymise_flags[] = {
	{"key", "HEX", "64 digits; who sees the command line sees them, --key-file is better"},
	{"key-file", "FILE", "a file with them"},
	{"policy", "NAME", "of exchange.policies; absent: src and dst by Crypto-PAn, the rest cleaned"},
	{"field", "FIELD=ACTION", "a further rule, such as dst=drop or time=bucket:1h; may be given several times"},
	{"column", "COLUMN=ACTION", "the same for a column of a table by its name; may be given several times"},
	{"own", "PREFIX", "addresses that are ours, beside those of --config; may be given several times"},
	{"name", "NAME", "a name of ours that payloads and text may hold; may be given several times"},
	{"text", NULL, "FILE is text such as a log: every address in it becomes what src does, ours what dst does"},
	{"cells", "K", "FILE is a table of counts of sources: hide cells of fewer than K, and what would tell them"},
	{"address", "A", "print what becomes of it, a line each; further ones may follow"},
	{"output", "FILE", "where the result is written, whole or not at all; absent: standard output"},
	{0},
};

static const struct command anonymise_command = {
	.name = "anonymise",
	.synopsis = "FILE (--key HEX | --key-file FILE) [--output FILE] [--text] [--policy NAME] [--field FIELD=ACTION]... [--own PREFIX]...\n"
		    "anonymise --key HEX --address A...\n"
		    "anonymise FILE --cells K [--output FILE]",
	.summary = "make a capture or table fit to be given away",
	.description = "FILE is a capture (pcap, pcapng) or a table (CSV whose first line names the columns);\n"
		       "- is standard input.  The result has the same form.  With --text it is a log or other text\n"
		       "by lines, in which every address changes and nothing else.  Addresses become others that keep\n"
		       "common prefixes (Crypto-PAn), or what the policy says; in captures also those in options,\n"
		       "in ICMP's quotes, in tunnels and ARP, and checksums stay right.  Payloads and text are\n"
		       "searched for our own addresses and names, and for those of the packet or row at hand, in\n"
		       "every spelling: with dots, as one number, hexadecimal, octal, from its last byte, in Base64,\n"
		       "percent-encoded, as UTF-16 and as bytes.  They become noughts of the same length.\n"
		       "\n"
		       "What is ours is told by --own and --name, and by the configuration where --config or --policy\n"
		       "names one; where nothing is known, a packet's destination counts as ours.  Hardware addresses,\n"
		       "numbers of VLANs, comments and names in pcapng files are emptied or left out.\n"
		       "\n"
		       "With --cells FILE is a table of counts of sources by two things.  Cells of fewer than K\n"
		       "become *, and so do as many others that rows and columns called total, sum or all do not\n"
		       "tell them: no cell is hidden alone in its line, nor fewer than K sources together.\n"
		       "\n"
		       "ACTION is pass, drop, truncate, truncate:24/48, crypto-pan, token, generalise, bucket:1h or\n"
		       "clean.  Who can send packets to us can find his own in a capture and learn from them: give\n"
		       "captures whose addresses are truncated as well to whom you do not trust.",
	.flags = anonymise_flags,
	.words_min = 0,
	.words_max = ARGUMENTS_MAX,
	.run = run,
};
COMMAND(anonymise_command);
