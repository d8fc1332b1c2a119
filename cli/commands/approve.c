/* kansoku approve: what waits for the operator's yes, byte by byte. */
#include "cli/desk.h"
#include <stdlib.h>
#include <unistd.h>

#define ROW_BYTES 16
#define PREFIX_LEAST 6 /* digits of a digest that a person repeats */

/* Words of others, without what a terminal would act upon; UTF-8 stays. */
static void print_words(const char *text)
{
	for (; *text; text++)
		putchar((unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text);
}

static void print_line(const json_t *row)
{
	printf("%s  %-8s %-6s %s port %lld, %lld bytes: ", json_text_of(row, "id"), json_text_of(row, "state"),
	       json_text_of(row, "kind"), *json_text_of(row, "target") ? json_text_of(row, "target") : "-",
	       json_number_of(row, "port"), json_number_of(row, "bytes"));
	print_words(json_text_of(row, "title"));
	puts("");
}

static int list(struct desk *d)
{
	const char *state = arguments_flag(d->arguments, "all") ? "" : "waiting";
	size_t rows = 0;
	for (json_int_t from = 0; from >= 0;) {
		json_t *question = json_pack("{s:I, s:s}", "from", from, "state", state), *row;
		json_t *answer = desk_ask(d, "approve", "approval.list", question);
		size_t i;
		if (!answer)
			return 1;
		json_array_foreach(json_object_get(answer, "rows"), i, row) {
			rows++;
			if (d->json)
				json_print_row(row);
			else
				print_line(row);
		}
		const json_t *next = json_object_get(answer, "next");
		from = next ? json_integer_value(next) : -1;
		json_decref(answer);
	}
	if (!rows && !d->json)
		puts(*state ? "nothing waits for approval" : "nothing was asked");
	return 0;
}

static unsigned nibble(char c) { return c <= '9' ? (unsigned)(c - '0') : (unsigned)(c - 'a' + 10); }

/* As `hexdump -C`: whoever reads it sees each byte, also those that a terminal would act upon. */
static void print_dump(const char *hex)
{
	const size_t len = strlen(hex) / 2;
	for (size_t at = 0; at < len; at += ROW_BYTES) {
		char words[ROW_BYTES + 1] = "";
		printf("  %08zx ", at);
		for (size_t i = 0; i < ROW_BYTES; i++) {
			if (at + i >= len) {
				printf("   ");
				continue;
			}
			const unsigned byte = nibble(hex[2 * (at + i)]) << 4 | nibble(hex[2 * (at + i) + 1]);
			printf(" %02x", byte);
			words[i] = byte >= ' ' && byte < 0x7f ? (char)byte : '.';
		}
		printf("  |%s|\n", words);
	}
}

static void print_whole(const json_t *row)
{
	print_line(row);
	if (*json_text_of(row, "sample"))
		printf("  because of the sample %s\n", json_text_of(row, "sample"));
	printf("  asked %s by %s, stands until %s\n", json_text_of(row, "asked"), json_text_of(row, "role"),
	       json_text_of(row, "until"));
	if (*json_text_of(row, "decided")) {
		printf("  decided %s by ", json_text_of(row, "decided"));
		print_words(json_text_of(row, "by"));
		printf(": ");
		print_words(json_text_of(row, "note"));
		puts("");
	}
	printf("  sha256 %s, these bytes and no others:\n", json_text_of(row, "sha256"));
	print_dump(json_text_of(row, "text"));
}

static json_t *find(struct desk *d, const char *id)
{
	for (json_int_t from = 0; from >= 0;) {
		json_t *answer =
			desk_ask(d, "approve", "approval.list", json_pack("{s:I, s:s}", "from", from, "id", id));
		if (!answer)
			return NULL;
		json_t *row = json_incref(json_array_get(json_object_get(answer, "rows"), 0));
		const json_t *next = json_object_get(answer, "next");
		from = next ? json_integer_value(next) : -1;
		json_decref(answer);
		if (row)
			return row;
	}
	command_fail(1, "approve: there is no such approval, `kansoku approve` lists them");
	return NULL;
}

static int decide(struct desk *d, const json_t *row, bool yes)
{
	const char *note = arguments_flag(d->arguments, "note"), *by = arguments_flag(d->arguments, "by");
	const char *login = getenv("SUDO_USER") ? getenv("SUDO_USER") : getenv("USER");
	json_t *question = json_pack("{s:s, s:s, s:s, s:s, s:s}", "id", json_text_of(row, "id"), "sha256",
				     json_text_of(row, "sha256"), "decision", yes ? "approve" : "decline", "by",
				     by ? by : login ? login : "command", "note", note ? note : "");
	json_t *answer = desk_ask(d, "approve", "approval.decide", question);
	if (!answer)
		return 1;
	printf("%s: %s\n", json_text_of(answer, "id"), json_text_of(answer, "state"));
	json_decref(answer);
	return 0;
}

/* 1: it is the one that was read; 0: it is not; else the exit status. */
static int confirm(const struct desk *d, const json_t *row)
{
	const char *read = arguments_flag(d->arguments, "yes"), *sha256 = json_text_of(row, "sha256");
	char typed[80] = "";
	if (!read && isatty(STDIN_FILENO)) {
		printf("Type the first %d digits of the sha256 to let exactly this leave, once: ", PREFIX_LEAST);
		fflush(stdout);
		if (!fgets(typed, sizeof typed, stdin))
			return 0;
		typed[strcspn(typed, "\n")] = '\0';
		read = typed;
	}
	const size_t len = read ? strlen(read) : 0;
	return len >= PREFIX_LEAST && !strncmp(read, sha256, len);
}

static int act(struct desk *d)
{
	if (arguments_count(d->arguments) == 0)
		return list(d);
	json_t *row = find(d, arguments_word(d->arguments, 0));
	if (!row)
		return 1;
	int status = 0;
	const bool asked = arguments_flag(d->arguments, "yes") || isatty(STDIN_FILENO);
	const bool waits = !strcmp(json_text_of(row, "state"), "waiting");
	if (arguments_flag(d->arguments, "decline")) {
		status = decide(d, row, false);
	} else if (d->json && !arguments_flag(d->arguments, "yes")) {
		json_print_row(row);
	} else {
		print_whole(row);
		if (asked && !waits && arguments_flag(d->arguments, "yes"))
			status = command_fail(1, "approve: that is %s already", json_text_of(row, "state"));
		else if (asked && waits && !confirm(d, row))
			status = command_fail(1, "approve: that is not the sha256 above (%d digits at least); nothing was approved",
					      PREFIX_LEAST);
		else if (asked && waits)
			status = decide(d, row, true);
	}
	json_decref(row);
	return status;
}

static int run(const struct arguments *a)
{
	static struct desk d;
	return desk_open(&d, a) ? command_fail(1, "%s", d.fault.text) : act(&d);
}

static const struct flag approve_flags[] = {
	{"all", NULL, "list also what was decided, used or became too old"},
	{"yes", "SHA256", "approve it without a question; at least six digits of the digest that was shown"},
	{"decline", NULL, "say no; also takes back a yes that was not used yet"},
	{"by", "NAME", "who decides, if not the user"},
	{"note", "TEXT", "why, for whoever asks later"},
	{0},
};

static const struct command approve_command = {
	.name = "approve",
	.synopsis = "[ID [--yes SHA256 | --decline]] [--all] [--by NAME] [--note TEXT]",
	.summary = "what may leave only after you read it: list, show, say yes or no",
	.description =
		"Some messages could do more than ask: the first words of a bot enlist whoever says them, a request of\n"
		"a sample may carry bait. Such a message waits here. Without an ID those that wait are listed; with one\n"
		"the message is printed byte by byte, and on a terminal you are asked for the first digits of its\n"
		"digest. A yes lets exactly these bytes leave, once, to that address, within a day; opt-outs and the\n"
		"rest of the policy are asked again when they leave. A question that nobody answers is over after\n"
		"a week. Every step is an event (decision.made, reason approval). kansoku must be running.",
	.flags = approve_flags,
	.words_max = 1,
	.run = run,
};
COMMAND(approve_command);
