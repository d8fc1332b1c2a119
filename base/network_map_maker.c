/* How a map of networks is written. */
#include "base/little.h"
#include "base/network_map.h"
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include <xxhash.h>

#define MAGIC "kansoku networks 1\n"
#define HEAD 72
#define MAGIC_BYTES 32
#define PART_MAX (1u << 30)
#define LABELS_MAX 1024

struct network_map_maker {
	struct buffer entries, v4_first, v4_entry, v6_first, v6_entry, as_number, as_name, as_country, text;
	uint32_t *slots; /* of entries, by what they hold; 0: free */
	uint32_t *text_slots;
	size_t slot_count, text_slot_count;
	uint32_t entry_count, text_count, last_v4, last_v6;
};

static int put(struct buffer *b, uint64_t value, size_t width)
{
	uint8_t room[8];
	little_put(room, value, width);
	return buffer_append(b, room, width);
}

struct network_map_maker *network_map_maker_new(void)
{
	static const uint8_t nothing[16];
	struct network_map_maker *m = calloc(1, sizeof *m);
	if (!m)
		return NULL;
	struct buffer *const all[] = {&m->entries, &m->v4_first, &m->v4_entry, &m->v6_first, &m->v6_entry,
				      &m->as_number, &m->as_name, &m->as_country, &m->text};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		*all[i] = BUFFER(PART_MAX);
	m->slot_count = m->text_slot_count = 1024;
	m->slots = calloc(m->slot_count, sizeof *m->slots);
	m->text_slots = calloc(m->text_slot_count, sizeof *m->text_slots);
	if (!m->slots || !m->text_slots || buffer_append(&m->entries, nothing, sizeof nothing) || buffer_append(&m->text, "", 1)) {
		network_map_maker_free(m);
		return NULL;
	}
	m->entry_count = 1;
	return m;
}

void network_map_maker_free(struct network_map_maker *m)
{
	struct buffer *const all[] = {&m->entries, &m->v4_first, &m->v4_entry, &m->v6_first, &m->v6_entry,
				      &m->as_number, &m->as_name, &m->as_country, &m->text};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		buffer_done(all[i]);
	free(m->slots);
	free(m->text_slots);
	free(m);
}

static const uint8_t *at_of(const struct buffer *b, size_t offset) { return b->store + b->at + offset; }

static const char *text_at(const struct network_map_maker *m, uint32_t offset)
{
	return (const char *)at_of(&m->text, offset);
}

static bool grow_texts(struct network_map_maker *m)
{
	size_t count = 2 * m->text_slot_count;
	uint32_t *slots = calloc(count, sizeof *slots);
	if (!slots)
		return false;
	for (size_t i = 0; i < m->text_slot_count; i++) {
		uint32_t offset = m->text_slots[i];
		const char *text = offset ? text_at(m, offset) : "";
		size_t at = XXH3_64bits(text, strlen(text)) & (count - 1);
		while (offset && slots[at])
			at = (at + 1) & (count - 1);
		if (offset)
			slots[at] = offset;
	}
	free(m->text_slots);
	m->text_slots = slots;
	m->text_slot_count = count;
	return true;
}

/* Equal texts are kept once; a NUL within is the end. */
static int intern(struct network_map_maker *m, struct bytes b, uint32_t *out)
{
	b.len = b.len ? strnlen((const char *)b.at, b.len) : 0;
	*out = 0;
	if (!b.len)
		return 0;
	if (2 * (m->text_count + 1u) > m->text_slot_count && !grow_texts(m))
		return ERR_MEMORY;
	size_t at = XXH3_64bits(b.at, b.len) & (m->text_slot_count - 1);
	for (; m->text_slots[at]; at = (at + 1) & (m->text_slot_count - 1))
		if (bytes_equal_text(b, text_at(m, m->text_slots[at]))) {
			*out = m->text_slots[at];
			return 0;
		}
	*out = (uint32_t)buffer_len(&m->text);
	if (buffer_append(&m->text, b.at, b.len) || buffer_append(&m->text, "", 1))
		return ERR_FULL;
	m->text_slots[at] = *out;
	m->text_count++;
	return 0;
}

