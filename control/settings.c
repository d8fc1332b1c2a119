#include "control/campaigns_inner.h"
#include "control/credentials_inner.h"
#include "control/settings_inner.h"
#include "event/event.h"
#include <stddef.h>

#define DECOYS_FOR_SILENCE 16 /* fewer than this many: none is silent by its hash */

#define OPERATOR(member) offsetof(struct operator_options, member)
#define ACTIVE(member) offsetof(struct active_options, member)
#define CONTROL(member) offsetof(struct control_options, member)

static const struct option operator_fields[] = {
	{"name", OPTION_TEXT, OPERATOR(name), .summary = "who runs this, for those who ask"},
	{"contact", OPTION_TEXT, OPERATOR(contact),
	 .summary = "address for complaints; without one nothing is looked at"},
	{"page", OPTION_TEXT, OPERATOR(page), .summary = "page that explains the looks and the opt-out"},
	{0},
};

static const char *const special_choices[] = {"refuse", "allow", NULL};

static const struct option scope_fields[] = {
	{"prefix", OPTION_PREFIX, offsetof(struct scope_option, prefix), .required = true,
	 .summary = "addresses that may be looked at"},
	{"special", OPTION_CHOICE, offsetof(struct scope_option, special), .fallback = "refuse",
	 .choices = special_choices, .summary = "allow: also where it is a special-purpose range"},
	{"tier", OPTION_NUMBER, offsetof(struct scope_option, tier), .fallback = "9", .max = SCOPE_TIER_NONE,
	 .summary = "highest tier of a look there, 0 to 2; the longest prefix decides; 9: as active.tier"},
	{0},
};

const struct option delay_fields[] = {
	{"min", OPTION_DURATION, offsetof(struct delay_option, min_ms), "30s",
	 .summary = "shortest time between a trigger and the look"},
	{"max", OPTION_DURATION, offsetof(struct delay_option, max_ms), "10m",
	 .summary = "longest; the time is drawn at random between them"},
	{0},
};

static const struct option page_fields[] = {
	{"listen", OPTION_LIST, offsetof(struct page_options, listen), .element = OPTION_ADDRESS,
	 .summary = "addresses that the page answers on, best those that looks leave from; empty: 127.0.0.1"},
	{"port", OPTION_NUMBER, offsetof(struct page_options, port), "0", .max = 65535,
	 .summary = "its port, 80 where visitors shall find it; 0: no page"},
	{"signed", OPTION_TEXT, offsetof(struct page_options, signed_text),
	 .summary = "file with probing.txt as you signed it (RFC 9116 2.3); absent: made from the operator's section"},
	{"url", OPTION_TEXT, offsetof(struct page_options, url),
	 .summary = "where visitors reach the page; absent: http://, the first address and the port"},
	{0},
};

static const char *const hello_choices[] = {"approve", "harmless", NULL};

