#include "analysis/ics.h"
#include <stdlib.h>

/*
 * Initial TTLs: common systems from their documentation (Linux, BSD, macOS 64: RFC 1700's advice; Windows since
 * NT 4.0 128; Solaris and most network equipment 255), the rare ones from lists that people measured: 60 of
 * MacTCP, Irix, AIX and Ultrix, 32 of Windows 95 and NT 3.51, 30 of Ultrix' UDP, HP-UX 9 and of communication
 * processors of controllers, 100 of embedded stacks.
 */
static const struct initial {
	uint8_t value;
	bool common;
	const char *system;
} initials[] = {
	{30, false, "a controller's communication processor"},
	{32, false, "a very old Windows"},
	{60, false, "an old Unix or an embedded system"},
	{64, true, "Linux, BSD or an embedded system"},
	{100, false, "an embedded system"},
	{128, true, "Windows"},
	{255, true, "network equipment, Solaris or a tool"},
};
#define INITIALS (sizeof initials / sizeof *initials)

size_t ttl_readings(uint8_t ttl, struct ttl_reading out[TTL_READINGS_MAX])
{
	size_t count = 0;
	for (size_t i = 0; ttl && i < INITIALS && count < TTL_READINGS_MAX; i++)
		if (initials[i].value >= ttl && initials[i].value - ttl <= TTL_HOPS_MAX)
			out[count++] = (struct ttl_reading){initials[i].value, (uint8_t)(initials[i].value - ttl), initials[i].common};
	return count;
}

/* 93 may be 128 after 35 hops or 100 after 7: so long a way is no better known than so rare a system. */
#define DETOUR_MAX 8

bool ttl_expected(uint8_t ttl, struct ttl_reading *out)
{
	struct ttl_reading all[TTL_READINGS_MAX];
	const size_t count = ttl_readings(ttl, all);
	for (size_t i = 0; i < count; i++)
		if (all[i].common && all[i].hops - all[0].hops <= DETOUR_MAX) {
			*out = all[i];
			return true;
		}
	if (count)
		*out = all[0];
	return count > 0;
}

const char *ttl_system(uint8_t initial)
{
	for (size_t i = 0; i < INITIALS; i++)
		if (initials[i].value == initial)
			return initials[i].system;
	return "an unknown system";
}

const char *ics_same_word(enum ics_same same)
{
	static const char *const words[ICS_SAMES] = {"undecided", "different", "likely"};
	return same < ICS_SAMES ? words[same] : "";
}

/* The common initial value that it is read as; 0: none. */
static uint8_t common_of(uint8_t ttl)
{
	struct ttl_reading r;
	return ttl_expected(ttl, &r) && r.common ? r.initial : 0;
}

/* Whether one system can have sent both: an initial value that both can be read as. */
static bool share_a_reading(uint8_t a, uint8_t b)
{
	struct ttl_reading of_a[TTL_READINGS_MAX], of_b[TTL_READINGS_MAX];
	const size_t count_a = ttl_readings(a, of_a), count_b = ttl_readings(b, of_b);
	for (size_t i = 0; i < count_a; i++)
		for (size_t k = 0; k < count_b; k++)
			if (of_a[i].initial == of_b[k].initial)
				return true;
	return false;
}

static bool is_controller(const struct ics_row *row, const struct ics_answer *a)
{
	const struct ics_protocol *p = ics_protocol_find(bytes_of_text(row->protocol));
	for (size_t i = 0; p && i < sizeof p->ports / sizeof *p->ports && p->ports[i]; i++)
		if (p->ports[i] == a->port && p->udp == a->udp)
			return true;
	return false;
}

static const struct ics_answer *controller_of(const struct ics_row *row)
{
	for (size_t i = 0; i < row->answer_count; i++)
		if (row->answers[i].ttl && is_controller(row, &row->answers[i]))
			return &row->answers[i];
	return NULL;
}

/* Of all dark traffic the one that says most: a system's own SYN, else the first with a TTL. */
static const struct ics_dark *attack_of(const struct ics_row *row)
{
	const struct ics_dark *found = NULL;
	for (size_t i = 0; i < row->dark_count; i++)
		if (row->dark[i].ttl && (!found || (row->dark[i].own_stack && !found->own_stack)))
			found = &row->dark[i];
	return found;
}

