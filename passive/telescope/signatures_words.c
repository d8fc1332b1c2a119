#include "passive/telescope/signatures_words_inner.h"
#include "base/options.h"

static const struct name names[] = {
	{"version", NAME_COLUMN, COLUMN_VERSION},
	{"proto", NAME_COLUMN, COLUMN_PROTO},
	{"ttl", NAME_COLUMN, COLUMN_TTL},
	{"tos", NAME_COLUMN, COLUMN_TOS},
	{"ipid", NAME_COLUMN, COLUMN_IPID},
	{"df", NAME_COLUMN, COLUMN_DF},
	{"fragment", NAME_COLUMN, COLUMN_FRAGMENT},
	{"length", NAME_COLUMN, COLUMN_LENGTH},
	{"src", NAME_COLUMN, COLUMN_SRC},
	{"dst", NAME_COLUMN, COLUMN_DST},
	{"sport", NAME_COLUMN, COLUMN_SPORT},
	{"dport", NAME_COLUMN, COLUMN_DPORT},
	{"flags", NAME_COLUMN, COLUMN_FLAGS},
	{"seq", NAME_COLUMN, COLUMN_SEQ},
	{"ack", NAME_COLUMN, COLUMN_ACK},
	{"window", NAME_COLUMN, COLUMN_WINDOW},
	{"mss", NAME_COLUMN, COLUMN_MSS},
	{"wscale", NAME_COLUMN, COLUMN_WSCALE},
	{"options", NAME_COLUMN, COLUMN_OPTIONS},
	{"tsval", NAME_COLUMN, COLUMN_TSVAL},
	{"payload", NAME_COLUMN, COLUMN_PAYLOAD},
	{"pair", NAME_COLUMN, COLUMN_PAIR},
	{"last_seq", NAME_COLUMN, COLUMN_LAST_SEQ},
	{"last_dst", NAME_COLUMN, COLUMN_LAST_DST},
	{"last_sport", NAME_COLUMN, COLUMN_LAST_SPORT},
	{"last_dport", NAME_COLUMN, COLUMN_LAST_DPORT},
	{"time", NAME_TIME, 0},
	{"icmp", NAME_CONSTANT, 1},
	{"tcp", NAME_CONSTANT, 6},
	{"udp", NAME_CONSTANT, 17},
	{"icmp6", NAME_CONSTANT, 58},
	{"fin", NAME_CONSTANT, 1},
	{"syn", NAME_CONSTANT, 2},
	{"rst", NAME_CONSTANT, 4},
	{"psh", NAME_CONSTANT, 8},
	{"ack_flag", NAME_CONSTANT, 16}, /* `ack` is the column */
	{"synack", NAME_CONSTANT, 18},
	{"urg", NAME_CONSTANT, 32},
	{"ece", NAME_CONSTANT, 64},
	{"cwr", NAME_CONSTANT, 128},
	{"no_wscale", NAME_CONSTANT, NO_WSCALE},
};

static const struct { const char *name; enum option_code code; } layout_names[] = {
	{"eol", OPTION_EOL}, {"nop", OPTION_NOP}, {"mss", OPTION_MSS}, {"ws", OPTION_WS},
	{"sok", OPTION_SACK_OK}, {"sack", OPTION_SACK}, {"ts", OPTION_TS}, {"other", OPTION_OTHER},
};

int words_complain(const struct words *w, const char *fmt, ...)
{
	char what[300];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(what, sizeof what, fmt, ap);
	va_end(ap);
	return signature_complain(w->source, "when, column %zu: %s", w->start + 1, what);
}

const struct name *words_name(struct bytes text)
{
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (bytes_equal_text(text, names[i].name))
			return &names[i];
	return NULL;
}

const char *words_name_nearer(const char *wrong)
{
	const char *best = NULL;
	size_t least = OPTION_EDITS_MAX;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		size_t edits = option_edits(wrong, names[i].name);
		/* A short name is changed into any other by three edits. */
		if (edits < least && edits < strlen(names[i].name)) {
			least = edits;
			best = names[i].name;
		}
	}
	return best;
}

