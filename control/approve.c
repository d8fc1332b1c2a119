/*
 * Approvals: a person reads what would leave, and says yes or no.
 *
 * The yes holds for the bytes that were read (their digest comes with it), for one address, once,
 * and for a while.  The policy is asked when the question comes, so that nobody reads what could
 * never leave, and again when it leaves: who opted out since gets nothing, approved or not.
 */
#include "base/error.h"
#include "control/approve_inner.h"
#include "control/operator_topics_inner.h"
#include "control/room_inner.h"

#define LIST_ROWS_MAX 32
#define REASON_WORD "approval"

FIELD(APPROVAL_KIND, "approval.kind", TEXT, 0, "what waits for the operator: hello, egress-run, visit");
FIELD(APPROVAL_DIGEST, "approval.sha256", TEXT, 0, "digest of the text that was read");
FIELD(APPROVAL_TEXT, "approval.text", BYTES, FIELD_PRIVATE, "that text, byte for byte");
FIELD(APPROVAL_BY, "approval.by", BYTES, 0, "who decided");
FIELD(APPROVAL_NOTE, "approval.note", BYTES, 0, "what was said about it");

static int complain(struct fault *fault, int error, const char *what) { return fault_set(fault, error, "%s", what); }

static void publish_step(struct control *c, const struct approval *a)
{
	struct event *e = &c->event;
	const bool first = a->standing.state == APPROVAL_WAITING;
	event_begin(e, EVENT_DECISION_MADE);
	e->time_us = c->now_us;
	e->id = first ? a->standing.id : id_make(&c->ids, c->now_us);
	if (!address_is_zero(&a->ask.target))
		event_set_address(e, FIELD_SRC, &a->ask.target);
	if (a->ask.port)
		event_set_number(e, FIELD_DPORT, a->ask.port);
	event_set_text(e, FIELD_DECISION, first ? "asked" : approval_state_name(a->standing.state));
	event_set_text(e, FIELD_REASON, REASON_WORD);
	event_set_text(e, APPROVAL_KIND, a->ask.kind);
	event_set_text(e, APPROVAL_DIGEST, a->sha256);
	event_set_text(e, FIELD_DETAIL, a->ask.title);
	if (a->ask.sample[0])
		event_set_text(e, FIELD_FILE_SHA256, a->ask.sample);
	if (first)
		event_set_bytes(e, APPROVAL_TEXT, a->ask.text);
	if (a->by[0])
		event_set_bytes(e, APPROVAL_BY, bytes_of_text(a->by));
	if (a->note[0])
		event_set_bytes(e, APPROVAL_NOTE, bytes_of_text(a->note));
	if (!first)
		event_set_chain(e, &a->standing.id, id_is_zero(&a->ask.root) ? &a->standing.id : &a->ask.root,
				a->ask.depth + 1);
	else if (!id_is_zero(&a->ask.cause))
		event_set_chain(e, &a->ask.cause, &a->ask.root, a->ask.depth);
	control_publish(c);
}

static void keep(struct control *c, const struct approval *a)
{
	state_put_approval(c->state, a);
	publish_step(c, a);
	if (!strcmp(a->role, "control"))
		control_check_approval(c, a);
	else if (c->approval_changed)
		c->approval_changed(c->arg, a);
}

static int check_policy(const struct control *c, const struct approval_ask *ask, struct fault *fault)
{
	const struct question q = {.target = ask->target, .ports = 1, .tier = 1, .hold_out = -1,
				   .evidence = {.basis = BASIS_OPERATOR, .time_us = c->now_us}};
	if (address_is_zero(&ask->target))
		return 0; /* a name: who resolves it asks for the address */
	const enum reason reason = policy_check_again(&c->policy, &q, c->now_us);
	return reason == REASON_OK ? 0 : fault_set(fault, ERR_DENIED, "%s: %s", reason_word(reason), reason_what(reason));
}

