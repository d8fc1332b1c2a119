/* What a completed handshake is as an event. */
#include "passive/telescope/reactive.h"

FIELD(reactive_phases, "reactive.phases", NUMBER, 0,
      "2: an irregular SYN came first and a regular one completed the handshake; else 1");
FIELD(reactive_gap, "reactive.gap", NUMBER, 0, "microseconds from the irregular SYN to the handshake");
FIELD(reactive_signs, "reactive.signs", TEXT, 0,
      "what made a SYN irregular: ipid (54321), ttl (above 200), no-options, tool (its signature)");
FIELD(reactive_end, "reactive.end", TEXT, 0,
      "what ended it: payload (it came), closed (by the peer), silent (it waited), no_room (of ours)");

#define SIGNS_TEXT_MAX 64

static const char *signs_text(unsigned signs, char text[SIGNS_TEXT_MAX])
{
	static const struct {
		unsigned sign;
		const char *name;
	} names[] = {{SIGN_IPID, "ipid"}, {SIGN_TTL, "ttl"}, {SIGN_NO_OPTIONS, "no-options"}, {SIGN_TOOL, "tool"}};
	struct writer w = writer_of(text, SIGNS_TEXT_MAX - 1);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (signs & names[i].sign)
			write_fmt(&w, "%s%s", writer_used(&w) ? " " : "", names[i].name);
	text[writer_used(&w)] = '\0';
	return text;
}

void reactive_event(const struct reactive_proof *p, const char *tool, const char *asks, struct event *e)
{
	char text[SIGNS_TEXT_MAX];
	event_begin(e, EVENT_SCAN_SEEN);
	e->time_us = p->time_us;
	event_set_text(e, FIELD_STATE, "answered");
	event_set_address(e, FIELD_SRC, &p->source);
	event_set_number(e, FIELD_SPORT, p->source_port);
	event_set_address(e, FIELD_DST, &p->destination);
	event_set_number(e, FIELD_DPORT, p->port);
	event_set_text(e, FIELD_PROTO, "tcp");
	event_set_number(e, FIELD_DURATION, p->time_us - p->proved_us);
	event_set_text(e, reactive_end, reactive_end_names[p->end]);
	event_set_number(e, reactive_phases, p->two_phase ? 2 : 1);
	if (p->two_phase)
		event_set_number(e, reactive_gap, p->phase_gap_us);
	if (p->signs)
		event_set_text(e, reactive_signs, signs_text(p->signs, text));
	if (tool)
		event_set_text(e, FIELD_TOOL, tool);
	if (p->payload.len)
		event_set_bytes(e, FIELD_FLOW_PAYLOAD, p->payload);
	if (asks)
		event_set_text(e, FIELD_FLOW_ASKS, asks);
}
