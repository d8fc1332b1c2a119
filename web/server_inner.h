/* What server.c, request.c and stream.c share. */
#pragma once
#include "web/route.h"
#include <microhttpd.h>

#define PARAMETERS_MAX 4
#define STREAMS_MAX 64
#define STREAM_BACKLOG_MAX (256u << 10) /* a browser this far behind misses events, and is told */

struct web_options {
	struct address listen;
	uint64_t port;
	struct option_list names; /* const char *: Host headers that are ours */
};

struct stream {
	struct server *server;
	struct MHD_Connection *connection;
	kind_mask kinds;
	struct buffer backlog;
	uint64_t missed;
	bool suspended;
};

struct server {
	struct process *process;
	const struct web_options *options;
	struct MHD_Daemon *daemon;
	uv_poll_t poll;
	uv_timer_t timer, heartbeat;
	uv_prepare_t prepare;
	struct stream *streams[STREAMS_MAX];
	struct event event;
};

struct web_request {
	struct server *server;
	struct MHD_Connection *connection;
	const struct route *route;
	struct arena arena;
	const char *names[PARAMETERS_MAX];
	const char *values[PARAMETERS_MAX];
	size_t parameter_count;
	uint64_t started_us;
	struct MHD_Response *response; /* NULL: not answered yet */
	unsigned status;
	bool suspended, served, asking;
	web_answer_f *answer;
	struct buffer answer_parts, body;
	bool body_too_large;
};

/* request.c */
enum MHD_Result web_handle(void *server, struct MHD_Connection *, const char *url, const char *method,
			   const char *version, const char *upload, size_t *upload_size, void **state);
void web_completed(void *server, struct MHD_Connection *, void **state,
		   enum MHD_RequestTerminationCode);
/* `document`: a page that stands for itself (web_reply_document). */
void response_headers(struct MHD_Response *, const char *type, bool document);

/* stream.c */
void streams_deliver(struct server *, const struct bus_delivery *);
void streams_subscribe(struct server *);
void streams_heartbeat(struct server *);
