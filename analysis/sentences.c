/* The reasons of a verdict as people read them. */
#include "analysis/intent.h"

static void write_count(struct writer *w, const char *before, uint64_t n, const char *one)
{
	write_fmt(w, "%s%llu %s%s", before, (unsigned long long)n, one, n == 1 ? "" : "s");
}

static void write_listed(const struct intent_evidence *e, struct writer *w)
{
	write_fmt(w, "listed as %s", e->listed);
	if (!e->list)
		return;
	if (e->listed_dated)
		write_fmt(w, " (%s, %u day%s old)", e->list, e->listed_days, e->listed_days == 1 ? "" : "s");
	else
		write_fmt(w, " (%s, without a date)", e->list);
}

static void write_login(const struct intent_evidence *e, struct writer *w)
{
	write_text(w, e->listed ? "listed but tried a login: " : "tried a login: ");
	write_count(w, "", e->logins, "attempt");
}

static void write_coverage(const struct intent_evidence *e, struct writer *w)
{
	double percent = e->watched > 0 ? 100.0 * e->destinations / e->watched : 0;
	write_fmt(w, "met %u of %.0f dark addresses (%.3g of 100)", e->destinations, e->watched,
		  percent > 100 ? 100 : percent);
}

static void write_tool(const struct intent_evidence *e, const char *what, struct writer *w)
{
	write_fmt(w, "packets of %s, %s", e->tool_name ? e->tool_name : "a tool", what);
}

/* Requests to few may be the attack itself, in which the source's address is forged: the victim's. */
static void write_amplifies(const struct intent_evidence *e, struct writer *w)
{
	write_fmt(w, "looks for reflectors (%s) at %u address%s", e->asks ? e->asks : "an amplified request",
		  e->destinations, e->destinations == 1 ? "" : "es");
	if (e->destinations < 8)
		write_text(w, ", so few that its address may be a victim's");
}

static void write_periodic(const struct intent_evidence *e, struct writer *w)
{
	write_fmt(w, "came at this hour, and only then, on %u of %u earlier days", e->days_same_hour,
		  e->days_asked);
}

static void write_sentence(const struct intent_evidence *e, enum intent_signal signal, struct writer *w)
{
	switch (signal) {
	case SIGNAL_LOGIN: write_login(e, w); break;
	case SIGNAL_COMMAND: write_count(w, "sent decoys ", e->commands, "command"); break;
	case SIGNAL_FILE: write_count(w, "left or named ", e->files, "file"); break;
	case SIGNAL_LISTED: write_listed(e, w); break;
	case SIGNAL_HOSTILE_TOOL: write_tool(e, "which only bots have", w); break;
	case SIGNAL_SURVEY_TOOL: write_tool(e, "which surveys prefer", w); break;
	case SIGNAL_SCANNER: write_tool(e, "which anybody uses", w); break;
	case SIGNAL_NO_TOOL: write_text(w, "packets of no known scanner"); break;
	case SIGNAL_ALERT: write_count(w, "sensors agreed on ", e->alerts_agreed, "alert"); break;
	case SIGNAL_SUSPICION: write_count(w, "unconfirmed: ", e->alerts_other, "alert"); break;
	case SIGNAL_DEVICE: write_fmt(w, "is a device (%s), and devices do not survey", e->device); break;
	case SIGNAL_HOST_NAME: write_fmt(w, "is named %s, which is %s", e->host_name, e->survey); break;
	case SIGNAL_NAME_WORD: write_fmt(w, "is named %s, which speaks of surveying", e->host_name); break;
	case SIGNAL_DYNAMIC_NAME: write_fmt(w, "is named %s, one of a customers' pool", e->host_name); break;
	case SIGNAL_PAGE: write_fmt(w, "its own page explains: \"%s\"", e->page); break;
	case SIGNAL_AMPLIFIES:
		write_amplifies(e, w);
		break;
	case SIGNAL_WORM_PORTS:
		write_fmt(w, "%.0f of 100 packets to ports that worms spread over", 100 * e->worm_share);
		break;
	case SIGNAL_PERIODIC: write_periodic(e, w); break;
	case SIGNAL_MANY_PORTS: write_count(w, "asked for ", e->ports, "port"); break;
	case SIGNAL_LOW_COVERAGE: /* the same numbers either way */
	case SIGNAL_FULL_COVERAGE: write_coverage(e, w); break;
	case SIGNAL_DECOY: write_count(w, "spoke with decoys: ", e->sessions, "session"); break;
	case SIGNAL_SEVERAL_HOSTS: write_fmt(w, "%u hosts seem to be behind the address", e->hosts); break;
	case SIGNAL_EVEN_RATE: write_fmt(w, "an even rate over %u hours", e->hours); break;
	case SIGNAL_COUNT: break;
	}
}

void intent_reason_write(const struct intent_evidence *e, const struct intent_reason *r, struct writer *w)
{
	write_sentence(e, r->signal, w);
	write_fmt(w, " (%+.1f)", r->weight);
}

static void write_no_scanner(const struct intent_evidence *e, const struct intent_verdict *v, struct writer *w)
{
	if (v->verdict == INTENT_VICTIM)
		write_text(w, e->victim ? "only answers were seen, as many and as long as those of an attacked host"
					: "only answers were seen: somebody writes our addresses as sources to it");
	else if (e->classes & INTENT_CLASS_SPOOFED)
		write_text(w, "its address was probably forged: many sources with the TTLs of one or two places");
	else if (e->classes & INTENT_CLASS_REFLECTION)
		write_text(w, "it answers what somebody asked under our address: a reflector that is abused");
	else
		write_text(w, "it keeps asking for something that was never there: misconfigured");
}

void intent_summary_write(const struct intent_evidence *e, const struct intent_verdict *v, struct writer *w)
{
	if (v->verdict == INTENT_VICTIM || v->verdict == INTENT_BYSTANDER) {
		write_no_scanner(e, v, w);
		return;
	}
	if (!v->count) {
		write_text(w, "nothing is known that would speak for either");
		return;
	}
	bool attack = v->score >= 0, written = false;
	for (unsigned i = 0; i < v->count; i++) {
		if ((v->reasons[i].weight > 0) != attack)
			continue;
		if (written)
			write_text(w, "; ");
		intent_reason_write(e, &v->reasons[i], w);
		written = true;
	}
}
