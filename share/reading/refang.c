#include "share/reading/refang_inner.h"

static const struct whole {
	const char *broken;
	uint8_t whole;
} breaks[] = {
	{"[.]", '.'}, {"(.)", '.'}, {"{.}", '.'}, {"[dot]", '.'}, {"(dot)", '.'}, {"{dot}", '.'}, {"[.", '.'}, {"\\.", '.'},
	{"[:]", ':'}, {"(:)", ':'}, {"[://]", 0}, {"[@]", '@'}, {"[at]", '@'}, {"(at)", '@'}, {"{at}", '@'}, {"[/]", '/'},
};

static bool starts_nocase(struct bytes b, const char *word)
{
	size_t n = strlen(word);
	return b.len >= n && bytes_equal_nocase((struct bytes){b.at, n}, word);
}

/* How many bytes stand for something else at the beginning of `b`; 0: none do. */
static size_t whole_of(struct bytes b, struct writer *w)
{
	if (starts_nocase(b, "[://]")) {
		write_text(w, "://");
		return 5;
	}
	for (size_t i = 0; i < sizeof breaks / sizeof *breaks; i++)
		if (breaks[i].whole && starts_nocase(b, breaks[i].broken)) {
			write_u8(w, breaks[i].whole);
			return strlen(breaks[i].broken);
		}
	/* hxxp, h**p, http without its letters: the two in the middle are what is broken. */
	if (b.len > 4 && (b.at[0] | 0x20) == 'h' && (b.at[3] | 0x20) == 'p' &&
	    (starts_nocase((struct bytes){b.at + 1, b.len - 1}, "xx") || starts_nocase((struct bytes){b.at + 1, b.len - 1}, "**"))) {
		write_text(w, "http");
		return 4;
	}
	return 0;
}

struct bytes refang(struct bytes text, struct arena *arena)
{
	uint8_t *room = arena_alloc(arena, text.len + 1);
	if (!room)
		return (struct bytes){0};
	struct writer w = writer_of(room, text.len + 1);
	for (size_t i = 0; i < text.len;) {
		uint8_t c = text.at[i];
		size_t n = c == '[' || c == '(' || c == '{' || c == '\\' || (c | 0x20) == 'h'
				   ? whole_of((struct bytes){text.at + i, text.len - i}, &w) : 0;
		if (!n)
			write_u8(&w, c);
		i += n ? n : 1;
	}
	return writer_bytes(&w);
}
