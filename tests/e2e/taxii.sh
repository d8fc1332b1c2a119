#!/bin/bash
# Partners ask over TAXII 2.1, with curl: every endpoint, page, filter and error, and what none of them may learn.
. "$(dirname "$0")/lib.sh"
for tool in jq curl python3 openssl; do
	command -v $tool >/dev/null || skip "needs $tool"
done
PORT=$((BASE_PORT + 3)) TLS=$((BASE_PORT + 4))
TAXII='application/taxii+json;version=2.1'
config() { # address, further members of partners
	cat <<-EOT | loopback_config
	store: {linger: 100ms}
	operator: {name: "A CSIRT", contact: abuse@example.org}
	passive:
	  decoys: [{prefix: 127.21.9.1, personas: [camera]}]
	  services: {http: {ports: [$HTTP_PORT]}}
	  workers: 1
	partners: {$1}
	exchange:
	  policies:
	    - {name: open, fields: {src: pass, dst: drop, sensor: drop}, default: pass}
	  collections:
	    - {name: web, title: Requests, kinds: [request.seen, session.opened], tlp: green}
	    - {name: given, title: Given by partners, kinds: [record.imported], tlp: green}
	EOT
}
config "port: $PORT"
start_kansoku
rights() { "$KANSOKU" "$@" --config "$CONFIG"; }
rights org add csirt >/dev/null && rights org add other >/dev/null || fail "no organisations"
rights user add csirt/feed >/dev/null && rights user add other/feed >/dev/null || fail "no users"
token=$(rights token add csirt/feed --scope read,write --expires never 2>/dev/null) || fail "no token"
other=$(rights token add other/feed --scope read,write --expires never 2>/dev/null) || fail "no other token"
rights grant set csirt web --tlp amber --policy open >/dev/null || fail "no grant"
rights grant set csirt given --rights read,write --tlp green --policy open >/dev/null || fail "no grant to write"
rights grant set other given --rights write >/dev/null || fail "no grant to the other"

BASE=http://127.0.0.1:$PORT
got() { # path, curl's options: the body in $WORK/body, the headers in $WORK/head; prints the status
	local path=$1
	shift
	curl -s -g -m 30 -o "$WORK/body" -D "$WORK/head" -w '%{http_code}' -u "feed:$token" -H "Accept: ${ACCEPT:-$TAXII}" "$@" "$BASE$path"
}
want() { # status path options
	local status=$1 path=$2
	shift 2
	local is
	is=$(got "$path" "$@")
	[ "$is" = "$status" ] || fail "$path $*: $is, not $status: $(head -c 600 "$WORK/body")"
}
says() { jq -e "$1" "$WORK/body" >/dev/null || fail "${2:-$1}: $(head -c 1500 "$WORK/body")"; }

# Who is not known learns nothing, wherever it knocks.
for path in /taxii2/ /exchange/ /exchange/collections/ /nothing; do
	want 401 $path -u 'feed:kansoku_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'
	grep -qi '^www-authenticate: Basic' "$WORK/head" || fail "no WWW-Authenticate at $path"
	sum=${sum:-$(sha256sum <"$WORK/body")}
	[ "$sum" = "$(sha256sum <"$WORK/body")" ] || fail "a stranger can tell $path from others"
done

want 200 /taxii2/
says '.title == "A CSIRT" and .contact == "abuse@example.org"'
says ".api_roots == [\"$BASE/exchange/\"]"
grep -qi "^content-type: $TAXII" "$WORK/head" || fail "content type: $(cat "$WORK/head")"
want 200 /exchange/
says ".versions == [\"$TAXII\"] and .max_content_length == 8388608"
want 200 /taxii2/ -H "Authorization: Bearer $token" -u :
ACCEPT='application/taxii+json;version=2.0' want 406 /taxii2/
ACCEPT=text/html want 406 /exchange/collections/
want 404 /exchange/nothing/
want 405 /exchange/collections/ -X PUT
want 200 /exchange/collections/
says '[.collections[].alias] == ["web", "given"]'
says '.collections[0] | .can_read and (.can_write | not)'
web=$(jq -r '.collections[0].id' "$WORK/body") given=$(jq -r '.collections[1].id' "$WORK/body")
want 200 /exchange/collections/$web/
want 200 /exchange/collections/web/
# What is there and what is not is the same to who may see neither.
want 404 /exchange/collections/attacks/
mv "$WORK/body" "$WORK/known"
want 404 /exchange/collections/no-such-thing/
cmp "$WORK/known" "$WORK/body" || fail "a foreign collection can be told from none"
want 404 /exchange/collections/web/ -u "feed:$other"

