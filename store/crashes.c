#include "store/crashes.h"
#include "base/random.h"
#include <stdlib.h>

struct crashes {
	struct sessions *sessions;
	uint32_t makers[SESSIONS_INSTANCES_MAX]; /* 0: free */
	unsigned next;
	struct event event;
};

int crashes_open(struct crashes **out)
{
	struct crashes *c = calloc(1, sizeof *c);
	if (!c || sessions_open(&c->sessions, SESSIONS_MAX, random_secret())) {
		free(c);
		return ERR_MEMORY;
	}
	*out = c;
	return 0;
}

void crashes_close(struct crashes *c)
{
	if (!c)
		return;
	sessions_close(c->sessions);
	free(c);
}

static uint32_t maker_of(const struct event_id *id)
{
	struct reader r = reader_of(id->b + 8, 4);
	return read_u32(&r);
}

/*
 * The place of an instance.  With hundreds of starts within the journal's memory the oldest
 * place is given on: all that it still held was of an instance long dead and closed.
 */
static unsigned instance_of(struct crashes *c, uint32_t maker)
{
	for (unsigned i = 0; i < SESSIONS_INSTANCES_MAX; i++)
		if (c->makers[i] == maker)
			return i;
	unsigned place = c->next++ % SESSIONS_INSTANCES_MAX;
	struct open_session forgotten;
	while (sessions_take(c->sessions, place, &forgotten))
		;
	c->makers[place] = maker;
	return place;
}

void crashes_see(struct crashes *c, struct bytes frame, const struct dictionary *d)
{
	int kind = frame_kind(frame, d);
	struct event_id session;
	if ((kind != EVENT_SESSION_OPENED && kind != EVENT_SESSION_CLOSED) ||
	    frame_decode(frame, d, &c->event))
		return;
	if (kind == EVENT_SESSION_OPENED)
		sessions_add(c->sessions, &c->event, instance_of(c, maker_of(&c->event.id)));
	else if (event_id_of(&c->event, FIELD_SESSION, &session))
		sessions_remove(c->sessions, &session);
}

bool crashes_next(struct crashes *c, const uint32_t *alive, size_t count, uint64_t now_us,
		  struct event *out)
{
	for (unsigned i = 0; i < SESSIONS_INSTANCES_MAX; i++) {
		bool lives = c->makers[i] == 0;
		for (size_t a = 0; a < count; a++)
			lives |= c->makers[i] == alive[a];
		struct open_session session;
		if (lives || !sessions_take(c->sessions, i, &session))
			continue;
		sessions_write_closed(c->sessions, &session, "crash", now_us, out);
		return true;
	}
	return false;
}
