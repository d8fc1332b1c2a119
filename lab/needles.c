#include "lab/needles.h"

static uint32_t head_slot(const void *at)
{
	uint32_t head;
	memcpy(&head, at, sizeof head);
	return head * 2654435761u >> 16;
}

void needles_of(struct needles *n, const char *const *words, size_t count)
{
	*n = (struct needles){.words = words, .count = count < NEEDLES_MAX ? count : NEEDLES_MAX};
	for (size_t i = 0; i < n->count; i++) {
		uint32_t slot = head_slot(words[i]);
		n->lengths[i] = (uint16_t)strlen(words[i]);
		n->heads[slot >> 3] |= (uint8_t)(1u << (slot & 7));
	}
}

bool needles_next(const struct needles *n, struct bytes content, size_t from, size_t *at, size_t *which)
{
	for (size_t i = from; i + NEEDLE_MIN <= content.len; i++) {
		uint32_t slot = head_slot(content.at + i);
		if (!(n->heads[slot >> 3] >> (slot & 7) & 1))
			continue;
		for (size_t k = 0; k < n->count; k++)
			if (n->lengths[k] <= content.len - i && !memcmp(content.at + i, n->words[k], n->lengths[k])) {
				*at = i;
				*which = k;
				return true;
			}
	}
	return false;
}
