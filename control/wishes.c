/*
 * Wishes to be left alone, as JSON (control.h): from the page, a signed link, the API, the command line.
 *
 * The page's process speaks for visitors, so it may only opt out one address at a time, or confirm
 * what the operator signed; were it taken over, it could make us look at fewer hosts, never at more.
 */
#include "base/error.h"
#include "control/operator_topics_inner.h"
#include "control/room_inner.h"

#define LIST_ROWS_MAX 1000
#define LIST_BYTES_MAX (512u << 10)
#define LINK_DAYS_MAX 366
#define V6_SUBNET_BITS 64

FIELD(OPTOUT_PREFIX, "optout.prefix", TEXT, 0, "prefix whose owner asked to be left alone");
FIELD(OPTOUT_HOW, "optout.how", TEXT, 0, "how that was asked: page, link, api, command");
FIELD(OPTOUT_REASON, "optout.reason", BYTES, 0, "the reason that was given");

static int complain(struct fault *fault, int error, const char *what) { return fault_set(fault, error, "%s", what); }

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text ? text : "";
}

static int prefix_of_json(const json_t *object, const char *key, struct prefix *out, struct fault *fault)
{
	if (!prefix_parse(bytes_of_text(text_of(object, key)), out))
		return fault_set(fault, ERR_BAD, "\"%s\" is not a prefix or address, 192.0.2.0/24 would be right", key);
	return 0;
}

/* What was asked is an event, so that who looks at the store later sees it among the decisions. */
static void tell(struct control *c, const struct register_entry *entry, const char *decision)
{
	struct event *e = &c->event;
	char text[ADDRESS_TEXT_MAX];
	event_begin(e, EVENT_DECISION_MADE);
	e->time_us = c->now_us;
	event_set_address(e, FIELD_SRC, &entry->prefix.base);
	event_set_text(e, FIELD_DECISION, decision);
	event_set_text(e, FIELD_REASON, reason_word(REASON_OPTED_OUT));
	event_set_text(e, OPTOUT_PREFIX, prefix_format(&entry->prefix, text));
	event_set_text(e, OPTOUT_HOW, register_how_name(entry->how));
	event_set_bytes(e, OPTOUT_REASON, bytes_of_text(entry->reason));
	control_publish(c);
}

static int add(struct control *c, const struct register_entry *entry, struct fault *fault)
{
	int bad = register_add(&c->asked_out, entry);
	if (bad == ERR_SYSTEM)
		return complain(fault, bad, "it holds now, but could not be written: it is lost with a restart");
	if (bad)
		return complain(fault, bad, "there is no room for more opt-outs");
	tell(c, entry, "opted-out");
	control_opt_outs_changed(c, c->now_us);
	c->opt_outs_grew = true;
	return 0;
}

static void write_standing(struct writer *w, const struct prefix *p, const char *state)
{
	char text[ADDRESS_TEXT_MAX];
	write_fmt(w, "{\"prefix\":\"%s\",\"state\":\"%s\"}", prefix_format(p, text), state);
}

static int serve_add(struct control *c, const json_t *in, struct writer *w, struct fault *fault)
{
	char reason[REGISTER_REASON_MAX + 1];
	struct register_entry e = {.time_us = c->now_us, .reason = reason, .how = REGISTER_COMMAND};
	int bad = prefix_of_json(in, "prefix", &e.prefix, fault);
	if (bad)
		return bad;
	if (!strcmp(text_of(in, "how"), "api"))
		e.how = REGISTER_API;
	register_reason(bytes_of_text(text_of(in, "reason")), reason);
	if (!pace_take(&c->wishes, 1, c->now_us))
		return complain(fault, ERR_FULL, "too many at once, a file is better for so many: active.opt_out");
	bad = add(c, &e, fault);
	write_standing(w, &e.prefix, "opted-out");
	return bad;
}

