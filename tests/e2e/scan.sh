#!/bin/bash
# kansoku scan on a wire: an answering /16 is found whole, nobody who is excluded gets a packet, forged
# answers are counted and not believed, no reset leaves, closed and forbidden ports are told apart, limits
# hold in a capture, shards and positions make up the whole; UDP asked of real servers, ICMP, IPv6; and what
# the scan did to the kernel is gone after kill -9.
BASE_PORT=15700 SERVERS=
. "$(dirname "$0")/lib.sh"
two_networks
for tool in nft snmpd named memcached; do
	[ -n "$(command -v $tool)" ] || skip "$tool is missing"
done
INNER="ip netns exec $INSIDE" OUTER="ip netns exec $OUTSIDE"
ip -n $INSIDE -6 addr add 2a00:2::9/64 dev wire nodad
ip -n $OUTSIDE -6 addr add 2a00:2::2/64 dev wire nodad
ip -n $INSIDE -6 route add default via 2a00:2::2
ip -n $OUTSIDE -6 route add local 2a00:1::/64 dev lo
# Cookies instead of a queue of half-open connections: Linux answers each of 65,536 SYNs.
$OUTER sysctl -qw net.ipv4.tcp_syncookies=2 net.ipv4.icmp_ratelimit=0 net.ipv4.icmp_msgs_per_sec=100000 net.ipv4.icmp_msgs_burst=100000
$OUTER sysctl -qw net.ipv6.icmp.ratelimit=0
$OUTER python3 -c '
import socket, time
ports = [socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True) for port in (80, 8080)]
open("'"$WORK"'/listening", "w")
time.sleep(120)' & SERVERS="$SERVERS $!"
for last in 1 2 3 4; do ip -n $OUTSIDE addr add 11.7.60.$last/32 dev lo; done
printf 'com2sec all default public\nagentAddress udp:11.7.60.1:161\n' >"$WORK/snmpd.conf"
$OUTER snmpd -f -C -c "$WORK/snmpd.conf" -Lf /dev/null 2>/dev/null & SERVERS="$SERVERS $!"
printf 'options { directory "%s"; pid-file none; listen-on { 11.7.60.2; }; listen-on-v6 { none; }; recursion no; };\ncontrols { };\n' "$WORK" >"$WORK/named.conf"
$OUTER named -f -c "$WORK/named.conf" >"$WORK/named.log" 2>&1 & SERVERS="$SERVERS $!"
$OUTER memcached -u nobody -l 11.7.60.3 -U 11211 -p 0 2>/dev/null & SERVERS="$SERVERS $!"

for _ in $(seq 100); do [ -e "$WORK/listening" ] && break; sleep 0.05; done

