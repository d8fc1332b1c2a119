/* What a rule hands to another process: samples to the lab, records to the exchange, news to the operator. */
#include "control/room_inner.h"

void control_hand_over(struct control *c, const struct event *e)
{
	static const enum action actions[] = {ACTION_ANALYSE, ACTION_IMPORT, ACTION_NOTIFY};
	for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
		const struct rule *rule = rules_pick(&c->rules, actions[i], e, NULL);
		if (rule)
			errands_add(&c->errands, actions[i], rule, e); /* what is lost is counted there */
	}
}
