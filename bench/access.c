/*
 * How long it takes to know a caller or to refuse one, and whether that time tells which it was.
 *
 *   build/plain/program/bench/access [TOKENS]     16384, as many as there may be, when it is not said
 *
 * Each way of being refused takes its turn, so that what else the machine does meets all alike; medians of CPU time
 * are compared with an unknown token's.  Refusals are beyond the pace at which the audit lists them one by one, so
 * that the disk is not measured: its line is the same for each.
 */
#include "share/access.h"
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 2000
#define SOME 8 /* tokens of each sort, spread over the table */
#define NOW_US (UINT64_C(1767225600) * 1000000)

enum sort { UNKNOWN, MALFORMED, NOTHING, RIGHT, EXPIRED, REVOKED, NETWORK, OTHERS_NAME, SORTS };
static const char *const names[SORTS] = {"unknown", "malformed", "nothing shown", "right", "expired", "revoked", "wrong network", "another's name"};

static struct access *opened;
static char answer_room[1 << 16];

static void must(bool good, const char *what)
{
	if (!good) {
		fprintf(stderr, "bench/access: %s failed\n", what);
		exit(1);
	}
}

static void obey(const char *request, uint64_t now_us)
{
	struct fault fault = {0};
	struct writer w = writer_of(answer_room, sizeof answer_room - 1);
	must(access_obey(opened, bytes_of_text(request), now_us, &w, &fault) == 0, fault.text);
	*w.at = '\0';
}

static void take(const char *key, char *out, size_t n)
{
	char quoted[32];
	snprintf(quoted, sizeof quoted, "\"%s\":\"", key);
	const char *at = strstr(answer_room, quoted);
	must(at, key);
	at += strlen(quoted);
	snprintf(out, n, "%.*s", (int)strcspn(at, "\""), at);
}

static void token_make(enum sort sort, char text[TOKEN_TEXT + 1])
{
	char request[256], id[32];
	snprintf(request, sizeof request, "{\"do\":\"token.add\",\"organisation\":\"a\",\"user\":\"u\"%s}",
		 sort == EXPIRED ? ",\"expires\":\"2026-01-01T00:00:00Z\"" : sort == NETWORK ? ",\"networks\":[\"192.0.2.0/24\"]" : "");
	obey(request, NOW_US - 1000000);
	take("token", text, TOKEN_TEXT + 1);
	take("id", id, sizeof id);
	snprintf(request, sizeof request, "{\"do\":\"token.revoke\",\"token\":\"%s\"}", id);
	if (sort == REVOKED)
		obey(request, NOW_US);
}

static int by_time(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static double cpu_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void measure(char tokens[SORTS][SOME][TOKEN_TEXT + 1])
{
	static double times[SORTS][ROUNDS];
	struct caller caller;
	for (size_t i = 0; i < ROUNDS; i++) {
		for (enum sort sort = UNKNOWN; sort < SORTS; sort++) {
			struct access_claim claim = {.token = bytes_of_text(tokens[sort][i % SOME]), .now_us = NOW_US};
			claim.user = sort == OTHERS_NAME ? BYTES("someone") : (struct bytes){0};
			must(address_parse(BYTES("203.0.113.7"), &claim.from), "an address");
			const double before = cpu_us();
			const int status = access_authenticate(opened, &claim, &caller);
			times[sort][i] = cpu_us() - before;
			must(status == (sort == RIGHT ? 0 : ERR_DENIED), names[sort]);
		}
	}
	for (enum sort sort = UNKNOWN; sort < SORTS; sort++)
		qsort(times[sort], ROUNDS, sizeof(double), by_time);
	for (enum sort sort = UNKNOWN; sort < SORTS; sort++)
		printf("%-16s %8.1f us  %.3f of an unknown token's\n", names[sort], times[sort][ROUNDS / 2],
		       times[sort][ROUNDS / 2] / times[UNKNOWN][ROUNDS / 2]);
}

/* Others' tokens on both sides of ours, straight into the file: one by one it would be written anew for each. */
static void crowd(const struct access_about *about, size_t count)
{
	struct fault fault = {0};
	char digest[2 * DIGEST_BYTES + 1];
	access_close(opened);
	const int fd = openat(about->directory, "access.json", O_RDWR | O_CLOEXEC);
	json_t *all = json_loadfd(fd, 0, NULL), *tokens = json_object_get(all, "tokens");
	must(json_array_size(tokens) > 0, "reading what was kept");
	for (size_t i = json_array_size(tokens); i < count; i++) {
		json_t *one = json_copy(json_array_get(tokens, 0));
		snprintf(digest, sizeof digest, "%064zx", i);
		json_object_set_new(one, "sha256", json_string(digest));
		json_object_set_new(one, "id", json_string(digest + 48));
		i % 2 ? json_array_append_new(tokens, one) : json_array_insert_new(tokens, 0, one);
	}
	must(lseek(fd, 0, SEEK_SET) == 0 && ftruncate(fd, 0) == 0 && json_dumpfd(all, fd, 0) == 0, "writing it");
	close(fd);
	json_decref(all);
	must(access_open(&opened, about, &fault) == 0, fault.text);
}

static void fill(char tokens[SORTS][SOME][TOKEN_TEXT + 1])
{
	for (size_t i = 0; i < SOME; i++) {
		for (enum sort sort = RIGHT; sort < SORTS; sort++)
			token_make(sort, tokens[sort][i]);
		memset(tokens[UNKNOWN][i], 'A', TOKEN_TEXT);
		memcpy(tokens[UNKNOWN][i], "kansoku_", 8);
		snprintf(tokens[MALFORMED][i], sizeof tokens[MALFORMED][i], "secret");
	}
}

int main(int argc, char **argv)
{
	static char tokens[SORTS][SOME][TOKEN_TEXT + 1];
	char folder[] = "/dev/shm/kansoku-bench-XXXXXX";
	struct fault fault = {0};
	struct access_about about = {0};
	const size_t count = argc > 1 ? strtoul(argv[1], NULL, 10) : TOKENS_MAX;
	must(count >= 100 && count <= TOKENS_MAX, "100 to 16384 tokens: that");
	must(mkdtemp(folder), "a folder");
	about.directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	must(audit_open(&about.audit, about.directory, &fault) == 0, fault.text);
	must(access_open(&opened, &about, &fault) == 0, fault.text);
	obey("{\"do\":\"org.add\",\"organisation\":\"a\"}", NOW_US);
	obey("{\"do\":\"user.add\",\"organisation\":\"a\",\"user\":\"u\"}", NOW_US);
	fill(tokens);
	crowd(&about, count);
	printf("%zu tokens, medians of %d\n", count, ROUNDS);
	measure(tokens);
	access_close(opened);
	audit_close(about.audit);
	unlinkat(about.directory, AUDIT_FILE, 0);
	unlinkat(about.directory, "access.json", 0);
	close(about.directory);
	rmdir(folder);
	return 0;
}