static const struct option active_fields[] = {
	{"enabled", OPTION_BOOL, ACTIVE(enabled), "true", .summary = "false: look at nobody"},
	{"scope", OPTION_LIST, ACTIVE(scope), .element = OPTION_MAP, .fields = scope_fields,
	 .size = sizeof(struct scope_option), .summary = "who may be looked at; empty: nobody"},
	{"tier", OPTION_NUMBER, ACTIVE(tier), "1", .max = TIER_MAX,
	 .summary = "highest tier of a look: 0 no packets, 1 benign questions, 2 opt-in protocols"},
	{"hold_out", OPTION_FRACTION, ACTIVE(hold_out), "0.1",
	 .summary = "share of eligible sources that is never looked at"},
	{"delay", OPTION_MAP, ACTIVE(delay), .fields = delay_fields,
	 .summary = "time between a trigger and the look, where a rule names none; looking at once "
		    "betrays the decoy"},
	{"opt_out", OPTION_TEXT, ACTIVE(opt_out),
	 .summary = "file of prefixes never to be looked at, one a line; changes take effect at once"},
	{"page", OPTION_MAP, ACTIVE(page), .fields = page_fields,
	 .summary = "page for those who were looked at: who, why, what was sent; takes opt-outs"},
	{"known_scanners", OPTION_LIST, ACTIVE(known_scanners), .element = OPTION_PREFIX,
	 .summary = "prefixes of scanners that are known and need no look"},
	{"addresses", OPTION_LIST, ACTIVE(addresses), .element = OPTION_ADDRESS,
	 .summary = "addresses that looks leave from, outside decoys and dark prefixes; empty: the system's"},
	{"known_scanner_files", OPTION_LIST, ACTIVE(known_scanner_files), .element = OPTION_TEXT,
	 .summary = "files of the same, lines `PREFIX NAME`, as analysis.surveys takes them; read at the start"},
	{"windows", OPTION_LIST, ACTIVE(windows), .element = OPTION_MAP, .fields = window_fields,
	 .size = sizeof(struct window_option), .summary = "when looks may leave; empty: at any time"},
	{"quiet", OPTION_LIST, ACTIVE(quiet), .element = OPTION_MAP, .fields = window_fields,
	 .size = sizeof(struct window_option), .summary = "when no look may leave, whatever windows say"},
	{"country_file", OPTION_TEXT, ACTIVE(country_file),
	 .summary = "MMDB with countries or time zones, for windows with zone: target; who is not in it has UTC"},
	{"as_file", OPTION_TEXT, ACTIVE(as_file),
	 .summary = "autonomous systems, for as_rate: an .mmdb, or CAIDA's pfx2as as text"},
	{"as_rate", OPTION_NUMBER, ACTIVE(as_rate), "100",
	 .summary = "packets a second to one autonomous system, where as_file is given; 0: no limit"},
	{"surveys", OPTION_LIST, ACTIVE(surveys), .element = OPTION_MAP, .fields = survey_fields,
	 .size = sizeof(struct survey_option), .summary = "approved surveys"},
	{"follow", OPTION_MAP, ACTIVE(follow), .fields = follow_fields,
	 .summary = "an approved study: who attacked is looked at again later; absent: nobody is"},
	{"visits", OPTION_MAP, ACTIVE(visits), .fields = visits_fields,
	 .summary = "pages that are visited because a rule says so: how many, at which ports"},
	{"rate", OPTION_NUMBER, ACTIVE(rate), "1000",
	 .summary = "packets a second to observed addresses, over all; 0: no limit"},
	{"burst", OPTION_NUMBER, ACTIVE(burst), "0", .summary = "packets at once; 0: one second's worth"},
	{"round", OPTION_DURATION, ACTIVE(round_ms), "24h", .summary = "one look at an address in this time"},
	{"ports_max", OPTION_NUMBER, ACTIVE(ports_max), "12", .min = 1, .max = LEASE_PORTS_MAX,
	 .summary = "ports of one look"},
	{"packets_per_port", OPTION_NUMBER, ACTIVE(packets_per_port), "40", .min = 1,
	 .max = PACKETS_PER_PORT_MAX, .summary = "packets that a look may send to a port"},
	{"packets_max", OPTION_NUMBER, ACTIVE(packets_max), "480", .min = 1, .max = UINT16_MAX,
	 .summary = "packets that a look may send to an address"},
	{"network_looks", OPTION_NUMBER, ACTIVE(network_looks), "1",
	 .summary = "looks at once in a /24 of IPv4 or a /48 of IPv6; 0: no limit"},
	{"looks_at_once", OPTION_NUMBER, ACTIVE(looks_at_once), "2000", .min = 1, .max = 1000000,
	 .summary = "looks under way at once"},
	{"looks_per_sensor", OPTION_NUMBER, ACTIVE(looks_per_sensor), "36000",
	 .summary = "looks an hour that one decoy process may cause; 0: no limit"},
	{"queue_max", OPTION_NUMBER, ACTIVE(queue_max), "200000", .min = 1, .max = 2000000,
	 .summary = "looks that may wait"},
	{"handshake_age", OPTION_DURATION, ACTIVE(handshake_age_ms), "15m", .min = 1,
	 .summary = "how long a handshake with a decoy is a basis"},
	{"cookie_age", OPTION_DURATION, ACTIVE(cookie_age_ms), "15m", .min = 1,
	 .summary = "how long an answered cookie is a basis"},
	{"indicator_age", OPTION_DURATION, ACTIVE(indicator_age_ms), "7d", .min = 1,
	 .summary = "how long a sample's or a record's address is a basis"},
	{"recheck", OPTION_DURATION, ACTIVE(recheck_ms), "24h",
	 .summary = "time between two checks of a command server that an own sample named; 0: one check"},
	{"recheck_for", OPTION_DURATION, ACTIVE(recheck_for_ms), "30d",
	 .summary = "how long after it was found a command server is checked again"},
	{"hellos", OPTION_CHOICE, ACTIVE(hellos), "approve", .choices = hello_choices,
	 .summary = "approve: no first words of a sample are said before a person read them; harmless: those that "
		    "enlist nobody, as far as one can tell, are"},
	{"lease", OPTION_DURATION, ACTIVE(lease_ms), "3m", .min = 1000,
	 .summary = "how long the prober may take for a look"},
	{0},
};

