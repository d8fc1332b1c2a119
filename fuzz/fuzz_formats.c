/* Files of others in any format: the first byte says which, the second in which pieces they come. */
#include "share/intake/intake_inner.h"
#include "event/field.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t n);
int LLVMFuzzerInitialize(int *argc, char ***argv);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	if (event_start(NULL)) /* formats have fields of their own */
		abort();
	return 0;
}

static bool on_record(void *arg, const struct record *r)
{
	(void)arg;
	if (!r->value.len || r->value.len > RECORD_VALUE_MAX)
		abort();
	return true;
}

static const struct format *nth(size_t number)
{
	size_t count = 0;
	FORMATS_EACH(it)
		count++;
	number %= count;
	FORMATS_EACH(it)
		if (!number--)
			return *it;
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t n)
{
	struct intake *in;
	struct fault fault;
	const struct intake_hooks hooks = {.record = on_record};
	if (n < 2)
		return 0;
	if (intake_open(&in, nth(at[0]), "fuzz", &hooks, &fault))
		abort();
	size_t piece = at[1] ? at[1] : 4096;
	int bad = 0;
	for (size_t i = 2; i < n && !bad; i += piece)
		bad = intake_feed(in, (struct bytes){at + i, n - i < piece ? n - i : piece}, &fault);
	if (!bad)
		intake_end(in, &fault);
	intake_close(in);
	return 0;
}