# Attacks come in, and are there as objects.
for i in $(seq 40); do curl -s -m 10 -o /dev/null -A "scanner/$i" "http://127.21.9.1:$HTTP_PORT/cgi-bin/x$i?a='b"; done
for _ in $(seq 100); do
	want 200 "/exchange/collections/$web/objects/?match[type]=observed-data"
	[ "$(jq '.objects | length' "$WORK/body")" -ge 80 ] && break
	sleep 0.2
done
says '.objects | length >= 80'
want 200 /exchange/collections/$web/objects/
cp "$WORK/body" "$WORK/all"
python3 tests/e2e/stix_check.py "$WORK/all" >"$WORK/checked" || fail "STIX: $(cat "$WORK/checked")"
says '(.objects | map(select(.type == "ipv4-addr")) | length) == 1' "the source once, and no address of ours"
says '[.objects[] | select(.type == "network-traffic") | .extensions["http-request-ext"].request_value // empty] | contains(["/cgi-bin/x7?a='"'"'b"])'
says '[.objects[] | select(.type == "sighting")] | length >= 40'
says 'has("more") | not'
! grep -q '127\.21\.9\.1' "$WORK/all" || fail "an address of ours went out"

# Page by page it is the same, in order, each date once and later than the one before.
want 200 "/exchange/collections/$web/manifest/"
jq -c '.objects[]' "$WORK/body" >"$WORK/manifest"
python3 - "$WORK/manifest" "$WORK/all" <<'EOP' || fail "the manifest"
import json, sys
rows = [json.loads(line) for line in open(sys.argv[1])]
dates = [r["date_added"] for r in rows]
assert dates == sorted(set(dates)), "dates"
assert [r["id"] for r in rows] == [o["id"] for o in json.load(open(sys.argv[2]))["objects"]], "ids"
assert all(r["version"] and r["media_type"] == "application/stix+json;version=2.1" for r in rows)
EOP
next= pages=0
: >"$WORK/paged"
while :; do
	want 200 "/exchange/collections/$web/objects/?limit=7${next:+&next=$next}"
	jq -r '.objects[]?.id' "$WORK/body" >>"$WORK/paged"
	pages=$((pages + 1))
	[ "$(jq '.objects | length' "$WORK/body")" -le 7 ] || fail "a page is longer than asked"
	grep -qi '^x-taxii-date-added-last: ' "$WORK/head" || fail "no date of the last"
	last=$(sed -n 's/^x-taxii-date-added-last: \(.*\)\r/\1/Ip' "$WORK/head")
	[ "$(jq '.more == true' "$WORK/body")" = true ] || break
	next=$(jq -r .next "$WORK/body")
	[ $pages -lt 200 ] || fail "pages without end"
done
sort -u "$WORK/paged" | cmp - <(jq -r '.objects[].id' "$WORK/all" | sort -u) || fail "pages and the whole differ"
want 200 "/exchange/collections/$web/objects/?added_after=$last"
says '. == {}' "nothing is younger than the last"
middle=$(sed -n 100p "$WORK/manifest" | jq -r .date_added)
want 200 "/exchange/collections/$web/manifest/?added_after=$middle"
says "[.objects[].date_added] | min > \"$middle\"" "added_after is strictly greater"

