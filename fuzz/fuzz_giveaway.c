/*
 * Any bytes as a file of rules about decoys, beside a good one, and as what a host said: a wrong
 * rule costs itself, an error names file and line, and a score is a percentage with its reasons.
 */
#include "active/identify/giveaway.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static const char good[] =
	"decoys:\n- {name: a, when: [{key: ssh.banner, starts: Open}], weight: 60, because: b}\n"
	"structures:\n- {structure: every-port, least: 2, weight: 40, because: c}\n";

static void judge(const struct giveaways *g, const uint8_t *at, size_t n)
{
	static const char *const keys[] = {"ssh.banner", "s7.identity", "modbus.identity", "http.body", "ftp.banner"};
	struct giveaway_host h = {.hosting = n & 1};
	struct giveaway_verdict v;
	for (size_t i = 0; i < 8; i++) {
		size_t from = i * n / 8;
		h.signals[h.signal_count++] = (struct giveaway_signal){
			bytes_of_text(keys[i % 5]), {at + from, n - from}, (uint16_t)i};
		h.ports[h.port_count++] = (struct giveaway_port){
			.port = (uint16_t)(n ? at[from < n ? from : 0] : 0), .open = i & 1, .window = (uint16_t)n};
	}
	giveaways_judge(g, &h, &v);
	if (v.score > 100 || (v.score && !*v.reasons) || strlen(v.reasons) >= sizeof v.reasons)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t n)
{
	struct giveaways *g;
	struct fault fault = {{0}};
	size_t skipped = 0;
	if (giveaways_open(&g) || giveaways_add(g, bytes_of_text(good), "good", &skipped, &fault) || skipped)
		abort();
	int bad = giveaways_add(g, (struct bytes){at, n}, "fuzz", &skipped, &fault);
	if ((bad || skipped) && strncmp(fault.text, "fuzz:", 5))
		abort();
	if (giveaways_count(g) < 2)
		abort();
	judge(g, at, n);
	giveaways_close(g);
	return 0;
}
