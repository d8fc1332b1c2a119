/*
 * What a session sees of bait, and what it uses of it.
 *
 * A look at a text with a token is told once a session, with the token's number and not the token
 * itself.  Whatever a peer says in any service goes through one place on its way out, as an event's
 * bytes; there tokens are found: in passwords, user names, paths, host names, commands, recipients.
 */
#include "passive/device/bait/bait.h"
#include "passive/room/session_inner.h"
#include <stdlib.h>

#define TOLD_MAX 32 /* of one session */

FIELD(FIELD_BAIT_SHAPE, "bait.shape", TEXT, 0, "how it looks: password, key or url");
FIELD(FIELD_BAIT_DEVICE, "bait.device", ADDRESS, 0, "decoy where it was planted");
FIELD(FIELD_BAIT_PLACE, "bait.place", BYTES, 0, "place outside where it was announced, or what the account is for");
FIELD(FIELD_BAIT_FIRST, "bait.first", BOOL, 0, "whether it is the first use of it");
FIELD(FIELD_BAIT_SESSION, "bait.session", ID, 0, "session that saw it first");
FIELD(FIELD_BAIT_SOURCE, "bait.source", ADDRESS, 0, "source that saw it first");
FIELD(FIELD_BAIT_SEEN, "bait.seen", TIME, 0, "when that was");
FIELD(FIELD_BAIT_HEARD, "bait.heard", TEXT, 0, "kind of the event whose words held it");
FIELD(FIELD_HTTP_CRAWLER, "http.crawler", TEXT, 0,
      "the peer is a search engine's crawler: claimed by its name, or verified by its address");

struct session_bait {
	uint64_t told[TOLD_MAX]; /* ids; of those used, inverted */
	unsigned count;
};

static bool told_before(struct session *s, uint64_t id)
{
	if (!s->bait)
		s->bait = calloc(1, sizeof *s->bait);
	if (!s->bait || s->bait->count == TOLD_MAX)
		return true;
	for (unsigned i = 0; i < s->bait->count; i++)
		if (s->bait->told[i] == id)
			return true;
	s->bait->told[s->bait->count++] = id;
	return false;
}

void session_mentions(struct session *s, struct bytes text)
{
	struct bait *b = s->stage->bait;
	struct bait_heard h;
	while (b && b->heard_count < BAIT_QUEUE_MAX && bait_next(&b->ledger.secret, &text, &h.token, &h.shape)) {
		bool again = false;
		for (size_t i = 0; i < b->heard_count; i++)
			again |= !memcmp(&b->heard[i].token, &h.token, sizeof h.token);
		if (!again)
			b->heard[b->heard_count++] = h;
	}
}

void session_bait_hear(struct session *s, const struct event *e)
{
	if (!s->stage->bait || e->kind == EVENT_SESSION_OPENED || e->kind == EVENT_SESSION_CLOSED)
		return;
	for (uint16_t i = 0; i < e->count; i++)
		if (e->values[i].type == FIELD_BYTES)
			session_mentions(s, e->values[i].bytes);
	struct bait *b = s->stage->bait;
	b->heard_kind = event_kind_name(e->kind);
	bytes_copy_text(event_bytes(e, FIELD_HTTP_CRAWLER), b->crawler, sizeof b->crawler);
}

size_t session_bait_candidates(const struct session *s, struct bytes user, struct bait_candidate *out, size_t max)
{
	return s->stage->bait ? bait_candidates(s->stage->bait, &s->local, user, out, max) : 0;
}

bool session_bait_opens(const struct session *s, struct bytes user, struct bytes secret)
{
	return bait_opens(s->stage->bait, &s->local, user, secret);
}

static struct event *tell(struct session *s, enum event_kind kind, uint64_t id, enum bait_shape shape,
			  const struct sight *cause)
{
	struct event *e = &s->stage->report;
	char text[17];
	event_begin(e, kind);
	session_mark(s, e);
	if (cause)
		event_set_chain(e, &cause->event, &cause->root, cause->depth);
	else
		event_set_chain(e, &s->id, &s->root, s->depth);
	snprintf(text, sizeof text, "%016llx", (unsigned long long)id);
	event_set_text(e, FIELD_BAIT_ID, text);
	event_set_text(e, FIELD_BAIT_SHAPE, bait_shape_name(shape));
	return e;
}

