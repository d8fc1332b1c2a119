/*
 * Shadowserver's API: which reports there are for us, and those that we do not have.
 *
 * A question is JSON with the key in it, signed in the header HMAC2.  Reports are CSV at another host, named by their
 * id, without a key: options.download says where.  Digests of the ids that came are kept, the newest last.
 */
#include "share/client.h"
#include "share/clients/answers_inner.h"
#include "base/clock.h"
#include <jansson.h>
#include <time.h>
#include <xxhash.h>

#define KEPT_MAX (CLIENT_STATE_MAX / sizeof(uint64_t))
#define DOWNLOAD_DEFAULT "https://dl.shadowserver.org/"
#define DAYS_DEFAULT 2
#define DAY_S 86400

static uint64_t digest_of(struct bytes id)
{
	uint64_t d = XXH3_64bits(id.at, id.len);
	return d ? d : 1;
}

static bool is_kept(const uint64_t *kept, uint64_t digest)
{
	for (size_t i = 0; i < KEPT_MAX; i++)
		if (kept[i] == digest)
			return true;
	return false;
}

static int keep(struct client_call *call, uint64_t *kept, uint64_t digest)
{
	memmove(kept, kept + 1, (KEPT_MAX - 1) * sizeof *kept);
	kept[KEPT_MAX - 1] = digest;
	return client_keep(call, (struct bytes){(const uint8_t *)kept, KEPT_MAX * sizeof *kept});
}

static json_t *words_of(const char *text)
{
	json_t *list = json_array();
	for (const char *at = text; at && *at;) {
		const size_t len = strcspn(at, ", ");
		if (len)
			json_array_append_new(list, json_stringn(at, len));
		at += len + strspn(at + len, ", ");
	}
	return list;
}

/* {"apikey": …, "date": "2025-01-01:2025-01-02", "reports": […], "type": …}, in memory of jansson's. */
static char *question(struct client_call *call, struct bytes key)
{
	const uint64_t days = client_number(call, "days", DAYS_DEFAULT, 31);
	const time_t now = (time_t)(clock_utc_us() / 1000000), then = now - (time_t)(days ? days - 1 : 0) * DAY_S;
	char first[16], last[16], range[40];
	struct tm tm;
	strftime(first, sizeof first, "%Y-%m-%d", gmtime_r(&then, &tm));
	strftime(last, sizeof last, "%Y-%m-%d", gmtime_r(&now, &tm));
	snprintf(range, sizeof range, "%s:%s", first, last);
	json_t *o = json_object();
	json_object_set_new(o, "apikey", json_stringn((const char *)key.at, key.len));
	json_object_set_new(o, "date", json_string(range));
	if (client_option(call, "reports"))
		json_object_set_new(o, "reports", words_of(client_option(call, "reports")));
	if (client_option(call, "type"))
		json_object_set_new(o, "type", json_string(client_option(call, "type")));
	char *text = json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS);
	json_decref(o);
	return text;
}

static int ask_list(struct client_call *call, struct shadow_report **list, size_t *count, struct fault *fault)
{
	char header[80] = "HMAC2: ";
	const char *const headers[] = {"Content-Type: application/json", header, NULL};
	struct client_answer a;
	struct bytes key, secret;
	if (!client_key_parts(call, &key, &secret))
		return fault_set(fault, ERR_BAD, "key_file holds no KEY:SECRET");
	char *text = question(call, key);
	if (!text)
		return fault_set(fault, ERR_MEMORY, "no memory for a question");
	shadow_sign(secret, bytes_of_text(text), header + strlen(header));
	const struct client_request r = {.path = "reports/list", .headers = headers, .body = bytes_of_text(text)};
	int bad = client_http(call, &r, &a, fault);
	free(text);
	bad = bad ? bad : client_refused(&a, fault);
	return bad ? bad : shadow_read_list(a.body, client_arena(call), list, count, fault);
}

static int download(struct client_call *call, const struct shadow_report *r, struct fault *fault)
{
	const char *from = client_option(call, "download"), *name = arena_text(client_arena(call), r->file);
	char path[CLIENT_URL_MAX];
	struct client_answer a;
	from = from ? from : DOWNLOAD_DEFAULT;
	const size_t len = strlen(from);
	int n = snprintf(path, sizeof path, "%s%s%.*s", from, len && from[len - 1] == '/' ? "" : "/", (int)r->id.len, (const char *)r->id.at);
	if (n < 0 || (size_t)n >= sizeof path)
		return fault_set(fault, ERR_FULL, "options.download is too long");
	const struct client_request request = {.path = path};
	int bad = client_http(call, &request, &a, fault);
	bad = bad ? bad : client_refused(&a, fault);
	if (!bad && !client_take(call, a.body, name))
		bad = fault_set(fault, ERR_GONE, "a report was not taken");
	return bad;
}

static int turn(struct client_call *call, struct fault *fault)
{
	uint64_t kept[KEPT_MAX] = {0};
	struct bytes state = client_state(call);
	struct shadow_report *list = NULL;
	size_t count = 0;
	int bad = ask_list(call, &list, &count, fault);
	if (state.len == sizeof kept)
		memcpy(kept, state.at, sizeof kept);
	for (size_t i = 0; i < count && !bad && !client_stopped(call); i++) {
		const uint64_t digest = digest_of(list[i].id);
		if (is_kept(kept, digest))
			continue;
		bad = download(call, &list[i], fault);
		if (!bad && keep(call, kept, digest))
			bad = fault_set(fault, ERR_SYSTEM, "what came cannot be kept in mind");
	}
	return bad;
}

static const struct client_option options[] = {
	{"reports", "names of subscriptions between commas; all without it"},
	{"type", "one type of report, such as device_id; all without it"},
	{"days", "how many days are looked at, today among them: 1 to 31; 2 without it"},
	{"download", "where reports are fetched; " DOWNLOAD_DEFAULT " without it"},
	{0},
};

static const struct client shadowserver_client = {
	.name = "shadowserver",
	.summary = "reports of Shadowserver: asks which there are, signed, and downloads those that are new",
	.reference = "Shadowserver reports API (api2): reports/list with HMAC2",
	.format = "shadowserver",
	.key = "KEY:SECRET",
	.options = options,
	.hosts = DOWNLOAD_DEFAULT,
	.turn = turn,
};
CLIENT(shadowserver_client);
