#include "share/exporting/door_inner.h"
#include "base/clock.h"
#include "share/access/door_inner.h"
#include "share/share.h"
#include <jansson.h>
#include <stdlib.h>
#include <unistd.h>

#define PUMP_MS 5
#define WORD_MAX 128

struct export_door {
	struct exchange *exchange;
	uv_timer_t timer;
	struct door_export {
		struct export_door *door;
		struct bus_request *request; /* NULL: free */
		struct exporting *exporting; /* until it is whole */
		struct export_wanted wanted;
		char was[2 * AUDIT_DIGEST + 1]; /* of an export again: its digest */
		struct export_result result;
	} exports[EXPORTS_MAX];
};

static const char *word(const json_t *question, const char *key)
{
	const char *text = json_string_value(json_object_get(question, key));
	return text ? text : "";
}

static int read_time(const json_t *question, const char *key, uint64_t otherwise, uint64_t *out, struct fault *fault)
{
	const char *text = word(question, key);
	*out = otherwise;
	return !*text || time_parse(bytes_of_text(text), out)
		       ? 0 : fault_set(fault, ERR_BAD, "%s: \"%.60s\" is no time; 2015-06-01 or 2015-06-01T10:00:00Z would be right", key, text);
}

static int read_name(const json_t *question, const char *key, char out[EXPORT_NAME_MAX], struct fault *fault)
{
	return bytes_copy_text(bytes_of_text(word(question, key)), out, EXPORT_NAME_MAX)
		       ? 0 : fault_set(fault, ERR_BAD, "%s: the name is too long", key);
}

static int read_what(struct exchange *x, const json_t *question, struct export_wanted *w, struct fault *fault)
{
	static const char *const actions[] = {"export", "snapshot", "preview"};
	w->output = output_find(word(question, "format"));
	w->collection = collection_find(&x->collections, word(question, "collection"));
	if (!w->output)
		return fault_set(fault, ERR_MISSING, "\"%.60s\" is no format of exports; `kansoku describe outputs` lists them",
				 word(question, "format"));
	if (!w->collection)
		return fault_set(fault, ERR_MISSING, "there is no collection \"%.60s\"; `kansoku describe collections` lists those "
				 "that are there without being configured", word(question, "collection"));
	for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
		if (!i || !strcmp(word(question, "action"), actions[i]))
			w->action = actions[i];
	return 0;
}

static int read_marking(const json_t *question, struct export_wanted *w, struct fault *fault)
{
	const char *tlp = word(question, "tlp");
	enum tlp asked = w->tlp_max;
	if (*tlp && !tlp_read(bytes_of_text(tlp), &asked))
		return fault_set(fault, ERR_BAD, "tlp: \"%.60s\" is no marking; clear, green, amber, amber+strict or red would be right", tlp);
	if (asked > w->tlp_max)
		return fault_set(fault, ERR_DENIED, "tlp: the grant of %s ends at %s", w->organisation, tlp_name(w->tlp_max));
	w->tlp_max = asked;
	return 0;
}

/* What is for an organisation is what its grant says: nobody is shown more because an operator asks. */
static int read_grant(struct exchange *x, const json_t *question, uint64_t now_us, struct export_wanted *w, struct fault *fault)
{
	const struct grant *grant = access_granted_to(x->access, w->organisation, w->collection->name, now_us);
	if (!grant)
		return fault_set(fault, ERR_DENIED, "%s has no grant to read %s; see `kansoku grant`", w->organisation,
				 w->collection->name);
	if (*word(question, "policy") && strcmp(word(question, "policy"), grant->policy))
		return fault_set(fault, ERR_DENIED, "policy: the grant of %s names \"%s\"", w->organisation, grant->policy);
	snprintf(w->policy, sizeof w->policy, "%s", grant->policy);
	w->tlp_max = grant->tlp_max;
	if (!access_window(grant, now_us, &w->from_us, &w->to_us))
		return fault_set(fault, ERR_DENIED, "the grant of %s allows none of that time", w->organisation);
	return 0;
}

