#!/bin/bash
# What partners fetch beside TAXII: passive DNS with dnsdbq, a feed as MISP reads it, exports by format; and what they must not learn.
. "$(dirname "$0")/lib.sh"
for tool in jq curl python3 dnsdbq; do
	command -v $tool >/dev/null || skip "needs $tool"
done
PORT=$((BASE_PORT + 3))
loopback_config <<EOT
store: {linger: 100ms}
operator: {name: "A CSIRT", contact: abuse@example.org}
passive:
  decoys: [{prefix: 127.21.9.1, personas: [camera]}]
  services: {http: {ports: [$HTTP_PORT]}}
  workers: 1
partners: {port: $PORT}
exchange:
  policies:
    - {name: open, fields: {src: pass, dst: drop, sensor: drop}, default: pass}
    - {name: shut, fields: {src: crypto-pan, dst: drop, sensor: drop, indicator.value: token, dns.data: drop}, default: pass}
  collections:
    - {name: web, title: Requests, kinds: [request.seen, session.opened], tlp: green}
    - {name: given, title: Given by partners, kinds: [record.imported], tlp: green}
EOT
cat >"$WORK/dns.json" <<'EOT'
{"rrname":"bad.example.net.","rrtype":"A","rdata":["198.51.100.7","198.51.100.8"],"bailiwick":"example.net.","time_first":1420070400,"time_last":1433116800,"count":12}
{"rrname":"www.bad.example.net.","rrtype":"CNAME","rdata":["bad.example.net."],"time_first":1420070400,"time_last":1433116800,"count":3}
{"rrname":"other.example.org.","rrtype":"MX","rdata":["10 mail.other.example.org."],"time_first":1420070400,"time_last":1433116800}
EOT
start_kansoku
rights() { "$KANSOKU" "$@" --config "$CONFIG"; }
rights org add csirt >/dev/null && rights org add masked >/dev/null && rights user add csirt/feed >/dev/null && rights user add masked/feed >/dev/null || fail "no organisations"
token=$(rights token add csirt/feed --expires never 2>/dev/null) && masked=$(rights token add masked/feed --expires never 2>/dev/null) || fail "no tokens"
rights grant set csirt given --tlp green --policy open >/dev/null && rights grant set csirt web --tlp green --policy open >/dev/null &&
	rights grant set masked given --tlp green --policy shut >/dev/null || fail "no grants"
rights import cof "$WORK/dns.json" --source 'a resolver' --tlp green >"$WORK/said" 2>&1 || fail "import: $(cat "$WORK/said")"
rights import cof <(sed 's/example/secret/g' "$WORK/dns.json") --source 'a resolver' --tlp red >/dev/null 2>&1 || fail "import of what is RED"
for i in $(seq 5); do curl -s -m 10 -o /dev/null "http://127.21.9.1:$HTTP_PORT/x$i"; done
for _ in $(seq 100); do
	[ "$(query "SELECT countIf(kind='record.imported') >= 6 AND countIf(kind='request.seen') >= 5 FROM log")" = 1 ] && break
	sleep 0.2
done

# dnsdbq asks us as it asks DNSDB.
ask() { timeout 20 env HOME="$WORK" DNSDB_API_KEY="${KEY:-$token}" DNSDB_SERVER="http://127.0.0.1:$PORT" dnsdbq -u dnsdb2 -j "$@" 2>"$WORK/why"; }
ask -r bad.example.net >"$WORK/rows" || fail "dnsdbq: $(cat "$WORK/why" "$WORK/rows")"
jq -e 'select(.rrtype == "A") | .rrname == "bad.example.net." and .rdata == ["198.51.100.7", "198.51.100.8"] and .count == 12 and .time_first == 1420070400' \
	"$WORK/rows" >/dev/null || fail "dnsdbq -r: $(cat "$WORK/rows" "$WORK/why")"
[ "$(ask -r '*.example.net' | wc -l)" = 2 ] || fail "names below one: $(cat "$WORK/why")"
[ "$(ask -r 'bad.example.net/CNAME' | wc -l)" = 0 ] || fail "of another type"
ask -i 198.51.100.7 | grep -q bad.example.net || fail "dnsdbq -i: $(cat "$WORK/why")"
ask -i 198.51.100.0/24 | grep -q bad.example.net || fail "dnsdbq -i of a prefix: $(cat "$WORK/why")"
ask -n bad.example.net | grep -q www.bad.example.net || fail "dnsdbq -n: $(cat "$WORK/why")"
ask -n mail.other.example.org | grep -q MX || fail "dnsdbq -n of a mail server: $(cat "$WORK/why")"
[ "$(ask -r bad.secret.net | wc -l)" = 0 ] || fail "what is RED was told"
# Who sees names and addresses changed does not learn by asking which are true.
[ "$(KEY=$masked ask -r bad.example.net | wc -l)$(KEY=$masked ask -i 198.51.100.7 | wc -l)" = 00 ] || fail "a question undoes a policy"
KEY=wrong ask -r bad.example.net >"$WORK/rows"
grep -q 401 "$WORK/why" && [ ! -s "$WORK/rows" ] || fail "dnsdbq with a wrong key: $(cat "$WORK/why" "$WORK/rows")"

