#include "analysis/intent.h"
#include "base/error.h"
#include <math.h>

static const struct {
	const char *word, *meaning;
	double weight;
} signals[SIGNAL_COUNT] = {
#define X(signal, word_, weight_, meaning_) [SIGNAL_##signal] = {word_, meaning_, weight_},
	INTENT_SIGNALS(X)
#undef X
};

const char *intent_signal_word(enum intent_signal s) { return signals[s].word; }
const char *intent_signal_meaning(enum intent_signal s) { return signals[s].meaning; }
double intent_signal_weight(enum intent_signal s) { return signals[s].weight; }

static const char *const intent_names[INTENT_COUNT] = {
	[INTENT_UNCLEAR] = "unclear", [INTENT_SURVEY] = "survey",       [INTENT_ATTACK] = "attack",
	[INTENT_VICTIM] = "victim",   [INTENT_BYSTANDER] = "bystander",
};

const char *intent_name(enum intent i) { return intent_names[i]; }

int intent_find(struct bytes name)
{
	for (int i = 0; i < INTENT_COUNT; i++)
		if (bytes_equal_text(name, intent_names[i]))
			return i;
	return ERR_MISSING;
}

unsigned intent_class_of(struct bytes name)
{
	static const char *const names[] = {"scan", "backscatter", "reflection", "spoofed", "misconfigured", "other"};
	for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
		if (bytes_equal_text(name, names[i]))
			return 1u << i;
	return 0;
}

/*
 * Where code spreads by itself from host to host: telnet and its stand-ins (Mirai and kin), SMB
 * (Conficker, WannaCry), ADB, and the routers' management ports.  SSH and HTTP are not among them:
 * everybody asks those.
 */
bool intent_worm_port(const char *proto, uint16_t port)
{
	static const uint16_t ports[] = {23, 135, 139, 445, 2323, 5555, 7547, 23231, 26, 37215, 52869};
	if (strcmp(proto, "tcp"))
		return false;
	for (size_t i = 0; i < sizeof ports / sizeof *ports; i++)
		if (ports[i] == port)
			return true;
	return false;
}

static double within(double x) { return x < 0 ? 0 : x > 1 ? 1 : x; }

/* From 0 at `from` to 1 at `to`, straight in the logarithm. */
static double log_ramp(double x, double from, double to)
{
	return x <= from ? 0 : within(log(x / from) / log(to / from));
}

/*
 * Addresses change hands: a list is believed whole for a quarter, then less by the day, and a
 * third of it stays after two years.  A list without a date may be any age.
 */
static double listed_strength(const struct intent_evidence *e)
{
	static const double fresh = 90, old = 730, rest = 0.33, undated = 0.75;
	if (!e->listed)
		return 0;
	if (!e->listed_dated)
		return undated;
	return 1 - (1 - rest) * within((e->listed_days - fresh) / (old - fresh));
}

static bool name_has(const char *name, const char *const *words)
{
	struct bytes b = bytes_of_text(name);
	for (; *words; words++)
		if (bytes_find_nocase(b, *words) < b.len)
			return true;
	return false;
}

static void judge_names(const struct intent_evidence *e, double s[SIGNAL_COUNT])
{
	static const char *const survey_words[] = {"scan", "research", "survey", "census", "probe", "measure",
						   "crawl", "optout", "opt-out", NULL};
	static const char *const pool_words[] = {"dyn", "dhcp", "dsl", "pool", "ppp", "cable", "broadband",
						 "dialup", "customer", "cust.", "mobile", NULL};
	s[SIGNAL_LISTED] = listed_strength(e);
	s[SIGNAL_PAGE] = e->page != NULL;
	s[SIGNAL_DEVICE] = e->device != NULL;
	if (!e->host_name)
		return;
	s[SIGNAL_HOST_NAME] = e->survey != NULL;
	s[SIGNAL_NAME_WORD] = !e->survey && name_has(e->host_name, survey_words);
	s[SIGNAL_DYNAMIC_NAME] = !e->survey && !s[SIGNAL_NAME_WORD] && name_has(e->host_name, pool_words);
}

/*
 * Coverage says something only where there is enough to cover and enough was sent: who sends three
 * packets has not drawn at random.
 */
static void judge_coverage(const struct intent_evidence *e, double s[SIGNAL_COUNT])
{
	static const double watched_min = 64, packets_min = 16;
	if (e->watched < watched_min || e->packets < packets_min)
		return;
	double coverage = within(e->destinations / e->watched);
	s[SIGNAL_FULL_COVERAGE] = within((coverage - 0.75) / 0.2);
	s[SIGNAL_LOW_COVERAGE] = coverage < 0.25 && e->destinations >= 8 ? 1 - within((coverage - 0.05) / 0.2) : 0;
}

