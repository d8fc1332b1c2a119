#include "passive/room/wheel.h"

void wheel_start(struct wheel *w, uint64_t now_ms)
{
	*w = (struct wheel){.turned = now_ms / WHEEL_STEP_MS};
}

void wheel_remove(struct wheel_entry *e)
{
	if (!e->link)
		return;
	*e->link = e->next;
	if (e->next)
		e->next->link = e->link;
	*e = (struct wheel_entry){0};
}

void wheel_set(struct wheel *w, struct wheel_entry *e, uint64_t due_ms)
{
	wheel_remove(e);
	/* Rounded up: an entry must not come up before its time and then wait a whole turn. */
	uint64_t step = due_ms / WHEEL_STEP_MS + 1;
	if (step <= w->turned)
		step = w->turned + 1;
	if (step >= w->turned + WHEEL_SLOTS)
		step = w->turned + WHEEL_SLOTS - 1;
	size_t slot = step % WHEEL_SLOTS;
	e->next = w->slots[slot];
	e->link = &w->slots[slot];
	if (e->next)
		e->next->link = &e->next;
	w->slots[slot] = e;
	w->full[slot / 64] |= (uint64_t)1 << slot % 64;
}

static void slot_empty(struct wheel *w, size_t slot, void (*due)(void *, struct wheel_entry *),
                       void *arg)
{
	/* Taken over as a list of our own, since `due` may set entries in this very slot. */
	struct wheel_entry *list = w->slots[slot];
	w->slots[slot] = NULL;
	w->full[slot / 64] &= ~((uint64_t)1 << slot % 64);
	if (list)
		list->link = &list;
	while (list) {
		struct wheel_entry *e = list;
		wheel_remove(e);
		due(arg, e);
	}
}

void wheel_turn(struct wheel *w, uint64_t now_ms, void (*due)(void *, struct wheel_entry *),
                void *arg)
{
	uint64_t now = now_ms / WHEEL_STEP_MS;
	/* After a long sleep one whole turn reaches every slot. */
	if (now > w->turned + WHEEL_SLOTS)
		w->turned = now - WHEEL_SLOTS;
	while (w->turned < now) {
		w->turned++;
		size_t slot = w->turned % WHEEL_SLOTS;
		if (w->full[slot / 64] >> slot % 64 & 1)
			slot_empty(w, slot, due, arg);
	}
}

uint64_t wheel_next_ms(const struct wheel *w)
{
	for (uint64_t step = w->turned + 1; step < w->turned + WHEEL_SLOTS;) {
		size_t slot = step % WHEEL_SLOTS;
		uint64_t word = w->full[slot / 64] >> slot % 64;
		if (word)
			return (step + (uint64_t)__builtin_ctzll(word)) * WHEEL_STEP_MS;
		step += 64 - slot % 64;
	}
	return UINT64_MAX;
}
