/* What static analysis and runs found, taken together; families and the verdict from it. */
#include "lab/report.h"
#include "lab/story_inner.h"
#include <stdlib.h>

#define HOW_MAX 256
#define REASONS_MAX 2048
#define FAMILY_POINTS 40 /* below, a guess is not named */
#define HOSTS_MAX 20000

struct merging {
	struct arena *arena;
	struct indicator *items;
	size_t count, room;
	size_t *slots; /* open addressing, number + 1 */
	size_t slot_count;
	bool full;
};

static uint64_t digest_of(const struct indicator *i)
{
	uint64_t h = 1469598103934665603u + (uint64_t)i->type; /* FNV-1a */
	for (size_t n = 0; n < i->value.len; n++)
		h = (h ^ i->value.at[n]) * 1099511628211u;
	return h ^ h >> 29;
}

/* How it was found, each way once. */
static const char *join_ways(struct arena *arena, const char *a, const char *b)
{
	char text[HOW_MAX];
	if (!b || !b[0] || (a && strstr(a, b)))
		return a ? a : "";
	if (!a || !a[0])
		return b;
	struct writer w = writer_of(text, sizeof text);
	write_fmt(&w, "%s, %s", a, b);
	const char *kept = w.bad ? NULL : arena_text(arena, writer_bytes(&w));
	return kept ? kept : a;
}

static void merge_one(struct merging *m, const struct indicator *i)
{
	size_t at = (size_t)digest_of(i) & (m->slot_count - 1);
	while (m->slots[at]) {
		struct indicator *known = &m->items[m->slots[at] - 1];
		if (known->type == i->type && bytes_equal(known->value, i->value)) {
			known->how = join_ways(m->arena, known->how, i->how);
			if (known->role == FOR_UNKNOWN)
				known->role = i->role;
			else if (i->role == FOR_VICTIM || i->role == FOR_CHECK) /* whoever that is, is left alone */
				known->role = i->role;
			if (i->confidence > known->confidence)
				known->confidence = i->confidence;
			return;
		}
		at = (at + 1) & (m->slot_count - 1);
	}
	if (m->count == m->room) {
		m->full = true;
		return;
	}
	m->items[m->count++] = *i;
	m->slots[at] = m->count;
}

static int role_rank(enum indicator_role role)
{
	static const int rank[INDICATOR_ROLES] = {
		[FOR_COMMAND] = 0, [FOR_REPORT] = 1, [FOR_DOWNLOAD] = 2, [FOR_PEER] = 3, [FOR_UNKNOWN] = 4, [FOR_CHECK] = 5,
		[FOR_VICTIM] = 6};
	return rank[role];
}

/* What matters most first; victims of a scan last. */
static int indicator_order(const void *a, const void *b)
{
	const struct indicator *x = a, *y = b;
	if (role_rank(x->role) != role_rank(y->role))
		return role_rank(x->role) - role_rank(y->role);
	if (x->confidence != y->confidence)
		return x->confidence > y->confidence ? -1 : 1;
	if (x->type != y->type)
		return x->type < y->type ? -1 : 1;
	size_t n = x->value.len < y->value.len ? x->value.len : y->value.len;
	int c = n ? memcmp(x->value.at, y->value.at, n) : 0;
	return c ? c : x->value.len < y->value.len ? -1 : x->value.len > y->value.len;
}

static int merge_indicators(struct sample_story *s, struct arena *arena)
{
	size_t all = s->findings->indicator_count;
	for (size_t i = 0; i < STORY_RUNS; i++)
		all += s->runs[i] ? s->runs[i]->indicator_count : 0;
	struct merging m = {.arena = arena, .room = all < HOSTS_MAX ? all : HOSTS_MAX, .slot_count = 16};
	while (m.slot_count < 2 * m.room + 2)
		m.slot_count *= 2;
	m.items = arena_alloc(arena, (m.room + 1) * sizeof *m.items);
	m.slots = calloc(m.slot_count, sizeof *m.slots);
	if (!m.items || !m.slots) {
		free(m.slots);
		return ERR_MEMORY;
	}
	for (size_t i = 0; i < s->findings->indicator_count; i++)
		merge_one(&m, &s->findings->indicators[i]);
	for (size_t r = 0; r < STORY_RUNS; r++)
		for (size_t i = 0; s->runs[r] && i < s->runs[r]->indicator_count; i++)
			merge_one(&m, &s->runs[r]->indicators[i]);
	free(m.slots);
	if (m.count)
		qsort(m.items, m.count, sizeof *m.items, indicator_order);
	s->indicators = m.items;
	s->indicator_count = m.count;
	if (m.full)
		story_limit(s, "story.indicators");
	return 0;
}

