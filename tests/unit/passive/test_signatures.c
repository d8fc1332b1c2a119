/* The language of conditions and the files that hold it. */
#include "passive/telescope/signatures.h"
#include "tests/test.h"
#include <stdlib.h>

static struct packet_batch batch;

static void batch_clear(unsigned count)
{
	memset(&batch, 0, sizeof batch);
	batch.count = count;
	for (unsigned i = 0; i < count; i++) {
		batch.column[COLUMN_VERSION][i] = 4;
		batch.column[COLUMN_PROTO][i] = 6;
		batch.column[COLUMN_FLAGS][i] = 2;
		batch.column[COLUMN_WSCALE][i] = NO_WSCALE;
	}
}

static struct signatures *set_of(const char *text)
{
	struct signatures *s;
	struct fault fault = {0};
	CHECK(signatures_open(&s) == 0);
	int bad = signatures_add(s, bytes_of_text(text), "test.yaml", &fault);
	CHECK_SAY(!bad, "%s", fault.text);
	return s;
}

/* The lanes that fulfil one condition, as bits. */
static uint32_t lanes_of(const char *condition)
{
	char text[2400];
	uint8_t rule[PACKET_BATCH];
	uint32_t lanes = 0;
	snprintf(text, sizeof text, "tools:\n- tool: it\n  when: >-\n    %s\n", condition);
	struct signatures *s = set_of(text);
	signatures_match(s, &batch, rule);
	for (unsigned i = 0; i < PACKET_BATCH; i++)
		lanes |= (uint32_t)(rule[i] == 1) << i;
	signatures_close(s);
	return lanes;
}

static void check_lanes(const char *condition, uint32_t expected)
{
	uint32_t lanes = lanes_of(condition);
	CHECK_SAY(lanes == expected, "%s: lanes %08x, %08x expected", condition, lanes, expected);
}

TEST(signatures_compare_columns)
{
	batch_clear(32);
	for (unsigned i = 0; i < 32; i++)
		batch.column[COLUMN_TTL][i] = i;
	check_lanes("ttl == 5", 1u << 5);
	check_lanes("ttl != 5", ~(1u << 5));
	check_lanes("ttl < 3", 7);
	check_lanes("ttl <= 3", 15);
	check_lanes("ttl > 29", 3u << 30);
	check_lanes("ttl >= 29", 7u << 29);
	check_lanes("3 > ttl", 7);
	check_lanes("3 >= ttl", 15);
	check_lanes("29 < ttl", 3u << 30);
	check_lanes("29 <= ttl", 7u << 29);
	check_lanes("ttl in {1, 4..6, 31}", 1u << 31 | 7u << 4 | 2);
	check_lanes("ttl in 4..6", 7u << 4);
	check_lanes("ttl in {5, 4, 6..8, 7..9, 3, 20, 12..14, 13}", 0x7fu << 3 | 1u << 20 | 7u << 12);
	check_lanes("ttl in {0..0xffffffff, 7}", UINT32_MAX);
	check_lanes("ttl in {0xfffffff0..0xffffffff, 7..8, 9}", 7u << 7);
	check_lanes("ttl not in {1, 4..6, 31}", ~(1u << 31 | 7u << 4 | 2));
	check_lanes("not ttl in {1}", ~2u);
	check_lanes("flags == syn", UINT32_MAX);
	check_lanes("0x5 == ttl", 1u << 5);
}

