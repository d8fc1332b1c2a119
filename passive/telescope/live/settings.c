#include "passive/telescope/live/settings.h"
#include "passive/room/settings.h"

#define AT(member) offsetof(struct live_options, member)

static const struct option prefix_fields[] = {
	{.name = "prefix", .type = OPTION_PREFIX, .offset = offsetof(struct live_prefix, prefix), .required = true,
	 .summary = "addresses that nobody uses"},
	{.name = "reactive", .type = OPTION_BOOL, .offset = offsetof(struct live_prefix, reactive),
	 .fallback = "false", .summary = "whether SYNs to it are answered; the others stay silent"},
	{0},
};

static const struct option scan_fields[] = {
	{.name = "destinations", .type = OPTION_NUMBER, .offset = AT(scan_destinations), .fallback = "0",
	 .max = UINT32_MAX,
	 .summary = "distinct dark addresses on one port that make a scan; 0: a tenth of those watched, "
		    "within 5 and 100"},
	{.name = "ports", .type = OPTION_NUMBER, .offset = AT(scan_ports), .fallback = "25", .min = 1, .max = 65535,
	 .summary = "distinct ports that make a scan"},
	{0},
};

#define REACTIVE(member) AT(reactive) + offsetof(struct live_reactive, member)
#define REACTIVE_RATE_MAX 1000000

static const char *const special_choices[] = {"refuse", "allow", NULL};

static const struct option reactive_fields[] = {
	{.name = "rate", .type = OPTION_NUMBER, .offset = REACTIVE(rate), .fallback = "5000", .min = 1,
	 .max = REACTIVE_RATE_MAX, .summary = "SYNs that are answered a second at most, of all workers together"},
	{.name = "burst", .type = OPTION_NUMBER, .offset = REACTIVE(burst), .fallback = "5000", .min = 1,
	 .max = REACTIVE_RATE_MAX, .summary = "SYNs that are answered at once before `rate` counts"},
	{.name = "network_rate", .type = OPTION_NUMBER, .offset = REACTIVE(network_rate), .fallback = "32",
	 .min = 1, .max = REACTIVE_RATE_MAX, .summary = "the same for the sources of a /24 (IPv6: /64)"},
	{.name = "network_burst", .type = OPTION_NUMBER, .offset = REACTIVE(network_burst), .fallback = "512",
	 .min = 1, .max = REACTIVE_RATE_MAX, .summary = "the same at once"},
	{.name = "hold_out", .type = OPTION_FRACTION, .offset = REACTIVE(hold_out), .fallback = "0.1",
	 .summary = "share of reactive addresses that stays silent, for comparison; the same ones at every start"},
	{.name = "special", .type = OPTION_CHOICE, .offset = REACTIVE(special), .fallback = "refuse",
	 .choices = special_choices, .summary = "allow: sources in special-purpose ranges are answered, too"},
	{.name = "patience", .type = OPTION_DURATION, .offset = REACTIVE(patience_ms), .fallback = "10s",
	 .min = 100, .max = 60000, .summary = "a peer that says nothing is waited for so long"},
	{0},
};

static const struct option live_fields[] = {
	{.name = "interface", .type = OPTION_LIST, .element = OPTION_TEXT, .offset = AT(interfaces),
	 .summary = "network interfaces where the dark prefixes' traffic arrives; none: nothing is captured"},
	{.name = "prefixes", .type = OPTION_LIST, .element = OPTION_MAP, .fields = prefix_fields,
	 .size = sizeof(struct live_prefix), .offset = AT(prefixes),
	 .summary = "dark addresses; looks never leave from there nor are aimed at them"},
	{.name = "workers", .type = OPTION_NUMBER, .offset = AT(workers), .fallback = "1", .min = 1,
	 .max = LIVE_WORKERS_MAX, .summary = "processes; all packets of a source go to the same one"},
	{.name = "promiscuous", .type = OPTION_BOOL, .offset = AT(promiscuous), .fallback = "false",
	 .summary = "whether frames to other stations' link addresses are taken too (a mirror port)"},
	{.name = "ring", .type = OPTION_SIZE, .offset = AT(ring), .fallback = "32M", .min = 4u << 20,
	 .max = 1u << 30,
	 .summary = "kernel memory for packets that wait, of each worker and interface"},
	{.name = "timeout", .type = OPTION_DURATION, .offset = AT(timeout_ms), .fallback = "624s", .min = 1000,
	 .max = 86400000, .summary = "an account that is quiet for so long becomes a record"},
	{.name = "interval", .type = OPTION_DURATION, .offset = AT(interval_ms), .fallback = "1h", .min = 1000,
	 .max = 3600000, .summary = "an account becomes a record at this age at the latest"},
	{.name = "memory", .type = OPTION_SIZE, .offset = AT(memory), .fallback = "1G", .min = 16u << 20,
	 .summary = "of all workers' accounts; beyond it the quietest become records early, which is counted"},
	{.name = "scan", .type = OPTION_MAP, .fields = scan_fields, .summary = "from when on a source is told to scan"},
	{.name = "reactive", .type = OPTION_MAP, .fields = reactive_fields,
	 .summary = "how prefixes that are reactive answer"},
	{.name = "signatures", .type = OPTION_LIST, .element = OPTION_TEXT, .offset = AT(signatures),
	 .summary = "files of further signatures of tools and payloads"},
	{.name = "signatures_dir", .type = OPTION_TEXT, .offset = AT(signatures_dir),
	 .summary = "directory of the signatures that come with kansoku; the one installed when absent"},
	{0},
};

