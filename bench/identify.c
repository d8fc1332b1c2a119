/*
 * Identification: banners a core-second for hits, mixed and misses, with kansoku's rules and as many more
 * generated ones as it takes to have 4,600 patterns; beside it the same banners by PCRE2 with JIT, rule by
 * rule in the same order, which is what reading Recog's files plainly comes to.
 *
 *   make build/plain/program/bench/identify && build/plain/program/bench/identify [PATTERNS]
 *
 * A generated rule is one of ours whose letters are moved on by one within vowels and consonants, so that it
 * has the same structure and other words.  Hits are the examples of the rules, mixed is one of those
 * to nine others, misses are lines of no device.
 */
#include "active/identify/prefilter_inner.h"
#include <ctype.h>
#include <stdlib.h>
#include <time.h>

#define BANNERS_MAX 65536
#define KEYS_MAX 64
#define SECONDS_EACH 1.0

struct banner {
	const char *key;
	struct bytes text;
};

struct corpus {
	struct banner items[BANNERS_MAX];
	size_t count;
};

static double cpu_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* b -> c … z -> b without the vowels, a -> e … u -> a. */
static char letter_moved(char c)
{
	static const char rings[2][22] = {"aeioua", "bcdfghjklmnpqrstvwxyzb"};
	for (size_t ring = 0; ring < 2; ring++) {
		const char *at = strchr(rings[ring], tolower((unsigned char)c));
		if (at && *at && isalpha((unsigned char)c))
			return (char)(isupper((unsigned char)c) ? toupper((unsigned char)at[1]) : at[1]);
	}
	return c;
}

/* Letters that stand for themselves; escapes, classes and group heads stay. */
static void pattern_moved(const char *p, struct buffer *out)
{
	bool in_class = false;
	for (size_t i = 0; p[i]; i++) {
		char c = p[i];
		if (c == '\\' && p[i + 1]) {
			buffer_append(out, p + i, 2);
			i++;
			continue;
		}
		in_class = c == '[' || (in_class && c != ']');
		bool head = i > 0 && (p[i - 1] == '?' || (i > 1 && p[i - 2] == '?' && p[i - 1] == '<'));
		bool realm = strncmp(p + i, "realm", 5) == 0 || strncmp(p + i, "CN", 2) == 0;
		if (realm) {
			buffer_append(out, p + i, p[i] == 'C' ? 2 : 5);
			i += p[i] == 'C' ? 1 : 4;
			continue;
		}
		char moved = in_class || head ? c : letter_moved(c);
		buffer_append(out, &moved, 1);
	}
}

static void attribute_write(struct buffer *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		const char *as = text[i] == '&' ? "&amp;" : text[i] == '<' ? "&lt;" : text[i] == '"' ? "&quot;" : NULL;
		buffer_append(out, as ? as : text + i, as ? strlen(as) : 1);
	}
}

/* One more file a key, with the first `count` rules of it moved. */
static size_t generate(const struct identify *own, size_t want, struct identify_file *files, size_t *file_count)
{
	size_t made = 0;
	for (const struct rule_key *k = own->keys; k && made < want; k = k->next) {
		struct buffer *text = calloc(1, sizeof *text), moved = BUFFER((size_t)1 << 20);
		char head[256], name[128];
		*text = BUFFER((size_t)RULE_FILE_BYTES_MAX);
		int n = snprintf(head, sizeof head, "<fingerprints matches=\"%s\" preference=\"0.05\">", k->name);
		buffer_append(text, head, (size_t)n);
		for (size_t i = 0; i < k->rule_count && made < want; i++, made++) {
			const struct rule *r = k->rules[i];
			buffer_consume(&moved, buffer_len(&moved));
			pattern_moved(r->pattern, &moved);
			n = snprintf(head, sizeof head, "<fingerprint flags=\"%s\" pattern=\"",
				     r->options & PCRE2_CASELESS ? "REG_ICASE" : "");
			buffer_append(text, head, (size_t)n);
			struct bytes b = buffer_bytes(&moved);
			attribute_write(text, (const char *)b.at, b.len);
			static const char tail[] = "\"><param pos=\"0\" name=\"hw.device\" value=\"Other\"/></fingerprint>\n";
			buffer_append(text, tail, sizeof tail - 1);
		}
		buffer_append(text, "</fingerprints>", 15);
		n = snprintf(name, sizeof name, "generated_%zu.xml", *file_count);
		files[(*file_count)++] = (struct identify_file){strndup(name, (size_t)n), buffer_bytes(text)};
		buffer_done(&moved);
	}
	return made;
}

