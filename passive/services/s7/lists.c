/*
 * Lists of the system's state (SZL): who the controller is, how it runs, what it can.
 *
 * Numbers and layouts as in Siemens' "System Software for S7-300/400, System and Standard
 * Functions"; a list is its ID, index, the length of a record, their count, and the records.
 */
#include "base/options.h"
#include "base/random.h"
#include "passive/services/s7/s7.h"
#include <time.h>

static void padded(struct writer *w, const char *text, size_t size, char with)
{
	size_t n = strlen(text);
	for (size_t i = 0; i < size; i++)
		write_u8(w, (uint8_t)(i < n ? text[i] : with));
}

/* "V3.2.6" as the three bytes that follow a 'V'. */
static void version_write(struct writer *w, const char *version)
{
	unsigned parts[3] = {0};
	size_t part = 0;
	for (const char *p = version; *p && part < 3; p++) {
		if (*p >= '0' && *p <= '9')
			parts[part] = parts[part] * 10 + (unsigned)(*p - '0');
		else if (*p == '.')
			part++;
	}
	write_u8(w, 'V');
	for (size_t i = 0; i < 3; i++)
		write_u8(w, (uint8_t)parts[i]);
}

/* 0x11: the module, its hardware, its firmware, its boot loader. */
static unsigned identification(struct s7_request *q, uint16_t index, struct writer *w)
{
	const struct s7_device *d = session_device(q->s);
	const struct {
		uint16_t index;
		const char *name, *version;
	} records[] = {{1, d->module, d->hardware},
	               {6, d->module, d->hardware},
	               {7, "", d->firmware},
	               {0x81, "Boot Loader", d->loader}};
	unsigned count = 0;
	for (size_t i = 0; i < sizeof records / sizeof *records; i++) {
		if (index && records[i].index != index)
			continue;
		bool is_version = records[i].index >= 7;
		write_u16(w, records[i].index);
		padded(w, records[i].name, 20, ' ');
		write_u16(w, is_version ? 0 : 0xc0);
		if (is_version) {
			version_write(w, records[i].version);
		} else {
			write_u16(w, (uint16_t)(records[i].version[0] - '0'));
			write_u16(w, 1);
		}
		count++;
	}
	return count;
}

static void serial_text(struct s7_request *q, char *out, size_t size)
{
	const struct s7_device *d = session_device(q->s);
	static const char letters[] = "ABCDEFGHJKLMNPRSTUVWXYZ";
	uint64_t seed = session_device_seed(q->s);
	if (d->serial) {
		session_expand(q->s, d->serial, out, size);
		return;
	}
	/* Four signs of the plant, a number of the day, the year. */
	snprintf(out, size, "S C-%c%u%c%u%04u20%02u", letters[plant_number(seed, 71, 23)],
	         (unsigned)plant_number(seed, 72, 10), letters[plant_number(seed, 73, 23)],
	         (unsigned)plant_number(seed, 74, 10), (unsigned)plant_number(seed, 75, 10000),
	         9 + (unsigned)plant_number(seed, 76, 9));
}

/* 0x1c: names and numbers of this one controller. */
static unsigned component(struct s7_request *q, uint16_t index, struct writer *w)
{
	const struct s7_device *d = session_device(q->s);
	char serial[40], card[40], system[40], name[40];
	uint64_t seed = session_device_seed(q->s);
	serial_text(q, serial, sizeof serial);
	snprintf(card, sizeof card, "MMC %08X", (unsigned)random_mix(seed + 77));
	session_expand(q->s, d->system, system, sizeof system);
	session_expand(q->s, d->name, name, sizeof name);
	const struct {
		uint16_t index;
		const char *text;
	} records[] = {{1, system},       {2, name},   {3, d->plant ? d->plant : ""},
	               {4, d->copyright}, {5, serial}, {7, d->type},
	               {8, card},         {9, ""},     {10, ""},
	               {11, ""}};
	unsigned count = 0;
	for (size_t i = 0; i < sizeof records / sizeof *records; i++) {
		if (index && records[i].index != index)
			continue;
		write_u16(w, records[i].index);
		if (records[i].index == 9) { /* maker and profile of a module of Siemens */
			write_u16(w, 0x2a);
			write_u16(w, 0xf600);
			write_u32(w, 0x00010000);
			write_zero(w, 24);
		} else {
			padded(w, records[i].text, 32, '\0');
		}
		count++;
	}
	return count;
}

static uint8_t bcd(int n)
{
	return (uint8_t)(n / 10 % 10 << 4 | n % 10);
}

