/*
 * A page of a collection (TAXII 2.1, 3.4): objects in the order in which they came, from a position on.
 *
 * A position is ARRIVAL_STEP_US times the number of an event's entry, and the number of its object. Before the first
 * event come the objects that all others refer to. `next` is a position with a check over who asks for what, so that it
 * is good for the one collection and organisation that it was given for.
 */
#pragma once
#include "share/making/stix_making_inner.h"
#include "share/select.h"
#include "share/serve/serving_inner.h"

#define PAGE_OBJECTS_MAX 1000
#define PAGE_BYTES_MAX (32u << 20)
#define PAGE_ENTRIES 600          /* asked of the store at once */
#define PAGE_ENTRIES_SCANNED 20000 /* of one request, where a filter lets few through */
#define PAGE_WORDS_MAX 16

enum page_shape { PAGE_OBJECTS, PAGE_MANIFEST, PAGE_VERSIONS };

struct page_words { /* of a match[…]: any of them */
	struct bytes words[PAGE_WORDS_MAX];
	size_t count;
};

struct page {
	struct serving *serving;
	enum page_shape shape;
	const struct arrivals *arrivals;
	struct page_words ids, types, versions, spec_versions;
	bool one;             /* an object that is asked for by its id: 404 when there is none */
	uint64_t limit, after_us;
	uint64_t position;    /* where to go on */
	uint64_t count, scanned, first_us, last_us;
	bool more, full;
	struct making *making;
	struct arrival entries[PAGE_ENTRIES];
	struct selection_key keys[PAGE_ENTRIES];
	size_t entry_count, entry_at;
	uint64_t first_entry;
	struct selection selection;
	bool counting; /* the policy wants to hear of each event before it shows one */
	struct event shown;
	struct arena event_arena;
	struct made_object objects[STIX_OBJECTS_MAX];
	uint64_t seen[4096]; /* objects of this page */
};

/* Reads limit, next, added_after and match[…], answers what is wrong with them, and then with the page. */
void page_serve(struct serving *, enum page_shape, struct bytes object_id);
