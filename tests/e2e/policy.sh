#!/bin/bash
# Every refusal, seen from the other end of a wire: not one packet.  The page, its probing.txt and its
# opt-out, which ends a look that is under way; the letter that accounts for every packet.
. "$(dirname "$0")/lib.sh"
need_root
for tool in ip tcpdump tshark busybox jq curl python3; do
	[ -n "$(command -v $tool)" ] || skip "needs $tool"
done
OURS=kp-a-$$ THEIRS=kp-b-$$ SERVERS=
end_servers() {
	for pid in $SERVERS; do kill $pid 2>/dev/null; done
	cleanup
	ip netns del $OURS 2>/dev/null
	ip netns del $THEIRS 2>/dev/null
}
trap end_servers EXIT
ip netns add $OURS 2>/dev/null || skip "no network namespaces here"
ip netns add $THEIRS
ip -n $OURS link add wire type veth peer name wire netns $THEIRS
for ns in $OURS $THEIRS; do ip -n $ns link set lo up; ip -n $ns link set wire up; done
ip -n $OURS addr add 10.76.0.2/24 dev wire
ip -n $THEIRS addr add 10.76.0.254/24 dev wire
ip -n $OURS route add default via 10.76.0.254
for theirs in 11.7.0.0/16 11.8.0.0/16 10.77.0.0/16; do ip -n $THEIRS route add local $theirs dev lo; done
ip -n $OURS addr add fd76::2/64 dev wire nodad
ip -n $THEIRS addr add fd76::254/64 dev wire nodad
ip -n $OURS -6 route add default via fd76::254
THERE="ip netns exec $THEIRS"
mkdir "$WORK/www" && echo '<title>DVR</title>' >"$WORK/www/index.html"
# .1.1 is a camera, .2.1 drips a letter at a time, .1.2 is closed.
cat >"$WORK/hosts.py" <<-'EOP'
import socket, threading, time
def serve(address, port, speak):
    s = socket.create_server((address, port))
    while True:
        threading.Thread(target=speak, args=(s.accept()[0],), daemon=True).start()
def camera(c):
    c.sendall(b"Camera\r\nlogin: ")
    while c.recv(4096):
        pass
    c.close()
def drip(c):
    try:
        while True:
            c.sendall(b"x")
            time.sleep(0.2)
    except OSError:
        c.close()
threading.Thread(target=serve, args=("11.7.1.1", 23, camera), daemon=True).start()
serve("11.7.2.1", 23, drip)
EOP
$THERE python3 "$WORK/hosts.py" & SERVERS="$SERVERS $!"
$THERE busybox httpd -f -p 11.7.1.1:80 -h "$WORK/www" & SERVERS="$SERVERS $!"
$THERE tcpdump -i wire -w "$WORK/all.pcap" -s 4096 -B 32768 -U --immediate-mode ip or ip6 >"$WORK/tcpdump" 2>&1 & CAPTURE_PID=$!
for _ in $(seq 50); do grep -q listening "$WORK/tcpdump" && break; sleep 0.1; done

