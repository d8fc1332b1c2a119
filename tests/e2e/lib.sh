# Sourced by the tests beside it: a kansoku of their own on loopback, ended when they end.
#
#   start_kansoku            with $CONFIG (written by loopback_config) and waits until it is ready
#   stop_kansoku             SIGTERM, and waits
#   two_networks             as root: kansoku's network $INSIDE, the attackers' $OUTSIDE, a wire between
#   intrude_from ADDRESS DECOY USER SECRET LINE...     from $OUTSIDE: what the decoy's telnet said
#   capture_begin, capture_end                         all that passes the wire, to $WORK/wire.pcap
#   fail SENTENCE, skip SENTENCE
#
# KANSOKU names the program; KEEP=1 keeps the state directory for a look.

set -u
# Debian's programs are the ones that tools/install.sh has installed modules for.
PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin:$PATH
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 2
KANSOKU=${KANSOKU:-build/plain/kansoku}
WORK=$(mktemp -d /tmp/kansoku-e2e.XXXXXX)
chmod 755 "$WORK"
STATE=$WORK/state
CONFIG=$WORK/kansoku.yaml
LOG=$WORK/log
HOST=${HOST:-127.0.0.1}
# Ports of this test alone, so that tests can run side by side.
BASE_PORT=${BASE_PORT:-$((10000 + ($$ % 4000) * 5))}
TELNET_PORT=$BASE_PORT HTTP_PORT=$((BASE_PORT + 1)) WEB_PORT=$((BASE_PORT + 2))
KANSOKU_PID=

fail() { echo "FAIL: $*"; [ -f "$LOG" ] && tail -20 "$LOG"; exit 1; }
skip() { echo "$*"; exit 77; }
need_root() { [ "$(id -u)" = 0 ] || skip "needs root for network namespaces"; }

loopback_config() { # further YAML on standard input
	cat >"$CONFIG" <<-EOT
	run: {state: $STATE}
	web: {port: $WEB_PORT}
	EOT
	cat >>"$CONFIG"
}

start_kansoku() {
	"$KANSOKU" run --config "$CONFIG" "$@" >>"$LOG" 2>&1 &
	KANSOKU_PID=$!
	for _ in $(seq 300); do
		[ -e "$STATE/run/ready" ] && return
		kill -0 $KANSOKU_PID 2>/dev/null || fail "kansoku ended at its start"
		sleep 0.1
	done
	fail "kansoku was not ready within 30 s"
}

stop_kansoku() {
	[ -n "$KANSOKU_PID" ] || return
	kill -TERM $KANSOKU_PID 2>/dev/null
	wait $KANSOKU_PID
	local status=$?
	KANSOKU_PID=
	return $status
}

# The process of a role: its pid.
role_pid() { pgrep -P "$KANSOKU_PID" -f "process $1\$" | head -1; }
query() { "$KANSOKU" query --config "$CONFIG" --format tsv "$1"; }

# Decoys on 192.0.2.0/25 and the prober at 198.51.100.9 here; all of 203.0.113.0/24 and
# 11.7.0.0/16 there, each address of which can attack and answer (AnyIP).
two_networks() {
	need_root
	for tool in ip tcpdump tshark python3 jq; do
		[ -n "$(command -v $tool)" ] || skip "$tool is missing"
	done
	INSIDE=kansoku-in-$$ OUTSIDE=kansoku-out-$$
	ip netns add $INSIDE && ip netns add $OUTSIDE || skip "network namespaces cannot be made here"
	ip link add name wire netns $INSIDE type veth peer name wire netns $OUTSIDE || skip "veth cannot be made here"
	for ns in $INSIDE $OUTSIDE; do ip -n $ns link set lo up; ip -n $ns link set wire up; done
	ip -n $INSIDE addr add 198.51.100.1/24 dev wire
	ip -n $INSIDE addr add 198.51.100.9/24 dev wire
	ip -n $OUTSIDE addr add 198.51.100.2/24 dev wire
	ip -n $INSIDE route add default via 198.51.100.2
	ip -n $OUTSIDE route add 192.0.2.0/25 via 198.51.100.1
	for theirs in 203.0.113.0/24 11.7.0.0/16; do ip -n $OUTSIDE route add local $theirs dev lo; done
	PROGRAM=$KANSOKU
	KANSOKU=$WORK/in_namespace
	printf '#!/bin/sh\nexec ip netns exec %s %s "$@"\n' $INSIDE "$(realpath "$PROGRAM")" >"$KANSOKU"
	chmod +x "$KANSOKU"
}

intrude_from() {
	ip netns exec $OUTSIDE timeout 30 python3 - "$@" <<-'EOP'
	import re, socket, sys
	source, decoy, lines = sys.argv[1], sys.argv[2], sys.argv[3:]
	s = socket.create_connection((decoy, 23), 10, (source, 0))
	s.settimeout(10)
	for line in lines + [None]:
	    seen = b""
	    while not re.search(rb"(ogin: ?|assword: ?|[#>$] )$", seen):
	        more = s.recv(65536)
	        if not more:
	            sys.exit(0)
	        seen += more
	    text = re.sub(rb"\xff[\xfb-\xfe].", b"", seen)
	    sys.stdout.buffer.write(text)
	    sys.stdout.flush()
	    if line is not None:
	        s.sendall(line.encode() + b"\r\n")
	EOP
}

capture_begin() {
	ip netns exec $OUTSIDE tcpdump -i wire -w "$WORK/wire.pcap" -s 4096 -B 32768 -U --immediate-mode ip >"$WORK/tcpdump" 2>&1 &
	CAPTURE_PID=$!
	for _ in $(seq 50); do grep -qs listening "$WORK/tcpdump" && return; sleep 0.1; done
	fail "tcpdump did not start: $(cat "$WORK/tcpdump")"
}
# What a capture does not show was not sent only if it is whole: the log of its tcpdump says so.
capture_is_whole() { grep -q '^0 packets dropped by kernel' "$1" || fail "the capture lost packets: $(tail -3 "$1")"; }
capture_end() {
	sleep 0.5
	kill -INT $CAPTURE_PID && wait $CAPTURE_PID
	CAPTURE_PID=
	capture_is_whole "$WORK/tcpdump"
}
packets() { tshark -n -r "$WORK/wire.pcap" -Y "$1" -T fields -e "${2:-frame.number}" 2>/dev/null; }

cleanup() {
	for pid in ${CAPTURE_PID:-} ${SERVERS:-}; do kill $pid 2>/dev/null; done
	[ -n "$KANSOKU_PID" ] && kill -TERM $KANSOKU_PID 2>/dev/null && wait $KANSOKU_PID
	for ns in ${INSIDE:-} ${OUTSIDE:-}; do ip netns del $ns 2>/dev/null; done
	[ "${KEEP:-}" = 1 ] && echo "kept $WORK" || rm -rf "$WORK"
}
trap cleanup EXIT
