#!/bin/bash
# Ports that no service has, of TCP and UDP, reach the catch-all, which hands over to whoever knows
# what is said.
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
# Over UDP the first datagram decides, and who is asked on a port answers from it, by the same guard
# as everywhere: never more than came, whatever is asked.
out python3 - >"$WORK/datagrams" <<-'EOT' || fail "$(cat "$WORK/datagrams")"
	import socket, sys
	TFTP, NTP = b"\0\1no-such-file\0octet\0", b"\x23" + bytes(47)
	DNS = b"\x12\x34\1\0\0\1\0\0\0\0\0\0\7example\3com\0\0\1\0\1"
	def ask(address, port, question):
	    s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
	    s.settimeout(2)
	    s.connect((address, port))  # answers from another port or address would not come in
	    s.send(question)
	    try:
	        return s.recv(2000)
	    except TimeoutError:
	        return b""
	    except ConnectionRefusedError:
	        return None
	bad = []
	for address, port, question, answer in (
	    ("192.0.2.20", 4444, TFTP, b"\0\5"), ("2001:db8:5::20", 4444, TFTP, b"\0\5"),
	    ("192.0.2.21", 9999, NTP, b"\x24"), ("192.0.2.22", 31338, DNS, b"\x12\x34"),
	    ("2001:db8:5::22", 31338, DNS, b"\x12\x34"), ("192.0.2.23", 4445, b"\1\2 unheard-of", b"")):
	    got = ask(address, port, question)
	    if got is None or not got.startswith(answer) or bool(got) != bool(answer):
	        bad.append(f"{address} port {port} answers {question} with {got}")
	if ask("192.0.2.70", 4444, TFTP) is not None:
	    bad.append("192.0.2.70 has UDP ports that nobody opened")
	s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
	s.connect(("192.0.2.24", 5353))
	s.settimeout(1)
	sent = came = 0
	for _ in range(200):
	    sent += s.send(DNS.replace(b"\0\1\0\1", b"\0\xff\0\1"))
	try:
	    while True:
	        came += len(s.recv(2000))
	except OSError:
	    pass
	if came > sent + 1400:
	    bad.append(f"{sent} bytes were asked and {came} answered")
	print(*bad, sep="\n")
	sys.exit(bool(bad))
EOT

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
for wanted in any/4445/1 tftp/4444/2 ntp/9999/1 dns/31338/2; do
	IFS=/ read -r service port count <<<"$wanted"
	kept=$(query "SELECT count() FROM events WHERE service = '$service' AND kind = 'request.seen' AND dport = $port AND proto = 'udp'")
	[ "$kept" = "$count" ] || fail "datagrams to port $port as $service: $kept, $count were sent"
done
stop_kansoku || fail "kansoku did not end in order"
ip netns exec $inside bash -c 'exec 3<>/dev/tcp/198.51.100.1/31337' 2>/dev/null && fail "the program outlived its parent"
exit 0
