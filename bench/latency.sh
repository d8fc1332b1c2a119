#!/bin/bash
# How long from an attack to the decision, and to the first packet of the look.
#
#    bench/latency.sh [ATTACKS] [RATE]       default: 20000 attacks at 1000 a second
#
# Delay zero, everything on loopback; times are the differences of the events' own times, from the
# accepted login's last byte on.
. "$(dirname "$0")/../tests/e2e/lib.sh"
ATTACKS=${1:-20000} RATE=${2:-1000}
mkdir -p build/bench
gcc -O2 -D_GNU_SOURCE -o build/bench/intrude tests/e2e/intrude.c || fail "the attacker does not build"
loopback_config <<EOT
operator: {name: Bench, contact: bench@example.org}
passive:
  decoys: [{prefix: 127.0.0.1, personas: [camera]}]
  services: {telnet: {ports: [$TELNET_PORT]}, http: {ports: [$HTTP_PORT]}}
  limits: {network_rate: 0, network_sessions: 0}
active:
  scope: [{prefix: 127.64.0.0/10, special: allow}]
  hold_out: 0
  rate: 0
  network_looks: 0
  looks_per_sensor: 0
  looks_at_once: 20000
prober: {pause: 0s, concurrency: 20000}
rules:
  - {on: login.tried, when: {login.accepted: true}, do: probe, ports: [23, 80], delay: {min: 0s, max: 0s}}
EOT
start_kansoku
build/bench/intrude 127.0.0.1 "$TELNET_PORT" "$ATTACKS" 64 "$RATE" | tee "$WORK/load"
for _ in $(seq 60); do
	sleep 1
	[ "$(curl -s -m 5 "http://127.0.0.1:$WEB_PORT/api/v1/journal" | jq .waiting_bytes)" = 0 ] && break
done
micros="toInt64(toUnixTimestamp(time)) * 1000000 + time_us"
from_login() { # kind, how its row names the login's chain
	query "SELECT count(), arrayMap(x -> round(x / 1000, 2), quantilesExact(0.5, 0.9, 0.99, 1)(b.at - a.at))
		FROM (SELECT id, $micros AS at FROM log WHERE kind = 'login.tried' AND login_accepted = 1) AS a
		ALL INNER JOIN ($2) AS b ON a.id = b.login"
}
echo "milliseconds from the accepted login: count, [p50, p90, p99, max]"
echo "decision     $(from_login decision.made "SELECT cause AS login, $micros AS at FROM log WHERE kind = 'decision.made' AND decision = 'allowed'")"
echo "first packet $(from_login probe.sent "SELECT d.cause AS login, min(p.at) AS at
	FROM (SELECT cause, $micros AS at FROM log WHERE kind = 'probe.sent') AS p
	ALL INNER JOIN (SELECT id, cause FROM log WHERE kind = 'decision.made') AS d ON p.cause = d.id GROUP BY login")"
