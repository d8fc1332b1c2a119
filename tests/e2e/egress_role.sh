#!/bin/bash
# A sample talks with its command server only where the configuration allows it and a person named or approved
# that endpoint: by `kansoku analyse --egress`, and in the lab of a running kansoku. A capture beyond the host
# shows that what it said to that endpoint left, as often as it was approved, and nothing else.
. "$(dirname "$0")/lib.sh"
need_root
for tool in ip tcpdump tshark python3 jq curl gcc bwrap; do [ -n "$(command -v $tool)" ] || skip "needs $tool"; done
[ -e node_modules ] || [ -n "${CHDB:-}" ] || skip "needs libchdb.so"
DECOY=127.25.0.2 C2=203.0.113.66
OUTSIDE=kansoku-out-$$
ip netns add $OUTSIDE || skip "network namespaces cannot be made here"
ip link add name uplink type veth peer name uplink netns $OUTSIDE || skip "veth cannot be made here"
sysctl -qw net.ipv6.conf.uplink.disable_ipv6=1
ip netns exec $OUTSIDE sysctl -qw net.ipv6.conf.uplink.disable_ipv6=1
ip link set uplink up && ip -n $OUTSIDE link set uplink up && ip -n $OUTSIDE link set lo up
ip addr add 198.51.100.1/24 dev uplink && ip route add default via 198.51.100.2
ip -n $OUTSIDE addr add 198.51.100.2/24 dev uplink
for theirs in 203.0.113.0/24 11.7.0.0/16; do ip -n $OUTSIDE route add local $theirs dev lo; done

# Harmless: it greets its server as some bots do and keeps what it hears, sends datagrams, asks another server, scans.
gcc -x c -O1 -s -static -o "$WORK/sample" - <<-EOT || fail "no static libc to build with"
	#include <arpa/inet.h>
	#include <stdio.h>
	#include <string.h>
	#include <unistd.h>
	static int reach(const char *to, int port)
	{
		struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
		int s = socket(AF_INET, SOCK_STREAM, 0);
		inet_pton(AF_INET, to, &a.sin_addr);
		if (connect(s, (void *)&a, sizeof a) == 0)
			return s;
		close(s);
		return -1;
	}
	int main(void)
	{
		char heard[64], to[32];
		struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(4455)};
		int s = reach("$C2", 4455), u = socket(AF_INET, SOCK_DGRAM, 0);
		if (s >= 0 && write(s, "BUILD MIPS\n", 11) == 11) {
			ssize_t n = read(s, heard, sizeof heard);
			FILE *left = fopen("/tmp/.heard", "w");
			if (left && n > 0) fwrite(heard, 1, n, left);
			if (left) fclose(left);
		}
		inet_pton(AF_INET, "$C2", &a.sin_addr);
		for (int i = 0; i < 200; i++)
			sendto(u, "flood", 5, 0, (void *)&a, sizeof a);
		s = reach("$C2", 80);
		s = reach("203.0.113.67", 4455);
		if (s >= 0) write(s, "elsewhere\n", 10);
		for (int i = 1; i <= 20; i++) {
			snprintf(to, sizeof to, "11.7.0.%d", i);
			s = reach(to, 23);
			if (s >= 0) { write(s, "scan\n", 5); read(s, heard, sizeof heard); close(s); }
		}
		return 0;
	}
EOT
cat >"$WORK/server.py" <<'EOP'
import socket, sys
s = socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=64)
print("listens", flush=True)
while True:
    c, _ = s.accept()
    c.settimeout(5)
    try:
        if sys.argv[3] == "decoy":
            c.sendall(b"decoy login: ")
        print(repr(c.recv(100)), flush=True)
        c.sendall(b"!* ORDER %d\n" % int(sys.argv[2]))
    except OSError:
        pass
    c.close()
