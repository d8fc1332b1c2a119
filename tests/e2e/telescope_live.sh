#!/bin/bash
# The live telescope on a wire: real scanners and made-up packets at dark addresses, each tool
# recognised, every packet counted as tcpdump counts it, each source with one of two workers,
# malformed frames survived, a worker that is killed stated as a gap, and not one frame sent.
BASE_PORT=15400
. "$(dirname "$0")/lib.sh"
two_networks
for tool in zmap masscan nmap hping3; do
	[ -n "$(command -v $tool)" ] || skip "$tool is missing"
done
for PYTHON in python3 /usr/bin/python3 none; do $PYTHON -c 'import scapy' 2>/dev/null && break; done
[ $PYTHON != none ] || skip "scapy is missing"
INNER="ip netns exec $INSIDE" OUTER="ip netns exec $OUTSIDE"
# The kernel beside the telescope must be silent, too, or nothing could be said of who sent a frame.
$INNER sysctl -qw net.ipv6.conf.all.disable_ipv6=1
ip -n $INSIDE link set wire arp off
ip -n $OUTSIDE addr add 203.0.113.1/32 dev wire
ip -n $OUTSIDE route add 198.18.0.0/24 via 198.51.100.1
ROUTER=$(ip -n $INSIDE -j link show wire | jq -r '.[0].address')
ip -n $OUTSIDE neigh replace 198.51.100.1 lladdr "$ROUTER" nud permanent dev wire

loopback_config <<EOT
passive: {services: {telnet: {ports: [$TELNET_PORT]}, http: {ports: [$HTTP_PORT]}}}
telescope:
  interface: wire
  workers: 2
  prefixes: [{prefix: 198.18.0.0/24}, {prefix: 2001:db8:d::/48}]
  timeout: 2s
  interval: 30s
EOT
start_kansoku
listen() { # network, file, options and filter...: tcpdump's pid in $!
	local network=$1 file=$2
	shift 2
	ip netns exec "$network" tcpdump -n -i wire -U --immediate-mode -B 65536 -w "$WORK/$file" "$@" 2>"$WORK/$file.log" &
	SERVERS="${SERVERS:-} $!"
	for _ in $(seq 50); do grep -qs listening "$WORK/$file.log" && return; sleep 0.1; done
	fail "tcpdump did not start: $(cat "$WORK/$file.log")"
}
DARK='dst net 198.18.0.0/24 or dst net 2001:db8:d::/48'
listen $INSIDE dark.pcap -Q in "$DARK or (vlan and ($DARK or (vlan and ($DARK))))"
COUNTER=$!
captured() { tcpdump -n -r "$WORK/$1" 2>/dev/null | wc -l; }
silence_begin() {
	listen $OUTSIDE silence.pcap -Q in
	LISTENER=$!
}
# Not one frame came from there; and the listener would have heard one.
silence_end() {
	local sent
	sent=$(captured silence.pcap)
	[ "$sent" = 0 ] || fail "$sent frames left the telescope's interface: $(tcpdump -n -e -r "$WORK/silence.pcap" 2>/dev/null | head -3)"
	ip -n $INSIDE neigh replace 198.51.100.2 lladdr 02:00:00:00:00:02 nud permanent dev wire
	$INNER timeout 10 hping3 -q -1 -c 3 -i u1000 198.51.100.2 >/dev/null 2>&1
	sleep 0.5
	kill -INT $LISTENER && wait $LISTENER
	[ "$(captured silence.pcap)" -ge 3 ] || fail "the listener hears nothing, so its silence says nothing"
}
silence_begin

# With some seeds this zmap ends in an assertion of its own.
$OUTER timeout 60 zmap -q -i wire -G "$ROUTER" -S 203.0.113.10 -p 80 -b /dev/null -c 0 -r 2000 -T 1 -e 7 -o "$WORK/z" 198.18.0.0/24 \
	>"$WORK/zmap" 2>&1 || fail "zmap: $(cat "$WORK/zmap")"
$OUTER timeout 60 masscan -p443 198.18.0.0/24 --adapter wire --adapter-ip 203.0.113.11 --adapter-port 61000 \
	--router-mac "${ROUTER//:/-}" --rate 2000 --wait 0 >"$WORK/masscan" 2>&1 || fail "masscan: $(cat "$WORK/masscan")"