BASE=http://127.0.0.1:$PORT
got() { curl -s -g -m 30 -o "$WORK/body" -D "$WORK/head" -w '%{http_code}' -H "Authorization: Bearer ${KEY:-$token}" "$BASE$1"; }
want() { [ "$(got "$2")" = "$1" ] || fail "$2 is not $1: $(head -c 500 "$WORK/body")"; }
want 200 '/dnsdb/v2/lookup/rrset/name/bad.example.net?limit=1'
[ "$(jq -sr '[.[].cond // empty] | join(" ")' "$WORK/body")" = "begin succeeded" ] || fail "framing: $(cat "$WORK/body")"
want 200 '/dnsdb/v2/lookup/rrset/name/*.example.net?limit=1'
grep -q '"cond":"limited"' "$WORK/body" || fail "a cut answer does not say so: $(cat "$WORK/body")"
want 400 '/dnsdb/v2/lookup/rdata/ip/elsewhere'
want 400 "/dnsdb/v2/lookup/rrset/name/x'%20OR%201=1*--*"
want 200 "/dnsdb/v2/lookup/rrset/name/x'%20OR%201=1"
[ "$(wc -l <"$WORK/body")" = 2 ] || fail "a name became SQL"
want 404 /misp/hosts/manifest.json

# Many at once get what one gets.
want 200 /exports/given/jsonl
cp "$WORK/body" "$WORK/one"
seq 60 | xargs -P 30 -I{} curl -s -m 30 -o "$WORK/many{}" -w '%{http_code}\n' -H "Authorization: Bearer $token" \
	"$BASE/exchange/collections/given/objects/" | sort | uniq -c >"$WORK/said"
[ "$(tr -s ' ' <"$WORK/said")" = " 60 200" ] || fail "of sixty at once: $(cat "$WORK/said")"
[ "$(cat "$WORK"/many* | sort -u | wc -l)" = 1 ] || fail "sixty at once got different things"

# A feed as MISP reads it: the manifest, the event that it names, the digests.
want 200 /misp/given/manifest.json
day=$(date -u +%F)
id=$(jq -r --arg day "$day" 'to_entries[] | select(.value.date == $day) | .key' "$WORK/body")
[ -n "$id" ] || fail "no event of today: $(head -c 400 "$WORK/body")"
jq -e '[.[] | .Orgc.name == "A CSIRT" and (.timestamp | tonumber) > 0 and .Tag[0].name == "tlp:green"] | all' "$WORK/body" >/dev/null || fail "manifest: $(head -c 600 "$WORK/body")"
want 200 "/misp/web/manifest.json"
webid=$(jq -r --arg day "$day" 'to_entries[] | select(.value.date == $day) | .key' "$WORK/body")
want 200 "/misp/web/$webid.json"
jq -e --arg id "$webid" '.Event.uuid == $id and (.Event.Attribute | map(.value) | index("127.0.0.1") != null) and ([.Event.Attribute[].type] | unique == ["ip-src"])' \
	"$WORK/body" >/dev/null || fail "the event: $(head -c 800 "$WORK/body")"
want 200 /misp/web/hashes.csv
grep -q "^$(printf 127.0.0.1 | md5sum | cut -c1-32),$webid\$" "$WORK/body" || fail "hashes.csv: $(head -3 "$WORK/body")"
want 404 "/misp/web/00000000-0000-4000-8000-000000000000.json"

# By format; what is wrong is said.
want 200 /exports
jq -e '.collections == ["web", "given"] and ([.formats[].name] | contains(["stix", "misp", "csv", "jsonl"]))' "$WORK/body" >/dev/null || fail "exports: $(cat "$WORK/body")"
want 200 /exports/web/jsonl
[ "$(jq -c 'select(.kind == "request.seen")' "$WORK/body" | wc -l)" -ge 5 ] || fail "JSON lines: $(head -c 500 "$WORK/body")"
! grep -q '127\.21\.9\.1' "$WORK/body" || fail "an address of ours went out"
digest=$(sha256sum "$WORK/body" | cut -c1-64)
grep -q "$digest" "$STATE/exchange/audit" || fail "the audit has not what went out"
want 200 /exports/web/stix
python3 tests/e2e/stix_check.py "$WORK/body" >"$WORK/checked" || fail "the bundle: $(cat "$WORK/checked")"
want 200 '/exports/web/jsonl?from=2015-06-01&to=2015-06-10'
[ ! -s "$WORK/body" ] || fail "nothing was then: $(head -c 300 "$WORK/body")"
want 400 '/exports/web/jsonl?from=yesterday'
want 404 /exports/web/no-such
want 404 /exports/attacks/jsonl
stop_kansoku || fail "kansoku did not end well"
echo "partners: passive DNS, MISP's feed and exports, $(cat "$WORK/checked")"
