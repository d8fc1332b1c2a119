/* The study as a whole: its hosts, and what becomes of each of them. */
#include "analysis/ics_study_inner.h"
#include <stdlib.h>

#define HASH_KEY 0x1c5f00d
#define PLACES_FIRST 1024


static const char *const stage_words[ICS_STAGES] = {
	"unclear", "wrong", "decoy claimed", "to look", "gone", "other", "decoy", "row",
};
const char *ics_stage_word(enum ics_stage s) { return s < ICS_STAGES ? stage_words[s] : ""; }

int ics_study_open(struct ics_study **out, const struct ics_study_options *options, const struct exposure_rules *rules)
{
	struct ics_study *s = calloc(1, sizeof *s);
	if (s)
		s->event = calloc(1, sizeof *s->event);
	if (!s || !s->event) {
		free(s);
		return ERR_MEMORY;
	}
	s->options = *options;
	/* The name of a format goes into a question to the store: letters, digits and hyphens only. */
	bytes_copy_text(bytes_of_text(options->format), s->format, sizeof s->format);
	for (char *c = s->format; *c; c++)
		if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789-", *c))
			*c = '-';
	s->rules = rules;
	*out = s;
	return 0;
}

void ics_study_close(struct ics_study *s)
{
	if (!s)
		return;
	free(s->hosts);
	free(s->places);
	free(s->paths.offsets);
	free(s->event);
	free(s);
}

static size_t place_of(const struct ics_study *s, const struct address *a)
{
	size_t at = address_hash(a, HASH_KEY) & (s->place_count - 1);
	while (s->places[at] && !address_equal(&s->hosts[s->places[at] - 1].address, a))
		at = (at + 1) & (s->place_count - 1);
	return at;
}

struct ics_host *ics_host_find(const struct ics_study *s, const struct address *a)
{
	const size_t at = s->place_count ? place_of(s, a) : 0;
	return s->place_count && s->places[at] ? &s->hosts[s->places[at] - 1] : NULL;
}

static bool grow(struct ics_study *s)
{
	const size_t places = s->place_count ? 2 * s->place_count : PLACES_FIRST;
	struct ics_host *hosts = realloc(s->hosts, places / 2 * sizeof *hosts);
	uint32_t *numbers = hosts ? calloc(places, sizeof *numbers) : NULL;
	if (hosts)
		s->hosts = hosts;
	if (!numbers)
		return false;
	free(s->places);
	s->places = numbers;
	s->place_count = places;
	s->room = places / 2;
	for (size_t i = 0; i < s->count; i++)
		s->places[place_of(s, &s->hosts[i].address)] = (uint32_t)i + 1;
	return true;
}

struct ics_host *ics_host_take(struct ics_study *s, const struct address *a)
{
	struct ics_host *found = ics_host_find(s, a);
	if (found)
		return found;
	if (s->count == ICS_HOSTS_MAX || (s->count == s->room && !grow(s)))
		return NULL;
	s->hosts[s->count] = (struct ics_host){.address = *a};
	s->places[place_of(s, a)] = (uint32_t)s->count + 1;
	return &s->hosts[s->count++];
}

int ics_study_take(struct ics_study *s, enum ics_question question, struct bytes lines)
{
	struct reader r = reader_of_bytes(lines);
	struct bytes line;
	size_t rows = 0;
	while (read_line(&r, &line)) {
		if (s->count == ICS_HOSTS_MAX || ++rows == ICS_ROWS_MAX)
			return ERR_FULL;
		s->sums.bad_rows += !ics_row_take(s, question, line);
	}
	return 0;
}

static int by_number(const void *a, const void *b) { return *(const int16_t *)a - *(const int16_t *)b; }

/* The median of the differences, and half of the range of the middle nine tenths. */
static void calibrate(struct ics_study *s)
{
	struct ics_vantages *v = &s->sums.vantages;
	const size_t n = s->paths.count;
	v->one = s->options.one_vantage;
	v->hosts = n;
	if (n < ICS_CALIBRATION_MIN)
		return;
	qsort(s->paths.offsets, n, sizeof *s->paths.offsets, by_number);
	v->calibrated = true;
	v->offset = s->paths.offsets[n / 2];
	v->spread = (s->paths.offsets[n - 1 - n / 20] - s->paths.offsets[n / 20] + 1) / 2;
}


static void add_port(char *list, size_t n, uint16_t port, bool udp)
{
	const size_t used = strlen(list);
	snprintf(list + used, n - used, "%s%u%s", used ? ", " : "", port, udp ? "/UDP" : "");
}

/* A scan's ports against the look's: what was asked and is closed now, what is open and was not claimed. */
static void compare_ports(struct ics_host *h)
{
	for (size_t i = 0; i < h->claim_count; i++) {
		const struct ics_claim *c = &h->claims[i];
		bool open = !c->asked;
		for (size_t k = 0; k < h->row.answer_count; k++)
			open |= h->row.answers[k].port == c->port && h->row.answers[k].udp == c->udp;
		if (open)
			continue;
		h->gone++;
		add_port(h->gone_ports, sizeof h->gone_ports, c->port, c->udp);
	}
	for (size_t k = 0; k < h->row.answer_count; k++) {
		const struct ics_answer *a = &h->row.answers[k];
		bool claimed = false;
		for (size_t i = 0; i < h->claim_count; i++)
			claimed |= a->port == h->claims[i].port && a->udp == h->claims[i].udp;
		if (claimed)
			continue;
		h->fresh++;
		add_port(h->fresh_ports, sizeof h->fresh_ports, a->port, a->udp);
	}
}