static const struct option class_fields[] = {
	{"class", OPTION_TEXT, offsetof(struct class_option, device_class), .required = true,
	 .summary = "class of device, as identification names it"},
	{"persona", OPTION_TEXT, offsetof(struct class_option, persona), .required = true,
	 .summary = "persona that such a visitor meets"},
	{0},
};

static const char *const unit_choices[] = {"source", "prefix", "campaign", NULL};

#define TRIAL(member) offsetof(struct trial_options, member)
static const struct option trial_fields[] = {
	{"unit", OPTION_CHOICE, TRIAL(unit), "source", .choices = unit_choices,
	 .summary = "what is drawn: each source, its /24 or /48, or its campaign (its prefix while it has none)"},
	{"hold_out", OPTION_FRACTION, TRIAL(hold_out),
	 .summary = "share that is never steered; absent: as active.hold_out"},
	{"random", OPTION_FRACTION, TRIAL(random), "0",
	 .summary = "share of the others that meets a persona drawn at random instead of the fitting one"},
	{"seed", OPTION_NUMBER, TRIAL(seed), "0",
	 .summary = "of the draw; 0: a secret that was drawn at the first start"},
	{0},
};

static const struct option control_fields[] = {
	{"silent_decoys", OPTION_FRACTION, CONTROL(silent_decoys),
	 .summary = "share of decoys whose visitors are never looked at; absent: as active.hold_out"},
	{"targets_max", OPTION_NUMBER, CONTROL(targets_max), "1000000", .min = 1, .max = 100000000,
	 .summary = "addresses remembered, about 108 bytes each"},
	{"repeat_window", OPTION_DURATION, CONTROL(repeat_window_ms), "10m", .min = 1,
	 .summary = "repeated triggers of one source are told together after this time"},
	{"refusals_per_second", OPTION_NUMBER, CONTROL(refusals_per_second), "1000", .min = 1,
	 .summary = "refusals told one by one; beyond, they are told as counts per reason"},
	{"steering_max", OPTION_NUMBER, CONTROL(steering_max), "200000", .min = 1, .max = 10000000,
	 .summary = "addresses in the steering table"},
	{"steering_age", OPTION_DURATION, CONTROL(steering_ms), "30d", .min = 1000,
	 .summary = "how long a source is steered after it was identified"},
	{"steering", OPTION_LIST, CONTROL(steering), .element = OPTION_MAP, .fields = class_fields,
	 .size = sizeof(struct class_option),
	 .summary = "which persona a class of device meets; empty: the built-in personas' classes"},
	{"trial", OPTION_MAP, CONTROL(trial), .fields = trial_fields,
	 .summary = "who is steered and who is not, so that the effect of steering can be measured"},
	{"sources_max", OPTION_NUMBER, CONTROL(sources_max), "200000", .min = 1, .max = 10000000,
	 .summary = "sources of which is kept what is known, about 240 bytes each"},
	{"credential_lists", OPTION_LIST, CONTROL(credential_lists), .element = OPTION_MAP, .fields = credential_fields,
	 .size = sizeof(struct credential_option),
	 .summary = "named lists for known: {credentials.list: NAME}; \"mirai\" is built in"},
	{"campaigns", OPTION_BOOL, CONTROL(campaigns), "false",
	 .summary = "look for campaigns also where no rule or trial asks for what is known of a source"},
	{"campaign_sources", OPTION_NUMBER, CONTROL(campaign_sources), "3", .min = 2, .max = CAMPAIGN_FOUNDERS_MAX,
	 .summary = "sources that share a feature before they are a campaign"},
	{"campaign_window", OPTION_DURATION, CONTROL(campaign_window_ms), "7d", .min = 1000,
	 .summary = "a feature that nobody showed for so long begins anew"},
	{"features_max", OPTION_NUMBER, CONTROL(features_max), "100000", .min = 1, .max = 10000000,
	 .summary = "features that campaigns may share, about 128 bytes each"},
	{0},
};

