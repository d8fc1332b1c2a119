/*
 * A device's record after any damage, and services that find it: the first byte picks one that
 * speaks TCP, the rest is the record behind its addresses.  With KANSOKU_SEEDS=DIR what the exchanges
 * of all of them leave is written there as seeds before the first run.
 */
#include "base/random.h"
#include "passive/room/devices.h"
#include "passive/rehearse.h"
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xxhash.h>

#define NOW_US 1427846400000000u /* of rehearsals */
#define FILE_BYTES (1u << 20)
#define TRANSCRIPT_MAX (1u << 20)
#define SERVICES_MAX 256
#define HALF_HEAD 24 /* the layout of passive/room/devices.h: a half's head, a record's, what stands before what was left */
#define RECORD_HEAD 8
#define BODY_HEAD (16 + 16 + 8)

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static const struct devices_options usual = {.count = 16,
					     .file_bytes = FILE_BYTES,
					     .device_bytes = 192 << 10,
					     .memory_bytes = 8 << 20,
					     .keep_ms = UINT64_C(30) * 86400000};

static size_t services_over_tcp(const struct service *out[SERVICES_MAX])
{
	size_t n = 0;
	SERVICES_EACH(it)
	{
		size_t at = n;
		if (!((*it)->transports & TRANSPORT_TCP))
			continue;
		for (n++; at && strcmp(out[at - 1]->name, (*it)->name) > 0; at--)
			out[at] = out[at - 1];
		out[at] = *it;
	}
	return n;
}

static void open_over(struct devices *d, int fd)
{
	if (devices_open(d, &usual, fd, NOW_US) < 0)
		abort();
}

static void play(const struct service *s, struct devices *d, const struct exchange *x)
{
	static uint8_t answer[TRANSCRIPT_MAX], events[TRANSCRIPT_MAX];
	struct transcript t = {writer_of(answer, sizeof answer), writer_of(events, sizeof events), 0};
	service_rehearse_again(s, d, NULL, x->peer_sends, 4096, &t);
}

static int file_new(void)
{
	int fd = memfd_create("devices", MFD_CLOEXEC);
	struct devices d;
	if (fd < 0 || ftruncate(fd, FILE_BYTES) < 0)
		abort();
	open_over(&d, fd); /* writes its head */
	devices_done(&d);
	return fd;
}

static void seed_write(const char *directory, size_t number, const struct service *s)
{
	char path[4096];
	static uint8_t room[FILE_BYTES];
	int fd = file_new();
	struct devices d;
	open_over(&d, fd);
	for (unsigned k = 0; s->exchanges[k].title; k++)
		play(s, &d, &s->exchanges[k]);
	uint64_t end = d.end;
	devices_done(&d);
	snprintf(path, sizeof path, "%s/left-%s", directory, s->name);
	size_t head = HALF_HEAD + RECORD_HEAD + BODY_HEAD;
	FILE *f = end > head && pread(fd, room, end, 0) == (ssize_t)end ? fopen(path, "wb") : NULL;
	close(fd);
	if (!f)
		return;
	fputc((int)number, f);
	fwrite(room + head, 1, (size_t)end - head, f);
	fclose(f);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	const char *directory = getenv("KANSOKU_SEEDS");
	const struct service *services[SERVICES_MAX];
	if (event_start(NULL) < 0)
		abort();
	size_t n = services_over_tcp(services);
	for (size_t i = 0; directory && i < n; i++)
		seed_write(directory, i, services[i]);
	return 0;
}

static void record_write(int fd, struct bytes left)
{
	static uint8_t room[FILE_BYTES];
	struct address source = address_v4(0xc6336407), local = address_v4(0xc0000217);
	struct writer w = writer_of(room, sizeof room), body = writer_of(room + RECORD_HEAD, sizeof room - RECORD_HEAD);
	write_bytes(&body, source.b, sizeof source.b);
	write_bytes(&body, local.b, sizeof local.b);
	write_u64(&body, XXH3_64bits(persona_plain.name, strlen(persona_plain.name)));
	write_span(&body, left);
	size_t n = writer_used(&body);
	write_u32(&w, (uint32_t)n);
	write_u32(&w, (uint32_t)XXH3_64bits_withSeed(room + RECORD_HEAD, n, 1));
	if (pwrite(fd, room, RECORD_HEAD + n, HALF_HEAD) < 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t n)
{
	const struct service *services[SERVICES_MAX];
	size_t count = services_over_tcp(services);
	struct devices d;
	if (n < 1 || n > FILE_BYTES / 4)
		return 0;
	int fd = file_new();
	record_write(fd, (struct bytes){input + 1, n - 1});
	const struct service *s = services[input[0] % count];
	for (unsigned k = 0; k < 2 && s->exchanges[k].title; k++) { /* the second finds what the first kept */
		open_over(&d, fd);
		play(s, &d, &s->exchanges[k]);
		devices_done(&d);
		if (d.awake_bytes)
			abort();
	}
	close(fd);
	return 0;
}
