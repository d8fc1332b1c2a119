/*
 * One look at a page while it lasts: what the browser's events say is put together here.
 *
 * look.c drives it; network.c, frames.c, scripts.c and downloads.c each take the events of one
 * matter; gather.c asks for what is only known at the end.  Handlers of events never wait.
 */
#pragma once
#include "active/visit/browser/browser_inner.h"
#include "active/visit/browser/devtools_inner.h"
#include "base/arena.h"

#define LOOK_ID_MAX 63
#define LOOK_SESSIONS_MAX 32

struct seen_request { /* beside visit_request of the same index */
	char id[LOOK_ID_MAX + 1], session[DEVTOOLS_SESSION_MAX + 1];
	double begun_s, answered_s; /* of the browser's clock */
	bool done, finished, told_asked, told_answered;
};

struct seen_frame { /* beside visit_frame of the same index */
	char id[LOOK_ID_MAX + 1];
	unsigned hop;                /* of the page that it shows */
	enum visit_hop_kind next;    /* how the next page comes about, as announced */
	bool announced, gone, asked; /* asked: its page came over the network */
};

struct seen_download {
	char guid[LOOK_ID_MAX + 1];
	const char *url, *name;
	bool done, stopped;
};

struct looking {
	struct arena *arena;
	struct devtools *devtools;
	const struct visit_plan *plan;
	struct visit_look *out;
	uint64_t quiet_ms, bytes_max;
	uint64_t begun_us, deadline_us, active_us, timer_us; /* monotonic; timer_us: one is expected to go off then */
	double base_s;               /* the browser's clock at the first request */
	char session[DEVTOOLS_SESSION_MAX + 1], binding[33];
	struct visit_hop *hops;
	struct visit_request *requests;
	struct visit_frame *frames;
	struct visit_script *scripts;
	struct visit_file *files;
	struct visit_change *changes;
	struct seen_request *seen_requests;
	struct seen_frame *seen_frames;
	struct seen_download downloads[VISIT_FILES_MAX];
	size_t download_count;
	uint64_t bytes;
	size_t hooks_length;
	bool loaded, crashed, moved;
	char limits[128];
};

void look_limit(struct looking *, const char *word); /* told once */
/* Copies in the arena; "" and empty where it is full, which is a limit. */
const char *look_text(struct looking *, const char *text, size_t len);
const char *look_text_at(struct looking *, const json_t *, const char *path);
struct bytes look_bytes(struct looking *, struct bytes);
/* The bytes of a DevTools body: text, or base64. */
struct bytes look_body(struct looking *, const json_t *result, const char *text, const char *is_base64, size_t max);
void look_active(struct looking *);
void look_sha256(struct bytes, char hex[65]);
double look_entropy(struct bytes); /* bits a byte */

bool look_take_network(struct looking *, const char *session, const char *method, const json_t *);
bool look_take_frames(struct looking *, const char *session, const char *method, const json_t *);
bool look_take_scripts(struct looking *, const char *session, const char *method, const json_t *);
bool look_take_downloads(struct looking *, const char *session, const char *method, const json_t *);

size_t look_requests_open(const struct looking *);
/* Asks for the bodies that were not to be had while one page gave way to the next. */
void look_bodies_again(struct looking *);
bool look_downloads_open(const struct looking *);
unsigned look_frame_find(struct looking *, const char *id); /* makes it when it is new */
/* A page begins to be fetched in a frame; `status` of the answer that led here, 0: none did. */
void look_hop(struct looking *, unsigned frame, const char *url, unsigned status);
/* What is only known when the page is over; within a time of its own. */
void look_gather(struct looking *, struct browser *, uint64_t deadline_us);

/* One look, from the browser's start to the end of its box; 0 also when the page failed. */
int look_at(struct looking *, struct box_keeper *, unsigned number, struct fault *);
