#include "analysis/exposure/applies_inner.h"
#include "analysis/exposure/version_inner.h"
#include <ctype.h>

/* "2.4.6-90.el7" without what stands behind the first of "-9", "+", "~", " " or "_". */
static struct bytes upstream_of(struct bytes version)
{
	for (size_t i = 1; i < version.len; i++) {
		uint8_t c = version.at[i];
		bool number = i + 1 < version.len && isdigit(version.at[i + 1]);
		if (c == ' ' || c == '+' || c == '~' || c == '_' || (c == '-' && number))
			return (struct bytes){version.at, i};
	}
	return version;
}

static void take_software(struct host *h, struct host_product *p, const struct software *s)
{
	*p = (struct host_product){.software = s};
	if (cpe_parse(s->cpe, &p->cpe) || p->cpe.attributes[CPE_PRODUCT].kind != CPE_VALUE)
		return;
	p->name_count = products_names(h->products, &p->cpe, p->names);
	p->update_is_port = products_update_is_port(h->products, &p->cpe);
	if (p->cpe.attributes[CPE_VERSION].kind == CPE_VALUE)
		p->version = cpe_value(&p->cpe, CPE_VERSION);
	p->upstream = upstream_of(p->version);
	if (p->cpe.attributes[CPE_UPDATE].kind == CPE_VALUE && p->version.len) {
		p->release = p->version;
		p->update = cpe_value(&p->cpe, CPE_UPDATE);
	} else {
		version_split(p->upstream, &p->release, &p->update);
	}
	p->distribution = products_word_of_distribution(h->products, s->banner) ||
			  products_word_of_distribution(h->products, p->version);
	h->count++;
}

void host_open(struct host *h, const struct products *products, const struct software *software, size_t count)
{
	h->products = products;
	h->count = 0;
	h->windows = h->other_system = false;
	for (size_t i = 0; i < count && h->count < SOFTWARE_MAX; i++)
		take_software(h, &h->items[h->count], &software[i]);
	for (size_t i = 0; i < h->count; i++) {
		const struct host_product *system = &h->items[i];
		struct bytes part = cpe_value(&system->cpe, CPE_PART), vendor = cpe_value(&system->cpe, CPE_VENDOR);
		if (part.len != 1 || part.at[0] != 'o')
			continue;
		bool windows = bytes_start_with(cpe_value(&system->cpe, CPE_PRODUCT), "windows");
		h->windows |= windows;
		h->other_system |= !windows;
		for (size_t n = 0; n < h->count; n++)
			h->items[n].distribution |= h->items[n].software->port == system->software->port &&
						    products_vendor_is_distribution(products, vendor);
	}
}

static enum truth within(struct bytes version, const struct host_product *p, const struct record_match *m)
{
	bool undecided = false;
	for (unsigned i = 0; i < MATCH_BOUNDS; i++) {
		unsigned flag = MATCH_FROM << i;
		if (!(m->flags & flag))
			continue;
		struct bytes bound = m->bounds[i], bound_release, bound_update;
		int order = version_compare(version, bound);
		/* 4.2.8p10 and a bound of 4.2.8: it does not say which of its patch levels it means. */
		bool vague = p->update.len && !p->update_is_port && version_compare(p->release, bound) == 0 &&
			     !version_split(bound, &bound_release, &bound_update) && order != 0;
		bool holds = flag == MATCH_FROM ? order >= 0 : flag == MATCH_ABOVE ? order > 0
			     : flag == MATCH_UPTO ? order <= 0 : order < 0;
		if (!holds && !(vague && flag == MATCH_UPTO))
			return TRUTH_NO;
		undecided |= vague && (flag == MATCH_UPTO || flag == MATCH_ABOVE);
	}
	return undecided ? TRUTH_POSSIBLE : TRUTH_YES;
}

