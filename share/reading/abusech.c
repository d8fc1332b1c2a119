#include "share/reading/abusech_inner.h"
#include "share/reading/date_inner.h"
#include "share/reading/json_inner.h"
#include "share/reading/named_inner.h"
#include "share/reading/words_inner.h"

#define ONLINE_CONFIDENCE 90
#define OFFLINE_CONFIDENCE 60
#define SAMPLE_CONFIDENCE 90
#define COLUMNS_LEAST 3 /* of a comment that is a header */

/* The names of each word, in CSV, in exports and in the API's answers. */
static const struct { const char *name; enum abuse_word word; } names[] = {
	{"id", ABUSE_ID}, {"ioc_id", ABUSE_ID}, {"dateadded", ABUSE_FIRST}, {"date_added", ABUSE_FIRST},
	{"first_seen_utc", ABUSE_FIRST}, {"first_seen", ABUSE_FIRST}, {"firstseen", ABUSE_FIRST},
	{"last_online", ABUSE_LAST}, {"last_seen_utc", ABUSE_LAST}, {"last_seen", ABUSE_LAST},
	{"url", ABUSE_URL}, {"url_status", ABUSE_STATUS}, {"status", ABUSE_STATUS}, {"c2_status", ABUSE_STATUS},
	{"threat", ABUSE_THREAT}, {"threat_type", ABUSE_THREAT}, {"tags", ABUSE_TAGS},
	{"urlhaus_link", ABUSE_LINK}, {"urlhaus_reference", ABUSE_LINK}, {"reference", ABUSE_LINK}, {"reporter", ABUSE_REPORTER},
	{"ioc_value", ABUSE_VALUE}, {"ioc", ABUSE_VALUE}, {"ioc_type", ABUSE_TYPE},
	{"malware_printable", ABUSE_FAMILY}, {"signature", ABUSE_FAMILY}, {"malware", ABUSE_FAMILY}, {"malware_alias", ABUSE_ALIAS},
	{"confidence_level", ABUSE_CONFIDENCE}, {"sha256_hash", ABUSE_SHA256}, {"md5_hash", ABUSE_MD5}, {"sha1_hash", ABUSE_SHA1},
	{"file_name", ABUSE_FILE}, {"file_type_guess", ABUSE_FILE_TYPE}, {"file_type", ABUSE_FILE_TYPE},
	{"mime_type", ABUSE_MIME}, {"file_type_mime", ABUSE_MIME}, {"clamav", ABUSE_CLAMAV}, {"imphash", ABUSE_IMPHASH},
	{"ssdeep", ABUSE_SSDEEP}, {"tlsh", ABUSE_TLSH}, {"file_size", ABUSE_SIZE},
	{"dst_ip", ABUSE_ADDRESS}, {"ip_address", ABUSE_ADDRESS}, {"dst_port", ABUSE_PORT}, {"port", ABUSE_PORT},
	{"hostname", ABUSE_HOST}, {"as_number", ABUSE_AS}, {"as_name", ABUSE_AS_NAME}, {"country", ABUSE_COUNTRY},
};

enum abuse_word abuse_word_of(struct bytes name)
{
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (bytes_equal_nocase(name, names[i].name))
			return names[i].word;
	return ABUSE_WORDS;
}

static bool is_nothing(struct bytes b)
{
	return !b.len || bytes_equal_nocase(b, "none") || bytes_equal_nocase(b, "n/a") || bytes_equal_nocase(b, "null") ||
	       bytes_equal_nocase(b, "unknown");
}

static struct bytes word(const struct abuse *a, enum abuse_word w)
{
	struct bytes b = bytes_trim(a->words[w]);
	return is_nothing(b) ? (struct bytes){0} : b;
}

/* Tags stand with commas between; words of ours with blanks. */
static void add_tags(struct phrase *phrase, struct bytes tags)
{
	for (size_t begin = 0, end; begin < tags.len; begin = end + 1) {
		for (end = begin; end < tags.len && tags.at[end] != ',' && tags.at[end] != '\n';)
			end++;
		phrase_add(phrase, bytes_trim((struct bytes){tags.at + begin, end - begin}));
	}
}

