/* What the passive room reads besides peers: a steering table; and a session's recording. */
#include "event/recording.h"
#include "passive/room/steering.h"
#include <stdlib.h>

#define ENTRIES_MAX 64
#define CAST_MAX 65536

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void read_table(struct bytes input)
{
	static const struct persona camera = {.name = "camera"}, router = {.name = "router"};
	static const struct persona_set set = {.items = {&camera, &router}, .count = 2};
	struct steering st;
	if (steering_open(&st, &set, ENTRIES_MAX, ENTRIES_MAX, 1000) < 0)
		abort();
	/* The same twice: as new, and over what the first has left. */
	int first = steering_update(&st, input), second = steering_update(&st, input);
	if (first != second || steering_count(&st) > ENTRIES_MAX)
		abort();
	struct address source = address_v4(1), local = address_v4(2);
	bool fresh;
	if (input.len >= 29)
		memcpy(source.b, input.at + 13, sizeof source.b);
	if (!steering_enter(&st, &source, &local, 0, &fresh))
		abort();
	steering_leave(&st, &source, &local, 0);
	steering_done(&st);
}

static void read_recording(struct bytes input)
{
	static char cast[CAST_MAX];
	struct reader r;
	struct recording_record record = {0};
	size_t total = 0;
	if (!recording_open(input, &r))
		return;
	while (recording_next(&r, &record))
		total += record.said.len;
	if (total > input.len)
		abort();
	struct writer w = writer_of(cast, sizeof cast);
	recording_write_asciicast(input, 0, 0, 0, &w);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t n)
{
	read_table((struct bytes){input, n});
	read_recording((struct bytes){input, n});
	return 0;
}
