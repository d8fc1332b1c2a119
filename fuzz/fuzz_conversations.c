/* Any bytes as the records of a capture whose conversations are read: no begin is longer than it may be. */
#include "cli/conversations.h"
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

struct seen {
	size_t count, bytes;
	uint64_t sum;
};

static void touch(struct seen *s, struct bytes b)
{
	if (b.len > CONVERSATION_BYTES_MAX)
		abort();
	for (size_t i = 0; i < b.len; i++)
		s->sum += b.at[i];
	s->bytes += b.len;
}

static bool take(void *arg, const struct conversation *c)
{
	struct seen *s = arg;
	touch(s, c->asked);
	touch(s, c->answered);
	return ++s->count < CONVERSATIONS_MAX;
}

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t n)
{
	static const uint8_t links[] = {0, 1, 12, 101, 108, 113, 228, 229, 20, 255};
	uint8_t header[24] = {0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, [18] = 1};
	char file[64];
	struct seen seen = {0};
	struct fault fault = {{0}};
	const int fd = n ? memfd_create("capture", MFD_CLOEXEC) : -1;
	if (fd < 0)
		return 0;
	header[20] = links[at[0] % sizeof links];
	header[21] = header[20] == 20; /* 276 */
	if (write(fd, header, sizeof header) < 0 || write(fd, at + 1, n - 1) < 0)
		abort();
	snprintf(file, sizeof file, "/proc/self/fd/%d", fd);
	const int bad = conversations_read(file, take, &seen, &fault);
	/* Each direction's bytes were in the file. */
	if ((bad != 0) != (fault.text[0] != 0) || seen.bytes > n || seen.sum == UINT64_MAX)
		abort();
	close(fd);
	return 0;
}