printf '11.7.9.0/24\n2a00:1::17\n' >"$WORK/optout"
chmod 644 "$WORK/optout"
config() { # RATE
	local approved='purpose: a test, approved_by: us, reference: here, rate: 10000000, packets: 10000000'
	cat <<-EOT
	run: {state: $STATE}
	operator: {name: Test, contact: abuse@example.org, page: "https://scan.example.org/"}
	active:
	  scope: [{prefix: 11.7.0.0/16}, {prefix: '2a00:1::/64'}]
	  addresses: [198.51.100.9, '2a00:2::9']
	  opt_out: $WORK/optout
	  known_scanners: [11.7.10.0/24]
	  rate: $1
	  tier: 2
	  surveys:
	    - {name: whole, prefixes: [11.0.0.0/8, '2a00:1::/48'], until: 2130-01-01, tier: 2, $approved,
	       ports: ['80', '81', '443', '8080', 53/udp, 161/udp, 11211/udp, 20000/udp, 47808/udp]}
	    - {name: tcp, prefixes: [11.7.0.0/16], until: 2130-01-01, $approved,
	       ports: ['1', '2', '3', '4', '5', '6', '7', '8', '9', '10', '11', '12', '13', '80']}
	    - {name: old, prefixes: [11.7.0.0/16], until: 2020-01-01, $approved, ports: ['80']}
	    - {name: unapproved, prefixes: [11.7.0.0/16], until: 2130-01-01}
	EOT
}
config 0 >"$CONFIG"
scan() { "$KANSOKU" scan --config "$CONFIG" --survey whole --no-progress --cooldown 0.25 "$@" 2>"$WORK/said"; }
summary() { tail -1 "$WORK/said" | jq -r "$1"; }
list() { printf '%s\n' "$@" >"$WORK/list"; }
hits() { tail -n +2 "$1" | wc -l; }
# What INSIDE sends and the scan's own answers, told by a filter of tcpdump: a file each.
CAPTURES=
watch() { # NAME FILTER
	$OUTER tcpdump -n -i wire -B 16384 -U --immediate-mode -w "$WORK/$1.pcap" "$2" >/dev/null 2>"$WORK/$1.tcpdump" &
	CAPTURES="$CAPTURES $!" SERVERS="$SERVERS $!"
	for _ in $(seq 100); do grep -qs listening "$WORK/$1.tcpdump" && return; sleep 0.05; done
	fail "tcpdump: $(cat "$WORK/$1.tcpdump")"
}
watched() { tshark -n -r "$WORK/$1.pcap" -Y "${2:-frame}" -T fields -e "${3:-frame.number}" 2>/dev/null; }
watch excluded 'dst net 11.7.9.0/24 or dst net 11.7.10.0/24 or ip6 dst 2a00:1::17'
watch resets 'src host 198.51.100.9 and (tcp[13] & 4 != 0 or icmp[0] == 3) or (ip6 src 2a00:2::9 and ip6[6] == 6 and ip6[53] & 4 != 0)'

# Nothing without a permission, and the reason is said.
refused() { # WORD ARGUMENTS...
	local word=$1; shift
	"$KANSOKU" scan --config "$CONFIG" --no-progress "$@" >/dev/null 2>"$WORK/said" && fail "it scans: $*"
	grep -q "$word" "$WORK/said" || fail "$* says: $(cat "$WORK/said")"
}
watch nothing 'src host 198.51.100.9'
refused 'survey NAME is wanted' --ports 80
refused no-basis --survey other --ports 80
refused stale-basis --survey old --ports 80
refused survey-incomplete --survey unapproved --ports 80
refused 'not among those' --survey tcp --ports 22
refused tier --survey tcp --protocol udp --ports 53
refused target-budget --survey tcp --ports 1-13
refused industrial --survey whole --protocol udp --ports 20000
refused 'payload' --survey whole --protocol udp --ports 47808 --payload xyz
refused industrial --survey whole --protocol udp --ports 47808 --payload 00
sed 's/contact: abuse@example.org, //' "$CONFIG" >"$WORK/anonymous.yaml"
"$KANSOKU" scan --config "$WORK/anonymous.yaml" --survey tcp --ports 80 2>&1 | grep -q no-contact || fail "nobody is named, and it scans"
list 11.7.0.0/16
scan --targets "$WORK/list" --ports 80 --dry-run >"$WORK/dry"
grep -q '^excluded 11.7.9.0/24$' "$WORK/dry" && grep -q '^in all 65024 packets at most$' "$WORK/dry" || fail "a dry run says: $(cat "$WORK/dry")"
sleep 0.2
[ -z "$(watched nothing)" ] || fail "refused, and yet packets left"

# A whole /16, as fast as it goes: all that may be asked is found, once.
scan --targets "$WORK/list" --ports 80 --network-rate 0 --output-fields saddr,classification >"$WORK/hits"
[ "$(hits "$WORK/hits")" = 65024 ] && [ "$(tail -n +2 "$WORK/hits" | sort -u | wc -l)" = 65024 ] ||
	fail "$(hits "$WORK/hits") of 65024 found: $(cat "$WORK/said")"
[ "$(summary '.complete, .forged, .dropped, .sent' | xargs)" = "true 0 0 65024" ] || fail "$(cat "$WORK/said")"
$INNER nft list tables | grep -q kansoku && fail "a table of nftables is left"
$OUTER nft -f - <<-'EOT'
	table ip world {
		chain in {
			type filter hook prerouting priority -300;
			ip daddr { 11.7.20.0/24, 11.7.40.0/24 } drop
		}
		chain local {
			type filter hook input priority 0;
			ip daddr 11.7.21.0/24 meta l4proto tcp reject with icmp admin-prohibited
		}
	}
