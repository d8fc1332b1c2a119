/* What sensors for intrusions say, in the words of the telescope's own sensors.  Each file that includes this declares them. */
#pragma once
#include "event/field.h"

FIELD(alert_number, "alert.number", NUMBER, 0, "the signature's number (sid)");
FIELD(alert_signature, "alert.signature", BYTES, 0, "what the signature is called");
FIELD(alert_category, "alert.category", BYTES, 0, "its category, or the sort of anomaly");
FIELD(alert_severity, "alert.severity", NUMBER, 0, "as the sensor counts: 1 is the gravest");
FIELD(alert_message, "alert.message", BYTES, 0, "what the sensor says about this one");
FIELD(flow_community, "flow.community", TEXT, 0, "community id: the same flow at other sensors");
FIELD(flow_uid, "flow.uid", TEXT, 0, "the flow's name at its sensor");
