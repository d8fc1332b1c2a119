#include "share/exporting/blocklist_inner.h"
#include "base/random.h"
#include "base/special.h"
#include <stdlib.h>
#include <xxhash.h>

#define SLOTS_FIRST 1024
#define RECORD_KINDS_MAX 32

FIELD(verdict_field, "intent.verdict", TEXT, 0, "survey, attack, unclear, victim or bystander");
FIELD(victim_field, "reflection.victim", ADDRESS, 0, "address that was forged: who was to be hit, and never an attacker");
FIELD(kind_field, "record.kind", TEXT, 0, "of which of our kinds it would be, had we seen it");

struct blocklist {
	struct arena arena;
	uint64_t secret; /* so that nobody can send values that collide */
	size_t count, slots;
	uint32_t *slot;       /* 1 + index, by hash; 0 is free */
	struct blocked *list;
	bool sorted;
};

void blocklist_free(void *state)
{
	struct blocklist *b = state;
	free(b->slot);
	free(b->list);
	arena_done(&b->arena);
	free(b);
}

int blocklist_new(struct output_run *run)
{
	struct blocklist *b = *output_state(run) = calloc(1, sizeof *b);
	if (!b)
		return output_fail(run, ERR_MEMORY, "no memory for a list");
	b->arena = ARENA(BLOCKLIST_BYTES_MAX);
	b->secret = random_secret();
	return 0;
}

static struct bytes key_of(const struct blocked *e)
{
	return e->type == BLOCKED_ADDRESS ? (struct bytes){e->address.b, sizeof e->address.b} : e->value;
}

static uint32_t *find_slot(struct blocklist *b, const struct blocked *e)
{
	struct bytes key = key_of(e);
	size_t at = XXH3_64bits_withSeed(key.at, key.len, b->secret + e->type) % b->slots;
	for (; b->slot[at]; at = (at + 1) % b->slots) {
		const struct blocked *other = &b->list[b->slot[at] - 1];
		if (other->type == e->type && bytes_equal(key_of(other), key))
			break;
	}
	return &b->slot[at];
}

static bool grow(struct blocklist *b)
{
	size_t slots = b->slots ? 2 * b->slots : SLOTS_FIRST;
	struct blocked *list = reallocarray(b->list, slots / 2, sizeof *list);
	b->list = list ? list : b->list;
	uint32_t *slot = list ? calloc(slots, sizeof *slot) : NULL;
	if (!slot)
		return false;
	free(b->slot);
	b->slot = slot;
	b->slots = slots;
	for (size_t i = 0; i < b->count; i++)
		*find_slot(b, &b->list[i]) = (uint32_t)i + 1;
	return true;
}

/* Enters what is new, and sums up what is known. */
static int enter(struct output_run *run, const struct blocked *new)
{
	struct blocklist *b = *output_state(run);
	if (b->count >= BLOCKLIST_ENTRIES_MAX)
		return output_fail(run, ERR_FULL, "more than %u entries; a shorter time would be right", BLOCKLIST_ENTRIES_MAX);
	if (b->count * 2 >= b->slots && !grow(b))
		return output_fail(run, ERR_MEMORY, "no memory for a longer list");
	uint32_t *slot = find_slot(b, new);
	if (!*slot) {
		struct blocked *added = &b->list[b->count];
		*added = *new;
		added->value = arena_copy(&b->arena, new->value);
		if (new->value.len && !added->value.at)
			return output_fail(run, ERR_FULL, "the list's values need more than %u MiB", BLOCKLIST_BYTES_MAX >> 20);
		*slot = (uint32_t)++b->count;
		return 0;
	}
	struct blocked *known = &b->list[*slot - 1];
	known->spared |= new->spared;
	known->first_us = new->first_us < known->first_us ? new->first_us : known->first_us;
	known->last_us = new->last_us > known->last_us ? new->last_us : known->last_us;
	known->events++;
	return 0;
}

static bool is_host(const struct address *a)
{
	const char *range = special_range(a);
	return !special_no_host(a) && (!range || bytes_start_with(bytes_of_text(range), "documentation"));
}

static int enter_address(struct output_run *run, const struct event *e, const struct address *a, const char *why, bool spared)
{
	const struct blocked entry = {.type = BLOCKED_ADDRESS, .address = *a, .why = why, .spared = spared,
				      .first_us = e->time_us, .last_us = e->time_us, .events = 1};
	return is_host(a) ? enter(run, &entry) : output_skip(run);
}

bool blocklist_is_name(struct bytes name)
{
	size_t label = 0, dots = 0;
	if (!name.len || name.len > 253)
		return false;
	for (size_t i = 0; i < name.len; i++) {
		uint8_t c = name.at[i];
		bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
		if (c == '.' && label) {
			dots++;
			label = 0;
		} else if (word || (c == '-' && label && i + 1 < name.len && name.at[i + 1] != '.')) {
			label++;
		} else {
			return false;
		}
		if (label > 63)
			return false;
	}
	return label && dots; /* a name of one label is somebody's own machine */
}

static bool is_line(struct bytes b)
{
	for (size_t i = 0; i < b.len; i++)
		if (b.at[i] <= 0x20 || b.at[i] >= 0x7f)
			return false;
	return b.len && b.len <= BLOCKLIST_VALUE_MAX;
}

static int enter_value(struct output_run *run, const struct event *e, enum blocked_type type, struct bytes value,
		       const char *why)
{
	const struct blocked entry = {.type = type, .value = value, .why = why, .first_us = e->time_us, .last_us = e->time_us,
				      .events = 1};
	return is_line(value) && (type != BLOCKED_DOMAIN || blocklist_is_name(value)) ? enter(run, &entry) : output_skip(run);
}