TEST(signatures_compute_modulo_2_to_the_32)
{
	batch_clear(32);
	for (unsigned i = 0; i < 32; i++) {
		batch.column[COLUMN_SEQ][i] = 0x9e3779b9u * i;
		batch.column[COLUMN_DST][i] = 0xc0000200u + i;
		batch.column[COLUMN_DPORT][i] = 23 + i % 3;
		batch.column[COLUMN_IPID][i] =
			i & 1 ? ((0xc0000200u + i) ^ (23 + i % 3) ^ (0x9e3779b9u * i)) & 0xffff : 77;
		batch.column[COLUMN_TTL][i] = i;
		batch.time_us[i] = 1790000000000000ull + i * 1000000ull;
		batch.column[COLUMN_TSVAL][i] = 1790000000u;
	}
	check_lanes("ipid == (dst ^ dport ^ seq) & 0xffff", 0xaaaaaaaa);
	check_lanes("ipid == dst & 0xffff ^ dport ^ seq & 0xffff", 0xaaaaaaaa);
	check_lanes("ttl + 1 == 6", 1u << 5);
	check_lanes("ttl - 6 == 0xffffffff", 1u << 5);
	check_lanes("5 - ttl == 2", 1u << 3);
	check_lanes("ttl * ttl == 81", 1u << 9);
	check_lanes("ttl << 1 == 10", 1u << 5);
	check_lanes("ttl >> 3 == 3", 0xffu << 24);
	check_lanes("ttl | 1 == 7", 3u << 6);
	check_lanes("ttl ^ 3 == 0", 1u << 3);
	check_lanes("ttl + 2 * 3 == 10", 1u << 4);
	check_lanes("(ttl + 2) * 3 == 12", 1u << 2);
	check_lanes("ttl == dport - 2", 7u << 21);
	check_lanes("ttl < dport - 2", (1u << 21) - 1);
	check_lanes("dport - 2 <= ttl", UINT32_MAX << 21);
	check_lanes("time - tsval <= 9", 0x3ff);
	check_lanes("seq >= 0x80000000 and seq < 0x80000000", 0);
	check_lanes("seq > dst", lanes_of("not seq <= dst"));
}

TEST(signatures_join_conditions_as_c_does)
{
	batch_clear(32);
	for (unsigned i = 0; i < 32; i++) {
		batch.column[COLUMN_TTL][i] = i & 1;
		batch.column[COLUMN_TOS][i] = i >> 1 & 1;
		batch.column[COLUMN_DF][i] = i >> 2 & 1;
		batch.column[COLUMN_MSS][i] = i >> 3 & 1;
	}
	/* Every truth table of four columns against the C compiler. */
#define SAME(condition, c)                                                     \
	do {                                                                   \
		uint32_t expected = 0;                                         \
		for (unsigned i = 0; i < 32; i++) {                            \
			bool A = i & 1, B = i & 2, C = i & 4, D = i & 8;       \
			(void)A, (void)B, (void)C, (void)D;                    \
			expected |= (uint32_t)(c) << i;                        \
		}                                                              \
		check_lanes(condition, expected);                              \
	} while (0)
	SAME("ttl == 1 and tos == 1 or df == 1 and mss == 1", (A && B) || (C && D));
	SAME("ttl == 1 or tos == 1 and df == 1 or mss == 1", A || (B && C) || D);
	SAME("(ttl == 1 or tos == 1) and (df == 1 or mss == 1)", (A || B) && (C || D));
	SAME("not ttl == 1 and tos == 1", !A && B);
	SAME("not (ttl == 1 and (tos == 1 or not df == 1) and mss == 1)", !(A && (B || !C) && D));
	SAME("not (ttl == 1 or tos == 1 and not (df == 1 or mss == 1))", !(A || (B && !(C || D))));
	SAME("((ttl == 1 or (tos == 1 and (df == 1 or mss == 0))) and not not tos == 1) or df != 1",
	     ((A || (B && (C || !D))) && B) || !C);
	SAME("ttl == 1 and (tos == 1 or (df == 1 and (mss == 1 or ttl == 0))) and mss == 0",
	     A && (B || (C && (D || !A))) && !D);
#undef SAME
}

