/*
 * Building controller on BACnet/IP: a device object and the points of its plant.
 *
 * Questions are small and sources can be forged, so an answer is at most what the guard of
 * the room allows; a longer one is an abort "segmentation not supported", as a small device
 * says it.  Properties are a table: whoever asks for one, for many or for all is answered
 * from there.  Writes to outputs and values take effect.
 */
#include "base/options.h"
#include "passive/plant/plant.h"
#include <time.h>

#define APDU_MAX 1476
#define NAME_MAX 64
#define ANY_INSTANCE 0x3fffff
#define ANY_INDEX UINT32_MAX

enum { IS_AI, IS_AO, IS_AV, IS_BI, IS_BO, IS_BV, IS_DEVICE = 8 };

enum {
	SUBSCRIBE_COV = 5,
	READ_PROPERTY = 12,
	READ_MULTIPLE = 14,
	WRITE_PROPERTY = 15,
	WRITE_MULTIPLE = 16,
	COMMUNICATION_CONTROL = 17,
	REINITIALIZE = 20
};

enum {
	CLASS_OBJECT = 1,
	CLASS_PROPERTY = 2,
	UNKNOWN_OBJECT = 31,
	UNKNOWN_PROPERTY = 32,
	OUT_OF_RANGE = 37,
	WRITE_DENIED = 40,
	NO_ARRAY = 50,
	WRONG_TYPE = 9,
	BAD_INDEX = 42
};

enum {
	P_ALL = 8,
	P_SOFTWARE = 12,
	P_DESCRIPTION = 28,
	P_EVENT_STATE = 36,
	P_FIRMWARE = 44,
	P_LOCAL_DATE = 56,
	P_LOCAL_TIME = 57,
	P_LOCATION = 58,
	P_MAX_APDU = 62,
	P_MODEL = 70,
	P_RETRIES = 73,
	P_IDENTIFIER = 75,
	P_LIST = 76,
	P_NAME = 77,
	P_TYPE = 79,
	P_OUT_OF_SERVICE = 81,
	P_VALUE = 85,
	P_PRIORITIES = 87,
	P_OBJECT_TYPES = 96,
	P_SERVICES = 97,
	P_VERSION = 98,
	P_RELINQUISH = 104,
	P_REQUIRED = 105,
	P_SEGMENTATION = 107,
	P_FLAGS = 111,
	P_STATUS = 112,
	P_UNITS = 117,
	P_VENDOR_ID = 120,
	P_VENDOR = 121,
	P_REVISION = 139,
	P_DATABASE = 155,
	P_TIMEOUT = 11,
	P_BINDINGS = 30
};

struct bacnet_device {
	const char *vendor, *model, *firmware, *software, *name, *description, *location;
	uint64_t vendor_id, instance;
};

struct bacnet {
	struct plant plant;
	uint32_t instance;
};

static const struct object {
	uint8_t type;
	uint32_t instance;
	enum plant_point point;
	uint16_t units;
	const char *name, *description;
} objects[] = {
        {IS_AI, 0, PLANT_TEMPERATURE, 62, "SUPPLY-T", "Supply water temperature"},
        {IS_AI, 1, PLANT_PRESSURE, 55, "SUPPLY-P", "Supply pressure"},
        {IS_AI, 2, PLANT_FLOW, 135, "PRIMARY-F", "Primary flow"},
        {IS_AI, 3, PLANT_LEVEL, 98, "TANK-L", "Expansion tank level"},
        {IS_AI, 4, PLANT_VOLTAGE, 5, "MAIN-U", "Supply voltage"},
        {IS_AI, 5, PLANT_POWER, 48, "MAIN-P", "Electrical power"},
        {IS_AO, 0, PLANT_VALVE, 98, "MIX-V", "Mixing valve"},
        {IS_AV, 0, PLANT_SETPOINT, 62, "SUPPLY-SP", "Supply temperature setpoint"},
        {IS_BI, 0, PLANT_ALARM, 0, "ALARM", "Plant alarm"},
        {IS_BO, 0, PLANT_PUMP, 0, "PUMP-C", "Circulation pump"},
        {IS_BV, 0, PLANT_BREAKER, 0, "MAIN-ENABLE", "Plant enable"},
};
#define OBJECTS (sizeof objects / sizeof *objects)

