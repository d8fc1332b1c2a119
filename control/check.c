/* The configuration of control without a running process: checked, summed up, tried dry. */
#include "control/errands_inner.h"
#include "control/control.h"
#include "base/clock.h"
#include "base/special.h"
#include "control/known_inner.h"
#include "control/optout_inner.h"
#include "control/policy_inner.h"
#include "control/rules_inner.h"
#include "control/survey_sets_inner.h"

#define TARGETS_FEW 2

static const char *or_none(const char *text) { return text && *text ? text : "none"; }

int control_check(const struct config *config, struct fault *fault)
{
	struct settings settings;
	struct rules rules;
	struct optout optout = {0};
	int bad = settings_read(config, &settings, fault);
	if (bad)
		return bad;
	bad = rules_read(&settings, &rules, fault);
	if (!bad)
		rules_done(&rules);
	optout.file = settings.active->opt_out;
	struct atlas *atlas = NULL;
	if (!bad && (settings.active->as_file || settings.active->country_file))
		bad = atlas_open(&atlas, settings.active->as_file, settings.active->country_file, settings.windows.asks_target,
				 fault);
	atlas_close(atlas);
	if (!bad) {
		int read = optout_poll(&optout, fault);
		bad = read < 0 ? read : 0;
	}
	optout_done(&optout);
	settings_done(&settings);
	return bad;
}

