/* What one visit saw, while it is put together: looks, what differs between them, reasons. */
#pragma once
#include "active/visit/visit.h"
#include "base/arena.h"

#define VIEW_REASONS_MAX 128
#define VIEW_DIFFERENCES_MAX 64

struct view {
	struct arena arena;
	struct visit_findings findings;
	struct visit_look looks[VISIT_LOOKS_MAX];
	struct visit_reason reasons[VIEW_REASONS_MAX];
	struct visit_difference differences[VIEW_DIFFERENCES_MAX];
	unsigned by_look[VISIT_LOOKS_MAX]; /* points of each */
};

/* Says why a page is remarkable; the same name once for each look, with the most points. */
void view_reason(struct view *, unsigned look, const char *name, unsigned points, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
void view_difference(struct view *, const char *what, unsigned one, unsigned other, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/* Reasons that one look gives by itself. */
void view_judge_look(struct view *, unsigned look);
/* Words in a look's texts that pages with exploits, miners and false alarms are known by. */
void view_judge_patterns(struct view *, unsigned look);
/* Compares a look with an earlier one and gives reasons. */
void view_compare(struct view *, unsigned one, unsigned other);
/* Points to a verdict. */
void view_conclude(struct view *);

/* "program", "script", "archive", "document" or NULL, by the first bytes and, for scripts, the name. */
const char *view_file_kind(struct bytes content, const char *name);