struct request {
	struct session *s;
	struct bacnet *b;
	struct reader in;
	struct writer out;
	uint64_t now_us;
	uint8_t invoke, service;
};

/* Tags (ANSI/ASHRAE 135 clause 20.2): application ones, and context ones of one to four bytes. */
static void write_tag(struct writer *w, uint8_t tag, bool context, size_t length)
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

static void write_number(struct writer *w, uint8_t tag, bool context, uint32_t value)
{
	size_t n = value > 0xffffff ? 4 : value > 0xffff ? 3 : value > 0xff ? 2 : 1;
	write_tag(w, tag, context, n);
	write_be(w, value, n);
}

static void write_string(struct writer *w, const char *text)
{
	write_tag(w, 7, false, strlen(text) + 1);
	write_u8(w, 0); /* UTF-8 */
	write_text(w, text);
}

static void write_object(struct writer *w, uint8_t tag, bool context, uint32_t type,
                         uint32_t instance)
{
	write_tag(w, tag, context, 4);
	write_u32(w, type << 22 | instance);
}

static void write_real(struct writer *w, double value)
{
	float f = (float)value;
	uint32_t bits;
	memcpy(&bits, &f, sizeof bits);
	write_tag(w, 4, false, 4);
	write_u32(w, bits);
}

/* `set` names the bits that are on, `count` how many there are. */
static void write_bits(struct writer *w, const uint8_t *set, size_t set_count, size_t count)
{
	uint8_t bits[8] = {0};
	for (size_t i = 0; i < set_count; i++)
		bits[set[i] / 8] |= (uint8_t)(0x80 >> set[i] % 8);
	size_t n = (count + 7) / 8;
	write_tag(w, 8, false, n + 1);
	write_u8(w, (uint8_t)(8 * n - count));
	write_bytes(w, bits, n);
}

/* A context tag with a number in it; false when the next tag is another, which then stays. */
static bool read_context(struct reader *r, uint8_t tag, uint32_t *value)
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

static void template_write(struct request *q, const char *text)
{
	char room[NAME_MAX];
	session_expand(q->s, text ? text : "", room, sizeof room);
	write_string(&q->out, room);
}

static void object_list(struct request *q, uint32_t index)
{
	if (index == 0) {
		write_number(&q->out, 2, false, OBJECTS + 1);
		return;
	}
	for (uint32_t i = 0; i <= OBJECTS; i++) {
		if (index != ANY_INDEX && index != i + 1)
			continue;
		if (i == 0)
			write_object(&q->out, 12, false, IS_DEVICE, q->b->instance);
		else
			write_object(&q->out, 12, false, objects[i - 1].type,
			             objects[i - 1].instance);
	}
}

static void clock_write(struct request *q, bool date)
{
	time_t t = (time_t)(q->now_us / 1000000);
	struct tm at;
	gmtime_r(&t, &at);
	const uint8_t day[] = {(uint8_t)at.tm_year, (uint8_t)(at.tm_mon + 1), (uint8_t)at.tm_mday,
	                       (uint8_t)(at.tm_wday ? at.tm_wday : 7)};
	const uint8_t hour[] = {(uint8_t)at.tm_hour, (uint8_t)at.tm_min, (uint8_t)at.tm_sec,
	                        (uint8_t)(q->now_us / 10000 % 100)};
	write_tag(&q->out, date ? 10 : 11, false, 4);
	write_bytes(&q->out, date ? day : hour, 4);
}

static const uint16_t device_properties[] = {
        P_IDENTIFIER, P_NAME,     P_TYPE,         P_STATUS,   P_VENDOR,      P_VENDOR_ID,
        P_MODEL,      P_FIRMWARE, P_SOFTWARE,     P_LOCATION, P_DESCRIPTION, P_VERSION,
        P_REVISION,   P_SERVICES, P_OBJECT_TYPES, P_LIST,     P_MAX_APDU,    P_SEGMENTATION,
        P_TIMEOUT,    P_RETRIES,  P_BINDINGS,     P_DATABASE, P_LOCAL_DATE,  P_LOCAL_TIME};
static const uint16_t point_properties[] = {P_IDENTIFIER,  P_NAME,           P_TYPE,
                                            P_VALUE,       P_DESCRIPTION,    P_FLAGS,
                                            P_EVENT_STATE, P_OUT_OF_SERVICE, P_UNITS};

