/*
 * Any bytes as a signature file, beside a good one: it adds all or nothing, an error is one
 * sentence that names the file and a line, and what was compiled can be worked out for any packet.
 */
#include "passive/telescope/signatures.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static const char good[] =
	"tools:\n"
	"- {tool: masscan, when: 'flags == syn and ipid == (dst ^ dport ^ seq) & 0xffff', evidence: 2}\n"
	"payloads:\n"
	"- {name: ntp.monlist, proto: udp, ports: [123], starts: '|07/87 ?? ?? 2a|', amplifies: true}\n";

/* Columns and payload from the same bytes: conditions over them must not read beyond anything. */
static void work(const struct signatures *s, const uint8_t *at, size_t n)
{
	static struct packet_batch batch;
	uint8_t rule[PACKET_BATCH];
	batch.count = PACKET_BATCH;
	for (unsigned i = 0; i < PACKET_BATCH; i++) {
		batch.time_us[i] = i * UINT64_C(1000000007);
		for (unsigned c = 0; c < COLUMNS; c++)
			batch.column[c][i] = n ? at[(c * 7 + i) % n] * (i % 5 ? 1u : 0x01010101u) : c;
	}
	signatures_match(s, &batch, rule);
	for (unsigned i = 0; i < PACKET_BATCH; i++)
		if (rule[i] > signatures_rules(s) ||
		    (rule[i] && !signatures_tool(s, signatures_rule_tool(s, rule[i]))))
			abort();
	for (unsigned i = 0; i < 16; i++) {
		size_t from = i * n / 16;
		unsigned asks = signatures_payload(s, i & 1 ? 6 : 17, i & 2 ? 123 : 53, (struct bytes){at + from, n - from});
		if (asks && !signatures_payload_name(s, asks))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t n)
{
	struct signatures *s;
	struct fault fault = {{0}};
	if (signatures_open(&s) || signatures_add(s, bytes_of_text(good), "good", &fault))
		abort();
	int bad = signatures_add(s, (struct bytes){at, n}, "fuzz", &fault);
	if (!bad != !fault.text[0] || (bad && strncmp(fault.text, "fuzz:", 5)))
		abort();
	if (bad && (signatures_rules(s) != 1 || signatures_tools(s) != 1 || signatures_payload_name(s, 2)))
		abort();
	work(s, at, n);
	signatures_close(s);
	return 0;
}
