#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/trial/people.h"

const char *const twist_names[TWIST_COUNT] = {
        [TWIST_NONE] = "none",
        [TWIST_REBRANDED] = "rebranded",
        [TWIST_PROMPT_ONLY] = "prompt-only",
        [TWIST_SHARED] = "shared-banner",
        [TWIST_FORWARDED] = "forwarded",
        [TWIST_MOVES_AWAY] = "moves-away",
        [TWIST_MOVES_IN] = "moves-in",
        [TWIST_SLOW] = "slow",
        [TWIST_TRUNCATED] = "truncated",
        [TWIST_TARPIT] = "tarpit",
        [TWIST_HUGE] = "huge",
        [TWIST_HOSTILE] = "hostile",
};

/* Of a hundred devices in the unkind scenario; the rest is as in the clean one. */
static const uint8_t twist_percent[TWIST_COUNT] = {
        [TWIST_REBRANDED] = 8, [TWIST_PROMPT_ONLY] = 8, [TWIST_SHARED] = 4,
        [TWIST_FORWARDED] = 4, [TWIST_MOVES_AWAY] = 3,  [TWIST_SLOW] = 4,
        [TWIST_TRUNCATED] = 3, [TWIST_TARPIT] = 1,      [TWIST_HUGE] = 2,
        [TWIST_HOSTILE] = 4,
};

/* What the other sources are, of a hundred: what 23 and 80 do, and which file answers there. */
static const struct {
	uint8_t percent;
	uint8_t reach[PORT_COUNT];
	const char *group[PORT_COUNT];
} others[] = {
        {52, {REACH_CLOSED, REACH_CLOSED}, {NULL, NULL}},
        {12, {REACH_SILENT, REACH_SILENT}, {NULL, NULL}},
        {3, {REACH_CLOSED, REACH_SILENT}, {NULL, NULL}},
        {3, {REACH_SILENT, REACH_CLOSED}, {NULL, NULL}},
        {12, {REACH_OPEN, REACH_CLOSED}, {"prompts", NULL}},
        {2, {REACH_OPEN, REACH_SILENT}, {"prompts", NULL}},
        {9, {REACH_CLOSED, REACH_OPEN}, {NULL, "servers"}},
        {2, {REACH_SILENT, REACH_OPEN}, {NULL, "servers"}},
        {5, {REACH_OPEN, REACH_OPEN}, {"prompts", "servers"}},
};

static int32_t answer_draw(const struct population *p, const char *group, struct chance *chance)
{
	size_t first = p->device_model_count;
	size_t count = 0;

	for (size_t i = first; i < p->answers.count; i++)
		count += strcmp(p->answers.at[i].group, group) == 0;
	if (!count) {
		fprintf(stderr, "world: nothing in others/%s.txt\n", group);
		exit(1);
	}
	count = chance_below(chance, (uint32_t)count) + 1;
	for (size_t i = first; i < p->answers.count; i++)
		if (strcmp(p->answers.at[i].group, group) == 0 && !--count)
			return (int32_t)i;
	return -1;
}

void person_make_other(const struct population *p, struct source *s, struct chance *chance)
{
	uint32_t draw = chance_below(chance, 100);
	size_t kind = 0;

	while (draw >= others[kind].percent)
		draw -= others[kind++].percent;
	s->device = -1;
	for (int port = 0; port < PORT_COUNT; port++) {
		const char *group = others[kind].group[port];

		/* Pages about devices, shops that sell them: only where the world is not kind. */
		if (group && port == PORT_HTTP && p->wish.unkind && chance_percent(chance, 5))
			group = "traps";
		s->reach[port] = others[kind].reach[port];
		s->answer[port] = group ? answer_draw(p, group, chance) : -1;
		s->later[port] = s->answer[port];
	}
}

void person_make_device(const struct population *p, struct source *s, int32_t model,
                        struct chance *chance)
{
	const struct answer *answer = &p->answers.at[model];

