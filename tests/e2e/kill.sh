#!/bin/bash
# kill -9 at random under load: what was acknowledged is there once, what was cut is closed.
#
# First every role but the decoys is killed: each session that the attacker saw completed must be
# in the store exactly once.  Then the decoys are killed too: nothing may be doubled, and each
# session that was opened must be closed, by its end or as crashed.
. "$(dirname "$0")/lib.sh"
KILLS=${KILLS:-12} SESSIONS=${SESSIONS:-2000}
mkdir -p build/bench
gcc -O2 -D_GNU_SOURCE -o build/bench/intrude tests/e2e/intrude.c || fail "the attacker does not build"
loopback_config <<EOT
operator: {name: Test, contact: test@example.org}
passive:
  decoys: [{prefix: 127.0.0.1, personas: [camera]}]
  services: {telnet: {ports: [$TELNET_PORT]}, http: {ports: [$HTTP_PORT]}}
EOT
start_kansoku

completed=0 failed=0
under_load() { # kills, roles...
	local kills=$1 killed=0 load role pid
	shift
	while [ $killed -lt "$kills" ]; do
		build/bench/intrude 127.0.0.1 "$TELNET_PORT" "$SESSIONS" 8 >"$WORK/load" &
		load=$!
		while kill -0 $load 2>/dev/null; do
			role=$(shuf -n1 -e "$@")
			pid=$(role_pid "$role")
			[ $killed -lt "$kills" ] && [ -n "$pid" ] && kill -9 "$pid" && killed=$((killed + 1))
			sleep 0.$((RANDOM % 4 + 1))
		done
		wait $load
		completed=$((completed + $(jq .completed "$WORK/load")))
		failed=$((failed + $(jq .failed "$WORK/load")))
	done
	echo "killed $killed times under load; the attacker completed $completed, failed $failed in all"
}

# Until nothing waits in the journal and the count stands still.
settle() {
	local before=-1 now waiting
	for _ in $(seq 120); do
		sleep 1
		waiting=$(curl -s -m 5 "http://127.0.0.1:$WEB_PORT/api/v1/journal" | jq .waiting_bytes)
		now=$(query "SELECT count() FROM log" 2>/dev/null | tail -1)
		[ "$waiting" = 0 ] && [ -n "$now" ] && [ "$now" = "$before" ] && return
		before=${now:--1}
	done
	fail "the store did not settle: $waiting bytes wait"
}

one() { query "$1" | tail -1; }

under_load "$KILLS" journal store control web
settle
logins=$(one "SELECT count() FROM log WHERE kind = 'login.tried' AND login_accepted = 1")
closed=$(one "SELECT count() FROM log WHERE kind = 'session.closed'")
echo "completed $completed, failed $failed; stored logins $logins, closed $closed"
# While the journal stays away, decoys refuse new sessions, and count them.
refused=$(one "SELECT sum(toUInt64OrZero(value[indexOf(field, 'count')])) FROM log WHERE kind = 'sensor.changed' AND state = 'refusing'")
[ "$failed" = 0 ] || [ "$refused" -ge "$failed" ] ||
	fail "$failed sessions of the attacker failed, $refused were refused, and no decoy was killed"
[ "$logins" = "$completed" ] || fail "completed $completed sessions, stored $logins logins"
[ "$closed" = "$completed" ] || fail "completed $completed sessions, stored $closed ends"

under_load "$KILLS" passive journal store control
settle
rows=$(one "SELECT count() FROM log") ids=$(one "SELECT uniqExact(id) FROM log")
opened=$(one "SELECT count() FROM log WHERE kind = 'session.opened'")
closed=$(one "SELECT count() FROM log WHERE kind = 'session.closed'")
crashes=$(one "SELECT count() FROM log WHERE kind = 'sensor.changed' AND state = 'crash'")
twice=$(one "SELECT count() FROM (SELECT session FROM log WHERE kind = 'session.closed' GROUP BY session HAVING count() > 1)")
echo "rows $rows, ids $ids; opened $opened, closed $closed, closed twice $twice; crashes $crashes"
[ "$rows" = "$ids" ] || fail "$rows rows of $ids events: something is doubled"
[ "$twice" = 0 ] || fail "$twice sessions were closed twice"
[ "$opened" = "$closed" ] || fail "$opened sessions opened, $closed closed"
[ "$crashes" -ge $((2 * KILLS)) ] || fail "only $crashes crashes are events"
stop_kansoku || fail "it did not stop in order"
