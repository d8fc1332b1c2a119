#!/bin/bash
# Ports that no service has reach the catch-all, which hands over to whoever knows what is said.
#   tests/e2e/every_port.sh      needs root
. "$(dirname "$0")/lib.sh"
need_root
for client in ip curl nmap python3; do command -v $client >/dev/null || skip "$client is missing"; done
inside=kansoku-in-$$ outside=kansoku-out-$$
tidy_up() { ip netns del $inside 2>/dev/null; ip netns del $outside 2>/dev/null; cleanup; }
trap tidy_up EXIT
ip netns add $inside && ip netns add $outside || skip "network namespaces cannot be made here"
ip link add name decoys netns $inside type veth peer name world netns $outside || skip "veth cannot be made here"
for ns in $inside $outside; do ip -n $ns link set lo up; done
ip -n $inside addr add 198.51.100.1/24 dev decoys
ip -n $inside addr add 2001:db8:ffff::1/64 dev decoys nodad
ip -n $inside link set decoys up
ip -n $outside addr add 198.51.100.2/24 dev world
ip -n $outside addr add 2001:db8:ffff::2/64 dev world nodad
ip -n $outside link set world up
ip -n $outside route add 192.0.2.0/25 via 198.51.100.1
ip -n $outside route add 2001:db8:5::/64 via 2001:db8:ffff::1

loopback_config <<-EOT
	passive:
	  workers: 2
	  decoys:
	    - {prefix: 192.0.2.0/26, personas: [camera], every_port: true}
	    - {prefix: 192.0.2.64/26, personas: [camera]}
	    - {prefix: "2001:db8:5::/64", personas: [camera], every_port: true}
	  services: {telnet: {ports: [2323]}, http: {ports: [80]}, any: {}}
EOT
ip netns exec $inside "$KANSOKU" run --config "$CONFIG" >>"$LOG" 2>&1 &
KANSOKU_PID=$!
for _ in $(seq 300); do
	[ -e "$STATE/run/ready" ] && break
	sleep 0.1
done
[ -e "$STATE/run/ready" ] || fail "kansoku was not ready within 30 s"
grep -q 'every_port: the other ports stay closed' "$LOG" && skip "the kernel takes no program for sockets here"

out() { ip netns exec $outside timeout 10 "$@"; }
for address in 192.0.2.7 '[2001:db8:5::7]'; do
	for port in 80 81 8443 31337 65535; do
		out curl -s -m 5 -o /dev/null -D "$WORK/head" "http://$address:$port/" ||
			fail "$address port $port does not answer HTTP"
		grep -q WIFICAM "$WORK/head" || fail "$address port $port is another server than on port 80"
	done
done
out curl -sk -m 5 -o /dev/null -D "$WORK/head" https://192.0.2.7:31338/ && grep -q WIFICAM "$WORK/head" ||
	fail "a port that no service has does not speak TLS"
# The usual port of a service that speaks first, though it listens elsewhere.
out bash -c 'exec 3<>/dev/tcp/192.0.2.9/23; timeout 1 cat <&3' | grep -aq 'ogin:' || fail "port 23 does not greet as telnet"
# What nobody knows: kept, and not a byte of an answer.
answer=$(out python3 - <<-'EOT'
	import socket
	s = socket.create_connection(("192.0.2.11", 4444), 5)
	s.sendall(b"\x00\x01\x02\x03 unheard-of\r\n")
	s.settimeout(1)
	try:
	    print(len(s.recv(100)))
	except TimeoutError:
	    print("silent")
EOT
)
[ "$answer" = silent ] || fail "an unknown protocol was answered: $answer"
# Where it is not wished for, closed ports stay closed; so do those of the machine's own address.
for address in 192.0.2.70 198.51.100.1; do
	open=$(out nmap -n -Pn -sT -p 79,81,4444,61439 --max-retries 1 -oG - $address | grep -o '[0-9]*/open' | sort -u)
	[ -z "$open" ] || fail "$address shows open ports: $open"
done
out nmap -n -Pn -sT -p 79,4444,50000 -oG - 192.0.2.12 | grep -q '50000/open' || fail "nmap finds no open port"

for _ in $(seq 50); do
	kept=$(query "SELECT count() FROM events WHERE service = 'any' AND kind = 'request.seen' AND dport = 4444" 2>/dev/null)
	[ "${kept:-0}" -gt 0 ] && break
	sleep 0.2
done
[ "${kept:-0}" -gt 0 ] || fail "the unknown payload is not in the store"
handed=$(query "SELECT count() FROM events WHERE service = 'http' AND kind = 'request.seen' AND dport = 31337")
[ "$handed" = 2 ] || fail "requests that were handed over: $handed, 2 were sent"
stop_kansoku || fail "kansoku did not end in order"
ip netns exec $inside bash -c 'exec 3<>/dev/tcp/198.51.100.1/31337' 2>/dev/null && fail "the program outlived its parent"
exit 0
