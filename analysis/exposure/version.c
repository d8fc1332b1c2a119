#include "analysis/exposure/version_inner.h"
#include <ctype.h>

/* How a piece stands to the end of the other version at the same place. */
enum rank { BEFORE_RELEASE, RELEASE, AFTER_RELEASE, FURTHER_NUMBER };

struct piece {
	enum rank rank;
	unsigned word_rank; /* among words before a release */
	struct bytes text;  /* digits without leading zeros, or letters */
};

/* In the order in which they come before a release. */
static const char *const before_words[] = {"dev", "nightly", "snapshot", "pre", "preview", "a", "alpha", "b", "beta",
					   "m", "milestone", "rc", "cr", NULL};
/* They say that it is the release. */
static const char *const release_words[] = {"final", "ga", "release", "stable", NULL};

static size_t word_find(const char *const *words, struct bytes text)
{
	size_t i = 0;
	while (words[i] && !bytes_equal_nocase(text, words[i]))
		i++;
	return i;
}

static struct bytes take_run(struct bytes *rest, int (*is)(int))
{
	struct bytes run = {rest->at, 0};
	while (run.len < rest->len && is(rest->at[run.len]))
		run.len++;
	rest->at += run.len;
	rest->len -= run.len;
	return run;
}

/* "a" and "b" alone are letters of a release (1.0.2a); with a number behind (2.0b3) they come before it. */
static bool is_before(struct bytes word, struct bytes rest, unsigned *rank)
{
	size_t found = word_find(before_words, word);
	bool numbered = rest.len && isdigit(rest.at[0]);
	if (!before_words[found] || (word.len == 1 && !numbered))
		return false;
	*rank = (unsigned)found + 1;
	return true;
}

static struct piece take_piece(struct bytes *rest)
{
	while (rest->len && !isalnum(rest->at[0]) && rest->at[0] != '~') {
		rest->at++;
		rest->len--;
	}
	if (rest->len == 0)
		return (struct piece){.rank = RELEASE};
	if (rest->at[0] == '~') { /* Debian's: before whatever is without it */
		rest->at++;
		rest->len--;
		return (struct piece){.rank = BEFORE_RELEASE};
	}
	if (isdigit(rest->at[0])) {
		struct bytes digits = take_run(rest, isdigit);
		while (digits.len && digits.at[0] == '0') {
			digits.at++;
			digits.len--;
		}
		return (struct piece){.rank = digits.len ? FURTHER_NUMBER : RELEASE, .text = digits};
	}
	struct piece p = {.rank = AFTER_RELEASE, .text = take_run(rest, isalpha)};
	if (release_words[word_find(release_words, p.text)])
		return (struct piece){.rank = RELEASE};
	if (is_before(p.text, *rest, &p.word_rank))
		p.rank = BEFORE_RELEASE;
	return p;
}

static int compare_text(struct bytes a, struct bytes b)
{
	for (size_t i = 0; i < a.len && i < b.len; i++) {
		int x = tolower(a.at[i]), y = tolower(b.at[i]);
		if (x != y)
			return x - y;
	}
	return a.len == b.len ? 0 : a.len < b.len ? -1 : 1;
}

static int compare_pieces(const struct piece *a, const struct piece *b)
{
	if (a->rank != b->rank)
		return (int)a->rank - (int)b->rank;
	if (a->rank == BEFORE_RELEASE)
		return (int)a->word_rank - (int)b->word_rank;
	if (a->rank == FURTHER_NUMBER && a->text.len != b->text.len)
		return a->text.len < b->text.len ? -1 : 1;
	return a->rank == RELEASE ? 0 : compare_text(a->text, b->text);
}

static struct bytes without_v(struct bytes b)
{
	b = bytes_trim(b);
	if (b.len > 1 && (b.at[0] == 'v' || b.at[0] == 'V') && isdigit(b.at[1]))
		return (struct bytes){b.at + 1, b.len - 1};
	return b;
}

int version_compare(struct bytes a, struct bytes b)
{
	a = without_v(a);
	b = without_v(b);
	int order = 0;
	while (order == 0 && (a.len || b.len)) {
		struct piece x = take_piece(&a), y = take_piece(&b);
		order = compare_pieces(&x, &y);
	}
	return order;
}

static int is_update_byte(int c) { return isdigit(c) || c == '.'; }

bool version_split(struct bytes version, struct bytes *release, struct bytes *update)
{
	static const char *const words[] = {"p", "patch", "pl", "sp", "rc", "cr", "a", "alpha", "b", "beta", "m", "milestone",
					    "pre", "preview", "dev", "snapshot", "u", "update", "hotfix", "build", NULL};
	struct bytes rest = version;
	take_run(&rest, is_update_byte);
	size_t release_len = version.len - rest.len;
	while (rest.len && strchr("-_ ~+", rest.at[0])) {
		rest.at++;
		rest.len--;
	}
	struct bytes whole = rest, word = take_run(&rest, isalpha);
	take_run(&rest, is_update_byte);
	while (release_len && version.at[release_len - 1] == '.')
		release_len--;
	bool numbered = whole.len > word.len;
	if (release_len == 0 || word.len == 0 || rest.len || !words[word_find(words, word)] || (word.len == 1 && !numbered))
		return false;
	*release = (struct bytes){version.at, release_len};
	*update = whole;
	return true;
}
