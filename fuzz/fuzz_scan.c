/*
 * Any bytes as a packet that passed a scan's filter: refused, or read within its bounds, and believed
 * by no scan, since its key is not among them.
 */
#include "active/scan/reply_inner.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void require(bool right)
{
	if (!right)
		abort();
}

static const struct scan_question *question_by_port(void *arg, uint16_t port)
{
	(void)arg;
	return scan_question_of(port);
}

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t n)
{
	static struct siphash_key key;
	struct reply r;
	if (!key.low)
		key = siphash_draw();
	uint8_t *copy = malloc(n + 1); /* exactly as long, so that each byte too far is seen */
	if (!copy)
		return 0;
	if (n)
		memcpy(copy, at, n);
	if (reply_read((struct bytes){copy, n}, &r)) {
		require(r.payload.len <= n && (!r.payload.len || (r.payload.at >= copy && r.payload.at + r.payload.len <= copy + n)));
		for (int p = 0; p < SCAN_PROTOCOLS; p++) {
			const struct validation v = {.key = key, .protocol = (enum scan_protocol)p, .ports = {61000, 4536},
						     .question = question_by_port, .uri = BYTES("https://a.example/")};
			struct scan_hit hit;
			const enum verdict verdict = reply_judge(&r, &v, &hit);
			/* A UDP port without a transaction's number is guessed in one of 4,536 tries; nothing else is. */
			const struct scan_question *q = scan_question_of(r.sport);
			require(verdict != REPLY_OURS || (p == SCAN_UDP && !r.quotes && !(q && q->mark_length)));
			require(hit.answer < SCAN_ANSWER_COUNT);
		}
	}
	free(copy);
	return 0;
}
