#!/bin/bash
# The reactive telescope on a wire: real clients shake hands with dark addresses and what they say
# first is in the store; a capture shows that nothing else is ever sent, never more than what came,
# nothing for backscatter, and one answer to who is forged.
BASE_PORT=15500
. "$(dirname "$0")/lib.sh"
two_networks
for tool in zmap masscan nmap hping3 curl busybox; do
	[ -n "$(command -v $tool)" ] || skip "$tool is missing"
done
for PYTHON in python3 /usr/bin/python3 none; do $PYTHON -c 'import scapy' 2>/dev/null && break; done
[ $PYTHON != none ] || skip "scapy is missing"
INNER="ip netns exec $INSIDE" OUTER="ip netns exec $OUTSIDE"
# The kernel beside the telescope must be silent, too, or nothing could be said of who sent a frame.
ip -n $INSIDE link set wire arp off
ROUTER=$(ip -n $INSIDE -j link show wire | jq -r '.[0].address')
THEIRS=$(ip -n $OUTSIDE -j link show wire | jq -r '.[0].address')
ip -n $INSIDE neigh replace 198.51.100.2 lladdr "$THEIRS" nud permanent dev wire
$INNER sysctl -qw net.ipv6.conf.all.disable_ipv6=1
$INNER ip route add blackhole 198.18.0.0/23
ip -n $OUTSIDE neigh replace 198.51.100.1 lladdr "$ROUTER" nud permanent dev wire
ip -n $OUTSIDE -6 addr add 2a00:1::5/128 dev lo
ip -n $OUTSIDE -6 neigh replace fe80::77 lladdr "$ROUTER" nud permanent dev wire
ip -n $OUTSIDE -6 route add 2001:db8:d::/48 via fe80::77 dev wire src 2a00:1::5 onlink
# Clients that cannot choose their source have this one.
come_from() {
	ip -n $OUTSIDE addr add "$1/32" dev lo 2>/dev/null
	ip -n $OUTSIDE route replace 198.18.0.0/23 via 198.51.100.1 src "$1"
}
ZMAP=11.7.10.1 NC=11.7.11.1 NMAP=11.7.12.1 FLOOD=11.7.13.1 MASSCAN=11.8.0.5 SIX=2a00:1::5
come_from $ZMAP
ip -n $OUTSIDE addr add 203.0.113.1/32 dev wire

mkdir "$WORK/out" && echo '11.9.7.0/24' >"$WORK/out/optout" && chmod 755 "$WORK/out" && chmod 644 "$WORK/out/optout"
RATE=1000 BURST=1000 NETWORK_RATE=32 NETWORK_BURST=512
loopback_config <<EOT
store: {linger: 50ms}
passive:
  workers: 1
  decoys: [{prefix: 192.0.2.0/25, personas: [camera, dvr, router]}]
  services: {telnet: {ports: [23]}, http: {ports: [80]}}
telescope:
  interface: wire
  workers: 2
  prefixes:
    - {prefix: 198.18.0.0/24, reactive: true}
    - {prefix: 198.18.0.192/26}
    - {prefix: 198.18.1.0/24}
    - {prefix: 2001:db8:d::/48, reactive: true}
  reactive: {rate: $RATE, burst: $BURST, network_rate: $NETWORK_RATE, network_burst: $NETWORK_BURST, patience: 6s}
active: {opt_out: $WORK/out/optout}
rules:
  - {name: two_phase, on: scan.seen, when: {state: answered, reactive.phases: 2}, do: steer, persona: dvr}
EOT
start_kansoku
$OUTER tcpdump -n -i wire -B 65536 -s 160 -w "$WORK/wire.pcap" 2>"$WORK/tcpdump" &
CAPTURE_PID=$!
for _ in $(seq 50); do grep -qs listening "$WORK/tcpdump" && break; sleep 0.1; done
frames() { $OUTER $PYTHON tests/e2e/reactive_frames.py wire "$ROUTER" "$@" >"$WORK/frames" 2>&1 || fail "$(cat "$WORK/frames")"; }
scan() { # file of addresses that answered
	$OUTER timeout 60 zmap -q -i wire -G "$ROUTER" -S $ZMAP -p 80 -b /dev/null -c 1 -r 1000 -T 1 -e 7 -o "$1" \
		198.18.0.0/23 >"$WORK/zmap" 2>&1 || fail "zmap: $(cat "$WORK/zmap")"
	sort -o "$1" "$1"
}

