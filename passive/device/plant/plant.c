/* Values that swing, drift and follow what was written to them. */
#include "passive/device/plant/plant.h"
#include "base/random.h"
#include <math.h>

#define SECOND_US 1000000.0
#define PLANT_WORD_KEY 0xffff0000u /* of cells: the services' own keys stay below */
#define TURN 6.283185307179586

/* What a point is when nobody writes, and how it follows when somebody does. */
static const struct point {
	double centre, spread; /* of the device: centre +- spread by its seed */
	double swing;          /* over minutes and hours */
	double noise;          /* from one second to the next */
	double least, most;
	double follow_s; /* time in which 63 % of a change has happened; 0: at once */
	bool given;      /* stays as written; others go back to their process */
} points[PLANT_POINTS] = {
        [PLANT_LEVEL] = {62, 12, 9, 0.1, 0, 100, 240, false},
        [PLANT_TEMPERATURE] = {58, 6, 1.8, 0.1, -20, 140, 180, false},
        [PLANT_FLOW] = {36, 8, 3, 0.4, 0, 90, 4, false},
        [PLANT_PRESSURE] = {3.4, 0.5, 0.2, 0.02, 0, 16, 4, false},
        [PLANT_VOLTAGE] = {400, 3, 3.5, 0.4, 0, 480, 1, false},
        [PLANT_CURRENT] = {41, 9, 4, 0.3, 0, 250, 1, false},
        [PLANT_FREQUENCY] = {50, 0, 0.03, 0.008, 45, 65, 1, false},
        [PLANT_POWER] = {0, 0, 0, 0, 0, 400, 1, false},
        [PLANT_SETPOINT] = {58, 6, 0, 0, -20, 140, 0, true},
        [PLANT_VALVE] = {70, 15, 0, 0, 0, 100, 6, true},
        [PLANT_PUMP] = {1, 0, 0, 0, 0, 1, 0, true},
        [PLANT_BREAKER] = {1, 0, 0, 0, 0, 1, 0, true},
        [PLANT_ALARM] = {0, 0, 0, 0, 0, 1, 0, true},
};

static double fraction(uint64_t key)
{
	return (double)(random_mix(key) >> 11) * 0x1p-53;
}

void plant_start(struct plant *p, uint64_t device_seed)
{
	p->seed = device_seed;
}

uint64_t plant_number(uint64_t device_seed, uint64_t salt, uint64_t limit)
{
	return random_mix(device_seed ^ random_mix(salt)) % limit;
}

/* The same temperature is aimed at and reached: both take it from one number. */
static double centre_of(const struct plant *p, enum plant_point which)
{
	enum plant_point from = which == PLANT_SETPOINT ? PLANT_TEMPERATURE : which;
	return points[which].centre +
	       points[which].spread * (2 * fraction(p->seed + 31 * (uint64_t)from) - 1);
}

/* What it is by itself: two slow waves whose phases are the device's, and a little noise. */
static double natural(const struct plant *p, enum plant_point which, uint64_t time_us)
{
	const struct point *o = &points[which];
	if (o->swing == 0)
		return centre_of(p, which);
	uint64_t key = p->seed + 1009 * (uint64_t)which;
	double t = (double)time_us / SECOND_US;
	double slow = sin(TURN * (t / (5400 + 3600 * fraction(key)) + fraction(key + 1)));
	double fast = sin(TURN * (t / (300 + 240 * fraction(key + 2)) + fraction(key + 3)));
	double noise = 2 * fraction(key ^ (time_us / 1000000) * 0x9e3779b97f4a7c15u) - 1;
	return centre_of(p, which) + o->swing * (0.7 * slow + 0.3 * fast) + o->noise * noise;
}

/* How far a command has come: 0 when it was given, 1 in the end. */
static double followed(const struct plant_command *c, double follow_s, uint64_t time_us)
{
	if (c->at_us == 0)
		return 0;
	if (follow_s == 0)
		return 1;
	double since_s = time_us > c->at_us ? (double)(time_us - c->at_us) / SECOND_US : 0;
	return 1 - exp(-since_s / follow_s);
}

static double given(const struct plant *p, enum plant_point which, double follow_s,
                    uint64_t time_us)
{
	const struct plant_command *c = &p->commands[which];
	if (c->at_us == 0)
		return centre_of(p, which);
	return c->from + (c->to - c->from) * followed(c, follow_s, time_us);
}

static double bounded(enum plant_point which, double value)
{
	const struct point *o = &points[which];
	if (!(value > o->least)) /* also when it is no number */
		return o->least;
	return value < o->most ? value : o->most;
}

/* What pump, valve and breaker make of the value that would be there by itself. */
static double driven(const struct plant *p, enum plant_point which, double value, uint64_t t)
{
	double valve = given(p, PLANT_VALVE, points[PLANT_VALVE].follow_s, t);
	double running = given(p, PLANT_PUMP, points[which].follow_s, t);
	double closed = given(p, PLANT_BREAKER, points[which].follow_s, t);
	switch (which) {
	case PLANT_FLOW:
		return value * running * closed * valve / centre_of(p, PLANT_VALVE);
	case PLANT_PRESSURE: /* what no pump lifts stands at the height of the tank */
		return 0.6 + (value - 0.6) * running * closed;
	case PLANT_CURRENT:
		return value * closed * (0.15 + 0.85 * running);
	case PLANT_LEVEL: /* the tank fills from above and is emptied by the pump */
		return value + (97 - value) * (1 - running * closed);
	case PLANT_TEMPERATURE:
		return value + given(p, PLANT_SETPOINT, points[which].follow_s, t) -
		       centre_of(p, PLANT_SETPOINT);
	default:
		return value;
	}
}

