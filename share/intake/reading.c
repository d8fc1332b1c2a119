/* A file read without a running kansoku, for `kansoku import --dry`. */
#include "share/share.h"
#include "share/intake/intake_inner.h"
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

static void on_network(void *arg, const struct network *n)
{
	const struct share_reading *reading = arg;
	reading->network(reading->arg, n);
}

static void on_as(void *arg, uint32_t as, struct bytes name, const char *country)
{
	const struct share_reading *reading = arg;
	reading->as(reading->arg, as, name, country);
}

int share_read(const struct format *format, int fd, const struct share_reading *reading, struct fault *fault)
{
	struct intake *in;
	static uint8_t piece[IMPORT_PART_MAX];
	const struct intake_hooks hooks = {.arg = (void *)(uintptr_t)reading, .record = on_record, .bad = on_bad,
					   .network = on_network, .as = on_as, .map = reading->map,
					   .file = reading->file};
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
