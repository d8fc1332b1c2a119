/*
 * What a page leads to, found without running it: a tolerant reader of tags (HTML Standard 13.2.5, as far
 * as attackers' pages need it), for the low-interaction crawl.  Nothing is allocated; everything is hostile.
 */
#pragma once
#include "base/url.h"

#define HTML_TITLE_MAX 256

enum html_kind {
	HTML_META,     /* <meta http-equiv=refresh> */
	HTML_LOCATION, /* a script sets location to a text */
	HTML_FRAME,    /* frame, iframe, and what plug-ins run: object, embed, applet */
	HTML_SCRIPT,
	HTML_LINK,
	HTML_FORM,
	HTML_KINDS
};
const char *html_kind_name(enum html_kind);

struct html_finding {
	enum html_kind kind;
	struct bytes url;   /* as written, with character references decoded; valid during the callback */
	bool hidden;        /* a frame of two pixels or less, or that is not shown */
	bool download;      /* a link that says so, or whose name is that of a program or archive */
	uint32_t delay_s;   /* of a refresh */
};
typedef void html_finding_f(void *arg, const struct html_finding *);

struct html_summary {
	char title[HTML_TITLE_MAX]; /* valid UTF-8 */
	char base[URL_MAX];         /* of <base href>; empty: none */
	uint64_t scripts, inline_scripts, inline_bytes, frames, hidden_frames, forms, passwords, links;
	uint64_t evals, unescapes, writes, char_codes, plugins; /* words of packed and of exploiting scripts */
	uint64_t longest_word;      /* of inline scripts: packed ones have very long ones */
};

void html_read(struct bytes page, html_finding_f *, void *arg, struct html_summary *);
/* Whether bytes begin as a page does, whatever its type says (MIME Sniffing Standard 7.1). */
bool html_looks_like(struct bytes);
