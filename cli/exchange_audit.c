#include "cli/exchange_audit.h"
#include "bus/parent.h"
#include "cli/desk.h"
#include "event/event.h"
#include "share/audit.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

struct shown {
	const char *organisation, *action; /* NULL: all */
	char since[TIME_TEXT_MAX];         /* times of this form sort as texts */
	bool json, only_verified;
};

static bool fits(const json_t *line, const char *key, const char *wanted)
{
	return !wanted || !strcmp(json_text_of(line, key), wanted);
}

static void print_part(const json_t *line, const char *key, const char *before)
{
	if (*json_text_of(line, key))
		printf("%s%s", before, json_text_of(line, key));
}

/* What a filter says is outside text: it was escaped by JSON, and stays so here. */
static void print_escaped(const json_t *line, const char *key)
{
	char *text = json_object_get(line, key) ? json_dumps(json_object_get(line, key), JSON_ENCODE_ANY | JSON_ENSURE_ASCII) : NULL;
	if (text)
		printf("  %s", text);
	free(text);
}

static void print_line(const json_t *line)
{
	printf("%6lld %.19sZ %-12s", json_number_of(line, "n"), json_text_of(line, "time"), json_text_of(line, "action"));
	print_part(line, "organisation", " ");
	print_part(line, "user", "/");
	print_part(line, "from", " from ");
	print_escaped(line, "collection");
	print_part(line, "reason", ": ");
	print_part(line, "marking", ", TLP:");
	print_part(line, "format", ", ");
	print_part(line, "policy", ", policy ");
	if (json_object_get(line, "objects"))
		printf(", %lld objects", json_number_of(line, "objects"));
	print_escaped(line, "filter");
	putchar('\n');
}

static void on_line(void *arg, struct bytes text)
{
	const struct shown *shown = arg;
	json_t *line = shown->only_verified ? NULL : json_loadb((const char *)text.at, text.len, 0, NULL);
	if (!line)
		return;
	const bool wanted = fits(line, "organisation", shown->organisation) && fits(line, "action", shown->action) &&
			    strcmp(json_text_of(line, "time"), shown->since) >= 0;
	if (wanted && shown->json)
		printf("%.*s\n", (int)text.len, (const char *)text.at);
	else if (wanted)
		print_line(line);
	json_decref(line);
}

/* "N:HEX" */
static bool head_read(const char *text, struct audit_head *head)
{
	const char *colon = strchr(text, ':');
	if (!colon || !bytes_number((struct bytes){(const uint8_t *)text, (size_t)(colon - text)}, UINT64_MAX, &head->number) ||
	    !head->number || strlen(colon + 1) != 2 * AUDIT_DIGEST)
		return false;
	for (size_t i = 0; i < AUDIT_DIGEST; i++) {
		char digits[3] = {colon[1 + 2 * i], colon[2 + 2 * i], '\0'}, *end;
		head->digest[i] = (uint8_t)strtoul(digits, &end, 16);
		if (*end)
			return false;
	}
	return true;
}

static void say_head(const struct audit_head *head)
{
	fprintf(stderr, "the chain is whole: %llu lines", (unsigned long long)head->number);
	if (head->number)
		fprintf(stderr, "; its head, to note elsewhere: %llu:", (unsigned long long)head->number);
	for (size_t i = 0; i < AUDIT_DIGEST && head->number; i++)
		fprintf(stderr, "%02x", head->digest[i]);
	fputc('\n', stderr);
}

static int since_read(const struct arguments *a, struct shown *shown)
{
	uint64_t since_us = 0;
	const char *since = arguments_flag(a, "since");
	if (since && !time_parse(bytes_of_text(since), &since_us))
		return command_fail(2, "audit: --since: \"%s\" is not a time such as 2026-04-01 or 2026-04-01T12:00:00Z", since);
	if (since)
		time_format(since_us, shown->since);
	return 0;
}

int exchange_audit(const struct arguments *a)
{
	static struct desk d;
	char path[sizeof d.state + 32];
	struct audit_head head = {0};
	const char *noted = arguments_flag(a, "head");
	struct shown shown = {.organisation = arguments_flag(a, "org"), .action = arguments_flag(a, "action"),
			      .only_verified = arguments_flag(a, "quiet") != NULL};
	int status = since_read(a, &shown);
	if (status)
		return status;
	if (noted && !head_read(noted, &head))
		return command_fail(2, "audit: --head: \"%s\" is not N:DIGEST, as this command says at its end", noted);
	if (desk_open(&d, a))
		return command_fail(1, "%s", d.fault.text);
	shown.json = d.json;
	snprintf(path, sizeof path, "%s/exchange/" AUDIT_FILE, d.state);
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return command_fail(1, "audit: %s: %s", path, strerror(errno));
	int bad = audit_verify(fd, &head, on_line, &shown, &d.fault);
	close(fd);
	if (bad)
		return command_fail(1, "audit: %s: %s", path, d.fault.text);
	say_head(&head);
	return 0;
}