EOP
ip netns exec $OUTSIDE python3 "$WORK/server.py" $C2 4455 c2 >"$WORK/c2" 2>&1 & SERVERS=$!
python3 "$WORK/server.py" 198.51.100.1 2323 decoy >"$WORK/decoy" 2>&1 & SERVERS="$SERVERS $!"
tcpdump -i uplink -s 4096 -B 32768 -U --immediate-mode -w "$WORK/wire.pcap" ip or ip6 >"$WORK/tcpdump" 2>&1 & CAPTURE_PID=$!
for _ in $(seq 50); do grep -qs listening "$WORK/tcpdump" && grep -qs listens "$WORK/c2" && grep -qs listens "$WORK/decoy" && break; sleep 0.1; done
heard() { grep -c BUILD "$WORK/c2"; }
syns() { packets 'tcp.flags.syn == 1 && tcp.flags.ack == 0' | wc -l; }

configure() { # egress
	loopback_config <<-EOT
		operator: {contact: abuse@example.org}
		passive:
		  decoys: [{prefix: $DECOY, personas: [webserver]}]
		  services: {http: {ports: [$HTTP_PORT], upload_max: 1M}}
		  workers: 1
		active: {scope: [{prefix: 203.0.113.64/26, special: allow}], addresses: [198.51.100.1]}
		lab: {run: {on: yes, time: 3s}, at_once: 1, egress: $1}
		${CHDB:+store: {library: $CHDB\}}
	EOT
}
analyse() { timeout 30 "$KANSOKU" analyse "$WORK/sample" --config "$CONFIG" --run --as root --time 3 --json "$@" >"$WORK/alone" 2>"$WORK/alone.err"; }

# Without the configuration's word nothing leaves, whoever asks for it; nor to whom the policy refuses.
configure '{on: no}'
analyse --egress $C2:4455
[ $? = 1 ] && grep -q 'lab.egress.on is not set' "$WORK/alone.err" || fail "an egress without lab.egress.on: $(cat "$WORK/alone.err")"
"$KANSOKU" check-config "$CONFIG" 2>&1 | grep -q 'lab.egress' && fail "check-config warns of what is off"
configure '{on: yes, decoys: [{port: 23, address: 198.51.100.1, to: 2323}], sent: 1K, received: 2K, connections: 2}'
"$KANSOKU" check-config "$CONFIG" >"$WORK/checked" 2>&1 || fail "check-config: $(cat "$WORK/checked")"
grep -q '^!!! lab.egress.on: .*1024 bytes out, 2048 in, 2 connections' "$WORK/checked" || fail "check-config says nothing of it: $(cat "$WORK/checked")"
for bad in 127.0.0.1:4455 203.0.113.7:4455 10.0.0.1:4455; do
	analyse --egress $bad
	[ $? = 1 ] && grep -q 'no egress: ' "$WORK/alone.err" || fail "an egress to $bad: $(cat "$WORK/alone.err")"
done
[ "$(heard)" = 0 ] && [ "$(syns)" = 0 ] || fail "something left before anybody allowed it"

# By hand, to one endpoint.
analyse --egress $C2:4455 || { grep -qiE "box|bwrap|namespace" "$WORK/alone.err" && skip "no box here: $(cat "$WORK/alone.err")"; fail "analyse --egress: $(cat "$WORK/alone.err")"; }
grep -q "^!!! .* really leaves" "$WORK/alone.err" || fail "it is not said that something leaves: $(cat "$WORK/alone.err")"
[ "$(heard)" = 1 ] || fail "the server heard $(heard) greetings, not one"
jq -e --arg c2 "$C2:4455" '(.runs | length) == 1 and (.runs[0].how == "native with egress to " + $c2)' "$WORK/alone" >/dev/null || fail "the report: $(jq -c .runs "$WORK/alone" | cut -c1-600)"
decoyed=$(grep -c scan "$WORK/decoy")
[ "$decoyed" = 20 ] || fail "$decoyed of 20 connections of the scan met the decoy"

