/*
 * A lease of a survey that reads must write the same bytes again, and parts of a grant in any
 * order, cut anywhere, give a whole grant only of a lease with ports, a rate and a time.
 */
#include "control/policy.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void read_lease(const uint8_t *bytes, size_t n)
{
	struct reader r = reader_of(bytes, n);
	struct survey_lease lease;
	if (!survey_lease_read(&r, &lease))
		return;
	uint8_t again[SURVEY_LEASE_WIRE_MAX];
	struct writer w = writer_of(again, sizeof again);
	survey_lease_write(&lease, &w);
	if (w.bad || writer_used(&w) != n - reader_left(&r) || memcmp(again, bytes, writer_used(&w)))
		abort();
}

/* Each part: length u16, its bytes. */
static void read_grant(const uint8_t *bytes, size_t n)
{
	struct survey_grant *g;
	struct reader r = reader_of(bytes, n);
	const char *why;
	if (survey_grant_open(&g))
		return;
	while (reader_ok(&r) && reader_left(&r)) {
		struct bytes part = read_bytes(&r, read_u16(&r));
		if (reader_ok(&r) && survey_grant_read(g, part) < 0)
			break;
	}
	if (survey_grant_is_whole(g) &&
	    (!survey_grant_lease(g)->port_count || !survey_grant_lease(g)->rate || !survey_grant_revision(g)))
		abort();
	survey_grant_goes_on(g, &why);
	if (strlen(why) > 4096)
		abort();
	survey_grant_close(g);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct reader r = reader_of(bytes, n);
	struct survey_progress progress;
	survey_progress_read(&r, &progress);
	read_lease(bytes, n);
	read_grant(bytes, n);
	return 0;
}
