/*
 * The controller's memory, byte by byte.
 *
 * DB1 begins with the process as REALs, one for each point up to the valve, and the byte
 * behind them has its switches, as the first byte of the outputs has.  DB2 and DB10 and the
 * flags hold what is written to them.
 */
#include "base/options.h"
#include "passive/services/s7/s7.h"

#define ITEMS_MAX 20
#define REAL_BYTES 4
#define REALS 10
#define SWITCH_BYTE (REALS * REAL_BYTES)
#define NAME_MAX 48

enum area_code {
	AREA_INPUTS = 0x81,
	AREA_OUTPUTS = 0x82,
	AREA_FLAGS = 0x83,
	AREA_DB = 0x84,
	AREA_COUNTERS = 0x1c,
	AREA_TIMERS = 0x1d
};

enum { DONE = 0xff, BEYOND = 0x05, BAD_TYPE = 0x06, NOT_THERE = 0x0a };

struct item {
	uint8_t kind, area, result;
	uint16_t db;
	uint32_t byte, bytes, bit; /* `kind` 1: one bit of the byte */
};

static const enum plant_point reals[REALS] = {
        PLANT_LEVEL,   PLANT_TEMPERATURE, PLANT_FLOW,  PLANT_PRESSURE, PLANT_VOLTAGE,
        PLANT_CURRENT, PLANT_FREQUENCY,   PLANT_POWER, PLANT_SETPOINT, PLANT_VALVE,
};

static uint32_t area_size(const struct item *i)
{
	static const struct {
		uint16_t number;
		uint32_t bytes;
	} blocks[] = {{1, 256}, {2, 128}, {10, 1024}};
	if (i->area == AREA_INPUTS || i->area == AREA_OUTPUTS)
		return 128;
	if (i->area == AREA_FLAGS)
		return 2048;
	if (i->area == AREA_COUNTERS || i->area == AREA_TIMERS)
		return 512;
	for (size_t k = 0; i->area == AREA_DB && k < sizeof blocks / sizeof *blocks; k++)
		if (blocks[k].number == i->db)
			return blocks[k].bytes;
	return 0;
}

static uint32_t key_of(const struct item *i, uint32_t byte)
{
	return (uint32_t)(i->area & 0x1f) << 24 | (uint32_t)(i->db & 0xff) << 16 | byte;
}

static uint32_t real_bits(const struct s7_request *q, uint32_t which)
{
	float f = (float)plant_read(&q->c->plant, reals[which], q->now_us);
	uint32_t bits;
	memcpy(&bits, &f, sizeof bits);
	return bits;
}

static bool is_process(const struct item *i)
{
	return i->area == AREA_DB && i->db == 1;
}

static bool has_switches(const struct item *i, uint32_t byte)
{
	return (is_process(i) && byte == SWITCH_BYTE) || (i->area == AREA_OUTPUTS && byte == 0);
}

static uint8_t byte_read(const struct s7_request *q, const struct item *i, uint32_t byte)
{
	uint32_t kept = 0;
	bool on;
	if (is_process(i) && byte < SWITCH_BYTE)
		return (uint8_t)(real_bits(q, byte / REAL_BYTES) >> 8 * (3 - byte % REAL_BYTES));
	plant_recall(&q->c->plant, key_of(i, byte), &kept);
	for (uint32_t bit = 0; has_switches(i, byte) && bit < PLANT_SWITCHES; bit++)
		if (plant_switch(&q->c->plant, bit, q->now_us, &on))
			kept = (kept & ~(1u << bit)) | (uint32_t)on << bit;
	return (uint8_t)kept;
}

static void byte_write(struct s7_request *q, const struct item *i, uint32_t byte, uint8_t value)
{
	uint8_t changed = byte_read(q, i, byte) ^ value;
	for (uint32_t bit = 0; has_switches(i, byte) && bit < PLANT_SWITCHES; bit++)
		if (changed >> bit & 1)
			plant_switch_write(&q->c->plant, bit, value >> bit & 1, q->now_us);
	if (!is_process(i) || byte >= SWITCH_BYTE)
		plant_keep(&q->c->plant, key_of(i, byte), value);
}

/* A REAL of the process is written whole or not at all. */
static void reals_write(struct s7_request *q, const struct item *i, struct bytes values)
{
	for (uint32_t k = 0; is_process(i) && k < REALS; k++) {
		uint32_t at = k * REAL_BYTES;
		if (at < i->byte || at + REAL_BYTES > i->byte + values.len)
			continue;
		struct reader r = reader_of(values.at + (at - i->byte), REAL_BYTES);
		uint32_t bits = read_u32(&r);
		float f;
		memcpy(&f, &bits, sizeof f);
		plant_write(&q->c->plant, reals[k], (double)f, q->now_us);
	}
}

/* Bytes of one element of a transport size (1: a bit). */
static uint32_t element_bytes(uint8_t kind)
{
	switch (kind) {
	case 1: /* BIT */
	case 2: /* BYTE */
	case 3: /* CHAR */
		return 1;
	case 4:    /* WORD */
	case 5:    /* INT */
	case 0x1c: /* COUNTER */
	case 0x1d: /* TIMER */
		return 2;
	case 6: /* DWORD */
	case 7: /* DINT */
	case 8: /* REAL */
		return 4;
	default:
		return 0;
	}
}