TEST(signatures_layouts_are_those_of_the_packets)
{
	/* 20 + 20 bytes IPv4 and TCP with mss, nop, ws 8, nop, nop, sok; then the same without options. */
	static const uint8_t with[] = {
		0x45, 0, 0, 52, 0x12, 0x34, 0, 0, 64, 6, 0, 0, 198, 51, 100, 1, 192, 0, 2, 1,
		0x80, 0, 0, 23, 1, 2, 3, 4, 0, 0, 0, 0, 0x80, 2, 0xff, 0xff, 0, 0, 0, 0,
		2, 4, 5, 0xb4, 1, 3, 3, 8, 1, 1, 4, 2,
	};
	uint8_t without[40];
	struct packet_counts counts = {0};
	struct watched *watched;
	memcpy(without, with, sizeof without);
	without[3] = 40;
	without[32] = 0x50;
	CHECK(watched_open(&watched, NULL, 0) == 0);
	memset(&batch, 0, sizeof batch);
	CHECK(packet_take(&batch, &counts, watched, LINK_RAW, (struct bytes){with, sizeof with}, sizeof with, 1));
	CHECK(packet_take(&batch, &counts, watched, LINK_RAW, (struct bytes){without, sizeof without},
			  sizeof without, 1));
	watched_close(watched);
	CHECK(batch.count == 2);
	check_lanes("options == \"mss,nop,ws,nop,nop,sok\"", 1);
	check_lanes("options == \"mss, nop, ws, nop, nop, sok\" and mss == 1460 and wscale == 8 and df == 0", 1);
	check_lanes("options in {\"mss\", \"mss,nop,ws,nop,nop,sok\"}", 1);
	check_lanes("options == \"\"", 2);
	check_lanes("options != \"\"", 1);
	check_lanes("wscale == no_wscale", 2);
	check_lanes("proto == tcp and seq == 0x01020304 and dport == 23 and sport == 0x8000", 3);
	check_lanes("ipid == 0x1234 and ttl == 64 and length == 40", 2);
}

TEST(signatures_first_rule_has_the_packet_and_evidence_is_kept)
{
	uint8_t rule[PACKET_BATCH];
	struct signatures *s = set_of("tools:\n"
				      "- {tool: a, when: 'ttl < 4', evidence: 3, hostile: true}\n"
				      "- {tool: b, when: 'ttl < 8'}\n"
				      "- {tool: a, when: 'ttl == 9'}\n");
	batch_clear(20);
	for (unsigned i = 0; i < 32; i++)
		batch.column[COLUMN_TTL][i] = i;
	signatures_match(s, &batch, rule);
	for (unsigned i = 0; i < PACKET_BATCH; i++)
		CHECK(rule[i] == (i < 4 ? 1 : i < 8 ? 2 : i == 9 ? 3 : 0));
	CHECK(signatures_rules(s) == 3 && signatures_tools(s) == 2);
	CHECK(signatures_rule_evidence(s, 1) == 3 && signatures_rule_evidence(s, 2) == 1);
	CHECK(signatures_rule_tool(s, 1) == 1 && signatures_rule_tool(s, 2) == 2 && signatures_rule_tool(s, 3) == 1);
	CHECK(signatures_rule_tool(s, 0) == 0 && signatures_rule_tool(s, 4) == 0);
	CHECK(!strcmp(signatures_tool(s, 1), "a") && !strcmp(signatures_tool(s, 2), "b"));
	CHECK(signatures_tool(s, 0) == NULL && signatures_tool(s, 3) == NULL);
	CHECK(signatures_tool_hostile(s, 1) && !signatures_tool_hostile(s, 2) && !signatures_tool_hostile(s, 9));
	/* Lanes beyond the count are nobody, whatever stands there. */
	batch.count = 2;
	signatures_match(s, &batch, rule);
	CHECK(rule[1] == 1 && rule[2] == 0 && rule[9] == 0);
	batch.count = 0;
	signatures_match(s, &batch, rule);
	CHECK(rule[0] == 0);
	signatures_close(s);
}

struct mistake {
	const char *text, *said;
};

