/*
 * What an event proves about its source.
 *
 * A source address proves nothing by itself: anybody can write anybody's address into a SYN
 * or a datagram.  A TCP conversation with a decoy does prove that whoever sent it also
 * received our answers; so does an answered cookie.  Everything else needs somebody who
 * vouches: a sample of our own, or a record whose giver allows it to be acted upon.
 */
#include "control/policy_inner.h"

static bool is_conversation(enum event_kind kind)
{
	switch (kind) {
	case EVENT_SESSION_OPENED:
	case EVENT_SESSION_CLOSED:
	case EVENT_LOGIN_TRIED:
	case EVENT_COMMAND_SENT:
	case EVENT_REQUEST_SEEN:
	case EVENT_FILE_CAPTURED:
	case EVENT_MAIL_RECEIVED:
		return true;
	default:
		return false;
	}
}

/* PAP (FIRST's Permissible Actions Protocol): CLEAR and GREEN allow active actions. */
static bool marking_allows(const struct event *e)
{
	int field = field_find(BYTES("record.pap"));
	if (field < 0)
		return false;
	struct bytes pap = event_bytes(e, (uint16_t)field);
	return bytes_equal_nocase(pap, "clear") || bytes_equal_nocase(pap, "white") ||
	       bytes_equal_nocase(pap, "green");
}

struct evidence evidence_of(const struct event *e, const char *role)
{
	/* A sensor whose clock runs ahead does not make its proofs younger. */
	uint64_t received = event_number(e, FIELD_RECEIVED, e->time_us);
	struct evidence proof = {.time_us = received < e->time_us ? received : e->time_us};
	bool decoy = !strcmp(role, "passive") || !strcmp(role, "relay");
	struct event_id session;
	event_address(e, FIELD_DST, &proof.decoy);
	if (decoy && is_conversation(e->kind) && event_id_of(e, FIELD_SESSION, &session) &&
	    bytes_equal_text(event_bytes(e, FIELD_PROTO), "tcp"))
		proof.basis = BASIS_HANDSHAKE;
	else if (!strcmp(role, "telescope") && e->kind == EVENT_SCAN_SEEN &&
		 bytes_equal_text(event_bytes(e, FIELD_STATE), "answered"))
		proof.basis = BASIS_COOKIE;
	else if (!strcmp(role, "lab") && e->kind == EVENT_INDICATOR_FOUND &&
		 event_bytes(e, FIELD_FILE_SHA256).len)
		proof.basis = BASIS_SAMPLE;
	else if (e->kind == EVENT_RECORD_IMPORTED && marking_allows(e))
		proof.basis = BASIS_RECORD;
	return proof;
}
