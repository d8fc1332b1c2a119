#include "active/identify/prefilter_inner.h"
#include "active/identify/core_inner.h"
#include "base/log.h"
#include <ctype.h>
#include <openssl/evp.h>
#include <stdlib.h>

enum {
	EXPRESSION_MAX = RULE_LITERALS_MAX * 128, /* every byte of a literal is written \xHH */
	REPEATS_MAX = 4096, /* all counts of an expression multiplied: compiling more takes minutes */
	ASKED_BEFORE_BUILD = 2000,
};

/*
 * Where a pattern is about characters and not bytes, two letters have a third case (Unicode's
 * CaseFolding.txt): the Kelvin sign is a k, the long s an s.
 */
static bool third_case_write(char c, struct writer *w)
{
	if (c != 'k' && c != 's')
		return false;
	write_text(w, c == 'k' ? "(?:k|\\xe2\\x84\\xaa)" : "(?:s|\\xc5\\xbf)");
	return true;
}

/* "abc|def" as \x61\x62\x63|…: no character of it means anything. */
static void literals_write(const struct rule *rule, struct writer *w)
{
	bool wide = (rule->options & PCRE2_UTF) && (rule->options & PCRE2_CASELESS);
	for (size_t i = 0; i < rule->literal_count; i++) {
		if (i)
			write_u8(w, '|');
		for (const char *c = rule->literals[i]; *c; c++)
			if (!wide || !third_case_write(*c, w))
				write_fmt(w, "\\x%02x", (uint8_t)*c);
	}
}

/* {n,m} within {n,m} is what makes an automaton large. */
static bool repeats_much(struct bytes p)
{
	uint64_t product = 1, number = 0;
	bool counting = false;
	for (size_t i = 0; i < p.len; i++) {
		uint8_t c = p.at[i];
		if (counting && isdigit(c)) {
			number = number * 10 + (c - '0');
		} else if (counting) {
			if (c == '}' && number > 1)
				product *= number;
			counting = c == ',';
			number = 0;
		} else {
			counting = c == '{';
		}
		if (number > REPEATS_MAX || product > REPEATS_MAX)
			return true;
	}
	return false;
}

static bool literals_expression(struct identify *id, const struct rule *rule, struct expression *out)
{
	char room[EXPRESSION_MAX];
	struct writer w = writer_of(room, sizeof room);
	literals_write(rule, &w);
	out->flags = HS_FLAG_SINGLEMATCH | HS_FLAG_CASELESS;
	out->text = w.bad ? NULL : arena_text(&id->arena, writer_bytes(&w));
	return out->text;
}

/*
 * A pattern with characters beyond ASCII counts characters where Hyperscan, whose banners may be
 * any bytes, counts bytes; only its fixed strings are the same to both.
 */
static bool core_expression(struct identify *id, const struct rule *rule, struct expression *out)
{
	struct bytes core = pattern_core(bytes_of_text(rule->pattern));
	if ((rule->options & PCRE2_UTF) || core.len >= EXPRESSION_MAX || repeats_much(core))
		return false;
	out->flags = HS_FLAG_SINGLEMATCH | HS_FLAG_MULTILINE | HS_FLAG_ALLOWEMPTY | HS_FLAG_PREFILTER;
	out->flags |= rule->options & PCRE2_CASELESS ? HS_FLAG_CASELESS : 0;
	out->flags |= rule->options & PCRE2_DOTALL ? HS_FLAG_DOTALL : 0;
	out->text = arena_text(&id->arena, core);
	return out->text;
}

/* False when Hyperscan cannot tell for certain that the rule does not match. */
static bool rule_express(struct identify *id, struct prefilter *p, const struct rule *rule, size_t at)
{
	struct expression *ever = &p->expressions[PREFILTER_EVER][at];
	struct expression *with_digit = &p->expressions[PREFILTER_WITH_DIGIT][at];
	if (rule->literal_count && !rule->digit_instead)
		return literals_expression(id, rule, ever);
	if (!core_expression(id, rule, rule->digit_instead || rule->needs_digit ? with_digit : ever))
		return false;
	return !rule->digit_instead || literals_expression(id, rule, ever);
}

static int rules_order(struct identify *id, struct rule_key *key)
{
	size_t n = 0;
	for (const struct rule_file *f = key->files; f; f = f->next)
		for (const struct rule *r = f->first; r; r = r->next)
			n++;
	key->rules = arena_alloc(&id->arena, (n + 1) * sizeof *key->rules);
	if (!key->rules)
		return ERR_MEMORY;
	for (const struct rule_file *f = key->files; f; f = f->next)
		for (struct rule *r = f->first; r; r = r->next)
			key->rules[key->rule_count++] = r;
	return 0;
}