static int serve_here(struct control *c, const json_t *in, struct writer *w, struct fault *fault)
{
	char reason[REGISTER_REASON_MAX + 1];
	const char *network = text_of(in, "network");
	struct register_entry e = {.time_us = c->now_us, .reason = reason, .how = REGISTER_PAGE};
	if (!address_parse(bytes_of_text(text_of(in, "visitor")), &e.asker))
		return complain(fault, ERR_BAD, "\"visitor\" is not an address");
	register_reason(bytes_of_text(text_of(in, "reason")), reason);
	if (!pace_take(&c->visitors_wishes, 1, c->now_us))
		return complain(fault, ERR_FULL, "too many ask at once, try again in a minute");
	if (*network && !prefix_parse(bytes_of_text(network), &e.prefix))
		return complain(fault, ERR_BAD, "the network is not a prefix, 192.0.2.0/24 would be right");
	/* A host of IPv6 changes its address within its /64 every day (RFC 8981). */
	struct prefix own = prefix_of(&e.asker, address_is_v4(&e.asker) ? 128 : V6_SUBNET_BITS);
	bool more = *network && !(e.prefix.bits >= own.bits && prefix_holds(&own, &e.prefix.base));
	if (more) {
		int bad = register_ask(&c->asked_out, &e);
		if (bad)
			return complain(fault, bad, "the request could not be kept, write to the contact");
		tell(c, &e, "opt-out-asked");
	}
	e.prefix = own;
	int bad = add(c, &e, fault);
	write_standing(w, &own, more ? "waiting" : "opted-out");
	return bad;
}

static int serve_confirm(struct control *c, const json_t *in, struct writer *w, struct fault *fault)
{
	char reason[REGISTER_REASON_MAX + 1] = "";
	struct register_entry e = {.time_us = c->now_us, .reason = reason, .how = REGISTER_LINK};
	uint64_t until_s = 0;
	int bad = prefix_of_json(in, "prefix", &e.prefix, fault);
	if (bad)
		return bad;
	if (!bytes_number(bytes_of_text(text_of(in, "until")), UINT32_MAX, &until_s) ||
	    !register_is_signed(&c->asked_out, &e.prefix, until_s, bytes_of_text(text_of(in, "sign"))))
		return complain(fault, ERR_DENIED, "the link is not one that we signed");
	if (until_s < c->now_us / 1000000)
		return complain(fault, ERR_DENIED, "the link is too old, ask for another");
	snprintf(reason, sizeof reason, "confirmed from %.60s", text_of(in, "visitor"));
	bad = add(c, &e, fault);
	write_standing(w, &e.prefix, "opted-out");
	return bad;
}

static int serve_known(struct control *c, const json_t *in, struct writer *w, struct fault *fault)
{
	struct address visitor;
	if (!address_parse(bytes_of_text(text_of(in, "visitor")), &visitor))
		return complain(fault, ERR_BAD, "\"visitor\" is not an address");
	write_fmt(w, "{\"opted_out\":%s}", policy_has_opted_out(&c->policy, &visitor) ? "true" : "false");
	return 0;
}

static int serve_link(struct control *c, const json_t *in, struct writer *w, struct fault *fault)
{
	char text[ADDRESS_TEXT_MAX], sign[33];
	struct prefix p;
	json_int_t until = json_integer_value(json_object_get(in, "until"));
	int bad = prefix_of_json(in, "prefix", &p, fault);
	if (bad)
		return bad;
	if (until < 1 || (uint64_t)until > c->now_us / 1000000 + LINK_DAYS_MAX * 86400u)
		return complain(fault, ERR_BAD, "\"until\" is not a time in seconds within a year");
	if (!register_sign(&c->asked_out, &p, (uint64_t)until, sign))
		return complain(fault, ERR_SYSTEM, "the link could not be signed");
	write_fmt(w, "{\"prefix\":\"%s\",\"until\":%llu,\"sign\":\"%s\"}", prefix_format(&p, text),
		  (unsigned long long)until, sign);
	return 0;
}

