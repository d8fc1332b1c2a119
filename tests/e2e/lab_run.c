/*
 * Runs one sample in a box and says what it did, a line each:
 *   lab_run FILE [UID [SECONDS [ARGUMENT...]]]
 *   how|limit|did|indicator|dropped|hello|output|cost WORDS...
 */
#include "base/clock.h"
#include "lab/run.h"
#include "lab/run/architecture.h"
#include <stdio.h>
#include <stdlib.h>

static struct bytes file_read(const char *path)
{
	FILE *f = fopen(path, "re");
	uint8_t *room = malloc(16u << 20);
	const size_t n = f && room ? fread(room, 1, 16u << 20, f) : 0;
	if (f)
		fclose(f);
	return (struct bytes){room, n};
}

/* Of a program for Windows; as its header says. */
static const char *windows_machine(struct bytes b)
{
	struct reader r = reader_of_bytes(b);
	struct bytes header = read_bytes(&r, 0x40);
	if (!reader_ok(&r) || memcmp(header.at, "MZ", 2))
		return NULL;
	read_bytes(&r, (size_t)header.at[0x3c] + header.at[0x3d] * 256u - 0x40 + 4);
	uint8_t low = read_u8(&r), high = read_u8(&r);
	return low == 0x64 && high == 0x86 ? "x86-64" : "i386";
}

static void print_findings(const struct run_findings *f)
{
	printf("how %s uid %u status %#x limit \"%s\"\n", f->how, f->uid, (unsigned)f->box.status, f->box.limit);
	for (size_t i = 0; i < f->limit_count; i++)
		printf("limit %s\n", f->limits[i]);
	for (size_t i = 0; i < f->behaviour_count; i++) {
		const struct behaviour *b = &f->behaviours[i];
		printf("did %s | %s | %s | %llu times, %llu to %llu ms, process %u\n", behaviour_name(b->kind), b->subject, b->what,
		       (unsigned long long)b->count, (unsigned long long)b->first_ms, (unsigned long long)b->last_ms, b->process);
	}
	for (size_t i = 0; i < f->indicator_count; i++) {
		const struct indicator *n = &f->indicators[i];
		printf("indicator %s | %.*s | %s | %s | %u\n", indicator_type_name(n->type), (int)n->value.len,
		       (const char *)n->value.at, indicator_role_name(n->role), n->how, n->confidence);
	}
	for (size_t i = 0; i < f->dropped_count; i++)
		printf("dropped %s %s %zu\n", f->dropped[i].path, f->dropped[i].sha256, f->dropped[i].content.len);
	for (size_t i = 0; i < f->hello_count; i++)
		printf("hello %s %zu %s\n", f->hellos[i].endpoint, f->hellos[i].said.len, f->hellos[i].registers ? "registers" : "asks");
	printf("output %.*s\n", (int)f->output.len, (const char *)f->output.at);
	printf("capture %zu\n", f->capture.len);
}

int main(int argc, char **argv)
{
	struct box_keeper *keeper = NULL;
	struct fault fault = {0};
	struct run *run = NULL;
	if (argc < 2)
		return 2;
	const struct bytes sample = file_read(argv[1]);
	const struct architecture *a = architecture_of_elf(sample);
	const char *windows = windows_machine(sample);
	const struct run_plan plan = {
		.sample = sample, .sha256 = "0000000000000000", .type = a ? "elf" : windows ? "pe" : "script",
		.architecture = a ? a->word : windows ? windows : "",
		.name = strrchr(argv[1], '/') ? strrchr(argv[1], '/') + 1 : argv[1],
		.uid = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 0,
		.arguments = argc > 4 ? (const char *const *)argv + 4 : NULL,
		.limits = {.time_ms = argc > 3 ? strtoull(argv[3], NULL, 10) * 1000 : 10000},
	};
	if (box_keeper_open(&keeper, "/tmp", &fault)) {
		printf("fault %s\n", fault.text);
		return 1;
	}
	const uint64_t begin = clock_mono_us();
	if (lab_run(&run, keeper, &plan, &fault)) {
		printf("fault %s\n", fault.text);
		box_keeper_close(keeper);
		return 1;
	}
	print_findings(run_findings(run));
	printf("cost %llu ms\n", (unsigned long long)(clock_mono_us() - begin) / 1000);
	run_free(run);
	box_keeper_close(keeper);
	return 0;
}
