/* Coils, registers, files and the queue of a controller. */
#include "passive/services/modbus/modbus.h"

static uint16_t word_read(const struct modbus_request *q, uint16_t at)
{
	uint32_t kept;
	uint16_t value;
	if (plant_word(&q->m->plant, at, q->now_us, &value))
		return value;
	if (plant_recall(&q->m->plant, KEY_WORD | at, &kept))
		return (uint16_t)kept;
	return at >= 20 && at < 40 ? (uint16_t)(10 * plant_number(q->m->plant.seed, at, 100)) : 0;
}

static void word_write(struct modbus_request *q, uint16_t at, uint16_t value)
{
	if (!plant_word_write(&q->m->plant, at, value, q->now_us))
		plant_keep(&q->m->plant, KEY_WORD | at, value);
}

static bool bit_read(const struct modbus_request *q, uint16_t at)
{
	uint32_t kept;
	bool on;
	if (plant_switch(&q->m->plant, at, q->now_us, &on))
		return on;
	return plant_recall(&q->m->plant, KEY_COIL | at, &kept) && kept;
}

static void bit_write(struct modbus_request *q, uint16_t at, bool on)
{
	if (!plant_switch_write(&q->m->plant, at, on, q->now_us))
		plant_keep(&q->m->plant, KEY_COIL | at, on);
}

/* Whether `count` from `at` are there: 0, or the exception. */
static int span(uint16_t at, uint16_t count, uint16_t count_max, uint64_t there)
{
	if (count == 0 || count > count_max)
		return BAD_VALUE;
	return (uint64_t)at + count > there ? BAD_ADDRESS : 0;
}

int modbus_read_bits(struct modbus_request *q)
{
	uint16_t at = read_u16(&q->in), count = read_u16(&q->in);
	if (!reader_ok(&q->in))
		return BAD_VALUE;
	plant_asked(q->s, "read %s %u count %u unit %u",
	            q->function == READ_COILS ? "coils" : "discrete inputs", at, count, q->unit);
	int bad = span(at, count, READ_BITS_MAX, q->device->coils);
	if (bad)
		return bad;
	write_u8(&q->out, (uint8_t)((count + 7) / 8));
	for (uint16_t i = 0; i < count; i += 8) {
		uint8_t byte = 0;
		for (uint16_t k = 0; k < 8 && i + k < count; k++)
			byte |= (uint8_t)(bit_read(q, (uint16_t)(at + i + k)) << k);
		write_u8(&q->out, byte);
	}
	return 0;
}

static void words_say(struct modbus_request *q, uint16_t at, uint16_t count)
{
	write_u8(&q->out, (uint8_t)(2 * count));
	for (uint16_t i = 0; i < count; i++)
		write_u16(&q->out, word_read(q, (uint16_t)(at + i)));
}

int modbus_read_words(struct modbus_request *q)
{
	uint16_t at = read_u16(&q->in), count = read_u16(&q->in);
	if (!reader_ok(&q->in))
		return BAD_VALUE;
	plant_asked(q->s, "read %s registers %u count %u unit %u",
	            q->function == READ_HOLDING ? "holding" : "input", at, count, q->unit);
	int bad = span(at, count, READ_WORDS_MAX, q->device->registers);
	if (!bad)
		words_say(q, at, count);
	return bad;
}

int modbus_write_coil(struct modbus_request *q)
{
	uint16_t at = read_u16(&q->in), value = read_u16(&q->in);
	if (!reader_ok(&q->in) || (value != 0 && value != 0xff00))
		return BAD_VALUE;
	plant_ordered(q->s, "write single coil %u %s unit %u", at, value ? "on" : "off", q->unit);
	if (at >= q->device->coils)
		return BAD_ADDRESS;
	bit_write(q, at, value);
	write_u16(&q->out, at);
	write_u16(&q->out, value);
	return 0;
}

int modbus_write_word(struct modbus_request *q)
{
	uint16_t at = read_u16(&q->in), value = read_u16(&q->in);
	if (!reader_ok(&q->in))
		return BAD_VALUE;
	plant_ordered(q->s, "write single register %u %u unit %u", at, value, q->unit);
	if (at >= q->device->registers)
		return BAD_ADDRESS;
	word_write(q, at, value);
	write_u16(&q->out, at);
	write_u16(&q->out, value);
	return 0;
}

/* The values of a write as a person reads them, cut where a line is long enough. */
static void values_text(struct bytes values, bool bits, uint16_t count, char *text, size_t size)
{
	struct writer w = writer_of(text, size - 1);
	struct reader r = reader_of_bytes(values);
	for (uint16_t i = 0; i < count && writer_left(&w) > 8; i++)
		if (bits)
			write_fmt(&w, "%u", values.at[i / 8] >> i % 8 & 1);
		else
			write_fmt(&w, i ? " %u" : "%u", read_u16(&r));
	*w.at = '\0';
}

