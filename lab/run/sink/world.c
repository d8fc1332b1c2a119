#include "lab/run/sink/world.h"
#include <stdlib.h>

#define NAME_MAX_BYTES 255 /* RFC 1035 2.3.4 */
#define ENDPOINT_MAX (NAME_MAX_BYTES + sizeof ":65535")

int world_open(struct world *w, size_t addresses_max)
{
	*w = (struct world){.arena = ARENA(WORLD_TEXT_MAX)};
	int bad = known_open(&w->names_known, SINK_NAMES_MAX);
	bad = bad ? bad : known_open(&w->flows_known, SINK_FLOWS_MAX);
	bad = bad ? bad : known_open(&w->requests_known, SINK_REQUESTS_MAX);
	bad = bad ? bad : known_open(&w->hellos_known, SINK_HELLOS_MAX);
	bad = bad ? bad : known_open(&w->distinct, addresses_max);
	bad = bad ? bad : known_open(&w->ports_known, WORLD_PORTS_MAX);
	bad = bad ? bad : known_open(&w->places_known, WORLD_PLACES_MAX);
	w->names = calloc(SINK_NAMES_MAX, sizeof *w->names);
	w->flows = calloc(SINK_FLOWS_MAX, sizeof *w->flows);
	w->echoes = calloc(SINK_FLOWS_MAX, sizeof *w->echoes);
	w->requests = calloc(SINK_REQUESTS_MAX, sizeof *w->requests);
	w->hellos = calloc(SINK_HELLOS_MAX, sizeof *w->hellos);
	w->ports = calloc(WORLD_PORTS_MAX, sizeof *w->ports);
	w->places = calloc(WORLD_PLACES_MAX, sizeof *w->places);
	w->name_at = calloc(NAMES_SPAN, sizeof *w->name_at);
	if (!bad && w->names && w->flows && w->echoes && w->requests && w->hellos && w->ports && w->places && w->name_at)
		return 0;
	world_done(w);
	return ERR_MEMORY;
}

void world_done(struct world *w)
{
	known_done(&w->names_known);
	known_done(&w->flows_known);
	known_done(&w->requests_known);
	known_done(&w->hellos_known);
	known_done(&w->distinct);
	known_done(&w->ports_known);
	known_done(&w->places_known);
	free(w->names);
	free(w->flows);
	free(w->echoes);
	free(w->requests);
	free(w->hellos);
	free(w->ports);
	free(w->places);
	free(w->name_at);
	arena_done(&w->arena);
	*w = (struct world){0};
}

void world_limit(struct world *w, const char *word)
{
	for (size_t i = 0; i < w->limit_count; i++)
		if (!strcmp(w->limits[i], word))
			return;
	if (w->limit_count < WORLD_LIMITS_MAX)
		w->limits[w->limit_count++] = word;
}

static const char *world_text(struct world *w, struct bytes b)
{
	const char *text = arena_text(&w->arena, b);
	if (text)
		return text;
	world_limit(w, "sink.text");
	return "";
}

/* Lower case, no final dot: DNS compares so (RFC 4343). */
static struct bytes name_plain(struct bytes name, uint8_t room[NAME_MAX_BYTES])
{
	if (name.len && name.at[name.len - 1] == '.')
		name.len--;
	if (name.len > NAME_MAX_BYTES)
		name.len = NAME_MAX_BYTES;
	for (size_t i = 0; i < name.len; i++) {
		uint8_t c = name.at[i];
		room[i] = c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c > ' ' && c < 0x7f ? c : '?';
	}
	return (struct bytes){room, name.len};
}

/* The same name has the same address in every run, as far as no other one has it: reports compare. */
static uint32_t name_place(const struct world *w, struct bytes name)
{
	static const struct siphash_key always = {0x6b616e736f6b7521, 0x73696e6b};
	uint32_t at = (uint32_t)(siphash(&always, name) % (NAMES_SPAN - 512)) + 256;
	while (w->name_at[at])
		at = at + 1 == NAMES_SPAN ? 256 : at + 1;
	return at;
}

