/*
 * The role "exchange": takes in what others observed, from files that a command line hands over and from
 * sources of the configuration, and publishes record.imported for each thing that they say.
 *
 *   exchange:
 *     sources:
 *       - {name: list, format: urls, url: "https://feeds.example.org/list.txt", every: 1h, tlp: clear, pap: green}
 *       - {name: partner, format: rss, path: /srv/feeds/partner, every: 5m}
 *
 *       - {name: lookup, format: urls, url: "https://lookup.example.org/{src}", asked: true, every: 10s}
 *
 * A source's PAP says what may be done with what it names; without one nothing is looked at because of it.
 */
#pragma once
#include "base/options.h"
#include "bus/process.h"
#include "share/collection.h"
#include "share/anonymise/own_inner.h"
#include "share/intake/intake_inner.h"
#include "share/intake/imported_inner.h"
#include "share/networks/networks_inner.h"
#include "share/intake/spool_inner.h"

#define EXCHANGE_FOLDER "exchange"
#define SOURCES_MAX 256
#define JOBS_MAX 16
#define COMPLAINTS_BYTES_MAX 8192

struct source_options {
	const char *name, *format, *url, *path, *tlp, *pap, *map;
	uint64_t every_ms, again_ms, confidence;
	bool asked; /* about one event, by an errand; not by schedule */
	const char *client, *key_file;
	struct option_list options; /* of struct option_pair */
};

struct publish_options {
	const char *name, *publisher, *url, *key_file, *collection, *organisation, *output;
	struct option_list options; /* of struct option_pair */
	uint64_t every_ms, delay_ms;
};

struct exchange_options {
	struct option_list publish; /* of struct publish_options */
	struct option_list sources; /* of struct source_options */
	struct option_list policies; /* of struct policy_options, share/anonymise/policy_inner.h */
	struct own_options own;
	struct option_list collections; /* share/collections.c */
	struct option_list exports;     /* of struct export_options, share/exporting/schedule_inner.h */
	uint64_t size_max, time_ms, remember, spool_max;
	const char *agent;
};

struct collection_option {
	const char *name, *title, *summary, *tlp;
	struct option_list kinds;
	const struct yaml_node *when;
};
extern const struct option collection_options[];

/* Words of TLP 2.0 and PAP; false: it is none of them. */
bool marking_is_tlp(const char *);
bool marking_is_pap(const char *);
/* Checks names, formats, markings, and that each source has one place. */
int exchange_check(const struct config *, struct fault *);
void exchange_warn(const struct config *, struct writer *); /* what is right and yet does nothing, a line each */

/* One import in progress. */
struct job;
struct exchange;

struct record_chain { /* the event that led to an import */
	struct event_id cause, root;
	uint64_t depth; /* of that cause */
};

struct job_origin { /* where it comes from; all are copied */
	const char *format, *source, *tlp, *pap;
	const char *map, *file; /* as in struct intake_hooks */
	uint64_t confidence; /* the most that anything from there can have; 0: as found */
	const struct record_chain *chain; /* copied; NULL: nothing led to it */
};

int job_open(struct job **, struct exchange *, const struct job_origin *, struct fault *);
int job_feed(struct job *, struct bytes, struct fault *);
int job_end(struct job *, struct fault *);
/* One JSON object with what was counted and the first complaints. */
void job_write(const struct job *, struct writer *);
const struct intake_counts *job_counts(const struct job *);
void job_close(struct job *);

struct fetched { /* of one source, kept between two fetches so that nothing is sent twice */
	char etag[256], modified[64];
};

enum fetch_status { FETCH_NEW, FETCH_SAME, FETCH_FAILED };

struct fetch_result {
	enum fetch_status status;
	struct buffer content;
	char why[300]; /* of a failure */
};

/* Fetches a URL of the configuration, blocking, in a thread of its own: http and https only, few redirects. */
void fetch_url(const char *url, const char *agent, uint64_t size_max, uint64_t time_ms, struct fetched *,
	       struct fetch_result *);

struct asked;
struct access;
struct audit;
struct keys;
struct export_door;
struct export_schedule;

struct exchange {
	struct process *process;
	const struct exchange_options *options;
	int directory;
	struct imported *seen;
	struct spool *spool;
	struct networks *networks;
	struct asked *asked;
	struct collections collections;
	struct access *access; /* who may see what */
	struct audit *audit;
	struct keys *keys;     /* of recipients */
	struct export_door *export_door;
	struct export_schedule *export_schedule;
	uint64_t records, failures;
	struct event event;
};

/*
 * Writes the audit's line of what is about to go out, then tells of it as record.shared.  ERR_SYSTEM: the line could
 * not be written, and nothing may go out.
 */
struct audit_entry;
int exchange_shared(struct exchange *, const struct audit_entry *);
