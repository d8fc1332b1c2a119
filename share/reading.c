/* A file read without a running kansoku, for `kansoku import --dry`. */
#include "share/share.h"
#include "share/intake_inner.h"
#include <errno.h>
#include <unistd.h>

static bool on_record(void *arg, const struct record *r)
{
	const struct share_reading *reading = arg;
	reading->record(reading->arg, r);
	return true;
}

static void on_bad(void *arg, uint64_t line, const char *why)
{
	const struct share_reading *reading = arg;
	reading->bad(reading->arg, line, why);
}

int share_read(const struct format *format, int fd, const struct share_reading *reading, struct fault *fault)
{
	struct intake *in;
	static uint8_t piece[IMPORT_PART_MAX];
	const struct intake_hooks hooks = {(void *)(uintptr_t)reading, on_record, on_bad, NULL};
	int bad = intake_open(&in, format, "", &hooks, fault);
	if (bad)
		return bad;
	ssize_t n = 1;
	while (!bad && n > 0) {
		n = read(fd, piece, sizeof piece);
		if (n > 0)
			bad = intake_feed(in, (struct bytes){piece, (size_t)n}, fault);
	}
	if (n < 0)
		bad = fault_set(fault, ERR_SYSTEM, "%s", strerror(errno));
	int ended = bad ? 0 : intake_end(in, fault);
	intake_close(in);
	return bad ? bad : ended;
}
