#!/bin/bash
# What decoys met goes out by schedule: to DShield and a broker of hpfeeds, each event once, as the grant says, audited.
. "$(dirname "$0")/lib.sh"
for tool in jq curl python3; do
	command -v $tool >/dev/null || skip "needs $tool"
done
PORT=$((BASE_PORT + 3)) HOSTILE=$((BASE_PORT + 4)) BROKER=$BASE_PORT
python3 tests/e2e/clients_world.py $PORT $HOSTILE $BROKER "$WORK/asked" 2>"$WORK/world" & SERVERS=$!
touch "$WORK/asked"
key() { (umask 077; echo "$2" >"$WORK/$1.key"); }
key dshield 12345:dshield-key-1; key wrong 12345:dshield-key-9; key sender sender:hp-secret-2
loopback_config <<EOF
store: {linger: 100ms}
operator: {name: Example Observatory, contact: abuse@example.org}
passive:
  decoys: [{prefix: 127.21.7.1, personas: [camera]}]
  services: {http: {ports: [$HTTP_PORT]}}
  workers: 1
exchange:
  collections: [{name: visits, title: Visits, kinds: [session.opened, login.tried], tlp: green}]
  policies: [{name: open, fields: {src: pass}}, {name: hidden, fields: {src: crypto-pan}}]
  publish:
    - {name: center, publisher: dshield, url: "http://127.0.0.1:$PORT/submitapi/", key_file: $WORK/dshield.key, collection: visits,
       organisation: center, every: 1s, delay: 3s}
    - {name: wrong, publisher: dshield, url: "http://127.0.0.1:$PORT/submitapi/", key_file: $WORK/wrong.key, collection: visits,
       organisation: center, every: 2s, delay: 3s}
    - {name: bystanders, publisher: dshield, url: "http://127.0.0.1:$PORT/submitapi/", key_file: $WORK/dshield.key, collection: visits,
       organisation: pots, every: 1s, delay: 3s}
    - {name: pots, publisher: hpfeeds, url: "hpfeeds://127.0.0.1:$BROKER", key_file: $WORK/sender.key, collection: visits,
       organisation: pots, options: {channel: kansoku.visits}, every: 1s, delay: 3s}
    - {name: nobody, publisher: hpfeeds, url: "hpfeeds://127.0.0.1:$BROKER", key_file: $WORK/sender.key, collection: visits,
       organisation: nobody, options: {channel: never}, every: 1s, delay: 3s}
EOF
start_kansoku
rights() { "$KANSOKU" "$@" --config "$CONFIG" >"$WORK/said" 2>&1 || fail "kansoku $*: $(cat "$WORK/said")"; }
rights org add center; rights org add pots
rights grant set center visits --tlp green --policy open
rights grant set pots visits --tlp green --policy hidden
for n in 7 8 9; do
	curl -s -m 20 --interface 127.55.0.$n -o /dev/null "http://127.21.7.1:$HTTP_PORT/at-127.21.7.1"
done
told() { [ "$(query "SELECT count() FROM events WHERE kind = 'sensor.changed' AND service = 'publish/$1' AND value[indexOf(field, 'detail')] LIKE '%$2%'" 2>/dev/null | tail -1)" -gt 0 ] 2>/dev/null; }
for _ in $(seq 90); do
	grep -q 'right firewall.*127.55.0.9' "$WORK/asked" && [ "$(grep -c 'PUBLISH sender kansoku.visits' "$WORK/asked")" -ge 3 ] &&
		told center 'status 500' && told wrong 'an error' && told bystanders 'bystanders' && told nobody 'no grant' && break
	sleep 0.2
done
told center 'status 500' || fail "a server that is out of order was not told"
told wrong 'an error' || fail "a wrong key was not told"
told bystanders 'bystanders' || fail "addresses that are not true were reported"
told nobody 'no grant' || fail "who has no grant was sent something"
sleep 3 # two more turns
lines() { grep "POST /submitapi/ right" "$WORK/asked" | sed 's/.*firewall //' | jq -cs 'flatten'; }
# The first was refused by a server out of order, and came again.
lines | jq -e 'all(.[]; .proto == 6 and .version == 4 and .dip == "10.0.0.1" and .flags == "S") and
	([.[].sip] | unique) == ["127.55.0.7", "127.55.0.8", "127.55.0.9"]' >/dev/null || fail "DShield got $(lines)"
taken=$(grep "POST /submitapi/" "$WORK/asked" | grep right | wc -l)
[ "$taken" -le 6 ] || fail "it was submitted $taken times"
grep 'PUBLISH sender kansoku.visits' "$WORK/asked" | sed 's/.*kansoku.visits //' >"$WORK/published"
jq -se 'length == 3 and all(.[]; .kind == "session.opened" and (has("dst") | not) and (.src | startswith("127.55.0.") | not))' "$WORK/published" \
	>/dev/null || fail "the broker got $(cat "$WORK/published")"
! grep -E 'PUBLISH|POST /submit' "$WORK/asked" | grep -q '127\.21\.7\.1' || fail "our own address went out"
! grep -q ' never ' "$WORK/asked" || fail "who has no grant got something"
"$KANSOKU" audit exchange --config "$CONFIG" >"$WORK/said" 2>&1 || fail "the audit: $(cat "$WORK/said")"
grep -q '"action":"publish".*"organisation":"pots"' "$STATE/exchange/audit" || fail "what went out is not in the audit: $(tail -3 "$STATE/exchange/audit")"
# After a restart nothing is sent a second time.
stop_kansoku; before=$(grep -c 'PUBLISH' "$WORK/asked"); start_kansoku; sleep 4
[ "$(grep -c 'PUBLISH' "$WORK/asked")" = "$before" ] || fail "a restart sent it again"
stop_kansoku
for secret in dshield-key-1 dshield-key-9 hp-secret-2; do
	! grep -rqa "$secret" "$LOG" "$STATE" || fail "a key is in $(grep -rla "$secret" "$LOG" "$STATE" | head -3)"
done
echo "3 visits went to DShield and a broker of hpfeeds once each, as granted and audited"
