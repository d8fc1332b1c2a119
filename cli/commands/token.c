/* kansoku token: by what an organisation's users are known. */
#include "cli/rights.h"

static const struct rights_flag words[] = {
	{"scope", "scope", RIGHTS_TEXT},
	{"expires", "expires", RIGHTS_TEXT},
	{"network", "networks", RIGHTS_LIST},
	{"collection", "collections", RIGHTS_LIST},
	{"certificate", "certificate", RIGHTS_CERTIFICATE},
	{"bound", "bound", RIGHTS_CERTIFICATE},
	{"remark", "remark", RIGHTS_TEXT},
	{0},
};
static const struct rights_flag renewal[] = {{"overlap", "overlap_s", RIGHTS_SECONDS}, {0}};

static void print_list(const json_t *row, const char *key, const char *before)
{
	const json_t *item;
	size_t i;
	json_array_foreach(json_object_get(row, key), i, item)
		printf("%s%s", i ? "," : before, json_string_value(item));
}

static void print_moment(const json_t *row, const char *key)
{
	if (*json_text_of(row, key))
		printf("  %s %.19sZ", key, json_text_of(row, key));
}

static void print_row(const json_t *row)
{
	printf("%s  %s/%s  %s %s", json_text_of(row, "id"), json_text_of(row, "organisation"), json_text_of(row, "user"),
	       json_text_of(row, "kind"), json_text_of(row, "scope"));
	print_list(row, "collections", "  for ");
	print_list(row, "networks", "  from ");
	print_moment(row, "expires");
	print_moment(row, "revoked");
	print_moment(row, "used");
	printf("%s%s%s%s%s\n", *json_text_of(row, "used_from") ? " by " : "", json_text_of(row, "used_from"),
	       *json_text_of(row, "bound") ? "  bound to a certificate" : "", *json_text_of(row, "remark") ? "  # " : "",
	       json_text_of(row, "remark"));
}

/* The secret alone on standard output, so that it can go straight into a file or a pipe. */
static void print_new(const json_t *row)
{
	if (!*json_text_of(row, "token")) {
		print_row(row);
		return;
	}
	fprintf(stderr, "token %s of %s/%s; it is shown this once:\n", json_text_of(row, "id"), json_text_of(row, "organisation"),
		json_text_of(row, "user"));
	puts(json_text_of(row, "token"));
}

static int change(struct desk *d, const struct arguments *a, const char *what, const char *name)
{
	const bool adds = !strcmp(what, "add"), renews = !strcmp(what, "renew");
	if (!adds && !renews && strcmp(what, "revoke"))
		return command_fail(2, "token: \"%s\" is none of list, add, renew, revoke", what);
	if (!name)
		return command_fail(2, adds ? "token add: whose? ORGANISATION/USER would be right" : "token %s: which token's id?", what);
	json_t *request = rights_request(adds ? "token.add" : renews ? "token.renew" : "token.revoke");
	if (!adds)
		json_object_set_new(request, "token", json_string(name));
	if (adds && !(rights_member(request, "token", name) && rights_flags(request, a, "token", words)))
		return 2;
	if (renews && !rights_flags(request, a, "token", renewal))
		return 2;
	return rights_do(d, "token", request, adds || renews ? print_new : print_row);
}

static int run(const struct arguments *a)
{
	static struct desk d;
	const char *what = arguments_word(a, 0), *name = arguments_count(a) > 1 ? arguments_word(a, 1) : NULL;
	if (desk_open(&d, a))
		return command_fail(1, "%s", d.fault.text);
	if (strcmp(what, "list"))
		return change(&d, a, what, name);
	json_t *request = rights_request("token.list");
	if (name)
		json_object_set_new(request, "organisation", json_string(name));
	json_object_set_new(request, "all", json_boolean(arguments_flag(a, "all") != NULL));
	return rights_list(&d, "token", request, print_row);
}

static const struct flag token_flags[] = {
	{"scope", "RIGHTS", "what it may at most: read (if not said), write, or read,write"},
	{"expires", "TIME", "until when it holds, or never; a year if not said"},
	{"network", "PREFIX", "where it may be used from; may be given several times"},
	{"collection", "NAME", "what it is for, of what is granted; may be given several times"},
	{"certificate", "FILE", "no secret: whoever shows this client certificate (PEM, or its SHA-256)"},
	{"bound", "FILE", "a secret that holds only together with this client certificate"},
	{"remark", "TEXT", "what it is used for"},
	{"overlap", "TIME", "renew: how long the old one still holds, such as 24h"},
	{"all", NULL, "list: also those that are over"},
	{0},
};

static const struct command token_command = {
	.name = "token",
	.synopsis = "list [ORGANISATION] [--all] | add ORGANISATION/USER [--scope RIGHTS] [--expires TIME] [--network PREFIX]… "
		    "[--collection NAME]… [--certificate FILE | --bound FILE] | renew ID [--overlap TIME] | revoke ID",
	.summary = "what partners show to be let in",
	.description =
		"add prints a new token, once: only its digest is kept. It is shown as a bearer token or as the password\n"
		"of basic authentication with the user's name. renew makes a new one with the same rights in place of an\n"
		"old one; revoke ends one at once. list says when and from where each was used last.\n"
		"kansoku must be running.",
	.flags = token_flags,
	.words_min = 1,
	.words_max = 2,
	.run = run,
};
COMMAND(token_command);
