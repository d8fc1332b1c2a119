/* Any bytes as what a host says to our ClientHello, in two pieces. */
#include "active/prober/asking_inner.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t n)
{
	static struct secure_context *tls;
	static uint8_t scratch[PROBE_ANSWER_MAX];
	static struct event answer;
	static const struct probe_settings settings = {.agent = "fuzz"};
	struct signals signals = {0};
	struct asking a;
	if (event_start(NULL) < 0 || (!tls && secure_context_open(&tls, NULL) < 0))
		abort();
	if (asking_begin(&a, probe_find(BYTES("https")), &settings, tls, &signals,
			 writer_of(scratch, sizeof scratch)) < 0)
		abort();
	enum probe_next next = asking_open(&a);
	if (next == PROBE_CONTINUE && n > 1)
		next = asking_hear(&a, (struct bytes){at, n / 2});
	if (next == PROBE_CONTINUE && n > 1)
		asking_hear(&a, (struct bytes){at + n / 2, n - n / 2});
	if (a.overstated || asking_unsent(&a).len > a.probe->question_max)
		abort();
	event_begin(&answer, EVENT_HOST_ANSWERED);
	asking_finish(&a, &answer);
	asking_done(&a);
	signals_done(&signals);
	return 0;
}
