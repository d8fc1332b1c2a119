/*
 * abuse.ch in JSON: exports and answers of the APIs of URLhaus, ThreatFox, MalwareBazaar and Feodo Tracker.  Which list
 * an entry is of says what it names.
 */
#include "share/reading/abusech_inner.h"
#include "share/reading/json_inner.h"

#define DEPTH_MAX 4 /* of objects and lists around the entries */

static struct bytes value_of(struct intake *in, const json_t *value)
{
	if (!json_is_array(value))
		return json_is_number(value) ? json_line(in, value) : json_span(value);
	struct phrase phrase = phrase_of(in);
	size_t i;
	const json_t *it;
	json_array_foreach(value, i, it)
		phrase_add(&phrase, json_span(it));
	uint8_t *at = (uint8_t *)(uintptr_t)phrase_bytes(&phrase).at;
	for (i = 0; i < phrase_bytes(&phrase).len; i++)
		at[i] = at[i] == ' ' ? ',' : at[i]; /* as the lists in CSV write tags */
	return phrase_bytes(&phrase);
}

static abuse_take_f *kind_of(const struct abuse *a)
{
	if (a->words[ABUSE_VALUE].len)
		return abuse_take_indicator;
	if (a->words[ABUSE_URL].len)
		return abuse_take_url;
	if (a->words[ABUSE_SHA256].len)
		return abuse_take_sample;
	return a->words[ABUSE_ADDRESS].len ? abuse_take_server : NULL;
}

/* The number that exports have as the name of their entries, with a list of one in it. */
static void take_entry(struct intake *in, const json_t *entry, struct bytes number)
{
	struct abuse a = {.original = json_line(in, entry)};
	const char *key;
	const json_t *value;
	json_object_foreach((json_t *)(uintptr_t)entry, key, value) {
		enum abuse_word w = abuse_word_of(bytes_of_text(key));
		if (w < ABUSE_WORDS && (!a.words[w].len || !strcmp(key, "malware_printable")))
			a.words[w] = value_of(in, value);
	}
	a.words[ABUSE_ID] = a.words[ABUSE_ID].len ? a.words[ABUSE_ID] : number;
	abuse_take_f *take = kind_of(&a);
	if (take)
		take(in, &a);
	else
		intake_bad(in, "an entry is of none of the lists");
	arena_done(intake_arena(in));
}

static bool is_entry(const json_t *value)
{
	static const char *const marks[] = {"url", "ioc", "ioc_value", "sha256_hash", "ip_address", NULL};
	for (const char *const *mark = marks; *mark; mark++)
		if (json_is_string(json_object_get(value, *mark)))
			return true;
	return false;
}

static void take_within(struct intake *in, const json_t *value, struct bytes number, unsigned depth)
{
	size_t i;
	const char *key;
	const json_t *it;
	if (depth > DEPTH_MAX)
		return;
	if (is_entry(value)) {
		take_entry(in, value, number);
		return;
	}
	json_array_foreach(value, i, it)
		take_within(in, it, number, depth + 1);
	json_object_foreach((json_t *)(uintptr_t)value, key, it)
		if (json_is_object(it) || json_is_array(it))
			take_within(in, it, bytes_number(bytes_of_text(key), UINT64_MAX, &(uint64_t){0}) ? bytes_of_text(key) : number,
				    depth + 1);
}

static void take_value(struct intake *in, const json_t *value)
{
	const char *status = json_word(value, "query_status");
	if (status && strcmp(status, "ok"))
		intake_bad(in, "the answer is no list: %.60s", status);
	else if (!json_is_object(value) && !json_is_array(value))
		intake_bad(in, "it is no list of abuse.ch");
	else
		take_within(in, value, (struct bytes){0}, 0);
}

static void document(struct intake *in, struct bytes whole) { json_each_value(in, whole, take_value); }

static const struct format_specimen specimens[] = {
	{"URLhaus's and ThreatFox's exports, with numbers as names",
	 BYTES("{\"2901234\":[{\"dateadded\":\"2024-07-05 10:12:06 UTC\",\"url\":\"http://198.51.100.7/i\",\"url_status"
	       "\":\"online\",\"last_online\":null,\"threat\":\"malware_download\",\"tags\":[\"elf\",\"Mozi\"],\"urlhaus"
	       "_link\":\"https://urlhaus.abuse.ch/url/2901234/\",\"reporter\":\"r\"}],\"1294001\":[{\"ioc_value\":\"198"
	       ".51.100.9:4443\",\"ioc_type\":\"ip:port\",\"threat_type\":\"botnet_cc\",\"malware\":\"elf.mirai\",\"malw"
	       "are_alias\":\"Katana\",\"malware_printable\":\"Mirai\",\"first_seen_utc\":\"2024-07-05 09:00:01\",\"last"
	       "_seen_utc\":null,\"confidence_level\":75,\"reference\":null,\"tags\":\"mirai\",\"anonymous\":\"0\",\"rep"
	       "orter\":\"abuse_ch\"}]}"),
	 "url http://198.51.100.7/i\n"
	 "  id 2901234\n"
	 "  labels elf Mozi online\n"
	 "  time 2024-07-05T10:12:06.000000Z\n"
	 "endpoint 198.51.100.9:4443\n"
	 "  id 1294001\n"
	 "  record.family Mirai\n"
	 "  role command\n"},
	{"answers of MalwareBazaar's API, Feodo's list, and one without a result",
	 BYTES("{\"query_status\":\"ok\",\"data\":[{\"sha256_hash\":\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca4"
	       "95991b7852b855\",\"md5_hash\":\"d41d8cd98f00b204e9800998ecf8427e\",\"first_seen\":\"2024-07-05 08:00:00"
	       "\",\"file_name\":\"arm7\",\"file_size\":1234,\"file_type_mime\":\"application/x-executable\",\"file_type"
	       "\":\"elf\",\"signature\":\"Mirai\",\"tags\":[\"elf\"],\"intelligence\":{\"clamav\":null}}]}\n[{\"ip_addr"
	       "ess\":\"198.51.100.12\",\"port\":443,\"status\":\"online\",\"hostname\":\"h.example.net\",\"as_number\":"
	       "64496,\"as_name\":\"EXAMPLE\",\"country\":\"JP\",\"first_seen\":\"2021-01-17 07:30:05\",\"last_online\":"
	       "\"2024-07-05\",\"malware\":\"Dridex\"}]\n{\"query_status\":\"no_results\"}"),
	 "hash e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n"
	 "  file.size 1234\n"
	 "  record.family Mirai\n"
	 "endpoint 198.51.100.12:443\n"
	 "  record.as 64496\n"
	 "  record.as_name EXAMPLE\n"
	 "  record.country JP\n"
	 "  record.hosts h.example.net\n"
	 "bad the answer is no list: no_results\n"},
	{"none",
	 BYTES("\"x\""),
	 "bad line 1, column 3\n"},
	{0},
};

static const struct format abusech = {
	.name = "abusech",
	.summary = "exports and answers of abuse.ch's APIs in JSON",
	.reference = "URLhaus, ThreatFox, MalwareBazaar and Feodo Tracker in JSON",
	.shape = FORMAT_DOCUMENT,
	.document = document,
	.specimens = specimens,
};
FORMAT(abusech);
