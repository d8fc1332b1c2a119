#include "cli/signature_files.h"
#include "base/place.h"
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>

static int file_read(struct signatures *signatures, const char *path, struct fault *fault)
{
	struct buffer text = BUFFER(0);
	int bad = command_read_file(path, SIGNATURE_FILE_MAX, &text, fault);
	if (!bad)
		bad = signatures_add(signatures, buffer_bytes(&text), path, fault) ? ERR_MISSING : 0;
	buffer_done(&text);
	return bad;
}

static int is_signature_file(const struct dirent *entry)
{
	size_t n = strlen(entry->d_name);
	return n > 5 && entry->d_name[0] != '.' && !strcmp(entry->d_name + n - 5, ".yaml");
}

/* The shipped ones, in the order of their names, since the first rule that matches has a packet. */
static int signatures_shipped(struct signatures *signatures, struct fault *fault)
{
	char directory[PLACE_PATH_MAX], path[PLACE_PATH_MAX + 300];
	struct dirent **entries = NULL;
	if (place_find("fingerprints/telescope", directory))
		return fault_set(fault, ERR_MISSING, "fingerprints/telescope: the shipped signatures are not beside "
				 "the program");
	int n = scandir(directory, &entries, is_signature_file, alphasort), bad = 0;
	if (n < 0)
		return fault_set(fault, ERR_MISSING, "%s: %s, it should hold the shipped signatures", directory,
				 strerror(errno));
	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof path, "%s/%s", directory, entries[i]->d_name);
		if (!bad)
			bad = file_read(signatures, path, fault);
		free(entries[i]);
	}
	free(entries);
	return bad;
}

int signature_files_read(struct signatures **out, const struct arguments *a, struct fault *fault)
{
	const char *path;
	*out = NULL;
	if (signatures_open(out))
		return fault_set(fault, ERR_MEMORY, "no memory for the signatures");
	int bad = 0;
	for (size_t i = 0; !bad && (path = arguments_flag_nth(a, "signatures", i)); i++)
		bad = file_read(*out, path, fault);
	return bad ? bad : signatures_shipped(*out, fault);
}
