#!/bin/bash
# Services of partners: what they have comes in once, by their own ways, and a hostile one gets neither key nor reach.
. "$(dirname "$0")/lib.sh"
for tool in jq curl python3; do
	command -v $tool >/dev/null || skip "needs $tool"
done
PORT=$BASE_PORT HOSTILE=$((BASE_PORT + 1)) BROKER=$((BASE_PORT + 3))
URL=http://127.0.0.1:$PORT
python3 tests/e2e/clients_world.py $PORT $HOSTILE $BROKER "$WORK/asked" 2>"$WORK/world" & SERVERS=$!
key() { (umask 077; echo "$2" >"$WORK/$1.key"); }
key taxii reader:taxii-secret; key wrong reader:wrong-secret; key dnsdb dnsdb-key-1; key vt vt-key-12345
key shadow shadow-key:shadow-secret; key pot pot:hp-secret-1; key stranger stranger:hp-secret-9; key misp misp-automation-key
mkdir "$WORK/drop"
echo 198.51.100.66 >"$WORK/red"
printf '198.51.100.1\n198.51.100.2\n198.51.100.3\n' >"$WORK/drop/list.txt"

loopback_config <<EOF
operator: {name: test, contact: abuse@example.org}
exchange:
  size_max: 1M
  sources:
    - {name: partner, client: taxii, url: "$URL/taxii2/", key_file: $WORK/taxii.key, every: 1s, tlp: amber, pap: green}
    - {name: wrongkey, client: taxii, url: "$URL/taxii2/", key_file: $WORK/wrong.key, every: 1s}
    - {name: circle, client: taxii, url: "$URL/bad/circle/", every: 1s}
    - {name: feed, client: misp, url: "$URL/feed", every: 1s}
    - {name: away, client: misp, url: "$URL/bad/away/", key_file: $WORK/misp.key, every: 1s}
    - {name: round, client: misp, url: "$URL/bad/round/", every: 1s}
    - {name: endless, client: misp, url: "$URL/bad/endless/", every: 1s}
    - {name: echo, client: misp, url: "$URL/bad/key/", key_file: $WORK/misp.key, every: 1s}
    - {name: reports, client: shadowserver, url: "$URL/api2/", key_file: $WORK/shadow.key, every: 1s, options: {download: "$URL/dl/"}}
    - {name: pots, client: hpfeeds, url: "hpfeeds://127.0.0.1:$BROKER", key_file: $WORK/pot.key, options: {channels: "cowrie.sessions"}}
    - {name: stranger, client: hpfeeds, url: "hpfeeds://127.0.0.1:$BROKER", key_file: $WORK/stranger.key, options: {channels: c}}
    - {name: pdns, client: dnsdb, url: "$URL/dnsdb/v2/lookup/rdata/ip/{src}?limit=10", key_file: $WORK/dnsdb.key, asked: true, every: 1s}
    - {name: vt, client: virustotal, url: "$URL/api/v3/ip_addresses/{src}", key_file: $WORK/vt.key, asked: true, every: 1s}
    - {name: drop, format: urls, path: $WORK/drop, every: 1s}
    - {name: red, format: urls, path: $WORK/red, every: 1s, pap: red}
rules:
  - {name: asks, on: record.imported, when: {record.source: [drop, red]}, do: import}
EOF
chmod 644 "$WORK/shadow.key"
"$KANSOKU" run --config "$CONFIG" >"$WORK/open" 2>&1 & OPEN=$!
for _ in $(seq 100); do grep -qs 'others than its owner may read it' "$WORK/open" && break; sleep 0.1; done
kill -TERM $OPEN 2>/dev/null; wait $OPEN
grep -q 'others than its owner may read it' "$WORK/open" || fail "a key that everybody may read was taken: $(cat "$WORK/open")"
chmod 600 "$WORK/shadow.key"
start_kansoku
value() { echo "value[indexOf(field, '$1')]"; }
wait_for() { # condition
	for _ in $(seq 60); do
		[ "$(query "SELECT count() FROM events WHERE $1" 2>/dev/null | tail -1)" -gt 0 ] 2>/dev/null && return
		sleep 0.3
	done
	query "SELECT kind, service, state, field, value FROM events WHERE kind IN ('record.imported', 'sensor.changed') LIMIT 40"
	cat "$WORK/asked" | sort | uniq -c | head -40
	fail "no event with $1 within 20 s"
}
came() { wait_for "kind = 'record.imported' AND $(value record.source) = '$1' AND $(value indicator.value) $2"; }
told() { wait_for "kind = 'sensor.changed' AND service = 'exchange/$1' AND state = 'down' AND $(value detail) LIKE '%$2%'"; }

