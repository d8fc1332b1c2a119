/* kansoku servers: command servers of own samples, their state, and what they are known by. */
#include "active/servers/learn.h"
#include "base/place.h"
#include "cli/conversations.h"
#include "cli/desk.h"
#include <stdlib.h>

static void print_row(const json_t *row)
{
	char endpoint[64];
	const char *address = json_text_of(row, "address");
	snprintf(endpoint, sizeof endpoint, strchr(address, ':') ? "[%s]:%lld" : "%s:%lld", address,
		 (long long)json_integer_value(json_object_get(row, "port")));
	printf("%-22s %-10s %3lld%%  %-12.12s %-16s sample %.12s  checked %s%s%s%s\n", endpoint,
	       json_text_of(row, "state"), (long long)json_integer_value(json_object_get(row, "certainty")),
	       *json_text_of(row, "family") ? json_text_of(row, "family") : "-",
	       *json_text_of(row, "fingerprint") ? json_text_of(row, "fingerprint") : "-",
	       json_text_of(row, "sample"), *json_text_of(row, "checked") ? json_text_of(row, "checked") : "never",
	       *json_text_of(row, "live") ? ", live " : "", json_text_of(row, "live"),
	       !strcmp(json_text_of(row, "approval_state"), "waiting") ? ", its hello waits: kansoku approve" : "");
}

static int list(struct desk *d)
{
	json_t *answer = desk_ask(d, "servers", "server.list", json_object()), *row;
	size_t i;
	if (!answer)
		return 1;
	json_array_foreach(json_object_get(answer, "rows"), i, row) {
		if (d->json)
			json_print_row(row);
		else
			print_row(row);
	}
	if (!i && !d->json)
		puts("no sample has named a command server yet");
	json_decref(answer);
	return 0;
}

static bool endpoint_read(const char *word, char *address, size_t n, uint64_t *port)
{
	const char *colon = strrchr(word, ':');
	const bool bracket = *word == '[' && colon && colon > word && colon[-1] == ']';
	const size_t len = colon ? (size_t)(colon - word) - 2 * bracket : 0;
	if (!colon || !len || len >= n || !bytes_number(bytes_of_text(colon + 1), 65535, port))
		return false;
	memcpy(address, word + bracket, len);
	address[len] = '\0';
	return true;
}

static int check(struct desk *d, const char *word)
{
	char address[64];
	uint64_t port;
	if (!word || !endpoint_read(word, address, sizeof address, &port))
		return command_fail(2, "servers check: which? 192.0.2.7:6667 would be right");
	json_t *answer = desk_ask(d, "servers", "server.check",
				  json_pack("{s:s, s:I}", "address", address, "port", (json_int_t)port));
	if (!answer)
		return 1;
	if (d->json)
		json_print_row(answer);
	else
		printf("%s: %s (%s)\n", json_text_of(answer, "decision"), json_text_of(answer, "reason"),
		       json_text_of(answer, "detail"));
	json_decref(answer);
	return 0;
}

/* Our own, and what lies in the folders named after the word. */
static int load(struct server_fingerprints **out, const struct desk *d, size_t *skipped, struct fault *first)
{
	char own[PLACE_PATH_MAX];
	if (server_fingerprints_open(out))
		return ERR_MEMORY;
	if (place_find("fingerprints/servers", own) == 0)
		server_fingerprints_read(*out, own, skipped, first);
	for (size_t i = 1; i < arguments_count(d->arguments); i++)
		if (server_fingerprints_read(*out, arguments_word(d->arguments, i), skipped, first))
			return fault_set(first, ERR_MISSING, "%s: there is no such folder",
					 arguments_word(d->arguments, i));
	return 0;
}

static void print_fingerprint(const struct server_fingerprint *f, bool json)
{
	static const char *const ons[] = {"answer", "banner", "neutral"};
	char hello[4 * SERVER_TOKEN_BYTES_MAX + 1];
	struct writer w = writer_of(hello, sizeof hello - 1);
	write_escaped_bytes(&w, f->hello);
	*w.at = '\0';
	if (!json) {
		printf("%-24s %-12s on %-8s %s%s%s\n", f->name, f->service ? "(service)" : f->family, ons[f->on], f->note,
		       *hello ? "  hello " : "", hello);
		return;
	}
	json_t *row = json_pack("{s:s, s:s, s:b, s:s, s:s, s:s, s:s, s:i}", "name", f->name, "family", f->family ? f->family : "",
				"service", f->service, "on", ons[f->on], "hello", hello, "note", f->note, "file", f->file,
				"line", (int)f->line);
	json_print_row(row);
	json_decref(row);
}

static int fingerprints(const struct desk *d, bool verify)
{
	struct server_fingerprints *f = NULL;
	struct fault first = {{0}};
	size_t skipped = 0;
	int bad = load(&f, d, &skipped, &first);
	for (size_t i = 0; !bad && !verify && i < f->count; i++)
		print_fingerprint(&f->items[i], d->json);
	const size_t wrong = bad ? 0 : skipped + server_fingerprints_verify(f, &first);
	const size_t count = f ? f->count : 0;
	server_fingerprints_close(f);
	if (bad)
		return command_fail(1, "servers: %s", first.text);
	if (wrong)
		return command_fail(1, "servers: %zu are wrong; the first: %s", wrong, first.text);
	if (verify)
		printf("%zu fingerprints of servers: examples and counter-examples hold\n", count);
	return 0;
}

