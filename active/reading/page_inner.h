/*
 * An HTTP answer as devices really give it (RFC 9110, RFC 9112), read tolerantly.
 *
 * Lines may end in LF alone, the reason phrase may be missing, lengths may be wrong.
 * Nothing is copied except a chunked or a packed body; every span points into the raw bytes or the
 * room that the caller gave.
 */
#pragma once
#include "base/bytes.h"

#define PAGE_COOKIES_MAX 4
#define PAGE_HEADERS_MAX 128
#define PAGE_VALUE_MAX 1024 /* longer header values are cut */

struct page {
	unsigned status;         /* 0: this is not an HTTP answer */
	struct bytes head;       /* header lines, the status line left out */
	struct bytes body;       /* decoded; cut where the bytes end */
	bool whole;              /* the body is as long as it said, or nothing said how long */
	bool chunked, has_length;
	uint64_t length;
	struct bytes server, realm, authenticate, location, type, powered, encoding;
	struct bytes cookies[PAGE_COOKIES_MAX];
	size_t cookie_count;
};

/* Has all of it come, by its own word? */
bool page_is_complete(struct bytes raw);
/* Reads it; `room` takes the body when it is chunked or packed.  False: no HTTP answer. */
bool page_read(struct bytes raw, struct writer *room, struct page *out);

/* Text of the first <title>, white space folded to single spaces, in `room`. */
struct bytes page_title(struct bytes body, struct writer *room);
/* The href of <link rel="...icon...">, empty when there is none. */
struct bytes page_icon(struct bytes body);