static struct record record_like(struct intake *in, const struct abuse *a)
{
	struct phrase labels = phrase_of(in);
	add_tags(&labels, word(a, ABUSE_TAGS));
	phrase_add(&labels, word(a, ABUSE_STATUS));
	struct record r = {.id = word(a, ABUSE_ID), .link = word(a, ABUSE_LINK), .author = word(a, ABUSE_REPORTER),
			   .time_us = date_read(word(a, ABUSE_FIRST)), .labels = phrase_bytes(&labels), .original = a->original};
	record_bytes(&r, word_class, word(a, ABUSE_THREAT));
	record_bytes(&r, word_family, word(a, ABUSE_FAMILY));
	if (r.time_us)
		record_number(&r, word_first, r.time_us);
	if (date_read(word(a, ABUSE_LAST)))
		record_number(&r, word_last, date_read(word(a, ABUSE_LAST)));
	return r;
}

static void hand_in(struct intake *in, struct record *r, const char *wrong, struct bytes value)
{
	if (wrong)
		intake_bad(in, "\"%.*s\" %s", (int)(value.len < 60 ? value.len : 60), value.len ? (const char *)value.at : "", wrong);
	else
		intake_record(in, r);
}

void abuse_take_url(struct intake *in, const struct abuse *a)
{
	struct record r = record_like(in, a);
	struct bytes url = word(a, ABUSE_URL), status = word(a, ABUSE_STATUS);
	r.role = "download";
	r.version = status; /* a URL that goes offline, or comes back, is told anew */
	r.confidence = bytes_equal_text(status, "online") ? ONLINE_CONFIDENCE : OFFLINE_CONFIDENCE;
	hand_in(in, &r, named_set(in, &r, NAMED_URL, url), url);
}

static enum named named_of(struct bytes type)
{
	if (bytes_equal_text(type, "ip:port"))
		return NAMED_ENDPOINT;
	if (bytes_equal_text(type, "domain"))
		return NAMED_DOMAIN;
	if (bytes_equal_text(type, "url"))
		return NAMED_URL;
	if (bytes_find(type, "_hash") < type.len)
		return NAMED_HASH;
	return bytes_equal_text(type, "envelope_from") || bytes_equal_text(type, "body_from") || bytes_equal_text(type, "email")
		? NAMED_MAIL : NAMED_NOTHING;
}

void abuse_take_indicator(struct intake *in, const struct abuse *a)
{
	static const struct { const char *threat, *role; } roles[] = {
		{"botnet_cc", "command"}, {"payload_delivery", "download"}, {"cc_skimming", "report"}};
	struct record r = record_like(in, a);
	struct bytes value = word(a, ABUSE_VALUE), type = word(a, ABUSE_TYPE), threat = word(a, ABUSE_THREAT);
	enum named as = type.len ? named_of(type) : named_guess(value);
	uint64_t confidence;
	for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
		if (bytes_equal_text(threat, roles[i].threat))
			r.role = roles[i].role;
	r.confidence = bytes_number(word(a, ABUSE_CONFIDENCE), 100, &confidence) ? (unsigned)confidence : OFFLINE_CONFIDENCE;
	hand_in(in, &r, named_set(in, &r, as, value), value);
}

static void add_digests(struct intake *in, const struct abuse *a, struct record *r)
{
	static const struct { const char *name; enum abuse_word word; } digests[] = {
		{"md5", ABUSE_MD5}, {"sha1", ABUSE_SHA1}, {"tlsh", ABUSE_TLSH}, {"ssdeep", ABUSE_SSDEEP}, {"imphash", ABUSE_IMPHASH}};
	struct phrase phrase = phrase_of(in);
	for (size_t i = 0; i < sizeof digests / sizeof *digests; i++)
		phrase_add_pair(&phrase, digests[i].name, word(a, digests[i].word));
	record_bytes(r, word_digests, phrase_bytes(&phrase));
}

