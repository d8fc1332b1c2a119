/* Signatures from the files that the parent opened. */
#include "passive/telescope/live/live_inner.h"
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int add_file(struct signatures *s, const struct process_fd *f, struct fault *fault)
{
	const char *name = f->name + strlen(LIVE_FD_SIGNATURES);
	const char *colon = strchr(name, ':');
	struct stat st;
	name = colon ? colon + 1 : name;
	if (fstat(f->fd, &st) || st.st_size > SIGNATURE_FILE_MAX)
		return fault_set(fault, ERR_FULL, "%s: larger than %u bytes", name, SIGNATURE_FILE_MAX);
	size_t size = (size_t)st.st_size;
	uint8_t *text = malloc(size + 1);
	if (!text)
		return fault_set(fault, ERR_MEMORY, "%s: no memory to read it", name);
	/* From its start: a process before us may have read it through the same descriptor. */
	int bad = pread(f->fd, text, size, 0) == (ssize_t)size
			  ? signatures_add(s, (struct bytes){text, size}, name, fault)
			  : fault_set(fault, ERR_SYSTEM, "%s: cannot be read", name);
	free(text);
	return bad;
}

int live_signatures_open(struct live *l, struct fault *fault)
{
	int bad = signatures_open(&l->signatures);
	if (bad)
		return fault_set(fault, bad, "telescope: no memory for signatures");
	for (size_t i = 0; i < l->process->fds_count && !bad; i++)
		if (!strncmp(l->process->fds[i].name, LIVE_FD_SIGNATURES, strlen(LIVE_FD_SIGNATURES)))
			bad = add_file(l->signatures, &l->process->fds[i], fault);
	return bad;
}
