/* Reports by name, written into buffers that grow. */
#include "active/visit/visit.h"

#define FIRST (256u << 10)

const struct visit_report *visit_report_find(const char *name)
{
	VISIT_REPORTS_EACH(r)
		if (!strcmp((*r)->name, name))
			return *r;
	return NULL;
}

int visit_report_write(const struct visit_report *report, const struct visit_findings *findings, struct buffer *out)
{
	for (size_t size = FIRST;; size *= 2) {
		const size_t left = out->max - buffer_len(out);
		const size_t n = size < left ? size : left;
		uint8_t *room = buffer_room(out, n);
		if (!room)
			return ERR_MEMORY;
		struct writer w = writer_of(room, n);
		report->write(findings, &w);
		if (!w.bad) {
			buffer_grown(out, writer_used(&w));
			return 0;
		}
		if (n == left)
			return ERR_FULL;
	}
}
