#!/bin/bash
# The whole loop between two networks, with a capture on the wire: a device of the kind that was
# infected attacks a decoy, is looked at, identified and told of, and meets what fits it.
. "$(dirname "$0")/lib.sh"
two_networks
command -v busybox >/dev/null || skip "busybox is missing"
A=203.0.113.10 DECOY=192.0.2.7

# What A is: a recorder with a login prompt and a page.
mkdir "$WORK/www" && echo '<html><head><title>NETSurveillance WEB</title></head></html>' >"$WORK/www/index.html"
printf 'LocalHost' >"$WORK/issue"
chmod -R a+rX "$WORK"
SERVERS=
ip netns exec $OUTSIDE busybox telnetd -F -b $A:23 -f "$WORK/issue" -l /bin/false & SERVERS="$SERVERS $!"
ip netns exec $OUTSIDE busybox httpd -f -p $A:80 -h "$WORK/www" & SERVERS="$SERVERS $!"
loopback_config <<EOT
operator: {name: Test CSIRT, contact: abuse@example.org, page: "https://example.org/probing"}
store: {linger: 50ms}
passive:
  workers: 1
  decoys: [{prefix: 192.0.2.0/25, personas: [camera, dvr, router]}]
  services: {telnet: {ports: [23]}, http: {ports: [80]}}
  steering: {visit: 1s}
active:
  scope: [{prefix: 203.0.113.0/24, special: allow}]
  addresses: [198.51.100.9]
  hold_out: 0
  delay: {min: 300ms, max: 600ms}
control: {silent_decoys: 0}
prober: {pause: 0s, idle: 1s}
EOT
start_kansoku
capture_begin
U=http://127.0.0.1:$WEB_PORT/api/v1

# The first decoy that plays no recorder of its own.
for last in $(seq 7 40); do
	DECOY=192.0.2.$last
	intrude_from $A $DECOY root xc3511 'cat /proc/cpuinfo' exit >"$WORK/first"
	grep -aq 'LocalHost login' "$WORK/first" || break
done
grep -aq 'ogin: ' "$WORK/first" || fail "the decoy did not greet: $(cat "$WORK/first")"
grep -aqE '[#$>] ' "$WORK/first" || intrude_from $A $DECOY root root 'cat /proc/cpuinfo' exit >"$WORK/first"
grep -aqE '[#$>] ' "$WORK/first" || intrude_from $A $DECOY admin admin 'cat /proc/cpuinfo' exit >"$WORK/first"
grep -aqE '[#$>] ' "$WORK/first" || fail "the decoy $DECOY let nobody in: $(cat "$WORK/first")"

stored() { # condition, times: within 20 s
	for _ in $(seq 100); do
		[ "$(query "SELECT count() >= $2 FROM log WHERE src = '$A' AND $1" 2>/dev/null)" = 1 ] && return
		sleep 0.2
	done
	query "SELECT kind, decision, reason, state FROM log WHERE src = '$A' ORDER BY id" | tail -20
	fail "not in the store: $1"
}
stored "kind = 'host.identified' AND device_class != ''" 1
stored "kind = 'decision.made' AND rule = 'identified'" 1
sleep 1.5 # its visit is over

intrude_from $A $DECOY root xc3511 exit >"$WORK/second"
grep -aq 'LocalHost login' "$WORK/second" || fail "the next visit met \"$(cat "$WORK/second")\", not a recorder"
cmp -s "$WORK/first" "$WORK/second" && fail "the decoy did not change"
other=$(intrude_from 203.0.113.99 $DECOY nobody)
case $other in *LocalHost*) fail "somebody else met the recorder, too" ;; esac
stored "kind = 'host.steered' AND persona = 'dvr'" 1
stored "kind = 'session.closed'" 2
capture_end

one() { query "$1" | tail -1; }
# From the steered visit back to the first intrusion, cause by cause.
id=$(one "SELECT id FROM log WHERE src = '$A' AND kind = 'host.steered' ORDER BY id DESC LIMIT 1") chain=
while [ -n "$id" ] && [ ${#chain} -lt 400 ]; do
	IFS=$'\t' read -r kind id < <(one "SELECT kind, cause FROM log WHERE id = '$id'")
	chain="$chain $kind"
done
[ "$chain" = " host.steered host.identified host.answered probe.sent decision.made login.tried session.opened" ] ||
	fail "the chain of causes:$chain"
[ "$(one "SELECT uniqExact(root) FROM log WHERE src = '$A' AND kind IN ('probe.sent', 'host.answered', 'host.identified')")" = 1 ] ||
	fail "what belongs to one look has several roots"
[ "$(one "SELECT uniqExact(id) FROM log WHERE src = '$A' AND kind = 'decision.made' AND decision = 'allowed' AND probe = '' AND rule != 'identified'")" = 1 ] ||
	fail "one day, one look: $(query "SELECT decision, reason, rule FROM log WHERE src = '$A' AND kind = 'decision.made'")"

"$KANSOKU" report devices --config "$CONFIG" --json >"$WORK/devices" || fail "no report of devices"
jq -e '.parts.classes | length == 1 and .[0].class == "DVR" and (.[0].hosts | tonumber) == 1' "$WORK/devices" >/dev/null ||
	fail "report devices: $(cat "$WORK/devices")"
"$KANSOKU" report loop --config "$CONFIG" --json | jq -e '.parts.steered[0].persona == "dvr"' >/dev/null ||
	fail "report loop does not tell of the steered visit"
ip netns exec $INSIDE curl -s -m 20 "$U/hosts/$A" | jq -e '[.rows[].side] | unique == ["them", "us"]' >/dev/null ||
	fail "the API does not show both sides of $A"

# The wire agrees: A was looked at from the prober's address only, on what the rule names, and each
# connection is a probe.sent.
[ "$(packets "ip.dst == $A and tcp.flags.syn == 1 and tcp.flags.ack == 0" ip.src | sort -u)" = 198.51.100.9 ] ||
	fail "A was looked at from: $(packets "ip.dst == $A and tcp.flags.syn == 1 and tcp.flags.ack == 0" ip.src | sort | uniq -c)"
[ "$(packets "ip.src == 198.51.100.9 and tcp.flags.syn == 1" tcp.dstport | sort -un | xargs)" = "23 80" ] ||
	fail "other ports than 23 and 80 were looked at"
connections=$(packets "ip.src == 198.51.100.9 and tcp.flags.syn == 1 and not tcp.analysis.retransmission" | wc -l)
[ "$connections" = "$(one "SELECT count() FROM log WHERE kind = 'probe.sent'")" ] ||
	fail "$connections connections on the wire, $(one "SELECT count() FROM log WHERE kind = 'probe.sent'") probe.sent"
stop_kansoku || fail "it did not end in order"
echo "loop: attacked, looked at with $connections connections, identified, and met a recorder:$chain"
