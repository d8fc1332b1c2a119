/* From an answer, or an identity, to exposure.found, by the rules or by the index, and to host.matched. */
#include "analysis/exposures.h"
#include <stdlib.h>

FIELD(field_title, "exposure.title", TEXT, 0, "what is exposed, in a sentence");
FIELD(field_severity, "exposure.severity", TEXT, 0, "info, low, medium, high, critical or unknown");
FIELD(field_cve, "exposure.cve", TEXT, 0, "weakness, by its number");
FIELD(field_score, "exposure.cvss", TEXT, 0, "CVSS base score and, behind it, its version");
FIELD(field_known, "exposure.kev", BOOL, 0, "whether CISA knows it exploited");
FIELD(field_known_since, "exposure.kev_added", TIME, 0, "since when");
FIELD(field_ransomware, "exposure.ransomware", BOOL, 0, "whether it is known from campaigns of ransomware");
FIELD(field_cpe, "exposure.cpe", TEXT, 0, "what was identified, as CPE 2.3");
FIELD(field_criteria, "exposure.criteria", TEXT, 0, "what is vulnerable, as NVD says");
FIELD(field_note, "exposure.note", TEXT, 0, "what is not known: conditions, repairs of a distribution");
FIELD(field_references, "exposure.references", TEXT, 0, "where to read more");
FIELD(field_answered, "exposure.answered", TIME, 0, "when the host answered that");
FIELD(field_label, "seek.label", TEXT, 0, "what a match means: infected, taken over, malicious server");
FIELD(field_learned, "seek.learned", TEXT, 0, "from what the seek is known");

#define TOLD_MAX 256 /* weaknesses of one host, one by one, whatever the options say */

struct judging {
	const struct exposures *x;
	const struct exposures_limits *limits;
	const struct event *answer;
	bool (*each)(void *, struct event *);
	void *arg;
	bool ended;
	struct weakness best[TOLD_MAX];
	size_t kept, beyond;
	struct event event;
};

static void begin_finding(struct judging *j, enum event_kind kind, uint16_t port)
{
	struct event *e = &j->event;
	const struct event *a = j->answer;
	struct address address;
	struct bytes probe = event_bytes(a, FIELD_PROBE), proto = event_bytes(a, FIELD_PROTO);
	event_begin(e, kind);
	if (event_address(a, FIELD_SRC, &address))
		event_set_address(e, FIELD_SRC, &address);
	if (port)
		event_set_number(e, FIELD_SPORT, port);
	if (proto.len)
		event_set_bytes(e, FIELD_PROTO, proto);
	if (probe.len)
		event_set_bytes(e, FIELD_PROBE, probe);
	event_set_cause(e, a);
	event_set_number(e, field_answered, a->time_us);
}

static void tell(struct judging *j)
{
	if (!j->ended && !j->each(j->arg, &j->event))
		j->ended = true;
}

static void set_text(struct event *e, uint16_t field, const char *text)
{
	if (text && text[0])
		event_set_text(e, field, text);
}

static void found_by_rule(void *arg, const struct exposure_rule *rule, const char *evidence)
{
	struct judging *j = arg;
	struct event *e = &j->event;
	begin_finding(j, EVENT_EXPOSURE_FOUND, (uint16_t)event_number(j->answer, FIELD_SPORT, 0));
	event_set_text(e, FIELD_RULE, rule->id);
	set_text(e, field_title, rule->title);
	set_text(e, field_severity, rule->severity);
	event_set_number(e, FIELD_CONFIDENCE, rule->confidence);
	set_text(e, FIELD_EVIDENCE, evidence);
	set_text(e, field_references, rule->references);
	tell(j);
}

static void found_sought(void *arg, const struct exposure_rule *seek, const char *evidence)
{
	struct judging *j = arg;
	struct event *e = &j->event;
	begin_finding(j, EVENT_HOST_MATCHED, (uint16_t)event_number(j->answer, FIELD_SPORT, 0));
	event_set_text(e, FIELD_RULE, seek->id);
	set_text(e, field_label, seek->title);
	event_set_number(e, FIELD_CONFIDENCE, seek->confidence);
	set_text(e, FIELD_EVIDENCE, evidence);
	set_text(e, field_learned, seek->references);
	tell(j);
}

static void write_note(const struct weakness *w, char *text, size_t size)
{
	struct writer out = writer_of(text, size - 1);
	if (w->possibly)
		write_fmt(&out, "possibly: %s", w->condition[0] ? w->condition : "something that it depends on is not known");
	if (w->distribution)
		write_fmt(&out, "%sversion only; the distribution may have fixed it", w->possibly ? "; " : "");
	*out.at = '\0';
}

