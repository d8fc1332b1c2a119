/*
 * Exports over HTTP: a collection in any of the formats that `kansoku export` has, for programs that fetch them by schedule
 * (block lists, CSV), and a feed of MISP made of them: an event a day.
 *
 *   /exports                               what there is
 *   /exports/{collection}/{format}?from=TIME&to=TIME&count=N       without times: the last day
 *   /misp/{collection}/manifest.json, /misp/{collection}/hashes.csv, /misp/{collection}/{uuid}.json
 */
#include "share/exporting/exporting_inner.h"
#include "share/making/misp_making_inner.h"
#include "share/serve/room_inner.h"
#include <unistd.h>

#define DAY_US MISP_DAY_US
#define FEED_DAYS 30
#define READ_BYTES 65536

static void sent(void *arg, const struct export_result *result, const char *why)
{
	struct serving *s = arg;
	const struct output *output = s->state;
	uint8_t room[READ_BYTES];
	ssize_t n = 0;
	if (!result) {
		serving_fail(s, 422, "%s", why);
		return;
	}
	bool fits = result->bytes <= SERVE_ANSWER_MAX;
	while (fits && (n = read(result->fd, room, sizeof room)) > 0)
		fits = !serving_out(s, (struct bytes){room, (size_t)n});
	close(result->fd);
	if (!fits || n < 0) {
		serving_fail(s, 413, "it is larger than %u bytes; a shorter time would be right", SERVE_ANSWER_MAX);
		return;
	}
	s->action = "read";
	s->format = output->name;
	s->objects = result->objects;
	serving_send(s, 200, output->media_type);
}

static void export_range(struct serving *s, const struct output *output, uint64_t from_us, uint64_t to_us, uint64_t made_us)
{
	struct export_wanted wanted = {.output = output, .collection = s->collection, .tlp_max = s->grant.tlp_max, .from_us = from_us,
				       .to_us = to_us, .made_us = made_us, .action = "export"};
	struct exporting *exporting;
	struct fault fault = {0};
	snprintf(wanted.organisation, sizeof wanted.organisation, "%s", s->caller.organisation);
	snprintf(wanted.policy, sizeof wanted.policy, "%s", s->grant.policy);
	if (!serving_number(s, "count", 0, 1, UINT64_MAX, &wanted.count_max))
		return;
	/* What lies outside of the grant's time is answered as a time in which nothing was. */
	if (!access_window(&s->grant, s->now_us, &wanted.from_us, &wanted.to_us))
		wanted.to_us = wanted.from_us = from_us;
	s->from_us = wanted.from_us;
	s->to_us = wanted.to_us;
	s->state = (void *)(uintptr_t)output;
	if (exporting_begin(&exporting, serving_exchange(s), &wanted, sent, s, &fault))
		serving_fail(s, 422, "%s", fault.text);
}

static bool read_time(struct serving *s, const char *name, uint64_t absent, uint64_t *out)
{
	struct bytes text = serving_argument(s, name);
	*out = absent;
	if (!text.at || time_parse(text, out))
		return true;
	serving_fail(s, 400, "%s must be a time as RFC 3339 has it, in UTC, or a date", name);
	return false;
}

static void export_one(struct serving *s)
{
	const char *name = arena_text(&s->arena, serving_parameter(s, "format"));
	const struct output *output = name ? output_find(name) : NULL;
	uint64_t from_us, to_us;
	if (!serving_collection(s, serving_parameter(s, "collection"), ACCESS_READ))
		return;
	if (!output)
		serving_fail(s, 404, "there is no such format");
	else if (read_time(s, "to", s->now_us, &to_us) && read_time(s, "from", to_us > DAY_US ? to_us - DAY_US : 0, &from_us))
		export_range(s, output, from_us, to_us, s->now_us);
}

static void list(struct serving *s)
{
	struct exchange *x = serving_exchange(s);
	size_t count = 0;
	serving_text(s, "{\"collections\":[");
	for (size_t i = 0; i < x->collections.count; i++)
		if (access_granted(x->access, &s->caller, x->collections.list[i].name, ACCESS_READ))
			serving_text(s, "%s\"%s\"", count++ ? "," : "", x->collections.list[i].name);
	serving_text(s, "],\"formats\":[");
	count = 0;
	OUTPUTS_EACH(it) {
		serving_text(s, "%s{\"name\":\"%s\",\"media_type\":\"%s\",\"summary\":", count++ ? "," : "", (*it)->name, (*it)->media_type);
		serving_json_text(s, bytes_of_text((*it)->summary));
		serving_text(s, "}");
	}
	serving_text(s, "]}\n");
	serving_send(s, 200, "application/json");
}

