#include "lab/role/settings_inner.h"
#include <stddef.h>

#define RUN(member) offsetof(struct lab_options, run.member) - offsetof(struct lab_options, run)
static const struct option run_fields[] = {
	{.name = "on", .type = OPTION_BOOL, .offset = RUN(on), .fallback = "no",
	 .summary = "whether samples are also run, in boxes without a way out; docs/lab.md says what that needs"},
	{.name = "time", .type = OPTION_DURATION, .offset = RUN(time_ms), .fallback = "60s", .min = 1000, .max = 600000,
	 .summary = "how long a sample runs, as root and as a user each"},
	{.name = "memory", .type = OPTION_SIZE, .offset = RUN(memory), .fallback = "256M", .min = 8u << 20,
	 .summary = "bytes that all its processes may have together"},
	{.name = "processes", .type = OPTION_NUMBER, .offset = RUN(processes), .fallback = "256", .min = 8, .max = 4096,
	 .summary = "processes that it may have at a time"},
	{.name = "disk", .type = OPTION_SIZE, .offset = RUN(disk), .fallback = "64M", .min = 1u << 20,
	 .summary = "bytes that it may write"},
	{0},
};

#define DECOY(member) offsetof(struct lab_decoy, member)
static const struct option decoy_fields[] = {
	{.name = "port", .type = OPTION_NUMBER, .offset = DECOY(port), .min = 1, .max = 65535, .required = true,
	 .summary = "that the sample scans"},
	{.name = "address", .type = OPTION_ADDRESS, .offset = DECOY(address), .required = true,
	 .summary = "of a decoy of your own, where these connections end, whomever they were for"},
	{.name = "to", .type = OPTION_NUMBER, .offset = DECOY(to), .max = 65535, .fallback = "0",
	 .summary = "port of the decoy; 0: the same"},
	{0},
};

#define EGRESS(member) offsetof(struct lab_options, egress.member) - offsetof(struct lab_options, egress)
static const struct option egress_fields[] = {
	{.name = "on", .type = OPTION_BOOL, .offset = EGRESS(on), .fallback = "no",
	 .summary = "whether a person may approve that a sample talks with its command server; docs/sink.md says what leaves then"},
	{.name = "decoys", .type = OPTION_LIST, .element = OPTION_MAP, .fields = decoy_fields, .size = sizeof(struct lab_decoy),
	 .offset = EGRESS(decoys), .summary = "ports whose scans are turned to decoys of your own while it talks"},
	{.name = "sent", .type = OPTION_SIZE, .offset = EGRESS(sent), .fallback = "4K", .min = 1, .max = 1u << 20,
	 .summary = "bytes that it may say in a run"},
	{.name = "received", .type = OPTION_SIZE, .offset = EGRESS(received), .fallback = "64K", .min = 1, .max = 16u << 20,
	 .summary = "bytes that it may hear in a run"},
	{.name = "connections", .type = OPTION_NUMBER, .offset = EGRESS(connections), .fallback = "4", .min = 1, .max = 16,
	 .summary = "connections to the server in a run, and in a minute"},
	{0},
};

#define AT(member) offsetof(struct lab_options, member)
static const struct option lab_fields[] = {
	{.name = "on", .type = OPTION_BOOL, .offset = AT(on), .fallback = "true", .summary = "whether there is a lab"},
	{.name = "captured", .type = OPTION_BOOL, .offset = AT(captured), .fallback = "true",
	 .summary = "whether every captured file is analysed; else only those that a rule names (do: analyse)"},
	{.name = "exploits", .type = OPTION_BOOL, .offset = AT(exploits), .fallback = "true",
	 .summary = "whether requests are matched with known weaknesses"},
	{.name = "rules", .type = OPTION_LIST, .element = OPTION_TEXT, .offset = AT(rules),
	 .summary = "files of YARA rules that every sample is tried with"},
	{.name = "exploit_rules", .type = OPTION_LIST, .element = OPTION_TEXT, .offset = AT(exploit_rules),
	 .summary = "directories of further rules on exploits, beside our own"},
	{.name = "again", .type = OPTION_DURATION, .offset = AT(again_ms), .fallback = "30d", .min = 1000,
	 .summary = "a sample is analysed once within this time, however often it is captured"},
	{.name = "queue", .type = OPTION_NUMBER, .offset = AT(queue), .fallback = "256", .min = 1, .max = 4096,
	 .summary = "samples that may wait; beyond, rules offer theirs again later"},
	{.name = "at_once", .type = OPTION_NUMBER, .offset = AT(at_once), .fallback = "2", .min = 1, .max = 16,
	 .summary = "samples that are analysed or run at a time"},
	{.name = "confidence", .type = OPTION_NUMBER, .offset = AT(confidence_min), .fallback = "30", .max = 100,
	 .summary = "percent below which an indicator stands in the report only"},
	{.name = "indicators", .type = OPTION_NUMBER, .offset = AT(indicators), .fallback = "100", .max = 4096,
	 .summary = "indicators of a sample that are told one by one, the surest first"},
	{.name = "bait", .type = OPTION_TEXT, .offset = AT(bait),
	 .summary = "address or name of a decoy: credentials for it lie in the boxes of samples; absent: none do"},
	{.name = "run", .type = OPTION_MAP, .offset = AT(run), .fields = run_fields, .summary = "running samples"},
	{.name = "egress", .type = OPTION_MAP, .offset = AT(egress), .fields = egress_fields,
	 .summary = "a way out for a sample, to one endpoint that a person approved"},
	{0},
};

static const struct section lab_section = {
	{.name = "lab", .type = OPTION_MAP, .fields = lab_fields, .summary = "analysis of captured files, and of what requests try to exploit"},
	sizeof(struct lab_options),
};
SECTION(lab_section);
