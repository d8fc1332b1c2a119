/* Any payloads, each behind its length: groups stay bounded, and every pattern holds its example. */
#include "passive/telescope/signatures.h"
#include "passive/telescope/similar.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* What is suggested can be read, and has the payload that leads the group. */
static bool signature_has(const struct similar_group *g, const char *suggestion)
{
	char file[SIMILAR_SUGGESTION_MAX + 16];
	struct signatures *s;
	struct fault fault;
	snprintf(file, sizeof file, "payloads:\n%s\n", suggestion);
	if (signatures_open(&s) || signatures_add(s, bytes_of_text(file), "suggestion", &fault))
		abort();
	bool has = signatures_payload(s, g->proto, g->ports[0], (struct bytes){g->example, g->length_example});
	signatures_close(s);
	return has;
}

static void check(void *arg, const struct similar_group *g)
{
	char pattern[SIMILAR_PATTERN_MAX], suggestion[SIMILAR_SUGGESTION_MAX];
	uint64_t *count = arg;
	if (g->length_example > SIMILAR_SAMPLE || g->length_min > g->length_example ||
	    g->length_max < g->length_example || similar_prefix(g) > g->length_min || !g->sources ||
	    g->port_count > SIMILAR_PORTS_MAX)
		abort();
	similar_pattern(g, pattern);
	similar_suggestion(g, suggestion);
	if (suggestion[0] && (!strstr(suggestion, pattern) || !signature_has(g, suggestion)))
		abort();
	*count += g->count;
}

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t n)
{
	struct reader in = reader_of(at, n);
	struct similar *s;
	uint64_t count = 0;
	if (similar_open(&s, 5))
		abort();
	while (reader_left(&in)) {
		uint8_t length = read_u8(&in), how = read_u8(&in);
		const struct similar_payload p = {
			.payload = read_bytes(&in, length < reader_left(&in) ? length : reader_left(&in)),
			.source = address_v4(how), .proto = how & 1 ? 6 : 17, .port = how, .count = 1};
		similar_take(s, &p);
	}
	similar_each(s, SIZE_MAX, check, &count);
	const struct similar_counts c = similar_counts(s);
	if (c.groups > SIMILAR_GROUPS_MAX || count + c.forgotten_count != c.taken)
		abort();
	similar_close(s);
	return 0;
}
