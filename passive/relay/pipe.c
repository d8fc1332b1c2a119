#include "passive/relay/pipe.h"
#include "passive/relay/relay.h"

bool pipe_begins(struct session *s)
{
	const struct backend *b = session_backend(s);
	if (!b || b->after != BACKEND_ALWAYS || s->service->relayed || !session_relay(s))
		return false;
	session_delay(s, RELAY_WAIT_MS);
	s->piped = true;
	return true;
}

/* It could not be reached: the visitor meets the emulator and notices nothing. */
static enum service_next pipe_give_up(struct session *s)
{
	session_relay_end(s);
	s->piped = false;
	return s->service->open ? s->service->open(s, s->state) : SERVICE_CONTINUE;
}

enum service_next pipe_input(struct session *s, struct reader *r)
{
	session_relay_say(s, read_rest(r));
	return SERVICE_CONTINUE;
}

enum service_next pipe_tick(struct session *s)
{
	return pipe_give_up(s);
}

enum service_next pipe_relayed(struct session *s, enum relay_event what, struct bytes came)
{
	switch (what) {
	case RELAY_OPENED:
		session_relay_begins(s);
		return SERVICE_CONTINUE;
	case RELAY_CAME:
		session_say_bytes(s, came);
		return SERVICE_CONTINUE;
	default:
		if (s->relayed)
			return SERVICE_CLOSE;
		session_delay_over(s);
		return pipe_give_up(s);
	}
}
