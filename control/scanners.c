#include "control/scanners_inner.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int scanner_add(struct scanners *s, const struct prefix *prefix, struct bytes name)
{
	if (s->count == SCANNERS_MAX)
		return ERR_FULL;
	if (s->count == s->room) {
		size_t room = s->room ? 2 * s->room : 256;
		struct scanner *larger = realloc(s->items, room * sizeof *larger);
		if (!larger)
			return ERR_MEMORY;
		s->items = larger;
		s->room = room;
	}
	struct scanner *added = &s->items[s->count++];
	added->prefix = *prefix;
	bytes_copy_text(name, added->name, sizeof added->name);
	return 0;
}

int scanners_read(struct scanners *s, struct bytes text, const char *file, struct fault *fault)
{
	struct reader r = reader_of_bytes(text);
	struct bytes line;
	for (size_t number = 1; read_line(&r, &line); number++) {
		struct prefix prefix;
		size_t n = 0;
		line = bytes_trim(line);
		if (line.len == 0 || line.at[0] == '#' || line.at[0] == '.')
			continue;
		while (n < line.len && line.at[n] != ' ' && line.at[n] != '\t')
			n++;
		if (!prefix_parse((struct bytes){line.at, n}, &prefix))
			return fault_set(fault, ERR_BAD, "%s:%zu: not a prefix, \"192.0.2.0/24 Example survey\" would be right", file,
					 number);
		int bad = scanner_add(s, &prefix, bytes_trim((struct bytes){line.at + n, line.len - n}));
		if (bad)
			return fault_set(fault, bad, "%s:%zu: %s", file, number, error_name(bad));
	}
	return 0;
}

int scanners_open(struct scanners *s, const char *file, struct fault *fault)
{
	struct stat st;
	size_t len = 0;
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) || st.st_size > (off_t)SCANNERS_BYTES_MAX) {
		int why = fd < 0 ? errno : EFBIG;
		if (fd >= 0)
			close(fd);
		return fault_set(fault, ERR_SYSTEM, "active.known_scanner_files: %s: %s", file, strerror(why));
	}
	uint8_t *text = malloc((size_t)st.st_size + 1);
	for (ssize_t n = 1; text && n > 0 && len < (size_t)st.st_size; len += n > 0 ? (size_t)n : 0)
		n = read(fd, text + len, (size_t)st.st_size - len);
	close(fd);
	int bad = text ? scanners_read(s, (struct bytes){text, len}, file, fault) : ERR_MEMORY;
	free(text);
	return bad;
}

static int compare(const void *x, const void *y)
{
	const struct scanner *a = x, *b = y;
	int order = memcmp(a->prefix.base.b, b->prefix.base.b, sizeof a->prefix.base.b);
	return order ? order : (int)a->prefix.bits - (int)b->prefix.bits;
}

void scanners_seal(struct scanners *s)
{
	if (s->count)
		qsort(s->items, s->count, sizeof *s->items, compare);
}

void scanners_done(struct scanners *s)
{
	free(s->items);
	*s = (struct scanners){0};
}

const char *scanners_find(const struct scanners *s, const struct address *a)
{
	/* From the narrowest place on outwards: each shorter prefix of the address is looked for. */
	for (unsigned bits = 129; bits-- > 0;) {
		struct scanner key = {.prefix = prefix_of(a, bits)};
		const struct scanner *found = s->count ? bsearch(&key, s->items, s->count, sizeof key, compare) : NULL;
		if (found)
			return found->name;
	}
	return NULL;
}