int control_approval_ask(struct control *c, const char *role, const struct approval_ask *ask, uint64_t now_us,
			 struct approval_standing *out, struct fault *fault)
{
	c->now_us = now_us;
	control_approval_tick(c, now_us);
	struct approval *a = approvals_same(&c->approvals, role, ask);
	if (!a) {
		const struct event_id id = id_make(&c->ids, now_us);
		int bad = check_policy(c, ask, fault);
		if (!bad && (bad = approvals_add(&c->approvals, role, ask, &id, now_us, &a)))
			complain(fault, bad, "too many questions wait for the operator already");
		if (bad)
			return bad;
		keep(c, a);
	}
	*out = a->standing;
	return 0;
}

int control_approval_take(struct control *c, const char *role, const struct event_id *id, uint64_t now_us,
			  struct fault *fault)
{
	c->now_us = now_us;
	control_approval_tick(c, now_us);
	struct approval *a = approvals_find(&c->approvals, id);
	if (!a || strcmp(a->role, role))
		return complain(fault, ERR_MISSING, "there is no such approval");
	if (a->standing.state != APPROVAL_APPROVED)
		return fault_set(fault, ERR_DENIED, "that is %s, not approved", approval_state_name(a->standing.state));
	int bad = check_policy(c, &a->ask, fault);
	if (bad)
		return bad;
	a->standing.state = APPROVAL_SPENT;
	keep(c, a);
	/* Written before it leaves: nobody could send it twice by ending us in between. */
	return state_flush(c->state, fault) ? ERR_SYSTEM : 0;
}

static void decide(struct control *c, struct approval *a, bool yes, const char *by, const char *note)
{
	const uint64_t holds_us = a->ask.holds_us && a->ask.holds_us < APPROVAL_HOLDS_US ? a->ask.holds_us
											   : APPROVAL_HOLDS_US;
	char kept[REGISTER_REASON_MAX + 1];
	register_reason(bytes_of_text(by), kept);
	snprintf(a->by, sizeof a->by, "%.*s", APPROVAL_BY_MAX, kept);
	register_reason(bytes_of_text(note), kept);
	snprintf(a->note, sizeof a->note, "%.*s", APPROVAL_NOTE_MAX, kept);
	a->decided_us = c->now_us;
	a->standing.state = yes ? APPROVAL_APPROVED : APPROVAL_DECLINED;
	a->standing.until_us = c->now_us + (yes ? holds_us : APPROVAL_WAITS_US);
	keep(c, a);
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text ? text : "";
}

static int serve_decide(struct control *c, const json_t *in, struct writer *w, struct fault *fault)
{
	struct event_id id;
	char text[EVENT_ID_TEXT];
	const char *word = text_of(in, "decision");
	const bool yes = !strcmp(word, "approve");
	if (!yes && strcmp(word, "decline"))
		return complain(fault, ERR_BAD, "\"decision\" is neither approve nor decline");
	struct approval *a = id_parse(bytes_of_text(text_of(in, "id")), &id) ? approvals_find(&c->approvals, &id) : NULL;
	if (!a)
		return complain(fault, ERR_MISSING, "there is no such approval, `kansoku approve` lists them");
	if (strcmp(text_of(in, "sha256"), a->sha256))
		return complain(fault, ERR_DENIED, "\"sha256\" is not the digest of that text: what is approved is what was read");
	/* What was approved and not used yet can still be called back. */
	const bool open = a->standing.state == APPROVAL_WAITING || (!yes && a->standing.state == APPROVAL_APPROVED);
	if (!open)
		return fault_set(fault, ERR_DENIED, "that is %s already", approval_state_name(a->standing.state));
	decide(c, a, yes, text_of(in, "by"), text_of(in, "note"));
	write_fmt(w, "{\"id\":\"%s\",\"state\":\"%s\"}", id_format(&id, text), approval_state_name(a->standing.state));
	return 0;
}

static void write_time(struct writer *w, const char *name, uint64_t time_us)
{
	char text[TIME_TEXT_MAX];
	if (time_us)
		write_fmt(w, ",\"%s\":\"%s\"", name, time_format(time_us, text));
}

