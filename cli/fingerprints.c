#include "cli/fingerprints.h"
#include "base/place.h"
#include <stdio.h>

#define DIRECTORIES_MAX 32

int fingerprints_open(const struct arguments *a, bool now, struct identify **out, struct fault *fault)
{
	char own[PLACE_PATH_MAX], found[PLACE_PATH_MAX];
	const char *directories[DIRECTORIES_MAX], *more, *cache = arguments_flag(a, "cache");
	size_t n = 0, skipped = 0;
	if (place_find("fingerprints", own) == 0)
		directories[n++] = own;
	for (size_t i = 0; (more = arguments_flag_nth(a, "rules", i)); i++) {
		if (n == DIRECTORIES_MAX)
			return fault_set(fault, ERR_FULL, "--rules: more than %d directories", DIRECTORIES_MAX);
		directories[n++] = more;
	}
	int bad = identify_open(out, directories, n, fault, &skipped);
	for (size_t i = 0; !bad && i < skipped && identify_complaint(*out, i); i++)
		fprintf(stderr, "kansoku: identify: %s\n", identify_complaint(*out, i));
	if (bad)
		return bad;
	/* Many banners are worth compiling for; what comes of it is kept where the user keeps such things. */
	if (!cache && place_cache(found) == 0)
		cache = found;
	identify_prefilter(*out, cache, now ? IDENTIFY_BUILD_NOW : IDENTIFY_BUILD_WHEN_BUSY);
	return 0;
}
