#!/bin/bash
# Attackers of several kinds meet what fits them from the first answer of their next visit on; who is
# held out does not, a restart changes nothing, and the report says what steering changed.
. "$(dirname "$0")/lib.sh"
for tool in python3 jq curl; do command -v $tool >/dev/null || skip "$tool is missing"; done
loopback_config <<EOT
store: {linger: 50ms}
analysis: {every: 1s}
passive:
  workers: 1
  decoys: [{prefix: 127.21.8.0/28, personas: [camera, dvr, router, webserver]}]
  services: {telnet: {ports: [$TELNET_PORT]}, http: {ports: [$HTTP_PORT]}, ssh: {ports: [$((BASE_PORT + 3))]}}
  steering: {visit: 500ms}
control:
  silent_decoys: 0
  trial: {unit: prefix, hold_out: 0.5, seed: 21}
rules:
  - {name: wary, known: {seeks_honeypots: {min: 50}}, do: steer, persona: router}
  - {name: person, known: {sessions.human: {min: 1}}, do: steer, persona: webserver}
  - {name: herd, known: {campaign.sources: {min: 3}}, do: steer, persona: router}
  - {name: bot, known: {credentials.list: mirai}, do: steer, persona: dvr}
EOT
start_kansoku
attack() { timeout 60 python3 tests/e2e/steering.py "$TELNET_PORT" "$@"; }
until_query() { # SQL that answers 1, what is meant
	for _ in $(seq 100); do [ "$(query "$1" 2>/dev/null)" = 1 ] && return; sleep 0.2; done
	query "SELECT kind, src, decision, reason, rule, persona FROM log WHERE kind IN ('decision.made', 'campaign.found', 'session.closed') ORDER BY id" | tail -25
	fail "not in the store: $2"
}

# A decoy that is a camera by itself.
for last in $(seq 0 15); do echo "127.60.0.1 127.21.8.$last"; done | attack look >/dev/null
until_query "SELECT count() > 0 FROM log WHERE kind = 'session.closed' AND persona = 'camera'" "a look at a camera"
DECOY=$(query "SELECT dst FROM log WHERE kind = 'session.opened' AND persona = 'camera' ORDER BY dst LIMIT 1")
[ -n "$DECOY" ] || fail "no address is a camera"

# Two bots of each of 40 networks.
for net in $(seq 1 40); do echo "127.61.$net.1 $DECOY"; echo "127.61.$net.2 $DECOY"; done >"$WORK/bots"
attack bot <"$WORK/bots" >"$WORK/first"
grep -q LocalHost "$WORK/first" && fail "a bot met a recorder before anything was known of it"
drawn="kind = 'decision.made' AND has(field, 'steer.arm')"
arm="value[indexOf(field, 'steer.arm')]" unit="value[indexOf(field, 'steer.unit')]"
until_query "SELECT uniqExact(src) = 80 FROM log WHERE $drawn" "80 bots are known by their list"
[ "$(query "SELECT max(n) FROM (SELECT uniqExact($arm) AS n FROM log WHERE $drawn GROUP BY $unit)")" = 1 ] ||
	fail "two sources of one network were drawn into different arms"
arms() { query "SELECT src FROM log WHERE $drawn AND $arm = '$1' AND src LIKE '127.61.%' GROUP BY src" | sort; }
arms steered >"$WORK/steered" && arms held-out >"$WORK/held_out"
for file in steered held_out; do
	[ "$(wc -l <"$WORK/$file")" -ge 20 ] || fail "only $(wc -l <"$WORK/$file") sources are $file of 80"
done
[ "$(query "SELECT DISTINCT value[indexOf(field, 'evidence')] FROM log WHERE $drawn")" = "login.tried; credentials.list mirai (3 of 3 tried)" ] ||
	fail "the reason is $(query "SELECT DISTINCT value[indexOf(field, 'evidence')] FROM log WHERE $drawn")"

# Other kinds of attackers, from networks that are steered.
mapfile -t nets < <(sed 's/\.[0-9]*$//' "$WORK/steered" | sort -u)
CHECKER=${nets[5]}.50 WARY=${nets[0]}.50 HUMAN=${nets[1]}.50
echo "$WARY $DECOY" | attack wary >/dev/null & SERVERS="$!"
python3 - "$CHECKER" $((BASE_PORT + 3)) <<'EOP' || fail "no greeting could be sent"
import socket, sys
for last in range(16): # a device that has SSH
    try:
        s = socket.create_connection((f"127.21.8.{last}", int(sys.argv[2])), 10, (sys.argv[1], 0))
        if s.recv(255):
            break
    except ConnectionError:
        pass
s.sendall(b"SSH-1337-OpenSSH_9000\r\n")
s.settimeout(10)
s.recv(255)
EOP
echo "$HUMAN $DECOY" | attack human >/dev/null & SERVERS="$SERVERS $!"
for i in 2 3 4; do echo "${nets[$i]}.60 $DECOY"; done | attack herd >/dev/null
wait $SERVERS
SERVERS=
until_query "SELECT count() = 3 FROM log WHERE kind = 'campaign.found'" "a campaign of three"
until_query "SELECT uniqExact(src) = 6 FROM log WHERE $drawn AND rule != 'bot'" "six more are steered"
sleep 1 # their visits are over