# A tenth of the reactive addresses stays silent, and so does the rest of what is dark.
scan "$WORK/first"
answering=$(wc -l <"$WORK/first")
[ "$answering" -ge 140 ] && [ "$answering" -lt 192 ] || fail "$answering of 192 reactive addresses answer, a tenth should not"
grep -vE '^198\.18\.0\.([0-9]{1,2}|1[0-8][0-9]|19[01])$' "$WORK/first" && fail "these are not reactive"
mapfile -t alive <"$WORK/first"
# ZMap's SYN and then a real client: a two-phase scanner.
$OUTER curl -s -m 5 --interface $ZMAP -A two-phase "http://${alive[0]}/first" >/dev/null
come_from $NC
printf 'hello dark\r\n' | $OUTER timeout 5 busybox nc -w 2 "${alive[1]}" 4444 >/dev/null 2>&1
sleep 12 | $OUTER timeout 15 busybox nc "${alive[1]}" 4445 >/dev/null 2>&1 & # says nothing
busybox true | $OUTER timeout 5 busybox nc -w 2 "${alive[1]}" 4446 >/dev/null 2>&1 # and says goodbye
come_from $NMAP
$OUTER timeout 60 nmap -n -Pn -sT -p 22,23,8080 "${alive[2]}" "${alive[3]}" >"$WORK/nmap" 2>&1
[ "$(grep -c '/tcp *open ' "$WORK/nmap")" = 6 ] || fail "nmap -sT: $(cat "$WORK/nmap")"
come_from $ZMAP
# A stack of its own, at an address where no kernel interferes; it waits two seconds for a banner first.
$OUTER timeout 60 masscan -p80 "${alive[4]}" "${alive[5]}" --banners --adapter wire --adapter-ip $MASSCAN --adapter-port 61000 \
	--router-mac "${ROUTER//:/-}" --rate 100 --wait 6 >"$WORK/masscan" 2>&1 &
MASSCAN_PID=$!
for i in 1 2 3 4; do $OUTER curl -s -g -m 3 "http://[2001:db8:d::$i]/six" >/dev/null; done

frames unasked "${alive[6]}"
frames tagged "${alive[7]}"
frames fair "${alive[8]}"
frames one "${alive[8]}"
echo '11.9.6.0/24' >>"$WORK/out/optout"
sleep 1.5
frames opted "${alive[8]}"
wait $MASSCAN_PID || fail "masscan: $(cat "$WORK/masscan")"
# Floods: of one source, and of forged ones that all have the TTL of one place.
$OUTER timeout -s INT 0.5 hping3 -q --flood -S -p 444 -a $FLOOD "${alive[9]}" >"$WORK/hping" 2>&1
$OUTER timeout -s INT 0.5 hping3 -q --flood -S -p 443 --rand-source "${alive[9]}" >>"$WORK/hping" 2>&1
sleep 3 # until the bound of all has room again
frames forged "${alive[9]}"
sleep 1
kill -INT $CAPTURE_PID && wait $CAPTURE_PID
CAPTURE_PID=
grep -q '^0 packets dropped by kernel' "$WORK/tcpdump" || fail "the capture is not whole: $(tail -3 "$WORK/tcpdump")"

$PYTHON tests/e2e/reactive_wire.py "$WORK/wire.pcap" "$ROUTER" $RATE $BURST $NETWORK_RATE $NETWORK_BURST \
	198.18.0.0/24 2001:db8:d::/48 -- 198.18.0.192/26 >"$WORK/answered" 2>"$WORK/wrong" || fail "$(cat "$WORK/wrong")"
of() { awk -v s="$1" -v n="$2" '$1 == s { print $n }' "$WORK/answered"; } # source, column
answers() { [ "$(of "$1" 2)" = "$2" ] || fail "$1 was answered $(of "$1" 2) times, $2 would be right"; }
answers $NMAP 6
answers 11.9.3.1 5
answers 11.9.3.2 5
[ "$(of 11.9.3.1 8) $(of 11.9.3.2 8)" = "7 8-9" ] || fail "the VLANs of answers are $(of 11.9.3.1 8) and $(of 11.9.3.2 8), not 7 and 8-9"
answers 11.9.5.1 10
answers 11.9.6.1 1 # before it opted out
grep -E '^11\.9\.(2|7)\.|^203\.0\.113\.|^127\.|^22[4-9]\.|^2[345][0-9]\.|^10\.|^192\.(0\.2|168)\.|^198\.1[89]\.' "$WORK/answered" && fail "these must never be answered"
forged=$(awk '$1 ~ /^11\.9\.4\./ { n += $2; if ($2 > 1) print $1, "answered", $2, "times" } END { print n + 0 }' "$WORK/answered")
[[ "$forged" =~ ^[0-9]+$ ]] && [ "$forged" -ge 1 ] || fail "who is forged is answered once: $forged"
flooded=$(of $FLOOD 2)
[ "$flooded" -ge 200 ] && [ "$flooded" -le $((NETWORK_BURST + NETWORK_RATE)) ] || fail "the flood of one source got $flooded answers"

