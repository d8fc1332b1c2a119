#!/bin/bash
# Pages a minute that browsers in boxes visit, four at once, and what one full visit takes.
#   bench/visit.sh [PAGES]
set -eu
cd "$(dirname "$0")/.."
make -s build/plain/program/bench/visit
work=$(mktemp -d /tmp/kansoku-bench-visit.XXXXXX)
port=$((20000 + $$ % 20000))
python3 tests/e2e/visit_pages.py 127.0.0.1 127.0.0.1 $port >"$work/program" & server=$!
trap 'kill $server; rm -rf "$work"' EXIT
for _ in $(seq 50); do [ -s "$work/program" ] && break; sleep 0.1; done
echo "processors $(nproc), load $(cut -d' ' -f1-3 /proc/loadavg)"
for browsers in 1 2 4; do
	build/plain/program/bench/visit --browsers $browsers --pages "${1:-40}" http://127.0.0.1:$port/bench
done
echo "load $(cut -d' ' -f1-3 /proc/loadavg); one visit with all its looks and pictures:"
build/plain/program/bench/visit --browsers 1 --pages 1 --full-looks http://127.0.0.1:$port/start
