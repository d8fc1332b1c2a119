#include "passive/room/typist.h"

#define LINES_MIN 2
#define KEYS_MIN 8
#define GAP_MS_MAX 3000.0f /* between keys of a line; longer ones are a phone call */
#define EDITS_MAX 2

static void spread_add(struct spread *s, float ms)
{
	s->count++;
	s->sum += ms;
	s->squares += ms * ms;
}

static float spread_mean(const struct spread *s) { return s->count ? s->sum / (float)s->count : 0; }

/* Square of the coefficient of variation. */
static float spread_unevenness(const struct spread *s)
{
	float mean = spread_mean(s);
	return mean > 0 ? s->squares / (float)s->count / (mean * mean) - 1 : 0;
}

static bool is_line_end(uint8_t c) { return c == '\r' || c == '\n'; }

/* One key: a byte, an escape sequence, or the two bytes that return makes (RFC 854). */
static bool is_key(struct bytes p)
{
	return p.len == 1 || (p.len <= 4 && p.at[0] == 27) ||
	       (p.len == 2 && p.at[0] == '\r' && (p.at[1] == '\n' || p.at[1] == 0));
}

static void count_keys(struct typist *t, struct bytes p, uint32_t *ends)
{
	for (size_t i = 0; i < p.len; i++) {
		uint8_t c = p.at[i];
		t->corrections += c == 8 || c == 127 || c == 21 || c == 23;
		t->completions += c == '\t';
		t->arrows += c == 27 && i + 2 < p.len && (p.at[i + 1] == '[' || p.at[i + 1] == 'O') &&
			     p.at[i + 2] >= 'A' && p.at[i + 2] <= 'D';
		*ends += is_line_end(c) && !(c == '\n' && i && p.at[i - 1] == '\r');
	}
}

void typist_typed(struct typist *t, struct bytes p, uint64_t mono_us)
{
	uint32_t ends = 0;
	if (p.len == 0)
		return;
	float since_ms = t->last_us ? (float)(mono_us - t->last_us) / 1000.0f : 0;
	count_keys(t, p, &ends);
	if (t->last_us && t->in_line && is_key(p) && since_ms < GAP_MS_MAX)
		spread_add(&t->gaps, since_ms);
	else if (t->last_us && !t->in_line)
		spread_add(&t->pauses, since_ms);
	t->whole_lines += !t->in_line && p.len > 2 ? ends : 0;
	t->bundles += ends > 1;
	t->pieces++;
	t->keys += is_key(p);
	t->lines += ends;
	uint8_t last = p.at[p.len - 1];
	t->in_line = !is_line_end(last) && !(last == 0 && ends);
	t->last_us = mono_us;
}

/* Whether a few letters inserted, left out or replaced make one of the other. */
static bool is_near(struct bytes a, struct bytes b)
{
	uint8_t row[TYPIST_WORD_MAX + 1], before, above;
	for (size_t i = 0; i <= b.len; i++)
		row[i] = (uint8_t)i;
	for (size_t k = 0; k < a.len; k++) {
		before = row[0];
		row[0] = (uint8_t)(k + 1);
		for (size_t i = 0; i < b.len; i++) {
			above = row[i + 1];
			uint8_t least = (uint8_t)(before + (a.at[k] != b.at[i]));
			least = above + 1 < least ? (uint8_t)(above + 1) : least;
			row[i + 1] = row[i] + 1 < least ? (uint8_t)(row[i] + 1) : least;
			before = above;
		}
	}
	return row[b.len] > 0 && row[b.len] <= EDITS_MAX;
}

void typist_command(struct typist *t, struct bytes line, bool found)
{
	struct bytes word = bytes_trim(line);
	word = bytes_word(&word);
	if (word.len > TYPIST_WORD_MAX)
		word.len = TYPIST_WORD_MAX;
	struct bytes wrong = {t->wrong, t->wrong_len};
	if (found && wrong.len && word.len > 1)
		t->typos += is_near(wrong, word);
	t->wrong_len = found ? 0 : (uint8_t)word.len;
	if (t->wrong_len)
		memcpy(t->wrong, word.at, word.len);
}

static int judge_keys(const struct typist *t, uint16_t *signs)
{
	float mean = spread_mean(&t->gaps), uneven = spread_unevenness(&t->gaps);
	int score = 0;
	if (t->keys < KEYS_MIN || t->keys * 2 < t->pieces)
		return 0;
	score += 15;
	*signs |= TYPIST_KEYS;
	if (t->gaps.count >= KEYS_MIN / 2 && mean < 20) {
		score -= 45;
		*signs |= TYPIST_FAST;
	} else if (t->gaps.count >= KEYS_MIN / 2 && uneven < 0.01f) {
		score -= 45;
		*signs |= TYPIST_EVEN;
	} else if (t->gaps.count >= KEYS_MIN / 2 && uneven > 0.06f) {
		score += 20;
		*signs |= TYPIST_UNEVEN;
	}
	return score;
}

static int judge_lines(const struct typist *t, uint16_t *signs)
{
	float mean = spread_mean(&t->pauses), uneven = spread_unevenness(&t->pauses);
	int score = 0;
	if (t->whole_lines * 5 >= t->lines * 4 && t->lines) {
		score -= 15;
		*signs |= TYPIST_WHOLE_LINES;
	}
	if (t->bundles) {
		score -= 15;
		*signs |= TYPIST_BUNDLES;
	}
	if (t->pauses.count >= 2 && mean < 400) {
		score -= 25;
		*signs |= TYPIST_AT_ONCE;
	} else if (t->pauses.count < 3) {
		return score;
	} else if (uneven < 0.01f) {
		score -= 25;
		*signs |= TYPIST_EVEN;
	} else if (mean > 700 && uneven > 0.1f) {
		score += 20;
		*signs |= TYPIST_THINKS;
	}
	return score;
}

static int judge_habits(const struct typist *t, uint16_t *signs)
{
	const struct {
		uint32_t count;
		enum typist_sign sign;
		int score;
	} habits[] = {{t->corrections, TYPIST_CORRECTIONS, 20}, {t->arrows, TYPIST_ARROWS, 20},
		      {t->completions, TYPIST_COMPLETION, 10}, {t->typos, TYPIST_TYPOS, 20}};
	int score = 0;
	for (size_t i = 0; i < sizeof habits / sizeof *habits; i++)
		if (habits[i].count) {
			score += habits[i].score;
			*signs |= (uint16_t)habits[i].sign;
		}
	return score;
}

bool typist_judge(const struct typist *t, struct typist_verdict *out)
{
	uint16_t signs = 0;
	if (t->lines < LINES_MIN && t->keys < KEYS_MIN)
		return false;
	int score = 50 + judge_keys(t, &signs) + judge_lines(t, &signs) + judge_habits(t, &signs);
	*out = (struct typist_verdict){(uint8_t)(score < 0 ? 0 : score > 100 ? 100 : score), signs};
	return true;
}

const char *typist_name(uint8_t score) { return score >= 70 ? "human" : score <= 30 ? "bot" : "unsure"; }

void typist_write_signs(uint16_t signs, struct writer *w)
{
	static const char *const words[] = {"single keys", "uneven rhythm", "corrections", "arrow keys", "completion",
					    "typos put right", "thinks between lines", "even rhythm",
					    "faster than fingers", "answers at once", "whole lines",
					    "several lines at once"};
	bool any = false;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (!(signs & 1u << i))
			continue;
		write_text(w, any ? ", " : "");
		write_text(w, words[i]);
		any = true;
	}
}
