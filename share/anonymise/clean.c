#include "share/anonymise/clean_inner.h"
#include "share/anonymise/layers_inner.h"
#include "share/anonymise/spelled_inner.h"
#include "base/base64.h"

#define DIGITS_LEAST 4   /* of an address: 1.1.1.1 */
#define LETTERS_LEAST 10 /* of Base64, for seven bytes of text */

static bool spelled_clean(const struct hidden *h, uint8_t *text, size_t len)
{
	struct spelled s;
	bool found = false;
	for (size_t at = 0; spelled_find(h, (struct bytes){text, len}, at, &s); at = s.at + s.len) {
		spelled_mask(&s, text + s.at);
		found = true;
	}
	return found;
}

/*
 * Whether anything could be found in what a layer held: most of it was never wrapped, but a word whose letters are
 * those of Base64, and what that makes of it has neither digits nor colons enough.
 */
static bool may_hold(const struct hidden *h, const uint8_t *text, size_t len)
{
	size_t digits = 0, colons = 0, letters = 0, names = 0;
	for (size_t i = 0; i < len; i++) {
		const uint8_t c = text[i];
		digits += c >= '0' && c <= '9';
		colons += c == ':';
		names += h->own && h->own->letters[c];
		letters = base64_digit(c) >= 0 ? letters + 1 : 0;
		if (digits >= DIGITS_LEAST || colons >= 2 || names || letters >= LETTERS_LEAST)
			return true;
	}
	return false;
}

bool clean_at(const struct hidden *h, uint8_t *text, size_t len, struct arena *arena, unsigned depth)
{
	bool changed = false;
	if (depth == 0 || may_hold(h, text, len)) {
		changed = spelled_clean(h, text, len);
		changed |= layers_clean(h, text, len, arena, depth);
	}
	return bytes_clean(h, text, len) | changed;
}

bool clean_in_place(const struct hidden *h, uint8_t *text, size_t len, struct arena *arena)
{
	*h->failed = false;
	const bool changed = clean_at(h, text, len, arena, 0);
	if (*h->failed)
		memset(text, 0, len);
	return changed | *h->failed;
}

/* Each find may need more room than it had. */
static size_t room_for(const struct hidden *h, struct bytes text)
{
	struct spelled s;
	size_t n = text.len;
	for (size_t at = 0; spelled_find(h, text, at, &s); at = s.at + s.len)
		n += SPELLED_TEXT_MAX;
	return n;
}

static struct bytes spelled_anew(const struct hidden *h, struct bytes text, struct arena *arena)
{
	const size_t room = room_for(h, text);
	if (room == text.len)
		return text;
	uint8_t *kept = arena_alloc(arena, room);
	if (!kept)
		return (struct bytes){0};
	struct writer w = writer_of(kept, room);
	struct spelled s;
	size_t at = 0;
	for (; spelled_find(h, text, at, &s); at = s.at + s.len) {
		write_bytes(&w, text.at + at, s.at - at);
		if (s.between != 1) {
			spelled_write(h, &s, &w);
			continue;
		}
		write_bytes(&w, text.at + s.at, s.len); /* labels of DNS count what they hold */
		spelled_mask(&s, w.at - s.len);
	}
	write_bytes(&w, text.at + at, text.len - at);
	return writer_bytes(&w);
}

/* What is wrapped keeps its length; what stands there plainly says what it has become. */
struct bytes clean_text(const struct hidden *h, struct bytes text, struct arena *arena)
{
	const struct bytes kept = text.len ? arena_copy(arena, text) : text;
	if (!kept.at)
		return kept;
	uint8_t *at = (uint8_t *)kept.at;
	*h->failed = false;
	layers_clean(h, at, kept.len, arena, 0);
	bytes_clean(h, at, kept.len);
	if (*h->failed)
		return (struct bytes){0};
	return spelled_anew(h, kept, arena);
}
