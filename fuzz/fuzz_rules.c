/* The sections of control from any YAML: an error with a sentence, or rules that can be asked. */
#include "control/rules_inner.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void ask_all(const struct rules *rules)
{
	static struct event e;
	struct address a = address_v4(0x08080808);
	for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
		event_begin(&e, (enum event_kind)kind);
		event_set_address(&e, FIELD_SRC, &a);
		event_set_number(&e, FIELD_DPORT, 23);
		event_set_bytes(&e, FIELD_LOGIN_USER, BYTES("root"));
		rules_pick(rules, ACTION_PROBE, &e, NULL);
		rules_pick(rules, ACTION_STEER, &e, NULL);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct fault fault = {0};
	struct config config;
	struct settings settings;
	struct rules rules;
	event_start(NULL);
	if (config_read((struct bytes){bytes, n}, "fuzz", &config, &fault))
		return 0;
	if (settings_read(&config, &settings, &fault) == 0) {
		int bad = rules_read(&settings, &rules, &fault);
		if (bad && !fault.text[0])
			abort(); /* an error must say something */
		if (!bad) {
			ask_all(&rules);
			rules_done(&rules);
		}
		settings_done(&settings);
	}
	config_done(&config);
	return 0;
}