void abuse_take_sample(struct intake *in, const struct abuse *a)
{
	struct record r = record_like(in, a);
	struct bytes sha256 = word(a, ABUSE_SHA256), type = word(a, ABUSE_FILE_TYPE);
	uint64_t size;
	r.confidence = SAMPLE_CONFIDENCE;
	r.title = word(a, ABUSE_CLAMAV);
	const char *wrong = named_set(in, &r, NAMED_HASH, sha256);
	if (!wrong && r.value.len == 64)
		record_bytes(&r, FIELD_FILE_SHA256, r.value);
	record_bytes(&r, FIELD_FILE_NAME, word(a, ABUSE_FILE));
	record_bytes(&r, word_class, type.len ? type : word(a, ABUSE_MIME));
	if (bytes_number(word(a, ABUSE_SIZE), UINT64_MAX, &size))
		record_number(&r, FIELD_FILE_SIZE, size);
	add_digests(in, a, &r);
	hand_in(in, &r, wrong, sha256);
}

void abuse_take_server(struct intake *in, const struct abuse *a)
{
	struct record r = record_like(in, a);
	struct bytes address = word(a, ABUSE_ADDRESS), digits = word(a, ABUSE_PORT), status = word(a, ABUSE_STATUS);
	uint64_t port = 0, as;
	r.role = "command";
	r.version = status;
	r.confidence = bytes_equal_nocase(status, "online") ? ONLINE_CONFIDENCE : OFFLINE_CONFIDENCE;
	if (bytes_number(word(a, ABUSE_AS), UINT32_MAX, &as) && as)
		record_number(&r, word_as, as);
	record_bytes(&r, word_as_name, word(a, ABUSE_AS_NAME));
	record_bytes(&r, word_country, word(a, ABUSE_COUNTRY));
	record_bytes(&r, word_hosts, word(a, ABUSE_HOST));
	bool readable = !digits.len || bytes_number(digits, UINT16_MAX, &port);
	hand_in(in, &r, readable ? named_set_at(in, &r, address, port) : "has no port", address);
}

/* "# id,dateadded,url" names the columns; other comments are greetings, terms and counts. */
static void read_header(struct intake *in, struct bytes line, struct csv_columns *columns)
{
	struct csv_line header;
	while (line.len && (line.at[0] == '#' || line.at[0] == ' '))
		line = (struct bytes){line.at + 1, line.len - 1};
	if (csv_split(in, line, ',', &header) || header.count < COLUMNS_LEAST)
		return;
	struct csv_columns found = {.known = true};
	size_t known = 0;
	for (size_t i = 0; i < header.count; i++) {
		enum abuse_word w = abuse_word_of(bytes_trim(header.values[i]));
		if (w < ABUSE_WORDS && !found.at[w]) {
			found.at[w] = (uint16_t)(i + 1);
			known++;
		}
	}
	if (known >= COLUMNS_LEAST)
		*columns = found;
}

void abuse_take_line(struct intake *in, struct bytes line, const char *usual, abuse_take_f *take)
{
	struct csv_columns *columns = intake_state(in);
	struct csv_line values;
	struct abuse a = {.original = line};
	if (line.at[0] == '#') {
		read_header(in, line, columns);
		return;
	}
	if (!columns->known)
		read_header(in, bytes_of_text(usual), columns);
	const char *wrong = csv_split(in, line, ',', &values);
	if (wrong) {
		intake_bad(in, "%s", wrong);
		return;
	}
	if (values.count && abuse_word_of(bytes_trim(values.values[0])) < ABUSE_WORDS) { /* a header that is no comment */
		read_header(in, line, columns);
		return;
	}
	for (unsigned w = 0; w < ABUSE_WORDS; w++)
		a.words[w] = csv_value(&values, columns, w);
	take(in, &a);
}
