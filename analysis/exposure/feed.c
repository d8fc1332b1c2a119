#include "analysis/exposure/feed_inner.h"
#include "event/event.h"
#include <ctype.h>
#include <jansson.h>

#define NUMBER_DIGITS_MAX 12

bool cve_parse(struct bytes text, cve_key *out)
{
	uint64_t year, number;
	if (!bytes_start_with(text, "CVE-") || text.len < 10 || text.at[8] != '-' || text.len > 9 + NUMBER_DIGITS_MAX)
		return false;
	struct bytes rest = {text.at + 9, text.len - 9};
	if (!bytes_number((struct bytes){text.at + 4, 4}, 9999, &year) || !bytes_number(rest, ((uint64_t)1 << 40) - 1, &number))
		return false;
	*out = year << 40 | number;
	return true;
}

char *cve_format(cve_key key, char text[CVE_TEXT_MAX])
{
	snprintf(text, CVE_TEXT_MAX, "CVE-%04u-%04llu", (unsigned)(key >> 40 & 0x3fff),
		 (unsigned long long)(key & (((uint64_t)1 << 40) - 1)));
	return text;
}

static struct bytes text_of(const json_t *value)
{
	return json_is_string(value) ? (struct bytes){(const uint8_t *)json_string_value(value), json_string_length(value)}
				     : (struct bytes){0};
}

/* "2024-11-21T03:05:23.123", "2023-11-07T03:39Z", "2023-11-07": UTC all of them. */
static uint64_t time_of(const json_t *value)
{
	struct bytes text = text_of(value);
	char whole[TIME_TEXT_MAX];
	uint64_t us = 0;
	if (text.len >= 19)
		snprintf(whole, sizeof whole, "%.19sZ", (const char *)text.at);
	else if (text.len >= 16)
		snprintf(whole, sizeof whole, "%.16s:00Z", (const char *)text.at);
	else
		snprintf(whole, sizeof whole, "%.*s", (int)text.len, text.len ? (const char *)text.at : "");
	return time_parse(bytes_of_text(whole), &us) ? us : 0;
}

static const json_t *metric_of(const json_t *metrics, const char *name)
{
	const json_t *list = json_object_get(metrics, name), *metric;
	size_t i;
	json_array_foreach(list, i, metric) {
		const char *type = json_string_value(json_object_get(metric, "type"));
		if (type && !strcmp(type, "Primary"))
			return metric;
	}
	return json_array_get(list, 0);
}

static void take_score(struct record_head *h, const json_t *cvss, uint8_t version)
{
	double score = json_number_value(json_object_get(cvss, "baseScore"));
	if (h->cvss || !json_is_number(json_object_get(cvss, "baseScore")) || !(score >= 0 && score <= 10))
		return;
	h->score = (uint8_t)(score * 10 + 0.5);
	h->cvss = version;
}

static void take_scores(struct record_head *h, const json_t *cve, const json_t *item)
{
	static const struct {
		const char *name;
		uint8_t version;
	} metrics[] = {{"cvssMetricV31", 31}, {"cvssMetricV30", 30}, {"cvssMetricV40", 40}, {"cvssMetricV2", 20}};
	const json_t *all = json_object_get(cve, "metrics"), *impact = json_object_get(item, "impact");
	for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++)
		take_score(h, json_object_get(metric_of(all, metrics[i].name), "cvssData"), metrics[i].version);
	const json_t *v3 = json_object_get(json_object_get(impact, "baseMetricV3"), "cvssV3");
	const char *version = json_string_value(json_object_get(v3, "version"));
	take_score(h, v3, version && !strcmp(version, "3.0") ? 30 : 31);
	take_score(h, json_object_get(json_object_get(impact, "baseMetricV2"), "cvssV2"), 20);
}

/* The first sentences in English, cut between letters and without what a terminal would obey. */
static void take_summary(struct record_head *h, const json_t *list, char room[RECORD_SUMMARY_MAX])
{
	const json_t *one;
	size_t i, n = 0;
	struct bytes text = {0};
	json_array_foreach(list, i, one) {
		const char *language = json_string_value(json_object_get(one, "lang"));
		if (language && !strncmp(language, "en", 2) && !text.len)
			text = text_of(json_object_get(one, "value"));
	}
	for (; n < text.len && n < RECORD_SUMMARY_MAX; n++)
		room[n] = (char)(text.at[n] < ' ' || text.at[n] == 0x7f ? ' ' : text.at[n]);
	while (n < text.len && n && (text.at[n] & 0xc0) == 0x80)
		n--;
	h->summary = (struct bytes){(const uint8_t *)room, n};
}

struct writing {
	struct writer *w;
	struct record_match match, before;
	bool first;
	size_t matches;
	int bad;
};

static int operator_of(const json_t *node)
{
	const char *name = json_string_value(json_object_get(node, "operator"));
	int op = name && !strcmp(name, "AND") ? RECORD_AND : RECORD_OR;
	return op | (json_is_true(json_object_get(node, "negate")) ? RECORD_NEGATED : 0);
}