static void corpus_add(struct corpus *c, const char *key, struct bytes text)
{
	if (c->count < BANNERS_MAX)
		c->items[c->count++] = (struct banner){key, text};
}

static void hits_fill(const struct identify *own, struct corpus *c)
{
	for (const struct rule_key *k = own->keys; k; k = k->next)
		for (size_t i = 0; i < k->rule_count; i++)
			for (size_t e = 0; e < k->rules[i]->example_count; e++)
				corpus_add(c, k->name, k->rules[i]->examples[e].text);
	for (size_t i = c->count; i > 1; i--) { /* no branch is learnt by heart */
		size_t at = (size_t)rand() % i;
		struct banner swap = c->items[i - 1];
		c->items[i - 1] = c->items[at];
		c->items[at] = swap;
	}
}

/* What hosts on the Internet say that are no device: shops, blogs, shells, web servers, certificates. */
static void misses_fill(struct corpus *c)
{
	static const char *const words[] = {
		"flowers", "garden", "kitchen", "bakery", "holiday", "village", "mountain", "football", "cooking",
		"recipes", "library", "science", "history", "poetry", "painting", "weather", "forecast", "museum",
		"theatre", "concert", "festival", "bicycle", "running", "swimming", "yoga", "dentist", "lawyer",
		"insurance", "real estate", "wedding", "photos", "jewellery", "fashion", "shoes", "coffee"};
	static const char *const shapes[][2] = {
		{"html_title", "%s and %s | %s blog"}, {"html_title", "The %s %s shop - %s"},
		{"html_title", "%s"},                  {"telnet.banner", "\r\nUnauthorised use is prohibited. %s %s %s"},
		{"telnet.banner", "%s-%s %s"},         {"http_header.server", "%s"},
		{"http_header.server", "openresty"},   {"http_header.wwwauth", "Basic realm=\"%s of the %s\""},
		{"http_header.cookie", "%s_id=82a7bd00f1; path=/"}, {"x509.subject", "CN=www.%s-%s.example"},
		{"http_header.wwwauth", "Digest realm=\"%s\", nonce=\"8f7a2b\""}};
	enum { SHAPES = sizeof shapes / sizeof *shapes, WORDS = sizeof words / sizeof *words };
	for (size_t i = 0; i < 8192; i++) {
		char text[256];
		const char *const *shape = shapes[i % SHAPES];
		const char *w[3];
		for (size_t n = 0; n < 3; n++)
			w[n] = words[(size_t)rand() % WORDS];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-extra-args"
		int n = snprintf(text, sizeof text, shape[1], w[0], w[1], w[2]);
#pragma GCC diagnostic pop
		corpus_add(c, shape[0], (struct bytes){(const uint8_t *)strndup(text, (size_t)n), (size_t)n});
	}
}

/* Rule by rule, with PCRE2's JIT, until one matches. */
static bool match_plainly(const struct identify *id, const char *key, struct bytes banner, struct identify_hit *hit)
{
	const struct rule_key *k = rules_key(id, key);
	struct bytes s = banner_cut(banner_plain(id, banner_kind(key), banner));
	for (size_t i = 0; k && i < k->rule_count; i++)
		if (fingerprint_matches(id, k->rules[i], s)) {
			rule_fill(id, k->rules[i], s, hit);
			return true;
		}
	return false;
}

