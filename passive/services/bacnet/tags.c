/* Reading and writing BACnet's tags. */
#include "passive/services/bacnet/bacnet.h"

/* Tags (ANSI/ASHRAE 135 clause 20.2): application ones, and context ones of one to four bytes. */
void bacnet_write_tag(struct writer *w, uint8_t tag, bool context, size_t length)
{
	uint8_t first = (uint8_t)(tag << 4 | (context ? 8 : 0));
	if (length < 5) {
		write_u8(w, first | (uint8_t)length);
		return;
	}
	write_u8(w, first | 5);
	if (length < 254) {
		write_u8(w, (uint8_t)length);
	} else {
		write_u8(w, 254);
		write_u16(w, (uint16_t)length);
	}
}

void bacnet_write_number(struct writer *w, uint8_t tag, bool context, uint32_t value)
{
	size_t n = value > 0xffffff ? 4 : value > 0xffff ? 3 : value > 0xff ? 2 : 1;
	bacnet_write_tag(w, tag, context, n);
	write_be(w, value, n);
}

void bacnet_write_string(struct writer *w, const char *text)
{
	bacnet_write_tag(w, 7, false, strlen(text) + 1);
	write_u8(w, 0); /* UTF-8 */
	write_text(w, text);
}

void bacnet_write_object(struct writer *w, uint8_t tag, bool context, uint32_t type,
                         uint32_t instance)
{
	bacnet_write_tag(w, tag, context, 4);
	write_u32(w, type << 22 | instance);
}

void bacnet_write_real(struct writer *w, double value)
{
	float f = (float)value;
	uint32_t bits;
	memcpy(&bits, &f, sizeof bits);
	bacnet_write_tag(w, 4, false, 4);
	write_u32(w, bits);
}

/* `set` names the bits that are on, `count` how many there are. */
void bacnet_write_bits(struct writer *w, const uint8_t *set, size_t set_count, size_t count)
{
	uint8_t bits[8] = {0};
	for (size_t i = 0; i < set_count; i++)
		bits[set[i] / 8] |= (uint8_t)(0x80 >> set[i] % 8);
	size_t n = (count + 7) / 8;
	bacnet_write_tag(w, 8, false, n + 1);
	write_u8(w, (uint8_t)(8 * n - count));
	write_bytes(w, bits, n);
}

/* A context tag with a number in it; false when the next tag is another, which then stays. */
bool bacnet_read_context(struct reader *r, uint8_t tag, uint32_t *value)
{
	struct reader at = *r;
	uint8_t first = read_u8(&at);
	uint8_t length = first & 7;
	if (!reader_ok(&at) || first >> 4 != tag || !(first & 8) || length == 0 || length > 4)
		return false;
	uint32_t number = (uint32_t)read_be(&at, length);
	if (!reader_ok(&at))
		return false;
	*value = number;
	*r = at;
	return true;
}