EOT

# By each way of sending, with every column.
list 11.7.31.0/24
for way in packet raw; do
	scan --targets "$WORK/list" --ports 80 --network-rate 0 --send $way --output-fields '*' >"$WORK/hits"
	grep -q " by $way " "$WORK/said" && [ "$(hits "$WORK/hits")" = 256 ] || fail "$way: $(cat "$WORK/said")"
	[ "$(awk -F, '{print NF}' "$WORK/hits" | sort -u)" = 27 ] || fail "columns: $(head -2 "$WORK/hits")"
done

# Open, closed, silent, forbidden; and what is sent adds up, as Wireshark reckons.
watch packets 'src host 198.51.100.9 and not arp'
list 11.7.20.0/26 11.7.21.0/26 11.7.22.0/26
scan --targets "$WORK/list" --ports 80,81 --network-rate 0 --target-rate 0 --passes 2 --pass-delay 0.3 --all --json >"$WORK/hits"
count() { jq -r "select($1) | .saddr" "$WORK/hits" | sort -u | wc -l; }
[ "$(count '.classification=="synack" and .sport==80 and .success==1')" = 64 ] || fail "open: $(cat "$WORK/said")"
[ "$(count '.classification=="rst" and .sport==81 and .success==0')" = 64 ] || fail "closed: $(cat "$WORK/said")"
[ "$(count '.icmp_unreach_str=="admin-prohib" and (.saddr|startswith("11.7.21."))')" = 64 ] || fail "forbidden: $(cat "$WORK/said")"
[ "$(count '.saddr|startswith("11.7.20.")')" = 0 ] || fail "silence answers"
# The second pass asks only those that were silent.
[ "$(summary '.sent, .skipped' | xargs)" = "$((6 * 64 + 2 * 64)) $((4 * 64))" ] || fail "second pass: $(cat "$WORK/said")"

# UDP of real servers, each asked in its own way; a port that is closed says so.
list 11.7.60.1 11.7.60.2 11.7.60.3 11.7.60.4
scan --targets "$WORK/list" --protocol udp --ports 53,161,11211 --network-rate 0 --target-rate 0 --all --json >"$WORK/hits"
udp=$(jq -r 'select(.classification=="udp" and .success==1) | "\(.saddr):\(.sport)"' "$WORK/hits" | sort | xargs)
[ "$udp" = "11.7.60.1:161 11.7.60.2:53 11.7.60.3:11211" ] || fail "UDP: $udp; $(cat "$WORK/said" "$WORK/hits")"
[ "$(count '.icmp_unreach_str=="port" and .saddr=="11.7.60.4"')" = 1 ] || fail "a closed UDP port: $(cat "$WORK/hits")"

# ICMP, which says who asks and why.
list 11.7.30.0/25
scan --targets "$WORK/list" --protocol icmp --network-rate 0 >"$WORK/hits"
[ "$(hits "$WORK/hits")" = 128 ] || fail "echo: $(cat "$WORK/said")"

# IPv6 by a list; who opted out of it is not asked.
for i in $(seq 1 40); do printf '2a00:1::%x\n' "$i"; done >"$WORK/list"
scan --targets "$WORK/list" --ports 8080 --network-rate 0 >"$WORK/hits"
[ "$(hits "$WORK/hits")" = 39 ] || fail "IPv6: $(cat "$WORK/said")"
scan --targets "$WORK/list" --protocol icmp --network-rate 0 >"$WORK/hits"
[ "$(hits "$WORK/hits")" = 39 ] || fail "ICMPv6: $(cat "$WORK/said")"

