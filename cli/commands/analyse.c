/* kansoku analyse: what can be known of a sample without running it. */
#include "base/sandbox.h"
#include "cli/analyse_run.h"
#include "cli/command.h"
#include "event/event.h"
#include "lab/lab.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define RULE_FILES_MAX 64

static void print_summary(const struct findings *f)
{
	printf("type          %s%s%s\nsize          %llu\nsha256        %s\n", f->type, f->architecture[0] ? ", " : "",
	       f->architecture, (unsigned long long)f->size, f->sha256);
	printf("sha1          %s\nmd5           %s\n", f->sha1, f->md5);
	if (f->tlsh[0])
		printf("tlsh          %s\n", f->tlsh);
	for (size_t i = 0; i < f->family_count; i++)
		printf("family        %s, %u points: %s\n", f->families[i].name, f->families[i].points, f->families[i].reasons);
	for (size_t i = 0; i < f->yara_count; i++)
		printf("yara          %s\n", f->yara[i]);
	for (size_t i = 0; i < f->limit_count; i++)
		printf("limit         %s\n", f->limits[i]);
}

static void print_findings(const struct findings *f)
{
	print_summary(f);
	if (f->indicator_count)
		puts("\nindicators (how sure, what, what for, how it was found)");
	for (size_t i = 0; i < f->indicator_count; i++) {
		const struct indicator *it = &f->indicators[i];
		printf("  %3u  %-10s ", it->confidence, indicator_type_name(it->type));
		print_safe(it->value);
		printf("  (%s; %s)\n", indicator_role_name(it->role), it->how);
	}
	for (size_t k = 0; k < f->part_count; k++) {
		const struct part *p = &f->parts[k];
		if (k)
			printf("\npart %u in %u: %s%s%s, %zu bytes, %s  ", p->number, p->inside, p->type,
			       p->architecture[0] ? ", " : "", p->architecture, p->content.len, p->name);
		puts("");
		for (size_t i = 0; i < f->fact_count; i++)
			if (f->facts[i].part == k) {
				printf("  %-22s ", f->facts[i].name);
				print_safe(bytes_of_text(f->facts[i].value));
				puts("");
			}
	}
}

/* Never overwritten and never executable: what lies there is a sample. */
static int part_save(int folder, const struct part *p)
{
	int fd = openat(folder, p->sha256, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400);
	if (fd < 0)
		return errno == EEXIST ? 0 : ERR_SYSTEM;
	size_t at = 0;
	while (at < p->content.len) {
		ssize_t n = write(fd, p->content.at + at, p->content.len - at);
		if (n <= 0)
			break;
		at += (size_t)n;
	}
	return close(fd) || at < p->content.len ? ERR_SYSTEM : 0;
}

static int parts_save(const struct findings *f, int folder)
{
	for (size_t i = 1; i < f->part_count; i++)
		if (part_save(folder, &f->parts[i]))
			return command_fail(1, "analyse: part %s cannot be saved: %s", f->parts[i].sha256, strerror(errno));
	return 0;
}

/* -1: none is asked for. */
static int parts_open(const char *path, int *folder)
{
	*folder = -1;
	if (!path)
		return 0;
	if (mkdir(path, 0700) && errno != EEXIST)
		return command_fail(1, "analyse: %s cannot be made: %s", path, strerror(errno));
	*folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *folder < 0 ? command_fail(1, "analyse: %s: %s", path, strerror(errno)) : 0;
}

/* Parsers meet hostile bytes: from here on the process reaches neither files nor the network, folders to write into apart. */
static void rights_give_up(const char *parts, const char *keep)
{
	struct sandbox_path paths[2];
	struct fault fault = {0};
	size_t count = 0;
	if (parts)
		paths[count++] = (struct sandbox_path){.path = parts, .writable = true};
	if (keep)
		paths[count++] = (struct sandbox_path){.path = keep, .writable = true};
	if (sandbox_enter(count ? SANDBOX_FILES : 0, paths, count, &fault))
		fprintf(stderr, "kansoku analyse: %s; it goes on with the rights that it has\n", fault.text);
}

