/*
 * The follow-up study that the operator approved: who attacked is looked at again after a time, and
 * looked back at once it has fallen silent.  Days after its attack an address may be somebody
 * else's, so the attack is no basis any more: only an approval in writing is one.
 */
#include "control/settings_inner.h"
#include <stddef.h>

#define FOLLOW(member) offsetof(struct follow_option, member)

static const struct option relook_fields[] = {
	{"after", OPTION_DURATION, offsetof(struct relook_option, after_ms), "7d", .min = 1,
	 .summary = "time between two looks, active.round at least"},
	{"times", OPTION_NUMBER, offsetof(struct relook_option, times), "0", .max = RELOOKS_MAX,
	 .summary = "looks again at each host that was looked at because of its own attack; 0: none"},
	{0},
};

static const struct option back_fields[] = {
	{"quiet", OPTION_DURATION, offsetof(struct back_option, quiet_ms), "0s",
	 .summary = "silence towards all decoys and dark addresses before the one look back; 0: none"},
	{"within", OPTION_DURATION, offsetof(struct back_option, within_ms), "48h", .min = 1,
	 .summary = "time since the last attack after which nobody is looked back at any more"},
	{0},
};

const struct option follow_fields[] = {
	{"name", OPTION_TEXT, FOLLOW(name), .summary = "name of the study; absent: there is none"},
	{"purpose", OPTION_TEXT, FOLLOW(purpose), .summary = "what it shall find out"},
	{"approved_by", OPTION_TEXT, FOLLOW(approved_by), .summary = "who approved it"},
	{"reference", OPTION_TEXT, FOLLOW(reference), .summary = "where the approval can be looked up"},
	{"until", OPTION_TEXT, FOLLOW(until), .summary = "end of the approval, a date or time in UTC"},
	{"ports", OPTION_LIST, FOLLOW(ports), .element = OPTION_TEXT,
	 .summary = "ports that were approved, such as 23; over TCP and tier 1 only"},
	{"relook", OPTION_MAP, FOLLOW(relook), .fields = relook_fields,
	 .summary = "look again at who was looked at because of its own attack"},
	{"back", OPTION_MAP, FOLLOW(back), .fields = back_fields,
	 .summary = "look once at an address that attacked, after it stopped"},
	{"hosts_max", OPTION_NUMBER, FOLLOW(hosts_max), "20000", .min = 1, .max = 1000000,
	 .summary = "addresses followed at once, about 200 bytes each; more are not taken"},
	{0},
};

static int lacks(const char *file, const struct follow_option *o, struct fault *fault)
{
	const struct {
		const char *name;
		bool there;
	} needed[] = {
		{"name", o->name && *o->name},
		{"purpose", o->purpose && *o->purpose},
		{"approved_by", o->approved_by && *o->approved_by},
		{"reference", o->reference && *o->reference},
		{"until", o->until && *o->until},
		{"ports", o->ports.count > 0},
		{"relook.times or back.quiet", o->relook.times || o->back.quiet_ms},
	};
	char missing[160];
	struct writer w = writer_of(missing, sizeof missing - 1);
	for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
		if (!needed[i].there)
			write_fmt(&w, "%s%s", writer_used(&w) ? ", " : "", needed[i].name);
	*w.at = '\0';
	return writer_used(&w) ? fault_set(fault, ERR_BAD, "%s: active.follow lacks %s: who is looked at without a new "
							   "attack must be approved in writing", file, missing)
			       : 0;
}

static int ports_read(const char *file, const struct active_options *active, struct follow *f, struct fault *fault)
{
	const char *const *items = f->option->ports.items;
	const size_t count = f->option->ports.count;
	if (count > active->ports_max)
		return fault_set(fault, ERR_BAD, "%s: active.follow.ports: more than active.ports_max (%llu)", file,
				 (unsigned long long)active->ports_max);
	if (count * active->packets_per_port > active->packets_max)
		return fault_set(fault, ERR_BAD, "%s: active.follow.ports: more than active.packets_max allows to an address",
				 file);
	for (size_t i = 0; i < count; i++) {
		uint32_t *port = &f->ports[f->port_count++];
		if (!port_parse(bytes_of_text(items[i]), port) || port_is_udp(*port))
			return fault_set(fault, ERR_BAD, "%s: active.follow.ports: \"%s\" is not a port of TCP, 23 would be "
							 "right", file, items[i]);
	}
	return 0;
}

int follow_settings_read(const char *file, const struct active_options *active, struct follow *f, struct fault *fault)
{
	const struct follow_option *o = f->option = &active->follow;
	int bad = lacks(file, o, fault);
	if (bad)
		return bad;
	if (strlen(o->name) > SURVEY_NAME_MAX)
		return fault_set(fault, ERR_BAD, "%s: active.follow.name: longer than %d bytes", file, SURVEY_NAME_MAX);
	if (!time_parse(bytes_of_text(o->until), &f->until_us))
		return fault_set(fault, ERR_BAD, "%s: active.follow.until: \"%s\" is not a time, a date such as 2026-12-31 "
						 "would be right", file, o->until);
	if (o->relook.times && o->relook.after_ms < active->round_ms)
		return fault_set(fault, ERR_BAD, "%s: active.follow.relook.after: shorter than active.round, in which an "
						 "address has one look", file);
	if (o->back.quiet_ms && o->back.quiet_ms >= o->back.within_ms)
		return fault_set(fault, ERR_BAD, "%s: active.follow.back: within is not longer than quiet, so nobody could "
						 "be looked back at", file);
	for (size_t i = 0; i < active->surveys.count; i++)
		if (!strcmp(((const struct survey_option *)active->surveys.items)[i].name, o->name))
			return fault_set(fault, ERR_BAD, "%s: active.follow.name: a survey is called %s, too", file, o->name);
	bad = ports_read(file, active, f, fault);
	f->on = !bad;
	return bad;
}
