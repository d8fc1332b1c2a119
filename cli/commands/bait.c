/* kansoku bait: the ledger of bait, for operators. */
#include "bus/parent.h"
#include "cli/command.h"
#include "event/event.h"
#include "bait/ledger.h"
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

#define TEXT_MAX 64

static const char *token_text(const struct bait_secret *k, const struct bait_token *t, enum bait_shape shape,
			      char room[TEXT_MAX])
{
	struct writer w = writer_of(room, TEXT_MAX - 1);
	bait_write(k, t, shape, &w);
	*w.at = '\0';
	return room;
}

static void print_json_text(const char *name, const char *text, bool last)
{
	uint8_t room[4 * LEDGER_TEXT_MAX + 8];
	struct writer w = writer_of(room, sizeof room);
	write_json_string(&w, bytes_of_text(text));
	printf("\"%s\":%.*s%s", name, (int)writer_used(&w), (const char *)room, last ? "}\n" : ",");
}

static void print_tokens(const struct bait_secret *k, const struct bait_token *t, bool json)
{
	char room[TEXT_MAX], id[17];
	for (int i = 0; i < BAIT_SHAPES; i++) {
		const char *text = token_text(k, t, (enum bait_shape)i, room);
		if (json)
			print_json_text(bait_shape_name((enum bait_shape)i), text, false);
		else
			printf("  %-10s %s\n", bait_shape_name((enum bait_shape)i), text);
	}
	snprintf(id, sizeof id, "%016llx", (unsigned long long)bait_id(k, t));
	if (json)
		print_json_text("id", id, true);
	else
		printf("  %-10s %s\n", "id", id);
}

static void print_entry(const struct bait_ledger *l, const struct bait_entry *e, bool json)
{
	const struct bait_token t = {BAIT_ENTRY, e->number, 0};
	char time[TIME_TEXT_MAX];
	time_format(e->time_s * 1000000, time);
	if (json) {
		printf("{\"number\":%u,", e->number);
		print_json_text("time", time, false);
		print_json_text("kind", bait_ledger_kind_name(e->kind), false);
		print_json_text("by", e->by, false);
		print_json_text("user", e->user, false);
		print_json_text("text", e->text, false);
	} else {
		printf("%u  %.19sZ  %s  by %s  %s\n", e->number, time, bait_ledger_kind_name(e->kind), e->by, e->text);
		printf("  %-10s %s\n", "user", e->user);
	}
	print_tokens(&l->secret, &t, json);
}

static const char *login_name(void)
{
	const struct passwd *p = getpwuid(getuid());
	return p && p->pw_name ? p->pw_name : "unknown";
}

static bool text_copy(char *to, size_t size, const char *from)
{
	return bytes_is_utf8(bytes_of_text(from)) && bytes_copy_text(bytes_of_text(from), to, size);
}

static int run_add(struct bait_ledger *l, const struct arguments *a, enum bait_kind kind)
{
	struct bait_entry e = {.kind = kind};
	struct fault fault = {0};
	const char *user = kind == LEDGER_ACCOUNT ? arguments_word(a, 1) : arguments_flag(a, "user");
	const char *text = arguments_word(a, kind == LEDGER_ACCOUNT ? 2 : 1);
	snprintf(e.by, sizeof e.by, "%s", login_name());
	if (!text_copy(e.user, sizeof e.user, user ? user : "backup") || !*e.user)
		return command_fail(2, "bait: a user name of 1 to %d bytes is needed", LEDGER_USER_MAX);
	if (!text_copy(e.text, sizeof e.text, text) || !*e.text)
		return command_fail(2, "bait: a text of 1 to %d bytes is needed, that says where it is announced",
				    LEDGER_TEXT_MAX);
	if (bait_ledger_add(l, &e, &fault))
		return command_fail(1, "%s", fault.text);
	print_entry(l, &e, arguments_flag(a, "json") != NULL);
	return 0;
}

/* What stands on a decoy under a name. */
static int run_device(const struct bait_ledger *l, const struct arguments *a)
{
	struct address decoy;
	const char *name = arguments_flag(a, "name");
	if (!address_parse(bytes_of_text(arguments_flag(a, "decoy")), &decoy))
		return command_fail(2, "bait: --decoy: %.60s is no address", arguments_flag(a, "decoy"));
	if (!name)
		return command_fail(2, "bait: --decoy needs --name NAME, as in %%{bait.password:NAME}");
	struct bait_token t = bait_of_device(&l->secret, &decoy, bytes_of_text(name));
	if (arguments_flag(a, "json"))
		putchar('{');
	else
		printf("%s at %s\n", name, arguments_flag(a, "decoy"));
	print_tokens(&l->secret, &t, arguments_flag(a, "json") != NULL);
	return 0;
}

