#!/bin/bash
# An egress: a sample may speak with its command server within the caps, what it scans is turned to a decoy of
# ours, and its floods end in the sink; a capture beyond the host shows that nothing else left.
BASE_PORT=10000
. "$(dirname "$0")/lib.sh"
need_root
for tool in ip tcpdump tshark python3 bwrap; do
	[ -n "$(command -v $tool)" ] || skip "$tool is missing"
done
STAND=build/plain/program/tests/e2e/sink_stand
make -s "$STAND" || fail "$STAND cannot be built"
OUTSIDE=kansoku-out-$$
ip netns add $OUTSIDE || skip "network namespaces cannot be made here"
ip link add name uplink type veth peer name uplink netns $OUTSIDE || skip "veth cannot be made here"
sysctl -qw net.ipv6.conf.uplink.disable_ipv6=1
ip netns exec $OUTSIDE sysctl -qw net.ipv6.conf.uplink.disable_ipv6=1
ip link set uplink up && ip -n $OUTSIDE link set uplink up && ip -n $OUTSIDE link set lo up
ip addr add 198.51.100.1/24 dev uplink && ip route add default via 198.51.100.2
ip -n $OUTSIDE addr add 198.51.100.2/24 dev uplink
for theirs in 203.0.113.0/24 11.7.0.0/16; do ip -n $OUTSIDE route add local $theirs dev lo; done

cat >"$WORK/server.py" <<'EOP'
import socket, sys, threading
address, port, banner, more = sys.argv[1], int(sys.argv[2]), sys.argv[3].encode(), int(sys.argv[4])
s = socket.create_server((address, port), backlog=256)
print("listens", flush=True)
def serve(c, peer):
    total = 0
    try:
        c.sendall(banner)
        while True:
            said = c.recv(65536)
            if not said:
                break
            total += len(said)
            if said.startswith(b"more"):
                c.sendall(b"x" * more)
    except OSError:
        pass
    print("heard", total, flush=True)
while True:
    threading.Thread(target=serve, args=s.accept(), daemon=True).start()
EOP
ip netns exec $OUTSIDE python3 "$WORK/server.py" 203.0.113.66 4444 "order " 300000 >"$WORK/c2" 2>&1 &
SERVERS=$!
python3 "$WORK/server.py" 198.51.100.1 2323 "decoy login: " 0 >"$WORK/decoy" 2>&1 &
SERVERS="$SERVERS $!"
tcpdump -i uplink -s 4096 -B 32768 -U --immediate-mode -w "$WORK/wire.pcap" ip or ip6 >"$WORK/tcpdump" 2>&1 &
CAPTURE_PID=$!
for _ in $(seq 50); do grep -qs listening "$WORK/tcpdump" && grep -qs listens "$WORK/c2" && grep -qs listens "$WORK/decoy" && break; sleep 0.1; done

cat >"$WORK/bot.py" <<'EOP'
import socket
def connect(host, port):
    s = socket.create_connection((host, port), 5)
    s.settimeout(5)
    return s
def read_all(s):
    heard = b""
    try:
        while True:
            more = s.recv(65536)
            if not more:
                break
            heard += more
    except OSError:
        pass
    return heard
c = connect("c2.example", 4444)
print("told", c.recv(100))
c.sendall(b"bot 7 is here")
d = connect("c2.example", 4444)
d.recv(100)
d.sendall(b"more please")
print("received", len(read_all(d)))
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(3000):
    u.sendto(b"x" * 100, ("203.0.113.66", 4444))
half = []
for i in range(300):
    t = socket.socket()
    t.setblocking(False)
    try:
        t.connect(("203.0.113.66", 80))
    except BlockingIOError:
        pass
    half.append(t)
decoyed = 0
for i in range(100):
    s = connect("11.7.0.%d" % (i + 1), 23)
    s.settimeout(0.5)
    try:
        decoyed += s.recv(100) == b"decoy login: "
    except OSError:
        pass
    s.close()
