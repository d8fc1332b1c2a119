#include "passive/services/snmp/mib.h"
#include "base/random.h"
#include "passive/persona.h"

enum { MGMT_PARTS = 6, SCALARS_BEFORE = 8, SCALARS_AFTER = 2 };
enum { COLUMN_INDEX = 1, COLUMN_NAME, COLUMN_TYPE, COLUMN_MTU, COLUMN_SPEED, COLUMN_MAC, COLUMN_WANTED,
       COLUMN_STATE, COLUMN_CHANGED, COLUMN_BYTES_IN, COLUMN_PACKETS_IN, COLUMN_BYTES_OUT = 16,
       COLUMN_PACKETS_OUT };
static const uint8_t columns[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 16, 17};
#define COLUMNS (sizeof columns)

static const uint32_t mgmt[MGMT_PARTS] = {1, 3, 6, 1, 2, 1};
static const uint8_t before[SCALARS_BEFORE][2] = {{1, 1}, {1, 2}, {1, 3}, {1, 4}, {1, 5}, {1, 6}, {1, 7}, {2, 1}};
static const uint8_t after[SCALARS_AFTER][2] = {{4, 1}, {4, 2}};

bool oid_read(struct bytes content, struct oid *o)
{
	struct reader r = reader_of_bytes(content);
	o->count = 0;
	while (reader_left(&r)) {
		uint32_t part = 0;
		uint8_t b;
		unsigned bytes = 0;
		do {
			b = read_u8(&r);
			part = part << 7 | (b & 0x7f);
		} while (b & 0x80 && ++bytes < 5);
		if (!reader_ok(&r) || b & 0x80 || o->count + 2 > OID_PARTS_MAX)
			return false;
		if (o->count == 0) { /* X.690 8.19.4 */
			o->part[o->count++] = part < 80 ? part / 40 : 2;
			part -= o->part[0] * 40;
		}
		o->part[o->count++] = part;
	}
	return o->count > 0;
}

bool oid_parse(const char *dotted, struct oid *o)
{
	struct bytes left = bytes_of_text(dotted);
	o->count = 0;
	while (left.len) {
		size_t n = bytes_find(left, ".");
		uint64_t part;
		if (!bytes_number((struct bytes){left.at, n}, UINT32_MAX, &part) || o->count == OID_PARTS_MAX)
			return false;
		o->part[o->count++] = (uint32_t)part;
		n += n < left.len;
		left = (struct bytes){left.at + n, left.len - n};
	}
	return o->count >= 2;
}

static void part_put(struct ber_writer *w, uint32_t part)
{
	uint8_t last = 0;
	do {
		uint8_t b = (uint8_t)(last | (part & 0x7f));
		ber_put(w, (struct bytes){&b, 1});
		last = 0x80;
	} while (part >>= 7);
}

void oid_write(struct ber_writer *w, const struct oid *o)
{
	size_t mark = ber_mark(w);
	for (size_t i = o->count; i > 2; i--)
		part_put(w, o->part[i - 1]);
	part_put(w, o->part[0] * 40 + o->part[1]);
	ber_close(w, BER_OID, mark);
}

void oid_format(const struct oid *o, char *out, size_t size)
{
	struct writer w = writer_of(out, size - 1);
	for (size_t i = 0; i < o->count && writer_left(&w) > 12; i++)
		write_fmt(&w, i ? ".%u" : "%u", o->part[i]);
	*w.at = '\0';
}

size_t mib_count(const struct snmp_device *d)
{
	return SCALARS_BEFORE + COLUMNS * (size_t)d->interfaces + SCALARS_AFTER;
}

/* Where an object stands: a scalar's group and number, or a column and row of ifTable. */
struct place {
	uint8_t group, number, column, row;
};

static struct place place_of(const struct snmp_device *d, size_t object)
{
	size_t cells = COLUMNS * (size_t)d->interfaces;
	if (object < SCALARS_BEFORE)
		return (struct place){before[object][0], before[object][1], 0, 0};
	object -= SCALARS_BEFORE;
	if (object < cells)
		return (struct place){2, 2, columns[object / d->interfaces],
		                      (uint8_t)(object % d->interfaces + 1)};
	object -= cells;
	return (struct place){after[object][0], after[object][1], 0, 0};
}

void mib_name(const struct snmp_device *d, size_t object, struct oid *o)
{
	struct place at = place_of(d, object);
	memcpy(o->part, mgmt, sizeof mgmt);
	o->count = MGMT_PARTS;
	o->part[o->count++] = at.group;
	o->part[o->count++] = at.number;
	if (at.column) {
		o->part[o->count++] = 1;
		o->part[o->count++] = at.column;
	}
	o->part[o->count++] = at.row;
}

static int oid_compare(const struct oid *a, const struct oid *b)
{
	for (size_t i = 0; i < a->count && i < b->count; i++)
		if (a->part[i] != b->part[i])
			return a->part[i] < b->part[i] ? -1 : 1;
	return (a->count > b->count) - (a->count < b->count);
}