/* "203.0.113.9:80" and "[2001:db8::9]:80". */
static struct bytes host_of_endpoint(struct bytes b)
{
	bool bracket = b.len && *b.at == '[';
	size_t end = bytes_find(b, bracket ? "]" : ":");
	return (struct bytes){b.at + bracket, end > bracket ? end - bracket : 0};
}

static int enter_indicator(struct output_run *run, const struct event *e, const char *why)
{
	struct bytes type = event_bytes(e, FIELD_INDICATOR_TYPE), value = event_bytes(e, FIELD_INDICATOR_VALUE);
	struct address a;
	if (bytes_equal_text(type, "endpoint"))
		value = host_of_endpoint(value);
	if ((bytes_equal_text(type, "address") || bytes_equal_text(type, "endpoint")) && address_parse(value, &a))
		return enter_address(run, e, &a, why, false);
	if (bytes_equal_text(type, "domain") || bytes_equal_text(type, "name"))
		return enter_value(run, e, BLOCKED_DOMAIN, value, why);
	if (bytes_equal_text(type, "url"))
		return enter_value(run, e, BLOCKED_URL, value, why);
	if (bytes_equal_text(type, "hash"))
		return enter_value(run, e, BLOCKED_FILE, value, why);
	return output_skip(run);
}

/* What a server of malware does, in the vocabulary's words; NULL: nothing that is blocked. */
static const char *bad_role(const struct event *e)
{
	static const char *const roles[] = {"command", "download", "report"};
	for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
		if (bytes_equal_text(event_bytes(e, FIELD_INDICATOR_ROLE), roles[i]))
			return roles[i];
	return NULL;
}

static int take_record(struct output_run *run, const struct event *e)
{
	static const enum event_kind attacks[] = {EVENT_LOGIN_TRIED, EVENT_COMMAND_SENT, EVENT_EXPLOIT_SEEN, EVENT_FILE_CAPTURED};
	const char *role = bad_role(e);
	struct bytes kind = event_bytes(e, kind_field);
	for (size_t i = 0; !role && i < sizeof attacks / sizeof *attacks; i++)
		role = bytes_equal_text(kind, event_kind_name(attacks[i])) ? "attack" : NULL;
	return role ? enter_indicator(run, e, role) : output_skip(run);
}

static int take_verdict(struct output_run *run, const struct event *e, const struct address *src)
{
	struct bytes verdict = event_bytes(e, verdict_field);
	if (bytes_equal_text(verdict, "unclear") || !verdict.len)
		return output_skip(run);
	return enter_address(run, e, src, "attack", !bytes_equal_text(verdict, "attack"));
}

int blocklist_event(struct output_run *run, const struct event *e)
{
	struct address src;
	bool known = event_address(e, FIELD_SRC, &src);
	if (e->kind == EVENT_RECORD_IMPORTED)
		return take_record(run, e);
	if (e->kind == EVENT_INDICATOR_FOUND)
		return bad_role(e) ? enter_indicator(run, e, bad_role(e)) : output_skip(run);
	if (e->kind == EVENT_REFLECTION_SEEN)
		return event_address(e, victim_field, &src) ? enter_address(run, e, &src, "victim", true) : output_skip(run);
	if (!known)
		return output_skip(run);
	if (e->kind == EVENT_SOURCE_JUDGED)
		return take_verdict(run, e, &src);
	if (e->kind == EVENT_BACKSCATTER_SEEN)
		return enter_address(run, e, &src, "victim", true);
	if (!bytes_equal_text(event_bytes(e, FIELD_PROTO), "tcp"))
		return output_skip(run); /* anyone can forge it, or may have */
	int bad = enter_address(run, e, &src, "attack", false);
	struct bytes file = event_bytes(e, FIELD_FILE_SHA256);
	return bad || e->kind != EVENT_FILE_CAPTURED || !file.len ? bad : enter_value(run, e, BLOCKED_FILE, file, "attack");
}

static int compare(const void *one, const void *two)
{
	const struct blocked *a = one, *b = two;
	struct bytes x = key_of(a), y = key_of(b);
	if (a->type != b->type)
		return a->type < b->type ? -1 : 1;
	int order = memcmp(x.at, y.at, x.len < y.len ? x.len : y.len);
	return order ? order : (x.len > y.len) - (x.len < y.len);
}

const struct blocked *blocklist_next(struct output_run *run, size_t *at)
{
	struct blocklist *b = *output_state(run);
	if (!b->sorted && b->count)
		qsort(b->list, b->count, sizeof *b->list, compare);
	b->sorted = true; /* the slots mean nothing any more */
	while (*at < b->count && b->list[*at].spared)
		++*at;
	return *at < b->count ? &b->list[(*at)++] : NULL;
}

/* Words of the operator, without what could end a comment. */
static const char *one_line(const char *text, char room[256])
{
	size_t n = 0;
	for (; text && *text && n < 255; text++)
		room[n++] = (uint8_t)*text < 0x20 || *text == 0x7f ? ' ' : *text;
	room[n] = '\0';
	return room;
}

int blocklist_write_head(struct output_run *run, const char *comment)
{
	const struct output_about *about = output_about(run);
	char from[TIME_TEXT_MAX], to[TIME_TEXT_MAX], made[TIME_TEXT_MAX], title[256], producer[256];
	return output_text(run, "%s %s, by %s\n%s observed %s to %s, made %s\n%s TLP:%s\n", comment,
			   one_line(about->title ? about->title : about->collection, title), one_line(about->producer, producer),
			   comment, time_format(about->from_us, from), time_format(about->to_us, to),
			   time_format(about->time_us, made), comment, about->marking ? about->marking : "AMBER");
}
