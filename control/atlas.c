#include "control/atlas_inner.h"
#include <errno.h>
#include <fcntl.h>
#include <maxminddb.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define ZONES_MAX 600
#define ZONE_TAB ZONE_FOLDER "/zone.tab"

struct origin {
	struct prefix prefix;
	uint32_t as;
	uint32_t within; /* index + 1 of the next wider one; 0: none */
};

struct place {
	char country[3], name[48];
	struct zone zone;
};

struct atlas {
	struct origin *origins; /* in order of base, the wider first */
	size_t count, room;
	MMDB_s as, country;
	bool has_as, has_country;
	struct place *places;
	size_t place_count;
};

int atlas_new(struct atlas **out)
{
	*out = calloc(1, sizeof **out);
	return *out ? 0 : ERR_MEMORY;
}

void atlas_close(struct atlas *a)
{
	if (!a)
		return;
	if (a->has_as)
		MMDB_close(&a->as);
	if (a->has_country)
		MMDB_close(&a->country);
	free(a->origins);
	free(a->places);
	free(a);
}

static int origin_add(struct atlas *a, const struct origin *o)
{
	if (a->count == ATLAS_PREFIXES_MAX)
		return ERR_FULL;
	if (a->count == a->room) {
		size_t room = a->room ? 2 * a->room : 1024;
		struct origin *larger = realloc(a->origins, room * sizeof *larger);
		if (!larger)
			return ERR_MEMORY;
		a->origins = larger;
		a->room = room;
	}
	a->origins[a->count++] = *o;
	return 0;
}

static struct bytes next_word(struct bytes *rest)
{
	*rest = bytes_trim(*rest);
	size_t n = 0;
	while (n < rest->len && rest->at[n] != ' ' && rest->at[n] != '\t')
		n++;
	struct bytes word = {rest->at, n};
	*rest = (struct bytes){rest->at + n, rest->len - n};
	return word;
}

static bool read_origin(struct bytes line, struct origin *o)
{
	struct address base;
	uint64_t length, as;
	if (!address_parse(next_word(&line), &base) ||
	    !bytes_number(next_word(&line), address_is_v4(&base) ? 32 : 128, &length))
		return false;
	struct bytes origins = next_word(&line);
	size_t n = 0;
	while (n < origins.len && origins.at[n] >= '0' && origins.at[n] <= '9')
		n++;
	bool ends = n == origins.len || origins.at[n] == '_' || origins.at[n] == ',';
	if (!ends || !bytes_number((struct bytes){origins.at, n}, UINT32_MAX, &as))
		return false;
	*o = (struct origin){prefix_of(&base, (unsigned)length + (address_is_v4(&base) ? 96 : 0)), (uint32_t)as, 0};
	return true;
}

static int compare_origins(const void *x, const void *y)
{
	const struct origin *a = x, *b = y;
	int order = memcmp(a->prefix.base.b, b->prefix.base.b, sizeof a->prefix.base.b);
	return order ? order : (int)a->prefix.bits - (int)b->prefix.bits;
}

/* Prefixes either lie within each other or apart, so a chain of the wider ones is all that is needed. */
static void seal(struct atlas *a)
{
	if (a->count)
		qsort(a->origins, a->count, sizeof *a->origins, compare_origins);
	for (size_t i = 1; i < a->count; i++) {
		size_t wider = i;
		while (wider && !prefix_holds(&a->origins[wider - 1].prefix, &a->origins[i].prefix.base))
			wider = a->origins[wider - 1].within;
		a->origins[i].within = (uint32_t)wider;
	}
}

int atlas_read_text(struct atlas *a, struct bytes text, size_t *bad_lines)
{
	struct reader r = reader_of_bytes(text);
	struct bytes line;
	int bad = 0;
	*bad_lines = 0;
	while (!bad && read_line(&r, &line)) {
		struct origin o;
		line = bytes_trim(line);
		if (line.len == 0 || line.at[0] == '#')
			continue;
		if (read_origin(line, &o))
			bad = origin_add(a, &o);
		else
			++*bad_lines;
	}
	seal(a);
	return bad;
}

static uint32_t origin_find(const struct atlas *a, const struct address *address)
{
	size_t low = 0, high = a->count; /* the last base that is not above the address */
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (memcmp(a->origins[middle].prefix.base.b, address->b, sizeof address->b) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	while (low && !prefix_holds(&a->origins[low - 1].prefix, address))
		low = a->origins[low - 1].within;
	return low ? a->origins[low - 1].as : 0;
}

static int open_text(struct atlas *a, const char *file, struct fault *fault)
{
	struct stat st;
	size_t bad_lines = 0, len = 0;
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) || st.st_size > (off_t)ATLAS_TEXT_MAX) {
		int why = fd < 0 ? errno : EFBIG;
		if (fd >= 0)
			close(fd);
		return fault_set(fault, ERR_SYSTEM, "active.as_file: %s: %s", file, strerror(why));
	}
	uint8_t *text = malloc((size_t)st.st_size + 1);
	for (ssize_t n = 1; text && n > 0 && len < (size_t)st.st_size; len += n > 0 ? (size_t)n : 0)
		n = read(fd, text + len, (size_t)st.st_size - len);
	close(fd);
	int bad = text ? atlas_read_text(a, (struct bytes){text, len}, &bad_lines) : ERR_MEMORY;
	free(text);
	if (!bad && a->count == 0)
		return fault_set(fault, ERR_BAD, "active.as_file: %s: no line is of the form \"192.0.2.0 24 64496\"", file);
	return bad ? fault_set(fault, bad, "active.as_file: %s: %s", file, error_name(bad)) : 0;
}