typedef bool match_f(const struct identify *, const char *, struct bytes, struct identify_hit *);

static double rate(const struct identify *id, const struct corpus *c, match_f *match, size_t *matched)
{
	static struct identify_hit hit;
	double start = cpu_s(), spent;
	size_t n = 0;
	*matched = 0;
	do {
		const struct banner *b = &c->items[n % c->count];
		*matched += match(id, b->key, b->text, &hit);
		n++;
		spent = n % 64 ? 0 : cpu_s() - start;
	} while (spent < SECONDS_EACH || n < c->count);
	*matched = *matched * 100 / n;
	return (double)n / spent;
}

static void mix(const struct corpus *hits, const struct corpus *misses, struct corpus *out)
{
	for (size_t i = 0; i < 32768; i++)
		out->items[out->count++] = i % 10 == 0 ? hits->items[i / 10 % hits->count]
						       : misses->items[i % misses->count];
}

static void compare(const struct identify *id, const char *what, const struct corpus *c, const char *key)
{
	static struct corpus only;
	const struct corpus *used = c;
	size_t ours_matched, plain_matched;
	if (key) {
		only.count = 0;
		for (size_t i = 0; i < c->count; i++)
			if (strcmp(c->items[i].key, key) == 0)
				only.items[only.count++] = c->items[i];
		used = &only;
	}
	if (!used->count)
		return;
	double ours = rate(id, used, identify_match, &ours_matched);
	double plain = rate(id, used, match_plainly, &plain_matched);
	printf("  %-8s %-20s %9.0f a core-second (%zu %% matched), rule by rule %8.0f: %.1f times\n", what,
	       key ? key : "all keys", ours, ours_matched, plain, ours / plain);
	if (ours_matched != plain_matched)
		printf("  DIFFERENT: rule by rule %zu %% matched\n", plain_matched);
}

int main(int argc, char **argv)
{
	static struct identify_file files[KEYS_MAX * 2];
	static struct corpus hits, misses, mixed;
	const char *const directory = "fingerprints";
	size_t want = argc > 1 ? (size_t)strtoul(argv[1], NULL, 10) : 4600, files_count = 0, skipped = 0;
	struct identify *own, *id;
	struct fault fault;
	if (identify_open(&own, &directory, 1, &fault, &skipped) != 0 || skipped) {
		fprintf(stderr, "%s\n", fault.text);
		return 1;
	}
	size_t more = identify_rule_count(own) < want ? want - identify_rule_count(own) : 0;
	generate(own, more, files, &files_count);
	for (const struct rule_key *k = own->keys; k; k = k->next)
		for (const struct rule_file *f = k->files; f; f = f->next) {
			FILE *in = fopen(f->path, "rb");
			uint8_t *text = malloc((size_t)RULE_FILE_BYTES_MAX);
			size_t n = in ? fread(text, 1, (size_t)RULE_FILE_BYTES_MAX, in) : 0;
			files[files_count++] = (struct identify_file){f->path, {text, n}};
			fclose(in);
		}
	double start = cpu_s();
	if (identify_open_files(&id, files, files_count, &fault, &skipped) != 0)
		return 1;
	printf("%zu rules (%zu of them generated, %zu could not be made): read in %.2f s", identify_rule_count(id),
	       more, skipped, cpu_s() - start);
	start = cpu_s();
	size_t missing = identify_prefilter(id, NULL, IDENTIFY_BUILD_NOW);
	printf(", prefilter compiled in %.2f s, %zu keys without\n", cpu_s() - start, missing);
	hits_fill(own, &hits);
	misses_fill(&misses);
	mix(&hits, &misses, &mixed);
	compare(id, "hits", &hits, NULL);
	compare(id, "mixed", &mixed, NULL);
	compare(id, "misses", &misses, NULL);
	for (const struct rule_key *k = id->keys; k; k = k->next) {
		compare(id, "hits", &hits, k->name);
		compare(id, "misses", &misses, k->name);
	}
	return 0;
}
