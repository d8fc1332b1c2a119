/* Rows as the store answers them: read without harm, whatever stands there. */
#include "share/select.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	static struct event event;
	struct fault fault;
	if (field_count() == FIELDS_COMMON && event_start(&fault))
		return 0;
	select_row(n & 1 ? TABLE_FLOWS : TABLE_EVENTS, (struct bytes){bytes, n}, &event, &fault);
	return 0;
}
