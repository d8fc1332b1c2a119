/* The words of `kansoku scan` as options of a scan, within what a survey allows. */
#pragma once
#include "active/scan/scan.h"
#include "cli/command.h"
#include "cli/scan_permit.h"

struct scan_words {
	struct scan_options options;
	uint16_t ports[SCAN_PORTS_MAX];
	struct buffer payload;
	uint8_t router[6];
	struct scan_targets *targets;
};

extern const struct flag scan_flags[];
/* ERR_BAD: used wrongly; ERR_DENIED: the survey does not allow it; what is drawn is said in options. */
int scan_words_read(const struct arguments *, const struct scan_permit *, struct scan_words *, struct fault *);
void scan_words_done(struct scan_words *);
