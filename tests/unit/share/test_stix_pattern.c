/* Patterns of STIX (2.1, part 9): what they name, and what is none. */
#include "share/stix/pattern_inner.h"
#include "tests/test.h"

static const struct { const char *pattern, *names; } patterns[] = {
	{"[ipv4-addr:value = '198.51.100.1']", "1 ipv4-addr:value 198.51.100.1\n"},
	{"[file:hashes.'SHA-256' = 'aa' OR file:hashes.MD5 == 'bb']", "1 file:hashes.SHA-256 aa\n1 file:hashes.MD5 bb\n"},
	{"[url:value = 'a\\'b\\\\c']", "1 url:value a'b\\c\n"},
	{"[ipv4-addr:value IN ('1', '2')] AND [domain-name:value = 'x.example']",
	 "1 ipv4-addr:value 1\n1 ipv4-addr:value 2\n2 domain-name:value x.example\n"},
	{"([a:b = 'x' AND a:c = 7] OR [a:d = 'y']) WITHIN 300 SECONDS", "1 joined a:b x\n1 joined a:c 7\n2 a:d y\n"},
	{"[a:b[*].c[0] = 'x'] REPEATS 5 TIMES START t'2014-06-29T00:00:00Z' STOP t'2014-07-01T00:00:00Z'", "1 a:b.c x\n"},
	{"[a:b NOT = 'x' OR a:b NOT IN ('y') OR a:b != 'z' OR a:b LIKE 'w%' OR a:n > 5 OR a:b MATCHES '^v$']", ""},
	{"[(a:b = 'x' OR a:b = 'y') AND a:n = true]", "1 joined a:b x\n1 joined a:b y\n1 joined a:n true\n"},
	{"[ipv4-addr:value ISSUBSET '198.51.100.0/24'] FOLLOWEDBY [a:h = h'ffc3']",
	 "1 ipv4-addr:value 198.51.100.0/24\n2 a:h ffc3\n"},
	{"[a:b = -3.5]", "1 a:b -3.5\n"},
	{"[]", ""},
	{"[a:b = 'x'", NULL}, {"a:b = 'x'", NULL}, {"", NULL}, {"[a:b = ]", NULL}, {"[a:b = 'x]", NULL}, {"[[a:b = 'x']]", NULL},
	{"[a:b = 'x'])", NULL}, {"[a:'b = 'x']", NULL}, {"[a:b IN ('x']", NULL}, {"[a:b[1 = 'x']", NULL}, {"[= 'x']", NULL},
};

TEST(stix_patterns_name_what_they_compare)
{
	static struct stix_pattern p;
	for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
		struct arena arena = ARENA(1u << 20);
		char room[1024];
		struct writer w = writer_of(room, sizeof room);
		const char *wrong = stix_pattern_read(bytes_of_text(patterns[i].pattern), &arena, &p);
		CHECK_SAY(!wrong == (patterns[i].names != NULL), "%s: %s", patterns[i].pattern, wrong ? wrong : "it was read");
		for (size_t k = 0; !wrong && k < p.count; k++) {
			write_fmt(&w, "%u %s", p.list[k].observation, p.list[k].joined ? "joined " : "");
			write_span(&w, p.list[k].path);
			write_text(&w, " ");
			write_span(&w, p.list[k].value);
			write_text(&w, "\n");
		}
		CHECK_SAY(wrong || bytes_equal_text(writer_bytes(&w), patterns[i].names), "%s: %.*s", patterns[i].pattern,
			  (int)writer_used(&w), room);
		arena_done(&arena);
	}
}
