#!/bin/bash
# What a newcomer does: the configuration of ./run, `kansoku demo`, and the reports.  The loop
# closes within a minute, without rights, on ports of this test alone.
. "$(dirname "$0")/lib.sh"
command -v jq >/dev/null || skip "jq is missing"
LOOK_TELNET=$((BASE_PORT + 3)) LOOK_WEB=$((BASE_PORT + 4))
sed -e "s#state: var#state: $STATE#; s/ports: \[2323\]/ports: [$TELNET_PORT]/; s/ports: \[8080\]/ports: [$HTTP_PORT]/" \
	-e '/^    [a-z0-9]*: {ports: \[[0-9]*\]}$/{/telnet\|http/!d}' \
	-e "s/port_map: .*/port_map: {23: $LOOK_TELNET, 80: $LOOK_WEB}/" etc/loopback.yaml >"$CONFIG"
echo "web: {port: $WEB_PORT}" >>"$CONFIG"
start_kansoku
U=http://127.0.0.1:$WEB_PORT/api/v1


timeout 70 "$KANSOKU" demo --config "$CONFIG" --decoy 127.20.1.1:$TELNET_PORT --telnet-port $LOOK_TELNET \
	--web-port $LOOK_WEB --seconds 60 --json >"$WORK/story" || fail "the demo: $(tail -3 "$WORK/story")"
tail -1 "$WORK/story" | jq -e '.attacked == 12 and .looked == 12 and .identified == 12 and .returned == 12' >/dev/null ||
	fail "the loop did not close for each device: $(tail -1 "$WORK/story")"

settled() { # SQL, value: within 20 s
	local got
	for _ in $(seq 100); do
		got=$(query "$1" | tail -1)
		[ "$got" = "$2" ] && return
		sleep 0.2
	done
	fail "$1: $got, expected $2"
}
# Each class meets its persona when it comes again; nothing fits the NAS.
met() { # personas as SQL sees them, devices
	settled "SELECT arrayStringConcat(arraySort(groupUniqArray(persona)), ',') FROM log WHERE kind = 'host.steered' AND src IN ($2)" "$1"
}
settled "SELECT uniqExact(src) FROM log WHERE kind = 'host.steered'" 11
met dvr "'127.20.0.1', '127.20.0.2', '127.20.0.11'"
met camera "'127.20.0.4', '127.20.0.5'"
met router "'127.20.0.6', '127.20.0.7', '127.20.0.8', '127.20.0.9', '127.20.0.10'"
settled "SELECT count() FROM log WHERE kind = 'login.tried' AND session IN
	(SELECT session FROM log WHERE kind = 'host.steered') AND persona = ''" 0

# Every look, answer and identity goes back to an intrusion by the same address, and each steered
# visit to what was found out.
for kind in probe.sent host.answered host.identified; do
	orphans=$(query "SELECT count() FROM log AS a LEFT ANY JOIN (SELECT id, src, kind FROM log) AS r ON a.root = r.id
		WHERE a.kind = '$kind' AND (r.kind != 'session.opened' OR r.src != a.src)" | tail -1)
	[ "$orphans" = 0 ] || fail "$orphans of $kind do not go back to a session of the same address"
done
strange=$(query "SELECT count() FROM log AS s LEFT ANY JOIN (SELECT id, src, kind FROM log) AS i ON s.cause = i.id
	WHERE s.kind = 'host.steered' AND (i.kind != 'host.identified' OR i.src != s.src)" | tail -1)
[ "$strange" = 0 ] || fail "$strange steered visits are not caused by what was found out about their source"
none=$(query "SELECT count() FROM log WHERE kind IN ('probe.sent', 'host.answered', 'host.identified', 'host.steered')
	AND cause NOT IN (SELECT id FROM log)" | tail -1)
[ "$none" = 0 ] || fail "$none events have a cause that is not stored"

"$KANSOKU" report devices --config "$CONFIG" >"$WORK/devices" || fail "no report of devices"
grep -qE '^identified +12$' "$WORK/devices" || fail "the report of devices: $(cat "$WORK/devices")"
"$KANSOKU" report loop --config "$CONFIG" --json | jq -e '[.parts.steered[].persona] | sort == ["camera", "dvr", "router"]' \
	>/dev/null || fail "the report of the loop names no steered visits"
curl -s -m 20 "$U/hosts/127.20.0.1" | jq -e '[.rows[].side] | unique == ["them", "us"]' >/dev/null ||
	fail "a host's page does not have two sides"
stop_kansoku || fail "it did not end in order"
echo "demo: twelve devices attacked, were looked at, identified, and met what fits them"
