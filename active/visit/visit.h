/*
 * A visit: one page, looked at by real browsers in boxes, as several kinds of visitor.
 *
 * Each look starts Chromium in a box of its own (box/box.h), whose network has nothing but a
 * listening socket: the browser takes it for its SOCKS proxy, and the caller gets it and serves it
 * (active/visit/proxy.h), so every connection passes whoever decides.  The browser is driven over the
 * DevTools pipe.  What comes out is the page's redirects, frames, scripts, requests, downloads and
 * picture, what changed in the box, how the looks differ, and a verdict with its reasons.
 *
 * visit_run() blocks for the time of its looks.  It needs no rights but to use descriptors and memory,
 * so it runs in a sandboxed role, on a thread of its own; a keeper serves one visit at a time.
 * Everything that a browser says is hostile, the browser itself included.
 */
#pragma once
#include "base/registry.h"
#include "box/box.h"

#define VISIT_PAGE_URL_MAX 4096
#define VISIT_LOOKS_MAX 8
#define VISIT_REQUESTS_MAX 1000
#define VISIT_HOPS_MAX 64
#define VISIT_FRAMES_MAX 128
#define VISIT_SCRIPTS_MAX 512
#define VISIT_FILES_MAX 64
#define VISIT_CHANGES_MAX 256
#define VISIT_MEMORY_MAX (192u << 20) /* of what is kept of one visit */
#define VISIT_BODY_MAX (8u << 20)     /* of one answer; more is cut, and the browser's connection too */
#define VISIT_DOWNLOAD_MAX (32u << 20) /* of one download */

enum visit_browser { VISIT_SHELL, VISIT_FULL }; /* chromium-headless-shell; chromium --headless */

/* Who comes: what a page could tell a victim from a machine by. */
struct visit_personality {
	const char *name, *summary;
	enum visit_browser browser;
	const char *agent;     /* User-Agent */
	const char *platform;  /* navigator.platform: "Win32" */
	const char *system;    /* Sec-CH-UA-Platform: "Windows"; NULL: such a browser sends none */
	const char *languages; /* Accept-Language */
	const char *referrer;  /* where it comes from; NULL: nowhere */
	const char *plugins;   /* old plug-ins that it claims, "flash 11.2.202, java 1.7.0"; NULL: none */
	unsigned width, height;
	bool mobile;
};
extern const struct visit_personality visit_personalities[]; /* ended by one without a name */
const struct visit_personality *visit_personality_find(const char *name); /* NULL: no such */

struct visit_limits { /* 0: the default beside it */
	uint64_t time_ms;  /* of one look, by the clock, 20 s */
	uint64_t quiet_ms; /* a page is over when it loaded and asked nothing for so long, 700 */
	uint64_t bytes;    /* of all answers of one look, 32 MiB */
	uint64_t memory;   /* of one box, 1 GiB */
};

#define VISIT_CONNECTIONS_MAX 256
struct visit_connection { /* that a browser asked its proxy for */
	char host[254], address[48], reason[32]; /* reason: "ok", or the word of who refused it */
	uint64_t bytes_in, bytes_out;
	uint16_t port;
};

struct visit_tools { /* where browsers are on this machine, and this program itself */
	char self[4096];
	const char *programs[2]; /* by enum visit_browser; NULL: not installed */
	int nowhere;             /* /dev/null, for what browsers print: a sandboxed process cannot open it */
};
/* Opens files, so before the rights are taken away; for the life of the process.  ERR_MISSING: there is no small browser. */
int visit_tools_find(struct visit_tools *, struct fault *);

struct visit_plan {
	const struct visit_tools *tools;
	const char *url; /* http or https */
	/* Looks in this order; none: the usual ones, where the first asks for more of them. */
	const struct visit_personality *const *personalities;
	size_t personality_count;
	const char *referrer; /* instead of the personalities' own; NULL: theirs */
	struct visit_limits limits;
	bool brief;           /* one look, no picture: for volume */
	/*
	 * A box begins: what is accepted from `listener` asks for connections as a client of SOCKS 5 (RFC 1928),
	 * with names, not addresses.  The listener is the caller's from then on (proxy_visit_listen()).
	 * Called on visit_run()'s thread; anything but 0 ends the visit.
	 */
	int (*listening)(void *arg, unsigned look, int listener);
	/* That box has ended: whatever is still open for it may be closed.  May be NULL. */
	void (*ended)(void *arg, unsigned look);
	/*
	 * After that: what that box connected to, as whoever served it saw it; how many of `max`.  The texts
	 * are copied.  May be NULL.
	 */
	size_t (*connections)(void *arg, unsigned look, struct visit_connection *out, size_t max);
	/* Asked often: true ends the visit where it stands.  May be NULL. */
	bool (*stop)(void *arg);
	void *arg;
};

enum visit_hop_kind { HOP_START, HOP_HTTP, HOP_META, HOP_SCRIPT, HOP_FORM, HOP_LINK, HOP_WINDOW, HOP_FRAME, HOP_KINDS };
const char *visit_hop_kind_name(enum visit_hop_kind);

/* Texts are valid UTF-8, made so from what the browser said; they and bytes live as long as the visit. */
struct visit_hop { /* an edge of the tree of redirects */
	enum visit_hop_kind kind;
	unsigned from;         /* hop whose page led here; its own number: none */
	unsigned frame;        /* in which it happened */
	unsigned status;       /* of the redirecting answer, 0: none */
	const char *url;
	uint64_t at_ms;
	bool crosses;          /* to another registered domain, or to another address */
};

