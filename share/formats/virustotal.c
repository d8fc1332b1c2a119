/*
 * VirusTotal, version 3 of its API: files, addresses, names and URLs, one or a list of them, in one document or a line
 * each.  How many engines call a thing malicious is its confidence; nobody's word is proof.
 */
#include "share/reading/json_inner.h"
#include "share/reading/named_inner.h"
#include "share/reading/words_inner.h"

FIELD(vt_malicious, "virustotal.malicious", NUMBER, 0, "engines that call it malicious");
FIELD(vt_engines, "virustotal.engines", NUMBER, 0, "engines that judged it");
FIELD(vt_jarm, "virustotal.jarm", BYTES, 0, "JARM of the TLS server there");

#define ENGINES_SURE 10 /* so many that agree leave little doubt */
#define RECORDS_MAX 256 /* of the last DNS records of a name */

static unsigned confidence_of(uint64_t malicious)
{
	return malicious >= ENGINES_SURE ? 95 : malicious ? 40 + 5 * (unsigned)malicious : 10;
}

static void set_verdict(const json_t *attributes, struct record *r)
{
	const json_t *stats = json_object_get(attributes, "last_analysis_stats");
	static const char *const counted[] = {"malicious", "suspicious", "harmless", "undetected", "timeout"};
	uint64_t engines = 0, malicious = json_count(stats, "malicious");
	for (size_t i = 0; i < sizeof counted / sizeof *counted; i++)
		engines += json_count(stats, counted[i]);
	r->confidence = confidence_of(malicious);
	if (!engines)
		return;
	record_number(r, vt_malicious, malicious);
	record_number(r, vt_engines, engines);
}

static void add_times(const json_t *a, const char *first, const char *last, struct record *r)
{
	if (json_time(a, first))
		record_number(r, word_first, json_time(a, first));
	if (json_time(a, last))
		record_number(r, word_last, json_time(a, last));
	r->time_us = json_time(a, "last_analysis_date") ? json_time(a, "last_analysis_date") : json_time(a, last);
}

static const char *set_file(struct intake *in, const json_t *data, const json_t *a, struct record *r)
{
	static const char *const others[] = {"md5", "sha1", "tlsh", "ssdeep", "vhash"};
	struct bytes sha256 = json_text(a, "sha256");
	struct phrase digests = phrase_of(in);
	const char *wrong = named_set(in, r, NAMED_HASH, sha256.len ? sha256 : json_text(data, "id"));
	if (wrong)
		return wrong;
	if (r->value.len == 64)
		record_bytes(r, FIELD_FILE_SHA256, r->value);
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		phrase_add_pair(&digests, others[i], json_text(a, others[i]));
	record_bytes(r, word_digests, phrase_bytes(&digests));
	struct bytes name = json_text(a, "meaningful_name");
	record_bytes(r, FIELD_FILE_NAME, name.len ? name : json_span(json_array_get(json_object_get(a, "names"), 0)));
	if (json_count(a, "size"))
		record_number(r, FIELD_FILE_SIZE, json_count(a, "size"));
	record_bytes(r, word_class, json_text(a, "type_tag"));
	struct bytes family = json_text(json_object_get(a, "popular_threat_classification"), "suggested_threat_label");
	record_bytes(r, word_family, family);
	add_times(a, "first_submission_date", "last_submission_date", r);
	return NULL;
}

static const char *set_address(struct intake *in, const json_t *data, const json_t *a, struct record *r)
{
	const char *wrong = named_set(in, r, NAMED_ADDRESS, json_text(data, "id"));
	if (json_count(a, "asn"))
		record_number(r, word_as, json_count(a, "asn"));
	record_bytes(r, word_as_name, json_text(a, "as_owner"));
	record_bytes(r, word_country, json_text(a, "country"));
	record_bytes(r, vt_jarm, json_text(a, "jarm"));
	add_times(a, "whois_date", "last_modification_date", r);
	return wrong;
}

static const char *set_domain(struct intake *in, const json_t *data, const json_t *a, struct record *r)
{
	const char *wrong = named_set(in, r, NAMED_DOMAIN, json_text(data, "id"));
	struct phrase hosts = phrase_of(in);
	size_t i;
	const json_t *it;
	json_array_foreach(json_object_get(a, "last_dns_records"), i, it) {
		struct bytes type = json_text(it, "type"), value = json_text(it, "value");
		if (i < RECORDS_MAX && (bytes_equal_text(type, "A") || bytes_equal_text(type, "AAAA")) && !r->has_address)
			r->has_address = address_parse(value, &r->address);
		if (i < RECORDS_MAX)
			phrase_add(&hosts, value);
	}
	record_bytes(r, word_hosts, phrase_bytes(&hosts));
	record_bytes(r, vt_jarm, json_text(a, "jarm"));
	add_times(a, "creation_date", "last_modification_date", r);
	return wrong;
}

static const char *set_url(struct intake *in, const json_t *data, const json_t *a, struct record *r)
{
	struct bytes url = json_text(a, "url");
	(void)data; /* its id is a digest */
	r->title = json_text(a, "title");
	if (json_count(a, "last_http_response_code"))
		record_number(r, FIELD_STATUS, json_count(a, "last_http_response_code"));
	add_times(a, "first_submission_date", "last_submission_date", r);
	return named_set(in, r, NAMED_URL, url.len ? url : json_text(a, "last_final_url"));
}

static const struct sort {
	const char *type;
	const char *(*set)(struct intake *, const json_t *data, const json_t *attributes, struct record *);
} sorts[] = {{"file", set_file}, {"ip_address", set_address}, {"domain", set_domain}, {"url", set_url}};

