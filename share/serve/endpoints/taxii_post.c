/*
 * POST of objects (TAXII 2.1, 5.5): each is looked at by itself, those that are objects of STIX come in by the same way
 * as any file of a partner, with the organisation as their source, and a status says of each what became of it.
 */
#include "base/random.h"
#include "share/making/stix_making_inner.h"
#include "share/serve/room_inner.h"
#include <jansson.h>
#include <stdlib.h>

#define ROOT "/exchange"
#define OBJECTS_MAX 10000

/* "type--UUID", with the type that the object says itself (STIX 2.1, 2.9). */
static const char *what_is_wrong(const json_t *o)
{
	const char *type = json_string_value(json_object_get(o, "type")), *id = json_string_value(json_object_get(o, "id"));
	const char *version = json_string_value(json_object_get(o, "spec_version"));
	size_t n = type ? strlen(type) : 0;
	if (!json_is_object(o) || !n || n > 100)
		return "it is no object with a type";
	if (!id || strncmp(id, type, n) || strncmp(id + n, "--", 2) || strlen(id + n + 2) != 36)
		return "its id is not its type, two hyphens and a UUID";
	if (strspn(id + n + 2, "0123456789abcdefABCDEF-") != 36)
		return "its id is not its type, two hyphens and a UUID";
	if (version && strcmp(version, "2.1") && strcmp(version, "2.0"))
		return "its spec_version is neither 2.1 nor 2.0";
	return NULL;
}

/* A status names an object by id and version; of what has none, the time of its arrival. */
static json_t *detail_of(const json_t *o, uint64_t now_us, const char *why)
{
	char text[TIME_TEXT_MAX];
	const char *id = json_string_value(json_object_get(o, "id"));
	const char *version = json_string_value(json_object_get(o, "modified"));
	json_t *detail = json_pack("{s:s, s:s}", "id", id && strlen(id) < 200 ? id : "unknown", "version",
				   version && strlen(version) < 64 ? version : time_format(now_us, text));
	if (why)
		json_object_set_new(detail, "message", json_string(why));
	return detail;
}

struct post {
	json_t *good, *successes, *failures;
};

static void sort_out(struct serving *s, const json_t *objects, struct post *post)
{
	size_t i;
	const json_t *o;
	json_array_foreach(objects, i, o) {
		const char *why = what_is_wrong(o);
		json_array_append_new(why ? post->failures : post->successes, detail_of(o, s->now_us, why));
		if (!why)
			json_array_append(post->good, (json_t *)(uintptr_t)o);
	}
}

/* As import of a file: marked as it says itself, repeated things once. */
static int take_in(struct serving *s, const json_t *good, struct fault *fault)
{
	struct job *job;
	char source[ACCESS_NAME_MAX + 16];
	char *text = json_dumps(good, JSON_COMPACT);
	snprintf(source, sizeof source, "partner %s", s->caller.organisation);
	const struct job_origin origin = {.format = "stix", .source = source, .tlp = "", .pap = ""};
	int bad = text ? job_open(&job, serving_exchange(s), &origin, fault) : fault_set(fault, ERR_MEMORY, "no memory");
	if (!bad) {
		bad = job_feed(job, bytes_of_text(text), fault);
		bad = bad ? bad : job_end(job, fault);
		job_close(job);
	}
	free(text);
	return bad;
}

static void answer(struct serving *s, const struct post *post)
{
	char id[UUID_TEXT_MAX], time[TIME_TEXT_MAX];
	uint64_t drawn[4];
	size_t successes = json_array_size(post->successes), failures = json_array_size(post->failures);
	for (size_t i = 0; i < sizeof drawn / sizeof *drawn; i++)
		drawn[i] = random_secret();
	uuid_of_name((const uint8_t *)drawn, (struct bytes){(const uint8_t *)&drawn[2], 16}, id);
	json_t *all = json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I}", "id", id, "status", "complete", "request_timestamp",
				time_format(s->now_us, time), "total_count", (json_int_t)(successes + failures), "success_count",
				(json_int_t)successes, "failure_count", (json_int_t)failures, "pending_count", (json_int_t)0);
	if (successes)
		json_object_set(all, "successes", post->successes);
	if (failures)
		json_object_set(all, "failures", post->failures);
	char *text = json_dumps(all, JSON_COMPACT);
	json_decref(all);
	if (!text) {
		serving_fail(s, 503, "there is no memory for a status");
		return;
	}
	status_keep(s->serve, s->caller.organisation_number, id, bytes_of_text(text));
	serving_out(s, bytes_of_text(text));
	free(text);
	s->action = "write";
	s->format = "taxii";
	s->objects = successes;
	serving_send(s, 202, TAXII_MEDIA);
}

static void take_body(struct serving *s, struct bytes body)
{
	struct fault fault = {0};
	json_t *envelope = json_loadb((const char *)body.at, body.len, JSON_REJECT_DUPLICATES, NULL);
	json_t *objects = json_object_get(envelope, "objects");
	struct post post = {json_array(), json_array(), json_array()};
	size_t count = json_array_size(objects);
	if (!count) {
		serving_fail(s, 422, "it is no envelope: a JSON object with a list of objects");
	} else if (count > OBJECTS_MAX) {
		serving_fail(s, 413, "there may be %d objects at once", OBJECTS_MAX);
	} else {
		sort_out(s, objects, &post);
		json_t *wrapped = json_pack("{s:O}", "objects", post.good);
		int bad = json_array_size(post.good) ? take_in(s, wrapped, &fault) : 0;
		json_decref(wrapped);
		if (bad)
			serving_fail(s, 503, "they cannot be taken in now: %s", fault.text);
		else
			answer(s, &post);
	}
	json_decref(post.good);
	json_decref(post.successes);
	json_decref(post.failures);
	json_decref(envelope);
}

static bool is_taxii_content(struct bytes type)
{
	size_t semicolon = bytes_find(type, ";");
	struct bytes name = bytes_trim((struct bytes){type.at, semicolon}), rest = {type.at + semicolon, type.len - semicolon};
	return bytes_equal_nocase(name, "application/taxii+json") && bytes_find_nocase(rest, "version=") < rest.len &&
	       (bytes_find_nocase(rest, "version=2.1") < rest.len || bytes_find_nocase(rest, "version=\"2.1\"") < rest.len);
}

static void post_objects(struct serving *s)
{
	if (!serving_collection(s, serving_parameter(s, "collection"), ACCESS_WRITE))
		return;
	if (!is_taxii_content(s->head.content_type))
		serving_fail(s, 415, "only " TAXII_MEDIA " is taken here");
	else
		serving_want_body(s, take_body);
}

static const struct endpoint to_post = {"POST", ROOT "/collections/{collection}/objects", "TAXII: objects are given", post_objects};
ENDPOINT(to_post);