static void found_weakness(struct judging *j, const struct weakness *w)
{
	struct event *e = &j->event;
	char score[24], note[400], evidence[512];
	struct writer text = writer_of(evidence, sizeof evidence);
	begin_finding(j, EVENT_EXPOSURE_FOUND, w->port);
	event_set_text(e, FIELD_RULE, w->cve);
	event_set_text(e, field_cve, w->cve);
	event_set_text(e, field_severity, weakness_severity(w));
	if (w->cvss) {
		snprintf(score, sizeof score, "%u.%u (%u.%u)", w->score / 10u, w->score % 10u, w->cvss / 10u, w->cvss % 10u);
		event_set_text(e, field_score, score);
	}
	event_set_bool(e, field_known, w->known);
	if (w->known) {
		event_set_number(e, field_known_since, w->added_us);
		event_set_bool(e, field_ransomware, w->ransomware);
	}
	set_text(e, field_cpe, w->cpe);
	set_text(e, field_criteria, w->criteria);
	write_note(w, note, sizeof note);
	set_text(e, field_note, note);
	event_set_number(e, FIELD_CONFIDENCE, w->confidence);
	write_span(&text, w->rule);
	write_text(&text, ": ");
	write_span(&text, w->banner);
	event_set_bytes(e, FIELD_EVIDENCE, writer_bytes(&text));
	if (w->summary.len)
		event_set_bytes(e, FIELD_DETAIL, w->summary);
	tell(j);
}

/* Exploited ones first, then the graver, then those that are surer. */
static int graver(const void *a, const void *b)
{
	const struct weakness *x = a, *y = b;
	if (x->known != y->known)
		return x->known ? -1 : 1;
	if (x->score != y->score)
		return y->score - x->score;
	if (x->confidence != y->confidence)
		return y->confidence - x->confidence;
	return strcmp(y->cve, x->cve);
}

static bool keep_weakness(void *arg, const struct weakness *w)
{
	struct judging *j = arg;
	size_t most = j->limits->per_host < TOLD_MAX ? j->limits->per_host : TOLD_MAX;
	if (w->confidence < j->limits->confidence_min)
		return true;
	if (j->kept < most) {
		j->best[j->kept++] = *w;
		return true;
	}
	j->beyond++;
	size_t least = 0;
	for (size_t i = 1; i < j->kept; i++)
		if (graver(&j->best[i], &j->best[least]) > 0)
			least = i;
	if (most && graver(w, &j->best[least]) < 0)
		j->best[least] = *w;
	return true;
}

/* One finding stands for those that there was no room for. */
static void tell_beyond(struct judging *j)
{
	char title[96];
	struct event *e = &j->event;
	begin_finding(j, EVENT_EXPOSURE_FOUND, 0);
	snprintf(title, sizeof title, "%zu further weaknesses, none graver than those told", j->beyond);
	event_set_text(e, FIELD_RULE, "further-weaknesses");
	event_set_text(e, field_title, title);
	event_set_text(e, field_severity, "unknown");
	event_set_number(e, FIELD_COUNT, j->beyond);
	tell(j);
}

static void judge_software(struct judging *j)
{
	struct software software[SOFTWARE_MAX];
	size_t count = software_read(event_bytes(j->answer, FIELD_SOFTWARE), software);
	if (!j->x->index || !count)
		return;
	weaknesses_find(j->x->index, j->x->products, software, count, keep_weakness, j);
	if (j->kept)
		qsort(j->best, j->kept, sizeof *j->best, graver);
	for (size_t i = 0; i < j->kept; i++)
		found_weakness(j, &j->best[i]);
	if (j->beyond)
		tell_beyond(j);
}

void exposures_judge(const struct exposures *x, const struct exposures_limits *limits, const struct event *answer,
		     bool (*each)(void *, struct event *), void *arg)
{
	struct judging *j = calloc(1, sizeof *j);
	if (!j)
		return;
	j->x = x;
	j->limits = limits;
	j->answer = answer;
	j->each = each;
	j->arg = arg;
	if (x->seeks)
		exposure_rules_judge(x->seeks, answer, found_sought, j);
	exposure_rules_judge(x->rules, answer, found_by_rule, j);
	if (answer->kind == EVENT_HOST_IDENTIFIED)
		judge_software(j);
	free(j);
}
