/*
 * The words of other sensors, for the files that fill them in.  Each file that includes this
 * declares them; event_start() makes one field of equal declarations.
 */
#pragma once
#include "event/field.h"

#define ALERT_FIELDS                                                                               \
	FIELD(field_alert_number, "alert.number", NUMBER, 0, "the signature's number (sid)");      \
	FIELD(field_alert_generator, "alert.generator", NUMBER, 0, "part of the sensor that numbers it (gid)"); \
	FIELD(field_alert_revision, "alert.revision", NUMBER, 0, "the signature's revision");      \
	FIELD(field_alert_signature, "alert.signature", BYTES, 0, "what the signature is called"); \
	FIELD(field_alert_category, "alert.category", BYTES, 0, "its category, or the sort of anomaly"); \
	FIELD(field_alert_severity, "alert.severity", NUMBER, 0, "as the sensor counts: 1 is the gravest"); \
	FIELD(field_alert_action, "alert.action", TEXT, 0, "what the sensor did: allowed, blocked, notice.log, ..."); \
	FIELD(field_alert_direction, "alert.direction", TEXT, 0, "of the packet: to_server, to_client"); \
	FIELD(field_alert_message, "alert.message", BYTES, 0, "what the sensor says about this one"); \
	FIELD(field_flow_community, "flow.community", TEXT, 0, "community id: the same flow at other sensors"); \
	FIELD(field_flow_uid, "flow.uid", TEXT, 0, "the flow's name at its sensor")

#define TRIAGE_FIELDS                                                                              \
	FIELD(field_alert_sensor, "alert.sensor", TEXT, 0, "the sensor by its name in the configuration"); \
	FIELD(field_alert_verdict, "alert.verdict", TEXT, 0, "own, benign, agreed, noisy or single"); \
	FIELD(field_alert_reason, "alert.reason", TEXT, 0, "why it was judged so")