/* What is a text or a number and nothing more; false when it is neither. */
static bool plain_property(struct request *q, uint32_t property)
{
	const struct bacnet_device *d = session_device(q->s);
	const struct {
		uint32_t property;
		const char *text;
	} texts[] = {{P_NAME, d->name},
	             {P_VENDOR, d->vendor},
	             {P_MODEL, d->model},
	             {P_FIRMWARE, d->firmware},
	             {P_SOFTWARE, d->software},
	             {P_LOCATION, d->location},
	             {P_DESCRIPTION, d->description}};
	const struct {
		uint32_t property;
		uint8_t tag;
		uint32_t number;
	} numbers[] = {{P_TYPE, 9, IS_DEVICE},
	               {P_STATUS, 9, 0},
	               {P_VENDOR_ID, 2, (uint32_t)d->vendor_id},
	               {P_VERSION, 2, 1},
	               {P_REVISION, 2, 7},
	               {P_MAX_APDU, 2, APDU_MAX},
	               {P_SEGMENTATION, 9, 3},
	               {P_TIMEOUT, 2, 6000},
	               {P_RETRIES, 2, 3},
	               {P_DATABASE, 2, 1 + (uint32_t)plant_number(q->b->plant.seed, 155, 40)}};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		if (texts[i].property == property) {
			template_write(q, texts[i].text);
			return true;
		}
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		if (numbers[i].property == property) {
			write_number(&q->out, numbers[i].tag, false, numbers[i].number);
			return true;
		}
	return false;
}

/* 0, or the code of an error of the class "property". */
static unsigned device_property(struct request *q, uint32_t property, uint32_t index)
{
	static const uint8_t services[] = {READ_PROPERTY,
	                                   READ_MULTIPLE,
	                                   WRITE_PROPERTY,
	                                   COMMUNICATION_CONTROL,
	                                   REINITIALIZE,
	                                   32,
	                                   33,
	                                   34};
	static const uint8_t types[] = {IS_AI, IS_AO, IS_AV, IS_BI, IS_BO, IS_BV, IS_DEVICE};
	switch (property) {
	case P_IDENTIFIER:
		write_object(&q->out, 12, false, IS_DEVICE, q->b->instance);
		return 0;
	case P_SERVICES:
		write_bits(&q->out, services, sizeof services, 40);
		return 0;
	case P_OBJECT_TYPES:
		write_bits(&q->out, types, sizeof types, 31);
		return 0;
	case P_LIST:
		object_list(q, index);
		return index != ANY_INDEX && index > OBJECTS + 1 ? BAD_INDEX : 0;
	case P_BINDINGS:
		return 0;
	case P_LOCAL_DATE:
	case P_LOCAL_TIME:
		clock_write(q, property == P_LOCAL_DATE);
		return 0;
	default:
		return plain_property(q, property) ? 0 : UNKNOWN_PROPERTY;
	}
}

static void value_write(struct request *q, const struct object *o)
{
	if (o->type >= IS_BI)
		write_number(&q->out, 9, false, plant_is_on(&q->b->plant, o->point, q->now_us));
	else
		write_real(&q->out, plant_read(&q->b->plant, o->point, q->now_us));
}

static unsigned point_property(struct request *q, const struct object *o, uint32_t property,
                               uint32_t index)
{
	struct writer *w = &q->out;
	bool commanded = o->type != IS_AI && o->type != IS_BI;
	switch (property) {
	case P_IDENTIFIER:
		write_object(w, 12, false, o->type, o->instance);
		return 0;
	case P_NAME:
		write_string(w, o->name);
		return 0;
	case P_DESCRIPTION:
		write_string(w, o->description);
		return 0;
	case P_TYPE:
		write_number(w, 9, false, o->type);
		return 0;
	case P_VALUE:
	case P_RELINQUISH:
		if (property == P_RELINQUISH && !commanded)
			return UNKNOWN_PROPERTY;
		value_write(q, o);
		return 0;
	case P_FLAGS:
		write_bits(w, NULL, 0, 4);
		return 0;
	case P_EVENT_STATE:
		write_number(w, 9, false, 0);
		return 0;
	case P_OUT_OF_SERVICE:
		write_u8(w, 0x10);
		return 0;
	case P_UNITS:
		if (o->type >= IS_BI)
			return UNKNOWN_PROPERTY;
		write_number(w, 9, false, o->units);
		return 0;
	case P_PRIORITIES:
		if (!commanded)
			return UNKNOWN_PROPERTY;
		for (uint32_t i = 1; i <= 16; i++)
			if (index == ANY_INDEX || index == i) {
				if (i == 16 && q->b->plant.commands[o->point].at_us)
					value_write(q, o);
				else
					write_u8(w, 0);
			}
		return 0;
	default:
		return UNKNOWN_PROPERTY;
	}
}

