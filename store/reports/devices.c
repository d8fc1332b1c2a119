/*
 * Which devices attacked: the table of the 2015 trial, with everything it is a share of.
 *
 * A host counts under what its latest identification says; models are distinct pairs of
 * vendor and product.  The denominators are distinct source addresses, counted in the raw table,
 * where an address is 16 bytes and need not be written out.
 */
#include "store/report.h"

#define IN_RANGE "time >= {from} AND time < {to}"
#define LATEST                                                                                    \
	"SELECT ip(src) AS host, argMax(device_class, id) AS class, argMax(device_vendor, id) AS vendor, "     \
	"argMax(device_product, id) AS product, argMax(rule, id) AS rule, max(time) AS seen "      \
	"FROM events WHERE kind = 'host.identified' AND " IN_RANGE " GROUP BY src"
#define ONE(name, condition)                                                                      \
	{name, "SELECT uniqExact(src) AS hosts FROM events WHERE " condition " AND " IN_RANGE}

static const struct report devices = {
	.name = "devices",
	.summary = "which devices attacked: class, models, hosts, and what they are a share of",
	.parts = {
		{"classes", "SELECT class, uniqExact(vendor, product) AS models, count() AS hosts FROM (" LATEST
			    ") WHERE class != '' GROUP BY class ORDER BY hosts DESC, class"},
		ONE("sources", "kind = 'session.opened'"),
		ONE("intruders", "kind = 'login.tried' AND login_accepted = 1"),
		ONE("probed", "kind = 'probe.sent'"),
		ONE("answered", "kind = 'host.answered' AND state = 'open'"),
		ONE("identified", "kind = 'host.identified' AND device_class != ''"),
		ONE("held_out", "kind = 'decision.made' AND decision = 'held-out'"),
		{"refused", "SELECT reason, uniqExact(src) AS hosts FROM events WHERE kind = 'decision.made' AND "
			    "decision = 'refused' AND " IN_RANGE " GROUP BY reason ORDER BY hosts DESC, reason"},
		{"coverage", "SELECT service, state, count() AS times, min(time) AS first, max(time) AS last "
			     "FROM events WHERE kind = 'sensor.changed' AND " IN_RANGE
			     " GROUP BY service, state ORDER BY service, state"},
		{"configurations", "SELECT value[indexOf(field, 'config.version')] AS version, count() AS times, "
				   "min(time) AS first FROM events WHERE kind = 'sensor.changed' AND "
				   "state = 'configuration' AND " IN_RANGE " GROUP BY version ORDER BY first"},
	},
};
REPORT(devices);

static const struct report device_hosts = {
	.name = "device-hosts",
	.summary = "the identified hosts one by one: address, class, vendor, product, rule",
	.parts = {
		{"hosts", "SELECT host AS src, class, vendor, product, rule, seen FROM (" LATEST ") WHERE class != '' "
			  "ORDER BY src"},
	},
};
REPORT(device_hosts);
