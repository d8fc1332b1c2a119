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
#define OVER_UDP 0x80 /* in the second byte */

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

static void seed_write(const char *directory, size_t service, unsigned number, int pieces,
                       const struct exchange *x)
{
	char path[4096];
	snprintf(path, sizeof path, "%s/exchange-%zu-%d-%u", directory, service, pieces, number);
	FILE *f = fopen(path, "wb");
	if (!f)
		return;
	fputc((int)service, f);
	fputc(pieces, f);
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
	for (size_t i = 0; directory && i < n; i++) {
		const struct exchange *udp = services[i]->exchanges_udp;
		for (unsigned k = 0; services[i]->exchanges[k].title; k++)
			seed_write(directory, i, k, 63, &services[i]->exchanges[k]);
		for (unsigned k = 0; udp && udp[k].title; k++)
			seed_write(directory, i, k, 63 | OVER_UDP, &udp[k]);
	}
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
	/* A datagram comes whole. */
	const struct service *s = services[input[0] % count];
	bool udp = s->transports == TRANSPORT_UDP || (input[1] & OVER_UDP && s->transports & TRANSPORT_UDP);
	service_rehearse_over(s, udp ? TRANSPORT_UDP : 0, NULL, (struct bytes){input + 2, n - 2},
	                      udp ? n : input[1] % 64 + 1u, &t);
	return 0;
}
