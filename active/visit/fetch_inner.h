/*
 * One request over HTTP, by libcurl, on a connection that the proxy made: libcurl opens no socket and
 * resolves no name.  Nothing is followed here.  Certificates are not checked: attackers sign their own.
 */
#pragma once
#include "active/visit/proxy.h"
#include "base/url.h"

#define FETCH_FIELD_MAX 512

struct fetcher; /* of a process */
struct fetch_session; /* of one crawl: its cookies */
struct fetch;

struct fetch_plan {
	struct url url;
	const char *agent, *language, *referrer; /* NULL: that field is not sent */
	size_t page_max, file_max;               /* bytes, unpacked; a page is what says or looks like HTML */
	uint64_t time_ms;
};

struct fetch_result { /* valid during the callback */
	size_t index;                  /* of the proxy's log; SIZE_MAX: none */
	uint32_t status;               /* 0: nothing came */
	char location[URL_MAX];        /* of a redirect */
	char refresh[URL_MAX];         /* the field Refresh, which browsers heed like the tag */
	char type[FETCH_FIELD_MAX], disposition[FETCH_FIELD_MAX], server[FETCH_FIELD_MAX];
	char subject[FETCH_FIELD_MAX], issuer[FETCH_FIELD_MAX]; /* of the certificate */
	struct bytes body;
	uint64_t wire_bytes;           /* of the body as it came */
	bool is_page;
	char failed[FETCH_FIELD_MAX];  /* why nothing or not all came; empty: all did */
	char limit[16];                /* "page", "file", "time", "bytes": what was met; empty: none */
};
typedef void fetched_f(void *arg, const struct fetch_result *);

int fetcher_open(struct fetcher **, uv_loop_t *, struct fault *); /* before the rights are given away */
void fetcher_close(struct fetcher *);                             /* all sessions are closed */

int fetch_session_open(struct fetch_session **, struct fetcher *, struct proxy_visit *);
void fetch_session_close(struct fetch_session *); /* nothing is under way */
/* One at a time of a session; the callback comes exactly once, from the loop.  0 or ERR_MEMORY. */
int fetch_begin(struct fetch_session *, const struct fetch_plan *, fetched_f *, void *arg);
