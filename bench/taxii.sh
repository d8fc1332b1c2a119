#!/bin/bash
# How long a page of 1,000 objects takes over many stored events, from curl's first byte to its last.
#   bench/taxii.sh [EVENTS]      ten million without a number; some 3 GB below /tmp and several minutes
# The events are log-ins of 2 million sources, made in the store itself; pages are asked for at random dates.
cd "$(dirname "$0")/.." || exit 2
EVENTS=${1:-10000000} PAGES=${PAGES:-40}
if [ -z "$KANSOKU_BENCH_INSIDE" ]; then
	make -s build/plain/program/bench/taxii_fill build/kansoku || exit 1
	KANSOKU_BENCH_INSIDE=1 exec unshare -n tools/with_loopback "$0" "$@"
fi
WORK=$(mktemp -d /tmp/kansoku-bench.XXXXXX)
chmod 755 "$WORK"
trap '[ -n "$PARENT" ] && kill -TERM $PARENT 2>/dev/null && wait $PARENT; rm -rf "$WORK"' EXIT
cat >"$WORK/kansoku.yaml" <<EOT
run: {state: $WORK/state, uid_base: 47000}
web: {port: 0}
partners: {port: 8443}
store: {retention: {default: 3650d}}
exchange: {policies: [{name: open, fields: {src: pass}, default: pass}]}
EOT
began=$(date +%s)
build/plain/program/bench/taxii_fill "$WORK/state" "$EVENTS" || exit 1
echo "filled with $EVENTS events in $(($(date +%s) - began)) s"
rights() { build/kansoku "$@" --config "$WORK/kansoku.yaml"; }
chmod -R a+rwX "$WORK/state" # each role has a user of its own
build/kansoku run --config "$WORK/kansoku.yaml" --only journal,store,control,exchange,partners >"$WORK/log" 2>&1 &
PARENT=$!
for _ in $(seq 600); do [ -e "$WORK/state/run/ready" ] && break; sleep 0.1; done
[ -e "$WORK/state/run/ready" ] || { cat "$WORK/log"; exit 1; }
rights org add bench >/dev/null && rights user add bench/user >/dev/null && rights grant set bench attacks --tlp amber --policy open >/dev/null &&
	token=$(rights token add bench/user --expires never 2>/dev/null) || { cat "$WORK/log"; exit 1; }
page() { # limit added_after
	curl -s -g -o "$WORK/page" -w '%{http_code} %{time_total} %{size_download}\n' -u "user:$token" -H 'Accept: application/taxii+json;version=2.1' \
		"http://127.0.0.1:8443/exchange/collections/attacks/objects/?limit=$1&added_after=$2"
}
# Milliseconds of CPU that our processes have used: what a page costs, whatever else the machine does.
cpu() { for pid in $(pgrep -P $PARENT); do cat /proc/$pid/stat; done 2>/dev/null | sed 's/.*) //' | awk '{ t += $12 + $13 } END { print t * 10 }'; }
page 1000 2026-01-01T00:00:00Z >/dev/null
before=$(cpu)
for i in $(seq "$PAGES"); do
	after=$(date -u -d "@$((1767225600 + RANDOM * 32768 % (EVENTS / 10 - 200)))" +%FT%TZ)
	page 1000 "$after"
done >"$WORK/times"
used=$(($(cpu) - before))
[ "$(jq '.objects | length' "$WORK/page")" = 1000 ] || { head -c 500 "$WORK/page"; head -3 "$WORK/times"; cat "$WORK/log"; exit 1; }
sort -k2 -n "$WORK/times" | awk -v events="$EVENTS" -v used=$used '{ t[NR] = $2 * 1000 } END { printf "pages of 1000 objects over %d events: median %.1f ms, best %.1f, 9 of 10 within %.1f; CPU of all processes %.1f ms a page\n",
	events, t[int((NR + 1) / 2)], t[1], t[int(NR * 0.9)], used / NR }'