static void write_named(struct writer *w, const char *name, const char *text)
{
	write_fmt(w, ",\"%s\":", name);
	write_json_string(w, bytes_of_text(text));
}

static void write_row(struct writer *w, const struct approval *a, bool first)
{
	char id[EVENT_ID_TEXT], address[ADDRESS_TEXT_MAX];
	const bool named = !address_is_zero(&a->ask.target);
	write_fmt(w, "%s{\"id\":\"%s\"", first ? "" : ",", id_format(&a->standing.id, id));
	write_named(w, "kind", a->ask.kind);
	write_named(w, "state", approval_state_name(a->standing.state));
	write_named(w, "target", named ? address_format(&a->ask.target, address) : "");
	write_fmt(w, ",\"port\":%u", a->ask.port);
	write_named(w, "title", a->ask.title);
	write_named(w, "sample", a->ask.sample);
	write_time(w, "asked", a->asked_us);
	write_time(w, "decided", a->decided_us);
	write_time(w, "until", a->standing.until_us);
	write_named(w, "by", a->by);
	write_named(w, "note", a->note);
	write_named(w, "role", a->role);
	write_fmt(w, ",\"bytes\":%zu,\"sha256\":\"%s\",\"text\":\"", a->ask.text.len, a->sha256);
	for (size_t i = 0; i < a->ask.text.len; i++)
		write_fmt(w, "%02x", a->ask.text.at[i]);
	write_text(w, "\"}");
}

static int serve_list(struct control *c, const json_t *in, struct writer *w, struct fault *fault)
{
	const json_int_t from = json_integer_value(json_object_get(in, "from"));
	const char *state = text_of(in, "state"), *id = text_of(in, "id");
	char text[EVENT_ID_TEXT];
	size_t rows = 0, at = from > 0 ? (size_t)from : 0;
	(void)fault;
	control_approval_tick(c, c->now_us);
	write_text(w, "{\"rows\":[");
	for (; at < c->approvals.count && rows < LIST_ROWS_MAX; at++) {
		const struct approval *a = c->approvals.items[at];
		if ((*state && strcmp(state, approval_state_name(a->standing.state))) ||
		    (*id && strcmp(id, id_format(&a->standing.id, text))))
			continue;
		write_row(w, a, rows++ == 0);
	}
	write_text(w, "]");
	if (at < c->approvals.count)
		write_fmt(w, ",\"next\":%zu", at);
	write_text(w, "}");
	return 0;
}

static const struct operator_topic approval_list_topic = {"approval.list", false, serve_list};
OPERATOR_TOPIC(approval_list_topic);
static const struct operator_topic approval_decide_topic = {"approval.decide", false, serve_decide};
OPERATOR_TOPIC(approval_decide_topic);

void control_approval_tick(struct control *c, uint64_t now_us)
{
	c->now_us = now_us;
	for (size_t i = 0; i < c->approvals.count; i++) {
		struct approval *a = c->approvals.items[i];
		if (a->standing.state == APPROVAL_SPENT || a->standing.state == APPROVAL_EXPIRED ||
		    a->standing.until_us > now_us)
			continue;
		a->standing.state = APPROVAL_EXPIRED;
		keep(c, a);
	}
}

void control_approval_retain(struct control *c)
{
	for (size_t i = 0; i < c->approvals.count; i++)
		state_put_approval(c->state, c->approvals.items[i]);
}

struct concerned {
	const struct address *target;
	uint64_t from_us, to_us;
};

static bool is_concerned(void *arg, const struct approval *a)
{
	const struct concerned *f = arg;
	return f->target ? address_equal(f->target, &a->ask.target)
			 : a->asked_us >= f->from_us && a->asked_us < f->to_us;
}

size_t control_approval_forget(struct control *c, const struct address *target, uint64_t from_us, uint64_t to_us)
{
	struct concerned f = {target, from_us, to_us};
	return approvals_forget(&c->approvals, is_concerned, &f);
}
