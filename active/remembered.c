#include "active/remembered.h"
#include "base/error.h"
#include <stdlib.h>

FIELD(CHANGED, "changed", TEXT, 0, "what is another than when the host was last looked at");
FIELD(CHANGED_SINCE, "changed.since", TIME, 0, "when that was");

enum part { PART_CLASS, PART_VENDOR, PART_PRODUCT, PART_VERSION, PART_SYSTEM, PART_FIRST_SIGNAL, PARTS = PART_FIRST_SIGNAL + 2 };

struct remembered {
	uint64_t key;
	struct entry {
		uint64_t host;         /* hash of its address; 0: empty */
		uint64_t seen_us;
		uint32_t parts[PARTS]; /* digests; 0: not known */
	} entries[REMEMBERED_HOSTS];
};

int remembered_open(struct remembered **out, uint64_t key)
{
	*out = calloc(1, sizeof **out);
	if (!*out)
		return ERR_MEMORY;
	(*out)->key = key;
	return 0;
}

void remembered_close(struct remembered *r) { free(r); }

/* FNV-1a: who makes two of his own values collide hides a change of his own host. */
static uint32_t digest_of(struct bytes value)
{
	uint64_t hash = 0xcbf29ce484222325u;
	for (size_t i = 0; i < value.len; i++)
		hash = (hash ^ value.at[i]) * 0x100000001b3u;
	return value.len ? (uint32_t)(hash ^ hash >> 32) | 1 : 0;
}

void remembered_compare(struct remembered *r, struct event *e, const struct remembered_signal signals[2], uint64_t now_us)
{
	static const struct {
		const char *name;
		enum field field;
	} known[PART_FIRST_SIGNAL] = {
		[PART_CLASS] = {"class", FIELD_DEVICE_LABEL},	  [PART_VENDOR] = {"vendor", FIELD_DEVICE_VENDOR},
		[PART_PRODUCT] = {"product", FIELD_DEVICE_PRODUCT}, [PART_VERSION] = {"version", FIELD_DEVICE_VERSION},
		[PART_SYSTEM] = {"system", FIELD_DEVICE_OS},
	};
	struct address source;
	if (!event_address(e, FIELD_SRC, &source))
		return;
	const uint64_t host = address_hash(&source, r->key) | 1;
	struct entry *entry = &r->entries[(host >> 1) % REMEMBERED_HOSTS];
	const bool met = entry->host == host;
	char text[128];
	struct writer w = writer_of(text, sizeof text - 1);
	for (size_t i = 0; i < PARTS; i++) {
		const bool signal = i >= PART_FIRST_SIGNAL;
		const char *name = signal ? signals[i - PART_FIRST_SIGNAL].name : known[i].name;
		const uint32_t now = digest_of(signal ? signals[i - PART_FIRST_SIGNAL].value
						      : event_bytes(e, (uint16_t)known[i].field));
		if (met && now && entry->parts[i] && now != entry->parts[i])
			write_fmt(&w, "%s%s", writer_used(&w) ? ", " : "", name);
		if (now || !met)
			entry->parts[i] = now;
	}
	*w.at = '\0';
	if (*text) {
		event_set_text(e, CHANGED, text);
		event_set_number(e, CHANGED_SINCE, entry->seen_us);
	}
	entry->host = host;
	entry->seen_us = now_us;
}
