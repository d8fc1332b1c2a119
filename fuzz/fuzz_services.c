/*
 * Services against hostile peers: the first byte picks the service, the second the size of
 * the pieces; the rest is what the peer sends.  With KANSOKU_SEEDS=DIR the exchanges of all
 * services are written there as seeds before the first run.
 */
#include "passive/rehearse.h"
#include <stdio.h>
#include <stdlib.h>

#define TRANSCRIPT_MAX (1u << 20)
#define SERVICES_MAX 256

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static size_t by_name(const struct service *out[SERVICES_MAX])
{
	size_t n = 0;
	SERVICES_EACH(it)
	{
		size_t at = n++;
		for (; at && strcmp(out[at - 1]->name, (*it)->name) > 0; at--)
			out[at] = out[at - 1];
		out[at] = *it;
	}
	return n;
}

static void seed_write(const char *directory, size_t service, unsigned number,
                       const struct exchange *x)
{
	char path[4096];
	snprintf(path, sizeof path, "%s/exchange-%zu-%u", directory, service, number);
	FILE *f = fopen(path, "wb");
	if (!f)
		return;
	fputc((int)service, f);
	fputc(63, f);
	fwrite(x->peer_sends.at, 1, x->peer_sends.len, f);
	fclose(f);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	if (event_start(NULL) < 0)
		abort();
	const struct service *services[SERVICES_MAX];
	size_t n = by_name(services);
	const char *directory = getenv("KANSOKU_SEEDS");
	for (size_t i = 0; directory && i < n; i++)
		for (unsigned k = 0; services[i]->exchanges[k].title; k++)
			seed_write(directory, i, k, &services[i]->exchanges[k]);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t n)
{
	static uint8_t answer[TRANSCRIPT_MAX], events[TRANSCRIPT_MAX];
	const struct service *services[SERVICES_MAX];
	size_t count = by_name(services);
	if (n < 2 || count == 0)
		return 0;
	struct transcript t = {writer_of(answer, sizeof answer), writer_of(events, sizeof events),
	                       0};
	service_rehearse(services[input[0] % count], NULL, (struct bytes){input + 2, n - 2},
	                 input[1] % 64 + 1, &t);
	return 0;
}
