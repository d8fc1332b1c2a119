/*
 * What an event says as attributes of MISP, and what the event of a day is called there: for the output "misp", and for the
 * feed that the partners' server offers.
 */
#pragma once
#include "event/event.h"
#include "share/collection.h"

#define MISP_ATTRIBUTES_MAX 8
#define MISP_DAY_US (UINT64_C(86400) * 1000000)

struct misp_attribute {
	const char *type, *category;
	struct bytes value;  /* within the event, or in `room` */
	bool to_ids;         /* good enough to block or alarm on */
	char room[160];
};

size_t misp_attributes(const struct event *, struct misp_attribute out[MISP_ATTRIBUTES_MAX]);
/* A MISP event is a collection's range of time. */
void misp_event_id(const char *collection, const char *producer, uint64_t from_us, uint64_t to_us, char out[UUID_TEXT_MAX]);
/* {"name":…,"uuid":…} */
void misp_write_maker(struct writer *, const char *producer);
/* Tags that say the marking: [{"name":"tlp:amber",…}] */
void misp_write_tags(struct writer *, enum tlp);
