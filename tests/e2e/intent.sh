#!/bin/bash
# Attack or survey: who logs in to a decoy is judged an attacker even when a list acknowledges him,
# who is listed and only looks is a survey, and the report says why.
. "$(dirname "$0")/lib.sh"
command -v python3 >/dev/null && command -v jq >/dev/null || skip "python3 or jq is missing"
printf '# name: Test surveys\n# date: %s\n127.0.9.0/24 Example survey\n' "$(date -u +%F)" >"$WORK/list.txt"
printf '127.0.9.2 scan-2.survey.example\n' >"$WORK/names.txt"
loopback_config <<EOT
store: {linger: 50ms}
analysis: {every: 1s, surveys: [$WORK/list.txt], names: [$WORK/names.txt]}
passive:
  decoys: [{prefix: 127.0.0.1, personas: [camera]}]
  services: {telnet: {ports: [$TELNET_PORT]}, http: {ports: [$HTTP_PORT]}}
  workers: 1
EOT
start_kansoku
visit() { # source, lines: says them, one after the other
	timeout 20 python3 - "$TELNET_PORT" "$@" <<-'EOP'
	import socket, sys, time
	s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 10, (sys.argv[2], 0))
	s.settimeout(2)
	for line in sys.argv[3:]:
	    try:
	        s.recv(65536)
	    except TimeoutError:
	        pass
	    time.sleep(0.3)
	    s.sendall(line.encode() + b"\r\n")
	time.sleep(0.5)
	EOP
}
visit 127.0.9.1 root xc3511      # acknowledged, and guesses
visit 127.0.9.2                  # acknowledged, and only connects
visit 127.0.8.1 root xc3511      # unknown, and guesses
visit 127.0.8.2                  # unknown, and only connects

verdict() { query "SELECT value[indexOf(field,'intent.verdict')], value[indexOf(field,'confidence')] FROM log WHERE kind = 'source.judged' AND src = '$1' ORDER BY id DESC LIMIT 1"; }
wait_verdict() { # source, verdict, least confidence
	for _ in $(seq 100); do
		read -r is confidence < <(verdict "$1" 2>/dev/null)
		[ "${is:-}" = "$2" ] && [ "$confidence" -ge "$3" ] && return
		sleep 0.3
	done
	fail "$1 is judged \"${is:-nothing}\" with ${confidence:-no} confidence, not $2 with $3 at least"
}
wait_verdict 127.0.9.1 attack 90
wait_verdict 127.0.9.2 survey 90
wait_verdict 127.0.8.1 attack 95
wait_verdict 127.0.8.2 unclear 0

"$KANSOKU" report intent --config "$CONFIG" --json >"$WORK/report" || fail "no report"
jq -e '.parts.sources[] | select(.source == "127.0.9.1") | .verdict == "attack" and
	(.reasons | contains("listed but tried a login")) and (.against | contains("Test surveys, 0 days old"))' \
	"$WORK/report" >/dev/null || fail "the report's reasons: $(cat "$WORK/report")"

# The same verdict is not published twice, also not by a process that was started again.
sleep 3
kill -9 "$(role_pid analysis)"
sleep 5
doubles=$(query "SELECT count() FROM (SELECT src FROM log WHERE kind = 'source.judged' GROUP BY src, value[indexOf(field,'confidence')] HAVING count() > 1)")
[ "$doubles" = 0 ] || fail "$doubles verdicts were published again: $(query "SELECT src, time, value FROM log WHERE kind = 'source.judged' ORDER BY id")"
# Nobody is looked at because of a verdict.
[ "$(query "SELECT count() FROM log WHERE kind = 'probe.sent'")" = 0 ] || fail "somebody was looked at"
stop_kansoku || fail "it did not end in order"
echo "intent: listed and looking is a survey, a login is an attack, and the report says why"
