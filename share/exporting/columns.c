#include "share/exporting/columns_inner.h"
#include "event/json.h"

static const char *const chosen[] = {
	"sensor", "session", "src", "sport", "dst", "dport", "proto", "service", "persona", "count",
	"login.user", "login.accepted", "command.line", "command.found", "close.reason", "duration", "bytes.in",
	"bytes.out", "logins", "commands", "request.method", "request.target", "request.host", "request.agent", "status",
	"file.sha256", "file.size", "file.name", "file.url", "file.how", "probe", "state", "banner", "tcp.ttl",
	"device.class", "device.vendor", "device.product", "device.version", "device.os", "confidence",
	"tool", "flow.first", "flow.packets", "flow.bytes", "flow.destinations", "flow.flags", "flow.ttl.min",
	"flow.ttl.max", "flow.hops", "flow.class", "flow.asks", "flow.p0f", "flow.ja4t",
	"indicator.type", "indicator.value", "indicator.role", "sample.family", "intent.verdict", "exposure.cve",
	"exposure.severity", "record.source", "record.kind", "record.time", "record.tlp", "record.labels",
};

static void add(struct columns *c, struct column column) { c->list[c->count++] = column; }

void columns_make(struct columns *c)
{
	_Static_assert(sizeof chosen / sizeof *chosen + 4 <= COLUMNS_MAX, "a column for each");
	*c = (struct columns){0};
	add(c, (struct column){"kind", COLUMN_KIND, 0, FIELD_TEXT});
	add(c, (struct column){"id", COLUMN_ID, 0, FIELD_ID});
	add(c, (struct column){"time", COLUMN_TIME, 0, FIELD_TIME});
	for (size_t i = 0; i < sizeof chosen / sizeof *chosen; i++) {
		int field = field_find(bytes_of_text(chosen[i]));
		if (field < 0)
			continue;
		add(c, (struct column){chosen[i], COLUMN_FIELD, (uint16_t)field, field_definition((uint16_t)field)->type});
		c->of_field[field] = (uint8_t)c->count;
	}
	add(c, (struct column){"more", COLUMN_MORE, 0, FIELD_TEXT});
}

void columns_place(const struct columns *c, const struct event *e, const struct event_value *row[COLUMNS_MAX])
{
	memset(row, 0, COLUMNS_MAX * sizeof *row);
	for (uint16_t i = 0; i < e->count; i++)
		if (c->of_field[e->values[i].field])
			row[c->of_field[e->values[i].field] - 1] = &e->values[i];
}

void columns_write_more(const struct columns *c, const struct event *e, struct writer *w)
{
	const char *before = "{";
	for (uint16_t i = 0; i < e->count; i++) {
		if (c->of_field[e->values[i].field])
			continue;
		write_fmt(w, "%s\"%s\":", before, field_definition(e->values[i].field)->name);
		event_write_value(&e->values[i], w);
		before = ",";
	}
	if (e->cut) {
		write_fmt(w, "%s\"cut\":true", before);
		before = ",";
	}
	if (*before == ',')
		write_u8(w, '}');
}