static enum truth is_release(const struct host_product *p, const struct cpe *criteria)
{
	const struct cpe_attribute *update = &criteria->attributes[CPE_UPDATE];
	struct bytes version = cpe_value(criteria, CPE_VERSION), wanted = cpe_value(criteria, CPE_UPDATE);
	bool whole = version_compare(p->version, version) == 0 || version_compare(p->upstream, version) == 0;
	if (!p->update.len) {
		if (!whole)
			return TRUTH_NO;
		return update->kind == CPE_VALUE ? TRUTH_POSSIBLE : TRUTH_YES;
	}
	if (!whole && version_compare(p->release, version) != 0)
		return TRUTH_NO;
	bool same_release = version_compare(p->release, version) == 0;
	if (update->kind == CPE_VALUE && same_release)
		return version_compare(p->update, wanted) == 0 ? TRUTH_YES : TRUTH_NO;
	if (update->kind == CPE_NA && same_release)
		return p->update_is_port ? TRUTH_YES : TRUTH_NO;
	return update->kind == CPE_VALUE ? TRUTH_POSSIBLE : TRUTH_YES;
}

static enum truth ranged(const struct host_product *p, const struct record_match *m)
{
	bool port = p->update_is_port && p->update.len;
	enum truth whole = within(port ? p->release : p->version, p, m);
	if (port || p->upstream.len == p->version.len)
		return whole;
	/* 2.4.6-90.el7: a bound means the maker's number, but who knows whose numbers these are. */
	enum truth upstream = within(p->upstream, p, m);
	return whole == upstream ? whole : TRUTH_POSSIBLE;
}

enum truth version_applies(const struct host_product *p, const struct cpe *criteria, const struct record_match *m)
{
	const struct cpe_attribute *version = &criteria->attributes[CPE_VERSION];
	bool bounded = m->flags & (MATCH_FROM | MATCH_ABOVE | MATCH_UPTO | MATCH_BELOW);
	if (version->kind == CPE_NA)
		return p->cpe.attributes[CPE_VERSION].kind == CPE_NA ? TRUTH_POSSIBLE : TRUTH_UNKNOWN;
	if (version->kind == CPE_ANY && !bounded)
		return TRUTH_YES;
	if (!p->version.len)
		return TRUTH_UNKNOWN;
	if (bounded)
		return ranged(p, m);
	if (version->wild)
		return cpe_attribute_compare(criteria, &p->cpe, CPE_VERSION) == CPE_SUPERSET ? TRUTH_YES : TRUTH_NO;
	return is_release(p, criteria);
}

static bool is_named(const struct host_product *p, const struct cpe *criteria)
{
	const struct cpe_attribute *part = &criteria->attributes[CPE_PART], *own = &p->cpe.attributes[CPE_PART];
	if (part->kind == CPE_VALUE && own->kind == CPE_VALUE &&
	    !bytes_equal(cpe_value(criteria, CPE_PART), cpe_value(&p->cpe, CPE_PART)))
		return false;
	for (size_t i = 0; i < p->name_count; i++)
		if (bytes_equal(cpe_value(criteria, CPE_VENDOR), p->names[i].vendor) &&
		    bytes_equal(cpe_value(criteria, CPE_PRODUCT), p->names[i].product))
			return true;
	return false;
}

/* Editions and the systems a build is for: a value against none known leaves it open. */
static enum truth others_apply(const struct host_product *p, const struct cpe *criteria, enum truth so_far)
{
	for (int a = CPE_EDITION; a < CPE_ATTRIBUTES && so_far != TRUTH_NO; a++) {
		enum cpe_relation r = cpe_attribute_compare(criteria, &p->cpe, (enum cpe_attribute_name)a);
		bool none = criteria->attributes[a].kind == CPE_NA;
		if (r == CPE_DISJOINT && !none)
			return TRUTH_NO;
		if (r == CPE_SUBSET && !none && so_far == TRUTH_YES)
			so_far = TRUTH_POSSIBLE;
	}
	return so_far;
}

/* No name of the host is that product.  Of Windows and all other systems, one excludes the other. */
static enum truth unnamed(const struct host *h, const struct cpe *criteria)
{
	struct bytes part = cpe_value(criteria, CPE_PART);
	if (part.len != 1 || part.at[0] != 'o')
		return TRUTH_UNKNOWN;
	bool windows = bytes_equal_text(cpe_value(criteria, CPE_VENDOR), "microsoft");
	bool excluded = windows ? h->other_system && !h->windows : h->windows && !h->other_system;
	return excluded ? TRUTH_NO : TRUTH_UNKNOWN;
}

