/* The files of rules and products: read before a process gives up its rights. */
#include "analysis/exposures.h"
#include "base/place.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define DIRECTORIES_MAX 33
#define FILES_MAX 256

static int read_file(const char *path, struct buffer *out, struct fault *fault)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : 1;
	while (n > 0) {
		uint8_t *room = buffer_room(out, 65536);
		if (!room) {
			close(fd);
			return fault_set(fault, ERR_FULL, "%s: larger than %u bytes", path, EXPOSURE_FILE_MAX);
		}
		n = read(fd, room, 65536);
		if (n > 0)
			buffer_grown(out, (size_t)n);
	}
	if (fd >= 0)
		close(fd);
	return n < 0 ? fault_set(fault, ERR_SYSTEM, "%s: %s", path, strerror(errno)) : 0;
}

static int is_rules_file(const struct dirent *d)
{
	size_t n = strlen(d->d_name);
	return n > 5 && !strcmp(d->d_name + n - 5, ".yaml") && d->d_name[0] != '.';
}

/* `into` are the rules, or what is sought. */
static int take_file(struct exposures *x, struct exposure_rules *into, const char *directory, const char *file,
		     struct fault *fault)
{
	char path[PLACE_PATH_MAX];
	struct buffer text = BUFFER(EXPOSURE_FILE_MAX + 65536);
	snprintf(path, sizeof path, "%s/%s", directory, file);
	int bad = read_file(path, &text, fault);
	if (!bad && into == x->rules && !strcmp(file, "products.yaml")) {
		struct products *own = NULL;
		bad = products_open(&own, buffer_bytes(&text), path, fault);
		if (!bad) { /* a directory of the user's replaces ours */
			products_close(x->products);
			x->products = own;
		}
	} else if (!bad) {
		exposure_rules_add(into, buffer_bytes(&text), path);
	}
	buffer_done(&text);
	return bad;
}

static int take_directory(struct exposures *x, struct exposure_rules *into, const char *directory, struct fault *fault)
{
	struct dirent **names;
	int count = scandir(directory, &names, is_rules_file, alphasort), bad = 0;
	if (count < 0)
		return fault_set(fault, ERR_SYSTEM, "%s: %s", directory, strerror(errno));
	for (int i = 0; i < count; i++) {
		if (i < FILES_MAX && !bad)
			bad = take_file(x, into, directory, names[i]->d_name, fault);
		free(names[i]);
	}
	free(names);
	return bad;
}

int exposures_open(struct exposures *x, const char *const *directories, size_t count, struct fault *fault)
{
	char own[PLACE_PATH_MAX];
	*x = (struct exposures){0};
	if (count >= DIRECTORIES_MAX)
		return fault_set(fault, ERR_FULL, "exposure.rules: more than %d directories", DIRECTORIES_MAX - 1);
	int bad = exposure_rules_open(&x->rules) ? fault_set(fault, ERR_MEMORY, "exposure: no memory for rules") : 0;
	if (!bad && place_find("exposures", own) == 0)
		bad = take_directory(x, x->rules, own, fault);
	for (size_t i = 0; i < count && !bad; i++)
		bad = take_directory(x, x->rules, directories[i], fault);
	if (bad)
		exposures_close(x);
	return bad;
}

int exposures_open_seeks(struct exposures *x, const char *const *directories, size_t count, struct fault *fault)
{
	char own[PLACE_PATH_MAX];
	if (count >= DIRECTORIES_MAX)
		return fault_set(fault, ERR_FULL, "exposure.seeks: more than %d directories", DIRECTORIES_MAX - 1);
	int bad = seek_rules_open(&x->seeks) ? fault_set(fault, ERR_MEMORY, "exposure: no memory for seeks") : 0;
	if (!bad && place_find("fingerprints/seek", own) == 0)
		bad = take_directory(x, x->seeks, own, fault);
	for (size_t i = 0; i < count && !bad; i++)
		bad = take_directory(x, x->seeks, directories[i], fault);
	return bad;
}

int claim_rules_load(struct exposure_rules **out, const char *const *directories, size_t count, struct fault *fault)
{
	struct exposures x = {0};
	struct exposure_rules *claims;
	char own[PLACE_PATH_MAX];
	if (claim_rules_open(&claims))
		return fault_set(fault, ERR_MEMORY, "no memory for rules on claims");
	int bad = place_find("fingerprints/claims", own) == 0 ? take_directory(&x, claims, own, fault) : 0;
	for (size_t i = 0; i < count && !bad; i++)
		bad = take_directory(&x, claims, directories[i], fault);
	if (bad)
		exposure_rules_close(claims);
	else
		*out = claims;
	return bad;
}

void exposures_close(struct exposures *x)
{
	exposure_rules_close(x->rules);
	exposure_rules_close(x->seeks);
	products_close(x->products);
	weaknesses_close(x->index);
	*x = (struct exposures){0};
}
