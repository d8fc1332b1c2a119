/* JSON lines: each event whole, as one object, the way that `kansoku query` and the interface say it. */
#include "share/output.h"

/* A byte becomes six at most (\u00ff); names and numbers of 40 fields fit what is added. */
#define LINE_MAX_BYTES (6 * EVENT_BYTES_MAX + 16384)

static int event(struct output_run *run, const struct event *e)
{
	struct writer w = output_room(run, LINE_MAX_BYTES);
	event_write_json(e, &w);
	write_u8(&w, '\n');
	return output_wrote(run, &w);
}

#define LOGIN                                                                                                          \
	"{\"kind\":\"login.tried\",\"id\":\"00050d4b5d3c4000000000010000002a\",\"time\":\"2015-03-05T10:20:30.000004Z\","   \
	"\"src\":\"203.0.113.9\",\"dport\":23,\"login.user\":\"ro\\u0022ot\\u00ff\",\"login.accepted\":false}\n"

static const struct output_specimen specimens[] = {
	{"an event as it stands, hostile bytes escaped", LOGIN, LOGIN, NULL},
	{"passwords stay here",
	 "{\"kind\":\"login.tried\",\"src\":\"203.0.113.9\",\"login.user\":\"root\",\"login.secret\":\"hunter2\"}\n",
	 "{\"kind\":\"login.tried\",\"src\":\"203.0.113.9\",\"login.user\":\"root\"}\n", NULL},
	{0},
};

static const struct output jsonl = {
	.name = "jsonl",
	.summary = "JSON lines, each event whole; nothing is left out but what the recipient may not see",
	.reference = "RFC 8259; fields as docs/events.md",
	.media_type = "application/x-ndjson",
	.extension = "jsonl",
	.kinds = KIND_MASK_ALL,
	.event = event,
	.specimens = specimens,
};
OUTPUT(jsonl);