$OUTER timeout 120 nmap -n -Pn -sS -S 203.0.113.12 -e wire -p 22,8443 --max-retries 0 --min-rate 500 198.18.0.0/25 \
	>"$WORK/nmap" 2>&1 || fail "nmap: $(cat "$WORK/nmap")"
$OUTER timeout 60 hping3 -q -c 60 -i u2000 -S -p 81 -a 203.0.113.13 198.18.0.9 >"$WORK/hping" 2>&1
$OUTER $PYTHON tests/e2e/dark_traffic.py wire "$ROUTER" known >"$WORK/known" 2>&1 || fail "$(cat "$WORK/known")"
sleep 1
kill -INT $COUNTER && wait $COUNTER
on_wire=$(captured dark.pcap)
[ "$on_wire" -gt 1000 ] || fail "only $on_wire packets were sent"

counted=
for _ in $(seq 150); do
	counted=$(query "SELECT sum(flow_packets) FROM flows" 2>/dev/null | tail -1)
	[ "$counted" = "$on_wire" ] && break
	sleep 0.2
done
[ "$counted" = "$on_wire" ] || fail "tcpdump saw $on_wire packets to dark addresses, the records count $counted"
[ "$(query "SELECT count() FROM flows WHERE ip(src) = '203.0.113.29'" | tail -1)" = 0 ] || fail "packets to other addresses were counted"

tool_of() { # source, tool
	local got
	got=$(query "SELECT lower(argMax(tool, flow_packets)) FROM flows WHERE ip(src) = '$1' AND tool != ''" | tail -1)
	[[ "$got" == "$2"* ]] || fail "$1 sent as $2 does, the telescope says \"$got\""
}
tool_of 203.0.113.10 zmap
tool_of 203.0.113.11 masscan
tool_of 203.0.113.12 nmap
tool_of 203.0.113.13 hping
tool_of 203.0.113.20 zmap
tool_of 203.0.113.21 unicorn
tool_of 203.0.113.22 mirai
class_of() { # source, class
	local got
	got=$(query "SELECT argMax(flow_class, flow_packets) FROM flows WHERE ip(src) = '$1'" | tail -1)
	[ "$got" = "$2" ] || fail "what $1 sent is \"$got\", not $2"
}
class_of 203.0.113.10 scan
class_of 203.0.113.23 backscatter
packets_of() { # source, packets
	local got
	got=$(query "SELECT sum(flow_packets) FROM flows WHERE ip(src) = '$1'" | tail -1)
	[ "$got" = "$2" ] || fail "$1 sent $2 packets, $got were counted"
}
packets_of 203.0.113.10 256 # zmap
packets_of 203.0.113.24 40  # in a VLAN
packets_of 203.0.113.25 40  # in two
packets_of 2a00:1::26 40
packets_of 203.0.113.27 40  # ICMP
# The maker within an id tells which process made the record.
[ "$(query "SELECT uniqExact(substring(id, 9, 4)) FROM flows" | tail -1)" = 2 ] || fail "one of two workers had nothing to do"
split=$(query "SELECT count() FROM (SELECT src FROM flows GROUP BY src HAVING uniqExact(substring(id, 9, 4)) > 1)" | tail -1)
[ "$split" = 0 ] || fail "$split sources were seen by both workers"
scans=$(query "SELECT count(DISTINCT src) FROM log WHERE kind = 'scan.seen'" | tail -1)
[ "$scans" -ge 5 ] || fail "only $scans scanners were told of"
[ "$(query "SELECT count() FROM log WHERE kind = 'scan.seen' AND state != ''" | tail -1)" = 0 ] || fail "a scan.seen has a state: nothing was answered"
[ "$(query "SELECT count() FROM log WHERE kind = 'decision.made'" | tail -1)" = 0 ] || fail "bare packets led to a decision"

# A payload that no signature knows is shown as new.
printf 'QXNEW-payload-of-no-tool' >"$WORK/payload"
$OUTER timeout 60 hping3 -q -2 -c 8 -i u1000 -p 4444 -d 24 -E "$WORK/payload" -a 203.0.113.18 198.18.0.14 >>"$WORK/hping" 2>&1
for _ in $(seq 100); do
	"$KANSOKU" telescope new --config "$CONFIG" >"$WORK/new" 2>&1
	grep -q QXNEW "$WORK/new" && break
	sleep 0.2