/* From the nearer end of the dark traffic to the look. */
static unsigned hours_apart(const struct ics_host *h)
{
	const uint64_t later = h->looked_s > h->dark_last_s ? h->looked_s - h->dark_last_s : 0;
	const uint64_t earlier = h->looked_s < h->dark_first_s ? h->dark_first_s - h->looked_s : 0;
	return (unsigned)((later > earlier ? later : earlier) / 3600);
}

/* What the stored answers are of; one decoy among them is enough, for then the others are its, too. */
static enum ics_stage stage_of_claims(struct ics_study *s, struct ics_host *h)
{
	bool controller = false, askable = false, wrong = false;
	char why[sizeof h->why];
	ics_claim_count_event(s->event, h->claimed);
	const enum ics_claim_verdict by_count = ics_claim_judge(s->rules, s->event, why, sizeof why);
	for (size_t i = 0; i < h->claim_count; i++) {
		if (h->claims[i].verdict == CLAIM_IS_DECOY)
			return ICS_DECOY_CLAIM;
		const struct ics_claim *c = &h->claims[i];
		controller |= c->protocol && c->verdict == CLAIM_CONTROLLER;
		askable |= c->protocol && c->verdict == CLAIM_CONTROLLER && ics_protocol_is_asked(c->protocol, c->port);
		wrong |= c->protocol && c->verdict == CLAIM_IS_WRONG;
	}
	if (by_count == CLAIM_IS_WRONG || by_count == CLAIM_IS_DECOY) {
		memcpy(h->why, why, sizeof why);
		return by_count == CLAIM_IS_DECOY ? ICS_DECOY_CLAIM : ICS_WRONG;
	}
	if (controller && !askable)
		snprintf(h->why, sizeof h->why, "no probe asks for %s at that port", h->protocol->name);
	return askable ? ICS_TO_LOOK : wrong && !controller ? ICS_WRONG : ICS_UNCLEAR;
}

static enum ics_stage stage_of_look(struct ics_host *h)
{
	if (!h->looked_s || !h->port_asked)
		return ICS_TO_LOOK;
	if (h->honeypot) {
		snprintf(h->why, sizeof h->why, "the look found a honeypot");
		return ICS_DECOY;
	}
	if (!h->port_open) {
		snprintf(h->why, sizeof h->why, "nothing answers on that port now");
		return ICS_GONE;
	}
	if (!h->speaks) {
		snprintf(h->why, sizeof h->why, "what answers now does not speak %s", h->protocol->name);
		return ICS_OTHER;
	}
	return ICS_ROW;
}

/* Of several ports of one protocol the controller's is that which spoke it. */
static void conclude_host(struct ics_study *s, struct ics_host *h)
{
	h->stage = stage_of_claims(s, h);
	if (h->stage == ICS_TO_LOOK)
		h->stage = stage_of_look(h);
	h->row.vantages = s->sums.vantages;
	address_format(&h->address, h->row.name);
	if (h->protocol)
		snprintf(h->row.protocol, sizeof h->row.protocol, "%s", h->protocol->name);
	if (h->looked_s) {
		compare_ports(h);
		h->row.apart_h = hours_apart(h);
	}
	if (h->stage == ICS_ROW)
		ics_judge(&h->row, &h->verdict);
	s->sums.stages[h->stage]++;
}

static int by_stage(const void *a, const void *b)
{
	const struct ics_host *x = a, *y = b;
	if (x->stage != y->stage)
		return x->stage > y->stage ? -1 : 1;
	return memcmp(x->address.b, y->address.b, sizeof x->address.b);
}

/* Only hosts that asked dark addresses and have an industrial claim are the study's; others only brought claims. */
static bool belongs(const struct ics_host *h)
{
	bool industrial = false;
	for (size_t i = 0; i < h->claim_count; i++)
		industrial |= h->claims[i].protocol != NULL;
	return industrial && h->row.dark_count;
}

void ics_study_conclude(struct ics_study *s)
{
	size_t kept = 0;
	calibrate(s);
	for (size_t i = 0; i < s->count; i++) {
		if (!belongs(&s->hosts[i]))
			continue;
		if (kept != i)
			s->hosts[kept] = s->hosts[i];
		conclude_host(s, &s->hosts[kept++]);
	}
	s->count = kept;
	s->sums.in_dark = kept;
	free(s->places);
	s->places = NULL;
	s->place_count = s->room = 0;
	if (kept)
		qsort(s->hosts, kept, sizeof *s->hosts, by_stage);
}

const struct ics_sums *ics_study_sums(const struct ics_study *s) { return &s->sums; }
size_t ics_study_count(const struct ics_study *s) { return s->count; }
const struct ics_host *ics_study_at(const struct ics_study *s, size_t i) { return &s->hosts[i]; }
