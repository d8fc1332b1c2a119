/* EVE lines; and whatever jansson takes as JSON, our reader takes as well. */
#include "base/json_scan.h"
#include "passive/sensors/sensor_format.h"
#include <jansson.h>
#include <stdlib.h>

static void compare(struct bytes line)
{
	struct json_reader j = json_of(line);
	struct bytes name;
	struct json_value v;
	bool ours = json_enter(&j);
	while (ours && json_next(&j, &name))
		json_take(&j, &v);
	ours = ours && json_ended(&j);
	json_t *theirs = json_loadb((const char *)line.at, line.len, JSON_ALLOW_NUL, NULL);
	bool deep = j.why && !strcmp(j.why, "nested too deep");
	if (json_is_object(theirs) && !ours && !deep)
		abort();
	json_decref(theirs);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	static struct event e;
	static void *state;
	const struct sensor_format *f = sensor_format_find("eve");
	if (event_start(NULL) || !f || (!state && !(state = calloc(1, f->state_size))))
		abort();
	struct reader r = reader_of(input, size);
	for (struct bytes line; read_line(&r, &line);)
		f->line(state, line, &e);
	struct bytes rest = read_rest(&r);
	f->line(state, rest, &e);
	compare(rest);
	return 0;
}
