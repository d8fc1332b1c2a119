/*
 * Campaigns: sources that do the same within a while belong together.
 *
 * What they share is a feature: the digest or the URL of a file, the first credentials in their
 * order, the commands of a whole session, or their client software together with its first
 * credential.  When enough sources share one, they are a campaign, named by that feature's digest;
 * who shares it later joins.  A feature of a campaign's member that others share, too, belongs to
 * the same campaign.  Nobody leaves one for another.  Bounded: the feature that was quiet for
 * longest makes room (about 128 bytes each).
 */
#pragma once
#include "base/address.h"

#define CAMPAIGN_FOUNDERS_MAX 5
#define CAMPAIGN_TEXT_MAX 17

#define FEATURES(X)                                                                               \
	X(FILE,        "file",        "left the same file")                                       \
	X(URL,         "url",         "named the same URL of a file")                             \
	X(CREDENTIALS, "credentials", "began with the same credentials in the same order")        \
	X(COMMANDS,    "commands",    "gave the same commands in the same order")                 \
	X(CLIENT,      "client",      "used the same client software and the same first credential")

enum feature_kind {
#define X(kind, word, what) FEATURE_##kind,
	FEATURES(X)
#undef X
	FEATURE_KINDS
};
const char *feature_word(enum feature_kind);
const char *feature_what(enum feature_kind);
uint64_t feature_hash(enum feature_kind, struct bytes value); /* the same everywhere; never 0 */
char *campaign_text(uint64_t campaign, char text[CAMPAIGN_TEXT_MAX]);

struct campaigns;

struct sharing {
	uint64_t campaign;   /* 0: none yet */
	bool founded;        /* just now: the founders belong to it, too */
	size_t member_count;
	struct address members[CAMPAIGN_FOUNDERS_MAX]; /* those who founded it, without the source that asked */
};

int campaigns_open(struct campaigns **, size_t max, unsigned least, uint64_t window_us);
void campaigns_close(struct campaigns *);
/*
 * That source has that feature; `own` is the campaign to which it belongs, or 0.  What follows: the
 * campaign of the feature.
 */
struct sharing campaigns_share(struct campaigns *, uint64_t feature, const struct address *source,
			       uint64_t own, uint64_t now_us);
void campaigns_joined(struct campaigns *, uint64_t campaign); /* one more source */
uint32_t campaigns_sources(const struct campaigns *, uint64_t campaign);
/* It no longer stands among those who share something. */
void campaigns_forget(struct campaigns *, const struct address *source);
/* Those with a campaign, for the state; and back. */
void campaigns_each(const struct campaigns *, void (*each)(void *arg, uint64_t feature, uint64_t campaign,
			uint32_t sources, uint64_t seen_us), void *arg);
void campaigns_restore(struct campaigns *, uint64_t feature, uint64_t campaign, uint32_t sources, uint64_t seen_us);
