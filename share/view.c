#include "share/view.h"
#include "share/anonymise/clean_inner.h"
#include "share/anonymise/generalise_inner.h"
#include "share/anonymise/view_inner.h"
#include "share/exchange_inner.h"
#include <openssl/crypto.h>
#include <stdlib.h>

int view_check(const struct config *c, struct fault *fault)
{
	struct own own = {0};
	int bad = policies_check(c, fault);
	if (!bad)
		bad = own_read(&own, c, fault);
	own_done(&own);
	return bad;
}

static int learn_own(struct view *v, const struct view_about *about, struct fault *fault)
{
	int bad = about->config ? own_read(&v->own, about->config, fault) : 0;
	for (size_t i = 0; i < about->own_count && !bad; i++)
		bad = own_add_prefix(&v->own, &about->own[i]);
	for (size_t i = 0; i < about->name_count && !bad; i++)
		if ((bad = own_add_name(&v->own, about->names[i])))
			return fault_set(fault, bad, "%s: is no name that can be searched for", about->names[i]);
	own_seal(&v->own);
	v->bare = v->own.all.count == 0;
	return bad;
}

int view_open(struct view **out, const struct view_about *about, struct fault *fault)
{
	struct view *v = calloc(1, sizeof *v);
	if (!v)
		return fault_set(fault, ERR_MEMORY, "no memory for a view");
	memcpy(v->key, about->key, sizeof v->key);
	v->lasting = about->lasting;
	int bad = policy_read(&v->policy, about->config, about->policy, fault);
	for (size_t i = 0; i < about->rule_count && !bad; i++)
		bad = policy_add(&v->policy, about->rules[i], fault);
	if (!bad)
		bad = learn_own(v, about, fault);
	v->src = policy_rule(&v->policy, FIELD_SRC);
	v->dst = policy_rule(&v->policy, FIELD_DST);
	v->dst_passes = v->dst.action == VIEW_PASS;
	if (!bad && ((v->policy.counts && counts_open(&v->counts)) || view_period_set(v, 0)))
		bad = fault_set(fault, ERR_MEMORY, "no memory for a view");
	if (bad) {
		view_close(v);
		return bad;
	}
	view_hide(v);
	*out = v;
	return 0;
}

void view_close(struct view *v)
{
	if (!v)
		return;
	for (size_t i = 0; i < VIEW_PERIODS; i++)
		cryptopan_close(v->periods[i].pan);
	counts_close(v->counts);
	own_done(&v->own);
	OPENSSL_cleanse(v, sizeof *v);
	free(v);
}

void view_period(struct view *v, uint64_t time_us)
{
	/* Without memory the last period's key stays: what is hidden stays hidden. */
	view_period_set(v, time_us);
}

bool view_counts(const struct view *v) { return v->policy.counts; }

static struct bytes value_bytes(const struct event_value *value)
{
	if (value->type == FIELD_NUMBER)
		return (struct bytes){(const uint8_t *)&value->number, sizeof value->number};
	return value->bytes;
}

void view_count(struct view *v, const struct event *e)
{
	const struct bytes source = event_bytes(e, FIELD_SRC);
	for (uint16_t i = 0; i < e->count && v->counts; i++) {
		const struct view_rule r = policy_rule(&v->policy, e->values[i].field);
		if (r.action == VIEW_K)
			counts_add(v->counts, e->values[i].field, value_bytes(&e->values[i]), source, (unsigned)r.argument);
	}
}

struct address view_address(struct view *v, const struct address *a, uint16_t field)
{
	const struct view_rule r = view_is_own(v, a) ? v->dst : policy_rule(&v->policy, field);
	return view_address_by(v, a, &r);
}

struct bytes view_clean(struct view *v, struct bytes text, struct arena *arena)
{
	view_hide(v);
	return clean_text(&v->hidden, text, arena);
}

static uint64_t time_by(const struct view_rule *r, uint64_t time_us)
{
	if (r->action == VIEW_DROP)
		return 0;
	return r->action == VIEW_BUCKET ? time_us - time_us % r->argument : time_us;
}

/*
 * In place of the time that begins an id stands what the recipient may know of it, so that ids still sort, and behind
 * it the token; of the period of its own time, so that what refers to it finds it.
 */
static struct event_id id_by(struct view *v, const struct event_id *id)
{
	struct event_id out = {{0}};
	uint8_t token[TOKEN_BYTES];
	if (id_is_zero(id) || view_period_set(v, id_time_us(id)))
		return out;
	view_token(v, "id", (struct bytes){id->b, sizeof id->b}, token);
	struct view_rule r = v->policy.rules[POLICY_TIME];
	struct writer w = writer_of(out.b, sizeof out.b);
	write_u64(&w, time_by(&r, id_time_us(id)));
	write_bytes(&w, token, sizeof out.b - sizeof(uint64_t));
	return out;
}

