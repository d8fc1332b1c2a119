#include "store/store.h"

#define AT(member) offsetof(struct store_options, member)
#define DAY_MS 86400000u

static const struct option journal_options[] = {
	{.name = "segment", .type = OPTION_SIZE, .offset = AT(journal.segment), .fallback = "64M",
	 .min = 1 << 16, .max = 512u << 20, .summary = "a new segment begins beyond this size"},
	{.name = "age", .type = OPTION_DURATION, .offset = AT(journal.age_ms), .fallback = "1h",
	 .min = 1000, .max = DAY_MS / 2, .summary = "and beyond this age"},
	{.name = "keep", .type = OPTION_DURATION, .offset = AT(journal.keep_ms), .fallback = "1h",
	 .max = DAY_MS / 2, .summary = "how long segments stay after the store has them"},
	{0},
};

static const struct option blob_options[] = {
	{.name = "size", .type = OPTION_SIZE, .offset = AT(blobs.size_max), .fallback = "32M",
	 .min = 1024, .max = 1u << 30, .summary = "the largest file that is kept"},
	{.name = "total", .type = OPTION_SIZE, .offset = AT(blobs.total_max), .fallback = "10G",
	 .min = 1 << 20, .summary = "of all files together; more is refused"},
	{0},
};

static const struct option query_options[] = {
	{.name = "time", .type = OPTION_DURATION, .offset = AT(query.time_ms), .fallback = "30s",
	 .min = 100, .max = 3600000, .summary = "the longest a question may take"},
	{.name = "memory", .type = OPTION_SIZE, .offset = AT(query.memory), .fallback = "1G",
	 .min = 16 << 20, .summary = "the most memory that a question may take"},
	{.name = "result", .type = OPTION_SIZE, .offset = AT(query.result), .fallback = "256M",
	 .min = 1024, .summary = "the largest answer"},
	{.name = "threads", .type = OPTION_NUMBER, .offset = AT(query.threads), .fallback = "2",
	 .min = 1, .max = 64, .summary = "threads of one question"},
	{0},
};

static const struct option retention_options[] = {
	{.name = "default", .type = OPTION_DURATION, .offset = AT(retention.default_ms),
	 .fallback = "365d", .min = DAY_MS, .summary = "how long events are kept"},
	{.name = "private", .type = OPTION_DURATION, .offset = AT(retention.private_ms),
	 .fallback = "30d", .min = DAY_MS, .summary = "how long passwords and payloads are kept"},
	{.name = "flows", .type = OPTION_DURATION, .offset = AT(retention.flows_ms),
	 .fallback = "90d", .min = DAY_MS, .summary = "how long flows are kept, in whole days"},
	{.name = "kinds", .type = OPTION_PAIRS, .offset = AT(retention.kinds),
	 .summary = "a time per kind: {scan.seen: 30d}"},
	{.name = "fields", .type = OPTION_PAIRS, .offset = AT(retention.fields),
	 .summary = "a time per field, after which only that value goes: {login.user: 90d}"},
	{0},
};

static const struct option store_fields[] = {
	{.name = "library", .type = OPTION_TEXT, .offset = AT(library),
	 .summary = "libchdb.so, when it is not where `npm ci` puts it"},
	{.name = "linger", .type = OPTION_DURATION, .offset = AT(linger_ms), .fallback = "1s",
	 .max = 60000, .summary = "how long events wait in the journal for more to go with them"},
	{.name = "journal", .type = OPTION_MAP, .fields = journal_options, .summary = "the journal"},
	{.name = "blobs", .type = OPTION_MAP, .fields = blob_options, .summary = "captured files"},
	{.name = "query", .type = OPTION_MAP, .fields = query_options, .summary = "limits of questions"},
	{.name = "retention", .type = OPTION_MAP, .fields = retention_options,
	 .summary = "how long what is kept"},
	{0},
};

static const struct section store_section = {
	.option = {.name = "store", .type = OPTION_MAP, .fields = store_fields,
		   .summary = "journal, store, files and how long they are kept"},
	.size = sizeof(struct store_options),
};
SECTION(store_section);