static void judge_dark(const struct intent_evidence *e, double s[SIGNAL_COUNT])
{
	static const double many_destinations = 8;
	if (!e->dark || !(e->classes & INTENT_CLASS_SCAN))
		return;
	s[SIGNAL_HOSTILE_TOOL] = e->tool == INTENT_TOOL_HOSTILE;
	s[SIGNAL_SURVEY_TOOL] = e->tool == INTENT_TOOL_SURVEY;
	s[SIGNAL_SCANNER] = e->tool == INTENT_TOOL_ANY;
	s[SIGNAL_NO_TOOL] = e->tool == INTENT_TOOL_NONE;
	s[SIGNAL_WORM_PORTS] = within(e->worm_share);
	s[SIGNAL_MANY_PORTS] = log_ramp(e->ports, 10, 1000);
	s[SIGNAL_AMPLIFIES] = e->amplifies ? log_ramp(e->destinations, 1, many_destinations) : 0;
	s[SIGNAL_SEVERAL_HOSTS] = e->hosts > 1;
	s[SIGNAL_EVEN_RATE] = e->hours >= 4 && e->unevenness >= 0 ? within((0.6 - e->unevenness) / 0.4) : 0;
	judge_coverage(e, s);
}

/* Bots run all day; who comes for an hour, and again at that hour, has a schedule. */
static double periodic_strength(const struct intent_evidence *e)
{
	if (!e->days_asked || e->days_same_hour < 2)
		return 0;
	return within((double)e->days_same_hour / (e->days_asked < 5 ? e->days_asked : 5));
}

static void judge_conduct(const struct intent_evidence *e, double s[SIGNAL_COUNT])
{
	s[SIGNAL_LOGIN] = e->logins > 0;
	s[SIGNAL_COMMAND] = e->commands > 0;
	s[SIGNAL_FILE] = e->files > 0;
	s[SIGNAL_DECOY] = e->sessions > 0;
	s[SIGNAL_ALERT] = e->alerts_agreed ? 0.6 + 0.4 * log_ramp((double)e->alerts_agreed, 1, 10) : 0;
	s[SIGNAL_SUSPICION] = e->alerts_other ? 0.5 + 0.5 * log_ramp((double)e->alerts_other, 1, 10) : 0;
	s[SIGNAL_PERIODIC] = periodic_strength(e);
}

/*
 * Who only answered, or whose address others wrote into packets, has no intent that could be judged.
 * A conversation with a decoy or a confirmed alert is the source's own doing, and so is a scan.
 */
static bool is_no_scanner(const struct intent_evidence *e, struct intent_verdict *v)
{
	bool acted = e->sessions || e->logins || e->commands || e->files || e->alerts_agreed;
	if (!e->dark || acted || (e->classes & INTENT_CLASS_SCAN))
		return false;
	if (e->victim || (e->classes & INTENT_CLASS_BACKSCATTER)) {
		v->verdict = INTENT_VICTIM;
		v->confidence = e->victim ? 95 : 70;
	} else if (e->classes & (INTENT_CLASS_SPOOFED | INTENT_CLASS_REFLECTION | INTENT_CLASS_MISCONFIGURED)) {
		v->verdict = INTENT_BYSTANDER;
		v->confidence = 70;
	} else {
		return false;
	}
	return true;
}

static void reason_insert(struct intent_verdict *v, enum intent_signal signal, double weight)
{
	unsigned at = v->count++;
	for (; at > 0 && fabs(v->reasons[at - 1].weight) < fabs(weight); at--)
		v->reasons[at] = v->reasons[at - 1];
	v->reasons[at] = (struct intent_reason){signal, weight};
}

void intent_judge(const struct intent_evidence *e, struct intent_verdict *v)
{
	double strength[SIGNAL_COUNT] = {0}, attack = 0, survey = 0;
	v->verdict = INTENT_UNCLEAR;
	v->count = 0;
	v->score = 0;
	if (is_no_scanner(e, v))
		return;
	judge_names(e, strength);
	judge_dark(e, strength);
	judge_conduct(e, strength);
	for (enum intent_signal i = 0; i < SIGNAL_COUNT; i++) {
		double weight = strength[i] * signals[i].weight;
		if (weight == 0)
			continue;
		reason_insert(v, i, weight);
		*(weight > 0 ? &attack : &survey) += weight;
	}
	v->score = attack + fmax(survey, -INTENT_SURVEY_MAX);
	/* 2p - 1 for the likelier side's p, which is the hyperbolic tangent of half the log-odds. */
	v->confidence = (unsigned)lround(100 * tanh(fabs(v->score) / 2));
	if (v->confidence >= INTENT_CONFIDENT)
		v->verdict = v->score > 0 ? INTENT_ATTACK : INTENT_SURVEY;
}
