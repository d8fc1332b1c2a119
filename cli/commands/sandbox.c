/* kansoku sandbox: hands a sample over to an external sandbox and takes its report back. */
#include "base/arena.h"
#include "cli/command.h"
#include "lab/external.h"
#include "lab/lab.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define MEMORY_MAX (64u << 20)
#define JSON_MAX (16u << 20)

struct handover {
	struct external_options options;
	struct external *external;
	struct buffer sample, report;
	struct analysis *analysis;
	struct arena arena;
	uint64_t task;
};

static int save(const char *path, struct bytes b)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return command_fail(1, "sandbox: %s: %s", path, strerror(errno));
	while (b.len) {
		ssize_t n = write(fd, b.at, b.len);
		if (n <= 0)
			break;
		b.at += n, b.len -= (size_t)n;
	}
	return close(fd) || b.len ? command_fail(1, "sandbox: %s cannot be written", path) : 0;
}

static int print_json(const struct handover *h, const struct external_report *r)
{
	uint8_t *room = malloc(JSON_MAX);
	struct writer w = writer_of(room, room ? JSON_MAX : 0);
	write_fmt(&w, "{\"sandbox\":\"cape\",\"task\":%llu,", (unsigned long long)h->task);
	external_write(&w, r);
	write_text(&w, "}\n");
	int status = w.bad ? command_fail(1, "sandbox: the report is too long") : 0;
	if (!status)
		fwrite(w.start, 1, writer_used(&w), stdout);
	free(room);
	return status;
}

/* Outside bytes on a terminal: what is not printable is a dot. */
static void print_safe(struct bytes b)
{
	for (size_t i = 0; i < b.len; i++)
		putchar(b.at[i] < 0x20 || b.at[i] >= 0x7f ? '.' : b.at[i]);
}

static void print_report(const struct handover *h, const struct external_report *r)
{
	printf("task          %llu\nsha256        %s\nscore         %u of 100\n", (unsigned long long)h->task, r->sha256, r->score);
	for (size_t i = 0; i < r->family_count; i++) {
		printf("family        ");
		print_safe(bytes_of_text(r->families[i]));
		puts("");
	}
	for (size_t i = 0; i < r->signature_count; i++) {
		printf("signature     ");
		print_safe(bytes_of_text(r->signatures[i].what[0] ? r->signatures[i].what : r->signatures[i].name));
		puts("");
	}
	for (size_t i = 0; i < r->indicator_count; i++) {
		printf("  %3u  %-10s ", r->indicators[i].confidence, indicator_type_name(r->indicators[i].type));
		print_safe(r->indicators[i].value);
		printf("  (%s)\n", indicator_role_name(r->indicators[i].role));
	}
}

static int take_report(const struct arguments *a, struct handover *h, const char *sha256)
{
	struct external_report r;
	struct fault fault = {0};
	int status = arguments_flag(a, "report") ? save(arguments_flag(a, "report"), buffer_bytes(&h->report)) : 0;
	if (status)
		return status;
	if (external_read(buffer_bytes(&h->report), &h->arena, &r, &fault))
		return command_fail(1, "%s", fault.text);
	if (r.sha256[0] && strcmp(r.sha256, sha256))
		return command_fail(1, "sandbox: the report of task %llu is about another file, %s", (unsigned long long)h->task, r.sha256);
	if (arguments_flag(a, "json"))
		return print_json(h, &r);
	print_report(h, &r);
	return 0;
}

static int hand_over(const struct arguments *a, struct handover *h)
{
	struct fault fault = {0};
	if (command_read_file(arguments_word(a, 0), SAMPLE_BYTES_MAX, &h->sample, &fault) ||
	    lab_analyse(&h->analysis, buffer_bytes(&h->sample), NULL, &fault) || external_open(&h->external, &h->options, &fault))
		return command_fail(1, "%s", fault.text);
	/* By its digest, not by our own name of the file, which may say where it was caught. */
	const char *sha256 = analysis_findings(h->analysis)->sha256;
	if (external_analyse(h->external, buffer_bytes(&h->sample), sha256, sha256, &h->task, &h->report, &fault))
		return command_fail(1, "%s", fault.text);
	return take_report(a, h, sha256);
}

static int run(const struct arguments *a)
{
	static struct config config;
	struct handover h = {.sample = BUFFER(SAMPLE_BYTES_MAX), .report = BUFFER(EXTERNAL_REPORT_MAX), .arena = ARENA(MEMORY_MAX)};
	struct fault fault = {0};
	if (command_config(a, &config, &fault))
		return command_fail(2, "%s", fault.text);
	h.options = *(const struct external_options *)config_section(&config, "sandbox");
	int status = hand_over(a, &h);
	external_close(h.external);
	analysis_free(h.analysis);
	arena_done(&h.arena);
	buffer_done(&h.sample);
	buffer_done(&h.report);
	return status;
}

static const struct flag flags[] = {
	{"json", NULL, "one JSON object"},
	{"report", "FILE", "keep the sandbox's own report there"},
	{0},
};

static const struct command sandbox = {
	.name = "sandbox",
	.synopsis = "FILE [--json] [--report FILE]",
	.summary = "hand a sample over to an external sandbox and take its report back",
	.description = "Speaks the API of CAPE with the sandbox that sandbox.url names; without one it does nothing.\n"
		       "A sample that it knows already is not sent again. The sample goes out under its digest, not\n"
		       "under the name it has here. What the report says becomes family, score, signatures, files\n"
		       "and indicators, each with how sure it is.",
	.flags = flags,
	.words_min = 1,
	.words_max = 1,
	.run = run,
};
COMMAND(sandbox);
