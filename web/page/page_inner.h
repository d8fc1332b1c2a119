/*
 * The page for those who were looked at: a process of its own, since it faces the Internet, with one
 * daemon for all its addresses.  It knows nothing but the configuration; what it may ask control is
 * to leave alone the address that its visitor comes from, which the TCP handshake has proved.
 *
 * So nothing that forwards connections (a proxy, a load balancer) may stand before it.
 */
#pragma once
#include "bus/process.h"
#include "control/control.h"
#include <microhttpd.h>

#define PAGE_SOCKETS_MAX 32
#define PAGE_TEXT_MAX (64u << 10)
#define PROBING_SIGNED_MAX 16384
#define PAGE_FIELD_MAX 256 /* of a form */

enum page_language { PAGE_ENGLISH, PAGE_JAPANESE };

struct page_server {
	struct process *process;
	struct promises promises;
	struct MHD_Daemon *daemon;
	uv_poll_t poll, doors[PAGE_SOCKETS_MAX];
	size_t door_count;
	uv_timer_t timer;
	uv_prepare_t prepare;
	struct buffer signed_text; /* probing.txt as the operator signed it; may be empty */
	char url[512];
};

enum page_kind { PAGE_FRONT, PAGE_CONFIRM, PAGE_DONE, PAGE_WAITING, PAGE_ALREADY, PAGE_FAILED };

struct page_view { /* what a page is written from */
	const struct promises *promises;
	enum page_language language;
	enum page_kind kind;
	const char *visitor, *url;
	const char *prefix, *until, *sign; /* of a link */
	const char *sentence;              /* what failed */
};

/* words.c */
void page_write(struct writer *, const struct page_view *);

/* visit.c: the callbacks of the daemon. */
enum MHD_Result page_handle(void *server, struct MHD_Connection *, const char *url, const char *method,
			    const char *version, const char *upload, size_t *upload_size, void **state);
void page_completed(void *server, struct MHD_Connection *, void **state, enum MHD_RequestTerminationCode);
