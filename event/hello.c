#include "event/hello.h"
#include <ctype.h>

#define NUMBER_LEAST 4
#define HEX_LEAST 8
#define MIRAI_VERSION 4   /* 00 00 00 01, length of the identifier, identifier */
#define MIRAI_SOURCE_MAX 32

static bool is_hex(uint8_t c) { return isxdigit(c); }

/* A letter for a letter, a digit for a digit, so that whoever parses it still can. */
static uint8_t shape_of(uint8_t c) { return isdigit(c) ? '0' : isupper(c) ? 'X' : islower(c) ? 'x' : c; }

static size_t run_of(struct bytes b, size_t at, bool (*is)(uint8_t))
{
	size_t n = 0;
	while (at + n < b.len && is(b.at[at + n]))
		n++;
	return n;
}

static bool is_digit(uint8_t c) { return isdigit(c); }
static bool is_address(uint8_t c) { return isdigit(c) || c == '.'; }
static bool is_word(uint8_t c) { return isalnum(c); }

/* Four numbers with dots between them, as long as `n` says. */
static bool is_dotted(struct bytes b)
{
	unsigned dots = 0;
	for (size_t i = 0; i < b.len; i++)
		dots += b.at[i] == '.';
	return dots == 3 && b.len >= 7 && b.at[0] != '.' && b.at[b.len - 1] != '.';
}

/* How many bytes from there are a name of a machine: to be shaped. */
static size_t identifier_at(struct bytes b, size_t at)
{
	size_t n = run_of(b, at, is_address);
	if (is_dotted((struct bytes){b.at + at, n}))
		return n;
	const size_t hex = run_of(b, at, is_hex), word = run_of(b, at, is_word);
	if (hex >= HEX_LEAST && hex == word)
		return hex;
	n = run_of(b, at, is_digit);
	return n >= NUMBER_LEAST ? n : 0;
}

static void shape(uint8_t *at, size_t n, struct hello_said *told)
{
	for (size_t i = 0; i < n; i++) {
		const uint8_t c = shape_of(at[i]);
		told->replaced += c != at[i];
		at[i] = c;
	}
}

static bool starts(struct bytes line, const char *word)
{
	const size_t n = strlen(word);
	return line.len > n && !strncasecmp((const char *)line.at, word, n) && line.at[n] == ' ';
}

/* RFC 2812 3.1: who registers says PASS, NICK and USER; who joins a channel is among the bots. */
static void heed_line(uint8_t *at, size_t n, struct hello_said *told)
{
	const struct bytes line = {at, n};
	const bool nick = starts(line, "NICK"), user = starts(line, "USER");
	if (starts(line, "PASS") || starts(line, "AUTHENTICATE") || starts(line, "AUTH") || starts(line, "LOGIN"))
		told->credential = true;
	if (nick || user)
		shape(at + 5, n - 5, told);
	told->enlists |= nick || user || starts(line, "JOIN");
}

static void heed_lines(uint8_t *at, size_t len, struct hello_said *told)
{
	size_t begin = 0;
	for (size_t i = 0; i <= len; i++)
		if (i == len || at[i] == '\n') {
			heed_line(at + begin, i - begin, told);
			begin = i + 1;
		}
}

/* Mirai's bot, main.c: the version, then how the device was won, in a text of its own length. */
static bool heed_mirai(uint8_t *at, size_t len, struct hello_said *told)
{
	static const uint8_t version[MIRAI_VERSION] = {0, 0, 0, 1};
	if (len < MIRAI_VERSION || memcmp(at, version, MIRAI_VERSION))
		return false;
	told->enlists = true;
	if (len > MIRAI_VERSION && at[MIRAI_VERSION] <= MIRAI_SOURCE_MAX)
		shape(at + MIRAI_VERSION + 1, len - MIRAI_VERSION - 1, told);
	return true;
}

static bool holds(struct bytes b, const char *word)
{
	const size_t n = strlen(word);
	for (size_t i = 0; i + n <= b.len; i++)
		if (!strncasecmp((const char *)b.at + i, word, n))
			return true;
	return false;
}

struct hello_said hello_neutralise(struct bytes recorded, struct writer *said)
{
	struct hello_said told = {0};
	uint8_t *at = said->at;
	write_span(said, recorded);
	if (said->bad || recorded.len == 0)
		return told;
	told.credential = holds(recorded, "authorization:") || holds(recorded, "password=") || holds(recorded, "passwd=") ||
			  holds(recorded, "\"password\"") || holds(recorded, "cookie:");
	if (heed_mirai(at, recorded.len, &told))
		return told;
	heed_lines(at, recorded.len, &told);
	const struct bytes whole = {at, recorded.len};
	for (size_t i = 0; i < recorded.len;) {
		const size_t n = identifier_at(whole, i);
		for (size_t k = 0; k < n; k++) {
			told.replaced += is_hex(at[i + k]) && at[i + k] != '0';
			at[i + k] = is_hex(at[i + k]) ? '0' : at[i + k];
		}
		/* On to the next word: the middle of one is not the begin of another. */
		i += n ? n : run_of(whole, i, is_word) > 1 && !isdigit(at[i]) ? run_of(whole, i, is_word) : 1;
	}
	return told;
}
