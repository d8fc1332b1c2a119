/* Visits from the configuration alone: for `kansoku visit` beside no running kansoku. */
#include "base/clock.h"
#include "control/control.h"
#include "control/optout_inner.h"
#include "control/policy_inner.h"
#include "control/register_inner.h"
#include "control/visits_inner.h"
#include <stdlib.h>

struct visit_permit {
	struct settings settings;
	struct optout optout;
	struct optout_register asked_out;
};

static struct policy policy_of(const struct visit_permit *p)
{
	return (struct policy){.settings = &p->settings, .opted_out = &p->optout.set, .asked_out = &p->asked_out.set,
			       .opt_outs_unknown = p->optout.file && !p->optout.known};
}

static enum reason check(const struct visit_permit *p, const struct address *target)
{
	const struct policy policy = policy_of(p);
	const uint64_t now_us = clock_utc_us();
	struct question q = {.evidence = {.basis = BASIS_OPERATOR, .time_us = now_us}, .ports = 1, .tier = 1, .hold_out = -1,
			     .visit = true, .nameless = !target};
	if (target)
		q.target = *target;
	return policy_check(&policy, &q, NULL, NULL, now_us);
}

/* `unknown`: the register of opt-outs cannot be read, so nobody may be met; `unread` says why. */
static int permit_open(struct visit_permit **out, const struct config *config, bool *unknown, struct fault *unread,
		       struct fault *fault)
{
	struct visit_permit *p = calloc(1, sizeof *p);
	if (!p)
		return fault_set(fault, ERR_MEMORY, "no memory for a permission");
	int bad = settings_read(config, &p->settings, fault);
	if (bad) {
		free(p);
		return bad;
	}
	p->optout.file = p->settings.active->opt_out;
	bad = optout_poll(&p->optout, unread) == ERR_MEMORY ? fault_set(fault, ERR_MEMORY, "no memory for the opt-outs") : 0;
	*unknown = !bad && register_peek(&p->asked_out, config, unread);
	if (bad)
		control_visit_close(p);
	else
		*out = p;
	return bad;
}

int control_egress_check(const struct config *config, const struct address *target, struct fault *fault)
{
	struct visit_permit *p = NULL;
	struct fault unread = {{0}};
	bool unknown = false;
	const uint64_t now_us = clock_utc_us();
	const struct question q = {.target = *target, .evidence = {.basis = BASIS_OPERATOR, .time_us = now_us}, .ports = 1, .tier = 1,
				   .hold_out = -1};
	const int bad = permit_open(&p, config, &unknown, &unread, fault);
	if (bad)
		return bad;
	const struct policy policy = policy_of(p);
	const enum reason reason = unknown ? REASON_INACTIVE : policy_check_again(&policy, &q, now_us);
	control_visit_close(p);
	return reason == REASON_OK ? 0
				   : fault_set(fault, ERR_DENIED, "%s: %s", reason_word(reason), unread.text[0] ? unread.text : reason_what(reason));
}

int control_visit_open(struct visit_permit **out, const struct config *config, struct fault *fault)
{
	struct visit_permit *p = NULL;
	struct fault unread = {{0}};
	bool unknown = false;
	int bad = permit_open(&p, config, &unknown, &unread, fault);
	if (bad)
		return bad;
	const enum reason reason = unknown ? REASON_INACTIVE : check(p, NULL);
	if (reason != REASON_OK)
		bad = unread.text[0] ? fault_set(fault, ERR_DENIED, "%s: %s", reason_word(reason), unread.text)
				     : fault_set(fault, ERR_DENIED, "%s: no page is visited: %s", reason_word(reason),
						 reason_what(reason));
	if (bad)
		control_visit_close(p);
	else
		*out = p;
	return bad;
}

void control_visit_close(struct visit_permit *p)
{
	if (!p)
		return;
	optout_done(&p->optout);
	register_close(&p->asked_out);
	settings_done(&p->settings);
	free(p);
}

bool control_visit_permits(struct visit_permit *p, const struct address *a, uint16_t port, struct address *from, const char **why)
{
	const struct policy policy = policy_of(p);
	enum reason reason = check(p, a);
	if (reason == REASON_OK && !visit_port_is_allowed(&p->settings.active->visits, port))
		reason = REASON_PORT;
	*from = policy_source(&policy, a);
	*why = reason_word(reason);
	return reason == REASON_OK;
}

int control_visit_poll(struct visit_permit *p, struct fault *fault)
{
	const int asked = register_follow(&p->asked_out, p->settings.config, fault);
	if (asked < 0)
		return ERR_DENIED;
	const int changed = optout_poll(&p->optout, fault);
	return changed ? changed : asked;
}
