#include "analysis/exposure/told_inner.h"
#include <stdlib.h>
#include <xxhash.h>

int told_open(struct told *t, uint64_t key)
{
	t->key = key;
	t->entries = calloc(TOLD_PLACES, sizeof *t->entries);
	return t->entries ? 0 : ERR_MEMORY;
}

void told_close(struct told *t) { free(t->entries); }

bool told_is_news(struct told *t, const struct address *host, uint64_t port, struct bytes rule, uint64_t now_us, uint64_t again_us)
{
	uint8_t text[sizeof host->b + 8 + 128];
	struct writer w = writer_of(text, sizeof text);
	write_bytes(&w, host->b, sizeof host->b);
	write_u64(&w, port);
	write_bytes(&w, rule.at, rule.len < 128 ? rule.len : 128);
	uint64_t digest = XXH3_64bits_withSeed(text, writer_used(&w), t->key);
	struct told_entry *set = &t->entries[digest % (TOLD_PLACES / TOLD_WAYS) * TOLD_WAYS], *oldest = set;
	for (struct told_entry *e = set; e < set + TOLD_WAYS; e++) {
		if (e->digest == digest && e->time_us) {
			/* An older answer that is judged late is no news either. */
			if (now_us < e->time_us + again_us)
				return false;
			oldest = e;
			break;
		}
		if (e->time_us < oldest->time_us)
			oldest = e;
	}
	*oldest = (struct told_entry){digest, now_us};
	return true;
}