static const struct section operator_section = {
	{"operator", OPTION_MAP, .fields = operator_fields, .summary = "who observes, and how to reach them"},
	sizeof(struct operator_options),
};
SECTION(operator_section);

static const struct section active_section = {
	{"active", OPTION_MAP, .fields = active_fields, .summary = "who may be looked at, and how often"},
	sizeof(struct active_options),
};
SECTION(active_section);

static const struct section control_section = {
	{"control", OPTION_MAP, .fields = control_fields, .summary = "decisions and steering"},
	sizeof(struct control_options),
};
SECTION(control_section);

static const struct section rules_section = {
	{"rules", OPTION_NODE, .summary = "what to do about an event"},
	sizeof(const struct yaml_node *),
};
SECTION(rules_section);

static int out_of_memory(const struct settings *s, struct fault *fault)
{
	return fault_set(fault, ERR_MEMORY, "%s: no memory for its prefixes", s->config->file);
}

static const struct yaml_node *node_at(const struct config *c, const char *section, const char *key)
{
	const struct yaml_node *n = c->root->type == YAML_MAP ? yaml_child(c->root, section) : NULL;
	return n && n->type == YAML_MAP ? yaml_child(n, key) : NULL;
}

/* Every prefix below a node: a scalar, a list of them, or maps with `prefix`. */
static int prefixes_of(const struct yaml_node *n, struct prefix_set *into)
{
	struct prefix p;
	if (!n)
		return 0;
	if (n->type == YAML_SCALAR)
		return prefix_parse(n->text, &p) ? prefix_set_add(into, &p) : 0;
	if (n->type == YAML_MAP)
		return prefixes_of(yaml_child(n, "prefix"), into);
	int bad = 0;
	for (const struct yaml_node *it = n->first; it && !bad; it = it->next)
		bad = prefixes_of(it, into);
	return bad;
}

static bool says_no(const struct yaml_node *n)
{
	return n && n->type == YAML_SCALAR &&
	       (bytes_equal_nocase(n->text, "false") || bytes_equal_nocase(n->text, "no") ||
		bytes_equal_nocase(n->text, "off"));
}

static void count_decoys(struct settings *s, const struct prefix_set *decoys)
{
	for (size_t i = 0; i < decoys->count; i++) {
		unsigned host_bits = 128u - decoys->items[i].bits;
		s->decoy_addresses += host_bits > 31 ? UINT32_MAX : (size_t)1 << host_bits;
	}
	if (s->decoy_addresses > UINT32_MAX)
		s->decoy_addresses = UINT32_MAX;
}

/*
 * The passive room owns these options and checks them; control only has to know which
 * addresses are ours, so it reads the prefixes from the document itself.
 */
