#include "control/optout_inner.h"
#include "base/clock.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define SETTLED_NS 100000000u

/* The prefix of one line; false when it is neither that nor empty. */
static bool line_read(struct bytes line, struct prefix *out, bool *empty)
{
	const uint8_t *hash = line.len ? memchr(line.at, '#', line.len) : NULL;
	if (hash)
		line.len = (size_t)(hash - line.at);
	line = bytes_trim(line);
	*empty = line.len == 0;
	return *empty || prefix_parse(line, out);
}

static int lines_read(struct optout *o, struct bytes text, struct prefix_set *into,
		      struct fault *fault)
{
	size_t bad_lines = 0, number = 1;
	for (size_t at = 0; at < text.len; number++) {
		const uint8_t *end = memchr(text.at + at, '\n', text.len - at);
		size_t len = end ? (size_t)(end - text.at) - at : text.len - at;
		struct prefix p;
		bool empty;
		if (!line_read((struct bytes){text.at + at, len}, &p, &empty)) {
			if (bad_lines++ == 0)
				fault_set(fault, ERR_BAD,
					  "%s:%zu: not a prefix, a line such as 192.0.2.0/24 would be "
					  "right; all that was opted out before stays so",
					  o->file ? o->file : "opt-out", number);
		} else if (!empty && prefix_set_add(into, &p)) {
			return ERR_MEMORY;
		}
		at += len + 1;
	}
	o->bad_lines = bad_lines;
	return bad_lines ? ERR_BAD : 0;
}

int optout_read(struct optout *o, struct bytes text, struct fault *fault)
{
	struct prefix_set set = {0};
	int bad = lines_read(o, text, &set, fault);
	/* With a line that is none, somebody's wish may stand there: keep all earlier ones. */
	for (size_t i = 0; bad == ERR_BAD && i < o->set.count; i++)
		if (prefix_set_add(&set, &o->set.items[i]))
			bad = ERR_MEMORY;
	if (bad == ERR_MEMORY) {
		prefix_set_done(&set);
		return fault_set(fault, ERR_MEMORY, "%s: no memory for its prefixes",
				 o->file ? o->file : "opt-out");
	}
	prefix_set_seal(&set);
	prefix_set_done(&o->set);
	o->set = set;
	return bad;
}

static int file_read(const char *file, struct bytes *out)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return ERR_SYSTEM;
	uint8_t *text = malloc(OPTOUT_BYTES_MAX + 1);
	size_t len = 0;
	ssize_t n = text ? 1 : -1;
	while (n > 0 && len <= OPTOUT_BYTES_MAX) {
		n = read(fd, text + len, OPTOUT_BYTES_MAX + 1 - len);
		len += n > 0 ? (size_t)n : 0;
	}
	close(fd);
	if (n < 0 || len > OPTOUT_BYTES_MAX) {
		free(text);
		errno = n < 0 ? errno : EFBIG;
		return ERR_SYSTEM;
	}
	*out = (struct bytes){text, len};
	return 0;
}

static uint64_t nanoseconds(const struct timespec *t)
{
	return (uint64_t)t->tv_sec * 1000000000u + (uint64_t)t->tv_nsec;
}

static int complain_gone(struct optout *o, struct fault *fault)
{
	if (o->missing)
		return 0; /* said once */
	o->missing = true;
	memset(o->stamp, 0, sizeof o->stamp);
	return fault_set(fault, ERR_SYSTEM,
			 "%s: %s; all that was opted out before stays so, an empty file would be right "
			 "if there is none",
			 o->file, strerror(errno));
}

int optout_poll(struct optout *o, struct fault *fault)
{
	struct stat st;
	if (!o->file)
		return 0;
	if (stat(o->file, &st))
		return complain_gone(o, fault);
	const uint64_t stamp[4] = {(uint64_t)st.st_dev ^ (uint64_t)st.st_ino << 8, (uint64_t)st.st_size,
				   nanoseconds(&st.st_mtim), nanoseconds(&st.st_ctim)};
	if (!memcmp(stamp, o->stamp, sizeof stamp))
		return 0;
	struct bytes text;
	if (file_read(o->file, &text))
		return complain_gone(o, fault);
	int bad = optout_read(o, text, fault);
	free((void *)text.at);
	if (bad == ERR_MEMORY)
		return bad; /* the stamp stays: tried again */
	/* The kernel's stamps are coarse: a file just written may change again under the same one. */
	bool settled = clock_utc_us() * 1000 > stamp[2] + SETTLED_NS;
	memcpy(o->stamp, stamp, sizeof stamp);
	o->stamp[0] ^= settled ? 0 : UINT64_MAX;
	o->missing = false;
	o->known |= !bad;
	return bad ? bad : 1;
}

void optout_done(struct optout *o) { prefix_set_done(&o->set); }
