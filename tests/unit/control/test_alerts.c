/* An alert of another sensor proves nothing of its source, and neither does a verdict. */
#include "tests/unit/control/case.h"

TEST(alerts_are_no_basis_of_a_look)
{
	static struct event e;
	CHECK(event_start(NULL) == 0);
	static const enum event_kind kinds[] = {EVENT_ALERT_RAISED, EVENT_FLOW_COUNTED, EVENT_SENSOR_CHANGED,
						 EVENT_SOURCE_JUDGED};
	static const char *const roles[] = {"sensors", "passive", "telescope", "lab", "journal", "analysis"};
	struct address a = address_of("203.0.113.9");
	for (size_t k = 0; k < 4; k++)
		for (size_t r = 0; r < 6; r++) {
			event_begin(&e, kinds[k]);
			event_set_address(&e, FIELD_SRC, &a);
			event_set_text(&e, FIELD_PROTO, "tcp");
			event_set_text(&e, FIELD_STATE, "answered");
			event_set_text(&e, FIELD_FILE_SHA256, "00");
			event_set_id(&e, FIELD_SESSION, &(struct event_id){{1}});
			CHECK(evidence_of(&e, roles[r]).basis == BASIS_NONE);
		}
	/* Nor does the role that follows their logs speak for decoys. */
	event_begin(&e, EVENT_LOGIN_TRIED);
	event_set_address(&e, FIELD_SRC, &a);
	event_set_text(&e, FIELD_PROTO, "tcp");
	event_set_id(&e, FIELD_SESSION, &(struct event_id){{1}});
	CHECK(evidence_of(&e, "sensors").basis == BASIS_NONE && evidence_of(&e, "passive").basis == BASIS_HANDSHAKE);
}