void story_limit(struct sample_story *s, const char *word)
{
	for (size_t i = 0; i < s->limit_count; i++)
		if (!strcmp(s->limits[i], word))
			return;
	if (s->limit_count < STORY_LIMITS_MAX)
		s->limits[s->limit_count++] = word;
}

static void gather_limits(struct sample_story *s)
{
	for (size_t i = 0; i < s->findings->limit_count; i++)
		story_limit(s, s->findings->limits[i]);
	for (size_t r = 0; r < STORY_RUNS; r++) {
		const struct run_findings *run = s->runs[r];
		for (size_t i = 0; run && i < run->limit_count; i++)
			story_limit(s, run->limits[i]);
		if (run && run->box.limit[0])
			story_limit(s, run->box.limit);
	}
}

static void weigh(unsigned *score, struct writer *why, unsigned points, const char *fmt, const char *what)
{
	*score = *score + points > 100 ? 100 : *score + points;
	if (writer_used(why))
		write_text(why, "; ");
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	write_fmt(why, fmt, what);
#pragma GCC diagnostic pop
}

static void weigh_runs(const struct sample_story *s, unsigned *score, struct writer *why)
{
	static const struct {
		enum behaviour_kind kind;
		unsigned points;
		const char *reason;
	} marks[] = {
		{DID_FLOOD, 60, "it flooded %s"},
		{DID_SCAN, 50, "it scanned for port %s"},
		{DID_COMMAND, 40, "it took orders from %s"},
		{DID_PERSIST, 25, "it made itself start again: %s"},
		{DID_HIDE, 15, "it hid: %s"},
		{DID_KILL, 15, "it ended %s"},
	};
	for (size_t m = 0; m < sizeof marks / sizeof *marks; m++) {
		const struct behaviour *b = NULL;
		for (size_t r = 0; !b && r < STORY_RUNS; r++)
			b = story_did(s->runs[r], marks[m].kind);
		if (b)
			weigh(score, why, marks[m].points, marks[m].reason, b->subject);
	}
}

/* Malicious needs more than one weak sign: a string alone never says so. */
static int judge(struct sample_story *s, struct arena *arena)
{
	char text[REASONS_MAX];
	struct writer why = writer_of(text, sizeof text);
	const struct family *family = lab_story_family(s);
	s->score = 0;
	if (family) {
		unsigned points = family->points < 70 ? family->points : 70;
		weigh(&s->score, &why, points, "it looks like %s", family->name);
	}
	if (s->findings->yara_count)
		weigh(&s->score, &why, 30, "the rule %s matches", s->findings->yara[0]);
	weigh_runs(s, &s->score, &why);
	for (size_t i = 0; i < s->indicator_count; i++) {
		const struct indicator *it = &s->indicators[i];
		if (it->role != FOR_COMMAND || it->confidence < 70)
			continue;
		char value[128];
		snprintf(value, sizeof value, "%.*s", (int)(it->value.len < 100 ? it->value.len : 100), (const char *)it->value.at);
		weigh(&s->score, &why, 25, "it names a command server, %s", value);
		break;
	}
	if (s->link_count)
		weigh(&s->score, &why, 15, "it belongs with %s", s->links[0].sha256);
	s->verdict = s->score >= 60 ? "malicious" : s->score >= 25 ? "suspicious" : "unknown";
	s->reasons = arena_text(arena, writer_bytes(&why));
	return s->reasons ? 0 : ERR_MEMORY;
}

const struct family *lab_story_family(const struct sample_story *s)
{
	return s->family_count && s->families[0].points >= FAMILY_POINTS ? &s->families[0] : NULL;
}

const struct behaviour *story_did(const struct run_findings *run, enum behaviour_kind kind)
{
	for (size_t i = 0; run && i < run->behaviour_count; i++)
		if (run->behaviours[i].kind == kind)
			return &run->behaviours[i];
	return NULL;
}

int lab_story_complete(struct sample_story *s, struct arena *arena)
{
	s->limit_count = 0;
	gather_limits(s);
	int bad = merge_indicators(s, arena);
	bad = bad ? bad : story_families(s, arena);
	return bad ? bad : judge(s, arena);
}
