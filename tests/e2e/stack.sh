#!/bin/bash
# Each decoy has the TCP/IP look of its device: nmap -O and p0f name its family.
#   tests/e2e/stack.sh      needs root
. "$(dirname "$0")/lib.sh"
two_networks
for tool in nmap p0f; do command -v $tool >/dev/null || skip "$tool is missing"; done
if command -v clang >/dev/null && command -v llvm-objcopy-14 >/dev/null; then
	tools/bpf --check || [ $? = 77 ] || fail "the kernel's programs are not made of their source"
fi

# address, persona, port that is open, what nmap -O says, what p0f says ("-": knows none such)
DECOYS='
192.0.2.1 camera 80 Linux.[23]\. Linux.3.x
192.0.2.2 dvr 80 Linux.[23]\. Linux.3.x
192.0.2.3 router 80 Linux.2.6 Linux.2.6.x
192.0.2.4 webserver 80 Linux.[45]\. -
192.0.2.5 windows_server 445 Windows.Server.2012 Windows.7.or.8
192.0.2.6 windows_client 445 Windows.7 Windows.7.or.8
192.0.2.7 printer 80 HP.LaserJet -
192.0.2.8 plc_rockwell 80 Rockwell -
192.0.2.9 plc_omron 80 Omron -
'
# Every look has an address on a good wire and one on a bad one.
LOOKS=$(sed -n 's/^| `\([a-z0-9.-]*\)` |.*/\1/p' docs/stack.md)
looks() { seq -f "$1%g" $((${2} + 1)) $((${2} + $(wc -w <<<"$LOOKS"))); }
mkdir "$WORK/personas" && cp etc/personas/*.yaml "$WORK/personas"
for look in $LOOKS; do printf 'name: look-%s\nstack: %s\n' $look $look >"$WORK/personas/look-$look.yaml"; done
MIDDLE=kansoku-mid-$$
tidy_up() { [ -n "${WIRE_PID:-}" ] && kill $WIRE_PID; ip netns del $MIDDLE 2>/dev/null; cleanup; }
trap tidy_up EXIT
ip netns add $MIDDLE && ip link add name bad netns $INSIDE type veth peer name one netns $MIDDLE &&
	ip link add name bad netns $OUTSIDE type veth peer name other netns $MIDDLE || skip "veth cannot be made here"
for end in one other; do ip -n $MIDDLE link set $end up; done
for ns in $INSIDE $OUTSIDE; do ip netns exec $ns python3 tests/e2e/stack_wire.py plain bad; ip -n $ns link set bad up; done
ip -n $INSIDE addr add 198.18.0.1/24 dev bad
ip -n $OUTSIDE addr add 198.18.0.2/24 dev bad
ip -n $OUTSIDE route add 192.0.2.64/26 via 198.18.0.1
gcc -O2 -o "$WORK/wire" tests/e2e/stack_wire.c || fail "stack_wire.c is not compiled"
ip netns exec $MIDDLE "$WORK/wire" one other 20 30 &
WIRE_PID=$!
{
	cat <<-EOT
	passive:
	  workers: 2
	  personas_dir: $WORK/personas
	  stack: {interfaces: [wire, bad]}
	  services: {telnet: {ports: [23]}, http: {ports: [80]}, smb: {ports: [445]}}
	  decoys:
	EOT
	echo "$DECOYS" | awk 'NF { print "    - {prefix: " $1 "/32, personas: [" $2 "]}" }'
	for first in 20 70; do
		paste <(looks 192.0.2. $first) <(echo "$LOOKS") | awk '{ print "    - {prefix: " $1 "/32, personas: [look-" $2 "]}" }'
	done
} | loopback_config
start_kansoku
grep -q "this machine's TCP/IP look\|keep this machine's look" "$LOG" && skip "the kernel takes no programs for packets here"

p0f_said() { grep -aF "mod=syn+ack" "$WORK/p0f" | grep -aF "|srv=$1/"; }
far() { ip netns exec $OUTSIDE python3 tests/e2e/stack_wire.py "$@"; }
out() { ip netns exec $OUTSIDE timeout 60 "$@"; }
ip netns exec $OUTSIDE p0f -i wire -o "$WORK/p0f" >"$WORK/p0f.said" 2>&1 &
SERVERS=$!
ip netns exec $INSIDE python3 tests/e2e/stack_wire.py serve 7777 &
SERVERS="$SERVERS $!"
for _ in $(seq 50); do grep -qs 'main event loop' "$WORK/p0f.said" && break; sleep 0.1; done
# Data by all looks at once, there and back, over a wire that loses 2 frames of 100 and has 3
# overtaken (BYTES=10000000 for more), where the kernel sums each segment; later over one where the device would cut segments.
far transfer 7777 ${BYTES:-1500000} $(looks 192.0.2. 70) >"$WORK/transfer.bad" &
TRANSFER=$!
# One open port and a closed one.
SCANS=
while read -r address persona port _; do
	[ -n "$address" ] || continue
	out nmap -n -Pn -O --osscan-guess --max-os-tries 1 -p $port,9 $address >"$WORK/nmap.$persona" 2>&1 &
	SCANS="$SCANS $!"
done <<<"$DECOYS"
wait $SCANS
while read -r address persona port nmap p0f; do
	[ -n "$address" ] || continue
	# Only the first of its guesses counts.
	first=$(sed -n 's/^OS details: //p; s/^Aggressive OS guesses: \([^%]*%)\).*/\1/p' "$WORK/nmap.$persona")
	[[ $first =~ $nmap ]] || fail "nmap -O takes $persona for: $first; not $nmap"
	[ "$p0f" = - ] && continue
	# A handshake as people make it, which p0f tells of once it is over.
	out bash -c "exec 3<>/dev/tcp/$address/$port"
	for _ in $(seq 30); do p0f_said $address | grep -q "|os=$p0f" && continue 2; sleep 0.1; done
	fail "p0f takes $persona for: $(p0f_said $address | tail -1)"