static int rules_open(const struct arguments *args, struct lab_rules **rules)
{
	const char *files[RULE_FILES_MAX];
	struct fault fault;
	size_t count = 0;
	while (count < RULE_FILES_MAX && (files[count] = arguments_flag_nth(args, "rules", count)))
		count++;
	if (count && lab_rules_open(rules, files, count, &fault) < 0)
		return command_fail(2, "analyse: %s", fault.text);
	return 0;
}

static int run_analyse(const struct arguments *args)
{
	struct buffer sample = BUFFER(SAMPLE_BYTES_MAX);
	struct lab_rules *rules = NULL;
	struct analysis *a = NULL;
	struct analyse_run more;
	struct fault fault;
	int folder = -1, status = rules_open(args, &rules);
	if (status || (status = parts_open(arguments_flag(args, "parts"), &folder)) || (status = analyse_prepare(args, &more)))
		return status;
	if (command_read_file(arguments_word(args, 0), SAMPLE_BYTES_MAX, &sample, &fault) < 0)
		status = command_fail(1, "analyse: %s", fault.text);
	else
		rights_give_up(arguments_flag(args, "parts"), more.keep);
	if (!status && lab_analyse(&a, buffer_bytes(&sample), rules, &fault) < 0)
		status = command_fail(1, "analyse: %s", fault.text);
	if (!status && folder >= 0)
		status = parts_save(analysis_findings(a), folder);
	if (!status && analyse_is_told(&more))
		status = analyse_finish(&more, analysis_findings(a), buffer_bytes(&sample));
	else if (!status)
		print_findings(analysis_findings(a));
	analysis_free(a);
	lab_rules_close(rules);
	buffer_done(&sample);
	return status;
}

static const struct flag flags[] = {
	{"json", NULL, "one JSON object instead of text"},
	{"rules", "FILE", "YARA rules to try on the sample and on what is in it; may be given several times"},
	{"parts", "DIR", "save what was found inside (members, unpacked programs) there, each under its SHA-256"},
	{"run", NULL, "also run it, in a box without a way out, as root and as a user; say what it did"},
	{"egress", "ENDPOINT", "of --run: what it says to that ADDRESS:PORT really leaves; also NAME=ADDRESS:PORT, where it uses a name"},
	{"as", "WHOM", "of --run: root, user or both; default: both"},
	{"time", "SECONDS", "of --run: how long it runs each time at most; default: 60"},
	{"keep", "DIR", "of --run: save the packets and the files that it left there"},
	{"form", "FORM", "the report in another form: json, stix, cape or page"},
	{0},
};

static const struct command analyse = {
	.name = "analyse",
	.synopsis = "FILE [--json] [--form FORM] [--rules FILE]... [--parts DIR] [--run [--as WHOM] [--time SECONDS] [--keep DIR] [--egress ENDPOINT]]",
	.summary = "what a sample is, whom it knows and, where that is asked for, what it does",
	.description =
		"Tells the type of a file by its content, its processor, its digests (SHA-256, SHA-1, MD5, TLSH), and takes"
		" it apart: programs (ELF, PE, also damaged ones), scripts, archives within limits, packed programs,"
		" documents, Android packages. What it finds inside goes the same way.\n\n"
		"Indicators are addresses, endpoints, domains, URLs, mail addresses, user agents, keys and wallets, each"
		" with how it was found and how sure that is, 0 to 100. A role says what it is for as far as one can"
		" tell: command, download, report, peer, check (a bystander that is merely asked), unknown. Families are"
		" guesses, with the reasons for them.\n\n"
		"FILE may be - for standard input. Without --run nothing of the sample is run, and nothing is ever sent"
		" anywhere: with --run it meets a world that this machine plays for it, in namespaces that no packet"
		" leaves (docs/lab.md).\n\n"
		"--egress is the exception, and refused unless lab.egress.on is set in the configuration and the policy"
		" allows that address: the payload of TCP connections to that one endpoint leaves, within the caps of"
		" lab.egress for each run, and the scans that lab.egress.decoys names end at decoys of your own"
		" (docs/sink.md).",
	.flags = flags,
	.words_min = 1,
	.words_max = 1,
	.run = run_analyse,
};
COMMAND(analyse);