static int read_own(struct settings *s)
{
	const struct yaml_node *decoys = node_at(s->config, "passive", "decoys");
	const struct yaml_node *dark = node_at(s->config, "telescope", "prefixes");
	struct prefix_set met = {0};
	int bad = prefixes_of(decoys, &met);
	prefix_set_seal(&met);
	count_decoys(s, &met);
	for (size_t i = 0; i < met.count && !bad; i++)
		bad = prefix_set_add(&s->own, &met.items[i]);
	prefix_set_done(&met);
	if (!bad)
		bad = prefixes_of(dark, &s->own);
	if (!bad && decoys && decoys->type == YAML_LIST)
		for (const struct yaml_node *it = decoys->first; it && !bad; it = it->next)
			if (it->type == YAML_MAP && says_no(yaml_child(it, "react")))
				bad = prefixes_of(it, &s->silent);
	prefix_set_seal(&s->silent);
	return bad;
}

static void add_to_pool(struct settings *s, const char *persona)
{
	for (size_t i = 0; i < s->pool_count; i++)
		if (!strcmp(s->pool[i], persona))
			return;
	if (s->pool_count < TRIAL_PERSONAS_MAX)
		s->pool[s->pool_count++] = persona;
}

/* Where the decoys name no personas, the classes' ones are known to be there. */
static void read_pool(struct settings *s)
{
	const struct yaml_node *decoys = node_at(s->config, "passive", "decoys");
	s->pool_is_whole = decoys && decoys->type == YAML_LIST && decoys->count > 0;
	if (decoys && decoys->type == YAML_LIST)
		YAML_EACH(decoys, it) {
			const struct yaml_node *list = it->type == YAML_MAP ? yaml_child(it, "personas") : NULL;
			s->pool_is_whole &= list && list->type == YAML_LIST && list->count > 0;
			for (const struct yaml_node *p = list && list->type == YAML_LIST ? list->first : NULL; p;
			     p = p->next)
				if (p->type == YAML_SCALAR)
					add_to_pool(s, (const char *)p->text.at);
		}
	if (s->pool_count == 0)
		settings_class_personas(s, add_to_pool);
}

bool settings_persona_is_played(const struct settings *s, const char *persona)
{
	for (size_t i = 0; i < s->pool_count; i++)
		if (!strcmp(s->pool[i], persona))
			return true;
	return !s->pool_is_whole;
}

static int read_probers(struct settings *s, struct fault *fault)
{
	struct prefix_set ours = {0};
	int bad = 0;
	for (size_t i = 0; i < s->own.count && !bad; i++)
		bad = prefix_set_add(&ours, &s->own.items[i]);
	prefix_set_seal(&ours);
	const struct address *addresses = s->active->addresses.items;
	char text[ADDRESS_TEXT_MAX];
	for (size_t i = 0; i < s->active->addresses.count && !bad; i++) {
		struct prefix one = prefix_of(&addresses[i], 128);
		if (prefix_set_holds(&ours, &addresses[i]))
			bad = fault_set(fault, ERR_BAD,
					"%s: active.addresses[%zu]: %s lies within the decoys or dark "
					"prefixes, an address elsewhere would not betray them",
					s->config->file, i, address_format(&addresses[i], text));
		else if (prefix_set_add(&s->probers, &one) || prefix_set_add(&s->own, &one))
			bad = out_of_memory(s, fault);
	}
	prefix_set_done(&ours);
	prefix_set_seal(&s->probers);
	return bad;
}

static int read_scope(struct settings *s)
{
	const struct scope_option *scope = s->active->scope.items;
	int bad = 0;
	for (size_t i = 0; i < s->active->scope.count && !bad; i++) {
		bad = prefix_set_add(&s->scope, &scope[i].prefix);
		if (!bad && scope[i].special)
			bad = prefix_set_add(&s->special, &scope[i].prefix);
	}
	const struct prefix *known = s->active->known_scanners.items;
	for (size_t i = 0; i < s->active->known_scanners.count && !bad; i++)
		bad = prefix_set_add(&s->known_scanners, &known[i]);
	prefix_set_seal(&s->scope);
	prefix_set_seal(&s->special);
	prefix_set_seal(&s->known_scanners);
	return bad;
}