came partner "= '198.51.100.7'"
[ "$(query "SELECT count() FROM events WHERE $(value record.source) = 'partner'" | tail -1)" = 7 ] || fail "not each object of TAXII came once"
wait_for "$(value record.source) = 'partner' AND $(value record.tlp) = 'AMBER'"
came feed "= '203.0.113.3'"; came feed "= '203.0.113.1'"
came reports "LIKE '203.0.113.77%'"
came pots "LIKE '203.0.113.200%'"
came pdns "LIKE '%seen.example%'"; came pdns "LIKE '%cut.example%'"
came vt "= '198.51.100.1'"
told wrongkey 'does not let us in'; told circle 'go round in circles'; told away 'a host that the source does not name'
told round 'redirects more than'; told endless 'larger than'; told echo 'repeats the key'; told stranger 'the broker refuses'
told pdns 'was cut'; told vt 'too often'
# Records of a question name the event that it was about.
wait_for "$(value record.source) = 'pdns' AND cause IN (SELECT id FROM events WHERE $(value record.source) = 'drop')"

# Another event of the same source asks nothing that was asked already.
printf '198.51.100.1:8080\n' >"$WORK/drop/more.txt"
came drop "= '198.51.100.1:8080'"; sleep 1
[ "$(grep -c 'rdata/ip/198.51.100.1?' "$WORK/asked")" = 1 ] || fail "the same was asked again: $(grep rdata "$WORK/asked")"

! grep -q "^$HOSTILE " "$WORK/asked" || fail "a redirect was followed to another host: $(grep "^$HOSTILE" "$WORK/asked")"
came red "= '198.51.100.66'"
! grep -q '198.51.100.66' "$WORK/asked" || fail "others were told of what is marked red: $(grep '198.51.100.66' "$WORK/asked")"
! grep -q 'a key was sent to the download host' "$WORK/asked" || fail "the download host got a key"
[ "$(grep -c "/dl/AbC-dE_1" "$WORK/asked")" = 1 ] || fail "a report was downloaded again"
grep -q 'added_after=2025-01-01T00:00:07.000000Z' "$WORK/asked" || fail "TAXII was not asked for what is newer"
! grep -q 'etc/passwd' "$WORK/asked" || fail "a name of a manifest became a path"
[ "$(grep -c "feed/5a3f7c2e-0000-4000-8000-000000000001.json" "$WORK/asked")" = 1 ] || fail "an event of MISP was fetched again"
# After a restart the places are still known.
stop_kansoku; before=$(wc -l <"$WORK/asked"); start_kansoku
for _ in $(seq 60); do tail -n +$((before + 1)) "$WORK/asked" | grep -q added_after && break; sleep 0.2; done
! tail -n +$((before + 1)) "$WORK/asked" | grep -E "/dl/|feed/5.*0[123].json|api1/.*objects/ " || fail "a restart forgot what had come"
stop_kansoku
for secret in taxii-secret wrong-secret dnsdb-key-1 vt-key-12345 shadow-secret shadow-key hp-secret misp-automation-key; do
	! grep -rqa "$secret" "$LOG" "$STATE" || fail "a key is in $(grep -rla "$secret" "$LOG" "$STATE" | head -3)"
done
echo "partners' services: TAXII, MISP, Shadowserver, hpfeeds, DNSDB and VirusTotal came in once each; hostile ones got nothing"