/* DATE_AND_TIME: eight bytes of BCD, milliseconds and the day of the week in the last two. */
static void time_write(struct writer *w, uint64_t time_us)
{
	time_t t = (time_t)(time_us / 1000000);
	int ms = (int)(time_us / 1000 % 1000);
	struct tm at;
	gmtime_r(&t, &at);
	const int parts[] = {at.tm_year % 100, at.tm_mon + 1, at.tm_mday, at.tm_hour,
	                     at.tm_min,        at.tm_sec,     ms / 10};
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		write_u8(w, bcd(parts[i]));
	write_u8(w, (uint8_t)(ms % 10 << 4 | (at.tm_wday + 1)));
}

/* 0x424: which mode it is in, and since when. */
static unsigned mode(struct s7_request *q, struct writer *w)
{
	write_u16(w, q->c->plant.stopped_us ? 0x4303 : 0x5144);
	write_u8(w, 0xff);
	write_u8(w, q->c->plant.stopped_us ? 0x04 : 0x08);
	write_u32(w, 0);
	write_u32(w, q->c->plant.stopped_us ? 0x04030000 : 0);
	uint64_t since =
	        q->c->plant.stopped_us ? q->c->plant.stopped_us
	                      : q->now_us - plant_number(q->c->plant.seed, 78, 90) * 86400000000u;
	time_write(w, since);
	return 1;
}

/* 0x131: what it can be asked over the network. */
static unsigned communication(struct s7_request *q, uint16_t index, struct writer *w)
{
	struct writer start = *w;
	write_u16(w, index);
	switch (index) {
	case 1: /* bytes of a PDU, connections, rates */
		write_u16(w, q->c->pdu_bytes ? q->c->pdu_bytes : 240);
		write_u16(w, 16);
		write_u32(w, 187500);
		write_u32(w, 187500);
		break;
	case 2: /* test and start-up functions */
		write_u32(w, 0xbd7fffe0);
		write_u32(w, 0xf0c00000);
		break;
	case 3: /* operation of S7 */
		write_u32(w, 0xff7f0200);
		write_u32(w, 0x00500050);
		break;
	case 4: /* communication by system functions */
		write_u32(w, 0xfe000001);
		break;
	default:
		return 0;
	}
	write_zero(w, 40 - (writer_used(w) - writer_used(&start)));
	return 1;
}

/* 0x132 index 4: levels of protection and the place of the switch. */
static unsigned protection(struct s7_request *q, uint16_t index, struct writer *w)
{
	(void)q;
	if (index != 4)
		return 0;
	write_u16(w, 4);
	write_u16(w, 1); /* level by the switch */
	write_u16(w, 0); /* by password */
	write_u16(w, 1); /* in force */
	write_u16(w, 1); /* the switch stands on RUN */
	write_u16(w, 1);
	write_zero(w, 28);
	return 1;
}

/* 0x74, 0x19: the lamps. */
static unsigned lamps(struct s7_request *q, struct writer *w)
{
	static const uint8_t numbers[] = {1, 4, 5, 6, 11, 12};
	for (size_t i = 0; i < sizeof numbers; i++) {
		write_u16(w, numbers[i]);
		write_u8(w, numbers[i] == 4 ? !q->c->plant.stopped_us : numbers[i] == 5 && q->c->plant.stopped_us);
		write_u8(w, 0);
	}
	return sizeof numbers;
}

static const struct {
	uint16_t id, bytes; /* of a record */
} lists[] = {
        {0x0000, 2},  {0x0011, 28}, {0x001c, 34}, {0x0019, 4},  {0x0074, 4},
        {0x0111, 28}, {0x011c, 34}, {0x0131, 40}, {0x0132, 40}, {0x0424, 20},
};
#define LISTS (sizeof lists / sizeof *lists)

uint16_t s7_list(struct s7_request *q, uint16_t id, uint16_t index, struct writer *out)
{
	uint8_t room[1024];
	struct writer w = writer_of(room, sizeof room);
	unsigned count = 0;
	size_t which = 0;
	while (which < LISTS && lists[which].id != id)
		which++;
	plant_asked(q->s, "system state list 0x%04x index 0x%04x", id, index);
	if (which == LISTS)
		return S7_NO_SZL;
	switch (id) {
	case 0x0000:
		for (count = 0; count < LISTS; count++)
			write_u16(&w, lists[count].id);
		break;
	case 0x0011:
		count = identification(q, 0, &w);
		break;
	case 0x0111:
		count = identification(q, index, &w);
		break;
	case 0x001c:
		count = component(q, 0, &w);
		break;
	case 0x011c:
		count = component(q, index, &w);
		break;
	case 0x0131:
		count = communication(q, index, &w);
		break;
	case 0x0132:
		count = protection(q, index, &w);
		break;
	case 0x0424:
		count = mode(q, &w);
		break;
	default:
		count = lamps(q, &w);
	}
	if (count == 0)
		return S7_NO_SZL_INDEX;
	write_u16(out, id);
	write_u16(out, index);
	write_u16(out, lists[which].bytes);
	write_u16(out, (uint16_t)count);
	write_span(out, writer_bytes(&w));
	return 0;
}
