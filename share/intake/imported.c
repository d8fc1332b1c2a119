#include "share/intake/imported_inner.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SLOTS_FIRST 4096
#define NAME_MAX_HERE 64

struct imported {
	int directory, fd;
	char name[NAME_MAX_HERE];
	uint64_t *order;  /* as they came, what the file holds */
	size_t count, kept, room;
	uint64_t *slots;  /* 0: free */
	size_t slot_count;
	size_t max;
};

static size_t slot_of(const struct imported *s, uint64_t digest)
{
	size_t at = digest & (s->slot_count - 1);
	while (s->slots[at] && s->slots[at] != digest)
		at = (at + 1) & (s->slot_count - 1);
	return at;
}

static bool grow_slots(struct imported *s, size_t slot_count)
{
	uint64_t *slots = calloc(slot_count, sizeof *slots);
	if (!slots)
		return false;
	free(s->slots);
	s->slots = slots;
	s->slot_count = slot_count;
	for (size_t i = 0; i < s->count; i++)
		slots[slot_of(s, s->order[i])] = s->order[i];
	return true;
}

static bool grow_order(struct imported *s)
{
	size_t room = s->room ? 2 * s->room : SLOTS_FIRST;
	uint64_t *order = realloc(s->order, room * sizeof *order);
	if (!order)
		return false;
	s->order = order;
	s->room = room;
	return true;
}

static int write_all(int fd, const uint64_t *from, size_t count)
{
	const uint8_t *at = (const uint8_t *)from;
	size_t left = count * sizeof *from;
	while (left) {
		ssize_t n = write(fd, at, left);
		if (n <= 0)
			return ERR_SYSTEM;
		at += n;
		left -= (size_t)n;
	}
	return 0;
}

/* The newer half goes into a new file under another name first. */
static void forget_half(struct imported *s)
{
	char fresh[NAME_MAX_HERE + 8];
	size_t half = s->count / 2;
	snprintf(fresh, sizeof fresh, "%s.new", s->name);
	int fd = openat(s->directory, fresh, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_APPEND, 0600);
	bool written = fd >= 0 && !write_all(fd, s->order + half, s->count - half) && fdatasync(fd) == 0 &&
		       renameat(s->directory, fresh, s->directory, s->name) == 0;
	if (!written) {
		if (fd >= 0)
			close(fd);
		return;
	}
	close(s->fd);
	s->fd = fd;
	memmove(s->order, s->order + half, (s->count - half) * sizeof *s->order);
	s->count -= half;
	s->kept = s->count;
	memset(s->slots, 0, s->slot_count * sizeof *s->slots);
	for (size_t i = 0; i < s->count; i++)
		s->slots[slot_of(s, s->order[i])] = s->order[i];
}

bool imported_before(struct imported *s, uint64_t digest)
{
	digest = digest ? digest : 1;
	size_t at = slot_of(s, digest);
	if (s->slots[at])
		return true;
	if (s->count == s->max)
		forget_half(s);
	if (s->count == s->max || (s->count == s->room && !grow_order(s)))
		return false;
	s->order[s->count++] = digest;
	if (2 * s->count > s->slot_count && !grow_slots(s, 2 * s->slot_count)) {
		s->count--;
		return false;
	}
	s->slots[slot_of(s, digest)] = digest;
	return false;
}

int imported_keep(struct imported *s)
{
	if (s->kept == s->count)
		return 0;
	if (write_all(s->fd, s->order + s->kept, s->count - s->kept) || fdatasync(s->fd))
		return ERR_SYSTEM;
	s->kept = s->count;
	return 0;
}

static int load(struct imported *s, struct fault *fault)
{
	off_t size = lseek(s->fd, 0, SEEK_END);
	size_t count = size > 0 ? (size_t)size / sizeof *s->order : 0;
	if (size % (off_t)sizeof *s->order && ftruncate(s->fd, (off_t)(count * sizeof *s->order)))
		return fault_set(fault, ERR_SYSTEM, "%s: %s", s->name, strerror(errno));
	count = count < s->max ? count : s->max;
	while (s->room < count + 1)
		if (!grow_order(s))
			return fault_set(fault, ERR_MEMORY, "no memory for what was imported before");
	if (pread(s->fd, s->order, count * sizeof *s->order, 0) != (ssize_t)(count * sizeof *s->order))
		return fault_set(fault, ERR_SYSTEM, "%s: it cannot be read", s->name);
	s->count = s->kept = count;
	size_t slots = SLOTS_FIRST;
	while (slots < 2 * count)
		slots *= 2;
	return grow_slots(s, slots) ? 0 : fault_set(fault, ERR_MEMORY, "no memory for what was imported before");
}

int imported_open(struct imported **out, int directory, const char *name, size_t max, struct fault *fault)
{
	struct imported *s = calloc(1, sizeof *s);
	if (!s)
		return fault_set(fault, ERR_MEMORY, "no memory for what was imported before");
	s->directory = directory;
	s->max = max;
	snprintf(s->name, sizeof s->name, "%s", name);
	s->fd = openat(directory, name, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	int bad = s->fd < 0 ? fault_set(fault, ERR_SYSTEM, "%s: %s", name, strerror(errno)) : load(s, fault);
	if (bad) {
		imported_close(s);
		return bad;
	}
	*out = s;
	return 0;
}

size_t imported_count(const struct imported *s) { return s->count; }

void imported_close(struct imported *s)
{
	if (!s)
		return;
	if (s->slots && s->fd >= 0)
		imported_keep(s);
	if (s->fd >= 0)
		close(s->fd);
	free(s->order);
	free(s->slots);
	free(s);
}
