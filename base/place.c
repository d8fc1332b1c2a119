#include "base/place.h"
#include "base/error.h"
#include <libgen.h>
#include <stdio.h>
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
