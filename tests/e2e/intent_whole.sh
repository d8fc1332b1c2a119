#!/bin/bash
# Telescope, decoys and lists together: zmap from an address that a list acknowledges is a survey;
# who scans for telnet with masscan and then guesses a password at a decoy is an attack, for both
# reasons; who answers to floods is a victim; and nobody is looked at because of a verdict.
BASE_PORT=15600
. "$(dirname "$0")/lib.sh"
two_networks
for tool in zmap masscan hping3; do
	[ -n "$(command -v $tool)" ] || skip "$tool is missing"
done
INNER="ip netns exec $INSIDE" OUTER="ip netns exec $OUTSIDE"
ip -n $OUTSIDE addr add 203.0.113.1/32 dev wire
ip -n $OUTSIDE route add 198.18.0.0/24 via 198.51.100.1
ip -n $INSIDE route add local 192.0.2.0/25 dev lo
ip -n $INSIDE route add blackhole 198.18.0.0/24 # dark: nobody answers
ROUTER=$(ip -n $INSIDE -j link show wire | jq -r '.[0].address')
printf '# name: Test surveys\n# date: %s\n203.0.113.10 Example survey\n' "$(date -u +%F)" >"$WORK/list.txt"
loopback_config <<EOT
store: {linger: 50ms}
analysis: {every: 1s, surveys: [$WORK/list.txt]}
passive:
  decoys: [{prefix: 192.0.2.0/25, personas: [camera]}]
  services: {telnet: {ports: [23]}, http: {ports: [$HTTP_PORT]}}
telescope: {interface: wire, prefixes: [{prefix: 198.18.0.0/24}], timeout: 1s, interval: 5s}
EOT
start_kansoku

# With some seeds this zmap ends in an assertion of its own.
$OUTER timeout 60 zmap -q -i wire -G "$ROUTER" -S 203.0.113.10 -p 443 -b /dev/null -c 0 -r 2000 -T 1 -e 7 -o "$WORK/z" 198.18.0.0/24 \
	>"$WORK/zmap" 2>&1 || fail "zmap: $(cat "$WORK/zmap")"
$OUTER timeout 60 masscan -p23,2323 198.18.0.0/24 --adapter wire --adapter-ip 203.0.113.11 --adapter-port 61000 \
	--router-mac "${ROUTER//:/-}" --rate 2000 --wait 0 >"$WORK/masscan" 2>&1 || fail "masscan: $(cat "$WORK/masscan")"
$OUTER timeout 60 hping3 -q -c 60 -i u2000 -SA -s 443 -p 40000 -a 203.0.113.12 198.18.0.9 >"$WORK/hping" 2>&1
intrude_from 203.0.113.11 192.0.2.5 root xc3511 >/dev/null

verdict() { query "SELECT value[indexOf(field,'intent.verdict')], value[indexOf(field,'confidence')] FROM log WHERE kind = 'source.judged' AND src = '$1' ORDER BY id DESC LIMIT 1"; }
wait_verdict() { # source, verdict, least confidence
	for _ in $(seq 100); do
		read -r is confidence < <(verdict "$1" 2>/dev/null)
		[ "${is:-}" = "$2" ] && [ "$confidence" -ge "$3" ] && return
		sleep 0.3
	done
	fail "$1 is judged \"${is:-nothing}\" with ${confidence:-no} confidence, not $2 with $3 at least"
}
wait_verdict 203.0.113.10 survey 90
wait_verdict 203.0.113.11 attack 95
wait_verdict 203.0.113.12 victim 70

report() { "$KANSOKU" report intent --config "$CONFIG" --json >"$WORK/report" || fail "no report"; }
# source, field, words that must all stand there; a verdict may first have been given for the half of it.
says() {
	local source=$1 field=$2 text word
	shift 2
	for _ in $(seq 30); do
		report
		text=$(jq -r --arg s "$source" --arg f "$field" '.parts.sources[] | select(.source == $s) | .[$f]' "$WORK/report" | head -1)
		for word in "$@"; do [[ $text == *"$word"* ]] || { word=; break; }; done
		[ -n "$word" ] && return
		sleep 0.5
	done
	fail "the $field of $source say \"$text\", expected was: $*"
}
says 203.0.113.10 reasons "Test surveys" zmap
says 203.0.113.11 reasons "tried a login" "worms spread" masscan
[ "$(query "SELECT count() FROM log WHERE kind = 'scan.seen' AND src IN ('203.0.113.10', '203.0.113.11')" | tail -1)" -ge 2 ] ||
	fail "the scans were not told"
# A verdict is no reason to look at anybody, and no data is dropped because of one.
[ "$(query "SELECT count() FROM log WHERE kind = 'probe.sent'" | tail -1)" = 0 ] || fail "somebody was looked at"
packets=$(query "SELECT sum(flow_packets) FROM flows WHERE ip(src) = '203.0.113.10'" | tail -1)
[ "$packets" = 256 ] || fail "256 packets of the survey were sent, $packets are kept"
stop_kansoku || fail "it did not end in order"
echo "intent_whole: a listed zmap is a survey; masscan and a login are an attack, with both reasons; a victim is one"
