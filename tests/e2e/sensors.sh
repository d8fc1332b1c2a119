#!/bin/bash
# Logs of other sensors are followed as they grow: torn lines, rename, copytruncate, and the
# process killed again and again.  Every line is in the store once; an alert causes no look.
. "$(dirname "$0")/lib.sh"
command -v python3 >/dev/null || skip "python3 is missing"
LOGS=$WORK/logs; mkdir -p "$LOGS"; chmod 755 "$LOGS"
: >"$LOGS/eve.json"; : >"$LOGS/conn.log"
loopback_config <<EOT
operator: {contact: abuse@example.org}
active: {scope: [{prefix: 0.0.0.0/0, special: allow}], hold_out: 0, delay: {min: 0ms, max: 0ms}}
rules: [{on: alert.raised, do: probe}]
store: {linger: 100ms}
sensors:
  follow:
    - {name: suricata, format: eve, path: $LOGS/eve.json}
    - {name: zeek, format: zeek, path: $LOGS/conn.log}
  own: [198.51.100.0/24]
  benign: [{name: resolvers, prefixes: [192.0.2.53]}]
  poll: 20ms
EOT
# alerts FROM TO [SOURCE]: lines numbered by sid
alerts() {
	python3 - "$1" "$2" "${3:-203.0.113.9}" <<-'EOP'
	import sys
	for i in range(int(sys.argv[1]), int(sys.argv[2])):
	    print('{"timestamp":"2026-11-20T10:%02d:%02d.000000+0000","event_type":"alert","src_ip":"%s",'
	          '"src_port":4444,"dest_ip":"198.51.100.7","dest_port":23,"proto":"TCP","alert":{"action":"allowed",'
	          '"signature_id":%d,"signature":"test","category":"Misc","severity":2}}'
	          % (i // 60 % 60, i % 60, sys.argv[3], i))
	EOP
}
conns() {
	printf '#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n'
	printf '#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tconn_state\n'
	for i in $(seq "$1"); do printf '17950000%02d.5\tC%s%d\t203.0.113.9\t4444\t198.51.100.7\t22\ttcp\tS0\n' "$i" "$2" "$i"; done
}
count() { query "SELECT count(), uniqExact(value[indexOf(field, 'alert.number')]) FROM log WHERE kind = 'alert.raised' AND has(value, 'suricata')" 2>/dev/null; }
wait_count() {
	for _ in $(seq 150); do
		[ "$(count)" = "$1	$1" ] && return
		sleep 0.2
	done
	fail "$2: $(count) of $1 alerts are in the store"
}
kill_role() { # when it stands; its delay before it is started again grows
	local pid
	for _ in $(seq 300); do pid=$(role_pid sensors); [ -n "$pid" ] && break; sleep 0.05; done
	kill -9 "$pid"
}

start_kansoku
alerts 1 501 >>"$LOGS/eve.json"
alerts 501 502 | head -c 60 >>"$LOGS/eve.json"; sleep 0.5
alerts 501 502 | tail -c +61 >>"$LOGS/eve.json"; echo 'no JSON' >>"$LOGS/eve.json"
wait_count 501 "a torn line"

# Renamed; the writer goes on in the old file for a moment.
mv "$LOGS/eve.json" "$LOGS/eve.json.1"; : >"$LOGS/eve.json"
alerts 502 601 >>"$LOGS/eve.json.1"; alerts 601 701 >>"$LOGS/eve.json"
wait_count 700 "rename"

# Copied and cut, with lines that were not read yet.
kill -STOP "$(role_pid sensors)"
alerts 701 801 >>"$LOGS/eve.json"; cp "$LOGS/eve.json" "$LOGS/eve.json.2"; : >"$LOGS/eve.json"
alerts 801 811 >>"$LOGS/eve.json"
kill -CONT "$(role_pid sensors)"
wait_count 810 "copytruncate"

# Killed while it reads, ten times; once the file is renamed while it is dead.
for round in $(seq 10); do
	first=$((811 + (round - 1) * 2000))
	alerts $first $((first + 2000)) >>"$LOGS/eve.json"
	sleep 0.0$((RANDOM % 9 + 1))
	kill_role
	[ $round = 5 ] && { mv "$LOGS/eve.json" "$LOGS/eve.json.3"; : >"$LOGS/eve.json"; }
done
wait_count 20810 "kill -9"

conns 50 a >>"$LOGS/conn.log"; sleep 0.5; kill_role
printf '1795000099.5\tClast\t203.0.113.9\t1\t198.51.100.7\t22\ttcp\tS0\n' >>"$LOGS/conn.log"
flows() { query "SELECT count() FROM flows" 2>/dev/null; }
for _ in $(seq 100); do [ "$(flows)" = 51 ] && break; sleep 0.2; done
[ "$(flows)" = 51 ] || fail "$(flows) of 51 flows are in the store"

alerts 30000 30001 192.0.2.53 >>"$LOGS/eve.json"; wait_count 20811 "benign"
[ "$(query "SELECT count() FROM log WHERE kind = 'alert.raised' AND has(value, 'source is in resolvers')")" = 1 ] ||
	fail "the benign server was not told apart"

# The rule asked, and each time the answer was no, for want of a basis.
[ "$(query "SELECT count() FROM log WHERE kind = 'decision.made' AND decision = 'refused' AND reason = 'no-basis'")" -ge 1 ] ||
	fail "no refused decision: $(query "SELECT decision, reason, count() FROM log WHERE kind = 'decision.made' GROUP BY 1, 2")"
[ "$(query "SELECT count() FROM log WHERE kind = 'decision.made' AND decision = 'allowed'")" = 0 ] || fail "an alert led to a lease"
[ "$(query "SELECT count() FROM log WHERE kind = 'probe.sent'")" = 0 ] || fail "an alert led to packets"
stop_kansoku || fail "it did not end well"
echo "sensors: every line once, over rotations and kills; no alert led to a look"
