#include "share/exporting/marks_inner.h"
#include "base/error.h"
#include <stdlib.h>

#define ROOM_FIRST 1024

static bool put(uint64_t *slots, size_t room, uint64_t mark)
{
	size_t at = mark & (room - 1);
	while (slots[at] && slots[at] != mark)
		at = (at + 1) & (room - 1);
	if (slots[at])
		return false;
	slots[at] = mark;
	return true;
}

static bool grow(struct marks *m, size_t max)
{
	size_t room = m->room ? 2 * m->room : ROOM_FIRST;
	uint64_t *slots = room > max ? NULL : calloc(room, sizeof *slots);
	if (!slots)
		return false;
	for (size_t i = 0; i < m->room; i++)
		if (m->slots[i])
			put(slots, room, m->slots[i]);
	free(m->slots);
	m->slots = slots;
	m->room = room;
	return true;
}

int marks_add(struct marks *m, uint64_t mark, size_t max)
{
	if (2 * m->count >= m->room && !grow(m, max))
		return ERR_FULL;
	bool fresh = put(m->slots, m->room, mark ? mark : 1);
	m->count += fresh;
	return fresh;
}

void marks_done(struct marks *m)
{
	free(m->slots);
	*m = (struct marks){0};
}
