/* Which CVEs of the index apply to the products of a host. */
#include "analysis/exposure/applies_inner.h"
#include "analysis/exposure/index_inner.h"
#include <stdlib.h>

#define CANDIDATES_MAX 100000u
#define SURE_PERCENT 90
#define POSSIBLE_PERCENT 50
#define DISTRIBUTION_PERCENT 40

struct finding {
	struct weaknesses *index;
	struct host host;
	uint32_t *candidates;
	size_t count, room;
};

size_t software_read(struct bytes lines, struct software out[SOFTWARE_MAX])
{
	struct reader r = reader_of_bytes(lines);
	struct bytes line;
	size_t count = 0;
	while (count < SOFTWARE_MAX && reader_left(&r)) {
		uint64_t port, certainty;
		if (!read_line(&r, &line))
			line = read_rest(&r);
		struct bytes port_text = bytes_word(&line), certainty_text = bytes_word(&line), rule = bytes_word(&line),
			     cpe = bytes_word(&line);
		if (!bytes_number(port_text, 65535, &port) || !bytes_number(certainty_text, 100, &certainty) ||
		    !bytes_start_with(cpe, "cpe:"))
			continue;
		out[count++] = (struct software){cpe, line, rule, (uint16_t)port, (uint8_t)certainty};
	}
	return count;
}

const char *weakness_severity(const struct weakness *w)
{
	if (!w->cvss)
		return "unknown";
	return w->score >= 90 ? "critical" : w->score >= 70 ? "high" : w->score >= 40 ? "medium" : w->score ? "low" : "none";
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return x < y ? -1 : x > y;
}

static void add_candidates(struct finding *f, const struct index_product *p)
{
	if (f->count + p->count > f->room) {
		size_t wanted = f->room * 2 > f->count + p->count ? f->room * 2 : f->count + p->count;
		uint32_t *grown = wanted > CANDIDATES_MAX ? NULL : realloc(f->candidates, wanted * sizeof *grown);
		if (!grown)
			return; /* a product beyond the bound is in no feed */
		f->candidates = grown;
		f->room = wanted;
	}
	for (uint32_t i = 0; i < p->count; i++)
		f->candidates[f->count++] = index_posting(f->index, p->first + i);
}

static void find_candidates(struct finding *f)
{
	for (size_t i = 0; i < f->host.count; i++)
		for (size_t n = 0; n < f->host.items[i].name_count; n++) {
			const struct product_name *name = &f->host.items[i].names[n];
			struct index_product p;
			if (index_find_product(f->index, product_digest(name->vendor, name->product), &p))
				add_candidates(f, &p);
		}
	if (f->count)
		qsort(f->candidates, f->count, sizeof *f->candidates, by_number);
}

static void write_criteria(const struct record_match *m, char *text, size_t size)
{
	static const char *const words[] = {"from", "after", "up to", "before"};
	struct writer w = writer_of(text, size - 1);
	write_fmt(&w, "cpe:2.3:%.*s", (int)m->name_len, m->name);
	for (unsigned i = 0; i < MATCH_BOUNDS; i++)
		if (m->flags & MATCH_FROM << i)
			write_fmt(&w, " %s %.*s", words[i], (int)m->bounds[i].len, (const char *)m->bounds[i].at);
	*w.at = '\0';
	/* NVD's text is UTF-8 as it should be, or it is not told. */
	if (!bytes_is_utf8(bytes_of_text(text)))
		text[0] = '\0';
}

static void describe(const struct finding *f, const struct index_cve *cve, const struct record_head *h,
		     const struct applied *a, struct weakness *out)
{
	const struct host_product *p = a->product;
	char cpe[CPE_TEXT_MAX];
	struct index_known known;
	*out = (struct weakness){
		.possibly = a->truth == TRUTH_POSSIBLE,
		.distribution = p->distribution,
		.known = index_find_known(f->index, cve->key, &known),
		.published_us = h->published_us,
		.score = h->score,
		.cvss = h->cvss,
		.port = p->software->port,
		.summary = bytes_is_utf8(h->summary) ? h->summary : (struct bytes){0},
		.banner = p->software->banner,
		.rule = p->software->rule,
	};
	if (out->known) {
		out->added_us = known.added_us;
		out->ransomware = known.ransomware;
	}
	unsigned percent = out->distribution ? DISTRIBUTION_PERCENT : SURE_PERCENT;
	percent = out->possibly ? percent * POSSIBLE_PERCENT / 100 : percent;
	out->confidence = (uint8_t)(p->software->certainty * percent / 100);
	cve_format(cve->key, out->cve);
	cpe_format(&p->cpe, cpe);
	snprintf(out->cpe, sizeof out->cpe, "%.255s", cpe);
	write_criteria(&a->match, out->criteria, sizeof out->criteria);
	snprintf(out->condition, sizeof out->condition, "%s", a->condition);
	if (!bytes_is_utf8(bytes_of_text(out->condition)))
		out->condition[0] = '\0';
}

size_t weaknesses_find(struct weaknesses *index, const struct products *products, const struct software *software,
		       size_t count, bool (*each)(void *, const struct weakness *), void *arg)
{
	struct finding *f = calloc(1, sizeof *f);
	if (!f)
		return 0;
	f->index = index;
	host_open(&f->host, products, software, count);
	find_candidates(f);
	size_t looked_at = 0;
	bool goes_on = true;
	for (size_t i = 0; i < f->count && goes_on; i++) {
		if ((i && f->candidates[i] == f->candidates[i - 1]) || f->candidates[i] >= index->counts[SECTION_CVES])
			continue;
		struct index_cve cve = index_cve(index, f->candidates[i]);
		struct reader r = reader_of_bytes(index_record(index, &cve));
		struct record_head h;
		struct applied a;
		struct weakness w;
		looked_at++;
		if (!record_read_head(&r, &h) || h.flags & RECORD_REJECTED || !record_applies(&r, &h, &f->host, &a))
			continue;
		describe(f, &cve, &h, &a, &w);
		goes_on = each(arg, &w);
	}
	free(f->candidates);
	free(f);
	return looked_at;
}