static void check_mistakes(const struct mistake *mistakes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct signatures *s;
		struct fault fault = {0};
		CHECK(signatures_open(&s) == 0);
		CHECK_SAY(signatures_add(s, bytes_of_text(mistakes[i].text), "own.yaml", &fault) < 0,
			  "taken: %s", mistakes[i].text);
		CHECK_SAY(!strcmp(fault.text, mistakes[i].said), "\nsaid:     %s\nexpected: %s", fault.text,
			  mistakes[i].said);
		CHECK(signatures_rules(s) == 0 && signatures_tools(s) == 0);
		CHECK(signatures_payload(s, 17, 53, BYTES("x")) == 0);
		signatures_close(s);
	}
}

TEST(signatures_say_what_is_wrong_with_a_condition)
{
#define WHEN(condition) "tools:\n- tool: it\n  when: " condition "\n"
	static const struct mistake mistakes[] = {
		{WHEN("windw == 1024"),
		 "own.yaml:3: when, column 1: there is no column or constant \"windw\", did you mean \"window\"?"},
		{WHEN("ttl == 64 and colour == 3"),
		 "own.yaml:3: when, column 15: there is no column or constant \"colour\", docs/signatures.md lists them"},
		{WHEN("ttl = 64"), "own.yaml:3: when, column 5: == would be right"},
		{WHEN("ttl == 64 && df == 1"), "own.yaml:3: when, column 11: `and`, `or`, `not` would be right"},
		{WHEN("df"), "own.yaml:3: when, column 3: a number stands where a condition is needed; compare it, as in df == 1"},
		{WHEN("df and ttl == 3"),
		 "own.yaml:3: when, column 4: a number stands where a condition is needed; compare it, as in df == 1"},
		{WHEN("(ttl == 3) + 1 == 2"), "own.yaml:3: when, column 16: a condition stands where a number is needed"},
		{WHEN("ttl == 64 df == 1"), "own.yaml:3: when, column 11: `and`, `or` or the end is needed here"},
		{WHEN("1 < ttl < 5"),
		 "own.yaml:3: when, column 9: comparisons do not chain; `a == b and b == c` would be right"},
		{WHEN("1 == 1"), "own.yaml:3: when, column 7: two constants are compared; one side must name a column"},
		{WHEN("ttl < 0"), "own.yaml:3: when, column 8: no number is below 0"},
		{WHEN("ttl > 0xffffffff"), "own.yaml:3: when, column 17: no number is above 4294967295"},
		{WHEN("ttl == 4294967296"), "own.yaml:3: when, column 8: above 4294967295, numbers have 32 bits"},
		{WHEN("ttl == 12ab"), "own.yaml:3: when, column 8: not a number; 1024 or 0x400 would be right"},
		{WHEN("(ttl == 1"), "own.yaml:3: when, column 10: a ) is missing here"},
		{WHEN("ttl =="), "own.yaml:3: when, column 7: a column, a number or ( is needed here"},
		{WHEN("ttl in {1, 2"), "own.yaml:3: when, column 13: a , or } is missing here"},
		{WHEN("ttl in {df}"), "own.yaml:3: when, column 11: a set holds constants, not columns"},
		{WHEN("ttl in 9..2"), "own.yaml:3: when, column 12: a range goes up, from a constant to a constant"},
		{WHEN("ttl not 5"), "own.yaml:3: when, column 9: `in` is needed after `not` here"},
		{WHEN("ttl << df == 5"), "own.yaml:3: when, column 11: a shift is by a constant from 0 to 31"},
		{WHEN("ttl << 32 == 5"), "own.yaml:3: when, column 11: a shift is by a constant from 0 to 31"},
		{WHEN("ttl == \"mss\""),
		 "own.yaml:3: when, column 13: a text in quotes is a layout of options; options == \"mss\" would be right"},
		{WHEN("options == \"mss,sackok\""),
		 "own.yaml:3: when, column 12: \"sackok\" is no option; eol, nop, mss, ws, sok, sack, ts, other are"},
		{WHEN("options == \"mss"), "own.yaml:3: when, column 12: the closing \" is missing"},
		{WHEN("ttl == $5"), "own.yaml:3: when, column 8: a sign that the language does not have"},
	};
	check_mistakes(mistakes, sizeof mistakes / sizeof *mistakes);
}