struct address world_name(struct world *w, struct bytes raw, const char *type)
{
	uint8_t room[NAME_MAX_BYTES];
	struct bytes name = name_plain(raw, room);
	if (!name.len)
		return (struct address){{0}};
	uint64_t hash = known_hash(&w->names_known, name);
	uint32_t number = known_find(&w->names_known, hash);
	if (number == KNOWN_NONE) {
		if (w->name_count == SINK_NAMES_MAX || !known_add(&w->names_known, hash, (uint32_t)w->name_count, NULL)) {
			world_limit(w, "sink.names");
			return (struct address){{0}};
		}
		number = (uint32_t)w->name_count++;
		uint32_t at = name_place(w, name);
		w->name_at[at] = (uint16_t)(number + 1);
		w->names[number] = (struct sink_name){
			.name = world_text(w, name), .type = type, .address = address_v4(NAMES_BASE + at), .first_ms = w->now_ms};
	}
	struct sink_name *n = &w->names[number];
	n->count++;
	n->last_ms = w->now_ms;
	return n->address;
}

struct bytes world_name_of(const struct world *w, const struct address *a)
{
	uint32_t v4 = address_is_v4(a) ? address_to_v4(a) : 0;
	if (v4 < NAMES_BASE || v4 >= NAMES_BASE + NAMES_SPAN || !w->name_at[v4 - NAMES_BASE])
		return (struct bytes){0};
	return bytes_of_text(w->names[w->name_at[v4 - NAMES_BASE] - 1].name);
}

const char *world_endpoint(struct world *w, const struct address *a, uint16_t port)
{
	struct bytes name = world_name_of(w, a);
	char text[ENDPOINT_MAX + 8], address[ADDRESS_TEXT_MAX];
	if (!name.len)
		name = bytes_of_text(address_format(a, address));
	bool six = !address_is_v4(a);
	struct writer out = writer_of(text, sizeof text);
	write_text(&out, six ? "[" : "");
	write_span(&out, name);
	write_text(&out, six ? "]" : "");
	if (port)
		write_fmt(&out, ":%u", port);
	return world_text(w, writer_bytes(&out));
}

void world_request(struct world *w, const char *protocol, const char *endpoint, const char *kind,
		   struct bytes subject, struct bytes said)
{
	uint8_t key[32 + SINK_SAID_MAX];
	struct writer k = writer_of(key, sizeof key);
	if (subject.len > SINK_SAID_MAX - 600)
		subject.len = SINK_SAID_MAX - 600;
	write_fmt(&k, "%.16s %.8s ", protocol, kind);
	write_text(&k, endpoint);
	write_span(&k, subject);
	uint64_t hash = known_hash(&w->requests_known, writer_bytes(&k));
	uint32_t number = known_find(&w->requests_known, hash);
	if (number == KNOWN_NONE) {
		if (!known_add(&w->requests_known, hash, (uint32_t)w->request_count, NULL)) {
			world_limit(w, "sink.requests");
			return;
		}
		number = (uint32_t)w->request_count++;
		if (said.len > SINK_SAID_MAX)
			said.len = SINK_SAID_MAX;
		w->requests[number] = (struct sink_request){.protocol = protocol, .endpoint = endpoint, .kind = kind,
			.subject = world_text(w, subject), .said = arena_copy(&w->arena, said), .first_ms = w->now_ms};
		if (!w->requests[number].said.at)
			w->requests[number].said = BYTES("");
	}
	w->requests[number].count++;
	w->requests[number].last_ms = w->now_ms;
}

void world_request_served(struct world *w, struct bytes url)
{
	for (size_t i = w->request_count; i-- > 0;)
		if (!strcmp(w->requests[i].kind, "url") && bytes_equal_text(url, w->requests[i].subject)) {
			w->requests[i].served = true;
			return;
		}
}

uint32_t world_hello(struct world *w, const struct sink_hello *h)
{
	uint8_t key[ENDPOINT_MAX + SINK_HELLO_BYTES_MAX + 8];
	struct writer k = writer_of(key, sizeof key);
	struct bytes said = h->said;
	if (said.len > SINK_HELLO_BYTES_MAX)
		said.len = SINK_HELLO_BYTES_MAX;
	write_text(&k, h->endpoint);
	write_u8(&k, 0);
	write_span(&k, said);
	uint64_t hash = known_hash(&w->hellos_known, writer_bytes(&k));
	uint32_t number = known_find(&w->hellos_known, hash);
	if (number == KNOWN_NONE) {
		struct bytes kept = arena_copy(&w->arena, said);
		if (!kept.at || !known_add(&w->hellos_known, hash, (uint32_t)w->hello_count, NULL)) {
			world_limit(w, "sink.hellos");
			return KNOWN_NONE;
		}
		number = (uint32_t)w->hello_count++;
		w->hellos[number] = *h;
		w->hellos[number].said = kept;
		w->hellos[number].count = 0;
		w->hellos[number].first_ms = w->now_ms;
	}
	w->hellos[number].count++;
	w->hellos[number].last_ms = w->now_ms;
	return number;
}