# Forged SYN-ACKs from addresses that are asked and silent, to ports of ours: none is believed.
list 11.7.40.0/24
scan --targets "$WORK/list" --ports 80 --rate 1000 --network-rate 0 --all --cooldown 2 >"$WORK/hits" & SCAN=$!
for _ in $(seq 100); do $INNER nft list tables | grep -q kansoku && break; sleep 0.05; done
timeout 10 $OUTER python3 - <<'EOP'
import os, socket, struct
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
to = socket.inet_aton("198.51.100.9")
for port in range(61000, 65536):
    source = bytes([11, 7, 40, port % 256])
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 40, 1, 0, 64, 6, 0, source, to)
    s.sendto(ip + struct.pack("!HHIIBBHHH", 80, port, 1, int.from_bytes(os.urandom(4), "big"), 0x50, 0x12, 1024, 0, 0), ("198.51.100.9", 0))
EOP
wait $SCAN || fail "forged answers: $(cat "$WORK/said")"
[ "$(hits "$WORK/hits")" = 0 ] && [ "$(summary .forged)" -ge 4000 ] || fail "forged answers: $(cat "$WORK/said")"

# Shards make up the whole, and so do the parts of a scan that was cut short and interrupted.
list 11.7.50.0/25
: >"$WORK/parts"
for i in 0 1 2; do
	scan --targets "$WORK/list" --ports 80,443 --seed 7 --shard $i/3 --network-rate 0 --target-rate 0 --all --cooldown 0.2 --output-fields saddr,sport >"$WORK/hits"
	tail -n +2 "$WORK/hits" >>"$WORK/parts"
done
[ "$(wc -l <"$WORK/parts")" = 256 ] && [ "$(sort -u "$WORK/parts" | wc -l)" = 256 ] || fail "shards: $(wc -l <"$WORK/parts")"
scan --targets "$WORK/list" --ports 80 --seed 8 --packets 40 --network-rate 0 --all --output-fields saddr >"$WORK/first"
[ "$(summary .position)" = 40 ] || fail "a budget: $(cat "$WORK/said")"
$INNER "$PROGRAM" scan --config "$CONFIG" --survey whole --no-progress --cooldown 0.25 --targets "$WORK/list" --ports 80 --seed 8 --position 40 \
	--rate 40 --network-rate 0 --all --output-fields saddr >"$WORK/second" 2>"$WORK/said" & SCAN=$!
SERVERS="$SERVERS $SCAN"
for _ in $(seq 100); do grep -qs ' by ' "$WORK/said" && break; sleep 0.05; done
sleep 0.7
kill -INT $SCAN && wait $SCAN || fail "SIGINT: $(cat "$WORK/said")"
at=$(summary .position)
[ "$at" -gt 40 ] && [ "$at" -lt 128 ] && [ "$(summary .complete)" = false ] || fail "interrupted at $at: $(cat "$WORK/said")"
scan --targets "$WORK/list" --ports 80 --seed 8 --position "$at" --network-rate 0 --all --output-fields saddr >"$WORK/third"
for part in first second third; do tail -n +2 "$WORK/$part"; done >"$WORK/parts"
[ "$(wc -l <"$WORK/parts")" = 128 ] && [ "$(sort -u "$WORK/parts" | wc -l)" = 128 ] || fail "resumed: $(wc -l <"$WORK/parts") answers"

# The limit of a /24, in a capture: 20 a second are no two within 45 ms, also where all targets lie in it.
watch limited 'src host 198.51.100.9 and dst net 11.7.51.0/24'
list 11.7.51.0/27
scan --targets "$WORK/list" --ports 80 --network-rate 20 >"$WORK/hits" & SCAN=$!
# Meanwhile: killed hard, a scan leaves no table behind; its owner's end removes it.
list2=$WORK/list2
echo 11.7.52.0/24 >"$list2"
$INNER "$PROGRAM" scan --config "$CONFIG" --survey whole --no-progress --targets "$list2" --ports 80 --rate 20 --source-ports 50000-50999 \
	--send packet >/dev/null 2>"$WORK/killed" & VICTIM=$!
