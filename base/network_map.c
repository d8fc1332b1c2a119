#include "base/network_map.h"
#include "base/little.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC "kansoku networks 1\n"
#define MAGIC_BYTES 32
#define COUNTS 5
#define HEAD (MAGIC_BYTES + COUNTS * 8)
#define ENTRY_BYTES 16
#define TOP_BITS 18
#define TOPS ((1u << TOP_BITS) + 1)

struct network_map {
	const uint8_t *at;
	size_t size;
	dev_t device;
	ino_t inode;
	uint64_t entries, v4, v6, as, text;
	const uint8_t *entry_at, *v4_first, *v4_entry, *v6_first, *v6_entry, *as_number, *as_name, *as_country;
	const char *text_at;
	uint32_t *as_of; /* of each entry: place of its AS among the ASes, and 1; 0: it is not there */
	uint32_t tops[TOPS]; /* the first IPv4 range at or after N << (32 - TOP_BITS) */
};

int network_map_folder(const char *state, char *path, size_t room)
{
	int n = snprintf(path, room, "%s/" NETWORK_MAP_FOLDER, state);
	if (n < 0 || (size_t)n >= room)
		return ERR_BAD;
	if (mkdir(path, 0755) == 0 && chmod(path, 0755))
		return ERR_SYSTEM;
	return access(path, F_OK) ? ERR_SYSTEM : 0;
}

static inline uint32_t le32(const uint8_t *at) { return (uint32_t)little_get(at, 4); }

static bool is_offset_good(const struct network_map *m, uint32_t offset) { return offset < m->text; }

static bool entries_are_good(const struct network_map *m)
{
	for (uint64_t i = 0; i < m->entries; i++) {
		const uint8_t *e = m->entry_at + i * ENTRY_BYTES;
		if (!is_offset_good(m, le32(e + 8)) || !is_offset_good(m, le32(e + 12)))
			return false;
	}
	for (uint64_t i = 0; i < m->as; i++)
		if (!is_offset_good(m, le32(m->as_name + 4 * i)) || (i && le32(m->as_number + 4 * i) <= le32(m->as_number + 4 * i - 4)))
			return false;
	return m->entries > 0 && m->text > 0 && !m->text_at[0] && !m->text_at[m->text - 1];
}

static bool ranges_are_good(const struct network_map *m)
{
	for (uint64_t i = 0; i < m->v4; i++)
		if (le32(m->v4_entry + 4 * i) >= m->entries || (i && le32(m->v4_first + 4 * i) <= le32(m->v4_first + 4 * i - 4)))
			return false;
	for (uint64_t i = 0; i < m->v6; i++)
		if (le32(m->v6_entry + 4 * i) >= m->entries || (i && memcmp(m->v6_first + 16 * i, m->v6_first + 16 * i - 16, 16) <= 0))
			return false;
	return true;
}

static bool layout(struct network_map *m)
{
	uint64_t *const counts[COUNTS] = {&m->entries, &m->v4, &m->v6, &m->as, &m->text};
	if (m->size < HEAD || memcmp(m->at, MAGIC, sizeof MAGIC))
		return false;
	for (size_t i = 0; i < COUNTS; i++) {
		*counts[i] = little_get(m->at + MAGIC_BYTES + 8 * i, 8);
		if (*counts[i] > UINT32_MAX)
			return false;
	}
	m->entry_at = m->at + HEAD;
	m->v4_first = m->entry_at + m->entries * ENTRY_BYTES;
	m->v4_entry = m->v4_first + m->v4 * 4;
	m->v6_first = m->v4_entry + m->v4 * 4;
	m->v6_entry = m->v6_first + m->v6 * 16;
	m->as_number = m->v6_entry + m->v6 * 4;
	m->as_name = m->as_number + m->as * 4;
	m->as_country = m->as_name + m->as * 4;
	m->text_at = (const char *)(m->as_country + m->as * 4);
	uint64_t size = HEAD + m->entries * ENTRY_BYTES + m->v4 * 8 + m->v6 * 20 + m->as * 12 + m->text;
	return size == m->size && entries_are_good(m) && ranges_are_good(m);
}

static void make_tops(struct network_map *m)
{
	uint64_t i = 0;
	for (uint32_t top = 0; top < TOPS; top++) {
		while (i < m->v4 && le32(m->v4_first + 4 * i) >> (32 - TOP_BITS) < top)
			i++;
		m->tops[top] = (uint32_t)i;
	}
}