static int read_scanners(struct settings *s, struct fault *fault)
{
	const char *const *files = s->active->known_scanner_files.items;
	int bad = 0;
	for (size_t i = 0; i < s->active->known_scanner_files.count && !bad; i++)
		bad = scanners_open(&s->scanners, files[i], fault);
	scanners_seal(&s->scanners);
	for (size_t i = 0; i < s->scanners.count && !bad; i++)
		if (prefix_set_add(&s->known_scanners, &s->scanners.items[i].prefix))
			bad = out_of_memory(s, fault);
	prefix_set_seal(&s->known_scanners);
	return bad;
}

static int read_surveys(struct settings *s, struct fault *fault)
{
	const struct survey_option *options = s->active->surveys.items;
	if (s->active->surveys.count > SURVEYS_MAX)
		return fault_set(fault, ERR_BAD, "%s: active.surveys: more than %d surveys",
				 s->config->file, SURVEYS_MAX);
	for (size_t i = 0; i < s->active->surveys.count; i++) {
		struct survey *survey = &s->surveys[s->survey_count++];
		survey->option = &options[i];
		int bad = survey_settings_read(s->config->file, i, survey, fault);
		if (bad)
			return bad;
		const struct prefix *prefixes = options[i].prefixes.items;
		for (size_t k = 0; k < options[i].prefixes.count; k++)
			if (prefix_set_add(&survey->prefixes, &prefixes[k]))
				return out_of_memory(s, fault);
		prefix_set_seal(&survey->prefixes);
	}
	return 0;
}

int settings_read(const struct config *config, struct settings *out, struct fault *fault)
{
	struct settings s = {.config = config};
	s.operator = config_section(config, "operator");
	s.active = config_section(config, "active");
	s.control = config_section(config, "control");
	s.rules = *(const struct yaml_node *const *)config_section(config, "rules");
	int bad = read_own(&s) || read_scope(&s) ? out_of_memory(&s, fault) : 0;
	if (!bad)
		bad = read_probers(&s, fault);
	if (!bad)
		bad = read_surveys(&s, fault);
	if (!bad && node_at(config, "active", "follow"))
		bad = follow_settings_read(config->file, s.active, &s.follow, fault);
	if (!bad)
		bad = read_scanners(&s, fault);
	if (!bad)
		bad = windows_read(&s.windows, &s.active->windows, &s.active->quiet, config->file, fault);
	if (!bad && s.windows.asks_target && !s.active->country_file)
		bad = fault_set(fault, ERR_BAD, "%s: active: a window has zone: target, which needs country_file", config->file);
	prefix_set_seal(&s.own);
	if (bad) {
		settings_done(&s);
		return bad;
	}
	const struct yaml_node *delay = node_at(config, "active", "delay");
	s.delay = s.active->delay;
	if (delay && delay->type == YAML_SCALAR)
		s.delay.max_ms = s.delay.min_ms; /* one time: not drawn */
	bool named = node_at(config, "control", "silent_decoys") != NULL;
	s.silent_share = named ? s.control->silent_decoys : s.active->hold_out;
	const struct yaml_node *trial = node_at(config, "control", "trial");
	named = trial && trial->type == YAML_MAP && yaml_child(trial, "hold_out");
	s.steering_hold_out = named ? s.control->trial.hold_out : s.active->hold_out;
	read_pool(&s);
	if (s.decoy_addresses < DECOYS_FOR_SILENCE)
		s.silent_share = 0;
	*out = s;
	return 0;
}

void settings_done(struct settings *s)
{
	prefix_set_done(&s->scope);
	prefix_set_done(&s->special);
	prefix_set_done(&s->own);
	prefix_set_done(&s->probers);
	prefix_set_done(&s->known_scanners);
	prefix_set_done(&s->silent);
	windows_done(&s->windows);
	scanners_done(&s->scanners);
	for (size_t i = 0; i < s->survey_count; i++)
		prefix_set_done(&s->surveys[i].prefixes);
	s->survey_count = 0;
}