static enum truth match_applies(const struct host *h, const struct record_match *m, const struct host_product **out)
{
	struct cpe criteria;
	*out = NULL;
	if (cpe_parse((struct bytes){(const uint8_t *)m->name, m->name_len}, &criteria))
		return TRUTH_UNKNOWN;
	enum truth best = TRUTH_NO;
	bool named = false;
	for (size_t i = 0; i < h->count; i++) {
		const struct host_product *p = &h->items[i];
		if (!is_named(p, &criteria))
			continue;
		named = true;
		enum truth t = others_apply(p, &criteria, version_applies(p, &criteria, m));
		if (t > best) {
			best = t;
			*out = p;
		}
	}
	return named ? best : unnamed(h, &criteria);
}

static enum truth negated(enum truth t)
{
	return t == TRUTH_YES ? TRUTH_NO : t == TRUTH_NO ? TRUTH_YES : TRUTH_UNKNOWN;
}

/* AND and OR so far; an AND of which a part is open stays possible, as long as something was hit. */
struct combined {
	uint8_t op;
	bool any_no, any_open, begun;
	enum truth best;
};

static void combine(struct combined *c, enum truth t)
{
	c->begun = true;
	c->any_no |= t == TRUTH_NO;
	c->any_open |= t == TRUTH_UNKNOWN || t == TRUTH_POSSIBLE;
	c->best = t > c->best ? t : c->best;
}

static enum truth combined(const struct combined *c)
{
	enum truth t = c->best;
	if (!c->begun)
		t = TRUTH_UNKNOWN;
	else if (c->op & RECORD_AND)
		t = c->any_no ? TRUTH_NO : c->any_open ? (c->best >= TRUTH_POSSIBLE ? TRUTH_POSSIBLE : TRUTH_UNKNOWN) : TRUTH_YES;
	return c->op & RECORD_NEGATED ? negated(t) : t;
}

/* One configuration on its way. */
struct reading {
	struct reader *r;
	const struct host *host;
	struct record_match match; /* the last one: the next name shares with it */
	struct applied here;
	unsigned open; /* conditions that are not known */
};

static void note_condition(struct reading *t)
{
	struct bytes product = record_product(&t->match);
	if (t->open++ == 0)
		snprintf(t->here.condition, sizeof t->here.condition, "%.*s", (int)(product.len < 80 ? product.len : 80),
			 product.len ? (const char *)product.at : "");
}

static enum truth read_node(struct reading *t)
{
	struct combined all = {.op = read_u8(t->r)};
	for (uint32_t left = read_u32(t->r); left && record_read_match(t->r, &t->match); left--) {
		const struct host_product *product;
		bool vulnerable = t->match.flags & MATCH_VULNERABLE;
		enum truth truth = match_applies(t->host, &t->match, &product);
		combine(&all, truth);
		if (truth == TRUTH_UNKNOWN && !vulnerable)
			note_condition(t);
		if (!vulnerable || truth < TRUTH_POSSIBLE || truth <= t->here.truth)
			continue;
		t->here.truth = truth;
		t->here.product = product;
		t->here.match = t->match;
	}
	return combined(&all);
}

static void close_condition(struct reading *t)
{
	char product[100];
	if (t->here.truth == TRUTH_YES) {
		t->here.condition[0] = '\0';
		return;
	}
	snprintf(product, sizeof product, "%.99s", t->here.condition);
	if (t->open == 0)
		snprintf(t->here.condition, sizeof t->here.condition, "its version or edition does not decide it");
	else if (t->open == 1)
		snprintf(t->here.condition, sizeof t->here.condition, "only with %s", product);
	else
		snprintf(t->here.condition, sizeof t->here.condition, "only with %s or another of %u", product, t->open);
}

bool record_applies(struct reader *r, const struct record_head *h, const struct host *host, struct applied *out)
{
	struct reading t = {.r = r, .host = host};
	*out = (struct applied){.truth = TRUTH_NO};
	for (unsigned c = 0; c < h->configurations && reader_ok(r); c++) {
		struct combined all = {.op = read_u8(r)};
		t.here = (struct applied){.truth = TRUTH_NO};
		t.open = 0;
		for (unsigned nodes = read_u16(r); nodes && reader_ok(r); nodes--)
			combine(&all, read_node(&t));
		enum truth whole = combined(&all);
		t.here.truth = whole < t.here.truth ? whole : t.here.truth;
		close_condition(&t);
		if (t.here.truth > out->truth)
			*out = t.here;
	}
	return reader_ok(r) && out->truth >= TRUTH_POSSIBLE;
}
