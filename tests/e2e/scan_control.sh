#!/bin/bash
# kansoku scan beside a running kansoku: control gives the permission, hears what answers, ends it within a
# second when somebody opts out or a person stops it, and when control itself dies nothing is sent any more.
BASE_PORT=15720 SERVERS=
. "$(dirname "$0")/lib.sh"
two_networks
command -v nft >/dev/null || skip "nft is missing"
INNER="ip netns exec $INSIDE" OUTER="ip netns exec $OUTSIDE"
$OUTER sysctl -qw net.ipv4.tcp_syncookies=2
$OUTER python3 -c '
import socket, threading
def serve(c):
    c.sendall(b"\r\nHi3520 login: ")
    while c.recv(4096): pass
    c.close()
s = socket.create_server(("::", 23), family=socket.AF_INET6, dualstack_ipv6=True)
while True:
    threading.Thread(target=serve, args=(s.accept()[0],), daemon=True).start()' & SERVERS="$SERVERS $!"
mkdir "$WORK/out" && echo 11.7.1.128/25 >"$WORK/out/optout" && chmod 755 "$WORK/out" && chmod 644 "$WORK/out/optout"
approved="purpose: a test, approved_by: us, reference: here, until: 2130-01-01, ports: ['23']"
loopback_config <<EOT
store: {linger: 50ms}
operator: {contact: abuse@example.org}
passive: {workers: 1, decoys: [{prefix: 192.0.2.0/25, personas: [dvr]}], services: {telnet: {ports: [23]}}}
active:
  scope: [{prefix: 11.7.0.0/16}]
  addresses: [198.51.100.9]
  opt_out: $WORK/out/optout
  hold_out: 0
  network_looks: 0
  rate: 0
  surveys:
    - {name: first, prefixes: [11.7.1.0/24], rate: 1000, packets: 128, look: true, $approved}
    - {name: slow, prefixes: [11.7.2.0/24], rate: 40, packets: 1000, $approved}
    - {name: third, prefixes: [11.7.3.0/24], rate: 40, packets: 1000, $approved}
    - {name: fourth, prefixes: [11.7.4.0/24], rate: 40, packets: 1000, $approved}
EOT
start_kansoku
scan() { "$KANSOKU" scan --config "$CONFIG" --no-progress --cooldown 0.4 --network-rate 0 "$@" >"$WORK/hits" 2>"$WORK/said"; }
summary() { tail -1 "$WORK/said" | jq -r "$1"; }
begin() { # in the background, until the first hit
	"$KANSOKU" scan --config "$CONFIG" --no-progress --cooldown 0.2 --network-rate 0 "$@" >"$WORK/hits" 2>"$WORK/said" & SCAN=$!
	SERVERS="$SERVERS $SCAN"
	for _ in $(seq 200); do [ "$(wc -l <"$WORK/hits")" -gt 3 ] && return; sleep 0.05; done
	fail "no hit comes: $(cat "$WORK/said")"
}

# The whole round: who opted out is not asked, what answered is told, and one is looked at.
scan --survey first --tell || fail "first: $(cat "$WORK/said")"
grep -q 'permission from the running kansoku' "$WORK/said" || fail "who permitted it? $(cat "$WORK/said")"
[ "$(summary '.sent, .hits' | xargs)" = "128 128" ] || fail "first: $(cat "$WORK/said")"
[ "$(summary .looked)" -gt 0 ] || fail "nobody is looked at: $(cat "$WORK/said")"
scan --survey first --tell && fail "a second round, though none is approved"
grep -q survey-over "$WORK/said" || fail "a second round is refused for: $(cat "$WORK/said")"

# An opt-out, and a word of a person, while it runs.
begin --survey slow
echo 11.7.2.0/24 >>"$WORK/out/optout"
wait $SCAN || fail "an opt-out: $(cat "$WORK/said")"
[ "$(summary .refused)" -gt 20 ] && [ "$(summary '.sent + .refused')" = 256 ] || fail "an opt-out: $(cat "$WORK/said")"
begin --survey third
"$KANSOKU" survey stop third --config "$CONFIG" >/dev/null || fail "survey stop"
wait $SCAN
[ "$(summary .complete)" = false ] && [ "$(summary .sent)" -lt 200 ] && grep -q 'stopped by hand' "$WORK/said" || fail "stopped: $(cat "$WORK/said")"

# What was told is in the store, with its cause, before kansoku is gone.
for _ in $(seq 300); do
	answered=$(query "SELECT count() FROM events WHERE kind = 'host.answered' AND probe = 'survey' AND cause != toFixedString('', 16)" 2>/dev/null)
	[ "${answered:-0}" -ge 128 ] && break
	sleep 0.1
done
[ "${answered:-0}" -ge 128 ] || fail "$answered hits are in the store: $(query "SELECT kind, probe, count() FROM events GROUP BY 1, 2")"

# Whoever complains is told of the packet of a scan, and that there was none.
audited() { "$KANSOKU" audit "$1" --config "$CONFIG" --json | jq -r '.surveys[] | "\(.survey) \(.port)/\(.protocol) \(.certain)"' | xargs; }
[ "$(audited 11.7.1.5)" = "first 23/tcp true" ] || fail "the letter says: $(audited 11.7.1.5)"
[ -z "$(audited 11.7.1.200)" ] && [ -z "$(audited 11.7.5.1)" ] || fail "a letter about nothing: $(audited 11.7.1.200)"
"$KANSOKU" audit 11.7.1.5 --config "$CONFIG" | grep -q '11.7.1.5 23/tcp  (survey "first")' || fail "$("$KANSOKU" audit 11.7.1.5 --config "$CONFIG")"
"$KANSOKU" audit 11.7.1.5 --config "$CONFIG" | grep -q '^Besides, surveys sent at most [1-9]' || fail "the letter's sum leaves surveys out"

# Control dies with its parent: within two seconds nothing is sent any more.
begin --survey fourth
kill -KILL "$KANSOKU_PID" $(pgrep -P "$KANSOKU_PID") 2>/dev/null
wait $KANSOKU_PID 2>/dev/null
KANSOKU_PID=
wait $SCAN
[ "$(summary .complete)" = false ] && [ "$(summary .sent)" -lt 200 ] && grep -q 'control does not answer' "$WORK/said" ||
	fail "control is gone: $(cat "$WORK/said")"
$INNER nft list tables | grep -q kansoku && fail "a table of nftables is left"
echo "scan: permitted by control, told to it, and ended by an opt-out, by hand and by its silence"