int modbus_write_many(struct modbus_request *q)
{
	bool bits = q->function == WRITE_COILS;
	uint16_t at = read_u16(&q->in), count = read_u16(&q->in);
	struct bytes values = read_bytes(&q->in, read_u8(&q->in));
	size_t wanted = bits ? (count + 7u) / 8 : 2u * count;
	char text[160];
	if (!reader_ok(&q->in) || values.len != wanted)
		return BAD_VALUE;
	int bad = span(at, count, bits ? WRITE_BITS_MAX : WRITE_WORDS_MAX,
	               bits ? q->device->coils : q->device->registers);
	values_text(values, bits, count, text, sizeof text);
	plant_ordered(q->s, "write multiple %s %u count %u unit %u: %s",
	              bits ? "coils" : "registers", at, count, q->unit, text);
	if (bad)
		return bad;
	struct reader r = reader_of_bytes(values);
	for (uint16_t i = 0; i < count; i++)
		if (bits)
			bit_write(q, (uint16_t)(at + i), values.at[i / 8] >> i % 8 & 1);
		else
			word_write(q, (uint16_t)(at + i), read_u16(&r));
	write_u16(&q->out, at);
	write_u16(&q->out, count);
	return 0;
}

int modbus_mask_word(struct modbus_request *q)
{
	uint16_t at = read_u16(&q->in), both = read_u16(&q->in), either = read_u16(&q->in);
	if (!reader_ok(&q->in))
		return BAD_VALUE;
	plant_ordered(q->s, "mask write register %u and 0x%04x or 0x%04x unit %u", at, both, either,
	              q->unit);
	if (at >= q->device->registers)
		return BAD_ADDRESS;
	word_write(q, at, (uint16_t)((word_read(q, at) & both) | (either & ~both)));
	write_u16(&q->out, at);
	write_u16(&q->out, both);
	write_u16(&q->out, either);
	return 0;
}

int modbus_read_write_words(struct modbus_request *q)
{
	uint16_t from = read_u16(&q->in), wanted = read_u16(&q->in);
	uint16_t at = read_u16(&q->in), count = read_u16(&q->in);
	struct bytes values = read_bytes(&q->in, read_u8(&q->in));
	char text[160];
	if (!reader_ok(&q->in) || values.len != 2u * count)
		return BAD_VALUE;
	int bad = span(from, wanted, READ_WORDS_MAX, q->device->registers);
	if (!bad)
		bad = span(at, count, BOTH_WRITE_WORDS_MAX, q->device->registers);
	values_text(values, false, count, text, sizeof text);
	plant_ordered(q->s, "write registers %u count %u and read %u count %u unit %u: %s", at,
	              count, from, wanted, q->unit, text);
	if (bad)
		return bad;
	struct reader r = reader_of_bytes(values);
	for (uint16_t i = 0; i < count; i++)
		word_write(q, (uint16_t)(at + i), read_u16(&r));
	words_say(q, from, wanted);
	return 0;
}

/* File records (6.14, 6.15): groups of the reference type 6, each a part of a file. */
int modbus_read_file(struct modbus_request *q)
{
	struct bytes groups = read_bytes(&q->in, read_u8(&q->in));
	struct reader r = reader_of_bytes(groups);
	struct writer length = q->out;
	if (!reader_ok(&q->in) || groups.len < 7 || groups.len > 0xf5 || groups.len % 7)
		return BAD_VALUE;
	write_u8(&q->out, 0);
	while (reader_left(&r)) {
		uint8_t kind = read_u8(&r);
		uint16_t file = read_u16(&r), record = read_u16(&r), count = read_u16(&r);
		plant_asked(q->s, "read file %u record %u count %u unit %u", file, record, count,
		            q->unit);
		if (kind != 6 || file == 0 || record >= FILE_RECORDS_MAX ||
		    record + count > FILE_RECORDS_MAX)
			return BAD_ADDRESS;
		if (2u * count + 2 > writer_left(&q->out) || 2u * count + 1 > 0xf5)
			return BAD_VALUE;
		write_u8(&q->out, (uint8_t)(2 * count + 1));
		write_u8(&q->out, 6);
		for (uint32_t i = 0; i < count; i++) {
			uint32_t kept = 0;
			plant_recall(&q->m->plant, KEY_FILE + ((uint32_t)file << 14) + record + i,
			             &kept);
			write_u16(&q->out, (uint16_t)kept);
		}
	}
	write_u8(&length, (uint8_t)(writer_used(&q->out) - writer_used(&length) - 1));
	return 0;
}

int modbus_write_file(struct modbus_request *q)
{
	struct bytes groups = read_bytes(&q->in, read_u8(&q->in));
	struct reader r = reader_of_bytes(groups);
	if (!reader_ok(&q->in) || groups.len < 9)
		return BAD_VALUE;
	while (reader_left(&r)) {
		uint8_t kind = read_u8(&r);
		uint16_t file = read_u16(&r), record = read_u16(&r), count = read_u16(&r);
		struct reader values = reader_of_bytes(read_bytes(&r, 2u * count));
		if (!reader_ok(&r))
			return BAD_VALUE;
		plant_ordered(q->s, "write file %u record %u count %u unit %u", file, record, count,
		              q->unit);
		if (kind != 6 || file == 0 || record + count > FILE_RECORDS_MAX)
			return BAD_ADDRESS;
		for (uint32_t i = 0; i < count; i++)
			plant_keep(&q->m->plant, KEY_FILE + ((uint32_t)file << 14) + record + i,
			           read_u16(&values));
	}
	write_u8(&q->out, (uint8_t)groups.len);
	write_span(&q->out, groups);
	return 0;
}

int modbus_read_fifo(struct modbus_request *q)
{
	uint16_t at = read_u16(&q->in);
	plant_asked(q->s, "read fifo queue %u unit %u", at, q->unit);
	if (!reader_ok(&q->in) || at >= q->device->registers)
		return BAD_ADDRESS;
	write_u16(&q->out, 2); /* an empty queue */
	write_u16(&q->out, 0);
	return 0;
}