static void take_object(struct intake *in, const json_t *data)
{
	const json_t *a = json_object_get(data, "attributes");
	struct bytes type = json_text(data, "type");
	const struct sort *sort = NULL;
	for (size_t i = 0; i < sizeof sorts / sizeof *sorts; i++)
		if (bytes_equal_text(type, sorts[i].type))
			sort = &sorts[i];
	struct record r = {.id = json_text(data, "id"), .link = json_text(json_object_get(data, "links"), "self"),
			   .labels = json_words(in, json_object_get(a, "tags")), .original = json_line(in, data)};
	set_verdict(a, &r);
	const char *wrong = sort ? sort->set(in, data, a, &r) : "is of a type that names nothing here";
	char *version = arena_alloc(intake_arena(in), 24);
	if (version && r.time_us) { /* judged anew, it is told anew */
		snprintf(version, 24, "%llu", (unsigned long long)r.time_us);
		r.version = bytes_of_text(version);
	}
	if (wrong)
		intake_bad(in, "an object (%.*s) %s", (int)(type.len < 40 ? type.len : 40), type.len ? (const char *)type.at : "", wrong);
	else
		intake_record(in, &r);
	arena_done(intake_arena(in));
}

static void take_value(struct intake *in, const json_t *value)
{
	size_t i;
	const json_t *it, *data = json_object_get(value, "data");
	const json_t *error = json_object_get(value, "error");
	if (error)
		intake_bad(in, "the answer is an error: %.60s", json_word(error, "code") ? json_word(error, "code") : "");
	else if (json_is_array(data))
		json_array_foreach(data, i, it)
			take_object(in, it);
	else if (json_is_object(data))
		take_object(in, data);
	else if (json_text(value, "type").len)
		take_object(in, value);
	else
		intake_bad(in, "it is no object of VirusTotal");
	/* What is behind a cursor was not asked for. */
	if (json_text(json_object_get(value, "meta"), "cursor").len)
		intake_bad(in, "the list is not whole: it goes on behind its cursor");
}

static void document(struct intake *in, struct bytes whole) { json_each_value(in, whole, take_value); }

static const struct format_specimen specimens[] = {
	{"a file, an address and a name in a list",
	 BYTES("{\"data\":[{\"type\":\"file\",\"id\":\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	       "\",\"links\":{\"self\":\"https://www.virustotal.com/api/v3/files/e3\"},\"attributes\":{\"sha256\":\"e3b0"
	       "c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\",\"md5\":\"d41d8cd98f00b204e9800998ecf8427"
	       "e\",\"tlsh\":\"T1\",\"size\":68,\"type_tag\":\"elf\",\"names\":[\"a b.bin\"],\"tags\":[\"elf\",\"mirai\""
	       "],\"first_submission_date\":1600000000,\"last_submission_date\":1700000000,\"last_analysis_date\":170000"
	       "0001,\"last_analysis_stats\":{\"malicious\":40,\"suspicious\":0,\"undetected\":20,\"harmless\":0},\"popu"
	       "lar_threat_classification\":{\"suggested_threat_label\":\"trojan.mirai/gafgyt\"}}},{\"type\":\"ip_addres"
	       "s\",\"id\":\"198.51.100.9\",\"attributes\":{\"asn\":64496,\"as_owner\":\"EXAMPLE\",\"country\":\"JP\",\""
	       "last_analysis_stats\":{\"malicious\":2,\"harmless\":60},\"last_modification_date\":1700000000,\"network"
	       "\":\"198.51.100.0/24\"}},{\"type\":\"domain\",\"id\":\"Bad.example.org\",\"attributes\":{\"jarm\":\"29d"
	       "\",\"last_dns_records\":[{\"type\":\"NS\",\"value\":\"ns.example.org\"},{\"type\":\"A\",\"value\":\"198."
	       "51.100.10\",\"ttl\":60}]}},{\"type\":\"graph\",\"id\":\"x\"}],\"meta\":{\"cursor\":\"abc\"}}\n"),
	 "hash e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n"
	 "  record.digests md5:d41d8cd98f00b204e9800998ecf8427e tlsh:T1\n"
	 "  file.size 68\n"
	 "  file.name a b.bin\n"
	 "  record.family trojan.mirai/gafgyt\n"
	 "  virustotal.malicious 40\n"
	 "  virustotal.engines 60\n"
	 "  labels elf mirai\n"
	 "  record.first 2020-09-13T12:26:40.000000Z\n"
	 "  time 2023-11-14T22:13:21.000000Z\n"
	 "address 198.51.100.9\n"
	 "  record.as 64496\n"
	 "  record.country JP\n"
	 "domain bad.example.org\n"
	 "  address 198.51.100.10\n"
	 "  record.hosts ns.example.org 198.51.100.10\n"
	 "bad an object (graph) is of a type\n"
	 "bad the list is not whole\n"},
	{"one object, a URL, and an error",
	 BYTES("{\"data\":{\"type\":\"url\",\"id\":\"0f\",\"attributes\":{\"url\":\"http://198.51.100.9/x\",\"last_http_"
	       "response_code\":200}}}\n{\"error\":{\"code\":\"NotFoundError\",\"message\":\"x\"}}\n{}\n"),
	 "url http://198.51.100.9/x\n"
	 "  status 200\n"
	 "bad the answer is an error: NotFoundError\n"
	 "bad it is no object of VirusTotal\n"},
	{0},
};

static const struct format virustotal = {
	.name = "virustotal",
	.summary = "objects of VirusTotal: what its engines say of files, addresses, names and URLs",
	.reference = "VirusTotal API v3",
	.shape = FORMAT_DOCUMENT,
	.document = document,
	.specimens = specimens,
};
FORMAT(virustotal);