static const struct object *object_of(uint32_t id)
{
	for (size_t i = 0; i < OBJECTS; i++)
		if (objects[i].type == id >> 22 && objects[i].instance == (id & ANY_INSTANCE))
			return &objects[i];
	return NULL;
}

static bool is_device(const struct request *q, uint32_t id)
{
	return id >> 22 == IS_DEVICE &&
	       ((id & ANY_INSTANCE) == q->b->instance || (id & ANY_INSTANCE) == ANY_INSTANCE);
}

/* The value of a property; class and code of an error otherwise. */
static unsigned property_write(struct request *q, uint32_t id, uint32_t property, uint32_t index,
                               unsigned *class)
{
	const struct object *o = object_of(id);
	*class = CLASS_PROPERTY;
	if (index != ANY_INDEX && property != P_LIST && property != P_PRIORITIES)
		return NO_ARRAY;
	if (is_device(q, id))
		return device_property(q, property, index);
	if (o)
		return point_property(q, o, property, index);
	*class = CLASS_OBJECT;
	return UNKNOWN_OBJECT;
}

static uint32_t id_of(const struct request *q, uint32_t id)
{
	return is_device(q, id) ? IS_DEVICE << 22 | q->b->instance : id;
}

static void say_error(struct request *q, unsigned class, unsigned code)
{
	q->out.at = q->out.start;
	write_u8(&q->out, 0x50);
	write_u8(&q->out, q->invoke);
	write_u8(&q->out, q->service);
	write_number(&q->out, 9, false, class);
	write_number(&q->out, 9, false, code);
}

static void say_reject(struct request *q, uint8_t reason)
{
	q->out.at = q->out.start;
	write_u8(&q->out, 0x60);
	write_u8(&q->out, q->invoke);
	write_u8(&q->out, reason);
}

static void ack_begin(struct request *q)
{
	write_u8(&q->out, 0x30);
	write_u8(&q->out, q->invoke);
	write_u8(&q->out, q->service);
}

static void simple_ack(struct request *q)
{
	write_u8(&q->out, 0x20);
	write_u8(&q->out, q->invoke);
	write_u8(&q->out, q->service);
}

static void read_property(struct request *q)
{
	uint32_t id, property, index = ANY_INDEX;
	unsigned class;
	if (!read_context(&q->in, 0, &id) || !read_context(&q->in, 1, &property)) {
		say_reject(q, 5); /* missing required parameter */
		return;
	}
	read_context(&q->in, 2, &index);
	plant_asked(q->s, "read property %u of %u,%u", property, id >> 22, id & ANY_INSTANCE);
	ack_begin(q);
	write_object(&q->out, 0, true, id_of(q, id) >> 22, id_of(q, id) & ANY_INSTANCE);
	write_number(&q->out, 1, true, property);
	if (index != ANY_INDEX)
		write_number(&q->out, 2, true, index);
	write_u8(&q->out, 0x3e);
	unsigned code = property_write(q, id, property, index, &class);
	write_u8(&q->out, 0x3f);
	if (code)
		say_error(q, class, code);
}

/* One property of an answer to many. */
static void result_write(struct request *q, uint32_t id, uint32_t property, uint32_t index)
{
	unsigned class;
	write_number(&q->out, 2, true, property);
	if (index != ANY_INDEX)
		write_number(&q->out, 3, true, index);
	struct writer start = q->out;
	write_u8(&q->out, 0x4e);
	unsigned code = property_write(q, id, property, index, &class);
	write_u8(&q->out, 0x4f);
	if (!code || q->out.bad)
		return;
	q->out = start;
	write_u8(&q->out, 0x5e);
	write_number(&q->out, 9, false, class);
	write_number(&q->out, 9, false, code);
	write_u8(&q->out, 0x5f);
}

