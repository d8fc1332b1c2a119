/* Any bytes as a pcap file, also packed: the header is given, so that they are its records. */
#include "passive/telescope/capture_inner.h"
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static const uint8_t header[24] = {0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, [18] = 1, [20] = 1};

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t n)
{
	struct capture *c;
	struct fault fault = {{0}};
	struct capture_frame frames[32];
	int fd = memfd_create("capture", MFD_CLOEXEC), got;
	bool bare = n && at[0] & 1; /* then the header has to be made up, too */
	if (fd < 0 || n == 0)
		return close(fd), 0;
	if ((!bare && write(fd, header, sizeof header) < 0) || write(fd, at + 1, n - 1) < 0 || lseek(fd, 0, SEEK_SET))
		abort();
	if (capture_open_fd(&c, fd, "fuzz", &fault) < 0)
		return fault.text[0] ? 0 : (abort(), 0);
	uint64_t sum = 0;
	while ((got = capture_read(c, frames, 1 + at[0] % 32, &fault)) > 0)
		for (int i = 0; i < got; i++)
			for (size_t k = 0; k < frames[i].frame.len; k++)
				sum += frames[i].frame.at[k];
	if ((got < 0) != (fault.text[0] != 0) || sum == UINT64_MAX)
		abort();
	capture_close(c);
	return 0;
}
