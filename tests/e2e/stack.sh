#!/bin/bash
# Each decoy has the TCP/IP look of its device: nmap -O and p0f name its family.
#   tests/e2e/stack.sh      needs root
. "$(dirname "$0")/lib.sh"
two_networks
for tool in nmap p0f; do command -v $tool >/dev/null || skip "$tool is missing"; done

# address, persona, port that is open, what nmap -O says, what p0f says ("-": knows none such)
DECOYS='
192.0.2.1 camera 80 Linux.[23]\. Linux.3.x
192.0.2.2 dvr 80 Linux.[23]\. Linux.3.x
192.0.2.3 router 80 Linux.2.6 Linux.2.6.x
192.0.2.4 webserver 80 Linux.[45]\. -
192.0.2.5 windows_server 445 Windows.Server.2012 Windows.7.or.8
192.0.2.6 windows_client 445 Windows.7 Windows.7.or.8
192.0.2.7 printer 80 HP.LaserJet -
'
{
	cat <<-EOT
	passive:
	  workers: 2
	  stack: {interfaces: [wire]}
	  services: {telnet: {ports: [23]}, http: {ports: [80]}, smb: {ports: [445]}}
	  decoys:
	EOT
	echo "$DECOYS" | awk 'NF { print "    - {prefix: " $1 "/32, personas: [" $2 "]}" }'
} | loopback_config
start_kansoku
grep -q "this machine's TCP/IP look\|keep this machine's look" "$LOG" && skip "the kernel takes no programs for packets here"

p0f_said() { grep -aF "mod=syn+ack" "$WORK/p0f" | grep -aF "|srv=$1/"; }
out() { ip netns exec $OUTSIDE timeout 60 "$@"; }
ip netns exec $OUTSIDE p0f -i wire -o "$WORK/p0f" >"$WORK/p0f.said" 2>&1 &
SERVERS=$!
for _ in $(seq 50); do grep -qs 'main event loop' "$WORK/p0f.said" && break; sleep 0.1; done
# One open port and a closed one.
while read -r address persona port _; do
	[ -n "$address" ] && out nmap -n -Pn -O --osscan-guess -p $port,9 $address >"$WORK/nmap.$persona" 2>&1 &
done <<<"$DECOYS"
wait $(jobs -p | grep -vxF -e $KANSOKU_PID -e $SERVERS)
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

# A capture of packets of the same kind from this machine's own address: kansoku changes none.
ip netns exec $OUTSIDE ping -n -c 1 -W 2 198.51.100.1 | grep -q 'ttl=64' || fail "packets of an address that is no decoy are changed"
ip netns exec $OUTSIDE ping -n -c 1 -W 2 192.0.2.5 | grep -q 'ttl=128' || fail "a decoy's ping has another time to live than its SYN-ACK"
kill -KILL $KANSOKU_PID && wait $KANSOKU_PID 2>/dev/null
KANSOKU_PID=
for _ in $(seq 50); do
	ip netns exec $OUTSIDE ping -n -c 1 -W 2 192.0.2.5 | grep -q 'ttl=64' && gone=1 && break
	sleep 0.1
done
[ "${gone:-}" = 1 ] || fail "after kill -9 packets are still changed"
