/* Whom the rules steer, by which knowledge, and what that changes against chance. */
#include "store/report.h"

#define IN_RANGE "time >= {from} AND time < {to}"
#define VALUE(name) "value[indexOf(field, '" name "')]"
#define LATEST(name) "argMax(" VALUE(name) ", id)"
#define DRAWN "kind = 'decision.made' AND has(field, 'steer.arm') AND " IN_RANGE

static const struct report steering = {
	.name = "steering",
	.summary = "who is steered by which rule, campaigns, and what steering changes, with intervals",
	.parts = {
		{"effects", "SELECT outcome, against, " LATEST("effect.mean") " AS steered, " LATEST("effect.mean.against")
			    " AS other, " LATEST("effect.difference") " AS difference, " LATEST("effect.low") " AS low, "
			    LATEST("effect.high") " AS high, toUInt64OrZero(" LATEST("effect.units") ") AS units, "
			    "toUInt64OrZero(" LATEST("effect.units.against") ") AS other_units, argMax(reason, id) AS state, "
			    LATEST("effect.method") " AS method, max(time) AS measured FROM (SELECT *, "
			    VALUE("effect.outcome") " AS outcome, " VALUE("effect.against") " AS against FROM events WHERE "
			    "kind = 'effect.measured' AND " VALUE("effect.of") " = 'steering' AND " IN_RANGE
			    ") GROUP BY outcome, against ORDER BY against, outcome"},
		{"arms", "SELECT arm, uniqExact(unit) AS units, count() AS sources FROM (SELECT src, argMin("
			 VALUE("steer.arm") ", id) AS arm, argMin(" VALUE("steer.unit") ", id) AS unit FROM events WHERE " DRAWN
			 " GROUP BY src) GROUP BY arm ORDER BY arm"},
		{"rules", "SELECT rule, " VALUE("steer.arm") " AS arm, persona, uniqExact(src) AS sources FROM events WHERE "
			  DRAWN " GROUP BY rule, arm, persona ORDER BY sources DESC, rule, arm, persona LIMIT 200"},
		{"visits", "SELECT rule, persona, " VALUE("steer.arm") " AS arm, count() AS visits, uniqExact(src) AS sources "
			   "FROM events WHERE kind = 'host.steered' AND has(field, 'steer.arm') AND " IN_RANGE
			   " GROUP BY rule, persona, arm ORDER BY visits DESC, rule, persona LIMIT 200"},
		{"campaigns", "SELECT " VALUE("campaign") " AS campaign, uniqExact(src) AS sources, "
			      "arrayStringConcat(arraySort(groupUniqArray(reason)), ' ') AS shared, min(time) AS first, "
			      "max(time) AS last FROM events WHERE kind = 'campaign.found' AND " IN_RANGE
			      " GROUP BY campaign ORDER BY sources DESC, campaign LIMIT 100"},
		{"coverage", "SELECT service, state, count() AS times, min(time) AS first, max(time) AS last "
			     "FROM events WHERE kind = 'sensor.changed' AND " IN_RANGE
			     " GROUP BY service, state ORDER BY service, state"},
		{"configurations", "SELECT " VALUE("config.version") " AS version, count() AS times, "
				   "min(time) AS first FROM events WHERE kind = 'sensor.changed' AND "
				   "state = 'configuration' AND " IN_RANGE " GROUP BY version ORDER BY first"},
	},
};
REPORT(steering);