TEST(signatures_say_what_is_wrong_with_a_file)
{
	static const struct mistake mistakes[] = {
		{"# nothing\n", "own.yaml:1: empty; `tools:` or `payloads:` and a list would be right"},
		{"- x\n", "own.yaml:1: not a map; `tools:` or `payloads:` and a list would be right"},
		{"tool: []\n", "own.yaml:1: tool: there is no such option, did you mean \"tools\"?"},
		{"tools:\n  tool: x\n", "own.yaml:2: tools: not a list; `- {tool: …, when: …}` would be right"},
		{"tools:\n- {tool: ok, when: ttl == 1}\n- {tool: x}\n",
		 "own.yaml:3: tools[1].when: is missing, it must be given"},
		{"tools:\n- {tool: x, when: ttl == 1, evidence: 0}\n", "own.yaml:2: tools[0].evidence: 0 is below 1"},
		{"tools:\n- {tool: x, when: ttl == 1, evidnce: 2}\n",
		 "own.yaml:2: tools[0].evidnce: there is no such option, did you mean \"evidence\"?"},
		{"tools:\n- {tool: X Y, when: ttl == 1}\n",
		 "own.yaml:2: tool: \"X Y\" is not of small letters, digits, dots and dashes"},
		{"tools:\n- {tool: x, when: ttl == 1}\n- {tool: x, hostile: true, when: ttl == 2}\n",
		 "own.yaml:3: hostile: another rule of x says false, one of them is wrong"},
		{"payloads:\n- {name: x, proto: udp}\n",
		 "own.yaml:2: payloads[0]: takes every payload; a pattern or ports would be right"},
		{"payloads:\n- {name: x, proto: sctp, starts: a}\n",
		 "own.yaml:2: payloads[0].proto: \"sctp\" is not one of udp, tcp"},
		{"payloads:\n- {name: x, proto: udp, starts: '|0g|'}\n",
		 "own.yaml:2: pattern, column 2: between bars stand bytes as 0d, ??, 4?, c0/c0, ??*12"},
		{"payloads:\n- {name: x, proto: udp, starts: '|00'}\n",
		 "own.yaml:2: pattern, column 4: the closing | is missing"},
		{"payloads:\n- {name: x, proto: udp, starts: 'a\\q'}\n",
		 "own.yaml:2: pattern, column 3: behind \\ stands r, n, t, 0, \\, | or xHH"},
		{"payloads:\n- {name: x, proto: udp, starts: \"\\xe9\"}\n",
		 "own.yaml:2: pattern, column 2: a byte that is no plain letter or sign; |e9| would be right"},
		{"payloads:\n- name: x\n  proto: udp\n  at:\n    2: a\n    x: b\n",
		 "own.yaml:6: at: \"x\" is no offset from 0 to 1024"},
		{"payloads:\n- {name: x, proto: udp, starts: a, length: 9..3}\n",
		 "own.yaml:2: length: \"9..3\" is no length; 48, 8..64, 8.. or ..64 would be right"},
		{"payloads:\n- {name: x, proto: udp, starts: a, ports: [70000]}\n",
		 "own.yaml:2: payloads[0].ports[0]: 70000 is above 65535"},
	};
	check_mistakes(mistakes, sizeof mistakes / sizeof *mistakes);
}