# Filters, one object, its versions.
id=$(jq -r '[.objects[] | select(.type == "indicator")][0].id' "$WORK/all")
want 200 "/exchange/collections/$web/objects/?match[id]=$id"
says ".objects | length == 1 and .[0].id == \"$id\""
want 200 "/exchange/collections/$web/objects/?match[type]=ipv4-addr,indicator&match[version]=last"
says '[.objects[].type] | unique == ["indicator", "ipv4-addr"]'
want 200 "/exchange/collections/$web/objects/?match[spec_version]=2.0"
says '. == {}'
want 200 "/exchange/collections/$web/objects/$id/"
says ".objects | length == 1 and .[0].id == \"$id\""
want 200 "/exchange/collections/$web/objects/$id/versions/"
says '.versions | length == 1'
want 404 "/exchange/collections/$web/objects/indicator--00000000-0000-4000-8000-000000000000/"
want 403 "/exchange/collections/$given/objects/$id/" -X DELETE
for wrong in 'limit=0' 'limit=-1' 'limit=x' 'next=0' 'next=00000000000000000000000000000001' 'added_after=yesterday'; do
	want 400 "/exchange/collections/$web/objects/?$wrong"
	says '.http_status == "400" and .title'
done

# Objects are given; each has its fate, and the sum is right.
cat >"$WORK/envelope" <<'EOT'
{"objects":[{"type":"indicator","spec_version":"2.1","id":"indicator--6b616e73-6f6b-4751-9163-6f6c6c656301","created":"2026-01-01T00:00:00.000Z",
"modified":"2026-01-01T00:00:00.000Z","pattern":"[ipv4-addr:value = '198.51.100.77']","pattern_type":"stix","valid_from":"2026-01-01T00:00:00Z",
"object_marking_refs":["marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"]},
{"type":"indicator","spec_version":"2.1","id":"indicator--6b616e73-6f6b-4751-9163-6f6c6c656302","created":"2026-01-01T00:00:00.000Z",
"modified":"2026-01-01T00:00:00.000Z","pattern":"[ipv4-addr:value = '198.51.100.78']","pattern_type":"stix","valid_from":"2026-01-01T00:00:00Z",
"object_marking_refs":["marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"]},
{"type":"indicator","id":"none"}, 7]}
EOT
post() { want "$1" "/exchange/collections/$2/objects/" -X POST -H "Content-Type: ${4:-$TAXII}" --data-binary "@$3" "${@:5}"; }
post 415 $given "$WORK/envelope" application/json
post 415 $given "$WORK/envelope" application/taxii+json
post 403 $web "$WORK/envelope"
post 404 attacks "$WORK/envelope"
echo '{"objects": [' >"$WORK/broken" && post 422 $given "$WORK/broken"
echo '{}' >"$WORK/empty" && post 422 $given "$WORK/empty"
head -c 8400000 /dev/zero | tr '\0' ' ' >"$WORK/large" && post 413 $given "$WORK/large"
post 202 $given "$WORK/envelope"
says '.status == "complete" and .total_count == 4 and .success_count == 2 and .failure_count == 2 and .pending_count == 0'
says '(.successes | length) == 2 and (.failures | length) == 2 and .failures[0].message'
status=$(jq -r .id "$WORK/body") && cp "$WORK/body" "$WORK/first"
want 200 /exchange/status/$status/
cmp "$WORK/first" "$WORK/body" || fail "the status changed"
want 404 /exchange/status/$status/ -u "feed:$other"
want 403 /exchange/collections/$given/objects/ -u "feed:$other"
for _ in $(seq 100); do
	want 200 "/exchange/collections/$given/objects/?match[type]=indicator"
	[ "$(jq '.objects | length' "$WORK/body")" -ge 1 ] && break
	sleep 0.2
done
says '.objects[0].pattern == "[ipv4-addr:value = '"'198.51.100.77'"']"'
sleep 3
want 200 "/exchange/collections/$given/objects/"
! grep -q '198\.51\.100\.78' "$WORK/body" || fail "what is RED went out under a grant up to GREEN"
python3 tests/e2e/stix_check.py "$WORK/body" >"$WORK/checked" || fail "STIX of what was given: $(cat "$WORK/checked")"
cp "$WORK/body" "$WORK/went_out"

