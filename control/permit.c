/* An approved survey, from the configuration alone: for scans beside no running kansoku. */
#include "base/clock.h"
#include "control/control.h"
#include "control/optout_inner.h"
#include "control/register_inner.h"
#include "control/survey_sets_inner.h"
#include <stdlib.h>

struct survey_permit {
	struct settings settings;
	struct optout optout;
	struct optout_register asked_out;
	const struct survey *survey;
	struct survey_lease lease;
	struct prefix_set targets, excluded;
};

static struct policy policy_of(const struct survey_permit *p)
{
	return (struct policy){.settings = &p->settings, .opted_out = &p->optout.set, .asked_out = &p->asked_out.set,
			       .opt_outs_unknown = p->optout.file && !p->optout.known};
}

static int refuse(struct fault *fault, const char *name, enum reason why)
{
	return fault_set(fault, ERR_DENIED, "%s: the survey %s is refused: %s", reason_word(why), name, reason_what(why));
}

/* What control asks before it gives a lease (survey.c), as far as one can know without it. */
static int check(const struct survey_permit *p, const char *name, struct fault *fault)
{
	const struct settings *s = &p->settings;
	const char *contact = s->operator->contact;
	const uint64_t now_us = clock_utc_us();
	char missing[128];
	struct writer w = writer_of(missing, sizeof missing - 1);
	if (!s->active->enabled || s->scope.count == 0 || (p->optout.file && !p->optout.known))
		return refuse(fault, name, REASON_INACTIVE);
	if (!contact || !*contact)
		return refuse(fault, name, REASON_NO_CONTACT);
	if (!survey_is_complete(p->survey, &w)) {
		*w.at = '\0';
		return fault_set(fault, ERR_DENIED, "%s: the survey %s lacks %s: what is scanned must be approved in writing",
				 reason_word(REASON_SURVEY_INCOMPLETE), name, missing);
	}
	struct fault closed = {{0}};
	const enum reason hours = survey_hours_check(s, p->survey, now_us, &closed);
	if (hours != REASON_OK)
		return closed.text[0] ? fault_set(fault, ERR_DENIED, "%s", closed.text) : refuse(fault, name, hours);
	if (p->lease.tier < 1)
		return refuse(fault, name, REASON_TIER);
	return p->targets.count ? 0 : refuse(fault, name, REASON_SCOPE);
}

static int find(struct survey_permit *p, const char *name, struct fault *fault)
{
	const struct settings *s = &p->settings;
	char all[256];
	struct writer w = writer_of(all, sizeof all - 1);
	for (size_t i = 0; i < s->survey_count; i++) {
		if (!strcmp(s->surveys[i].option->name, name)) {
			p->survey = &s->surveys[i];
			return 0;
		}
		if (writer_left(&w) > strlen(s->surveys[i].option->name))
			write_fmt(&w, " %s", s->surveys[i].option->name);
	}
	*w.at = '\0';
	return fault_set(fault, ERR_MISSING, "no-basis: active.surveys has no %s%s%s", name,
			 s->survey_count ? ", there are:" : "; a survey is approved there", all);
}

static void lease_make(struct survey_permit *p, const char *name)
{
	const struct active_options *o = p->settings.active;
	const struct address *from = o->addresses.items;
	const struct survey_option *wanted = p->survey->option;
	const uint64_t now_us = clock_utc_us();
	p->lease = (struct survey_lease){
		.seed = wanted->seed, .rate = o->rate && o->rate < wanted->rate ? o->rate : wanted->rate,
		.packets_max = wanted->packets, .begins_us = now_us, .expires_us = survey_hours_until(&p->settings, p->survey, now_us),
		.port_count = p->survey->port_count,
	};
	memcpy(p->lease.ports, p->survey->ports, sizeof p->lease.ports);
	snprintf(p->lease.name, sizeof p->lease.name, "%s", name);
	p->lease.tier = (uint8_t)(wanted->tier < o->tier ? wanted->tier : o->tier);
	for (size_t i = o->addresses.count; i-- > 0;)
		p->lease.from[!address_is_v4(&from[i])] = from[i];
}

int control_survey_open(struct survey_permit **out, const struct config *config, const char *name, struct fault *fault)
{
	struct survey_permit *p = calloc(1, sizeof *p);
	if (!p)
		return fault_set(fault, ERR_MEMORY, "no memory for a survey");
	int bad = settings_read(config, &p->settings, fault);
	if (bad) {
		free(p);
		return bad;
	}
	p->optout.file = p->settings.active->opt_out;
	bad = find(p, name, fault);
	if (!bad) {
		struct fault unread = {0};
		bad = optout_poll(&p->optout, &unread) == ERR_MEMORY ? ERR_MEMORY : 0;
		const int unknown = register_peek(&p->asked_out, config, &unread);
		lease_make(p, name);
		const struct policy policy = policy_of(p);
		if (bad || survey_targets(&p->settings, p->survey, &p->targets) || survey_excluded(&policy, &p->excluded))
			bad = fault_set(fault, ERR_MEMORY, "no memory for the survey %s", name);
		else
			bad = unknown ? refuse(fault, name, REASON_INACTIVE) : check(p, name, fault);
		if (bad == ERR_DENIED && unread.text[0])
			*fault = unread;
	}
	if (bad)
		control_survey_close(p);
	else
		*out = p;
	return bad;
}

int control_survey_poll(struct survey_permit *p, struct fault *fault)
{
	if (p->lease.expires_us <= clock_utc_us())
		return refuse(fault, p->lease.name, REASON_STALE_BASIS);
	/* Who asked by the page, the API or a link: while that cannot be read, nobody is known to have agreed. */
	const int asked = register_follow(&p->asked_out, p->settings.config, fault);
	if (asked < 0)
		return ERR_DENIED;
	const int changed = optout_poll(&p->optout, fault);
	if (changed == ERR_MEMORY || (changed == 0 && asked == 0))
		return changed;
	/* Also after a line that could not be read: the others count. */
	const struct policy policy = policy_of(p);
	struct prefix_set excluded;
	if (survey_excluded(&policy, &excluded))
		return fault_set(fault, ERR_MEMORY, "no memory for the opt-outs");
	prefix_set_done(&p->excluded);
	p->excluded = excluded;
	return 1;
}

void control_survey_close(struct survey_permit *p)
{
	if (!p)
		return;
	prefix_set_done(&p->targets);
	prefix_set_done(&p->excluded);
	optout_done(&p->optout);
	register_close(&p->asked_out);
	settings_done(&p->settings);
	free(p);
}

const struct survey_lease *control_survey_lease(const struct survey_permit *p) { return &p->lease; }
uint64_t control_survey_ports_max(const struct survey_permit *p) { return p->settings.active->ports_max; }
const char *control_survey_contact(const struct survey_permit *p) { return p->settings.operator->contact; }
const char *control_survey_page(const struct survey_permit *p) { return p->settings.operator->page; }
const struct prefix_set *control_survey_targets(const struct survey_permit *p) { return &p->targets; }
const struct prefix_set *control_survey_excluded(const struct survey_permit *p) { return &p->excluded; }
const char *control_survey_opt_out(const struct survey_permit *p) { return p->optout.file; }

int control_survey_register(const struct survey_permit *p, char *path, size_t n)
{
	return register_folder(p->settings.config, path, n);
}
