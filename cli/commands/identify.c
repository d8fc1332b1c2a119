/* kansoku identify: what the rules make of banners, and of a host that said several. */
#include "active/identify/verdict.h"
#include "cli/command.h"
#include "cli/escapes.h"
#include "cli/fingerprints.h"
#include "cli/input_lines.h"
#include "event/event.h"
#include <stdlib.h>
#include <unistd.h>

#define LINE_MAX_BYTES (IDENTIFY_BANNER_MAX * 4) /* every byte may be written as \xHH */
#define ANSWER_MAX 32768

static void print_json(struct writer *w)
{
	write_u8(w, '\n');
	struct bytes b = writer_bytes(w);
	fwrite(b.at, 1, b.len, stdout);
}

static void hit_json(const struct identify_hit *hit)
{
	static uint8_t room[ANSWER_MAX];
	struct writer w = writer_of(room, sizeof room);
	if (!hit) {
		write_text(&w, "{\"matched\":false}");
		print_json(&w);
		return;
	}
	write_text(&w, "{\"matched\":true,\"rule\":");
	write_json_string(&w, bytes_of_text(hit->rule));
	write_text(&w, ",\"description\":");
	write_json_string(&w, bytes_of_text(hit->description));
	write_fmt(&w, ",\"certainty\":%u,\"fields\":{", hit->certainty);
	for (size_t i = 0; i < hit->count; i++) {
		write_text(&w, i ? "," : "");
		write_json_string(&w, bytes_of_text(hit->fields[i].name));
		write_u8(&w, ':');
		write_json_string(&w, (struct bytes){(const uint8_t *)hit->text + hit->fields[i].at,
						     hit->fields[i].len});
	}
	write_text(&w, "}}");
	print_json(&w);
}

/* Outside bytes on a terminal: what is not printable is spelled out. */
static void print_safe(struct bytes b)
{
	for (size_t i = 0; i < b.len; i++)
		if (b.at[i] < 0x20 || b.at[i] >= 0x7f)
			printf("\\x%02x", b.at[i]);
		else
			putchar(b.at[i]);
}

static void hit_text(const struct identify_hit *hit)
{
	if (!hit) {
		puts("no rule matches");
		return;
	}
	printf("%s %u%%", hit->rule, hit->certainty);
	for (size_t i = 0; i < hit->count; i++) {
		printf(" %s=\"", hit->fields[i].name);
		print_safe((struct bytes){(const uint8_t *)hit->text + hit->fields[i].at,
					  hit->fields[i].len});
		putchar('"');
	}
	printf(" (%s)\n", hit->description);
}

static void verdict_json(const struct verdict *v)
{
	static uint8_t room[ANSWER_MAX];
	struct writer w = writer_of(room, sizeof room);
	const struct {
		const char *name, *value;
	} texts[] = {
		{"device", v->device},     {"vendor", v->vendor},   {"product", v->product},
		{"version", v->version},   {"os", v->os},           {"service", v->service},
		{"role", v->role},
		{"rule", v->rule},         {"evidence", v->evidence}, {"dissent", v->dissent},
		{"near", v->near},         {"signals", v->signals},
	};
	write_fmt(&w, "{\"identified\":%s,\"confidence\":%u,\"disputed\":%s",
		  v->device[0] ? "true" : "false", v->confidence, v->disputed ? "true" : "false");
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		write_fmt(&w, ",\"%s\":", texts[i].name);
		write_json_string(&w, bytes_of_text(texts[i].value));
	}
	write_u8(&w, '}');
	print_json(&w);
}

static void verdict_text(const struct verdict *v)
{
	if (v->device[0])
		printf("%s, %u%%%s\n", v->device, v->confidence, v->disputed ? ", disputed" : "");
	else
		printf("unidentified%s\n", v->disputed ? ": signals of two devices" : "");
	const struct {
		const char *name, *value;
	} texts[] = {
		{"vendor", v->vendor},     {"product", v->product},   {"version", v->version},
		{"os", v->os},             {"service", v->service}, {"role", v->role},
		{"evidence", v->evidence},
		{"dissent", v->dissent},   {"near", v->near},         {"signals", v->signals},
	};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		if (texts[i].value[0])
			printf("  %-9s %s\n", texts[i].name, texts[i].value);
}

/* One line is one banner; one answer each, also for what nothing matches or is too long. */
static int match_lines(const struct identify *id, const char *key, bool json)
{
	struct input_lines *lines = input_lines_open(STDIN_FILENO, LINE_MAX_BYTES);
	char *line;
	size_t len;
	bool cut;
	if (!lines)
		return command_fail(1, "identify: no memory");
	while (input_lines_next(lines, &line, &len, &cut)) {
		struct identify_hit hit;
		bool matched = !cut && identify_match(id, key, escapes_read(line, len), &hit);
		(json ? hit_json : hit_text)(matched ? &hit : NULL);
	}
	input_lines_close(lines);
	return 0;
}

