/*
 * Words of peers in which bait is looked for, and the ledger's file.  What is found must be written
 * again as it stood there.
 */
#include "passive/device/bait/bait.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void check_back(const struct bait_secret *k, const struct bait_token *t, enum bait_shape shape)
{
	char room[64];
	struct writer w = writer_of(room, sizeof room);
	struct bait_token back;
	enum bait_shape again;
	bait_write(k, t, shape, &w);
	if (!bait_read(k, writer_bytes(&w), &back, &again) || again != shape || bait_id(k, t) != bait_id(k, &back))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t n)
{
	static const struct bait_secret k; /* a fuzzer that learns it finds tokens, too */
	struct bytes rest = {at, n};
	struct bait_ledger ledger = {.fd = -1};
	struct bait_token t;
	enum bait_shape shape;
	while (bait_next(&k, &rest, &t, &shape))
		check_back(&k, &t, shape);
	bait_ledger_take(&ledger, (struct bytes){at, n});
	for (uint32_t i = 1; i <= ledger.count; i++)
		if (bait_ledger_entry(&ledger, i)->number != i)
			abort();
	bait_ledger_done(&ledger);
	return 0;
}
