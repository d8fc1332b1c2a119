/* What decided, as a sentence for the operator: beside the reason's own words, the particulars. */
#include "base/special.h"
#include "control/policy_inner.h"

static void explain_special(const struct question *q, struct writer *w)
{
	struct address carried[SPECIAL_EMBEDDED_MAX];
	char text[ADDRESS_TEXT_MAX];
	const char *range = special_range(&q->target);
	if (range)
		write_fmt(w, "%s", range);
	size_t count = special_embedded(&q->target, carried);
	for (size_t i = 0; i < count; i++) {
		range = special_range(&carried[i]);
		write_fmt(w, "%scarries %s%s%s", writer_used(w) ? "; " : "", address_format(&carried[i], text),
			  range ? ", " : "", range ? range : "");
	}
}

static void explain_opt_out(const struct policy *p, const struct question *q, struct writer *w)
{
	bool asked = p->asked_out && prefix_set_holds(p->asked_out, &q->target);
	write_text(w, asked ? "asked for by its owner" : "in the opt-out file, or carries an address that opted out");
}

void policy_explain(const struct policy *p, const struct question *q, enum reason reason, uint64_t now_us,
		    struct writer *w)
{
	switch (reason) {
	case REASON_SPECIAL:
		explain_special(q, w);
		break;
	case REASON_MARKING:
		write_fmt(w, "marked PAP:%s", q->evidence.marking);
		break;
	case REASON_OPTED_OUT:
		explain_opt_out(p, q, w);
		break;
	case REASON_TIER:
		write_fmt(w, "tier %llu was asked for, %llu is the highest there", (unsigned long long)q->tier,
			  (unsigned long long)policy_tier_of(p, &q->target, q->evidence.basis));
		break;
	case REASON_KNOWN_SCANNER: {
		const char *name = scanners_find(&p->settings->scanners, &q->target);
		write_text(w, name ? name : "");
		break;
	}
	case REASON_WINDOW: {
		char time[TIME_TEXT_MAX];
		uint64_t opens_us = policy_opens_us(p, &q->target, q->leave_us ? q->leave_us : now_us);
		write_fmt(w, "it opens %s", opens_us == UINT64_MAX ? "not within eight days" : time_format(opens_us, time));
		break;
	}
	default:
		break;
	}
}
