/* What a crawl keeps of one page, and how it is told: ways/crawl.c walks, crawl_report.c writes. */
#pragma once
#include "active/visit/fetch_inner.h"
#include "active/visit/html_inner.h"
#include "active/visit/way.h"

#define CRAWL_STEPS_MAX 100  /* requests of one crawl, at most */
#define CRAWL_HOPS_MAX 20    /* of the page itself */
#define CRAWL_LINKS_MAX 256  /* kept of all pages */
#define CRAWL_REPORT_MAX (1u << 20)

struct crawl_step { /* one request and what came */
	char url[URL_TEXT_MAX];
	const char *how;   /* "start", "http", "refresh", "meta", "script", "frame", "script-file", "download" */
	size_t from;       /* step that led here; its own number: none */
	uint32_t status;
	struct address address;
	uint16_t port;
	uint64_t size, wire_bytes;
	char type[128], server[128], subject[256], issuer[256], failed[128], limit[16], sha256[65];
	bool of_page;      /* not of a frame, a script or a download of it */
	bool is_page, is_file, crosses; /* crosses: to another host */
	struct html_summary *summary;   /* of a page; owned */
};

struct crawl_link {
	char *url;
	enum html_kind kind;
	bool hidden, download;
	size_t from;
};

struct crawl {
	struct order *order;
	struct fetch_session *session;
	struct url url;         /* that is being asked for */
	size_t pages_max;
	struct crawl_step *steps[CRAWL_STEPS_MAX];
	size_t step_count, final; /* final: the page that it led to */
	struct crawl_link links[CRAWL_LINKS_MAX];
	size_t link_count, next_link;
	struct { /* where the page that was read leads by itself */
		char url[URL_TEXT_MAX];
		const char *how;
	} onward;
	char limits[128];       /* words, separated by spaces */
	size_t files, hidden_frames, refused;
	struct event event;
};

void crawl_limit(struct crawl *, const char *word); /* once each */
/* A verdict from what stands in the steps: 0 to 100, and its reasons as a sentence. */
unsigned crawl_judge(const struct crawl *, struct writer *reasons);
void crawl_write(const struct crawl *, struct writer *json);
