/* What was written to a plant, as bytes that the device remembers. */
#include "passive/device/plant/plant.h"

#define PROCESS "plant" /* the memory that all protocols of a device share */

static void float_write(struct writer *w, float f)
{
	uint32_t bits;
	memcpy(&bits, &f, sizeof bits);
	write_u32(w, bits);
}

static float float_read(struct reader *r)
{
	uint32_t bits = read_u32(r);
	float f;
	memcpy(&f, &bits, sizeof f);
	return f;
}

static void process_write(const struct plant *p, struct writer *w)
{
	write_u64(w, p->stopped_us);
	for (uint8_t i = 0; i < PLANT_POINTS; i++)
		if (p->commands[i].at_us) {
			write_u8(w, i);
			write_u64(w, p->commands[i].at_us);
			float_write(w, p->commands[i].from);
			float_write(w, p->commands[i].to);
		}
}

static void process_read(struct plant *p, struct reader *r)
{
	p->stopped_us = read_u64(r);
	while (reader_left(r)) {
		uint8_t which = read_u8(r);
		struct plant_command c = {.at_us = read_u64(r)};
		c.from = float_read(r);
		c.to = float_read(r);
		if (reader_ok(r) && which < PLANT_POINTS)
			p->commands[which] = c;
	}
}

static void cells_write(const struct plant *p, struct writer *w)
{
	write_u16(w, p->cell_next);
	for (uint16_t i = 0; i < p->cell_count; i++) {
		write_u32(w, p->cells[i].key);
		write_u32(w, p->cells[i].value);
	}
}

static void cells_read(struct plant *p, struct reader *r)
{
	p->cell_next = read_u16(r) % PLANT_CELLS_MAX;
	for (p->cell_count = 0; reader_left(r) >= 8 && p->cell_count < PLANT_CELLS_MAX; p->cell_count++) {
		struct plant_cell *c = &p->cells[p->cell_count];
		c->key = read_u32(r);
		c->value = read_u32(r);
	}
}

void plant_refresh(struct session *s, struct plant *p, const char *cells)
{
	struct reader process = reader_of_bytes(session_recall(s, PROCESS));
	struct reader kept = reader_of_bytes(session_recall(s, cells));
	if (reader_left(&process))
		process_read(p, &process);
	if (reader_left(&kept))
		cells_read(p, &kept);
}

void plant_settle(struct session *s, struct plant *p, const char *cells)
{
	uint8_t room[2 + 8 * PLANT_CELLS_MAX + 8 + 17 * PLANT_POINTS];
	struct writer w = writer_of(room, sizeof room);
	if (p->driven) {
		process_write(p, &w);
		session_remember(s, PROCESS, writer_bytes(&w));
	}
	w = writer_of(room, sizeof room);
	if (p->kept) {
		cells_write(p, &w);
		session_remember(s, cells, writer_bytes(&w));
	}
	p->driven = p->kept = false;
}