mkdir "$WORK/out" && echo 11.7.4.0/24 >"$WORK/out/optout"
printf '11.7.5.0/24 Example survey\n' >"$WORK/out/scanners"
printf '11.7.9.0\t24\t64512\n' >"$WORK/out/pfx2as"
chmod 755 "$WORK/out"; chmod 644 "$WORK"/out/*
write_config() { # further lines of `active`
	loopback_config <<-EOT
	operator: {name: Test CSIRT, contact: abuse@example.org, page: "https://example.org/probing"}
	passive:
	  decoys: [{prefix: 11.7.6.0/24}]
	telescope:
	  prefixes: [{prefix: 11.7.7.0/24}]
	active:
	  scope: [{prefix: 11.7.0.0/16}, {prefix: 10.77.0.0/16}, {prefix: "2002::/16", special: allow}, {prefix: "2000::/3"}]
	  hold_out: 0
	  ports_max: 4
	  opt_out: $WORK/out/optout
	  addresses: [10.76.0.2, "fd76::2"]
	  delay: {min: 0s, max: 0s}
	  page: {listen: [10.76.0.2], port: 80}
	$1
	prober: {pause: 0s, idle: 1s}
	EOT
}
PROGRAM=$KANSOKU
KANSOKU=$WORK/in_namespace
printf '#!/bin/sh\nexec ip netns exec %s %s/%s "$@"\n' "$OURS" "$PWD" "$PROGRAM" >"$KANSOKU"
chmod +x "$KANSOKU"
probe() { "$KANSOKU" probe "$@" --config "$CONFIG" --json; }
refused() { # reason, target, more arguments
	local reason=$1
	shift
	probe "$@" >"$WORK/answer" 2>&1 && fail "$1 was not refused: $reason"
	jq -es --arg r "$reason" '.[0].reason==$r' <"$WORK/answer" >/dev/null || fail "$1: not refused as $reason: $(cat "$WORK/answer")"
}
write_config "  known_scanner_files: [$WORK/out/scanners]
  as_file: $WORK/out/pfx2as"
start_kansoku --only journal,store,control,active,page

probe 11.7.1.1 >"$WORK/1" || fail "11.7.1.1 was not looked at: $(cat "$WORK/1")"
probe 11.7.1.2 >"$WORK/2"
refused target-budget 11.7.1.1
refused target-budget 11.7.1.9 --ports 23,80,8080,8081,8888
refused scope 11.8.0.1
refused special 10.77.0.1
refused special 2002:a4d:1::1
refused opted-out 11.7.4.4
refused opted-out 2002:b07:404::1
refused own 11.7.6.1
refused own 11.7.7.1
refused special 10.76.0.2
refused known-scanner 11.7.5.5
jq -es '.[0].detail | contains("Example survey")' <"$WORK/answer" >/dev/null || fail "the scanner's name is not told: $(cat "$WORK/answer")"
refused tier 11.7.1.3 --tier 2
"$KANSOKU" probe 11.7.1.3 --dry-run --config "$CONFIG" >"$WORK/dry" || fail "no dry run: $(cat "$WORK/dry")"
for words in 'by hand: at most 80 packets from 10.76.0.2' '23/tcp' '> GET / HTTP/1.1' 'running kansoku, with its budgets: allowed'; do
	grep -q -- "$words" "$WORK/dry" || { cat "$WORK/dry"; fail "the dry run lacks: $words"; }
done
"$KANSOKU" probe 11.7.4.4 --dry-run --json --config "$CONFIG" | jq -e '.looks | all(.allowed == false or .decision == "refused")' >/dev/null ||
	fail "a dry run would look at who opted out"

# The page: an address that was looked at asks, and is left alone within a second.
page() { $THERE curl -sf --max-time 5 --interface "$1" "http://10.76.0.2$2" "${@:3}"; }
page 11.7.2.1 / >"$WORK/page" || fail "there is no page"
grep -q 'Test CSIRT' "$WORK/page" && grep -q '<b>11.7.2.1</b>' "$WORK/page" || fail "the page does not say who and to whom"
page 11.7.2.1 '/?lang=ja' | grep -q '今後対象外' || fail "the page is not there in Japanese"
page 11.7.2.1 /.well-known/probing.txt >"$WORK/probing.txt" || fail "there is no probing.txt"
for field in 'Canonical: http://10.76.0.2/.well-known/probing.txt' 'Contact: mailto:abuse@example.org' 'Expires: 2' 'Description: '; do
	grep -q "^$field" "$WORK/probing.txt" || fail "probing.txt lacks $field"
done
probe 11.7.2.1 --ports 23 >"$WORK/7" & DRIP=$!
for _ in $(seq 100); do grep -q probe.sent "$WORK/7" && break; sleep 0.1; done
page 11.7.2.1 /opt-out -d 'reason=leave+me+alone&network=11.7.2.0/24' | grep -q '11.7.2.1/32</b> will not be looked at' ||
	fail "the opt-out was not taken"
sleep 1
GONE=$(date +%s.%N)
wait $DRIP
jq -es '.[] | select(.kind=="host.answered" and .state=="aborted")' <"$WORK/7" >/dev/null || fail "the look went on: $(cat "$WORK/7")"
refused opted-out 11.7.2.1
page 11.7.2.1 / | grep -q 'left out already' || fail "the page does not know who opted out"
optout() { "$KANSOKU" optout "$@" --config "$CONFIG"; }
optout requests | grep -q '^11.7.2.0/24 .*leave me alone' || fail "the network's request is not there"
LINK=$(optout link 11.7.2.0/24) || fail "no link"
page 11.7.3.1 "${LINK#http://10.76.0.2}" | grep -q 'name="sign"' || fail "the link does not ask for a confirmation"
page 11.7.3.1 /opt-out/confirm -d "$(echo "${LINK#*\?}" | sed 's/11.7.2.0/11.7.0.0/')" && fail "a forged link was taken"
page 11.7.3.1 /opt-out/confirm -d "${LINK#*\?}" | grep -q 'will not be looked at' || fail "the link was not taken"
refused opted-out 11.7.2.9
optout requests | grep -q 11.7.2.0 && fail "a settled request still waits"
optout list | grep -q '^11.7.2.1/32 .* page leave me alone' || fail "the opt-out is not listed with its reason"

# The letter accounts for every packet, by time and count.
sleep 3 # the last acknowledgements, and the store's batch
kill -INT $CAPTURE_PID && wait $CAPTURE_PID
CAPTURE_PID=
capture_is_whole "$WORK/tcpdump"
packets() { tshark -r "$WORK/all.pcap" -Y "$1" -T fields -e "${2:-frame.number}" 2>/dev/null; }
audit() { "$KANSOKU" audit "$@" --config "$CONFIG"; }
FROM='ip.src==10.76.0.2 and not tcp.srcport==80'
# A reset without ACK is the kernel's word to a segment that came after the end: it belongs to no connection.
COUNTED="$FROM and not (tcp.flags.reset==1 and tcp.flags.ack==0)"
for host in 11.7.1.1 11.7.1.2 11.7.2.1; do
	for _ in $(seq 50); do
		audit $host --json >"$WORK/audit" || fail "no audit of $host"
		jq -e '.connections > 0 and .uncounted == 0' <"$WORK/audit" >/dev/null && break
		sleep 0.2
	done
	TOLD=$(jq .packets "$WORK/audit") SEEN=$(packets "$COUNTED and ip.dst==$host" | wc -l)
	SYNS=$(packets "$FROM and ip.dst==$host and tcp.flags.syn==1 and not tcp.analysis.retransmission" | wc -l)
	[ "$(jq .connections "$WORK/audit")" = "$SYNS" ] || fail "$host: $SYNS connections on the wire, $(jq .connections "$WORK/audit") in the audit"
	[ "$TOLD" = "$SEEN" ] || { packets "$FROM and ip.dst==$host" _ws.col.Info; jq .answers "$WORK/audit"; fail "$host: $SEEN packets on the wire, $TOLD in the audit"; }
done
audit 11.7.1.1 >"$WORK/letter" || fail "no letter"
for words in 'Test CSIRT <abuse@example.org>' '10.76.0.2 -> 11.7.1.1 23/tcp' 'telnet: ' 'http: ' 'our operator asked' 'http://10.76.0.2/'; do
	grep -q -- "$words" "$WORK/letter" || { cat "$WORK/letter"; fail "the letter lacks: $words"; }
done
audit 11.7.1.0/24 --lang ja | grep -q '観測で送信したパケットのすべて' || fail "no letter in Japanese"

none() { [ -z "$(packets "$2" | head -1)" ] || { packets "$2" _ws.col.Info | head -5; fail "$1"; }; }
none "a packet to an address that was refused" "$FROM and (ip.dst==11.8.0.0/16 or ip.dst==10.77.0.0/16 or ip.dst==11.7.4.0/24 or ip.dst==11.7.5.0/24 or ip.dst==11.7.6.0/24 or ip.dst==11.7.7.0/24 or ip.dst==11.7.1.9 or ip.dst==11.7.1.3 or ip.dst==11.7.2.9)"
none "a packet to a refused address of IPv6" "ipv6.src==fd76::2 and (ipv6.dst==2002::/16)"
none "a packet after the opt-out" "$FROM and ip.dst==11.7.2.1 and frame.time_epoch > $GONE"
[ "$(packets "$FROM and ip.dst==11.7.1.1 and tcp.flags.syn==1 and not tcp.analysis.retransmission" | wc -l)" -ge 2 ] || fail "nothing was captured at all"
stop_kansoku || fail "kansoku did not end cleanly"

# Opt-outs and the round outlive it; without a contact nothing leaves.
start_kansoku --only journal,control,active
refused opted-out 11.7.2.9
refused target-budget 11.7.1.1
stop_kansoku
sed -i 's/contact: abuse@example.org, //' "$CONFIG"
start_kansoku --only journal,control,active
refused no-contact 11.7.1.3
stop_kansoku
# A window that never opens; a probing.txt that the operator signed is served as he did.
{ echo '-----BEGIN PGP SIGNED MESSAGE-----'; cat "$WORK/probing.txt"; echo '-----END PGP SIGNATURE-----'; } >"$WORK/out/signed"
write_config "  quiet: [{}]"
sed -i "s|port: 80}|port: 80, signed: $WORK/out/signed}|" "$CONFIG"
start_kansoku --only journal,control,active,page
refused window 11.7.1.3
page 11.7.3.1 /.well-known/probing.txt | cmp -s - "$WORK/out/signed" || fail "the signed probing.txt is not served as it is"
stop_kansoku
echo ok
