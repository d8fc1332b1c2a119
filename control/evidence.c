/*
 * What an event proves about its source.
 *
 * A source address proves nothing by itself: anybody can write anybody's address into a SYN
 * or a datagram.  A TCP conversation with a decoy does prove that whoever sent it also
 * received our answers; so does an answered cookie.  Everything else needs somebody who
 * vouches: a sample of our own, or a record whose giver allows it to be acted upon.
 */
#include "control/policy_inner.h"

/*
 * A sample also names whom it scans, floods, or asks whether there is a network, and its peers, which
 * are other people's devices: none of these did anything, so nothing is asked of them.
 */
static bool is_of_attacker(const struct event *e)
{
	static const char *const roles[] = {"command", "download", "report"};
	struct bytes role = event_bytes(e, FIELD_INDICATOR_ROLE);
	for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
		if (bytes_equal_text(role, roles[i]))
			return true;
	return false;
}

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

/*
 * PAP, the Permissible Actions Protocol of MISP's taxonomies: RED and AMBER allow passive actions
 * only, GREEN and CLEAR (once WHITE) active ones.  What is marked with another word allows nothing.
 */
static bool marking_allows(struct bytes pap)
{
	return bytes_equal_nocase(pap, "clear") || bytes_equal_nocase(pap, "white") ||
	       bytes_equal_nocase(pap, "green");
}

/* "PAP:AMBER" and "AMBER" are the same. */
static struct bytes without_name(struct bytes pap)
{
	pap = bytes_trim(pap);
	if (pap.len > 4 && !strncasecmp((const char *)pap.at, "PAP:", 4))
		pap = (struct bytes){pap.at + 4, pap.len - 4};
	return pap;
}

static struct bytes marking_of(const struct event *e) { return without_name(event_bytes(e, FIELD_PAP)); }

static void forbid(struct evidence *proof, struct bytes pap)
{
	proof->basis = BASIS_NONE;
	struct writer w = writer_of(proof->marking, sizeof proof->marking - 1);
	for (size_t i = 0; i < pap.len && i < sizeof proof->marking - 1; i++)
		write_u8(&w, pap.at[i] > ' ' && pap.at[i] < 0x7f ? pap.at[i] : '?');
	if (!pap.len)
		write_text(&w, "unmarked");
	*w.at = '\0';
}

void evidence_heed(struct evidence *proof, struct bytes pap)
{
	pap = without_name(pap);
	if (pap.len && !marking_allows(pap))
		forbid(proof, pap);
}

/* A record needs a marking that allows it; whatever is marked otherwise is no basis, and says so. */
static void heed_marking(const struct event *e, struct evidence *proof)
{
	struct bytes pap = marking_of(e);
	bool needed = proof->basis == BASIS_RECORD;
	if (pap.len ? marking_allows(pap) : !needed)
		return;
	forbid(proof, pap);
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
	else if (!strcmp(role, "lab") && event_bytes(e, FIELD_FILE_SHA256).len &&
		 (e->kind == EVENT_TOKEN_LEAKED || (e->kind == EVENT_INDICATOR_FOUND && is_of_attacker(e))))
		proof.basis = BASIS_SAMPLE;
	else if (e->kind == EVENT_RECORD_IMPORTED)
		proof.basis = BASIS_RECORD;
	heed_marking(e, &proof);
	return proof;
}