static void take_match(struct writing *t, const json_t *item)
{
	static const char *const bounds[] = {"versionStartIncluding", "versionStartExcluding", "versionEndIncluding",
					     "versionEndExcluding"};
	struct record_match *m = &t->match;
	struct bytes name = text_of(json_object_get(item, "criteria"));
	if (!name.len)
		name = text_of(json_object_get(item, "cpe23Uri"));
	*m = (struct record_match){.flags = json_is_true(json_object_get(item, "vulnerable")) ? MATCH_VULNERABLE : 0};
	if (!bytes_start_with(name, "cpe:2.3:") || ++t->matches > RECORD_MATCHES_MAX) {
		t->bad = ERR_BAD;
		return;
	}
	name = (struct bytes){name.at + 8, name.len - 8};
	while (name.len > 2 && name.at[name.len - 1] == '*' && name.at[name.len - 2] == ':')
		name.len -= 2;
	if (name.len > sizeof m->name) {
		t->bad = ERR_BAD;
		return;
	}
	for (size_t i = 0; i < name.len; i++)
		m->name[i] = (char)tolower(name.at[i]);
	m->name_len = name.len;
	for (unsigned i = 0; i < MATCH_BOUNDS; i++) {
		struct bytes bound = text_of(json_object_get(item, bounds[i]));
		if (bound.len == 0 || bound.len > 255)
			continue;
		m->flags |= (uint8_t)(MATCH_FROM << i);
		m->bounds[i] = bound;
	}
	record_write_match(t->w, m, t->first ? NULL : &t->before);
	t->before = *m;
	t->first = false;
}

static size_t count_of(const json_t *list, size_t max, struct writing *t)
{
	size_t n = json_array_size(list);
	if (n > max)
		t->bad = ERR_FULL;
	return n;
}

static void take_node(struct writing *t, const json_t *node)
{
	const json_t *list = json_object_get(node, "cpeMatch"), *item;
	size_t i;
	if (!list)
		list = json_object_get(node, "cpe_match");
	write_u8(t->w, (uint8_t)operator_of(node));
	write_u32(t->w, (uint32_t)count_of(list, RECORD_MATCHES_MAX, t));
	json_array_foreach(list, i, item)
		if (!t->bad)
			take_match(t, item);
}

static void take_configuration(struct writing *t, const json_t *configuration)
{
	const json_t *nodes = json_object_get(configuration, "nodes"), *node;
	size_t i, count;
	/* In feeds 1.1 a configuration is a node, which has children or is its only one. */
	if (!nodes)
		nodes = json_object_get(configuration, "children");
	count = count_of(nodes, RECORD_NODES_MAX, t);
	bool alone = count == 0;
	write_u8(t->w, (uint8_t)(alone ? RECORD_OR : operator_of(configuration)));
	write_u16(t->w, (uint16_t)(alone ? 1 : count));
	if (alone)
		take_node(t, configuration);
	json_array_foreach(nodes, i, node)
		if (!t->bad)
			take_node(t, node);
}

static int read_cve(const json_t *cve, const json_t *item, struct feed_entry *out, struct writer *w)
{
	char summary[RECORD_SUMMARY_MAX];
	struct record_head h = {0};
	struct writing t = {.w = w, .first = true};
	const json_t *id = json_object_get(cve, "id"), *configurations = json_object_get(cve, "configurations"), *one;
	const char *status = json_string_value(json_object_get(cve, "vulnStatus"));
	size_t i;
	bool older = !id;
	if (older)
		id = json_object_get(json_object_get(cve, "CVE_data_meta"), "ID");
	if (!cve_parse(text_of(id), &out->key))
		return ERR_BAD;
	h.modified_us = time_of(json_object_get(older ? item : cve, older ? "lastModifiedDate" : "lastModified"));
	h.published_us = time_of(json_object_get(older ? item : cve, older ? "publishedDate" : "published"));
	if (older)
		configurations = json_object_get(json_object_get(item, "configurations"), "nodes");
	take_scores(&h, cve, item);
	take_summary(&h, older ? json_object_get(json_object_get(cve, "description"), "description_data")
			       : json_object_get(cve, "descriptions"), summary);
	h.flags = status && !strcmp(status, "Rejected") ? RECORD_REJECTED : 0;
	h.configurations = (unsigned)count_of(configurations, RECORD_CONFIGURATIONS_MAX, &t);
	record_write_head(w, &h);
	json_array_foreach(configurations, i, one)
		if (!t.bad)
			take_configuration(&t, one);
	out->kind = FEED_NVD;
	out->modified_us = h.modified_us;
	return t.bad ? t.bad : w->bad ? ERR_FULL : 0;
}

static int read_known(const json_t *item, struct feed_entry *out)
{
	const char *ransomware = json_string_value(json_object_get(item, "knownRansomwareCampaignUse"));
	out->kind = FEED_KEV;
	out->added_us = time_of(json_object_get(item, "dateAdded"));
	out->due_us = time_of(json_object_get(item, "dueDate"));
	out->ransomware = ransomware && !strcmp(ransomware, "Known");
	return cve_parse(text_of(json_object_get(item, "cveID")), &out->key) && out->added_us ? 0 : ERR_BAD;
}

int feed_read(struct bytes element, struct feed_entry *out, struct writer *record)
{
	json_t *item = json_loadb((const char *)element.at, element.len, 0, NULL);
	const json_t *cve = json_object_get(item, "cve");
	*out = (struct feed_entry){0};
	int bad = ERR_BAD;
	if (json_is_object(cve))
		bad = read_cve(cve, item, out, record);
	else if (item)
		bad = read_known(item, out);
	json_decref(item);
	return bad;
}
