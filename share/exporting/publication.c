#include "share/exporting/publication_inner.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PIECE_BYTES 65536

const struct publisher *publisher_find(const char *name)
{
	PUBLISHERS_EACH(it)
		if (!strcmp((*it)->name, name))
			return *it;
	return NULL;
}

void publication_open(struct publication *p, int fd, uint64_t skip)
{
	*p = (struct publication){.fd = fd, .pending = BUFFER(PUBLICATION_LINE_MAX + PIECE_BYTES), .skip = skip, .arrived = skip};
}

void publication_close(struct publication *p)
{
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
	buffer_done(&p->pending);
}

/* 1: there is more to look at; 0: the file is at its end. */
static int fill(struct publication *p, struct fault *fault)
{
	uint8_t *room = buffer_room(&p->pending, PIECE_BYTES);
	ssize_t n = room ? read(p->fd, room, PIECE_BYTES) : -1;
	if (!room)
		return fault_set(fault, ERR_FULL, "a line is longer than %u bytes", PUBLICATION_LINE_MAX);
	if (n < 0)
		return fault_set(fault, ERR_SYSTEM, "what is to be sent cannot be read: %s", strerror(errno));
	buffer_grown(&p->pending, (size_t)n);
	return n > 0;
}

static bool next_line(struct publication *p, struct bytes *line, struct fault *fault)
{
	buffer_consume(&p->pending, p->taken);
	p->taken = 0;
	for (;;) {
		struct bytes b = buffer_bytes(&p->pending);
		const uint8_t *end = b.len ? memchr(b.at, '\n', b.len) : NULL;
		const int more = end ? 1 : fill(p, fault);
		if (!end)
			b = buffer_bytes(&p->pending); /* it may have moved */
		if (end || (!more && b.len)) {
			*line = (struct bytes){b.at, end ? (size_t)(end - b.at) : b.len};
			p->taken = line->len + (end != NULL);
			p->lines++;
			return true;
		}
		if (more <= 0)
			return false;
	}
}

bool publication_line(struct publication *p, struct bytes *line, struct fault *fault)
{
	while (p->lines < p->skip)
		if (!next_line(p, line, fault))
			return false;
	return next_line(p, line, fault);
}

void publication_arrived(struct publication *p) { p->arrived = p->lines; }

void publication_place_read(struct bytes state, struct publication_place *place)
{
	unsigned long long n[4];
	char text[PUBLICATION_PLACE_MAX], digest[65] = "";
	*place = (struct publication_place){0};
	if (!bytes_copy_text(state, text, sizeof text) ||
	    sscanf(text, "%llu %llu %llu %llu %64[0-9a-f]", &n[0], &n[1], &n[2], &n[3], digest) < 4)
		return;
	*place = (struct publication_place){.done_us = n[0], .from_us = n[1], .to_us = n[2], .arrived = n[3]};
	memcpy(place->digest, digest, sizeof digest);
}

struct bytes publication_place_write(const struct publication_place *p, char text[PUBLICATION_PLACE_MAX])
{
	int n = snprintf(text, PUBLICATION_PLACE_MAX, "%llu %llu %llu %llu %s\n", (unsigned long long)p->done_us,
			 (unsigned long long)p->from_us, (unsigned long long)p->to_us, (unsigned long long)p->arrived, p->digest);
	return (struct bytes){(const uint8_t *)text, n > 0 ? (size_t)n : 0};
}
