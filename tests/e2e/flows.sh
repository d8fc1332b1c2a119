#!/bin/bash
# Flows of a made-up telescope, each once in the table however often the store and the journal are
# killed; in the report, on the host's page, gone when their address is erased.
. "$(dirname "$0")/lib.sh"
LOAD=${LOAD:-build/plain/program/tests/e2e/flows_load}
[ -x "$LOAD" ] || { make -s "$LOAD" >/dev/null 2>&1 || fail "$LOAD cannot be built"; }
FLOWS=${FLOWS:-40000} SOURCES=400 ADDRESS=198.18.0.3
loopback_config </dev/null
start() { # roles
	"$LOAD" "$STATE" "$FLOWS" "$1" "$WEB_PORT" >>"$LOG" 2>&1 &
	KANSOKU_PID=$!
}
one() { query "$1" 2>/dev/null | tail -1; }
settled() { # sql, answer
	for _ in $(seq 300); do
		[ "$(one "$1")" = "$2" ] && return
		sleep 0.2
	done
	fail "$1: $(one "$1"), expected $2"
}
start journal,store,load
for i in 1 2 3 4 5 6; do
	sleep 1
	role=store
	[ $((i % 3)) = 0 ] && role=journal
	pid=$(role_pid $role) && [ -n "$pid" ] && kill -9 "$pid"
done
for _ in $(seq 600); do [ -s "$STATE/done" ] && break; sleep 0.1; done
[ -s "$STATE/done" ] || fail "not all flows were acknowledged"
settled "SELECT count(), uniqExact(id), uniqExact(src) FROM flows" "$FLOWS	$FLOWS	$SOURCES"
settled "SELECT count() FROM events WHERE kind = 'flow.counted'" 0
settled "SELECT count() FROM log WHERE kind IN ('source.judged', 'backscatter.seen')" $SOURCES
payloads=$("$KANSOKU" query --config "$CONFIG" --private --format tsv "SELECT count(), uniqExact(id) FROM private" | tail -1)
[ "$payloads" = "$FLOWS	$FLOWS" ] || fail "payloads: $payloads"
query "SELECT count() FROM private" >/dev/null 2>&1 && fail "payloads are not private"
stop_kansoku || fail "it did not end well"

# A new start on the same state, with the console and without the load.
rm -f "$STATE/run/ready"
start journal,store,control,web
for _ in $(seq 300); do [ -e "$STATE/run/ready" ] && break; sleep 0.1; done
settled "SELECT count() FROM flows" "$FLOWS"
U=http://127.0.0.1:$WEB_PORT
if command -v curl >/dev/null && command -v jq >/dev/null; then
	curl -s -m 20 "$U/api/v1/hosts/$ADDRESS/flows" | jq -e ".count == $((FLOWS / SOURCES))" >/dev/null || fail "the host's flows"
	curl -s -m 20 "$U/api/v1/hosts/nobody/flows" | grep -q bad-address || fail "an address that is none"
	curl -s -m 20 "$U/api/v1/reports/telescope" | jq -e ".parts.totals[0].flows == $FLOWS and (.parts.sources | length) == 100
		and (.parts.victims | length) > 10 and (.parts.rate | length) > 0" >/dev/null || fail "the report over HTTP"
	curl -s -m 20 "$U/api/v1/overview?hours=48" | jq -e ".rows[] | select(.kind == \"flow.counted\") | .events == $FLOWS and .sources == $SOURCES" >/dev/null || fail "the overview"
	curl -s -m 20 "$U/telescope.js" | grep -qE 'innerHTML|outerHTML|insertAdjacentHTML|document\.write' && fail "the page makes markup of text"
fi
"$KANSOKU" report telescope --config "$CONFIG" >"$WORK/report" || fail "no report"
for words in '^rate, ' '^mirai ' "^$ADDRESS .* 53 " '^backscatter '; do
	grep -q "$words" "$WORK/report" || fail "the report lacks $words: $(head -30 "$WORK/report")"
done

"$KANSOKU" erase --config "$CONFIG" --dry-run $ADDRESS | grep -q "^would erase [0-9]* events, $((FLOWS / SOURCES)) flows" ||
	fail "dry run: $("$KANSOKU" erase --config "$CONFIG" --dry-run $ADDRESS)"
"$KANSOKU" erase --config "$CONFIG" $ADDRESS >/dev/null || fail "nothing was erased"
settled "SELECT count() FROM flow WHERE src = '$ADDRESS'" 0
settled "SELECT count() FROM flows" $((FLOWS - FLOWS / SOURCES))
LC_ALL=C grep -rlaP -- '\x00\x00\xff\xff\xc6\x12\x00\x03' "$STATE" 2>/dev/null | grep -v '/run/' | grep -q . && fail "its bytes still lie in the state directory"
stop_kansoku || fail "it did not end well"
echo "flows: $FLOWS of them once each, reported, erased"