static void results_write(struct request *q, uint32_t id, uint32_t property, uint32_t index)
{
	bool device = is_device(q, id);
	const uint16_t *all = device ? device_properties : point_properties;
	size_t count = device ? sizeof device_properties / sizeof *all
	                      : sizeof point_properties / sizeof *all;
	if (property != P_ALL && property != P_REQUIRED) {
		result_write(q, id, property, index);
		return;
	}
	for (size_t i = 0; i < count; i++)
		if (all[i] != P_UNITS || id >> 22 < IS_BI)
			result_write(q, id, all[i], ANY_INDEX);
}

static void read_multiple(struct request *q)
{
	ack_begin(q);
	while (reader_left(&q->in) && !q->out.bad) {
		uint32_t id, property;
		if (!read_context(&q->in, 0, &id) || read_u8(&q->in) != 0x1e) {
			say_reject(q, 4); /* invalid tag */
			return;
		}
		plant_asked(q->s, "read properties of %u,%u", id >> 22, id & ANY_INSTANCE);
		write_object(&q->out, 0, true, id_of(q, id) >> 22, id_of(q, id) & ANY_INSTANCE);
		write_u8(&q->out, 0x1e);
		while (read_context(&q->in, 0, &property)) {
			uint32_t index = ANY_INDEX;
			read_context(&q->in, 1, &index);
			results_write(q, id, property, index);
		}
		write_u8(&q->out, 0x1f);
		if (read_u8(&q->in) != 0x1f) {
			say_reject(q, 4);
			return;
		}
	}
}

/* An application value as a number: real, unsigned, enumerated, boolean or null. */
static bool number_read(struct reader *r, double *value)
{
	uint8_t first = read_u8(r), tag = first >> 4, length = first & 7;
	uint32_t raw = tag > 1 ? (uint32_t)read_be(r, length < 5 ? length : 0) : 0;
	float f;
	memcpy(&f, &raw, sizeof f);
	*value = tag == 4 ? (double)f : tag == 1 ? length : raw;
	return reader_ok(r) && (first & 8) == 0 && (tag == 4 || tag == 2 || tag == 9 || tag <= 1);
}

static void write_property(struct request *q)
{
	uint32_t id, property, index = ANY_INDEX, priority = 16;
	double value = 0;
	if (!read_context(&q->in, 0, &id) || !read_context(&q->in, 1, &property)) {
		say_reject(q, 5);
		return;
	}
	read_context(&q->in, 2, &index);
	bool opened = read_u8(&q->in) == 0x3e, is_null = reader_left(&q->in) && *q->in.at == 0;
	bool number = opened && number_read(&q->in, &value);
	if (number && read_u8(&q->in) == 0x3f)
		read_context(&q->in, 4, &priority);
	const struct object *o = object_of(id);
	plant_ordered(q->s, "write property %u of %u,%u priority %u: %s%g", property, id >> 22,
	              id & ANY_INSTANCE, priority, is_null ? "null " : "", value);
	if (!o && !is_device(q, id))
		say_error(q, CLASS_OBJECT, UNKNOWN_OBJECT);
	else if (!o || property != P_VALUE || o->type == IS_AI || o->type == IS_BI)
		say_error(q, CLASS_PROPERTY, WRITE_DENIED);
	else if (!number)
		say_error(q, CLASS_PROPERTY, WRONG_TYPE);
	else if (o->type >= IS_BI && value > 1)
		say_error(q, CLASS_PROPERTY, OUT_OF_RANGE);
	else {
		if (!is_null)
			plant_write(&q->b->plant, o->point, value, q->now_us);
		simple_ack(q);
	}
}

static void confirmed(struct request *q)
{
	switch (q->service) {
	case READ_PROPERTY:
		read_property(q);
		break;
	case READ_MULTIPLE:
		read_multiple(q);
		break;
	case WRITE_PROPERTY:
		write_property(q);
		break;
	case COMMUNICATION_CONTROL:
	case REINITIALIZE:
		plant_ordered(q->s, q->service == REINITIALIZE ? "reinitialize device"
		                                               : "communication control");
		say_error(q, 4, 26); /* security: password failure */
		break;
	default:
		plant_ordered(q->s, "confirmed service %u", q->service);
		say_reject(q, 9); /* unrecognized service */
	}
}

