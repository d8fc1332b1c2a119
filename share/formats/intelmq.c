/*
 * IntelMQ's events, a JSON object a line, as its file output and its pipelines have them (Data Format, "harmonization").
 *
 * `source` is who did it or is affected; the classification's type says which.  Its word for what a feed may be used
 * for is the feed's accuracy, in percent, and its marking the TLP.
 */
#include "share/reading/named_inner.h"
#include "share/reading/json_inner.h"
#include "share/reading/pick_inner.h"
#include "share/reading/words_inner.h"

FIELD(intelmq_feed, "intelmq.feed", BYTES, 0, "name of the feed that an event came from");

#define CONFIDENCE_UNSAID 60

enum place {
	SRC_IP, SRC_PORT, SRC_FQDN, SRC_URL, SRC_NETWORK, SRC_ASN, SRC_AS_NAME, SRC_CC, SRC_CITY, SRC_REVERSE, SRC_ACCOUNT,
	DST_IP, DST_PORT, TRANSPORT, APPLICATION, TYPE, TAXONOMY, IDENTIFIER, MALWARE, SHA256, SHA1, MD5, FEED, PROVIDER,
	ACCURACY, DESCRIPTION, LINK, TIME, OBSERVED, TLP, HASH, STATUS, COUNT,
	PLACES
};

static const struct pick picks[] = {
	PICK("source.ip", SRC_IP), PICK("source.port", SRC_PORT), PICK("source.fqdn", SRC_FQDN), PICK("source.url", SRC_URL),
	PICK("source.network", SRC_NETWORK), PICK("source.asn", SRC_ASN), PICK("source.as_name", SRC_AS_NAME),
	PICK("source.geolocation.cc", SRC_CC), PICK("source.geolocation.city", SRC_CITY), PICK("source.reverse_dns", SRC_REVERSE),
	PICK("source.account", SRC_ACCOUNT), PICK("destination.ip", DST_IP), PICK("destination.port", DST_PORT),
	PICK("protocol.transport", TRANSPORT), PICK("protocol.application", APPLICATION), PICK("classification.type", TYPE),
	PICK("classification.taxonomy", TAXONOMY), PICK("classification.identifier", IDENTIFIER), PICK("malware.name", MALWARE),
	PICK("malware.hash.sha256", SHA256), PICK("malware.hash.sha1", SHA1), PICK("malware.hash.md5", MD5),
	PICK("feed.name", FEED), PICK("feed.provider", PROVIDER), PICK("feed.accuracy", ACCURACY),
	PICK("event_description.text", DESCRIPTION), PICK("event_description.url", LINK), PICK("time.source", TIME),
	PICK("time.observation", OBSERVED), PICK("tlp", TLP), PICK("event_hash", HASH), PICK("status", STATUS),
	PICK("extra.count", COUNT), PICK_END,
};

static const struct { const char *type, *kind, *role; } sorts[] = { /* classification.type, the RSIT's words and older ones */
	{"c2-server", NULL, "command"}, {"c2server", NULL, "command"}, {"malware-distribution", NULL, "download"},
	{"malware-configuration", NULL, "download"}, {"scanner", "scan.seen", NULL}, {"brute-force", "login.tried", NULL},
	{"exploit", "exploit.seen", NULL}, {"ids-alert", "alert.raised", NULL}, {"ddos", "flood.seen", NULL},
	{"ddos-amplifier", "exposure.found", NULL}, {"potentially-unwanted-accessible", "exposure.found", NULL},
	{"vulnerable-system", "exposure.found", NULL}, {"weak-crypto", "exposure.found", NULL},
	{"information-disclosure", "exposure.found", NULL}, {"infected-system", "source.judged", NULL},
	{"system-compromise", "source.judged", NULL},
};

static const char *set_tlp(struct bytes word)
{
	static const char *const words[] = {"RED", "AMBER+STRICT", "AMBER", "GREEN", "CLEAR", NULL};
	for (const char *const *it = words; *it; it++)
		if (bytes_equal_nocase(word, *it))
			return *it;
	return bytes_equal_nocase(word, "white") ? "CLEAR" : word.len ? "RED" : NULL;
}

