/* Server-sent events: live frames as JSON to every browser that watches (HTML standard, 9.2). */
#include "web/server_inner.h"
#include <stdlib.h>

#define EVENT_TEXT_MAX (EVENT_BYTES_MAX * 6 + 8192)

/* The bus is told what the watchers together want, so nothing is sent for nobody. */
void streams_subscribe(struct server *s)
{
	kind_mask kinds = 0;
	for (size_t i = 0; i < STREAMS_MAX; i++)
		if (s->streams[i])
			kinds |= s->streams[i]->kinds;
	bus_subscribe(s->process->bus, kinds);
}

static ssize_t stream_read(void *arg, uint64_t position, char *to, size_t room)
{
	(void)position;
	struct stream *st = arg;
	size_t n = buffer_len(&st->backlog);
	if (n == 0) {
		if (!st->suspended) {
			st->suspended = true;
			MHD_suspend_connection(st->connection);
		}
		return 0;
	}
	n = n < room ? n : room;
	memcpy(to, buffer_bytes(&st->backlog).at, n);
	buffer_consume(&st->backlog, n);
	return (ssize_t)n;
}

static void stream_free(void *arg)
{
	struct stream *st = arg;
	for (size_t i = 0; i < STREAMS_MAX; i++)
		if (st->server->streams[i] == st)
			st->server->streams[i] = NULL;
	streams_subscribe(st->server);
	buffer_done(&st->backlog);
	free(st);
}

static void stream_say(struct stream *st, struct bytes text)
{
	if (buffer_append(&st->backlog, text.at, text.len)) {
		st->missed++;
		return;
	}
	if (st->suspended) {
		st->suspended = false;
		MHD_resume_connection(st->connection);
	}
}

/* An event without its private fields: passwords and payloads are not for a live view. */
static void event_without_secrets(struct event *e)
{
	uint16_t kept = 0;
	for (uint16_t i = 0; i < e->count; i++)
		if (!(field_definition(e->values[i].field)->marks & FIELD_PRIVATE))
			e->values[kept++] = e->values[i];
	e->count = kept;
}

void streams_deliver(struct server *s, const struct bus_delivery *d)
{
	static char text[EVENT_TEXT_MAX];
	if (frame_decode(d->frame, NULL, &s->event))
		return;
	event_without_secrets(&s->event);
	char id[EVENT_ID_TEXT];
	struct writer w = writer_of(text, sizeof text);
	write_fmt(&w, "id: %s\ndata: ", id_format(&s->event.id, id));
	event_write_json(&s->event, &w);
	write_text(&w, "\n\n");
	if (w.bad)
		return;
	for (size_t i = 0; i < STREAMS_MAX; i++) {
		struct stream *st = s->streams[i];
		if (!st || !(st->kinds & KIND_MASK(d->kind)))
			continue;
		if (st->missed && buffer_len(&st->backlog) == 0) {
			char gap[64];
			struct writer g = writer_of(gap, sizeof gap);
			write_fmt(&g, "event: missed\ndata: %llu\n\n", (unsigned long long)st->missed);
			st->missed = 0;
			stream_say(st, writer_bytes(&g));
		}
		stream_say(st, writer_bytes(&w));
	}
}

void web_stream(struct web_request *rq, kind_mask kinds)
{
	struct server *s = rq->server;
	size_t place = 0;
	while (place < STREAMS_MAX && s->streams[place])
		place++;
	struct stream *st = place < STREAMS_MAX ? calloc(1, sizeof *st) : NULL;
	if (!st) {
		web_fail(rq, 503, "too-many-streams", "%d live views are open, close one", STREAMS_MAX);
		return;
	}
	*st = (struct stream){.server = s, .connection = rq->connection, .kinds = kinds};
	st->backlog = BUFFER(STREAM_BACKLOG_MAX);
	rq->response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 4096, stream_read, st, stream_free);
	if (!rq->response) {
		free(st);
		return;
	}
	response_headers(rq->response, "text/event-stream", false);
	rq->status = 200;
	s->streams[place] = st;
	buffer_append(&st->backlog, "retry: 2000\n\n", 13);
	streams_subscribe(s);
}

/* A comment line now and then shows whether the browser is still there. */
void streams_heartbeat(struct server *s)
{
	for (size_t i = 0; i < STREAMS_MAX; i++)
		if (s->streams[i] && buffer_len(&s->streams[i]->backlog) == 0)
			stream_say(s->streams[i], BYTES(":\n\n"));
}
