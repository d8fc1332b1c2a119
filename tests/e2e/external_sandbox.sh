#!/bin/bash
# A sample is handed over to an external sandbox and its report is taken back.  There is no CAPE here:
# at the other end stands an HTTP server of this test that speaks that part of its API (cape_server.py).
. "$(dirname "$0")/lib.sh"

command -v python3 >/dev/null && command -v jq >/dev/null || skip "python3 or jq is missing"
SAID=$WORK/said
: >"$SAID"
python3 tests/e2e/cape_server.py "$SAID" tell-nobody & SERVER=$!
end() { kill $SERVER 2>/dev/null; rm -rf "$WORK"; }
trap end EXIT
for _ in $(seq 100); do grep -q ^PORT "$SAID" && break; sleep 0.1; done
PORT=$(awk '/^PORT/ {print $2}' "$SAID")
[ -n "$PORT" ] || fail "the server did not start"

configure() { # package, wait, token
	printf '%s\n' "${3:-tell-nobody}" >"$WORK/token"
	loopback_config <<-EOT
	sandbox: {url: "http://127.0.0.1:$PORT/", token_file: $WORK/token, every: 100ms, wait: ${2:-20s}${1:+, package: $1}}
	EOT
}
sandbox() { "$KANSOKU" sandbox --config "$CONFIG" "$@" 2>"$WORK/error"; }

head -c 5000 /dev/urandom >"$WORK/sample.exe"
SHA256=$(sha256sum "$WORK/sample.exe" | cut -d' ' -f1)

configure
sandbox "$WORK/sample.exe" --json --report "$WORK/report" >"$WORK/out" || fail "no report: $(cat "$WORK/error")"
grep -q "^FILE $SHA256 5000 $SHA256$" "$SAID" || fail "another file came, or our name of it: $(grep FILE "$SAID")"
jq -e --arg s "$SHA256" '.sha256 == $s and .score == 85 and .families == ["Emotet"] and .task == 1 and (.cut | not)' \
	"$WORK/out" >/dev/null || fail "the report was not understood: $(cat "$WORK/out")"
for wanted in 'endpoint 203.0.113.9:8080 command 90' 'url https://c2.example.net/gate command 90' \
	'domain drop.example.org unknown 60' 'mutex Global\\M1 unknown 90' 'url http://drop.example.org/a.bin unknown 60'; do
	jq -r '.indicators[] | "\(.type) \(.value) \(.role) \(.confidence)"' "$WORK/out" | grep -qx "$wanted" ||
		fail "missing: $wanted, in $(jq -r '.indicators[] | "\(.type) \(.value) \(.role) \(.confidence)"' "$WORK/out")"
done
jq -e '.CAPE' "$WORK/report" >/dev/null || fail "the sandbox' own report was not kept"

# What it knows is not sent again.
sandbox "$WORK/sample.exe" --json >"$WORK/out" || fail "the known sample has no report"
[ "$(grep -c ^FILE "$SAID")" = 1 ] || fail "a known sample was sent again"
sandbox "$WORK/sample.exe" | grep -q $'\e' && fail "an escape sequence of the report reached the terminal"

refuses() { # sentence, package, wait, token: a fresh sample that comes to nothing
	local sentence=$1
	shift
	configure "$@"
	head -c 3000 /dev/urandom >"$WORK/other.exe"
	sandbox "$WORK/other.exe" --json >"$WORK/out" && fail "no failure, but: $(cat "$WORK/out")"
	grep -q "$sentence" "$WORK/error" || fail "not \"$sentence\": $(cat "$WORK/error")"
}
refuses "refuses (HTTP 401)" "" 5s wrong-token
refuses "analysis of task .* failed" fail
refuses "no report yet" hang 500ms
refuses "about another file" other
refuses "HTTP 302" redirect
grep -q elsewhere "$SAID" && fail "a redirect was followed, with the token"
refuses "has more than 67108864 bytes" big

# Off unless it is configured.
loopback_config </dev/null
sandbox "$WORK/sample.exe" && fail "handed over without a sandbox"
grep -q "names no sandbox" "$WORK/error" || fail "it does not say why: $(cat "$WORK/error")"
echo "handed over, taken back; refusals, failures and a report without end are told"
