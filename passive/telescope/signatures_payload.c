/* What a payload asks: rules are looked up by port, and those of any port by their first byte. */
#include "passive/telescope/signatures_inner.h"
#include <stdlib.h>

#define ANY_PORT (1u << 16)
#define KEY(proto, place) ((uint32_t)(proto) << 17 | (place))

static int place_order(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return x->rule < y->rule ? -1 : x->rule > y->rule;
}

static int place_add(struct signatures *s, uint32_t key, unsigned rule)
{
	if (s->places == PLACES_MAX)
		return ERR_FULL;
	s->place[s->places++] = (struct place){key, (uint16_t)rule};
	return 0;
}

int signature_index(struct signatures *s)
{
	int bad = 0;
	s->places = 0;
	for (unsigned r = 0; r < s->n.payloads && !bad; r++) {
		const struct payload_rule *rule = &s->payloads[r];
		for (unsigned i = 0; i < rule->port_count && !bad; i++)
			bad = place_add(s, KEY(rule->proto, rule->ports[i]), r);
		for (unsigned first = 0; first < 256 && rule->port_count == 0 && !bad; first++)
			if ((first & rule->mask) == rule->value)
				bad = place_add(s, KEY(rule->proto, ANY_PORT | first), r);
	}
	qsort(s->place, s->places, sizeof *s->place, place_order);
	return bad;
}

static bool bytes_fit(const uint8_t *at, const uint8_t *values, const uint8_t *masks, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if ((at[i] & masks[i]) != values[i])
			return false;
	return true;
}

/* Looks for the pattern's byte that is rarest elsewhere, and from there at the whole of it. */
static bool part_found(const struct part *part, const uint8_t *values, const uint8_t *masks, struct bytes payload)
{
	size_t len = payload.len < PAYLOAD_SEARCH_MAX ? payload.len : PAYLOAD_SEARCH_MAX;
	if (part->count > len)
		return false;
	const uint8_t *at = payload.at + part->at, *last = at + len - part->count;
	for (; at <= last; at++) {
		if (masks[part->at] == 0xff && !(at = memchr(at, values[part->at], (size_t)(last - at) + 1)))
			return false;
		if (bytes_fit(at - part->at, values, masks, part->count))
			return true;
	}
	return false;
}

static bool part_fits(const struct signatures *s, const struct part *part, struct bytes payload)
{
	const uint8_t *values = s->bytes + part->bytes, *masks = s->masks + part->bytes;
	if (part->searched)
		return part_found(part, values, masks, payload);
	return payload.len >= (size_t)part->at + part->count &&
	       bytes_fit(payload.at + part->at, values, masks, part->count);
}

static bool rule_fits(const struct signatures *s, const struct payload_rule *rule, struct bytes payload)
{
	if ((payload.at[0] & rule->mask) != rule->value || payload.len < rule->length_min ||
	    payload.len > rule->length_max)
		return false;
	for (unsigned i = 0; i < rule->part_count; i++)
		if (!part_fits(s, &s->parts[rule->part + i], payload))
			return false;
	return true;
}

static unsigned place_first(const struct signatures *s, uint32_t key)
{
	unsigned low = 0, high = s->places;
	while (low < high) {
		unsigned middle = (low + high) / 2;
		if (s->place[middle].key < key)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

unsigned signatures_payload(const struct signatures *s, uint8_t proto, uint16_t port, struct bytes payload)
{
	if (payload.len == 0)
		return 0;
	/* Both lists are in the order of the files, and so are they taken. */
	uint32_t own_key = KEY(proto, port), any_key = KEY(proto, ANY_PORT | payload.at[0]);
	unsigned own = place_first(s, own_key), any = place_first(s, any_key);
	for (;;) {
		bool own_left = own < s->places && s->place[own].key == own_key;
		bool any_left = any < s->places && s->place[any].key == any_key;
		if (!own_left && !any_left)
			return 0;
		bool take_own = own_left && (!any_left || s->place[own].rule < s->place[any].rule);
		unsigned rule = s->place[take_own ? own++ : any++].rule;
		if (rule_fits(s, &s->payloads[rule], payload))
			return rule + 1;
	}
}
