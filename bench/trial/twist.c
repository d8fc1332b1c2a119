#include <stdio.h>
#include <string.h>

#include "bench/trial/chance.h"
#include "bench/trial/twist.h"

enum { SLOW_PIECES = 8, SLOW_PAUSE_MS = 250, TARPIT_PAUSE_MS = 1000, HUGE_BYTES = 3 << 20 };

/* Names under which resellers sold other makers' recorders, cameras and routers. */
static const char *const resellers[] = {
        "SecurePlus", "Q-View",    "HomeGuard Pro", "Provigil", "NightHawk CCTV", "Lynx Security",
        "EuroVision", "SafeHouse", "Zodiac",        "StarLine", "MegaSafe",       "Comfort Line",
};

static size_t put(char *out, size_t at, const void *from, size_t size)
{
	if (at + size > TWISTED_MAX)
		size = TWISTED_MAX - at;
	memcpy(out + at, from, size);
	return at + size;
}

/* Where the length changes, its header goes, and the end of the connection is the answer's end. */
static void length_forget(char *out, size_t size)
{
	char *header = memmem(out, size, "\nContent-Length", 15);

	if (header)
		memcpy(header + 1, "X-Former", 8);
}

/* Everything between <title> and </title> and every mention of the maker or the product becomes
 * the reseller's name; Server, cookies and the page's own scripts stay what the maker wrote. */
static size_t rebrand(const struct answer *a, uint32_t address, const struct text *said, char *out)
{
	const char *name =
	        resellers[address * 2654435761u % (sizeof(resellers) / sizeof(*resellers))];
	const char *gone[] = {a->product, a->vendor};
	size_t size = 0;

	for (size_t i = 0; i < said->size;) {
		const char *at = said->at + i;
		size_t skipped = 0;

		for (size_t g = 0; g < 2 && !skipped; g++)
			if (*gone[g] && strncasecmp(at, gone[g], strlen(gone[g])) == 0)
				skipped = strlen(gone[g]);
		if (strncasecmp(at, "<title>", 7) == 0 && strcasestr(at, "</title>")) {
			size = put(out, size, at, 7);
			skipped = (size_t)(strcasestr(at, "</title>") - at);
		}
		size = skipped ? put(out, size, name, strlen(name)) : put(out, size, at, 1);
		i += skipped ? skipped : 1;
	}
	length_forget(out, size);
	return size;
}

static size_t huge(const struct text *said, char *out)
{
	static const char filler[] = "<tr><td>&nbsp;</td><td class=\"row\">0000</td></tr>\r\n";
	size_t size = put(out, 0, said->at, said->size);

	length_forget(out, size);

	while (size < HUGE_BYTES)
		size = put(out, size, filler, sizeof(filler) - 1);
	return size;
}

/* What parsers and consoles stumble over, around the real answer: it is still there. */
static size_t hostile(int port, const struct text *said, char *out)
{
	static const char noise[] = "\x1b[2J\x1b]0;pwned\x07\xc3\x28\xf0\x28\x8c\xbc\xff\xfe\0\x7f"
	                            "<script>alert(document.domain)</script>'\"--";
	static const char end[] = "\r\nX-Noise: \x1b[31m\xff\xfe<b>\r\n";
	const char *first = memmem(said->at, said->size, "\r\n", 2);
	size_t head = first && port == PORT_HTTP ? (size_t)(first - said->at) + 2 : 0;
	size_t size = put(out, 0, said->at, head);

	if (port == PORT_HTTP) {
		size = put(out, size, "X-Filler: ", 10);
		for (int i = 0; i < 12 * 1024; i++)
			size = put(out, size, "A", 1);
		size = put(out, size, end, sizeof(end) - 1);
	}
	size = put(out, size, said->at + head, said->size - head);
	return put(out, size, noise, sizeof(noise) - 1);
}

size_t twist_answer(const struct population *p, const struct source *s, int port,
                    const struct text *said, char *out)
{
	switch (s->twist) {
	case TWIST_REBRANDED:
		return rebrand(&p->answers.at[s->device], s->address, said, out);
	case TWIST_TRUNCATED:
		return put(out, 0, said->at, said->size * 6 / 10);
	case TWIST_HUGE:
		return huge(said, out);
	case TWIST_HOSTILE:
		return hostile(port, said, out);
	default:
		return put(out, 0, said->at, said->size);
	}
}

struct manner twist_manner(const struct source *s, size_t size)
{
	if (s->twist == TWIST_SLOW)
		return (struct manner){(uint32_t)(size / SLOW_PIECES) + 1, SLOW_PAUSE_MS};
	if (s->twist == TWIST_TARPIT)
		return (struct manner){1, TARPIT_PAUSE_MS};
	return (struct manner){0};
}