static int serve_decline(struct control *c, const json_t *in, struct writer *w, struct fault *fault)
{
	struct register_entry e = {.time_us = c->now_us, .reason = "", .how = REGISTER_PAGE};
	int bad = prefix_of_json(in, "prefix", &e.prefix, fault);
	if (bad)
		return bad;
	bad = register_decline(&c->asked_out, &e.prefix);
	if (bad)
		return complain(fault, bad, bad == ERR_MISSING ? "nobody asks that" : "it could not be written");
	tell(c, &e, "opt-out-declined");
	write_standing(w, &e.prefix, "declined");
	return 0;
}

static void write_row(struct writer *w, const struct register_entry *e, const char *state, bool first)
{
	char text[ADDRESS_TEXT_MAX], time[TIME_TEXT_MAX];
	write_fmt(w, "%s{\"prefix\":\"%s\",\"state\":\"%s\",\"how\":\"%s\",\"time\":\"%s\",\"reason\":", first ? "" : ",",
		  prefix_format(&e->prefix, text), state, register_how_name(e->how),
		  e->time_us ? time_format(e->time_us, time) : "");
	write_json_string(w, bytes_of_text(e->reason));
	if (!address_is_zero(&e->asker))
		write_fmt(w, ",\"asker\":\"%s\"", address_format(&e->asker, text));
	write_text(w, "}");
}

static void write_file_row(struct writer *w, const struct prefix *p, bool first)
{
	char text[ADDRESS_TEXT_MAX];
	write_fmt(w, "%s{\"prefix\":\"%s\",\"state\":\"opted-out\",\"how\":\"file\",\"time\":\"\",\"reason\":\"\"}",
		  first ? "" : ",", prefix_format(p, text));
}

/* Those who wait come first, then what was asked for, then what stands in the operator's file. */
static int serve_list(struct control *c, const json_t *in, struct writer *w, struct fault *fault)
{
	(void)fault;
	const struct optout_register *r = &c->asked_out;
	const struct prefix_set *file = &c->optout.set;
	json_int_t from = json_integer_value(json_object_get(in, "from"));
	size_t at = from > 0 ? (size_t)from : 0, all = r->waiting_count + r->count + file->count, rows = 0;
	write_text(w, "{\"rows\":[");
	for (; at < all && rows < LIST_ROWS_MAX && writer_used(w) < LIST_BYTES_MAX; at++, rows++) {
		if (at < r->waiting_count)
			write_row(w, &r->waiting[at], "waiting", rows == 0);
		else if (at < r->waiting_count + r->count)
			write_row(w, &r->entries[at - r->waiting_count], "opted-out", rows == 0);
		else
			write_file_row(w, &file->items[at - r->waiting_count - r->count], rows == 0);
	}
	write_text(w, "]");
	if (at < all)
		write_fmt(w, ",\"next\":%zu", at);
	write_text(w, "}");
	return 0;
}

static const struct operator_topic optout_add_topic = {"optout.add", false, serve_add};
OPERATOR_TOPIC(optout_add_topic);
static const struct operator_topic optout_list_topic = {"optout.list", false, serve_list};
OPERATOR_TOPIC(optout_list_topic);
static const struct operator_topic optout_decline_topic = {"optout.decline", false, serve_decline};
OPERATOR_TOPIC(optout_decline_topic);
static const struct operator_topic optout_link_topic = {"optout.link", false, serve_link};
OPERATOR_TOPIC(optout_link_topic);
static const struct operator_topic optout_here_topic = {"optout.here", true, serve_here};
OPERATOR_TOPIC(optout_here_topic);
static const struct operator_topic optout_confirm_topic = {"optout.confirm", true, serve_confirm};
OPERATOR_TOPIC(optout_confirm_topic);
static const struct operator_topic optout_known_topic = {"optout.known", true, serve_known};
OPERATOR_TOPIC(optout_known_topic);