static const struct section live_section = {
	.option = {.name = "telescope", .type = OPTION_MAP, .fields = live_fields,
		   .summary = "dark addresses and how they are watched"},
	.size = sizeof(struct live_options),
};
SECTION(live_section);

const struct live_options *live_options_of(const struct config *c) { return config_section(c, "telescope"); }

bool live_options_react(const struct live_options *o)
{
	const struct live_prefix *prefixes = o->prefixes.items;
	for (size_t i = 0; i < o->prefixes.count; i++)
		if (prefixes[i].reactive)
			return true;
	return false;
}

/* Each worker has its share of a bound, at least one. */
static int check_shares(const struct config *c, struct fault *fault)
{
	const struct live_options *o = live_options_of(c);
	const struct live_reactive *r = &o->reactive;
	const struct {
		const char *name;
		uint64_t value;
	} bounds[] = {{"rate", r->rate}, {"burst", r->burst}, {"network_rate", r->network_rate},
		      {"network_burst", r->network_burst}};
	for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++)
		if (bounds[i].value < o->workers)
			return fault_set(fault, ERR_BAD, "%s: telescope.reactive.%s: %llu cannot be shared by %llu "
					 "workers, at least one for each of them would be right", c->file,
					 bounds[i].name, (unsigned long long)bounds[i].value,
					 (unsigned long long)o->workers);
	return 0;
}

static int check_reactive(const struct config *c, struct fault *fault)
{
	char text[ADDRESS_TEXT_MAX];
	const struct live_options *o = live_options_of(c);
	const struct live_prefix *prefixes = o->prefixes.items;
	const struct passive_options *passive = config_section(c, "passive");
	const struct decoy_options *decoys = passive->decoys.items;
	if (!live_options_react(o))
		return 0;
	if (o->promiscuous)
		return fault_set(fault, ERR_BAD, "%s: telescope.promiscuous: answers would bear the link addresses "
				 "of the other stations that a mirror port shows; an interface to which the reactive "
				 "prefixes are routed would be right", c->file);
	for (size_t i = 0; i < o->prefixes.count; i++)
		for (size_t k = 0; k < passive->decoys.count && prefixes[i].reactive; k++)
			if (prefix_holds(&prefixes[i].prefix, &decoys[k].prefix.base) ||
			    prefix_holds(&decoys[k].prefix, &prefixes[i].prefix.base))
				return fault_set(fault, ERR_BAD, "%s: telescope.prefixes[%zu]: %s is reactive and has "
						 "decoys, so both would answer; addresses without decoys would be "
						 "right", c->file, i, prefix_format(&prefixes[i].prefix, text));
	return check_shares(c, fault);
}

int live_options_check(const struct config *c, struct fault *fault)
{
	const struct live_options *o = live_options_of(c);
	if (o->interfaces.count && o->prefixes.count == 0)
		return fault_set(fault, ERR_BAD, "%s: telescope.prefixes: none is named, so every packet would "
				 "count as dark; the addresses that nobody uses would be right", c->file);
	if (o->interfaces.count > LIVE_INTERFACES_MAX)
		return fault_set(fault, ERR_FULL, "%s: telescope.interface: more than %d", c->file,
				 LIVE_INTERFACES_MAX);
	if (o->prefixes.count > LIVE_PREFIXES_MAX)
		return fault_set(fault, ERR_FULL, "%s: telescope.prefixes: more than %d", c->file,
				 LIVE_PREFIXES_MAX);
	if (o->signatures.count > LIVE_SIGNATURE_FILES_MAX)
		return fault_set(fault, ERR_FULL, "%s: telescope.signatures: more than %d files", c->file,
				 LIVE_SIGNATURE_FILES_MAX);
	return o->interfaces.count ? check_reactive(c, fault) : 0;
}

const struct live_prefix *live_prefix_of(const struct live_options *o, const struct address *a)
{
	const struct live_prefix *all = o->prefixes.items, *longest = NULL;
	for (size_t i = 0; i < o->prefixes.count; i++)
		if (prefix_holds(&all[i].prefix, a) && (!longest || all[i].prefix.bits > longest->prefix.bits))
			longest = &all[i];
	return longest;
}