/* A day's event is younger when the day is: of the last two days an hour ago at most, of others when they were over. */
static uint64_t made_of_day(const struct serving *s, uint64_t day_us)
{
	const uint64_t hour_us = UINT64_C(3600) * 1000000, over_us = day_us + 2 * DAY_US;
	uint64_t now_us = s->now_us / hour_us * hour_us;
	return over_us < now_us ? over_us : now_us;
}

static void write_day(struct serving *s, uint64_t day_us, bool first)
{
	uint8_t room[8192];
	char id[UUID_TEXT_MAX], text[TIME_TEXT_MAX];
	const char *producer = exporting_producer(serving_exchange(s));
	struct writer w = writer_of(room, sizeof room);
	enum tlp tlp = s->collection->tlp < s->grant.tlp_max ? s->collection->tlp : s->grant.tlp_max;
	misp_event_id(s->collection->name, producer, day_us, day_us + DAY_US, id);
	write_fmt(&w, "%s\n\"%s\":{\"Orgc\":", first ? "" : ",", id);
	misp_write_maker(&w, producer);
	write_text(&w, ",\"Tag\":");
	misp_write_tags(&w, tlp);
	write_text(&w, ",\"info\":");
	write_json_string(&w, bytes_of_text(s->collection->title));
	write_fmt(&w, ",\"date\":\"%.10s\",\"analysis\":\"2\",\"threat_level_id\":\"4\",\"timestamp\":\"%llu\"}", time_format(day_us, text),
		  (unsigned long long)(made_of_day(s, day_us) / 1000000));
	serving_out(s, writer_bytes(&w));
}

/* Days are listed whether anything was seen or not: which ones are not empty would tell of what a grant does not show. */
static void misp_manifest(struct serving *s)
{
	uint64_t today_us = s->now_us / DAY_US * DAY_US;
	serving_text(s, "{");
	for (uint64_t back = 0; back < FEED_DAYS; back++)
		write_day(s, today_us - back * DAY_US, back == 0);
	serving_text(s, "}\n");
	s->action = "read";
	s->format = "misp manifest";
	serving_send(s, 200, "application/json");
}

static void misp_day(struct serving *s, struct bytes name)
{
	uint64_t today_us = s->now_us / DAY_US * DAY_US;
	char id[UUID_TEXT_MAX];
	for (uint64_t back = 0; back < FEED_DAYS; back++) {
		uint64_t day_us = today_us - back * DAY_US;
		misp_event_id(s->collection->name, exporting_producer(serving_exchange(s)), day_us, day_us + DAY_US, id);
		if (name.len == UUID_TEXT_MAX + 4 && !memcmp(name.at, id, UUID_TEXT_MAX - 1) && !memcmp(name.at + UUID_TEXT_MAX - 1, ".json", 5)) {
			export_range(s, output_find("misp"), day_us, day_us + DAY_US, made_of_day(s, day_us));
			return;
		}
	}
	serving_fail(s, 404, "there is nothing here that you may see");
}

static void misp_feed(struct serving *s)
{
	struct bytes name = serving_parameter(s, "file");
	uint64_t today_us = s->now_us / DAY_US * DAY_US;
	if (!serving_collection(s, serving_parameter(s, "collection"), ACCESS_READ))
		return;
	if (bytes_equal_text(name, "manifest.json"))
		misp_manifest(s);
	else if (bytes_equal_text(name, "hashes.csv"))
		export_range(s, output_find("misp-hashes"), today_us - (FEED_DAYS - 1) * DAY_US, today_us + DAY_US, s->now_us);
	else
		misp_day(s, name);
}

static const struct endpoint to_list = {"GET", "/exports", "which collections and formats there are", list};
ENDPOINT(to_list);
static const struct endpoint to_export = {"GET", "/exports/{collection}/{format}", "events of a collection in a format", export_one};
ENDPOINT(to_export);
static const struct endpoint to_misp = {"GET", "/misp/{collection}/{file}", "a feed of MISP: manifest.json, hashes.csv, an event a day", misp_feed};
ENDPOINT(to_misp);
