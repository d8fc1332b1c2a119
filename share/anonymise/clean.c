#include "share/anonymise/clean_inner.h"
#include "share/anonymise/spelled_inner.h"

bool clean_in_place(const struct hidden *h, uint8_t *text, size_t len, struct arena *arena)
{
	struct spelled s;
	bool found = false;
	(void)arena;
	for (size_t at = 0; spelled_find(h, (struct bytes){text, len}, at, &s); at = s.at + s.len) {
		spelled_mask(&s, text + s.at);
		found = true;
	}
	return found;
}

/* Each find may need more room than it had, and the shortest has one letter. */
static size_t room_for(const struct hidden *h, struct bytes text)
{
	struct spelled s;
	size_t n = text.len;
	for (size_t at = 0; spelled_find(h, text, at, &s); at = s.at + s.len)
		n += SPELLED_TEXT_MAX;
	return n;
}

struct bytes clean_text(const struct hidden *h, struct bytes text, struct arena *arena)
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
		spelled_write(h, &s, &w);
	}
	write_bytes(&w, text.at + at, text.len - at);
	return writer_bytes(&w);
}