done
grep -qxF -- "- {name: unnamed, proto: udp, ports: [4444], starts: 'QXNEW-payload-of-no-tool', length: '24'}" "$WORK/new" ||
	fail "the new payload is not shown: $(cat "$WORK/new")"

# What is malformed ends no worker; afterwards a scan is seen as before.
$OUTER $PYTHON tests/e2e/dark_traffic.py wire "$ROUTER" malformed >"$WORK/malformed" 2>&1 || fail "$(cat "$WORK/malformed")"
$OUTER timeout 60 hping3 -q -c 50 -i u1000 -S -p 82 -a 203.0.113.14 198.18.0.10 >>"$WORK/hping" 2>&1
for _ in $(seq 150); do
	[ "$(query "SELECT sum(flow_packets) FROM flows WHERE ip(src) = '203.0.113.14'" 2>/dev/null | tail -1)" = 50 ] && break
	sleep 0.2
done
packets_of 203.0.113.14 50
[ "$(query "SELECT count() FROM log WHERE kind = 'sensor.changed' AND state = 'crash'" | tail -1)" = 0 ] || fail "a process crashed"
[ "$(query "SELECT count() FROM flows WHERE ip(src) IN ('203.0.113.40', '203.0.113.41')" | tail -1)" -gt 10 ] || fail "the malformed frames did not arrive"

silence_end
# The interface goes and comes back.
ip -n $OUTSIDE link set wire down
sleep 1
ip -n $OUTSIDE link set wire up
ip -n $OUTSIDE route add 198.51.100.0/24 dev wire 2>/dev/null
ip -n $OUTSIDE route add 198.18.0.0/24 via 198.51.100.1
ip -n $OUTSIDE neigh replace 198.51.100.1 lladdr "$ROUTER" nud permanent dev wire
silence_begin
# A worker dies with packets in its accounts; its successor says so and goes on.
$OUTER timeout 60 hping3 -q -c 200 -i u1000 -S -p 83 -a 203.0.113.15 198.18.0.11 >>"$WORK/hping" 2>&1
sleep 0.5
for pid in $(pgrep -P $KANSOKU_PID -f 'process telescope$'); do kill -9 "$pid"; done
for _ in $(seq 100); do
	[ "$(query "SELECT count() FROM log WHERE kind = 'sensor.changed' AND state = 'gap'" 2>/dev/null | tail -1)" -ge 1 ] && break
	sleep 0.2
done
missing=$(query "SELECT sum(toUInt64(value[indexOf(field, 'count')])) FROM log WHERE kind = 'sensor.changed' AND state = 'gap'" | tail -1)
[ "${missing:-0}" -ge 200 ] || fail "200 packets were in a worker that died, its successor says $missing"
told=$(query "SELECT groupUniqArray(state) FROM log WHERE kind = 'sensor.changed' AND service LIKE 'telescope/%' AND has(field, 'detail')" | tail -1)
[[ "$told" == *down* && "$told" == *up* ]] || fail "the interface was down and up again, told was: $told"
$OUTER timeout 60 hping3 -q -c 50 -i u1000 -S -p 84 -a 203.0.113.16 198.18.0.12 >>"$WORK/hping" 2>&1
for _ in $(seq 100); do
	[ "$(query "SELECT sum(flow_packets) FROM flows WHERE ip(src) = '203.0.113.16'" 2>/dev/null | tail -1)" = 50 ] && break
	sleep 0.2
done
packets_of 203.0.113.16 50
# Accounts that are open at the end become records before it ends.
$OUTER timeout 60 hping3 -q -c 30 -i u1000 -S -p 85 -a 203.0.113.17 198.18.0.13 >>"$WORK/hping" 2>&1
stop_kansoku || fail "it did not end in order"
grep -a 'telescope\[.*frames\|telescope/.*frames' "$LOG"
start_kansoku
for _ in $(seq 100); do
	[ "$(query "SELECT sum(flow_packets) FROM flows WHERE ip(src) = '203.0.113.17'" 2>/dev/null | tail -1)" = 30 ] && break
	sleep 0.2
done
packets_of 203.0.113.17 30

silence_end
stop_kansoku || fail "it did not end in order"
echo "telescope_live: $on_wire packets, as tcpdump counts; every tool known; $(cat "$WORK/malformed") malformed frames; nothing sent"
