/*
 * Samples that were analysed, and what they have in common: same server, key, wallet or part, or
 * content that is alike.  Free of the bus; the role fills it from the store when it starts.
 *
 * A campaign is what shares more than likeness: its name is that of its first sample.
 */
#pragma once
#include "base/arena.h"
#include "lab/report.h"

#define KNOWN_SAMPLES_MAX 50000
#define KNOWN_TRAITS_MAX 500000
#define KNOWN_LINKS_MAX 64        /* of one sample that are told */
#define KNOWN_TRAIT_SAMPLES_MAX 2000 /* what so many share says nothing */
#define ALIKE_DISTANCE 40         /* of TLSH: told as alike */
#define SAME_DISTANCE 15          /* so near that it is one build after another */
#define CAMPAIGN_CHARS 14         /* "c-" and twelve digits */

struct known_samples;

int known_samples_open(struct known_samples **);
void known_samples_close(struct known_samples *);
/* When it was analysed last; 0: never. */
uint64_t known_samples_time_us(const struct known_samples *, const char *sha256);
size_t known_samples_count(const struct known_samples *);
/* Takes in one sample, or what is new of it; `campaign` NULL or "": none is known.  ERR_FULL, ERR_MEMORY. */
int known_samples_add(struct known_samples *, const char *sha256, const char *tlsh, const char *campaign, uint64_t time_us);
/* It has that: "command" and "198.51.100.3:23". */
int known_samples_trait(struct known_samples *, const char *sha256, const char *shares, struct bytes what);
/* What an indicator makes of a sample's belonging; NULL: nothing, it is too common or too weak. */
const char *known_samples_shares(const struct indicator *);
/*
 * The story's links to others, its campaign, and in `joined` how many samples that has; the sample was
 * added with its traits.  *news: it is the first that makes, or joins, or joins together.
 */
int known_samples_link(struct known_samples *, struct sample_story *, struct arena *, size_t *joined, bool *news);
