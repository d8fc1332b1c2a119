/*
 * Bait that leaves: what a sample wanted to say, with credentials of ours in it, said once to whom it was
 * meant for, so that whoever uses them shows where they went.
 *
 * Off unless a rule says `do: leak`, and even then each request waits until a person has read it byte by
 * byte and approved it (bus/approval.h).  It passes the same policy as every look, leaves over one
 * connection, and what the server answers is heard up to CHECK_ANSWER_MAX bytes and never answered.
 */
#include "control/room_inner.h"

#define KIND "egress"
#define US "control"
#define TITLE "stolen bait, as a sample would send it: its servers learn credentials that lead to a decoy"

static struct leak *leak_of_approval(struct control *c, const struct event_id *id)
{
	for (size_t i = 0; i < LEAKS_MAX; i++)
		if (!memcmp(&c->leaks[i].approval, id, sizeof *id) && !id_is_zero(id))
			return &c->leaks[i];
	return NULL;
}

/* A place whose look is over, or that was never used. */
static struct leak *free_place(struct control *c)
{
	for (size_t i = 0; i < LEAKS_MAX; i++)
		if (id_is_zero(&c->leaks[i].lease) || !looks_find(c->looks, &c->leaks[i].lease))
			return &c->leaks[i];
	return NULL;
}

void control_leak_event(struct control *c, const struct event *e, const struct address *source, const char *role)
{
	const struct evidence evidence = evidence_of(e, role);
	const uint64_t port = event_number(e, FIELD_DPORT, 0);
	const struct bytes said = event_bytes(e, FIELD_HELLO);
	struct approval_ask ask = {.kind = KIND, .title = TITLE, .target = *source, .port = (uint16_t)port, .cause = e->id,
				   .root = e->id, .depth = event_number(e, FIELD_DEPTH, 0), .text = said};
	struct approval_standing standing;
	if (evidence.basis != BASIS_SAMPLE || !said.len || said.len > CHECK_HELLO_MAX || port == 0 || port > UINT16_MAX)
		return;
	event_id_of(e, FIELD_ROOT, &ask.root);
	bytes_copy_text(event_bytes(e, FIELD_FILE_SHA256), ask.sample, sizeof ask.sample);
	control_approval_ask(c, US, &ask, c->now_us, &standing, NULL);
}

static const char *rule_name(const struct control *c)
{
	for (size_t i = 0; i < c->rules.count; i++)
		if (c->rules.items[i].action == ACTION_LEAK)
			return c->rules.items[i].name;
	return NULL;
}

static void send_off(struct control *c, const struct approval *a)
{
	const uint32_t ports[2] = {a->ask.port, a->ask.port}; /* a check's lease names two; one is used */
	const struct followed_cause cause = {.id = a->standing.id, .root = a->ask.root, .depth = (uint8_t)(a->ask.depth + 1)};
	const struct question q = {.target = a->ask.target, .ports = 2, .tier = 1, .hold_out = 0, .goes_on = true,
				   .evidence = {.basis = BASIS_SAMPLE, .time_us = a->asked_us}};
	struct look_answer answer;
	struct leak *place = free_place(c);
	if (!place)
		return;
	control_look_of_check(c, NULL, NULL, &q, ports, &cause, "bait that the operator approved to leave", 0, &answer);
	*place = (struct leak){.approval = a->standing.id};
	if (!strcmp(answer.decision, "allowed"))
		place->lease = answer.id;
	else /* tried again with the next tick that may, until the approval is over */
		place->refused_us = c->now_us;
}

void control_leak_tick(struct control *c, uint64_t now_us)
{
	c->now_us = now_us;
	for (size_t i = 0; rule_name(c) && i < c->approvals.count; i++) {
		const struct approval *a = c->approvals.items[i];
		const struct leak *leak = leak_of_approval(c, &a->standing.id);
		const bool under_way = leak && (looks_find(c->looks, &leak->lease) || leak->refused_us + LEAK_RETRY_US > now_us);
		if (strcmp(a->ask.kind, KIND) || strcmp(a->role, US) || a->standing.state != APPROVAL_APPROVED ||
		    a->standing.until_us < now_us || under_way)
			continue;
		if (leak)
			*leak_of_approval(c, &a->standing.id) = (struct leak){{{0}}, {{0}}, 0};
		send_off(c, a);
	}
}

bool control_leak_order(struct control *c, const struct look *l, uint64_t now_us, struct check_order *out)
{
	c->now_us = now_us;
	for (size_t i = 0; i < LEAKS_MAX; i++) {
		if (memcmp(&c->leaks[i].lease, &l->lease.id, sizeof l->lease.id))
			continue;
		const struct approval *a = approvals_find(&c->approvals, &c->leaks[i].approval);
		if (!a || control_approval_take(c, US, &c->leaks[i].approval, now_us, NULL))
			return false;
		*out = (struct check_order){.steps = CHECK_HELLO, .hello = a->ask.text};
		snprintf(out->sample, sizeof out->sample, "%s", a->ask.sample);
		return true;
	}
	return false;
}
