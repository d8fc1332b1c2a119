#!/bin/bash
# Makes the captures of this folder again: the tools as Debian has them, each run once through a
# pair of namespaces of its own; and, by build.py, what no package is here for; and, by
# payloads.py, first payloads.  Needs root, and scapy, curl, openssl, ssh, psql for the payloads.
#
#   tests/captures/telescope/make.sh            all of them, into this folder
set -eu
cd "$(dirname "$0")"
out=$PWD
src=kansoku-tools-$$ dst=kansoku-dark-$$
dark=198.51.100.0/24 snap=400

for tool in zmap masscan nmap hping3 tcpdump python3; do
	command -v "$tool" >/dev/null || { echo "make.sh: $tool is missing, apt-get install it"; exit 1; }
done
[ "$(id -u)" = 0 ] || { echo "make.sh: must be root, it makes namespaces"; exit 1; }

end() {
	ip netns del "$src" 2>/dev/null || :
	ip netns del "$dst" 2>/dev/null || :
}
trap end EXIT
ip netns add "$src"
ip netns add "$dst"
ip link add tool0 netns "$src" type veth peer name dark0 netns "$dst"
ip -n "$src" link set lo up
ip -n "$src" link set tool0 up
ip -n "$dst" link set dark0 up
ip -n "$src" addr add 192.0.2.9/30 dev tool0
ip -n "$dst" addr add 192.0.2.10/30 dev dark0
ip -n "$src" route add default via 192.0.2.10
ip netns exec "$dst" sysctl -qw net.ipv4.ip_forward=0
mac=$(ip -n "$dst" -o link show dark0 | sed 's/.*ether \([0-9a-f:]*\).*/\1/')

# name, packets, command...: what of it reaches the dark space.
capture() {
	local name=$1 count=$2
	shift 2
	ip netns exec "$dst" timeout 30 tcpdump -q -Z root -i dark0 -s "$snap" -c "$count" -w "$out/$name.pcap" \
		"src 192.0.2.9 and dst net $dark and (tcp or udp or icmp)" 2>/dev/null &
	local dump=$!
	sleep 0.7
	ip netns exec "$src" timeout 25 "$@" >/dev/null 2>&1 </dev/null || :
	sleep 0.3
	kill "$dump" 2>/dev/null || :
	wait "$dump" 2>/dev/null || :
	chmod 644 "$out/$name.pcap"
	echo "$name: $(tcpdump -r "$out/$name.pcap" 2>/dev/null | wc -l) packets"
}

# zmap refuses the documentation prefixes unless its list of what it must not touch is empty.
none=$(mktemp)
zmap() { capture "$1" "$2" zmap -i tool0 -G "$mac" -S 192.0.2.9 -b "$none" -r 200 -c 0 "${@:3}" "$dark"; }
zmap zmap_2.1.1 24 -p 80
zmap zmap_2.1.1_icmp 12 -M icmp_echoscan
printf x >"$none.payload"
zmap zmap_2.1.1_udp 12 -M udp -p 53 "--probe-args=text:x"
rm -f "$none.payload"
capture masscan_1.3.2 24 masscan --adapter tool0 --adapter-ip 192.0.2.9 --router-mac "$mac" --rate 200 --wait 0 \
	-p 80,443 "$dark"
capture nmap_sS 24 nmap -n -Pn -sS --max-retries 0 --max-rate 200 -p 22,80,443 198.51.100.0/28
capture nmap_sF 12 nmap -n -Pn -sF --max-retries 0 --max-rate 200 -p 22,80 198.51.100.0/28
capture nmap_sN 12 nmap -n -Pn -sN --max-retries 0 --max-rate 200 -p 22,80 198.51.100.0/28
capture nmap_sX 12 nmap -n -Pn -sX --max-retries 0 --max-rate 200 -p 22,80 198.51.100.0/28
capture nmap_sA 12 nmap -n -Pn -sA --max-retries 0 --max-rate 200 -p 22,80 198.51.100.0/28
capture nmap_sT 16 nmap -n -Pn -sT --max-retries 0 --max-rate 200 -p 22,80 198.51.100.0/28
snap=42 # headers only: what it asks is in data files that are not ours to hand on
capture nmap_sU 32 nmap -n -Pn -sU --max-retries 0 --max-rate 200 -p 53,67,69,111,123,137,161,177,500,520,1434,1900,3283,5060,5353,11211 198.51.100.7
snap=400
capture hping3_S 20 hping3 -q -S -p 80 -i u20000 -c 20 198.51.100.7
capture hping3_scan 20 hping3 -q --scan 1-20 -S 198.51.100.7
capture hping3_plain 8 hping3 -q -i u20000 -c 8 198.51.100.7

# nmap looks for systems only behind ports that answer: one host that does.
ip -n "$dst" addr add 198.51.100.7/32 dev dark0
ip netns exec "$dst" timeout 60 python3 -m http.server --bind 198.51.100.7 80 >/dev/null 2>&1 &
server=$!
sleep 1
capture nmap_O 40 nmap -n -Pn -O --max-os-tries 1 --max-retries 0 -p 80,81 198.51.100.7
kill $server 2>/dev/null || :
rm -f "$none"
"$out/build.py" "$out"
"$out/payloads.py" "$out"
