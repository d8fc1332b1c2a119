/*
 * Static analysis: milliseconds of a core a sample, beside what analysts run by hand on the same bytes.
 *
 *   make build/plain/program/bench/analyse && build/plain/program/bench/analyse [FILE]...
 *
 * Without files: the first MiB of this program (ELF), a MiB of noise, a MiB of small letters and dots (the worst
 * case of the XOR sweep), a MiB of URLs.  The peers are strings(1), readelf(1), sha256sum(1), yara(1)
 * with an empty rule, tlsh(1) and, where it is installed, binwalk(1), each as its own process with its output
 * thrown away, as one would run them; their sum is what the ratio is to.
 */
#include "base/random.h"
#include "lab/lab.h"
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define SAMPLE_BYTES (1u << 20)
#define ROUNDS 9
#define COPY "/tmp/kansoku-bench-sample"
#define RULE "/tmp/kansoku-bench-rule.yar"

/* Of a processor, so that what else the machine does counts for nobody. */
static double used_ms(int who)
{
	struct rusage u;
	getrusage(who, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e3 + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e3;
}

static int by_size(const void *left, const void *right)
{
	double l = *(const double *)left, r = *(const double *)right;
	return l < r ? -1 : l > r;
}

static double median(double *values)
{
	qsort(values, ROUNDS, sizeof *values, by_size);
	return values[ROUNDS / 2];
}

static double analyse_ms(struct bytes sample, size_t *indicators)
{
	double took[ROUNDS];
	for (size_t i = 0; i < ROUNDS; i++) {
		struct analysis *a;
		struct fault fault;
		double begin = used_ms(RUSAGE_SELF);
		if (lab_analyse(&a, sample, NULL, &fault) < 0) {
			fprintf(stderr, "%s\n", fault.text);
			exit(1);
		}
		took[i] = used_ms(RUSAGE_SELF) - begin;
		*indicators = analysis_findings(a)->indicator_count;
		analysis_free(a);
	}
	return median(took);
}

/* -1 when there is no such program. */
static double peer_ms(char *const argv[])
{
	extern char **environ;
	double took[ROUNDS];
	posix_spawn_file_actions_t quiet;
	posix_spawn_file_actions_init(&quiet);
	posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&quiet, 2, "/dev/null", O_WRONLY, 0);
	for (size_t i = 0; i < ROUNDS; i++) {
		pid_t pid;
		int status;
		double begin = used_ms(RUSAGE_CHILDREN);
		if (posix_spawnp(&pid, argv[0], &quiet, NULL, argv, environ))
			return -1;
		waitpid(pid, &status, 0);
		took[i] = used_ms(RUSAGE_CHILDREN) - begin;
	}
	posix_spawn_file_actions_destroy(&quiet);
	return median(took);
}

static double peers_ms(char *names, size_t size)
{
	char *const peers[][5] = {{"strings", "-a", COPY, NULL}, {"readelf", "-aW", COPY, NULL}, {"sha256sum", COPY, NULL},
				  {"yara", RULE, COPY, NULL}, {"tlsh", "-f", COPY, NULL}, {"binwalk", COPY, NULL}};
	double sum = 0;
	names[0] = 0;
	for (size_t i = 0; i < sizeof peers / sizeof *peers; i++) {
		double ms = peer_ms(peers[i]);
		size_t n = strlen(names);
		if (ms < 0)
			continue;
		snprintf(names + n, size - n, "%s%s %.1f", n ? ", " : "", peers[i][0], ms);
		sum += ms;
	}
	return sum;
}

static void sample_bench(const char *title, struct bytes sample)
{
	char names[256];
	size_t indicators = 0;
	FILE *copy = fopen(COPY, "we");
	if (!copy || fwrite(sample.at, 1, sample.len, copy) != sample.len || fclose(copy)) {
		perror(COPY);
		exit(1);
	}
	double ours = analyse_ms(sample, &indicators), theirs = peers_ms(names, sizeof names);
	printf("%-28s %8zu bytes %7.1f ms, %4zu indicators; others %7.1f ms (%.2f times as long): %s\n", title, sample.len, ours,
	       indicators, theirs, theirs / ours, names);
}

static size_t file_read(const char *path, uint8_t *room, size_t size)
{
	FILE *f = fopen(path, "re");
	size_t n = f ? fread(room, 1, size, f) : 0;
	if (f)
		fclose(f);
	return n;
}

int main(int argc, char **argv)
{
	static const char url[] = "http://a.example/x ";
	uint8_t *room = malloc(SAMPLE_BYTES_MAX);
	FILE *rule = fopen(RULE, "we");
	if (!room || !rule || fputs("rule none { condition: false }\n", rule) < 0 || fclose(rule))
		return 1;
	for (int i = 1; i < argc; i++)
		sample_bench(argv[i], (struct bytes){room, file_read(argv[i], room, SAMPLE_BYTES_MAX)});
	if (argc == 1) {
		sample_bench("ELF program", (struct bytes){room, file_read("/proc/self/exe", room, SAMPLE_BYTES)});
		struct random noise = random_seeded(1);
		for (size_t i = 0; i < SAMPLE_BYTES; i++)
			room[i] = (uint8_t)random_next(&noise);
		sample_bench("noise", (struct bytes){room, SAMPLE_BYTES});
		for (size_t i = 0; i < SAMPLE_BYTES; i++)
			room[i] = i % 7 == 6 ? '.' : i % 4099 ? (uint8_t)('a' + room[i] % 26) : 0;
		sample_bench("letters and dots", (struct bytes){room, SAMPLE_BYTES});
		for (size_t i = 0; i < SAMPLE_BYTES; i++)
			room[i] = (uint8_t)url[i % (sizeof url - 1)];
		sample_bench("URLs", (struct bytes){room, SAMPLE_BYTES});
	}
	unlink(COPY);
	unlink(RULE);
	free(room);
	return 0;
}