struct visit_header { const char *name, *value; };

struct visit_request {
	const char *url, *method, *kind, *initiator; /* kind: "document", "script", "image", … */
	const char *address;       /* "192.0.2.7:80", as the browser saw it */
	const char *mime, *protocol, *status_text, *failed; /* failed: why; NULL: it did not */
	const struct visit_header *asked, *answered;
	size_t asked_count, answered_count;
	struct bytes sent, body;   /* a POST's body; the answer's, cut at VISIT_BODY_MAX */
	uint64_t begin_ms, wait_ms, receive_ms;
	uint64_t wire_bytes, size;
	unsigned status, frame;
	char sha256[65];           /* of body; empty: none came */
	bool cut, redirected;
};

struct visit_frame {
	const char *url, *id;
	unsigned parent;       /* its own number: the page itself */
	int width, height, left, top;
	const char *hidden;    /* how it is hidden: "size", "style", "outside", …; NULL: it is not */
	bool by_script;        /* made by a script, not by the page's own text */
};

/* Counts over all scripts of a look, JSAND's features and what came after them. */
struct visit_measures {
	uint64_t scripts, script_bytes, inline_scripts;
	uint64_t evals, eval_bytes, writes, write_bytes, timers;
	uint64_t decoded, decoded_bytes, decoded_length_max; /* unescape, atob, fromCharCode, … */
	double decoded_entropy_max;                            /* bits a character */
	uint64_t string_definitions, string_uses;
	uint64_t plugin_probes, activex_probes, webdriver_probes, fingerprint_probes, wasm_modules;
	uint64_t workers, clipboard_writes, dialogs, windows, notifications, programs_after_script;
};

struct visit_script {
	const char *url;       /* "": of the page itself, or evaluated */
	const char *origin;    /* "source", "inline", "eval", "decoded", "written", "worker" */
	struct bytes text;     /* cut */
	char sha256[65];
	uint64_t size;
};

struct visit_file { /* a download */
	const char *url, *name, *how; /* "download", "answer" */
	const char *mime;
	struct bytes content;
	char sha256[65];
	bool gesture, cut;     /* whether a person asked for it; always false here */
};

struct visit_change { /* in the box, by the time the page was over */
	const char *kind;      /* "process", "file", "listen", "connection", "crash" */
	const char *what;
	bool expected;         /* as every visit of that browser has it */
};

struct visit_look {
	const struct visit_personality *personality;
	const char *agent;                  /* as it was sent */
	const char *final, *title, *failed; /* failed: why nothing came of it; NULL: something did */
	const struct visit_hop *hops;
	const struct visit_request *requests;
	const struct visit_frame *frames;
	const struct visit_script *scripts;
	const struct visit_file *files;
	const struct visit_change *changes;
	const struct visit_connection *connections;
	size_t connection_count;
	size_t hop_count, request_count, frame_count, script_count, file_count, change_count;
	struct visit_measures measures;
	struct bytes dom, text, picture; /* after scripts; what a person reads; PNG */
	const char *limits;              /* words, separated by spaces; "" */
	uint64_t begin_us, time_ms, box_start_us, cpu_ms, memory_peak;
	unsigned score;
};

struct visit_reason {
	const char *name;      /* "hidden-frame", "cloaking", "exploit-kit", … */
	unsigned points, look;
	const char *detail;    /* a sentence */
};

struct visit_difference { /* between looks */
	const char *what;      /* "final", "status", "frames", "scripts", "files", "text" */
	unsigned one, other;
	const char *detail;
};

struct visit_findings {
	const char *url, *final, *title; /* of the first look */
	const struct visit_look *looks[VISIT_LOOKS_MAX];
	size_t look_count;
	const struct visit_reason *reasons;
	size_t reason_count;
	const struct visit_difference *differences;
	size_t difference_count;
	const char *verdict;   /* "malicious", "suspicious", "unremarkable", "unreachable" */
	unsigned score;        /* 0 to 100 */
	const char *limits;    /* of all looks, words separated by spaces */
};

struct view; /* what one visit saw */
/* 0, also when the page could not be reached: then the findings say why.  ERR_MISSING: no browser is installed. */
int visit_run(struct view **, struct box_keeper *, const struct visit_plan *, struct fault *);
const struct visit_findings *visit_findings(const struct view *);
void visit_free(struct view *);

/*
 * What a report of a visit is: one file in active/visit/reports/, VISIT_REPORT(it).  "json" is the whole,
 * "urlscan" is shaped as urlscan.io's result, "har" as HAR 1.2.
 */
struct visit_report {
	const char *name, *summary, *type; /* media type */
	void (*write)(const struct visit_findings *, struct writer *); /* the writer turns bad when it does not fit */
};
#define VISIT_REPORT(r) REGISTER(visit_reports, struct visit_report, r)
REGISTRY(visit_reports, struct visit_report);
#define VISIT_REPORTS_EACH(it) REGISTRY_EACH(visit_reports, struct visit_report, it)
const struct visit_report *visit_report_find(const char *name); /* NULL: no such */
/* Writes it into a buffer that grows up to its limit: 0, ERR_FULL or ERR_MEMORY. */
int visit_report_write(const struct visit_report *, const struct visit_findings *, struct buffer *out);

/*
 * What `kansoku inside` does, in the box: makes the listening socket and hands it out, starts the
 * browser, and tells of processes, sockets and files in the box when it is asked.  Exit status.
 */
int visit_inside(int argc, char **argv);
