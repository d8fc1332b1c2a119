/*
 * Exports: events of a collection, seen through a recipient's view, written by an output into an unnamed file.
 *
 * The file is whole before its first byte goes out, since the audit must hold its digest before (share/audit.h).  A
 * policy that counts (k) needs the selection twice.  What is marked above what the recipient may see is withheld and
 * counted.  The same question over the same events gives the same bytes; `made_us`, the time that some formats have in
 * them, is part of the question for that.
 */
#pragma once
#include "share/access.h"
#include "share/exchange_inner.h"
#include "share/output.h"
#include "share/select.h"

#define EXPORT_BYTES_MAX (UINT64_C(8) << 30)
#define EXPORT_NAME_MAX 64

struct export_wanted {
	const struct output *output;
	const struct collection *collection;
	char organisation[EXPORT_NAME_MAX]; /* empty: the operator's own */
	char policy[EXPORT_NAME_MAX];
	enum tlp tlp_max;
	uint64_t from_us, to_us, count_max, made_us; /* count_max 0: all */
	const char *action;                 /* of the audit: "export", "snapshot", "preview" */
};

struct export_result {
	int fd; /* the receiver's to close; at its beginning */
	uint64_t bytes, objects, passed_over, withheld;
	enum tlp marking; /* of the whole */
	uint8_t digest[AUDIT_DIGEST];
};

struct exporting;
/* Called once; `result` NULL: it failed, and why. */
typedef void export_done_f(void *arg, const struct export_result *result, const char *why);

/* ERR_… with a sentence: nothing will come.  After it the exchange's loop does the rest. */
int exporting_begin(struct exporting **, struct exchange *, const struct export_wanted *, export_done_f *, void *arg,
		    struct fault *);
/* Nobody wants it any more: done() is not called, and it ends as soon as the store has answered. */
void exporting_forget(struct exporting *);
/* How the operator calls who observes (operator.name), or the sensor's name. */
const char *exporting_producer(const struct exchange *);