/* Who-Is, perhaps with a range of instances; what else is broadcast gets no answer. */
static void unconfirmed(struct request *q)
{
	const struct bacnet_device *d = session_device(q->s);
	uint32_t low = 0, high = ANY_INSTANCE;
	plant_asked(q->s, q->service == 8 ? "who is" : "unconfirmed service %u", q->service);
	if (q->service != 8)
		return;
	if (read_context(&q->in, 0, &low))
		read_context(&q->in, 1, &high);
	if (q->b->instance < low || q->b->instance > high)
		return;
	write_u16(&q->out, 0x1000);
	write_object(&q->out, 12, false, IS_DEVICE, q->b->instance);
	write_number(&q->out, 2, false, APDU_MAX);
	write_number(&q->out, 9, false, 3);
	write_number(&q->out, 2, false, (uint32_t)d->vendor_id);
}

static void apdu_run(struct request *q)
{
	uint8_t first = read_u8(&q->in);
	if (first >> 4 == 1) {
		q->service = read_u8(&q->in);
		if (reader_ok(&q->in))
			unconfirmed(q);
		return;
	}
	if (first >> 4 != 0)
		return;
	read_u8(&q->in);
	q->invoke = read_u8(&q->in);
	q->service = read_u8(&q->in);
	if (!reader_ok(&q->in))
		return;
	if (!(first & 8))
		confirmed(q);
	if (first & 8 || q->out.bad) { /* abort: segmentation not supported */
		q->out.at = q->out.start;
		q->out.bad = false;
		write_u8(&q->out, 0x71);
		write_u8(&q->out, q->invoke);
		write_u8(&q->out, 4);
	}
}

/* The network's header (clause 6.2): its source is who is answered. */
static bool npdu_read(struct reader *r, struct bytes *source)
{
	uint8_t version = read_u8(r), control = read_u8(r);
	if (control & 0x20) {
		read_u16(r);
		read_bytes(r, read_u8(r));
	}
	if (control & 0x08) {
		const uint8_t *from = r->at;
		read_u16(r);
		read_bytes(r, read_u8(r));
		if (reader_ok(r))
			*source = (struct bytes){from, (size_t)(r->at - from)};
	}
	if (control & 0x20)
		read_u8(r);
	return reader_ok(r) && version == 1 && !(control & 0x80) && source->len <= 24;
}

static enum service_next bacnet_open(struct session *s, void *state)
{
	struct bacnet *b = state;
	const struct bacnet_device *d = session_device(s);
	plant_start(&b->plant, session_device_seed(s));
	b->instance = (uint32_t)(d->instance ? d->instance
	                                     : 1000 + plant_number(b->plant.seed, 8, 398000));
	return SERVICE_CONTINUE;
}

static enum service_next bacnet_input(struct session *s, void *state, struct reader *in)
{
	uint8_t apdu[APDU_MAX], frame[APDU_MAX + 64];
	struct reader r = reader_of_bytes(read_rest(in));
	uint8_t kind = read_u8(&r), function = read_u8(&r);
	uint16_t length = read_u16(&r);
	struct bytes source = {0};
	size_t room = session_answer_max(s);
	if (kind != 0x81 || length < 4 || length - 4u > reader_left(&r))
		return SERVICE_CONTINUE;
	r.end = r.at + length - 4;
	if (function == 4) /* forwarded: who sent it first stands before */
		read_bytes(&r, 6);
	struct writer w = writer_of(frame, sizeof frame);
	if (function != 4 && function != 0x0a && function != 0x0b) {
		plant_asked(s, "virtual link function %u", function);
		write_u32(&w, 0x81000006);
		write_u16(&w, function == 5   ? 0x30
		              : function == 2 ? 0x20
		              : function == 6 ? 0x40
		                              : 0x50);
		session_say_bytes(s, writer_bytes(&w));
		return SERVICE_CONTINUE;
	}
	if (!npdu_read(&r, &source))
		return SERVICE_CONTINUE;
	room = room < APDU_MAX + 40 ? room - (room < 40 ? room : 40) : APDU_MAX;
	struct request q = {.s = s,
	                    .b = state,
	                    .in = r,
	                    .out = writer_of(apdu, room),
	                    .now_us = session_time_us(s)};
	apdu_run(&q);
	size_t said = writer_used(&q.out);
	if (said == 0)
		return SERVICE_CONTINUE;
	write_u16(&w, 0x810a);
	write_u16(&w, (uint16_t)(6 + (source.len ? source.len + 1 : 0) + said));
	write_u8(&w, 1);
	write_u8(&w, source.len ? 0x20 : 0);
	write_span(&w, source);
	if (source.len)
		write_u8(&w, 255);
	write_span(&w, writer_bytes(&q.out));
	session_say_bytes(s, writer_bytes(&w));
	return SERVICE_CONTINUE;
}