TEST(signatures_a_file_with_an_error_adds_nothing)
{
	struct fault fault = {0};
	uint8_t rule[PACKET_BATCH];
	struct signatures *s = set_of("tools:\n- {tool: a, when: ttl == 1}\n"
				      "payloads:\n- {name: p, proto: udp, starts: a}\n");
	CHECK(signatures_add(s, BYTES("tools:\n- {tool: b, when: ttl == 2}\n- {tool: c, when: ttl}\n"), "b", &fault) < 0);
	CHECK(signatures_add(s, BYTES("payloads:\n- {name: q, proto: udp, starts: b}\n- {name: r, proto: udp}\n"),
			     "c", &fault) < 0);
	CHECK(signatures_rules(s) == 1 && signatures_tools(s) == 1);
	CHECK(signatures_payload(s, 17, 5, BYTES("b")) == 0 && signatures_payload(s, 17, 5, BYTES("a")) == 1);
	CHECK(signatures_add(s, BYTES("tools:\n- {tool: d, when: ttl == 2}\n"), "d", &fault) == 0);
	batch_clear(2);
	batch.column[COLUMN_TTL][0] = 1;
	batch.column[COLUMN_TTL][1] = 2;
	signatures_match(s, &batch, rule);
	CHECK(rule[0] == 1 && rule[1] == 2 && !strcmp(signatures_tool(s, 2), "d"));
	signatures_close(s);
}

TEST(signatures_bounds_are_told)
{
	static char text[200000];
	struct fault fault = {0};
	struct signatures *s;
	struct writer w = writer_of(text, sizeof text);
	write_text(&w, "tools:\n");
	for (unsigned i = 0; i < SIGNATURE_RULES_MAX; i++)
		write_fmt(&w, "- {tool: t%u, when: ttl == %u}\n", i % SIGNATURE_TOOLS_MAX, i);
	CHECK(signatures_open(&s) == 0);
	CHECK_SAY(signatures_add(s, writer_bytes(&w), "full", &fault) == 0, "%s", fault.text);
	CHECK(signatures_add(s, BYTES("tools:\n- {tool: t1, when: ttl == 1}\n"), "one", &fault) < 0);
	CHECK(!strcmp(fault.text, "one:2: tools[0]: more than 255 rules of tools"));
	signatures_close(s);
	/* Parentheses, and comparisons of one rule. */
	CHECK(signatures_open(&s) == 0);
	w = writer_of(text, sizeof text);
	write_text(&w, "tools:\n- tool: t\n  when: ");
	for (unsigned i = 0; i < 40; i++)
		write_text(&w, "(");
	CHECK(signatures_add(s, writer_bytes(&w), "deep", &fault) < 0);
	CHECK(!strcmp(fault.text, "deep:3: when, column 34: nested deeper than 32"));
	w = writer_of(text, sizeof text);
	write_text(&w, "tools:\n- tool: t\n  when: ttl == 0");
	for (unsigned i = 1; i < 100; i++)
		write_fmt(&w, " or ttl == %u", i);
	CHECK(signatures_add(s, writer_bytes(&w), "wide", &fault) < 0);
	CHECK(strstr(fault.text, "more than 128 comparisons"));
	signatures_close(s);
}

static unsigned payload_of(const char *rule, struct bytes payload)
{
	char text[600];
	snprintf(text, sizeof text, "payloads:\n- {name: it, proto: udp, %s}\n", rule);
	struct signatures *s = set_of(text);
	unsigned found = signatures_payload(s, 17, 77, payload);
	CHECK(signatures_payload(s, 6, 77, payload) == 0);
	signatures_close(s);
	return found;
}

