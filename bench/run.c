/*
 * What a run costs beyond its sample, and how many go at once:
 *   build/plain/program/bench/run [-n TIMES] [-p AT_ONCE] FILE...
 * Each file is a program or script that says "it ran"; whatever does not is counted as wrong.
 */
#include "base/clock.h"
#include "lab/run.h"
#include "lab/run/architecture.h"
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define AT_ONCE_MAX 32
#define TIMES_MAX 1000
#define FILE_BYTES_MAX (16u << 20)

static struct bytes file_read(const char *path)
{
	FILE *f = fopen(path, "re");
	uint8_t *room = malloc(FILE_BYTES_MAX);
	const size_t n = f && room ? fread(room, 1, FILE_BYTES_MAX, f) : 0;
	if (f)
		fclose(f);
	return (struct bytes){room, n};
}

static int by_size(const void *a, const void *b)
{
	const uint64_t l = *(const uint64_t *)a, r = *(const uint64_t *)b;
	return l < r ? -1 : l > r;
}

static bool give(struct lab_runner *r, struct bytes sample)
{
	struct fault fault = {0};
	const struct architecture *a = architecture_of_elf(sample);
	const struct run_plan plan = {.sample = sample, .sha256 = "bench", .type = a ? "elf" : "script",
				      .architecture = a ? a->word : "", .limits = {.time_ms = 60000}};
	if (lab_runner_give(r, &plan, &fault) == 0)
		return true;
	fprintf(stderr, "%s\n", fault.text);
	return false;
}

static bool is_right(const struct run *run)
{
	return run && bytes_find(run_findings(run)->output, "it ran") < run_findings(run)->output.len &&
	       run_findings(run)->behaviour_count > 0;
}

/* `times` runs over `count` runners, the files in turn; milliseconds of each into `took`. */
static unsigned run_all(struct lab_runner *const *runners, unsigned count, const struct bytes *files, unsigned file_count,
			unsigned times, uint64_t *took)
{
	uint64_t since[AT_ONCE_MAX] = {0};
	unsigned begun = 0, ended = 0, wrong = 0;
	while (ended < times) {
		struct pollfd p[AT_ONCE_MAX];
		for (unsigned i = 0; i < count; i++) {
			if (!since[i] && begun < times && give(runners[i], files[begun % file_count])) {
				since[i] = clock_mono_us();
				begun++;
			}
			p[i] = (struct pollfd){.fd = lab_runner_fd(runners[i]), .events = POLLIN};
		}
		poll(p, count, 1000);
		for (unsigned i = 0; i < count; i++) {
			struct run *run = NULL;
			struct fault fault = {0};
			if (!since[i] || lab_runner_take(runners[i], &run, &fault) == 0)
				continue;
			wrong += !is_right(run);
			took[ended++] = (clock_mono_us() - since[i]) / 1000;
			since[i] = 0;
			run_free(run);
		}
	}
	return wrong;
}

int main(int argc, char **argv)
{
	static uint64_t took[TIMES_MAX];
	struct lab_runner *runners[AT_ONCE_MAX];
	struct bytes files[64];
	unsigned times = 24, at_once = 12, count = 0;
	struct fault fault = {0};
	for (int option; (option = getopt(argc, argv, "n:p:")) != -1;)
		*(option == 'n' ? &times : &at_once) = (unsigned)strtoul(optarg, NULL, 10);
	for (; optind < argc && count < 64; optind++)
		files[count++] = file_read(argv[optind]);
	if (count == 0 || at_once < 1 || at_once > AT_ONCE_MAX || times < 1 || times > TIMES_MAX) {
		fprintf(stderr, "usage: run [-n TIMES] [-p AT_ONCE] FILE...\n");
		return 2;
	}
	for (unsigned i = 0; i < at_once; i++)
		if (lab_runner_open(&runners[i], "/tmp", false, &fault)) {
			fprintf(stderr, "%s\n", fault.text);
			return 1;
		}
	const unsigned each[] = {1, at_once};
	for (unsigned i = 0; i < 2; i++) {
		const uint64_t begin = clock_mono_us();
		const unsigned wrong = run_all(runners, each[i], files, count, times, took);
		const uint64_t all = (clock_mono_us() - begin) / 1000;
		qsort(took, times, sizeof *took, by_size);
		printf("%u at once: %u runs in %llu ms, each median %llu ms, worst %llu ms, wrong %u\n", each[i], times,
		       (unsigned long long)all, (unsigned long long)took[times / 2], (unsigned long long)took[times - 1], wrong);
	}
	for (unsigned i = 0; i < at_once; i++)
		lab_runner_close(runners[i]);
	return 0;
}
