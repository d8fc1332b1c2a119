#include "passive/telescope/live/ledger.h"
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096

_Static_assert(sizeof(struct ledger) <= PAGE, "the ledger is one page");

int ledger_make(struct fault *fault)
{
	int fd = memfd_create("kansoku-telescope", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, PAGE)) {
		if (fd >= 0)
			close(fd);
		return fault_set(fault, ERR_SYSTEM, "telescope: no memory file: %s", strerror(errno));
	}
	return fd;
}

int ledger_open(struct ledger **out, int fd, struct fault *fault)
{
	void *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (page == MAP_FAILED)
		return fault_set(fault, ERR_SYSTEM, "telescope: the ledger cannot be mapped: %s", strerror(errno));
	*out = page;
	return 0;
}

void ledger_begin(struct ledger *l, uint64_t now_us)
{
	*l = (struct ledger){.running = 1, .started_us = now_us, .alive_us = now_us};
}

void ledger_close(struct ledger *l)
{
	if (!l)
		return;
	l->running = 0;
	munmap(l, PAGE);
}
