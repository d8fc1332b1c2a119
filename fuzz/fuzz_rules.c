/* The sections of control from any YAML: an error with a sentence, or rules that can be asked. */
#include "control/known_inner.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void ask_all(const struct rules *rules)
{
	static struct event e;
	static struct source source = {.counts = {3, 1, 1}, .matched = {9, 9}, .signs = 7, .campaign = 5, .services = 1};
	static struct sources *sources;
	static struct credentials credentials;
	const struct option_list none = {0};
	char why[200];
	if (!sources && (sources_open(&sources, 4, 1) || credentials_open(&credentials, &none)))
		abort();
	source.tool = source.device_class = source_name_number(sources, BYTES("zmap"));
	source_service_bit(sources, BYTES("telnet"));
	const struct known known = {&source, sources, NULL, &credentials};
	struct address a = address_v4(0x08080808);
	for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
		event_begin(&e, (enum event_kind)kind);
		event_set_address(&e, FIELD_SRC, &a);
		event_set_number(&e, FIELD_DPORT, 23);
		event_set_bytes(&e, FIELD_LOGIN_USER, BYTES("root"));
		rules_pick(rules, ACTION_PROBE, &e, NULL);
		const struct rule *rule = rules_pick(rules, ACTION_STEER, &e, &known);
		struct writer w = writer_of(why, sizeof why);
		if (rule)
			known_write_reasons(rule, &known, &w);
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
