/*
 * Building controller on BACnet/IP: a device object and the points of its plant.
 *
 * Questions are small and sources can be forged, so an answer is at most what the guard of
 * the room allows; a longer one is an abort "segmentation not supported", as a small device
 * says it.  Properties are a table: whoever asks for one, for many or for all is answered
 * from there.  Writes to outputs and values take effect.
 */
#include "base/options.h"
#include "passive/services/bacnet/bacnet.h"

static void say_error(struct bacnet_request *q, unsigned class, unsigned code)
{
	q->out.at = q->out.start;
	write_u8(&q->out, 0x50);
	write_u8(&q->out, q->invoke);
	write_u8(&q->out, q->service);
	bacnet_write_number(&q->out, 9, false, class);
	bacnet_write_number(&q->out, 9, false, code);
}

static void say_reject(struct bacnet_request *q, uint8_t reason)
{
	q->out.at = q->out.start;
	write_u8(&q->out, 0x60);
	write_u8(&q->out, q->invoke);
	write_u8(&q->out, reason);
}

static void ack_begin(struct bacnet_request *q)
{
	write_u8(&q->out, 0x30);
	write_u8(&q->out, q->invoke);
	write_u8(&q->out, q->service);
}

static void simple_ack(struct bacnet_request *q)
{
	write_u8(&q->out, 0x20);
	write_u8(&q->out, q->invoke);
	write_u8(&q->out, q->service);
}

static void read_property(struct bacnet_request *q)
{
	uint32_t id, property, index = ANY_INDEX;
	unsigned class;
	if (!bacnet_read_context(&q->in, 0, &id) || !bacnet_read_context(&q->in, 1, &property)) {
		say_reject(q, 5); /* missing required parameter */
		return;
	}
	bacnet_read_context(&q->in, 2, &index);
	plant_asked(q->s, "read property %u of %u,%u", property, id >> 22, id & ANY_INSTANCE);
	ack_begin(q);
	bacnet_write_object(&q->out, 0, true, bacnet_id_of(q, id) >> 22, bacnet_id_of(q, id) & ANY_INSTANCE);
	bacnet_write_number(&q->out, 1, true, property);
	if (index != ANY_INDEX)
		bacnet_write_number(&q->out, 2, true, index);
	write_u8(&q->out, 0x3e);
	unsigned code = bacnet_property_write(q, id, property, index, &class);
	write_u8(&q->out, 0x3f);
	if (code)
		say_error(q, class, code);
}

/* One property of an answer to many. */
static void result_write(struct bacnet_request *q, uint32_t id, uint32_t property, uint32_t index)
{
	unsigned class;
	bacnet_write_number(&q->out, 2, true, property);
	if (index != ANY_INDEX)
		bacnet_write_number(&q->out, 3, true, index);
	struct writer start = q->out;
	write_u8(&q->out, 0x4e);
	unsigned code = bacnet_property_write(q, id, property, index, &class);
	write_u8(&q->out, 0x4f);
	if (!code || q->out.bad)
		return;
	q->out = start;
	write_u8(&q->out, 0x5e);
	bacnet_write_number(&q->out, 9, false, class);
	bacnet_write_number(&q->out, 9, false, code);
	write_u8(&q->out, 0x5f);
}

static void results_write(struct bacnet_request *q, uint32_t id, uint32_t property, uint32_t index)
{
	size_t count;
	const uint16_t *all = bacnet_properties(bacnet_is_device(q, id), &count);
	if (property != P_ALL && property != P_REQUIRED) {
		result_write(q, id, property, index);
		return;
	}
	for (size_t i = 0; i < count; i++)
		if (all[i] != P_UNITS || id >> 22 < IS_BI)
			result_write(q, id, all[i], ANY_INDEX);
}

static void read_multiple(struct bacnet_request *q)
{
	ack_begin(q);
	while (reader_left(&q->in) && !q->out.bad) {
		uint32_t id, property;
		if (!bacnet_read_context(&q->in, 0, &id) || read_u8(&q->in) != 0x1e) {
			say_reject(q, 4); /* invalid tag */
			return;
		}
		plant_asked(q->s, "read properties of %u,%u", id >> 22, id & ANY_INSTANCE);
		bacnet_write_object(&q->out, 0, true, bacnet_id_of(q, id) >> 22, bacnet_id_of(q, id) & ANY_INSTANCE);
		write_u8(&q->out, 0x1e);
		while (bacnet_read_context(&q->in, 0, &property)) {
			uint32_t index = ANY_INDEX;
			bacnet_read_context(&q->in, 1, &index);
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

static void write_property(struct bacnet_request *q)
{
	uint32_t id, property, index = ANY_INDEX, priority = 16;
	double value = 0;
	if (!bacnet_read_context(&q->in, 0, &id) || !bacnet_read_context(&q->in, 1, &property)) {
		say_reject(q, 5);
		return;
	}
	bacnet_read_context(&q->in, 2, &index);
	bool opened = read_u8(&q->in) == 0x3e, is_null = reader_left(&q->in) && *q->in.at == 0;
	bool number = opened && number_read(&q->in, &value);
	if (number && read_u8(&q->in) == 0x3f)
		bacnet_read_context(&q->in, 4, &priority);
	const struct bacnet_object *o = bacnet_object_of(id);
	plant_ordered(q->s, "write property %u of %u,%u priority %u: %s%g", property, id >> 22,
	              id & ANY_INSTANCE, priority, is_null ? "null " : "", value);
	if (!o && !bacnet_is_device(q, id))
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

static void confirmed(struct bacnet_request *q)
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
static void unconfirmed(struct bacnet_request *q)
{
	const struct bacnet_device *d = session_device(q->s);
	uint32_t low = 0, high = ANY_INSTANCE;
	plant_asked(q->s, q->service == 8 ? "who is" : "unconfirmed service %u", q->service);
	if (q->service != 8)
		return;
	if (bacnet_read_context(&q->in, 0, &low))
		bacnet_read_context(&q->in, 1, &high);
	if (q->b->instance < low || q->b->instance > high)
		return;
	write_u16(&q->out, 0x1000);
	bacnet_write_object(&q->out, 12, false, IS_DEVICE, q->b->instance);
	bacnet_write_number(&q->out, 2, false, APDU_MAX);
	bacnet_write_number(&q->out, 9, false, 3);
	bacnet_write_number(&q->out, 2, false, (uint32_t)d->vendor_id);
}

static void apdu_run(struct bacnet_request *q)
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
	struct bacnet_request q = {.s = s,
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
        .claims_datagram = bacnet_claims,
        .exchanges = bacnet_exchanges,
};
SERVICE(bacnet);
