/* A whole Zeek log, header and all. */
#include "passive/sensors/sensor_format.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	static struct event e;
	const struct sensor_format *f = sensor_format_find("zeek");
	void *state = f && !event_start(NULL) ? calloc(1, f->state_size) : NULL;
	if (!state)
		abort();
	f->begin(state, "/var/log/zeek/notice.log");
	struct reader r = reader_of(input, size);
	for (struct bytes line; read_line(&r, &line);)
		f->line(state, line, &e);
	f->line(state, read_rest(&r), &e);
	free(state);
	return 0;
}