int export_question_read(struct exchange *x, struct bytes text, struct export_wanted *w, struct fault *fault)
{
	json_t *question = json_loadb((const char *)text.at, text.len, 0, NULL);
	uint64_t now_us = clock_utc_us();
	*w = (struct export_wanted){.tlp_max = TLP_RED};
	int bad = json_is_object(question) ? 0 : fault_set(fault, ERR_BAD, "the question is no JSON object");
	bad = bad ? bad : read_what(x, question, w, fault);
	bad = bad ? bad : read_time(question, "from", 0, &w->from_us, fault);
	bad = bad ? bad : read_time(question, "to", now_us, &w->to_us, fault);
	bad = bad ? bad : read_time(question, "made", 0, &w->made_us, fault);
	bad = bad ? bad : read_name(question, "organisation", w->organisation, fault);
	bad = bad ? bad : read_name(question, "policy", w->policy, fault);
	if (!bad && w->organisation[0])
		bad = read_grant(x, question, now_us, w, fault);
	else if (!bad && !w->policy[0])
		snprintf(w->policy, sizeof w->policy, "default");
	bad = bad ? bad : read_marking(question, w, fault);
	if (!bad && w->from_us >= w->to_us)
		bad = fault_set(fault, ERR_BAD, "from: it is not before \"to\"");
	const json_int_t count = json_integer_value(json_object_get(question, "count"));
	w->count_max = count > 0 ? (uint64_t)count : 0;
	/* The end of the time that is in it, so that the same question gives the same bytes. */
	w->made_us = w->made_us ? w->made_us : w->to_us;
	json_decref(question);
	return bad;
}

static void forget(struct door_export *one)
{
	if (one->exporting)
		exporting_forget(one->exporting);
	if (one->result.fd >= 0)
		close(one->result.fd);
	one->exporting = NULL;
	one->request = NULL;
	one->result.fd = -1;
}

static void answer_end(struct door_export *one)
{
	char room[2048], hex[2 * AUDIT_DIGEST + 1], from[TIME_TEXT_MAX], to[TIME_TEXT_MAX], made[TIME_TEXT_MAX];
	const struct export_wanted *w = &one->wanted;
	struct writer a = writer_of(room, sizeof room);
	for (size_t i = 0; i < AUDIT_DIGEST; i++)
		snprintf(hex + 2 * i, 3, "%02x", one->result.digest[i]);
	write_u8(&a, EXPORT_END);
	write_fmt(&a, "{\"format\":\"%s\",\"collection\":\"%s\",\"organisation\":", w->output->name, w->collection->name);
	write_json_string(&a, bytes_of_text(w->organisation));
	write_text(&a, ",\"policy\":");
	write_json_string(&a, bytes_of_text(w->policy));
	write_fmt(&a, ",\"tlp\":\"%s\",\"marking\":\"%s\",\"from\":\"%s\",\"to\":\"%s\",\"made\":\"%s\",\"count\":%llu,",
		  tlp_name(w->tlp_max), tlp_name(one->result.marking), time_format(w->from_us, from), time_format(w->to_us, to),
		  time_format(w->made_us, made), (unsigned long long)w->count_max);
	if (one->was[0])
		write_fmt(&a, "\"was\":\"%s\",", one->was);
	write_fmt(&a, "\"objects\":%llu,\"passed_over\":%llu,\"withheld\":%llu,\"bytes\":%llu,\"sha256\":\"%s\","
		  "\"media_type\":\"%s\",\"extension\":\"%s\"}",
		  (unsigned long long)one->result.objects, (unsigned long long)one->result.passed_over,
		  (unsigned long long)one->result.withheld, (unsigned long long)one->result.bytes, hex, w->output->media_type,
		  w->output->extension);
	bus_answer(one->request, a.bad ? ERR_FULL : 0, writer_bytes(&a), false);
	forget(one);
}

