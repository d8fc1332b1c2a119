#include "active/identified.h"
#include "active/prober/asking_inner.h"
#include "active/compiling.h"
#include "active/identify/verdict.h"
#include "active/others_decoys.h"
#include "active/remembered.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/log.h"
#include "base/place.h"
#include <stdlib.h>

FIELD(DEVICE_ROLE, "device.role", TEXT, 0,
      "what it does in a plant or a building: PLC, RTU, HMI, meter; unspecified when only the protocol tells");

#define DIRECTORIES_MAX 32

struct identified {
	struct identify *identify;
	uint64_t given_up_told;
	struct others_decoys *others;
	struct remembered *remembered;
	struct verdict verdict; /* the one being made: too large for a stack */
};

int identified_open(struct identified **out, const char *const *directories, size_t count,
		    struct fault *complaint)
{
	char own[PLACE_PATH_MAX];
	const char *all[DIRECTORIES_MAX + 1];
	size_t n = 0, skipped = 0;
	if (count > DIRECTORIES_MAX)
		return fault_set(complaint, ERR_FULL, "prober.fingerprints: more than %d directories",
				 DIRECTORIES_MAX);
	if (place_find("fingerprints", own) == 0)
		all[n++] = own;
	for (size_t i = 0; i < count; i++)
		all[n++] = directories[i];
	if (n == 0)
		return fault_set(complaint, ERR_MISSING, "prober: no fingerprints are here; start it in the "
				 "project's folder or name a directory in prober.fingerprints");
	struct identified *i = calloc(1, sizeof *i);
	if (!i)
		return fault_set(complaint, ERR_MEMORY, "prober: no memory for fingerprints");
	int bad = identify_open(&i->identify, all, n, complaint, &skipped);
	if (!bad)
		bad = others_decoys_open(&i->others, all, n, complaint);
	if (!bad)
		bad = remembered_open(&i->remembered, random_secret());
	if (bad < 0) {
		identified_close(i);
		return bad;
	}
	*out = i;
	return 0;
}

void identified_compile(struct identified *i, const char *folder, bool sandboxed)
{
	if (identify_prefilter(i->identify, folder, IDENTIFY_BUILD_NEVER))
		compiling_begin(i->identify, folder, sandboxed);
}

void identified_close(struct identified *i)
{
	if (!i)
		return;
	identify_close(i->identify);
	others_decoys_close(i->others);
	remembered_close(i->remembered);
	free(i);
}

size_t identified_rules(const struct identified *i) { return identify_rule_count(i->identify); }

static void set_text(struct event *e, uint16_t field, const char *text)
{
	if (text && *text)
		event_set_text(e, field, text);
}

/* Below VERDICT_CONFIDENCE_NAMED the class is a guess: a label for people, counted nowhere. */
static void verdict_report(const struct verdict *v, struct event *e)
{
	if (v->confidence >= VERDICT_CONFIDENCE_NAMED)
		set_text(e, FIELD_DEVICE_CLASS, v->device);
	set_text(e, FIELD_DEVICE_LABEL, v->device);
	set_text(e, FIELD_DEVICE_VENDOR, v->vendor);
	set_text(e, FIELD_DEVICE_PRODUCT, v->product);
	set_text(e, FIELD_DEVICE_VERSION, v->version);
	set_text(e, FIELD_DEVICE_OS, v->os);
	set_text(e, DEVICE_ROLE, v->role);
	set_text(e, FIELD_RULE, v->rule);
	set_text(e, FIELD_EVIDENCE, v->evidence);
	set_text(e, FIELD_DISSENT, v->dissent);
	set_text(e, FIELD_NEAR, v->near);
	set_text(e, FIELD_SOFTWARE, v->software);
	event_set_number(e, FIELD_CONFIDENCE, v->confidence);
}

/* A pattern that backtracks without end is somebody's rule to mend; told as its count doubles. */
static void tell_given_up(struct identified *i)
{
	const char *rule;
	uint64_t n = identify_given_up(i->identify, &rule);
	if (n <= i->given_up_told * 2)
		return;
	i->given_up_told = n;
	log_warning("prober: %llu matches were given up, last one of rule %s: its pattern backtracks without end",
		    (unsigned long long)n, rule);
}

/* The first value of that key; empty: it was not heard. */
static struct bytes signal_of(const struct signals *s, const char *key)
{
	for (size_t i = 0; i < s->count; i++)
		if (bytes_equal_text(signal_key(s, i), key))
			return signal_value(s, i);
	return (struct bytes){0};
}

bool identified_make(struct identified *i, const struct prober_story *story, struct event *e)
{
	struct verdict *v = &i->verdict;
	const struct signals *s = story->signals;
	verdict_open(v, i->identify);
	for (size_t n = 0; n < s->count; n++)
		verdict_add(v, (const char *)signal_key(s, n).at, s->items[n].port, signal_value(s, n));
	verdict_conclude(v);
	tell_given_up(i);
	const bool known = v->device[0] || v->vendor[0] || v->product[0] || v->os[0] || v->disputed ||
			   v->software[0] || v->role[0];
	event_begin(e, EVENT_HOST_IDENTIFIED);
	event_set_address(e, FIELD_SRC, &story->lease->target);
	event_set_id(e, FIELD_LEASE, &story->lease->id);
	event_set_chain(e, &story->answered, &story->root, story->depth);
	verdict_report(v, e);
	const bool decoy = others_decoys_report(i->others, story, e);
	const struct remembered_signal keys[2] = {{"certificate", signal_of(s, "x509.subject")},
						  {"host key", signal_of(s, "ssh.host_key")}};
	if (decoy || known)
		remembered_compare(i->remembered, e, keys, clock_utc_us());
	return decoy || known;
}

void identified_set_hosting(struct identified *i, const struct prefix_set *hosting)
{
	others_decoys_set_hosting(i->others, hosting);
}