print("decoyed", decoyed)
print("elsewhere", connect("203.0.113.67", 4444) is not None)
EOP
cat >"$WORK/talker.py" <<'EOP'
import socket
e = socket.create_connection(("c2.example", 4444), 5)
try:
    for i in range(100):
        e.sendall(b"y" * 1000)
    while e.recv(65536):
        pass
except OSError:
    pass
EOP
EGRESS_FORBIDDEN=1 EGRESS_TARGET=c2.example,203.0.113.66,4444 timeout 20 "$STAND" box 5 "$WORK/none.pcap" - /dev/null \
	/usr/bin/python3 -c "$(cat "$WORK/bot.py")" >"$WORK/refused" 2>&1
[ $? = 1 ] && grep -q 'lets nothing leave' "$WORK/refused" || { cat "$WORK/refused"; fail "a keeper without egress let it pass"; }
[ "$(tshark -n -r "$WORK/wire.pcap" 2>/dev/null | wc -l)" = 0 ] || fail "something left without an egress"
EGRESS_TARGET=c2.example,203.0.113.66,4444 EGRESS_DECOY=23,198.51.100.1,2323 timeout 60 "$STAND" box 40 "$WORK/sink.pcap" \
	- /dev/null /usr/bin/python3 -c "$(cat "$WORK/bot.py")" >"$WORK/found" 2>"$WORK/said" || { cat "$WORK/said"; fail "no run"; }
EGRESS_TARGET=c2.example,203.0.113.66,4444 timeout 60 "$STAND" box 40 "$WORK/talk.pcap" - /dev/null \
	/usr/bin/python3 -c "$(cat "$WORK/talker.py")" >"$WORK/talked" 2>&1 || { cat "$WORK/talked"; fail "no run"; }
sleep 0.5
kill -INT $CAPTURE_PID; wait $CAPTURE_PID; CAPTURE_PID=
capture_is_whole "$WORK/tcpdump"
wants() { grep -qE "$1" "$2" || { cat "$WORK/said"; grep -v '^flow 11.7' "$WORK/found"; fail "not found: $1"; }; }
wants "^told b'order '" "$WORK/said"
wants '^elsewhere True' "$WORK/said"
wants '^flow c2.example:4444 .* left 2 protocol egress$' "$WORK/found"
wants '^hello c2.example:4444 egress bytes 13 registers$' "$WORK/found"
wants '^flood udp 203.0.113.66:4444 packets 3000' "$WORK/found"
wants '^limit egress.sent' "$WORK/talked"
wants '^limit egress.received' "$WORK/found"
received=$(awk '/^received/ {print $2}' "$WORK/said")
[ "$received" -le 65536 ] && [ "$received" -ge 60000 ] || fail "$received bytes came in, the cap is 65536"
heard=$(awk '/^heard/ {n += $2} END {print n + 0}' "$WORK/c2")
[ "$heard" -ge 4096 ] && [ "$heard" -le $((4096 + 24)) ] || fail "the command server heard $heard bytes, 24 of one run, 4096 may be of the other"
decoyed=$(awk '/^decoyed/ {print $2}' "$WORK/said")
[ "$decoyed" = 64 ] || fail "$decoyed connections of the scan met the decoy, the cap is 64"
# The positive control is the conversation itself: the wire shows it, and nothing beside it.
[ "$(packets 'tcp.flags.syn == 1 && tcp.flags.ack == 0 && ip.dst == 203.0.113.66 && tcp.dstport == 4444' | wc -l)" = 3 ] ||
	fail "the wire does not show three connections to the command server"
others=$(packets '!(ip.addr == 198.51.100.1 && ip.addr == 203.0.113.66 && tcp.port == 4444)')
[ -z "$others" ] || { tshark -n -r "$WORK/wire.pcap" -Y '!(ip.addr == 203.0.113.66 && tcp.port == 4444)' | head -5; fail "something else left"; }
echo "3 connections left with $heard bytes; $decoyed of a scan met the decoy; 3000 datagrams and 300 SYN ended in the sink"