static bool grow_entries(struct network_map_maker *m)
{
	size_t count = 2 * m->slot_count;
	uint32_t *slots = calloc(count, sizeof *slots);
	if (!slots)
		return false;
	for (uint32_t n = 1; n < m->entry_count; n++) {
		size_t at = XXH3_64bits(at_of(&m->entries, 16u * n), 16) & (count - 1);
		while (slots[at])
			at = (at + 1) & (count - 1);
		slots[at] = n;
	}
	free(m->slots);
	m->slots = slots;
	m->slot_count = count;
	return true;
}

int network_map_entry(struct network_map_maker *m, uint32_t as, const char country[3], struct bytes name, struct bytes labels,
		      uint32_t *out)
{
	uint32_t name_at, labels_at;
	uint8_t entry[16] = {0};
	*out = 0;
	labels.len = labels.len < LABELS_MAX ? labels.len : LABELS_MAX;
	int bad = intern(m, name, &name_at);
	bad = bad ? bad : intern(m, labels, &labels_at);
	if (bad || (!as && !*country && !name_at && !labels_at))
		return bad;
	little_put(entry, as, 4);
	memcpy(entry + 4, country, strnlen(country, 2));
	little_put(entry + 8, name_at, 4);
	little_put(entry + 12, labels_at, 4);
	if (2 * (size_t)m->entry_count > m->slot_count && !grow_entries(m))
		return ERR_MEMORY;
	size_t at = XXH3_64bits(entry, sizeof entry) & (m->slot_count - 1);
	for (; m->slots[at]; at = (at + 1) & (m->slot_count - 1))
		if (!memcmp(at_of(&m->entries, 16u * m->slots[at]), entry, sizeof entry)) {
			*out = m->slots[at];
			return 0;
		}
	if (buffer_append(&m->entries, entry, sizeof entry))
		return ERR_FULL;
	*out = m->slots[at] = m->entry_count++;
	return 0;
}

/* A range that says the same as the one before is a part of it. */
int network_map_add(struct network_map_maker *m, const struct address *first, uint32_t entry)
{
	bool v4 = address_is_v4(first);
	struct buffer *firsts = v4 ? &m->v4_first : &m->v6_first, *entries = v4 ? &m->v4_entry : &m->v6_entry;
	uint32_t *last = v4 ? &m->last_v4 : &m->last_v6;
	if (entry >= m->entry_count)
		return ERR_BAD;
	if (entry == *last && buffer_len(entries))
		return 0;
	if (!entry && !buffer_len(entries))
		return 0;
	*last = entry;
	int bad = v4 ? put(firsts, address_to_v4(first), 4) : buffer_append(firsts, first->b, sizeof first->b);
	return bad ? bad : put(entries, entry, 4);
}

int network_map_add_as(struct network_map_maker *m, uint32_t as, struct bytes name, const char country[3])
{
	uint32_t name_at;
	uint8_t code[4] = {0};
	int bad = intern(m, name, &name_at);
	memcpy(code, country, strnlen(country, 2));
	bad = bad ? bad : put(&m->as_number, as, 4);
	bad = bad ? bad : put(&m->as_name, name_at, 4);
	return bad ? bad : buffer_append(&m->as_country, code, sizeof code);
}

static int write_all(int fd, struct bytes b, struct fault *fault)
{
	while (b.len) {
		ssize_t n = write(fd, b.at, b.len);
		if (n <= 0)
			return fault_set(fault, ERR_SYSTEM, "the map of networks cannot be written: %s", strerror(errno));
		b = (struct bytes){b.at + n, b.len - (size_t)n};
	}
	return 0;
}

int network_map_write(struct network_map_maker *m, int fd, struct fault *fault)
{
	const struct buffer *const parts[] = {&m->entries, &m->v4_first, &m->v4_entry, &m->v6_first, &m->v6_entry,
					      &m->as_number, &m->as_name, &m->as_country, &m->text};
	const uint64_t counts[] = {m->entry_count, buffer_len(&m->v4_first) / 4, buffer_len(&m->v6_first) / 16,
				   buffer_len(&m->as_number) / 4, buffer_len(&m->text)};
	uint8_t head[HEAD] = MAGIC;
	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
		little_put(head + MAGIC_BYTES + 8 * i, counts[i], 8);
	int bad = write_all(fd, (struct bytes){head, sizeof head}, fault);
	for (size_t i = 0; i < sizeof parts / sizeof *parts && !bad; i++)
		bad = write_all(fd, buffer_bytes(parts[i]), fault);
	return bad;
}