# A grant's pace holds.
rights grant set other given --rights write --rate 1 >/dev/null || fail "no grant at a pace"
for _ in 1 2 3; do got /exchange/collections/$given/objects/x/ -X DELETE -u "feed:$other" >"$WORK/status"; done
[ "$(cat "$WORK/status")" = 429 ] && grep -qi '^retry-after: [1-9]' "$WORK/head" || fail "the pace: $(cat "$WORK/status" "$WORK/head")"

# All of it is in the audit, with the digest of what went out, and the chain holds.
digest=$(sha256sum "$WORK/went_out" | cut -c1-64)
grep -q "$digest" "$STATE/exchange/audit" || fail "the audit has not what went out"
# And it is an event, for rules, the console and SQL.
for _ in $(seq 100); do
	shared=$(query "SELECT count() FROM log WHERE kind = 'record.shared' AND has(value, '$digest')")
	[ "$shared" != 0 ] && break
	sleep 0.1
done
[ "$shared" != 0 ] || fail "what went out is no event"
rights audit exchange >"$WORK/said" 2>&1 || fail "the audit: $(cat "$WORK/said")"
stop_kansoku || fail "kansoku did not end well"

# Over TLS, with a certificate in a token's place; a position outlives the restart.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$WORK/ca.key" -out "$WORK/ca.pem" -days 2 -subj /CN=ca 2>/dev/null
leaf() { # name extension
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$WORK/$1.key" -out "$WORK/$1.csr" -subj "/CN=$1" 2>/dev/null
	openssl x509 -req -in "$WORK/$1.csr" -CA "$WORK/ca.pem" -CAkey "$WORK/ca.key" -CAcreateserial -days 2 -out "$WORK/$1.pem" \
		-extfile <(echo "$2") 2>/dev/null
}
leaf server subjectAltName=IP:127.0.0.1 && leaf client extendedKeyUsage=clientAuth && leaf stranger extendedKeyUsage=clientAuth
config "port: $TLS, certificate: $WORK/server.pem, key: $WORK/server.key, clients: $WORK/ca.pem"
start_kansoku
rights token add csirt/feed --certificate "$WORK/client.pem" >/dev/null 2>&1 || fail "no token for a certificate"
BASE=https://127.0.0.1:$TLS
want 200 /taxii2/ --cacert "$WORK/ca.pem"
says ".api_roots == [\"$BASE/exchange/\"]"
tls() { want "$1" "$2" --cacert "$WORK/ca.pem" -u : "${@:3}"; }
tls 401 /taxii2/
tls 401 /taxii2/ --cert "$WORK/stranger.pem" --key "$WORK/stranger.key"
tls 200 /taxii2/ --cert "$WORK/client.pem" --key "$WORK/client.key"
tls 200 "/exchange/collections/$web/objects/?limit=7&next=$next" --cert "$WORK/client.pem" --key "$WORK/client.key"
says '.objects | length > 0'
curl -s -m 5 -o /dev/null --tls-max 1.1 --cacert "$WORK/ca.pem" "$BASE/taxii2/" && fail "TLS 1.1 is spoken"
stop_kansoku || fail "kansoku did not end well"

sed "s/^partners: .*/partners: {port: $PORT, listen: 192.0.2.1}/" "$CONFIG" >"$WORK/open.yaml"
"$KANSOKU" check-config "$WORK/open.yaml" >"$WORK/said" 2>&1 && fail "passwords may go in clear"
grep -q 'partners.certificate' "$WORK/said" || "$KANSOKU" check-config --config "$WORK/open.yaml" 2>&1 | grep -q 'partners.certificate' || fail "check-config: $(cat "$WORK/said")"
echo "TAXII: $(sed 's/,.*//' "$WORK/checked"), $pages pages"