static void write_duration(struct writer *w, uint64_t ms)
{
	static const struct {
		const char *unit;
		uint64_t ms;
	} units[] = {{"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}};
	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		if (ms == 0 || ms % units[i].ms)
			continue;
		write_fmt(w, "%llu%s", (unsigned long long)(ms / units[i].ms), units[i].unit);
		return;
	}
	write_fmt(w, "%llums", (unsigned long long)ms);
}

static void write_scope(const struct settings *s, struct writer *w)
{
	const struct scope_option *scope = s->active->scope.items;
	char text[ADDRESS_TEXT_MAX];
	write_text(w, "who may be looked at: ");
	for (size_t i = 0; i < s->active->scope.count; i++)
		write_fmt(w, "%s%s", i ? ", " : "", prefix_format(&scope[i].prefix, text));
	write_text(w, s->active->scope.count ? "\n" : "nobody (active.scope is empty)\n");
	for (size_t i = 0; i < s->active->scope.count; i++)
		if (scope[i].special)
			write_fmt(w,
				  "!!! special: allow: %s is looked at although special-purpose ranges "
				  "lie there; right for laboratories only\n",
				  prefix_format(&scope[i].prefix, text));
}

static void write_own(const struct settings *s, struct writer *w)
{
	char text[ADDRESS_TEXT_MAX];
	write_text(w, "ours, never looked at: ");
	for (size_t i = 0; i < s->own.count; i++)
		write_fmt(w, "%s%s", i ? ", " : "", prefix_format(&s->own.items[i], text));
	write_text(w, s->own.count ? "\n" : "no decoy, dark or prober prefix is named\n");
}

static void write_ports(const struct rule *rule, struct writer *w)
{
	for (uint8_t i = 0; i < rule->port_count; i++) {
		write_text(w, i ? ", " : " ");
		port_write(rule->ports[i], w);
	}
}

static void write_rule(const struct settings *s, const struct rule *rule, struct writer *w)
{
	write_fmt(w, "  %s: on %s", rule->name, rule->any_kind ? "anything new" : event_kind_name(rule->kind));
	for (size_t i = 0; i < rule->condition_count; i++)
		write_fmt(w, "%s %s", i ? " and" : " when",
			  field_definition(rule->conditions[i].field)->name);
	for (size_t i = 0; i < rule->known_count; i++)
		write_fmt(w, "%s %s", i || rule->condition_count ? " and known" : " when known",
			  known_name(rule->known[i].field));
	if (rule->action == ACTION_STEER) {
		write_fmt(w, ": steer to %s%s\n", rule->persona ? rule->persona : "the persona of its class",
			  rule->persona && !settings_persona_is_played(s, rule->persona)
				  ? "; !!! no decoy has that in its list of personas" : "");
		return;
	}
	if (rule->action == ACTION_VISIT) {
		const struct visits_option *o = &s->active->visits;
		write_text(w, ": visit its page after ");
		write_duration(w, rule->delay_min_us / 1000);
		write_text(w, " to ");
		write_duration(w, rule->delay_max_us / 1000);
		write_fmt(w, "; at most %llu a day, %llu of one host\n", (unsigned long long)o->per_day, (unsigned long long)o->per_host);
		return;
	}
	if (errand_role(rule->action)) {
		write_fmt(w, ": %s, by the process %s\n", rule_action_name(rule->action), errand_role(rule->action));
		return;
	}
	if (rule->action == ACTION_LEAK) {
		write_text(w, ": ask the operator whether stolen bait may leave, byte by byte\n");
		return;
	}
	if (rule->action == ACTION_CHECK) {
		write_text(w, ": check the command server, with what the sample said only where that is harmless or approved\n");
		return;
	}
	write_text(w, ": look at ports");
	write_ports(rule, w);
	write_fmt(w, ", tier %u, after ", (unsigned)rule->tier);
	write_duration(w, rule->delay_min_us / 1000);
	write_text(w, " to ");
	write_duration(w, rule->delay_max_us / 1000);
	if (rule->hold_out >= 0)
		write_fmt(w, ", hold-out %g", rule->hold_out);
	write_text(w, "\n");
}

static void write_budgets(const struct settings *s, struct writer *w)
{
	const struct active_options *o = s->active;
	write_fmt(w, "budgets: a look at an address every ");
	write_duration(w, o->round_ms);
	write_fmt(w, ", %llu ports and %llu packets at most; %llu packets a second over all; "
		     "%llu at once in a network; tier %llu at most\n",
		  (unsigned long long)o->ports_max, (unsigned long long)o->packets_max,
		  (unsigned long long)o->rate, (unsigned long long)o->network_looks,
		  (unsigned long long)o->tier);
	write_fmt(w, "never looked at, for comparison: %g of the sources, visitors of %g of the decoys\n",
		  o->hold_out, s->silent_share);
}

static void write_follow(const struct follow *f, struct writer *w)
{
	char time[TIME_TEXT_MAX];
	if (!f->on) {
		write_text(w, "looks that no new attack leads to: none (active.follow)\n");
		return;
	}
	write_fmt(w, "study %s, approved by %s, %s, until %s:", f->option->name, f->option->approved_by, f->option->reference,
		  time_format(f->until_us, time));
	if (f->option->relook.times) {
		write_fmt(w, " who was looked at because of its attack is looked at again %llu times, each after ",
			  (unsigned long long)f->option->relook.times);
		write_duration(w, f->option->relook.after_ms);
	}
	if (f->option->back.quiet_ms) {
		write_text(w, f->option->relook.times ? ";" : "");
		write_text(w, " who attacked is looked back at after ");
		write_duration(w, f->option->back.quiet_ms);
		write_text(w, " of silence, within ");
		write_duration(w, f->option->back.within_ms);
	}
	write_text(w, "; ports");
	for (uint8_t i = 0; i < f->port_count; i++) {
		write_text(w, i ? ", " : " ");
		port_write(f->ports[i], w);
	}
	write_text(w, "\n");
}

static void write_limits(const struct settings *s, struct writer *w)
{
	const struct active_options *o = s->active;
	if (!o->as_file || !o->as_rate)
		write_fmt(w, "rate by autonomous system: off, active.%s\n",
			  o->as_rate ? "as_file names no file" : "as_rate is 0");
	else
		write_fmt(w, "rate by autonomous system: %llu packets a second to one\n", (unsigned long long)o->as_rate);
	if (o->as_file && o->as_rate && s->survey_count)
		write_text(w, "!!! active.as_rate does not hold for scans of active.surveys: a scan remembers no packet, so it keeps\n"
			      "    the survey's rate over all and a rate for each network of it (kansoku scan --network-rate), not one\n"
			      "    for each autonomous system\n");
	if (s->survey_count && survey_hours_unknown(s))
		write_text(w, "!!! no survey can be scanned: active.windows or active.quiet is in the zone of each target, which a scan\n"
			      "    cannot keep; name a zone\n");
	write_fmt(w, "time windows: %zu, quiet hours: %zu%s\n", s->windows.open_count, s->windows.quiet_count,
		  s->windows.open_count + s->windows.quiet_count ? "" : "; looks leave at any time");
	if (o->page.port == 0)
		write_text(w, "page for those who were looked at: none (active.page.port)\n");
	for (size_t i = 0; i < s->active->scope.count; i++) {
		const struct scope_option *scope = &((const struct scope_option *)o->scope.items)[i];
		char text[ADDRESS_TEXT_MAX];
		if (scope->tier != SCOPE_TIER_NONE)
			write_fmt(w, "tier %llu at most in %s\n", (unsigned long long)scope->tier, prefix_format(&scope->prefix, text));
	}
}

int control_summarise(const struct config *config, struct writer *w, struct fault *fault)
{
	struct settings s;
	struct rules rules;
	int bad = settings_read(config, &s, fault);
	if (bad)
		return bad;
	bad = rules_read(&s, &rules, fault);
	if (!bad) {
		bool on = s.active->enabled && s.scope.count && s.operator->contact && *s.operator->contact;
		write_fmt(w, "operator: %s, contact %s, page %s\n", or_none(s.operator->name),
			  or_none(s.operator->contact), or_none(s.operator->page));
		write_fmt(w, "active observation: %s\n",
			  on ? "on" : "off; it needs active.scope and operator.contact");
		write_own(&s, w);
		write_scope(&s, w);
		write_budgets(&s, w);
		write_limits(&s, w);
		write_follow(&s.follow, w);
		write_fmt(w, "opt-outs: %s\nrules:\n", or_none(s.active->opt_out));
		for (size_t i = 0; i < rules.count; i++)
			write_rule(&s, &rules.items[i], w);
		rules_done(&rules);
	}
	settings_done(&s);
	return bad;
}

static void leave(void *arg, struct target *target)
{
	(void)arg;
	(void)target;
}

static void write_answer(const struct settings *s, const struct rules *rules, enum reason reason,
			 const struct address *target, struct writer *w)
{
	char text[ADDRESS_TEXT_MAX];
	write_fmt(w, "%s: ", address_format(target, text));
	if (reason != REASON_OK) {
		write_fmt(w, "nothing, %s: %s\n", reason_word(reason), reason_what(reason));
		return;
	}
	const char *range = special_range(target);
	for (size_t i = 0; i < rules->count; i++) {
		const struct rule *r = &rules->items[i];
		if (r->action != ACTION_PROBE)
			continue;
		write_fmt(w, "at most %llu packets to ports",
			  (unsigned long long)(r->port_count * s->active->packets_per_port));
		write_ports(r, w);
		write_fmt(w, " (rule %s), unless it is one of the share of %g held out%s%s\n", r->name,
			  r->hold_out >= 0 ? r->hold_out : s->active->hold_out,
			  range ? "; !!! special range: " : "", range ? range : "");
		return;
	}
	write_text(w, "nothing: no rule asks for a look\n");
}

int control_dry_run(const struct config *config, const struct address *target, struct writer *w,
		    struct fault *fault)
{
	struct settings s;
	struct rules rules;
	struct optout optout = {0};
	struct targets *targets = NULL;
	int bad = settings_read(config, &s, fault);
	if (bad)
		return bad;
	bad = rules_read(&s, &rules, fault);
	optout.file = s.active->opt_out;
	if (!bad && optout_poll(&optout, fault) == ERR_MEMORY)
		bad = ERR_MEMORY;
	if (!bad)
		bad = targets_open(&targets, TARGETS_FEW, s.active->round_ms * 1000, 1, leave, NULL);
	if (!bad) {
		const struct policy policy = {.settings = &s, .opted_out = &optout.set,
					      .opt_outs_unknown = optout.file && !optout.known};
		uint64_t now_us = clock_utc_us();
		/* Who is held out is drawn with a key that only the running process has. */
		const struct question q = {.target = *target, .ports = 1, .tier = 1, .hold_out = 0,
					   .evidence = {.basis = BASIS_HANDSHAKE, .time_us = now_us}};
		write_answer(&s, &rules, policy_check(&policy, &q, targets, NULL, now_us), target, w);
		targets_close(targets);
	}
	rules_done(&rules);
	optout_done(&optout);
	settings_done(&s);
	return bad;
}
