#!/bin/bash
# No decoy is worth attacking through: floods of forged requests, counted on the wire, and the victims named.
#   tests/e2e/reflection.sh      needs root
. "$(dirname "$0")/lib.sh"
two_networks
SERVICES="qotd:17 chargen:19 dns:53 tftp:69 portmap:111 ntp:123 snmp:161 cldap:389 ssdp:1900 stun:3478
wsdiscovery:3702 mdns:5353 coap:5683 memcached:11211"
{
	printf 'passive:\n  workers: 2\n  decoys: [{prefix: 192.0.2.0/25, personas: [bare], react: false}]\n'
	printf '  personas_dir: %s/personas\n  reflection: {quiet: 3s}\n  limits: {udp_sessions: 65536}\n  services:\n' "$WORK"
	for s in $SERVICES; do printf '    %s: {ports: [%s]}\n' ${s%:*} ${s#*:}; done
} | loopback_config
mkdir "$WORK/personas"
printf 'name: bare\nsummary: offers all that is configured\nhostname: bare\narch: mips\nmachine: mips\nkernel: 2.6.31\nkernel_build: "#1"\nbusybox: v1.19.4\nbusybox_date: 2013-09-18\nprompt: "# "\nhome: /\nmemory_kb: 28900\ninterface: eth0\nmac_prefix: "64:70:02"\n' \
	>"$WORK/personas/bare.yaml"
start_kansoku --only passive,journal,control,store
flood() { ip netns exec $OUTSIDE timeout 60 python3 tests/e2e/reflection_flood.py "$@" || fail "the flood could not be sent"; }

capture_begin
third=0
for s in $SERVICES; do # three at a time, each with a hundred sources of its own
	flood 1.5 2000 11.7.$third 100 ${s#*:} &
	floods="${floods:-} $!"
	third=$((third + 17))
	[ $((third % 51)) = 0 ] || continue
	wait $floods || fail "a flood could not be sent"
	floods=
done
wait $floods || fail "a flood could not be sent"
# Six sources ask three services in turn, 2,000 requests each: each is the victim of one attack.
flood 6 2000 203.0.113 6 53 123 1900
capture_end
tshark -n -r "$WORK/wire.pcap" -Y udp -T fields -e ip.src -e udp.srcport -e udp.dstport -e udp.length 2>/dev/null |
	awk -F'\t' '$1 ~ /^192\.0\.2\./ {out[$2] += $4 - 8; next} {in_[$3] += $4 - 8; n[$3]++}
		END {for (p in n) print p, n[p], in_[p], out[p] + 0}' | sort -n >"$WORK/bytes"
for s in $SERVICES; do
	read -r _ requests into out <<<"$(grep "^${s#*:} " "$WORK/bytes")"
	[ "${requests:-0}" -ge 2000 ] || fail "${s%:*}: only ${requests:-0} requests reached the wire"
	[ "$out" = 0 ] || answered=$((${answered:-0} + 1))
	[ "$out" -lt "$into" ] || fail "${s%:*} sent $out bytes for $into"
	echo "${s%:*}: $requests requests of $into bytes brought $out bytes"
done
# New sources share a small budget, so not each service need have said something; most have.
[ "${answered:-0}" -ge 8 ] || fail "only ${answered:-0} services answered anything"

for _ in $(seq 100); do
	ended=$(query "SELECT count() FROM events WHERE kind = 'reflection.seen' AND state = 'ended'" | tail -1)
	[ "${ended:-0}" -ge 6 ] && break
	sleep 0.2
done
query "SELECT value[indexOf(field, 'reflection.victim')] AS victim, state, value[indexOf(field, 'flow.packets')] AS packets,
	value[indexOf(field, 'bytes.in')] AS into, value[indexOf(field, 'bytes.out')] AS out,
	value[indexOf(field, 'reflection.bytes')] AS whole, value[indexOf(field, 'reflection.amplification')] AS factor,
	ip(src) AS source FROM events WHERE kind = 'reflection.seen' ORDER BY victim, state" >"$WORK/seen"
# A busy machine's sockets lose some of a flood, so the numbers told may be lower than those sent.
for i in 1 2 3 4 5 6; do
	for state in begun ended; do
		grep -q "^203.0.113.$i	$state	" "$WORK/seen" || fail "no victim 203.0.113.$i whose attack has $state: $(cat "$WORK/seen")"
	done
	awk -F'\t' -v v=203.0.113.$i '$1 == v && $2 == "ended" && $3 > 500 && $3 <= 2000 && $5 <= $4 && $6 > 2 * $4 && $7 > 200 {ok = 1}
		END {exit !ok}' "$WORK/seen" || fail "the attack on 203.0.113.$i is told wrongly: $(grep "^203.0.113.$i" "$WORK/seen")"
done
cut -f8 "$WORK/seen" | tail -n +2 | grep -q '[1-9]' && fail "a victim is named as a source: $(cat "$WORK/seen")"
stop_kansoku || fail "kansoku did not end well"
echo "ok: no flood brought more than it cost, and its victims are named"
