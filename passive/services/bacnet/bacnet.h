/*
 * Parts of the BACnet/IP device: tags on the wire (tags.c), objects and their properties
 * (objects.c).  passive/services/bacnet.c has the network's header and the services.
 */
#pragma once
#include "passive/device/plant/plant.h"

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

#define BACNET_OBJECTS 11
struct bacnet_object {
	uint8_t type;
	uint32_t instance;
	enum plant_point point;
	uint16_t units;
	const char *name, *description;
};
extern const struct bacnet_object bacnet_objects[BACNET_OBJECTS];

struct bacnet_request {
	struct session *s;
	struct bacnet *b;
	struct reader in;
	struct writer out;
	uint64_t now_us;
	uint8_t invoke, service;
};

/* Tags (ANSI/ASHRAE 135 clause 20.2): application ones, and context ones of one to four bytes. */
void bacnet_write_tag(struct writer *w, uint8_t tag, bool context, size_t length);
void bacnet_write_number(struct writer *w, uint8_t tag, bool context, uint32_t value);
void bacnet_write_string(struct writer *w, const char *text);
void bacnet_write_object(struct writer *w, uint8_t tag, bool context, uint32_t type,
                         uint32_t instance);
void bacnet_write_real(struct writer *w, double value);
void bacnet_write_bits(struct writer *w, const uint8_t *set, size_t set_count, size_t count);
bool bacnet_read_context(struct reader *r, uint8_t tag, uint32_t *value);

/* Objects by their identifiers, and what the device itself is called. */
const struct bacnet_object *bacnet_object_of(uint32_t id);
bool bacnet_is_device(const struct bacnet_request *q, uint32_t id);
/* What "all" of them means, of the device or of a point. */
const uint16_t *bacnet_properties(bool device, size_t *count);
/* The value of a property; class and code of an error otherwise. */
unsigned bacnet_property_write(struct bacnet_request *q, uint32_t id, uint32_t property, uint32_t index,
                               unsigned *class);
uint32_t bacnet_id_of(const struct bacnet_request *q, uint32_t id);