/* Another processor has other instructions, another Hyperscan another layout. */
static void digest_of(struct prefilter *p, size_t count)
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	hs_platform_info_t platform = {0};
	unsigned n = 0;
	hs_populate_platform(&platform);
	bool good = c && EVP_DigestInit_ex(c, EVP_sha256(), NULL) &&
		    EVP_DigestUpdate(c, hs_version(), strlen(hs_version()) + 1) &&
		    EVP_DigestUpdate(c, &platform, sizeof platform);
	for (size_t i = 0; good && i < count * PREFILTER_PARTS; i++) {
		const struct expression *e = &p->expressions[i % PREFILTER_PARTS][i / PREFILTER_PARTS];
		const char *text = e->text ? e->text : "";
		good = EVP_DigestUpdate(c, text, strlen(text) + 1) &&
		       EVP_DigestUpdate(c, &e->flags, sizeof e->flags);
	}
	if (!good || !EVP_DigestFinal_ex(c, p->digest, &n))
		p->failed = true;
	EVP_MD_CTX_free(c);
}

static void set_bit(uint64_t *words, size_t i) { words[i / 64] |= (uint64_t)1 << i % 64; }

int prefilter_prepare(struct identify *id, struct rule_key *key)
{
	struct prefilter *p = arena_alloc(&id->arena, sizeof *p);
	if (!p || rules_order(id, key) != 0)
		return ERR_MEMORY;
	size_t n = key->rule_count;
	p->words = (n + 63) / 64;
	p->always = arena_alloc(&id->arena, (p->words + 1) * sizeof *p->always);
	p->found = arena_alloc(&id->arena, (p->words + 1) * sizeof *p->found);
	if (!p->always || !p->found)
		return ERR_MEMORY;
	for (size_t part = 0; part < PREFILTER_PARTS; part++)
		if (!(p->expressions[part] = arena_alloc(&id->arena, (n + 1) * sizeof **p->expressions)))
			return ERR_MEMORY;
	for (size_t i = 0; i < n; i++)
		if (!rule_express(id, p, key->rules[i], i))
			set_bit(p->always, i);
	digest_of(p, n);
	key->prefilter = p;
	return 0;
}

/* The expressions that Hyperscan is given, side by side as it wants them. */
struct batch {
	const char **expressions;
	unsigned *flags, *ids, count;
};

static void batch_fill(struct batch *b, const struct rule_key *key, enum prefilter_part part)
{
	const struct expression *e = key->prefilter->expressions[part];
	b->count = 0;
	for (unsigned i = 0; i < key->rule_count; i++) {
		if (!e[i].text)
			continue;
		b->expressions[b->count] = e[i].text;
		b->flags[b->count] = e[i].flags;
		b->ids[b->count++] = i;
	}
}

/* What Hyperscan refuses is tried always, and the rest once more. */
static int batch_compile(struct batch *b, const struct rule_key *key, enum prefilter_part part)
{
	struct prefilter *p = key->prefilter;
	for (;;) {
		hs_compile_error_t *error = NULL;
		batch_fill(b, key, part);
		if (b->count == 0 ||
		    hs_compile_multi(b->expressions, b->flags, b->ids, b->count, HS_MODE_BLOCK, NULL,
				     &p->parts[part], &error) == HS_SUCCESS)
			return 0;
		int at = error ? error->expression : -1;
		hs_free_compile_error(error);
		if (at < 0 || (unsigned)at >= b->count)
			return ERR_BAD;
		p->expressions[part][b->ids[at]].text = NULL;
		set_bit(p->always, b->ids[at]);
	}
}

static int prefilter_use(const struct identify *id, struct prefilter *p)
{
	for (size_t i = 0; i < PREFILTER_PARTS; i++)
		if (p->parts[i] && hs_alloc_scratch(p->parts[i], &id->prefilters->scratch) != HS_SUCCESS)
			return ERR_MEMORY;
	p->ready = true;
	return 0;
}

int prefilter_compile(const struct identify *id, struct rule_key *key)
{
	size_t n = key->rule_count + 1;
	struct batch b = {calloc(n, sizeof *b.expressions), calloc(n, sizeof *b.flags),
			  calloc(n, sizeof *b.ids), 0};
	int result = b.expressions && b.flags && b.ids ? 0 : ERR_MEMORY;
	for (size_t part = 0; result == 0 && part < PREFILTER_PARTS; part++)
		result = batch_compile(&b, key, part);
	free(b.expressions);
	free(b.flags);
	free(b.ids);
	result = result ? result : prefilter_use(id, key->prefilter);
	if (result != 0)
		prefilter_close(key->prefilter);
	key->prefilter->failed = result != 0;
	return result;
}

