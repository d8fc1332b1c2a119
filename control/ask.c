/* Questions from the console and the command line, as JSON (control.h). */
#include "control/room_inner.h"
#include <jansson.h>

static int complain(struct fault *fault, const char *what)
{
	return fault_set(fault, ERR_BAD, "look.ask: %s", what);
}

static bool port_read(const json_t *item, uint32_t *port)
{
	if (json_is_string(item))
		return port_parse(bytes_of_text(json_string_value(item)), port);
	json_int_t number = json_integer_value(item);
	*port = (uint32_t)number;
	return number >= 1 && number <= UINT16_MAX;
}

static int ports_read(const json_t *list, struct look_ask *ask, struct fault *fault)
{
	if (!list) {
		ask->ports[0] = 23;
		ask->ports[1] = 80;
		ask->port_count = 2;
		return 0;
	}
	size_t count = json_array_size(list);
	if (count == 0 || count > LEASE_PORTS_MAX)
		return complain(fault, "\"ports\" is not a list of 1 to 12 ports");
	for (size_t i = 0; i < count; i++) {
		if (!port_read(json_array_get(list, i), &ask->ports[i]))
			return complain(fault, "a port is a number from 1 to 65535, or a text like \"161/udp\"");
	}
	ask->port_count = (uint8_t)count;
	return 0;
}

/* A study names the record that it follows from: the decision's cause, so that every packet leads back to it. */
static int study_read(const json_t *object, struct look_ask *ask, struct fault *fault)
{
	const char *record = json_string_value(json_object_get(object, "record"));
	const char *why = json_string_value(json_object_get(object, "why"));
	const char *pap = json_string_value(json_object_get(object, "pap"));
	if (!record && !why && !pap)
		return 0;
	if (ask->basis != BASIS_SURVEY || !record || !id_parse(bytes_of_text(record), &ask->record.id) || !why || !*why)
		return complain(fault, "a \"record\" is the id of an event, has a \"why\" and the basis survey");
	ask->record.root = ask->record.id;
	if (!bytes_copy_text(bytes_of_text(why), ask->why, sizeof ask->why) || !bytes_is_utf8(bytes_of_text(ask->why)))
		return complain(fault, "\"why\" is longer than 199 bytes, or no text");
	if (pap && !bytes_copy_text(bytes_of_text(pap), ask->pap, sizeof ask->pap))
		return complain(fault, "\"pap\" is no marking");
	return 0;
}

static int object_read(const json_t *object, struct look_ask *ask, struct fault *fault)
{
	const char *target = json_string_value(json_object_get(object, "target"));
	const char *basis = json_string_value(json_object_get(object, "basis"));
	const json_t *tier = json_object_get(object, "tier");
	if (!target || !address_parse(bytes_of_text(target), &ask->target))
		return complain(fault, "\"target\" is not an address");
	ask->basis = BASIS_OPERATOR;
	ask->dry = json_is_true(json_object_get(object, "dry"));
	if (basis && !strcmp(basis, "survey"))
		ask->basis = BASIS_SURVEY;
	else if (basis && strcmp(basis, "operator"))
		return complain(fault, "\"basis\" is neither operator nor survey");
	ask->tier = 1;
	if (tier && (!json_is_integer(tier) || json_integer_value(tier) < 0 ||
		     json_integer_value(tier) > TIER_MAX))
		return complain(fault, "\"tier\" is not 0, 1 or 2");
	if (tier)
		ask->tier = (uint8_t)json_integer_value(tier);
	int bad = study_read(object, ask, fault);
	return bad ? bad : ports_read(json_object_get(object, "ports"), ask, fault);
}

int look_ask_read(struct bytes json, struct look_ask *out, struct fault *fault)
{
	struct look_ask ask = {0};
	json_t *object = json_loadb((const char *)json.at, json.len, JSON_REJECT_DUPLICATES, NULL);
	int bad = json_is_object(object) ? object_read(object, &ask, fault)
					 : complain(fault, "the payload is not a JSON object");
	json_decref(object);
	if (!bad)
		*out = ask;
	return bad;
}

void look_answer_write(const struct look_answer *a, struct writer *w)
{
	char id[EVENT_ID_TEXT], time[TIME_TEXT_MAX];
	char detail[512];
	struct writer d = writer_of(detail, sizeof detail);
	write_fmt(&d, "%s%s%s", reason_what(a->reason), a->detail[0] ? ": " : "", a->detail);
	write_fmt(w, "{\"decision\":\"%s\",\"reason\":\"%s\",\"detail\":", a->decision, reason_word(a->reason));
	write_json_string(w, writer_bytes(&d));
	if (a->not_before_us)
		write_fmt(w, ",\"lease\":\"%s\"", id_format(&a->id, id));
	if (a->not_before_us)
		write_fmt(w, ",\"not_before\":\"%s\"", time_format(a->not_before_us, time));
	write_text(w, "}");
}