double plant_read(const struct plant *p, enum plant_point which, uint64_t time_us)
{
	const struct point *o = &points[which];
	if (which == PLANT_ALARM) {
		double level = plant_read(p, PLANT_LEVEL, time_us);
		return level > 92 || level < 10 || plant_read(p, PLANT_TEMPERATURE, time_us) > 85;
	}
	if (which == PLANT_POWER) /* three phases, cos phi 0.87 */
		return bounded(which, plant_read(p, PLANT_VOLTAGE, time_us) *
		                              plant_read(p, PLANT_CURRENT, time_us) * 1.732 * 0.87 /
		                              1000);
	if (o->given)
		return bounded(which, given(p, which, o->follow_s, time_us));
	double value = driven(p, which, natural(p, which, time_us), time_us);
	const struct plant_command *c = &p->commands[which];
	if (c->at_us) /* somebody wrote a measured value: it is there at once and does not last */
		value = c->to + (value - c->to) * followed(c, o->follow_s, time_us);
	return bounded(which, value);
}

bool plant_is_on(const struct plant *p, enum plant_point which, uint64_t time_us)
{
	return plant_read(p, which, time_us) >= 0.5;
}

void plant_write(struct plant *p, enum plant_point which, double value, uint64_t time_us)
{
	float from = (float)plant_read(p, which, time_us);
	p->driven = true;
	p->commands[which] =
	        (struct plant_command){time_us ? time_us : 1, from, (float)bounded(which, value)};
}

static const struct {
	enum plant_point point;
	double factor;
} words[] = {
        {PLANT_LEVEL, 10},      {PLANT_TEMPERATURE, 10}, {PLANT_FLOW, 10},
        {PLANT_PRESSURE, 100},  {PLANT_VOLTAGE, 10},     {PLANT_CURRENT, 10},
        {PLANT_FREQUENCY, 100}, {PLANT_POWER, 10},       {PLANT_SETPOINT, 10},
        {PLANT_VALVE, 10},
};
#define SCALED (sizeof words / sizeof *words)

static const enum plant_point switches[PLANT_SWITCHES] = {PLANT_PUMP, PLANT_BREAKER, PLANT_ALARM};

bool plant_word(const struct plant *p, uint32_t at, uint64_t time_us, uint16_t *value)
{
	uint64_t seconds = time_us / 1000000;
	uint32_t kept, hours = (uint32_t)(seconds / 3600 % 8760 + plant_number(p->seed, 5, 60000));
	if (at >= PLANT_WORDS)
		return false;
	if (at < SCALED)
		*value = (uint16_t)(int16_t)lrint(plant_read(p, words[at].point, time_us) *
		                                  words[at].factor);
	else if (plant_recall(p, PLANT_WORD_KEY | at, &kept))
		*value = (uint16_t)kept;
	else if (at == PLANT_WORDS - 1)
		*value = (uint16_t)(seconds % 60);
	else
		*value = (uint16_t)(at == SCALED ? hours >> 16 : hours);
	return true;
}

bool plant_word_write(struct plant *p, uint32_t at, uint16_t value, uint64_t time_us)
{
	if (at < SCALED)
		plant_write(p, words[at].point, (int16_t)value / words[at].factor, time_us);
	else if (at < PLANT_WORDS)
		plant_keep(p, PLANT_WORD_KEY | at, value);
	return at < PLANT_WORDS;
}

bool plant_switch(const struct plant *p, uint32_t at, uint64_t time_us, bool *on)
{
	if (at < PLANT_SWITCHES)
		*on = plant_is_on(p, switches[at], time_us);
	return at < PLANT_SWITCHES;
}

bool plant_switch_write(struct plant *p, uint32_t at, bool on, uint64_t time_us)
{
	if (at < PLANT_SWITCHES)
		plant_write(p, switches[at], on, time_us);
	return at < PLANT_SWITCHES;
}

static struct plant_cell *cell_of(const struct plant *p, uint32_t key)
{
	for (size_t i = 0; i < p->cell_count; i++)
		if (p->cells[i].key == key)
			return (struct plant_cell *)&p->cells[i];
	return NULL;
}

bool plant_recall(const struct plant *p, uint32_t key, uint32_t *value)
{
	const struct plant_cell *c = cell_of(p, key);
	if (c)
		*value = c->value;
	return c;
}

void plant_keep(struct plant *p, uint32_t key, uint32_t value)
{
	struct plant_cell *c = cell_of(p, key);
	if (!c) {
		c = &p->cells[p->cell_next];
		p->cell_next = (uint16_t)((p->cell_next + 1) % PLANT_CELLS_MAX);
		p->cell_count += p->cell_count < PLANT_CELLS_MAX;
	}
	*c = (struct plant_cell){key, value};
	p->kept = true;
}

void plant_run(struct plant *p, bool on, uint64_t time_us)
{
	p->stopped_us = on ? 0 : time_us;
	plant_write(p, PLANT_PUMP, on, time_us);
}

static struct event *told(struct session *s, enum event_kind kind, uint16_t field, const char *fmt,
                          va_list ap)
{
	char line[256];
	int n = vsnprintf(line, sizeof line, fmt, ap);
	struct event *e = session_report(s, kind);
	if (n >= (int)sizeof line)
		n = (int)sizeof line - 1;
	event_set_bytes(e, field, (struct bytes){(const uint8_t *)line, n > 0 ? (size_t)n : 0});
	return e;
}

struct event *plant_ordered(struct session *s, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	struct event *e = told(s, EVENT_COMMAND_SENT, FIELD_COMMAND_LINE, fmt, ap);
	va_end(ap);
	return e;
}

struct event *plant_asked(struct session *s, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	struct event *e = told(s, EVENT_REQUEST_SEEN, FIELD_TARGET, fmt, ap);
	va_end(ap);
	return e;
}
