#!/bin/bash
# The follow-up study between two networks, with intervals of seconds and a capture on the wire: who
# attacked is looked back at after it stopped, and again later, when what changed is told; who opted
# out in between, or only sent datagrams and SYNs, is not.
. "$(dirname "$0")/lib.sh"
two_networks
command -v busybox >/dev/null || skip "busybox is missing"
A=203.0.113.10 LEFT=203.0.113.66 FORGED=203.0.113.77 DECOY=192.0.2.1

mkdir "$WORK/www" "$WORK/out"
page() { echo "<html><head><title>$1</title></head></html>" >"$WORK/www/index.html"; }
page 'NETSurveillance WEB'
: >"$WORK/out/optout"
chmod -R a+rX "$WORK"
SERVERS=
for address in $A $LEFT; do
	ip netns exec $OUTSIDE busybox httpd -f -p $address:80 -h "$WORK/www" & SERVERS="$SERVERS $!"
done
study() { # what of it is there
	loopback_config <<-EOT
	operator: {name: Test CSIRT, contact: abuse@example.org, page: "https://example.org/probing"}
	store: {linger: 50ms}
	passive: {workers: 1, decoys: [{prefix: 192.0.2.0/25, personas: [dvr]}], services: {telnet: {ports: [23]}}}
	active:
	  scope: [{prefix: 203.0.113.0/24, special: allow}]
	  addresses: [198.51.100.9]
	  opt_out: $WORK/out/optout
	  hold_out: 0
	  delay: {min: 100ms, max: 200ms}
	  round: 2s
	  follow: {name: weeks, purpose: what changes, $1 until: 2999-01-01, ports: ["80"],
	    relook: {after: 5s, times: 1}, back: {quiet: 3s, within: 5m}}
	rules: [{name: tried, on: login.tried, do: probe, ports: [80]}]
	control: {silent_decoys: 0}
	prober: {pause: 0s, idle: 1s}
	EOT
}
study 'approved_by: the board,'
"$KANSOKU" check-config --config "$CONFIG" >"$WORK/said" 2>&1 && fail "an approval without a reference was taken"
grep -q 'active.follow lacks reference' "$WORK/said" || fail "check-config: $(cat "$WORK/said")"
study 'approved_by: the board, reference: note 7,'
"$KANSOKU" check-config --config "$CONFIG" >"$WORK/said" 2>&1 || fail "check-config: $(cat "$WORK/said")"
grep -q 'study weeks, approved by the board, note 7' "$WORK/said" || fail "check-config does not tell of the study"
start_kansoku
capture_begin

attack() { intrude_from "$1" $DECOY root wrong >/dev/null; }
one() { query "$1" | tail -1; }
stored() { # condition, times: within 15 s
	for _ in $(seq 75); do
		[ "$(one "SELECT count() >= $2 FROM log WHERE $1" 2>/dev/null)" = 1 ] && return
		sleep 0.2
	done
	query "SELECT kind, src, decision, reason, value[indexOf(field, 'basis')], value[indexOf(field, 'detail')] FROM log WHERE kind = 'decision.made' ORDER BY id" | tail -20
	fail "not in the store: $1"
}
attack $A
attack $LEFT
ip netns exec $OUTSIDE timeout 5 python3 - $FORGED $DECOY <<-'EOP'
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind((sys.argv[1], 0))
s.sendto(b"x", (sys.argv[2], 23))
EOP
ALLOWED="kind = 'decision.made' AND decision = 'allowed'"
stored "kind = 'host.identified' AND src = '$LEFT'" 1
echo $LEFT >>"$WORK/out/optout"
stored "$ALLOWED AND src = '$A' AND value[indexOf(field, 'detail')] LIKE 'study weeks: looked back at after it fell silent; what changes; approved by the board, note 7'" 1
page 'QNAP VioStor NVR VS-2008L'
stored "$ALLOWED AND src = '$A' AND value[indexOf(field, 'detail')] LIKE 'study weeks: looked at again, 1 of 1;%'" 1
stored "kind = 'host.identified' AND src = '$A' AND has(field, 'changed')" 1
sleep 3
capture_end
changed=$(one "SELECT value[indexOf(field, 'changed')] FROM log WHERE kind = 'host.identified' AND src = '$A' AND has(field, 'changed')")

[ "$(query "SELECT value[indexOf(field, 'basis')] FROM log WHERE $ALLOWED AND src = '$A' ORDER BY id" | tail -n 3 | xargs)" = "handshake survey survey" ] ||
	fail "looks at $A by: $(query "SELECT value[indexOf(field, 'basis')], value[indexOf(field, 'detail')] FROM log WHERE $ALLOWED AND src = '$A' ORDER BY id")"
# The look again follows from the look at the attack, that from the attack; the look back from the attack at once.
chain() { # from that decision on
	id=$(one "SELECT id FROM log WHERE $ALLOWED AND src = '$A' AND value[indexOf(field, 'detail')] LIKE '%$1%'") kinds=
	while [ -n "$id" ] && [ ${#kinds} -lt 200 ]; do
		IFS=$'\t' read -r kind id < <(one "SELECT kind, cause FROM log WHERE id = '$id'")
		kinds="$kinds $kind"
	done
	[ "$kinds" = " $2" ] || fail "the chain of the look \"$1\":$kinds"
}
chain 'looked at again' 'decision.made decision.made login.tried session.opened'
chain 'looked back at' 'decision.made login.tried session.opened'

syns() { packets "ip.src == 198.51.100.9 and ip.dst == $1 and tcp.flags.syn == 1 and not tcp.analysis.retransmission" tcp.dstport | wc -l; }
[ "$(packets "ip.src == 198.51.100.9 and tcp.flags.syn == 1" tcp.dstport | sort -un | xargs)" = 80 ] || fail "another port than 80 was looked at"
[ "$(syns $FORGED)" = 0 ] || fail "$FORGED was looked at, which sent a datagram only"
sent() { one "SELECT count() FROM log WHERE kind = 'probe.sent' AND src = '$1'"; }
for address in $A $LEFT; do
	[ "$(syns $address)" = "$(sent $address)" ] || fail "$address: $(syns $address) connections on the wire, $(sent $address) probe.sent"
done
[ "$(one "SELECT count() FROM log WHERE $ALLOWED AND src = '$LEFT'")" = 1 ] || fail "$LEFT opted out and was looked at again"
"$KANSOKU" audit $A --config "$CONFIG" >"$WORK/letter" || fail "no letter"
grep -q 'study weeks: looked back at' "$WORK/letter" || fail "the letter does not name the study: $(cat "$WORK/letter")"
stop_kansoku || fail "it did not end in order"
echo "relook: looked at, back and again with $(syns $A) connections; changed: $changed"
