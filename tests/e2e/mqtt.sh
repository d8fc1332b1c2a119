#!/bin/bash
# The MQTT decoy beside Mosquitto: the same bytes to both, and Mosquitto's own clients.
. "$(dirname "$0")/lib.sh"
for client in mosquitto mosquitto_sub mosquitto_pub python3; do
	[ -n "$(PATH=$PATH:/usr/sbin command -v $client)" ] || skip "$client is missing"
done
PORT=$BASE_PORT REAL=$((BASE_PORT + 3))
loopback_config <<EOT
passive:
  services: {mqtt: {ports: [$PORT]}}
EOT
start_kansoku
printf 'listener %d 127.0.0.1\nallow_anonymous true\n' $REAL >"$WORK/mosquitto.conf"
PATH=$PATH:/usr/sbin mosquitto -c "$WORK/mosquitto.conf" >"$WORK/mosquitto.log" 2>&1 &
broker=$!
trap 'kill $broker 2>/dev/null; cleanup' EXIT
for _ in $(seq 50); do
	(exec 3<>/dev/tcp/127.0.0.1/$REAL) 2>/dev/null && break
	sleep 0.1
done
python3 tests/e2e/mqtt.py $PORT $REAL >"$WORK/compared" || fail "the decoy answers otherwise: $(cat "$WORK/compared")"

for version in 311 5; do
	mosquitto_sub -V $version -h 127.0.0.1 -p $PORT -t '#' -W 1 -v >"$WORK/seen" 2>/dev/null
	grep -q '^home/door/state closed$' "$WORK/seen" || fail "version $version: no retained message"
	grep -q SYS "$WORK/seen" && fail "version $version: # shows the broker's own topics"
	mosquitto_sub -V $version -h 127.0.0.1 -p $PORT -t '$SYS/broker/version' -C 1 -W 5 | grep -q '^mosquitto version 2.0.11$' ||
		fail "version $version: the broker does not say what it is"
	mosquitto_pub -V $version -h 127.0.0.1 -p $PORT -q 2 -t cmd/relay1 -m ON -u root -P secret$version || fail "version $version: publishing fails"
done
settled() { # QUERY, WANTED
	for _ in $(seq 50); do
		[ "$(query "$1" 2>/dev/null)" = "$2" ] && return
		sleep 0.2
	done
	fail "$1 is $(query "$1"), $2 was expected"
}
settled "SELECT count() FROM events WHERE service = 'mqtt' AND kind = 'login.tried'" 3
settled "SELECT count() FROM events WHERE service = 'mqtt' AND value[indexOf(field, 'request.method')] = 'PUBLISH' AND value[indexOf(field, 'request.target')] = 'cmd/relay1'" 2
