#!/bin/bash
# Whole prefixes are decoys (AnyIP), IPv4 and IPv6, met from another network namespace.
#   tests/e2e/passive_prefix.sh      needs root
. "$(dirname "$0")/lib.sh"
need_root
for client in ip curl; do command -v $client >/dev/null || skip "$client is missing"; done
inside=kansoku-in-$$ outside=kansoku-out-$$
tidy_up() { ip netns del $inside 2>/dev/null; ip netns del $outside 2>/dev/null; cleanup; }
trap tidy_up EXIT
ip netns add $inside && ip netns add $outside || skip "network namespaces cannot be made here"
ip link add name decoys netns $inside type veth peer name world netns $outside || skip "veth cannot be made here"
ip -n $inside link set lo up
ip -n $inside addr add 198.51.100.1/24 dev decoys
ip -n $inside addr add 2001:db8:ffff::1/64 dev decoys nodad
ip -n $inside link set decoys up
ip -n $outside link set lo up
ip -n $outside addr add 198.51.100.2/24 dev world
ip -n $outside addr add 2001:db8:ffff::2/64 dev world nodad
ip -n $outside link set world up
ip -n $outside route add 192.0.2.0/25 via 198.51.100.1
ip -n $outside route add 2001:db8:5::/64 via 2001:db8:ffff::1

loopback_config <<-EOT
	passive:
	  workers: 2
	  decoys:
	    - {prefix: 192.0.2.0/25, personas: [camera, dvr, router]}
	    - {prefix: 192.0.2.64/26, personas: [router]}
	    - {prefix: "2001:db8:5::/64", personas: [camera]}
	  services: {telnet: {ports: [23]}, http: {ports: [80]}}
EOT
ip netns exec $inside "$KANSOKU" run --config "$CONFIG" --only passive,journal,control >>"$LOG" 2>&1 &
KANSOKU_PID=$!
for _ in $(seq 300); do
	[ -e "$STATE/run/ready" ] && break
	sleep 0.1
done
[ -e "$STATE/run/ready" ] || fail "kansoku was not ready within 30 s"

get() { ip netns exec $outside curl -s -m 5 -o "$WORK/body" -D "$WORK/head" "$1"; }
banner() { # ADDRESS: what telnet says first, printable part
	ip netns exec $outside timeout 3 bash -c "exec 3<>/dev/tcp/$1/23; timeout 1 cat <&3" | tr -cd '[:print:]'
}
for address in 192.0.2.0 192.0.2.1 192.0.2.63 192.0.2.64 192.0.2.127; do
	get "http://$address/" || fail "$address does not answer on 80"
	case $(banner $address) in *ogin:*) ;; *) fail "$address has no login prompt" ;; esac
done
get "http://192.0.2.100/" && grep -q 'WWW-Authenticate: Basic' "$WORK/head" || fail "192.0.2.100 is not the router"
get "http://[2001:db8:5::77]/" || fail "IPv6 does not answer"
grep -q WIFICAM "$WORK/head" || fail "2001:db8:5::77 is not the camera"
get "http://198.51.100.1/" && fail "an address that is no decoy answered"
[ "$(banner 192.0.2.10)" = "$(banner 192.0.2.10)" ] || fail "an address did not stay what it is"
others=$(for i in $(seq 20 40); do banner 192.0.2.$i; echo; done | sort -u | wc -l)
[ "$others" -gt 3 ] || fail "21 addresses gave only $others different banners"

kill -TERM $KANSOKU_PID
wait $KANSOKU_PID
KANSOKU_PID=
left=$(ip -n $inside route show table local; ip -n $inside -6 route show table local)
case $left in *192.0.2.*|*2001:db8:5:*) fail "a route was left behind: $left" ;; esac
echo "passive_prefix: both families answer on whole prefixes, $others devices told apart, no route left"
