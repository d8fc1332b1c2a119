#include "passive/sensors/settings_inner.h"
#include "passive/sensors/follow.h"
#include "passive/sensors/sensor_format.h"
#include <stddef.h>

#define AT(member) offsetof(struct sensors_options, member)
#define FOLLOWED(member) offsetof(struct followed_options, member)

static const struct option followed_fields[] = {
	{.name = "name", .type = OPTION_TEXT, .offset = FOLLOWED(name), .required = true,
	 .summary = "what it is called in events (alert.sensor)"},
	{.name = "format", .type = OPTION_TEXT, .offset = FOLLOWED(format), .required = true,
	 .summary = "eve (Suricata) or zeek"},
	{.name = "path", .type = OPTION_TEXT, .offset = FOLLOWED(path), .required = true,
	 .summary = "the log file, an absolute path; its folder is read, too, for rotated files"},
	{0},
};

static const struct option benign_fields[] = {
	{.name = "name", .type = OPTION_TEXT, .offset = offsetof(struct benign_options, name), .required = true,
	 .summary = "what these servers are, as reasons name them"},
	{.name = "prefixes", .type = OPTION_LIST, .element = OPTION_PREFIX, .required = true,
	 .offset = offsetof(struct benign_options, prefixes), .summary = "their addresses"},
	{0},
};

static const struct option noisy_fields[] = {
	{.name = "alerts", .type = OPTION_NUMBER, .offset = AT(noisy_alerts), .fallback = "100", .min = 1,
	 .summary = "fewer alerts of a signature prove nothing of it; they count half after a week"},
	{.name = "benign", .type = OPTION_FRACTION, .offset = AT(noisy_benign), .fallback = "0.5",
	 .summary = "share of its alerts that were for benign or own sources"},
	{.name = "hosts", .type = OPTION_NUMBER, .offset = AT(noisy_hosts), .fallback = "20", .min = 1, .max = 1000,
	 .summary = "or: own hosts that it fired for"},
	{.name = "days", .type = OPTION_NUMBER, .offset = AT(noisy_days), .fallback = "5", .min = 1, .max = 7,
	 .summary = "on so many of the last seven days"},
	{0},
};

static const char *const flow_choices[] = {"inward", "all", "none", NULL};

static const struct option sensors_fields[] = {
	{.name = "follow", .type = OPTION_LIST, .element = OPTION_MAP, .fields = followed_fields,
	 .size = sizeof(struct followed_options), .offset = AT(follow), .summary = "logs to follow; none: no such process"},
	{.name = "own", .type = OPTION_LIST, .element = OPTION_PREFIX, .offset = AT(own),
	 .summary = "networks that these sensors protect"},
	{.name = "benign", .type = OPTION_LIST, .element = OPTION_MAP, .fields = benign_fields,
	 .size = sizeof(struct benign_options), .offset = AT(benign),
	 .summary = "servers whose alerts mean nothing: resolvers, CDNs, updates, acknowledged scanners"},
	{.name = "flows", .type = OPTION_CHOICE, .choices = flow_choices, .offset = AT(flows), .fallback = "inward",
	 .summary = "which flows become events: those from outside own networks, all, none"},
	{.name = "agree", .type = OPTION_DURATION, .offset = AT(agree_ms), .fallback = "1h", .min = 1000,
	 .summary = "two sensors that see a source within this time agree"},
	{.name = "quiet", .type = OPTION_DURATION, .offset = AT(quiet_ms), .fallback = "10m",
	 .summary = "a log that does not grow for so long is told as a gap; 0: never"},
	{.name = "poll", .type = OPTION_DURATION, .offset = AT(poll_ms), .fallback = "250ms", .min = 10, .max = 60000,
	 .summary = "how often a log is looked at"},
	{.name = "noisy", .type = OPTION_MAP, .fields = noisy_fields, .summary = "when a signature says little"},
	{0},
};

static const struct section sensors_section = {
	.option = {.name = "sensors", .type = OPTION_MAP, .fields = sensors_fields,
		   .summary = "logs of other sensors that are followed as they grow"},
	.size = sizeof(struct sensors_options),
};
SECTION(sensors_section);

static bool is_name(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");
	return n && n <= 32 && !name[n];
}

static int check_followed(const struct config *c, const struct sensors_options *o, size_t at, struct fault *fault)
{
	const struct followed_options *f = (const struct followed_options *)o->follow.items + at;
	if (!is_name(f->name))
		return fault_set(fault, ERR_BAD, "%s: sensors.follow[%zu].name: \"%s\" is no name; up to 32 letters, "
				 "digits, - and _ would be right", c->file, at, f->name);
	for (size_t i = 0; i < at; i++)
		if (!strcmp(((const struct followed_options *)o->follow.items)[i].name, f->name))
			return fault_set(fault, ERR_BAD, "%s: sensors.follow[%zu].name: \"%s\" is taken by another",
					 c->file, at, f->name);
	if (!sensor_format_find(f->format))
		return fault_set(fault, ERR_BAD, "%s: sensors.follow[%zu].format: there is no \"%s\"; eve or zeek would be "
				 "right", c->file, at, f->format);
	if (f->path[0] != '/' || strlen(f->path) >= FOLLOW_PATH_MAX)
		return fault_set(fault, ERR_BAD, "%s: sensors.follow[%zu].path: \"%s\" is no absolute path", c->file, at,
				 f->path);
	return 0;
}

static int fill_set(struct prefix_set *set, const struct option_list *prefixes)
{
	const struct prefix *p = prefixes->items;
	for (size_t i = 0; i < prefixes->count; i++)
		if (prefix_set_add(set, &p[i]))
			return ERR_MEMORY;
	prefix_set_seal(set);
	return 0;
}

int triage_settings(const struct config *c, struct triage_options *t, struct fault *fault)
{
	const struct sensors_options *o = config_section(c, "sensors");
	const struct followed_options *followed = o->follow.items;
	const struct benign_options *benign = o->benign.items;
	*t = (struct triage_options){.agree_us = o->agree_ms * 1000, .noisy_alerts = o->noisy_alerts,
				     .noisy_hosts = o->noisy_hosts, .noisy_days = o->noisy_days,
				     .noisy_benign = o->noisy_benign,
				     .seers = {[TRIAGE_DECOY] = "a decoy", [TRIAGE_TELESCOPE] = "the telescope"}};
	if (o->follow.count > SENSORS_MAX || o->benign.count > TRIAGE_LISTS_MAX)
		return fault_set(fault, ERR_FULL, "%s: sensors: more than %d logs or %d lists of benign servers", c->file,
				 SENSORS_MAX, TRIAGE_LISTS_MAX);
	int bad = fill_set(&t->own, &o->own);
	for (size_t i = 0; i < o->benign.count && !bad; i++) {
		t->lists[i].name = benign[i].name;
		bad = fill_set(&t->lists[i].set, &benign[i].prefixes);
		t->list_count++;
	}
	if (bad)
		fault_set(fault, bad, "%s: sensors: no memory for its prefixes", c->file);
	for (size_t i = 0; i < o->follow.count && !bad; i++) {
		t->seers[TRIAGE_SENSOR + i] = followed[i].name;
		bad = check_followed(c, o, i, fault);
	}
	if (bad)
		triage_settings_done(t);
	return bad;
}

void triage_settings_done(struct triage_options *t)
{
	prefix_set_done(&t->own);
	for (size_t i = 0; i < t->list_count; i++)
		prefix_set_done(&t->lists[i].set);
	t->list_count = 0;
}