/* As much as the asker has taken of it; false: it is over. */
static bool send_parts(struct door_export *one)
{
	static uint8_t part[1 + EXPORT_PART_MAX];
	long unsent;
	while ((unsent = bus_request_unsent(one->request)) >= 0 && unsent <= EXPORT_UNSENT_MAX) {
		ssize_t n = read(one->result.fd, part + 1, EXPORT_PART_MAX);
		if (n < 0) {
			bus_answer(one->request, ERR_SYSTEM, BYTES("the export's file cannot be read"), false);
			forget(one);
			return false;
		}
		if (n == 0) {
			answer_end(one);
			return false;
		}
		part[0] = EXPORT_BYTES;
		bus_answer(one->request, 0, (struct bytes){part, (size_t)n + 1}, true);
	}
	if (unsent >= 0)
		return true;
	bus_answer(one->request, ERR_GONE, (struct bytes){0}, false);
	forget(one);
	return false;
}

static void pump(uv_timer_t *timer)
{
	struct export_door *door = timer->data;
	bool busy = false;
	for (size_t i = 0; i < EXPORTS_MAX; i++)
		if (door->exports[i].request && !door->exports[i].exporting)
			busy |= send_parts(&door->exports[i]);
	if (!busy)
		uv_timer_stop(timer);
}

static void on_whole(void *arg, const struct export_result *result, const char *why)
{
	struct door_export *one = arg;
	one->exporting = NULL;
	if (!result) {
		bus_answer(one->request, ERR_BAD, bytes_of_text(why), false);
		forget(one);
		return;
	}
	one->result = *result;
	uv_timer_start(&one->door->timer, pump, 0, PUMP_MS);
}

static int read_question(struct door_export *one, struct bytes payload, struct fault *fault)
{
	struct exchange *x = one->door->exchange;
	json_t *question = json_loadb((const char *)payload.at, payload.len, 0, NULL);
	const json_int_t line = json_integer_value(json_object_get(question, "line"));
	json_decref(question);
	one->was[0] = '\0';
	return line > 0 ? export_again_read(x, (uint64_t)line, &one->wanted, one->was, fault)
			: export_question_read(x, payload, &one->wanted, fault);
}

static void on_export(void *arg, struct bus_request *request, struct bytes payload)
{
	struct export_door *door = arg;
	struct door_export *one = NULL;
	struct fault fault = {0};
	if (!access_by_command(request)) {
		bus_answer(request, ERR_DENIED, BYTES("exports are made on the command line only"), false);
		return;
	}
	for (size_t i = 0; i < EXPORTS_MAX && !one; i++)
		if (!door->exports[i].request)
			one = &door->exports[i];
	int bad = one ? read_question(one, payload, &fault)
		      : fault_set(&fault, ERR_FULL, "%d exports run already; try again later", EXPORTS_MAX);
	bad = bad ? bad : exporting_begin(&one->exporting, door->exchange, &one->wanted, on_whole, one, &fault);
	if (bad)
		bus_answer(request, bad, bytes_of_text(fault.text), false);
	else
		one->request = request;
}

int export_door_open(struct exchange *x, struct fault *fault)
{
	struct export_door *door = x->export_door = calloc(1, sizeof *door);
	if (!door)
		return fault_set(fault, ERR_MEMORY, "no memory for exports");
	door->exchange = x;
	for (size_t i = 0; i < EXPORTS_MAX; i++) {
		door->exports[i].door = door;
		door->exports[i].result.fd = -1;
	}
	uv_timer_init(x->process->loop, &door->timer);
	door->timer.data = door;
	bus_on_request(x->process->bus, TOPIC_EXPORT, on_export, door);
	bus_open_to_guests(x->process->bus, TOPIC_EXPORT);
	return 0;
}

void export_door_stop(struct exchange *x)
{
	struct export_door *door = x->export_door;
	if (!door || uv_is_closing((uv_handle_t *)&door->timer))
		return;
	for (size_t i = 0; i < EXPORTS_MAX; i++)
		if (door->exports[i].request) {
			bus_answer(door->exports[i].request, ERR_GONE, BYTES("kansoku stops"), false);
			forget(&door->exports[i]);
		}
	uv_close((uv_handle_t *)&door->timer, NULL);
}

void export_door_close(struct exchange *x)
{
	free(x->export_door);
	x->export_door = NULL;
}
