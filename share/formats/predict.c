/*
 * Descriptions of data sets, as PREDICT (later IMPACT) lists them in its catalogue: who has what, from when to when,
 * and under which terms.  A description says what could be asked for; it names no attacker.
 */
#include "share/reading/json_inner.h"
#include "share/reading/words_inner.h"

FIELD(field_host, "dataset.host", BYTES, 0, "who keeps the data and hands it out");
FIELD(field_terms, "dataset.restriction", BYTES, 0, "terms under which it is given: unrestricted, quasi-restricted, restricted");
FIELD(field_about, "dataset.description", BYTES, 0, "what is in it");
FIELD(field_format, "dataset.format", BYTES, 0, "files that it consists of");
FIELD(field_size, "dataset.size", BYTES, 0, "how large it is, as its host says");

#define CONFIDENCE_CATALOGUE 100
#define ENTRIES_MAX 100000

static struct bytes first_text(const json_t *entry, const char *const *keys)
{
	struct bytes text = {0};
	for (; *keys && !text.len; keys++)
		text = json_text(entry, *keys);
	return text;
}

static uint64_t first_time(const json_t *entry, const char *const *keys)
{
	uint64_t time_us = 0;
	for (; *keys && !time_us; keys++)
		time_us = json_time(entry, *keys);
	return time_us;
}

#define KEYS(...) (const char *const[]){__VA_ARGS__, NULL}

static struct bytes cut(struct bytes b, size_t max) { return (struct bytes){b.at, b.len < max ? b.len : max}; }

static const char *marking_of(const json_t *entry)
{
	static const char *const words[] = {"RED", "AMBER+STRICT", "AMBER", "GREEN", "CLEAR"};
	struct bytes word = json_text(entry, "tlp");
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (bytes_equal_nocase(word, words[i]))
			return words[i];
	return word.len ? words[0] : NULL; /* one that nobody knows counts as the strictest */
}

static void take_entry(struct intake *in, const json_t *entry)
{
	struct record r = {.type = "dataset", .confidence = CONFIDENCE_CATALOGUE};
	r.id = r.value = first_text(entry, KEYS("id", "dataset_id", "doi"));
	r.title = first_text(entry, KEYS("title", "name", "dataset_name"));
	r.author = first_text(entry, KEYS("provider", "provider_name", "producer"));
	r.link = first_text(entry, KEYS("url", "link", "landing_page"));
	r.labels = json_words(in, json_object_get(entry, "keywords"));
	r.tlp = marking_of(entry);
	r.original = json_line(in, entry);
	if (!r.value.len || !r.title.len) {
		intake_bad(in, "a data set has an id and a title");
		return;
	}
	uint64_t start = first_time(entry, KEYS("start", "start_date", "collection_start"));
	uint64_t end = first_time(entry, KEYS("end", "end_date", "collection_end"));
	r.time_us = first_time(entry, KEYS("published", "created", "available"));
	if (start)
		record_number(&r, word_first, start);
	if (end)
		record_number(&r, word_last, end);
	record_bytes(&r, word_class, cut(json_words(in, json_object_get(entry, "category")), RECORD_VALUE_MAX));
	record_bytes(&r, field_host, cut(first_text(entry, KEYS("host", "host_name", "hosting_organization")), RECORD_VALUE_MAX));
	record_bytes(&r, field_terms, cut(first_text(entry, KEYS("restriction", "restrictions", "access")), RECORD_VALUE_MAX));
	record_bytes(&r, field_about, cut(first_text(entry, KEYS("description", "short_description", "abstract")), RECORD_TEXT_MAX));
	record_bytes(&r, field_format, cut(json_words(in, json_object_get(entry, "format")), RECORD_VALUE_MAX));
	record_bytes(&r, field_size, cut(first_text(entry, KEYS("size", "total_size")), RECORD_VALUE_MAX));
	intake_record(in, &r);
}

static void take(struct intake *in, const json_t *value)
{
	const json_t *list = json_object_get(value, "datasets");
	size_t i;
	json_t *entry;
	list = list ? list : json_is_array(value) ? value : NULL;
	if (!list && json_is_object(value))
		take_entry(in, value);
	else if (!json_is_array(list))
		intake_bad(in, "it is neither a description of a data set nor a list of them");
	json_array_foreach(list, i, entry) {
		if (i == ENTRIES_MAX) {
			intake_bad(in, "more than %d data sets; the rest was not read", ENTRIES_MAX);
			break;
		}
		take_entry(in, entry);
	}
}

static void document(struct intake *in, struct bytes whole) { json_each_value(in, whole, take); }

static const struct format_specimen specimens[] = {
	{"a catalogue",
	 BYTES("{\"datasets\":[{\"id\":\"DS-1\",\"title\":\"Darknet 2015\",\"provider\":\"NICT\",\"host\":\"MWS\",\"start\":\"2015-06-01\","
	       "\"end\":\"2015-06-09\",\"category\":\"Blackhole Address Space Data\",\"restriction\":\"quasi-restricted\","
	       "\"description\":\"packets\",\"keywords\":[\"darknet\",\"ics\"],\"format\":[\"pcap\"]},{\"id\":\"DS-2\"}]}\n"
	       "{\"id\":\"DS-3\",\"tlp\":\"Green\",\"title\":\"t\"} 7"),
	 "dataset DS-1\n  id DS-1\n  title Darknet 2015\n  labels darknet ics\n  record.first 2015-06-01T00:00:00.000000Z\n"
	 "  record.last 2015-06-09T00:00:00.000000Z\n  record.class Blackhole Address Space Data\n  dataset.host MWS\n"
	 "  dataset.restriction quasi-restricted\n  dataset.description packets\n  dataset.format pcap\n"
	 "bad a data set has an id\ndataset DS-3\n  tlp GREEN\nbad line 2\n"},
	{0},
};

static const struct format predict = {
	.name = "predict",
	.summary = "descriptions of data sets, as a catalogue lists them",
	.reference = "PREDICT / IMPACT, www.impactcybertrust.org: metadata of a data set",
	.shape = FORMAT_DOCUMENT,
	.document = document,
	.specimens = specimens,
};
FORMAT(predict);
