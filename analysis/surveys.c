#include "analysis/surveys_inner.h"
#include <stdlib.h>

#define TEXTS_MAX (512u << 20)
#define DAY_US 86400000000u

int surveys_open(struct surveys **out)
{
	struct surveys *s = calloc(1, sizeof *s);
	if (!s)
		return ERR_MEMORY;
	s->texts = ARENA(TEXTS_MAX);
	*out = s;
	return 0;
}

void surveys_close(struct surveys *s)
{
	if (!s)
		return;
	free(s->prefixes);
	free(s->domains);
	free(s->hosts);
	arena_done(&s->texts);
	free(s);
}

static int ordered(uint64_t a, uint64_t b) { return a < b ? -1 : a > b; }

/* Wider before narrower where they begin alike, so that whatever holds a prefix stands before it. */
static int prefix_order(const void *a, const void *b)
{
	const struct survey_prefix *x = a, *y = b;
	int by = memcmp(x->prefix.base.b, y->prefix.base.b, sizeof x->prefix.base.b);
	by = by ? by : ordered(x->prefix.bits, y->prefix.bits);
	return by ? by : ordered(x->order, y->order);
}

static int domain_order(const void *a, const void *b)
{
	const struct survey_domain *x = a, *y = b;
	int by = strcmp(x->name, y->name);
	return by ? by : ordered(x->order, y->order);
}

static int host_order(const void *a, const void *b)
{
	const struct survey_host *x = a, *y = b;
	int by = memcmp(x->address.b, y->address.b, sizeof x->address.b);
	return by ? by : ordered(x->order, y->order);
}

/* Of two lists that name the same prefix the younger is right, else the one that was added later. */
static bool replaces(const struct surveys *s, const struct survey_prefix *old, const struct survey_prefix *new)
{
	return s->lists[new->list].dated_us >= s->lists[old->list].dated_us;
}

static void seal_prefixes(struct surveys *s)
{
	size_t kept = 0;
	if (s->prefix_count)
		qsort(s->prefixes, s->prefix_count, sizeof *s->prefixes, prefix_order);
	for (size_t i = 0; i < s->prefix_count; i++) {
		struct survey_prefix *p = &s->prefixes[i], *last = kept ? &s->prefixes[kept - 1] : NULL;
		bool same = last && last->prefix.bits == p->prefix.bits &&
			    address_equal(&last->prefix.base, &p->prefix.base);
		if (same && !replaces(s, last, p))
			continue;
		if (same)
			last = --kept ? &s->prefixes[kept - 1] : NULL;
		p->parent = last ? (uint32_t)(kept - 1) : NO_PARENT;
		while (p->parent != NO_PARENT && !prefix_holds(&s->prefixes[p->parent].prefix, &p->prefix.base))
			p->parent = s->prefixes[p->parent].parent;
		s->prefixes[kept++] = *p;
	}
	s->prefix_count = kept;
}

void surveys_seal(struct surveys *s)
{
	size_t kept = 0;
	seal_prefixes(s);
	if (s->domain_count)
		qsort(s->domains, s->domain_count, sizeof *s->domains, domain_order);
	for (size_t i = 0; i < s->domain_count; i++) {
		if (kept && !strcmp(s->domains[kept - 1].name, s->domains[i].name))
			kept--;
		s->domains[kept++] = s->domains[i];
	}
	s->domain_count = kept;
	kept = 0;
	if (s->host_count)
		qsort(s->hosts, s->host_count, sizeof *s->hosts, host_order);
	for (size_t i = 0; i < s->host_count; i++) {
		if (kept && address_equal(&s->hosts[kept - 1].address, &s->hosts[i].address))
			kept--;
		s->hosts[kept++] = s->hosts[i];
	}
	s->host_count = kept;
}

static void match_fill(const struct surveys *s, const char *who, uint32_t list, struct survey_match *out)
{
	const struct survey_list *l = &s->lists[list];
	*out = (struct survey_match){who ? who : l->name, l->name, l->dated_us};
}

bool surveys_find(const struct surveys *s, const struct address *a, struct survey_match *out)
{
	size_t low = 0, high = s->prefix_count; /* the first that begins behind the address */
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (memcmp(s->prefixes[middle].prefix.base.b, a->b, sizeof a->b) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	/* What holds the address is the last that begins before it, or holds that one. */
	for (uint32_t at = low ? (uint32_t)(low - 1) : NO_PARENT; at != NO_PARENT; at = s->prefixes[at].parent)
		if (prefix_holds(&s->prefixes[at].prefix, a)) {
			match_fill(s, s->prefixes[at].who, s->prefixes[at].list, out);
			return true;
		}
	return false;
}

static int domain_compare(const void *key, const void *entry)
{
	return strcmp(key, ((const struct survey_domain *)entry)->name);
}

bool surveys_find_domain(const struct surveys *s, const char *host_name, struct survey_match *out)
{
	char lower[HOST_NAME_MAX_BYTES + 1];
	size_t n = strlen(host_name);
	if (n && host_name[n - 1] == '.')
		n--;
	if (n == 0 || n > HOST_NAME_MAX_BYTES || s->domain_count == 0)
		return false;
	for (size_t i = 0; i < n; i++)
		lower[i] = (char)(host_name[i] >= 'A' && host_name[i] <= 'Z' ? host_name[i] + 32 : host_name[i]);
	lower[n] = '\0';
	for (const char *at = lower; at; at = strchr(at, '.') ? strchr(at, '.') + 1 : NULL) {
		const struct survey_domain *d =
			bsearch(at, s->domains, s->domain_count, sizeof *s->domains, domain_compare);
		if (d) {
			match_fill(s, d->who, d->list, out);
			return true;
		}
	}
	return false;
}

static int host_compare(const void *key, const void *entry)
{
	const struct survey_host *h = entry;
	return memcmp(((const struct address *)key)->b, h->address.b, sizeof h->address.b);
}

const char *surveys_host_name(const struct surveys *s, const struct address *a)
{
	if (s->host_count == 0)
		return NULL;
	const struct survey_host *h = bsearch(a, s->hosts, s->host_count, sizeof *s->hosts, host_compare);
	return h ? h->name : NULL;
}

unsigned survey_age_days(const struct survey_match *m, uint64_t at_us)
{
	return at_us > m->dated_us ? (unsigned)((at_us - m->dated_us) / DAY_US) : 0;
}

struct surveys_counts surveys_counts(const struct surveys *s)
{
	return (struct surveys_counts){
		.lists = s->list_count,
		.prefixes = s->prefix_count,
		.domains = s->domain_count,
		.names = s->host_count,
		.skipped = s->skipped,
		.wide = s->wide,
	};
}
