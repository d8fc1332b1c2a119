/* Captured files that were analysed: the list, one with all that is known of it, and its reports. */
#include "web/sql.h"

#define LIMIT_DEFAULT 100
#define LIMIT_MAX 2000
#define PLACES_MAX 500
#define DIGEST_HEX 64
#define VALUE(name) "value[indexOf(field,'" name "')]"

static void samples_serve(struct web_request *rq)
{
	char text[2048];
	uint64_t limit;
	struct writer sql = writer_of(text, sizeof text);
	if (!web_query_number(rq, "limit", LIMIT_DEFAULT, LIMIT_MAX, &limit))
		return;
	write_text(&sql, "SELECT file_sha256 AS sha256, max(time) AS analysed, argMax(" VALUE("sample.type") ", id) AS type, argMax("
			 VALUE("sample.architecture") ", id) AS architecture, argMax(" VALUE("sample.family") ", id) AS family, argMax("
			 VALUE("sample.verdict") ", id) AS verdict, toUInt64OrZero(argMax(" VALUE("confidence") ", id)) AS score, argMax("
			 VALUE("sample.campaign") ", id) AS campaign, toUInt64OrZero(argMax(" VALUE("file.size") ", id)) AS size FROM events "
			 "WHERE kind = 'sample.analysed' AND file_sha256 != ''");
	const char *campaign = web_query(rq, "campaign"), *family = web_query(rq, "family");
	if (campaign) {
		write_text(&sql, " AND " VALUE("sample.campaign") " = ");
		sql_text(&sql, bytes_of_text(campaign));
	}
	if (family) {
		write_text(&sql, " AND " VALUE("sample.family") " = ");
		sql_text(&sql, bytes_of_text(family));
	}
	write_fmt(&sql, " GROUP BY file_sha256 ORDER BY analysed DESC, sha256 LIMIT %llu", (unsigned long long)limit);
	web_sql_rows(rq, &sql);
}

static const struct route samples = {
	"GET", "/api/v1/samples", "captured files that were analysed, the last first: family, campaign, limit", samples_serve};
ROUTE(samples);

static bool digest_given(struct web_request *rq)
{
	const char *sha256 = web_parameter(rq, "sha256");
	if (strlen(sha256) == DIGEST_HEX && strspn(sha256, "0123456789abcdef") == DIGEST_HEX)
		return true;
	web_fail(rq, 400, "bad-digest", "a SHA-256 of 64 small hexadecimal digits is wanted");
	return false;
}

/* Where a file came from, what was found, what belongs to it: its events, the oldest first. */
static void sample_serve(struct web_request *rq)
{
	char text[512];
	struct writer sql = writer_of(text, sizeof text);
	if (!digest_given(rq))
		return;
	write_fmt(&sql, "SELECT * FROM log WHERE kind IN ('file.captured','sample.analysed','indicator.found','campaign.found') "
			"AND file_sha256 = '%s' ORDER BY id LIMIT %d", web_parameter(rq, "sha256"), PLACES_MAX);
	web_sql_rows(rq, &sql);
}

static const struct route sample = {
	"GET", "/api/v1/samples/{sha256}", "one sample: where it came from, what was found in it, in order of time", sample_serve};
ROUTE(sample);

struct form {
	const char *name, *field, *type;
};

static const struct form forms[] = {
	{"json", "report.sha256", "application/json"},
	{"stix", "report.stix", "application/stix+json;version=2.1"},
	{"cape", "report.cape", "application/json"},
	{"page", "report.page", "text/html; charset=utf-8"},
	{"capture", "report.capture", "application/vnd.tcpdump.pcap"},
};

static const struct form *form_of(struct web_request *rq)
{
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
		if (!strcmp(forms[i].name, web_parameter(rq, "form")))
			return &forms[i];
	return NULL;
}

static void report_came(struct web_request *rq, int status, struct bytes content)
{
	if (status == ERR_MISSING)
		web_fail(rq, 404, "report-gone", "the report is not kept any more");
	else if (status < 0)
		web_fail(rq, 503, "journal-not-there", "the journal did not answer");
	else if (!strcmp(form_of(rq)->name, "page"))
		web_reply_document(rq, content);
	else
		web_reply(rq, 200, form_of(rq)->type, content);
}

static int hex_of(uint8_t c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; }

/* {"digest":"…"}: which file of the journal that report is. */
static void digest_came(struct web_request *rq, int status, struct bytes line)
{
	static const char before[] = "\"digest\":\"";
	uint8_t digest[DIGEST_HEX / 2];
	if (status < 0) {
		web_store_failed(rq, status, line);
		return;
	}
	size_t at = bytes_find(line, before) + sizeof before - 1;
	for (size_t i = 0; i < sizeof digest; i++) {
		int high = at + 2 * i + 1 < line.len ? hex_of(line.at[at + 2 * i]) : -1;
		int low = high < 0 ? -1 : hex_of(line.at[at + 2 * i + 1]);
		if (low < 0) {
			web_fail(rq, 404, "no-report", "there is no such report of that sample");
			return;
		}
		digest[i] = (uint8_t)(high * 16 + low);
	}
	web_ask(rq, "journal", TOPIC_BLOB_READ, (struct bytes){digest, sizeof digest}, report_came);
}

static void report_serve(struct web_request *rq)
{
	char text[512];
	struct writer sql = writer_of(text, sizeof text);
	const struct form *form = form_of(rq);
	if (!form) {
		web_fail(rq, 404, "unknown-form", "json, stix, cape, page or capture is wanted");
		return;
	}
	if (!digest_given(rq))
		return;
	write_fmt(&sql, "SELECT argMax(value[indexOf(field,'%s')], id) AS digest FROM events WHERE kind = 'sample.analysed' AND "
			"file_sha256 = '%s'", form->field, web_parameter(rq, "sha256"));
	web_sql(rq, &sql, digest_came);
}

static const struct route sample_report = {
	"GET", "/api/v1/samples/{sha256}/{form}", "a report on it: json, stix, cape, page, or capture (pcap)", report_serve};
ROUTE(sample_report);
