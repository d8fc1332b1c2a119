/* The judge of sources and the telescope's signatures speak of the same tools and payloads. */
#include "analysis/intent.h"
#include "passive/telescope/signatures.h"
#include "tests/test.h"
#include <stdlib.h>

static struct signatures *load(void)
{
	static const char *const files[] = {"fingerprints/telescope/tools.yaml", "fingerprints/telescope/payloads.yaml"};
	static char text[1 << 20];
	struct signatures *s;
	struct fault fault = {0};
	CHECK(signatures_open(&s) == 0);
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		FILE *f = fopen(files[i], "rb");
		if (!f)
			SKIP("not run in the project's folder");
		size_t n = fread(text, 1, sizeof text, f);
		fclose(f);
		CHECK(n && n < sizeof text);
		CHECK_SAY(signatures_add(s, (struct bytes){(const uint8_t *)text, n}, files[i], &fault) == 0, "%s", fault.text);
	}
	return s;
}

TEST(words_each_tool_of_the_signatures_is_known_to_the_judge)
{
	struct signatures *s = load();
	CHECK(signatures_tools(s) >= 8);
	for (unsigned t = 1; t <= signatures_tools(s); t++) {
		const char *name = signatures_tool(s, t);
		enum intent_tool tool = INTENT_TOOL_UNKNOWN;
		CHECK_SAY(intent_tool_known(bytes_of_text(name), &tool), "analysis/words.c does not know %s", name);
		CHECK_SAY((tool == INTENT_TOOL_HOSTILE) == signatures_tool_hostile(s, t), "%s: hostile or not?", name);
	}
	enum intent_tool tool;
	CHECK(!intent_tool_known(BYTES("no such tool"), &tool) && !intent_tool_known(BYTES("zma"), &tool));
	signatures_close(s);
}

/* A name may stand for several rules; it asks for reflectors when one of them does. */
TEST(words_the_judge_knows_what_asks_for_reflectors)
{
	struct signatures *s = load();
	unsigned amplifying = 0;
	for (unsigned p = 1; signatures_payload_name(s, p); p++) {
		struct bytes name = bytes_of_text(signatures_payload_name(s, p));
		bool any = false;
		for (unsigned q = 1; signatures_payload_name(s, q); q++)
			any |= bytes_equal_text(name, signatures_payload_name(s, q)) && signatures_payload_amplifies(s, q);
		amplifying += any;
		CHECK_SAY(intent_asks_amplification(name) == any, "%.*s: analysis/words.c says %s, payloads.yaml %s",
			  (int)name.len, name.at, any ? "no" : "yes", any ? "yes" : "no");
	}
	CHECK(amplifying >= 50);
	signatures_close(s);
}
