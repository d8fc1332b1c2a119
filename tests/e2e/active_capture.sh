#!/bin/bash
# What leaves the prober, seen from the other end of a wire: only to whom the policy allowed,
# only to its ports, no more packets than the lease, and nothing but the declared questions.
. "$(dirname "$0")/lib.sh"
need_root
for tool in ip tcpdump tshark nft busybox jq; do
	[ -n "$(command -v $tool)" ] || skip "needs $tool"
done
OURS=kt-a-$$ THEIRS=kt-b-$$ SERVERS=
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
ip -n $OURS addr add 10.76.0.1/24 dev wire
ip -n $OURS addr add 10.76.0.2/24 dev wire # what looks leave from
ip -n $OURS addr add fd76::2/64 dev wire nodad
ip -n $THEIRS addr add 10.76.0.254/24 dev wire
ip -n $THEIRS addr add fd76::254/64 dev wire nodad
ip -n $OURS route add 10.77.0.0/16 via 10.76.0.254
ip -n $OURS route add 10.78.0.0/16 via 10.76.0.254
ip -n $OURS route add fd77::/64 via fd76::254
ip -n $THEIRS route add local 10.77.0.0/16 dev lo
ip -n $THEIRS addr add fd77::1/128 dev lo nodad

# .1 telnet and web, .3 drops all, .5 floods, .6 closed, .7 drips and opts out; busybox nc listens
# on all addresses, so each host has a port of its own behind 23.
THERE="ip netns exec $THEIRS"
$THERE nft -f - <<'EOT' || skip "nftables cannot redirect here"
table ip hosts {
	chain silent {
		type filter hook input priority 0
		ip daddr 10.77.0.3 drop
	}
	chain redirected {
		type nat hook prerouting priority -100
		ip daddr 10.77.0.1 tcp dport 23 redirect to :2301
		ip daddr 10.77.0.5 tcp dport { 23, 80 } redirect to :2305
		ip daddr 10.77.0.7 tcp dport 23 redirect to :2307
	}
}
EOT
mkdir "$WORK/www" && echo '<title>DVR</title>' >"$WORK/www/index.html"
printf '#!/bin/sh\nprintf "\\377\\375\\001\\377\\373\\003Camera\\r\\nlogin: "; exec sleep 5\n' >"$WORK/camera"
printf '#!/bin/sh\nexec yes flood\n' >"$WORK/flood"
printf '#!/bin/sh\nwhile printf x; do sleep 0.2; done\n' >"$WORK/drip"
chmod +x "$WORK"/camera "$WORK"/flood "$WORK"/drip
$THERE busybox nc -ll -p 2301 -e "$WORK/camera" & SERVERS="$SERVERS $!"
$THERE busybox nc -ll -p 2305 -e "$WORK/flood" 2>/dev/null & SERVERS="$SERVERS $!"
$THERE busybox nc -ll -p 2307 -e "$WORK/drip" 2>/dev/null & SERVERS="$SERVERS $!"
$THERE busybox httpd -f -p 10.77.0.1:80 -h "$WORK/www" & SERVERS="$SERVERS $!"
$THERE busybox httpd -f -p '[fd77::1]:80' -h "$WORK/www" & SERVERS="$SERVERS $!"
$THERE tcpdump -i wire -w "$WORK/all.pcap" -s 4096 -B 32768 -U --immediate-mode ip or ip6 >"$WORK/tcpdump" 2>&1 & SERVERS="$SERVERS $!"
for _ in $(seq 50); do grep -q listening "$WORK/tcpdump" && break; sleep 0.1; done

mkdir "$WORK/out" && echo 10.77.0.4 >"$WORK/out/optout"
chmod 755 "$WORK/out"; chmod 644 "$WORK/out/optout"
loopback_config <<EOT
operator: {name: Test CSIRT, contact: abuse@example.org, page: "https://example.org/probing"}
active:
  scope: [{prefix: 10.77.0.0/24, special: allow}, {prefix: "fd77::/64", special: allow}]
  hold_out: 0
  opt_out: $WORK/out/optout
  addresses: [10.76.0.2, "fd76::2"]
  network_looks: 0
  packets_per_port: 40
  delay: {min: 0s, max: 0s}
prober: {pause: 0s, idle: 1s}
EOT
PROGRAM=$KANSOKU
KANSOKU=$WORK/in_namespace
printf '#!/bin/sh\nexec ip netns exec %s %s/%s "$@"\n' "$OURS" "$PWD" "$PROGRAM" >"$KANSOKU"
chmod +x "$KANSOKU"
start_kansoku --only journal,control,active