TEST(signatures_patterns_are_text_and_bars_of_hex)
{
	CHECK(payload_of("starts: 'a|62 63|d'", BYTES("abcd")) == 1);
	CHECK(payload_of("starts: 'abcd'", BYTES("abc")) == 0);
	CHECK(payload_of("starts: 'abcd'", BYTES("xabcd")) == 0);
	CHECK(payload_of("starts: '|?? 6? ?3 60/e0|'", BYTES("\0\x6f\xf3\x7f")) == 1);
	CHECK(payload_of("starts: '|?? 6? ?3 60/e0|'", BYTES("\0\x6f\xf3\x5f")) == 0);
	CHECK(payload_of("starts: '|??*3 00*2|x'", BYTES("abc\0\0x")) == 1);
	CHECK(payload_of("starts: '|??*3 00*2|x'", BYTES("abc\0\1x")) == 0);
	CHECK(payload_of("starts: 'a\\r\\n\\t\\0\\\\\\|\\x7f'", BYTES("a\r\n\t\0\\|\x7f")) == 1);
	CHECK(payload_of("starts: \"a\\r\\n\"", BYTES("a\r\n")) == 1);
	CHECK(payload_of("at: {2: 'c', 4: 'e'}", BYTES("abcde")) == 1);
	CHECK(payload_of("at: {2: 'c', 4: 'e'}", BYTES("abcd")) == 0);
	CHECK(payload_of("starts: 'GeT'", BYTES("get")) == 0);
	CHECK(payload_of("starts: 'GeT', nocase: true", BYTES("gEt")) == 1);
	CHECK(payload_of("starts: 'Ge|54|', nocase: true", BYTES("get")) == 0);
	CHECK(payload_of("contains: 'cde'", BYTES("abcde")) == 1);
	CHECK(payload_of("contains: 'a-b'", BYTES("--a-b")) == 1);
	CHECK(payload_of("contains: 'a-b'", BYTES("-b")) == 0);
	CHECK(payload_of("contains: 'CDE', nocase: true", BYTES("abcde")) == 1);
	CHECK(payload_of("contains: ['cd', 'ab']", BYTES("abcde")) == 1);
	CHECK(payload_of("contains: ['cd', 'xy']", BYTES("abcde")) == 0);
	CHECK(payload_of("contains: '|?? ??|'", BYTES("a")) == 0);
	CHECK(payload_of("starts: 'a', length: 3..4", BYTES("ab")) == 0);
	CHECK(payload_of("starts: 'a', length: 3..4", BYTES("abc")) == 1);
	CHECK(payload_of("starts: 'a', length: 3..4", BYTES("abcde")) == 0);
	CHECK(payload_of("starts: 'a', length: ..2", BYTES("ab")) == 1);
	CHECK(payload_of("starts: 'a', length: 2", BYTES("abc")) == 0);
	CHECK(payload_of("starts: 'a', ports: [77, 78]", BYTES("abc")) == 1);
	CHECK(payload_of("starts: 'a', ports: [78]", BYTES("abc")) == 0);
	CHECK(payload_of("ports: [77], length: 1..", BYTES("z")) == 1);
	CHECK(payload_of("ports: [77]", (struct bytes){0}) == 0);
}

TEST(signatures_first_payload_rule_wins_with_a_port_or_without)
{
	struct signatures *s = set_of("payloads:\n"
				      "- {name: a, proto: udp, starts: 'abc'}\n"
				      "- {name: b, proto: udp, ports: [5], starts: 'ab', amplifies: true}\n"
				      "- {name: c, proto: udp, starts: 'a'}\n"
				      "- {name: d, proto: udp, ports: [5], starts: 'a'}\n"
				      "- {name: e, proto: udp, contains: 'z'}\n");
	CHECK(signatures_payload(s, 17, 5, BYTES("abc")) == 1);
	CHECK(signatures_payload(s, 17, 5, BYTES("abx")) == 2);
	CHECK(signatures_payload(s, 17, 6, BYTES("abx")) == 3);
	CHECK(signatures_payload(s, 17, 5, BYTES("axz")) == 3);
	CHECK(signatures_payload(s, 17, 5, BYTES("xz")) == 5);
	CHECK(signatures_payload(s, 17, 5, BYTES("x")) == 0);
	CHECK(signatures_payload(s, 6, 5, BYTES("abc")) == 0);
	CHECK(!strcmp(signatures_payload_name(s, 2), "b") && !signatures_payload_name(s, 0) &&
	      !signatures_payload_name(s, 6));
	CHECK(signatures_payload_amplifies(s, 2) && !signatures_payload_amplifies(s, 1) &&
	      !signatures_payload_amplifies(s, 0));
	signatures_close(s);
}
