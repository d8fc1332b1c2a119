/* Events to notices, and notices to what may be sent now. */
#include "share/notify/notify_inner.h"

int gather_add(struct gather *g, const char *rule, struct event *e, uint64_t utc_us, uint64_t now_us)
{
	for (size_t i = 0; i < g->count; i++) {
		struct notice *n = &g->items[i].notice->notice;
		if (!strcmp(n->rule, rule)) {
			n->count++;
			n->last_us = e->time_us ? e->time_us : utc_us;
			return 0;
		}
	}
	if (g->count == GATHERED_MAX)
		return ERR_FULL;
	struct shared_notice *notice = notice_of(rule, e, utc_us);
	if (!notice)
		return ERR_MEMORY;
	g->items[g->count++] = (struct gathered){notice, now_us + g->every_us};
	return 0;
}

struct shared_notice *gather_due(struct gather *g, uint64_t now_us)
{
	for (size_t i = 0; i < g->count; i++) {
		if (g->items[i].due_us > now_us)
			continue;
		struct shared_notice *notice = g->items[i].notice;
		g->count--;
		memmove(&g->items[i], &g->items[i + 1], (g->count - i) * sizeof *g->items);
		return notice;
	}
	return NULL;
}

/* Whether one more, after those that wait already, would be within the hour's limit. */
static bool is_within(const struct line *l, uint64_t now_us)
{
	size_t used = l->count;
	for (size_t i = 0; i < l->most && i < l->sent_count; i++)
		used += now_us < l->sent_us[i] + HOUR_US;
	return used < l->most;
}

void line_add(struct line *l, struct shared_notice *n, uint64_t now_us)
{
	if (l->count == LINE_MAX_NOTICES || !is_within(l, now_us)) {
		l->left_out += n->notice.count;
		return;
	}
	n->holders++;
	l->waiting[l->count++] = n;
}

bool line_next(struct line *l, uint64_t now_us, struct notice *out)
{
	if (!l->count || now_us < l->retry_us)
		return false;
	*out = l->waiting[0]->notice;
	out->left_out = l->told = l->left_out;
	return true;
}

static void leave_line(struct line *l)
{
	notice_drop(l->waiting[0]);
	l->count--;
	memmove(l->waiting, l->waiting + 1, l->count * sizeof *l->waiting);
	l->tries = 0;
}

bool line_sent(struct line *l, bool sent, uint64_t now_us)
{
	const bool changed = l->failing == sent;
	l->failing = !sent;
	if (sent) {
		l->sent_us[l->sent_count++ % l->most] = now_us;
		l->left_out -= l->told;
		l->retry_us = 0;
		leave_line(l);
		return changed;
	}
	uint64_t pause = (uint64_t)RETRY_FIRST_US << l->tries;
	l->retry_us = now_us + (pause < RETRY_LAST_US ? pause : RETRY_LAST_US);
	if (++l->tries == TRIES_MAX) {
		l->left_out += l->waiting[0]->notice.count;
		leave_line(l);
		l->tries = TRIES_MAX - 1; /* the next one is tried at the same slow pace, once */
	}
	return changed;
}

void line_done(struct line *l)
{
	while (l->count)
		leave_line(l);
}