	s->device = model;
	s->intruder = true;
	for (int port = 0; port < PORT_COUNT; port++) {
		s->answer[port] = s->later[port] = answer->open[port] ? model : -1;
		s->reach[port] = answer->open[port]           ? REACH_OPEN
		                 : chance_percent(chance, 30) ? REACH_SILENT
		                                              : REACH_CLOSED;
	}
}

static void reach_set(struct source *s, enum reach telnet, enum reach http)
{
	s->reach[PORT_TELNET] = telnet;
	s->reach[PORT_HTTP] = http;
}

/* Half of the machines behind a forwarded port are web servers, half are devices of another class:
 * who attacks is the machine whose telnet port shows. */
static bool forward(const struct population *p, struct source *s, struct chance *chance)
{
	const struct answer *own = &p->answers.at[s->device];
	int32_t behind = answer_draw(p, "servers", chance);

	if (!own->open[PORT_TELNET])
		return false;
	for (int tries = 0; chance_percent(chance, 50) && tries < 64; tries++) {
		int32_t other = (int32_t)chance_below(chance, (uint32_t)p->device_model_count);

		if (p->answers.at[other].open[PORT_HTTP] &&
		    strcmp(p->answers.at[other].class, own->class) != 0)
			behind = other;
	}
	s->answer[PORT_HTTP] = s->later[PORT_HTTP] = behind;
	s->reach[PORT_HTTP] = REACH_OPEN;
	return true;
}

/* The device moves from one address to that of another source, who gets what nobody would miss. */
static bool move(const struct population *p, struct source *from, struct source *to,
                 struct chance *chance)
{
	if (to->device >= 0 || to->twist != TWIST_NONE)
		return false;
	reach_set(from, REACH_OPEN, REACH_OPEN);
	reach_set(to, REACH_OPEN, REACH_OPEN);
	to->twist = TWIST_MOVES_IN;
	to->device = from->device;
	to->intruder = true;
	for (int port = 0; port < PORT_COUNT; port++) {
		to->later[port] = from->answer[port];
		to->answer[port] = -1;
		from->later[port] = -1;
	}
	to->answer[PORT_TELNET] = answer_draw(p, "prompts", chance);
	/* Whoever gets the old address may be a device as well, which never attacked anybody. */
	if (chance_percent(chance, 50))
		from->later[PORT_HTTP] =
		        (int32_t)chance_below(chance, (uint32_t)p->device_model_count);
	return true;
}

static bool twist_apply(const struct population *p, struct source *s, struct source *spare,
                        enum twist twist, struct chance *chance)
{
	int32_t drawn;

	switch (twist) {
	case TWIST_PROMPT_ONLY:
		reach_set(s, REACH_OPEN, REACH_CLOSED);
		s->answer[PORT_TELNET] = s->later[PORT_TELNET] = answer_draw(p, "prompts", chance);
		s->answer[PORT_HTTP] = s->later[PORT_HTTP] = -1;
		return true;
	case TWIST_SHARED:
		drawn = answer_draw(p, "shared", chance);
		for (int port = 0; port < PORT_COUNT; port++) {
			bool open = p->answers.at[drawn].open[port];

			s->answer[port] = s->later[port] = open ? drawn : -1;
			s->reach[port] = open ? REACH_OPEN : REACH_CLOSED;
		}
		return true;
	case TWIST_FORWARDED:
		return forward(p, s, chance);
	case TWIST_MOVES_AWAY:
		return move(p, s, spare, chance);
	default:
		return true;
	}
}

void people_twist(struct population *p, size_t devices, size_t intruders, struct chance *chance)
{
	for (size_t i = 0; i < devices; i++) {
		uint32_t draw = chance_below(chance, 100);
		enum twist twist = TWIST_NONE + 1;
		struct source *s = &p->at[i];
		struct source *spare =
		        &p->at[devices + chance_below(chance, (uint32_t)(intruders - devices))];

		while (twist < TWIST_COUNT && draw >= twist_percent[twist])
			draw -= twist_percent[twist++];
		if (twist < TWIST_COUNT && twist_apply(p, s, spare, twist, chance))
			s->twist = (uint8_t)twist;
	}
}