# In the lab: run as ever, asked for, approved, run once more.
start_kansoku --only journal,store,control,passive,lab,web
curl -sS -m 20 -o /dev/null -F "file=@$WORK/sample" "http://$DECOY:$HTTP_PORT/upload.php" || fail "the upload failed"
sample=$(sha256sum <"$WORK/sample" | cut -c1-64)
for _ in $(seq 150); do
	"$KANSOKU" approve --config "$CONFIG" --json 2>/dev/null >"$WORK/waiting" && [ -s "$WORK/waiting" ] && break
	sleep 0.2
done
jq -e --arg c2 $C2 --arg sample $sample 'select(.kind == "egress-run" and .target == $c2 and .port == 4455 and .sample == $sample)' "$WORK/waiting" >/dev/null ||
	fail "no approval is asked for: $(cat "$WORK/waiting")"
[ "$(jq -r .text "$WORK/waiting")" = "$(printf '%s:4455\nBUILD MIPS\n' $C2 | od -An -v -tx1 | tr -d ' \n')" ] || fail "another text is shown: $(jq -r .text "$WORK/waiting")"
[ "$(heard)" = 1 ] || fail "it talked before anybody approved"
"$KANSOKU" approve --config "$CONFIG" "$(jq -r .id "$WORK/waiting")" --yes "$(jq -r .sha256 "$WORK/waiting")" --by tester >"$WORK/said" 2>&1 || fail "approve: $(cat "$WORK/said")"
analysed() { query "SELECT value[indexOf(field,'sample.runs')] FROM log WHERE kind = 'sample.analysed' AND file_sha256 = '$sample' ORDER BY id" 2>/dev/null; }
for _ in $(seq 150); do [ "$(analysed | wc -l)" = 2 ] && break; sleep 0.2; done
runs=$(analysed | tail -1)
[[ "$runs" == "root native "*"; user native "*"; root native with egress to $C2:4455 "* ]] || fail "the third run is not told: $(analysed)"
[[ "$(analysed | head -1)" == *egress* ]] && fail "the first time it was let out already"
[ "$(heard)" = 2 ] || fail "the server heard $(heard) greetings, one by hand and one approved are right"
order=$(printf '!* ORDER 4455\n' | sha256sum | cut -c1-64)
[ "$(query "SELECT count() FROM log WHERE kind = 'file.captured' AND file_sha256 = '$order'")" = 1 ] || fail "the order that it heard was not captured"
"$KANSOKU" approve --config "$CONFIG" --json 2>/dev/null | grep -q waiting && fail "it asks again"
[ "$(query "SELECT count() FROM log WHERE kind = 'decision.made' AND value[indexOf(field,'approval.kind')] = 'egress-run' AND decision = 'spent'")" = 1 ] || fail "the approval was not spent"
stop_kansoku || fail "kansoku did not end cleanly"
sleep 0.3
kill -INT $CAPTURE_PID && wait $CAPTURE_PID; CAPTURE_PID=
capture_is_whole "$WORK/tcpdump"
# The conversation is the positive control: both times, these bytes, to that port, and nothing beside it.
[ "$(syns)" = 2 ] || fail "$(syns) connections left, two were allowed"
packets 'ip.src == 198.51.100.1 && tcp.len > 0' tcp.payload | sort | uniq -c >"$WORK/left"
[ "$(awk '{print $1, $2}' "$WORK/left")" = "2 $(printf 'BUILD MIPS\n' | od -An -v -tx1 | tr -d ' \n')" ] || fail "other bytes left: $(cat "$WORK/left")"
others=$(packets "!(arp) && !(ip.addr == 198.51.100.1 && ip.addr == $C2 && tcp.port == 4455)")
[ -z "$others" ] || { tshark -n -r "$WORK/wire.pcap" -Y "!(ip.addr == $C2 && tcp.port == 4455)" | head -5; fail "something else left"; }
echo "ok: $runs; two greetings left, $(grep -c scan "$WORK/decoy") connections of scans met the decoy"