static int run_show(const struct bait_ledger *l, const struct arguments *a)
{
	const char *word = arguments_count(a) > 1 ? arguments_word(a, 1) : NULL;
	struct bait_token t;
	enum bait_shape shape;
	uint64_t number;
	bool json = arguments_flag(a, "json") != NULL;
	if (arguments_flag(a, "decoy"))
		return run_device(l, a);
	if (!word)
		return command_fail(2, "bait show: a number, a token, or --decoy and --name");
	if (!bait_read(&l->secret, bytes_of_text(word), &t, &shape))
		t = (struct bait_token){BAIT_ENTRY,
					bytes_number(bytes_of_text(word), LEDGER_ENTRIES_MAX, &number) ? (uint32_t)number : 0, 0};
	const struct bait_entry *e = t.source == BAIT_ENTRY ? bait_ledger_entry(l, t.where) : NULL;
	if (e) {
		print_entry(l, e, json);
		return 0;
	}
	if (t.source == BAIT_ENTRY)
		return command_fail(1, "bait: neither a token of this ledger nor the number of an entry: %.60s", word);
	char address[ADDRESS_TEXT_MAX] = "an address of IPv6";
	const struct address v4 = address_v4(t.where);
	if (t.source == BAIT_V4)
		address_format(&v4, address);
	if (json)
		putchar('{'), print_json_text("decoy", address, false);
	else
		printf("planted at %s; kansoku report bait says in which file, when somebody saw it\n", address);
	print_tokens(&l->secret, &t, json);
	return 0;
}

static int run_with(struct bait_ledger *l, const struct arguments *a)
{
	const char *what = arguments_word(a, 0);
	size_t words = arguments_count(a);
	if (!strcmp(what, "place") && words == 2)
		return run_add(l, a, LEDGER_PLACE);
	if (!strcmp(what, "account") && words == 3)
		return run_add(l, a, LEDGER_ACCOUNT);
	if (!strcmp(what, "show") && words <= 2)
		return run_show(l, a);
	if (strcmp(what, "list") || words != 1)
		return command_fail(2, "bait: place TEXT, account USER TEXT, list, or show NUMBER|TOKEN");
	for (size_t i = 0; i < l->count; i++)
		print_entry(l, &l->entries[i], arguments_flag(a, "json") != NULL);
	return 0;
}

static int run(const struct arguments *a)
{
	static struct config config;
	struct fault fault = {0};
	struct bait_ledger ledger;
	char state[256];
	int bad = command_config(a, &config, &fault);
	if (!bad && run_state_path(&config, state, sizeof state))
		bad = fault_set(&fault, ERR_BAD, "run.state: the path is too long");
	int fd = bad ? bad : bait_ledger_create(state, &fault);
	if (fd < 0)
		return command_fail(1, "%s", fault.text);
	int status = bait_ledger_open(&ledger, fd, &fault) ? command_fail(1, "%s", fault.text) : run_with(&ledger, a);
	bait_ledger_done(&ledger);
	close(fd);
	return status;
}

static const struct flag bait_flags[] = {
	{"user", "NAME", "of the account that goes with a place, else backup"},
	{"decoy", "ADDRESS", "with show: what stands on that decoy"},
	{"name", "NAME", "with --decoy: under which name"},
	{0},
};

static const struct command bait_command = {
	.name = "bait",
	.synopsis = "place TEXT [--user NAME] | account USER TEXT | list | show NUMBER|TOKEN",
	.summary = "the ledger of decoy accounts and tokens, and of the places where they were announced",
	.description =
		"place TEXT enters a place outside (a page, a list, a repository) and prints what to announce\n"
		"there: an account with its password, a key, and a word for a path, a host name or a mailbox. The\n"
		"first visitor that uses any of them, at any decoy and in any service, tells which place was read:\n"
		"token.used, with the place in bait.place. account USER TEXT does the same for an account alone.\n"
		"Every decoy lets these accounts in where it lets in accounts at all.\n\n"
		"list shows all entries. show takes a number or a token and says what it is; with --decoy and\n"
		"--name what %{bait.password:NAME} stands for on that decoy. kansoku report bait shows what was\n"
		"seen and used.\n\n"
		"The ledger is the file bait/ledger below run.state, read while kansoku runs. It holds the secret\n"
		"that all tokens are made with: keep a copy.",
	.flags = bait_flags,
	.words_min = 1,
	.words_max = 3,
	.run = run,
};
COMMAND(bait_command);
