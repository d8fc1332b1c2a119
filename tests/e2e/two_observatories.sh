#!/bin/bash
# Two observatories: what one has in a collection comes in at the other over TAXII and as a feed of MISP, what is new as it comes, as granted.
. "$(dirname "$0")/lib.sh"
for tool in jq curl; do
	command -v $tool >/dev/null || skip "needs $tool"
done
PORT=$((BASE_PORT + 3))
loopback_config <<EOF
store: {linger: 100ms}
operator: {name: "The giving one", contact: abuse@example.org}
partners: {port: $PORT}
exchange:
  policies: [{name: open, fields: {src: pass, dst: drop, sensor: drop}, default: pass}]
  collections: [{name: given, title: Given, kinds: [record.imported], tlp: green}]
EOF
start_kansoku
rights() { "$KANSOKU" "$@" --config "$CONFIG"; }
rights org add friend >/dev/null && rights user add friend/reader >/dev/null || fail "no organisation"
token=$(rights token add friend/reader --expires never 2>"$WORK/said") || fail "no token: $(cat "$WORK/said")"
id=$(grep -o 'token [0-9a-f]\{16\}' "$WORK/said" | cut -d' ' -f2)
rights grant set friend given --tlp green --policy open >/dev/null || fail "no grant"
for n in $(seq 30); do echo "http://203.0.113.$n/a.sh"; done >"$WORK/list"
rights import urls "$WORK/list" --source lists --tlp green >/dev/null || fail "the list was not taken"
echo "http://203.0.113.200/secret.sh" >"$WORK/secret"
rights import urls "$WORK/secret" --source secret --tlp red >/dev/null || fail "the second list was not taken"

OTHER=$WORK/other.yaml
(umask 077; echo "$token" >"$WORK/key")
cat >"$OTHER" <<EOF
run: {state: $WORK/other}
passive: {decoys: [{prefix: 127.21.9.2, personas: [camera]}], services: {http: {ports: [$BASE_PORT]}}, workers: 1}
web: {port: $((BASE_PORT + 4))}
store: {linger: 100ms}
exchange:
  sources:
    - {name: giver, client: taxii, url: "http://127.0.0.1:$PORT/taxii2/", key_file: $WORK/key, every: 1s, tlp: amber, pap: green,
       options: {limit: "7", collection: Given}}
    - {name: feed, client: misp, url: "http://127.0.0.1:$PORT/misp/given/", key_file: $WORK/key, every: 1s, options: {auth: bearer}}
EOF
"$KANSOKU" run --config "$OTHER" >"$WORK/other.log" 2>&1 & OTHER_PID=$!
trap 'kill -TERM $OTHER_PID 2>/dev/null; wait $OTHER_PID; cleanup' EXIT
there() { "$KANSOKU" query --config "$OTHER" --format tsv "$1" 2>/dev/null; }
wait_for() { # condition
	for _ in $(seq 60); do
		[ "$(there "SELECT count() FROM events WHERE $1" | tail -1)" -gt 0 ] 2>/dev/null && return
		sleep 0.3
	done
	there "SELECT kind, field, value FROM events WHERE kind IN ('record.imported', 'sensor.changed') LIMIT 5"
	cat "$WORK/other.log"
	fail "no event with $1"
}
value() { echo "value[indexOf(field, '$1')]"; }
named="kind = 'record.imported' AND $(value record.source) = 'giver' AND $(value indicator.value)"
for n in 1 8 30; do wait_for "$named = 'http://203.0.113.$n/a.sh'"; done
wait_for "$named = 'http://203.0.113.5/a.sh' AND $(value record.tlp) = 'AMBER'"
wait_for "kind = 'record.imported' AND $(value record.source) = 'feed' AND $(value indicator.value) = 'http://203.0.113.30/a.sh'"
echo "http://203.0.113.99/late.sh" >"$WORK/late"
rights import urls "$WORK/late" --source lists --tlp green >/dev/null || fail "what is new was not taken"
wait_for "$named = 'http://203.0.113.99/late.sh'"
[ "$(there "SELECT count() FROM events WHERE kind = 'record.imported' AND $(value indicator.value) LIKE '%secret%'" | tail -1)" = 0 ] || fail "what is red came over"
[ -z "$(there "SELECT $(value record.id) AS i, $(value indicator.value) AS v FROM events WHERE kind = 'record.imported' AND $(value record.source) = 'giver' GROUP BY i, v HAVING count() > 1")" ] ||
	fail "records doubled"
rights token revoke "$id" >/dev/null || fail "the token was not revoked"
wait_for "kind = 'sensor.changed' AND service = 'exchange/giver' AND state = 'down' AND $(value detail) LIKE '%does not let us in%'"
! grep -qF "$token" "$WORK/other.log" "$LOG" || fail "the token is in a log"
echo "31 URLs went from one observatory to another, those marked red did not, and a revoked token ended it"
