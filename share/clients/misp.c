/*
 * A feed of MISP: manifest.json lists events with the time of their last change, UUID.json is one.
 *
 * Events are read in order of that time, and the time of the last one is kept with the names of those that share it.
 */
#include "share/client.h"
#include "share/clients/answers_inner.h"
#include <stdlib.h>

#define EVENTS_OF_TURN_DEFAULT 500
#define EVENTS_OF_TURN_MAX 100000

struct place { /* how far the feed was read: "TIMESTAMP\nUUID\nUUID\n" */
	uint64_t timestamp;
	char uuids[CLIENT_STATE_MAX - 32];
};

static void place_read(struct bytes state, struct place *p)
{
	char text[CLIENT_STATE_MAX + 1], *end;
	*p = (struct place){0};
	if (!bytes_copy_text(state, text, sizeof text))
		return;
	p->timestamp = strtoull(text, &end, 10);
	if (*end == '\n')
		snprintf(p->uuids, sizeof p->uuids, "%s", end + 1);
}

static bool is_new(const struct place *p, const struct misp_entry *e)
{
	return e->timestamp > p->timestamp || (e->timestamp == p->timestamp && !strstr(p->uuids, e->uuid));
}

static int place_keep(struct client_call *call, struct place *p, const struct misp_entry *e)
{
	char text[CLIENT_STATE_MAX];
	struct writer w = writer_of(text, sizeof text);
	if (e->timestamp > p->timestamp)
		p->uuids[0] = '\0';
	p->timestamp = e->timestamp;
	/* Those that find no room are read again the next time, and come in no second time. */
	const size_t used = strlen(p->uuids);
	if (used + sizeof e->uuid < sizeof p->uuids)
		snprintf(p->uuids + used, sizeof p->uuids - used, "%s\n", e->uuid);
	write_fmt(&w, "%llu\n%s", (unsigned long long)p->timestamp, p->uuids);
	return client_keep(call, writer_bytes(&w));
}

static int get(struct client_call *call, const char *path, struct client_answer *a, struct fault *fault)
{
	const char *auth = client_option(call, "auth");
	const char *before = auth && !strcmp(auth, "bearer") ? "Authorization: Bearer " : "Authorization: ";
	const char *const headers[] = {"Accept: application/json", client_header(call, before, client_key(call)), NULL};
	const struct client_request r = {.path = path, .headers = headers};
	return client_http(call, &r, a, fault);
}

static int turn(struct client_call *call, struct fault *fault)
{
	const uint64_t most = client_number(call, "events", EVENTS_OF_TURN_DEFAULT, EVENTS_OF_TURN_MAX);
	struct misp_entry *list = NULL;
	struct client_answer a;
	struct place place;
	size_t count = 0, missing = 0;
	uint64_t taken = 0;
	int bad = get(call, "manifest.json", &a, fault);
	bad = bad ? bad : client_refused(&a, fault);
	bad = bad ? bad : misp_read_manifest(a.body, client_arena(call), &list, &count, fault);
	place_read(client_state(call), &place);
	for (size_t i = 0; i < count && !bad && taken < most && !client_stopped(call); i++) {
		char path[64];
		if (!is_new(&place, &list[i]))
			continue;
		snprintf(path, sizeof path, "%s.json", list[i].uuid);
		bad = get(call, path, &a, fault);
		/* An event that was withdrawn since the manifest was written stops nothing. */
		if (!bad && a.status == 404)
			missing++;
		else if (!bad && !(bad = client_refused(&a, fault)) && !client_take(call, a.body, path))
			bad = fault_set(fault, ERR_GONE, "the event %s was not taken", list[i].uuid);
		if (!bad && place_keep(call, &place, &list[i]))
			bad = fault_set(fault, ERR_SYSTEM, "where it was cannot be kept");
		taken++;
	}
	if (missing)
		client_say(call, "%zu events of its manifest are not there", missing);
	return bad;
}

static const struct client_option options[] = {
	{"events", "of one turn, at most; 500 without it"},
	{"auth", "bearer: the key is sent as such; otherwise as MISP wants its own"},
	{0},
};

static const struct client misp_client = {
	.name = "misp",
	.summary = "a feed of MISP: events of its manifest that are new or have changed",
	.reference = "MISP core format, feeds: manifest.json and UUID.json",
	.format = "misp",
	.key = "the automation key, where the feed wants one",
	.options = options,
	.turn = turn,
};
CLIENT(misp_client);
