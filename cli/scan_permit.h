/*
 * The permission of `kansoku scan`: from the running kansoku's control, or, where none runs, from the
 * configuration that one would run with.  Without either nothing is sent.
 */
#pragma once
#include "control/control.h"

struct scan_permit;
int scan_permit_open(struct scan_permit **, const struct config *, const char *survey, struct fault *);
void scan_permit_close(struct scan_permit *);
const struct survey_lease *scan_permit_lease(const struct scan_permit *);
const struct prefix_set *scan_permit_targets(const struct scan_permit *);
const struct prefix_set *scan_permit_excluded(const struct scan_permit *); /* stays where it is */
uint64_t scan_permit_ports_max(const struct scan_permit *);
const char *scan_permit_page(const struct scan_permit *); /* NULL: there is none */
const char *scan_permit_opt_out(const struct scan_permit *); /* the file, as far as it is read here; NULL */
/* The folder of the opt-outs that came by page, link or API; ERR_GONE: control tells of them. */
int scan_permit_register(const struct scan_permit *, char *path, size_t n);
bool scan_permit_is_of_control(const struct scan_permit *);
/*
 * Often, at most twice a second it does something: whether to go on; the excluded set may be another
 * one afterwards.  ERR_DENIED: stop sending, the fault says why.
 */
int scan_permit_keep(struct scan_permit *, const struct survey_progress *, struct fault *);
/* The last word to control: the round is over. */
void scan_permit_end(struct scan_permit *, const struct survey_progress *);
/* Hits for control to look at; how many it will, or a negative error.  Offline: 0. */
int64_t scan_permit_tell_hits(struct scan_permit *, struct bytes hits);
