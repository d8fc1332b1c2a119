/* kansoku import: files of others, weaknesses into the index that answers are judged by, records into the store. */
#include "analysis/exposures.h"
#include "bus/parent.h"
#include "cli/command.h"
#include "cli/import_records.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES 4096

static int index_path(const struct arguments *a, char path[PATH_BYTES], struct fault *fault)
{
	static struct config config;
	char state[256];
	int bad = command_config(a, &config, fault);
	if (!bad && run_state_path(&config, state, sizeof state))
		bad = fault_set(fault, ERR_BAD, "run.state: the path is too long");
	if (bad)
		return bad;
	snprintf(path, PATH_BYTES, "%s/" EXPOSURE_FOLDER, state);
	if ((mkdir(state, 0755) && errno != EEXIST) || (mkdir(path, 0700) && errno != EEXIST))
		return fault_set(fault, ERR_SYSTEM, "%s: %s", path, strerror(errno));
	snprintf(path, PATH_BYTES, "%s/" EXPOSURE_FOLDER "/" EXPOSURE_INDEX, state);
	return 0;
}

/* What cannot be used is said, and the others are taken. */
static int take_files(const struct arguments *a, struct import *import, int kind)
{
	int failed = 0;
	for (size_t i = 1; i < arguments_count(a); i++) {
		const char *name = arguments_word(a, i);
		struct fault fault = {0};
		int fd = open(name, O_RDONLY | O_CLOEXEC);
		int bad = fd < 0 ? fault_set(&fault, ERR_SYSTEM, "%s: %s", name, strerror(errno))
				 : import_take(import, kind, fd, name, &fault);
		if (fd >= 0)
			close(fd);
		if (isatty(2))
			fprintf(stderr, "\r%zu of %zu files, %llu CVEs ", i, arguments_count(a) - 1,
				(unsigned long long)import_counts(import)->cves);
		if (bad)
			fprintf(stderr, "%skansoku import: %s\n", isatty(2) ? "\n" : "", fault.text);
		failed += bad != 0;
	}
	if (isatty(2))
		fputc('\n', stderr);
	return failed;
}

static void print_counts(const struct weaknesses_counts *c, bool json)
{
	printf(json ? "{\"files\":%llu,\"unchanged\":%llu,\"cves\":%llu,\"newer\":%llu,\"older\":%llu,\"known\":%llu,"
		      "\"bad\":%llu,\"too_long\":%llu}\n"
		    : "%llu files, %llu of them as they were; %llu CVEs read, %llu new or newer, %llu older than what is "
		      "there; %llu known to be exploited; %llu entries are none, %llu too long\n",
	       (unsigned long long)c->files, (unsigned long long)c->unchanged, (unsigned long long)c->cves,
	       (unsigned long long)c->newer, (unsigned long long)c->older, (unsigned long long)c->known,
	       (unsigned long long)c->bad, (unsigned long long)c->too_long);
}

static int run(const struct arguments *a)
{
	struct fault fault = {0};
	char path[PATH_BYTES];
	struct import *import;
	const char *what = arguments_word(a, 0);
	bool nvd = !strcmp(what, "nvd");
	const struct format *format = format_find(bytes_of_text(what));
	if (!nvd && !format && strcmp(what, "kev"))
		return command_fail(2, "import: \"%s\" is not imported; nvd, kev and what `kansoku describe formats` lists are",
				    what);
	if (arguments_count(a) < 2)
		return command_fail(2, "import: no file is named");
	if (format)
		return arguments_flag(a, "dry") ? import_dry(a, format) : import_records(a, format);
	if (index_path(a, path, &fault) || import_open(&import, path, &fault))
		return command_fail(1, "import: %s", fault.text);
	int failed = take_files(a, import, nvd ? IMPORT_NVD : IMPORT_KEV);
	int bad = import_finish(import, &fault);
	if (bad)
		command_fail(1, "import: %s", fault.text);
	else
		print_counts(import_counts(import), arguments_flag(a, "json"));
	import_close(import);
	return bad || failed;
}

static const struct flag import_flags[] = {
	{"source", "NAME", "who says it; a feed or partner"},
	{"tlp", "WORD", "to whom it may be shown: red, amber, amber+strict, green, clear"},
	{"pap", "WORD", "what may be done with it: red, amber, green, clear"},
	{"map", "COLUMNS", "what the columns mean, for formats that ask for it: src=ip,dport=port,time=seen"},
	{"dry", NULL, "only print what would come in"},
	{0},
};

static const struct command import_command = {
	.name = "import",
	.synopsis = "FORMAT FILE... [--source NAME] [--tlp WORD] [--pap WORD] [--map COLUMNS] [--dry] [--json]",
	.summary = "take in files of others: what they observed, and lists of weaknesses",
	.description = "Formats are those that `kansoku describe formats` lists, plain or packed by gzip, zstd or bzip2; \"-\" is\n"
		       "standard input. What a file says becomes record.imported, each value of a page once, however often\n"
		       "it is imported. Nothing is looked at because of a record without a PAP of green or clear.\n"
		       "\n"
		       "`nvd` takes feeds of NVD's API 2.0 (nvdcve-2.0-YYYY.json) and the older 1.1, packed by gzip or\n"
		       "plain; of a CVE that is there already the newer stays, so that the feed `modified` updates\n"
		       "the others. `kev` takes known_exploited_vulnerabilities.json, and replaces the one before.\n"
		       "Files that were taken before are not read again. A running kansoku uses the new index within\n"
		       "seconds; `kansoku exposures --rejudge` judges what is stored by it.",
	.flags = import_flags,
	.words_min = 1,
	.words_max = 128,
	.run = run,
};
COMMAND(import_command);
