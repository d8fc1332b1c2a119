#include "base/options.h"
#include "tests/test.h"

struct inner {
	struct prefix prefix;
	bool special;
};

struct outer {
	uint64_t port, wait_ms, room_bytes;
	double share;
	const char *name;
	int mode;
	struct option_list scope, pairs, ports;
	struct inner one;
};

static const struct option inner_options[] = {
	{.name = "prefix", .type = OPTION_PREFIX, .offset = offsetof(struct inner, prefix)},
	{.name = "special", .type = OPTION_BOOL, .offset = offsetof(struct inner, special), .fallback = "no"},
	{0},
};
static const char *const modes[] = {"fast", "slow", NULL};
static const struct option outer_options[] = {
	{.name = "port", .type = OPTION_NUMBER, .offset = offsetof(struct outer, port), .fallback = "23", .min = 1, .max = 65535},
	{.name = "wait", .type = OPTION_DURATION, .offset = offsetof(struct outer, wait_ms), .fallback = "5s"},
	{.name = "room", .type = OPTION_SIZE, .offset = offsetof(struct outer, room_bytes), .fallback = "64K"},
	{.name = "share", .type = OPTION_FRACTION, .offset = offsetof(struct outer, share), .fallback = "0.1"},
	{.name = "name", .type = OPTION_TEXT, .offset = offsetof(struct outer, name)},
	{.name = "mode", .type = OPTION_CHOICE, .offset = offsetof(struct outer, mode), .choices = modes, .fallback = "slow"},
	{.name = "scope", .type = OPTION_LIST, .offset = offsetof(struct outer, scope), .element = OPTION_MAP,
	 .fields = inner_options, .size = sizeof(struct inner)},
	{.name = "when", .type = OPTION_PAIRS, .offset = offsetof(struct outer, pairs)},
	{.name = "ports", .type = OPTION_LIST, .offset = offsetof(struct outer, ports), .element = OPTION_NUMBER,
	 .fallback = "[23, 80]", .max = 65535},
	{.name = "one", .type = OPTION_MAP, .offset = offsetof(struct outer, one), .fields = inner_options},
	{0},
};

static int bind_text(const char *text, struct outer *out, struct fault *fault)
{
	static struct arena arena;
	arena_done(&arena);
	arena = ARENA(1 << 20);
	struct yaml_node *root;
	int bad = yaml_read(bytes_of_text(text), "t.yaml", &arena, &root, fault);
	*out = (struct outer){0};
	return bad ? bad : options_bind(outer_options, root, "t.yaml", "a", &arena, out, fault);
}

TEST(options_all_have_defaults)
{
	struct outer o;
	struct fault f = {0};
	CHECK_SAY(bind_text("", &o, &f) == 0, "%s", f.text);
	CHECK(o.port == 23 && o.wait_ms == 5000 && o.room_bytes == 65536 && o.share == 0.1);
	CHECK(o.mode == 1 && o.name == NULL && o.ports.count == 2);
	CHECK(((uint64_t *)o.ports.items)[1] == 80);
}

TEST(options_are_read)
{
	struct outer o;
	struct fault f = {0};
	CHECK_SAY(bind_text("port: 2323\nwait: 250ms\nroom: 2 MiB\nshare: 0\nname: 観測\nmode: fast\n"
		       "scope:\n  - 192.0.2.0/24\n  - {prefix: '2001:db8::/32', special: yes}\n"
		       "when: {login.accepted: true, x: 1}\nports: 7\none: {special: on}\n",
		       &o, &f) == 0, "%s", f.text);
	struct inner *scope = o.scope.items;
	CHECK(o.port == 2323 && o.wait_ms == 250 && o.room_bytes == 2u << 20 && o.share == 0 && o.mode == 0);
	CHECK(!strcmp(o.name, "観測") && o.scope.count == 2 && scope[0].prefix.bits == 120);
	CHECK(!scope[0].special && scope[1].special && scope[1].prefix.bits == 32);
	CHECK(o.pairs.count == 2 && o.ports.count == 1 && o.one.special);
}

TEST(options_errors_say_where_what_and_what_would_be_right)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{"\nport: 70000\n", "t.yaml:2: a.port: 70000 is above 65535"},
		{"port: 0\n", "t.yaml:1: a.port: 0 is below 1"},
		{"port: x\n", "t.yaml:1: a.port: \"x\" is not a number"},
		{"prot: 1\n", "t.yaml:1: a.prot: there is no such option, did you mean \"port\"?"},
		{"wait: 5\n", "a.wait: \"5\" is not a duration such as 250ms"},
		{"mode: quick\n", "\"quick\" is not one of fast, slow"},
		{"scope: [{prefix: 1.2.3/8}]\n", "a.scope[0].prefix: \"1.2.3/8\" is not a prefix"},
		{"port: [1]\n", "a.port: is a list, a number is expected"},
		{"port: 1\nport: 2\n", "t.yaml:2: port: stands here twice"},
		{"share: 1.5\n", "is not a number from 0 to 1"},
		{"a: *b\n", "t.yaml:1: "},
		{"port: [\n", "t.yaml:"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct outer o;
		struct fault f = {0};
		CHECK_SAY(bind_text(cases[i].text, &o, &f) != 0, "%s was taken", cases[i].text);
		CHECK_SAY(strstr(f.text, cases[i].want), "%s: %s", cases[i].text, f.text);
	}
}

TEST(options_yaml_has_limits)
{
	static char deep[200];
	memset(deep, '[', 100);
	memset(deep + 100, ']', 99);
	struct outer o;
	struct fault f = {0};
	CHECK(bind_text(deep, &o, &f) != 0 && strstr(f.text, "nested too deeply"));
}
