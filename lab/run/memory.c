#include "lab/run/memory.h"
#include "event/hosts.h"
#include "event/indicator.h"
#include "lab/run/sink.h"
#include "lab/run/scene.h"
#include <fcntl.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

#define PAGE 4096u
#define PIECE_PAGES 64u
#define TEXT_MIN 6
#define CONFIDENCE 60
#define CONFIDENCE_MIN 20 /* words with a dot in them are names of sections and files */
#define PAGE_PRESENT (1ull << 63) /* of /proc/PID/pagemap, Documentation/admin-guide/mm/pagemap.rst */
#define PAGE_SWAPPED (1ull << 62)

/* The world around it is in its memory, too: its router, the addresses that the sink gave to names, qemu. */
static bool is_our_own(struct bytes value)
{
	static const char *const ours[] = {SINK_GATEWAY, SINK_BOX_ADDRESS, "198.18.", "198.19.", "127.0.0.1", "0.0.0.0"};
	for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
		if (bytes_start_with(value, ours[i]))
			return true;
	return false;
}

/* What lies in its file plainly was found without running it. */
static void take(void *arg, const struct indicator *i)
{
	const struct memory *m = arg;
	if (i->confidence < CONFIDENCE_MIN || is_our_own(i->value) ||
	    memmem(m->sample.at, m->sample.len, i->value.at, i->value.len))
		return;
	const bool host = i->type == INDICATOR_DOMAIN || i->type == INDICATOR_ENDPOINT || i->type == INDICATOR_ADDRESS;
	found_add(m->found, i->type, host && host_is_bystander(i->value) ? FOR_CHECK : i->role, i->value, "memory", i->confidence);
}

static bool printable(uint8_t c)
{
	return c >= 0x20 && c < 0x7f;
}

static void search_text(struct memory *m, struct bytes b)
{
	for (size_t i = 0; i < b.len;) {
		const size_t start = i;
		while (i < b.len && printable(b.at[i]))
			i++;
		if (i - start >= TEXT_MIN)
			indicators_find((struct bytes){b.at + start, i - start}, UINT64_MAX, "memory", CONFIDENCE, take, m);
		i++;
	}
}

struct area { /* a line of /proc/PID/maps */
	uint64_t start, end;
	char rights[5];
	char path[512];
};

static bool area_read(const char *line, struct area *a)
{
	unsigned long long start, end;
	a->path[0] = 0;
	if (sscanf(line, "%llx-%llx %4s %*s %*s %*s %511[^\n]", &start, &end, a->rights, a->path) < 3)
		return false;
	a->start = start;
	a->end = end;
	return true;
}

/* Its own is what only it can have written. */
static bool area_is_own(const struct area *a, bool emulated)
{
	if (a->rights[0] != 'r' || a->rights[1] != 'w' || a->rights[3] != 'p')
		return false;
	if (emulated && a->rights[2] == 'x')
		return false; /* what qemu translated */
	return !(emulated && strstr(a->path, SCENE_EMULATOR)) && strcmp(a->path, "[vvar]") != 0;
}

static void search_pages(struct memory *m, pid_t process, uint64_t start, uint64_t count, uint8_t *room)
{
	struct iovec to = {room, count * PAGE}, from = {(void *)(uintptr_t)start, count * PAGE};
	const ssize_t n = process_vm_readv(process, &to, 1, &from, 1, 0);
	if (n <= 0)
		return;
	m->bytes += (uint64_t)n;
	search_text(m, (struct bytes){room, (size_t)n});
}

static void search_area(struct memory *m, pid_t process, int pagemap, const struct area *a, uint8_t *room)
{
	uint64_t entries[PIECE_PAGES];
	for (uint64_t at = a->start; at < a->end && m->bytes < MEMORY_BYTES_MAX;) {
		const uint64_t left = (a->end - at) / PAGE, pages = left < PIECE_PAGES ? left : PIECE_PAGES;
		const ssize_t n = pread(pagemap, entries, pages * 8, (off_t)(at / PAGE * 8));
		if (n <= 0)
			return;
		const uint64_t known = (uint64_t)n / 8;
		for (uint64_t i = 0, run = 0; i <= known; i++) { /* runs of pages that are there, together */
			if (i < known && entries[i] & (PAGE_PRESENT | PAGE_SWAPPED)) {
				run++;
				continue;
			}
			if (run)
				search_pages(m, process, at + (i - run) * PAGE, run, room);
			run = 0;
		}
		at += known * PAGE;
	}
}

static bool process_exe(pid_t process, char *out, size_t size)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/exe", process);
	const ssize_t n = readlink(path, out, size - 1);
	out[n > 0 ? n : 0] = 0;
	return n > 0;
}

static void search_areas(struct memory *m, pid_t process, bool emulated, uint8_t *room)
{
	char path[64], line[1024];
	snprintf(path, sizeof path, "/proc/%d/pagemap", process);
	const int pagemap = open(path, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof path, "/proc/%d/maps", process);
	FILE *maps = fopen(path, "re");
	struct area a;
	while (maps && pagemap >= 0 && fgets(line, sizeof line, maps))
		if (area_read(line, &a) && area_is_own(&a, emulated))
			search_area(m, process, pagemap, &a, room);
	if (maps)
		fclose(maps);
	if (pagemap >= 0)
		close(pagemap);
}

void memory_search(struct memory *m, pid_t process)
{
	char exe[256];
	if (!process_exe(process, exe, sizeof exe) || strcmp(exe, SCENE_TOOLS) == 0)
		return;
	if (m->bytes >= MEMORY_BYTES_MAX || m->processes++ >= MEMORY_PROCESSES_MAX) {
		observe_limit(m->found->seen, "run.memory-search");
		return;
	}
	uint8_t *room = malloc(PIECE_PAGES * PAGE);
	if (room)
		search_areas(m, process, strstr(exe, SCENE_EMULATOR) != NULL, room);
	free(room);
}
