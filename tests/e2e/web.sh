#!/bin/bash
# The API and the page over HTTP: answers, refusals, headers, and the live stream.
. "$(dirname "$0")/lib.sh"
loopback_config <<'EOT'
operator: {name: Test CSIRT, contact: abuse@example.org, page: "https://example.org/probing"}
EOT
start_kansoku --only journal,store,control,web
U=http://127.0.0.1:$WEB_PORT
get() { curl -s -m 20 "$@"; }
for _ in $(seq 100); do # events reach the tables shortly after the start
	get "$U/api/v1/overview" | grep -q sensor.changed && break
	sleep 0.2
done
get "$U/api/v1/overview" | jq -e '.rows[] | select(.kind=="sensor.changed")' >/dev/null || fail "overview shows no event"
id=$(get "$U/api/v1/events?kind=sensor.changed&limit=1" | jq -r '.rows[0].id')
[ "$(get "$U/api/v1/events/$id" | jq -r '.rows[0].id')" = "$id" ] || fail "an event is not found by its id"
get "$U/api/v1/hosts/192.0.2.1" | jq -e '.count == 0' >/dev/null || fail "an unknown host is not empty"
get "$U/api/v1/reports/devices" | jq -e '.parts.sources' >/dev/null || fail "no report"
get "$U/api/v1" | jq -e '.routes | length > 8' >/dev/null || fail "no index"
get "$U/api/v1/state" | jq -e '.active == false' >/dev/null || fail "looks are on without a scope"
get "$U/.well-known/probing.txt" | grep -q '^Contact: mailto:abuse@example.org' || fail "no probing.txt"

refused() { # status, code, curl arguments
	local got
	got=$(curl -s -m 20 -o "$WORK/body" -w '%{http_code}' "${@:3}")
	[ "$got" = "$1" ] && grep -q "\"$2\"" "$WORK/body" || fail "${*:3}: $got $(cat "$WORK/body"), expected $1 $2"
}
refused 404 unknown-path "$U/nothing"
refused 404 unknown-report "$U/api/v1/reports/nothing"
refused 405 wrong-method -X POST "$U/api/v1/overview"
refused 400 bad-address "$U/api/v1/hosts/nobody"
refused 400 bad-id "$U/api/v1/events/xyz"
refused 400 bad-number "$U/api/v1/events?limit=-1"
refused 400 unknown-kind "$U/api/v1/stream?kinds=nothing"
refused 421 wrong-host -H 'Host: evil.example' "$U/"
# A value cannot leave its quotes.
get "$U/api/v1/events?kind=x'%20OR%201=1%20--%20" | jq -e '.count == 0' >/dev/null || fail "a quote broke out"
get "$U/api/v1/events?src=%5C'%00" >/dev/null

curl -s -D - -o /dev/null "$U/" | grep -qi "^content-security-policy: default-src 'none'" || fail "no content security policy"
get "$U/" | grep -q '<title>kansoku' || fail "no page"
for script in console.js telescope.js partners.js; do
	get "$U/$script" | grep -q '^import\|^export' || fail "no $script"
	get "$U/$script" | grep -qE 'innerHTML|outerHTML|insertAdjacentHTML|document\.write' && fail "the page makes markup of text"
done
get "$U/api/v1/reports/telescope" | jq -e '.parts.totals[0].flows == 0' >/dev/null || fail "no report of an empty telescope"

# A stream sees what happens after it was opened: a process that dies and comes back.
timeout 10 curl -sN "$U/api/v1/stream?kinds=sensor.changed" >"$WORK/stream" &
sleep 1
kill -9 "$(role_pid store)"
wait $!
grep -q '"state":"crash"' "$WORK/stream" || fail "the stream did not tell of the crash"
grep -q '"state":"up"' "$WORK/stream" || fail "the stream did not tell of the return"
stop_kansoku || fail "it did not stop in order"
