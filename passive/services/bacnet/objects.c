/* What a controller of a building has, and what is read of it. */
#include "passive/services/bacnet/bacnet.h"
#include <time.h>

const struct bacnet_object bacnet_objects[BACNET_OBJECTS] = {
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

static void template_write(struct bacnet_request *q, const char *text)
{
	char room[NAME_MAX];
	session_expand(q->s, text ? text : "", room, sizeof room);
	bacnet_write_string(&q->out, room);
}

static void object_list(struct bacnet_request *q, uint32_t index)
{
	if (index == 0) {
		bacnet_write_number(&q->out, 2, false, BACNET_OBJECTS + 1);
		return;
	}
	for (uint32_t i = 0; i <= BACNET_OBJECTS; i++) {
		if (index != ANY_INDEX && index != i + 1)
			continue;
		if (i == 0)
			bacnet_write_object(&q->out, 12, false, IS_DEVICE, q->b->instance);
		else
			bacnet_write_object(&q->out, 12, false, bacnet_objects[i - 1].type,
			             bacnet_objects[i - 1].instance);
	}
}

static void clock_write(struct bacnet_request *q, bool date)
{
	time_t t = (time_t)(q->now_us / 1000000);
	struct tm at;
	gmtime_r(&t, &at);
	const uint8_t day[] = {(uint8_t)at.tm_year, (uint8_t)(at.tm_mon + 1), (uint8_t)at.tm_mday,
	                       (uint8_t)(at.tm_wday ? at.tm_wday : 7)};
	const uint8_t hour[] = {(uint8_t)at.tm_hour, (uint8_t)at.tm_min, (uint8_t)at.tm_sec,
	                        (uint8_t)(q->now_us / 10000 % 100)};
	bacnet_write_tag(&q->out, date ? 10 : 11, false, 4);
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
static bool plain_property(struct bacnet_request *q, uint32_t property)
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
			bacnet_write_number(&q->out, numbers[i].tag, false, numbers[i].number);
			return true;
		}
	return false;
}

/* 0, or the code of an error of the class "property". */
static unsigned device_property(struct bacnet_request *q, uint32_t property, uint32_t index)
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
		bacnet_write_object(&q->out, 12, false, IS_DEVICE, q->b->instance);
		return 0;
	case P_SERVICES:
		bacnet_write_bits(&q->out, services, sizeof services, 40);
		return 0;
	case P_OBJECT_TYPES:
		bacnet_write_bits(&q->out, types, sizeof types, 31);
		return 0;
	case P_LIST:
		object_list(q, index);
		return index != ANY_INDEX && index > BACNET_OBJECTS + 1 ? BAD_INDEX : 0;
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

static void value_write(struct bacnet_request *q, const struct bacnet_object *o)
{
	if (o->type >= IS_BI)
		bacnet_write_number(&q->out, 9, false, plant_is_on(&q->b->plant, o->point, q->now_us));
	else
		bacnet_write_real(&q->out, plant_read(&q->b->plant, o->point, q->now_us));
}

static unsigned point_property(struct bacnet_request *q, const struct bacnet_object *o, uint32_t property,
                               uint32_t index)
{
	struct writer *w = &q->out;
	bool commanded = o->type != IS_AI && o->type != IS_BI;
	switch (property) {
	case P_IDENTIFIER:
		bacnet_write_object(w, 12, false, o->type, o->instance);
		return 0;
	case P_NAME:
		bacnet_write_string(w, o->name);
		return 0;
	case P_DESCRIPTION:
		bacnet_write_string(w, o->description);
		return 0;
	case P_TYPE:
		bacnet_write_number(w, 9, false, o->type);
		return 0;
	case P_VALUE:
	case P_RELINQUISH:
		if (property == P_RELINQUISH && !commanded)
			return UNKNOWN_PROPERTY;
		value_write(q, o);
		return 0;
	case P_FLAGS:
		bacnet_write_bits(w, NULL, 0, 4);
		return 0;
	case P_EVENT_STATE:
		bacnet_write_number(w, 9, false, 0);
		return 0;
	case P_OUT_OF_SERVICE:
		write_u8(w, 0x10);
		return 0;
	case P_UNITS:
		if (o->type >= IS_BI)
			return UNKNOWN_PROPERTY;
		bacnet_write_number(w, 9, false, o->units);
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

const struct bacnet_object *bacnet_object_of(uint32_t id)
{
	for (size_t i = 0; i < BACNET_OBJECTS; i++)
		if (bacnet_objects[i].type == id >> 22 && bacnet_objects[i].instance == (id & ANY_INSTANCE))
			return &bacnet_objects[i];
	return NULL;
}

bool bacnet_is_device(const struct bacnet_request *q, uint32_t id)
{
	return id >> 22 == IS_DEVICE &&
	       ((id & ANY_INSTANCE) == q->b->instance || (id & ANY_INSTANCE) == ANY_INSTANCE);
}

/* The value of a property; class and code of an error otherwise. */
unsigned bacnet_property_write(struct bacnet_request *q, uint32_t id, uint32_t property, uint32_t index,
                               unsigned *class)
{
	const struct bacnet_object *o = bacnet_object_of(id);
	*class = CLASS_PROPERTY;
	if (index != ANY_INDEX && property != P_LIST && property != P_PRIORITIES)
		return NO_ARRAY;
	if (bacnet_is_device(q, id))
		return device_property(q, property, index);
	if (o)
		return point_property(q, o, property, index);
	*class = CLASS_OBJECT;
	return UNKNOWN_OBJECT;
}

uint32_t bacnet_id_of(const struct bacnet_request *q, uint32_t id)
{
	return bacnet_is_device(q, id) ? IS_DEVICE << 22 | q->b->instance : id;
}

const uint16_t *bacnet_properties(bool device, size_t *count)
{
	*count = device ? sizeof device_properties / sizeof *device_properties : sizeof point_properties / sizeof *point_properties;
	return device ? device_properties : point_properties;
}