SERVERS="$SERVERS $VICTIM"
for _ in $(seq 100); do $INNER nft list tables | grep -q "kansoku_scan_$VICTIM" && break; sleep 0.05; done
$INNER nft list tables | grep -q "kansoku_scan_$VICTIM" || fail "no table of nftables: $(cat "$WORK/killed")"
kill -KILL $VICTIM
wait $VICTIM 2>/dev/null
for _ in $(seq 60); do $INNER nft list tables | grep -q "kansoku_scan_$VICTIM" || break; sleep 0.05; done
$INNER nft list tables | grep -q "kansoku_scan_$VICTIM" && fail "its table outlives a killed scan"
wait $SCAN || fail "limited: $(cat "$WORK/said")"
[ "$(hits "$WORK/hits")" = 32 ] && [ "$(summary .deferred)" -gt 20 ] || fail "limited: $(cat "$WORK/said")"

# An opt-out while it runs: from the next second on, none of its addresses is asked.
list 11.7.53.0/25
$INNER "$PROGRAM" scan --config "$CONFIG" --survey whole --no-progress --cooldown 0 --targets "$WORK/list" --ports 80 --rate 40 --network-rate 0 \
	>"$WORK/hits" 2>"$WORK/said" & SCAN=$!
SERVERS="$SERVERS $SCAN"
for _ in $(seq 100); do [ -s "$WORK/hits" ] && break; sleep 0.05; done
# What reads strangers' packets has given up all rights but to read that file.
grep -qP '^Seccomp:\t2' /proc/$SCAN/status && grep -qP '^CapEff:\t0{15}4$' /proc/$SCAN/status || fail "not confined: $(grep -E 'Seccomp|CapEff' /proc/$SCAN/status)"
echo 11.7.53.0/24 >>"$WORK/optout"
wait $SCAN || fail "an opt-out: $(cat "$WORK/said")"
[ "$(summary .refused)" -gt 20 ] && [ "$(summary '.sent + .refused')" = 128 ] || fail "an opt-out: $(cat "$WORK/said")"

# The same of one that came by the page, in the register of a kansoku beside.
mkdir -p -m 700 "$STATE/control"
list 11.7.54.0/25
$INNER "$PROGRAM" scan --config "$CONFIG" --survey whole --no-progress --cooldown 0 --targets "$WORK/list" --ports 80 --rate 40 --network-rate 0 \
	>"$WORK/hits" 2>"$WORK/said" & SCAN=$!
SERVERS="$SERVERS $SCAN"
for _ in $(seq 100); do [ -s "$WORK/hits" ] && break; sleep 0.05; done
echo '11.7.54.0/24 # 2026-11-23T10:00:00.000000Z page not mine' >>"$STATE/control/opted-out"
wait $SCAN || fail "an opt-out by the page: $(cat "$WORK/said")"
[ "$(summary .refused)" -gt 20 ] && [ "$(summary '.sent + .refused')" = 128 ] || fail "an opt-out by the page: $(cat "$WORK/said")"

sleep 0.3
kill -INT $CAPTURES
wait $CAPTURES
[ -z "$(watched excluded)" ] || fail "excluded addresses got packets: $(watched excluded frame ip.dst | sort | uniq -c | head -3)"
[ -z "$(watched resets)" ] || fail "the kernel answered: $(watched resets frame ip.dst | head -3)"
watched limited tcp.flags.syn==1 frame.time_epoch | awk 'NR > 1 && $1 - last < 0.045 {print $1 - last} {last = $1} END {if (NR != 32) print NR, "packets"}' >"$WORK/gaps"
[ ! -s "$WORK/gaps" ] || fail "packets to one /24 too soon: $(cat "$WORK/gaps")"
bad=$(tshark -n -r "$WORK/packets.pcap" -o ip.check_checksum:TRUE -o tcp.check_checksum:TRUE -o udp.check_checksum:TRUE \
	-Y 'ip.checksum.status==0 || tcp.checksum.status==0 || udp.checksum.status==0 || icmp.checksum.status==0 || (_ws.malformed && !tcp)' 2>/dev/null | head -3)
[ -z "$bad" ] || fail "checksums: $bad"
[ "$(tshark -n -r "$WORK/packets.pcap" -Y 'icmp.type==8 && data contains "https://scan.example.org/"' 2>/dev/null | wc -l)" = 128 ] ||
	fail "the echo requests do not say who asks"
echo "scan: 65024 of 65024 found, none excluded asked, none forged believed, no reset, limits and parts hold"
