#include "share/access/door_inner.h"
#include "base/clock.h"
#include "base/log.h"
#include "share/access/access_inner.h"
#include "share/anonymise/policy_inner.h"
#include <jansson.h>
#include <stdlib.h>

#define AUDIT_PAGE 200
#define AUDIT_LINES_READ 20000 /* for one page: who wants more asks on */

bool access_by_command(struct bus_request *request) { return !strcmp(bus_peer_role(bus_request_peer(request)), "guest"); }

/*
 * Who may ask for what: command lines all, the console's process only to see it.  The partners' own process, which
 * talks with strangers, nothing.
 */
static int may_ask(struct bus_request *request, struct bytes payload, bool changes)
{
	const char *role = bus_peer_role(bus_request_peer(request));
	json_t *question = strcmp(role, "web") || !changes ? NULL : json_loadb((const char *)payload.at, payload.len, 0, NULL);
	const char *word = json_string_value(json_object_get(question, "do"));
	const size_t len = word ? strlen(word) : 0;
	const bool lists = len > 5 && !strcmp(word + len - 5, ".list");
	json_decref(question);
	return access_by_command(request) || (!strcmp(role, "web") && (lists || !changes)) ? 0 : ERR_DENIED;
}

static void on_access(void *arg, struct bus_request *request, struct bytes payload)
{
	struct exchange *x = arg;
	struct fault fault = {0};
	char *room = malloc(ACCESS_ANSWER_MAX);
	struct writer answer = writer_of(room, room ? ACCESS_ANSWER_MAX : 0);
	int bad = may_ask(request, payload, true);
	if (bad)
		fault_set(&fault, bad, "rights are changed on the command line only");
	else if (room)
		bad = access_obey(x->access, payload, clock_utc_us(), &answer, &fault);
	else
		bad = fault_set(&fault, ERR_MEMORY, "no memory for an answer");
	bus_answer(request, bad, bad ? bytes_of_text(fault.text) : writer_bytes(&answer), false);
	free(room);
}

struct audit_page {
	const char *organisation, *action; /* NULL: all */
	json_t *rows;
	size_t count, read;
	uint64_t next;
};

static bool fits(const json_t *line, const char *key, const char *wanted)
{
	const char *text = json_string_value(json_object_get(line, key));
	return !wanted || !*wanted || (text && !strcmp(text, wanted));
}

static bool take_line(void *arg, struct bytes text)
{
	struct audit_page *page = arg;
	json_t *line = json_loadb((const char *)text.at, text.len, 0, NULL);
	page->next = (uint64_t)json_integer_value(json_object_get(line, "n"));
	if (line && fits(line, "organisation", page->organisation) && fits(line, "action", page->action))
		json_array_append(page->rows, line);
	json_decref(line);
	return json_array_size(page->rows) < page->count && ++page->read < AUDIT_LINES_READ;
}

static void on_audit(void *arg, struct bus_request *request, struct bytes payload)
{
	struct exchange *x = arg;
	if (may_ask(request, payload, false)) {
		bus_answer(request, ERR_DENIED, (struct bytes){0}, false);
		return;
	}
	json_t *question = json_loadb((const char *)payload.at, payload.len, 0, NULL);
	const json_int_t before = json_integer_value(json_object_get(question, "before"));
	const json_int_t count = json_integer_value(json_object_get(question, "count"));
	struct audit_page page = {
		.organisation = json_string_value(json_object_get(question, "organisation")),
		.action = json_string_value(json_object_get(question, "action")),
		.rows = json_array(),
		.count = count > 0 && count < AUDIT_PAGE ? (size_t)count : AUDIT_PAGE,
	};
	int bad = audit_each_back(x->audit, before > 0 ? (uint64_t)before : 0, take_line, &page);
	json_t *all = json_pack("{s:o, s:I, s:I}", "rows", page.rows, "last", (json_int_t)audit_last(x->audit).number, "next",
				page.next > 1 ? (json_int_t)page.next : (json_int_t)0);
	char *text = all && !bad ? json_dumps(all, JSON_COMPACT) : NULL;
	const bool fits_one = text && strlen(text) <= BUS_PAYLOAD_MAX;
	bus_answer(request, fits_one ? 0 : ERR_BAD, fits_one ? bytes_of_text(text) : BYTES("the audit cannot be read, or so much at once"),
		   false);
	free(text);
	json_decref(all);
	json_decref(question);
}

static bool has_collection(void *arg, const char *name)
{
	const struct collection *c = collection_find(&((struct exchange *)arg)->collections, name);
	return c && !strcmp(c->name, name); /* not by its id: grants have names */
}

static bool has_policy(void *arg, const char *name)
{
	struct fault ignored;
	struct policy *policy = malloc(sizeof *policy);
	const bool has = policy && !policy_read(policy, ((struct exchange *)arg)->process->config, name, &ignored);
	free(policy);
	return has;
}

/* The configuration may have changed under the grants: nothing is shown by them then, which must not be a riddle. */
static void tell_dangling(struct exchange *x)
{
	for (size_t i = 0; i < x->access->grant_count; i++) {
		const struct grant *g = &x->access->grants[i].grant;
		const bool collection = has_collection(x, g->collection);
		if (!collection || !has_policy(x, g->policy))
			log_error("exchange: the grant of %s for %s shows nothing: there is no %s of that name any more", g->organisation,
				  g->collection, collection ? "policy" : "collection");
	}
}

int access_door_open(struct exchange *x, struct fault *fault)
{
	int bad = audit_open(&x->audit, x->directory, fault);
	const struct access_about about = {.directory = x->directory, .audit = x->audit, .arg = x,
					   .has_collection = has_collection, .has_policy = has_policy};
	bad = bad ? bad : access_open(&x->access, &about, fault);
	if (bad) {
		access_door_close(x);
		return bad;
	}
	tell_dangling(x);
	bus_on_request(x->process->bus, TOPIC_ACCESS, on_access, x);
	bus_open_to_guests(x->process->bus, TOPIC_ACCESS);
	bus_on_request(x->process->bus, TOPIC_AUDIT, on_audit, x);
	bus_open_to_guests(x->process->bus, TOPIC_AUDIT);
	return 0;
}

void access_door_close(struct exchange *x)
{
	access_close(x->access);
	audit_close(x->audit);
	x->access = NULL;
	x->audit = NULL;
}