/* Of an event: where it happened is ours, whatever the configuration says by now; others by their field's rule. */
static void hide_addresses(struct view *v, const struct event *in)
{
	view_hide(v);
	for (uint16_t i = 0; i < in->count; i++) {
		struct address a;
		const uint16_t field = in->values[i].field;
		if (in->values[i].type != FIELD_ADDRESS || !event_address(in, field, &a))
			continue;
		const struct view_rule r = policy_rule(&v->policy, field);
		if (r.action != VIEW_PASS || (view_is_own(v, &a) && !v->dst_passes))
			view_hide_also(v, &a, view_is_own(v, &a) ? &v->dst : &r);
	}
}

/* Who stands in two fields, of which the policy names one, would be told by the other. */
static void see_address(struct view *v, const struct event_value *value, struct event *out)
{
	struct address a;
	if (value->bytes.len != sizeof a.b)
		return;
	memcpy(a.b, value->bytes.at, sizeof a.b);
	const struct view_rule r = view_is_own(v, &a) ? v->dst : policy_rule(&v->policy, value->field);
	const struct view_rule *other = r.named ? NULL : view_hidden_rule(v, &a);
	if ((other ? other : &r)->action == VIEW_DROP)
		return;
	a = view_address_by(v, &a, other ? other : &r);
	event_set_address(out, value->field, &a);
}

static void see_token(struct view *v, const struct event_value *value, struct event *out)
{
	char text[2 * TOKEN_BYTES + 1];
	uint8_t token[TOKEN_BYTES];
	struct writer w = writer_of(text, sizeof text);
	uint64_t number = 0;
	view_token(v, field_definition(value->field)->name, value_bytes(value), token);
	for (size_t i = 0; i < sizeof token; i++) {
		write_fmt(&w, "%02x", token[i]);
		number = number << 8 | token[i];
	}
	if (value->type == FIELD_NUMBER)
		event_set_number(out, value->field, number & ((UINT64_C(1) << 53) - 1)); /* what JSON's readers keep */
	else
		event_set_bytes(out, value->field, writer_bytes(&w));
}

static void see_text(struct view *v, const struct event_value *value, const struct view_rule *r, struct event *out)
{
	struct arena arena = arena_over(v->room, sizeof v->room, VIEW_ARENA_MAX);
	struct bytes text = value->bytes;
	if (r->action == VIEW_GENERALISE)
		text = generalise_text(text);
	v->hidden.every = r->action == VIEW_TRUNCATE || r->action == VIEW_CRYPTO_PAN;
	v->every = *r;
	if (!hidden_nothing(&v->hidden))
		text = clean_text(&v->hidden, text, &arena);
	v->hidden.every = false;
	if (text.at && (value->type == FIELD_BYTES || bytes_is_utf8(text)))
		event_set_bytes(out, value->field, text);
	arena_done(&arena);
}

static void see_number(struct view *v, const struct event_value *value, const struct view_rule *r, struct event *out)
{
	(void)v;
	if (value->type == FIELD_BOOL)
		event_set_bool(out, value->field, value->number != 0);
	else if (value->type == FIELD_TIME)
		event_set_number(out, value->field, time_by(r, value->number));
	else
		event_set_number(out, value->field, r->action == VIEW_GENERALISE ? generalise_number(value->field, value->number)
										 : value->number);
}

static void see_id(struct view *v, const struct event_value *value, const struct view_rule *r, struct event *out)
{
	struct event_id id;
	if (value->bytes.len != sizeof id.b)
		return;
	memcpy(id.b, value->bytes.at, sizeof id.b);
	if (r->action != VIEW_PASS)
		id = id_by(v, &id);
	event_set_id(out, value->field, &id);
}

static void see_value(struct view *v, const struct event_value *value, struct event *out)
{
	const struct view_rule r = policy_rule(&v->policy, value->field);
	const bool rare = r.action == VIEW_K && !counts_reach(v->counts, value->field, value_bytes(value), (unsigned)r.argument);
	if (value->type == FIELD_ADDRESS)
		see_address(v, value, out);
	else if (r.action == VIEW_DROP)
		return;
	else if (value->type == FIELD_ID)
		see_id(v, value, &r, out);
	else if (rare || r.action == VIEW_TOKEN)
		see_token(v, value, out);
	else if (value->type == FIELD_TEXT || value->type == FIELD_BYTES)
		see_text(v, value, &r, out);
	else
		see_number(v, value, &r, out);
}

void view_event(struct view *v, const struct event *in, struct event *out)
{
	event_begin(out, in->kind);
	out->cut = in->cut;
	out->id = id_by(v, &in->id);
	const struct view_rule time = v->policy.rules[POLICY_TIME];
	out->time_us = time_by(&time, in->time_us);
	if (view_period_set(v, in->time_us))
		return; /* without its key nothing can be said of it */
	hide_addresses(v, in);
	for (uint16_t i = 0; i < in->count; i++) {
		see_value(v, &in->values[i], out);
		/* An id may be of another period. */
		if (in->values[i].type == FIELD_ID && view_period_set(v, in->time_us))
			return;
	}
}