# What was said is in the store.
answered="kind = 'scan.seen' AND state = 'answered'"
told() { # source, further condition: how many handshakes, within 20 s at least one
	local got
	for _ in $(seq 100); do
		got=$(query "SELECT count() FROM log WHERE $answered AND src = '$1' AND ($2)" 2>/dev/null | tail -1)
		[ "${got:-0}" -gt 0 ] && break
		sleep 0.2
	done
	echo "${got:-0}"
}
field() { echo "value[indexOf(field, '$1')]"; }
said() { # source, beginning of what it said
	"$KANSOKU" query --config "$CONFIG" --private --format tsv "SELECT count() FROM private WHERE kind = 'scan.seen' AND field = 'flow.payload' AND startsWith(value, '$2')
		AND lower(hex(id)) IN (SELECT id FROM log WHERE $answered AND src = '$1')" | tail -1
}
[ "$(told $ZMAP "$(field reactive.phases) = '2'")" = 1 ] || fail "curl behind zmap is no two-phase scanner"
[ "$(said $ZMAP 'GET /first HTTP/1.1')" = 1 ] || fail "what curl said is not in the store"
[ "$(told $NC "dport = 4444 AND $(field reactive.end) = 'payload'")" = 1 ] || fail "nc's handshake is not told once"
[ "$(said $NC 'hello dark')" = 1 ] || fail "what nc said is not in the store"
[ "$(told $NC "dport = 4445 AND $(field reactive.end) = 'silent'")" = 1 ] || fail "a silent handshake is not told once"
[ "$(told $NC "dport = 4446 AND $(field reactive.end) = 'closed'")" = 1 ] || fail "a handshake that is closed is not told once"
[ "$(told $NMAP "1")" = 6 ] || fail "of nmap's 6 handshakes $(told $NMAP 1) are told"
[ "$(told $MASSCAN "$(field reactive.end) = 'payload'")" = 2 ] || fail "masscan --banners is not told"
[ "$(said $MASSCAN 'GET / HTTP/1.0')" = 2 ] || fail "what masscan said is not in the store"
[ "$(told $SIX "dport = 80")" -ge 1 ] || fail "nothing came of IPv6"
strangers=$(query "SELECT groupUniqArray(src) FROM log WHERE $answered AND src NOT IN ('$ZMAP', '$NC', '$NMAP', '$MASSCAN', '$SIX')" | tail -1)
[ "$strangers" = '[]' ] || fail "handshakes of nobody: $strangers"
report=$("$KANSOKU" report telescope --config "$CONFIG" --json)
jq -e ".parts.handshakes | map(select(.source == \"$ZMAP\" and .port == 80 and .two_phase == 1 and .payloads == 1)) | length == 1" <<<"$report" >/dev/null ||
	fail "the report knows of no two-phase scanner: $(jq -c .parts.handshakes <<<"$report")"
jq -e ".parts.scans | map(select(.source == \"$NC\")) | length == 0" <<<"$report" >/dev/null || fail "a handshake is taken for a scan"
# The two-phase scanner meets the decoy that a rule has for it.
said=$(intrude_from $ZMAP 192.0.2.7 root 2>&1)
for _ in $(seq 100); do
	steered=$(query "SELECT count() FROM log WHERE kind = 'host.steered' AND src = '$ZMAP' AND persona = 'dvr'" 2>/dev/null | tail -1)
	[ "${steered:-0}" -ge 1 ] && break
	sleep 0.2
done
[ "${steered:-0}" -ge 1 ] || fail "the two-phase scanner was not handed to a decoy: it heard \"$said\", steered $(query "SELECT groupArray((src, $(field persona))) FROM log WHERE kind = 'host.steered'")"

# While nobody can know who opted out, nobody is answered; afterwards the same addresses are silent as
# before, also when the workers had to be started again.
stop_kansoku || fail "it did not end in order"
grep -a 'telescope: reactive:' "$LOG" || fail "no worker gave account of its answers"
mv "$WORK/out/optout" "$WORK/out/gone"
start_kansoku
scan "$WORK/none"
[ -s "$WORK/none" ] && fail "these answered although the opt-outs are unknown: $(head -3 "$WORK/none")"
mv "$WORK/out/gone" "$WORK/out/optout"
for pid in $(pgrep -P $KANSOKU_PID -f 'process telescope$'); do kill -9 "$pid"; done
for _ in $(seq 50); do
	[ "$(pgrep -c -P $KANSOKU_PID -f 'process telescope$')" = 2 ] && break
	sleep 0.1
done
sleep 2
scan "$WORK/second"
stop_kansoku || fail "it did not end in order"
cmp -s "$WORK/first" "$WORK/second" || fail "other addresses are held out: $(diff "$WORK/first" "$WORK/second" | head -5)"
grep -aE 'AddressSanitizer|runtime error' "$LOG" && fail "a sanitizer complained"
echo "reactive: $answering of 192 addresses answered; $(wc -l <"$WORK/answered") sources got $(awk '{p += $6; b += $7} END {print p " packets, " b}' "$WORK/answered") bytes, none more than it sent"