static void tell_shown(struct session *s, struct bait *b, const struct bait_shown *shown)
{
	uint64_t id = bait_id(&b->ledger.secret, &shown->token);
	if (told_before(s, id))
		return;
	struct event *e = tell(s, EVENT_TOKEN_PLANTED, id, shown->shape, NULL);
	event_set_text(e, FIELD_BAIT_KIND, "decoy");
	event_set_bytes(e, FIELD_BAIT_NAME, bytes_of_text(shown->name));
	if (*shown->path)
		event_set_bytes(e, FIELD_BAIT_PATH, bytes_of_text(shown->path));
	event_set_address(e, FIELD_BAIT_DEVICE, &s->local);
	s->stage->publish(s->stage, s, e);
	if (!b->sights)
		return;
	struct sight sight = {.token = id,
			      .what = shown->token,
			      .time_us = s->stage->utc_us,
			      .device = s->local,
			      .source = s->peer,
			      .session = s->id,
			      .event = e->id,
			      .root = id_is_zero(&s->root) ? s->id : s->root,
			      .depth = s->depth + 1};
	memcpy(sight.name, shown->name, sizeof sight.name);
	memcpy(sight.path, shown->path, sizeof sight.path);
	sights_add(b->sights, &sight);
}

/* That it was used is remembered beside who saw it. */
static bool first_use(struct session *s, struct bait *b, uint64_t id)
{
	const struct sight use = {.token = ~id,
				  .time_us = s->stage->utc_us,
				  .device = s->local,
				  .source = s->peer,
				  .session = s->id};
	return b->sights && sights_add(b->sights, &use);
}

/* `seen`: the first look at it; NULL: it is not remembered. */
static void say_planted(struct event *e, const struct bait_token *t, const struct sight *seen)
{
	struct address device = t->source == BAIT_V4 ? address_v4(t->where) : seen ? seen->device : (struct address){0};
	if (!address_is_zero(&device))
		event_set_address(e, FIELD_BAIT_DEVICE, &device);
	event_set_text(e, FIELD_BAIT_KIND, "decoy");
	if (!seen)
		return;
	event_set_bytes(e, FIELD_BAIT_NAME, bytes_of_text(seen->name));
	if (*seen->path)
		event_set_bytes(e, FIELD_BAIT_PATH, bytes_of_text(seen->path));
	event_set_id(e, FIELD_BAIT_SESSION, &seen->session);
	event_set_address(e, FIELD_BAIT_SOURCE, &seen->source);
	event_set_number(e, FIELD_BAIT_SEEN, seen->time_us);
}

/* Credentials out of a sample's box: what led here is that they were planted there. */
static void say_sample(struct event *e, const struct bait_entry *entry)
{
	struct bait_run run;
	struct event_id event, root;
	if (!bait_run_read(entry->text, &run))
		return;
	memcpy(event.b, run.event, sizeof event.b);
	memcpy(root.b, run.root, sizeof root.b);
	event_set_chain(e, &event, &root, run.depth);
	event_set_text(e, FIELD_FILE_SHA256, run.sha256);
	event_set_text(e, FIELD_BAIT_RUN, run.run);
}

static void say_entry(struct event *e, struct bait *b, uint32_t number)
{
	bait_ledger_refresh(&b->ledger);
	const struct bait_entry *entry = bait_ledger_entry(&b->ledger, number);
	event_set_number(e, FIELD_BAIT_ENTRY, number);
	event_set_text(e, FIELD_BAIT_KIND, bait_ledger_kind_name(entry ? entry->kind : LEDGER_PLACE));
	if (!entry)
		return;
	if (entry->kind == LEDGER_SAMPLE)
		say_sample(e, entry);
	else
		event_set_bytes(e, FIELD_BAIT_PLACE, bytes_of_text(entry->text));
	if (*entry->user)
		event_set_bytes(e, FIELD_BAIT_NAME, bytes_of_text(entry->user));
}

static void tell_heard(struct session *s, struct bait *b, const struct bait_heard *heard)
{
	uint64_t id = bait_id(&b->ledger.secret, &heard->token);
	struct sight seen;
	if (told_before(s, ~id))
		return;
	bool known = heard->token.source != BAIT_ENTRY && b->sights && sights_find(b->sights, id, &seen);
	/* The look at it is what led here, whoever looked. */
	struct event *e = tell(s, EVENT_TOKEN_USED, id, heard->shape, known ? &seen : NULL);
	if (heard->token.source == BAIT_ENTRY)
		say_entry(e, b, heard->token.where);
	else
		say_planted(e, &heard->token, known ? &seen : NULL);
	event_set_bool(e, FIELD_BAIT_FIRST, first_use(s, b, id));
	event_set_text(e, FIELD_BAIT_HEARD, b->heard_kind);
	if (*b->crawler)
		event_set_text(e, FIELD_HTTP_CRAWLER, b->crawler);
	s->stage->publish(s->stage, s, e);
}

void session_bait_tell(struct session *s)
{
	struct bait *b = s->stage->bait;
	for (size_t i = 0; b && i < b->shown_count; i++)
		tell_shown(s, b, &b->shown[i]);
	for (size_t i = 0; b && i < b->heard_count; i++)
		tell_heard(s, b, &b->heard[i]);
	if (b)
		b->shown_count = b->heard_count = 0;
}