/* "html_title@80: WEB SERVICE"; without a port it is 0. */
static bool signal_add(struct verdict *v, char *line, size_t len)
{
	char *colon = memchr(line, ':', len);
	if (!colon)
		return false;
	size_t key_len = (size_t)(colon - line);
	const char *at = memchr(line, '@', key_len);
	uint64_t port = 0;
	if (at) {
		struct bytes digits = {(const uint8_t *)at + 1, (size_t)(colon - at - 1)};
		if (!bytes_number(digits, 65535, &port))
			return false;
		key_len = (size_t)(at - line);
	}
	char key[64];
	if (!bytes_copy_text((struct bytes){(const uint8_t *)line, key_len}, key, sizeof key))
		return false;
	char *banner = colon + 1;
	verdict_add(v, key, (uint16_t)port, escapes_read(banner, len - (size_t)(banner - line)));
	return true;
}

static int judge_host(const struct identify *id, bool json)
{
	static struct verdict v;
	struct input_lines *lines = input_lines_open(STDIN_FILENO, LINE_MAX_BYTES);
	char *line;
	size_t len, number = 0;
	bool cut;
	int status = lines ? 0 : command_fail(1, "identify: no memory");
	verdict_open(&v, id);
	while (!status && input_lines_next(lines, &line, &len, &cut)) {
		number++;
		if (cut || (len && !signal_add(&v, line, len)))
			status = command_fail(2, "identify: standard input:%zu: not a signal, write"
						 " KEY@PORT: BANNER", number);
	}
	input_lines_close(lines);
	if (status)
		return status;
	verdict_conclude(&v);
	(json ? verdict_json : verdict_text)(&v);
	return 0;
}

static void say(void *context, const char *sentence)
{
	(void)context;
	fprintf(stderr, "%s\n", sentence);
}

static int verify(const struct identify *id, bool json)
{
	struct identify_check c;
	identify_verify(id, &c, say, NULL);
	printf(json ? "{\"rules\":%zu,\"examples\":%zu,\"failed\":%zu,\"shadowed\":%zu,"
		      "\"without_example\":%zu}\n"
		    : "%zu rules, %zu examples: %zu failed, %zu taken by an earlier rule;"
		      " %zu rules without an example\n",
	       c.rules, c.examples, c.failed, c.shadowed, c.without_example);
	return c.failed ? 1 : 0;
}

static void warn_of_limits(const struct identify *id)
{
	const char *rule;
	uint64_t n = identify_given_up(id, &rule);
	if (n)
		fprintf(stderr, "kansoku: identify: %llu matches were given up, last one of rule %s: its pattern "
			"backtracks without end\n", (unsigned long long)n, rule);
}

static int compile(const struct identify *id, bool json)
{
	printf(json ? "{\"rules\":%zu}\n" : "%zu rules are compiled\n", identify_rule_count(id));
	return 0;
}

static int run(const struct arguments *a)
{
	const char *key = arguments_flag(a, "match");
	bool json = arguments_flag(a, "json"), host = arguments_flag(a, "host");
	struct identify *id;
	struct fault fault = {0};
	bool verifies = arguments_flag(a, "verify"), compiles = arguments_flag(a, "compile");
	if (!key + !host + !verifies + !compiles != 3)
		return command_fail(2, "identify: one of --match KEY, --host, --verify and --compile is needed");
	if (fingerprints_open(a, verifies || compiles, &id, &fault) != 0)
		return command_fail(1, "identify: %s", fault.text);
	if (key && !identify_has_key(id, key))
		fprintf(stderr, "kansoku: identify: there is no rule for %s, so nothing will match\n", key);
	int status = key ? match_lines(id, key, json) : host ? judge_host(id, json)
		   : verifies ? verify(id, json) : compile(id, json);
	warn_of_limits(id);
	identify_close(id);
	return status;
}

static const struct flag identify_flags[] = {
	{"match", "KEY", "standard input holds banners of this match key, one a line"},
	{"host", NULL, "standard input holds signals of one host, KEY@PORT: BANNER a line"},
	{"verify", NULL, "try every example of the rules"},
	{"compile", NULL, "compile the rules now and keep them, as is done by itself when many banners come"},
	{"cache", "DIR", "where compiled rules are kept (else in the user's cache, ~/.cache/kansoku)"},
	{"rules", "DIR", "also read the *.xml of this directory; may be given several times"},
	{0},
};

static const struct command identify_command = {
	.name = "identify",
	.synopsis = "--match KEY | --host | --verify | --compile [--rules DIR]... [--cache DIR] [--json]",
	.summary = "say what device a banner or a host belongs to",
	.description = "Rules are in Recog's XML format: our own, and those of the directories named.\n"
		       "Keys are Recog's: telnet.banner, html_title, http_header.server,\n"
		       "http_header.wwwauth, http_header.cookie, http.body, x509.subject, ...\n"
		       "A banner is one line, where C's escapes such as \\r\\n and \\x41 are understood.",
	.flags = identify_flags,
	.words_max = 0,
	.run = run,
};
COMMAND(identify_command);