/* The first of these that there is: what the event is about. */
static const char *set_value(struct intake *in, const struct json_value *v, struct record *r)
{
	static const struct { enum place place; enum named as; } values[] = {
		{SRC_URL, NAMED_URL}, {SRC_IP, NAMED_ADDRESS}, {SRC_FQDN, NAMED_DOMAIN}, {SHA256, NAMED_HASH}, {SHA1, NAMED_HASH},
		{MD5, NAMED_HASH}, {SRC_NETWORK, NAMED_ADDRESS}, {SRC_ACCOUNT, NAMED_MAIL}};
	bool serves = r->role || (r->kind && !strcmp(r->kind, "exposure.found"));
	uint64_t port = pick_count(&v[SRC_PORT], UINT16_MAX);
	for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
		struct bytes value = pick_text(in, &v[values[i].place]);
		if (!value.len)
			continue;
		/* The port of a server is part of what it is; that of a client was drawn. */
		if (values[i].place == SRC_IP && serves && port)
			return named_set_at(in, r, value, port);
		return named_set(in, r, values[i].as, value);
	}
	return "it names neither address, name, URL nor digest";
}

static void set_source(struct intake *in, const struct json_value *v, struct record *r)
{
	uint64_t as = pick_count(&v[SRC_ASN], UINT32_MAX);
	if (as)
		record_number(r, word_as, as);
	record_bytes(r, word_as_name, pick_text(in, &v[SRC_AS_NAME]));
	record_bytes(r, word_country, pick_text(in, &v[SRC_CC]));
	record_bytes(r, word_city, pick_text(in, &v[SRC_CITY]));
	struct bytes name = pick_text(in, &v[SRC_FQDN]);
	record_bytes(r, word_hosts, name.len ? name : pick_text(in, &v[SRC_REVERSE]));
	if (!r->has_address)
		r->has_address = address_parse(pick_text(in, &v[SRC_IP]), &r->address);
}

static void set_traffic(struct intake *in, const struct json_value *v, struct record *r)
{
	struct bytes transport = pick_text(in, &v[TRANSPORT]);
	struct address destination;
	uint64_t sport = pick_count(&v[SRC_PORT], UINT16_MAX), dport = pick_count(&v[DST_PORT], UINT16_MAX);
	record_text(r, FIELD_PROTO, bytes_equal_nocase(transport, "tcp")   ? "tcp"
				    : bytes_equal_nocase(transport, "udp") ? "udp" : NULL);
	if (address_parse(pick_text(in, &v[DST_IP]), &destination))
		record_address(r, FIELD_DST, &destination);
	if (sport && !r->port)
		record_number(r, FIELD_SPORT, sport);
	r->port = r->port ? r->port : (uint32_t)dport;
	struct bytes application = pick_text(in, &v[APPLICATION]);
	record_bytes(r, word_product, application);
}

static void set_words(struct intake *in, const struct json_value *v, struct record *r)
{
	struct phrase labels = phrase_of(in), digests = phrase_of(in);
	phrase_add(&labels, pick_text(in, &v[TAXONOMY]));
	phrase_add(&labels, pick_text(in, &v[IDENTIFIER]));
	phrase_add(&labels, pick_text(in, &v[STATUS]));
	r->labels = phrase_bytes(&labels);
	phrase_add_pair(&digests, "sha1", pick_text(in, &v[SHA1]));
	phrase_add_pair(&digests, "md5", pick_text(in, &v[MD5]));
	record_bytes(r, word_digests, phrase_bytes(&digests));
	if (pick_text(in, &v[SHA256]).len == 64)
		record_token(r, FIELD_FILE_SHA256, pick_text(in, &v[SHA256]));
	record_bytes(r, word_class, pick_text(in, &v[TYPE]));
	record_bytes(r, word_family, pick_text(in, &v[MALWARE]));
	record_bytes(r, intelmq_feed, pick_text(in, &v[FEED]));
	if (pick_count(&v[COUNT], UINT64_MAX))
		record_number(r, FIELD_COUNT, pick_count(&v[COUNT], UINT64_MAX));
}

