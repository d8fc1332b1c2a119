#include "passive/telescope/live/reactive_part.h"

static bool bit_of(const struct address *a, unsigned bit) { return a->b[bit / 8] >> (7 - bit % 8) & 1; }

/* Those whose bit is not set come first; answers how many they are. */
static size_t split(struct live_prefix *all, size_t count, unsigned bit)
{
	size_t zeros = 0;
	for (size_t i = 0; i < count; i++) {
		if (bit_of(&all[i].prefix.base, bit))
			continue;
		struct live_prefix other = all[zeros];
		all[zeros++] = all[i];
		all[i] = other;
	}
	return zeros;
}

/* All of them lie within `at`, whose shorter prefixes make it reactive or not. */
static int divide(struct live_prefix *all, size_t count, struct prefix at, bool reactive, struct prefix_set *out)
{
	bool met = false;
	for (size_t i = 0; i < count;) {
		if (all[i].prefix.bits != at.bits) {
			i++;
			continue;
		}
		reactive = all[i].reactive && (reactive || !met);
		met = true;
		all[i] = all[--count];
	}
	if (count == 0)
		return reactive ? prefix_set_add(out, &at) : 0;
	size_t zeros = split(all, count, at.bits);
	struct prefix low = {at.base, (uint8_t)(at.bits + 1)}, high = low;
	high.base.b[at.bits / 8] |= (uint8_t)(0x80 >> at.bits % 8);
	int bad = divide(all, zeros, low, reactive, out);
	return bad ? bad : divide(all + zeros, count - zeros, high, reactive, out);
}

int reactive_part(struct live_prefix *all, size_t count, struct prefix_set *out)
{
	return divide(all, count, (struct prefix){.bits = 0}, false, out);
}