static bool take_conversation(void *arg, const struct conversation *c)
{
	struct server_learning *learning = arg;
	return server_learning_take(learning, c->asked, c->answered) == 0;
}

static int learn_from(const struct desk *d, struct server_learning *learning, const char *flag, bool benign, struct fault *fault)
{
	int bad = 0;
	const char *file;
	server_learning_side(learning, benign);
	for (size_t i = 0; !bad && (file = arguments_flag_nth(d->arguments, flag, i)); i++)
		bad = conversations_read(file, take_conversation, learning, fault);
	return bad;
}

static int learn(const struct desk *d)
{
	struct server_learning *learning = NULL;
	struct fault fault = {{0}};
	char *yaml = malloc(SERVER_LEARNT_MAX);
	const char *name = arguments_flag(d->arguments, "name"), *family = arguments_flag(d->arguments, "family");
	if (!arguments_flag(d->arguments, "malicious") || !arguments_flag(d->arguments, "benign") || !family)
		return free(yaml), command_fail(2, "servers learn: needs --malicious FILE, --benign FILE and --family NAME");
	int bad = yaml ? server_learning_open(&learning) : ERR_MEMORY;
	bad = bad ? bad : learn_from(d, learning, "malicious", false, &fault);
	bad = bad ? bad : learn_from(d, learning, "benign", true, &fault);
	struct writer w = writer_of(yaml, yaml ? SERVER_LEARNT_MAX - 1 : 0);
	struct server_learnt told = {0};
	if (!bad)
		bad = server_learning_write(learning, name ? name : family, family, &w, &told, &fault);
	if (!bad)
		fwrite(yaml, 1, writer_used(&w), stdout);
	fprintf(stderr, "%zu conversations with command servers in %zu groups, %zu benign ones; %zu fingerprints, %zu groups without\n",
		told.malicious, told.groups, told.benign, told.made, told.groups - told.made);
	server_learning_close(learning);
	free(yaml);
	return bad ? command_fail(1, "servers learn: %s", *fault.text ? fault.text : "no memory") : told.made ? 0 : 1;
}

static int act(struct desk *d)
{
	const size_t words = arguments_count(d->arguments);
	const char *what = words ? arguments_word(d->arguments, 0) : "list";
	if (!strcmp(what, "fingerprints") || !strcmp(what, "verify"))
		return fingerprints(d, *what == 'v');
	if (!strcmp(what, "learn"))
		return learn(d);
	if (desk_open(d, d->arguments))
		return command_fail(1, "%s", d->fault.text);
	if (!strcmp(what, "list"))
		return list(d);
	if (!strcmp(what, "check"))
		return check(d, words > 1 ? arguments_word(d->arguments, 1) : NULL);
	return command_fail(2, "servers: \"%s\" is none of list, check, fingerprints, verify, learn", what);
}

static int run(const struct arguments *a)
{
	static struct desk d;
	d = (struct desk){.arguments = a, .json = arguments_flag(a, "json") != NULL};
	return act(&d);
}

static const struct flag servers_flags[] = {
	{"malicious", "FILE", "learn: a capture of a sample's talk with its command server; may be given again"},
	{"benign", "FILE", "learn: a capture of ordinary traffic, in which nothing may match; may be given again"},
	{"family", "NAME", "learn: the family that they are of"},
	{"name", "NAME", "learn: how the fingerprints are called; the family, if not said"},
	{0},
};

static const struct command servers_command = {
	.name = "servers",
	.synopsis = "[list] | check ADDRESS:PORT | fingerprints [FOLDER ...] | verify [FOLDER ...] | "
		    "learn --malicious FILE --benign FILE --family NAME",
	.summary = "command servers of own samples: their state, checks, and what they are known by",
	.description =
		"list prints the command servers that samples of this kansoku named, what their last check says and how\n"
		"sure it is: live (it answers as a fingerprint says, and only the hello at that port), likely, service\n"
		"(anybody may run such a one), everything (it answers whatever is said), silent, open (nothing was said\n"
		"to it), closed, filtered. check has one of them checked now, as far as its budget allows. A rule\n"
		"{on: indicator.found, when: {indicator.role: command}, do: check} begins it; the first words of a\n"
		"sample are repeated only after `kansoku approve` where they could enlist us. fingerprints prints what\n"
		"answers are known by, verify tries their examples, learn makes new ones out of captures: for each\n"
		"hello the answers' common parts that no benign answer shows. What it prints is for you to read and\n"
		"to put into a folder `servers` beneath one of prober.fingerprints.",
	.flags = servers_flags,
	.words_max = 64,
	.run = run,
};
COMMAND(servers_command);
