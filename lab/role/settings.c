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
	{0},
};

static const struct section lab_section = {
	{.name = "lab", .type = OPTION_MAP, .fields = lab_fields, .summary = "analysis of captured files, and of what requests try to exploit"},
	sizeof(struct lab_options),
};
SECTION(lab_section);