/* Its place and 1; 0: it is not there. */
static uint32_t find_as(const struct network_map *m, uint32_t as)
{
	uint64_t low = 0, high = m->as;
	while (low < high) {
		uint64_t middle = low + (high - low) / 2;
		uint32_t number = le32(m->as_number + 4 * middle);
		if (number == as)
			return (uint32_t)middle + 1;
		if (number < as)
			low = middle + 1;
		else
			high = middle;
	}
	return 0;
}

int network_map_open(struct network_map **out, int directory, const char *name, struct fault *fault)
{
	struct stat st;
	int fd = openat(directory, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return fault_set(fault, ERR_MISSING, "%s: there is none", name);
	struct network_map *m = fd < 0 || fstat(fd, &st) || st.st_size < HEAD || (uint64_t)st.st_size > NETWORK_MAP_MAX
					? NULL : calloc(1, sizeof *m);
	void *at = m ? mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;
	if (fd >= 0)
		close(fd);
	if (at == MAP_FAILED) {
		free(m);
		return fault_set(fault, ERR_BAD, "%s: it is no map of networks, or it cannot be read", name);
	}
	m->at = at;
	m->size = (size_t)st.st_size;
	m->device = st.st_dev;
	m->inode = st.st_ino;
	if (!layout(m)) {
		network_map_close(m);
		return fault_set(fault, ERR_BAD, "%s: the map of networks is damaged; importing a table makes it anew", name);
	}
	m->as_of = calloc(m->entries, sizeof *m->as_of);
	if (!m->as_of) {
		network_map_close(m);
		return fault_set(fault, ERR_MEMORY, "%s: no memory for the map of networks", name);
	}
	for (uint64_t i = 1; i < m->entries; i++)
		m->as_of[i] = find_as(m, le32(m->entry_at + i * ENTRY_BYTES));
	make_tops(m);
	*out = m;
	return 0;
}

void network_map_close(struct network_map *m)
{
	if (!m)
		return;
	munmap((void *)(uintptr_t)m->at, m->size);
	free(m->as_of);
	free(m);
}

bool network_map_changed(const struct network_map *m, int directory, const char *name)
{
	struct stat st;
	return fstatat(directory, name, &st, 0) == 0 && (!m || st.st_ino != m->inode || st.st_dev != m->device);
}

/* The last range that begins at or before the address; false: none does. */
static bool find_v4(const struct network_map *m, uint32_t address, uint64_t *out)
{
	const uint32_t top = address >> (32 - TOP_BITS);
	uint64_t low = m->tops[top], high = m->tops[top + 1];
	while (low < high) {
		uint64_t middle = low + (high - low) / 2;
		if (le32(m->v4_first + 4 * middle) <= address)
			low = middle + 1;
		else
			high = middle;
	}
	*out = low - 1;
	return low > 0;
}

static bool find_v6(const struct network_map *m, const struct address *a, uint64_t *out)
{
	uint64_t low = 0, high = m->v6;
	while (low < high) {
		uint64_t middle = low + (high - low) / 2;
		if (memcmp(m->v6_first + 16 * middle, a->b, sizeof a->b) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	*out = low - 1;
	return low > 0;
}

static const char *as_at(const struct network_map *m, uint32_t place, char country[3])
{
	country[0] = country[2] = '\0';
	if (!place)
		return "";
	memcpy(country, m->as_country + 4 * (place - 1), 2);
	return m->text_at + le32(m->as_name + 4 * (place - 1));
}

const char *network_map_as(const struct network_map *m, uint32_t as, char country[3])
{
	return as_at(m, find_as(m, as), country);
}

bool network_map_find(const struct network_map *m, const struct address *a, struct network_place *out)
{
	uint64_t at;
	bool v4 = address_is_v4(a);
	bool found = v4 ? find_v4(m, address_to_v4(a), &at) : find_v6(m, a, &at);
	uint32_t entry = !found ? 0 : le32((v4 ? m->v4_entry : m->v6_entry) + 4 * at);
	*out = (struct network_place){.as_name = "", .name = "", .labels = ""};
	if (!entry)
		return false;
	const uint8_t *e = m->entry_at + entry * ENTRY_BYTES;
	out->as = le32(e);
	memcpy(out->country, e + 4, 2);
	out->name = m->text_at + le32(e + 8);
	out->labels = m->text_at + le32(e + 12);
	if (m->as_of[entry]) {
		char country[3];
		out->as_name = as_at(m, m->as_of[entry], country);
		if (!*out->country)
			memcpy(out->country, country, sizeof country);
	}
	return true;
}
