/* The sightings of keys: asked of the store, taken from its rows, kept with their texts numbered. */
#include "analysis/machines_inner.h"
#include <jansson.h>
#include <stdlib.h>

#define TEXTS_MAX (256u << 20)
#define VALUE(name) "value[indexOf(field,'" name "')]"

const char *machine_key_word(enum machine_key kind)
{
	static const char *const words[MACHINE_KEYS] = {"certificate", "host-key", "serial"};
	return kind < MACHINE_KEYS ? words[kind] : "";
}

/*
 * A serial number is unique among the devices of one kind only, so it stands with the protocol,
 * and with the vendor where there is one; a number of zeros is none.
 */
void machines_sql(uint64_t from_s, uint64_t to_s, struct writer *w)
{
	write_text(w, "SELECT ip(src) AS host, sport AS port, k.1 AS kind, k.2 AS text, min(t) AS first, max(t) AS last, "
		      "count() AS looks FROM (SELECT src, sport, toUnixTimestamp(time) AS t, arrayJoin(["
		      "('certificate', " VALUE("tls.sha256") "), ('host-key', " VALUE("ssh.host_key") "), "
		      "('serial', if(" VALUE("s7.serial") " = '', '', concat('s7 ', " VALUE("s7.serial") "))), "
		      "('serial', if(match(" VALUE("enip.serial") ", '^[0x]*$'), '', concat('enip ', "
		      VALUE("enip.vendor_id") ", ' ', " VALUE("enip.serial") "))), "
		      "('serial', if(" VALUE("fox.host_id") " = '', '', concat('fox ', " VALUE("fox.host_id") ")))]) AS k "
		      "FROM events WHERE kind = 'host.answered' AND state = 'open' AND ");
	write_fmt(w, "time >= toDateTime(%llu,'UTC') AND time < toDateTime(%llu,'UTC')", (unsigned long long)from_s,
		  (unsigned long long)to_s);
	write_fmt(w, ") WHERE text != '' GROUP BY src, sport, kind, text ORDER BY first, host, port, kind, text LIMIT %u",
		  MACHINE_SIGHTINGS_MAX);
}

int machines_open(struct machines **out, size_t shared_above)
{
	struct machines *m = calloc(1, sizeof *m);
	if (!m)
		return ERR_MEMORY;
	m->texts = ARENA(TEXTS_MAX);
	m->shared_above = shared_above;
	*out = m;
	return 0;
}

void machines_close(struct machines *m)
{
	if (!m)
		return;
	arena_done(&m->texts);
	free(m->sightings);
	free(m->keys);
	free(m->places);
	free(m->found);
	free(m->shared);
	free(m->networks);
	free(m);
}

/* FNV-1a; whoever chooses keys to collide makes his own report slow, and rows are bounded. */
static uint64_t hash_of(enum machine_key kind, struct bytes text)
{
	uint64_t hash = 0xcbf29ce484222325u ^ kind;
	for (size_t i = 0; i < text.len; i++)
		hash = (hash ^ text.at[i]) * 0x100000001b3u;
	return hash ^ hash >> 29;
}

static size_t place_of(const struct machines *m, enum machine_key kind, struct bytes text)
{
	size_t at = hash_of(kind, text) & (m->places_count - 1);
	for (; m->places[at]; at = (at + 1) & (m->places_count - 1)) {
		const struct machine_text *k = &m->keys[m->places[at] - 1];
		if (k->kind == kind && bytes_equal_text(text, k->text))
			break;
	}
	return at;
}

static int grow(struct machines *m)
{
	const size_t room = m->places_count ? 2 * m->places_count : 1024;
	uint32_t *places = calloc(room, sizeof *places);
	struct machine_text *keys = realloc(m->keys, room / 2 * sizeof *keys);
	if (keys)
		m->keys = keys;
	if (!places || !keys) {
		free(places);
		return ERR_MEMORY;
	}
	free(m->places);
	m->places = places;
	m->places_count = room;
	m->key_room = room / 2;
	for (size_t i = 0; i < m->key_count; i++)
		m->places[place_of(m, keys[i].kind, bytes_of_text(keys[i].text))] = (uint32_t)i + 1;
	return 0;
}

