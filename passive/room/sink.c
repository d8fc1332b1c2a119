#include "passive/room/sink.h"

void sink_open(struct session *s, struct sink *sink, struct bytes target)
{
	struct bytes kept = arena_copy(session_arena(s), target);
	*sink = (struct sink){.target = (uint8_t *)kept.at, .target_len = kept.at ? (uint32_t)kept.len : 0};
}

enum service_next sink_take(struct session *s, struct sink *sink, struct reader *in)
{
	struct bytes b = read_bytes(in, reader_left(in));
	if (b.len && !sink->taken) {
		struct event *e = session_report(s, EVENT_REQUEST_SEEN);
		event_set_bytes(e, FIELD_METHOD, BYTES("DATA"));
		event_set_bytes(e, FIELD_TARGET, (struct bytes){sink->target, sink->target_len});
		event_set_bytes(e, FIELD_BODY, (struct bytes){b.at, b.len < SINK_TOLD_MAX ? b.len : SINK_TOLD_MAX});
	}
	sink->taken += (uint32_t)b.len;
	return sink->taken < SINK_BYTES_MAX ? SERVICE_CONTINUE : SERVICE_CLOSE;
}