static int open_mmdb(MMDB_s *db, bool *has, const char *option, const char *file, struct fault *fault)
{
	int bad = MMDB_open(file, MMDB_MODE_MMAP, db);
	*has = bad == MMDB_SUCCESS;
	return *has ? 0 : fault_set(fault, ERR_BAD, "active.%s: %s: %s", option, file, MMDB_strerror(bad));
}

static bool place_read(struct bytes line, struct place *p)
{
	struct fault none;
	struct bytes country = next_word(&line);
	next_word(&line);
	struct bytes name = next_word(&line);
	if (country.len != 2 || !name.len || name.len >= sizeof p->name)
		return false;
	bytes_copy_text(country, p->country, sizeof p->country);
	bytes_copy_text(name, p->name, sizeof p->name);
	return zone_open(p->name, &p->zone, &none) == 0;
}

/* Zones of a country stand in an order that puts those of most people first, as zone.tab says. */
static int open_places(struct atlas *a, struct fault *fault)
{
	static uint8_t text[ZONE_BYTES_MAX];
	int fd = open(ZONE_TAB, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text);
	struct bytes line;
	if (fd >= 0)
		close(fd);
	a->places = calloc(ZONES_MAX, sizeof *a->places);
	if (n <= 0 || !a->places)
		return fault_set(fault, ERR_MISSING, ZONE_TAB ": cannot be read; zone: target needs tzdata");
	struct reader r = reader_of(text, (size_t)n);
	while (a->place_count < ZONES_MAX && read_line(&r, &line))
		if (line.len && line.at[0] != '#')
			a->place_count += place_read(line, &a->places[a->place_count]);
	return 0;
}

static bool is_mmdb(const char *file)
{
	size_t n = strlen(file);
	return n > 5 && !strcmp(file + n - 5, ".mmdb");
}

int atlas_open(struct atlas **out, const char *as_file, const char *country_file, bool zones, struct fault *fault)
{
	struct atlas *a;
	int bad = atlas_new(&a);
	if (bad)
		return fault_set(fault, bad, "no memory");
	if (as_file)
		bad = is_mmdb(as_file) ? open_mmdb(&a->as, &a->has_as, "as_file", as_file, fault) : open_text(a, as_file, fault);
	if (!bad && country_file && zones)
		bad = open_mmdb(&a->country, &a->has_country, "country_file", country_file, fault);
	if (!bad && country_file && zones)
		bad = open_places(a, fault);
	if (bad) {
		atlas_close(a);
		return bad;
	}
	*out = a;
	return 0;
}

static bool look_up(const MMDB_s *db, const struct address *address, MMDB_lookup_result_s *out)
{
	struct sockaddr_storage ss;
	int error = 0;
	address_to_sockaddr(address, 0, false, &ss);
	*out = MMDB_lookup_sockaddr(db, (const struct sockaddr *)&ss, &error);
	return error == MMDB_SUCCESS && out->found_entry;
}

uint32_t atlas_as(const struct atlas *a, const struct address *address)
{
	MMDB_lookup_result_s found;
	MMDB_entry_data_s value;
	if (a->count)
		return origin_find(a, address);
	if (!a->has_as || !look_up(&a->as, address, &found) ||
	    MMDB_get_value(&found.entry, &value, "autonomous_system_number", NULL) != MMDB_SUCCESS || !value.has_data)
		return 0;
	return value.type == MMDB_DATA_TYPE_UINT32 ? value.uint32 : value.type == MMDB_DATA_TYPE_UINT16 ? value.uint16 : 0;
}

static struct bytes text_of(const MMDB_entry_data_s *value)
{
	bool text = value->has_data && value->type == MMDB_DATA_TYPE_UTF8_STRING;
	return text ? (struct bytes){(const uint8_t *)value->utf8_string, value->data_size} : (struct bytes){0};
}

const struct zone *atlas_zone(const struct atlas *a, const struct address *address)
{
	MMDB_lookup_result_s found;
	MMDB_entry_data_s value = {0};
	struct bytes name = {0}, country = {0};
	if (!a->has_country || !look_up(&a->country, address, &found))
		return NULL;
	if (MMDB_get_value(&found.entry, &value, "location", "time_zone", NULL) == MMDB_SUCCESS)
		name = text_of(&value);
	if (MMDB_get_value(&found.entry, &value, "country", "iso_code", NULL) == MMDB_SUCCESS)
		country = text_of(&value);
	for (size_t i = 0; i < a->place_count && name.len; i++)
		if (bytes_equal_text(name, a->places[i].name))
			return &a->places[i].zone;
	for (size_t i = 0; i < a->place_count && country.len; i++)
		if (bytes_equal_nocase(country, a->places[i].country))
			return &a->places[i].zone;
	return NULL;
}
