#include "event/place.h"

FIELD(field_country, "src.country", TEXT, 0, "country of the source, ISO 3166-1, by imported tables");
FIELD(field_as, "src.as", NUMBER, 0, "AS that announces it, by imported tables");
FIELD(field_as_name, "src.as_name", BYTES, 0, "who that AS or network belongs to, by imported tables");
FIELD(field_labels, "src.labels", BYTES, 0, "what imported lists say of it: survey, malicious, tor, benign, ...");

static void set_text(struct event *e, uint16_t field, const char *text)
{
	if (*text && !event_get(e, field))
		event_set_bytes(e, field, bytes_of_text(text));
}

void event_set_place(struct event *e, const struct network_map *map)
{
	struct address src;
	struct network_place place;
	if (!event_address(e, FIELD_SRC, &src) || !network_map_find(map, &src, &place))
		return;
	set_text(e, field_country, place.country);
	set_text(e, field_as_name, *place.as_name ? place.as_name : place.name);
	set_text(e, field_labels, place.labels);
	if (place.as && !event_get(e, field_as))
		event_set_number(e, field_as, place.as);
}
