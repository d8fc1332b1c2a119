#!/bin/bash
# What attackers said that no rule knows becomes a list of rules to write, and such a rule is tried on
# all that was stored: two devices of an unknown make attack, are looked at, and are one group.
. "$(dirname "$0")/lib.sh"
two_networks
command -v busybox >/dev/null || skip "busybox is missing"
command -v jq >/dev/null || skip "jq is missing"
export XDG_CACHE_HOME=$WORK
A=203.0.113.10 B=203.0.113.11 DECOY=192.0.2.7

printf 'Qwertz-Box 4711 v1.2' >"$WORK/issue.a"
printf 'Qwertz-Box 815 v1.10' >"$WORK/issue.b"
chmod -R a+rX "$WORK"
SERVERS=
ip netns exec $OUTSIDE busybox telnetd -F -b $A:23 -f "$WORK/issue.a" -l /bin/false & SERVERS="$SERVERS $!"
ip netns exec $OUTSIDE busybox telnetd -F -b $B:23 -f "$WORK/issue.b" -l /bin/false & SERVERS="$SERVERS $!"
loopback_config <<EOT
operator: {name: Test CSIRT, contact: abuse@example.org, page: "https://example.org/probing"}
store: {linger: 50ms}
passive:
  workers: 1
  decoys: [{prefix: 192.0.2.0/25, personas: [camera]}]
  services: {telnet: {ports: [23]}}
active:
  scope: [{prefix: 203.0.113.0/24, special: allow}]
  addresses: [198.51.100.9]
  hold_out: 0
  delay: {min: 100ms, max: 300ms}
control: {silent_decoys: 0}
prober: {pause: 0s, idle: 1s}
EOT
start_kansoku
for from in $A $B; do
	intrude_from $from $DECOY root xc3511 exit >/dev/null
	intrude_from $from $DECOY root root exit >/dev/null
	intrude_from $from $DECOY admin admin exit >/dev/null
done
heard() { query "SELECT uniqExact(src) FROM log WHERE kind = 'host.answered' AND has(field, 'signals')" 2>/dev/null; }
for _ in $(seq 75); do [ "$(heard)" = 2 ] && break; sleep 0.2; done
[ "$(heard)" = 2 ] || fail "$(heard) of 2 hosts told what they are"

ask() { local command=$1; shift; "$KANSOKU" "$command" --config "$CONFIG" "$@"; }
out=$(ask unidentified --key telnet.banner --json) || fail "unidentified ended with $?"
got=$(jq -c '[.key, .attackers, .hosts, .banners]' <<<"$out" | head -1)
[ "$got" = '["telnet.banner",2,2,2]' ] || fail "the first group is $got"
pattern=$(jq -r .pattern <<<"$out" | head -1)
case $pattern in '^Qwertz-Box \d+ v1\.\d+'*) ;; *) fail "the pattern of the group is $pattern" ;; esac
ask unidentified --key telnet.banner --rule --limit 1 >"$WORK/new.xml"
got=$(ask try --file "$WORK/new.xml" --json | jq -c '[.banners, .attackers, .unknown, (.also | length)]')
[ "$got" = '[2,2,2,0]' ] || fail "the rule made of the group takes $got"
got=$(ask try --match telnet.banner --pattern '^qwertz-box 8' --nocase --json | jq -c '[.banners, .hosts, .attackers]')
[ "$got" = '[1,1,1]' ] || fail "a pattern alone takes $got"
mkdir "$WORK/more" && cp "$WORK/new.xml" "$WORK/more"
got=$(ask unidentified --key telnet.banner --rules "$WORK/more" --json | wc -l)
[ "$got" = 0 ] || fail "with the rule, $got groups are left"
stop_kansoku
kill $SERVERS 2>/dev/null
echo "unidentified: two attackers are one group, and the rule made of it takes both"
