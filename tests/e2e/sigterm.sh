#!/bin/bash
# SIGTERM under load: it ends in time and in order, what was acknowledged is there once.
. "$(dirname "$0")/lib.sh"
ROUNDS=${ROUNDS:-4} SESSIONS=${SESSIONS:-30000}
gcc -O2 -D_GNU_SOURCE -o "$WORK/intrude" tests/e2e/intrude.c || fail "the attacker does not build"
loopback_config <<EOT
store: {linger: 20ms}
passive:
  decoys: [{prefix: 127.0.0.1, personas: [camera]}]
  services: {telnet: {ports: [$TELNET_PORT]}}
EOT

one() { timeout 60 "$KANSOKU" query --config "$CONFIG" --format tsv "$1" | tail -1; }

completed=0
for round in $(seq "$ROUNDS"); do
	start_kansoku --only journal,store,control,passive
	"$WORK/intrude" 127.0.0.1 "$TELNET_PORT" "$SESSIONS" 8 >"$WORK/load" &
	load=$!
	sleep 0.$((RANDOM % 5 + 3))
	kill -0 $load 2>/dev/null || fail "round $round: the load was over before SIGTERM"
	begin=$SECONDS
	stop_kansoku || fail "round $round: exit status $?"
	[ $((SECONDS - begin)) -le 15 ] || fail "round $round: it took $((SECONDS - begin)) s to end"
	wait $load
	completed=$((completed + $(jq .completed "$WORK/load")))
	grep -E 'signal (6|9|11)|ended with' "$LOG" && fail "round $round: a process did not end in order"
	[ -e "$STATE/run/ready" ] && fail "round $round: it still says that it is ready"
done
[ "$completed" -gt 0 ] || fail "no session was completed before SIGTERM"

# What the journal still held at the end is replayed now.
start_kansoku --only journal,store,control,passive
before=-1
for _ in $(seq 60); do
	now=$(one "SELECT count() FROM log" 2>/dev/null)
	[ -n "$now" ] && [ "$now" = "$before" ] && break
	before=${now:--1}
	sleep 0.5
done
rows=$(one "SELECT count() FROM log") ids=$(one "SELECT uniqExact(id) FROM log")
logins=$(one "SELECT count() FROM log WHERE kind = 'login.tried' AND login_accepted = 1")
opened=$(one "SELECT count() FROM log WHERE kind = 'session.opened'")
closed=$(one "SELECT count() FROM log WHERE kind = 'session.closed'")
echo "completed $completed; rows $rows, ids $ids; logins $logins, opened $opened, closed $closed"
[ "$rows" = "$ids" ] || fail "$rows rows of $ids events: something is doubled"
[ "$logins" -ge "$completed" ] || fail "completed $completed sessions, stored only $logins logins"
[ "$opened" = "$closed" ] || fail "$opened sessions opened, $closed closed"
stop_kansoku || fail "it did not end in order"
[ "$(one "SELECT count() FROM log WHERE kind != 'sensor.changed'")" = \
	"$(one "SELECT uniqExact(id) FROM log WHERE kind != 'sensor.changed'")" ] || fail "doubled at rest"
echo "sigterm: $ROUNDS ends under load, $completed completed sessions, none lost, none doubled"
