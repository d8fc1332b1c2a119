#include "passive/device/bait/sights.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>

#define PROBES 8

struct place {
	_Atomic uint64_t token; /* 0: free */
	_Atomic uint32_t whole; /* `sight` may be read */
	uint32_t unused;
	struct sight sight;
};

struct sights {
	_Atomic uint64_t count; /* of all looks ever */
	_Atomic uint64_t recent[SIGHTS_RECENT];
	uint64_t unused[32 - 1];
	struct place places[SIGHTS_MAX];
};

_Static_assert(sizeof(struct place) == 256, "places are whole lines of memory; another size needs another file name");

size_t sights_file_bytes(void)
{
	return sizeof(struct sights);
}

struct sights *sights_open(int fd)
{
	void *at = mmap(NULL, sizeof(struct sights), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	return at == MAP_FAILED ? NULL : at;
}

void sights_close(struct sights *s)
{
	if (s)
		munmap(s, sizeof *s);
}

static struct place *place_of(const struct sights *s, uint64_t token, unsigned probe)
{
	return (struct place *)&s->places[(token + probe) % SIGHTS_MAX];
}

static bool place_read(const struct place *p, uint64_t token, struct sight *out)
{
	if (!atomic_load(&p->whole))
		return false;
	*out = p->sight;
	/* Another process may have replaced it meanwhile. */
	if (!atomic_load(&p->whole) || atomic_load(&p->token) != token || out->token != token)
		return false;
	out->name[SIGHT_NAME_MAX - 1] = out->path[SIGHT_PATH_MAX - 1] = '\0';
	return true;
}

bool sights_find(const struct sights *s, uint64_t token, struct sight *out)
{
	for (unsigned i = 0; i < PROBES; i++) {
		const struct place *p = place_of(s, token, i);
		if (atomic_load(&p->token) == token)
			return place_read(p, token, out);
	}
	return false;
}

static void place_fill(struct sights *s, struct place *p, const struct sight *sight)
{
	p->sight = *sight;
	atomic_store(&p->whole, 1);
	if (sight->what.source)
		atomic_store(&s->recent[atomic_fetch_add(&s->count, 1) % SIGHTS_RECENT], sight->token);
}

bool sights_recent(const struct sights *s, unsigned nth, struct sight *out)
{
	uint64_t count = atomic_load(&s->count);
	if (nth >= SIGHTS_RECENT || nth >= count)
		return false;
	return sights_find(s, atomic_load(&s->recent[(count - 1 - nth) % SIGHTS_RECENT]), out);
}

bool sights_add(struct sights *s, const struct sight *sight)
{
	struct place *oldest = NULL;
	for (unsigned i = 0; i < PROBES; i++)
		if (atomic_load(&place_of(s, sight->token, i)->token) == sight->token)
			return false;
	for (unsigned i = 0; i < PROBES; i++) {
		struct place *p = place_of(s, sight->token, i);
		uint64_t there = 0;
		if (atomic_compare_exchange_strong(&p->token, &there, sight->token)) {
			place_fill(s, p, sight);
			return true;
		}
		if (!oldest || p->sight.time_us < oldest->sight.time_us)
			oldest = p;
	}
	uint64_t there = atomic_load(&oldest->token);
	if (!atomic_compare_exchange_strong(&oldest->token, &there, sight->token))
		return false; /* another process was faster, and its sight is as good */
	atomic_store(&oldest->whole, 0);
	place_fill(s, oldest, sight);
	return true;
}

uint64_t sights_erase(struct sights *s, const struct address *source, uint64_t from_us, uint64_t to_us)
{
	uint64_t count = 0;
	for (size_t i = 0; i < SIGHTS_MAX; i++) {
		struct place *p = &s->places[i];
		const struct sight *v = &p->sight;
		if (!atomic_load(&p->token) || (source ? !address_equal(&v->source, source)
						       : v->time_us < from_us || v->time_us > to_us))
			continue;
		atomic_store(&p->whole, 0);
		memset(&p->sight, 0, sizeof p->sight);
		atomic_store(&p->token, 0);
		count++;
	}
	return count;
}