done <<<"$DECOYS"
echo "nmap -O and p0f name the family of each of $(grep -c . <<<"$DECOYS") devices"

far ttl 198.51.100.1 | grep -qx 64 || fail "an echo reply of an address that is no decoy has another time to live"
far ttl 192.0.2.6 | grep -qx 128 || fail "a decoy's echo reply has not its time to live"
python3 tests/e2e/stack_wire.py untouched $INSIDE $OUTSIDE 198.51.100.1 198.51.100.2 192.0.2.6 >"$WORK/changed" ||
	fail "$(cat "$WORK/changed")"
echo "packets of an address that is no decoy pass as they are"

far transfer 7777 10000000 $(looks 192.0.2. 20) >"$WORK/transfer" || fail "$(cat "$WORK/transfer")"
wait $TRANSFER || fail "$(cat "$WORK/transfer.bad")"
echo "data arrive as they were sent, slowest on the bad wire $(sort -k2n "$WORK/transfer.bad" | tail -1)"

echo_has() { for _ in $(seq 50); do far ttl 192.0.2.6 | grep -qx $1 && return; sleep 0.1; done; false; }
killed() { # and its processes gone, which end when they notice
	local children=$(pgrep -P $KANSOKU_PID)
	kill -KILL $KANSOKU_PID && wait $KANSOKU_PID 2>/dev/null
	KANSOKU_PID=
	for pid in $children; do for _ in $(seq 100); do kill -0 $pid 2>/dev/null || break; sleep 0.1; done; done
}
killed
echo_has 64 || fail "after kill -9 packets are still changed"

# As on kernels before 6.6: gone at the end, and what a kill -9 left at the next start.
sed -i 's/stack: {interfaces: .*/stack: {interfaces: [wire, bad], attach: filter}/' "$CONFIG"
rm -f "$STATE/run/ready" && start_kansoku
echo_has 128 || fail "as a filter the programs change nothing"
stop_kansoku
far ttl 192.0.2.6 2>/dev/null | grep -qx 128 && fail "filters stay after an orderly end"
rm -f "$STATE/run/ready" && start_kansoku
killed
sed -i '/stack: {interfaces/d' "$CONFIG"
rm -f "$STATE/run/ready" && start_kansoku
echo_has 64 || fail "filters that a killed kansoku left stay for ever"
