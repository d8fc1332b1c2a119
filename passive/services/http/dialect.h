/*
 * How one web server talks: its heads, words and habits, as data.
 *
 * What tells an imitation is not the page but the frame around it: the order of
 * the fields, the words of a 404, whether a connection stays open.  The table in
 * dialect.c holds these per product.  The persona's Server text names its dialect.
 */
#pragma once
#include "passive/services/http/request.h"

struct dialect_status {
	unsigned status;
	const char *reason; /* NULL: the usual one (RFC 9110 15) */
	const char *words;  /* of the error page */
};

struct dialect {
	const char *server;    /* the Server text starts with this */
	const char *reference; /* where its behaviour was read or measured */
	const char *file_head, *page_head, *error_head, *redirect_head; /* templates */
	const char *error_body, *redirect_body;
	const char *alive, *dying;             /* the connection's fields, either way */
	const struct dialect_status *statuses; /* status 0 ends */
	unsigned bad_request, bad_method, bad_version, long_target; /* statuses; 0: does not mind */
	unsigned climbing;   /* of a path that leaves the root by ../; 0: it is looked for */
	const char *methods; /* known ones, each with a blank behind it */
	const char *allow;   /* what OPTIONS is answered with; NULL: an unknown method */
	const char *const
		*traversals; /* paths below which ../ leaves the document root; NULL: none */
	size_t target_max;
	bool keeps_alive;       /* ever */
	bool keeps_on_demand;   /* only when Connection: keep-alive asks for it, also in HTTP/1.1 */
	bool continues;         /* answers Expect: 100-continue */
	bool needs_host;        /* HTTP/1.1 without Host is a bad request */
	bool absolute;          /* Location names the host */
	bool ctime;             /* dates as ctime(3) writes them */
	bool challenges_always; /* WWW-Authenticate also when nothing is locked */
};

/* What fills in a template's %{names}. */
struct answer {
	const struct dialect *dialect;
	const char *server;
	unsigned status;
	enum http_version version;
	uint64_t time_us, modified_us;
	struct bytes type, location, target, host, fields, method;
	uint16_t port;
	bool secure; /* over TLS */
	size_t length;
	uint32_t left; /* requests that this connection may still bring */
	uint64_t tag;  /* of the entity */
	bool alive;
};

const struct dialect *dialect_of(const char *server); /* never NULL */
const char *dialect_reason(const struct dialect *, unsigned status);
void dialect_write(const char *template, const struct answer *, struct writer *);
/* "Sun, 06 Nov 1994 08:49:37 GMT", or as ctime(3) writes it. */
void dialect_write_date(uint64_t time_us, bool ctime, struct writer *);
