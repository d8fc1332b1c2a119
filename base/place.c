#include "base/place.h"
#include "base/error.h"
#include <errno.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int place_find(const char *name, char path[PLACE_PATH_MAX])
{
	static const char *const below[] = {"", "/..", "/../..", "/../share/kansoku"};
	char program[PLACE_PATH_MAX], candidate[PLACE_PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);
	program[n > 0 ? n : 0] = '\0';
	const char *directory = dirname(program);
	for (size_t i = 0; i <= sizeof below / sizeof *below; i++) {
		int length = i ? snprintf(candidate, sizeof candidate, "%s%s/%s", directory, below[i - 1], name)
			       : snprintf(candidate, sizeof candidate, "%s", name);
		if (length < 0 || length >= PLACE_PATH_MAX || access(candidate, R_OK | X_OK))
			continue;
		snprintf(path, PLACE_PATH_MAX, "%s", candidate);
		return 0;
	}
	return ERR_MISSING;
}

int place_cache(char path[PLACE_PATH_MAX])
{
	const char *named = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	bool is_named = named && *named == '/';
	if (!is_named && (!home || *home != '/'))
		return ERR_MISSING;
	char parent[PLACE_PATH_MAX];
	int n = snprintf(parent, sizeof parent, "%s%s", is_named ? named : home, is_named ? "" : "/.cache");
	if (n < 0 || n >= PLACE_PATH_MAX)
		return ERR_MISSING;
	n = snprintf(path, PLACE_PATH_MAX, "%s/kansoku", parent);
	if (n < 0 || n >= PLACE_PATH_MAX)
		return ERR_MISSING;
	if (mkdir(parent, 0700) != 0 && errno != EEXIST)
		return ERR_MISSING;
	return mkdir(path, 0700) == 0 || errno == EEXIST ? 0 : ERR_MISSING;
}