probe() { "$KANSOKU" probe "$@" --config "$CONFIG" --json; }
probe 10.77.0.1 >"$WORK/1" || fail "10.77.0.1 was not looked at"
probe 10.77.0.3 >"$WORK/3"
probe 10.77.0.4 >"$WORK/4" && fail "a look at an address that opted out"
probe 10.77.0.5 >"$WORK/5"
probe 10.77.0.6 >"$WORK/6"
probe 10.78.0.1 >"$WORK/8" && fail "a look outside the scope"
probe fd77::1 >"$WORK/v6" || fail "fd77::1 was not looked at"
probe 10.77.0.7 --ports 23 >"$WORK/7" & DRIP=$!
for _ in $(seq 100); do grep -q probe.sent "$WORK/7" && break; sleep 0.1; done
echo 10.77.0.7 >>"$WORK/out/optout"
sleep 2 # it takes effect within a second
GONE=$(date +%s.%N)
sleep 1
wait $DRIP
stop_kansoku || fail "kansoku did not end cleanly"
sleep 4 # whatever the kernels still had to say
kill -INT ${SERVERS##* } && sleep 0.5
capture_is_whole "$WORK/tcpdump"

said() { # file, jq condition over its events
	jq -es "$2" <"$WORK/$1" >/dev/null || { cat "$WORK/$1"; fail "$1: not $2"; }
}
said 1 '[.[] | select(.kind=="host.answered").state] == ["open","open","open"]'
said 1 '.[] | select(."tcp.ttl"==64 and (."tcp.options" | startswith("mss:1460,sok,ts")))'
said 1 '.[] | select(.banner=="Camera\r\nlogin:" and ."telnet.options"=="do:1 will:3")'
said 3 '[.[] | select(.kind=="host.answered").state] == ["filtered","filtered"]'
said 5 '[.[] | select(.kind=="host.answered")."close.reason"] == ["done","limit"]'
said 6 '[.[] | select(.kind=="host.answered").state] == ["closed","closed"]'
said 7 '.[] | select(.kind=="host.answered" and .state=="aborted" and (has("banner") | not))'
said v6 '.[] | select(."http.title"=="DVR" and ."tcp.ttl"==64)'

packets() { tshark -r "$WORK/all.pcap" -Y "$1" -T fields -e "${2:-frame.number}" 2>/dev/null; }
none() { [ -z "$(packets "$2" | head -1)" ] || { packets "$2" _ws.col.Info | head -5; fail "$1"; }; }
at_most() { # count, filter, what
	local n
	n=$(packets "$2" | wc -l)
	[ "$n" -ge 1 ] && [ "$n" -le "$1" ] || fail "$3: $n packets, 1 to $1 would be right"
}
FROM='(ip.src==10.76.0.1 or ip.src==10.76.0.2 or ipv6.src==fd76::2)'
none "a packet to an address that opted out" "ip.dst==10.77.0.4"
none "a packet outside the scope" "ip.dst==10.78.0.0/16"
none "a packet from another address than the prober's" "ip.src==10.76.0.1 and ip.dst==10.77.0.0/16"
none "something else than TCP to 23 and 80" "$FROM and (ip.dst==10.77.0.0/16 or ipv6.dst==fd77::/64) and not (tcp.dstport==23 or tcp.dstport==80)"
none "a packet long after the opt-out" "ip.dst==10.77.0.7 and frame.time_epoch > $GONE"
for host in 1 5 6; do at_most 80 "ip.src==10.76.0.2 and ip.dst==10.77.0.$host" "to 10.77.0.$host"; done
at_most 4 "ip.src==10.76.0.2 and ip.dst==10.77.0.3" "to a silent address"
# What was counted is what left: no packet of ours was without an account.
COUNTED=$(for n in 1 3 5 6 7 v6; do cat "$WORK/$n"; done | jq -s '[.[] | select(.kind=="probe.sent")] | length')
[ "$(packets "$FROM and tcp.flags.syn==1 and not tcp.analysis.retransmission" | wc -l)" = "$COUNTED" ] ||
	fail "connections on the wire and probe.sent differ"
# To Telnet only refusals of options; to the web only GET; nowhere a credential.
packets "$FROM and tcp.dstport==23 and tcp.len>0" tcp.payload | grep -vE '^(ff(fc|fe)..)+$' && fail "telnet was told something else than a refusal"
[ -n "$(packets "$FROM and tcp.dstport==23 and tcp.len>0")" ] || fail "telnet was told nothing"
for line in $(packets "$FROM and tcp.dstport==80 and tcp.len>0" tcp.payload); do
	question=$(echo "$line" | tr -d : | sed 's/\(..\)/\\x\1/g')
	printf "$question" >"$WORK/question"
	grep -q '^GET /[^ ]* HTTP/1.1' "$WORK/question" && grep -q 'kansoku; +https://example.org/probing)' "$WORK/question" &&
		! grep -qi '^authorization\|^cookie' "$WORK/question" || fail "a question is not what was declared: $(cat "$WORK/question")"
done
echo ok