static void line(struct intake *in, struct bytes whole)
{
	struct json_value v[PLACES];
	struct record r = {.original = whole};
	if (!pick_line(in, whole, picks, v, PLACES))
		return;
	struct bytes type = pick_text(in, &v[TYPE]), accuracy = pick_text(in, &v[ACCURACY]);
	uint64_t percent;
	accuracy.len = bytes_find(accuracy, "."); /* it is a number with decimals */
	for (size_t i = 0; i < sizeof sorts / sizeof *sorts; i++)
		if (bytes_equal_text(type, sorts[i].type)) {
			r.kind = sorts[i].kind;
			r.role = sorts[i].role;
		}
	const char *wrong = set_value(in, v, &r);
	if (wrong) {
		intake_bad(in, "%s", wrong);
		return;
	}
	r.confidence = bytes_number(accuracy, 100, &percent) ? (unsigned)percent : CONFIDENCE_UNSAID;
	r.tlp = set_tlp(pick_text(in, &v[TLP]));
	r.time_us = pick_moment(in, v[TIME].type == VALUE_STRING ? &v[TIME] : &v[OBSERVED]);
	r.link = pick_text(in, &v[LINK]);
	r.title = pick_text(in, &v[DESCRIPTION]);
	r.author = pick_text(in, &v[PROVIDER]);
	set_source(in, v, &r);
	set_traffic(in, v, &r);
	set_words(in, v, &r);
	struct bytes hash = pick_text(in, &v[HASH]);
	if (hash.len)
		r.version = hash;
	else
		record_digest(in, &r, whole);
	intake_record(in, &r);
}

static const struct format_specimen specimens[] = {
	{"a controller of a botnet, an infected system, an exposed one",
	 BYTES("{\"feed.name\":\"Feed\",\"feed.provider\":\"Shadowserver\",\"feed.accuracy\":90.0,\"time.source\":\"2024"
	       "-05-01T10:00:00+00:00\",\"time.observation\":\"2024-05-01T11:00:00+00:00\",\"classification.type\":\"c2-"
	       "server\",\"classification.taxonomy\":\"malicious-code\",\"classification.identifier\":\"mirai\",\"source"
	       ".ip\":\"198.51.100.9\",\"source.port\":48101,\"malware.name\":\"mirai\",\"tlp\":\"AMBER\",\"event_hash\""
	       ":\"ab12\"}\n{\"feed.name\":\"Feed\",\"time.source\":\"2024-05-01T10:00:01+00:00\",\"classification.type"
	       "\":\"infected-system\",\"source.ip\":\"198.51.100.10\",\"source.port\":40000,\"source.asn\":64496,\"sour"
	       "ce.as_name\":\"EXAMPLE\",\"source.geolocation.cc\":\"AT\",\"destination.ip\":\"192.0.2.1\",\"destination"
	       ".port\":80,\"protocol.transport\":\"tcp\",\"raw\":\"Zm9v\"}\n{\"time.observation\":\"2024-05-01T11:00:00"
	       "+00:00\",\"classification.type\":\"vulnerable-system\",\"source.ip\":\"2001:db8::9\",\"source.port\":\"5"
	       "02\",\"tlp\":\"odd\"}\n{\"classification.type\":\"phishing\",\"source.url\":\"http://bad.example/login\""
	       ",\"source.ip\":\"198.51.100.11\"}\n{\"classification.type\":\"spam\"}\n"),
	 "endpoint 198.51.100.9:48101\n"
	 "  role command\n"
	 "  tlp AMBER\n"
	 "  labels malicious-code mirai\n"
	 "  record.family mirai\n"
	 "  intelmq.feed Feed\n"
	 "  time 2024-05-01T10:00:00.000000Z\n"
	 "address 198.51.100.10\n"
	 "  kind source.judged\n"
	 "  port 80\n"
	 "  sport 40000\n"
	 "  dst 192.0.2.1\n"
	 "  record.as 64496\n"
	 "  record.country AT\n"
	 "endpoint [2001:db8::9]:502\n"
	 "  kind exposure.found\n"
	 "  tlp RED\n"
	 "url http://bad.example/login\n"
	 "  address 198.51.100.11\n"
	 "bad it names neither\n"},
	{0},
};

static const struct format intelmq = {
	.name = "intelmq",
	.summary = "events of IntelMQ: what CSIRTs tell each other of their networks",
	.reference = "IntelMQ Data Format (harmonization), version 3",
	.shape = FORMAT_LINES,
	.line = line,
	.specimens = specimens,
};
FORMAT(intelmq);