size_t mib_next(const struct snmp_device *d, const struct oid *o)
{
	size_t low = 0, high = mib_count(d);
	while (low < high) {
		size_t middle = (low + high) / 2;
		struct oid name;
		mib_name(d, middle, &name);
		if (oid_compare(&name, o) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

size_t mib_find(const struct snmp_device *d, const struct oid *o)
{
	size_t next = mib_next(d, o);
	struct oid name;
	if (next == 0)
		return mib_count(d);
	mib_name(d, next - 1, &name);
	return oid_compare(&name, o) == 0 ? next - 1 : mib_count(d);
}

static void text_put(struct session *s, const char *template, struct ber_writer *w)
{
	char text[512];
	session_expand(s, template, text, sizeof text);
	ber_text(w, text);
}

static uint32_t uptime_ticks(struct session *s)
{
	struct persona_look look;
	const struct persona *p = session_persona(s);
	persona_look(p ? p : &persona_plain, session_device_seed(s), session_local(s), session_time_us(s), &look);
	return look.uptime_s * 100 + (uint32_t)(session_time_us(s) / 10000 % 100);
}

/* A counter that began at boot and runs at a rate of its own, never backwards. */
static uint32_t counter(struct session *s, struct place at, uint32_t per_tick_max)
{
	uint64_t own = random_mix(session_device_seed(s) + at.column * 64u + at.row);
	return (uint32_t)(uptime_ticks(s) * (uint64_t)(1 + own % per_tick_max));
}

static void interface_value(struct session *s, const struct snmp_device *d, struct place at, struct ber_writer *w)
{
	bool loopback = at.row == 1;
	char text[160];
	struct address a;
	switch (at.column) {
	case COLUMN_INDEX:
		ber_integer(w, BER_INTEGER, at.row);
		return;
	case COLUMN_NAME:
		snprintf(text, sizeof text, "%.120s%u", d->interface_name, at.row - 2u);
		ber_text(w, loopback ? "lo" : text);
		return;
	case COLUMN_TYPE: /* softwareLoopback, ethernetCsmacd */
		ber_integer(w, BER_INTEGER, loopback ? 24 : 6);
		return;
	case COLUMN_MTU:
		ber_integer(w, BER_INTEGER, loopback ? 16436 : 1500);
		return;
	case COLUMN_SPEED:
		ber_integer(w, BER_GAUGE, loopback ? 10000000 : 100000000);
		return;
	case COLUMN_MAC:
		session_expand(s, "%{mac}", text, sizeof text);
		memset(&a, 0, sizeof a);
		for (unsigned i = 0, v; i < 6 && sscanf(text + 3 * i, "%2x", &v) == 1; i++)
			a.b[i] = (uint8_t)v;
		a.b[5] = (uint8_t)(a.b[5] + at.row - 2);
		ber_value(w, BER_STRING, (struct bytes){a.b, loopback ? 0 : 6});
		return;
	case COLUMN_WANTED:
	case COLUMN_STATE: /* up; the last port of a device has no cable */
		ber_integer(w, BER_INTEGER, at.column == COLUMN_STATE && at.row > 3 ? 2 : 1);
		return;
	case COLUMN_CHANGED:
		ber_integer(w, BER_TICKS, 0);
		return;
	case COLUMN_BYTES_IN:
	case COLUMN_BYTES_OUT:
		ber_integer(w, BER_COUNTER, counter(s, at, 400));
		return;
	default:
		ber_integer(w, BER_COUNTER, counter(s, at, 3));
	}
}

static void system_value(struct session *s, const struct snmp_device *d, uint8_t number, struct ber_writer *w)
{
	struct oid o;
	switch (number) {
	case 1:
		text_put(s, d->description, w);
		return;
	case 2:
		if (oid_parse(d->object_id, &o))
			oid_write(w, &o);
		else
			ber_value(w, BER_NULL, (struct bytes){0});
		return;
	case 3:
		ber_integer(w, BER_TICKS, uptime_ticks(s));
		return;
	case 7:
		ber_integer(w, BER_INTEGER, (int64_t)d->services);
		return;
	default:
		text_put(s, number == 4 ? d->contact : number == 5 ? d->name : d->location, w);
	}
}

void mib_value(struct session *s, const struct snmp_device *d, size_t object, struct ber_writer *w)
{
	struct place at = place_of(d, object);
	if (at.column)
		interface_value(s, d, at, w);
	else if (at.group == 1)
		system_value(s, d, at.number, w);
	else if (at.group == 2)
		ber_integer(w, BER_INTEGER, (int64_t)d->interfaces);
	else
		ber_integer(w, BER_INTEGER, at.number == 1 ? 1 : 64); /* ipForwarding, ipDefaultTTL */
}
