#!/bin/bash
# Who was seen to scan is steered before its very first visit: the tool that made its packets is
# known from dark addresses, and the first answer of the decoy fits already.
. "$(dirname "$0")/lib.sh"
two_networks
command -v masscan >/dev/null || skip "masscan is missing"
ip -n $OUTSIDE route add 198.18.0.0/24 via 198.51.100.1
ROUTER=$(ip -n $INSIDE -j link show wire | jq -r '.[0].address')
SCANNER=203.0.113.11 OTHER=203.0.113.12
loopback_config <<EOT
store: {linger: 50ms}
passive:
  workers: 1
  decoys: [{prefix: 192.0.2.0/28, personas: [camera, dvr, router]}]
  services: {telnet: {ports: [23]}}
telescope: {interface: wire, prefixes: [{prefix: 198.18.0.0/24}], timeout: 2s}
active: {hold_out: 0}
rules:
  - {name: swift, on: scan.seen, known: {tool: masscan, sessions: {max: 0}}, do: steer, persona: dvr}
EOT
start_kansoku
ip netns exec $OUTSIDE timeout 30 masscan -p23 198.18.0.0/24 --adapter wire --adapter-ip $SCANNER --adapter-port 61000 \
	--router-mac "${ROUTER//:/-}" --rate 500 --wait 0 >"$WORK/masscan" 2>&1 || fail "masscan: $(cat "$WORK/masscan")"
for _ in $(seq 150); do
	[ "$(query "SELECT count() FROM log WHERE kind = 'decision.made' AND src = '$SCANNER' AND rule = 'swift'" 2>/dev/null)" = 1 ] && break
	sleep 0.2
done
for last in $(seq 0 15); do # a decoy that is no recorder by itself
	intrude_from $OTHER 192.0.2.$last nobody >"$WORK/other"
	grep -aq 'LocalHost login' "$WORK/other" || break
done
grep -aq 'ogin: ' "$WORK/other" || fail "the decoy did not greet: $(cat "$WORK/other")"
intrude_from $SCANNER 192.0.2.$last nobody >"$WORK/first"
grep -aq 'LocalHost login' "$WORK/first" || {
	query "SELECT kind, src, rule, value FROM log WHERE src = '$SCANNER' ORDER BY id"
	fail "its first visit met \"$(cat "$WORK/first")\", not a recorder"
}
for _ in $(seq 50); do
	why=$(query "SELECT value[indexOf(field, 'evidence')] FROM log WHERE kind = 'host.steered' AND src = '$SCANNER'" 2>/dev/null)
	[ -n "$why" ] && break
	sleep 0.2
done
[ "$why" = "scan.seen; tool masscan; sessions 0" ] || fail "host.steered says \"$why\""
stop_kansoku || fail "it did not end in order"
echo "steering_scan: seen to scan, and met a recorder from the first answer on: $why"