/* An address in any-type syntax (0x12, 10 bytes, S7ANY); false when it is another. */
static bool item_read(struct reader *r, struct item *i)
{
	uint8_t specification = read_u8(r), length = read_u8(r);
	struct reader a = reader_of_bytes(read_bytes(r, length));
	uint8_t syntax = read_u8(&a);
	*i = (struct item){.kind = read_u8(&a)};
	uint32_t count = read_u16(&a);
	i->db = read_u16(&a);
	i->area = read_u8(&a);
	uint32_t address = (uint32_t)read_be(&a, 3), each = element_bytes(i->kind);
	if (!reader_ok(r) || !reader_ok(&a) || specification != 0x12 || syntax != 0x10)
		return false;
	bool whole = i->area == AREA_COUNTERS || i->area == AREA_TIMERS; /* numbered, not by bits */
	i->byte = whole ? 2 * address : address >> 3;
	i->bit = address & 7;
	i->bytes = count * each;
	i->result = DONE;
	uint32_t size = area_size(i);
	if (each == 0 || (i->kind == 1 && count != 1))
		i->result = BAD_TYPE;
	else if (size == 0)
		i->result = NOT_THERE;
	else if (i->byte + i->bytes > size)
		i->result = BEYOND;
	return true;
}

/* "DB1.DBB40 4 bytes", as a programmer reads it. */
static void item_name(const struct item *i, char *name, size_t size)
{
	struct writer w = writer_of(name, size - 1);
	if (i->area == AREA_DB)
		write_fmt(&w, "DB%u.DB%c%u", i->db, i->kind == 1 ? 'X' : 'B', (unsigned)i->byte);
	else
		write_fmt(&w, "%s%u",
		          i->area == AREA_INPUTS     ? "I"
		          : i->area == AREA_OUTPUTS  ? "Q"
		          : i->area == AREA_FLAGS    ? "M"
		          : i->area == AREA_COUNTERS ? "C"
		          : i->area == AREA_TIMERS   ? "T"
		                                     : "area ",
		          (unsigned)i->byte);
	if (i->kind == 1)
		write_fmt(&w, ".%u", (unsigned)i->bit);
	else
		write_fmt(&w, " %u bytes", (unsigned)i->bytes);
	*w.at = '\0';
}

static void value_say(struct s7_request *q, const struct item *i, bool last)
{
	bool bit = i->kind == 1, octets = i->kind == 8 || i->kind >= 0x1c;
	struct writer *w = &q->out_values;
	write_u8(w, i->result);
	write_u8(w, i->result != DONE ? 0 : bit ? 3 : octets ? 9 : 4);
	if (i->result != DONE) {
		write_u16(w, 0);
		return;
	}
	write_u16(w, (uint16_t)(bit ? 1 : octets ? i->bytes : 8 * i->bytes));
	if (bit)
		write_u8(w, byte_read(q, i, i->byte) >> i->bit & 1);
	for (uint32_t k = 0; !bit && k < i->bytes && !w->bad; k++)
		write_u8(w, byte_read(q, i, i->byte + k));
	if (i->bytes % 2 && !last) /* values are padded to even lengths, but for the last */
		write_u8(w, 0);
}

uint16_t s7_read_variables(struct s7_request *q)
{
	uint8_t count = read_u8(&q->parameters);
	char name[NAME_MAX];
	if (!reader_ok(&q->parameters) || count == 0 || count > ITEMS_MAX)
		return S7_BAD_REQUEST;
	write_u8(&q->out_parameters, count);
	for (uint8_t k = 0; k < count; k++) {
		struct item i;
		if (!item_read(&q->parameters, &i))
			return S7_BAD_REQUEST;
		item_name(&i, name, sizeof name);
		plant_asked(q->s, "read %s", name);
		value_say(q, &i, k + 1 == count);
	}
	return q->out_values.bad ? S7_BAD_REQUEST : 0;
}

static void value_take(struct s7_request *q, struct item *i, struct bytes values)
{
	if (i->result != DONE)
		return;
	if (i->kind == 1) {
		uint8_t mask = (uint8_t)(1u << i->bit), byte = byte_read(q, i, i->byte);
		byte_write(q, i, i->byte, values.at[0] & 1 ? byte | mask : byte & (uint8_t)~mask);
		return;
	}
	reals_write(q, i, values);
	for (uint32_t k = 0; k < values.len; k++)
		byte_write(q, i, i->byte + k, values.at[k]);
}

uint16_t s7_write_variables(struct s7_request *q)
{
	uint8_t count = read_u8(&q->parameters);
	if (!reader_ok(&q->parameters) || count == 0 || count > ITEMS_MAX)
		return S7_BAD_REQUEST;
	write_u8(&q->out_parameters, count);
	for (uint8_t k = 0; k < count; k++) {
		struct item i;
		char name[NAME_MAX], text[65];
		if (!item_read(&q->parameters, &i))
			return S7_BAD_REQUEST;
		read_u8(&q->values);
		uint8_t kind = read_u8(&q->values);
		uint16_t length = read_u16(&q->values);
		struct bytes values =
		        read_bytes(&q->values, kind == 4 || kind == 5 ? (length + 7u) / 8 : length);
		if (!reader_ok(&q->values) || values.len == 0)
			return S7_BAD_REQUEST;
		if (values.len % 2 && reader_left(&q->values))
			read_u8(&q->values);
		if (values.len != i.bytes && i.result == DONE)
			i.result = 0x07; /* the sizes differ */
		struct writer w = writer_of(text, sizeof text - 1);
		for (size_t n = 0; n < values.len && writer_left(&w) > 2; n++)
			write_fmt(&w, "%02x", values.at[n]);
		*w.at = '\0';
		item_name(&i, name, sizeof name);
		plant_ordered(q->s, "write %s: %s", name, text);
		value_take(q, &i, values);
		write_u8(&q->out_values, i.result);
	}
	return 0;
}