static bool in_name(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static int digit_of(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99;
}

static int read_number(struct words *w)
{
	struct bytes all = w->all;
	bool hex = all.len - w->at > 2 && all.at[w->at] == '0' && (all.at[w->at + 1] | 0x20) == 'x';
	uint64_t number = 0;
	size_t first = w->at += hex ? 2 : 0;
	for (; w->at < all.len && in_name(all.at[w->at]); w->at++) {
		int digit = digit_of(all.at[w->at]);
		if (digit >= (hex ? 16 : 10))
			return words_complain(w, "not a number; 1024 or 0x400 would be right");
		number = number * (hex ? 16 : 10) + (unsigned)digit;
		if (number > UINT32_MAX)
			return words_complain(w, "above 4294967295, numbers have 32 bits");
	}
	if (w->at == first)
		return words_complain(w, "digits are missing");
	w->kind = WORD_NUMBER;
	w->number = (uint32_t)number;
	return 0;
}

static int read_name(struct words *w)
{
	static const struct { const char *word; enum word kind; } words[] = {
		{"and", WORD_AND}, {"or", WORD_OR}, {"not", WORD_NOT}, {"in", WORD_IN},
	};
	while (w->at < w->all.len && in_name(w->all.at[w->at]))
		w->at++;
	w->text = (struct bytes){w->all.at + w->start, w->at - w->start};
	w->kind = WORD_NAME;
	if (w->text.len >= WORD_MAX)
		return words_complain(w, "a name of %zu letters, none is so long", w->text.len);
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (bytes_equal_text(w->text, words[i].word))
			w->kind = words[i].kind;
	return 0;
}

static int layout_code(const struct words *w, struct bytes name, unsigned *code)
{
	for (size_t i = 0; i < sizeof layout_names / sizeof *layout_names; i++)
		if (bytes_equal_text(name, layout_names[i].name)) {
			*code = layout_names[i].code;
			return 0;
		}
	return words_complain(w, "\"%.*s\" is no option; eol, nop, mss, ws, sok, sack, ts, other are",
			      (int)(name.len < WORD_MAX ? name.len : WORD_MAX), name.at);
}

/* "mss,nop,ws" as packet.h codes it; "" is no options at all. */
static int read_layout(struct words *w)
{
	struct bytes all = w->all;
	size_t end = ++w->at;
	unsigned count = 0, code = 0;
	while (end < all.len && all.at[end] != '"')
		end++;
	if (end == all.len)
		return words_complain(w, "the closing \" is missing");
	w->number = 0;
	while (w->at < end) {
		size_t comma = w->at;
		while (comma < end && all.at[comma] != ',')
			comma++;
		int bad = layout_code(w, bytes_trim((struct bytes){all.at + w->at, comma - w->at}), &code);
		if (bad)
			return bad;
		if (count == 8)
			return words_complain(w, "more than eight options; the first eight are told");
		w->number |= code << (28 - 4 * count++);
		w->at = comma < end ? comma + 1 : end;
	}
	w->at = end + 1;
	w->kind = WORD_LAYOUT;
	return 0;
}

static int read_sign(struct words *w)
{
	static const struct { char sign[3]; enum word kind; } pairs[] = {
		{"==", WORD_EQUAL}, {"!=", WORD_UNEQUAL}, {"<=", WORD_AT_MOST}, {">=", WORD_AT_LEAST},
		{"<<", WORD_LEFT},  {">>", WORD_RIGHT},   {"..", WORD_TO},
	};
	struct bytes rest = {w->all.at + w->at, w->all.len - w->at};
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
		if (bytes_start_with(rest, pairs[i].sign)) {
			w->at += 2;
			w->kind = (int)pairs[i].kind;
			return 0;
		}
	if (bytes_start_with(rest, "&&") || bytes_start_with(rest, "||") || *rest.at == '!')
		return words_complain(w, "`and`, `or`, `not` would be right");
	if (*rest.at == '=')
		return words_complain(w, "== would be right");
	if (!memchr("(){},<>|^&+-*", *rest.at, 13))
		return words_complain(w, "a sign that the language does not have");
	w->kind = *rest.at;
	w->at++;
	return 0;
}

int words_next(struct words *w)
{
	while (w->at < w->all.len && memchr(" \t\r\n", w->all.at[w->at], 4))
		w->at++;
	w->start = w->at;
	if (w->at == w->all.len) {
		w->kind = WORD_END;
		return 0;
	}
	uint8_t c = w->all.at[w->at];
	if (c >= '0' && c <= '9')
		return read_number(w);
	if (in_name(c))
		return read_name(w);
	return c == '"' ? read_layout(w) : read_sign(w);
}

int words_open(struct words *w, struct bytes text, const struct signature_source *source)
{
	*w = (struct words){.source = source, .all = text};
	return words_next(w);
}