static int key_number(struct machines *m, enum machine_key kind, struct bytes text, uint32_t *out)
{
	if (m->key_count == m->key_room && grow(m))
		return ERR_MEMORY;
	const size_t at = place_of(m, kind, text);
	if (!m->places[at]) {
		const char *copy = arena_text(&m->texts, text);
		if (!copy)
			return ERR_MEMORY;
		m->keys[m->key_count] = (struct machine_text){.text = copy, .kind = (uint8_t)kind,
							      .parent = (uint32_t)m->key_count};
		m->places[at] = (uint32_t)++m->key_count;
	}
	*out = m->places[at] - 1;
	return 0;
}

int machines_add(struct machines *m, const struct address *address, uint16_t port, enum machine_key kind,
		 struct bytes key, uint64_t first_s, uint64_t last_s, uint64_t looks)
{
	uint32_t number;
	if (m->count == MACHINE_SIGHTINGS_MAX)
		return ERR_FULL;
	if (m->count == m->room) {
		const size_t room = m->room ? 2 * m->room : 256;
		struct machine_sighting *larger = realloc(m->sightings, room * sizeof *larger);
		if (!larger)
			return ERR_MEMORY;
		m->sightings = larger;
		m->room = room;
	}
	if (key_number(m, kind, key, &number))
		return ERR_MEMORY;
	m->sightings[m->count++] = (struct machine_sighting){
		.address = *address, .port = port, .kind = (uint8_t)kind, .key = number,
		.first_s = first_s, .last_s = last_s, .looks = looks,
	};
	return 0;
}

/* 64-bit numbers may come as strings. */
static bool number_of(const json_t *row, const char *name, uint64_t max, uint64_t *out)
{
	const json_t *value = json_object_get(row, name);
	if (json_is_string(value))
		return bytes_number(bytes_of_text(json_string_value(value)), max, out);
	if (!json_is_integer(value) || json_integer_value(value) < 0 || (uint64_t)json_integer_value(value) > max)
		return false;
	*out = (uint64_t)json_integer_value(value);
	return true;
}

/* Text of strangers, for a terminal and for JSON: what would need an escape becomes a question mark. */
static struct bytes key_of(const json_t *row, char text[MACHINE_KEY_MAX])
{
	const char *value = json_string_value(json_object_get(row, "text"));
	size_t n = 0;
	for (; value && value[n] && n < MACHINE_KEY_MAX; n++)
		text[n] = value[n] >= ' ' && value[n] <= '~' && !strchr("\"\\", value[n]) ? value[n] : '?';
	return (struct bytes){(const uint8_t *)text, n};
}

static int take_row(struct machines *m, const json_t *row)
{
	const char *host = json_string_value(json_object_get(row, "host"));
	const char *word = json_string_value(json_object_get(row, "kind"));
	struct address address;
	char text[MACHINE_KEY_MAX];
	uint64_t port, first_s, last_s, looks;
	int kind = 0;
	while (word && kind < MACHINE_KEYS && strcmp(word, machine_key_word((enum machine_key)kind)))
		kind++;
	const struct bytes key = key_of(row, text);
	if (!host || !word || kind == MACHINE_KEYS || !key.len || !address_parse(bytes_of_text(host), &address) ||
	    !number_of(row, "port", UINT16_MAX, &port) || !number_of(row, "first", UINT32_MAX, &first_s) ||
	    !number_of(row, "last", UINT32_MAX, &last_s) || !number_of(row, "looks", UINT64_MAX, &looks) ||
	    last_s < first_s) {
		m->bad_rows++;
		return 0;
	}
	return machines_add(m, &address, (uint16_t)port, (enum machine_key)kind, key, first_s, last_s, looks);
}

int machines_take(struct machines *m, struct bytes lines)
{
	struct reader r = reader_of_bytes(lines);
	struct bytes line;
	int bad = 0;
	while (!bad && read_line(&r, &line)) {
		json_t *row = json_loadb((const char *)line.at, line.len, 0, NULL);
		bad = take_row(m, row);
		json_decref(row);
	}
	return bad;
}

size_t machines_bad_rows(const struct machines *m) { return m->bad_rows; }