static void say(struct writer *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void say(struct writer *w, const char *fmt, ...)
{
	struct writer before = *w;
	char text[320];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	write_fmt(w, "%s%s", writer_used(w) ? "; " : "", text);
	if (w->bad) /* what has no room is left out whole */
		*w = before;
}

/* Ports that answer with one TTL. */
struct group {
	uint8_t ttl, initial, hops;
	bool common;
	char ports[96];
};

static size_t groups_of(const struct ics_row *row, struct group out[ICS_ANSWERS_MAX])
{
	size_t count = 0;
	for (size_t i = 0; i < row->answer_count; i++) {
		const struct ics_answer *a = &row->answers[i];
		struct ttl_reading r = {0};
		size_t at = 0;
		while (at < count && out[at].ttl != a->ttl)
			at++;
		if (!a->ttl)
			continue;
		if (at == count) {
			ttl_expected(a->ttl, &r);
			out[count++] = (struct group){.ttl = a->ttl, .initial = r.initial, .hops = r.hops, .common = r.common};
		}
		const size_t used = strlen(out[at].ports);
		snprintf(out[at].ports + used, sizeof out[at].ports - used, "%s%u%s", used ? ", " : "", a->port,
			 a->udp ? "/udp" : "");
	}
	return count;
}

/* A rare reading under which it is as far away as another port: as likely as the common one. */
static void say_other_reading(const struct group *groups, size_t count, const struct group *g, struct writer *w)
{
	struct ttl_reading all[TTL_READINGS_MAX];
	const size_t readings = ttl_readings(g->ttl, all);
	for (size_t i = 0; i < readings; i++)
		for (size_t k = 0; k < count; k++)
			if (!all[i].common && groups[k].common && groups[k].ttl != g->ttl && groups[k].hops == all[i].hops)
				say(w, "it may as well be %u after %u hops, then it is as far away as %s", all[i].initial, all[i].hops, groups[k].ports);
}

static void say_groups(const struct group *groups, size_t count, struct writer *w)
{
	for (size_t i = 0; i < count; i++) {
		const struct group *g = &groups[i];
		if (!g->initial)
			say(w, "%s answer%s with TTL %u, which no known system explains", g->ports, strchr(g->ports, ',') ? "" : "s", g->ttl);
		else if (!g->common)
			say(w, "%s: TTL %u may be %u after %u hops, which is rare (%s) and proves no machine of its own", g->ports,
			    g->ttl, g->initial, g->hops, ttl_system(g->initial));
		else
			say(w, "%s: TTL %u is %u after %u hops, %s is expected", g->ports, g->ttl, g->initial, g->hops,
			    ttl_system(g->initial));
		if (g->common)
			say_other_reading(groups, count, g, w);
	}
}

/* How many common systems answer, and how many groups differ in whatever way. */
static void count_machines(const struct group *groups, size_t count, struct ics_verdict *v, struct writer *w)
{
	uint8_t seen[INITIALS];
	size_t common = 0;
	for (size_t i = 0; i < count; i++) {
		size_t at = 0;
		while (at < common && seen[at] != groups[i].initial)
			at++;
		if (groups[i].common && at == common)
			seen[common++] = groups[i].initial;
	}
	v->machines_least = common > 1 ? (unsigned)common : 1;
	v->machines_seem = count > v->machines_least ? (unsigned)count : v->machines_least;
	if (v->machines_least > 1)
		say(w, "at least %u hosts answer at one address, so ports are forwarded", v->machines_least);
	else if (v->machines_seem > 1 && common == 1)
		say(w, "it seems that %u hosts answer, but differences of this kind also come from one device or from the way", v->machines_seem);
}

/* The difference in hops between the attack and the controller's answer, under the initial value both can have. */
static bool hops_between(uint8_t controller, uint8_t attack, int *out)
{
	struct ttl_reading a, b;
	if (!ttl_expected(controller, &a) || !ttl_expected(attack, &b) || a.initial != b.initial)
		return false;
	*out = (int)b.hops - (int)a.hops;
	return true;
}

static void judge_hops(const struct ics_row *row, const struct ics_answer *controller, const struct ics_dark *attack,
		       struct ics_verdict *v, struct writer *w)
{
	const struct ics_vantages *p = &row->vantages;
	int more = 0;
	if (!p->one && !p->calibrated) {
		say(w, "attack and controller can be one machine or two: hops of two vantages are not compared");
		return;
	}
	if (!hops_between(controller->ttl, attack->ttl, &more))
		return;
	if (!p->one && p->spread > ICS_SPREAD_MAX) {
		say(w, "attack and controller can be one machine or two: the two vantages differ by %d±%d hops, too unsteady to compare",
		    p->offset, p->spread);
		return;
	}
	const int off = abs(more - (p->one ? 0 : p->offset)), open = p->one ? 0 : p->spread;
	if (off > ICS_SAME_HOPS + open) {
		v->same = attack->own_stack ? ICS_DIFFERENT : ICS_UNDECIDED;
		say(w, "the attacker is %d hops nearer or farther than the controller, more than ways of one machine differ", off);
	} else if (off <= open && attack->own_stack && v->machines_seem == 1 && row->apart_h <= ICS_APART_MAX) {
		v->same = ICS_LIKELY;
		say(w, "the attacker is as far away as the controller and nothing shows another machine");
	} else {
		say(w, "the attacker is about as far away as the controller, which machines behind one gateway are, too");
	}
}

static void judge_attack(const struct ics_row *row, const struct ics_answer *controller, const struct ics_dark *attack,
			 struct ics_verdict *v, struct writer *w)
{
	struct ttl_reading a = {0}, c = {0};
	if (!attack || !ttl_expected(attack->ttl, &a)) {
		say(w, "nothing is known of the attack's TTL");
		return;
	}
	v->attacker_initial = a.initial;
	say(w, "the attack's TTL %u is %u after %u hops, %s is expected", attack->ttl, a.initial, a.hops, ttl_system(a.initial));
	if (!controller || !ttl_expected(controller->ttl, &c)) {
		say(w, "nothing is known of the controller's TTL");
		return;
	}
	v->controller_initial = c.initial;
	if (share_a_reading(controller->ttl, attack->ttl)) {
		judge_hops(row, controller, attack, v, w);
		return;
	}
	if (!attack->own_stack) {
		say(w, "no system of one TTL sends both, but it is not known whether a tool chose the attack's");
		return;
	}
	if (!a.common || !c.common) {
		say(w, "no system of one TTL sends both, but a device with several stacks may");
		return;
	}
	v->same = ICS_DIFFERENT;
	say(w, "the attack is of a system's own making and the controller's system is another");
}

/* Which of those that answer can have sent the attack, where the controller cannot. */
static void say_who_else(const struct group *groups, size_t count, const struct ics_answer *controller, const struct ics_dark *attack,
			 struct writer *w)
{
	if (!attack || !controller || share_a_reading(controller->ttl, attack->ttl))
		return;
	for (size_t i = 0; i < count; i++)
		if (share_a_reading(groups[i].ttl, attack->ttl))
			say(w, "what answers at %s begins with the same TTL as the attack", groups[i].ports);
}

/* A system that attacks and does not answer is a further machine behind the address. */
static void count_attacker(const struct ics_row *row, const struct group *groups, size_t count, const struct ics_dark *attack,
			   struct ics_verdict *v, struct writer *w)
{
	if (row->apart_h > ICS_APART_MAX) {
		say(w, "%u hours lie between the attack and the look, in which the address may have changed hands", row->apart_h);
		return;
	}
	if (!attack || !attack->own_stack || !common_of(attack->ttl) || count == 0)
		return;
	size_t common = 0;
	for (size_t i = 0; i < count; i++) {
		common += groups[i].common;
		if (share_a_reading(groups[i].ttl, attack->ttl))
			return;
	}
	if (common == 0)
		return;
	v->machines_least++;
	v->machines_seem += v->machines_seem < v->machines_least;
	say(w, "the attacker's system is none of those that answer");
}

void ics_judge(const struct ics_row *row, struct ics_verdict *out)
{
	struct group groups[ICS_ANSWERS_MAX];
	struct ics_verdict v = {.machines_least = 1, .machines_seem = 1};
	struct writer w = writer_of(v.reason, sizeof v.reason - 1);
	const size_t count = groups_of(row, groups);
	const struct ics_dark *attack = attack_of(row);
	say_groups(groups, count, &w);
	count_machines(groups, count, &v, &w);
	judge_attack(row, controller_of(row), attack, &v, &w);
	say_who_else(groups, count, controller_of(row), attack, &w);
	count_attacker(row, groups, count, attack, &v, &w);
	*w.at = '\0';
	*out = v;
}
