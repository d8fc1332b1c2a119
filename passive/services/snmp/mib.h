/*
 * What an agent tells: the system group, its interfaces and a little of IP (RFC 1213).
 *
 * Objects stand in the order of their names.  Their values are written when they are asked
 * for; what differs between two devices (addresses, counters, uptime) follows from the
 * session's local address and its clock.
 */
#pragma once
#include "passive/service.h"
#include "passive/services/snmp/ber.h"

#define OID_PARTS_MAX 128 /* RFC 3416 2 */
#define MIB_INTERFACES_MAX 32

struct oid {
	uint32_t part[OID_PARTS_MAX];
	size_t count;
};

struct snmp_device { /* option table: services/snmp.c */
	const char *communities, *description, *object_id, *contact, *name, *location;
	uint64_t services, interfaces;
	const char *interface_name;
};

bool oid_read(struct bytes content, struct oid *);
bool oid_parse(const char *dotted, struct oid *);
void oid_write(struct ber_writer *, const struct oid *);
/* "1.3.6.1.2.1.1.1.0", cut where it does not fit. */
void oid_format(const struct oid *, char *out, size_t size);

size_t mib_count(const struct snmp_device *);
/* The object of that name, or mib_count(). */
size_t mib_find(const struct snmp_device *, const struct oid *);
/* The first object after that name, or mib_count(). */
size_t mib_next(const struct snmp_device *, const struct oid *);
void mib_name(const struct snmp_device *, size_t object, struct oid *);
void mib_value(struct session *, const struct snmp_device *, size_t object, struct ber_writer *);