# The next visit's first answer, and the same after a restart.
again() {
	attack bot <"$WORK/bots" | sort >"$WORK/second"
	grep LocalHost "$WORK/second" | cut -d' ' -f1 | sort | cmp -s - "$WORK/steered" ||
		fail "$1: not the steered bots met a recorder: $(grep LocalHost "$WORK/second" | cut -d' ' -f1 | sort | diff - "$WORK/steered" | head -5)"
	{ echo "$WARY $DECOY"; echo "$CHECKER $DECOY"; for i in 2 3 4; do echo "${nets[$i]}.60 $DECOY"; done; } | attack look >"$WORK/others"
	[ "$(cut -d' ' -f2- "$WORK/others" | sort -u | wc -l)" = 1 ] || fail "$1: not one device: $(cat "$WORK/others")"
	grep -q LocalHost "$WORK/others" && fail "$1: met a recorder: $(cat "$WORK/others")"
	curl -s -m 10 --interface "$HUMAN" "http://$DECOY:$HTTP_PORT/" | grep -q wp-includes ||
		fail "$1: the human did not meet the web server"
}
again "second visit"
steered() { # source, rule, persona, reason
	until_query "SELECT count() > 0 FROM log WHERE kind = 'host.steered' AND src = '$1' AND rule = '$2' AND persona = '$3' AND $arm = 'steered' AND value[indexOf(field, 'evidence')] LIKE '%$4%'" \
		"host.steered that says why $1 is steered: rule $2, persona $3, $4"
}
steered "$WARY" wary router "seeks_honeypots 60 (trace)"
steered "$CHECKER" wary router "client.seen; seeks_honeypots 50 (greeting)"
steered "$HUMAN" person webserver "sessions.human 1"
steered "${nets[2]}.60" herd router "campaign.sources 3"
[ "$(query "SELECT count() FROM log WHERE kind = 'host.steered' AND src IN (SELECT src FROM log WHERE $drawn AND $arm = 'held-out')")" = 0 ] ||
	fail "somebody held out was steered"
stop_kansoku || fail "it did not end in order"
start_kansoku
again "after a restart"
[ "$(query "SELECT max(n) FROM (SELECT uniqExact($arm) AS n FROM log WHERE $drawn GROUP BY src)")" = 1 ] ||
	fail "a restart drew again"

# Bots that meet a recorder work on it: steering shows.
report() { "$KANSOKU" report steering --config "$CONFIG" --json; }
for _ in $(seq 50); do
	report | jq -e '.parts.effects[] | select(.outcome == "commands" and .against == "held-out") | .state == "ok" and (.low | tonumber) > 1' >/dev/null && break
	sleep 0.3
done
sleep 2 # what was still on its way is measured, too
report >"$WORK/report"
jq -e '.parts.effects[] | select(.outcome == "commands") | (.low | tonumber) > 1 and (.high | tonumber) < 20 and .units >= 10' \
	"$WORK/report" >/dev/null || fail "the report does not show what steering changed: $(cat "$WORK/report")"
# The same means worked out another way, from the events one by one.
means_of_events() {
	{ query "SELECT 'drawn', src, min(id), argMin($arm, id), argMin($unit, id) FROM log WHERE $drawn GROUP BY src"
		query "SELECT 'session', src, session, value[indexOf(field, 'commands')] FROM log WHERE kind = 'session.closed'"; } |
		python3 -c '
import collections, statistics, sys
drawn, commands, units = {}, collections.Counter(), collections.defaultdict(list)
lines = [line.rstrip("\n").split("\t") for line in sys.stdin]
for kind, src, *rest in lines:
    if kind == "drawn":
        drawn[src] = rest
for kind, src, *rest in lines:
    if kind == "session" and src in drawn and rest[0] > drawn[src][0]:
        commands[src] += int(rest[1] or 0)
for src, (_, arm, unit) in drawn.items():
    units[arm, unit].append(commands[src])
for arm in ("steered", "held-out"):
    print("%.4g" % statistics.mean(statistics.mean(v) for (a, _), v in units.items() if a == arm))'
}
[ "$(means_of_events | xargs)" = "$(jq -r '.parts.effects[] | select(.outcome == "commands") | "\(.steered) \(.other)"' "$WORK/report")" ] ||
	fail "the report's means are not those of the events: $(means_of_events | xargs), $(jq -c '.parts.effects' "$WORK/report")"
jq -e '.parts.effects[] | select(.outcome == "files") | .state == "no-variation" and .difference == ""' "$WORK/report" >/dev/null ||
	fail "the report makes up an effect on files: $(jq -c .parts.effects "$WORK/report")"
jq -e '.parts.campaigns | length == 1 and .[0].sources == 3 and .[0].shared == "commands"' "$WORK/report" >/dev/null ||
	fail "the report's campaigns: $(jq -c .parts.campaigns "$WORK/report")"
[ "$(query "SELECT count() FROM log WHERE kind = 'probe.sent'")" = 0 ] || fail "somebody was looked at"
stop_kansoku || fail "it did not end in order"
echo "steering: $(wc -l <"$WORK/steered") of 80 bots steered, wary, human and herd too; $(jq -r '.parts.effects[] | select(.outcome == "commands") | "commands \(.difference) (\(.low) to \(.high))"' "$WORK/report")"