static void number(struct writer *w, const char *name, uint64_t value)
{
	write_fmt(w, "\"%s\":%llu,", name, (unsigned long long)value);
}

/* The last comma becomes the closing bracket. */
static void object_end(struct writer *w, const char *more)
{
	if (!w->bad && w->at > w->start && w->at[-1] == ',')
		w->at--;
	write_fmt(w, "}%s", more);
}

static void write_looks(const struct control *c, struct writer *w)
{
	write_text(w, "\"looks\":{");
	number(w, "waiting", looks_count(c->looks, LOOK_WAITING));
	number(w, "network_busy", looks_count(c->looks, LOOK_PARKED));
	number(w, "ready", looks_count(c->looks, LOOK_READY));
	number(w, "given", looks_count(c->looks, LOOK_GIVEN));
	number(w, "done", c->totals.looks_done);
	number(w, "packets_sent", c->totals.packets_sent);
	object_end(w, ",");
}

static void write_decisions(const struct control *c, struct writer *w)
{
	const struct control_totals *t = &c->totals;
	write_text(w, "\"decisions\":{");
	number(w, "allowed", t->allowed);
	number(w, "refused", t->refused);
	number(w, "held_out", t->held_out);
	number(w, "withdrawn", t->withdrawn);
	number(w, "steered", t->steered);
	number(w, "steered_at_random", t->steered_at_random);
	number(w, "not_steered", t->not_steered);
	object_end(w, ",\"reasons\":{");
	for (int r = 0; r < REASON_COUNT; r++)
		if (t->by_reason[r])
			number(w, reason_word((enum reason)r), t->by_reason[r]);
	object_end(w, ",\"counted\":{");
	number(w, "same_session", t->merged);
	number(w, "repeated", t->repeated);
	number(w, "from_probers", t->from_probers);
	number(w, "too_deep", t->too_deep);
	number(w, "unpublished", t->unpublished);
	object_end(w, ",");
}

static void write_budgets(const struct control *c, struct writer *w)
{
	const struct active_options *o = c->settings.active;
	write_text(w, "\"budgets\":{");
	number(w, "rate", o->rate);
	number(w, "round_ms", o->round_ms);
	number(w, "ports_max", o->ports_max);
	number(w, "packets_max", o->packets_max);
	number(w, "network_looks", o->network_looks);
	number(w, "looks_at_once", o->looks_at_once);
	number(w, "looks_per_sensor", o->looks_per_sensor);
	number(w, "queue_max", o->queue_max);
	object_end(w, ",");
}

static void write_errands(const struct errands *errands, struct writer *w)
{
	write_text(w, "\"errands\":{");
	for (int i = 0; i < ACTIONS; i++) {
		const struct errand_line *line = &errands->lines[i];
		if (!errand_role((enum action)i))
			continue;
		write_fmt(w, "\"%s\":{", rule_action_name((enum action)i));
		number(w, "waiting", line->count);
		number(w, "taken", line->taken);
		number(w, "refused", line->refused);
		number(w, "lost", line->lost);
		object_end(w, ",");
	}
	object_end(w, ",");
}

void control_write_state(struct control *c, struct writer *w)
{
	const struct settings *s = &c->settings;
	write_text(w, "{");
	write_fmt(w, "\"active\":%s,",
		  s->active->enabled && s->scope.count && !c->policy.opt_outs_unknown ? "true" : "false");
	write_text(w, "\"contact\":");
	write_json_string(w, bytes_of_text(s->operator->contact ? s->operator->contact : ""));
	write_text(w, ",\"page\":");
	write_json_string(w, bytes_of_text(s->operator->page ? s->operator->page : ""));
	write_fmt(w, ",\"hold_out\":%g,\"silent_decoys\":%g,\"tier\":%u,", s->active->hold_out,
		  s->silent_share, (unsigned)s->active->tier);
	write_looks(c, w);
	write_decisions(c, w);
	write_budgets(c, w);
	write_errands(&c->errands, w);
	number(w, "targets", targets_count(c->targets));
	write_text(w, "\"steering\":{");
	number(w, "version", steers_version(c->steers));
	number(w, "entries", steers_count(c->steers));
	number(w, "sources", c->sources ? sources_count(c->sources) : 0);
	number(w, "campaigns", c->totals.campaigns);
	object_end(w, ",\"follow\":{");
	number(w, "hosts", c->followeds ? followeds_count(c->followeds) : 0);
	number(w, "relooks", c->totals.relooks);
	number(w, "looks_back", c->totals.looks_back);
	number(w, "not_followed", c->totals.not_followed);
	object_end(w, ",\"opt_outs\":{");
	number(w, "prefixes", c->optout.set.count + c->asked_out.set.count);
	number(w, "asked", c->asked_out.count);
	number(w, "waiting", c->asked_out.waiting_count);
	number(w, "bad_lines", c->optout.bad_lines);
	object_end(w, "}");
}
