/*
 * Blocks of the program: what there is, and one that is downloaded to the controller.
 *
 * A download is asked for by the peer and then fetched by us, part by part, so what a peer
 * wanted to run on the controller is kept as a file.  Uploads are refused as a program that
 * is protected refuses them.
 */
#include "passive/services/s7/s7.h"

#define DOWNLOAD_FIRST 1024

static const struct {
	uint8_t kind; /* the second character of the block's kind in ASCII */
	uint16_t count;
	const uint16_t *numbers;
} kinds[] = {
        {'8', 3, (const uint16_t[]){1, 82, 100}},   /* OB */
        {'E', 3, (const uint16_t[]){1, 2, 41}},     /* FB */
        {'C', 4, (const uint16_t[]){1, 2, 3, 105}}, /* FC */
        {'A', 3, (const uint16_t[]){1, 2, 10}},     /* DB */
        {'B', 4, (const uint16_t[]){0, 1, 2, 3}},   /* SDB */
        {'D', 0, NULL},                             /* SFC */
        {'F', 0, NULL},                             /* SFB */
};
#define KINDS (sizeof kinds / sizeof *kinds)

static uint16_t kind_list(struct s7_request *q, struct writer *out)
{
	read_u8(&q->values); /* '0' */
	uint8_t kind = read_u8(&q->values);
	plant_asked(q->s, "list blocks of kind 0%c", kind > ' ' && kind < 127 ? kind : '?');
	for (size_t i = 0; i < KINDS; i++) {
		if (kinds[i].kind != kind || kinds[i].count == 0)
			continue;
		for (size_t k = 0; k < kinds[i].count; k++) {
			write_u16(out, kinds[i].numbers[k]);
			write_u8(out, 0x22);                /* linked in, not of the system */
			write_u8(out, kind == 'A' ? 5 : 1); /* DB; else statement list */
		}
		return 0;
	}
	return S7_NO_BLOCK;
}

uint16_t s7_blocks(struct s7_request *q, uint8_t function, struct writer *out)
{
	if (function == 2)
		return kind_list(q, out);
	if (function != 1) {
		plant_asked(q->s, "block information");
		return S7_NO_BLOCK;
	}
	plant_asked(q->s, "list blocks");
	for (size_t i = 0; i < KINDS; i++) {
		write_u8(out, '0');
		write_u8(out, kinds[i].kind);
		write_u16(out, kinds[i].count);
	}
	return 0;
}

/* So much as blocks are large: few are. */
static bool download_grow(struct s7_request *q, uint32_t room)
{
	struct s7 *c = q->c;
	uint8_t *grown = arena_alloc(session_arena(q->s), room);
	if (!grown)
		return false;
	if (c->downloaded_bytes)
		memcpy(grown, c->downloaded, c->downloaded_bytes);
	c->downloaded = grown;
	c->downloaded_room = room;
	return true;
}

uint16_t s7_download_begin(struct s7_request *q)
{
	struct s7 *c = q->c;
	read_bytes(&q->parameters, 7);
	struct bytes name = read_bytes(&q->parameters, read_u8(&q->parameters));
	if (!reader_ok(&q->parameters) || name.len != S7_BLOCK_NAME)
		return S7_BAD_REQUEST;
	for (size_t i = 0; i < S7_BLOCK_NAME; i++)
		c->block[i] = (char)(name.at[i] > ' ' && name.at[i] < 127 ? name.at[i] : '?');
	plant_ordered(q->s, "download block %s", c->block);
	c->downloaded_bytes = 0;
	c->downloading = c->downloaded || download_grow(q, DOWNLOAD_FIRST);
	return c->downloading ? 0 : S7_PROTECTED;
}

void s7_say_job(struct session *s, struct s7 *c, uint8_t function)
{
	uint8_t room[64];
	struct writer w = writer_of(room, sizeof room);
	write_u32(&w, 0x03000023);                  /* TPKT, 35 bytes */
	write_bytes(&w, "\x02\xf0\x80\x32\x01", 5); /* COTP data; S7, a job */
	write_u16(&w, 0);
	write_u16(&w, ++c->reference);
	write_u16(&w, 18);
	write_u16(&w, 0);
	write_u8(&w, function);
	write_zero(&w, 7);
	write_u8(&w, S7_BLOCK_NAME);
	write_bytes(&w, c->block, S7_BLOCK_NAME);
	session_say_bytes(s, writer_bytes(&w));
}

void s7_download_part(struct s7_request *q, bool more)
{
	struct s7 *c = q->c;
	uint16_t length = read_u16(&q->values);
	read_u16(&q->values); /* 0x00fb */
	struct bytes part = read_bytes(&q->values, length);
	if (!c->downloading || !reader_ok(&q->values))
		return;
	while (c->downloaded_room - c->downloaded_bytes < part.len && c->downloaded_room < S7_DOWNLOAD_MAX)
		if (!download_grow(q, 2 * c->downloaded_room))
			return;
	size_t room = c->downloaded_room - c->downloaded_bytes;
	if (part.len < room)
		room = part.len;
	memcpy(c->downloaded + c->downloaded_bytes, part.at, room);
	c->downloaded_bytes += (uint32_t)room;
	s7_say_job(q->s, c, more ? 0x1b : 0x1c);
}

void s7_download_end(struct s7_request *q)
{
	struct s7 *c = q->c;
	if (!c->downloading)
		return;
	c->downloading = false;
	if (c->downloaded_bytes)
		session_capture(q->s, (struct bytes){c->downloaded, c->downloaded_bytes},
		                bytes_of_text(c->block), (struct bytes){0}, "upload");
}
