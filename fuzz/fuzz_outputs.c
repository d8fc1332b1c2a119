/* Events out of lines that anybody may have written, through every output: none may fail on what an event can hold. */
#include "share/output.h"
#include <stdlib.h>

#define ROOM_MAX (64u << 10)

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return event_start(NULL);
}

static int swallow(void *arg, struct bytes b)
{
	*(size_t *)arg += b.len;
	return 0;
}

static void write_all(const struct output *o, struct bytes lines)
{
	static const uint8_t key[32] = {1};
	static struct event e;
	static uint8_t room[ROOM_MAX];
	const struct output_about about = {.collection = "fuzz", .title = "F", .producer = "P", .marking = "RED", .key = key};
	struct output_run *run;
	struct reader r = reader_of_bytes(lines);
	struct bytes line;
	size_t written = 0;
	if (output_open(&run, o, &about, swallow, &written, NULL))
		abort();
	while (read_line(&r, &line)) {
		struct fault fault;
		if (output_read_event(line, room, &e, &fault) == 0 && output_event(run, &e))
			abort();
	}
	if (output_close(run, true, NULL))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len)
{
	static const struct output *all[64];
	static size_t count;
	if (!count)
		OUTPUTS_EACH(o)
			if (count < 64)
				all[count++] = *o;
	if (len < 2 || len > ROOM_MAX)
		return 0;
	write_all(all[*at % count], (struct bytes){at + 1, len - 1});
	return 0;
}
