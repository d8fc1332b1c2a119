#!/bin/bash
# Logs of other sensors are followed as they grow: torn lines, rename, copytruncate, folders that
# come later, logs that may not be read, the process and the journal killed again and again.  Every
# line is in the store once; an alert causes no look: the journal says so, and where there is root
# a capture of the wire to those that the alerts name.
. "$(dirname "$0")/lib.sh"
command -v python3 >/dev/null || skip "python3 is missing"
[ "$(id -u)" != 0 ] || two_networks
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
    - {name: late, format: eve, path: $WORK/late/current/eve.json}
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
[ "$(id -u)" != 0 ] || capture_begin
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

# Killed while it reads, four times; once the file is renamed while it is dead.
for round in $(seq 4); do
	first=$((811 + (round - 1) * 2000))
	alerts $first $((first + 2000)) >>"$LOGS/eve.json"
	sleep 0.0$((RANDOM % 9 + 1))
	kill_role
	[ $round = 2 ] && { mv "$LOGS/eve.json" "$LOGS/eve.json.3"; : >"$LOGS/eve.json"; }
done
wait_count 8810 "kill -9"

# The journal dies while lines are on their way to it, twice.
for first in 60000 63000; do
	alerts $first $((first + 3000)) >>"$LOGS/eve.json"
	sleep 0.0$((RANDOM % 9 + 1))
	for _ in $(seq 200); do pid=$(role_pid journal); [ -n "$pid" ] && break; sleep 0.05; done
	kill -9 "$pid"
	[ $first = 63000 ] && kill_role
done
wait_count 14810 "kill -9 of the journal"

conns 50 a >>"$LOGS/conn.log"; sleep 0.5; kill_role
printf '1795000099.5\tClast\t203.0.113.9\t1\t198.51.100.7\t22\ttcp\tS0\n' >>"$LOGS/conn.log"
flows() { query "SELECT count() FROM flows" 2>/dev/null; }
for _ in $(seq 100); do [ "$(flows)" = 51 ] && break; sleep 0.2; done
[ "$(flows)" = 51 ] || fail "$(flows) of 51 flows are in the store"

alerts 30000 30001 192.0.2.53 >>"$LOGS/eve.json"; wait_count 14811 "benign"
[ "$(query "SELECT count() FROM log WHERE kind = 'alert.raised' AND has(value, 'source is in resolvers')")" = 1 ] ||
	fail "the benign server was not told apart"

# What is broken costs its own line only; what the log says of time is kept as it says.
{
	python3 -c 'print("x" * 600000)'
	printf '\xff\xfe{"timestamp"\0\n[[[[[[\n\n'
	alerts 30001 30002 | sed 's/"test"/"\xff\xc0 not UTF-8"/'
	alerts 30002 30003 | sed 's/2026-11-20/2199-11-20/'
	alerts 30003 30004 | sed 's/2026-11-20/1970-01-02/'
} >>"$LOGS/eve.json"
wait_count 14814 "hostile lines"

# A folder that was missing at the start, a log that is closed to the process when it comes back,
# and one that was replaced by another while the process was away.
late() { query "SELECT count(), uniqExact(value[indexOf(field, 'alert.number')]) FROM log WHERE kind = 'alert.raised' AND has(value, 'late')" 2>/dev/null; }
told() { query "SELECT count() > 0 FROM log WHERE kind = 'sensor.changed' AND service = 'sensors/late' AND has(value, '$1')" 2>/dev/null; }
wait_for() { # what, expected, command...
	local what=$1 expected=$2
	shift 2
	for _ in $(seq 150); do [ "$("$@")" = "$expected" ] && return; sleep 0.2; done
	fail "$what: $("$@"), expected was $expected"
}
wait_for "a missing log is told" 1 told "the log is not there"
mkdir -p "$WORK/late/current"; chmod 755 "$WORK/late" "$WORK/late/current"
alerts 40000 40100 >"$WORK/late/current/eve.json"; chmod 644 "$WORK/late/current/eve.json"
wait_for "a folder that came later" "100	100" late
if [ "$(id -u)" = 0 ] && [ "$(sed -n 's/^Uid:\s*\([0-9]*\).*/\1/p' "/proc/$(role_pid sensors)/status")" != 0 ]; then
	chmod 600 "$WORK/late/current/eve.json"; sleep 0.5; kill_role
	wait_for "a log that may not be read is told" 1 told "the log may not be read by this process"
	alerts 40100 40150 >>"$WORK/late/current/eve.json"; chmod 644 "$WORK/late/current/eve.json"
	wait_for "a log that was closed for a while" "150	150" late
fi
before=$(late | cut -f1)
sleep 0.5; kill_role
alerts 50000 50010 >"$WORK/late/current/eve.json"
wait_for "a log that was replaced" "$((before + 10))	$((before + 10))" late
wait_for "what was left of it is told" 1 told "the log was cut or replaced, and what was left of it was not found"

# The rule asked, and each time the answer was no, for want of a basis.
[ "$(query "SELECT count() FROM log WHERE kind = 'decision.made' AND decision = 'refused' AND reason = 'no-basis'")" -ge 1 ] ||
	fail "no refused decision: $(query "SELECT decision, reason, count() FROM log WHERE kind = 'decision.made' GROUP BY 1, 2")"
[ "$(query "SELECT count() FROM log WHERE kind = 'decision.made' AND decision = 'allowed'")" = 0 ] || fail "an alert led to a lease"
[ "$(query "SELECT count() FROM log WHERE kind = 'probe.sent'")" = 0 ] || fail "an alert led to packets"
if [ "$(id -u)" = 0 ]; then # one packet of ours proves that the capture hears what goes there
	ip netns exec $INSIDE python3 -c 'import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"heard", ("203.0.113.9", 9))'
	capture_end
	tcpdump -n -r "$WORK/wire.pcap" src net 198.51.100.0/24 >"$WORK/sent" 2>/dev/null
	grep -q '> 203.0.113.9.9: UDP' "$WORK/sent" || fail "the capture heard nothing"
	[ "$(wc -l <"$WORK/sent")" = 1 ] || fail "an alert led to packets: $(head -3 "$WORK/sent")"
fi
# Payloads of alerts that no signature knows are grouped and shown as new.
python3 - >>"$LOGS/eve.json" <<'EOP'
import base64, datetime, json
now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000000+0000")
for i in range(20):
    for port, payload in ((5555, b"CNXM\0\0\0\1" + bytes([i, 7, i]) + b"host::x"), (123, b"\x17\0\3\x2a" + b"\0" * 4)):
        print(json.dumps({"timestamp": now, "event_type": "alert", "src_ip": "203.0.113.%d" % (100 + i), "src_port": 4,
                          "dest_ip": "198.51.100.7", "dest_port": port, "proto": "UDP",
                          "payload": base64.b64encode(payload).decode(),
                          "alert": {"signature_id": 29999, "signature": "test", "category": "Misc", "severity": 2}}))
EOP
new="- {name: unnamed, proto: udp, ports: [5555], starts: 'CNXM|00*3 01 ?? 07 ??|host::x', length: '18'}"
for _ in $(seq 100); do
	"$KANSOKU" telescope new --config "$CONFIG" >"$WORK/new" 2>&1
	grep -q '^# 20 payloads from 20 sources' "$WORK/new" && break
	sleep 0.2
done
grep -qxF -- "$new" "$WORK/new" && [ "$(grep -c '^- ' "$WORK/new")" = 1 ] || fail "new payloads: $(cat "$WORK/new")"

stop_kansoku || fail "it did not end well"
echo "sensors: every line once, over rotations and kills; no alert led to a packet"
