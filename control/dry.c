/* What would be sent to an address, by whose wish and when, without a running kansoku. */
#include "base/clock.h"
#include "control/control.h"
#include "control/optout_inner.h"
#include "control/register_inner.h"
#include "control/rules_inner.h"
#include "control/policy_inner.h"

#define TARGETS_FEW 2

struct dry {
	struct settings settings;
	struct rules rules;
	struct optout optout;
	struct optout_register asked_out;
	struct atlas *atlas;
	struct targets *targets;
	struct policy policy;
	struct address target;
	uint64_t now_us;
};

static void leave(void *arg, struct target *target) { (void)arg, (void)target; }

static void dry_done(struct dry *d)
{
	targets_close(d->targets);
	rules_done(&d->rules);
	register_close(&d->asked_out);
	atlas_close(d->atlas);
	optout_done(&d->optout);
	settings_done(&d->settings);
}

static int dry_open(struct dry *d, const struct config *config, struct fault *fault)
{
	struct fault unread;
	*d = (struct dry){.now_us = clock_utc_us()};
	int bad = settings_read(config, &d->settings, fault);
	if (bad)
		return bad;
	d->optout.file = d->settings.active->opt_out;
	bad = rules_read(&d->settings, &d->rules, fault);
	if (!bad && optout_poll(&d->optout, &unread) == ERR_MEMORY)
		bad = ERR_MEMORY;
	if (!bad)
		bad = register_peek(&d->asked_out, config, fault);
	if (!bad && (d->settings.active->as_file || d->settings.active->country_file))
		bad = atlas_open(&d->atlas, d->settings.active->as_file, d->settings.active->country_file,
				 d->settings.windows.asks_target, fault);
	if (!bad)
		bad = targets_open(&d->targets, TARGETS_FEW, d->settings.active->round_ms * 1000, 1, leave, NULL);
	d->policy = (struct policy){.settings = &d->settings, .opted_out = &d->optout.set, .asked_out = &d->asked_out.set,
				    .atlas = d->atlas, .opt_outs_unknown = d->optout.file && !d->optout.known};
	return bad;
}

static void dry_judge(struct dry *d, const struct question *q, struct dry_look *look)
{
	struct writer w = writer_of(look->detail, sizeof look->detail - 1);
	enum reason reason = policy_check(&d->policy, q, d->targets, NULL, d->now_us);
	policy_explain(&d->policy, q, reason, d->now_us, &w);
	*w.at = '\0';
	look->allowed = reason == REASON_OK;
	look->reason = reason_word(reason);
	look->what = reason_what(reason);
	look->packets_max = q->ports * d->settings.active->packets_per_port;
	look->from = policy_source(&d->policy, &q->target);
	look->leave_us = policy_opens_us(&d->policy, &q->target, d->now_us + look->delay_min_us);
}

static void by_hand(struct dry *d, const uint32_t *ports, size_t count, uint64_t tier,
		    void (*each)(void *, const struct dry_look *), void *arg)
{
	/* Who is held out is drawn with a key that only the running process has. */
	const struct question q = {.target = d->target, .ports = count, .tier = tier, .hold_out = 0,
				   .evidence = {.basis = BASIS_OPERATOR, .time_us = d->now_us}};
	struct dry_look look = {.ports = ports, .port_count = count, .tier = tier, .hold_out = d->settings.active->hold_out};
	dry_judge(d, &q, &look);
	each(arg, &look);
}

static void by_rule(struct dry *d, const struct rule *r, void (*each)(void *, const struct dry_look *), void *arg)
{
	const struct question q = {.target = d->target, .ports = r->port_count, .tier = r->tier, .hold_out = 0,
				   .evidence = {.basis = r->basis ? r->basis : BASIS_HANDSHAKE, .time_us = d->now_us}};
	struct dry_look look = {.rule = r->name, .ports = r->ports, .port_count = r->port_count, .tier = r->tier,
				.delay_min_us = r->delay_min_us, .delay_max_us = r->delay_max_us,
				.hold_out = r->hold_out >= 0 ? r->hold_out : d->settings.active->hold_out};
	dry_judge(d, &q, &look);
	each(arg, &look);
}

int control_dry_looks(const struct config *config, const struct address *target, const uint32_t *ports, size_t count,
		      uint64_t tier, void (*each)(void *arg, const struct dry_look *), void *arg, struct fault *fault)
{
	static struct dry d;
	int bad = dry_open(&d, config, fault);
	d.target = *target;
	if (!bad && count)
		by_hand(&d, ports, count, tier, each, arg);
	for (size_t i = 0; i < d.rules.count && !bad; i++)
		if (d.rules.items[i].action == ACTION_PROBE)
			by_rule(&d, &d.rules.items[i], each, arg);
	dry_done(&d);
	return bad;
}