static bool bacnet_claims(struct bytes first)
{
	return first.len >= 6 && first.at[0] == 0x81 && first.at[1] <= 0x0b &&
	       (size_t)(first.at[2] << 8 | first.at[3]) == first.len;
}

static const struct exchange bacnet_exchanges[] = {
        {"its vendor, by any instance",
         BYTES("\x81\x0a\0\x11\1\4\0\5\1\x0c\x0c\2\x3f\xff\xff\x19\x78"),
         BYTES("\x81\x0a\0\x14\1\0\x30\1\x0c\x0c\2\1\xa2\xfb\x19\x78\x3e\x21\5\x3f"),
         PLANT_ASKED("read property 120 of 8,4194303")},
        {"the pump is stopped",
         BYTES("\x81\x0a\0\x17\1\4\0\5\2\x0f\x0c\1\0\0\0\x19\x55\x3e\x91\0\x3f\x49\x08"),
         BYTES("\x81\x0a\0\x09\1\0\x20\2\x0f"),
         PLANT_ORDERED("write property 85 of 4,0 priority 8: 0")},
        {"a measured value is not to be written",
         BYTES("\x81\x0a\0\x18\1\4\0\5\2\x0f\x0c\0\0\0\0\x19\x55\x3e\x44\0\0\0\0\x3f"),
         BYTES("\x81\x0a\0\x0d\1\0\x50\2\x0f\x91\2\x91\x28"), NULL},
        {"what is not there", BYTES("\x81\x0a\0\x11\1\4\0\5\1\x0c\x0c\0\0\0\x63\x19\x55"),
         BYTES("\x81\x0a\0\x0d\1\0\x50\1\x0c\x91\1\x91\x1f"), NULL},
        {"an unknown service", BYTES("\x81\x0a\0\x0a\1\4\0\5\1\x1e"),
         BYTES("\x81\x0a\0\x09\1\0\x60\1\x09"), NULL},
        {"what is no BACnet", BYTES("GET / HTTP/1.0\r\n\r\n"), BYTES(""), ""},
        {0},
};

#define TEXT(...) PLANT_TEXT(struct bacnet_device, __VA_ARGS__)

static const struct option bacnet_device[] = {
        TEXT("vendor", vendor, "Johnson Controls, Inc.", "name of the maker"),
        PLANT_NUMBER(struct bacnet_device, "vendor-id", vendor_id, "5", 0, 65535,
                     "the maker's number"),
        TEXT("model", model, "MS-NAE5510-2", "of the device"),
        TEXT("firmware", firmware, "6.5.0.1400", "its version"),
        TEXT("software", software, "6.5.0.1400", "version of the application"),
        TEXT("name", name, "NAE-%{serial6}", "of the device object"),
        TEXT("description", description, "Building supervisory controller", "of the device object"),
        TEXT("location", location, "Mechanical room", "where it is"),
        PLANT_NUMBER(struct bacnet_device, "instance", instance, "0", 0, 4194302,
                     "of the device object; 0: one that is the device's own"),
        {0},
};

static const struct service bacnet = {
        .name = "bacnet",
        .summary = "building controller on BACnet/IP: device, analog and binary objects",
        .reference = "ANSI/ASHRAE 135-2016, annex J",
        .transports = TRANSPORT_UDP,
        .ports = {47808},
        .state_size = sizeof(struct bacnet),
        .input_max = 2048,
        .output_max = 4096,
        .arena_max = 4096,
        .idle_ms_max = 60 * 1000,
        .session_ms_max = 3600 * 1000,
        .device = bacnet_device,
        .device_size = sizeof(struct bacnet_device),
        .open = bacnet_open,
        .input = bacnet_input,
        .claims = bacnet_claims,
        .exchanges = bacnet_exchanges,
};
SERVICE(bacnet);