static int part_write(const hs_database_t *part, struct buffer *out)
{
	char *serialized = NULL;
	size_t len = 0;
	if (part && hs_serialize_database(part, &serialized, &len) != HS_SUCCESS)
		return ERR_MEMORY;
	uint64_t size = len;
	bool good = buffer_append(out, &size, sizeof size) == 0 && buffer_append(out, serialized, len) == 0;
	free(serialized);
	return good ? 0 : ERR_MEMORY;
}

/* Which rules Hyperscan does not know stands before the databases: a few it may have refused. */
int prefilter_write(const struct rule_key *key, struct buffer *out)
{
	const struct prefilter *p = key->prefilter;
	int result = buffer_append(out, p->always, p->words * sizeof *p->always);
	for (size_t i = 0; result == 0 && i < PREFILTER_PARTS; i++)
		result = part_write(p->parts[i], out);
	return result;
}

static bool part_take(struct reader *r, hs_database_t **part)
{
	uint64_t size = 0;
	struct bytes head = read_bytes(r, sizeof size);
	if (!reader_ok(r))
		return false;
	memcpy(&size, head.at, sizeof size);
	struct bytes serialized = read_bytes(r, size <= reader_left(r) ? (size_t)size : SIZE_MAX);
	return reader_ok(r) && (size == 0 || hs_deserialize_database((const char *)serialized.at, serialized.len,
								     part) == HS_SUCCESS);
}

int prefilter_take(const struct identify *id, struct rule_key *key, struct bytes b)
{
	struct prefilter *p = key->prefilter;
	struct reader r = reader_of(b.at, b.len);
	struct bytes always = read_bytes(&r, p->words * sizeof *p->always);
	bool good = reader_ok(&r);
	for (size_t i = 0; good && i < PREFILTER_PARTS; i++)
		good = part_take(&r, &p->parts[i]);
	if (!good || reader_left(&r) || prefilter_use(id, p) != 0) {
		prefilter_close(p);
		return ERR_BAD;
	}
	memcpy(p->always, always.at, always.len);
	return 0;
}

void prefilter_close(struct prefilter *p)
{
	for (size_t i = 0; p && i < PREFILTER_PARTS; i++) {
		hs_free_database(p->parts[i]);
		p->parts[i] = NULL;
	}
	if (p)
		p->ready = false;
}

static int rule_found(unsigned rule, unsigned long long from, unsigned long long to, unsigned flags,
		      void *found)
{
	(void)from, (void)to, (void)flags;
	set_bit(found, rule);
	return 0;
}

/* It pays only where many banners come; what was compiled is kept for the next time. */
static void build_when_busy(const struct identify *id, struct rule_key *key)
{
	const struct prefilters *common = id->prefilters;
	struct prefilter *p = key->prefilter;
	if (common->build != IDENTIFY_BUILD_WHEN_BUSY || p->failed || ++p->asked != ASKED_BEFORE_BUILD)
		return;
	if (prefilter_compile(id, key) == 0 && common->cache && prefilter_save(key, common->cache) != 0)
		log_debug("identify: the compiled rules of %s could not be kept in %s", key->name,
			  common->cache);
}

static bool has_digit(struct bytes b)
{
	bool found = false;
	for (size_t i = 0; i < b.len; i++)
		found |= (uint8_t)(b.at[i] - '0') < 10;
	return found;
}

static bool part_scan(const struct identify *id, struct prefilter *p, enum prefilter_part part,
		      struct bytes banner)
{
	const char *text = banner.at ? (const char *)banner.at : "";
	return !p->parts[part] || hs_scan(p->parts[part], text, (unsigned)banner.len, 0,
					  id->prefilters->scratch, rule_found, p->found) == HS_SUCCESS;
}

void prefilter_seek(const struct identify *id, struct rule_key *key, struct bytes banner)
{
	struct prefilter *p = key->prefilter;
	if (!p->ready)
		build_when_busy(id, key);
	memcpy(p->found, p->always, p->words * sizeof *p->found);
	if (p->ready && part_scan(id, p, PREFILTER_EVER, banner) &&
	    (!p->parts[PREFILTER_WITH_DIGIT] || !has_digit(banner) ||
	     part_scan(id, p, PREFILTER_WITH_DIGIT, banner)))
		return;
	memset(p->found, 0xff, p->words * sizeof *p->found);
}

size_t prefilter_next(const struct rule_key *key, size_t at)
{
	const struct prefilter *p = key->prefilter;
	for (size_t word = at / 64; word < p->words; word++) {
		uint64_t bits = p->found[word];
		if (word == at / 64)
			bits &= ~(uint64_t)0 << at % 64;
		if (bits) {
			size_t found = word * 64 + (size_t)__builtin_ctzll(bits);
			return found < key->rule_count ? found : key->rule_count;
		}
	}
	return key->rule_count;
}
